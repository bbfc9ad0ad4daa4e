//! What Twilio posts to us, and what its message list shows, as the same facts (PROVIDERS.md 2.4, 2.5, 2.7).
//! Pure.

use super::{NAME, subject};
use crate::model::{At, Channel, Class, Failure, Phone, Sent, Untrusted};
use crate::providers::errors::{self, About, Row, Told, Words};
use crate::providers::wire::{money, phone, rfc2822, scalar, text};
use crate::providers::{Fact, Heard};
use serde_json::Value;

/// The values of a form, in their order; names may repeat.
pub type Form = [(String, String)];

fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

fn about(dedup: String, at: Option<At>, person: Option<Phone>, what: Fact) -> Heard {
    Heard {
        provider: NAME,
        channel: Channel::Sms,
        dedup,
        happened_at: at,
        provider_id: None,
        attempt_key: None,
        person,
        what,
    }
}

/// A status callback; `attempt_key` stands in the query of its address.
pub fn heard_status(form: &Form, attempt_key: Option<&str>) -> Option<Heard> {
    let sid = field(form, "MessageSid").or_else(|| field(form, "SmsSid"))?;
    let status = field(form, "MessageStatus").or_else(|| field(form, "SmsStatus"))?;
    let what = progress(status, field(form, "ErrorCode"), field(form, "ErrorMessage").unwrap_or_default());
    Some(Heard {
        provider_id: Some(sid.to_owned()),
        attempt_key: attempt_key.map(str::to_owned),
        ..about(format!("{sid}:{status}"), None, field(form, "To").and_then(phone), what)
    })
}

/// An inbound message.
pub fn heard_inbound(form: &Form) -> Option<Heard> {
    let sid = field(form, "MessageSid").or_else(|| field(form, "SmsSid"))?;
    let provider_optout = match field(form, "OptOutType") {
        Some("STOP") => Some(true),
        Some("START") => Some(false),
        Some(_) | None => None,
    };
    let text = Untrusted::new(field(form, "Body").unwrap_or_default());
    let what = Fact::Inbound { text, payload: None, provider_optout };
    Some(about(format!("{sid}:received"), None, field(form, "From").and_then(phone), what))
}

fn progress(status: &str, code: Option<&str>, words: &str) -> Fact {
    match status {
        "queued" | "accepted" | "scheduled" | "sending" | "sent" | "partially_delivered" => Fact::Sent,
        "delivered" => Fact::Delivered,
        "read" => Fact::Read,
        "failed" | "undelivered" => Fact::Failed(Box::new(later(status, code, words))),
        other => Fact::System { what: format!("SMS {other}").into(), shuts: None },
    }
}

fn later(status: &str, code: Option<&str>, words: &str) -> Failure {
    let row = code.and_then(|code| errors::find(errors::TWILIO, code)).unwrap_or(&UNKNOWN_LATER);
    let words =
        Words { code: code.unwrap_or(status).to_owned(), detail: words.to_owned(), retry_after_s: None };
    errors::failure(row, subject(None), words, Told::Later)
}

/// Reported as failed by a code nobody documents.
const UNKNOWN_LATER: Row = Row {
    codes: &[],
    title: "failed for an unknown reason",
    class: Class::Outage,
    about: About::Person,
    sent: Sent::Maybe,
    remedy: "See Twilio's error list for the code; the cascade goes on to the next step by itself.",
};

/// A message of ours as the API shows it; the price is a fact of its own.
pub(super) fn of_message(message: &Value) -> Vec<Heard> {
    let (Some(sid), Some(status)) = (text(message, "/sid"), text(message, "/status")) else {
        return Vec::new();
    };
    let code = scalar(message, "/error_code");
    let what = progress(status, code.as_deref(), text(message, "/error_message").unwrap_or_default());
    let to = text(message, "/to").and_then(phone);
    let at = rfc2822(message, "/date_updated").or_else(|| rfc2822(message, "/date_created"));
    let ours = |dedup: String, what: Fact| Heard {
        provider_id: Some(sid.to_owned()),
        ..about(dedup, at, to.clone(), what)
    };
    let price = money(message, "/price").map(|price| ours(format!("{sid}:price"), Fact::Cost(price)));
    std::iter::once(ours(format!("{sid}:{status}"), what)).chain(price).collect()
}

/// A message to us as the API shows it, keyed as its webhook.
pub(super) fn of_inbound(message: &Value) -> Option<Heard> {
    let sid = text(message, "/sid")?;
    let what = Fact::Inbound {
        text: Untrusted::new(text(message, "/body").unwrap_or_default()),
        payload: None,
        provider_optout: None,
    };
    let at = created(message);
    Some(about(format!("{sid}:received"), at, text(message, "/from").and_then(phone), what))
}

/// When a message came into being by Twilio's clock.
pub(super) fn created(message: &Value) -> Option<At> {
    rfc2822(message, "/date_created").or_else(|| rfc2822(message, "/date_sent"))
}

/// When something last happened to it that a list may be sorted by.
pub(super) fn newest(message: &Value) -> Option<At> {
    rfc2822(message, "/date_sent").max(rfc2822(message, "/date_created"))
}
