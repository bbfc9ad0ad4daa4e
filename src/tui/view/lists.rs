//! The inbox.

use super::Ctx;
use crate::phrases::{self, Tone};
use crate::runtime::handle::InboxItem;
use crate::tui::text::{left, when, wrap};
use ratatui::text::{Line, Span};

/// The heads of the list.
pub fn head<'a>(ctx: &Ctx) -> Line<'a> {
    let head = [left("  WHEN", 12), left("WHO", 22), left("ON", 10), left("MEANT", 14), "WHAT".to_owned()];
    Line::styled(head.concat(), ctx.theme.muted)
}

/// The `i`th item, the newest first: a line, and the one under the cursor in full.
pub fn item<'a>(ctx: &Ctx, i: usize, chosen: bool, cells: usize) -> Vec<Line<'a>> {
    match ctx.picture.inbox.iter().rev().nth(i) {
        Some(item) => inbox_item(ctx, item, chosen, cells),
        None => vec![Line::styled("  Nobody has written or said anything yet.", ctx.theme.muted)],
    }
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
