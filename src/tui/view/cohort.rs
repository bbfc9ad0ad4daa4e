//! Pane 1, Cohort: who is where, what happened last, what comes next. Builds visible rows only.

use super::Ctx;
use crate::engine::event::End;
use crate::engine::snapshot::{Place, Row, Sending};
use crate::phrases::{self, Tone, span};
use crate::tui::layout::Pane;
use crate::tui::text::{left, minute, right};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Widths of the columns for the room there is; 0 leaves a column out.
struct Columns {
    name: usize,
    phone: usize,
    segment: usize,
    channel: usize,
    state: usize,
    last: usize,
    cost: usize,
    next: usize,
}

impl Columns {
    fn new(cells: usize) -> Self {
        let mut columns = Self {
            name: 0,
            phone: if cells >= 96 { 16 } else { 0 },
            segment: if cells >= 62 { 11 } else { 0 },
            channel: if cells >= 76 { 9 } else { 6 },
            state: 10,
            last: if cells >= 54 { 16 } else { 0 },
            cost: if cells >= 104 { 8 } else { 0 },
            next: if cells >= 76 { 9 } else { 7 },
        };
        let fixed = 3 + columns.phone + columns.segment + columns.channel + columns.state;
        columns.name = cells.saturating_sub(fixed + columns.last + columns.cost + columns.next);
        if columns.name > 30 {
            columns.last += (columns.name - 30) / 2;
            columns.name -= (columns.name - 30) / 2;
        }
        columns
    }
}

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let cohort = &ctx.model.cohort;
    let total = ctx.picture.snapshot.rows.len();
    let block = ctx.pane(Pane::Cohort, &total.to_string());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [filter, heads, list] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    draw_filter(ctx, filter, total, frame);
    let columns = Columns::new(inner.width as usize);
    frame.render_widget(Paragraph::new(head(ctx, &columns)), heads);
    let rows = &ctx.picture.snapshot.rows;
    let visible = cohort.index.iter().skip(cohort.top).take(list.height as usize);
    let lines: Vec<Line> = visible.filter_map(|&i| rows.get(i)).map(|row| line(ctx, row, &columns)).collect();
    if lines.is_empty() && total > 0 {
        let words = "Nobody matches. Esc clears the filter, / changes it.";
        frame.render_widget(Paragraph::new(words).style(ctx.theme.muted), list);
        return;
    }
    frame.render_widget(Paragraph::new(lines), list);
}

fn draw_filter(ctx: &Ctx, area: Rect, total: usize, frame: &mut Frame) {
    let cohort = &ctx.model.cohort;
    let count = format!(" {} of {total} ", cohort.index.len());
    let [slash, line, right] = Layout::horizontal([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(count.len() as u16),
    ])
    .areas(area);
    let (words, style) = match (&cohort.problem, cohort.filter.is_empty()) {
        (Some(problem), _) => (crate::model::clean(problem), ctx.theme.warning),
        (None, true) => (" filters: status:open segment:… sort:due, name".to_owned(), ctx.theme.faint),
        (None, false) => (crate::model::clean(&cohort.filter), ctx.theme.accent),
    };
    frame.render_widget(Paragraph::new("/").style(ctx.theme.key), slash);
    match &cohort.typing {
        Some(input) => frame.render_widget(input.widget(), line),
        None => frame.render_widget(
            Paragraph::new(crate::tui::text::cut(&words, line.width as usize)).style(style),
            line,
        ),
    }
    frame.render_widget(Paragraph::new(count).style(ctx.theme.muted), right);
}

fn head<'a>(ctx: &Ctx, columns: &Columns) -> Line<'a> {
    let cell = |title: &str, cells: usize| if cells > 0 { left(title, cells) } else { String::new() };
    let text = [
        "   ".to_owned(),
        cell("NAME", columns.name),
        cell("PHONE", columns.phone),
        cell("SEGMENT", columns.segment),
        cell("WHERE", columns.channel + columns.state),
        cell("LAST", columns.last),
        if columns.cost > 0 { right("COST", columns.cost) } else { String::new() },
        right("NEXT IN", columns.next),
    ];
    Line::styled(text.concat(), ctx.theme.muted)
}

fn line<'a>(ctx: &Ctx, row: &Row, columns: &Columns) -> Line<'a> {
    let theme = ctx.theme;
    let selected = ctx.model.cohort.selected == Some(row.cascade);
    let card = ctx.picture.people.get(&row.person);
    let name = card.map_or_else(|| format!("customer {}", row.cascade), |c| c.name.clone());
    let (glyph, tone) = mark(&row.place);
    let ended = matches!(row.place, Place::Ended(..));
    let quiet = if ended { theme.muted } else { theme.text };
    let mut spans = vec![
        Span::styled(if selected { "▸" } else { " " }, theme.key),
        Span::styled(format!("{glyph} "), theme.tone(tone)),
        Span::styled(gap(&name, columns.name), quiet),
    ];
    if columns.phone > 0 {
        let phone = card.and_then(|c| c.phone.as_ref()).map_or("", |p| p.as_str());
        spans.push(Span::styled(gap(phone, columns.phone), theme.muted));
    }
    if columns.segment > 0 {
        let segment = card.map_or_else(|| row.segment.screen(), |c| c.segment.clone());
        spans.push(Span::styled(gap(&segment, columns.segment), theme.muted));
    }
    let channel = match &row.place {
        Place::Ended(_, credited) => credited.unwrap_or(row.channel),
        _ => row.channel,
    };
    let label = if columns.channel >= 9 { channel.label() } else { phrases::tag(channel) };
    let channel_style = if ended { theme.muted } else { theme.channel(channel) };
    spans.push(Span::styled(gap(label, columns.channel), channel_style));
    spans.push(Span::styled(gap(&phrases::place(row), columns.state), theme.tone(tone)));
    if columns.last > 0 {
        spans.push(Span::styled(gap(&last(ctx, row, columns.last), columns.last), quiet));
    }
    if columns.cost > 0 {
        spans.push(Span::styled(right(&row.cost.short(), columns.cost), theme.muted));
    }
    let (next, style) = next(ctx, row);
    spans.push(Span::styled(right(&next, columns.next), style));
    let line = Line::from(spans);
    if selected { reselect(line, ctx.selection(Pane::Cohort)) } else { line }
}

/// The selection covers the whole line, whatever its parts look like.
fn reselect(mut line: Line, style: Style) -> Line {
    for span in &mut line.spans {
        span.style = style;
    }
    line.style(style)
}

/// Left-aligned with one cell of air behind it.
fn gap(text: &str, cells: usize) -> String {
    left(text, cells.saturating_sub(1)) + " "
}

fn last(ctx: &Ctx, row: &Row, cells: usize) -> String {
    let Some(last) = &row.last else { return "–".to_owned() };
    let time = minute(last.at, ctx.zone);
    format!("{} {time}", crate::tui::text::cut(&phrases::last(last), cells.saturating_sub(7)))
}

fn next(ctx: &Ctx, row: &Row) -> (String, Style) {
    let theme = ctx.theme;
    match (&row.place, row.next) {
        (Place::InDoubt, _) => ("decide".into(), theme.warning),
        (Place::Held(_), _) => ("mend".into(), theme.warning),
        (Place::Ended(..), _) => ("–".into(), theme.faint),
        (Place::Queued | Place::Sending(_), None) => ("now".into(), theme.accent),
        (_, None) => ("–".into(), theme.muted),
        (_, Some((at, _))) => match (at - ctx.now).num_seconds() {
            ..=0 => ("now".into(), theme.accent),
            s if s < 60 => (span(s), theme.accent),
            s => (span(s), theme.text),
        },
    }
}

/// A glyph per state, so that the list can be read without colour.
const fn mark(place: &Place) -> (&'static str, Tone) {
    match place {
        Place::Queued | Place::Sending(Sending::Planned) => ("·", Tone::Muted),
        Place::Sending(_) => ("›", Tone::Good),
        Place::Retrying(_) => ("↻", Tone::Warning),
        Place::Deferred(_) => ("◷", Tone::Muted),
        Place::Waiting | Place::Settling => (" ", Tone::Plain),
        Place::Held(_) => ("!", Tone::Warning),
        Place::InDoubt => ("?", Tone::Warning),
        Place::Ended(end, _) => match end {
            End::Converted => ("✓", Tone::Good),
            End::Declined => ("✗", Tone::Muted),
            End::Exhausted => ("–", Tone::Muted),
            End::OptedOut => ("⊘", Tone::Bad),
            End::Stopped => ("■", Tone::Muted),
        },
    }
}
