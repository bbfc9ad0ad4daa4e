//! The receiver over real loopback HTTP: what it believes, what it takes in, and when it says 200.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use base64::Engine as _;
use cascade::engine::event::CallProgress;
use cascade::model::{At, Class, Disposition, Scope};
use cascade::providers::{CallResult, Fact, Heard};
use cascade::runtime::links;
use cascade::runtime::webhooks::{Inbox, NotTaken, Secrets, router, serve};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use hmac::{Hmac, Mac as _};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const APP: &str = "app secret";
const VERIFY: &str = "verify token";
const OWN: &str = "our own token";
const VAPI: &str = "vapi secret";
const TWILIO: &str = "twilio token";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";

/// Writes down what it is given, and fails when told.
#[derive(Default)]
struct Recorder {
    heard: Mutex<Vec<Heard>>,
    takes: Mutex<usize>,
    clicks: Mutex<Vec<(String, Option<String>)>>,
    known: Mutex<Option<String>>,
    disbelieved: Mutex<Vec<&'static str>>,
    broken: AtomicBool,
}

impl Recorder {
    fn is_whole(&self) -> Result<(), NotTaken> {
        if self.broken.load(Ordering::SeqCst) { Err(NotTaken) } else { Ok(()) }
    }
}

impl Inbox for Recorder {
    fn take(&self, heard: Vec<Heard>) -> BoxFuture<'_, Result<(), NotTaken>> {
        let taken = self.is_whole();
        if taken.is_ok() {
            *self.takes.lock().unwrap() += 1;
            self.heard.lock().unwrap().extend(heard);
        }
        futures::future::ready(taken).boxed()
    }

    fn follow(&self, code: String, why: Option<String>) -> BoxFuture<'_, Result<Option<String>, NotTaken>> {
        let target = self.is_whole().map(|()| {
            let known = self.known.lock().unwrap().as_ref() == Some(&code);
            self.clicks.lock().unwrap().push((code, why));
            known.then(|| "https://shop.example.test/renew?x=1".to_owned())
        });
        futures::future::ready(target).boxed()
    }

    fn disbelieved(&self, provider: &'static str) {
        self.disbelieved.lock().unwrap().push(provider);
    }
}

struct Ear {
    url: String,
    inbox: Arc<Recorder>,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
}

async fn ear() -> Ear {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let inbox = Arc::new(Recorder::default());
    let secrets = Secrets {
        whatsapp_app_secret: APP.into(),
        whatsapp_verify_token: VERIFY.into(),
        own_token: OWN.into(),
        vapi: VAPI.into(),
        twilio_auth_token: TWILIO.into(),
        public_url: url.clone(),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, router(inbox.clone(), secrets), stopped.map(|_| ())));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    Ear { url, inbox, http, stop: Some(stop), served }
}

fn hex256(key: &str, bytes: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(bytes);
    hex::encode(mac.finalize().into_bytes())
}

impl Ear {
    fn taken(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.inbox.heard.lock().unwrap())
    }

    fn takes(&self) -> usize {
        *self.inbox.takes.lock().unwrap()
    }

    async fn whatsapp(&self, body: impl Into<Vec<u8>>) -> Response {
        let body = body.into();
        let signature = format!("sha256={}", hex256(APP, &body));
        let post = self.http.post(format!("{}/hooks/whatsapp", self.url));
        post.header("X-Hub-Signature-256", signature).body(body).send().await.unwrap()
    }

    async fn vapi(&self, body: &Value) -> Response {
        let body = body.to_string();
        let now = cascade::clock::wall_at().millis().to_string();
        let signature = hex256(VAPI, format!("{now}.{body}").as_bytes());
        let post = self.http.post(format!("{}/hooks/vapi", self.url));
        post.header("x-signature", signature).header("x-timestamp", now).body(body).send().await.unwrap()
    }

    async fn twilio(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let mut sorted = form.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let url = format!("{}{path}", self.url);
        let mut mac = Hmac::<Sha1>::new_from_slice(TWILIO.as_bytes()).unwrap();
        mac.update(url.as_bytes());
        for (name, value) in sorted {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        self.http.post(url).header("X-Twilio-Signature", signature).form(form).send().await.unwrap()
    }
}

fn messages(value: Value) -> Vec<u8> {
    let change = json!({ "field": "messages", "value": value });
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "WABA", "changes": [change] }] })
        .to_string()
        .into_bytes()
}

#[tokio::test]
async fn meta_proves_our_address() {
    let ear = ear().await;
    let ask = async |token: &str, mode: &str| {
        let query = [("hub.mode", mode), ("hub.challenge", "1158201444"), ("hub.verify_token", token)];
        let answer = ear.http.get(format!("{}/hooks/whatsapp", ear.url)).query(&query).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    assert_eq!(ask(VERIFY, "subscribe").await, (StatusCode::OK, "1158201444".to_owned()));
    assert_eq!(ask(OWN, "subscribe").await.0, StatusCode::OK, "we ask ourselves in the same way");
    assert_eq!(ask("guess", "subscribe").await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask("", "subscribe").await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(VERIFY, "unsubscribe").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_whatsapp_status_is_heard() {
    let ear = ear().await;
    let statuses: Vec<Value> = ["sent", "delivered", "read", "played"]
        .iter()
        .map(|status| {
            json!({ "id": "wamid.A", "status": status, "timestamp": "1767225600", "recipient_id": "15550001111",
                "biz_opaque_callback_data": "att_k_1", "pricing": { "billable": true }, "new_field": [1] })
        })
        .chain([json!({ "id": "wamid.A", "status": "failed", "timestamp": "1767225601",
            "errors": [{ "code": 131_026, "title": "Undeliverable", "error_data": { "details": "old app" } }] })])
        .collect();
    assert_eq!(ear.whatsapp(messages(json!({ "statuses": statuses }))).await.status(), StatusCode::OK);
    let heard = ear.taken();
    let keys: Vec<&str> = heard.iter().map(|h| h.dedup.as_str()).collect();
    assert_eq!(
        keys,
        ["wamid.A:sent", "wamid.A:delivered", "wamid.A:read", "wamid.A:played", "wamid.A:failed"]
    );
    assert_eq!(heard[0].what, Fact::Sent);
    assert_eq!(heard[1].what, Fact::Delivered);
    assert_eq!(heard[2].what, Fact::Read);
    assert_eq!(heard[0].attempt_key.as_deref(), Some("att_k_1"));
    assert_eq!(heard[0].provider_id.as_deref(), Some("wamid.A"));
    assert_eq!(heard[0].person.as_ref().unwrap().as_str(), "+15550001111");
    assert_eq!(heard[0].happened_at, Some(At::from_secs(1_767_225_600)));
    let Fact::Failed(failure) = &heard[4].what else { panic!("{:?}", heard[4]) };
    assert_eq!((failure.class, failure.code.as_str()), (Class::Recipient, "131026"));
    assert_eq!(failure.detail.raw(), "Undeliverable: old app");
}

#[tokio::test]
async fn every_whatsapp_message_is_heard() {
    let ear = ear().await;
    let from = |id: &str, kind: &str, rest: Value| {
        let mut message = json!({ "from": "15550001111", "id": id, "timestamp": "1767225700", "type": kind });
        message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        message
    };
    let context = json!({ "from": "15550009999", "id": "wamid.A" });
    let list = json!([
        from("wamid.1", "text", json!({ "text": { "body": "yes \u{1f600}" }, "context": context })),
        from("wamid.2", "button", json!({ "button": { "payload": "positive:att_k_7", "text": "Confirm" } })),
        from("wamid.3", "interactive", json!({ "interactive": { "type": "button_reply",
            "button_reply": { "id": "stop", "title": "Stop" } } })),
        from("wamid.4", "image", json!({ "image": { "caption": "my car" } })),
        from("wamid.5", "audio", json!({ "audio": {} })),
        from("wamid.6", "reaction", json!({ "reaction": { "message_id": "wamid.A", "emoji": "👍" } })),
        from("wamid.7", "system", json!({ "system": { "type": "user_changed_number", "wa_id": "15550002222" } })),
        // Somebody with a username: no number at all.
        { "from_user_id": "US.134", "id": "wamid.8", "timestamp": "1767225700", "type": "text", "text": { "body": "hi" } },
    ]);
    // As Meta signs it: non-ASCII escaped.
    let mut escaped = String::new();
    for unit in String::from_utf8(messages(json!({ "messages": list }))).unwrap().encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => escaped.push(char::from(byte)),
            _ => write!(escaped, "\\u{unit:04x}").unwrap(),
        }
    }
    assert!(escaped.is_ascii() && escaped.contains("\\ud83d\\ude00"));
    assert_eq!(ear.whatsapp(escaped).await.status(), StatusCode::OK);
    let heard = ear.taken();
    assert_eq!(heard.len(), 8);
    let said = |i: usize| match &heard[i].what {
        Fact::Inbound { text, payload, .. } => (text.raw().to_owned(), payload.clone()),
        other => panic!("{i}: {other:?}"),
    };
    assert_eq!(said(0), ("yes \u{1f600}".to_owned(), None));
    assert_eq!(heard[0].provider_id.as_deref(), Some("wamid.A"));
    assert_eq!(said(1), ("Confirm".to_owned(), Some("positive:att_k_7".to_owned())));
    assert_eq!(heard[1].attempt_key.as_deref(), Some("att_k_7"));
    assert_eq!(said(2), ("Stop".to_owned(), Some("stop".to_owned())));
    assert_eq!(said(3).0, "my car");
    assert_eq!(said(4).0, "[audio]");
    assert_eq!((said(5).0.as_str(), heard[5].provider_id.as_deref()), ("👍", Some("wamid.A")));
    assert!(
        matches!(&heard[6].what, Fact::System { what, .. } if what.raw().contains("changed their number") && !what.raw().contains("1555"))
    );
    assert_eq!((said(7).0.as_str(), &heard[7].person), ("hi", &None));
}

#[tokio::test]
async fn preferences_templates_and_account_errors_are_heard() {
    let ear = ear().await;
    let change = |field: &str, value: Value| json!({ "field": field, "value": value });
    let template = |event: &str| {
        change(
            "message_template_status_update",
            json!({ "event": event, "message_template_id": 1,
            "message_template_name": "renewal", "message_template_language": "de", "reason": "NONE" }),
        )
    };
    let stop = |value: &str, at: u64| {
        change(
            "user_preferences",
            json!({ "user_preferences": [{ "wa_id": "15550001111", "value": value,
            "category": "marketing_messages", "timestamp": at }] }),
        )
    };
    let body = json!({ "entry": [{ "id": "W", "time": 1_767_225_600, "changes": [
        stop("stop", 1), stop("resume", 2), template("PAUSED"), template("APPROVED"),
        change("messages", json!({ "errors": [{ "code": 131_031, "title": "locked" }] })),
        change("brand_new_field", json!({ "x": 1 })),
    ] }] });
    assert_eq!(ear.whatsapp(body.to_string()).await.status(), StatusCode::OK);
    let heard = ear.taken();
    assert_eq!(heard[0].what, Fact::Preference { stop: true });
    assert_eq!(heard[1].what, Fact::Preference { stop: false });
    assert_ne!(heard[0].dedup, heard[1].dedup);
    let shut = |i: usize| match &heard[i].what {
        Fact::System { shuts, .. } => shuts.as_ref().map(|(scope, f)| (scope.clone(), f.code.clone())),
        other => panic!("{i}: {other:?}"),
    };
    assert_eq!(shut(2), Some((Scope::Template("renewal/de".to_owned()), "132015".to_owned())));
    assert_eq!(shut(3), None);
    assert_eq!(shut(4), Some((Scope::Account, "131031".to_owned())));
    assert_eq!(shut(5), None);
    assert_eq!(heard.len(), 6);
}

#[tokio::test]
async fn calls_are_heard() {
    let ear = ear().await;
    let call = json!({ "id": "019a", "name": "att_k_3", "createdAt": "2026-01-01T00:00:00.000Z" });
    let status = |status: &str, reason: Option<&str>| {
        json!({ "message": { "type": "status-update", "status": status, "endedReason": reason,
            "timestamp": 1_767_225_600_000_u64, "call": call, "customer": { "number": "+15550001111" } } })
    };
    for body in [status("queued", None), status("ringing", None), status("in-progress", None)] {
        assert_eq!(ear.vapi(&body).await.status(), StatusCode::OK);
    }
    assert_eq!(ear.vapi(&status("ended", Some("customer-did-not-answer"))).await.status(), StatusCode::OK);
    let report = json!({ "message": { "type": "end-of-call-report", "endedReason": "silence-timed-out",
        "startedAt": "2026-01-01T00:00:00.000Z", "endedAt": "2026-01-01T00:01:48.000Z", "cost": 0.12,
        "analysis": { "structuredData": { "disposition": "positive" } },
        "artifact": { "messages": [{ "role": "bot", "message": "Hello" }, { "role": "user", "message": "yes" }] },
        "call": { "id": "019b", "assistant": { "metadata": { "attempt_id": "att_k_4" } } } } });
    assert_eq!(ear.vapi(&report).await.status(), StatusCode::OK);
    assert_eq!(ear.vapi(&json!({ "message": { "type": "speech-update" } })).await.status(), StatusCode::OK);
    let heard = ear.taken();
    assert_eq!(heard.len(), 5);
    assert_eq!(heard[1].what, Fact::CallProgressed(CallProgress::Ringing));
    assert_eq!(heard[1].dedup, "019a:status-update:ringing");
    assert_eq!(heard[1].attempt_key.as_deref(), Some("att_k_3"));
    assert_eq!(heard[1].happened_at, Some(At::from_secs(1_767_225_600)));
    assert_eq!(heard[1].person.as_ref().unwrap().as_str(), "+15550001111");
    let end = |i: usize| match &heard[i].what {
        Fact::CallEnded(end) => end.clone(),
        other => panic!("{i}: {other:?}"),
    };
    assert_eq!(end(3).result, CallResult::NoAnswer { machine: false });
    let talk = end(4);
    assert_eq!(talk.result, CallResult::Answered, "they spoke before they fell silent");
    assert_eq!((talk.talked_s, talk.said.unwrap().raw()), (Some(108), "yes"));
    assert_eq!(talk.cost.unwrap().to_string(), "0.12");
    assert_eq!(heard[4].attempt_key.as_deref(), Some("att_k_4"));
    let meaning = cascade::engine::meaning::read_call(Some("yes"), talk.structured.as_ref());
    assert_eq!(meaning, cascade::engine::meaning::Meaning::Answer(Disposition::Positive));
}

#[tokio::test]
async fn text_messages_are_heard() {
    let ear = ear().await;
    let status = |status: &'static str| {
        vec![
            ("MessageSid", "SM1"),
            ("MessageStatus", status),
            ("To", "+15550001111"),
            ("From", "+15550002222"),
            ("Twice", "b"),
            ("Twice", "a"),
            ("Twice", "b"),
            ("Empty", ""),
            ("Accented", "é &=+"),
        ]
    };
    let path = "/hooks/twilio/status?a=att_k_9";
    for word in ["sent", "delivered"] {
        let answer = ear.twilio(path, &status(word)).await;
        assert_eq!((answer.status(), answer.text().await.unwrap()), (StatusCode::OK, String::new()));
    }
    let mut failed = status("undelivered");
    failed.push(("ErrorCode", "30006"));
    assert_eq!(ear.twilio(path, &failed).await.status(), StatusCode::OK);
    let inbound = [("MessageSid", "SM2"), ("From", "+15550001111"), ("Body", "Stop"), ("OptOutType", "STOP")];
    let answer = ear.twilio("/hooks/twilio/inbound", &inbound).await;
    assert_eq!(answer.headers()["content-type"], "text/xml");
    assert_eq!(answer.text().await.unwrap(), "<Response/>");
    let heard = ear.taken();
    assert_eq!(heard[0].what, Fact::Sent);
    assert_eq!(heard[1].what, Fact::Delivered);
    assert_eq!(heard[1].dedup, "SM1:delivered");
    assert_eq!(heard[1].attempt_key.as_deref(), Some("att_k_9"));
    let Fact::Failed(failure) = &heard[2].what else { panic!("{:?}", heard[2]) };
    assert_eq!((failure.class, failure.code.as_str()), (Class::Recipient, "30006"));
    let Fact::Inbound { text, provider_optout, .. } = &heard[3].what else { panic!("{:?}", heard[3]) };
    assert_eq!((text.raw(), *provider_optout), ("Stop", Some(true)));
    assert_eq!(heard[3].dedup, "SM2:received");
}

#[tokio::test]
async fn nothing_is_believed_without_its_signature() {
    let ear = ear().await;
    let body = messages(json!({ "messages": [] }));
    let post = |path: &str| ear.http.post(format!("{}{path}", ear.url)).body(body.clone());
    for path in ["/hooks/whatsapp", "/hooks/vapi", "/hooks/twilio/status", "/hooks/twilio/inbound"] {
        let missing = post(path).send().await.unwrap().status();
        assert_eq!(missing, StatusCode::UNAUTHORIZED, "{path}");
    }
    // The head alone is enough to be turned away: nobody waits for a body that proves nothing.
    let mut half = TcpStream::connect(ear.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /hooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n";
    half.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    half.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 401");
    let good = format!("sha256={}", hex256(APP, &body));
    let wrong = format!("sha256={}", hex256("guess", &body));
    let signed = |value: &str| post("/hooks/whatsapp").header("X-Hub-Signature-256", value.to_owned());
    assert_eq!(signed(&wrong).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let doubled = signed(&good).header("X-Hub-Signature-256", good.clone());
    assert_eq!(doubled.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let other_body = signed(&good).body("{}").send().await.unwrap().status();
    assert_eq!(other_body, StatusCode::FORBIDDEN);
    for (name, value) in
        [("x-vapi-secret", "guess"), ("authorization", "Bearer guess"), ("x-signature", "00")]
    {
        let answer = post("/hooks/vapi").header(name, value).header("x-timestamp", "1").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}");
    }
    let forged = post("/hooks/twilio/inbound").header("X-Twilio-Signature", "AAAA").send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    assert_eq!((ear.takes(), ear.taken()), (0, Vec::new()), "nothing of this was taken in");
    let told = std::mem::take(&mut *ear.inbox.disbelieved.lock().unwrap());
    let of = |name: &str| told.iter().filter(|told| **told == name).count();
    assert_eq!((told.len(), of("whatsapp"), of("vapi"), of("twilio")), (12, 5, 4, 3), "each is told");
    ear.whatsapp(body).await;
    assert!(ear.inbox.disbelieved.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_stale_call_signature_is_refused() {
    let ear = ear().await;
    let old = (cascade::clock::wall_at().millis() / 1000 - 301).to_string();
    let signature = hex256(VAPI, format!("{old}.{{}}").as_bytes());
    let post = ear.http.post(format!("{}/hooks/vapi", ear.url)).header("x-signature", signature);
    let answer = post.header("x-timestamp", old).body("{}").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_secret_in_a_header_is_believed() {
    let ear = ear().await;
    for (name, value) in [("x-vapi-secret", VAPI.to_owned()), ("authorization", format!("Bearer {VAPI}"))] {
        let answer =
            ear.http.post(format!("{}/hooks/vapi", ear.url)).header(name, value).body("{}").send().await;
        assert_eq!(answer.unwrap().status(), StatusCode::OK, "{name}");
    }
}

#[tokio::test]
async fn a_signed_body_that_cannot_be_read_is_kept_as_a_fact() {
    let ear = ear().await;
    for body in [&b"not json"[..], b"", b"\xff\xfe{", b"{\"entry\":"] {
        assert_eq!(ear.whatsapp(body).await.status(), StatusCode::OK);
        let heard = ear.taken();
        assert!(matches!(heard[..], [Heard { what: Fact::System { .. }, .. }]), "{body:?}: {heard:?}");
        assert!(heard[0].dedup.starts_with("unreadable:"));
    }
    for (body, facts) in [
        ("[]", 1),
        ("{}", 1),
        ("null", 1),
        ("7", 1),
        (r#"{"entry":7}"#, 1),
        (r#"{"entry":[{"changes":{}}]}"#, 1),
        (r#"{"entry":[{"changes":[{"value":{"statuses":[null,7,{}]}}]}]}"#, 3),
        (r#"{"entry":[{"changes":[{"field":"messages","value":{"statuses":"all"}}]}]}"#, 1),
        (
            r#"{"entry":[{"changes":[{"field":"user_preferences","value":{"user_preferences":[{"value":"perhaps"}]}}]}]}"#,
            1,
        ),
        (r#"{"entry":[]}"#, 0),
    ] {
        assert_eq!(ear.whatsapp(body).await.status(), StatusCode::OK, "{body}");
        let heard = ear.taken();
        assert_eq!(heard.len(), facts, "{body}: {heard:?}");
        assert!(heard.iter().all(|h| matches!(h.what, Fact::System { .. }) && h.person.is_none()), "{body}");
    }
    assert_eq!(ear.vapi(&json!({ "odd": 1 })).await.status(), StatusCode::OK);
    assert!(matches!(ear.taken()[..], [Heard { what: Fact::System { .. }, .. }]));
    assert_eq!(ear.twilio("/hooks/twilio/status", &[("Odd", "1")]).await.status(), StatusCode::OK);
    assert!(matches!(ear.taken()[..], [Heard { what: Fact::System { .. }, .. }]));
}

#[tokio::test]
async fn words_without_an_id_are_heard_all_the_same_and_once() {
    let ear = ear().await;
    let stop = messages(json!({ "messages": [{ "from": "15550001111", "type": "text",
        "text": { "body": "STOP" } }] }));
    ear.whatsapp(stop.clone()).await;
    ear.whatsapp(stop).await;
    let heard = ear.taken();
    let text = |h: &Heard| matches!(&h.what, Fact::Inbound { text, .. } if text.raw() == "STOP");
    assert!(heard.iter().all(|h| text(h) && h.person.is_some()), "{heard:?}");
    assert_eq!((heard.len(), heard[0].dedup == heard[1].dedup), (2, true));
    let report = json!({ "message": { "type": "end-of-call-report", "endedReason": "customer-ended-call",
        "customer": { "number": "+15550001111" }, "call": { "name": "att_k_7" },
        "artifact": { "transcript": "User: never call me again" } } });
    ear.vapi(&report).await;
    let heard = ear.taken();
    assert_eq!((heard.len(), heard[0].attempt_key.as_deref()), (1, Some("att_k_7")));
    assert!(matches!(&heard[0].what, Fact::CallEnded(end) if end.said.is_some()), "{heard:?}");
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let ear = ear().await;
    assert_eq!(ear.whatsapp(vec![b' '; 3 * 1024 * 1024 + 1]).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let big = json!({ "message": "x".repeat(256 * 1024) });
    assert_eq!(ear.vapi(&big).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let words = "x".repeat(256 * 1024);
    assert_eq!(
        ear.twilio("/hooks/twilio/inbound", &[("Body", &words)]).await.status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
    // A batch of a thousand is not.
    let one = json!({ "id": "wamid.A", "status": "sent", "timestamp": "1767225600", "recipient_id": "15550001111" });
    let batch = messages(json!({ "statuses": vec![one; 1000] }));
    assert_eq!(ear.whatsapp(batch).await.status(), StatusCode::OK);
    assert_eq!(ear.taken().len(), 1000);
}

#[tokio::test]
async fn two_hundred_waits_for_the_store() {
    let ear = ear().await;
    *ear.inbox.known.lock().unwrap() = Some(links::new_code().unwrap());
    let code = ear.inbox.known.lock().unwrap().clone().unwrap();
    ear.inbox.broken.store(true, Ordering::SeqCst);
    let body = messages(json!({ "messages": [{ "from": "15550001111", "id": "wamid.1", "type": "text",
        "text": { "body": "STOP" } }] }));
    let form = [("MessageSid", "SM2"), ("From", "+15550001111"), ("Body", "Stop")];
    let call = json!({ "message": { "type": "status-update", "status": "queued", "call": { "id": "1" } } });
    assert_eq!(ear.whatsapp(body.clone()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ear.twilio("/hooks/twilio/inbound", &form).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ear.vapi(&call).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let click =
        ear.http.get(format!("{}/l/{code}", ear.url)).header("user-agent", BROWSER).send().await.unwrap();
    assert_eq!(click.status(), StatusCode::SERVICE_UNAVAILABLE);
    ear.inbox.broken.store(false, Ordering::SeqCst);
    // The provider sends it again, and twice: both are handed on, with one key.
    assert_eq!(ear.whatsapp(body.clone()).await.status(), StatusCode::OK);
    assert_eq!(ear.whatsapp(body).await.status(), StatusCode::OK);
    let heard = ear.taken();
    assert_eq!((heard.len(), &heard[0].dedup), (2, &heard[1].dedup));
}

#[tokio::test]
async fn nothing_else_is_served() {
    let ear = ear().await;
    for path in [
        "/",
        "/hooks",
        "/hooks/",
        "/hooks/other",
        "/l",
        "/l/",
        "/sandbox/ledger",
        "/hooks/twilio/voice",
        "/l/a/b",
    ] {
        let answer = ear.http.get(format!("{}{path}", ear.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let put = ear.http.put(format!("{}/hooks/vapi", ear.url)).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn links_lead_on_and_tell_people_from_machines() {
    let ear = ear().await;
    let code = links::new_code().unwrap();
    *ear.inbox.known.lock().unwrap() = Some(code.clone());
    let url = format!("{}/l/{code}", ear.url);
    let human = ear.http.get(&url).header("user-agent", BROWSER).send().await.unwrap();
    assert_eq!(human.status(), StatusCode::FOUND);
    assert_eq!(human.headers()["location"], "https://shop.example.test/renew?x=1");
    assert_eq!(human.headers()["cache-control"], "no-store");
    assert_eq!(human.headers()["referrer-policy"], "no-referrer");
    let head = ear.http.head(&url).header("user-agent", BROWSER).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::FOUND);
    let preview = ear.http.get(&url).header("user-agent", "WhatsApp/2.24").send().await.unwrap();
    assert_eq!(preview.status(), StatusCode::FOUND);
    let clicks = std::mem::take(&mut *ear.inbox.clicks.lock().unwrap());
    assert_eq!(clicks[0], (code.clone(), None));
    assert!(clicks[1].1.is_some() && clicks[2].1.is_some(), "{clicks:?}");
    let other = links::new_code().unwrap();
    let unknown =
        ear.http.get(format!("{}/l/{other}", ear.url)).header("user-agent", BROWSER).send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    ear.inbox.clicks.lock().unwrap().clear();
    let guess =
        ear.http.get(format!("{}/l/guess", ear.url)).header("user-agent", BROWSER).send().await.unwrap();
    assert_eq!(guess.status(), StatusCode::NOT_FOUND);
    assert!(ear.inbox.clicks.lock().unwrap().is_empty(), "what cannot be a code does not reach the store");
}

#[tokio::test]
async fn it_ends_when_told_and_answers_what_was_under_way() {
    let mut ear = ear().await;
    let address = ear.url.trim_start_matches("http://").to_owned();
    let mut half = TcpStream::connect(&address).await.unwrap();
    let body = messages(json!({}));
    let head = format!(
        "POST /hooks/whatsapp HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256={}\r\nContent-Length: {}\r\n\r\n",
        hex256(APP, &body),
        body.len()
    );
    half.write_all(head.as_bytes()).await.unwrap();
    half.write_all(&body[..3]).await.unwrap();
    // Another whole request proves that the first one's connection was accepted before it.
    assert_eq!(ear.whatsapp(body.clone()).await.status(), StatusCode::OK);
    ear.stop.take().unwrap().send(()).unwrap();
    half.write_all(&body[3..]).await.unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(ear.http);
    ear.served.await.unwrap();
}

mod never_panics {
    use proptest::prelude::*;
    use serde_json::Value;

    fn any_json() -> impl Strategy<Value = Value> {
        let names = prop::sample::select(vec![
            "entry",
            "changes",
            "value",
            "field",
            "statuses",
            "messages",
            "id",
            "status",
            "errors",
            "code",
            "type",
            "text",
            "body",
            "button",
            "interactive",
            "message",
            "call",
            "endedReason",
            "artifact",
            "timestamp",
            "user_preferences",
            "wa_id",
            "from",
            "customer",
            "number",
            "cost",
            "startedAt",
        ]);
        let words = prop::sample::select(vec![
            "failed",
            "read",
            "text",
            "button",
            "status-update",
            "end-of-call-report",
            "ended",
            "stop",
            "messages",
            "user_preferences",
            "message_template_status_update",
            "voicemail",
            "131026",
            "+15550001111",
            "",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            words.prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(8, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((names.clone(), inner), 0..6)
                    .prop_map(|pairs| pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).collect::<Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_the_json(json in any_json()) {
            let change = serde_json::json!({ "entry": [{ "changes": [{ "value": json.clone() }, json.clone()] }] });
            cascade::providers::whatsapp::heard(&json);
            cascade::providers::whatsapp::heard(&change);
            cascade::providers::vapi::heard(&json);
            for kind in ["status-update", "end-of-call-report"] {
                let message = serde_json::json!({ "message": { "type": kind, "status": "ended", "call": { "id": "1", "x": json.clone() },
                    "artifact": json.clone(), "cost": json.clone(), "timestamp": json.clone(), "analysis": json.clone() } });
                cascade::providers::vapi::heard(&message);
            }
        }

        #[test]
        fn whatever_the_form(form in prop::collection::vec((".{0,12}", ".{0,12}"), 0..8), known in ".{0,12}") {
            let mut form = form;
            cascade::providers::twilio::heard_inbound(&form);
            form.push(("MessageSid".to_owned(), known.clone()));
            form.push(("MessageStatus".to_owned(), known.clone()));
            form.push(("From".to_owned(), known));
            cascade::providers::twilio::heard_inbound(&form);
            cascade::providers::twilio::heard_status(&form, None);
        }
    }
}
