//! The three questions of the week in a line each, with the numbers behind them, and how fresh the rules are.

use super::Ctx;
use super::scale::percent;
use crate::learning::answer::{Answer, ChannelAnswer, SegmentAnswer, WaitAnswer};
use crate::learning::policy::looks::State;
use crate::model::{Channel, Money};
use crate::phrases::retimed::short;
use crate::tui::learning::findings::say_wait;
use crate::tui::text::{cut, left, wrap};
use ratatui::text::{Line, Span};
use rust_decimal::Decimal;

/// Cells of a question.
const ASKED: usize = 10;

/// The lines; each answer takes at most `most` of them.
pub fn lines<'a>(ctx: &Ctx, answer: &Answer, cells: usize, most: usize) -> Vec<Line<'a>> {
    let rules = answer.freshness.rules_hash.as_deref().map(|hash| format!("rules {}: ", short(hash)));
    let fresh = rules.unwrap_or_default() + &answer.freshness.reason;
    [
        ("  start?", start(answer)),
        ("  cheapest?", cheapest(ctx, answer)),
        ("  wait?", wait(answer)),
        ("  fresh", fresh),
    ]
    .into_iter()
    .flat_map(|(asked, said)| question(ctx, asked, &said, cells, most))
    .collect()
}

fn question<'a>(ctx: &Ctx, asked: &str, said: &str, cells: usize, most: usize) -> Vec<Line<'a>> {
    let room = cells.saturating_sub(ASKED + 2).max(20);
    let mut said = wrap(said, room);
    if said.len() > most {
        let rest = said.split_off(most.saturating_sub(1)).join(" ");
        said.push(cut(&rest, room));
    }
    let line = |(i, text): (usize, String)| {
        let asked = if i == 0 { asked } else { "" };
        let style = if asked.trim() == "fresh" { ctx.theme.muted } else { ctx.theme.text };
        Line::from(vec![Span::styled(left(asked, ASKED + 2), ctx.theme.muted), Span::styled(text, style)])
    };
    said.into_iter().enumerate().map(line).collect()
}

/// Which channel should each segment start with? What is to be changed comes first.
fn start(answer: &Answer) -> String {
    let mut rows: Vec<&SegmentAnswer> = answer.segments.iter().collect();
    rows.sort_by_key(|row| row.state != State::ChangeProposed);
    let said: Vec<String> = rows.into_iter().map(one_start).collect();
    if said.is_empty() { "no cascade yet".to_owned() } else { said.join(" · ") }
}

fn one_start(of: &SegmentAnswer) -> String {
    let name = of.segment.screen();
    let leader = of.leader.unwrap_or(of.incumbent);
    let sure = of.starts.iter().find(|start| start.start == leader).and_then(|start| start.p_best);
    let sure = sure.map(|p| format!(" {} likely best", percent(p))).unwrap_or_default();
    match of.state {
        State::ChangeProposed => format!("{name}: start with {},{sure}", leader.label()),
        State::KeepProven => format!("{name}: {} stays,{sure}", leader.label()),
        State::NoPracticalDifference => format!("{name}: a tie"),
        State::NotIdentifiable => format!("{name}: the record cannot answer"),
        State::Learning if of.leader.is_none() => format!("{name}: {}", of.reason),
        State::Learning => format!("{name}: not yet, {}{}", leader.label(), sure),
    }
}

/// Which channel converts most per cost? First contacts and fallbacks see other people, and stay apart.
fn cheapest(ctx: &Ctx, answer: &Answer) -> String {
    let best = |position: &str| {
        let rows = answer.channels.iter().filter(|row| row.segment.is_none() && row.position == position);
        let rated =
            rows.filter(|row| row.conversions > 0).filter_map(|row| Some((row.conversions_per_cost?, row)));
        rated.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, row)| row)
    };
    let said = |words: &str, row: &ChannelAnswer| {
        let one = each(row.conversions_per_cost).map(|cost| ctx.money(cost)).unwrap_or_default();
        let band = match (each(row.high), each(row.low)) {
            (Some(low), Some(high)) => format!(" ({} to {})", ctx.money(low), ctx.money(high)),
            _ => String::new(),
        };
        format!("{words} {}, {one} a conversion{band}", row.channel.label())
    };
    let first = best("first").map(|row| said("as first contact", row));
    let fallback = best("fallback").map(|row| said("as fallback", row));
    let both: Vec<String> = first.into_iter().chain(fallback).collect();
    if both.is_empty() { "no conversion that counts yet".to_owned() } else { both.join(" · ") }
}

/// What one conversion costs, from how many a unit of cost buys.
pub fn each(per_cost: Option<f64>) -> Option<Money> {
    let cost = per_cost.filter(|ratio| *ratio > 0.0).map(|ratio| 1.0 / ratio)?;
    Decimal::from_f64_retain(cost).map(|cost| Money(cost.round_dp(4)))
}

/// Which wait is too long?
fn wait(answer: &Answer) -> String {
    let said = |of: &WaitAnswer| {
        let name = format!("{}{}", of.channel.label(), whose(of));
        let now = say_wait(of.window_s);
        match (of.suggest_change, of.suggested_wait_s, of.t80_fraction, of.late_share) {
            (true, Some(then), Some(share), _) => Some(format!(
                "{name} {now} is too long: 80 % of conversions arrive in the first {} of it; {} would do",
                percent(share),
                say_wait(then)
            )),
            (_, _, _, Some(late)) if of.too_short => {
                Some(format!("{name} {now} is cut too short: {} of conversions come later", percent(late)))
            }
            _ => None,
        }
    };
    let all: Vec<String> = answer.waits.iter().filter(|of| of.segment.is_none()).filter_map(said).collect();
    // What holds for a channel is not said again for each segment.
    let changed: Vec<Channel> = answer
        .waits
        .iter()
        .filter(|of| of.segment.is_none() && (of.suggest_change || of.too_short))
        .map(|of| of.channel)
        .collect();
    let own = answer.waits.iter().filter(|of| of.segment.is_some() && !changed.contains(&of.channel));
    let found: Vec<String> = all.into_iter().chain(own.filter_map(said)).collect();
    if !found.is_empty() {
        return found.join(" · ");
    }
    if answer.waits.iter().any(|of| of.status == "ok") {
        "no wait needs a change".to_owned()
    } else {
        "too few conversions yet to say when they arrive".to_owned()
    }
}

fn whose(of: &WaitAnswer) -> String {
    of.segment.as_ref().map(|segment| format!(" for {}", segment.screen())).unwrap_or_default()
}
