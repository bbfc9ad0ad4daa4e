//! The wire clients against small servers of the test's own: canned answers, refusals, silence and broken
//! connections.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use cascade::config::{self, Pace};
use cascade::engine::event::CallProgress;
use cascade::model::{At, AttemptId, Class, Failure, Mode, Money, Phone, Scope, Sent};
use cascade::providers::http::{Http, Patience};
use cascade::providers::twilio::Twilio;
use cascade::providers::vapi::Vapi;
use cascade::providers::whatsapp::{Button, TemplateSpec, Whatsapp};
use cascade::providers::{
    Answer, Call, CallResult, Fact, Lookup, Message, Outgoing, Provider, Recall, Template,
};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

/// What came over the wire.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: String,
}

impl Asked {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

type Canned = (u16, Vec<(&'static str, String)>, String);

/// Answers in order with what it was given, and writes down what it was asked.
#[derive(Clone, Default)]
struct Server {
    url: String,
    answers: Arc<Mutex<VecDeque<Canned>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

async fn canned(answers: Vec<(u16, Value)>) -> Server {
    let answers = answers.into_iter().map(|(status, body)| (status, Vec::new(), body.to_string()));
    raw(answers.collect()).await
}

async fn raw(answers: Vec<Canned>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server {
        url: format!("http://{}", listener.local_addr().unwrap()),
        answers: Arc::new(Mutex::new(answers.into())),
        asked: Arc::default(),
    };
    let router = Router::new().fallback(answer).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    server
}

async fn answer(
    State(server): State<Server>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let body = String::from_utf8(body.to_vec()).unwrap();
    server.asked.lock().unwrap().push(Asked { method, uri: uri.to_string(), headers, body });
    let next = server.answers.lock().unwrap().pop_front().expect("the test foresaw no further request");
    let headers = next.1.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
    (StatusCode::from_u16(next.0).unwrap(), headers, next.2)
}

impl Server {
    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn http() -> Arc<Http> {
    let patience = Patience { connect: Duration::from_secs(5), total: Duration::from_secs(20) };
    Arc::new(Http::new(Mode::Rehearsal, patience))
}

fn pace() -> Pace {
    Pace { cost: Money::ZERO, cost_per_minute: Money::ZERO, per_second: 1.0, concurrent: 1 }
}

fn whatsapp(url: &str) -> Whatsapp {
    whatsapp_by(url, http())
}

fn whatsapp_by(url: &str, http: Arc<Http>) -> Whatsapp {
    let config = config::Whatsapp {
        base_url: url.to_owned(),
        api_version: "v23.0".to_owned(),
        phone_number_id: "1064".to_owned(),
        business_account_id: "WABA".to_owned(),
        access_token: "token".into(),
        app_secret: "secret".into(),
        verify_token: "verify".into(),
        pace: pace(),
    };
    Whatsapp::new(config, http)
}

fn vapi(url: &str) -> Vapi {
    let config = config::Vapi {
        base_url: url.to_owned(),
        phone_number_id: "pn-1".to_owned(),
        api_key: "key".into(),
        webhook_secret: "secret".into(),
        webhook_credential_id: "cred_1".to_owned(),
        pace: pace(),
    };
    Vapi::new(config, http(), "https://hooks.example.test/")
}

fn twilio(url: &str, service: Option<&str>) -> Twilio {
    let config = config::Twilio {
        base_url: url.to_owned(),
        account_sid: "AC1".to_owned(),
        auth_token: "token".into(),
        from: if service.is_some() { String::new() } else { "+15550002222".to_owned() },
        messaging_service_sid: service.map(str::to_owned),
        pace: pace(),
    };
    Twilio::new(config, http(), "https://hooks.example.test")
}

fn out(message: Message) -> Outgoing {
    Outgoing {
        attempt: AttemptId(7),
        key: "att_k_7".to_owned(),
        to: Phone::parse_e164("+15550001111").unwrap(),
        name: "Ana {{secret}} Silva, Duchess of a Very Long Name Indeed".into(),
        country: Some("GB".to_owned()),
        message,
    }
}

fn template() -> Outgoing {
    out(Message::Template(Template {
        name: "renewal".to_owned(),
        language: "de".to_owned(),
        header_media: None,
        header_text: vec!["North clinic".to_owned()],
        body: vec!["Pat".to_owned(), "12 March".to_owned()],
        quick_replies: vec![(0, "positive:att_k_7".to_owned())],
        urls: vec![(1, "code".to_owned())],
    }))
}

fn call() -> Outgoing {
    out(Message::Call(Call {
        first_message: "Hello {{name}}".to_owned(),
        prompt: "You confirm.".to_owned(),
        voice: Some("11labs:sarah".to_owned()),
        voicemail: None,
        max_duration_s: 300,
    }))
}

fn text() -> Outgoing {
    out(Message::Text { body: "Hi Pat https://x.test/l/abc".to_owned(), validity_s: 90_000 })
}

fn accepted(answer: Answer) -> String {
    match answer {
        Answer::Accepted { provider_id, .. } => provider_id,
        other @ Answer::Failed { .. } => panic!("{other:?}"),
    }
}

fn refused(answer: Answer) -> (Failure, bool) {
    match answer {
        Answer::Failed { failure, reached } => (*failure, reached),
        other @ Answer::Accepted { .. } => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_template_goes_out_as_meta_documents_it() {
    let taken = json!({ "messages": [{ "id": "wamid.A", "message_status": "held_for_quality_assessment" }] });
    let server = canned(vec![(200, taken)]).await;
    assert_eq!(accepted(whatsapp(&server.url).send(&template()).await), "wamid.A");
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("POST", "/v23.0/1064/messages"));
    assert_eq!(asked.headers["authorization"], "Bearer token");
    assert_eq!(asked.headers["user-agent"], "cascade/0.1.0");
    assert_eq!(
        asked.json(),
        json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": "15550001111",
            "type": "template", "template": { "name": "renewal",
                "language": { "policy": "deterministic", "code": "de" }, "components": [
                { "type": "header", "parameters": [{ "type": "text", "text": "North clinic" }] },
                { "type": "body", "parameters": [{ "type": "text", "text": "Pat" }, { "type": "text", "text": "12 March" }] },
                { "type": "button", "sub_type": "quick_reply", "index": "0",
                  "parameters": [{ "type": "payload", "payload": "positive:att_k_7" }] },
                { "type": "button", "sub_type": "url", "index": "1", "parameters": [{ "type": "text", "text": "code" }] }] },
            "biz_opaque_callback_data": "att_k_7" })
    );
}

#[tokio::test]
async fn meta_refusals_go_by_code_not_by_status() {
    let error = |code: u32, details: &str| json!({ "error": { "message": "words", "code": code, "error_data": { "details": details } } });
    for (status, code, details, class, scope, sent) in [
        (400, 132_015, "", Class::Config, Scope::Template("renewal/de".to_owned()), Sent::No),
        (500, 10, "", Class::Config, Scope::Account, Sent::No),
        (503, 130_429, "", Class::Throttle, Scope::Sender, Sent::No),
        (400, 131_050, "", Class::Suppress, Scope::Person, Sent::No),
        (400, 131_009, "Parameter value: recipient phone number", Class::Recipient, Scope::Person, Sent::No),
        (400, 131_009, "Parameter 2 of the body", Class::Config, Scope::Account, Sent::No),
        (503, 131_016, "", Class::InDoubt, Scope::Account, Sent::Maybe),
        (400, 987_654, "", Class::Config, Scope::Account, Sent::No),
        (502, 987_654, "", Class::InDoubt, Scope::Account, Sent::Maybe),
    ] {
        let server = canned(vec![(status, error(code, details))]).await;
        let (failure, reached) = refused(whatsapp(&server.url).send(&template()).await);
        let told = (failure.class, &failure.scope, failure.sent, failure.code.as_str());
        assert_eq!(told, (class, &scope, sent, code.to_string().as_str()), "{status} {code}");
        assert!(reached && failure.detail.raw().contains("words"));
        assert_eq!(server.asked().len(), 1, "sent once");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_in_doubt() {
    for body in ["", "<html>", "{}", r#"{"messages":[]}"#, r#"{"messages":[{"id":7}]}"#] {
        let server = raw(vec![(200, Vec::new(), body.to_owned())]).await;
        let (failure, reached) = refused(whatsapp(&server.url).send(&template()).await);
        assert_eq!((failure.class, failure.sent), (Class::InDoubt, Sent::Maybe), "{body}");
        assert_eq!((failure.code.as_str(), reached), ("unreadable", true));
    }
    let server = raw(vec![(200, Vec::new(), "ok".to_owned())]).await;
    assert_eq!(refused(vapi(&server.url).send(&call()).await).0.class, Class::InDoubt);
    let server = raw(vec![(201, Vec::new(), "ok".to_owned())]).await;
    assert_eq!(refused(twilio(&server.url, None).send(&text()).await).0.class, Class::InDoubt);
}

#[tokio::test]
async fn retry_after_is_kept_as_seconds_or_date() {
    let date = |seconds: &str| format!("Thu, 24 Aug 2023 05:01:{seconds} GMT");
    for (headers, wait) in [
        (vec![("retry-after", "7".to_owned())], Some(7)),
        (vec![("retry-after", date("45")), ("date", date("15"))], Some(30)),
        (vec![("retry-after", "soon".to_owned())], None),
        (vec![], None),
    ] {
        let server = raw(vec![(429, headers, r#"{"code":20429,"message":"Too many"}"#.to_owned())]).await;
        let (failure, reached) = refused(twilio(&server.url, None).send(&text()).await);
        assert_eq!((failure.class, failure.sent, reached), (Class::Throttle, Sent::No, true));
        assert_eq!(failure.retry_after_s, wait);
    }
}

#[tokio::test]
async fn a_connection_that_was_never_made_is_certainly_not_sent() {
    // Bound and never listening: nobody else can take the port, and every connection is refused.
    let deaf = TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", deaf.local_addr().unwrap());
    for answer in [
        whatsapp(&url).send(&template()).await,
        vapi(&url).send(&call()).await,
        twilio(&url, None).send(&text()).await,
    ] {
        let (failure, reached) = refused(answer);
        assert_eq!((failure.class, failure.sent, reached), (Class::Outage, Sent::No, false));
    }
}

#[tokio::test]
async fn a_rehearsal_never_leaves_this_machine() {
    for url in ["https://graph.facebook.com", "http://192.0.2.1:9", "http://example.test"] {
        let (failure, reached) = refused(whatsapp(url).send(&template()).await);
        assert_eq!((failure.code.as_str(), failure.class), ("refused_address", Class::Config), "{url}");
        assert_eq!((failure.sent, reached), (Sent::No, false));
    }
}

/// A server that reads the request and then does `after` with the connection.
async fn rude(after: &'static [u8], then_hang: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await;
            let _ = socket.write_all(after).await;
            if then_hang {
                open.push(socket);
            }
        }
    });
    url
}

#[tokio::test]
async fn an_answer_that_is_lost_is_in_doubt() {
    // Closed without a word, closed in the middle of the head, closed in the middle of the body.
    let cut: &[&[u8]] =
        &[b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"messages\":[{\"id\":\"wam"];
    for after in cut {
        let (failure, reached) = refused(whatsapp(&rude(after, false).await).send(&template()).await);
        assert_eq!((failure.class, failure.sent), (Class::InDoubt, Sent::Maybe), "{after:?}");
        assert!(reached);
    }
    let short = Patience { connect: Duration::from_secs(5), total: Duration::from_millis(200) };
    let impatient = Arc::new(Http::new(Mode::Rehearsal, short));
    let silent = whatsapp_by(&rude(b"", true).await, impatient);
    let (failure, reached) = refused(silent.send(&template()).await);
    assert_eq!((failure.code.as_str(), failure.class, reached), ("timeout", Class::InDoubt, true));
}

#[tokio::test]
async fn faults_and_redirects() {
    for status in [500, 502, 503, 504] {
        let server = raw(vec![(status, Vec::new(), "Bad gateway".to_owned())]).await;
        let (failure, _) = refused(vapi(&server.url).send(&call()).await);
        assert_eq!((failure.class, failure.sent), (Class::InDoubt, Sent::Maybe), "{status}");
        assert_eq!(
            (failure.code.as_str(), failure.detail.raw()),
            (status.to_string().as_str(), "Bad gateway")
        );
    }
    let server = raw(vec![(307, vec![("location", "http://127.0.0.1:1/".to_owned())], String::new())]).await;
    let (failure, _) = refused(vapi(&server.url).send(&call()).await);
    assert_eq!((failure.code.as_str(), failure.class, failure.sent), ("307", Class::Config, Sent::No));
    assert_eq!(server.asked().len(), 1, "not followed");
}

#[tokio::test]
async fn a_call_goes_out_as_vapi_documents_it() {
    let server =
        canned(vec![(201, json!({ "id": "019a", "monitor": { "controlUrl": "http://127.0.0.1:1/c" } }))])
            .await;
    let Answer::Accepted { provider_id, control, .. } = vapi(&server.url).send(&call()).await else {
        panic!("refused")
    };
    assert_eq!((provider_id.as_str(), control.as_deref()), ("019a", Some("http://127.0.0.1:1/c")));
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("POST", "/call"));
    assert_eq!(asked.headers["authorization"], "Bearer key");
    let body = asked.json();
    assert_eq!(body["name"], "att_k_7");
    assert_eq!(body["phoneNumberId"], "pn-1");
    assert_eq!(body["customer"]["number"], "+15550001111");
    let name = body["customer"]["name"].as_str().unwrap();
    assert!(name.starts_with("Ana") && name.chars().count() <= 40, "{name}");
    let assistant = &body["assistant"];
    assert_eq!(assistant["metadata"]["attempt_id"], "att_k_7");
    assert_eq!(assistant["server"]["url"], "https://hooks.example.test/hooks/vapi");
    assert_eq!(assistant["server"]["credentialId"], "cred_1");
    assert_eq!(assistant["server"]["backoffPlan"]["maxRetries"], 5);
    assert_eq!(assistant["artifactPlan"]["recordingEnabled"], false);
    assert_eq!(assistant["maxDurationSeconds"], 300);
    assert_eq!(assistant["voice"], json!({ "provider": "11labs", "voiceId": "sarah" }));
    assert_eq!(assistant["voicemailMessage"], Value::Null);
    assert!(
        assistant["analysisPlan"]["structuredDataPlan"]["schema"]["properties"]["disposition"].is_object()
    );
    assert!(!body["assistant"].to_string().contains("{{"), "no placeholder of theirs in a text of ours");
}

#[tokio::test]
async fn vapi_refusals() {
    for (status, words, class, scope) in [
        (429, json!("slow down"), Class::Throttle, Scope::Account),
        (400, json!("Over Concurrency Limit"), Class::Throttle, Scope::Account),
        (
            400,
            json!(["customer.number must be a valid phone number in the E.164 format"]),
            Class::Recipient,
            Scope::Person,
        ),
        (400, json!("assistant.voice is odd"), Class::Config, Scope::Account),
        (401, json!("Invalid Key"), Class::Config, Scope::Account),
        (402, json!("out of credits"), Class::Config, Scope::Account),
    ] {
        let server = canned(vec![(status, json!({ "message": words, "statusCode": status }))]).await;
        let (failure, reached) = refused(vapi(&server.url).send(&call()).await);
        assert_eq!(
            (failure.class, &failure.scope, failure.sent, reached),
            (class, &scope, Sent::No, true),
            "{words}"
        );
        assert_eq!(failure.code, status.to_string());
    }
}

const SINCE: &str = "2026-01-05T09:00:00Z";

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
        uri.starts_with("/call?createdAtGe=2026-01-05T08%3A59%3A55.000Z&phoneNumberId=pn-1&limit=100"),
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
        server.asked()[2].uri.ends_with("createdAtLt=2026-01-05T10%3A00%3A00.000Z"),
        "{}",
        server.asked()[2].uri
    );
}

#[tokio::test]
async fn a_call_is_hung_up_by_its_control_url() {
    let server = canned(vec![]).await;
    let say = |status: &str| {
        let control = format!("{}/control/1", server.url);
        (
            200,
            vec![],
            json!({ "id": "019a", "status": status, "monitor": { "controlUrl": control } }).to_string(),
        )
    };
    let ok = (200, vec![], "{}".to_owned());
    server.answers.lock().unwrap().extend([say("ringing"), ok.clone(), say("in-progress"), ok, say("ended")]);
    let client = vapi(&server.url);
    assert_eq!(client.recall("019a", None).await, Recall::Done);
    assert_eq!(client.recall("019a", None).await, Recall::TooLate, "they had picked up");
    assert_eq!(client.recall("019a", None).await, Recall::TooLate);
    let asked = server.asked();
    assert_eq!((asked[1].uri.as_str(), asked[1].json()), ("/control/1", json!({ "type": "end-call" })));
    assert!(!asked[1].headers.contains_key("authorization"), "the key goes to Vapi alone");
    assert_eq!(asked.len(), 5);
}

#[tokio::test]
async fn a_calls_status_is_told_as_its_webhook_would() {
    let server = canned(vec![
        (200, json!({ "id": "019a", "status": "ringing", "name": "att_k_7" })),
        (
            200,
            json!({ "id": "019a", "status": "ended", "endedReason": "customer-ended-call", "cost": 0.2,
            "analysis": { "structuredData": { "disposition": "negative" } },
            "artifact": { "transcript": "AI: Hello\nUser: no thanks" } }),
        ),
        (404, json!({ "message": "Not Found" })),
    ])
    .await;
    let client = vapi(&server.url);
    let Lookup::Found { heard, .. } = client.status("019a").await else { panic!() };
    assert_eq!(heard[0].what, Fact::CallProgressed(CallProgress::Ringing));
    let Lookup::Found { heard, .. } = client.status("019a").await else { panic!() };
    assert_eq!(heard[0].dedup, "019a:end-of-call-report:");
    let Fact::CallEnded(end) = &heard[0].what else { panic!("{heard:?}") };
    assert_eq!((&end.result, end.said.as_ref().unwrap().raw()), (&CallResult::Answered, "no thanks"));
    assert_eq!(client.status("019a").await, Lookup::NotSeen);
}

#[tokio::test]
async fn a_text_goes_out_as_twilio_documents_it() {
    let taken = json!({ "sid": "SM1", "num_segments": "2", "status": "queued" });
    let server = canned(vec![(201, taken.clone()), (201, taken)]).await;
    let answer = twilio(&server.url, None).send(&text()).await;
    assert_eq!(answer, Answer::Accepted { provider_id: "SM1".to_owned(), segments: Some(2), control: None });
    assert_eq!(accepted(twilio(&server.url, Some("MG1")).send(&text()).await), "SM1");
    let asked = server.asked();
    assert_eq!(
        (asked[0].method.as_str(), asked[0].uri.as_str()),
        ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    );
    assert_eq!(asked[0].headers["authorization"], "Basic QUMxOnRva2Vu");
    let form = |i: usize| -> Vec<(String, String)> { asked[i].form() };
    let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
    let expected = vec![
        pair("To", "+15550001111"),
        pair("From", "+15550002222"),
        pair("Body", "Hi Pat https://x.test/l/abc"),
        pair("StatusCallback", "https://hooks.example.test/hooks/twilio/status?a=att_k_7"),
        pair("ValidityPeriod", "36000"),
    ];
    assert_eq!(form(0), expected);
    assert_eq!(form(1)[1], pair("MessagingServiceSid", "MG1"));
}

#[tokio::test]
async fn twilio_refusals() {
    for (status, code, class, scope, sent) in [
        (400, Some(21_610), Class::Suppress, Scope::Person, Sent::No),
        (400, Some(21_408), Class::Config, Scope::Country("GB".to_owned()), Sent::No),
        (500, Some(20_500), Class::InDoubt, Scope::Account, Sent::Maybe),
        (401, None, Class::Config, Scope::Account, Sent::No),
        (503, None, Class::InDoubt, Scope::Account, Sent::Maybe),
    ] {
        let server =
            canned(vec![(status, json!({ "code": code, "message": "words", "status": status }))]).await;
        let (failure, reached) = refused(twilio(&server.url, None).send(&text()).await);
        assert_eq!(
            (failure.class, failure.scope, failure.sent, reached),
            (class, scope, sent, true),
            "{code:?}"
        );
        assert_eq!(failure.code, code.map_or(status.to_string(), |c: u32| c.to_string()));
    }
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
async fn a_text_is_called_back_while_it_is_queued() {
    let server = canned(vec![
        (200, json!({ "sid": "SM1", "status": "canceled" })),
        (400, json!({ "code": 30_409, "message": "Message is not cancelable" })),
    ])
    .await;
    let client = twilio(&server.url, None);
    assert_eq!(client.recall("SM1", None).await, Recall::Done);
    assert_eq!(client.recall("SM1", None).await, Recall::TooLate);
    let asked = &server.asked()[0];
    assert_eq!(
        (asked.uri.as_str(), asked.body.as_str()),
        ("/2010-04-01/Accounts/AC1/Messages/SM1.json", "Status=canceled")
    );
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
async fn missing_templates_are_created() {
    let page = |name: &str, next: bool| {
        let mut page = json!({ "data": [{ "name": name, "language": "de", "status": "APPROVED" }],
            "paging": { "cursors": { "after": "A1" } } });
        if next {
            page["paging"]["next"] = json!("https://graph.example.test/next");
        }
        (200, page)
    };
    let server = canned(vec![page("other", true), page("renewal", false), (200, json!({ "id": "1" }))]).await;
    let spec = |language: &str| TemplateSpec {
        name: "renewal".to_owned(),
        language: language.to_owned(),
        category: "utility".to_owned(),
        header: None,
        body: "Hi {{1}}".to_owned(),
        examples: vec!["Pat".to_owned()],
        buttons: vec![
            Button::QuickReply("Yes".to_owned()),
            Button::Url { text: "Open".to_owned(), url: "https://x.test/l/{{1}}".to_owned() },
        ],
    };
    let made = whatsapp(&server.url).ensure_templates(&[spec("de"), spec("en_US")]).await.unwrap();
    assert_eq!(made, 1);
    let asked = server.asked();
    assert!(asked[1].uri.contains("after=A1"), "{}", asked[1].uri);
    let body = asked[2].json();
    assert_eq!((&body["language"], &body["category"]), (&json!("en_US"), &json!("UTILITY")));
    assert_eq!(body["components"][0]["example"]["body_text"], json!([["Pat"]]));
    assert_eq!(body["components"][1]["buttons"][1]["example"], json!(["https://x.test/l/example"]));
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
