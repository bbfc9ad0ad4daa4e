//! Pointing a configuration at a sandbox: addresses, ids and generated secrets from `GET /sandbox/config`.

use super::Config;
use crate::model::Mode;
use secrecy::SecretString;
use serde_json::Value;

/// Why a sandbox's configuration was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SandboxRefused {
    /// Live never talks to a sandbox.
    #[error("the workspace is live, and a sandbox serves rehearsals alone; set mode = \"rehearsal\"")]
    Live,
    /// Keys that it should have said; the values are secrets and stay out of the message.
    #[error("the sandbox's configuration lacks {}; is it a cascade sandbox of this version?", .0.join(", "))]
    Missing(Vec<String>),
    /// A rehearsal reaches loopback and nothing else.
    #[error("the sandbox names {0} as a provider, and a rehearsal reaches loopback alone; use 127.0.0.1")]
    NotLoopback(String),
}

impl Config {
    /// This configuration with every address, id and secret replaced by those of a sandbox, `answer` being what
    /// it says at `GET /sandbox/config`. Paces and limits stay. Every address must be on loopback.
    pub fn at_sandbox(&self, answer: &Value) -> Result<Self, SandboxRefused> {
        if self.mode == Mode::Live {
            return Err(SandboxRefused::Live);
        }
        let mut missing = Vec::new();
        let mut get = |section: &str, key: &str| {
            let found = answer.get(section).and_then(|s| s.get(key)).and_then(Value::as_str);
            if found.is_none_or(str::is_empty) {
                missing.push(format!("{section}.{key}"));
            }
            found.unwrap_or_default().to_owned()
        };
        let mut config = self.clone();
        let own = &mut config.whatsapp;
        own.base_url = get("whatsapp", "base_url");
        own.phone_number_id = get("whatsapp", "phone_number_id");
        own.business_account_id = get("whatsapp", "business_account_id");
        own.access_token = SecretString::from(get("whatsapp", "access_token"));
        own.app_secret = SecretString::from(get("whatsapp", "app_secret"));
        own.verify_token = SecretString::from(get("whatsapp", "verify_token"));
        let own = &mut config.phone;
        own.base_url = get("phone", "base_url");
        own.phone_number_id = get("phone", "phone_number_id");
        own.api_key = SecretString::from(get("phone", "api_key"));
        own.webhook_secret = SecretString::from(get("phone", "webhook_secret"));
        own.webhook_credential_id = get("phone", "webhook_credential_id");
        let own = &mut config.sms;
        own.base_url = get("sms", "base_url");
        own.account_sid = get("sms", "account_sid");
        own.auth_token = SecretString::from(get("sms", "auth_token"));
        own.from = get("sms", "from");
        own.messaging_service_sid = None;
        if let Some(version) = answer.pointer("/whatsapp/api_version").and_then(Value::as_str) {
            version.clone_into(&mut config.whatsapp.api_version);
        }
        if !missing.is_empty() {
            return Err(SandboxRefused::Missing(missing));
        }
        for url in [&mut config.whatsapp.base_url, &mut config.phone.base_url, &mut config.sms.base_url] {
            if !is_loopback(url) {
                return Err(SandboxRefused::NotLoopback(crate::model::clean(url)));
            }
            url.truncate(url.trim_end_matches('/').len());
        }
        Ok(config)
    }
}

/// Whether an address is this machine's own loopback, by number or as `localhost`, without a user in it.
pub fn is_loopback(address: &str) -> bool {
    let Ok(parsed) = url::Url::parse(address) else { return false };
    let own = match parsed.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    own && matches!(parsed.scheme(), "http" | "https") && parsed.username().is_empty()
}
