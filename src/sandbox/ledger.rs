//! The lines of `/sandbox/ledger` and `/sandbox/events`, as the contract spells them.

use crate::model::At;
use serde::{Deserialize, Serialize};

/// A provider that the sandbox plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Provider {
    /// Meta's Cloud API.
    #[serde(alias = "meta")]
    Whatsapp,
    /// The voice agent.
    #[serde(alias = "phone")]
    Vapi,
    /// Text messages.
    #[serde(alias = "sms")]
    Twilio,
}

impl Provider {
    /// As failures and lines name it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::Vapi => "vapi",
            Self::Twilio => "twilio",
        }
    }

    /// The channel it serves, in the contract's word.
    pub(super) const fn channel(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::Vapi => "phone",
            Self::Twilio => "sms",
        }
    }
}

/// What a request to a provider was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// It would reach a person.
    Send,
    /// It reads.
    Lookup,
    /// It changes our account.
    Setup,
    /// It calls something back.
    Recall,
}

/// One request that reached a provider endpoint.
#[derive(Debug, Serialize)]
pub(super) struct LedgerLine<'a> {
    /// When it arrived, in campaign time.
    pub at: At,
    pub provider: &'static str,
    pub kind: Kind,
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub channel: &'static str,
    pub to: Option<&'a str>,
    pub attempt: Option<&'a str>,
    /// On sends alone.
    pub accepted: Option<bool>,
    pub code: Option<&'a str>,
    pub body_sha256: String,
}

/// Something a person did, or a webhook and what we answered to it.
#[derive(Debug, Serialize)]
pub(super) struct EventLine<'a> {
    pub at: At,
    pub provider: &'static str,
    pub channel: &'static str,
    pub to: Option<&'a str>,
    /// `person` or `webhook`.
    pub kind: &'static str,
    pub what: &'a str,
    /// The outcome that a webhook reports.
    pub outcome: Option<&'a str>,
    /// What we answered to a webhook or a click; null if nobody did.
    pub status: Option<u16>,
}
