//! The cost page: what a conversion costs by channel, first contacts and fallbacks apart, and by start over the whole
//! cascade.

use super::page::{More, heading};
use super::scale::{Interval, bar, number};
use super::week::each;
use super::{Ctx, learning};
use crate::learning::answer::{Answer, ChannelAnswer, SegmentAnswer};
use crate::model::Segment;
use crate::tui::keys::Cmd;
use crate::tui::text::{cut, left, right, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// An upper end further out than this many times the dearest estimate is cut.
const CUT: f64 = 1.6;
/// Cells of channel or start, place or segment, contacts, conversions, cost, cost of one, interval. A narrow window has
/// conversions and contacts in one column, and leaves the cost of all out.
const fn columns(cells: usize) -> [usize; 7] {
    if cells >= WIDE { [14, 12, 9, 7, 11, 10, 15] } else { [13, 10, 9, 0, 0, 8, 12] }
}

/// From this many cells on there is room for every column.
const WIDE: usize = 100;

/// Draws it; answers how far it scrolls.
pub fn draw(ctx: &Ctx, answer: &Answer, at: usize, area: Rect, frame: &mut Frame) -> More {
    let (cells, height) = (area.width as usize, area.height as usize);
    let lines = lines(ctx, answer, cells);
    let most = lines.len().saturating_sub(height);
    let top = at.min(most);
    let visible: Vec<Line> = lines.into_iter().skip(top).take(height).collect();
    frame.render_widget(Paragraph::new(visible), area);
    More { most, hidden: most - top, by: Cmd::PageDown }
}

fn lines<'a>(ctx: &Ctx, answer: &Answer, cells: usize) -> Vec<Line<'a>> {
    let (mut lines, _) = learning::basis(ctx, answer, cells);
    lines.push(heading(
        ctx,
        "what a conversion costs, by channel: █ at least ▓ estimate ░ at most, 95 %",
        cells,
    ));
    let contacts = if cells >= WIDE { ["contacts", "cascades"] } else { ["conv/n"; 2] };
    lines.push(heads(ctx, ["  channel", "as", contacts[0], "conv", "cost", "each", "95 %"], cells));
    let most = answer.channels.iter().filter_map(|row| each(row.conversions_per_cost)).map(number);
    let most = most.fold(0.0, f64::max) * CUT;
    let names = std::iter::once(None).chain(answer.segments.iter().map(|of| Some(&of.segment)));
    for name in names {
        lines.extend(channels(ctx, answer, name, most, cells));
    }
    let apart = "A fallback sees only people who did not answer before: these figures rank channels, they do not say \
                 where to start.";
    lines.extend(
        wrap(apart, cells.saturating_sub(4))
            .into_iter()
            .map(|line| Line::styled(format!("  {line}"), ctx.theme.muted)),
    );
    lines.push(Line::default());
    lines.push(heading(
        ctx,
        "what a conversion costs, by start: every step of the whole cascade, as counted",
        cells,
    ));
    lines.push(heads(ctx, ["  start", "segment", contacts[1], "conv", "cost", "each", ""], cells));
    let dearest =
        answer.segments.iter().flat_map(|of| &of.starts).filter_map(|start| start.cost_per_conversion);
    let dearest = dearest.map(number).fold(0.0, f64::max);
    for of in &answer.segments {
        lines.extend(starts(ctx, of, dearest, cells));
    }
    lines
}

fn heads<'a>(ctx: &Ctx, heads: [&str; 7], cells: usize) -> Line<'a> {
    Line::styled(cut(&cellwise(heads, cells), cells), ctx.theme.muted)
}

fn cellwise(texts: [&str; 7], cells: usize) -> String {
    let cell = |(i, (text, cells)): (usize, (&str, usize))| {
        if i < 2 { left(text, cells) } else { right(text, cells) }
    };
    texts.into_iter().zip(columns(cells)).enumerate().map(cell).collect()
}

/// `428`, or where conversions have no column of their own `63/428`.
fn counted(conversions: u64, of: u64, cells: usize) -> String {
    if cells >= WIDE { of.to_string() } else { format!("{conversions}/{of}") }
}

/// Of one segment or of all: first contacts, then fallbacks, each ranked by what a unit of cost buys.
fn channels<'a>(ctx: &Ctx, answer: &Answer, of: Option<&Segment>, most: f64, cells: usize) -> Vec<Line<'a>> {
    let mut rows: Vec<&ChannelAnswer> =
        answer.channels.iter().filter(|row| row.segment.as_ref() == of).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let rank = |row: &ChannelAnswer| row.conversions_per_cost.unwrap_or(f64::INFINITY);
    rows.sort_by(|a, b| {
        (a.position != "first").cmp(&(b.position != "first")).then(rank(b).total_cmp(&rank(a)))
    });
    let name = of.map_or_else(|| "all segments".to_owned(), Segment::screen);
    let title = Line::styled(format!("  {name}"), ctx.theme.strong);
    std::iter::once(title).chain(rows.into_iter().map(|row| channel(ctx, row, most, cells))).collect()
}

fn channel<'a>(ctx: &Ctx, row: &ChannelAnswer, most: f64, cells: usize) -> Line<'a> {
    let one = each(row.conversions_per_cost);
    let said = match one {
        Some(one) => ctx.money(one),
        None if row.conversions == 0 => "none yet".to_owned(),
        None => "free".to_owned(),
    };
    let band = match (each(row.high), each(row.low)) {
        (Some(low), Some(high)) => format!("{}–{}", low.short(), high.short()),
        (Some(low), None) => format!("over {}", low.short()),
        _ => String::new(),
    };
    let room = cells.saturating_sub(columns(cells).iter().sum::<usize>() + 3);
    let picture = one.map(|one| {
        let low = each(row.high).map_or(0.0, number);
        let high = each(row.low).map_or(f64::from(u32::MAX), number);
        bar(Interval { low, mean: number(one), high, raw: None }, most, room)
    });
    let texts = [
        &format!("    {}", row.channel.label()),
        row.position,
        &counted(row.conversions, row.contacts, cells),
        &row.conversions.to_string(),
        &ctx.money(row.cost),
        &said,
        &band,
    ];
    Line::from(vec![
        Span::styled(cellwise(texts, cells), ctx.theme.text),
        Span::styled(format!("  {}", picture.unwrap_or_default()), ctx.theme.channel(row.channel)),
    ])
}

fn starts<'a>(ctx: &Ctx, of: &SegmentAnswer, most: f64, cells: usize) -> Vec<Line<'a>> {
    let room = cells.saturating_sub(columns(cells).iter().sum::<usize>() + 3);
    let name = of.segment.screen();
    let line = |start: &crate::learning::answer::StartAnswer| {
        let one = start.cost_per_conversion;
        let said = one.map_or_else(|| "–".to_owned(), |one| ctx.money(one));
        let texts = [
            &format!("    {}", start.start.label()),
            &name,
            &counted(start.conversions, start.n, cells),
            &start.conversions.to_string(),
            &ctx.money(start.cost),
            &said,
            "",
        ];
        let even = |one: f64| Interval { low: one, mean: one, high: one, raw: None };
        let picture = one.map(|one| bar(even(number(one)), most, room)).unwrap_or_default();
        Line::from(vec![
            Span::styled(cellwise(texts, cells), ctx.theme.text),
            Span::styled(format!("  {picture}"), ctx.theme.channel(start.start)),
        ])
    };
    of.starts.iter().filter(|start| start.n > 0).map(line).collect()
}
