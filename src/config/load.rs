//! `cascade.toml` into a [`Config`]: every problem at its line, secrets from the environment and in live alone.

use super::defaults::{LIVE_PORT, QUIET_HOURS};
use super::table::{Placed, Table};
use super::{Config, Pace, Twilio, Vapi, Webhooks, Whatsapp, is_loopback};
use crate::model::{Channel, Mode};
use crate::rules::report::{Report, nearest};
use crate::rules::{Problem, parse_duration_s, parse_quiet_hours};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::Path;
use toml::de::DeTable;

/// Looks an environment variable up; tests give their own.
pub type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

const SECTIONS: [&str; 13] = [
    "mode",
    "default_region",
    "timezone",
    "currency",
    "whatsapp",
    "phone",
    "sms",
    "email",
    "webhooks",
    "links",
    "pilot",
    "limits",
    "learning",
];
const WHATSAPP: [&str; 10] = [
    "base_url",
    "api_version",
    "phone_number_id",
    "business_account_id",
    "access_token_env",
    "app_secret_env",
    "verify_token_env",
    "cost",
    "per_second",
    "concurrent",
];
const PHONE: [&str; 10] = [
    "provider",
    "base_url",
    "phone_number_id",
    "api_key_env",
    "webhook_secret_env",
    "webhook_credential_id",
    "cost",
    "cost_per_minute",
    "per_second",
    "concurrent",
];
const PHONE_TWILIO: [&str; 9] = [
    "provider",
    "base_url",
    "account_sid",
    "auth_token_env",
    "from",
    "cost",
    "cost_per_minute",
    "per_second",
    "concurrent",
];
const SMS: [&str; 8] = [
    "base_url",
    "account_sid",
    "auth_token_env",
    "from",
    "messaging_service_sid",
    "cost",
    "per_second",
    "concurrent",
];
const EMAIL: [&str; 7] =
    ["base_url", "api_key_env", "webhook_public_key", "from", "cost", "per_second", "concurrent"];

/// Reads the text of `cascade.toml`. `None` where an error was found; the problems name every one, with line,
/// column and what to write. A rehearsal asks `env` for nothing.
pub fn load(file: &Path, text: &str, env: Env<'_>) -> (Option<Config>, Vec<Problem>) {
    let mut report = Report::new(file, text);
    let (root, faults) = DeTable::parse_recoverable(text);
    for fault in &faults {
        let at = fault.span().map_or(0, |s| s.start);
        report.error(at, "toml", format!("this is no TOML: {}", fault.message()), "mend the line");
    }
    if !faults.is_empty() {
        return (None, report.finish());
    }
    let config = Loader { env }.config(&mut report, root.get_ref());
    (Some(config).filter(|_| !report.has_errors()), report.finish())
}

struct Loader<'e> {
    env: Env<'e>,
}

impl Loader<'_> {
    fn config<'t>(&self, report: &mut Report<'_>, root: &'t DeTable<'t>) -> Config {
        let mut config = Config::rehearsal_defaults();
        let mut file = Table::open(report, "", Some((root, 0)), &SECTIONS);
        general(&mut file, &mut config);
        let mut sections = SECTIONS[4..].iter().map(|name| (*name, file.table(name))).collect::<Vec<_>>();
        let mut take = |name: &str| sections.iter_mut().find(|(n, _)| *n == name).and_then(|(_, t)| t.take());
        if config.mode == Mode::Live {
            config.channels.clear();
        }
        self.whatsapp(report, take("whatsapp"), &mut config);
        self.phone(report, take("phone"), &mut config);
        self.sms(report, take("sms"), &mut config);
        email(report, take("email"));
        webhooks(report, take("webhooks"), take("links"), config.mode, &mut config.webhooks);
        limits(report, [take("pilot"), take("limits"), take("learning")], &mut config);
        config
    }

    fn whatsapp<'t>(
        &self,
        report: &mut Report<'_>,
        table: Option<Placed<&'t DeTable<'t>>>,
        config: &mut Config,
    ) {
        let live = config.mode == Mode::Live && table.is_some();
        let mut table = Table::open(report, "whatsapp", table, &WHATSAPP);
        let own: &mut Whatsapp = &mut config.whatsapp;
        base_url(&mut table, live, &["graph.facebook.com"], &mut own.base_url);
        let version =
            |v: &str| v.strip_prefix('v').filter(|n| n.parse::<f64>().is_ok()).map(|_| v.to_owned());
        if let Some(version) = table.word("api_version", "write for example \"v23.0\"", version) {
            own.api_version = version;
        }
        id(&mut table, "phone_number_id", live, &mut own.phone_number_id);
        id(&mut table, "business_account_id", live, &mut own.business_account_id);
        self.secret(&mut table, "access_token_env", "WHATSAPP_TOKEN", live, &mut own.access_token);
        self.secret(&mut table, "app_secret_env", "WHATSAPP_APP_SECRET", live, &mut own.app_secret);
        self.secret(&mut table, "verify_token_env", "WHATSAPP_VERIFY_TOKEN", live, &mut own.verify_token);
        pace(&mut table, &mut own.pace);
        if live {
            config.channels.push(Channel::Whatsapp);
        }
    }

    fn phone<'t>(
        &self,
        report: &mut Report<'_>,
        table: Option<Placed<&'t DeTable<'t>>>,
        config: &mut Config,
    ) {
        let live = config.mode == Mode::Live && table.is_some();
        let twilio = table
            .is_some_and(|(t, _)| t.get("provider").and_then(|p| p.get_ref().as_str()) == Some("twilio"));
        let known: &[&str] = if twilio { &PHONE_TWILIO } else { &PHONE };
        let mut table = Table::open(report, "phone", table, known);
        let provider = |word: &str| matches!(word, "vapi" | "twilio").then_some(());
        table.word("provider", "write \"vapi\"", provider);
        if twilio {
            let at = table.text("provider").map_or(table.at, |(_, at)| at);
            let message = "calls through Twilio alone are not built yet";
            table.report.error(at, "not-built", message, "use provider = \"vapi\"");
            return;
        }
        let own: &mut Vapi = &mut config.phone;
        base_url(&mut table, live, &["api.vapi.ai", "api.eu.vapi.ai"], &mut own.base_url);
        id(&mut table, "phone_number_id", live, &mut own.phone_number_id);
        id(&mut table, "webhook_credential_id", live, &mut own.webhook_credential_id);
        self.secret(&mut table, "api_key_env", "VAPI_KEY", live, &mut own.api_key);
        self.secret(&mut table, "webhook_secret_env", "VAPI_WEBHOOK_SECRET", live, &mut own.webhook_secret);
        pace(&mut table, &mut own.pace);
        if let Some(cost) = table.money("cost_per_minute") {
            own.pace.cost_per_minute = cost;
        }
        if live {
            config.channels.push(Channel::Phone);
        }
    }

    fn sms<'t>(&self, report: &mut Report<'_>, table: Option<Placed<&'t DeTable<'t>>>, config: &mut Config) {
        let live = config.mode == Mode::Live && table.is_some();
        let mut table = Table::open(report, "sms", table, &SMS);
        let own: &mut Twilio = &mut config.sms;
        base_url(&mut table, live, &["api.twilio.com"], &mut own.base_url);
        id(&mut table, "account_sid", live, &mut own.account_sid);
        self.secret(&mut table, "auth_token_env", "TWILIO_AUTH_TOKEN", live, &mut own.auth_token);
        let (from, service) = (table.text("from"), table.text("messaging_service_sid"));
        match (from, service) {
            (Some(_), Some((_, at))) => {
                let message = "[sms] names both `from` and `messaging_service_sid`";
                table.report.error(at, "two-senders", message, "keep one of the two");
            }
            (None, None) if live => table.missing("from"),
            (from, service) => {
                own.from = from.map(|(text, _)| text.to_owned()).unwrap_or_default();
                own.messaging_service_sid = service.map(|(text, _)| text.to_owned());
            }
        }
        pace(&mut table, &mut own.pace);
        if live {
            config.channels.push(Channel::Sms);
        }
    }

    /// A secret by the name of its variable. The value is never put into a message.
    fn secret(
        &self,
        table: &mut Table<'_, '_, '_>,
        key: &str,
        default: &str,
        live: bool,
        into: &mut SecretString,
    ) {
        let proper = |name: &str| {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            (starts && name.chars().all(word)).then_some(())
        };
        let (name, at) = match table.text(key) {
            // A secret pasted here in place of a name must not come back in the message.
            Some((text, at)) if proper(text).is_none() => {
                let message = format!("`{key}` is not the name of an environment variable");
                let hint = format!("write a name such as \"{default}\", never the secret itself");
                table.report.error(at, "bad-value", message, hint);
                return;
            }
            Some((text, at)) => (text.to_owned(), at),
            None if table.has(key) => return,
            None => (default.to_owned(), table.at),
        };
        if !live {
            return;
        }
        if let Some(value) = (self.env)(&name).filter(|value| !value.trim().is_empty()) {
            *into = SecretString::from(value.trim().to_owned());
        } else {
            let message = format!("the environment variable {name} is not set, and `{key}` needs it");
            table.report.error(at, "unset-variable", message, format!("export {name}=…"));
        }
    }
}

fn general(file: &mut Table<'_, '_, '_>, config: &mut Config) {
    if let Some(mode) = file.word("mode", "write \"rehearsal\" or \"live\"", Mode::parse) {
        config.mode = mode;
    }
    let region = |r: &str| r.parse::<phonenumber::country::Id>().ok().map(|_| r.to_owned());
    if let Some(region) = file.word("default_region", "write a country's two letters, such as \"US\"", region)
    {
        config.default_region = region;
    }
    if let Some((name, at)) = file.text("timezone") {
        if let Ok(zone) = name.parse() {
            config.timezone = zone;
        } else {
            let known: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|z| z.name()).collect();
            let near = nearest(name, &known).unwrap_or("Europe/Berlin");
            let message = format!("there is no time zone `{name}`");
            file.report.error(at, "bad-value", message, format!("did you mean \"{near}\"?"));
        }
    }
    let currency =
        |c: &str| (c.len() == 3 && c.bytes().all(|b| b.is_ascii_uppercase())).then(|| c.to_owned());
    if let Some(currency) = file.word("currency", "write three capitals, such as \"USD\"", currency) {
        config.currency = currency;
    }
}

/// An id at the provider, which live needs.
fn id(table: &mut Table<'_, '_, '_>, key: &str, live: bool, into: &mut String) {
    match table.text(key) {
        Some((text, _)) => text.clone_into(into),
        None if live && !table.has(key) => table.missing(key),
        None => {}
    }
}

/// Live sends secrets to known hosts alone, over TLS; a rehearsal replaces the address by the sandbox's.
fn base_url(table: &mut Table<'_, '_, '_>, live: bool, known: &[&str], into: &mut String) {
    let Some((text, at)) = table.address("base_url") else { return };
    let parsed = url::Url::parse(text).ok();
    let trusted = parsed.as_ref().is_some_and(|u| {
        u.scheme() == "https" && u.port().is_none() && u.host_str().is_some_and(|h| known.contains(&h))
    });
    if live && !trusted {
        let message = format!("live does not send secrets to `{text}`");
        let hint =
            format!("use https://{}; another host needs `cascade trust`, which is not built yet", known[0]);
        table.report.error(at, "untrusted-host", message, hint);
    }
    text.clone_into(into);
}

fn pace(table: &mut Table<'_, '_, '_>, pace: &mut Pace) {
    if let Some(cost) = table.money("cost") {
        pace.cost = cost;
    }
    if let Some(rate) = table.number("per_second", 0.001, 1000.0) {
        pace.per_second = rate;
    }
    if let Some(most) = table.count("concurrent", 1, 1000) {
        pace.concurrent = most as usize;
    }
}

fn email<'t>(report: &mut Report<'_>, table: Option<Placed<&'t DeTable<'t>>>) {
    let mut table = Table::open(report, "email", table, &EMAIL);
    if !table.is_there() {
        return;
    }
    table.address("base_url");
    table.word("api_key_env", "write the name of an environment variable", |_| Some(()));
    table.word("webhook_public_key", "write the provider's public key", |_| Some(()));
    table.word("from", "write an e-mail address", |from| from.contains('@').then_some(()));
    let mut unused = Whatsapp::default().pace;
    pace(&mut table, &mut unused);
    let message = "sending e-mail is not built yet; this section is read and not used";
    table.report.warning(table.at, "not-built", message, "leave e-mail steps out of the rules");
}

fn webhooks<'t>(
    report: &mut Report<'_>,
    table: Option<Placed<&'t DeTable<'t>>>,
    links: Option<Placed<&'t DeTable<'t>>>,
    mode: Mode,
    own: &mut Webhooks,
) {
    let live = mode == Mode::Live;
    if live {
        own.listen.set_port(LIVE_PORT);
    }
    let mut table = Table::open(report, "webhooks", table, &["listen", "public_url"]);
    let listen = |text: &str| text.parse().ok().filter(|l: &SocketAddr| live || l.ip().is_loopback());
    let example = "write address and port, such as \"127.0.0.1:8787\"; a rehearsal listens on loopback alone";
    if let Some(listen) = table.word("listen", example, listen) {
        own.listen = listen;
    }
    own.public_url = public(&mut table, "public_url", live);
    if live && own.public_url.is_none() && !table.has("public_url") {
        table.missing("public_url");
    }
    let mut links = Table::open(report, "links", links, &["base", "target"]);
    own.links_base = public(&mut links, "base", live);
    own.links_target = links.address("target").map(|(text, _)| text.to_owned());
}

/// An address that others call. A rehearsal uses it only on loopback: its sandbox reaches nothing else.
fn public(table: &mut Table<'_, '_, '_>, key: &str, live: bool) -> Option<String> {
    let (text, at) = table.address(key)?;
    if live && !text.starts_with("https://") {
        let message = format!("`{key}` is not reached over TLS");
        table.report.error(at, "bad-url", message, "begin with https://; providers call nothing else");
        return None;
    }
    (live || is_loopback(text)).then(|| text.to_owned())
}

fn limits<'t>(report: &mut Report<'_>, tables: [Option<Placed<&'t DeTable<'t>>>; 3], config: &mut Config) {
    let [pilot, limits, learning] = tables;
    let own = &mut config.pilot;
    let known = ["max_failure_share", "max_optout_share", "min_customers"];
    let mut pilot = Table::open(report, "pilot", pilot, &known);
    own.max_failure_share = pilot.number("max_failure_share", 0.0, 1.0).unwrap_or(own.max_failure_share);
    own.max_optout_share = pilot.number("max_optout_share", 0.0, 1.0).unwrap_or(own.max_optout_share);
    own.min_customers = pilot.count("min_customers", 1, 1_000_000).unwrap_or(own.min_customers);

    let own = &mut config.limits;
    let known = ["quiet_hours", "per_person_24h", "recontact_after", "budget"];
    let mut limits = Table::open(report, "limits", limits, &known);
    let hours = limits.word("quiet_hours", "write \"20:00-09:00\" or \"off\"", parse_quiet_hours);
    own.quiet_hours = hours.unwrap_or(Some(QUIET_HOURS));
    if let Some(most) = limits.count("per_person_24h", 1, 1000) {
        own.per_person_24h = most as u32;
    }
    let recontact = limits.word("recontact_after", "write a duration such as \"30d\"", parse_duration_s);
    own.recontact_after_s = recontact.unwrap_or(own.recontact_after_s);
    own.budget = limits.money("budget").unwrap_or(own.budget);

    let mut learning = Table::open(report, "learning", learning, &["value", "optout_penalty"]);
    config.learning.value = learning.money("value");
    config.learning.optout_penalty = learning.money("optout_penalty").unwrap_or_default();
}
