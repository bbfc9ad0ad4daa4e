//! What operators ordered, and what came of each order for each person: the audit trail of this campaign.

use super::Ctx;
use super::page::{fact, heading};
use crate::engine::audit::{Account, Item};
use crate::engine::order::Came;
use crate::model::{CampaignId, OrderId};
use crate::phrases::orders::{about, ask, came, left as why_left, who};
use crate::phrases::people;
use crate::tui::text::{cut, left, weekday, when, wrap};
use ratatui::text::{Line, Span};

/// Cells of who and what.
const fn columns(cells: usize) -> (usize, usize) {
    if cells >= 100 { (22, 32) } else { (11, 22) }
}

/// The heads of the list.
pub fn head<'a>(ctx: &Ctx, cells: usize) -> Line<'a> {
    let (by, what) = columns(cells);
    let head = [left("  WHEN", 12), left("WHO", by), left("WHAT", what), "CAME TO".to_owned()];
    Line::styled(cut(&head.concat(), cells), ctx.theme.muted)
}

/// The `i`th order, the newest first: a line, and what came of the one under the cursor whole.
pub fn row<'a>(ctx: &Ctx, i: usize, chosen: bool, cells: usize) -> Vec<Line<'a>> {
    let Some(account) = ctx.picture.audit.orders().iter().rev().nth(i) else {
        return vec![Line::styled("  Nothing was ordered in this campaign yet.", ctx.theme.muted)];
    };
    let (by, what) = columns(cells);
    let cursor = if chosen { "▸" } else { " " };
    let asked = format!("{}, {}", ask(account.what), subject(account));
    let room = cells.saturating_sub(12 + by + what);
    let style =
        if account.left.is_some() || account.left_alone() > 0 { ctx.theme.warning } else { ctx.theme.text };
    let (first, more) = whole(&result(account), chosen, room);
    let line = Line::from(vec![
        Span::styled(left(&format!("{cursor} {}", when(account.at, ctx.now, ctx.zone)), 12), ctx.theme.muted),
        Span::styled(left(&who(&account.by), by - 1) + " ", ctx.theme.text),
        Span::styled(left(&asked, what - 1) + " ", ctx.theme.strong),
        Span::styled(first, style),
    ]);
    let mut lines = vec![if chosen { line.patch_style(ctx.theme.selection) } else { line }];
    lines.extend(
        more.into_iter().map(|text| Line::styled(format!("{}{text}", " ".repeat(12 + by + what)), style)),
    );
    lines
}

/// The words of a line: cut, and under the cursor whole, on as many lines as they need.
fn whole(words: &str, chosen: bool, room: usize) -> (String, Vec<String>) {
    let mut parts = if chosen { wrap(words, room.max(12)) } else { vec![cut(words, room)] }.into_iter();
    (parts.next().unwrap_or_default(), parts.collect())
}

fn subject(account: &Account) -> String {
    about(account.what, account.people, account.channel, account.scope.as_ref())
}

/// In a line: how many, and why.
fn result(account: &Account) -> String {
    let why = account.why.as_ref().map(|why| format!("; \"{}\"", why.screen())).unwrap_or_default();
    match account.left {
        Some(nothing) => format!("nothing to do: {}{why}", why_left(nothing)),
        None if account.items.is_empty() => format!("done{why}"),
        None if account.left_alone() == 0 => format!("done for {}{why}", people(account.done() as u64)),
        None => format!(
            "done for {}, {} left as they are{why}",
            people(account.done() as u64),
            account.left_alone()
        ),
    }
}

/// What stands above the people of an order.
fn heads<'a>(ctx: &Ctx, campaign: CampaignId, order: OrderId, cells: usize) -> Vec<Line<'a>> {
    let Some(account) = ctx.model.account(campaign, order) else {
        return vec![Line::styled("  this order is not known here", ctx.theme.muted)];
    };
    let terminal = account.by.tty.as_deref().map(|tty| format!(", {}", crate::model::clean(tty)));
    let asked = format!("{}{}", who(&account.by), terminal.unwrap_or_default());
    let times = format!(
        "{}, which by the calendar was {}",
        weekday(account.at, ctx.zone),
        account.wall_at.utc().format("%Y-%m-%d %H:%M:%S UTC")
    );
    let mut lines = fact(ctx, "asked by", &asked, cells);
    lines.extend(fact(ctx, "when", &times, cells));
    let why = account.why.as_ref().map_or_else(|| "nobody said".to_owned(), crate::model::Untrusted::screen);
    lines.extend(fact(ctx, "why", &why, cells));
    lines.extend(fact(ctx, "came to", &result(account), cells));
    lines.push(Line::default());
    lines.push(heading(ctx, "for each", cells));
    lines
}

/// The `i`th person of an order; above the first one what the order was.
pub fn entry<'a>(
    ctx: &Ctx,
    (campaign, order): (CampaignId, OrderId),
    (i, chosen): (usize, bool),
    cells: usize,
) -> Vec<Line<'a>> {
    let mut lines = if i == 0 { heads(ctx, campaign, order, cells) } else { Vec::new() };
    let item = ctx.model.account(campaign, order).and_then(|account| account.items.get(i));
    lines.extend(item.into_iter().flat_map(|item| person(ctx, item, chosen, cells)));
    lines
}

fn person<'a>(ctx: &Ctx, item: &Item, chosen: bool, cells: usize) -> Vec<Line<'a>> {
    let card = item.person.and_then(|id| ctx.picture.people.get(&id));
    let name = card.map_or_else(|| ctx.model.name(item.cascade), |card| card.name.clone());
    let phone = card.and_then(|card| card.phone.as_ref()).map_or("", |phone| phone.as_str());
    let (glyph, style) = match item.came {
        Came::Done => ("✓", ctx.theme.good),
        Came::Recalling | Came::SentBefore => ("✓", ctx.theme.warning),
        Came::Left(_) => ("–", ctx.theme.muted),
    };
    let roomy = cells >= 76;
    let number = if roomy { left(phone, 18) } else { String::new() };
    let room = cells.saturating_sub(2 + 26 + if roomy { 18 } else { 0 } + 2);
    let indent = " ".repeat(cells.saturating_sub(room));
    let (first, more) = whole(came(item.came, item.back), chosen, room);
    let line = Line::from(vec![
        Span::raw(if chosen { "▸ " } else { "  " }),
        Span::styled(left(&name, 25) + " ", ctx.theme.text),
        Span::styled(number, ctx.theme.muted),
        Span::styled(format!("{glyph} {first}"), style),
    ]);
    let mut lines = vec![if chosen { line.patch_style(ctx.theme.selection) } else { line }];
    lines.extend(more.into_iter().map(|text| Line::styled(format!("{indent}{text}"), style)));
    lines
}
