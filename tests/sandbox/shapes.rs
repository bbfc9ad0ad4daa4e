//! Answers and webhooks held against the providers' published OpenAPI descriptions, where those are at hand.

use super::HUMAN;
use super::client::World;
use reqwest::Method;
use serde_json::Value;
use std::path::Path;

/// A description, or `None` with a word on stdout where the specifications are not beside the crate.
fn spec(name: &str) -> Option<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/specs").join(name);
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: {name} is not beside the crate");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// Holds a value against a schema: types, required fields, enums and nested objects. Fields that the
/// description lacks are named too, save the known gaps of the descriptions.
fn hold(spec: &Value, schema: &Value, value: &Value, at: &str, gaps: &[&str], problems: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = spec.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
        return hold(spec, target, value, at, gaps, problems);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        hold(spec, part, value, at, gaps, problems);
    }
    if value.is_null() && schema["nullable"] == true || gaps.contains(&at) {
        return;
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        problems.push(format!("{at}: {value} is no {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        problems.push(format!("{at}: {value} is none of {words:?}"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            problems.push(format!("{at}: {name} is missing"));
        }
    }
    if let (Some(fields), Some(given)) = (schema["properties"].as_object(), value.as_object()) {
        for (name, inner) in given {
            match fields.get(name) {
                Some(schema) => hold(spec, schema, inner, &format!("{at}.{name}"), gaps, problems),
                None if gaps.contains(&format!("{at}.{name}").as_str()) => {}
                None if schema["additionalProperties"] == false => {
                    problems.push(format!("{at}.{name} is unknown"));
                }
                None => {}
            }
        }
    }
    for item in value.as_array().into_iter().flatten() {
        hold(spec, &schema["items"], item, &format!("{at}[]"), gaps, problems);
    }
}

fn check(spec: &Value, pointer: &str, value: &Value, gaps: &[&str]) {
    let schema = spec.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not described"));
    let mut problems = Vec::new();
    hold(spec, schema, value, "", gaps, &mut problems);
    assert!(problems.is_empty(), "{problems:#?}\n{value:#}");
}

#[test]
fn the_check_can_fail() {
    let spec = serde_json::json!({"a": {"type": "object", "required": ["id"], "properties": {"n": {"type": "string"}}}});
    let mut problems = Vec::new();
    hold(&spec, &spec["a"], &serde_json::json!({"n": 1}), "", &[], &mut problems);
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[tokio::test]
async fn metas_shapes_hold() {
    let Some(spec) = spec("meta_whatsapp_v23_messages_webhooks.json") else { return };
    let world = World::stepped(HUMAN).await;
    world.whatsapp_ready().await;
    let (_, sent) = world.send_whatsapp("+14155550100", "a").await;
    check(&spec, "/components/schemas/MessageResponsePayload", &sent, &[]);
    let (_, refused) = world.graph(Method::POST, &world.whatsapp_path("messages"), Value::Null).await;
    check(&spec, "/components/schemas/GraphAPIError", &refused, &[]);
    world.advance_s(6 * 3600);
    let posts = world.ear.wait(4, |h| h.path == "/hooks/whatsapp").await;
    for post in posts {
        check(&spec, "/components/schemas/WebhookPayload", &post.json(), &[]);
    }
    let (_, history) = world.graph(Method::GET, &world.whatsapp_path("message_history"), Value::Null).await;
    check(&spec, "/components/schemas/MessageHistoryResponse", &history, &[]);
}

#[tokio::test]
async fn twilios_shapes_hold() {
    let Some(spec) = spec("twilio_v2010_messages_calls.json") else { return };
    let world = World::stepped(HUMAN).await;
    let (_, sms) = world.send_sms("+14155550100", "a", "Hi").await;
    check(&spec, "/components/schemas/api.v2010.account.message", &sms, &[]);
    let known = spec["components"]["schemas"]["api.v2010.account.message"]["properties"].as_object().unwrap();
    assert!(
        sms.as_object().unwrap().keys().all(|key| known.contains_key(key)),
        "nothing that Twilio does not send"
    );
    let (_, list) = world.twilio(world.http.get(world.url(&world.messages_path()))).await;
    let path = "/paths/~12010-04-01~1Accounts~1{AccountSid}~1Messages.json/get/responses/200/content/application~1json/schema";
    check(&spec, path, &list, &[]);
}

#[tokio::test]
async fn vapis_shapes_hold() {
    let Some(spec) = spec("vapi_calls_and_server_messages.json") else { return };
    let world = World::stepped(HUMAN).await;
    let call: Value =
        world.vapi(Method::POST, "/call", world.call("+14155550100", "a")).await.json().await.unwrap();
    check(&spec, "/components/schemas/Call", &call, &[]);
    check(&spec, "/components/schemas/SubscriptionLimits", &call["subscriptionLimits"], &[]);
    world.advance_s(600);
    let told = world.ear.wait(4, |h| h.path == "/hooks/vapi").await;
    for post in told {
        let message = &post.json()["message"];
        let name = if message["type"] == "status-update" { "StatusUpdate" } else { "EndOfCallReport" };
        check(&spec, &format!("/components/schemas/ServerMessage{name}"), message, &[]);
    }
    let path = format!("/call/{}", call["id"].as_str().unwrap());
    let shown: Value = world.vapi(Method::GET, &path, Value::Null).await.json().await.unwrap();
    check(&spec, "/components/schemas/Call", &shown, &[]);
}
