//! The page of what was told: every message whole.

use super::Ctx;
use crate::model::clean;
use crate::phrases::Tone;
use crate::runtime::handle::Level;
use crate::tui::text::{left, when, wrap};
use ratatui::text::{Line, Span};

/// Cells in front of the words.
const INDENT: usize = 2 + 13 + 2;

/// The `i`th message, the newest first, as many lines as it needs.
pub fn message<'a>(ctx: &Ctx, i: usize, chosen: bool, cells: usize) -> Vec<Line<'a>> {
    let Some(told) = ctx.model.notices.all().nth(i) else {
        return vec![Line::styled("  Nothing has been told yet.", ctx.theme.muted)];
    };
    let (glyph, tone) = mark(told.level);
    let cursor = if chosen { "▸ " } else { "  " };
    let time = left(&when(told.at, ctx.now, ctx.zone), 13);
    let words = wrap(&clean(&told.text), cells.saturating_sub(INDENT).max(20));
    let line = |(n, text): (usize, String)| {
        let head = if n == 0 { format!("{cursor}{time}") } else { " ".repeat(INDENT - 2) };
        let glyph = if n == 0 { format!("{glyph} ") } else { "  ".to_owned() };
        let line = Line::from(vec![
            Span::styled(head, ctx.theme.muted),
            Span::styled(glyph, ctx.theme.tone(tone)),
            Span::styled(text, ctx.theme.tone(tone)),
        ]);
        if chosen && n == 0 { line.patch_style(ctx.theme.selection) } else { line }
    };
    words.into_iter().enumerate().map(line).collect()
}

/// How bad it is, as a sign and a tone.
pub const fn mark(level: Level) -> (&'static str, Tone) {
    match level {
        Level::Info => ("·", Tone::Plain),
        Level::Warning => ("!", Tone::Warning),
        Level::Error => ("✗", Tone::Bad),
    }
}
