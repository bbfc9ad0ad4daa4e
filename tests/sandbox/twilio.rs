//! Twilio's side.

use super::client::{World, twilio_signature};
use serde_json::{Value, json};

const PEOPLE: &str = r#"{"numbers":{"+14155550100":"human","+14155550101":"sms_stop","+14155550102":"unreachable",
    "+14155550103":"landline","+14155550104":"bad_number","+14155550105":"link_scanner"}}"#;

#[tokio::test]
async fn a_message_is_delivered_priced_and_listed() {
    let world = World::stepped(PEOPLE).await;
    let (status, sms) = world.send_sms("+14155550100", "att_x_3", "Hi Pat").await;
    assert_eq!(status, 201, "{sms}");
    assert_eq!((&sms["status"], &sms["num_segments"]), (&json!("queued"), &json!("1")));
    assert_eq!(sms["date_created"], "Mon, 05 Jan 2026 14:00:00 +0000");
    world.advance_s(120);
    let told = world.ear.wait(2, |h| h.path.starts_with("/hooks/twilio/status")).await;
    let url = world.callback("att_x_3");
    for post in &told {
        let form = post.form();
        assert!(url.ends_with(&post.path), "{} is the configured URL, query and all", post.path);
        assert_eq!(
            post.header("x-twilio-signature"),
            twilio_signature(&world.text("sms", "auth_token"), &url, &form)
        );
        assert_eq!(form["MessageSid"], sms["sid"].as_str().unwrap());
    }
    let one = world.messages_path().replace(".json", &format!("/{}.json", sms["sid"].as_str().unwrap()));
    let (_, shown) = world.twilio(world.http.get(world.url(&one))).await;
    assert_eq!((&shown["status"], &shown["price"]), (&json!("delivered"), &json!("-0.0079")));
    let list =
        world.url(&format!("{}?To=%2B14155550100&DateSent%3E=2026-01-01&PageSize=50", world.messages_path()));
    let (_, listed) = world.twilio(world.http.get(&list)).await;
    assert_eq!(listed["messages"][0]["sid"], sms["sid"]);
    let ledger = world.lines("ledger").await;
    assert_eq!((&ledger[0]["attempt"], &ledger[0]["kind"]), (&json!("att_x_3"), &json!("send")));
    assert_eq!(ledger[1]["kind"], "lookup");
    assert_eq!(ledger[1]["accepted"], Value::Null);
}

#[tokio::test]
async fn stop_blocks_from_then_on() {
    let world = World::stepped(PEOPLE).await;
    world.inbound_ready().await;
    world.send_sms("+14155550101", "att_x_1", "Hi").await;
    world.advance_s(24 * 3600);
    let inbound = world.ear.wait(1, |h| h.path == "/hooks/twilio/inbound").await.remove(0);
    let form = inbound.form();
    assert_eq!((form["Body"].as_str(), form["From"].as_str()), ("STOP", "+14155550101"));
    let url = format!("{}/hooks/twilio/inbound", world.ear.url);
    assert_eq!(
        inbound.header("x-twilio-signature"),
        twilio_signature(&world.text("sms", "auth_token"), &url, &form)
    );
    let (status, refused) = world.send_sms("+14155550101", "att_x_2", "Again").await;
    assert_eq!((status, &refused["code"]), (400, &json!(21610)));
    let to_us = format!("{}?To={}", world.messages_path(), world.text("sms", "from").replace('+', "%2B"));
    let (_, listed) = world.twilio(world.http.get(world.url(&to_us))).await;
    assert_eq!(
        (&listed["messages"][0]["direction"], &listed["messages"][0]["body"]),
        (&json!("inbound"), &json!("STOP"))
    );
    assert!(world.lines("events").await.iter().any(|l| l["kind"] == "person" && l["what"] == "stop"));
}

#[tokio::test]
async fn what_cannot_arrive_is_undelivered() {
    let world = World::stepped(PEOPLE).await;
    for (to, code) in [("+14155550102", "30003"), ("+14155550103", "30006")] {
        assert_eq!(world.send_sms(to, "att", "Hi").await.0, 201);
        world.advance_s(60);
        let told = world.ear.wait(1, |h| h.form().get("ErrorCode").is_some_and(|c| c == code)).await;
        assert_eq!(told[0].form()["MessageStatus"], "undelivered");
    }
    assert_eq!(world.send_sms("+14155550104", "att", "Hi").await.1["code"], 21211);
}

#[tokio::test]
async fn what_is_wrong_is_refused() {
    let world = World::stepped(PEOPLE).await;
    let path = world.url(&world.messages_path());
    let bad = world
        .http
        .post(&path)
        .basic_auth("AC", Some("x"))
        .form(&[("To", "+14155550100")])
        .send()
        .await
        .unwrap();
    assert_eq!(bad.status(), 401);
    let from = world.text("sms", "from");
    let code =
        async |form: &[(&str, &str)]| world.twilio(world.http.post(&path).form(form)).await.1["code"].clone();
    assert_eq!(code(&[("To", "555"), ("From", &from), ("Body", "x")]).await, 21211);
    assert_eq!(code(&[("To", "+14155550100"), ("Body", "x")]).await, 21603);
    assert_eq!(code(&[("To", "+14155550100"), ("From", "+15550001111"), ("Body", "x")]).await, 21606);
    assert_eq!(code(&[("To", "+14155550100"), ("From", &from)]).await, 21602);
    assert_eq!(code(&[("To", "+14155550100"), ("From", &from), ("Body", &"x".repeat(1601))]).await, 21617);
}

#[tokio::test]
async fn a_queued_message_can_be_canceled() {
    let world = World::stepped(PEOPLE).await;
    let (_, sms) = world.send_sms("+14155550100", "att", "Hi").await;
    let one = world
        .url(&world.messages_path().replace(".json", &format!("/{}.json", sms["sid"].as_str().unwrap())));
    let cancel = || world.twilio(world.http.post(&one).form(&[("Status", "canceled")]));
    assert_eq!(cancel().await.1["status"], "canceled");
    assert_eq!(cancel().await.0, 400);
    world.advance_s(24 * 3600);
    world.send_sms("+14155550100", "after", "Hi").await;
    world.advance_s(60);
    world.ear.wait(2, |h| h.path.ends_with("a=after")).await;
    assert!(!world.ear.all().iter().any(|h| h.path.ends_with("a=att")), "nothing became of it");
}

#[tokio::test]
async fn a_scanner_is_faster_than_anybody() {
    let world = World::stepped(PEOPLE).await;
    let body = format!("Renew: {}/l/aB3x. Reply STOP to end", world.ear.url);
    world.send_sms("+14155550105", "att", &body).await;
    world.advance_s(60);
    let visits = world.ear.wait(2, |h| h.path == "/l/aB3x").await;
    assert!(visits.iter().any(|h| h.header("user-agent").contains("Bot")));
    assert!(visits.iter().any(|h| h.method == "HEAD"));
    world.ear.wait(2, |h| h.path.contains("status")).await;
}
