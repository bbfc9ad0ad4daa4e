//! The WhatsApp Cloud API, as Meta's side of it (PROVIDERS.md section 1).

mod send;
mod templates;
mod told;

pub(super) use send::Limits;
pub(super) use templates::Template;
pub(super) use told::{reply, status, writes};

use super::deliver::loopback;
use super::wire::{Call, Reply};
use super::world::{App, World};
use crate::model::At;
use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A quick reply that a message carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Button {
    caption: String,
    /// What comes back when it is pressed.
    payload: String,
}

/// Where a message stands; Meta's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Sent,
    Delivered,
    Read,
    Failed,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Message {
    /// E.164.
    to: String,
    /// `biz_opaque_callback_data`
    opaque: Option<String>,
    category: String,
    buttons: Vec<Button>,
    /// What its URL button opens.
    link: Option<String>,
    at: At,
    /// What has become of it.
    events: Vec<(Status, At)>,
}

pub(super) fn phone_number_id(world: &World) -> String {
    world.account_number("whatsapp number")
}

fn business_account_id(world: &World) -> String {
    world.account_number("whatsapp account")
}

/// Our own number, as it is displayed.
const DISPLAY_NUMBER: &str = "15550009999";

/// The keys of `[whatsapp]`.
pub(super) fn config(world: &World) -> Value {
    json!({
        "base_url": world.url(),
        "api_version": "v23.0",
        "phone_number_id": phone_number_id(world),
        "business_account_id": business_account_id(world),
        "access_token": world.secrets.access_token,
        "app_secret": world.secrets.app_secret,
        "verify_token": world.secrets.verify_token,
    })
}

/// An error in Graph's shape. The client must decide by the code alone.
fn error(code: u32, details: &str) -> Reply {
    let status = match code {
        190 => 401,
        2 | 131_016 => 503,
        1 | 131_000 => 500,
        _ => 400,
    };
    let kind = "OAuthException";
    let message = format!("(#{code}) {}", title(code));
    let data = json!({"messaging_product": "whatsapp", "details": details});
    Reply::error(
        status,
        code,
        json!({"error": {"message": message, "type": kind, "code": code, "error_data": data,
        "fbtrace_id": format!("A{code}sandbox")}}),
    )
}

/// The usual words for a code.
fn title(code: u32) -> &'static str {
    match code {
        2 => "API Service",
        100 => "Invalid parameter",
        190 => "Invalid OAuth access token",
        130_429 => "Rate limit hit",
        131_000 => "Something went wrong",
        131_008 => "Required parameter is missing",
        33 | 131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_026 => "Message undeliverable",
        131_047 => "Re-engagement message",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement",
        131_050 => "User has stopped marketing messages from this business",
        131_051 => "Unsupported message type",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        132_000 => "Number of parameters does not match the expected number of params",
        132_001 => "Template name does not exist in the translation",
        132_015 => "Template is paused",
        _ => "Error",
    }
}

/// A refusal on demand.
pub(super) fn refusal(code: u32) -> Reply {
    error(code, "a fault was asked for")
}

/// Answers one request; `proof` tells whether the callback in it echoed the challenge.
pub(super) fn answer(world: &mut World, call: &Call, proof: Option<bool>) -> Reply {
    if !call.shows("Bearer ", &world.secrets.access_token) {
        return error(190, "the access token could not be decrypted");
    }
    let (number, account) = (phone_number_id(world), business_account_id(world));
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    match call.parts().as_slice() {
        [_, id, "messages"] if post && *id == number => send::send(world, call),
        [_, id, "message_history"] if get && *id == number => history(world, call),
        [_, id, "message_templates"] if get && *id == account => templates::list(world, call),
        [_, id, "message_templates"] if post && *id == account => templates::create(world, call),
        [_, id, "subscribed_apps"] if post && *id == account => subscribe(world, call, proof),
        [_, id, "subscribed_apps"] if get && *id == account => {
            let app = json!({"whatsapp_business_api_data": {"id": "1", "name": "cascade", "link": world.url()},
                "override_callback_uri": world.hooks.meta});
            Reply::ok(200, json!({"data": [app]}))
        }
        [_, id, "phone_numbers"] if get && *id == account => {
            Reply::ok(200, json!({"data": [number_info(world)]}))
        }
        [_, id] if get && *id == number => Reply::ok(200, number_info(world)),
        [_, id] if get && *id == account => {
            Reply::ok(200, json!({"id": account, "name": "cascade sandbox", "timezone_id": "1"}))
        }
        [_, id, ..] => {
            let details = format!("object with ID '{id}' does not exist, or does not support this operation");
            let mut reply = error(100, &details);
            reply.body["error"]["error_subcode"] = json!(33);
            reply
        }
        _ => error(100, "unknown path"),
    }
}

fn number_info(world: &World) -> Value {
    json!({"id": phone_number_id(world), "display_phone_number": "+1 555-000-9999", "verified_name": "Sandbox",
        "quality_rating": "GREEN", "status": "CONNECTED", "code_verification_status": "VERIFIED",
        "throughput": {"level": "STANDARD"}})
}

/// Asks the callback of a `subscribed_apps` call for the challenge (PROVIDERS.md 1.5); `None` where there is
/// nothing to ask.
pub(super) async fn verify(app: &App, call: &Call) -> Option<bool> {
    if call.method != Method::POST || call.segments.last().map(String::as_str) != Some("subscribed_apps") {
        return None;
    }
    let callback = call.json["override_callback_uri"].as_str()?;
    let challenge = format!("{}", 1_000_000_000 + call.at.millis().unsigned_abs() % 1_000_000_000);
    let Some(mut url) = loopback(callback) else { return Some(false) };
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", call.json["verify_token"].as_str().unwrap_or_default());
    let Ok(response) = app.http.get(url).send().await else { return Some(false) };
    let ok = response.status().as_u16() == 200;
    Some(ok && response.text().await.is_ok_and(|body| body == challenge))
}

fn subscribe(world: &mut World, call: &Call, proof: Option<bool>) -> Reply {
    match (call.json["override_callback_uri"].as_str(), proof) {
        (Some(callback), Some(true)) => {
            world.hooks.meta = Some(callback.to_owned());
            let hooks = world.hooks.clone();
            world.keep("hooks", "", &hooks);
            Reply::ok(200, json!({"success": true}))
        }
        (Some(_), _) => error(
            100,
            "the callback URL could not be verified: it must be http on this machine and \
             answer 200 with the challenge",
        ),
        (None, _) => Reply::ok(200, json!({"success": true})),
    }
}

fn history(world: &World, call: &Call) -> Reply {
    let wanted = call.query("message_id");
    let seen = call.at - world.faults.lag(call.provider, call.at);
    let listed = |(id, message): &(&String, &Message)| {
        wanted.map_or(message.at <= seen, |wanted| wanted == id.as_str())
    };
    let mut found: Vec<(&String, &Message)> = world.messages.iter().filter(listed).collect();
    found.sort_by(|a, b| (b.1.at, b.0).cmp(&(a.1.at, a.0)));
    let limit = call.query("limit").and_then(|l| l.parse().ok()).unwrap_or(25_usize).min(100);
    let entry = |(id, message): &(&String, &Message)| {
        let hook = if world.hooks.meta.is_some() { "DELIVERED" } else { "NO_WEBHOOK" };
        let events: Vec<Value> = message
            .events
            .iter()
            .enumerate()
            .map(|(i, (status, at))| {
                json!({"id": format!("{id}.{i}"), "delivery_status": status.as_str().to_uppercase(),
                    "timestamp": at.millis() / 1000, "webhook_update_state": hook})
            })
            .collect();
        json!({"id": id, "message_id": id, "events": {"data": events}})
    };
    let data: Vec<Value> = found.iter().take(limit).map(entry).collect();
    Reply::ok(200, json!({"data": data, "paging": {"cursors": {"before": "MAZDZD", "after": "MAZDZD"}}}))
}
