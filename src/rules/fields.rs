//! Readers of the fields that the top of the rules and a single step have in common.

use super::durations::parse_duration_s;
use super::json::{Field, Fields, text, whole, word, wrong_type};
use super::report::{Report, quote, suggest};
use crate::model::{Channel, Outcome};
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;

/// Longest wait of a step, in seconds: 30 days.
pub(super) const WAIT_S_MAX: u64 = 30 * 86_400;
/// Longest window or expiry, in seconds: a year.
pub(super) const WINDOW_S_MAX: u64 = 365 * 86_400;
/// Most calls within one wait.
pub(super) const ATTEMPTS_MAX: u32 = 10;

/// What a step takes over from the top of the file unless it says otherwise.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) attempts: u32,
    pub(super) bounce_waits: bool,
    /// By [`Channel::index`].
    pub(super) converts_on: Vec<Vec<Outcome>>,
}

impl Default for Common {
    fn default() -> Self {
        let converts_on = Channel::ALL.iter().map(|&c| default_conversions(c)).collect();
        Self { attempts: 1, bounce_waits: false, converts_on }
    }
}

impl Common {
    /// Reads `attempts`, `on_bounce` and `converts_on` from the top of the file.
    pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_, '_>) -> Self {
        let mut common = Self::default();
        if let Some(n) = fields.get("attempts").and_then(|f| whole(report, f, 1, ATTEMPTS_MAX)) {
            common.attempts = n;
        }
        if let Some(waits) = fields.get("on_bounce").and_then(|f| on_bounce(report, f)) {
            common.bounce_waits = waits;
        }
        if let Some(field) = fields.get("converts_on") {
            common.read_conversions(report, field);
        }
        common
    }

    fn read_conversions(&mut self, report: &mut Report<'_>, field: &Field<'_, '_>) {
        let Value::Object(object) = field.value else {
            let wanted = "an object of channels, such as {\"phone\": [\"answered\"]}";
            return wrong_type(report, &field.name, field.value, wanted);
        };
        let entries = Fields::of(report, object);
        entries.only(report, &words(Channel::ALL, Channel::as_str), "\"converts_on\"", &[]);
        for &channel in Channel::ALL {
            let read = entries.get(channel.as_str()).and_then(|f| conversions(report, f, channel));
            if let (Some(outcomes), Some(place)) = (read, self.converts_on.get_mut(channel.index())) {
                *place = outcomes;
            }
        }
    }

    /// The outcomes that convert on `channel`.
    pub(super) fn conversions(&self, channel: Channel) -> Vec<Outcome> {
        self.converts_on.get(channel.index()).cloned().unwrap_or_default()
    }
}

/// The contract's defaults.
fn default_conversions(channel: Channel) -> Vec<Outcome> {
    match channel {
        Channel::Whatsapp | Channel::Sms | Channel::Email => vec![Outcome::Replied, Outcome::Clicked],
        Channel::Phone => vec![Outcome::Answered],
    }
}

/// The contract's spelling of every value.
pub(super) fn words<T: Copy>(all: &[T], spell: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|&value| spell(value)).collect()
}

/// A channel by its name.
pub(super) fn channel(report: &mut Report<'_>, field: &Field<'_, '_>) -> Option<Channel> {
    let known = words(Channel::ALL, Channel::as_str);
    let said = text(report, &field.name, field.value, &format!("a channel: {}", known.join(", ")))?;
    let found = Channel::parse(&said);
    if found.is_none() {
        let message = format!("{} is no channel", quote(&said));
        report.error(field.value.start(), "unknown-channel", message, suggest(&said, &known));
    }
    found
}

/// `next` (false) or `wait` (true).
pub(super) fn on_bounce(report: &mut Report<'_>, field: &Field<'_, '_>) -> Option<bool> {
    word(report, &field.name, field.value, &[("next", false), ("wait", true)])
}

/// A duration within bounds, in seconds.
pub(super) fn duration(
    report: &mut Report<'_>,
    field: &Field<'_, '_>,
    least_s: u64,
    most_s: u64,
) -> Option<u64> {
    let at = field.value.start();
    let said = text(report, &field.name, field.value, "a duration such as \"6h\"")?;
    let Some(seconds) = parse_duration_s(&said) else {
        let message = format!("{} is no duration", quote(&said));
        report.error(at, "bad-duration", message, "write it like 90s, 15m, 6h, 1h30m or 2d");
        return None;
    };
    if seconds > most_s {
        let message = format!("{} of {} is over {} days", quote(&field.name), quote(&said), most_s / 86_400);
        report.error(at, "too-long", message, format!("{}d is the most", most_s / 86_400));
        return None;
    }
    if seconds < least_s {
        let message = format!("{} of {} leaves no time at all", quote(&field.name), quote(&said));
        report.error(at, "too-short", message, "write at least 1s");
        return None;
    }
    Some(seconds)
}

/// The outcomes by which `channel` converts.
pub(super) fn conversions(
    report: &mut Report<'_>,
    field: &Field<'_, '_>,
    channel: Channel,
) -> Option<Vec<Outcome>> {
    let Value::Array(array) = field.value else {
        wrong_type(report, &field.name, field.value, "a list of outcomes, such as [\"replied\"]");
        return None;
    };
    let mut outcomes = Vec::new();
    let mut sound = true;
    for value in &array.elements {
        let Some(outcome) = outcome(report, value, channel) else {
            sound = false;
            continue;
        };
        if outcomes.contains(&outcome) {
            let message = format!("\"{outcome}\" stands twice in this list");
            report.error(value.start(), "given-twice", message, "keep one of the two");
            sound = false;
        }
        outcomes.push(outcome);
    }
    if array.elements.is_empty() {
        let message = format!("nothing converts on {channel}");
        report.warning(field.value.start(), "no-conversion", message, "name at least one outcome");
    }
    sound.then_some(outcomes)
}

fn outcome(report: &mut Report<'_>, value: &Value<'_>, channel: Channel) -> Option<Outcome> {
    let possible = words(success_on(channel), Outcome::as_str);
    let said = text(report, "converts_on", value, &format!("an outcome: {}", possible.join(", ")))?;
    match Outcome::parse(&said) {
        Some(outcome) if success_on(channel).contains(&outcome) => Some(outcome),
        Some(outcome) => {
            let message = format!("\"{outcome}\" is no success on {channel}");
            let hint = format!("use one of: {}", possible.join(", "));
            report.error(value.start(), "impossible-outcome", message, hint);
            None
        }
        None => {
            let message = format!("{} is no outcome", quote(&said));
            let known = words(Outcome::ALL, Outcome::as_str);
            report.error(value.start(), "unknown-outcome", message, suggest(&said, &known));
            None
        }
    }
}

/// What can happen on a channel and may be called a success there.
const fn success_on(channel: Channel) -> &'static [Outcome] {
    match channel {
        Channel::Whatsapp | Channel::Email => {
            &[Outcome::Delivered, Outcome::Read, Outcome::Replied, Outcome::Clicked]
        }
        Channel::Sms => &[Outcome::Delivered, Outcome::Replied, Outcome::Clicked],
        Channel::Phone => &[Outcome::Answered],
    }
}
