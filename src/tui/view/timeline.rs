//! Pane 2, Timeline: what happens, newest first. It follows, or stands still while it is scrolled.

use super::Ctx;
use crate::phrases;
use crate::runtime::handle::TimelineEntry;
use crate::tui::layout::Pane;
use crate::tui::moving::is_shown;
use crate::tui::text::{left, minute, second, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let newest = ctx.picture.timeline.back().map_or(0, |e| e.seq);
    let (entries, skip, detail) = match &ctx.model.frozen {
        None => (&ctx.picture.timeline, 0, "following".to_owned()),
        Some(frozen) => {
            let seen = frozen.entries.back().map_or(0, |e| e.seq);
            let newer =
                ctx.picture.timeline.iter().rev().take_while(|e| e.seq > seen).filter(|e| is_shown(e));
            let newer = match newer.count() {
                0 if newest == seen => String::new(),
                n => format!(", {n} newer"),
            };
            (&frozen.entries, frozen.skip, format!("stands still{newer} · g follows"))
        }
    };
    let block = ctx.pane(Pane::Timeline, &detail);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let mut lines: Vec<Line> = Vec::new();
    for (i, entry) in entries.iter().rev().filter(|e| is_shown(e)).skip(skip).enumerate() {
        if lines.len() >= inner.height as usize {
            break;
        }
        let cursor = i == 0 && ctx.model.focus == Pane::Timeline;
        lines.extend(entry_lines(ctx, entry, inner.width as usize, true, cursor));
    }
    if lines.is_empty() {
        lines.push(Line::styled("Nothing has happened yet.", ctx.theme.muted));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// One event; what does not fit hangs under its words. `named` puts the customer's name in front.
pub fn entry_lines<'a>(
    ctx: &Ctx,
    entry: &TimelineEntry,
    cells: usize,
    named: bool,
    cursor: bool,
) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let phrase = phrases::phrase(&entry.event, entry.text.as_ref());
    let (time, name_cells) = match cells {
        0..56 => (minute(entry.event.at, ctx.zone), 12),
        56..80 => (second(entry.event.at, ctx.zone), 15),
        _ => (second(entry.event.at, ctx.zone), 20),
    };
    let name_cells = if named { name_cells } else { 0 };
    let card = entry.event.subject.customer.and_then(|id| ctx.picture.people.get(&id));
    let name = card.map_or("", |c| c.name.as_str());
    let indent = time.len() + 1 + name_cells + 6 + 2;
    let whose = if named { ctx.of_which(entry.event.campaign) } else { String::new() };
    let words = whose + &phrase.words;
    let mut words = wrap(&words, cells.saturating_sub(indent)).into_iter();
    let tag = phrase.channel.map_or("", phrases::tag);
    let channel = phrase.channel.map_or(theme.text, |c| theme.channel(c));
    let time_style = if cursor { theme.selection } else { theme.muted };
    let mut spans = vec![Span::styled(time, time_style), Span::raw(" ")];
    if named {
        spans.push(Span::styled(left(name, name_cells - 1) + " ", theme.text));
    }
    spans.push(Span::styled(left(tag, 6), channel));
    spans.push(Span::styled(format!("{} ", phrase.glyph), theme.tone(phrase.tone)));
    spans.push(Span::styled(words.next().unwrap_or_default(), theme.tone(phrase.tone)));
    let mut lines = vec![Line::from(spans)];
    for more in words {
        let hanging = format!("{}{more}", " ".repeat(indent));
        lines.push(Line::styled(hanging, theme.tone(phrase.tone)));
    }
    lines
}
