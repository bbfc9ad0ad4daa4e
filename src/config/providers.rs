//! The providers' sections of `cascade.toml`: ids, addresses, paces, and secrets by the names of their variables.

use super::load::Loader;
use super::table::{Placed, Table};
use super::trust::{Ask, Grant};
use super::{Config, Pace, Twilio, Vapi, Whatsapp, is_loopback};
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

/// A provider's own hosts, and which variables hold our secrets unless the file names others.
struct Usual {
    section: &'static str,
    hosts: &'static [&'static str],
    /// Keys and the variables that they name.
    variables: &'static [(&'static str, &'static str)],
    /// Keys whose secret goes to the host.
    sent: &'static [&'static str],
}

const USUAL_WHATSAPP: Usual = Usual {
    section: "whatsapp",
    hosts: &["graph.facebook.com"],
    variables: &[
        ("access_token_env", "WHATSAPP_TOKEN"),
        ("app_secret_env", "WHATSAPP_APP_SECRET"),
        ("verify_token_env", "WHATSAPP_VERIFY_TOKEN"),
    ],
    sent: &["access_token_env", "verify_token_env"],
};
const USUAL_PHONE: Usual = Usual {
    section: "phone",
    hosts: &["api.vapi.ai", "api.eu.vapi.ai"],
    variables: &[("api_key_env", "VAPI_KEY"), ("webhook_secret_env", "VAPI_WEBHOOK_SECRET")],
    sent: &["api_key_env"],
};
const USUAL_SMS: Usual = Usual {
    section: "sms",
    hosts: &["api.twilio.com"],
    variables: &[("auth_token_env", "TWILIO_AUTH_TOKEN")],
    sent: &["auth_token_env"],
};

/// The variable that usually holds a secret of a section: `WHATSAPP_TOKEN` for `whatsapp` and `access_token`.
pub fn usual_variable(section: &str, secret: &str) -> Option<&'static str> {
    let usual =
        [&USUAL_WHATSAPP, &USUAL_PHONE, &USUAL_SMS].into_iter().find(|usual| usual.section == section)?;
    let holds = |(key, _): &&(&str, &str)| key.strip_suffix("_env") == Some(secret);
    usual.variables.iter().find(holds).map(|(_, variable)| *variable)
}

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
        let into = [&mut own.access_token, &mut own.app_secret, &mut own.verify_token];
        self.secrets(&mut table, live, &USUAL_WHATSAPP, &mut own.base_url, into);
        let version =
            |v: &str| v.strip_prefix('v').filter(|n| n.parse::<f64>().is_ok()).map(|_| v.to_owned());
        if let Some(version) = table.word("api_version", "write for example \"v23.0\"", version) {
            own.api_version = version;
        }
        id(&mut table, "phone_number_id", live, &mut own.phone_number_id);
        id(&mut table, "business_account_id", live, &mut own.business_account_id);
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
        let into = [&mut own.api_key, &mut own.webhook_secret];
        self.secrets(&mut table, live, &USUAL_PHONE, &mut own.base_url, into);
        id(&mut table, "phone_number_id", live, &mut own.phone_number_id);
        id(&mut table, "webhook_credential_id", live, &mut own.webhook_credential_id);
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
        self.secrets(&mut table, live, &USUAL_SMS, &mut own.base_url, [&mut own.auth_token]);
        id(&mut table, "account_sid", live, &mut own.account_sid);
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

    /// A section's address and secrets. A rehearsal replaces both by the sandbox's, and reads neither; live takes
    /// secrets from the environment only once it is sure where they go.
    fn secrets<const N: usize>(
        &self,
        table: &mut Table<'_, '_, '_>,
        live: bool,
        usual: &Usual,
        base_url: &mut String,
        into: [&mut SecretString; N],
    ) {
        let address = table.base("base_url");
        if let Some((text, _)) = address {
            text.clone_into(base_url);
        }
        let names: Vec<_> =
            usual.variables.iter().map(|(key, default)| variable(table, key, default)).collect();
        if !live {
            return;
        }
        let may_leave = self.may_leave(table, usual, base_url, address.map(|(_, at)| at), &names);
        for ((name, (key, _)), into) in names.into_iter().zip(usual.variables).zip(into) {
            let Some((name, at)) = name else { continue };
            if let Some(value) = (self.env)(&name).filter(|value| !value.trim().is_empty()) {
                if may_leave {
                    *into = SecretString::from(value.trim().to_owned());
                }
            } else {
                let message = format!("the environment variable {name} is not set, and `{key}` needs it");
                table.report.error(at, "unset-variable", message, format!("export {name}=…"));
            }
        }
    }

    /// Whether live may use these variables with this host: the provider's own over TLS and the usual ones, or what
    /// this machine was told to trust. Says at each place what is in the way.
    fn may_leave(
        &self,
        table: &mut Table<'_, '_, '_>,
        usual: &Usual,
        base_url: &str,
        address_at: Option<usize>,
        names: &[Option<(String, usize)>],
    ) -> bool {
        let Ok(url) = url::Url::parse(base_url) else { return false };
        let at = address_at.unwrap_or(table.at);
        let own = usual.hosts.first().copied().unwrap_or_default();
        let loopback = is_loopback(base_url);
        if url.scheme() != "https" && !loopback {
            let message = format!("`{base_url}` is not reached over TLS, and live would send secrets there");
            let hint = format!("use https://{own}; nothing but this machine itself is trusted without TLS");
            table.report.error(at, "untrusted-host", message, hint);
            return false;
        }
        let known = url.scheme() == "https"
            && url.port().is_none()
            && url.host_str().is_some_and(|host| usual.hosts.contains(&host));
        let variables = || usual.variables.iter().zip(names).filter_map(|(u, n)| Some((u, n.as_ref()?)));
        let changed: Vec<_> = variables().filter(|((_, default), (name, _))| name != default).collect();
        let ask = Ask {
            section: usual.section,
            grant: Grant {
                host: url.origin().ascii_serialization(),
                secrets: variables().map(|((key, _), (name, _))| ((*key).to_owned(), name.clone())).collect(),
            },
            sent: usual.sent,
            usual: known && changed.is_empty(),
            loopback,
        };
        if (self.trusted)(&ask) || ask.usual {
            return true;
        }
        let look = "or let `cascade trust` show it and trust it on this machine";
        if !known {
            let message = format!("live does not send secrets to `{base_url}`");
            table.report.error(at, "untrusted-host", message, format!("use https://{own}, {look}"));
        }
        for ((key, default), (name, at)) in changed {
            let message = format!("live does not take `{key}` from the variable {name}");
            table.report.error(*at, "untrusted-variable", message, format!("use {default}, {look}"));
        }
        false
    }
}

/// The name of a secret's variable, and where it stands; `None` if it is none, which is reported.
pub(super) fn variable(table: &mut Table<'_, '_, '_>, key: &str, default: &str) -> Option<(String, usize)> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let proper = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(word)
    };
    match table.text(key) {
        // A secret pasted here in place of a name must not come back in the message.
        Some((text, at)) if !proper(text) => {
            let message = format!("`{key}` is not the name of an environment variable");
            let hint = format!("write a name such as \"{default}\", never the secret itself");
            table.report.error(at, "bad-value", message, hint);
            None
        }
        Some((text, at)) => Some((text.to_owned(), at)),
        None if table.has(key) => None,
        None => Some((default.to_owned(), table.at)),
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
    table.base("base_url");
    table.word("api_key_env", "write the name of an environment variable", |_| Some(()));
    table.word("webhook_public_key", "write the provider's public key", |_| Some(()));
    table.word("from", "write an e-mail address", |from| from.contains('@').then_some(()));
    let mut unused = Whatsapp::default().pace;
    pace(&mut table, &mut unused);
    let message = "sending e-mail is not built yet; this section is read and not used";
    table.report.warning(table.at, "not-built", message, "leave e-mail steps out of the rules");
}
