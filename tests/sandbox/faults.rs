//! Faults on demand.

use super::HUMAN;
use super::client::{World, hmac256};
use serde_json::{Value, json};

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
    assert_eq!(world.vapi(reqwest::Method::POST, "/call", world.call(PAT, "a")).await.status(), 502);
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
    let valid = |h: &&super::client::Heard| {
        h.header("x-hub-signature-256") == format!("sha256={}", hmac256(&secret, &[&h.body]))
    };
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

#[tokio::test]
async fn a_fault_must_make_sense() {
    let world = World::stepped("").await;
    for (fault, word) in [
        (json!({"provider": "vapi", "kind": "refuse"}), "share"),
        (json!({"provider": "vapi", "kind": "explode", "count": 1}), "unknown variant"),
        (json!({"provider": "vapi", "kind": "refuse", "count": 1, "when": 1}), "unknown field"),
        (json!({"provider": "vapi", "kind": "refuse", "share": 2}), "between 0 and 1"),
    ] {
        let answer = world.http.post(world.url("/sandbox/faults")).json(&fault).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["error"].as_str().unwrap().contains(word), "{problem}");
    }
}
