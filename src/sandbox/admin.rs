//! `/sandbox/*`: what tests and operators ask of the sandbox itself.

use super::deliver::loopback;
use super::faults::Fault;
use super::memory::MemoryError;
use super::world::App;
use super::{meta, twilio, vapi};
use crate::model::{Channel, Phone};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/sandbox/ledger",
            get(|State(app): State<Arc<App>>| async move { lines(&app, "ledger").await }),
        )
        .route(
            "/sandbox/events",
            get(|State(app): State<Arc<App>>| async move { lines(&app, "event").await }),
        )
        .route("/sandbox/config", get(|State(app): State<Arc<App>>| async move { axum::Json(config(&app)) }))
        .route("/sandbox/webhooks", put(webhooks))
        .route("/sandbox/faults", post(fault))
        .route("/sandbox/inbound", post(inbound))
}

async fn lines(app: &App, table: &'static str) -> Response {
    match app.memory.lines(table).await {
        Ok(lines) => ([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response(),
        Err(error) => broken(&error),
    }
}

fn broken(error: &MemoryError) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response()
}

/// Everything another client needs to be pointed at this sandbox.
pub(super) fn config(app: &App) -> Value {
    let world = app.lock();
    json!({
        "speed": app.clock.speed(),
        "seed": world.seed,
        "now": app.clock.now(),
        "running": app.clock.is_running(),
        "whatsapp": meta::config(&world),
        "phone": vapi::config(&world),
        "sms": twilio::config(&world),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhooks {
    twilio_inbound: Option<String>,
    sendgrid_events: Option<String>,
}

fn unusable(problem: impl std::fmt::Display) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(json!({"error": problem.to_string()}))).into_response()
}

async fn webhooks(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let new: Webhooks = match serde_json::from_slice(&body) {
        Ok(new) => new,
        Err(error) => return unusable(error),
    };
    if let Some(far) =
        [&new.twilio_inbound, &new.sendgrid_events].into_iter().flatten().find(|u| loopback(u).is_none())
    {
        return unusable(format!(
            "{far} is not http:// on this machine, and the sandbox reaches nothing else"
        ));
    }
    let changed = app.change(|world, _| {
        world.hooks.twilio_inbound = new.twilio_inbound.or_else(|| world.hooks.twilio_inbound.take());
        world.hooks.sendgrid_events = new.sendgrid_events.or_else(|| world.hooks.sendgrid_events.take());
        let hooks = world.hooks.clone();
        world.keep("hooks", "", &hooks);
        json!({"twilio_inbound": hooks.twilio_inbound, "sendgrid_events": hooks.sendgrid_events})
    });
    match changed.await {
        Ok(hooks) => axum::Json(hooks).into_response(),
        Err(error) => broken(&error),
    }
}

/// What Twilio takes for an opt-out on a long code (PROVIDERS.md 2.5).
const STOPS: [&str; 8] = ["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inbound {
    channel: Channel,
    from: Phone,
    text: String,
}

/// Somebody writes to us, whoever it is and whatever it is about.
async fn inbound(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let said: Inbound = match serde_json::from_slice(&body) {
        Ok(said) => said,
        Err(error) => return unusable(error),
    };
    let stop = STOPS.contains(&said.text.trim().to_ascii_uppercase().as_str());
    let write = match said.channel {
        Channel::Whatsapp => meta::writes,
        Channel::Sms => twilio::writes,
        Channel::Phone | Channel::Email => return unusable("people write on whatsapp or sms"),
    };
    match app.change(|world, now| write(world, now, said.from.as_str(), &said.text, stop)).await {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(error) => broken(&error),
    }
}

async fn fault(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let fault: Fault = match serde_json::from_slice(&body) {
        Ok(fault) => fault,
        Err(error) => return unusable(error),
    };
    if let Err(problem) = fault.check() {
        return unusable(problem);
    }
    let added = app.change(|world, _| {
        world.faults.add(fault.clone());
        world.keep_faults();
    });
    match added.await {
        Ok(()) => (StatusCode::CREATED, axum::Json(fault)).into_response(),
        Err(error) => broken(&error),
    }
}
