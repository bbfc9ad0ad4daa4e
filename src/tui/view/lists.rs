//! The inbox, the rules and the content: read-only for now, and they say so.

use super::Ctx;
use super::page::heading;
use crate::model::clean;
use crate::phrases::{self, Tone};
use crate::runtime::handle::InboxItem;
use crate::tui::text::{left, when, wrap};
use ratatui::text::{Line, Span};

/// Heads, then one line per item, newest first; the one under the cursor in full. Builds visible lines only.
pub fn inbox<'a>(ctx: &Ctx, at: usize, cells: usize, height: usize) -> Vec<Line<'a>> {
    let items = &ctx.picture.inbox;
    if items.is_empty() {
        return vec![Line::styled("  Nobody has written or said anything yet.", ctx.theme.muted)];
    }
    let head = [left("  WHEN", 12), left("WHO", 22), left("ON", 10), left("MEANT", 14), "WHAT".to_owned()];
    let mut lines = vec![Line::styled(head.concat(), ctx.theme.muted)];
    let top = super::list_top(at, height.saturating_sub(1));
    lines.extend(items.iter().rev().take(top).map(|_| Line::default()));
    for (i, item) in items.iter().rev().enumerate().skip(top).take(height) {
        lines.extend(inbox_item(ctx, item, i == at, cells));
    }
    lines
}

fn inbox_item<'a>(ctx: &Ctx, item: &InboxItem, chosen: bool, cells: usize) -> Vec<Line<'a>> {
    const INDENT: usize = 12 + 22 + 10 + 14;
    let card = item.person.and_then(|id| ctx.picture.people.get(&id));
    let name = card.map_or("nobody we know", |c| c.name.as_str());
    let (meant, tone) = match item.disposition {
        None => ("opted out", Tone::Bad),
        Some(crate::model::Disposition::Positive) => ("yes", Tone::Good),
        Some(meant) => (phrases::disposition(meant), Tone::Plain),
    };
    let text = ctx.of_which(item.campaign) + &item.text.screen();
    let room = cells.saturating_sub(INDENT).max(12);
    let text = if chosen { wrap(&text, room) } else { vec![crate::tui::text::cut(&text, room)] };
    let mut text = text.into_iter();
    let cursor = if chosen { "▸" } else { " " };
    let line = Line::from(vec![
        Span::styled(left(&format!("{cursor} {}", when(item.at, ctx.now, ctx.zone)), 12), ctx.theme.muted),
        Span::styled(left(name, 21) + " ", ctx.theme.text),
        Span::styled(left(item.channel.label(), 10), ctx.theme.channel(item.channel)),
        Span::styled(left(meant, 14), ctx.theme.tone(tone)),
        Span::styled(text.next().unwrap_or_default(), ctx.theme.text),
    ]);
    let mut lines = vec![if chosen { line.patch_style(ctx.theme.selection) } else { line }];
    lines.extend(text.map(|more| Line::raw(format!("{}{more}", " ".repeat(INDENT)))));
    lines
}

/// The rules as text.
pub fn rules<'a>(ctx: &Ctx, cells: usize) -> Vec<Line<'a>> {
    let place = &ctx.picture.place;
    let mut lines = not_yet(ctx, &place.rules_source, cells);
    lines.extend(text(ctx, &place.rules_text, cells));
    lines
}

/// Every content file, one after another.
pub fn content<'a>(ctx: &Ctx, cells: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for (name, body) in &ctx.picture.place.content {
        lines.push(heading(ctx, &clean(name), cells));
        lines.extend(text(ctx, body, cells));
        lines.push(Line::default());
    }
    if lines.is_empty() {
        lines.push(Line::styled("  The content has not been read yet.", ctx.theme.muted));
        return lines;
    }
    let mut all = not_yet(ctx, "rules/content/", cells);
    all.extend(lines);
    all
}

fn not_yet<'a>(ctx: &Ctx, file: &str, cells: usize) -> Vec<Line<'a>> {
    let words = format!(
        "Read only: editing on screen is not built yet. Edit {} in the workspace and start again; a campaign that \
         runs keeps what it was launched with.",
        clean(file)
    );
    let mut lines: Vec<Line> = wrap(&words, cells.saturating_sub(4))
        .into_iter()
        .map(|l| Line::styled(format!("  {l}"), ctx.theme.warning))
        .collect();
    lines.push(Line::default());
    lines
}

/// A file's lines with their indentation, which a wrapped line keeps.
fn text<'a>(ctx: &Ctx, text: &str, cells: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = clean(&line.replace('\t', "    "));
        let indent = " ".repeat(line.len() - line.trim_start().len() + 2);
        let parts = wrap(line.trim(), cells.saturating_sub(indent.len() + 2));
        lines.extend(parts.into_iter().map(|part| Line::styled(format!("{indent}{part}"), ctx.theme.text)));
    }
    lines
}
