//! Failures: the list by cause, one cause, and a shut scope; with the provider's words and what to do.

use super::Ctx;
use super::page::{fact, heading};
use crate::engine::event::Hold;
use crate::engine::snapshot::{FailureRow, Place};
use crate::model::{CascadeId, Channel, Failure, Scope, clean};
use crate::phrases::{self, counted, people, span};
use crate::tui::text::{cut, left, minute, right, when};
use ratatui::text::{Line, Span};

/// Class and scope, where there is room: in a narrow window they are left to the failure's own page, since what happened
/// must be readable.
fn sorted(class: &str, scope: &str, cells: usize) -> String {
    if cells >= 100 { left(class, 11) + &left(scope, 10) } else { String::new() }
}

/// Cells of what happened.
fn title_cells(cells: usize) -> usize {
    cells.saturating_sub(if cells >= 100 { 78 } else { 57 }).max(12)
}

/// The heads of the list.
pub fn head<'a>(ctx: &Ctx, cells: usize) -> Line<'a> {
    let head = [
        left("  ON", 12),
        left("CODE", 14),
        left("WHAT", title_cells(cells)),
        sorted("CLASS", "SCOPE", cells),
        right("PEOPLE", 7),
        left("  THEY", 24),
    ];
    Line::styled(cut(&head.concat(), cells), ctx.theme.muted)
}

/// A line per cause.
pub fn row<'a>(ctx: &Ctx, i: usize, chosen: bool, cells: usize) -> Vec<Line<'a>> {
    let Some(row) = ctx.picture.snapshot.failures.get(i) else {
        return vec![Line::styled("  Nothing has failed.", ctx.theme.muted)];
    };
    let (failure, title) = (&row.failure, title_cells(cells));
    let line = Line::from(vec![
        Span::styled(
            left(&format!("{} {}", if chosen { "▸" } else { " " }, failure.channel.label()), 12),
            ctx.theme.channel(failure.channel),
        ),
        Span::styled(left(&clean(&failure.code), 13) + " ", ctx.theme.strong),
        Span::styled(left(&clean(&failure.title), title - 1) + " ", ctx.theme.text),
        Span::styled(sorted(failure.class.as_str(), failure.scope.as_str(), cells), ctx.theme.muted),
        Span::styled(right(&row.customers.to_string(), 7), ctx.theme.strong),
        Span::styled(left(&format!("  {}", reaction(ctx, row)), 24), ctx.theme.muted),
    ]);
    vec![if chosen { line.patch_style(ctx.theme.selection) } else { line }]
}

/// What became of them. A scope that is shut holds more people than the few who met the failure.
fn reaction(ctx: &Ctx, row: &FailureRow) -> String {
    let failure = &row.failure;
    let shut = ctx.picture.snapshot.breakers.iter();
    let mut holds = shut.filter(|shut| shut.channel == failure.channel && shut.scope == failure.scope);
    match holds.find(|shut| shut.held > 0) {
        Some(shut) => format!("{} held now", people(shut.held)),
        None => row.reaction.to_owned(),
    }
}

/// What a failure says of itself.
pub fn facts<'a>(ctx: &Ctx, failure: &Failure, cells: usize) -> Vec<Line<'a>> {
    let scope = clean(&failure.scope.to_string());
    let class = format!("{}: {}", failure.class, phrases::class(failure.class));
    let said = format!("{}: {}", clean(&failure.provider), failure.detail.screen());
    let sent = match failure.sent {
        crate::model::Sent::No => "no, certainly not",
        crate::model::Sent::Maybe => "nobody can tell; it is never sent again by itself",
    };
    let mut lines = fact(ctx, "what to do", &clean(&failure.remedy), cells);
    lines.extend(fact(ctx, "they said", &said, cells));
    lines.extend(fact(ctx, "class", &class, cells));
    lines.extend(fact(ctx, "about", &scope, cells));
    lines.extend(fact(ctx, "sent?", sent, cells));
    lines
}

/// One cause, and who.
pub fn one<'a>(ctx: &Ctx, channel: Channel, code: &str, scope: &Scope, cells: usize) -> Vec<Line<'a>> {
    let is = |row: &&FailureRow| {
        row.failure.channel == channel && row.failure.code == code && row.failure.scope == *scope
    };
    let Some(row) = ctx.picture.snapshot.failures.iter().find(is) else {
        return vec![Line::styled("  this failure is over", ctx.theme.muted)];
    };
    let mut lines = vec![Line::styled(format!("  {}", clean(&row.failure.title)), ctx.theme.strong)];
    lines.push(Line::default());
    lines.extend(facts(ctx, &row.failure, cells));
    let first = when(row.first_at, ctx.now, ctx.zone);
    let newest = when(row.last_at, ctx.now, ctx.zone);
    let attempts = counted(row.attempts, "attempt", "attempts");
    let times = format!("{attempts}, first {first}, newest {newest}");
    lines.extend(fact(ctx, "when", &times, cells));
    lines.extend(fact(ctx, "they", &reaction(ctx, row), cells));
    lines.push(Line::default());
    lines.push(heading(ctx, &people(row.customers), cells));
    lines.extend(row.cascades.iter().rev().map(|id| customer(ctx, *id)));
    lines
}

/// A shut scope, and whom it holds.
pub fn breaker<'a>(ctx: &Ctx, channel: Channel, scope: &Scope, cells: usize) -> Vec<Line<'a>> {
    let rows = &ctx.picture.snapshot.breakers;
    let Some(row) = rows.iter().find(|row| row.channel == channel && row.scope == *scope) else {
        return vec![Line::styled("  it is open again", ctx.theme.good)];
    };
    let fault = phrases::fault(&row.failure);
    let mut lines = vec![Line::styled(format!("  {} held: {fault}", people(row.held)), ctx.theme.bad)];
    lines.push(Line::default());
    lines.extend(facts(ctx, &row.failure, cells));
    let since = format!("{}, for {}", minute(row.since, ctx.zone), span((ctx.now - row.since).num_seconds()));
    lines.extend(fact(ctx, "since", &since, cells));
    let again = match row.retry_at.map(|at| span((at - ctx.now).num_seconds())) {
        _ if row.by_word => "by your word alone: m, once it is mended".to_owned(),
        Some(left) => format!("the provider is asked in {left}, read-only; or by your word: m"),
        None => "the provider is being asked; or by your word: m".to_owned(),
    };
    lines.extend(fact(ctx, "opens", &again, cells));
    lines.push(Line::default());
    lines.push(heading(ctx, "held by it", cells));
    let held = |place: &Place| matches!(place, Place::Held(Hold::Breaker { on, scope: s }) if *on == channel && s == scope);
    let rows = ctx.picture.snapshot.rows.iter().filter(|row| held(&row.place));
    lines.extend(rows.map(|row| customer(ctx, row.cascade)));
    lines
}

fn customer<'a>(ctx: &Ctx, cascade: CascadeId) -> Line<'a> {
    let row = ctx.model.row(cascade);
    let card = row.and_then(|row| ctx.picture.people.get(&row.person));
    let phone = card.and_then(|c| c.phone.as_ref()).map_or("", |p| p.as_str());
    let stands = row.map(|row| format!("{} {}", row.channel.label(), phrases::place(row)));
    Line::from(vec![
        Span::styled(format!("  {}", left(&ctx.model.name(cascade), 26)), ctx.theme.text),
        Span::styled(left(phone, 18), ctx.theme.muted),
        Span::styled(stands.unwrap_or_default(), ctx.theme.muted),
    ])
}
