//! Faults on demand.

use super::HUMAN;
use super::client::{Heard, World, hmac256, twilio_signature};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const PAT: &str = "+14155550100";

#[tokio::test]
async fn a_lost_response_was_taken_all_the_same() {
    let world = World::stepped(HUMAN).await;
    world.fault(json!({"provider": "twilio", "kind": "lose_response", "count": 1})).await;
    let form = [("To", PAT), ("From", &world.text("sms", "from")), ("Body", "Hi")];
    let (sid, token) = (world.text("sms", "account_sid"), world.text("sms", "auth_token"));
    let lost = world.http.post(world.url(&world.messages_path())).basic_auth(sid, Some(token)).form(&form);
    assert!(lost.send().await.is_err());
    let line = world.lines("ledger").await.remove(0);
    assert_eq!((&line["accepted"], &line["status"]), (&json!(true), &json!(201)));
    assert_eq!(world.send_sms(PAT, "next", "Hi").await.0, 201, "once only");
}

#[tokio::test]
async fn refusals_and_statuses_do_nothing() {
    let world = World::stepped(HUMAN).await;
    world.whatsapp_ready().await;
    world.fault(json!({"provider": "whatsapp", "kind": "refuse", "code": 131_048, "count": 1})).await;
    let (status, body) = world.send_whatsapp(PAT, "a").await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!(131_048)));
    world.fault(json!({"provider": "vapi", "kind": "status", "code": "502", "count": 1})).await;
    assert_eq!(world.vapi(Method::POST, "/call", world.call(PAT, "a")).await.status(), 502);
    let lines = world.lines("ledger").await;
    assert!(lines.iter().filter(|l| l["kind"] == "send").all(|l| l["accepted"] == false));
}

#[tokio::test]
async fn a_provider_can_be_down_for_a_while() {
    let world = World::stepped(HUMAN).await;
    world.fault(json!({"provider": "vapi", "kind": "down", "until": "2026-01-05T14:10:00Z"})).await;
    let key = world.text("phone", "api_key");
    let call = || world.http.post(world.url("/call")).bearer_auth(&key).json(&world.call(PAT, "a"));
    assert!(call().send().await.is_err());
    assert!(world.lines("ledger").await.is_empty(), "it reached nobody");
    world.advance_s(600);
    assert_eq!(call().send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn webhooks_come_twice_and_forged() {
    let world = World::stepped(HUMAN).await;
    world.whatsapp_ready().await;
    world.fault(json!({"provider": "whatsapp", "kind": "duplicate", "share": 1})).await;
    world.fault(json!({"provider": "whatsapp", "kind": "forge", "count": 1})).await;
    world.send_whatsapp(PAT, "a").await;
    world.advance_s(3);
    let sent = world
        .ear
        .wait(3, |h| h.json()["entry"][0]["changes"][0]["value"]["statuses"][0]["status"] == "sent")
        .await;
    let secret = world.text("whatsapp", "app_secret");
    let valid =
        |h: &&Heard| h.header("x-hub-signature-256") == format!("sha256={}", hmac256(&secret, &[&h.body]));
    assert_eq!(sent.iter().filter(valid).count(), 2, "two real ones and a forged one");
}

#[tokio::test]
async fn webhooks_can_be_late() {
    let world = World::stepped(HUMAN).await;
    world.fault(json!({"provider": "twilio", "kind": "delay", "code": 900, "count": 1})).await;
    world.send_sms(PAT, "a", "Hi").await;
    world.advance_s(60);
    let first = world.ear.wait(1, |h| h.path.contains("status")).await;
    assert_eq!(first[0].form()["MessageStatus"], "delivered", "the first one is held back");
    world.advance_s(900);
    world.ear.wait(1, |h| h.form().get("MessageStatus").is_some_and(|s| s == "sent")).await;
}

/// A text message that this fault strikes, without waiting for an answer that does not come.
async fn struck(world: &World, fault: Value) -> Result<u16, String> {
    world.fault(fault).await;
    let form = [("To", PAT), ("From", &world.text("sms", "from")), ("Body", "Hi")];
    let (sid, token) = (world.text("sms", "account_sid"), world.text("sms", "auth_token"));
    let request = world.http.post(world.url(&world.messages_path())).basic_auth(sid, Some(token)).form(&form);
    let answer = request.timeout(Duration::from_millis(300)).send().await.map_err(|e| e.to_string())?;
    let status = answer.status().as_u16();
    answer.text().await.map_err(|e| e.to_string())?;
    Ok(status)
}

#[tokio::test]
async fn taken_whatever_is_answered() {
    let world = World::stepped(HUMAN).await;
    let once =
        |kind: &str, code: Value| json!({"provider": "twilio", "kind": kind, "code": code, "count": 1});
    assert_eq!(struck(&world, once("status_after", json!(null))).await, Ok(502));
    assert_eq!(struck(&world, once("status_after", json!(503))).await, Ok(503));
    // The head is there: it is the body that breaks off.
    let half = struck(&world, once("half", json!(null))).await.unwrap_err();
    assert!(half.contains("body"), "{half}");
    assert!(struck(&world, once("hang", json!(null))).await.is_err());
    assert!(struck(&world, once("hang", json!("not_taken"))).await.is_err());
    assert_eq!(struck(&world, json!({"provider": "vapi", "kind": "hang", "count": 1})).await, Ok(201));
    let lines = world.lines("ledger").await;
    let seen: Vec<_> = lines.iter().map(|l| (l["status"].as_u64().unwrap(), &l["accepted"])).collect();
    let taken = &json!(true);
    assert_eq!(seen, [(502, taken), (503, taken), (201, taken), (201, taken), (201, taken)]);
    world.advance_s(60);
    world.until_events(5, |e| e["kind"] == "person" && e["what"] == "arrived").await;
}

#[tokio::test]
async fn lists_lag_and_single_things_do_not() {
    let world = World::stepped(HUMAN).await;
    for (provider, seconds) in [("twilio", 30), ("vapi", 600)] {
        let until = "2026-01-05T15:00:00Z";
        world.fault(json!({"provider": provider, "kind": "lag", "code": seconds, "until": until})).await;
    }
    let (_, sms) = world.send_sms(PAT, "a", "Hi").await;
    let call: Value = world.vapi(Method::POST, "/call", world.call(PAT, "a")).await.json().await.unwrap();
    let listed = async || {
        let request = world.http.get(world.url(&world.messages_path())).query(&[("To", PAT)]);
        let (_, texts) = world.twilio(request).await;
        let calls: Value = world.vapi(Method::GET, "/call", json!({})).await.json().await.unwrap();
        (texts["messages"].as_array().unwrap().len(), calls.as_array().unwrap().len())
    };
    assert_eq!(listed().await, (0, 0));
    let one =
        format!("{}/{}.json", world.messages_path().trim_end_matches(".json"), sms["sid"].as_str().unwrap());
    assert_eq!(world.twilio(world.http.get(world.url(&one))).await.0, 200);
    let one = format!("/call/{}", call["id"].as_str().unwrap());
    assert_eq!(world.vapi(Method::GET, &one, json!({})).await.status(), 200);
    world.advance_s(30);
    assert_eq!(listed().await, (1, 0));
    world.advance_s(570);
    assert_eq!(listed().await, (1, 1));
    world.send_sms(PAT, "b", "Hi").await;
    assert_eq!(listed().await.0, 1);
    world.advance_s(3600);
    assert_eq!(listed().await.0, 2, "it lags no more");
}

#[tokio::test]
async fn a_queued_message_has_no_date_and_fails_when_its_validity_ends() {
    let world = World::stepped(HUMAN).await;
    world.fault(json!({"provider": "twilio", "kind": "queue", "code": 7200, "count": 2})).await;
    let (_, sms) = world.send_sms(PAT, "a", "Hi").await;
    let listed = async |dated: bool| -> Vec<Value> {
        let day = dated.then_some(("DateSent>", "2026-01-01"));
        let request = world.http.get(world.url(&world.messages_path()));
        let (_, list) = world.twilio(request.query(&[("To", PAT)]).query(day.as_slice())).await;
        list["messages"].as_array().unwrap().clone()
    };
    world.advance_s(7190);
    let waiting = listed(false).await;
    assert_eq!((&waiting[0]["sid"], &waiting[0]["status"]), (&sms["sid"], &json!("queued")));
    assert_eq!((&waiting[0]["date_sent"], listed(true).await.len()), (&Value::Null, 0));
    let (from, callback) = (world.text("sms", "from"), world.callback("b"));
    let form = [
        ("To", PAT),
        ("From", &from),
        ("Body", "Hi"),
        ("StatusCallback", &callback),
        ("ValidityPeriod", "60"),
    ];
    world.twilio(world.http.post(world.url(&world.messages_path())).form(&form)).await;
    world.advance_s(70);
    let ended = world.ear.wait(3, |h| h.path.starts_with("/hooks/twilio/status")).await;
    let of = |attempt: &str| -> Vec<_> {
        let about = |h: &&Heard| h.path.ends_with(&format!("a={attempt}"));
        ended.iter().filter(about).map(|h| h.form()["MessageStatus"].clone()).collect()
    };
    assert_eq!((of("a").len(), of("b")), (2, vec!["failed".to_owned()]));
    let sids: Vec<Value> = listed(true).await.iter().map(|m| m["sid"].clone()).collect();
    assert_eq!((sids, listed(false).await.len()), (vec![sms["sid"].clone()], 2), "what failed never left");
}

#[tokio::test]
async fn copies_that_are_garbled_or_about_nobody_are_signed() {
    let world = World::stepped(HUMAN).await;
    world.whatsapp_ready().await;
    for provider in ["whatsapp", "vapi", "twilio"] {
        world.fault(json!({"provider": provider, "kind": "garble", "count": 1})).await;
        world.fault(json!({"provider": provider, "kind": "unknown", "count": 1})).await;
    }
    world.send_whatsapp(PAT, "a").await;
    world.vapi(Method::POST, "/call", world.call(PAT, "b")).await;
    world.send_sms(PAT, "c", "Hi").await;
    world.advance_s(60);
    let events = world.until_events(6, |e| e["what"] == "garbled" || e["what"] == "unknown").await;
    assert!(events.iter().all(|e| e["what"] != "garbled" || e["outcome"].is_null()));
    let foreign = events.iter().filter(|e| e["what"] == "unknown");
    assert!(foreign.clone().all(|e| e["to"].as_str().unwrap().starts_with("+1999555")), "{events:?}");
    let heard = world.ear.all();
    let secret = world.text("whatsapp", "app_secret");
    let meta: Vec<_> = heard.iter().filter(|h| !h.header("x-hub-signature-256").is_empty()).collect();
    for hook in &meta {
        assert_eq!(hook.header("x-hub-signature-256"), format!("sha256={}", hmac256(&secret, &[&hook.body])));
    }
    assert_eq!(meta.iter().filter(|h| h.json().is_null()).count(), 1, "one cannot be read");
    let about = |h: &Heard| h.json()["entry"][0]["changes"][0]["value"]["statuses"][0].clone();
    let nobody = meta
        .iter()
        .map(|h| about(h))
        .find(|s| s["recipient_id"].as_str().is_some_and(|r| r.starts_with("1999555")));
    assert!(nobody.unwrap()["biz_opaque_callback_data"].is_null());
    let token = world.text("sms", "auth_token");
    let texts: Vec<_> = heard.iter().filter(|h| !h.header("x-twilio-signature").is_empty()).collect();
    for hook in &texts {
        let url = format!("{}{}", world.ear.url, hook.path);
        assert_eq!(hook.header("x-twilio-signature"), twilio_signature(&token, &url, &hook.form()));
    }
    assert_eq!(texts.iter().filter(|h| !h.form().contains_key("MessageSid")).count(), 1);
    assert_eq!(texts.iter().filter(|h| !h.path.contains("a=")).count(), 1, "a foreign one names no attempt");
}

#[tokio::test]
async fn updates_come_in_one_post_and_each_has_its_line() {
    let world = World::stepped(HUMAN).await;
    world.whatsapp_ready().await;
    world.fault(json!({"provider": "whatsapp", "kind": "batch", "code": 600, "share": 1})).await;
    for attempt in ["a", "b", "c"] {
        world.send_whatsapp(PAT, attempt).await;
        world.advance_s(10);
    }
    world.advance_s(1200);
    let events =
        world.until_events(3, |e| e["outcome"] == "delivered" && e["to"] == PAT && e["status"] == 200).await;
    let entries = |h: &Heard| h.json()["entry"].as_array().map_or(0, Vec::len);
    let posts: Vec<usize> = world.ear.all().iter().map(entries).filter(|n| *n > 0).collect();
    assert!(posts.iter().any(|entries| *entries > 1), "{posts:?}");
    for entries in posts.iter().filter(|entries| **entries > 1) {
        assert!(events.iter().any(|e| e["what"] == format!("batch of {entries}")), "{events:?}");
    }
}

#[tokio::test]
async fn a_fault_must_make_sense() {
    let world = World::stepped("").await;
    for (fault, word) in [
        (json!({"provider": "vapi", "kind": "refuse"}), "share"),
        (json!({"provider": "vapi", "kind": "explode", "count": 1}), "unknown variant"),
        (json!({"provider": "vapi", "kind": "refuse", "count": 1, "when": 1}), "unknown field"),
        (json!({"provider": "vapi", "kind": "refuse", "share": 2}), "between 0 and 1"),
        (json!({"provider": "vapi", "kind": "hang", "count": 1, "code": "perhaps"}), "taken or not_taken"),
        (json!({"provider": "vapi", "kind": "status_after", "count": 1, "code": 404}), "500 to 599"),
        (json!({"provider": "vapi", "kind": "lag", "count": 1}), "make no sense"),
        (json!({"provider": "vapi", "kind": "lag", "code": "long"}), "seconds"),
        (json!({"provider": "twilio", "kind": "batch", "share": 1}), "only WhatsApp"),
        (json!({"provider": "vapi", "kind": "queue", "share": 1}), "only Twilio"),
        (json!({"provider": "twilio", "kind": "queue", "share": 1, "code": "long"}), "seconds"),
        (json!({"provider": "twilio", "kind": "garble", "share": 1, "code": 7}), "makes no sense"),
        (json!({"provider": "twilio", "kind": "half"}), "how often"),
        (
            json!({"provider": "twilio", "kind": "down", "from": "2026-01-05T15:00:00Z", "until": "2026-01-05T14:00:00Z"}),
            "later than from",
        ),
    ] {
        let answer = world.http.post(world.url("/sandbox/faults")).json(&fault).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["error"].as_str().unwrap().contains(word), "{problem}");
    }
}
