//! Pane 5, Needs you: what waits for a person, the gravest first, each with the key that helps.

use super::Ctx;
use crate::phrases::Tone;
use crate::tui::layout::Pane;
use crate::tui::model::Model;
use crate::tui::needs::Need;
use crate::tui::text::{cut, left, width, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// A need takes at most this many lines; the rest is on its page.
const LINES_MAX: usize = 2;

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let needs = ctx.model.needs();
    let people: u64 = needs.iter().map(|need| need.people).sum();
    let count = if people > 0 { people.to_string() } else { String::new() };
    let block = ctx.pane(Pane::Needs, &count);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if needs.is_empty() {
        let words = Line::from(vec![Span::styled("✓ ", ctx.theme.good), Span::raw("nothing needs you")]);
        frame.render_widget(Paragraph::new(words), inner);
        return;
    }
    let cursor = ctx.model.cursors[Pane::Needs as usize].min(needs.len() - 1);
    let cells = inner.width as usize;
    let mut lines: Vec<(usize, Line)> = Vec::new();
    for (i, need) in needs.iter().enumerate() {
        let chosen = i == cursor && ctx.model.focus == Pane::Needs;
        lines.extend(texts(need, cells).into_iter().enumerate().map(|(n, text)| {
            let line = line(ctx, need, n, text, cells);
            (i, if chosen { line.patch_style(ctx.selection(Pane::Needs)) } else { line })
        }));
    }
    let top = top(&lines.iter().map(|(i, _)| *i).collect::<Vec<_>>(), cursor, inner.height as usize);
    let visible = lines.into_iter().skip(top).take(inner.height as usize).map(|(_, line)| line);
    frame.render_widget(Paragraph::new(visible.collect::<Vec<_>>()), inner);
}

/// Room for the words, between glyph and key.
fn room(need: &Need, cells: usize) -> usize {
    cells.saturating_sub(if need.indented { 4 } else { 2 } + if need.key.is_empty() { 0 } else { 3 })
}

fn texts(need: &Need, cells: usize) -> Vec<String> {
    let room = room(need, cells);
    let mut lines = wrap(&need.words, room);
    if lines.len() > LINES_MAX {
        let rest = lines.split_off(LINES_MAX - 1).join(" ");
        lines.push(cut(&rest, room));
    }
    lines
}

fn line<'a>(ctx: &Ctx, need: &Need, n: usize, text: String, cells: usize) -> Line<'a> {
    let theme = ctx.theme;
    let glyph = match (n, need.indented, need.tone) {
        (0, false, Tone::Bad) => "✗ ",
        (0, false, Tone::Warning) => "! ",
        (0, false, Tone::Plain | Tone::Muted | Tone::Good) => "· ",
        (_, true, _) => "    ",
        (_, false, _) => "  ",
    };
    let key = if n == 0 { need.key } else { "" };
    let key = if key == "Enter" { "⏎" } else { key };
    let words = cells.saturating_sub(width(glyph) + 2);
    let style = if need.indented { theme.tone(need.tone) } else { theme.text };
    Line::from(vec![
        Span::styled(glyph, theme.tone(need.tone)),
        Span::styled(left(&text, words), style),
        Span::styled(format!("{key:>2}"), theme.key),
    ])
}

fn top(owners: &[usize], cursor: usize, lines: usize) -> usize {
    let last = owners.iter().rposition(|owner| *owner == cursor).unwrap_or(0);
    (last + 1).saturating_sub(lines)
}

/// Which need stands on a line of the pane, for the mouse.
pub fn at_line(model: &Model, area: Rect, line: usize) -> Option<usize> {
    let needs = model.needs();
    let cells = area.width.saturating_sub(2) as usize;
    let owners: Vec<usize> = needs
        .iter()
        .enumerate()
        .flat_map(|(i, need)| texts(need, cells).into_iter().map(move |_| i))
        .collect();
    let cursor = model.cursors[Pane::Needs as usize].min(needs.len().saturating_sub(1));
    owners.get(top(&owners, cursor, area.height.saturating_sub(2) as usize) + line).copied()
}
