//! Pane 3, Channels: people, not messages. A dash stands where a channel knows no such outcome, or nobody had it.

use super::Ctx;
use crate::engine::snapshot::ChannelRow;
use crate::model::{Channel, Money, Outcome};
use crate::phrases;
use crate::tui::layout::Pane;
use crate::tui::text::{dash, left, right, width, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::fmt::Write as _;

/// A column: its head, and how early it leaves a narrow pane (0 stays).
#[derive(Clone, Copy)]
struct Column {
    what: Figure,
    head: &'static str,
    rank: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Figure {
    ToGo,
    Reached,
    Heard(Outcome),
    Conversions,
    Cost,
    CostEach,
}

const fn column(what: Figure, head: &'static str, rank: u8) -> Column {
    Column { what, head, rank }
}

const COLUMNS: [Column; 13] = [
    column(Figure::ToGo, "to", 1),
    column(Figure::Reached, "sent", 0),
    column(Figure::Heard(Outcome::Delivered), "dlvd", 0),
    column(Figure::Heard(Outcome::Read), "read", 0),
    column(Figure::Heard(Outcome::Replied), "repl", 0),
    column(Figure::Heard(Outcome::Clicked), "clck", 2),
    column(Figure::Heard(Outcome::Answered), "answ", 0),
    column(Figure::Heard(Outcome::NoAnswer), "noans", 2),
    column(Figure::Heard(Outcome::Bounced), "bnc", 1),
    column(Figure::Heard(Outcome::OptedOut), "opt", 0),
    column(Figure::Conversions, "conv", 0),
    column(Figure::Cost, "cost", 2),
    column(Figure::CostEach, "$/cv", 3),
];

/// Cells of the first column.
const LABEL: usize = 9;

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let block = ctx.pane(Pane::Channels, "people, not messages");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let cells = inner.width as usize;
    let roomy = cells > LABEL + COLUMNS.len() * 7;
    let mut columns = COLUMNS.to_vec();
    let usual = |column: &Column| match (roomy, column.what) {
        (true, _) => 7,
        (false, Figure::CostEach | Figure::Cost | Figure::Heard(Outcome::NoAnswer)) => 6,
        (false, Figure::ToGo | Figure::Conversions | Figure::Heard(Outcome::Bounced | Outcome::OptedOut)) => {
            4
        }
        (false, _) => 5,
    };
    // Two numbers never touch, however many people there are.
    let rows = &ctx.picture.snapshot.channels;
    let texts = |what: Figure| rows.iter().filter_map(move |row| Some(figure(row, row.channel?, what)));
    let longest = |what: Figure| texts(what).map(|text| width(&text)).max().unwrap_or(0);
    let wide = |column: &Column| usual(column).max(longest(column.what) + 1);
    while columns.iter().map(wide).sum::<usize>() + LABEL + 1 > cells {
        let worst = columns.iter().map(|c| c.rank).max().unwrap_or(0);
        if worst == 0 {
            break;
        }
        columns.retain(|c| c.rank < worst);
    }
    let mut lines = vec![head(ctx, &columns, &wide)];
    for (i, row) in ctx.picture.snapshot.channels.iter().enumerate() {
        let chosen = ctx.model.focus == Pane::Channels && ctx.model.cursors[Pane::Channels as usize] == i;
        lines.push(line(ctx, row, &columns, &wide, chosen));
    }
    lines.extend(wrap(&answers(ctx), cells).into_iter().map(|text| Line::styled(text, ctx.theme.muted)));
    frame.render_widget(Paragraph::new(lines), inner);
}

fn head<'a>(ctx: &Ctx, columns: &[Column], wide: &dyn Fn(&Column) -> usize) -> Line<'a> {
    let mut spans = vec![Span::raw(" ".repeat(LABEL))];
    for column in columns {
        if column.what == Figure::Conversions {
            spans.push(Span::styled("│", ctx.theme.faint));
        }
        spans.push(Span::styled(right(column.head, wide(column)), ctx.theme.muted));
    }
    Line::from(spans)
}

fn line<'a>(
    ctx: &Ctx,
    row: &ChannelRow,
    columns: &[Column],
    wide: &dyn Fn(&Column) -> usize,
    chosen: bool,
) -> Line<'a> {
    let theme = ctx.theme;
    let Some(channel) = row.channel else { return Line::default() };
    let paused = if row.paused.is_some() { "‖" } else { "" };
    let mut spans =
        vec![Span::styled(left(&format!("{}{paused}", channel.label()), LABEL), theme.channel(channel))];
    for column in columns {
        if column.what == Figure::Conversions {
            spans.push(Span::styled("│", theme.faint));
        }
        let text = figure(row, channel, column.what);
        let style = style(ctx, column.what, &text);
        spans.push(Span::styled(right(&text, wide(column)), style));
    }
    let line = Line::from(spans);
    if chosen { line.patch_style(ctx.selection(Pane::Channels)) } else { line }
}

fn style(ctx: &Ctx, what: Figure, text: &str) -> Style {
    match what {
        _ if text == "–" => ctx.theme.faint,
        Figure::Conversions => ctx.theme.good,
        Figure::Heard(Outcome::Bounced | Outcome::OptedOut) => ctx.theme.warning,
        Figure::ToGo | Figure::Cost | Figure::CostEach => ctx.theme.muted,
        Figure::Heard(_) | Figure::Reached => ctx.theme.text,
    }
}

fn figure(row: &ChannelRow, channel: Channel, what: Figure) -> String {
    match what {
        Figure::ToGo => dash(row.to_go),
        Figure::Reached => row.reached.to_string(),
        Figure::Heard(outcome) if !knows(channel, outcome) => "–".to_owned(),
        Figure::Heard(outcome) => dash(row.outcome(outcome)),
        Figure::Conversions => dash(row.conversions),
        Figure::Cost if row.attempts == 0 => "–".to_owned(),
        Figure::Cost => row.cost.short(),
        Figure::CostEach => row.cost.per(row.conversions).map_or("–".to_owned(), Money::short),
    }
}

/// Which outcomes a channel can report at all.
const fn knows(channel: Channel, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Bounced | Outcome::OptedOut => true,
        Outcome::Answered | Outcome::NoAnswer => matches!(channel, Channel::Phone),
        Outcome::Delivered | Outcome::Replied | Outcome::Clicked => channel.is_text(),
        Outcome::Read => matches!(channel, Channel::Whatsapp | Channel::Email),
    }
}

/// `answers 37 = 25 yes 3 no 1 wrong person · no answer 9, 4 machines`
fn answers(ctx: &Ctx) -> String {
    let snapshot = &ctx.picture.snapshot;
    let total: u64 = snapshot.dispositions.iter().map(|(_, n)| n).sum();
    let parts: Vec<String> = snapshot
        .dispositions
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(what, n)| format!("{n} {}", phrases::disposition(*what)))
        .collect();
    let silent: u64 = snapshot.channels.iter().map(|row| row.outcome(Outcome::NoAnswer)).sum();
    let mut text = match total {
        0 => "no answers yet".to_owned(),
        n => format!("answers {n} = {}", parts.join(" + ")),
    };
    if silent > 0 {
        _ = write!(text, " · no answer {silent}, {} by machines", snapshot.machines);
    }
    if snapshot.clicks_suspected > 0 {
        let clicks = if snapshot.clicks_suspected == 1 { "click" } else { "clicks" };
        _ = write!(text, " · {} scanner {clicks} not counted", snapshot.clicks_suspected);
    }
    text
}
