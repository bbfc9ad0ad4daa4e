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
use ratatui::widgets::{Borders, Paragraph};

/// A need takes at most this many lines; the rest is on its page.
const LINES_MAX: usize = 2;

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let needs = ctx.model.needs();
    let people: u64 = needs.iter().map(|need| need.people).sum();
    let count = if people > 0 { people.to_string() } else { String::new() };
    // With three lines it shares its lower edge with the pane below: two needs are worth more than a frame of one.
    let edges = if shares_edge(area) { Borders::ALL.difference(Borders::BOTTOM) } else { Borders::ALL };
    let block = ctx.pane(Pane::Needs, &count).borders(edges);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if needs.is_empty() {
        let words = Line::from(vec![Span::styled("✓ ", ctx.theme.good), Span::raw("nothing needs you")]);
        frame.render_widget(Paragraph::new(words), inner);
        return;
    }
    let cells = inner.width as usize;
    let height = inner.height as usize;
    let cursor = cursor(ctx.model, &needs);
    let shown = shown(&needs, cursor, cells, height);
    let owners: Vec<usize> = shown.iter().map(|(i, ..)| *i).collect();
    let top = top(&owners, cursor.unwrap_or(0), height);
    let lines = shown.into_iter().skip(top).take(height).map(|(i, n, text)| {
        let line = line(ctx, &needs[i], n, text, cells);
        if cursor == Some(i) { line.patch_style(ctx.selection(Pane::Needs)) } else { line }
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), inner);
}

const fn shares_edge(area: Rect) -> bool {
    area.height < 4
}

/// The need under the cursor, while the pane has the focus.
fn cursor(model: &Model, needs: &[Need]) -> Option<usize> {
    let at = model.cursors[Pane::Needs as usize].min(needs.len().saturating_sub(1));
    (model.focus == Pane::Needs).then_some(at)
}

/// The lines to show, each with its need and its place in it. Every need gets one line first; what room is left
/// goes to further lines and to the lines that belong to a need, from the top. The chosen one is always in full.
fn shown(needs: &[Need], cursor: Option<usize>, cells: usize, height: usize) -> Vec<(usize, usize, String)> {
    let mut spare = height.saturating_sub(needs.iter().filter(|need| !need.indented).count());
    let mut lines = Vec::new();
    for (i, need) in needs.iter().enumerate() {
        let full = texts(need, cells);
        let more = full.len() - usize::from(!need.indented);
        if cursor == Some(i) || more <= spare {
            spare = spare.saturating_sub(more);
            lines.extend(full.into_iter().enumerate().map(|(n, text)| (i, n, text)));
        } else if !need.indented {
            lines.push((i, 0, cut(&need.words, room(need, cells))));
        }
    }
    lines
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
    let edges = if shares_edge(area) { 1 } else { 2 };
    let (cells, height) = (area.width.saturating_sub(2) as usize, area.height.saturating_sub(edges) as usize);
    let cursor = cursor(model, &needs);
    let owners: Vec<usize> = shown(&needs, cursor, cells, height).into_iter().map(|(i, ..)| i).collect();
    owners.get(top(&owners, cursor.unwrap_or(0), height) + line).copied()
}
