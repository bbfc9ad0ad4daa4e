//! `cascade.toml`: defaults, every mistake with its place, secrets by name, and a sandbox's own settings.

use cascade::config::{Config, SandboxRefused, load, load_trusting};
use cascade::model::{Channel, Mode, Money, QuietHours};
use cascade::rules::{Problem, Severity};
use cascade::trail::Onto;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::cell::Cell;
use std::path::Path;

/// The file that CONTRACT.md prints, values filled in.
const LIVE: &str = r#"mode = "live"
default_region = "GB"
timezone = "Europe/London"
currency = "GBP"
[whatsapp]
base_url = "https://graph.facebook.com"
api_version = "v23.0"
phone_number_id = "1064"
business_account_id = "102"
access_token_env = "WHATSAPP_TOKEN"
app_secret_env = "WHATSAPP_APP_SECRET"
verify_token_env = "WHATSAPP_VERIFY_TOKEN"
cost = "0.05"
per_second = 20
concurrent = 8
[phone]
provider = "vapi"
base_url = "https://api.vapi.ai"
phone_number_id = "c6ea"
api_key_env = "VAPI_KEY"
webhook_secret_env = "VAPI_WEBHOOK_SECRET"
webhook_credential_id = "cred"
cost = "0.20"
cost_per_minute = "0.10"
per_second = 0.5
concurrent = 10
[sms]
account_sid = "AC1"
auth_token_env = "MY_TWILIO"
from = "+15550002222"
[webhooks]
public_url = "https://hooks.example.com/"
[links]
base = "https://go.example.com/l"
target = "https://example.com/renew"
[pilot]
max_failure_share = 0.1
min_customers = 20
[limits]
quiet_hours = "off"
recontact_after = "1d12h"
budget = "50"
[learning]
value = "5.00"
decay_per_h = 0.01
"#;

/// On a machine where everything is trusted.
fn read(text: &str) -> (Option<Config>, Vec<Problem>) {
    load_trusting(Path::new("cascade.toml"), text, &|name| Some(format!("value of {name}")), &|_| true)
}

fn found(text: &str) -> Vec<(u64, u64, &'static str)> {
    read(text).1.into_iter().map(|p| (p.line, p.column, p.code)).collect()
}

#[test]
fn without_a_word_every_default_of_the_contract_holds() {
    let bare = Config::rehearsal_defaults();
    assert_eq!((bare.mode, bare.limits.quiet_hours), (Mode::Rehearsal, None));
    let (config, problems) = read("");
    let config = config.unwrap();
    assert_eq!(problems, []);
    let night = QuietHours { from_min: 20 * 60, to_min: 9 * 60 };
    assert_eq!(config.limits.quiet_hours, Some(night), "a file that does not name them has quiet hours");
    assert_eq!(config.limits.budget.to_string(), "100.00");
    assert_eq!((config.limits.per_person_24h, config.limits.recontact_after_s), (3, 30 * 86_400));
    let pace = |channel| {
        let pace = config.pace(channel).unwrap();
        let rate = format!("{}", pace.per_second);
        (pace.cost.to_string(), pace.cost_per_minute.to_string(), rate, pace.concurrent)
    };
    let row = |a: &str, b: &str, c: &str, d| (a.to_owned(), b.to_owned(), c.to_owned(), d);
    assert_eq!(pace(Channel::Whatsapp), row("0.05", "0.00", "20", 8));
    assert_eq!(pace(Channel::Phone), row("0.20", "0.10", "1", 10));
    assert_eq!(pace(Channel::Sms), row("0.04", "0.00", "1", 4));
    assert_eq!((config.pilot.min_customers, config.webhooks.listen.port()), (50, 0));
}

#[test]
fn a_whole_live_file_is_taken_word_for_word() {
    let (config, problems) = read(LIVE);
    assert_eq!(problems, []);
    let config = config.unwrap();
    assert_eq!(
        (config.mode, config.currency.as_str(), config.default_region.as_str()),
        (Mode::Live, "GBP", "GB")
    );
    assert_eq!(config.timezone, chrono_tz::Europe::London);
    assert_eq!(config.whatsapp.access_token.expose_secret(), "value of WHATSAPP_TOKEN");
    assert_eq!(config.sms.auth_token.expose_secret(), "value of MY_TWILIO");
    assert_eq!((config.phone.pace.per_second * 10.0) as u64, 5);
    assert_eq!(config.webhooks.public_url.as_deref(), Some("https://hooks.example.com"));
    assert_eq!(config.webhooks.target(), "https://example.com/renew");
    assert_eq!(config.webhooks.links_base(config.webhooks.listen), "https://go.example.com/l");
    assert_eq!((config.limits.quiet_hours, config.limits.recontact_after_s), (None, 36 * 3600));
    assert_eq!(config.learning.value, Money::parse("5.00"));
    assert_eq!((config.learning.decay_per_h * 1000.0) as u64, 10);
    assert_eq!(config.channels, [Channel::Whatsapp, Channel::Phone, Channel::Sms]);
    assert_eq!(config.webhooks.listen.port(), 8787);
    assert!(!format!("{config:?}").contains("value of"), "a secret is not printed");
}

#[test]
fn a_rehearsal_reads_no_secret() {
    let asked = Cell::new(false);
    let text = LIVE.replace("mode = \"live\"", "mode = \"rehearsal\"");
    let (config, problems) = load(Path::new("cascade.toml"), &text, &|_| {
        asked.set(true);
        Some("a live secret".into())
    });
    assert_eq!(problems, []);
    assert!(!asked.get());
    let config = config.unwrap();
    assert_eq!(config.whatsapp.access_token.expose_secret(), "");
    assert_eq!(config.webhooks.public_url, None, "nothing leaves loopback");
}

#[test]
fn every_mistake_is_reported_at_its_place() {
    let text = "mode = \"liv\"\ntimezone = \"Europe/Berln\"\nbudget = 3\n[whatsap]\n[sms]\ncost = 0.04\nper_second = \"1\"\n\
                concurrent = 0\n[limits]\nquiet_hours = \"25:00-9\"\nrecontact_after = \"soon\"\n[webhooks]\nlisten = \"0.0.0.0:80\"\n";
    let mut places = found(text);
    places.sort_unstable();
    assert_eq!(
        places,
        [
            (1, 8, "bad-value"),
            (2, 12, "bad-value"),
            (3, 1, "unknown-key"),
            (4, 2, "unknown-key"),
            (6, 8, "wrong-type"),
            (7, 14, "bad-value"),
            (8, 14, "bad-value"),
            (10, 15, "bad-value"),
            (11, 19, "bad-value"),
            (13, 10, "bad-value"),
        ]
    );
    let hints: Vec<_> = read(text).1.into_iter().map(|p| p.hint).collect();
    assert!(hints.contains(&"did you mean \"whatsapp\"?".to_owned()), "{hints:?}");
    assert!(hints.contains(&"did you mean \"Europe/Berlin\"?".to_owned()), "{hints:?}");
    assert_eq!(
        found("mode = \n[sms\n").iter().map(|f| (f.0, f.2)).collect::<Vec<_>>(),
        [(1, "toml"), (2, "toml")]
    );
}

#[test]
fn live_names_every_missing_id_and_variable_and_no_value() {
    let text = "mode = \"live\"\n[whatsapp]\nphone_number_id = \"1\"\naccess_token_env = \"EAAG-pasted.secret\"\n\
                [sms]\nbase_url = \"https://evil.example\"\n";
    let (config, problems) = load(Path::new("cascade.toml"), text, &|_| None);
    assert!(config.is_none());
    let all: Vec<String> = problems.iter().map(|p| format!("{}:{} {}", p.line, p.code, p.message)).collect();
    let all = all.join("\n");
    for expected in [
        "business_account_id",
        "WHATSAPP_APP_SECRET",
        "WHATSAPP_VERIFY_TOKEN",
        "4:bad-value `access_token_env`",
        "6:untrusted-host",
        "account_sid",
        "TWILIO_AUTH_TOKEN",
        "`from` in [sms]",
        "public_url",
    ] {
        assert!(all.contains(expected), "{expected} is missing from\n{all}");
    }
    assert!(!all.contains("pasted"), "{all}");
    assert!(!all.contains("VAPI"), "a section that is not there needs nothing");
}

#[test]
fn what_is_not_built_says_so() {
    let (config, problems) = read("[phone]\nprovider = \"twilio\"\naccount_sid = \"AC1\"\n");
    assert!(config.is_none());
    assert_eq!((problems[0].code, problems[0].line, problems.len()), ("not-built", 2, 1));
    let (config, problems) = read("[email]\napi_key_env = \"SENDGRID_KEY\"\nfrom = \"desk@example.org\"\n");
    assert!(config.is_some());
    assert_eq!((problems[0].code, problems[0].severity), ("not-built", Severity::Warning));
}

#[test]
fn a_sandbox_gives_addresses_ids_and_secrets_on_loopback_alone() {
    let answer = json!({
        "speed": 3600, "seed": 1, "now": "2026-01-05T14:00:00.000Z",
        "whatsapp": {"base_url": "http://127.0.0.1:9/graph", "phone_number_id": "p", "business_account_id": "w",
                     "access_token": "t", "app_secret": "s", "verify_token": "v"},
        "phone": {"base_url": "http://127.0.0.1:9/vapi/", "phone_number_id": "p", "api_key": "k",
                  "webhook_secret": "s", "webhook_credential_id": "c"},
        "sms": {"base_url": "http://127.0.0.1:9/twilio", "account_sid": "AC", "auth_token": "t", "from": "+15550001111"}
    });
    let config = Config::rehearsal_defaults().at_sandbox(&answer).unwrap();
    assert_eq!(config.phone.base_url, "http://127.0.0.1:9/vapi");
    assert_eq!(config.sms.auth_token.expose_secret(), "t");
    assert_eq!(config.whatsapp.api_version, "v23.0");

    let with = |pointer: &str, value: &str| {
        let mut changed = answer.clone();
        *changed.pointer_mut(pointer).unwrap() = value.into();
        Config::rehearsal_defaults().at_sandbox(&changed).unwrap_err()
    };
    for foreign in
        ["https://api.twilio.com", "http://127.0.0.1@evil.example/", "http://127.0.0.1.evil.example"]
    {
        assert!(matches!(with("/sms/base_url", foreign), SandboxRefused::NotLoopback(_)), "{foreign}");
    }
    let missing = with("/phone/api_key", "");
    assert_eq!(missing, SandboxRefused::Missing(vec!["phone.api_key".into()]));
    let live = read(LIVE).0.unwrap();
    assert_eq!(live.at_sandbox(&answer).unwrap_err(), SandboxRefused::Live);
}

#[test]
fn git_and_the_forge_are_set_in_both_modes_and_the_token_is_not_read() {
    let asked = Cell::new(false);
    let look = |text: &str, trusts: bool| {
        let (config, problems) = load_trusting(
            Path::new("cascade.toml"),
            text,
            &|_| {
                asked.set(true);
                None
            },
            &|_| trusts,
        );
        (config, problems.into_iter().map(|p| (p.line, p.code)).collect::<Vec<_>>())
    };
    let plain = look("", false).0.unwrap();
    assert_eq!(
        (plain.git.remote.as_str(), plain.git.base.as_deref(), plain.github.is_trusted),
        ("origin", None, true)
    );
    let own = "[git]\nbranch = \"checked-out\"\nbase = \"trunk\"\nremote = \"upstream\"\n[github]\n\
               base_url = \"https://git.corp.example/api/v3\"\nrepository = \"acme/rules\"\nbase = \"release\"\n";
    for (trusts, text) in [(false, own.to_owned()), (true, own.to_owned())] {
        let (config, problems) = look(&text, trusts);
        let config = config.unwrap();
        assert_eq!(
            (problems, config.github.is_trusted),
            (vec![], trusts),
            "it keeps nothing else from working"
        );
        assert_eq!((config.git.branch, config.git.base.as_deref()), (Onto::CheckedOut, Some("trunk")));
        assert_eq!(
            (config.git.remote.as_str(), config.github.base.as_deref()),
            ("upstream", Some("release"))
        );
        assert_eq!(config.github.repository.as_deref(), Some("acme/rules"));
    }
    let variable = look("[github]\ntoken_env = \"AWS_SECRET\"\n", false).0.unwrap();
    assert!(!variable.github.is_trusted, "another variable needs trust too");
    for (text, problem) in [
        ("[git]\nbranch = \"mine\"", (2, "bad-value")),
        ("[git]\nremote = \"--upload-pack=x\"", (2, "bad-value")),
        ("[git]\nbase = \"a..b\"", (2, "bad-value")),
        ("[git]\nbase = \"-f\"", (2, "bad-value")),
        ("[github]\nrepository = \"../..\"", (2, "bad-value")),
        ("[github]\nrepository = \"a/b/c\"", (2, "bad-value")),
        ("[github]\nbase_url = \"http://git.corp.example\"", (2, "untrusted-host")),
        ("[github]\ntoken_env = \"ghp_pasted.secret\"", (2, "bad-value")),
        ("[github]\ntoken = \"x\"", (2, "unknown-key")),
    ] {
        assert_eq!(look(text, true).1, [problem], "{text}");
    }
    assert!(!asked.get(), "whoever proposes reads the token then");
}
