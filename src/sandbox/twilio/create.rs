//! The create call for an SMS: what Twilio checks, and what it then plans (PROVIDERS.md 2.1-2.3).

use super::super::acts::Act;
use super::super::deliver::first_link;
use super::super::ledger::Provider;
use super::super::people::{Saying, Text, TextTimes, text_times};
use super::super::wire::{Call, Reply};
use super::super::world::World;
use super::{FROM, Sms, error, shown, told};
use crate::model::{Channel, Phone};

/// The price is known this long after delivery.
const PRICED_MS: i64 = 30_000;

/// What did not leave the queue in time.
const QUEUE_OVERFLOW: u32 = 30_001;

/// Seconds a message may stay in the queue.
const VALIDITY_MAX_S: i64 = 36_000;

fn validity_s(call: &Call) -> i64 {
    call.form("ValidityPeriod").map_or(VALIDITY_MAX_S, |written| written.parse().unwrap_or(0))
}

/// `POST Messages.json`
pub(super) fn create(world: &mut World, call: &Call) -> Reply {
    let Some(to) = call.form("To") else {
        return error(400, 21604, "A 'To' phone number is required.");
    };
    if Phone::parse_e164(to).is_none() {
        return error(400, 21211, &format!("The 'To' number {to} is not a valid phone number."));
    }
    if let Some((code, message)) = problem(call) {
        return error(400, code, message);
    }
    let plan = world.people.plan(to);
    if world.has_stopped(Provider::Twilio, to) {
        return error(400, 21610, "Attempt to send to unsubscribed recipient");
    }
    if let Text::Refused(code) = plan.sms {
        return error(400, code, told::title(code));
    }
    let service = call.form("MessagingServiceSid").map(str::to_owned);
    let sid = format!("SM{}", world.new_id());
    let sms = Sms {
        sid: sid.clone(),
        to: to.to_owned(),
        from: call.form("From").unwrap_or(FROM).to_owned(),
        status: if service.is_some() { "accepted" } else { "queued" }.to_owned(),
        service,
        body: call.form("Body").unwrap_or_default().to_owned(),
        inbound: false,
        callback: call.form("StatusCallback").map(str::to_owned),
        created: call.at,
        sent: None,
        updated: call.at,
        error: None,
        price: None,
    };
    let draw = world.people.draw(to, Channel::Sms);
    let times = text_times(&draw, Channel::Sms, plan.pace[Channel::Sms.index()]);
    let queued_s = world.faults.queued_s(world.seed, call.provider, call.at);
    if queued_s.is_some() {
        world.keep_faults();
    }
    match queued_s.filter(|queued_s| *queued_s >= validity_s(call)) {
        Some(_) => {
            let act = Act::SmsStatus { sid, status: "failed".to_owned(), code: Some(QUEUE_OVERFLOW) };
            world.plan_in(call.at, validity_s(call) * 1000, act);
        }
        None => live(world, call, &sms, plan.sms, times.after(queued_s.unwrap_or(0) * 1000)),
    }
    let body = shown(world, &sms);
    told::keep(world, sms);
    Reply::ok(201, body)
}

fn problem(call: &Call) -> Option<(u32, &'static str)> {
    match (call.form("From"), call.form("MessagingServiceSid")) {
        (None, None) => return Some((21603, "A 'From' phone number is required.")),
        (Some(from), _) if from != FROM => {
            return Some((21606, "The 'From' phone number provided is not a valid message-capable number."));
        }
        (None, Some(service)) if !service.starts_with("MG") => {
            return Some((21703, "The Messaging Service does not have a phone number available."));
        }
        (Some(_), _) | (None, Some(_)) => {}
    }
    let length = call.form("Body").map_or(0, |body| body.chars().count());
    if length == 0 {
        return Some((21602, "Message body is required."));
    }
    if length > 1600 {
        return Some((21617, "The concatenated message body exceeds the 1600 character limit."));
    }
    let underscored = |callback: &str| {
        url::Url::parse(callback).map_or(true, |url| url.host_str().is_none_or(|host| host.contains('_')))
    };
    if call.form("StatusCallback").is_some_and(underscored) {
        return Some((21609, "The 'StatusCallback' URL is not a valid URL."));
    }
    if !(1..=VALIDITY_MAX_S).contains(&validity_s(call)) {
        return Some((21624, "The ValidityPeriod is not between 1 and 36000 seconds."));
    }
    None
}

/// Plans everything that becomes of a message.
fn live(world: &mut World, call: &Call, sms: &Sms, plan: Text, times: TextTimes) {
    let step = |status: &str, code| Act::SmsStatus { sid: sms.sid.clone(), status: status.to_owned(), code };
    world.plan_in(call.at, times.sent, step("sent", None));
    let answer = |saying| Act::SmsReply { sid: sms.sid.clone(), saying };
    let link = first_link(&sms.body).map(str::to_owned);
    let follow = |url, scanner| Act::Follow { provider: Provider::Twilio, to: sms.to.clone(), url, scanner };
    let act = match plan {
        Text::Failed(code) | Text::Refused(code) => {
            return world.plan_in(call.at, times.delivered, step("undelivered", Some(code)));
        }
        Text::Pending => return,
        Text::Silent { .. } => None,
        Text::Says(saying) => Some((times.act, answer(saying))),
        // Without a link there is nothing to click: they write instead.
        Text::Clicks => Some((times.act, link.map_or(answer(Saying::Positive), |url| follow(url, false)))),
        Text::Scanned => link.map(|url| (times.scan, follow(url, true))),
    };
    world.plan_in(call.at, times.delivered, step("delivered", None));
    world.plan_in(call.at, times.delivered + PRICED_MS, Act::SmsPriced { sid: sms.sid.clone() });
    if let Some((ms, act)) = act {
        world.plan_in(call.at, ms, act);
    }
}
