//! Questions over everything else: launch, leave, resume, actions on a person, and the command palette.

use super::{Ctx, welcome};
use crate::engine::snapshot::{Phase, Place};
use crate::model::{CascadeId, Channel, Mode, clean};
use crate::phrases::leaving::leaving;
use crate::phrases::people;
use crate::runtime::attach::InControl;
use crate::tui::dialogs::{STOP_WORD, due_at_once, matches};
use crate::tui::input::LineInput;
use crate::tui::keys::{self, Cmd};
use crate::tui::model::Dialog;
use crate::tui::text::{left, width, wrap};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

/// Widest a question gets.
const CELLS_MAX: u16 = 84;

/// Draws the open question, if there is one.
pub fn draw(ctx: &Ctx, frame: &mut Frame) {
    let Some(dialog) = &ctx.model.dialog else { return };
    if let Dialog::Palette(input, at) = dialog {
        palette(ctx, input, *at, frame);
        return;
    }
    let cells = frame.area().width.min(CELLS_MAX).saturating_sub(4) as usize;
    let (title, lines) = content(ctx, dialog, cells);
    let input = match dialog {
        Dialog::Launch(input) => input.as_ref(),
        Dialog::StopCampaign(input) => Some(input),
        _ => None,
    };
    popup(ctx, &title, lines, input, frame);
}

fn content<'a>(ctx: &Ctx, dialog: &Dialog, cells: usize) -> (String, Vec<Line<'a>>) {
    let name = |cascade| ctx.model.name(cascade);
    let (title, words, does) = match dialog {
        Dialog::Launch(typed) => return launch(ctx, typed.is_some(), cells),
        Dialog::Resume(only) => return resume(ctx, *only, cells),
        Dialog::Actions(cascade) => return actions(ctx, *cascade),
        Dialog::Palette(..) => return (String::new(), Vec::new()),
        Dialog::StopCampaign(_) => {
            return ("Stop the campaign for good?".to_owned(), says(ctx, &stopping(ctx), cells));
        }
        Dialog::Quit => ("Leave?", leaving(&ctx.picture.snapshot, ctx.now, ctx.zone), "save and leave"),
        Dialog::TakeControl => ("Take control?", vec![taking(ctx)], "take control"),
        Dialog::Stop(cascade) => {
            let said = "nothing more is sent, what is under way is called back where it can be. This cannot be undone.";
            ("Stop this cascade?", vec![format!("{}: {said}", name(*cascade))], "stop this cascade")
        }
        Dialog::OptOut(cascade) => {
            let said = "wants no more contact: holds on every channel and in every campaign, until they consent again.";
            ("Record an opt-out?", vec![format!("{} {said}", name(*cascade))], "record the opt-out")
        }
        Dialog::Settle(cascade, true) => {
            let said = "you found out that it was sent. The wait goes on as if it had been accepted.";
            ("Settle the doubt?", vec![format!("{}: {said}", name(*cascade))], "settle the doubt")
        }
        Dialog::Settle(cascade, false) => {
            let said = "you found out that it was NOT sent. The step may be sent again.";
            ("Settle the doubt?", vec![format!("{}: {said}", name(*cascade))], "settle the doubt")
        }
        Dialog::Release(cascade) => {
            let said = "you found out who answered at the shared number. This cascade goes on with its step.";
            ("Go on with this customer?", vec![format!("{}: {said}", name(*cascade))], "go on")
        }
        Dialog::Mended(channel, scope) => {
            let open = ctx.picture.snapshot.breakers.iter();
            let held = open.filter(|b| b.channel == *channel && b.scope == *scope).map(|b| b.held).sum();
            let scope = clean(&scope.to_string());
            let said = format!("{} held by it go on, at the channel's rate.", people(held));
            (
                "Mended?",
                vec![format!("By your word {} {scope} works again: {said}", channel.label())],
                "it is mended",
            )
        }
    };
    let mut lines = says(ctx, &words, cells);
    lines.push(choice(ctx, &[("y", does), ("Esc", "leave it as it is")]));
    (title.to_owned(), lines)
}

/// Who is in control now, and what becomes of them.
fn taking(ctx: &Ctx) -> String {
    match ctx.picture.seat.as_ref().map(|seat| &seat.control) {
        Some(InControl::Another { who, since, .. }) => {
            let since = crate::tui::text::minute(*since, ctx.zone);
            format!(
                "{who} is in control since {since}. They are told so and go on reading; what they asked for stays."
            )
        }
        Some(InControl::Us | InControl::Nobody) | None => "Nobody is in control now.".to_owned(),
    }
}

/// What stopping for good does, and what it cannot do.
fn stopping(ctx: &Ctx) -> Vec<String> {
    let tally = &ctx.picture.snapshot.tally;
    let open = people(tally.held + tally.in_doubt + tally.running);
    vec![
        format!("{open} have not ended: this campaign sends them nothing more. This cannot be undone."),
        "Calls under way are called back where they can be; what was sent cannot.".to_owned(),
        format!("Type {STOP_WORD} and press Enter to stop for good; Esc leaves everything as it is."),
    ]
}

fn says<'a>(ctx: &Ctx, words: &[String], cells: usize) -> Vec<Line<'a>> {
    let mut lines = vec![Line::default()];
    for sentence in words {
        let parts = wrap(sentence, cells.saturating_sub(4));
        lines.extend(parts.into_iter().map(|part| Line::styled(format!("  {part}"), ctx.theme.text)));
    }
    lines.push(Line::default());
    lines
}

/// `y save and leave   Esc leave it`
fn choice<'a>(ctx: &Ctx, keys: &[(&str, &str)]) -> Line<'a> {
    let spans = keys.iter().flat_map(|(key, does)| {
        [
            Span::raw("  "),
            Span::styled(format!(" {key} "), ctx.theme.selection),
            Span::styled(format!(" {does} "), ctx.theme.strong),
        ]
    });
    Line::from(spans.collect::<Vec<_>>())
}

fn launch<'a>(ctx: &Ctx, typed: bool, cells: usize) -> (String, Vec<Line<'a>>) {
    let Some(preflight) = &ctx.picture.preflight else {
        return ("Launch".to_owned(), says(ctx, &["There is nothing to launch yet.".to_owned()], cells));
    };
    let mut lines = vec![Line::default()];
    let live = ctx.picture.place.mode == Mode::Live;
    let (words, style) = if live {
        (format!(" LIVE: {} will be contacted for real ", people(preflight.people)), ctx.theme.live)
    } else {
        (format!("A rehearsal with {}; nobody is contacted", people(preflight.people)), ctx.theme.rehearsal)
    };
    lines.push(Line::from(vec![Span::raw("  "), Span::styled(words, style)]));
    lines.push(Line::default());
    lines.extend(welcome::facts(ctx, preflight, cells, ctx.model.area.height >= 30));
    lines.push(Line::default());
    if !preflight.blocked.is_empty() {
        for why in &preflight.blocked {
            lines.extend(says(ctx, &[format!("✗ {}", clean(why))], cells).into_iter().skip(1));
        }
        lines.push(choice(ctx, &[("Esc", "back: it cannot be launched now")]));
    } else if typed {
        lines.push(Line::from(vec![
            Span::styled("  type ", ctx.theme.text),
            Span::styled(clean(&preflight.name), ctx.theme.strong),
            Span::styled(" and Enter to launch, Esc to leave it", ctx.theme.text),
        ]));
    } else {
        lines.push(choice(ctx, &[("y", "launch"), ("Esc", "not now")]));
    }
    (format!("Launch {}?", clean(&preflight.name)), lines)
}

fn resume<'a>(ctx: &Ctx, only: Option<Channel>, cells: usize) -> (String, Vec<Line<'a>>) {
    let what = only.map_or("everything", Channel::label);
    let due = due_at_once(ctx.model, only);
    let mut words = Vec::new();
    if let (None, Phase::Paused(why)) = (only, &ctx.picture.snapshot.phase) {
        words.push(format!("On hold: {}.", clean(why)));
    }
    let at_once = if due == 0 { "nobody".to_owned() } else { people(due) };
    words.push(format!(
        "Meanwhile the waits went on: {at_once} would be sent to at once, spread by the channel's rate. Or lengthen \
         every wait by the time it stood still, and nobody is hurried.",
    ));
    let mut lines = says(ctx, &words, cells);
    lines.push(choice(ctx, &[("y", &format!("go on, {at_once} at once"))]));
    lines.push(choice(ctx, &[("e", "go on, waits lengthened")]));
    lines.push(choice(ctx, &[("Esc", "stay on hold")]));
    (format!("Go on with {what}?"), lines)
}

/// The menu is the command table's own rows.
fn actions<'a>(ctx: &Ctx, cascade: CascadeId) -> (String, Vec<Line<'a>>) {
    let mut lines = vec![Line::default()];
    for row in keys::applying(&[keys::Place::Actions]) {
        let can = keys::available(row.cmd, ctx.model);
        let (key, label) = match can {
            Ok(()) => (ctx.theme.selection, ctx.theme.strong),
            Err(_) => (ctx.theme.faint, ctx.theme.faint),
        };
        lines.push(Line::from(vec![
            Span::raw("  "),
            Span::styled(format!(" {} ", keys::key(row.cmd)), key),
            Span::styled(format!(" {}", left(row.label, 24)), label),
            Span::styled(can.err().unwrap_or_default(), ctx.theme.faint),
        ]));
    }
    lines.push(Line::default());
    lines.push(choice(ctx, &[("Esc", "nothing")]));
    let doubtful = ctx.model.row(cascade).is_some_and(|row| row.place == Place::InDoubt);
    let doubt = if doubtful { ", in doubt" } else { "" };
    (format!("{}{doubt}", ctx.model.name(cascade)), lines)
}

fn popup(ctx: &Ctx, title: &str, lines: Vec<Line>, input: Option<&LineInput>, frame: &mut Frame) {
    let extra = u16::from(input.is_some());
    let screen = frame.area();
    let widest = lines.iter().map(|l| l.spans.iter().map(|s| width(&s.content)).sum::<usize>()).max();
    let cells = (widest.unwrap_or(0).max(width(title) + 4) as u16 + 4).clamp(44, CELLS_MAX);
    let area = centred(screen, cells, lines.len() as u16 + 3 + extra);
    let block = ctx.block(vec![Span::styled(format!(" {title} "), ctx.theme.title)], true);
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let [text, line, _] = Layout::vertical([
        Constraint::Length((lines.len() as u16).min(inner.height.saturating_sub(extra))),
        Constraint::Length(extra),
        Constraint::Fill(1),
    ])
    .areas(inner);
    // Where the window is too low for all of it, the choice at the end must stay.
    let hidden = lines.len().saturating_sub(text.height as usize);
    let visible: Vec<Line> = lines.into_iter().skip(hidden).collect();
    frame.render_widget(Paragraph::new(visible), text);
    if let Some(input) = input {
        let [_, field, _] =
            Layout::horizontal([Constraint::Length(2), Constraint::Fill(1), Constraint::Length(2)])
                .areas(line);
        frame.render_widget(input.widget(), field);
    }
}

fn centred(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect::new((screen.width - width) / 2, (screen.height - height) / 2, width, height)
}

fn palette(ctx: &Ctx, input: &LineInput, at: usize, frame: &mut Frame) {
    let found = matches(ctx.model, input.text());
    let screen = frame.area();
    let height = (found.len() as u16 + 3).clamp(6, 16).min(screen.height);
    let width = screen.width.min(CELLS_MAX);
    let area = Rect::new((screen.width - width) / 2, 3.min(screen.height - height), width, height);
    let block = ctx.block(vec![Span::styled(" Command ", ctx.theme.title)], true);
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let [line, list] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    let [colon, field] = Layout::horizontal([Constraint::Length(2), Constraint::Fill(1)]).areas(line);
    frame.render_widget(Paragraph::new(":").style(ctx.theme.key), colon);
    frame.render_widget(input.widget(), field);
    let top = super::list_top(at, list.height as usize);
    let lines: Vec<Line> = found
        .iter()
        .enumerate()
        .skip(top)
        .take(list.height as usize)
        .map(|(i, row)| palette_line(ctx, row.cmd, i == at, list.width as usize))
        .collect();
    if lines.is_empty() {
        frame.render_widget(Paragraph::new("  no such command").style(ctx.theme.muted), list);
    }
    frame.render_widget(Paragraph::new(lines), list);
}

fn palette_line<'a>(ctx: &Ctx, cmd: Cmd, chosen: bool, cells: usize) -> Line<'a> {
    let Some(row) = keys::of(cmd) else { return Line::default() };
    let can = keys::available(cmd, ctx.model);
    let dim = |style: Style| if can.is_ok() { style } else { ctx.theme.faint };
    let help = can.as_ref().map_or_else(String::clone, |()| row.help.to_owned());
    let line = Line::from(vec![
        Span::styled(if chosen { "▸ " } else { "  " }, ctx.theme.key),
        Span::styled(left(row.id, 15), dim(ctx.theme.strong)),
        Span::styled(left(keys::key(cmd), 10), dim(ctx.theme.key)),
        Span::styled(left(&help, cells.saturating_sub(27)), dim(ctx.theme.muted)),
    ]);
    if chosen { line.patch_style(ctx.theme.selection) } else { line }
}
