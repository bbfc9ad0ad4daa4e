//! What Vapi posts to us, and what `GET /call/{id}` shows, as the same facts (PROVIDERS.md 4.2 to 4.5). Pure.

use super::NAME;
use crate::engine::event::CallProgress;
use crate::model::{At, Channel, Class, Sent, Untrusted};
use crate::providers::errors::{self, About, Row, Subject, Told, Words};
use crate::providers::wire::{fingerprint, list, money, phone, rfc3339, text};
use crate::providers::{CallEnd, CallResult, Control, Fact, Heard};
use serde_json::Value;

/// The facts of one webhook body; kinds we did not ask for carry none.
pub fn heard(body: &Value) -> Vec<Heard> {
    let message = body.get("message").unwrap_or(&Value::Null);
    let call = message.get("call").unwrap_or(&Value::Null);
    match text(message, "/type") {
        Some("status-update") => {
            let status = text(message, "/status").unwrap_or_default();
            vec![fact(call, message, "status-update", status)]
        }
        Some("end-of-call-report") => vec![fact(call, message, "end-of-call-report", "ended")],
        Some(_) => Vec::new(),
        None => vec![unread(body)],
    }
}

/// The facts of a call object, keyed as its webhooks would have been: whichever comes first counts.
pub(super) fn of_call(call: &Value) -> Vec<Heard> {
    let status = text(call, "/status").unwrap_or_default();
    let analysed = call.get("analysis").is_some_and(|a| a.as_object().is_some_and(|o| !o.is_empty()));
    let kind = if status == "ended" && analysed { "end-of-call-report" } else { "status-update" };
    vec![fact(call, call, kind, status)]
}

/// Signed, and not to be made sense of. Its words stand nowhere: they may be anybody's.
fn unread(body: &Value) -> Heard {
    Heard {
        provider: NAME,
        channel: Channel::Phone,
        dedup: format!("unread:{}", fingerprint(body.to_string().as_bytes())),
        happened_at: None,
        provider_id: None,
        attempt_key: None,
        person: None,
        what: Fact::System { what: "a webhook of Vapi that cannot be read".into(), shuts: None },
    }
}

/// `call` says which call it is, `said` (a message, or the call itself) how it stands. A report without the call's id
/// may hold a STOP all the same: then its own bytes are its key.
fn fact(call: &Value, said: &Value, kind: &str, status: &str) -> Heard {
    let id = text(call, "/id").map(str::to_owned);
    let what = match status {
        "scheduled" | "queued" => Fact::CallProgressed(CallProgress::Queued),
        "ringing" => Fact::CallProgressed(CallProgress::Ringing),
        "in-progress" | "forwarding" => Fact::CallProgressed(CallProgress::InProgress),
        "ended" => Fact::CallEnded(end(call, said)),
        other => Fact::System { what: format!("call is {other:?}").into(), shuts: None },
    };
    // A report has no status of its own.
    let last = if kind == "status-update" { status } else { "" };
    let named = || format!("unnamed:{}", fingerprint(said.to_string().as_bytes()));
    Heard {
        provider: NAME,
        channel: Channel::Phone,
        dedup: format!("{}:{kind}:{last}", id.clone().unwrap_or_else(named)),
        happened_at: when(call, said, status),
        provider_id: id,
        attempt_key: key(call).or_else(|| key(said)),
        person: number(said).or_else(|| number(call)),
        what,
    }
}

/// `timestamp` may be seconds or milliseconds; an end has a time of its own.
fn when(call: &Value, said: &Value, status: &str) -> Option<At> {
    let end = (status == "ended").then(|| rfc3339(said, "/endedAt").or_else(|| rfc3339(call, "/endedAt")));
    let stamp = || said.get("timestamp").and_then(Value::as_f64).filter(|n| n.is_finite() && *n > 0.0);
    end.flatten()
        .or_else(|| stamp().map(|n| At::from_millis(if n < 1e11 { n * 1000.0 } else { n } as i64)))
        .or_else(|| rfc3339(call, "/updatedAt"))
}

pub(super) fn key(call: &Value) -> Option<String> {
    let places = ["/assistant/metadata/attempt_id", "/assistantOverrides/metadata/attempt_id", "/name"];
    places.iter().find_map(|place| text(call, place)).filter(|key| key.starts_with("att_")).map(str::to_owned)
}

fn number(said: &Value) -> Option<crate::model::Phone> {
    text(said, "/customer/number").and_then(phone)
}

fn end(call: &Value, said: &Value) -> CallEnd {
    let either = |pointer: &str| said.pointer(pointer).or_else(|| call.pointer(pointer));
    let reason = either("/endedReason").and_then(Value::as_str).unwrap_or("unknown").to_owned();
    let words = person_said(said).or_else(|| person_said(call));
    let result = result(&reason, words.as_deref().is_some_and(|w| !w.trim().is_empty()));
    let span = rfc3339(said, "/startedAt")
        .or_else(|| rfc3339(call, "/startedAt"))
        .zip(rfc3339(said, "/endedAt").or_else(|| rfc3339(call, "/endedAt")));
    CallEnd {
        talked_s: span
            .filter(|_| matches!(result, CallResult::Answered | CallResult::NoAnswer { machine: true }))
            .and_then(|(from, to)| u64::try_from((to - from).num_seconds()).ok()),
        said: words.map(Untrusted::new),
        structured: either("/analysis/structuredData").filter(|data| !data.is_null()).cloned(),
        cost: money(said, "/cost").or_else(|| money(call, "/cost")),
        reason,
        result,
    }
}

/// What the person said, from the messages or else from the transcript; `None` if there is no record at all.
fn person_said(said: &Value) -> Option<String> {
    let messages = ["/artifact/messages", "/messages"].iter().map(|p| list(said, p)).find(|m| !m.is_empty());
    let lines: Vec<&str> = match messages {
        Some(messages) => messages
            .iter()
            .filter(|m| text(m, "/role") == Some("user"))
            .filter_map(|m| text(m, "/message"))
            .collect(),
        None => text(said, "/artifact/transcript")
            .or_else(|| text(said, "/transcript"))?
            .lines()
            .filter_map(|line| line.trim().strip_prefix("User:"))
            .map(str::trim)
            .collect(),
    };
    Some(lines.join("\n"))
}

/// What an end means. `spoke`: the record has words of the person, so they were on the line whatever broke
/// afterwards.
pub(super) fn result(reason: &str, spoke: bool) -> CallResult {
    const ANSWERED: Row = plain(&[
        "customer-ended-call*",
        "assistant-ended-call*",
        "assistant-said-end-call-phrase",
        "assistant-forwarded-call",
        "exceeded-max-duration",
        "call.in-progress.twilio-completed-call",
        "call.in-progress.sip-completed-call",
        "vonage-completed",
        "call.forwarding.*",
        "call.in-progress.error-transfer-failed",
        "call.in-progress.error-warm-transfer-*",
        "call.ending.hook-executed-*",
    ]);
    const NO_ANSWER: Row = plain(&[
        "customer-did-not-answer",
        "customer-busy",
        "*outbound-sip-408-request-timeout",
        "*outbound-sip-480-temporarily-unavailable",
        "*outbound-sip-486-*",
        "*outbound-sip-487-*",
        "*outbound-sip-600-*",
        "*outbound-sip-603-*",
        "call.in-progress.error-assistant-did-not-receive-customer-audio",
        "customer-did-not-give-microphone-permission",
        "call.ringing.hook-executed-*",
        "silence-timed-out",
    ]);
    const CANCELED: Row = plain(&["manually-canceled", "call-deleted", "scheduled-call-deleted"]);
    if reason == "voicemail" {
        return CallResult::NoAnswer { machine: true };
    }
    if CANCELED.covers(reason) {
        return CallResult::Canceled;
    }
    if spoke || ANSWERED.covers(reason) {
        return CallResult::Answered;
    }
    if NO_ANSWER.covers(reason) {
        return CallResult::NoAnswer { machine: false };
    }
    let row = errors::find(errors::VAPI, reason).unwrap_or(&UNKNOWN);
    let words = Words { code: reason.to_owned(), ..Words::default() };
    let about = Subject { channel: Channel::Phone, provider: NAME, template: None, country: None };
    CallResult::Failed(Box::new(errors::failure(row, about, words, Told::Later)))
}

/// A list of reasons that are no failure.
const fn plain(codes: &'static [&'static str]) -> Row {
    Row { codes, title: "", class: Class::Recipient, about: About::Person, sent: Sent::Maybe, remedy: "" }
}

const UNKNOWN: Row = Row {
    codes: &[],
    title: "call ended for an unknown reason",
    class: Class::Outage,
    about: About::Person,
    sent: Sent::Maybe,
    remedy: "See the provider's reason; the cascade goes on to the next step by itself.",
};

/// The control URL of a call object.
pub(super) fn control(call: &Value) -> Option<Control> {
    text(call, "/monitor/controlUrl").map(|url| Control::new(url.to_owned()))
}
