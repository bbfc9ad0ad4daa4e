//! Questions: what became of a doubtful send, what came in meanwhile, whether a scope is mended.

use crate::wire::{SINCE, call, canned, raw, text, twilio, twilio_by, vapi, vapi_by, whatsapp};
use cascade::model::{At, Class, Mode, Scope, Sent};
use cascade::providers::http::{Http, Patience};
use cascade::providers::{CallResult, Fact, Lookup, Provider as _};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn a_doubtful_call_is_found_by_its_name_or_not_seen() {
    let other = json!({ "id": "019x", "name": "att_k_6", "createdAt": "2026-01-05T09:00:01Z" });
    let ours = json!({ "id": "019a", "name": "att_k_7", "status": "ended", "endedReason": "voicemail",
        "createdAt": "2026-01-05T09:00:02Z", "assistant": { "metadata": { "attempt_id": "att_k_7" } } });
    let server = canned(vec![(200, json!([other, ours])), (200, json!([other])), (503, json!({}))]).await;
    let client = vapi(&server.url);
    let since = At::parse(SINCE).unwrap();
    let Lookup::Found { provider_id, heard } = client.look_up(&call(), since).await else {
        panic!("not found")
    };
    assert_eq!((provider_id.as_str(), heard[0].dedup.as_str()), ("019a", "019a:status-update:ended"));
    let Fact::CallEnded(end) = &heard[0].what else { panic!("{heard:?}") };
    assert_eq!(end.result, CallResult::NoAnswer { machine: true });
    assert_eq!(client.look_up(&call(), since).await, Lookup::NotSeen);
    assert!(matches!(client.look_up(&call(), since).await, Lookup::Failed(_)));
    let uri = &server.asked()[0].uri;
    assert!(
        uri.starts_with("/call?createdAtGe=2026-01-05T08%3A55%3A00.000Z&phoneNumberId=pn-1&limit=100"),
        "{uri}"
    );
}

#[tokio::test]
async fn a_calls_list_is_read_page_by_page() {
    let page = |from: u32| -> Value {
        (0..100)
            .map(|i| json!({ "id": format!("c{from}-{i}"), "createdAt": format!("2026-01-05T{:02}:00:00Z", from) }))
            .collect()
    };
    let last = json!([{ "id": "019a", "name": "att_k_7", "createdAt": "2026-01-05T09:00:01Z" }]);
    let server = canned(vec![(200, page(11)), (200, page(10)), (200, last)]).await;
    let found = vapi(&server.url).look_up(&call(), At::parse(SINCE).unwrap()).await;
    assert!(matches!(found, Lookup::Found { .. }), "{found:?}");
    assert!(
        server.asked()[2].uri.ends_with("createdAtLe=2026-01-05T10%3A00%3A00.000Z"),
        "{}",
        server.asked()[2].uri
    );
}

fn listed(sid: &str, direction: &str, body: &str, created: &str) -> Value {
    json!({ "sid": sid, "direction": direction, "body": body, "to": "+15550001111", "from": "+15550002222",
        "status": "delivered", "date_created": created, "date_updated": created, "price": "-0.00790", "error_code": null })
}

const NEW: &str = "Mon, 05 Jan 2026 08:59:56 +0000";
const OLD: &str = "Mon, 05 Jan 2026 08:59:00 +0000";

#[tokio::test]
async fn a_doubtful_text_is_found_by_number_body_and_time() {
    let body = "Hi Pat https://x.test/l/abc";
    let page =
        |items: Vec<Value>, next: Option<&str>| (200, json!({ "messages": items, "next_page_uri": next }));
    let next = "/2010-04-01/Accounts/AC1/Messages.json?Page=1";
    let server = canned(vec![
        page(
            vec![listed("SM8", "inbound", body, NEW), listed("SM9", "outbound-api", "other", NEW)],
            Some(next),
        ),
        page(
            vec![listed("SM1", "outbound-api", body, NEW), listed("SM0", "outbound-api", body, OLD)],
            Some(next),
        ),
        page(vec![listed("SM0", "outbound-api", body, OLD)], Some("https://elsewhere.example.test/")),
    ])
    .await;
    let client = twilio(&server.url, None);
    let since = At::parse(SINCE).unwrap();
    let Lookup::Found { provider_id, heard } = client.look_up(&text(), since).await else {
        panic!("not found")
    };
    assert_eq!(provider_id, "SM1");
    assert_eq!((heard[0].dedup.as_str(), &heard[0].what), ("SM1:delivered", &Fact::Delivered));
    assert!(matches!(&heard[1].what, Fact::Cost(price) if price.to_string() == "0.0079"), "{heard:?}");
    assert_eq!(client.look_up(&text(), since).await, Lookup::NotSeen, "the older one is another attempt's");
    let asked = server.asked();
    assert_eq!(asked[0].uri, "/2010-04-01/Accounts/AC1/Messages.json?To=%2B15550001111&PageSize=100");
    assert_eq!((asked[1].uri.as_str(), asked.len()), (next, 3));
}

#[tokio::test]
async fn what_came_in_during_a_gap_is_listed_oldest_first() {
    let page = json!({ "messages": [
        listed("SM3", "inbound", "STOP", "Mon, 05 Jan 2026 09:10:00 +0000"),
        listed("SM2", "inbound", "hello", "Mon, 05 Jan 2026 09:05:00 +0000"),
        listed("SM5", "outbound-api", "ours", "Mon, 05 Jan 2026 09:04:00 +0000"),
        listed("SM1", "inbound", "before", OLD),
    ], "next_page_uri": null });
    let server = canned(vec![(200, page)]).await;
    let heard = twilio(&server.url, None).inbound_since(At::parse(SINCE).unwrap()).await.unwrap();
    let keys: Vec<&str> = heard.iter().map(|h| h.dedup.as_str()).collect();
    assert_eq!(keys, ["SM2:received", "SM3:received"]);
    assert_eq!(heard[0].person.as_ref().unwrap().as_str(), "+15550002222");
    let uri = &server.asked()[0].uri;
    assert!(uri.contains("DateSent%3E=2026-01-04") && uri.contains("To=%2B15550002222"), "{uri}");
}

#[tokio::test]
async fn setting_up_proves_the_credentials() {
    let server =
        canned(vec![(200, json!({ "success": true })), (401, json!({ "error": { "code": 190 } }))]).await;
    let meta = whatsapp(&server.url);
    meta.set_up("http://127.0.0.1:8787/").await.unwrap();
    let failure = meta.set_up("http://127.0.0.1:8787").await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.class), ("190", Class::Config));
    let asked = &server.asked()[0];
    assert_eq!(asked.uri, "/v23.0/WABA/subscribed_apps");
    let expected =
        json!({ "override_callback_uri": "http://127.0.0.1:8787/hooks/whatsapp", "verify_token": "verify" });
    assert_eq!(asked.json(), expected);
    let server = canned(vec![(200, json!({ "status": "active" })), (200, json!({ "id": "pn-1" }))]).await;
    twilio(&server.url, None).set_up("").await.unwrap();
    vapi(&server.url).set_up("").await.unwrap();
    let shut =
        canned(vec![(200, json!({ "status": "suspended" })), (200, json!({ "status": "blocked" }))]).await;
    assert_eq!(twilio(&shut.url, None).set_up("").await.unwrap_err().class, Class::Config);
    assert_eq!(vapi(&shut.url).set_up("").await.unwrap_err().class, Class::Config);
    let uris: Vec<String> = server.asked().into_iter().map(|a| a.uri).collect();
    assert_eq!(uris, ["/2010-04-01/Accounts/AC1.json", "/phone-number/pn-1"]);
}

#[tokio::test]
async fn a_scope_is_mended_when_the_provider_says_so() {
    let listed =
        |status: &str| (200, json!({ "data": [{ "name": "renewal", "language": "de", "status": status }] }));
    let server = canned(vec![
        listed("PAUSED"),
        listed("APPROVED"),
        (200, json!({ "status": "CONNECTED" })),
        (401, json!({ "error": { "code": 190 } })),
        (503, json!({})),
    ])
    .await;
    let client = whatsapp(&server.url);
    let template = Scope::Template("renewal/de".to_owned());
    assert_eq!(client.check(&template).await, Ok(false));
    assert_eq!(client.check(&template).await, Ok(true));
    assert_eq!(client.check(&Scope::Sender).await, Ok(true));
    assert_eq!(client.check(&Scope::Account).await, Ok(false), "the token is still wrong");
    assert!(client.check(&Scope::Account).await.is_err(), "nobody knows");
    assert_eq!(client.check(&Scope::Country("GB".to_owned())).await, Ok(false));
    let server =
        canned(vec![(200, json!({ "status": "suspended" })), (200, json!({ "status": "active" }))]).await;
    assert_eq!(twilio(&server.url, None).check(&Scope::Account).await, Ok(false));
    assert_eq!(twilio(&server.url, None).check(&Scope::Sender).await, Ok(true));
}

/// A page of Twilio's list, and where the next one is.
fn page(items: Vec<Value>, next: Option<&str>) -> (u16, Value) {
    (200, json!({ "messages": items, "next_page_uri": next }))
}

const LATER: &str = "Mon, 05 Jan 2026 09:05:00 +0000";
const BODY: &str = "Hi Pat https://x.test/l/abc";
const NEXT: &str = "/2010-04-01/Accounts/AC1/Messages.json?Page=1";

fn since() -> At {
    At::parse(SINCE).unwrap()
}

#[tokio::test]
async fn a_list_that_lags_proves_nothing_until_it_shows_the_send() {
    let ours = listed("SM1", "outbound-api", BODY, NEW);
    let server = canned(vec![page(vec![], None), page(vec![ours], None)]).await;
    let client = twilio(&server.url, None);
    assert_eq!(client.look_up(&text(), since()).await, Lookup::NotSeen);
    assert!(matches!(client.look_up(&text(), since()).await, Lookup::Found { .. }));
    let call_made = json!([{ "id": "019a", "name": "att_k_7", "createdAt": "2026-01-05T09:00:01Z" }]);
    let server = canned(vec![(200, json!([])), (200, call_made)]).await;
    let client = vapi(&server.url);
    assert_eq!(client.look_up(&call(), since()).await, Lookup::NotSeen);
    assert!(matches!(client.look_up(&call(), since()).await, Lookup::Found { .. }));
}

#[tokio::test]
async fn a_list_that_breaks_off_is_no_list() {
    let stop = listed("SM9", "inbound", "STOP", LATER);
    let server = canned(vec![page(vec![stop], Some(NEXT)), (503, json!({}))]).await;
    let failure = twilio(&server.url, None).inbound_since(since()).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.class), ("503", Class::Outage), "half of it is not all of it");
    let cut = raw(vec![(200, Vec::new(), r#"{"messages":[{"sid":"SM1""#.to_owned())]).await;
    let failure = twilio(&cut.url, None).inbound_since(since()).await.unwrap_err();
    assert_eq!(failure.code, "unreadable");
}

#[tokio::test]
async fn a_list_that_repeats_itself_is_no_list() {
    let stop = || listed("SM9", "inbound", "STOP", LATER);
    let again = || page(vec![stop()], Some(NEXT));
    let server = canned(vec![again(), again(), again(), again()]).await;
    let client = twilio(&server.url, None);
    let failure = client.inbound_since(since()).await.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.class), ("endless_list", Class::Outage));
    assert_eq!(server.asked().len(), 2, "not asked for ever");
    assert!(matches!(client.look_up(&text(), since()).await, Lookup::Failed(_)));
    let full: Value =
        (0..100).map(|i| json!({ "id": format!("c{i}"), "createdAt": "2026-01-05T10:00:00Z" })).collect();
    let server = canned(vec![(200, full.clone()), (200, full)]).await;
    let found = vapi(&server.url).look_up(&call(), since()).await;
    assert!(matches!(&found, Lookup::Failed(failure) if failure.code == "endless_list"), "{found:?}");
}

#[tokio::test]
async fn what_a_list_shows_twice_has_one_key() {
    let one = || listed("SM9", "inbound", "hello", LATER);
    let server = canned(vec![page(vec![one()], Some(NEXT)), page(vec![one()], None)]).await;
    let heard = twilio(&server.url, None).inbound_since(since()).await.unwrap();
    assert_eq!((heard.len(), &heard[0].dedup), (2, &heard[1].dedup));
}

#[tokio::test]
async fn a_question_that_is_throttled_says_how_long() {
    let slow = || (429, vec![("retry-after", "7".to_owned())], "{}".to_owned());
    let server = raw(vec![slow(), slow(), slow()]).await;
    let told = |lookup: Lookup| match lookup {
        Lookup::Failed(failure) => (failure.class, failure.sent, failure.retry_after_s),
        other => panic!("{other:?}"),
    };
    let expected = (Class::Throttle, Sent::No, Some(7));
    assert_eq!(told(twilio(&server.url, None).look_up(&text(), since()).await), expected);
    assert_eq!(told(twilio(&server.url, None).status("SM1").await), expected);
    assert_eq!(told(vapi(&server.url).status("019a").await), expected);
}

/// Half a minute after [`SINCE`] by our clock.
fn ours() -> Arc<Http> {
    Arc::new(Http::new(Mode::Rehearsal, Patience::default()).at(|| At::from_secs(1_767_603_630)))
}

#[tokio::test]
async fn what_a_provider_dates_is_compared_with_its_own_clock() {
    let answer = |date: &str, body: Value| (200, vec![("date", date.to_owned())], body.to_string());
    let of = |created: &str| json!({ "messages": [listed("SM1", "outbound-api", BODY, created)] });
    let dated = |minute: &str| format!("Mon, 05 Jan 2026 {minute} GMT");
    for (date, created, found) in [
        // Half an hour behind us, and half an hour before us.
        ("08:30:30", "08:30:01", true),
        ("08:30:30", "08:29:00", false),
        ("09:30:30", "09:30:01", true),
        ("09:30:30", "09:00:01", false),
    ] {
        let server = raw(vec![answer(&dated(date), of(&format!("Mon, 05 Jan 2026 {created} +0000")))]).await;
        let lookup = twilio_by(&server.url, None, ours()).look_up(&text(), since()).await;
        assert_eq!(matches!(lookup, Lookup::Found { .. }), found, "{date} {created}");
    }
    let server = raw(vec![
        answer(&dated("08:30:30"), json!({ "status": "active" })),
        answer(&dated("08:30:31"), json!([])),
    ])
    .await;
    let client = vapi_by(&server.url, ours());
    client.set_up("").await.unwrap();
    assert_eq!(client.look_up(&call(), since()).await, Lookup::NotSeen);
    assert!(server.asked()[1].uri.contains("createdAtGe=2026-01-05T08%3A29%3A55.000Z"));
}
