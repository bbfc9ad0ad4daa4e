//! The answer as a page to read: the three questions of the week first, then the numbers behind them.

use super::date;
use crate::commands::{Failure, output::Results};
use crate::learning::answer::{Answer, Basis, ChannelAnswer, SegmentAnswer, StartAnswer, WaitAnswer};
use crate::learning::policy::looks::State;
use crate::model::{Mode, Money, Segment};

/// Prints it.
pub(super) fn print(answer: &Answer, mode: Option<Mode>) -> Result<(), Failure> {
    let mut page = Results::open();
    let place = match mode {
        Some(Mode::Rehearsal) => "REHEARSAL, which never feeds live learning · ",
        Some(Mode::Live) => "LIVE · ",
        None => "",
    };
    page.line(&format!("{place}as of {} · {}", date(answer.now), basis(answer)))?;
    for note in &answer.notes {
        page.line(&format!("! {note}"))?;
    }
    week(answer, &mut page)?;
    for segment in &answer.segments {
        segment_lines(segment, &answer.currency, &mut page)?;
    }
    waits(answer, &mut page)?;
    channels(answer, &mut page)?;
    page.close()
}

fn basis(answer: &Answer) -> String {
    let Answer { currency, optout_penalty, .. } = answer;
    match (answer.basis, answer.value) {
        (Basis::Net, Some(value)) => {
            format!("a conversion is worth {value} {currency}, an opt-out costs {optout_penalty}")
        }
        (Basis::CostPerConversion, Some(value)) => {
            format!("ranked by cost per conversion, {value} {currency} with today's starts")
        }
        (_, None) => "ranked by cost per conversion; no conversion with today's starts yet".to_owned(),
    }
}

/// Which start, how long to wait, who differs.
fn week(answer: &Answer, page: &mut Results) -> Result<(), Failure> {
    page.line("")?;
    let mut proposed = answer.segments.iter().filter(|s| s.state == State::ChangeProposed).peekable();
    if proposed.peek().is_none() {
        page.line("Start   no change is proposed")?;
    }
    for segment in proposed {
        page.line(&format!("Start   {}", segment.reason))?;
    }
    let waits: Vec<&WaitAnswer> =
        answer.waits.iter().filter(|w| w.segment.is_none() && (w.suggest_change || w.too_short)).collect();
    if waits.is_empty() {
        page.line("Wait    no wait needs a change")?;
    }
    for wait in waits {
        page.line(&format!("Wait    {}: {}", wait.channel.label(), wait.reason))?;
    }
    if answer.winners.is_empty() {
        page.line("Split   no segment has another winner for sure")?;
    }
    for winner in &answer.winners {
        page.line(&format!("Split   {}", winner.reason))?;
    }
    page.line(&format!("Fresh   {}", answer.freshness.reason))
}

fn segment_lines(segment: &SegmentAnswer, currency: &str, page: &mut Results) -> Result<(), Failure> {
    page.line("")?;
    let SegmentAnswer { mature, running, excluded, state, .. } = segment;
    let name = segment.segment.screen();
    page.line(&format!(
        "{name} · {state} · {mature} finished, {running} still running, {excluded} left out, not counted"
    ))?;
    page.line(&format!("  {}", segment.reason))?;
    let dropped: u64 = segment.starts.iter().map(|start| start.n_all - start.n).sum();
    if dropped > 0 {
        page.line(&format!(
            "  {dropped} of them from before the outcomes changed are not in the rows below"
        ))?;
    }
    if let Some(naive) = segment.naive_leader.filter(|naive| Some(*naive) != segment.leader) {
        page.line(&format!(
            "  conversions per channel's own cost would say {}: it sees only whom it was tried on",
            naive.label()
        ))?;
    }
    page.line(&format!(
        "  {:<10}{:>8}{:>8}{:>8}{:>8}{:>24}{:>12}{:>9}{:>7}",
        "start",
        "n",
        "conv",
        "rate",
        "best",
        format!("net {currency} (90 %)"),
        "cost/conv",
        "opt-out",
        "next"
    ))?;
    for start in &segment.starts {
        page.line(&row(start))?;
    }
    let mut more = Vec::new();
    if let Some(count) = segment.more_needed.filter(|count| *count > 0 && *state == State::Learning) {
        more.push(format!("about {count} more would settle it, if the gap is what it looks like"));
    }
    if let Some(gap) = segment.gap_sd {
        more.push(format!("gap {gap:.2} sd"));
    }
    if let (Some(loss), Some(cost)) = (segment.expected_loss, segment.exploring_cost) {
        more.push(format!("choosing now could cost {loss} a cascade; exploring has cost {}", cost.short()));
    }
    if let Some(after) = segment.after_100 {
        let p = percent(after.p_leader_changes);
        more.push(format!("100 more change the leader with {p}"));
    }
    if segment.blind_to_change && segment.leader.is_some() {
        more.push("too little traffic to notice a change".to_owned());
    }
    if !more.is_empty() {
        page.line(&format!("  {}", more.join(" · ")))?;
    }
    Ok(())
}

fn row(start: &StartAnswer) -> String {
    let dash = || "–".to_owned();
    let share = |share: Option<f64>| share.map_or_else(dash, percent);
    let net = match (start.net_mean, start.net_low, start.net_high) {
        (Some(mean), Some(low), Some(high)) => {
            format!("{} ({} to {})", mean.short(), low.short(), high.short())
        }
        _ => dash(),
    };
    format!(
        "  {:<10}{:>8}{:>8}{:>8}{:>8}{net:>24}{:>12}{:>9}{:>7}",
        start.start.label(),
        start.n,
        start.conversions,
        share(start.conversion_rate),
        share(start.p_best),
        start.cost_per_conversion.map_or_else(dash, Money::short),
        start.opted_out,
        share(start.propensity)
    )
}

fn waits(answer: &Answer, page: &mut Results) -> Result<(), Failure> {
    page.line("")?;
    page.line("Waits")?;
    for wait in &answer.waits {
        let segment = wait.segment.as_ref().map_or_else(|| "all".to_owned(), Segment::screen);
        page.line(&format!("  {:<10}{segment:<14} {}", wait.channel.label(), wait.reason))?;
    }
    Ok(())
}

fn channels(answer: &Answer, page: &mut Results) -> Result<(), Failure> {
    page.line("")?;
    page.line(&format!("Conversions per {} of a channel's own cost", answer.currency))?;
    for row in answer.channels.iter().filter(|row| row.segment.is_none()) {
        let ChannelAnswer { channel, position, contacts, conversions, .. } = row;
        let figures = match (row.conversions_per_cost, row.low, row.high) {
            (Some(ratio), Some(low), Some(high)) => format!("{ratio:.2} ({low:.2} to {high:.2})"),
            _ => "free".to_owned(),
        };
        let name = channel.label();
        page.line(&format!(
            "  {name:<10}{position:<10}{figures:>24}   {conversions} of {contacts} contacts"
        ))?;
    }
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
