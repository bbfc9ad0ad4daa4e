//! What a change changes: side by side where there is room, one under the other where there is not.

use super::Ctx;
use crate::model::clean;
use crate::trail::diff::{Diff, Kind, Line as Changed, Part, diff};
use crate::tui::text::width;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

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
    let fits = longest + NUMBER <= (cells.saturating_sub(3)) / 2;
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
            lines.extend(wrapped(ctx, line, &format!("{number:>4}"), cells));
        }
    }
    lines
}

/// Sign and style of a line.
fn sign(ctx: &Ctx, line: &Changed) -> (&'static str, Style) {
    match line.kind {
        Kind::Same => (" ", ctx.theme.muted),
        Kind::Removed => ("-", ctx.theme.bad.remove_modifier(Modifier::BOLD)),
        Kind::Added => ("+", ctx.theme.good),
    }
}

/// Its letters as they are shown, and whether each is what changed.
fn letters(line: &Changed) -> Vec<(String, bool)> {
    let of = |part: &Part| -> Vec<(String, bool)> {
        let shown = clean(&part.text.replace('\t', "    "));
        let stress = part.is_changed && line.kind != Kind::Same;
        shown.graphemes(true).map(|letter| (letter.to_owned(), stress)).collect()
    };
    line.parts.iter().flat_map(of).collect()
}

fn spans<'a>(letters: &[(String, bool)], style: Style) -> impl Iterator<Item = Span<'a>> {
    letters.chunk_by(|a, b| a.1 == b.1).map(move |run| {
        let text: String = run.iter().map(|(letter, _)| letter.as_str()).collect();
        let stressed = run.first().is_some_and(|(_, stress)| *stress);
        Span::styled(text, if stressed { self::stressed(style) } else { style })
    })
}

/// Number, sign and text, exactly so wide; what changed within the line stands out.
fn text<'a>(ctx: &Ctx, line: &Changed, number: &str, cells: usize) -> Vec<Span<'a>> {
    let (sign, style) = sign(ctx, line);
    let mut row =
        vec![Span::styled(format!("{number} "), ctx.theme.faint), Span::styled(format!("{sign} "), style)];
    let letters = letters(line);
    let used: usize = letters.iter().map(|(letter, _)| width(letter)).sum();
    row.extend(spans(&letters, style));
    row.push(Span::raw(" ".repeat(cells.saturating_sub(width(number) + 3 + used))));
    row
}

/// The same over as many rows as it takes: of a text that is one long line, every word counts.
fn wrapped<'a>(ctx: &Ctx, line: &Changed, number: &str, cells: usize) -> Vec<Line<'a>> {
    let (sign, style) = sign(ctx, line);
    let room = cells.saturating_sub(width(number) + 3).max(1);
    let letters = letters(line);
    let (mut rows, mut rest) = (Vec::new(), letters.as_slice());
    loop {
        let (row, after) = rest.split_at(fitting(rest, room));
        let number = if rows.is_empty() { number.to_owned() } else { " ".repeat(width(number)) };
        let head =
            [Span::styled(format!("{number} "), ctx.theme.faint), Span::styled(format!("{sign} "), style)];
        rows.push(Line::from(head.into_iter().chain(spans(row, style)).collect::<Vec<_>>()));
        if after.is_empty() {
            return rows;
        }
        rest = after;
    }
}

/// How many letters fit into a row, broken behind a blank where there is one.
fn fitting(letters: &[(String, bool)], room: usize) -> usize {
    let mut used = 0;
    let over = letters.iter().position(|(letter, _)| {
        used += width(letter);
        used > room
    });
    let Some(over) = over else { return letters.len() };
    let blank = letters.iter().take(over).rposition(|(letter, _)| letter == " ");
    blank.map_or(over, |blank| blank + 1).max(1)
}

const fn stressed(style: Style) -> Style {
    style.add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED)
}
