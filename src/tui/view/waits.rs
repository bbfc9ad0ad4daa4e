//! The waits page: for each channel and segment when conversions arrive within the wait, and what follows from it; for
//! the one under the cursor the curve with its band.

use super::page::More;
use super::scale::{blocks, percent};
use super::{Ctx, learning};
use crate::learning::answer::{Answer, WaitAnswer};
use crate::model::{Segment, clean};
use crate::tui::keys::Cmd;
use crate::tui::learning::SAID;
use crate::tui::learning::findings::say_wait;
use crate::tui::model::Page;
use crate::tui::text::{cut, left, right, wrap};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Paragraph};

/// Lines that a curve needs to be read.
const CURVE: u16 = 7;
/// Below this many lines some are left out.
const LOW: u16 = 22;

/// Draws it: the list, the sentence about the chosen one, its curve.
pub fn draw(ctx: &Ctx, answer: &Answer, page: &Page, area: Rect, frame: &mut Frame) -> More {
    let cells = area.width as usize;
    let chosen = page.at.min(answer.waits.len().saturating_sub(1));
    let Some(of) = answer.waits.get(chosen) else {
        let words = "  Nobody was contacted yet: there is no wait to look at.";
        frame.render_widget(Paragraph::new(words).style(ctx.theme.muted), area);
        return More { most: 0, hidden: 0, by: Cmd::PageDown };
    };
    // In a low window the list and the curve matter most.
    let low = area.height < LOW;
    let basis = usize::from(!low);
    let (as_of, notes) = learning::basis(ctx, answer, cells);
    let head = if low { Vec::new() } else { as_of.clone() };
    let mut said = sentence(ctx, of, cells);
    if low {
        // Of all that there is to say three lines are seen at a time.
        said.extend(as_of.into_iter().chain(notes));
    }
    let most = if low { said.len().saturating_sub(SAID) } else { 0 };
    let skip = page.skip.min(most);
    let seen = if low { SAID } else { said.len() };
    let said: Vec<Line> = said.into_iter().skip(skip).take(seen).collect();
    let more = More { most, hidden: most - skip, by: Cmd::PageDown };
    let fixed = (head.len() + said.len() + basis) as u16;
    let curve = if of.share_by_fraction.is_empty() { 0 } else { CURVE.max(area.height / 2) };
    let room = area.height.saturating_sub(fixed + curve).max(4);
    let list = (answer.waits.len() as u16 + 1).min(room);
    let [top, rows, _, words, picture] = Layout::vertical([
        Constraint::Length(head.len() as u16),
        Constraint::Length(list),
        Constraint::Length(basis as u16),
        Constraint::Length(said.len() as u16),
        Constraint::Fill(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(head), top);
    let height = usize::from(list).saturating_sub(1);
    let skip = super::list_top(chosen, height);
    let shown = answer.waits.iter().enumerate().skip(skip).take(height);
    let lines: Vec<Line> = std::iter::once(heads(ctx, cells))
        .chain(shown.map(|(i, of)| row(ctx, of, i == chosen, cells)))
        .collect();
    frame.render_widget(Paragraph::new(lines), rows);
    frame.render_widget(Paragraph::new(said), words);
    if !of.share_by_fraction.is_empty() && picture.height >= 4 {
        draw_curve(ctx, of, picture, frame);
    }
    more
}

/// Cells of channel, segment, wait, contacts, conversions, curve, where 80 % have arrived.
const fn columns(cells: usize) -> [usize; 7] {
    if cells >= 100 { [12, 14, 7, 10, 7, 17, 14] } else { [11, 12, 6, 0, 6, 13, 11] }
}

fn heads<'a>(ctx: &Ctx, cells: usize) -> Line<'a> {
    let [name, segment, wait, contacts, conv, curve, t80] = columns(cells);
    let text = format!(
        "{}{}{}{}{}{}{}  {}",
        left("  channel", name),
        left("segment", segment),
        right("wait", wait),
        right("contacts", contacts),
        right("conv", conv),
        left(&format!("{}arrivals", " ".repeat(indent(curve))), curve),
        left("80 % by", t80),
        "advice"
    );
    Line::styled(cut(&text, cells), ctx.theme.muted)
}

fn row<'a>(ctx: &Ctx, of: &WaitAnswer, chosen: bool, cells: usize) -> Line<'a> {
    let columns = columns(cells);
    let [name, segment, wait, contacts, conv, curve, t80] = columns;
    let cursor = if chosen { "▸" } else { " " };
    let whose = of.segment.as_ref().map_or_else(|| "all".to_owned(), Segment::screen);
    let arrivals = blocks(of.share_by_fraction.iter().map(|[_, share]| *share));
    let by = match (of.t80_s, of.t80_fraction) {
        (Some(at), Some(share)) => format!("{} {}", say_wait(at as u64), percent(share)),
        _ => "–".to_owned(),
    };
    let used: usize = columns.iter().sum::<usize>() + 2;
    let advised = of.suggest_change || of.too_short;
    let advice = cut(&advice(of), cells.saturating_sub(used));
    let line = Line::from(vec![
        Span::styled(left(&format!("{cursor} {}", of.channel.label()), name), ctx.theme.channel(of.channel)),
        Span::styled(left(&whose, segment - 1) + " ", ctx.theme.text),
        Span::styled(right(&say_wait(of.window_s), wait), ctx.theme.strong),
        Span::styled(right(&of.contacts.to_string(), contacts), ctx.theme.text),
        Span::styled(right(&of.events.to_string(), conv), ctx.theme.text),
        Span::styled(left(&format!("{}{arrivals}", " ".repeat(indent(curve))), curve), ctx.theme.accent),
        Span::styled(left(&by, t80), ctx.theme.text),
        Span::styled(format!("  {advice}"), if advised { ctx.theme.warning } else { ctx.theme.muted }),
    ]);
    if chosen { line.patch_style(ctx.theme.selection) } else { line }
}

/// Before the curve, whose tenths take a cell each.
const fn indent(curve: usize) -> usize {
    (curve - 10) / 2
}

/// What follows, in a word or two.
fn advice(of: &WaitAnswer) -> String {
    match (of.suggest_change, of.suggested_wait_s) {
        (true, Some(then)) => format!("→ wait {}", say_wait(then)),
        _ if of.too_short => "→ cut too short".to_owned(),
        (false, Some(_)) => "stays".to_owned(),
        _ if of.status == "ok" => "nobody waits".to_owned(),
        _ if of.status == "too_few_conversions" => "too few conversions".to_owned(),
        _ => "not followed long enough".to_owned(),
    }
}

/// The sentence, and what the suggestion would have cost and saved on the record.
fn sentence<'a>(ctx: &Ctx, of: &WaitAnswer, cells: usize) -> Vec<Line<'a>> {
    let whose = of.segment.as_ref().map(|segment| format!(" for {}", segment.screen())).unwrap_or_default();
    let words = format!("{}{whose}: {}", of.channel.label(), clean(&of.reason));
    let mut lines: Vec<Line> = wrap(&words, cells.saturating_sub(4))
        .into_iter()
        .map(|line| Line::styled(format!("  {line}"), ctx.theme.strong))
        .collect();
    if let (Some(missed), Some(saved)) = (of.missed_on_record, of.saved_s) {
        let cost =
            of.missed_cost.map(|cost| format!(", about {} for it", ctx.money(cost))).unwrap_or_default();
        let words = format!(
            "on the record {} would have had the next message although they still convert{cost}; whoever does not \
             convert has it {} sooner",
            crate::phrases::people(missed),
            say_wait(saved)
        );
        let words = wrap(&words, cells.saturating_sub(4));
        lines.extend(words.into_iter().map(|line| Line::styled(format!("  {line}"), ctx.theme.muted)));
    }
    lines
}

/// The share that has arrived over the wait: the curve as a line, its band as dots, 80 % as a dotted line across.
fn draw_curve(ctx: &Ctx, of: &WaitAnswer, area: Rect, frame: &mut Frame) {
    let told = u16::from(area.height > CURVE);
    let [legend, area] = Layout::vertical([Constraint::Length(told), Constraint::Fill(1)]).areas(area);
    let words = "  conversions of the wait that have arrived: ⠒⠒ estimate · •• its 95 % band · ⠄ ⠄ 80 %";
    frame.render_widget(Paragraph::new(cut(words, legend.width as usize)).style(ctx.theme.muted), legend);
    let start = std::iter::once((0.0, 0.0));
    let curve: Vec<(f64, f64)> =
        start.chain(of.share_by_fraction.iter().map(|[at, share]| (*at, *share))).collect();
    let pairs = || of.share_by_fraction.iter().zip(&of.bands);
    let band: Vec<(f64, f64)> =
        pairs().flat_map(|([at, _], [low, high])| [(*at, *low), (*at, *high)]).collect();
    let line: Vec<(f64, f64)> = (0..=60).map(|i| (f64::from(i) / 60.0, 0.8)).collect();
    let scatter = |points, marker, style| {
        Dataset::default().data(points).marker(marker).graph_type(GraphType::Scatter).style(style)
    };
    let datasets = vec![
        scatter(&line, Marker::Braille, ctx.theme.faint),
        scatter(&band, Marker::Dot, ctx.theme.muted),
        Dataset::default()
            .data(&curve)
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(ctx.theme.accent),
    ];
    let quarter = |quarters: u64| say_wait(of.window_s * quarters / 4);
    let times = ["0".to_owned(), quarter(1), quarter(2), quarter(3), quarter(4)];
    let x = Axis::default().bounds([0.0, 1.0]).labels(times).style(ctx.theme.muted);
    let y = Axis::default().bounds([0.0, 1.0]).labels(["0 %", "50 %", "100 %"]).style(ctx.theme.muted);
    frame.render_widget(Chart::new(datasets).x_axis(x).y_axis(y).legend_position(None), area);
}
