//! A customer's own page: who, where, what next, the newest failure with its remedy, and everything that happened.

use super::page::{fact, heading};
use super::{Ctx, timeline};
use crate::engine::snapshot::Place;
use crate::model::CascadeId;
use crate::phrases::{self, span};
use crate::runtime::handle::TimelineEntry;
use crate::tui::text::{weekday, when};
use ratatui::text::{Line, Span};
use std::sync::Arc;

/// The page's lines.
pub fn lines<'a>(
    ctx: &Ctx,
    cascade: CascadeId,
    history: Option<&[Arc<TimelineEntry>]>,
    cells: usize,
) -> Vec<Line<'a>> {
    let mut lines = facts(ctx, cascade, cells);
    lines.push(Line::default());
    lines.push(heading(ctx, "everything that happened, newest first", cells));
    let Some(history) = history else {
        lines.push(Line::styled("  reading …", ctx.theme.muted));
        return lines;
    };
    if history.is_empty() {
        lines.push(Line::styled("  nothing yet", ctx.theme.muted));
    }
    let mut day = String::new();
    for (i, entry) in history.iter().enumerate().rev() {
        let today: String = weekday(entry.event.at, ctx.zone).chars().take(3).collect();
        if today != day {
            lines.push(Line::styled(format!("  {today}"), ctx.theme.accent));
            day = today;
        }
        for line in timeline::entry_lines(ctx, entry, cells.saturating_sub(4).max(56), false, false) {
            let mut spans = vec![Span::raw("    ")];
            spans.extend(line.spans.into_iter().map(|span| span.patch_style(line.style)));
            lines.push(Line::from(spans));
        }
        // Below what happened under it: the page runs from the newest to the oldest.
        lines.extend(super::versions::of_entry(ctx, history, i));
    }
    lines
}

fn facts<'a>(ctx: &Ctx, cascade: CascadeId, cells: usize) -> Vec<Line<'a>> {
    let Some(row) = ctx.model.row(cascade) else {
        return vec![Line::styled("  this customer is in no cascade of this campaign", ctx.theme.muted)];
    };
    let mut lines = Vec::new();
    let card = ctx.picture.people.get(&row.person);
    let phone = card.and_then(|c| c.phone.as_ref()).map_or("no number", |p| p.as_str());
    let language = card.and_then(|c| c.language.as_deref()).map(crate::model::clean);
    let segment = card.map_or_else(|| row.segment.screen(), |c| c.segment.clone());
    let who = [Some(phone.to_owned()), Some(segment), language].into_iter().flatten().collect::<Vec<_>>();
    lines.extend(fact(ctx, "who", &who.join(" · "), cells));
    let ways: Vec<String> = row
        .walk
        .iter()
        .enumerate()
        .map(|(i, channel)| {
            let label = channel.label();
            if i == row.step as usize { format!("[{label}]") } else { label.to_owned() }
        })
        .collect();
    lines.extend(fact(ctx, "walk", &ways.join(" › "), cells));
    let credited = match &row.place {
        Place::Ended(_, Some(channel)) => format!(" by {}", channel.label()),
        _ => String::new(),
    };
    let stands = match &row.place {
        Place::Held(why) => format!("held: {}", phrases::hold(why)),
        Place::InDoubt => format!("{}: sent or not? x settles it", row.channel.label()),
        Place::Ended(..) => phrases::place(row) + &credited,
        _ => format!("{} {}", row.channel.label(), phrases::place(row)),
    };
    lines.extend(fact(ctx, "stands", &stands, cells));
    if let Some((at, _)) = row.next {
        let left = (at - ctx.now).num_seconds();
        let text = format!("in {}, {}", span(left), when(at, ctx.now, ctx.zone));
        lines.extend(fact(ctx, "next", &text, cells));
    }
    lines.extend(fact(ctx, "spent", &ctx.money(row.cost), cells));
    if let Some(failure) = &row.failure {
        lines.push(Line::default());
        lines.push(heading(ctx, &format!("newest failure: {}", phrases::fault(failure)), cells));
        lines.extend(super::failures::facts(ctx, failure, cells));
    }
    lines
}
