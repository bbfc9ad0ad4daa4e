//! What a change changes: side by side where there is room, one under the other where there is not.

use super::Ctx;
use crate::model::clean;
use crate::trail::diff::{Diff, Kind, Line as Changed, Part, diff};
use crate::tui::text::{cut, left, width};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

/// From this width on both texts stand beside each other.
const BESIDE: usize = 104;
/// Cells of a line's number and sign.
const NUMBER: usize = 7;

/// The lines of a change of one file.
pub fn lines<'a>(ctx: &Ctx, old: &str, new: &str, cells: usize) -> Vec<Line<'a>> {
    let diff = diff(old.as_bytes(), new.as_bytes());
    if diff.hunks.is_empty() {
        return vec![Line::styled("  nothing: the texts are the same", ctx.theme.muted)];
    }
    let lines = diff.hunks.iter().flat_map(|hunk| &hunk.lines);
    let longest = lines.map(|line| width(&line.text())).max().unwrap_or(0);
    // What would be cut beside itself is read better whole, one under the other.
    let fits = longest + NUMBER <= (cells.saturating_sub(3)) / 2 || longest + NUMBER > cells;
    if cells >= BESIDE && fits { beside(ctx, &diff, cells) } else { unified(ctx, &diff, cells) }
}

fn beside<'a>(ctx: &Ctx, diff: &Diff, cells: usize) -> Vec<Line<'a>> {
    let half = (cells - 3) / 2;
    let mut lines = Vec::new();
    for (i, hunk) in diff.hunks.iter().enumerate() {
        if i > 0 {
            lines.push(Line::styled("  ···", ctx.theme.faint));
        }
        for row in hunk.rows() {
            let mut spans = side(ctx, row.old, half, |line| line.old);
            spans.push(Span::styled(" │ ", ctx.theme.faint));
            spans.extend(side(ctx, row.new, half, |line| line.new));
            lines.push(Line::from(spans));
        }
    }
    lines
}

fn side<'a>(
    ctx: &Ctx,
    line: Option<&Changed>,
    cells: usize,
    number: fn(&Changed) -> Option<usize>,
) -> Vec<Span<'a>> {
    let Some(line) = line else { return vec![Span::raw(" ".repeat(cells))] };
    let number = number(line).map_or_else(String::new, |n| n.to_string());
    text(ctx, line, &format!("{number:>4}"), cells)
}

fn unified<'a>(ctx: &Ctx, diff: &Diff, cells: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for (i, hunk) in diff.hunks.iter().enumerate() {
        if i > 0 {
            lines.push(Line::styled("  ···", ctx.theme.faint));
        }
        for line in &hunk.lines {
            let number = line.new.or(line.old).map_or_else(String::new, |n| n.to_string());
            lines.push(Line::from(text(ctx, line, &format!("{number:>4}"), cells)));
        }
    }
    lines
}

/// Number, sign and text, exactly so wide; what changed within the line stands out.
fn text<'a>(ctx: &Ctx, line: &Changed, number: &str, cells: usize) -> Vec<Span<'a>> {
    let (sign, style) = match line.kind {
        Kind::Same => (" ", ctx.theme.muted),
        Kind::Removed => ("-", ctx.theme.bad.remove_modifier(Modifier::BOLD)),
        Kind::Added => ("+", ctx.theme.good),
    };
    let mut spans =
        vec![Span::styled(format!("{number} "), ctx.theme.faint), Span::styled(format!("{sign} "), style)];
    let mut room = cells.saturating_sub(width(number) + 3);
    // The text begins where it stands: from the first change on, if the line is too long for its place.
    let long: usize = line.parts.iter().map(|part| width(&part.text)).sum();
    let skip = if long > room { skipped(&line.parts, room) } else { 0 };
    let mut passed = 0;
    for part in &line.parts {
        let shown: String = clean(&part.text.replace('\t', "    "));
        let letters: String = shown.chars().skip(skip.saturating_sub(passed)).collect();
        passed += shown.chars().count();
        let letters = cut(&letters, room);
        room = room.saturating_sub(width(&letters));
        let stress = part.is_changed && line.kind != Kind::Same;
        spans.push(Span::styled(letters, if stress { stressed(style) } else { style }));
    }
    spans.push(Span::raw(left("", room)));
    spans
}

const fn stressed(style: Style) -> Style {
    style.add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED)
}

/// Letters of a long line that are left out before its first change.
fn skipped(parts: &[Part], room: usize) -> usize {
    if parts.iter().all(|part| !part.is_changed) {
        return 0;
    }
    let before: usize =
        parts.iter().take_while(|part| !part.is_changed).map(|part| part.text.chars().count()).sum();
    before.saturating_sub(room / 3)
}
