//! Pages over the panes: each makes its lines, this file scrolls and frames them.

use super::{Ctx, Drawn, editor, failures, learning, lists, orders, person, review, versions};
use crate::model::{CampaignId, OrderId};
use crate::tui::keys::{self, Place};
use crate::tui::model::{Page, What};
use crate::tui::text::{left, width, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws the page; answers how far it can scroll.
pub fn draw(ctx: &Ctx, page: &Page, area: Rect, frame: &mut Frame) -> Drawn {
    match page.what {
        What::Editor => return editor::draw(ctx, area, frame),
        What::Review => return review::draw(ctx, page.at, area, frame),
        What::Learning(view) => return learning::draw(ctx, view, page.at, area, frame),
        _ => {}
    }
    let title = Span::styled(format!(" {} ", title(ctx, &page.what)), ctx.theme.title);
    let hint = Line::styled(" Esc goes back ", ctx.theme.muted).right_aligned();
    let block = ctx.block(vec![title], true).title_top(hint);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let (cells, height) = (inner.width as usize, inner.height as usize);
    let lines = match &page.what {
        What::Failures => return list(failures::list(ctx, page.at, cells), page.at, inner, frame),
        What::Inbox => return list(lists::inbox(ctx, page.at, cells, height), page.at, inner, frame),
        What::Versions => return list(versions::list(ctx, page.at, cells), page.at, inner, frame),
        What::Orders => return list(orders::list(ctx, page.at, cells), page.at, inner, frame),
        What::Order(campaign, order) => {
            return account(ctx, (*campaign, *order), page.at, inner, frame);
        }
        What::Person { cascade, history, .. } => person::lines(ctx, *cascade, history.as_deref(), cells),
        What::Failure(channel, code, scope) => failures::one(ctx, *channel, code, scope, cells),
        What::Breaker(channel, scope) => failures::breaker(ctx, *channel, scope, cells),
        What::Help(places) => help(ctx, places, cells),
        What::Version(key) => versions::one(ctx, key, cells),
        What::Editor | What::Review | What::Learning(_) => Vec::new(),
    };
    let scroll_max = lines.len().saturating_sub(height);
    let top = page.at.min(scroll_max);
    let visible: Vec<Line> = lines.into_iter().skip(top).take(height).collect();
    frame.render_widget(Paragraph::new(visible), inner);
    Drawn { scroll_max, ..Drawn::default() }
}

/// A list: its first line is the heads and stays, the cursor's line is always visible.
fn list(mut lines: Vec<Line>, at: usize, inner: Rect, frame: &mut Frame) -> Drawn {
    let height = (inner.height as usize).saturating_sub(1);
    let top = super::list_top(at, height);
    let heads = if lines.is_empty() { Line::default() } else { lines.remove(0) };
    let visible = std::iter::once(heads).chain(lines.into_iter().skip(top).take(height));
    frame.render_widget(Paragraph::new(visible.collect::<Vec<_>>()), inner);
    Drawn::default()
}

/// An order: what stands above the people, and of those the visible ones alone; there may be very many.
fn account(ctx: &Ctx, order: (CampaignId, OrderId), at: usize, inner: Rect, frame: &mut Frame) -> Drawn {
    let (cells, height) = (inner.width as usize, inner.height as usize);
    let mut lines = orders::heads(ctx, order.0, order.1, cells);
    // In a low window the people matter more.
    lines.truncate(height.saturating_sub(3).max(1));
    let room = height.saturating_sub(lines.len());
    lines.extend(orders::items(ctx, order, at, (super::list_top(at, room), room), cells));
    frame.render_widget(Paragraph::new(lines), inner);
    Drawn::default()
}

fn title(ctx: &Ctx, what: &What) -> String {
    match what {
        What::Orders => "Orders, newest first".to_owned(),
        What::Order(campaign, order) => ctx.model.account(*campaign, *order).map_or_else(
            || "An order".to_owned(),
            |account| format!("Order {order}: {}", crate::phrases::orders::ask(account.what)),
        ),
        What::Person { cascade, .. } => ctx.model.name(*cascade),
        What::Failures => "Failures by cause".to_owned(),
        What::Failure(channel, code, _) => format!("{} {}", channel.label(), crate::model::clean(code)),
        What::Breaker(channel, scope) => {
            format!("{} {} is shut", channel.label(), crate::model::clean(&scope.to_string()))
        }
        What::Inbox => "Inbox, newest first".to_owned(),
        What::Editor | What::Review | What::Learning(_) => String::new(),
        What::Versions => "History: versions that ran, newest first".to_owned(),
        What::Version(key) => format!("Rules {}", crate::phrases::retimed::short(&key.rules)),
        What::Help(_) => "Keys of this place".to_owned(),
    }
}

/// Made from the command table: every command that applies, once.
fn help<'a>(ctx: &Ctx, places: &[Place], cells: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    // In a narrow window the sentence says what the label would.
    let labelled = cells >= 76;
    let mut shown: Vec<Place> = places.iter().copied().rev().collect();
    shown.extend(
        [
            Place::Ladder,
            Place::Editor,
            Place::Review,
            Place::Versions,
            Place::Person,
            Place::Learning,
            Place::Actions,
            Place::Question,
            Place::Order,
            Place::Resume,
            Place::Unsaved,
        ]
        .iter()
        .filter(|p| !places.contains(p)),
    );
    for place in shown {
        lines.push(Line::styled(place.title().to_uppercase(), ctx.theme.strong));
        for row in keys::applying(&[place]) {
            let keys = if row.keys.is_empty() { format!(":{}", row.id) } else { row.keys.join(" ") };
            let label = if labelled { left(row.label, 24) } else { String::new() };
            let indent = if labelled { 20 + 24 } else { 20 };
            let mut help = wrap(row.help, cells.saturating_sub(indent).max(20)).into_iter();
            lines.push(Line::from(vec![
                Span::styled(left(&format!("  {keys}"), 20), ctx.theme.key),
                Span::styled(label, ctx.theme.text),
                Span::styled(help.next().unwrap_or_default(), ctx.theme.muted),
            ]));
            lines.extend(
                help.map(|more| Line::styled(format!("{}{more}", " ".repeat(indent)), ctx.theme.muted)),
            );
        }
        lines.push(Line::default());
    }
    let mouse = "The mouse: click focuses and selects, double click opens, the wheel scrolls. `:mouse` gives it back.";
    lines.extend(wrap(mouse, cells).into_iter().map(|line| Line::styled(line, ctx.theme.muted)));
    lines
}

/// `label  text`, the text wrapped beside its label.
pub fn fact<'a>(ctx: &Ctx, label: &str, text: &str, cells: usize) -> Vec<Line<'a>> {
    const LABEL: usize = 14;
    wrap(text, cells.saturating_sub(LABEL + 2).max(10))
        .into_iter()
        .enumerate()
        .map(|(i, text)| {
            let label = if i == 0 { label } else { "" };
            Line::from(vec![
                Span::styled(left(&format!("  {label}"), LABEL + 2), ctx.theme.muted),
                Span::styled(text, ctx.theme.text),
            ])
        })
        .collect()
}

/// A heading with a rule behind it.
pub fn heading<'a>(ctx: &Ctx, text: &str, cells: usize) -> Line<'a> {
    let rest = cells.saturating_sub(width(text) + 3);
    Line::from(vec![
        Span::styled(format!("  {text} "), ctx.theme.strong),
        Span::styled("─".repeat(rest), ctx.theme.faint),
    ])
}
