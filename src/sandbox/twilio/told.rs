//! What Twilio tells by webhook: status callbacks and inbound messages (PROVIDERS.md 2.4, 2.5).

use super::super::deliver::{Again, Body, Delivery};
use super::super::ledger::Provider;
use super::super::people::{Saying, written};
use super::super::world::World;
use super::{Sms, account_sid, segments};
use crate::model::{At, Channel};

/// Twilio's words for a code.
pub(super) fn title(code: u32) -> &'static str {
    match code {
        21211 => "Invalid 'To' Phone Number",
        21610 => "Attempt to send to unsubscribed recipient",
        21614 => "'To' number is not a valid mobile number",
        30001 => "Queue overflow",
        30003 => "Unreachable destination handset",
        30004 => "Message blocked",
        30005 => "Unknown destination handset",
        30006 => "Landline or unreachable carrier",
        _ => "Error",
    }
}

pub(super) fn keep(world: &mut World, sms: Sms) {
    world.keep("sms", &sms.sid, &sms);
    world.texts.insert(sms.sid.clone(), sms);
}

/// A message gets a status, in the person's world and by callback.
pub(in crate::sandbox) fn status(world: &mut World, at: At, sid: &str, status: &str, code: Option<u32>) {
    let Some(mut sms) = world.texts.get(sid).cloned() else { return };
    status.clone_into(&mut sms.status);
    sms.updated = at;
    // What fails at Twilio never left its queue.
    if status != "failed" {
        sms.sent.get_or_insert(at);
    }
    sms.error = code;
    if status == "delivered" {
        world.saw(at, Provider::Twilio, &sms.to, "arrived");
    }
    if let Some(url) = sms.callback.clone() {
        let mut params = fields(world, &sms);
        params.extend([("MessageStatus", status.to_owned()), ("SmsStatus", status.to_owned())]);
        if let Some(code) = code {
            params.push(("ErrorCode", code.to_string()));
        }
        if status != "sent" {
            params.push(("RawDlrDoneDate", at.utc().format("%y%m%d%H%M").to_string()));
        }
        let outcome = match status {
            "delivered" => Some("delivered"),
            "undelivered" | "failed" => Some("bounced"),
            _ => None,
        };
        post(world, at, url, &sms.to, status, outcome, params);
    }
    keep(world, sms);
}

/// The fields that every callback has.
fn fields(world: &World, sms: &Sms) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("AccountSid", account_sid(world)),
        ("ApiVersion", "2010-04-01".to_owned()),
        ("From", sms.from.clone()),
        ("To", sms.to.clone()),
        ("MessageSid", sms.sid.clone()),
        ("SmsSid", sms.sid.clone()),
    ];
    fields.extend(sms.service.clone().map(|service| ("MessagingServiceSid", service)));
    fields
}

/// Somebody answers an SMS.
pub(in crate::sandbox) fn reply(world: &mut World, at: At, sid: &str, saying: Saying) {
    let Some(ours) = world.texts.get(sid).cloned() else { return };
    let draw = world.people.draw(&ours.to, Channel::Sms);
    let body = written(&draw, saying).to_owned();
    inbound(world, at, (&ours.to, &ours.from), ours.service.clone(), body, saying == Saying::Stop);
}

/// Somebody writes to our number, in answer to nothing.
pub(in crate::sandbox) fn writes(world: &mut World, at: At, from: &str, text: &str, stop: bool) {
    inbound(world, at, (from, super::FROM), None, text.to_owned(), stop);
}

/// Somebody writes to our number: listed, and told to us once.
fn inbound(
    world: &mut World,
    at: At,
    (from, to): (&str, &str),
    service: Option<String>,
    body: String,
    stop: bool,
) {
    let sms = Sms {
        sid: format!("SM{}", world.new_id()),
        to: to.to_owned(),
        from: from.to_owned(),
        service,
        body,
        status: "received".to_owned(),
        inbound: true,
        callback: None,
        created: at,
        sent: Some(at),
        updated: at,
        error: None,
        price: None,
    };
    world.saw(at, Provider::Twilio, sms.person(), if stop { "stop" } else { "replied" });
    if stop {
        // Twilio blocks from here on, whether anybody listens or not.
        world.stop(Provider::Twilio, sms.person());
    }
    if let Some(url) = world.hooks.twilio_inbound.clone() {
        let mut params = fields(world, &sms);
        params.extend([
            ("SmsMessageSid", sms.sid.clone()),
            ("Body", sms.body.clone()),
            ("NumMedia", "0".to_owned()),
            ("NumSegments", segments::segments(&sms.body).to_string()),
            ("SmsStatus", "received".to_owned()),
            ("FromCountry", "US".to_owned()),
            ("ToCountry", "US".to_owned()),
        ]);
        // Only a service's Advanced Opt-Out says so; else the words must be known.
        if stop && sms.service.is_some() {
            params.push(("OptOutType", "STOP".to_owned()));
        }
        let outcome = if stop { "opted_out" } else { "replied" };
        post(world, at, url, sms.person(), "inbound", Some(outcome), params);
    }
    keep(world, sms);
}

/// What it cost is reported after delivery.
pub(in crate::sandbox) fn price(world: &mut World, sid: &str) {
    let Some(mut sms) = world.texts.get(sid).cloned() else { return };
    let cents = 79 * segments::segments(&sms.body);
    sms.price = Some(format!("-0.{cents:04}"));
    keep(world, sms);
}

fn post(
    world: &mut World,
    at: At,
    url: String,
    to: &str,
    what: &str,
    outcome: Option<&str>,
    params: Vec<(&'static str, String)>,
) {
    let token = world.new_id();
    let delivery = Delivery {
        provider: Provider::Twilio,
        to: Some(to.to_owned()),
        url,
        body: Body::Form(params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        what: what.to_owned(),
        outcome: outcome.map(str::to_owned),
        again: Again::OnceUnheard,
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
