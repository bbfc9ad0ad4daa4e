//! Canned servers, clients pointed at them, and one contact of each channel.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use cascade::config::{self, Pace};
use cascade::model::{AttemptId, Failure, Mode, Money, Phone};
use cascade::providers::http::{Http, Patience};
use cascade::providers::twilio::Twilio;
use cascade::providers::vapi::Vapi;
use cascade::providers::whatsapp::Whatsapp;
use cascade::providers::{Answer, Call, Message, Outgoing, Provider, Template};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// What came over the wire.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

type Canned = (u16, Vec<(&'static str, String)>, String);

/// Answers in order with what it was given, and writes down what it was asked.
#[derive(Clone, Default)]
pub struct Server {
    pub url: String,
    pub answers: Arc<Mutex<VecDeque<Canned>>>,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

pub async fn canned(answers: Vec<(u16, Value)>) -> Server {
    let answers = answers.into_iter().map(|(status, body)| (status, Vec::new(), body.to_string()));
    raw(answers.collect()).await
}

pub async fn raw(answers: Vec<Canned>) -> Server {
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

pub fn http() -> Arc<Http> {
    http_with(Duration::from_secs(20))
}

/// A client that waits so long for an answer, and half as long for a connection.
pub fn http_with(total: Duration) -> Arc<Http> {
    let patience = Patience { connect: total / 2, total };
    Arc::new(Http::new(Mode::Rehearsal, patience))
}

/// Each client with its contact, pointed at `url`.
pub fn each(url: &str, http: &Arc<Http>) -> Vec<(Box<dyn Provider>, Outgoing)> {
    let by = || Arc::clone(http);
    vec![
        (Box::new(whatsapp_by(url, by())), template()),
        (Box::new(vapi_by(url, by())), call()),
        (Box::new(twilio_by(url, None, by())), text()),
    ]
}

pub fn pace() -> Pace {
    Pace { cost: Money::ZERO, cost_per_minute: Money::ZERO, per_second: 1.0, concurrent: 1 }
}

pub fn whatsapp(url: &str) -> Whatsapp {
    whatsapp_by(url, http())
}

pub fn whatsapp_by(url: &str, http: Arc<Http>) -> Whatsapp {
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

pub fn vapi(url: &str) -> Vapi {
    vapi_by(url, http())
}

pub fn vapi_by(url: &str, http: Arc<Http>) -> Vapi {
    let config = config::Vapi {
        base_url: url.to_owned(),
        phone_number_id: "pn-1".to_owned(),
        api_key: "key".into(),
        webhook_secret: "secret".into(),
        webhook_credential_id: "cred_1".to_owned(),
        pace: pace(),
    };
    Vapi::new(config, http, "https://hooks.example.test/")
}

pub fn twilio(url: &str, service: Option<&str>) -> Twilio {
    twilio_by(url, service, http())
}

pub fn twilio_by(url: &str, service: Option<&str>, http: Arc<Http>) -> Twilio {
    let config = config::Twilio {
        base_url: url.to_owned(),
        account_sid: "AC1".to_owned(),
        auth_token: "token".into(),
        from: if service.is_some() { String::new() } else { "+15550002222".to_owned() },
        messaging_service_sid: service.map(str::to_owned),
        pace: pace(),
    };
    Twilio::new(config, http, "https://hooks.example.test")
}

pub fn out(message: Message) -> Outgoing {
    Outgoing {
        attempt: AttemptId(7),
        key: "att_k_7".to_owned(),
        to: Phone::parse_e164("+15550001111").unwrap(),
        name: "Ana {{secret}} Silva, Duchess of a Very Long Name Indeed".into(),
        country: Some("GB".to_owned()),
        message,
    }
}

pub fn template() -> Outgoing {
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

pub fn call() -> Outgoing {
    out(Message::Call(Call {
        first_message: "Hello {{name}}".to_owned(),
        prompt: "You confirm.".to_owned(),
        voice: Some("11labs:sarah".to_owned()),
        voicemail: None,
        max_duration_s: 300,
    }))
}

pub fn text() -> Outgoing {
    out(Message::Text { body: "Hi Pat https://x.test/l/abc".to_owned(), validity_s: 90_000 })
}

pub fn accepted(answer: Answer) -> String {
    match answer {
        Answer::Accepted { provider_id, .. } => provider_id,
        other @ Answer::Failed { .. } => panic!("{other:?}"),
    }
}

pub fn refused(answer: Answer) -> (Failure, bool) {
    match answer {
        Answer::Failed { failure, reached } => (*failure, reached),
        other @ Answer::Accepted { .. } => panic!("{other:?}"),
    }
}

/// When a doubtful send was claimed.
pub const SINCE: &str = "2026-01-05T09:00:00Z";
