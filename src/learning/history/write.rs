//! Writes the history file: one row per step, in the columns of the contract.

use super::{Cascade, Step};
use crate::model::{At, Segment, sinks};
use std::io::{self, Write};

/// The columns, in the order in which they are written.
pub const COLUMNS: [&str; 15] = [
    "cascade",
    "segment",
    "start",
    "propensity",
    "rules",
    "launched_at",
    "step",
    "channel",
    "sent_at",
    "window_s",
    "delivered_at",
    "bounced_at",
    "converted_at",
    "opted_out_at",
    "cost",
];

/// Writes the line with the names of the columns.
pub fn write_header(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))
}

/// Writes a row for each step of a cascade. A forced start was not drawn, so that its propensity stays empty.
pub fn write_rows(out: &mut impl Write, cascade: &Cascade) -> io::Result<()> {
    let Segment(segment) = &cascade.segment;
    let propensity = cascade.propensity.filter(|_| !cascade.forced);
    let head = format!(
        "{},{},{},{},{},{}",
        cell(cascade.id.raw()),
        cell(segment),
        cascade.start,
        propensity.map(|p| p.to_string()).unwrap_or_default(),
        cell(cascade.rules.raw()),
        cascade.launched_at
    );
    cascade.steps.iter().try_for_each(|step| write_step(out, &head, step))
}

fn write_step(out: &mut impl Write, head: &str, step: &Step) -> io::Result<()> {
    let time = |at: Option<At>| at.map(|at| at.to_string()).unwrap_or_default();
    writeln!(
        out,
        "{head},{},{},{},{},{},{},{},{},{}",
        step.step,
        step.channel,
        time(step.sent_at),
        step.window_s.map(|s| s.to_string()).unwrap_or_default(),
        time(step.delivered_at),
        time(step.bounced_at),
        time(step.converted_at),
        time(step.opted_out_at),
        step.cost
    )
}

/// Text of people's own, bare where nothing in it asks for quotes.
fn cell(text: &str) -> String {
    let bare = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if bare { text.to_owned() } else { sinks::csv(text) }
}
