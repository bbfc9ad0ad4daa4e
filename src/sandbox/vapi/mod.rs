//! The voice agent's provider: Vapi's side of its API (PROVIDERS.md section 4).

mod create;
mod told;

pub(super) use told::go_on;

use super::acts::Act;
use super::people::Saying;
use super::wire::{Call as Request, Reply};
use super::world::World;
use crate::model::At;
use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Calls at once per organisation.
const LINES: usize = 10;

/// Where a call stands; Vapi's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CallStatus {
    Queued,
    Ringing,
    InProgress,
    Ended,
}

impl CallStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Ended => "ended",
        }
    }
}

/// What happens next in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Ringing,
    /// A person or a machine picks up.
    Up,
    /// It ends by itself; how, the plan says.
    Down,
    /// The analysis is done.
    Report,
}

/// Where a call's webhooks go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Server {
    url: String,
    /// With a credential that we know, webhooks are signed.
    signed: bool,
    again: super::deliver::Again,
}

/// A call that was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Call {
    id: String,
    /// The caller's own name for it.
    name: Option<String>,
    customer: Value,
    to: String,
    status: CallStatus,
    reason: Option<String>,
    created: At,
    updated: At,
    started: Option<At>,
    ended: Option<At>,
    /// What the person says, if one picks up.
    saying: Option<Saying>,
    /// A machine picks up.
    machine: bool,
    /// Why it ends by itself.
    ends: String,
    first_message: String,
    voicemail: Option<String>,
    schema: Value,
    server: Option<Server>,
    messages: Option<Vec<String>>,
    report_ms: i64,
    /// After the end: analysis, artifact and cost.
    report: Option<Value>,
}

fn org_id(world: &World) -> String {
    uuid(&world.account_id("vapi org", 32))
}

fn phone_number_id(world: &World) -> String {
    uuid(&world.account_id("vapi number", 32))
}

fn credential_id(world: &World) -> String {
    uuid(&world.account_id("vapi credential", 32))
}

/// 32 hexadecimal digits in a UUID's clothes.
fn uuid(hex: &str) -> String {
    let part = |range| hex.get(range).unwrap_or("0000");
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

/// The keys of `[phone]`.
pub(super) fn config(world: &World) -> Value {
    json!({
        "provider": "vapi",
        "base_url": world.url(),
        "phone_number_id": phone_number_id(world),
        "api_key": world.secrets.api_key,
        "webhook_secret": world.secrets.webhook_secret,
        "webhook_credential_id": credential_id(world),
    })
}

fn error(status: u16, message: &str) -> Reply {
    let name = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        404 => "Not Found",
        429 => "Too Many Requests",
        _ => "Error",
    };
    let mut reply =
        Reply::error(status, status, json!({"message": message, "error": name, "statusCode": status}));
    if status == 429 {
        reply.retry_after = Some(2);
    }
    reply
}

/// A refusal on demand.
pub(super) fn refusal(status: u16) -> Reply {
    error(if (400..600).contains(&status) { status } else { 429 }, "a fault was asked for")
}

/// Answers one request.
pub(super) fn answer(world: &mut World, request: &Request) -> Reply {
    if !request.shows("Bearer ", &world.secrets.api_key) {
        return error(
            401,
            "Invalid Key. Hot tip, you may be using the public key instead of the private key.",
        );
    }
    let get = request.method == Method::GET;
    let post = request.method == Method::POST;
    match request.parts().as_slice() {
        ["call"] if post => create::create(world, request),
        ["call"] if get => list(world, request),
        ["call", id] if get => match world.calls.get(*id) {
            Some(call) => Reply::ok(200, shown(world, call)),
            None => error(404, "Couldn't Get Call."),
        },
        ["call", id, "control"] if post => control(world, request, id),
        ["phone-number", id] if get && *id == phone_number_id(world) => Reply::ok(
            200,
            json!({"id": id, "orgId": org_id(world), "provider": "twilio", "number": "+15550009998",
                "status": "active", "createdAt": "2026-01-01T00:00:00.000Z",
                "updatedAt": "2026-01-01T00:00:00.000Z"}),
        ),
        _ => error(404, "Not Found"),
    }
}

/// A call as `GET /call/{id}` shows it.
fn shown(world: &World, call: &Call) -> Value {
    let control = format!("{}/call/{}/control", world.url(), call.id);
    let mut shown = json!({"id": call.id, "orgId": org_id(world), "type": "outboundPhoneCall",
        "status": call.status.as_str(), "createdAt": call.created, "updatedAt": call.updated,
        "phoneNumberId": phone_number_id(world), "customer": call.customer, "cost": 0,
        "phoneCallProvider": "twilio", "phoneCallTransport": "pstn",
        "monitor": {"controlUrl": control}});
    let optional = [
        ("name", call.name.as_ref().map(|n| json!(n))),
        ("endedReason", call.reason.as_ref().map(|r| json!(r))),
        ("startedAt", call.started.map(|at| json!(at))),
        ("endedAt", call.ended.map(|at| json!(at))),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            shown[key] = value;
        }
    }
    if let Some(Value::Object(report)) = &call.report {
        for (key, value) in report {
            shown[key] = value.clone();
        }
    }
    shown
}

fn list(world: &World, request: &Request) -> Reply {
    let bound = |name: &str| request.query(name).and_then(|at| At::parse(at).ok());
    let (from, after) = (bound("createdAtGe"), bound("createdAtGt"));
    let (to, before) = (bound("createdAtLe"), bound("createdAtLt"));
    let limit = request.query("limit").and_then(|l| l.parse().ok()).unwrap_or(100_usize).min(1000);
    if request.query("phoneNumberId").is_some_and(|id| id != phone_number_id(world)) {
        return Reply::ok(200, json!([]));
    }
    let seen = request.at - world.faults.lag(request.provider, request.at);
    let fits = |call: &&Call| {
        call.created <= seen
            && from.is_none_or(|at| call.created >= at)
            && after.is_none_or(|at| call.created > at)
            && to.is_none_or(|at| call.created <= at)
            && before.is_none_or(|at| call.created < at)
    };
    let calls: Vec<Value> =
        world.calls.values().rev().filter(fits).take(limit).map(|call| shown(world, call)).collect();
    Reply::ok(200, json!(calls))
}

/// Whom a recalled call was for, and its name.
pub(super) fn about(world: &World, request: &Request) -> (Option<String>, Option<String>) {
    let call = request.segments.get(1).and_then(|id| world.calls.get(id));
    (call.map(|call| call.to.clone()), call.and_then(|call| call.name.clone()))
}

/// Hangs up, as the control URL does for live calls.
fn control(world: &mut World, request: &Request, id: &str) -> Reply {
    if request.json["type"] != "end-call" {
        return error(400, "this sandbox understands {\"type\":\"end-call\"} alone");
    }
    match world.calls.get(id).map(|call| call.status) {
        None => error(404, "Couldn't Get Call."),
        Some(CallStatus::Ended) => error(400, "Call has already ended."),
        Some(CallStatus::Queued | CallStatus::Ringing | CallStatus::InProgress) => {
            world.cancel(|act| matches!(act, Act::Call { call, .. } if call == id));
            told::end(world, request.at, id, "manually-canceled");
            Reply::ok(200, json!({"success": true}))
        }
    }
}
