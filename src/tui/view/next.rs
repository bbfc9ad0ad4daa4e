//! Pane 6, Next: what falls due, when, and how much of it.

pub use crate::phrases::leaving::contacts;

use super::Ctx;
use crate::engine::snapshot::DueGroup;
use crate::phrases::leaving::due;
use crate::phrases::span;
use crate::tui::layout::Pane;
use crate::tui::text::{left, minute, right, when};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// A bar's longest form, in cells.
const BAR_MAX: usize = 24;

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let block = ctx.pane(Pane::Next, "what falls due");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let groups = &ctx.picture.snapshot.next;
    if groups.is_empty() {
        let words = "Nothing is due.";
        frame.render_widget(Paragraph::new(words).style(ctx.theme.muted), inner);
        return;
    }
    let most = groups.iter().map(|g| g.count).max().unwrap_or(1).max(1);
    let cursor = ctx.model.cursors[Pane::Next as usize];
    let top = super::list_top(cursor, inner.height as usize);
    let lines: Vec<Line> = groups
        .iter()
        .enumerate()
        .skip(top)
        .take(inner.height as usize)
        .map(|(i, group)| {
            let line = line(ctx, group, most, inner.width as usize);
            let chosen = ctx.model.focus == Pane::Next && cursor == i;
            if chosen { line.patch_style(ctx.selection(Pane::Next)) } else { line }
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

fn line<'a>(ctx: &Ctx, group: &DueGroup, most: u64, cells: usize) -> Line<'a> {
    let theme = ctx.theme;
    let from = when(group.from, ctx.now, ctx.zone);
    let to = minute(group.to, ctx.zone);
    let times = if from.ends_with(&to) { from } else { format!("{from}–{to}") };
    let style = group.channel.map_or(theme.muted, |c| theme.channel(c));
    // The countdown goes first where the pane is narrow: the clock time says the same.
    let (fixed, roomy) = if cells >= 54 { (45, true) } else { (36, false) };
    let bar = bar(group.count, most, cells.saturating_sub(fixed).clamp(4, BAR_MAX));
    let left_s = (group.from - ctx.now).num_seconds();
    let waits = match left_s {
        _ if !roomy => String::new(),
        1.. => format!("in {}", span(left_s)),
        _ => "now".to_owned(),
    };
    Line::from(vec![
        Span::styled(left(&times, 16), theme.text),
        Span::styled(left(due(group), 13), style),
        Span::styled(right(&group.count.to_string(), 5), theme.strong),
        Span::styled(format!(" {bar} "), style),
        Span::styled(waits, theme.muted),
    ])
}

fn bar(count: u64, most: u64, longest: usize) -> String {
    let cells = (count as usize * longest).div_ceil(most.max(1) as usize);
    "▇".repeat(cells.max(1))
}
