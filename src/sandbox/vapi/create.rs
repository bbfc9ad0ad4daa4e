//! The create call: what Vapi checks, its lines and its throttle, and how the call will go (PROVIDERS.md 4.1).

use super::super::acts::Act;
use super::super::deliver::Again;
use super::super::people::{Voice, call_times};
use super::super::wire::{Call as Request, Reply};
use super::super::world::World;
use super::{Call, CallStatus, LINES, Phase, Server, credential_id, error, phone_number_id, shown, uuid};
use crate::model::{At, Channel, Phone};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Busy lines and wrong numbers do not ring for long.
const SHORT_MS: i64 = 3000;

/// `POST /call`
pub(super) fn create(world: &mut World, request: &Request) -> Reply {
    let body = &request.json;
    if let Some(problem) = problem(world, body) {
        return error(400, &problem);
    }
    let Some(to) = request.to().filter(|to| Phone::parse_e164(to).is_some()) else {
        return error(400, "customer.number must be a valid phone number in the E.164 format.");
    };
    let plan = world.people.plan(&to);
    if plan.throttled && throttles(world, &to, request.at) {
        return error(429, "Too many requests. Please try again later.");
    }
    let busy = world.calls.values().filter(|call| call.status != CallStatus::Ended).count();
    if busy >= LINES {
        return error(429, "Over Concurrency Limit.");
    }
    let draw = world.people.draw(&to, Channel::Phone);
    let (picks_up, saying) = match plan.phone {
        Voice::Answers(saying) => (true, Some(saying)),
        Voice::Machine => (true, None),
        Voice::Busy | Voice::Silent | Voice::Misdialed => (false, None),
    };
    let mut times = call_times(&draw, plan.pace[Channel::Phone.index()], picks_up, saying.is_some());
    if matches!(plan.phone, Voice::Busy | Voice::Misdialed) {
        times.up = times.up.min(times.ringing + SHORT_MS);
    }
    let mut call = taken(world, request, to, plan.phone, times.report);
    let id = call.id.clone();
    let latest = times.up + assistant(body)["maxDurationSeconds"].as_i64().unwrap_or(600).max(1) * 1000;
    if picks_up && latest < times.down {
        times.down = latest;
        "exceeded-max-duration".clone_into(&mut call.ends);
    }
    let next = |phase| Act::Call { call: id.clone(), phase };
    if plan.phone != Voice::Misdialed {
        world.plan_in(request.at, times.ringing, next(Phase::Ringing));
    }
    if picks_up {
        world.plan_in(request.at, times.up, next(Phase::Up));
        world.plan_in(request.at, times.down, next(Phase::Down));
    } else {
        world.plan_in(request.at, times.up, next(Phase::Down));
    }
    let mut answer = shown(world, &call);
    answer["subscriptionLimits"] = json!({"concurrencyBlocked": false, "concurrencyLimit": LINES,
        "remainingConcurrentCalls": LINES - busy - 1});
    world.keep("call", &id, &call);
    world.calls.insert(id, call);
    Reply::ok(201, answer)
}

/// The first call of a day to some people is refused, and no later one.
fn throttles(world: &mut World, to: &str, at: At) -> bool {
    let lately = world.throttled.get(to).is_some_and(|last| (at - *last).abs() < TimeDelta::days(1));
    if !lately {
        world.keep("throttled", to, &at.millis());
        world.throttled.insert(to.to_owned(), at);
    }
    !lately
}

/// The transient assistant, or what overrides a saved one.
fn assistant(body: &Value) -> &Value {
    if body["assistant"].is_object() { &body["assistant"] } else { &body["assistantOverrides"] }
}

fn problem(world: &World, body: &Value) -> Option<String> {
    let long = |text: &Value| text.as_str().is_some_and(|t| t.chars().count() > 40);
    if !body.is_object() {
        return Some("the body must be a JSON object".into());
    }
    if !body["assistant"].is_object() && !body["assistantId"].is_string() {
        return Some("Need Either `assistant`, `assistantId`, `squad`, or `squadId`.".into());
    }
    if body["phoneNumberId"].as_str() != Some(&phone_number_id(world)) {
        return Some("Couldn't Find Phone Number. `phoneNumberId` Does Not Exist.".into());
    }
    if !body["metadata"].is_null() {
        return Some("property metadata should not exist".into());
    }
    let fields = [&body["name"], &body["customer"]["name"], &body["customer"]["externalId"]];
    if fields.into_iter().any(long) {
        return Some(
            "name, customer.name and customer.externalId must be shorter than or equal to 40".into(),
        );
    }
    None
}

fn taken(world: &mut World, request: &Request, to: String, plan: Voice, report_ms: i64) -> Call {
    let body = &request.json;
    let assistant = assistant(body);
    let text = |value: &Value| value.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    let (saying, machine, ends) = match plan {
        Voice::Answers(saying) => (Some(saying), false, "customer-ended-call"),
        Voice::Machine => (None, true, "voicemail"),
        Voice::Busy => (None, false, "customer-busy"),
        Voice::Silent => (None, false, "customer-did-not-answer"),
        Voice::Misdialed => (None, false, "twilio-reported-customer-misdialed"),
    };
    let asked = assistant["serverMessages"].as_array();
    Call {
        id: uuid(&world.new_id()),
        name: text(&body["name"]),
        customer: body["customer"].clone(),
        to,
        status: CallStatus::Queued,
        reason: None,
        created: request.at,
        updated: request.at,
        started: None,
        ended: None,
        saying,
        machine,
        ends: ends.to_owned(),
        first_message: text(&assistant["firstMessage"]).unwrap_or_else(|| "Hello.".to_owned()),
        voicemail: text(&assistant["voicemailMessage"]),
        schema: assistant["analysisPlan"]["structuredDataPlan"]["schema"]["properties"].clone(),
        server: server(world, &assistant["server"]),
        messages: asked.map(|list| list.iter().filter_map(|m| m.as_str().map(str::to_owned)).collect()),
        report_ms,
        report: None,
    }
}

fn server(world: &World, given: &Value) -> Option<Server> {
    let backoff = &given["backoffPlan"];
    let again = if backoff.is_object() {
        Again::Plan {
            retries: backoff["maxRetries"].as_u64().unwrap_or(0).min(10) as u32,
            base_s: backoff["baseDelaySeconds"].as_f64().unwrap_or(1.0).clamp(0.0, 10.0),
            exponential: backoff["type"] == "exponential",
        }
    } else {
        Again::Never
    };
    let signed = given["credentialId"].as_str() == Some(&credential_id(world));
    Some(Server { url: given["url"].as_str()?.to_owned(), signed, again })
}
