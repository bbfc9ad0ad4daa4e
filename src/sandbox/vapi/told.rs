//! A call goes on, and what Vapi tells of it by webhook (PROVIDERS.md 4.3).

use super::super::acts::Act;
use super::super::deliver::{Body, Delivery};
use super::super::ledger::Provider;
use super::super::people::{Saying, spoken};
use super::super::world::World;
use super::{Call, CallStatus, Phase, shown};
use crate::model::{At, Channel};
use serde_json::{Map, Value, json};

/// The next phase of a call.
pub(in crate::sandbox) fn go_on(world: &mut World, at: At, id: &str, phase: Phase) {
    let Some(call) = world.calls.get(id).cloned() else { return };
    match phase {
        Phase::Ringing => {
            world.saw(at, Provider::Vapi, &call.to, "rang");
            progress(world, at, call, CallStatus::Ringing);
        }
        Phase::Up => {
            world.saw(at, Provider::Vapi, &call.to, if call.machine { "machine" } else { "answered" });
            progress(world, at, call, CallStatus::InProgress);
        }
        Phase::Down => {
            match call.ends.as_str() {
                "customer-busy" => world.saw(at, Provider::Vapi, &call.to, "busy"),
                "customer-did-not-answer" => world.saw(at, Provider::Vapi, &call.to, "no_answer"),
                _ => {}
            }
            if call.saying == Some(Saying::Stop) {
                world.saw(at, Provider::Vapi, &call.to, "stop");
            }
            end(world, at, id, &call.ends.clone());
        }
        Phase::Report => report(world, at, call),
    }
}

fn keep(world: &mut World, call: Call) {
    world.keep("call", &call.id, &call);
    world.calls.insert(call.id.clone(), call);
}

fn progress(world: &mut World, at: At, mut call: Call, status: CallStatus) {
    call.status = status;
    call.updated = at;
    if status == CallStatus::InProgress {
        call.started = Some(at);
    }
    tell(world, at, &call, status_update(&call, at), status.as_str(), None);
    keep(world, call);
}

/// The call ends, for whatever reason; its report follows.
pub(super) fn end(world: &mut World, at: At, id: &str, reason: &str) {
    let Some(mut call) = world.calls.get(id).cloned() else { return };
    call.status = CallStatus::Ended;
    call.reason = Some(reason.to_owned());
    call.updated = at;
    call.ended = Some(at);
    tell(world, at, &call, status_update(&call, at), "ended", outcome(&call));
    world.plan_in(at, call.report_ms, Act::Call { call: id.to_owned(), phase: Phase::Report });
    keep(world, call);
}

/// What the end of this call means.
fn outcome(call: &Call) -> Option<&'static str> {
    match call.reason.as_deref()? {
        "exceeded-max-duration" if call.machine => Some("no_answer"),
        "customer-ended-call" | "exceeded-max-duration" => Some("answered"),
        "voicemail" | "customer-busy" | "customer-did-not-answer" => Some("no_answer"),
        "twilio-reported-customer-misdialed" => Some("bounced"),
        _ => None,
    }
}

fn status_update(call: &Call, at: At) -> Value {
    let mut message =
        json!({"type": "status-update", "status": call.status.as_str(), "timestamp": at.millis()});
    if let Some(reason) = &call.reason {
        message["endedReason"] = json!(reason);
    }
    message
}

/// The person spoke: connected, and not hung up on before.
fn heard(call: &Call) -> Option<Saying> {
    call.saying.filter(|_| call.started.is_some() && call.reason.as_deref() == Some(call.ends.as_str()))
}

/// Who said what, once the call had been picked up.
fn artifact(call: &Call, said: Option<&str>) -> Value {
    let opening = if call.machine { call.voicemail.as_deref() } else { Some(call.first_message.as_str()) };
    let spoken = [("bot", "AI", opening, 0.5), ("user", "User", said, 5.0)];
    let start_ms = call.started.unwrap_or(call.created).millis() as f64;
    let mut messages = Vec::new();
    let mut transcript = Vec::new();
    for (role, label, text, from_s) in spoken {
        let Some(text) = text.filter(|_| call.started.is_some()) else { continue };
        messages.push(json!({"role": role, "message": text, "time": start_ms + from_s * 1000.0,
            "endTime": start_ms + from_s * 1000.0 + 2500.0, "secondsFromStart": from_s}));
        transcript.push(format!("{label}: {text}\n"));
    }
    json!({"transcript": transcript.concat(), "messages": messages})
}

fn report(world: &mut World, at: At, mut call: Call) {
    let draw = world.people.draw(&call.to, Channel::Phone);
    let heard = heard(&call);
    let said = heard.map(|saying| spoken(&draw, saying));
    let talked_s = match (call.started, call.ended) {
        (Some(started), Some(ended)) => (ended - started).num_milliseconds() as f64 / 1000.0,
        _ => 0.0,
    };
    let analysis = json!({
        "summary": said.map_or("Nobody spoke.".to_owned(), |said| format!("The customer said: {said}")),
        "structuredData": structured(&call.schema, heard),
        "successEvaluation": (heard == Some(Saying::Positive)).to_string(),
    });
    let cost = (talked_s / 60.0 * 0.1 * 10_000.0).round() / 10_000.0;
    let mut message = json!({"type": "end-of-call-report", "endedReason": call.reason,
        "timestamp": at.millis(), "cost": cost, "analysis": analysis,
        "artifact": artifact(&call, said)});
    call.report = Some(json!({"cost": cost, "analysis": analysis, "artifact": message["artifact"]}));
    for (key, moment) in [("startedAt", call.started), ("endedAt", call.ended)] {
        if let Some(moment) = moment {
            message[key] = json!(moment);
        }
    }
    call.updated = at;
    let outcome = if heard == Some(Saying::Stop) { Some("opted_out") } else { outcome(&call) };
    tell(world, at, &call, message, "end-of-call-report", outcome);
    keep(world, call);
}

/// What the analysis makes of it, in the fields that the caller asked for, or in Vapi's usual one.
fn structured(schema: &Value, saying: Option<Saying>) -> Value {
    let Some(fields) = schema.as_object().filter(|fields| !fields.is_empty()) else {
        return json!({"confirmed": saying == Some(Saying::Positive)});
    };
    let mut data = Map::new();
    for (name, spec) in fields {
        let value = if let Some(words) = spec["enum"].as_array() {
            words
                .iter()
                .find(|word| word.as_str().is_some_and(|w| saying.is_some_and(|s| means(w, s))))
                .cloned()
        } else if spec["type"] == "boolean" {
            Some(json!(saying.is_some_and(|s| means(name, s))))
        } else {
            None
        };
        data.extend(value.map(|value| (name.clone(), value)));
    }
    Value::Object(data)
}

/// Whether a field's or a choice's name is about what was said.
fn means(name: &str, saying: Saying) -> bool {
    let name = name.to_lowercase().replace(['-', ' '], "_");
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    match saying {
        Saying::Positive => has(&["confirm", "positive", "interested", "agree", "yes"]) && !has(&["not_"]),
        Saying::Negative => has(&["negative", "declin", "not_interested"]) || name == "no",
        Saying::Question => has(&["question"]),
        Saying::WrongPerson => has(&["wrong"]),
        Saying::Stop => has(&["stop", "opt_out", "opted_out", "optout", "do_not", "dnc"]),
        Saying::AutoReply => has(&["auto"]),
        Saying::Unclear => has(&["unclear"]),
    }
}

fn tell(world: &mut World, at: At, call: &Call, mut message: Value, what: &str, outcome: Option<&str>) {
    let kind = message["type"].as_str().unwrap_or_default().to_owned();
    let Some(server) = call.server.clone() else { return };
    if call.messages.as_ref().is_some_and(|asked| !asked.contains(&kind)) {
        return;
    }
    let mut about = shown(world, call);
    if let Some(about) = about.as_object_mut() {
        // The report stands beside the call, not inside it.
        about.retain(|key, _| !["analysis", "artifact"].contains(&key.as_str()));
    }
    message["call"] = about;
    message["customer"] = call.customer.clone();
    let token = world.new_id();
    let delivery = Delivery {
        provider: Provider::Vapi,
        to: Some(call.to.clone()),
        url: server.url,
        body: Body::Json(json!({"message": message}).to_string()),
        what: what.to_owned(),
        outcome: outcome.map(str::to_owned),
        again: server.again,
        signed: server.signed,
        forged: false,
        batched: false,
        parts: Vec::new(),
        tries: 0,
        first: at,
        token,
    };
    world.post(at, delivery);
}
