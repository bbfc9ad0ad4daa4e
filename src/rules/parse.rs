//! Reads the rules: bytes in, a checked chain out, or everything that is wrong with them.

use super::durations::parse_quiet_hours;
use super::fields::{Common, WINDOW_S_MAX, channel, duration};
use super::json::{Field, Fields, check_syntax, share, text, tree, whole, without_surrogates, wrong_type};
use super::report::{Report, quote};
use super::steps::Draft;
use super::{
    DEFAULT_CONVERSION_WINDOW_S, DEFAULT_EXPIRES_S, DEFAULT_RETRY_MAX, Ladder, Problem, Rules, Severity, Step,
};
use super::{chain, steps};
use crate::model::{Channel, QuietHours, Segment};
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

const KNOWN: [&str; 11] = [
    "start",
    "steps",
    "segments",
    "converts_on",
    "conversion_window",
    "quiet_hours",
    "expires",
    "retry",
    "attempts",
    "on_bounce",
    "explore",
];

/// Fields people look for at the top of the file that stand in a step.
const IN_A_STEP: [(&str, &str); 6] = [
    ("channel", "into a step"),
    ("wait", "into a step"),
    ("wait_if_first", "into a step"),
    ("if_no_reply", "into a step"),
    ("if_no_answer", "into a step"),
    ("terminal", "into a step"),
];

/// Reads rules from the bytes of a file; `file` is named in the problems.
///
/// All problems are given, in the order of the file. The rules are there unless one of them is an error.
pub fn parse(file: &Path, bytes: &[u8]) -> (Option<Rules>, Vec<Problem>) {
    let source = match utf8(file, bytes) {
        Ok(source) => source,
        Err(problem) => return (None, vec![*problem]),
    };
    let mut report = Report::new(file, source);
    let rules = read(&mut report, bytes);
    let rules = rules.filter(|_| !report.has_errors());
    (rules, report.finish())
}

/// The text without a byte order mark.
fn utf8<'b>(file: &Path, bytes: &'b [u8]) -> Result<&'b str, Box<Problem>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wrong = match std::str::from_utf8(bytes) {
        Ok(source) => return Ok(source),
        Err(wrong) => wrong,
    };
    let before = bytes.get(..wrong.valid_up_to()).unwrap_or_default();
    let before = std::str::from_utf8(before).unwrap_or_default();
    let (line, column) = Report::new(file, before).place(before.len());
    let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let message = if is_utf16 { "this file is UTF-16, not UTF-8" } else { "this is not UTF-8" };
    Err(Box::new(Problem {
        severity: Severity::Error,
        file: file.to_owned(),
        line,
        column,
        code: "not-utf8",
        message: message.to_owned(),
        hint: "save the file as UTF-8".to_owned(),
    }))
}

fn read(report: &mut Report<'_>, bytes: &[u8]) -> Option<Rules> {
    if !check_syntax(report) {
        return None;
    }
    let source = without_surrogates(report.text());
    let root = tree(report, &source)?;
    let Value::Object(object) = &root else {
        wrong_type(report, "rules", &root, "an object with a start and steps");
        return None;
    };
    let fields = Fields::of(report, object);
    fields.only(report, &KNOWN, "the rules", &IN_A_STEP);
    let common = Common::read(report, &fields);
    let main_start = start(report, &fields, "the rules have");
    let main_steps = main_steps(report, &fields, &common, main_start);
    let segments = fields.get("segments").map(|f| segments(report, f, &common, main_steps.as_deref()));
    let window = |report: &mut Report<'_>, name: &str, least_s: u64, otherwise: u64| {
        fields.get(name).and_then(|f| duration(report, f, least_s, WINDOW_S_MAX)).unwrap_or(otherwise)
    };
    let conversion_window_s = window(report, "conversion_window", 0, DEFAULT_CONVERSION_WINDOW_S);
    let expires_s = window(report, "expires", 1, DEFAULT_EXPIRES_S);
    let quiet_hours = fields.get("quiet_hours").and_then(|f| quiet_hours(report, f));
    let retry_max = fields.get("retry").and_then(|f| retry_max(report, f)).unwrap_or(DEFAULT_RETRY_MAX);
    let explore = fields.get("explore").and_then(|f| share(report, f)).unwrap_or(0.0);
    Some(Rules {
        hash: hex::encode(Sha256::digest(bytes)),
        bytes: bytes.to_vec(),
        main: Ladder { start: main_start?.0, steps: main_steps? },
        segments: segments.unwrap_or_default(),
        conversion_window_s,
        quiet_hours,
        expires_s,
        retry_max,
        explore,
    })
}

fn main_steps(
    report: &mut Report<'_>,
    fields: &Fields<'_, '_>,
    common: &Common,
    start: Option<(Channel, usize)>,
) -> Option<Vec<Step>> {
    let Some(field) = fields.get("steps") else {
        report.error(fields.at, "missing-steps", "the rules have no \"steps\"", "add a list of steps");
        return None;
    };
    let drafts = steps::read(report, field, common)?;
    check_chain(report, start, drafts)
}

/// The start with the byte offset of its value, if there is a usable one.
fn start(report: &mut Report<'_>, fields: &Fields<'_, '_>, place: &str) -> Option<(Channel, usize)> {
    let Some(field) = fields.get("start") else {
        let hint = "add \"start\": whatsapp, phone, sms or email";
        report.error(fields.at, "missing-start", format!("{place} no \"start\""), hint);
        return None;
    };
    channel(report, field).map(|c| (c, field.value.start()))
}

/// Checks start and steps against each other. `None` if a channel could not be read.
fn check_chain(
    report: &mut Report<'_>,
    start: Option<(Channel, usize)>,
    drafts: Vec<Draft>,
) -> Option<Vec<Step>> {
    let all_read = drafts.iter().all(|d| d.channel.is_some());
    if let Some((channel, at)) = start {
        let there = drafts.iter().any(|d| d.channel.is_some_and(|(c, _)| c == channel));
        if !there && all_read {
            let message = format!("the start is {channel}, and there is no step for {channel}");
            report.error(at, "no-such-step", message, chain::no_such_step_hint(&drafts, channel));
        }
    }
    let steps = chain::order(report, drafts, start.map(|(c, _)| c));
    all_read.then_some(steps)
}

fn segments(
    report: &mut Report<'_>,
    field: &Field<'_, '_>,
    common: &Common,
    main: Option<&[Step]>,
) -> BTreeMap<Segment, Ladder> {
    let Value::Object(object) = field.value else {
        wrong_type(report, "segments", field.value, "an object with a segment's name for each field");
        return BTreeMap::new();
    };
    let mut ladders = BTreeMap::new();
    for entry in Fields::of(report, object).all {
        let name = Segment(entry.name.trim().to_owned());
        if name.0.is_empty() {
            let hint = "write the name that the customer list uses";
            report.error(entry.at, "empty-name", "a segment without a name", hint);
        } else if let Some(ladder) = segment(report, &entry, common, main)
            && ladders.insert(name, ladder).is_some()
        {
            let message = format!("segment {} is given twice", quote(&entry.name));
            report.error(entry.at, "given-twice", message, "keep one of the two");
        }
    }
    ladders
}

fn segment(
    report: &mut Report<'_>,
    entry: &Field<'_, '_>,
    common: &Common,
    main: Option<&[Step]>,
) -> Option<Ladder> {
    let Value::Object(object) = entry.value else {
        wrong_type(report, &entry.name, entry.value, "an object with a start");
        return None;
    };
    let fields = Fields::of(report, object);
    fields.only(report, &["start", "steps"], "a segment", &[]);
    let start = start(report, &fields, &format!("segment {} has", quote(&entry.name)));
    if let Some(own) = fields.get("steps") {
        let drafts = steps::read(report, own, common)?;
        let steps = check_chain(report, start, drafts)?;
        return Some(Ladder { start: start?.0, steps });
    }
    let (channel, at) = start?;
    let steps = main?;
    if !steps.iter().any(|s| s.channel == channel) {
        let message = format!("the start is {channel}, and there is no step for {channel}");
        let hint = format!("add a step for {channel}, or give this segment \"steps\" of its own");
        report.error(at, "no-such-step", message, hint);
    }
    Some(Ladder { start: channel, steps: steps.to_vec() })
}

fn quiet_hours(report: &mut Report<'_>, field: &Field<'_, '_>) -> Option<QuietHours> {
    let wanted = "hours such as \"20:00-09:00\", or \"off\"";
    let said = text(report, &field.name, field.value, wanted)?;
    parse_quiet_hours(&said).unwrap_or_else(|| {
        let message = format!("{} are no quiet hours", quote(&said));
        report.error(field.value.start(), "bad-hours", message, format!("write {wanted}"));
        None
    })
}

fn retry_max(report: &mut Report<'_>, field: &Field<'_, '_>) -> Option<u32> {
    let Value::Object(object) = field.value else {
        wrong_type(report, "retry", field.value, "an object such as {\"max\": 5}");
        return None;
    };
    let fields = Fields::of(report, object);
    fields.only(report, &["max"], "\"retry\"", &[]);
    fields.get("max").and_then(|f| whole(report, f, 0, 100))
}
