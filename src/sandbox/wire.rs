//! One request as it came, and one answer as it will leave.

use super::ledger::{Kind, Provider};
use crate::model::At;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

/// A request to a provider's endpoint. Not `Debug`: its body may hold a verify token.
pub(super) struct Call {
    /// When it arrived, in campaign time.
    pub at: At,
    pub provider: Provider,
    pub kind: Kind,
    pub method: Method,
    pub path: String,
    pub segments: Vec<String>,
    query: Vec<(String, String)>,
    /// A live secret, if live is tried out here.
    authorization: Option<SecretString>,
    pub body: Bytes,
    pub json: Value,
    pub form: Vec<(String, String)>,
}

impl Call {
    /// `None` for a path that belongs to no provider.
    pub(super) fn read(at: At, method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Option<Self> {
        let path = uri.path().to_owned();
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        let provider = provider(segments.first()?)?;
        let pairs = |bytes: &[u8]| form_urlencoded::parse(bytes).into_owned().collect();
        let form = if provider == Provider::Twilio { pairs(&body) } else { Vec::new() };
        let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        Some(Self {
            at,
            provider,
            kind: kind(provider, &method, &segments),
            query: pairs(uri.query().unwrap_or_default().as_bytes()),
            authorization: authorization.map(SecretString::from),
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
            form,
            method,
            path,
            segments,
            body,
        })
    }

    /// Whether it shows exactly this, in a time that tells nothing but the length.
    pub(super) fn shows(&self, scheme: &str, proof: &str) -> bool {
        let shown = self.authorization.as_ref().and_then(|shown| shown.expose_secret().strip_prefix(scheme));
        shown.is_some_and(|shown| shown.as_bytes().ct_eq(proof.as_bytes()).into())
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn form(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The path's segments, for matching.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The person a create call is for, in E.164.
    pub(super) fn to(&self) -> Option<String> {
        if self.kind != Kind::Send {
            return None;
        }
        match self.provider {
            Provider::Whatsapp => {
                self.json["to"].as_str().map(|to| format!("+{}", to.trim_start_matches('+')))
            }
            Provider::Vapi => self.json["customer"]["number"].as_str().map(str::to_owned),
            Provider::Twilio => self.form("To").map(str::to_owned),
        }
    }

    /// The caller's own id for it, where this wire carries one.
    pub(super) fn attempt(&self) -> Option<String> {
        if self.kind != Kind::Send {
            return None;
        }
        match self.provider {
            Provider::Whatsapp => self.json["biz_opaque_callback_data"].as_str().map(str::to_owned),
            Provider::Vapi => self.json["name"].as_str().map(str::to_owned),
            Provider::Twilio => attempt_in(self.form("StatusCallback")?),
        }
    }
}

/// The attempt in a callback's query: `a`.
pub(super) fn attempt_in(callback: &str) -> Option<String> {
    let callback = url::Url::parse(callback).ok()?;
    callback.query_pairs().find(|(key, _)| key == "a").map(|(_, value)| value.into_owned())
}

fn provider(first: &str) -> Option<Provider> {
    match first {
        "2010-04-01" => Some(Provider::Twilio),
        "call" | "phone-number" => Some(Provider::Vapi),
        version => {
            let digits = version.strip_prefix('v')?;
            digits.starts_with(|c: char| c.is_ascii_digit()).then_some(Provider::Whatsapp)
        }
    }
}

fn kind(provider: Provider, method: &Method, segments: &[String]) -> Kind {
    if method == Method::GET {
        return Kind::Lookup;
    }
    let last = segments.last().map_or("", String::as_str);
    match (provider, last, segments.len()) {
        (Provider::Whatsapp, "messages", _)
        | (Provider::Vapi, "call", 1)
        | (Provider::Twilio, "Messages.json", _) => Kind::Send,
        (Provider::Vapi, "control", _) | (Provider::Twilio, _, 5..) => Kind::Recall,
        (Provider::Whatsapp | Provider::Vapi | Provider::Twilio, _, _) => Kind::Setup,
    }
}

/// An answer, before it is written down and sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub status: u16,
    pub body: Value,
    /// The provider's error code.
    pub code: Option<String>,
    /// Seconds, in a header.
    pub retry_after: Option<u32>,
}

impl Reply {
    /// A success.
    pub(super) fn ok(status: u16, body: Value) -> Self {
        Self { status, body, code: None, retry_after: None }
    }

    /// A refusal with the provider's code.
    pub(super) fn error(status: u16, code: impl ToString, body: Value) -> Self {
        Self { status, body, code: Some(code.to_string()), retry_after: None }
    }
}
