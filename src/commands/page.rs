//! A report for people: the cohort in one line, a row per channel, a line per cause of failure.

use crate::engine::snapshot::{ChannelRow, FailureRow, Phase, Snapshot};
use crate::model::{Channel, Outcome, clean};
use crate::phrases::people;

/// The page, line by line.
pub(super) fn lines(view: &Snapshot) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(title(view));
    lines.push(cohort(view));
    lines.push(String::new());
    lines.push(header(view));
    lines.extend(view.channels.iter().map(channel));
    if !view.failures.is_empty() {
        lines.push(String::new());
    }
    lines.extend(view.failures.iter().map(failure));
    lines
}

fn title(view: &Snapshot) -> Option<String> {
    let campaign = view.campaign.as_ref()?;
    let state = match &view.phase {
        Phase::Ended => "ended".to_owned(),
        Phase::Stuck => "waits for an operator's hand".to_owned(),
        Phase::Paused(why) => format!("paused: {}", clean(why)),
        Phase::Idle | Phase::Running => "under way".to_owned(),
    };
    let ended = campaign.ended_at.map(|at| format!(", ended {at}")).unwrap_or_default();
    Some(format!(
        "{} {}, {} customers, {state}, started {}{ended}",
        campaign.mode,
        clean(&campaign.name),
        campaign.customers,
        campaign.started_at
    ))
}

fn cohort(view: &Snapshot) -> String {
    let t = &view.tally;
    format!(
        "{} = {} converted + {} declined + {} exhausted + {} opted out + {} stopped + {} held + {} in doubt + {} running",
        t.total, t.converted, t.declined, t.exhausted, t.opted_out, t.stopped, t.held, t.in_doubt, t.running
    )
}

fn header(view: &Snapshot) -> String {
    let currency = view.campaign.as_ref().map(|c| clean(&c.currency)).unwrap_or_default();
    format!(
        "{:<10}{:>8}{:>9}{:>7}{:>6}{:>6}{:>9}{:>9}{:>8}{:>8}{:>8}{:>6}{:>6}{currency:>9}",
        "channel",
        "attempts",
        "accepted",
        "failed",
        "dlvd",
        "read",
        "replied",
        "answered",
        "clicked",
        "no answ",
        "bounced",
        "stop",
        "conv"
    )
}

fn channel(row: &ChannelRow) -> String {
    let n = |outcome| row.outcome(outcome);
    format!(
        "{:<10}{:>8}{:>9}{:>7}{:>6}{:>6}{:>9}{:>9}{:>8}{:>8}{:>8}{:>6}{:>6}{:>9}",
        row.channel.map(Channel::label).unwrap_or_default(),
        row.attempts,
        row.accepted,
        row.failed,
        n(Outcome::Delivered),
        n(Outcome::Read),
        n(Outcome::Replied),
        n(Outcome::Answered),
        n(Outcome::Clicked),
        n(Outcome::NoAnswer),
        n(Outcome::Bounced),
        n(Outcome::OptedOut),
        row.conversions,
        row.cost.to_string()
    )
}

fn failure(row: &FailureRow) -> String {
    clean(&format!(
        "{} on {}: {} {} ({}, {}), {}. {}",
        people(row.customers),
        row.failure.channel.label(),
        row.failure.code,
        row.failure.title,
        row.failure.class,
        row.failure.scope,
        row.reaction,
        row.failure.remedy
    ))
}
