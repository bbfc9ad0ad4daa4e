//! What Meta tells by webhook: statuses, replies, preferences, paused templates (PROVIDERS.md 1.7-1.10).

use super::super::deliver::{Again, Body, Delivery};
use super::super::ledger::Provider;
use super::super::people::{Draw, Saying, written};
use super::super::sign::ascii_json;
use super::super::world::World;
use super::send::pressed;
use super::{DISPLAY_NUMBER, Message, Status, business_account_id, phone_number_id, title};
use crate::model::{At, Channel};
use serde_json::{Value, json};

fn secs(at: At) -> String {
    (at.millis() / 1000).to_string()
}

/// Posts one change to our callback, if one is set.
fn post(
    world: &mut World,
    at: At,
    field: &str,
    to: Option<&str>,
    what: &str,
    outcome: Option<&str>,
    value: Value,
) {
    let Some(url) = world.hooks.meta.clone() else { return };
    let entry = json!({"id": business_account_id(world), "time": at.millis() / 1000,
        "changes": [{"field": field, "value": value}]});
    let envelope = json!({"object": "whatsapp_business_account", "entry": [entry]});
    let token = world.new_id();
    let delivery = Delivery {
        provider: Provider::Whatsapp,
        to: to.map(str::to_owned),
        url,
        body: Body::Json(ascii_json(&envelope)),
        what: what.to_owned(),
        outcome: outcome.map(str::to_owned),
        again: Again::Days,
        signed: true,
        forged: false,
        batched: false,
        parts: Vec::new(),
        tries: 0,
        first: at,
        token,
    };
    world.post(at, delivery);
}

/// The frame of a `messages` change.
fn value(world: &World, to: &str) -> Value {
    let digits = to.trim_start_matches('+');
    // Business-scoped user ids come with every webhook since April 2026.
    let user = format!("US.{}", Draw::new(0, to, "bsuid").bits("id"));
    json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": DISPLAY_NUMBER, "phone_number_id": phone_number_id(world)},
        "contacts": [{"profile": {"name": "Sandbox"}, "wa_id": digits, "user_id": user}],
    })
}

/// A message gets a status, in the person's world and by webhook.
pub(in crate::sandbox) fn status(world: &mut World, at: At, id: &str, status: Status, code: Option<u32>) {
    let Some(message) = world.messages.get_mut(id) else { return };
    message.events.push((status, at));
    let message = message.clone();
    world.keep("message", id, &message);
    let to = message.to.as_str();
    match status {
        Status::Delivered => world.saw(at, Provider::Whatsapp, to, "arrived"),
        Status::Read => world.saw(at, Provider::Whatsapp, to, "read"),
        Status::Sent | Status::Failed => {}
    }
    let entry = status_entry(id, &message, at, status, code);
    let mut value = value(world, to);
    value["statuses"] = json!([entry]);
    let outcome = match status {
        Status::Sent => None,
        Status::Delivered => Some("delivered"),
        Status::Read => Some("read"),
        Status::Failed if code == Some(131_050) => Some("opted_out"),
        Status::Failed => Some("bounced"),
    };
    post(world, at, "messages", Some(to), status.as_str(), outcome, value);
}

fn status_entry(id: &str, message: &Message, at: At, status: Status, code: Option<u32>) -> Value {
    let mut entry = json!({"id": id, "status": status.as_str(), "timestamp": secs(at),
        "recipient_id": message.to.trim_start_matches('+')});
    if let Some(opaque) = &message.opaque {
        entry["biz_opaque_callback_data"] = json!(opaque);
    }
    if matches!(status, Status::Sent | Status::Delivered) {
        let free = message.category == "service";
        entry["pricing"] = json!({"billable": !free, "pricing_model": "PMP",
            "type": if free { "free_customer_service" } else { "regular" },
            "category": message.category.to_lowercase()});
    }
    if let Some(code) = code {
        entry["errors"] = json!([{"code": code, "title": title(code), "message": title(code),
            "error_data": {"details": title(code)},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"}]);
    }
    entry
}

/// Somebody answers a message: a button, or words.
pub(in crate::sandbox) fn reply(world: &mut World, at: At, id: &str, saying: Saying) {
    let Some(message) = world.messages.get(id).cloned() else { return };
    let to = message.to.clone();
    let draw = world.people.draw(&to, Channel::Whatsapp);
    let button = pressed(&message, saying, draw.unit("presses") < 0.5);
    let mut inbound = json!({"from": to.trim_start_matches('+'), "id": format!("wamid.IN{}", world.new_id()),
        "timestamp": secs(at)});
    let mut quotes = draw.unit("quotes") < 0.3;
    if let Some(button) = button {
        inbound["type"] = json!("button");
        inbound["button"] = json!({"payload": button.payload, "text": button.caption});
        quotes = true;
    } else {
        inbound["type"] = json!("text");
        inbound["text"] = json!({"body": written(&draw, saying)});
    }
    // A button tells which message is meant; words do so only if the person quotes us.
    if quotes {
        inbound["context"] = json!({"from": DISPLAY_NUMBER, "id": id});
    }
    let stop = saying == Saying::Stop;
    written_to_us(world, at, &to, inbound, stop);
    if stop && draw.unit("preference") < 0.5 {
        prefer_stop(world, at, &to);
    }
}

/// Somebody writes to our number, in answer to nothing.
pub(in crate::sandbox) fn writes(world: &mut World, at: At, from: &str, text: &str, stop: bool) {
    let inbound = json!({"from": from.trim_start_matches('+'), "id": format!("wamid.IN{}", world.new_id()),
        "timestamp": secs(at), "type": "text", "text": {"body": text}});
    written_to_us(world, at, from, inbound, stop);
}

fn written_to_us(world: &mut World, at: At, from: &str, inbound: Value, stop: bool) {
    world.keep("window", from, &at.millis());
    world.windows.insert(from.to_owned(), at);
    world.saw(at, Provider::Whatsapp, from, if stop { "stop" } else { "replied" });
    let mut said = value(world, from);
    said["messages"] = json!([inbound]);
    let outcome = if stop { "opted_out" } else { "replied" };
    post(world, at, "messages", Some(from), "inbound", Some(outcome), said);
}

/// Some also use the app's own switch.
fn prefer_stop(world: &mut World, at: At, to: &str) {
    world.stop(Provider::Whatsapp, to);
    let mut preference = value(world, to);
    preference["user_preferences"] = json!([{"wa_id": to.trim_start_matches('+'),
        "detail": "User requested to stop marketing messages", "category": "marketing_messages",
        "value": "stop", "timestamp": at.millis() / 1000}]);
    post(world, at, "user_preferences", Some(to), "user_preferences", Some("opted_out"), preference);
}

/// A template is paused for its quality, and everybody who subscribed hears it.
pub(super) fn pause(world: &mut World, at: At, key: &str) {
    let Some(template) = world.templates.get_mut(key) else { return };
    template.paused = true;
    let template = template.clone();
    world.keep("template", key, &template);
    let value = json!({"event": "PAUSED", "message_template_id": template.id.parse::<u64>().unwrap_or_default(),
        "message_template_name": template.name, "message_template_language": template.language,
        "reason": "NONE", "message_template_category": template.category});
    post(world, at, "message_template_status_update", None, "template paused", None, value);
}
