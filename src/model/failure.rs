//! Why an attempt did not reach its person, sorted by what the engine and the operator can do about it.

use super::channel::words;
use super::{Channel, Untrusted};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The classes of PROVIDERS.md section 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Refused for speed or quota; nothing was sent.
    Throttle,
    /// Provider or network fault.
    Outage,
    /// This person cannot be reached on this channel.
    Recipient,
    /// They opted out at the provider.
    Suppress,
    /// Our account, template, number or payload is wrong.
    Config,
    /// The request left, its answer did not arrive.
    InDoubt,
}
words!(Class {
    Throttle => "throttle", Outage => "outage", Recipient => "recipient",
    Suppress => "suppress", Config => "config", InDoubt => "in_doubt",
});

/// Whether the person may have been contacted although the create call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// Certainly not: it broke before the first byte, or the provider documents the refusal.
    No,
    /// Nobody can tell: never resend by itself.
    Maybe,
}
words!(Sent { No => "no", Maybe => "maybe" });

/// What a failure is about, and so who is held while it lasts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "scope", content = "scope_key")]
pub enum Scope {
    /// One person.
    Person,
    /// A template in one language: `name/language`.
    Template(String),
    /// The sending number or service of a channel.
    Sender,
    /// A country, by ISO 3166-1 alpha-2 code.
    Country(String),
    /// The whole account at this provider.
    Account,
}

impl Scope {
    /// The contract's word for this kind of scope.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Template(_) => "template",
            Self::Sender => "sender",
            Self::Country(_) => "country",
            Self::Account => "account",
        }
    }

    /// What within that kind, where there is more than one: `renewal/de`, `GB`.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Template(key) | Self::Country(key) => Some(key),
            Self::Person | Self::Sender | Self::Account => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key() {
            Some("") => write!(f, "{} unknown", self.as_str()),
            Some(key) => write!(f, "{} {key}", self.as_str()),
            None => f.write_str(self.as_str()),
        }
    }
}

/// A refused, failed or doubtful attempt, in the provider's words and ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The channel it happened on.
    pub channel: Channel,
    /// `whatsapp`, `vapi`, `twilio`, or `cascade` where we refused ourselves.
    pub provider: String,
    /// The provider's code or reason: `131026`, `voicemail`, `timeout`.
    pub code: String,
    /// What the engine does about it.
    pub class: Class,
    /// What it is about.
    #[serde(flatten)]
    pub scope: Scope,
    /// Whether the person may have been contacted all the same.
    pub sent: Sent,
    /// Our short name for it.
    pub title: String,
    /// One sentence: what to mend, and whether the queue goes on by itself.
    pub remedy: String,
    /// The provider's own words.
    pub detail: Untrusted,
    /// Seconds of campaign time after which the provider allows another try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}
