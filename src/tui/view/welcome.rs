//! Before the launch: what `L` will do, when, at what cost, and the first five minutes. No empty grid.

use super::Ctx;
use super::next::contacts;
use crate::model::{Mode, clean};
use crate::phrases::{self, people};
use crate::runtime::handle::Preflight;
use crate::tui::text::{cut, left, right, weekday, when, wrap};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Drawn;

/// Waves that are shown where there is room, and where there is not: drawn starts have some more than steps.
const ROOMY_WAVES: usize = 7;
const FEW_WAVES: usize = 4;

/// Draws it.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) -> Drawn {
    let block = ctx.block(vec![Span::styled(" Ready to launch ", ctx.theme.title)], false);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let cells = inner.width.min(88);
    let lines = lines(ctx, cells as usize, inner.height as usize);
    let height = (lines.len() as u16).min(inner.height);
    // A little above the middle: that is where the eye looks first.
    let above = (inner.height - height) * 2 / 5;
    let [_, middle, _] =
        Layout::vertical([Constraint::Length(above), Constraint::Length(height), Constraint::Fill(1)])
            .areas(inner);
    let [_, column, _] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(cells), Constraint::Fill(1)])
            .areas(middle);
    frame.render_widget(Paragraph::new(lines).alignment(Alignment::Left), column);
    Drawn::default()
}

fn lines<'a>(ctx: &Ctx, cells: usize, height: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let roomy = height >= 24;
    let mut lines = Vec::new();
    match (&ctx.picture.preflight, &ctx.picture.starting) {
        (Some(preflight), starting) => {
            lines.extend(invitation(ctx, preflight, starting.as_deref(), cells, height));
            lines.extend(facts(ctx, preflight, cells, roomy));
        }
        (None, Some(what)) => {
            lines.push(Line::styled(format!("  ◌ {}", clean(what)), theme.accent));
            lines.push(Line::styled("  The screen is up; the rest comes in a moment.", theme.muted));
        }
        (None, None) => {
            lines.push(Line::styled("  There is nothing to launch yet.", theme.warning));
            lines.push(Line::styled(
                "  Put a customers.csv into the workspace and start again; `cascade check` says what is wrong.",
                theme.muted,
            ));
        }
    }
    lines.push(Line::default());
    lines.extend(first_minutes(ctx, cells));
    lines
}

fn invitation<'a>(
    ctx: &Ctx,
    preflight: &Preflight,
    starting: Option<&str>,
    cells: usize,
    height: usize,
) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let mut lines = Vec::new();
    if let Some(what) = starting {
        lines.push(Line::styled(format!("  ◌ {}", clean(what)), theme.accent));
    } else if preflight.blocked.is_empty() {
        lines.push(Line::from(vec![
            Span::raw("  Press "),
            Span::styled(" L ", theme.selection),
            Span::styled(format!("  to launch {} ", clean(&preflight.name)), theme.strong),
            Span::styled(format!("to {}", people(preflight.people)), theme.text),
        ]));
    } else {
        for why in &preflight.blocked {
            let words = wrap(&format!("cannot be launched: {}", clean(why)), cells.saturating_sub(6));
            lines.extend(words.into_iter().map(|w| Line::styled(format!("  ✗ {w}"), theme.bad)));
        }
    }
    let safe = match ctx.model.mode() {
        Mode::Rehearsal => "A rehearsal on this machine. Nobody is contacted.",
        Mode::Live => "LIVE: real messages and calls to real people.",
    };
    let style = if ctx.model.mode() == Mode::Live { theme.live } else { theme.rehearsal };
    if height >= 24 {
        lines.push(Line::default());
    }
    lines.push(Line::styled(format!("  {}", cut(safe, cells.saturating_sub(2))), style));
    lines.push(Line::default());
    lines
}

/// People, waves, money, warnings: also what the launch question shows.
pub fn facts<'a>(ctx: &Ctx, preflight: &Preflight, cells: usize, roomy: bool) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let label = |text: &str| Span::styled(left(&format!("  {text}"), 11), theme.muted);
    let segments: Vec<String> =
        preflight.segments.iter().map(|(segment, n)| format!("{n} {}", segment.screen())).collect();
    let mut lines = vec![Line::from(vec![
        label("people"),
        Span::styled(preflight.people.to_string(), theme.strong),
        Span::styled(format!(" of {} listed", preflight.listed), theme.text),
        Span::styled(cut(&format!("  {}", segments.join(" · ")), cells.saturating_sub(32)), theme.muted),
    ])];
    let most = preflight.waves.iter().map(|w| w.people).max().unwrap_or(1).max(1);
    lines.extend(starts(preflight, cells, roomy).into_iter().enumerate().map(|(i, words)| {
        Line::from(vec![label(if i == 0 { "starts" } else { "" }), Span::styled(words, theme.text)])
    }));
    if roomy {
        lines.push(Line::default());
    }
    let shown = if roomy { ROOMY_WAVES } else { FEW_WAVES };
    for (i, wave) in preflight.waves.iter().enumerate().take(shown) {
        let from = if i == 0 {
            weekday(wave.from, ctx.zone)
        } else {
            when(wave.from, preflight.waves[0].from, ctx.zone)
        };
        let to = when(wave.to, wave.from, ctx.zone);
        let times = if from.ends_with(&to) { from } else { format!("{from}–{to}") };
        let bar =
            "▇".repeat(
                ((wave.people * 20).div_ceil(most) as usize)
                    .max(1)
                    .min(cells.saturating_sub(if cells >= 80 { 62 } else { 46 })),
            );
        // What leaves at the launch waits for nobody, on whichever channel.
        let later = wave.from > preflight.waves[0].from;
        let style = theme.channel(wave.channel);
        lines.push(Line::from(vec![
            label(if i == 0 { "waves" } else { "" }),
            Span::styled(left(&times, 18), theme.text),
            Span::styled(left(contacts(wave.channel), 10), style),
            Span::styled(right(&wave.people.to_string(), 5), theme.strong),
            Span::styled(format!(" {bar}"), style),
            Span::styled(if later && cells >= 80 { " if nobody answers" } else { "" }, theme.faint),
        ]));
    }
    if preflight.waves.len() > shown {
        let more = preflight.waves.len() - shown;
        lines.push(Line::from(vec![label(""), Span::styled(format!("and {more} later waves"), theme.muted)]));
    }
    if roomy {
        lines.push(Line::default());
    }
    lines.push(Line::from(vec![
        label("money"),
        Span::styled(format!("at most {}", ctx.money(preflight.worst_cost)), theme.strong),
        Span::styled(format!(" of a budget of {}", ctx.money(preflight.budget)), theme.text),
    ]));
    let hash: String = preflight.rules_hash.chars().take(7).collect();
    let source = clean(&ctx.picture.place.rules_source);
    lines.push(Line::from(vec![label("rules"), Span::styled(format!("{hash} {source}"), theme.text)]));
    lines.extend(earlier(ctx, preflight, cells));
    problems(ctx, preflight, cells, roomy, &mut lines);
    lines
}

/// Who is left out, and who is contacted once more, each with the reason and whole.
fn earlier<'a>(ctx: &Ctx, preflight: &Preflight, cells: usize) -> Vec<Line<'a>> {
    let said = phrases::before::before(&preflight.before);
    let said = said.into_iter().flat_map(|words| wrap(&format!("! {words}"), cells.saturating_sub(4)));
    said.map(|line| Line::styled(format!("  {line}"), ctx.theme.warning)).collect()
}

/// How starts are drawn, a line a segment; nothing where the rules say it all.
fn starts(preflight: &Preflight, cells: usize, roomy: bool) -> Vec<String> {
    let shown = if roomy { 4 } else { 1 };
    let mut lines: Vec<String> = preflight
        .starts
        .iter()
        .take(shown)
        .map(|row| cut(&phrases::starts::starts(row), cells.saturating_sub(11)))
        .collect();
    if preflight.starts.len() > shown {
        lines.push(format!("and {} more segments", preflight.starts.len() - shown));
    }
    lines
}

fn problems(ctx: &Ctx, preflight: &Preflight, cells: usize, roomy: bool, lines: &mut Vec<Line<'_>>) {
    let shown = if roomy { 4 } else { 1 };
    let room = cells.saturating_sub(14);
    if preflight.rejects_total > 0 {
        let rows = if preflight.rejects_total == 1 { "row" } else { "rows" };
        let words = format!("  ! {} {rows} of the list cannot be used", preflight.rejects_total);
        lines.push(Line::styled(words, ctx.theme.warning));
        for (line, why) in preflight.rejects.iter().take(shown) {
            let words = format!("      line {line}: {}", clean(why));
            lines.push(Line::styled(cut(&words, room + 8), ctx.theme.muted));
        }
    }
    for warning in preflight.warnings.iter().take(shown) {
        lines.push(Line::styled(cut(&format!("  ! {}", clean(warning)), cells), ctx.theme.warning));
    }
    if preflight.warnings.len() > shown {
        let more = preflight.warnings.len() - shown;
        lines.push(Line::styled(format!("    and {more} more; `cascade check` lists them"), ctx.theme.muted));
    }
}

fn first_minutes<'a>(ctx: &Ctx, cells: usize) -> Vec<Line<'a>> {
    let theme = ctx.theme;
    let steps = [
        ("L", "launch", "it shows whom it reaches and when, and asks once"),
        ("⏎", "watch", "Enter on a customer shows everything that happened"),
        ("P", "hold", "nothing is sent from that moment on; p goes on"),
    ];
    let mut lines = vec![Line::styled("  the first five minutes", theme.muted)];
    lines.extend(steps.iter().enumerate().map(|(i, (key, word, help))| {
        Line::from(vec![
            Span::styled(format!("  {} ", i + 1), theme.muted),
            Span::styled(format!(" {key} "), theme.key),
            Span::styled(left(word, 8), theme.strong),
            Span::styled(cut(help, cells.saturating_sub(17)), theme.text),
        ])
    }));
    lines
}
