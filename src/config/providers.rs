//! The providers' sections of `cascade.toml`: ids, addresses, paces, and secrets by the names of their variables.

use super::load::Loader;
use super::table::{Placed, Table};
use super::{Config, Pace, Twilio, Vapi, Whatsapp};
use crate::model::{Channel, Mode};
use crate::rules::report::Report;
use secrecy::SecretString;
use toml::de::DeTable;

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

impl Loader<'_> {
    pub(super) fn whatsapp<'t>(
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

    pub(super) fn phone<'t>(
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

    pub(super) fn sms<'t>(
        &self,
        report: &mut Report<'_>,
        table: Option<Placed<&'t DeTable<'t>>>,
        config: &mut Config,
    ) {
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

pub(super) fn email<'t>(report: &mut Report<'_>, table: Option<Placed<&'t DeTable<'t>>>) {
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
