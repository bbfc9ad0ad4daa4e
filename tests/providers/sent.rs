//! What was sent since a backup, from the providers' lists.

use crate::wire::{SINCE, canned, http, text, twilio, twilio_by, vapi};
use cascade::clock::Clock;
use cascade::config;
use cascade::model::{At, Class, Phone};
use cascade::providers::twilio::Twilio;
use cascade::providers::{Answer, Fact, Listed, Outgoing, Provider as _};
use cascade::sandbox::{Options, Sandbox, start};
use chrono::TimeDelta;
use serde_json::{Value, json};

const NEXT: &str = "/2010-04-01/Accounts/AC1/Messages.json?Page=1";

fn since() -> At {
    At::parse(SINCE).unwrap()
}

/// A message of ours, made and sent at these times of the day; `None`: still queued.
fn message(sid: &str, made: &str, sent: Option<&str>) -> Value {
    let date = |time: &str| format!("Mon, 05 Jan 2026 {time} +0000");
    json!({ "sid": sid, "direction": "outbound-api", "body": "Hi", "to": "+15550001111", "from": "+15550002222",
        "status": if sent.is_some() { "delivered" } else { "queued" }, "date_created": date(made),
        "date_sent": sent.map(date), "date_updated": date(made), "price": null, "error_code": null })
}

fn page(messages: &[Value], next: Option<&str>) -> (u16, Value) {
    (200, json!({ "messages": messages, "next_page_uri": next }))
}

fn ids(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|one| one.provider_id.as_str()).collect()
}

async fn sandbox(clock: &Clock) -> (Sandbox, Twilio) {
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        clock: clock.clone(),
        seed: 1,
        memory: None,
        customers: Vec::new(),
        scenario: None,
    };
    let sandbox = start(options).await.unwrap();
    let own = |key: &str| sandbox.config()["sms"][key].as_str().unwrap().to_owned();
    let config = config::Twilio {
        base_url: own("base_url"),
        account_sid: own("account_sid"),
        auth_token: own("auth_token").into(),
        from: own("from"),
        messaging_service_sid: None,
        pace: crate::wire::pace(),
    };
    let client = Twilio::new(config, http(), "https://hooks.example.test");
    (sandbox, client)
}

#[tokio::test]
async fn what_is_still_queued_was_sent() {
    let clock = Clock::stepped(since());
    let (sandbox, client) = sandbox(&clock).await;
    let fault = json!({ "provider": "twilio", "kind": "queue", "code": 36_000, "count": 1 });
    let faults = reqwest::Client::new().post(format!("{}/sandbox/faults", sandbox.url()));
    assert_eq!(faults.json(&fault).send().await.unwrap().status(), 201);
    let mut sent = Vec::new();
    for to in ["+14155550100", "+14155550101"] {
        let out = Outgoing { to: Phone::parse_e164(to).unwrap(), ..text() };
        let Answer::Accepted { provider_id, .. } = client.send(&out).await else { panic!("not taken") };
        sent.push(provider_id);
        clock.advance_to(clock.now() + TimeDelta::minutes(5));
    }
    // Hours later the first one still waits.
    clock.advance_to(clock.now() + TimeDelta::hours(2));
    let listed = client.sent_since(since()).await.unwrap().unwrap();
    assert_eq!(ids(&listed), sent);
    assert_eq!((listed[0].to.as_str(), listed[0].at), ("+14155550100", since()));
    assert_eq!(listed[0].heard[0].dedup, format!("{}:queued", sent[0]));
    assert_eq!(listed[0].heard[0].what, Fact::Sent);
    let later = client.sent_since(since() + TimeDelta::minutes(1)).await.unwrap().unwrap();
    assert_eq!(ids(&later), [sent[1].as_str()]);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn the_list_is_read_until_a_whole_page_is_old() {
    let border = [
        message("SM5", "09:10:00", Some("09:10:01")),
        // Made before, sent after: nothing is over yet.
        message("SM1", "07:00:00", Some("09:05:00")),
    ];
    let mixed = [
        message("SM0", "08:00:00", Some("08:00:01")),
        message("SM3", "09:02:00", None),
        message("SM2", "08:59:57", Some("09:00:00")),
        message("SM5", "09:10:00", Some("09:10:01")),
    ];
    let waited = [message("SM9", "06:00:00", Some("09:01:00"))];
    let old = [message("SM0", "08:00:00", Some("08:00:01"))];
    let at = |page: u8| format!("{NEXT}{page}");
    let server = canned(vec![
        page(&border, Some(&at(1))),
        page(&mixed, Some(&at(2))),
        page(&waited, Some(&at(3))),
        page(&[], Some(&at(4))),
        page(&old, Some(&at(5))),
    ])
    .await;
    let listed = twilio(&server.url, None).sent_since(since()).await.unwrap().unwrap();
    assert_eq!(ids(&listed), ["SM2", "SM3", "SM5"], "each once, oldest first");
    let asked = server.asked();
    assert_eq!(asked.len(), 5, "what lies behind an old page is not asked for");
    assert_eq!(asked[0].uri, "/2010-04-01/Accounts/AC1/Messages.json?PageSize=1000&From=%2B15550002222");
}

#[tokio::test]
async fn a_service_has_no_sender_before_one_is_picked() {
    let mut ours = message("SM1", "09:10:00", None);
    ours["from"] = Value::Null;
    ours["status"] = json!("accepted");
    let mut theirs = message("SM2", "09:10:00", Some("09:10:00"));
    theirs["direction"] = json!("inbound");
    let server = canned(vec![page(&[ours, theirs], None)]).await;
    let listed = twilio_by(&server.url, Some("MG1"), http()).sent_since(since()).await.unwrap().unwrap();
    assert_eq!(ids(&listed), ["SM1"]);
    assert_eq!(server.asked()[0].uri, "/2010-04-01/Accounts/AC1/Messages.json?PageSize=1000");
}

#[tokio::test]
async fn of_a_list_without_end_nobody_can_tell() {
    let again = || page(&[message("SM1", "09:10:00", None)], Some(NEXT));
    let server = canned(vec![again(), again(), (503, json!({}))]).await;
    let client = twilio(&server.url, None);
    assert_eq!(client.sent_since(since()).await, Ok(None));
    assert_eq!(server.asked().len(), 2, "not asked for ever");
    let failure = client.sent_since(since()).await.unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.class),
        ("503", Class::Outage),
        "that one ends: it is asked again"
    );
    let full: Value =
        (0..100).map(|i| json!({ "id": format!("c{i}"), "createdAt": "2026-01-05T10:00:00Z" })).collect();
    let server = canned(vec![(200, full.clone()), (200, full)]).await;
    assert_eq!(vapi(&server.url).sent_since(since()).await, Ok(None));
}
