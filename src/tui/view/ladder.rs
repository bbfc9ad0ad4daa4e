//! The ladders beside the text: everybody's and each segment's own, with what the draft changes.

use super::Ctx;
use crate::model::Channel;
use crate::phrases::span;
use crate::rules::{Ladder, Rules};
use crate::tui::editor::Focus;
use crate::tui::editor::changes::changes;
use crate::tui::editor::draft::File;
use crate::tui::editor::ladder::{Shown, ladders};
use crate::tui::keys::{self, Cmd};
use crate::tui::text::{cut, left, width, wrap};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Cells of one ladder.
const CELLS: usize = 29;

/// Draws them, side by side where there is room.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let desk = &ctx.model.desk;
    let Some(rules) = desk.rules() else {
        let words = "The text cannot be read as rules just now, so there are no ladders. What is wrong stands below it.";
        let lines = wrap(words, area.width.saturating_sub(2) as usize);
        let lines: Vec<Line> =
            lines.into_iter().map(|l| Line::styled(format!(" {l}"), ctx.theme.warning)).collect();
        frame.render_widget(Paragraph::new(lines), area);
        return;
    };
    let base = desk.drafts.get(&File::Rules).and_then(|draft| draft.base_rules.clone());
    let base = base.as_deref();
    let foot = foot(ctx, base, &rules, area.width as usize);
    let [above, below] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(foot.len() as u16)]).areas(area);
    let columns = (above.width as usize / CELLS).max(1);
    let cells = (above.width as usize / columns).min(CELLS + 8);
    let all = ladders(&rules);
    let lines = visible(&all, columns, desk.at.ladder, above.height as usize)
        .flat_map(|row| {
            let blocks: Vec<Vec<Line>> = row.map(|i| block(ctx, i, all[i], base, cells)).collect();
            let high = blocks.iter().map(Vec::len).max().unwrap_or(0);
            (0..high).map(|y| beside(&blocks, y, cells)).collect::<Vec<_>>()
        })
        .take(above.height as usize);
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), above);
    frame.render_widget(Paragraph::new(foot), below);
}

/// The rows of ladders that are shown, each by the places of its ladders: from the row on in which the cursor's
/// stands, if not all fit. There may be hundreds, and only those are made.
fn visible<'s>(
    all: &'s [Shown<'_>],
    columns: usize,
    at: usize,
    height: usize,
) -> impl Iterator<Item = std::ops::Range<usize>> + 's {
    let lines =
        |row: &[Shown<'_>]| row.iter().map(|shown| 2 * shown.ladder.steps.len() + 1).max().unwrap_or(0);
    let total: usize = all.chunks(columns).map(lines).sum();
    let skip = if total > height { at / columns } else { 0 };
    let rows = all.chunks(columns).enumerate().skip(skip);
    rows.scan(0, move |used, (i, row)| {
        let fits = *used < height;
        *used += lines(row);
        fits.then_some(i * columns..i * columns + row.len())
    })
}

fn beside<'a>(row: &[Vec<Line<'a>>], y: usize, cells: usize) -> Line<'a> {
    let mut spans = Vec::new();
    for block in row {
        let line = block.get(y).cloned().unwrap_or_default();
        let wide: usize = line.spans.iter().map(|span| width(&span.content)).sum();
        let style = line.style;
        spans.extend(line.spans.into_iter().map(|span| span.patch_style(style)));
        spans.push(Span::raw(" ".repeat(cells.saturating_sub(wide))));
    }
    Line::from(spans)
}

fn block<'a>(ctx: &Ctx, place: usize, shown: Shown<'_>, base: Option<&Rules>, cells: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let Shown { segment, ladder } = shown;
    let desk = &ctx.model.desk;
    let focused = desk.focus == Focus::Ladder && desk.at.ladder == place;
    let name = segment.map_or_else(|| "everybody else".to_owned(), |segment| crate::model::clean(&segment.0));
    let alone = segment.is_none() && ctx.model.desk.rules().is_some_and(|rules| rules.segments.is_empty());
    let name = if alone { "everybody".to_owned() } else { name };
    let style = if focused { theme.title } else { theme.strong };
    let old = base.and_then(|base| match segment {
        None => Some(&base.main),
        Some(segment) => base.segments.get(segment),
    });
    let mut head = vec![Span::styled(format!(" {}", cut(&name, cells.saturating_sub(8))), style)];
    if old.is_none() && base.is_some() {
        head.push(Span::styled(" new", theme.warning));
    }
    let mut lines = vec![Line::from(head)];
    let walk = ladder.walk(ladder.start);
    let before = old.map(|old| old.walk(old.start)).unwrap_or_default();
    for (i, step) in walk.iter().enumerate() {
        let wait = |wait_s: Option<u64>| wait_s.map_or_else(|| "end".to_owned(), |s| span(s as i64));
        let was = before.iter().find(|old| old.channel == step.channel);
        let moved = before.get(i).is_some_and(|old| old.channel != step.channel);
        let (said, changed) = match was {
            Some(was) if was.wait_s != step.wait_s => {
                (format!("{} → {}", wait(was.wait_s), wait(step.wait_s)), true)
            }
            // The last waits for nothing, unless somebody starts with it.
            Some(_) if step.wait_s.is_none() => {
                match old.and_then(|old| first_wait(old, ladder, step.channel)) {
                    Some([was, is]) => (format!("first {} → {}", span(was), span(is)), true),
                    None => (wait(None), false),
                }
            }
            Some(_) | None => (wait(step.wait_s), false),
        };
        let chosen = focused && desk.at.step == i;
        let line = Line::from(vec![
            Span::styled(if chosen { "▸" } else { " " }, theme.key),
            Span::styled(format!("{} ", i + 1), if moved { theme.warning } else { theme.muted }),
            Span::styled(left(step.channel.label(), 10), theme.channel(step.channel)),
            Span::styled(
                left(&said, cells.saturating_sub(15)),
                if changed { theme.warning } else { theme.strong },
            ),
        ]);
        lines.push(if chosen { line.patch_style(theme.selection) } else { line });
        let silent = if step.channel.is_text() { "if no reply" } else { "if no answer" };
        if i + 1 < walk.len() {
            lines.push(Line::styled(format!("   │ {silent}"), theme.faint));
        }
    }
    lines.push(Line::default());
    lines
}

/// How long a channel waited where it is first, and waits now, in seconds, if that changed.
fn first_wait(old: &Ladder, new: &Ladder, channel: Channel) -> Option<[i64; 2]> {
    let wait = |ladder: &Ladder| {
        ladder.steps.iter().find(|s| s.channel == channel).map(|s| s.wait_if_first_s as i64)
    };
    let [was, is] = [wait(old)?, wait(new)?];
    (was != is).then_some([was, is])
}

/// What the draft changes, and the keys.
fn foot<'a>(ctx: &Ctx, base: Option<&Rules>, rules: &Rules, cells: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let mut lines = Vec::new();
    let said = base.map(|base| changes(base, rules)).unwrap_or_default();
    if !said.is_empty() {
        let words = wrap(&format!("draft: {}", said.join(", ")), cells.saturating_sub(2));
        lines.extend(words.into_iter().take(3).map(|line| Line::styled(format!(" {line}"), theme.warning)));
    }
    if ctx.model.desk.focus == Focus::Text {
        let words = format!("{}: waits, start and order without JSON", keys::key(Cmd::ToLadder));
        let words = wrap(&words, cells.saturating_sub(2)).into_iter();
        lines.extend(words.map(|line| Line::styled(format!(" {line}"), theme.faint)));
        return lines;
    }
    let pairs = [
        (format!("{} {}", keys::key(Cmd::Longer), keys::key(Cmd::Shorter)), "wait"),
        (format!("{} {}", keys::key(Cmd::Later), keys::key(Cmd::Earlier)), "order"),
        (keys::key(Cmd::StartHere).to_owned(), "starts here"),
        (keys::key(Cmd::Split).to_owned(), "a segment's own"),
        (keys::key(Cmd::Join).to_owned(), "as everybody"),
        (keys::key(Cmd::UndoStep).to_owned(), "take back"),
        (keys::key(Cmd::Save).to_owned(), "save"),
    ];
    let mut line: Vec<Span> = Vec::new();
    let mut used = 0;
    for (key, does) in pairs {
        let wide = width(&key) + width(does) + 4;
        if used + wide > cells && !line.is_empty() {
            lines.push(Line::from(std::mem::take(&mut line)));
            used = 0;
        }
        used += wide;
        line.push(Span::styled(format!(" {key} "), theme.key));
        line.push(Span::styled(format!("{does} "), theme.muted));
    }
    lines.push(Line::from(line));
    lines
}
