//! A live workspace whose providers are a `cascade sandbox` on this machine, as somebody would try live out.

use crate::house::{House, Sandbox};
use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};

/// Waits of seconds: live has no other speed.
const RULES: &str = r#"{ "start": "whatsapp", "conversion_window": "1s", "steps": [
    { "channel": "whatsapp", "wait": "2s", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "2s", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

const TEMPLATE: &str = r#"{ "name": "trial", "category": "UTILITY", "parameters": ["name|there"], "languages": {
    "en_US": { "body": "Hi {{1}}, shall we?", "buttons": [{ "type": "quick_reply", "text": "Yes", "means": "positive" }] } } }"#;

/// The keys of `cascade.toml`, the usual variables, and where the sandbox says what belongs into them.
const SECRETS: [(&str, &str, &str); 6] = [
    ("access_token_env", "WHATSAPP_TOKEN", "/whatsapp/access_token"),
    ("app_secret_env", "WHATSAPP_APP_SECRET", "/whatsapp/app_secret"),
    ("verify_token_env", "WHATSAPP_VERIFY_TOKEN", "/whatsapp/verify_token"),
    ("api_key_env", "VAPI_KEY", "/phone/api_key"),
    ("webhook_secret_env", "VAPI_WEBHOOK_SECRET", "/phone/webhook_secret"),
    ("auth_token_env", "TWILIO_AUTH_TOKEN", "/sms/auth_token"),
];

/// A sandbox, and a live workspace that points at it.
pub struct Trial {
    pub sandbox: Sandbox,
    pub house: House,
    /// The secrets that both know, Twilio's last.
    pub secrets: Vec<String>,
    /// Beside Twilio's.
    pub account_sid: String,
    /// Where a proxy would be asked.
    proxy: TcpListener,
    _desk: House,
}

impl Trial {
    /// Everything but trust.
    pub fn new(customers: usize) -> Self {
        let row = |n: usize| format!("Person {n},+1415555{},retail", 1000 + n);
        let rows: Vec<String> = (0..customers).map(row).collect();
        let list = format!("name,phone,segment\n{}\n", rows.join("\n"));
        let desk = House::with(&[("customers.csv", &list)]);
        let now = cascade::clock::wall_at().to_string();
        let sandbox = Sandbox::start(&desk, &["--scenario", "quick", "--speed", "1", "--start", &now]);
        let config = sandbox.lines("config").remove(0);
        let port = free_port();
        let mut house = House::with(&[
            ("customers.csv", &list),
            ("rules/cascade.json", RULES),
            ("rules/content/whatsapp.json", TEMPLATE),
            ("rules/content/voice.md", include_str!("../../rules/content/voice.md")),
            ("rules/content/sms.txt", "Hi {{name}}: {{link}}"),
            ("cascade.toml", &toml(&config, &sandbox.url, port)),
        ]);
        let text = |pointer: &str| config.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        for (_, variable, pointer) in SECRETS {
            house.set(variable, &text(pointer));
        }
        let secrets = SECRETS.iter().map(|(_, _, pointer)| text(pointer)).collect();
        // Written in the dashboards of the providers.
        let bearer = format!("Authorization: Bearer {}", text("/whatsapp/access_token"));
        let template = json!({ "name": "trial", "language": "en_US", "category": "UTILITY", "components": [
            { "type": "BODY", "text": "Hi {{1}}, shall we?" },
            { "type": "BUTTONS", "buttons": [{ "type": "QUICK_REPLY", "text": "Yes" }] } ] });
        let account = text("/whatsapp/business_account_id");
        let made = sandbox.ask(
            &format!("POST /v23.0/{account}/message_templates"),
            &[bearer],
            &template.to_string(),
        );
        assert_eq!(made.0, 200, "{}", made.1);
        let inbound = json!({ "twilio_inbound": format!("http://127.0.0.1:{port}/hooks/twilio/inbound") });
        assert_eq!(sandbox.ask("PUT /sandbox/webhooks", &[], &inbound.to_string()).0, 200);
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", proxy.local_addr().unwrap());
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            house.set(name, &address);
        }
        Self { sandbox, house, secrets, account_sid: text("/sms/account_sid"), proxy, _desk: desk }
    }

    /// Changes `cascade.toml`.
    pub fn change(&self, from: &str, to: &str) {
        let toml = std::fs::read_to_string(self.house.path("cascade.toml")).unwrap();
        assert!(toml.contains(from), "{from} is not in\n{toml}");
        self.house.write("cascade.toml", toml.replace(from, to).as_bytes());
    }

    /// Nobody asked the proxy for anything.
    pub fn no_proxy_was_asked(&self) {
        self.proxy.set_nonblocking(true).unwrap();
        let asked: Option<TcpStream> = self.proxy.accept().ok().map(|(stream, _)| stream);
        assert!(asked.is_none(), "something went through the proxy");
    }
}

/// The variables that hold them.
pub fn variables() -> impl Iterator<Item = &'static str> {
    SECRETS.iter().map(|(_, variable, _)| *variable)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn toml(config: &Value, url: &str, port: u16) -> String {
    let text = |pointer: &str| config.pointer(pointer).unwrap().as_str().unwrap();
    format!(
        r#"mode = "live"
[whatsapp]
base_url = "{url}"
phone_number_id = "{}"
business_account_id = "{}"
[phone]
provider = "vapi"
base_url = "{url}"
phone_number_id = "{}"
webhook_credential_id = "{}"
per_second = 20
[sms]
base_url = "{url}"
account_sid = "{}"
from = "{}"
per_second = 20
[webhooks]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
[links]
target = "https://example.com/renew"
[limits]
quiet_hours = "off"
[pilot]
max_failure_share = 1.0
max_optout_share = 1.0
"#,
        text("/whatsapp/phone_number_id"),
        text("/whatsapp/business_account_id"),
        text("/phone/phone_number_id"),
        text("/phone/webhook_credential_id"),
        text("/sms/account_sid"),
        text("/sms/from"),
    )
}
