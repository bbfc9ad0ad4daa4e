//! How providers put things: failures by the program's own tables, and facts as its parsers make them.

use crate::happenings::{Happening, Loss, call_end};
use crate::random::Draw;
use crate::whims::Whim;
use crate::world::Sent;
use cascade::model::{At, Channel, Failure, Phone, Scope, Untrusted};
use cascade::providers::errors::{self, Subject, TWILIO, Told, VAPI, WHATSAPP, Words};
use cascade::providers::http::Trouble;
use cascade::providers::{Answer, Fact, Heard, Listed};
use chrono::TimeDelta;

/// The template of the built-in content, in the language that everybody has here.
pub const TEMPLATE: &str = "spring_renewal/en_US";

pub fn provider(channel: Channel) -> &'static str {
    match channel {
        Channel::Whatsapp => "whatsapp",
        Channel::Phone => "vapi",
        Channel::Sms | Channel::Email => "twilio",
    }
}

pub fn id_prefix(channel: Channel) -> &'static str {
    match channel {
        Channel::Whatsapp => "wamid.",
        Channel::Phone => "call-",
        Channel::Sms | Channel::Email => "SM",
    }
}

fn subject(channel: Channel) -> Subject<'static> {
    Subject { channel, provider: provider(channel), template: Some(TEMPLATE), country: Some("US") }
}

fn of_code(channel: Channel, code: &str, told: Told, retry_after_s: Option<u64>) -> Failure {
    let table = match channel {
        Channel::Whatsapp => WHATSAPP,
        Channel::Phone => VAPI,
        Channel::Sms | Channel::Email => TWILIO,
    };
    let row = errors::find(table, code).unwrap_or_else(|| errors::by_status(code.parse().unwrap_or(400)));
    errors::failure(
        row,
        subject(channel),
        Words { code: code.into(), detail: String::new(), retry_after_s },
        told,
    )
}

/// At the create call.
pub fn failure(channel: Channel, code: &str) -> Failure {
    of_code(channel, code, Told::AtCreate, None)
}

/// By webhook.
pub fn failure_later(channel: Channel, code: &str) -> Failure {
    of_code(channel, code, Told::Later, None)
}

pub fn throttle(channel: Channel, after_s: Option<u64>) -> Failure {
    let code = match channel {
        Channel::Whatsapp => "130429",
        Channel::Phone => "429",
        Channel::Sms | Channel::Email => "20429",
    };
    of_code(channel, code, Told::AtCreate, after_s)
}

pub fn unreachable(channel: Channel) -> Failure {
    match channel {
        Channel::Whatsapp => failure(channel, "131026"),
        Channel::Phone => failure(channel, "twilio-reported-customer-misdialed"),
        Channel::Sms | Channel::Email => failure(channel, "21614"),
    }
}

pub fn failed_later(channel: Channel, draw: Draw) -> Failure {
    let code = match channel {
        Channel::Whatsapp => draw.named("code").pick(&["131026", "131049", "131000"]),
        Channel::Phone | Channel::Sms | Channel::Email => {
            draw.named("code").pick(&["30003", "30005", "30008"])
        }
    };
    failure_later(channel, code)
}

pub fn line_broke() -> Failure {
    failure_later(Channel::Phone, "call.in-progress.error-providerfault-x")
}

/// What is shut, where something is.
pub fn scope(channel: Channel, draw: Draw) -> Scope {
    match (channel, draw.named("scope").below(3)) {
        (Channel::Whatsapp, 0) => Scope::Template(TEMPLATE.into()),
        (Channel::Whatsapp | Channel::Sms, 1) => Scope::Sender,
        (Channel::Sms, 2) => Scope::Country("US".into()),
        _ => Scope::Account,
    }
}

pub fn config(channel: Channel, scope: &Scope) -> Failure {
    let code = match (channel, scope) {
        (Channel::Whatsapp, Scope::Template(_)) => "132015",
        (Channel::Whatsapp, Scope::Sender) => "131045",
        (Channel::Whatsapp, _) => "190",
        (Channel::Phone, _) => "402",
        (_, Scope::Sender) => "21606",
        (_, Scope::Country(_)) => "21408",
        _ => "20003",
    };
    failure(channel, code)
}

pub fn refused(failure: Failure) -> Answer {
    Answer::Failed { failure: Box::new(failure), reached: true }
}

/// No byte left.
pub fn not_connected(channel: Channel) -> Answer {
    let trouble = Trouble { code: "connect", reached: false, detail: "connection refused".into() };
    let failure = errors::no_answer(subject(channel), &trouble, Told::AtCreate);
    Answer::Failed { failure: Box::new(failure), reached: false }
}

pub fn lost(channel: Channel, loss: Loss) -> Answer {
    let code = match loss {
        Loss::Timeout => "timeout",
        Loss::Broken => "broken",
        Loss::BadGateway => return refused(of_code(channel, "502", Told::AtCreate, None)),
    };
    let trouble = Trouble { code, reached: true, detail: String::new() };
    refused(errors::no_answer(subject(channel), &trouble, Told::AtCreate))
}

/// For questions.
pub fn no_answer(channel: Channel) -> Box<Failure> {
    let trouble = Trouble { code: "timeout", reached: true, detail: String::new() };
    Box::new(errors::no_answer(subject(channel), &trouble, Told::Later))
}

pub const fn talks(whim: Whim) -> bool {
    matches!(whim, Whim::Yes | Whim::No | Whim::Question | Whim::Stops)
}

/// The end of a call, or the report that follows it; `told`: by webhook too.
pub fn call_over(sent: usize, whim: Whim, report: bool, told: bool) -> Happening {
    let name = if report { "end-of-call-report" } else { "ended" };
    Happening::Report { sent, fact: Box::new(Fact::CallEnded(call_end(whim, report))), name, told }
}

/// Something that a person wrote or switched.
pub fn inbound(at: At, channel: Channel, from: &Phone, dedup: String, what: Fact) -> Heard {
    Heard {
        provider: provider(channel),
        channel,
        dedup,
        happened_at: Some(at),
        provider_id: None,
        attempt_key: None,
        person: Some(from.clone()),
        what,
    }
}

/// As the provider's list has it, by our clock, which is `ahead` of theirs.
pub fn listed(sent: &Sent, ahead: TimeDelta) -> Option<Listed> {
    let named = sent.channel == Channel::Phone;
    let last = sent.reports.last().cloned();
    let heard = last.map(|last| Heard { attempt_key: last.attempt_key.filter(|_| named), ..last });
    Some(Listed {
        to: sent.to.clone(),
        at: sent.taken_at + ahead,
        provider_id: sent.provider_id.clone()?,
        attempt_key: named.then(|| sent.key.clone()),
        body: (!named).then(|| Untrusted::new(&*sent.body)),
        heard: heard.into_iter().collect(),
    })
}
