//! Reads the list of steps. Whether they hang together is asked in `chain`.

use super::fields::{ATTEMPTS_MAX, Common, WAIT_S_MAX, channel, conversions, duration, on_bounce};
use super::json::{Field, Fields, whole, wrong_type};
use super::report::Report;
use super::{DEFAULT_WAIT_IF_FIRST_S, Step};
use crate::model::Channel;
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

const KNOWN: [&str; 9] = [
    "channel",
    "wait",
    "wait_if_first",
    "if_no_reply",
    "if_no_answer",
    "terminal",
    "attempts",
    "on_bounce",
    "converts_on",
];

/// Fields people look for in a step that stand at the top of the file.
const AT_THE_TOP: [(&str, &str); 8] = [
    ("start", "at the top of the file"),
    ("steps", "at the top of the file"),
    ("segments", "at the top of the file"),
    ("conversion_window", "at the top of the file"),
    ("quiet_hours", "at the top of the file"),
    ("expires", "at the top of the file"),
    ("retry", "at the top of the file"),
    ("explore", "at the top of the file"),
];

/// A step as it was read, with the places that the check of the chain points at.
pub(super) struct Draft {
    /// Byte offset of the object.
    pub(super) at: usize,
    /// With the byte offset of its value; `None` if it is missing or wrong.
    pub(super) channel: Option<(Channel, usize)>,
    /// `if_no_reply` or `if_no_answer`.
    pub(super) pointer: Pointer,
    /// With the byte offset of its value.
    pub(super) terminal: Option<(bool, usize)>,
    /// The step, if its channel is known.
    pub(super) step: Option<Step>,
}

/// Where a step leads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pointer {
    /// Nowhere: the end.
    None,
    /// To a channel; with the byte offset of the value.
    To(Channel, usize),
    /// It was there and could not be used; reported already.
    Wrong,
}

/// Reads a list of steps; `None` if there is none to speak of.
pub(super) fn read(report: &mut Report<'_>, field: &Field<'_, '_>, common: &Common) -> Option<Vec<Draft>> {
    let Value::Array(array) = field.value else {
        wrong_type(report, &field.name, field.value, "a list of steps");
        return None;
    };
    if array.elements.is_empty() {
        let at = field.value.start();
        report.error(at, "no-steps", "there are no steps", "write at least one, with \"terminal\": true");
        return None;
    }
    let mut drafts = Vec::new();
    let mut sound = true;
    for value in &array.elements {
        if let Value::Object(object) = value {
            drafts.push(draft(report, object, common));
        } else {
            wrong_type(report, "steps", value, "a list of objects, one for each step");
            sound = false;
        }
    }
    sound.then_some(drafts)
}

fn draft(report: &mut Report<'_>, object: &Object<'_>, common: &Common) -> Draft {
    let fields = Fields::of(report, object);
    fields.only(report, &KNOWN, "a step", &AT_THE_TOP);
    let named = fields.get("channel");
    let channel = named.and_then(|f| channel(report, f).map(|c| (c, f.value.start())));
    if named.is_none() {
        let hint = "add \"channel\": whatsapp, phone, sms or email";
        report.error(fields.at, "missing-channel", "a step without a channel", hint);
    }
    let terminal = fields.get("terminal").and_then(|f| match f.value {
        Value::BooleanLit(said) => Some((said.value, f.value.start())),
        other => {
            wrong_type(report, "terminal", other, "true or false");
            None
        }
    });
    let pointer = pointer(report, &fields, channel.map(|(c, _)| c));
    let wait_s = wait(report, &fields, terminal.is_some_and(|(t, _)| t), pointer);
    let step = step(report, &fields, common, channel.map(|(c, _)| c), wait_s);
    Draft { at: fields.at, channel, pointer, terminal, step }
}

/// The one pointer that fits the channel; the other one is an error at its key, but followed all the same
/// so that a wrong word does not look like a broken chain.
fn pointer(report: &mut Report<'_>, fields: &Fields<'_, '_>, on: Option<Channel>) -> Pointer {
    let is_phone = on == Some(Channel::Phone);
    let (right, wrong) =
        if is_phone { ("if_no_answer", "if_no_reply") } else { ("if_no_reply", "if_no_answer") };
    if let (Some(field), Some(on)) = (fields.get(wrong), on) {
        let kind = if is_phone { "a call" } else { "a text channel" };
        let message = format!("\"{wrong}\" on {on}, which is {kind}");
        report.error(field.at, "wrong-pointer", message, format!("write \"{right}\" here"));
    }
    match fields.get(right).or_else(|| fields.get(wrong)) {
        None => Pointer::None,
        Some(field) => match channel(report, field) {
            Some(to) => Pointer::To(to, field.value.start()),
            None => Pointer::Wrong,
        },
    }
}

/// The wait in seconds; `None` for null, for the end, and for what could not be used.
fn wait(report: &mut Report<'_>, fields: &Fields<'_, '_>, terminal: bool, pointer: Pointer) -> Option<u64> {
    match fields.get("wait") {
        Some(Field { value: Value::NullKeyword(_), .. }) => None,
        Some(field) if terminal => {
            let hint = "write \"wait\": null; how long an answer still counts says \"conversion_window\"";
            report.error(field.value.start(), "wait-on-end", "a wait on a terminal step", hint);
            None
        }
        Some(field) => duration(report, field, 1, WAIT_S_MAX),
        None if terminal || pointer == Pointer::None => None,
        None => {
            let hint = "add \"wait\": \"6h\", or null to wait \"wait_if_first\"";
            report.error(fields.at, "missing-wait", "a step without a wait that is not the end", hint);
            None
        }
    }
}

fn step(
    report: &mut Report<'_>,
    fields: &Fields<'_, '_>,
    common: &Common,
    on: Option<Channel>,
    wait_s: Option<u64>,
) -> Option<Step> {
    let wait_if_first_s = fields
        .get("wait_if_first")
        .and_then(|f| duration(report, f, 1, WAIT_S_MAX))
        .unwrap_or(DEFAULT_WAIT_IF_FIRST_S);
    let attempts = fields.get("attempts").map(|f| (whole(report, f, 1, ATTEMPTS_MAX), f.at));
    let bounce = fields.get("on_bounce").and_then(|f| on_bounce(report, f));
    let channel = on?;
    let converts_on = fields.get("converts_on").and_then(|f| conversions(report, f, channel));
    if let (true, Some((Some(2..), at))) = (channel.is_text(), attempts) {
        let message = format!("\"attempts\" on {channel} changes nothing: only calls are made again");
        report.warning(at, "attempts-on-text", message, "remove it here");
    }
    let said = attempts.and_then(|(n, _)| n).unwrap_or(common.attempts);
    Some(Step {
        channel,
        wait_s,
        wait_if_first_s,
        attempts: if channel.is_text() { 1 } else { said },
        bounce_waits: bounce.unwrap_or(common.bounce_waits),
        converts_on: converts_on.unwrap_or_else(|| common.conversions(channel)),
    })
}
