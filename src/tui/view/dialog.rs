//! Questions over everything else: launch, leave, resume, actions on a person, and the command palette.

use super::asking::{self, Shown};
use super::{Ctx, welcome};
use crate::engine::snapshot::Place;
use crate::model::{Mode, clean};
use crate::phrases::leaving::leaving;
use crate::phrases::people;
use crate::runtime::attach::{InControl, sits};
use crate::runtime::handle::Preflight;
use crate::tui::asking::{Whom, reach};
use crate::tui::dialogs::{deed, matches};
use crate::tui::editor::draft::File;
use crate::tui::input::LineInput;
use crate::tui::keys::{self, Cmd};
use crate::tui::model::Dialog;
use crate::tui::text::{cut, left, width, wrap};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

/// Widest a question gets.
const CELLS_MAX: u16 = 84;

/// Draws the open question, if there is one.
pub fn draw(ctx: &Ctx, frame: &mut Frame) {
    let cells = frame.area().width.min(CELLS_MAX).saturating_sub(4) as usize;
    let shown = match &ctx.model.dialog {
        None => return,
        Some(Dialog::Palette(input, at)) => return palette(ctx, input, *at, frame),
        Some(Dialog::Ask(asking)) => asking::shown(ctx, asking, cells),
        Some(Dialog::Launch(typed)) => {
            let (title, lines) = launch(ctx, typed.is_some(), cells);
            let field = typed.as_ref().map(|input| (String::new(), input, true));
            Shown { title, lines, fields: field.into_iter().collect(), choices: Vec::new() }
        }
        Some(Dialog::Actions(whom)) => {
            let (title, lines) = actions(ctx, whom);
            Shown { title, lines, fields: Vec::new(), choices: Vec::new() }
        }
        Some(Dialog::Quit) => {
            let stops = ctx.model.in_flight() && ctx.picture.seat.is_none();
            let failed = ctx.picture.store_failed.is_some();
            let mut words =
                if stops { leaving(&ctx.picture.snapshot, failed, ctx.now, ctx.zone) } else { Vec::new() };
            words.extend(not_saved(ctx));
            let does = if stops && failed { "leave" } else { "save and leave" };
            let choices = vec![choice(ctx, &[("y", does), ("Esc", "stay")])];
            Shown { choices, ..plain(ctx, "Leave?", &words, does, cells) }
        }
        Some(Dialog::Unsaved) => unsaved(ctx, cells),
        Some(Dialog::Split(at)) => split(ctx, *at),
        Some(Dialog::TakeControl) => plain(ctx, "Take control?", &[taking(ctx)], "take control", cells),
    };
    popup(ctx, shown, frame);
}

/// What is not saved, and what becomes of it.
fn not_saved(ctx: &Ctx) -> Vec<String> {
    let desk = &ctx.model.desk;
    let keeps = ctx.model.keeps_drafts();
    let (beside, own): (Vec<_>, Vec<_>) =
        desk.changed().map(|draft| draft.file).partition(|file| keeps && desk.is_beside(*file));
    let kept = if keeps {
        "The draft is kept, and offered at the next start."
    } else {
        "This console only reads: the draft is in its memory alone, and goes with it."
    };
    let lost =
        "Another console keeps a draft of the same file: the one here is in memory alone, and goes with it.";
    let said = [(own, kept), (beside, lost)].into_iter().filter(|(files, _)| !files.is_empty());
    said.map(|(files, then)| {
        let files: Vec<String> = files.into_iter().map(File::path).collect();
        format!("Not saved: {}. {then}", files.join(", "))
    })
    .collect()
}

/// A question that `y` answers.
fn plain<'a>(ctx: &Ctx, title: &str, words: &[String], does: &str, cells: usize) -> Shown<'a> {
    Shown {
        title: title.to_owned(),
        lines: says(ctx, words, cells),
        fields: Vec::new(),
        choices: vec![choice(ctx, &[("y", does), ("Esc", "leave it as it is")])],
    }
}

/// What becomes of a draft that is left.
fn unsaved<'a>(ctx: &Ctx, cells: usize) -> Shown<'a> {
    let file = ctx.model.desk.draft().map(|draft| draft.file.path()).unwrap_or_default();
    let beside = ctx.model.desk.draft().is_some_and(|draft| ctx.model.desk.is_beside(draft.file));
    let until = if ctx.model.keeps_drafts() && beside {
        "as long as this console is open: another one keeps a draft of it on the disk"
    } else if ctx.model.keeps_drafts() {
        "also after a restart"
    } else {
        "as long as this console is open: it only reads, and keeps nothing on the disk"
    };
    let words =
        format!("The draft of {file} is not saved. Kept, it is there again when you come back, {until}.");
    Shown {
        title: "Leave the draft?".to_owned(),
        lines: says(ctx, &[words], cells),
        fields: Vec::new(),
        choices: vec![
            choice(ctx, &[(keys::key(Cmd::KeepDraft), "keep it"), (keys::key(Cmd::DropDraft), "give it up")]),
            choice(ctx, &[(keys::key(Cmd::Yes), "save it"), ("Esc", "go on editing")]),
        ],
    }
}

/// The segments that do what everybody does.
fn split<'a>(ctx: &Ctx, at: usize) -> Shown<'a> {
    let mut lines = vec![Line::default()];
    for (i, name) in crate::tui::editor::segments(ctx.model).iter().enumerate() {
        let chosen = i == at;
        let text = format!("  {} {}", if chosen { "▸" } else { " " }, left(&clean(name), 30));
        lines.push(Line::styled(text, if chosen { ctx.theme.selection } else { ctx.theme.text }));
    }
    lines.push(Line::default());
    Shown {
        title: "Which segment gets a ladder of its own?".to_owned(),
        lines,
        fields: Vec::new(),
        choices: vec![choice(ctx, &[("Enter", "this one"), ("Esc", "none")])],
    }
}

pub fn says<'a>(ctx: &Ctx, words: &[String], cells: usize) -> Vec<Line<'a>> {
    let mut lines = vec![Line::default()];
    for sentence in words {
        let parts = wrap(sentence, cells.saturating_sub(4));
        lines.extend(parts.into_iter().map(|part| Line::styled(format!("  {part}"), ctx.theme.text)));
    }
    lines.push(Line::default());
    lines
}

/// `y save and leave   Esc leave it`
pub fn choice<'a>(ctx: &Ctx, keys: &[(&str, &str)]) -> Line<'a> {
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
    if preflight.name.is_empty() && !preflight.blocked.is_empty() {
        // Files that cannot be read say nothing about people and money.
        return ("Launch".to_owned(), [vec![Line::default()], blocked(ctx, preflight, cells)].concat());
    }
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
        lines.extend(blocked(ctx, preflight, cells));
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

/// Why nothing can be launched.
fn blocked<'a>(ctx: &Ctx, preflight: &Preflight, cells: usize) -> Vec<Line<'a>> {
    let whys = preflight.blocked.iter();
    let mut lines: Vec<Line> =
        whys.flat_map(|why| says(ctx, &[format!("✗ {}", clean(why))], cells).into_iter().skip(1)).collect();
    lines.push(choice(ctx, &[("Esc", "back: it cannot be launched now")]));
    lines
}

/// Who is in control now, and what becomes of them.
fn taking(ctx: &Ctx) -> String {
    match ctx.picture.seat.as_ref().map(|seat| &seat.control) {
        Some(InControl::Another { who, since, .. }) => {
            let since = crate::tui::text::minute(*since, ctx.zone);
            let who = sits(who);
            format!(
                "{who} is in control since {since} by the wall clock. They are told so and go on reading; what they asked for stays."
            )
        }
        Some(InControl::Us | InControl::Nobody) | None => "Nobody is in control now.".to_owned(),
    }
}

/// The menu is the command table's own rows.
fn actions<'a>(ctx: &Ctx, whom: &Whom) -> (String, Vec<Line<'a>>) {
    let mut lines = vec![Line::default()];
    for row in keys::applying(&[keys::Place::Actions]) {
        let can = keys::available(row.cmd, ctx.model);
        let (key, label) = match can {
            Ok(()) => (ctx.theme.selection, ctx.theme.strong),
            Err(_) => (ctx.theme.faint, ctx.theme.faint),
        };
        let note = can.err().or_else(|| how_many(ctx, row.cmd, whom)).unwrap_or_default();
        lines.push(Line::from(vec![
            Span::raw("  "),
            Span::styled(format!(" {} ", keys::key(row.cmd)), key),
            Span::styled(format!(" {}", left(row.label, 24)), label),
            Span::styled(note, ctx.theme.muted),
        ]));
    }
    lines.push(Line::default());
    lines.push(choice(ctx, &[("Esc", "nothing")]));
    let title = match whom {
        Whom::One(cascade) => {
            let doubtful = ctx.model.row(*cascade).is_some_and(|row| row.place == Place::InDoubt);
            format!("{}{}", ctx.model.name(*cascade), if doubtful { ", in doubt" } else { "" })
        }
        Whom::Listed { of, filter } if filter.is_empty() => format!("All {}", people(of.len() as u64)),
        Whom::Listed { of, filter } => {
            format!("{} listed by {}", people(of.len() as u64), cut(&clean(filter), 40))
        }
    };
    (title, lines)
}

/// For how many of those listed it can be done.
fn how_many(ctx: &Ctx, cmd: Cmd, whom: &Whom) -> Option<String> {
    let Whom::Listed { of, .. } = whom else { return None };
    let reach = reach(ctx.model, deed(cmd)?, whom);
    Some(format!("{} of {}", reach.can, of.len()))
}

/// Labels of lines to type into get so many cells.
const LABEL: u16 = 18;

fn popup(ctx: &Ctx, shown: Shown, frame: &mut Frame) {
    let Shown { title, lines, fields, choices } = shown;
    let screen = frame.area();
    let wide = |line: &Line| line.spans.iter().map(|s| width(&s.content)).sum::<usize>();
    let widest = lines.iter().chain(&choices).map(wide).max().unwrap_or(0);
    let below = fields.len() as u16 + choices.len() as u16;
    let cells = (widest.max(width(&title) + 4) as u16 + 4).clamp(44, CELLS_MAX);
    let area = centred(screen, cells, lines.len() as u16 + 3 + below);
    let block = ctx.block(vec![Span::styled(format!(" {title} "), ctx.theme.title)], true);
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let [text, typed, choice, _] = Layout::vertical([
        Constraint::Length((lines.len() as u16).min(inner.height.saturating_sub(below))),
        Constraint::Length(fields.len() as u16),
        Constraint::Length(choices.len() as u16),
        Constraint::Fill(1),
    ])
    .areas(inner);
    // Where the window is too low for all of it, the choice at the end must stay.
    let hidden = lines.len().saturating_sub(text.height as usize);
    let visible: Vec<Line> = lines.into_iter().skip(hidden).collect();
    frame.render_widget(Paragraph::new(visible), text);
    for (i, (label, input, typing)) in fields.into_iter().enumerate() {
        let row = Rect { y: typed.y + i as u16, height: 1, ..typed };
        if row.y >= typed.bottom() {
            continue;
        }
        let named = if label.is_empty() { 0 } else { LABEL };
        let [_, head, field, _] = Layout::horizontal([
            Constraint::Length(2),
            Constraint::Length(named),
            Constraint::Fill(1),
            Constraint::Length(2),
        ])
        .areas(row);
        frame.render_widget(Paragraph::new(asking::label(ctx, &label, typing, named as usize)), head);
        if typing {
            frame.render_widget(input.widget(), field);
        } else {
            frame.render_widget(Paragraph::new(input.text()).style(ctx.theme.text), field);
        }
    }
    frame.render_widget(Paragraph::new(choices), choice);
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
