//! Vapi's side.

use super::client::{Heard, World, hmac256};
use reqwest::Method;
use serde_json::{Value, json};

const PEOPLE: &str = r#"{"numbers":{"+14155550100":"human","+14155550101":"voicemail","+14155550102":"busy",
    "+14155550103":"no_answer","+14155550104":"bad_number"}}"#;

fn ended(h: &Heard) -> bool {
    h.json()["message"]["type"] == "end-of-call-report"
}

#[tokio::test]
async fn a_call_is_answered_told_and_reported() {
    let world = World::stepped(PEOPLE).await;
    let created = world.vapi(Method::POST, "/call", world.call("+14155550100", "att_x_9")).await;
    assert_eq!(created.status(), 201);
    assert_eq!(
        created.headers()["date"],
        "Mon, 05 Jan 2026 14:00:00 GMT",
        "a provider's clock is the campaign's"
    );
    let call: Value = created.json().await.unwrap();
    assert_eq!(call["subscriptionLimits"]["remainingConcurrentCalls"], 9);
    world.advance_s(600);
    let report = world.ear.wait(1, ended).await.remove(0);
    let secret = world.text("phone", "webhook_secret");
    let stamp = report.header("x-timestamp").to_owned();
    assert_eq!(report.header("x-signature"), hmac256(&secret, &[stamp.as_bytes(), b".", &report.body]));
    let message = &report.json()["message"];
    assert_eq!(message["endedReason"], "customer-ended-call");
    assert_eq!((&message["call"]["id"], &message["call"]["name"]), (&call["id"], &json!("att_x_9")));
    assert!(message["artifact"]["messages"].as_array().unwrap().iter().any(|m| m["role"] == "user"));
    assert_eq!(message["analysis"]["structuredData"]["confirmed"], true);
    let told = world.ear.wait(3, |h| h.json()["message"]["type"] == "status-update").await;
    let mut statuses: Vec<String> =
        told.iter().map(|h| h.json()["message"]["status"].as_str().unwrap().to_owned()).collect();
    statuses.sort();
    assert_eq!(statuses, ["ended", "in-progress", "ringing"]);
    let shown: Value = world
        .vapi(Method::GET, &format!("/call/{}", call["id"].as_str().unwrap()), Value::Null)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!((&shown["status"], &shown["endedReason"]), (&json!("ended"), &json!("customer-ended-call")));
    let listed: Value = world
        .vapi(Method::GET, "/call?createdAtGe=2026-01-05T13:59:00.000Z&limit=10", Value::Null)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(listed[0]["name"], "att_x_9");
}

#[tokio::test]
async fn nobody_machines_and_wrong_numbers_end_as_vapi_says() {
    let world = World::stepped(PEOPLE).await;
    for i in 1..=4 {
        let call = world.call(&format!("+1415555010{i}"), &format!("att_x_{i}"));
        assert_eq!(world.vapi(Method::POST, "/call", call).await.status(), 201);
    }
    world.advance_s(600);
    let mut reasons: Vec<String> = world
        .ear
        .wait(4, ended)
        .await
        .iter()
        .map(|h| h.json()["message"]["endedReason"].as_str().unwrap().to_owned())
        .collect();
    reasons.sort();
    let expected =
        ["customer-busy", "customer-did-not-answer", "twilio-reported-customer-misdialed", "voicemail"];
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn ten_lines_and_no_more() {
    let world = World::stepped(r#"{"segments":{"a":{"phone":{"convert":1}}}}"#).await;
    for i in 0..10 {
        let call = world.call(&format!("+1415555{:04}", 100 + i), "att");
        assert_eq!(world.vapi(Method::POST, "/call", call).await.status(), 201);
    }
    let over = world.vapi(Method::POST, "/call", world.call("+14155550200", "att_11")).await;
    assert_eq!(over.status(), 429);
    assert_eq!(over.headers()["retry-after"], "2");
    let last = world.lines("ledger").await.pop().unwrap();
    assert_eq!((&last["accepted"], &last["code"]), (&json!(false), &json!("429")));
}

#[tokio::test]
async fn the_first_call_to_some_is_throttled_once() {
    let world = World::stepped("").await;
    let mut throttled = 0;
    for i in 0..100 {
        let to = format!("+1415556{i:04}");
        if world.vapi(Method::POST, "/call", world.call(&to, "att")).await.status() == 429 {
            throttled += 1;
            assert_eq!(world.vapi(Method::POST, "/call", world.call(&to, "again")).await.status(), 201);
        }
        // Nobody talks that long.
        world.advance_s(900);
        let id = i + 1;
        world.ear.wait(id, ended).await;
    }
    assert!((2..=16).contains(&throttled), "{throttled} of 100");
}

#[tokio::test]
async fn a_call_can_be_hung_up() {
    let world = World::stepped(PEOPLE).await;
    let call: Value =
        world.vapi(Method::POST, "/call", world.call("+14155550100", "att")).await.json().await.unwrap();
    let control = call["monitor"]["controlUrl"]
        .as_str()
        .unwrap()
        .strip_prefix(&world.sandbox.url())
        .unwrap()
        .to_owned();
    let hang_up = || world.vapi(Method::POST, &control, json!({"type": "end-call"}));
    assert_eq!(hang_up().await.status(), 200);
    world.advance_s(600);
    let report = world.ear.wait(1, ended).await.remove(0).json();
    assert_eq!(report["message"]["endedReason"], "manually-canceled");
    assert_eq!(hang_up().await.status(), 400, "it is over");
    assert!(!world.lines("events").await.iter().any(|l| l["what"] == "answered"));
    let recall = world.lines("ledger").await.into_iter().find(|l| l["kind"] == "recall").unwrap();
    assert_eq!((&recall["to"], &recall["attempt"]), (&json!("+14155550100"), &json!("att")));
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let world = World::stepped("").await;
    let bad = world.http.post(world.url("/call")).bearer_auth("x").json(&json!({})).send().await.unwrap();
    assert_eq!(bad.status(), 401);
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut call = world.call("+14155550100", "att");
        change(&mut call);
        world.vapi(Method::POST, "/call", call).await.status()
    };
    assert_eq!(refused(&|c| c["phoneNumberId"] = json!("x")).await, 400);
    assert_eq!(refused(&|c| c["customer"]["number"] = json!("555")).await, 400);
    assert_eq!(refused(&|c| c["name"] = json!("n".repeat(41))).await, 400);
    assert_eq!(refused(&|c| c["metadata"] = json!({})).await, 400);
    let number = format!("/phone-number/{}", world.text("phone", "phone_number_id"));
    assert_eq!(world.vapi(Method::GET, &number, Value::Null).await.status(), 200);
}
