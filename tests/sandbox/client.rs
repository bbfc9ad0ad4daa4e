//! A client of the sandbox that shares nothing with ours: raw HTTP out, a listener for what comes in.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use cascade::clock::Clock;
use cascade::model::{At, Phone, Segment};
use cascade::sandbox::{Options, Sandbox, Scenario, start};
use hmac::{Hmac, Mac};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Monday 2026-01-05 09:00 in New York.
pub const MONDAY: &str = "2026-01-05T14:00:00.000Z";

/// One request that our listener got.
#[derive(Clone, Debug)]
pub struct Heard {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// What we answered.
    pub status: u16,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn form(&self) -> HashMap<String, String> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

type Answer = Arc<dyn Fn(&Heard) -> u16 + Send + Sync>;

/// Our ear: keeps every request and wakes whoever waits.
#[derive(Clone)]
pub struct Ear {
    pub url: String,
    heard: watch::Sender<Vec<Heard>>,
    answer: Arc<Mutex<Answer>>,
}

impl Ear {
    pub async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ear =
            Self { url, heard: watch::Sender::default(), answer: Arc::new(Mutex::new(Arc::new(|_| 200))) };
        let router = Router::new().fallback(listen).with_state(ear.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        ear
    }

    /// From now on we answer so.
    pub fn answers(&self, answer: impl Fn(&Heard) -> u16 + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }

    pub fn all(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    /// Waits until as many requests as wanted fit.
    pub async fn wait(&self, count: usize, fits: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        let mut heard = self.heard.subscribe();
        let heard = heard.wait_for(|all| all.iter().filter(|h| fits(h)).count() >= count).await.unwrap();
        heard.iter().filter(|h| fits(h)).cloned().collect()
    }
}

async fn listen(State(ear): State<Ear>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let mut heard = Heard { method: parts.method, path, headers: parts.headers, body, status: 200 };
    let answer = Arc::clone(&ear.answer.lock().unwrap());
    heard.status = answer(&heard);
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let challenge = query.get("hub.challenge").cloned().unwrap_or_default();
    let status = StatusCode::from_u16(heard.status).unwrap();
    ear.heard.send_modify(|all| all.push(heard));
    (status, challenge).into_response()
}

/// A sandbox and everything needed to talk to it.
pub struct World {
    pub sandbox: Sandbox,
    pub clock: Clock,
    pub ear: Ear,
    pub config: Value,
    pub http: reqwest::Client,
}

pub fn options(clock: &Clock, scenario: &str, memory: Option<PathBuf>) -> Options {
    Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        clock: clock.clone(),
        seed: 1,
        memory,
        customers: Vec::new(),
        scenario: (!scenario.is_empty()).then(|| Scenario::parse(scenario).unwrap()),
    }
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl World {
    /// Stands at [`MONDAY`] until the test moves it.
    pub async fn stepped(scenario: &str) -> Self {
        let clock = Clock::stepped(At::parse(MONDAY).unwrap());
        let options = options(&clock, scenario, None);
        Self::start(options, clock, Ear::new().await).await
    }

    pub async fn start(options: Options, clock: Clock, ear: Ear) -> Self {
        let sandbox = start(options).await.unwrap();
        let config = sandbox.config();
        Self { sandbox, clock, ear, config, http: client() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url())
    }

    pub fn text(&self, section: &str, key: &str) -> String {
        self.config[section][key].as_str().unwrap().to_owned()
    }

    pub fn advance_s(&self, seconds: i64) {
        self.clock.advance_to(At(self.clock.now().millis() + seconds * 1000));
    }

    /// The lines of `/sandbox/ledger` or `/sandbox/events`.
    pub async fn lines(&self, what: &str) -> Vec<Value> {
        let text =
            self.http.get(self.url(&format!("/sandbox/{what}"))).send().await.unwrap().text().await.unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asks until so many lines of the events fit.
    pub async fn until_events(&self, count: usize, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
        loop {
            let lines = self.lines("events").await;
            if lines.iter().filter(|line| fits(line)).count() >= count {
                return lines;
            }
            tokio::task::yield_now().await;
        }
    }

    pub async fn fault(&self, fault: Value) {
        let answer = self.http.post(self.url("/sandbox/faults")).json(&fault).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    }

    // WhatsApp

    pub async fn graph(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request =
            self.http.request(method, self.url(path)).bearer_auth(self.text("whatsapp", "access_token"));
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub fn whatsapp_path(&self, edge: &str) -> String {
        format!("/v23.0/{}/{edge}", self.text("whatsapp", "phone_number_id"))
    }

    pub fn account_path(&self, edge: &str) -> String {
        format!("/v23.0/{}/{edge}", self.text("whatsapp", "business_account_id"))
    }

    /// Our callback and a template with one variable, a yes, a stop and a link.
    pub async fn whatsapp_ready(&self) {
        self.template("en_US").await;
        let callback = serde_json::json!({"override_callback_uri": format!("{}/hooks/whatsapp", self.ear.url),
            "verify_token": "ours"});
        let (status, body) = self.graph(Method::POST, &self.account_path("subscribed_apps"), callback).await;
        assert_eq!((status, &body["success"]), (200, &Value::Bool(true)), "{body}");
    }

    pub async fn template(&self, language: &str) {
        let template = serde_json::json!({"name": "renewal", "language": language, "category": "MARKETING", "components": [
            {"type": "BODY", "text": "Hi {{1}}, shall we renew?", "example": {"body_text": [["Pat"]]}},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}, {"type": "QUICK_REPLY", "text": "Stop"},
                {"type": "URL", "text": "See", "url": format!("{}/l/{{{{1}}}}", self.ear.url)}]}]});
        let (status, body) =
            self.graph(Method::POST, &self.account_path("message_templates"), template).await;
        assert_eq!((status, &body["status"]), (200, &Value::from("APPROVED")), "{body}");
    }

    pub fn message(to: &str, attempt: &str, language: &str) -> Value {
        serde_json::json!({"messaging_product": "whatsapp", "recipient_type": "individual",
            "to": to.trim_start_matches('+'), "type": "template", "biz_opaque_callback_data": attempt,
            "template": {"name": "renewal", "language": {"policy": "deterministic", "code": language}, "components": [
                {"type": "body", "parameters": [{"type": "text", "text": "Pat"}]},
                {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "yes:1"}]},
                {"type": "button", "sub_type": "url", "index": "2", "parameters": [{"type": "text", "text": attempt}]}]}})
    }

    pub async fn send_whatsapp(&self, to: &str, attempt: &str) -> (u16, Value) {
        self.graph(Method::POST, &self.whatsapp_path("messages"), Self::message(to, attempt, "en_US")).await
    }

    // Vapi

    pub async fn vapi(&self, method: Method, path: &str, body: Value) -> reqwest::Response {
        let request = self.http.request(method, self.url(path)).bearer_auth(self.text("phone", "api_key"));
        request.json(&body).send().await.unwrap()
    }

    pub fn call(&self, to: &str, attempt: &str) -> Value {
        serde_json::json!({"name": attempt, "phoneNumberId": self.text("phone", "phone_number_id"),
            "customer": {"number": to, "name": "Pat"},
            "assistant": {"firstMessage": "Hello Pat.", "maxDurationSeconds": 300,
                "server": {"url": format!("{}/hooks/vapi", self.ear.url),
                    "credentialId": self.text("phone", "webhook_credential_id"),
                    "backoffPlan": {"type": "exponential", "maxRetries": 2, "baseDelaySeconds": 1}},
                "metadata": {"attempt_id": attempt}}})
    }

    // Twilio

    pub fn messages_path(&self) -> String {
        format!("/2010-04-01/Accounts/{}/Messages.json", self.text("sms", "account_sid"))
    }

    pub async fn twilio(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let (sid, token) = (self.text("sms", "account_sid"), self.text("sms", "auth_token"));
        let answer = request.basic_auth(sid, Some(token)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub fn callback(&self, attempt: &str) -> String {
        format!("{}/hooks/twilio/status?a={attempt}", self.ear.url)
    }

    pub async fn send_sms(&self, to: &str, attempt: &str, body: &str) -> (u16, Value) {
        let (from, callback) = (self.text("sms", "from"), self.callback(attempt));
        let form = [("To", to), ("From", &from), ("Body", body), ("StatusCallback", &callback)];
        self.twilio(self.http.post(self.url(&self.messages_path())).form(&form)).await
    }

    /// What is typed into Twilio's dashboard.
    pub async fn inbound_ready(&self) {
        let hooks = serde_json::json!({"twilio_inbound": format!("{}/hooks/twilio/inbound", self.ear.url)});
        let answer = self.http.put(self.url("/sandbox/webhooks")).json(&hooks).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

pub fn hmac256(key: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

pub fn twilio_signature(token: &str, url: &str, form: &HashMap<String, String>) -> String {
    use base64::Engine as _;
    let mut names: Vec<_> = form.iter().collect();
    names.sort();
    let text = names.into_iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

/// A list as the project's sample has it: three segments, three languages, one of them rare.
pub fn hundred() -> Vec<(Phone, Segment, Option<String>)> {
    let person = |i: usize| {
        let segment = ["enterprise", "smb", "retail"][i % 3];
        let language = if i % 20 == 7 {
            "de"
        } else if i.is_multiple_of(3) {
            "es"
        } else {
            "en_US"
        };
        let phone = Phone::parse_e164(&format!("+1415555{:04}", 1000 + i)).unwrap();
        (phone, Segment(segment.to_owned()), Some(language.to_owned()))
    };
    (0..100).map(person).collect()
}
