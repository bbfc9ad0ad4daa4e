//! Pane 4, Rules: the steps with their waits, and how many stand in each.

use super::Ctx;
use crate::engine::snapshot::StepRow;
use crate::phrases::span;
use crate::tui::editor::changes::changes;
use crate::tui::editor::draft::File;
use crate::tui::keys::{self, Cmd};
use crate::tui::layout::Pane;
use crate::tui::text::{cut, dash, left, right, width};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let (now, next) = crate::tui::versions::rules_in_force(ctx.model).unwrap_or_default();
    let source = crate::model::clean(&ctx.picture.place.rules_source);
    let detail = [Some(now), next, Some(source)].into_iter().flatten().collect::<Vec<_>>().join(" ");
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
    match draft(ctx, cells) {
        // What nobody has saved is worth more than the last step's line.
        Some(line) => {
            lines.truncate((inner.height as usize).saturating_sub(1));
            lines.push(line);
        }
        None if lines.len() < inner.height as usize => {
            let words = "Enter or e edits the rules, + and - a wait, c what is said";
            lines.push(Line::styled(cut(words, cells), ctx.theme.faint));
        }
        None => {}
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

/// `draft: WhatsApp 6h → 4h, not saved · e to look, S to save`
fn draft<'a>(ctx: &Ctx, cells: usize) -> Option<Line<'a>> {
    let desk = &ctx.model.desk;
    desk.changed().next()?;
    let rules = desk.drafts.get(&File::Rules).filter(|draft| draft.is_changed());
    let said = rules.and_then(|draft| Some(changes(draft.base_rules.as_deref()?, &*desk.rules()?)));
    let said = match said.filter(|said| !said.is_empty()) {
        Some(said) => said.join(", "),
        None => desk.changed().map(|draft| draft.file.name()).collect::<Vec<_>>().join(", "),
    };
    let keys = format!(" · {} to look, {} to save", keys::key(Cmd::Rules), keys::key(Cmd::Save));
    // Whoever only reads has their draft in memory: no key of theirs changes what somebody else drafts.
    let whose = if ctx.model.keeps_drafts() { "draft" } else { "draft here alone" };
    let words = cut(&format!("{whose}: {said}, not saved"), cells.saturating_sub(width(&keys)));
    Some(Line::from(vec![Span::styled(words, ctx.theme.warning), Span::styled(keys, ctx.theme.muted)]))
}

/// The wait of a step as the draft has it, in words, where that is another one.
fn drafted(ctx: &Ctx, step: &StepRow) -> Option<String> {
    let desk = &ctx.model.desk;
    desk.drafts.get(&File::Rules).filter(|draft| draft.is_changed())?;
    let rules = desk.rules()?;
    let walk = rules.main.walk(rules.main.start);
    let found = walk.iter().find(|drafted| drafted.channel == step.channel)?.wait_s;
    (found != step.wait_s).then(|| said(found))
}

fn said(wait_s: Option<u64>) -> String {
    wait_s.map_or("end".to_owned(), |s| span(s as i64))
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
    let (wait, looks) = match drafted(ctx, step) {
        Some(drafted) => (format!("{}→{drafted}", said(step.wait_s)), theme.warning),
        None => (said(step.wait_s), theme.strong),
    };
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
        Span::styled(right(&wait, 7), looks),
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
