//! Pane 4, Rules: the steps with their waits, and how many stand in each.

use super::Ctx;
use crate::engine::snapshot::StepRow;
use crate::phrases::span;
use crate::tui::layout::Pane;
use crate::tui::text::{cut, left, right, width};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
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
    let mut lines: Vec<Line> = steps
        .iter()
        .enumerate()
        .map(|(i, step)| {
            let next = steps.get(i + 1);
            let chosen = ctx.model.focus == Pane::Rules && ctx.model.cursors[Pane::Rules as usize] == i;
            let line = line(ctx, i, step, next, cells);
            if chosen { line.patch_style(ctx.selection(Pane::Rules)) } else { line }
        })
        .collect();
    if lines.len() + 1 < inner.height as usize {
        lines.push(Line::default());
    }
    if lines.len() < inner.height as usize {
        lines.push(Line::styled("Enter or e shows the rules, c what is said", ctx.theme.faint));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

fn line<'a>(ctx: &Ctx, i: usize, step: &StepRow, next: Option<&StepRow>, cells: usize) -> Line<'a> {
    let theme = ctx.theme;
    let mut spans = vec![
        Span::styled(format!("{} ", i + 1), theme.muted),
        Span::styled(left(step.channel.label(), 9), theme.channel(step.channel)),
    ];
    let (wait, rest) = match (step.wait_s, next) {
        (Some(wait), Some(next)) => {
            let silent = if step.channel.is_text() { "no reply" } else { "no answer" };
            (span(wait as i64), format!("{silent} › {}", next.channel.label()))
        }
        (Some(wait), None) => (span(wait as i64), "then the end".to_owned()),
        (None, _) => ("end".to_owned(), "an answer still counts".to_owned()),
    };
    spans.push(Span::styled(right(&wait, 5), theme.strong));
    let detail = cells >= 62;
    if detail {
        spans.push(Span::styled(format!("  {}", left(&rest, 22)), theme.muted));
    }
    let here = [
        (step.sending, "sending", theme.accent),
        (step.waiting, "waiting", theme.text),
        (step.stuck, "stuck", theme.warning),
        (step.to_come, "to come", theme.muted),
    ];
    let mut used: usize = spans.iter().map(|s| width(&s.content)).sum();
    let shown: Vec<&(u64, &str, Style)> = here.iter().filter(|(n, ..)| *n > 0).collect();
    if shown.is_empty() {
        spans.push(Span::styled("  nobody here", theme.faint));
    }
    for (count, word, style) in shown {
        let number = format!(" {}", right(&count.to_string(), 3));
        let word = format!(" {word}");
        used += width(&number) + width(&word);
        if used > cells {
            break;
        }
        spans.push(Span::styled(number, *style));
        spans.push(Span::styled(word, theme.muted));
    }
    Line::from(spans)
}
