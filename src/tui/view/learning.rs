//! The frame of the pages of what was learnt: which there are, of what record they are, and what there is to say while
//! there is no answer.

use super::page::foot;
use super::{Ctx, Drawn, cost, starts, waits};
use crate::learning::answer::{Answer, Basis};
use crate::model::{Mode, Money, clean};
use crate::tui::keys;
use crate::tui::learning::View;
use crate::tui::model::Page;
use crate::tui::text::{day, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws a page; answers how far it can scroll.
pub fn draw(ctx: &Ctx, view: View, page: &Page, area: Rect, frame: &mut Frame) -> Drawn {
    let hint = Line::styled(" Esc goes back ", ctx.theme.muted).right_aligned();
    let block = ctx.block(title(ctx, view), true).title_top(hint);
    let inner = block.inner(area);
    let Some(answer) = ctx.model.learning.answer.as_deref().filter(|answer| !is_empty(answer)) else {
        frame.render_widget(Paragraph::new(nothing(ctx, inner.width as usize)), inner);
        frame.render_widget(block, area);
        return Drawn::default();
    };
    let more = match view {
        View::Starts => starts::draw(ctx, answer, page, inner, frame),
        View::Waits => waits::draw(ctx, answer, page, inner, frame),
        View::Cost => cost::draw(ctx, answer, page.at, inner, frame),
    };
    frame.render_widget(foot(ctx, block, more), area);
    Drawn { scroll_max: more.most, ..Drawn::default() }
}

const fn is_empty(answer: &Answer) -> bool {
    answer.segments.is_empty()
}

/// The pages there are, and whether any of it happened to real people.
fn title<'a>(ctx: &Ctx, shown: View) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    for view in View::ALL {
        let name = if view == shown { ctx.theme.title } else { ctx.theme.muted };
        spans.push(Span::styled(format!(" {} ", keys::key(view.cmd())), ctx.theme.key));
        spans.push(Span::styled(view.title(), name));
    }
    spans.push(Span::raw(" "));
    if ctx.model.mode() == Mode::Rehearsal {
        spans.push(Span::styled(" REHEARSAL ", ctx.theme.rehearsal));
        spans.push(Span::styled(" no real customers ", ctx.theme.muted));
    }
    spans
}

fn nothing<'a>(ctx: &Ctx, cells: usize) -> Vec<Line<'a>> {
    let learning = &ctx.model.learning;
    let words = match (&learning.failed, &learning.answer) {
        (Some(why), _) => format!("The record cannot be read: {}", clean(why)),
        (None, None) => "reading the record …".to_owned(),
        (None, Some(_)) => {
            "Nothing has been launched here yet, and nothing was learnt. With `\"explore\": 0.2` in the rules a launch \
             draws the start of a fifth of its customers at random: only that can tell which start is best."
                .to_owned()
        }
    };
    let style = if learning.failed.is_some() { ctx.theme.bad } else { ctx.theme.muted };
    wrap(&words, cells.saturating_sub(4))
        .into_iter()
        .map(|line| Line::styled(format!("  {line}"), style))
        .collect()
}

/// As of when and by what starts are ranked; and what an operator should know about the record.
pub fn basis<'a>(ctx: &Ctx, answer: &Answer, cells: usize) -> (Vec<Line<'a>>, Vec<Line<'a>>) {
    let value = answer.value.map(|value| ctx.money(value));
    let ranked = match (answer.basis, value) {
        (Basis::Net, Some(value)) => {
            let penalty = answer.optout_penalty;
            let is_free = penalty == Money::ZERO;
            let opt_out = if is_free { "nothing".to_owned() } else { format!("-{}", ctx.money(penalty)) };
            format!("a conversion is worth {value}, an opt-out {opt_out}")
        }
        (Basis::CostPerConversion, Some(value)) => {
            format!("ranked by cost per conversion, {value} with today's starts")
        }
        (_, None) => "ranked by cost per conversion; none that counts yet".to_owned(),
    };
    // Between two campaigns the record is asked as the next launch will find it, which is later than now.
    let then = if answer.now > ctx.now { ", the next launch" } else { "" };
    let as_of = day(answer.now, ctx.zone) + then;
    let stale = ctx.model.learning.failed.as_deref().map(clean);
    let stale = stale.map(|why| format!("! this is not the newest: {why}"));
    let notes = answer.notes.iter().map(|note| format!("! {}", clean(note))).chain(stale);
    let said = |words: &str, style: Style| -> Vec<Line<'a>> {
        let lines = wrap(words, cells.saturating_sub(4)).into_iter();
        lines.map(|line| Line::styled(format!("  {line}"), style)).collect()
    };
    let head = said(&format!("as of {as_of} · {ranked}"), ctx.theme.muted);
    (head, notes.flat_map(|note| said(&note, ctx.theme.warning)).collect())
}
