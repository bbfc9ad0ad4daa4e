//! Pane 4, Rules: the steps with their waits, and how many stand in each.

use super::Ctx;
use crate::engine::snapshot::StepRow;
use crate::phrases::span;
use crate::tui::layout::Pane;
use crate::tui::text::{cut, dash, left, right};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let hash =
        ctx.picture.snapshot.campaign.as_ref().map(|c| c.rules_hash.chars().take(7).collect::<String>());
    let source = crate::model::clean(&ctx.picture.place.rules_source);
    let detail = [hash.unwrap_or_default(), source].join(" ");
    let block = ctx.pane(Pane::Rules, cut(detail.trim(), area.width.saturating_sub(16) as usize).as_str());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let cells = inner.width as usize;
    let steps = &ctx.picture.snapshot.steps;
    let mut lines = vec![head(ctx, cells)];
    lines.extend(steps.iter().enumerate().map(|(i, step)| {
        let chosen = ctx.model.focus == Pane::Rules && ctx.model.cursors[Pane::Rules as usize] == i;
        let line = line(ctx, i, step, steps.get(i + 1), cells);
        if chosen { line.patch_style(ctx.selection(Pane::Rules)) } else { line }
    }));
    if lines.len() + 1 < inner.height as usize {
        lines.push(Line::default());
    }
    if lines.len() < inner.height as usize {
        lines.push(Line::styled("Enter or e shows the rules, c what is said", ctx.theme.faint));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Cells for what follows a step: in words where there is room.
const fn then_cells(cells: usize) -> usize {
    match cells {
        0..52 => 0,
        52..78 => 11,
        _ => 26,
    }
}

fn head<'a>(ctx: &Ctx, cells: usize) -> Line<'a> {
    let then = if then_cells(cells) > 0 { left("  then", then_cells(cells)) } else { String::new() };
    let text = format!("{:>18}{then}  sending  waiting  stuck  to come", "wait");
    Line::styled(text, ctx.theme.muted)
}

fn line<'a>(ctx: &Ctx, i: usize, step: &StepRow, next: Option<&StepRow>, cells: usize) -> Line<'a> {
    let theme = ctx.theme;
    let wait = step.wait_s.map_or("end".to_owned(), |s| span(s as i64));
    let silent = if step.channel.is_text() { "if no reply" } else { "if no answer" };
    let then = match (next, then_cells(cells)) {
        (Some(next), 26..) => format!("  › {} {silent}", next.channel.label()),
        (Some(next), _) => format!("  › {}", next.channel.label()),
        (None, 26..) => "  an answer still counts".to_owned(),
        (None, _) => String::new(),
    };
    let mut spans = vec![
        Span::styled(format!("{} ", i + 1), theme.muted),
        Span::styled(left(step.channel.label(), 9), theme.channel(step.channel)),
        Span::styled(right(&wait, 7), theme.strong),
        Span::styled(left(&then, then_cells(cells)), theme.muted),
    ];
    let here = [
        (step.sending, 9, theme.accent),
        (step.waiting, 9, theme.text),
        (step.stuck, 7, theme.warning),
        (step.to_come, 9, theme.muted),
    ];
    spans.extend(here.map(|(count, wide, style)| {
        Span::styled(right(&dash(count), wide), if count == 0 { theme.faint } else { style })
    }));
    Line::from(spans)
}
