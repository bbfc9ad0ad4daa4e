//! Live sends of one workspace come from one process, whichever store it holds. Here nothing leaves the machine: the
//! proxy that the live clients are told to use takes connections and lets nothing through.

use crate::house::{House, Running};
use std::fs;
use std::net::TcpListener;

const SETTINGS: &str = r#"mode = "live"
[whatsapp]
phone_number_id = "1064"
business_account_id = "102"
access_token_env = "WHATSAPP_TOKEN"
app_secret_env = "WHATSAPP_APP_SECRET"
verify_token_env = "WHATSAPP_VERIFY_TOKEN"
[phone]
phone_number_id = "c6ea"
api_key_env = "VAPI_KEY"
webhook_secret_env = "VAPI_WEBHOOK_SECRET"
webhook_credential_id = "cred"
[sms]
account_sid = "AC1"
auth_token_env = "TWILIO_AUTH_TOKEN"
from = "+15550002222"
[webhooks]
listen = "127.0.0.1:0"
public_url = "https://hooks.example.com"
[links]
target = "https://example.com/renew"
"#;

const SECRETS: [&str; 6] = [
    "WHATSAPP_TOKEN",
    "WHATSAPP_APP_SECRET",
    "WHATSAPP_VERIFY_TOKEN",
    "VAPI_KEY",
    "VAPI_WEBHOOK_SECRET",
    "TWILIO_AUTH_TOKEN",
];

fn workspace() -> House {
    House::with(&[
        ("cascade.toml", SETTINGS),
        ("customers.csv", include_str!("../../assets/customers.csv")),
        ("rules/cascade.json", include_str!("../../rules/cascade.json")),
        ("rules/content/whatsapp.json", include_str!("../../rules/content/whatsapp.json")),
        ("rules/content/voice.md", include_str!("../../rules/content/voice.md")),
        ("rules/content/sms.txt", include_str!("../../rules/content/sms.txt")),
    ])
}

/// A workspace, and a proxy that lets nothing through.
struct Live {
    house: House,
    proxy: TcpListener,
}

impl Live {
    fn start(&self, args: &[&str]) -> Running {
        let proxy = format!("http://{}", self.proxy.local_addr().unwrap());
        let secrets = SECRETS.map(|name| (name, "not a real one"));
        let env: Vec<_> =
            secrets.into_iter().chain([("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "")]).collect();
        self.house.start_in(args, &env)
    }

    /// Started, and the one that sends from here on.
    fn sends(&self, args: &[&str]) -> (Running, String) {
        let mut process = self.start(args);
        let number = process.0.as_ref().unwrap().id().to_string();
        process.until(|| self.holder().contains(&format!("process {number}, ")));
        (process, number)
    }

    fn holder(&self) -> String {
        fs::read_to_string(self.house.path(".cascade/live.sends")).unwrap_or_default()
    }
}

#[test]
fn two_stores_of_one_workspace_never_send_at_once() {
    let live = Live { house: workspace(), proxy: TcpListener::bind("127.0.0.1:0").unwrap() };
    let (first, number) = live.sends(&["run", "--yes"]);
    assert!(live.holder().contains("live.db, since "), "{}", live.holder());
    for args in [&["run", "--yes", "--db", "b.db"], &["pilot", "--yes", "--db", "b.db"]] {
        let done = live.start(args).wait();
        assert_eq!(done.code, Some(2), "{}", done.stderr);
        let process = format!("process {number}, on ");
        for words in [process.as_str(), "live.db, since ", "b.db", "End that one first", "`cascade --db`"] {
            assert!(done.stderr.contains(words), "nothing of {words:?}: {}", done.stderr);
        }
    }
    // The store itself says so in its own words: a console attaches to whoever holds it.
    let done = live.start(&["run", "--yes"]).wait();
    assert!(done.stderr.contains("is in use by another cascade"), "{}", done.stderr);

    // Rehearsals reach nobody: as many as there are stores.
    live.house.write("cascade.toml", "mode = \"rehearsal\"\n");
    let mut rehearsals = ["one.db", "two.db"].map(|db| live.start(&["run", "--db", db]));
    for rehearsal in &mut rehearsals {
        let said = rehearsal.says();
        assert!(said.contains("cascade: running (rehearsal"), "{said}");
    }
    live.house.write("cascade.toml", SETTINGS);

    // Whoever is gone holds nothing, however they went.
    first.kill();
    live.sends(&["run", "--yes", "--db", "b.db"]);
}
