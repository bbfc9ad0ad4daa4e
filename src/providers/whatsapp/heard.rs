//! What Meta posts to us, as facts (PROVIDERS.md 1.7 to 1.10). Pure; knows no signature.

use super::{NAME, subject};
use crate::model::{At, Channel, Failure, Phone, Untrusted};
use crate::providers::errors::{self, Told, Words};
use crate::providers::wire::{fingerprint, list, phone, scalar, text, unix_seconds};
use crate::providers::{Fact, Heard};
use serde_json::Value;

/// Everything in one webhook body, in its order. Unknown fields, kinds and types are passed over or become a
/// [`Fact::System`], so that nothing a signed body tells is lost without a trace.
pub fn heard(body: &Value) -> Vec<Heard> {
    let mut all = Vec::new();
    let is_list = |value: &Value, name: &str| value.get(name).is_some_and(Value::is_array);
    if !is_list(body, "entry") {
        all.push(unread(body, body, "a webhook"));
    }
    for entry in list(body, "/entry") {
        if !is_list(entry, "changes") {
            all.push(unread(entry, entry, "an entry"));
        }
        for change in list(entry, "/changes") {
            all.extend(from_change(entry, change));
        }
    }
    all
}

fn from_change(entry: &Value, change: &Value) -> Vec<Heard> {
    let value = change.get("value").unwrap_or(&Value::Null);
    match text(change, "/field").unwrap_or("messages") {
        "messages" => {
            let status = |s| from_status(s).unwrap_or_else(|| unread(entry, s, "a status"));
            let statuses = list(value, "/statuses").iter().map(status);
            let messages = list(value, "/messages").iter().map(from_message);
            let errors = list(value, "/errors").iter().map(|error| from_error(entry, error));
            let all: Vec<Heard> = statuses.chain(messages).chain(errors).collect();
            if all.is_empty() { vec![unread(entry, value, "a change")] } else { all }
        }
        "user_preferences" => {
            let preference = |p| from_preference(p).unwrap_or_else(|| unread(entry, p, "a preference"));
            list(value, "/user_preferences").iter().map(preference).collect()
        }
        "message_template_status_update" => vec![from_template(entry, value)],
        other => vec![notice(entry, value, format!("news of {other}"), None)],
    }
}

/// A fact about a person, less its own words.
fn about(dedup: String, at: Option<At>, person: Option<Phone>, what: Fact) -> Heard {
    Heard {
        provider: NAME,
        channel: Channel::Whatsapp,
        dedup,
        happened_at: at,
        provider_id: None,
        attempt_key: None,
        person,
        what,
    }
}

/// A fact about our account: Meta gives it no id, so its own bytes are its key.
fn notice(entry: &Value, value: &Value, what: String, shuts: Shuts) -> Heard {
    let at = unix_seconds(entry, "/time");
    let dedup = format!("system:{}:{}", at.map_or(0, At::millis), fingerprint(value.to_string().as_bytes()));
    about(dedup, at, None, Fact::System { what: Untrusted::new(what), shuts })
}

/// Signed, and not to be made sense of. Its words stand nowhere: they may be anybody's.
fn unread(entry: &Value, value: &Value, what: &str) -> Heard {
    notice(entry, value, format!("{what} of WhatsApp that cannot be read"), None)
}

type Shuts = Option<(crate::model::Scope, Box<Failure>)>;

fn from_status(status: &Value) -> Option<Heard> {
    let id = text(status, "/id")?;
    let word = text(status, "/status")?;
    let what = match word {
        "sent" => Fact::Sent,
        "delivered" => Fact::Delivered,
        // A voice message is played by whoever has seen it.
        "read" | "played" => Fact::Read,
        "failed" => Fact::Failed(Box::new(later(status.pointer("/errors/0").unwrap_or(&Value::Null)))),
        other => Fact::System { what: format!("unknown status {other}").into(), shuts: None },
    };
    let person = text(status, "/recipient_id").and_then(phone);
    Some(Heard {
        provider_id: Some(id.to_owned()),
        attempt_key: text(status, "/biz_opaque_callback_data").map(str::to_owned),
        ..about(format!("{id}:{word}"), unix_seconds(status, "/timestamp"), person, what)
    })
}

/// An error object of a webhook as a failure: same codes as at the create call.
fn later(error: &Value) -> Failure {
    super::sort(error, None, subject(None, None), Told::Later)
}

fn from_error(entry: &Value, error: &Value) -> Heard {
    let failure = later(error);
    let what = format!("WhatsApp reports {}: {}", failure.code, failure.detail.raw());
    let shuts = (failure.class == crate::model::Class::Config)
        .then(|| (failure.scope.clone(), Box::new(failure)))
        // A system-level error names no template and no country; a scope without its key would shut nobody.
        .filter(|(scope, _)| scope.key() != Some(""));
    notice(entry, error, what, shuts)
}

/// One without an id is a message all the same, and may be a STOP: then its own bytes are its key.
fn from_message(message: &Value) -> Heard {
    let unnamed = || format!("unnamed:{}", fingerprint(message.to_string().as_bytes()));
    let id = text(message, "/id").map_or_else(unnamed, str::to_owned);
    let at = unix_seconds(message, "/timestamp");
    let person = text(message, "/from").and_then(phone);
    let Some(inbound) = inbound(message) else {
        let what = Fact::System { what: system(message).into(), shuts: None };
        return about(id, at, person, what);
    };
    let (said, payload) = inbound;
    let attempt_key = payload.as_deref().and_then(|p| Some(p.split_once(':')?.1.to_owned()));
    let answered = text(message, "/context/id").or_else(|| text(message, "/reaction/message_id"));
    let what = Fact::Inbound { text: Untrusted::new(said), payload, provider_optout: None };
    Heard {
        provider_id: answered.map(str::to_owned),
        attempt_key: attempt_key.filter(|key| key.starts_with("att_")),
        ..about(id, at, person, what)
    }
}

/// Words and payload of a message by a person; `None` for a notice of the system or a reaction taken back.
fn inbound(message: &Value) -> Option<(String, Option<String>)> {
    let own = |pointer: &str| text(message, pointer).map(str::to_owned);
    let kind = text(message, "/type").unwrap_or("unknown");
    match kind {
        "text" => Some((own("/text/body").unwrap_or_default(), None)),
        "button" => Some((own("/button/text").unwrap_or_default(), own("/button/payload"))),
        "interactive" => {
            let reply = ["/interactive/button_reply", "/interactive/list_reply"]
                .into_iter()
                .find_map(|pointer| message.pointer(pointer))?;
            Some((
                text(reply, "/title").unwrap_or_default().to_owned(),
                text(reply, "/id").map(str::to_owned),
            ))
        }
        "reaction" => Some((own("/reaction/emoji")?, None)),
        "system" => None,
        // A picture, a voice message, a place: a human answer all the same.
        other => Some((own(&format!("/{other}/caption")).unwrap_or_else(|| format!("[{other}]")), None)),
    }
}

fn system(message: &Value) -> String {
    match text(message, "/system/type") {
        Some("user_changed_number" | "customer_changed_number") => {
            "this person changed their number on WhatsApp; ask them for the new one".to_owned()
        }
        kind => format!("notice about this person: {}", kind.unwrap_or("unknown")),
    }
}

fn from_preference(preference: &Value) -> Option<Heard> {
    let value = text(preference, "/value")?;
    let stop = match value {
        "stop" => true,
        "resume" => false,
        _ => return None,
    };
    let who = text(preference, "/wa_id").or_else(|| text(preference, "/user_id"))?;
    let at = unix_seconds(preference, "/timestamp");
    let dedup = format!("preference:{who}:{value}:{}", at.map_or(0, At::millis));
    Some(about(dedup, at, phone(who), Fact::Preference { stop }))
}

/// A template was paused, disabled, approved: it shuts its scope unless it can be sent.
fn from_template(entry: &Value, value: &Value) -> Heard {
    let own = |name: &str| scalar(value, name).unwrap_or_default();
    let event = own("/event");
    let key = format!("{}/{}", own("/message_template_name"), own("/message_template_language"));
    let what = format!("template {key}: {event} {}", own("/reason"));
    let code = match event.as_str() {
        "PAUSED" => "132015",
        "DISABLED" => "132016",
        "REJECTED" | "PENDING_DELETION" | "DELETED" | "LIMIT_EXCEEDED" | "ARCHIVED" | "LOCKED" => "132001",
        _ => return notice(entry, value, what, None),
    };
    let words = Words { code: code.to_owned(), detail: what.clone(), retry_after_s: None };
    // A scope without its key would shut nobody.
    let named = !key.starts_with('/') && !key.ends_with('/');
    let shuts = errors::find(errors::WHATSAPP, code).filter(|_| named).map(|row| {
        let failure = errors::failure(row, subject(Some(&key), None), words, Told::Later);
        (failure.scope.clone(), Box::new(failure))
    });
    notice(entry, value, what, shuts)
}
