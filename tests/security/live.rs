//! A live workspace whose providers are a `cascade sandbox` on this machine, as somebody would try live out.

use crate::house::{House, Sandbox};
use std::net::{TcpListener, TcpStream};

/// Waits of seconds: live has no other speed.
const RULES: &str = r#"{ "start": "whatsapp", "conversion_window": "1s", "steps": [
    { "channel": "whatsapp", "wait": "2s", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "2s", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

const TEMPLATE: &str = r#"{ "name": "trial", "category": "UTILITY", "parameters": ["name|there"], "languages": {
    "en_US": { "body": "Hi {{1}}, shall we?", "buttons": [{ "type": "quick_reply", "text": "Yes", "means": "positive" }] } } }"#;

/// What else stands in `cascade.toml`.
const LIMITS: &str = r#"[limits]
quiet_hours = "off"
[pilot]
max_failure_share = 1.0
max_optout_share = 1.0
"#;

/// The secrets of all three.
const SECRETS: usize = 6;

/// What `cascade sandbox --trial` prints: its address, three providers, where we hear and where links lead, the secrets, a
/// remark on each.
const LINES: usize = 1 + (1 + 14 + 6) + (1 + SECRETS);

/// A sandbox, and a live workspace that points at it.
pub struct Trial {
    pub sandbox: Sandbox,
    pub house: House,
    /// The secrets that both know, Twilio's last.
    pub secrets: Vec<String>,
    /// Which variables hold them, in the same order.
    pub variables: Vec<String>,
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
        let desk = House::with(&[("customers.csv", &list), ("rules/content/whatsapp.json", TEMPLATE)]);
        let here = format!("127.0.0.1:{}", free_port());
        let sandbox = Sandbox::saying(&desk, &["--scenario", "quick", "--trial", &here], LINES);
        let is_export = |line: &&String| line.starts_with("export ");
        let (exports, settings): (Vec<_>, Vec<_>) = sandbox.said.iter().partition(is_export);
        let settings = settings.into_iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        let mut house = House::with(&[
            ("customers.csv", &list),
            ("rules/cascade.json", RULES),
            ("rules/content/whatsapp.json", TEMPLATE),
            ("rules/content/voice.md", include_str!("../../rules/content/voice.md")),
            ("rules/content/sms.txt", "Hi {{name}}: {{link}}"),
            ("cascade.toml", &format!("mode = \"live\"\n{settings}\n{LIMITS}")),
        ]);
        let (mut secrets, mut variables) = (Vec::new(), Vec::new());
        for export in exports {
            let (variable, secret) = export.trim_start_matches("export ").split_once('=').unwrap();
            house.set(variable, secret);
            secrets.push(secret.to_owned());
            variables.push(variable.to_owned());
        }
        assert_eq!(secrets.len(), SECRETS, "{:?}", sandbox.said);
        let account_sid = sandbox.lines("config")[0]["sms"]["account_sid"].as_str().unwrap().to_owned();
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", proxy.local_addr().unwrap());
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            house.set(name, &address);
        }
        Self { sandbox, house, secrets, variables, account_sid, proxy, _desk: desk }
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

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
