//! Twilio's Messages resource, from its side (PROVIDERS.md section 2).

mod create;
mod segments;
mod told;

pub(super) use told::{price, reply, status, writes};

use super::acts::Act;
use super::wire::{Call, Reply, attempt_in};
use super::world::World;
use crate::model::At;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An SMS in either direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sms {
    sid: String,
    to: String,
    from: String,
    service: Option<String>,
    body: String,
    status: String,
    inbound: bool,
    callback: Option<String>,
    created: At,
    sent: Option<At>,
    updated: At,
    error: Option<u32>,
    price: Option<String>,
}

impl Sms {
    /// The other side of it.
    fn person(&self) -> &str {
        if self.inbound { &self.from } else { &self.to }
    }
}

fn account_sid(world: &World) -> String {
    format!("AC{}", world.account_id("twilio account", 32))
}

/// Our sending number.
const FROM: &str = "+15550002222";

/// The keys of `[sms]`.
pub(super) fn config(world: &World) -> Value {
    json!({
        "base_url": world.url(),
        "account_sid": account_sid(world),
        "auth_token": world.secrets.auth_token,
        "from": FROM,
    })
}

fn error(status: u16, code: u32, message: &str) -> Reply {
    Reply::error(
        status,
        code,
        json!({"code": code, "message": message,
            "more_info": format!("https://www.twilio.com/docs/errors/{code}"), "status": status}),
    )
}

/// A refusal on demand.
pub(super) fn refusal(code: u32) -> Reply {
    let status = match code {
        20003 => 401,
        20404 => 404,
        20429 => 429,
        20500 => 500,
        20503 => 503,
        _ => 400,
    };
    error(status, code, "a fault was asked for")
}

/// Answers one request.
pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    let account = account_sid(world);
    let expected = STANDARD.encode(format!("{account}:{}", world.secrets.auth_token));
    if !call.shows("Basic ", &expected) {
        return error(401, 20003, "Authenticate");
    }
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    let ours = format!("{account}.json");
    match call.parts().as_slice() {
        ["2010-04-01", "Accounts", sid] if get && *sid == ours => Reply::ok(
            200,
            json!({"sid": account, "friendly_name": "cascade sandbox", "status": "active", "type": "Full",
                "uri": call.path}),
        ),
        ["2010-04-01", "Accounts", sid, "Messages.json"] if *sid == account && post => {
            create::create(world, call)
        }
        ["2010-04-01", "Accounts", sid, "Messages.json"] if *sid == account && get => list(world, call),
        ["2010-04-01", "Accounts", sid, "Messages", one] if *sid == account => {
            let sid = one.strip_suffix(".json").unwrap_or(one).to_owned();
            match world.texts.get(&sid) {
                Some(sms) if get => Reply::ok(200, shown(world, sms)),
                Some(_) if post => update(world, call, &sid),
                Some(_) | None => missing(call),
            }
        }
        _ => missing(call),
    }
}

fn missing(call: &Call) -> Reply {
    error(404, 20404, &format!("The requested resource {} was not found", call.path))
}

fn rfc2822(at: At) -> String {
    at.utc().format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A message as the API shows it: all numbers are strings.
fn shown(world: &World, sms: &Sms) -> Value {
    let uri = format!("/2010-04-01/Accounts/{}/Messages/{}.json", account_sid(world), sms.sid);
    // With a service the sender is known only once one was picked.
    let from = if sms.status == "accepted" { Value::Null } else { json!(sms.from) };
    json!({"sid": sms.sid, "account_sid": account_sid(world), "messaging_service_sid": sms.service,
        "to": sms.to, "from": from, "body": sms.body, "status": sms.status,
        "num_segments": segments::segments(&sms.body).to_string(), "num_media": "0",
        "direction": if sms.inbound { "inbound" } else { "outbound-api" },
        "error_code": sms.error, "error_message": sms.error.map(told::title), "price": sms.price,
        "price_unit": "USD", "api_version": "2010-04-01", "date_created": rfc2822(sms.created),
        "date_sent": sms.sent.map(rfc2822), "date_updated": rfc2822(sms.updated),
        "subresource_uris": {"media": uri.replace(".json", "/Media.json")}, "uri": uri})
}

/// `GET Messages.json?To=&From=&DateSent=&DateSent<=&DateSent>=&PageSize=&Page=`
fn list(world: &World, call: &Call) -> Reply {
    // `DateSent>=2026-01-01` arrives as the name `DateSent>`; a bare `DateSent` is that day.
    let day = |sms: &Sms| sms.sent.map(|at| at.utc().format("%Y-%m-%d").to_string());
    let dated = |sms: &Sms| {
        let on = |name: &str, fits: &dyn Fn(&str, &str) -> bool| {
            call.query(name).is_none_or(|wanted| day(sms).is_some_and(|day| fits(&day, wanted)))
        };
        on("DateSent", &|day, wanted| day == wanted)
            && on("DateSent<", &|day, wanted| day <= wanted)
            && on("DateSent>", &|day, wanted| day >= wanted)
    };
    let seen = call.at - world.faults.lag(call.provider, call.at);
    let fits = |sms: &&Sms| {
        sms.created <= seen
            && call.query("To").is_none_or(|to| sms.to == to)
            && call.query("From").is_none_or(|from| sms.from == from)
            && dated(sms)
    };
    let size = call.query("PageSize").and_then(|s| s.parse().ok()).unwrap_or(50_usize).clamp(1, 1000);
    let page = call.query("Page").and_then(|p| p.parse().ok()).unwrap_or(0_usize);
    let start = page.saturating_mul(size);
    let all: Vec<&Sms> = world.texts.values().rev().filter(fits).collect();
    let messages: Vec<Value> = all.iter().skip(start).take(size).map(|sms| shown(world, sms)).collect();
    let uri = |page: usize| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for name in ["To", "From", "DateSent", "DateSent<", "DateSent>"] {
            call.query(name).map(|value| query.append_pair(name, value));
        }
        query.append_pair("PageSize", &size.to_string()).append_pair("Page", &page.to_string());
        format!("{}?{}", call.path, query.finish())
    };
    let more = start + messages.len() < all.len();
    Reply::ok(
        200,
        json!({"page": page, "page_size": size, "start": start,
            "end": (start + messages.len()).saturating_sub(1), "uri": uri(page), "first_page_uri": uri(0),
            "next_page_uri": more.then(|| uri(page + 1)),
            "previous_page_uri": page.checked_sub(1).map(uri), "messages": messages}),
    )
}

/// Whom a recalled message was for, and the attempt in its callback.
pub(super) fn about(world: &World, call: &Call) -> (Option<String>, Option<String>) {
    let sid = call.segments.last().map(|last| last.strip_suffix(".json").unwrap_or(last));
    let sms = sid.and_then(|sid| world.texts.get(sid));
    (sms.map(|sms| sms.to.clone()), sms.and_then(|sms| attempt_in(sms.callback.as_deref()?)))
}

/// `POST Messages/{Sid}.json` with `Status=canceled`: only before it has left.
fn update(world: &mut World, call: &Call, sid: &str) -> Reply {
    if call.form("Status") != Some("canceled") {
        return error(400, 20001, "this sandbox understands Status=canceled alone");
    }
    let Some(mut sms) = world.texts.get(sid).cloned() else { return missing(call) };
    if !["queued", "accepted", "scheduled"].contains(&sms.status.as_str()) {
        return error(400, 30409, "Message cannot be canceled in its current status");
    }
    world.cancel(|act| match act {
        Act::SmsStatus { sid: of, .. } | Act::SmsReply { sid: of, .. } | Act::SmsPriced { sid: of } => {
            of == sid
        }
        Act::Follow { url, to, .. } => sms.to == *to && sms.body.contains(url.as_str()),
        Act::WhatsappStatus { .. } | Act::WhatsappReply { .. } | Act::Call { .. } | Act::Deliver(_) => false,
    });
    "canceled".clone_into(&mut sms.status);
    sms.updated = call.at;
    let body = shown(world, &sms);
    told::keep(world, sms);
    Reply::ok(200, body)
}
