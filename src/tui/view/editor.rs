//! The editor's page: text with its colours, what the check finds, and beside it the ladders or the preview.

use super::{Ctx, Drawn, ladder, preview};
use crate::model::clean;
use crate::rules::{Problem, Severity};
use crate::tui::editor::complete::Offers;
use crate::tui::editor::draft::{Draft, File, TAB};
use crate::tui::editor::highlight::{self, Kind};
use crate::tui::editor::{Focus, LISTED};
use crate::tui::keys::{self, Cmd};
use crate::tui::text::{cut, left, width, wrap};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};
use std::ops::Range;
use unicode_width::UnicodeWidthChar as _;

/// From this width on text and ladders stand side by side.
const BESIDE: u16 = 100;
/// Cells of the part beside the text, at least and at most.
const SIDE: (u16, u16) = (36, 64);

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) -> Drawn {
    let desk = &ctx.model.desk;
    let Some(draft) = desk.draft() else { return Drawn::default() };
    let block = ctx.block(title(ctx, draft), true).title_top(hint(ctx, draft));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let beside = inner.width >= BESIDE;
    let side = (inner.width * 2 / 5).clamp(SIDE.0, SIDE.1);
    let (text, other) = if beside {
        let [text, _, other] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(side)])
                .areas(inner);
        (text, other)
    } else if draft.file == File::Rules {
        match desk.focus {
            Focus::Text => (inner, Rect::default()),
            Focus::Ladder => (Rect::default(), inner),
        }
    } else {
        let [text, other] = Layout::vertical([Constraint::Fill(3), Constraint::Fill(2)]).areas(inner);
        (text, other)
    };
    if beside {
        let line = Rect { x: other.x - 1, width: 1, ..other };
        let bars = vec![Line::styled("│", ctx.theme.border); line.height as usize];
        frame.render_widget(Paragraph::new(bars), line);
    }
    let mut drawn = Drawn::default();
    if !other.is_empty() {
        match draft.file {
            File::Rules => ladder::draw(ctx, other, frame),
            File::Content(channel) => preview::draw(ctx, draft, channel, other, frame),
        }
    }
    if !text.is_empty() {
        drawn.text = column(ctx, draft, text, frame);
    }
    drawn
}

fn title<'a>(ctx: &Ctx, draft: &Draft) -> Vec<Span<'a>> {
    let path = draft.file.path();
    let built_in = ctx.model.desk.bench.as_ref().is_some_and(|bench| bench.is_built_in(&path));
    let mut spans = vec![Span::styled(format!(" {path} "), ctx.theme.title)];
    if draft.is_changed() {
        spans.push(Span::styled("● draft, not saved ", ctx.theme.warning));
    }
    if built_in {
        let room = ctx.model.area.width >= 100;
        let words = if room { "built in; saving writes it into the workspace " } else { "built in " };
        spans.push(Span::styled(words, ctx.theme.muted));
    }
    spans
}

fn hint<'a>(ctx: &Ctx, draft: &Draft) -> Line<'a> {
    let to = match (draft.file, ctx.model.desk.focus) {
        (File::Rules, Focus::Text) => format!(" {} ladders ", keys::key(Cmd::ToLadder)),
        (File::Rules, Focus::Ladder) => format!(" {} text ", keys::key(Cmd::ToText)),
        (File::Content(_), _) => format!(" {} next channel ", keys::key(Cmd::NextFile)),
    };
    Line::styled(to, ctx.theme.muted).right_aligned()
}

/// Text, the line that is looked for, and what the check finds. Answers where the text stands.
fn column(ctx: &Ctx, draft: &Draft, area: Rect, frame: &mut Frame) -> Rect {
    let desk = &ctx.model.desk;
    let found = problems(ctx, draft, area);
    let finding = u16::from(desk.finding.is_some());
    let [text, find, list] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(finding),
        Constraint::Length(found.len() as u16),
    ])
    .areas(area);
    frame.render_widget(draft.area(), text);
    paint(ctx, draft, text, frame.buffer_mut());
    frame.render_widget(Paragraph::new(found), list);
    if let Some(line) = &desk.finding {
        let [label, field] = Layout::horizontal([Constraint::Length(7), Constraint::Fill(1)]).areas(find);
        frame.render_widget(Paragraph::new(" find ").style(ctx.theme.key), label);
        frame.render_widget(line.widget(), field);
    }
    if let Some((offers, at)) = desk.offers.as_ref().filter(|_| desk.focus == Focus::Text) {
        popup(ctx, draft, (offers, *at), text, frame);
    }
    text
}

/// Where a row of the screen begins in the text, and where it ends.
fn rows(draft: &Draft, area: Rect) -> Vec<(u16, usize, Range<usize>)> {
    let text = draft.area();
    let top = usize::from(text.scroll_offset().0);
    let mut starts: Vec<(usize, usize)> = Vec::new();
    for y in 0..=usize::from(area.height) {
        let at = text.screen_to_data(top + y, 0);
        if starts.last() == Some(&(at.0, at.1)) {
            break;
        }
        starts.push((at.0, at.1));
    }
    let end = |i: usize, row: usize| match starts.get(i + 1) {
        Some((next, column)) if *next == row => *column,
        Some(_) | None => usize::MAX,
    };
    let row = |(i, (row, from)): (usize, &(usize, usize))| (i as u16, *row, *from..end(i, *row));
    starts.iter().enumerate().take(area.height as usize).map(row).collect()
}

/// Colours on the letters that are there, marks in the gutter. Only what is visible is looked at.
fn paint(ctx: &Ctx, draft: &Draft, area: Rect, buffer: &mut Buffer) {
    let numbers = draft.area().line_number_width();
    let matter =
        draft.lines().iter().enumerate().skip(1).find(|(_, l)| l.trim_end() == "---").map(|(i, _)| i);
    let sought = ctx.model.desk.finding.as_ref().map(|_| ctx.model.desk.sought.clone()).unwrap_or_default();
    for (y, row, range) in rows(draft, area) {
        let Some(line) = draft.lines().get(row) else { continue };
        let gutter = Rect { x: area.x, y: area.y + y, width: numbers.min(area.width), height: 1 };
        buffer.set_style(gutter, ctx.theme.faint);
        let cells = Cells { draft, area, y, line, range: range.clone(), numbers };
        let words = if draft.file.is_json() {
            highlight::json(line)
        } else {
            highlight::prose(line, matter.is_some_and(|end| row < end))
        };
        for (word, kind) in words {
            cells.patch(word, kind_style(ctx, kind), buffer);
        }
        for hit in hits(line, &sought) {
            cells.patch(hit, ctx.theme.accent.add_modifier(Modifier::UNDERLINED), buffer);
        }
        let here = draft.check.problems.iter().filter(|problem| problem.line == row as u64 + 1);
        for problem in here {
            let style = severity(ctx, problem);
            let from = (problem.column.saturating_sub(1)) as usize;
            let word = line.chars().skip(from).take_while(|c| !c.is_whitespace() && !",:{}[]".contains(*c));
            let marked = from..from + word.count().max(1);
            cells.patch(marked, style.add_modifier(Modifier::UNDERLINED), buffer);
            if range.start == 0 {
                buffer.set_string(area.x, area.y + y, glyph(problem), style);
            }
        }
    }
    if ctx.model.desk.focus == Focus::Ladder {
        hide_cursor(draft, area, buffer);
    }
}

/// A row of the screen, for patching styles by the letters of its line.
struct Cells<'a> {
    draft: &'a Draft,
    area: Rect,
    y: u16,
    line: &'a str,
    range: Range<usize>,
    numbers: u16,
}

impl Cells<'_> {
    fn patch(&self, word: Range<usize>, style: Style, buffer: &mut Buffer) {
        let left = usize::from(self.draft.area().scroll_offset().1);
        let (mut column, mut cells) = (0, None::<(usize, usize)>);
        let letters = self.line.chars().chain(std::iter::once(' ')).enumerate();
        for (at, letter) in letters.skip(self.range.start).take_while(|(at, _)| *at < self.range.end) {
            let wide = match letter {
                '\t' => usize::from(TAB) - column % usize::from(TAB),
                letter => letter.width().unwrap_or(0),
            };
            if word.contains(&at) {
                let from = cells.map_or(column, |(from, _)| from);
                cells = Some((from, column + wide));
            }
            column += wide;
            if at >= word.end {
                break;
            }
        }
        let Some((from, to)) = cells else { return };
        let shift = |x: usize| (x + usize::from(self.numbers)).saturating_sub(left);
        let (from, to) = (shift(from).max(usize::from(self.numbers).saturating_sub(left)), shift(to));
        let (from, to) = (from.min(self.area.width as usize), to.min(self.area.width as usize));
        let place = Rect {
            x: self.area.x + from as u16,
            y: self.area.y + self.y,
            width: (to - from.min(to)) as u16,
            height: 1,
        };
        buffer.set_style(place, style);
    }
}

/// Where the words looked for stand in a line, by its letters.
fn hits(line: &str, sought: &str) -> Vec<Range<usize>> {
    if sought.is_empty() {
        return Vec::new();
    }
    let (line, sought) = (line.to_lowercase(), sought.to_lowercase());
    let long = sought.chars().count();
    line.match_indices(&sought).map(|(at, _)| line[..at].chars().count()).map(|at| at..at + long).collect()
}

fn hide_cursor(draft: &Draft, area: Rect, buffer: &mut Buffer) {
    let place = cursor(draft, area);
    if let Some(cell) = buffer.cell_mut((place.0, place.1)) {
        cell.modifier.remove(Modifier::REVERSED);
    }
}

/// The cell of the cursor.
fn cursor(draft: &Draft, area: Rect) -> (u16, u16) {
    let text = draft.area();
    let (top, left) = text.scroll_offset();
    let at = text.screen_cursor();
    let x = (at.col + usize::from(text.line_number_width())).saturating_sub(usize::from(left));
    let y = at.row.saturating_sub(usize::from(top));
    (
        area.x + (x as u16).min(area.width.saturating_sub(1)),
        area.y + (y as u16).min(area.height.saturating_sub(1)),
    )
}

const fn kind_style(ctx: &Ctx, kind: Kind) -> Style {
    match kind {
        Kind::Name => ctx.theme.code_name,
        Kind::Text => ctx.theme.code_text,
        Kind::Value => ctx.theme.code_value,
        Kind::Mark => ctx.theme.code_mark,
        Kind::Field => ctx.theme.code_field,
        Kind::Channel(channel) => ctx.theme.channel(channel),
    }
}

const fn severity(ctx: &Ctx, problem: &Problem) -> Style {
    match problem.severity {
        Severity::Error => ctx.theme.bad,
        Severity::Warning => ctx.theme.warning,
    }
}

const fn glyph(problem: &Problem) -> &'static str {
    match problem.severity {
        Severity::Error => "✗",
        Severity::Warning => "!",
    }
}

/// A line that says how the check stands and where the cursor is, and the problems nearest to it.
fn problems<'a>(ctx: &Ctx, draft: &Draft, area: Rect) -> Vec<Line<'a>> {
    let cells = area.width as usize;
    let (row, column) = draft.cursor();
    let (errors, warnings) = draft.counts();
    let broken = draft.check.elsewhere.iter().filter(|p| p.severity == Severity::Error).count();
    let many = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    let next = keys::key(Cmd::NextProblem);
    let (said, style) = match (errors, warnings) {
        _ if draft.check.revision == 0 => ("  being checked".to_owned(), ctx.theme.muted),
        (0, 0) if broken > 0 => (format!("✗ {} in other files", many(broken, "error")), ctx.theme.bad),
        (0, 0) => ("✓ the check finds nothing".to_owned(), ctx.theme.good),
        (0, n) => (format!("! {} · {next} goes there", many(n, "warning")), ctx.theme.warning),
        (n, 0) => (format!("✗ {} · {next} goes there", many(n, "error")), ctx.theme.bad),
        (n, m) => {
            (format!("✗ {}, {} · {next} goes there", many(n, "error"), many(m, "warning")), ctx.theme.bad)
        }
    };
    let place = format!("{}:{} ", row + 1, column + 1);
    let said = left(&said, cells.saturating_sub(width(&place)));
    let mut lines = vec![Line::from(vec![Span::styled(said, style), Span::styled(place, ctx.theme.muted)])];
    let room = (area.height as usize / 4).clamp(1, 8);
    // From the line of the cursor on: that is where somebody types.
    let from = draft.check.problems.iter().position(|p| p.line > row as u64).unwrap_or(0);
    let own = draft.check.problems.iter().skip(from).chain(draft.check.problems.iter().take(from));
    let own = own.map(|p| (format!("{}:{}", p.line, p.column), p));
    let other = draft.check.elsewhere.iter().filter(|p| p.severity == Severity::Error);
    let other = other.map(|p| (format!("{}:{}", file_of(p), p.line), p));
    for (place, problem) in own.chain(other) {
        if lines.len() > room {
            break;
        }
        lines.extend(problem_lines(ctx, &place, problem, cells, room + 1 - lines.len()));
    }
    lines
}

fn file_of(problem: &Problem) -> String {
    clean(&problem.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

fn problem_lines<'a>(ctx: &Ctx, place: &str, problem: &Problem, cells: usize, room: usize) -> Vec<Line<'a>> {
    let words = format!("{}; {}", clean(&problem.message), clean(&problem.hint));
    let indent = width(place) + 3;
    let parts = wrap(&words, cells.saturating_sub(indent).max(20));
    let cut_off = parts.len() > room;
    let mut lines = Vec::new();
    for (i, part) in parts.into_iter().take(room.min(2)).enumerate() {
        let part =
            if cut_off && i + 1 == room { cut(&(part + " …"), cells.saturating_sub(indent)) } else { part };
        let head = if i == 0 {
            Span::styled(format!("{} {place} ", glyph(problem)), severity(ctx, problem))
        } else {
            Span::raw(" ".repeat(indent))
        };
        lines.push(Line::from(vec![head, Span::styled(part, ctx.theme.text)]));
    }
    lines
}

/// What may stand at the cursor, under it or, where there is no room, above it.
fn popup(ctx: &Ctx, draft: &Draft, (offers, at): (&Offers, usize), area: Rect, frame: &mut Frame) {
    let (x, y) = cursor(draft, area);
    let word = offers.list.iter().map(|offer| width(&offer.word)).max().unwrap_or(0);
    let note = offers.list.iter().map(|offer| width(&offer.note)).max().unwrap_or(0);
    let wide = (word + if note > 0 { note + 2 } else { 0 } + 4).min(area.width as usize).min(64) as u16;
    let high = (offers.list.len().min(LISTED) + 2) as u16;
    let below = area.bottom().saturating_sub(y + 1);
    let top = if below >= high { y + 1 } else { y.saturating_sub(high).max(area.y) };
    let place = Rect {
        x: x.min(area.right().saturating_sub(wide)),
        y: top,
        width: wide,
        height: high.min(area.bottom().saturating_sub(top)),
    };
    let block = ctx.block(Vec::new(), false);
    let inner = block.inner(place);
    frame.render_widget(Clear, place);
    frame.render_widget(block, place);
    let top = super::list_top(at, inner.height as usize);
    let lines = offers.list.iter().enumerate().skip(top).take(inner.height as usize).map(|(i, offer)| {
        let line = Line::from(vec![
            Span::styled(left(&format!(" {}", clean(&offer.word)), word + 3), ctx.theme.strong),
            Span::styled(
                left(&clean(&offer.note), (inner.width as usize).saturating_sub(word + 3)),
                ctx.theme.muted,
            ),
        ]);
        if i == at { line.patch_style(ctx.theme.selection) } else { line }
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), inner);
}
