//! Keys, clicks and pasted text in the editor. What is no command of the table is typed.

use super::complete::offers;
use super::draft::{Draft, File, rules_of};
use super::ladder::{self, Change};
use super::{Focus, close, leave};
use crate::model::{Channel, clean};
use crate::runtime::handle::Level;
use crate::tui::input::LineInput;
use crate::tui::keys::{self, Cmd, Place};
use crate::tui::model::{Dialog, Model, What};
use crate::tui::update::{self, Request};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;
use tui_textarea::{CursorMove, Scrolling, TextArea};

/// Lines per notch of the wheel.
const WHEEL: i16 = 3;
/// Offers that are listed at once.
pub const LISTED: usize = 8;

/// Whether keys are typed into the text.
pub fn types(model: &Model) -> bool {
    let shown = matches!(model.pages.last().map(|page| &page.what), Some(What::Editor));
    shown && model.dialog.is_none() && model.desk.focus == Focus::Text
}

/// A key while the text has them.
pub fn press(model: &mut Model, key: KeyEvent) -> Vec<Request> {
    let name = keys::name(key).unwrap_or_default();
    if model.desk.finding.is_some() {
        find_key(model, key);
        return Vec::new();
    }
    if model.desk.offers.is_some() && choose(model, key) {
        return Vec::new();
    }
    let is_command = !matches!(key.code, KeyCode::Char(_)) || name.contains('-') && name.len() > 1;
    if is_command && let Some(row) = keys::find(&[Place::Everywhere, Place::Editor], key) {
        return update::run(model, row.cmd);
    }
    if let Some(draft) = model.desk.draft_mut() {
        typed(draft, key);
    }
    if model.desk.offers.is_some() {
        offer(model);
    }
    Vec::new()
}

/// What the text area makes of a key by itself: moving, selecting, typing, deleting.
fn typed(draft: &mut Draft, key: KeyEvent) {
    let plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    if key.code == KeyCode::Enter && plain {
        // A new line begins where the one before it did.
        let (row, column) = draft.cursor();
        let line = draft.lines().get(row).map_or("", String::as_str);
        let indent: String = line.chars().take(column).take_while(|c| *c == ' ').collect();
        draft.change(|area| area.insert_str(format!("\n{indent}")));
        return;
    }
    // Letters with Ctrl or Alt would be the text area's own commands, which no table lists.
    if matches!(key.code, KeyCode::Char(_)) && !plain {
        return;
    }
    match key.code {
        // What is selected is replaced.
        KeyCode::Char(letter) if !draft.area().is_selecting() => draft.letter(letter),
        _ => draft.change(|area| area.input(key)),
    }
}

/// A command of the editor.
pub fn run(model: &mut Model, cmd: Cmd) -> Vec<Request> {
    match cmd {
        Cmd::LeaveEditor => leave_bit_by_bit(model),
        Cmd::Undo | Cmd::UndoStep => step_back(model, Draft::undo, "nothing to take back"),
        Cmd::Redo => step_back(model, Draft::redo, "nothing was taken back"),
        Cmd::Find => model.desk.finding = Some(LineInput::new(&model.desk.sought)),
        Cmd::FindNext => find_again(model, true),
        Cmd::NextProblem => next_problem(model),
        Cmd::Complete => complete(model),
        Cmd::SelectAll => view(model, TextArea::select_all),
        Cmd::Copy => view(model, TextArea::copy),
        Cmd::Cut => change(model, TextArea::cut),
        Cmd::PasteYank => change(model, TextArea::paste),
        Cmd::Tidy => tidy(model),
        Cmd::ToLadder | Cmd::ToText => other_focus(model),
        Cmd::NextFile => next_file(model),
        Cmd::NextCustomer => step_customer(model, 1),
        Cmd::PreviousCustomer => step_customer(model, -1),
        Cmd::Longer => step_ladder(model, &Change::Wait(true)),
        Cmd::Shorter => step_ladder(model, &Change::Wait(false)),
        Cmd::StartHere => step_ladder(model, &Change::Start),
        Cmd::Later => step_ladder(model, &Change::Move(true)),
        Cmd::Earlier => step_ladder(model, &Change::Move(false)),
        Cmd::Split => split(model),
        Cmd::Join => step_ladder(model, &Change::Join),
        Cmd::KeepDraft => {
            model.dialog = None;
            close(model);
        }
        Cmd::DropDraft => {
            model.dialog = None;
            if let Some(file) = model.desk.open {
                model.desk.discard(file);
            }
            close(model);
        }
        _ => {}
    }
    Vec::new()
}

/// Esc closes what is open in the editor first, then the editor.
fn leave_bit_by_bit(model: &mut Model) {
    let selects = model.desk.draft().is_some_and(|draft| draft.area().is_selecting());
    if model.desk.offers.take().is_some() {
    } else if selects {
        view(model, TextArea::cancel_selection);
    } else {
        leave(model);
    }
}

fn view(model: &mut Model, does: impl FnOnce(&mut TextArea<'static>)) {
    if let Some(draft) = model.desk.draft_mut() {
        draft.view(does);
    }
}

fn change(model: &mut Model, does: impl FnOnce(&mut TextArea<'static>) -> bool) {
    if let Some(draft) = model.desk.draft_mut() {
        draft.change(does);
    }
}

fn step_back(model: &mut Model, does: fn(&mut Draft) -> bool, otherwise: &str) {
    let done = model.desk.draft_mut().is_some_and(does);
    if !done {
        model.tell(Level::Info, otherwise);
    }
    if let Some(draft) = model.desk.draft_mut().filter(|_| done) {
        // The ladders follow at once, the rest of the check in a moment.
        draft.check.rules = rules_of(draft.file, &draft.text());
    }
    model.desk.keep_on_ladders();
}

/// Pasted text, into whatever is typed.
pub fn paste(model: &mut Model, text: &str) {
    if let Some(line) = &mut model.desk.finding {
        line.paste(text);
    } else if let Some(draft) = model.desk.draft_mut() {
        draft.paste(text);
    }
}

fn find_key(model: &mut Model, key: KeyEvent) {
    let Some(line) = &mut model.desk.finding else { return };
    let (forward, here) = match key.code {
        KeyCode::Esc | KeyCode::Enter => {
            model.desk.finding = None;
            return;
        }
        KeyCode::Down | KeyCode::Tab => (true, false),
        KeyCode::Up | KeyCode::BackTab => (false, false),
        _ => {
            line.press(key);
            (true, true)
        }
    };
    model.desk.sought = line.text().to_owned();
    sought(model, forward, here);
}

fn find_again(model: &mut Model, forward: bool) {
    if model.desk.sought.is_empty() {
        model.desk.finding = Some(LineInput::new(""));
    } else {
        sought(model, forward, false);
    }
}

fn sought(model: &mut Model, forward: bool, here: bool) {
    let words = model.desk.sought.clone();
    let found = model.desk.draft_mut().is_some_and(|draft| draft.find(&words, forward, here));
    if !found && !words.is_empty() {
        model.tell(Level::Info, format!("`{}` is nowhere in this file", clean(&words)));
    }
}

fn next_problem(model: &mut Model) {
    let found = model.desk.draft_mut().is_some_and(Draft::next_problem);
    if !found {
        model.tell(Level::Info, "the check finds nothing in this file");
    }
}

/// What may stand here; nothing: two spaces. One alone is written at once.
fn complete(model: &mut Model) {
    offer(model);
    match &model.desk.offers {
        Some((found, _)) if found.list.len() == 1 => take_offer(model),
        Some(_) => {}
        None => change(model, |area| area.insert_str("  ")),
    }
}

fn offer(model: &mut Model) {
    let found = model.desk.draft().map(|draft| offers(draft, model.desk.known())).unwrap_or_default();
    model.desk.offers = (!found.list.is_empty()).then_some((found, 0));
}

/// A key while offers are listed; false: it is not theirs.
fn choose(model: &mut Model, key: KeyEvent) -> bool {
    let Some((found, at)) = &mut model.desk.offers else { return false };
    let most = found.list.len() - 1;
    match key.code {
        KeyCode::Down => *at = if *at == most { 0 } else { *at + 1 },
        KeyCode::Up => *at = if *at == 0 { most } else { *at - 1 },
        KeyCode::Enter | KeyCode::Tab => take_offer(model),
        KeyCode::Esc => model.desk.offers = None,
        _ => return false,
    }
    true
}

fn take_offer(model: &mut Model) {
    let Some((found, at)) = model.desk.offers.take() else { return };
    let (Some(offer), Some(draft)) = (found.list.get(at), model.desk.draft_mut()) else { return };
    draft.change(|area| {
        area.cancel_selection();
        (0..found.begun).for_each(|_| area.move_cursor(CursorMove::Back));
        area.delete_str(found.begun + found.after);
        area.insert_str(&offer.text)
    });
}

/// Lays the JSON out; what cannot be read stays as it is.
fn tidy(model: &mut Model) {
    let Some(draft) = model.desk.draft_mut() else { return };
    match super::tidy(draft.file, &draft.text()) {
        Ok(text) => draft.replace(&text),
        Err(why) => model.tell(Level::Warning, why),
    }
}

fn other_focus(model: &mut Model) {
    if model.desk.open == Some(File::Rules) {
        model.desk.focus = if model.desk.focus == Focus::Text { Focus::Ladder } else { Focus::Text };
        model.desk.offers = None;
        model.desk.keep_on_ladders();
    } else {
        next_file(model);
    }
}

/// The content of the next channel.
fn next_file(model: &mut Model) {
    let Some(open) = model.desk.open else { return };
    let at = File::ALL.iter().position(|file| *file == open).unwrap_or(0);
    let others = File::ALL.iter().cycle().skip(at + 1).take(File::ALL.len() - 1).copied();
    for file in others.filter(|file| (*file == File::Rules) == (open == File::Rules)) {
        if super::begin(model, file) {
            model.desk.open = Some(file);
            (model.desk.offers, model.desk.finding) = (None, None);
            return;
        }
    }
}

fn step_customer(model: &mut Model, by: isize) {
    let picture = std::sync::Arc::clone(&model.picture);
    let at = model.cohort.position(&picture).unwrap_or(0);
    model.cohort.select(&picture, at.saturating_add_signed(by));
}

/// A change without JSON: in the ladders, or at the step under the cursor of the Rules pane.
fn step_ladder(model: &mut Model, change: &Change) {
    if model.pages.is_empty() {
        if !super::begin(model, File::Rules) {
            return model.tell(Level::Info, "the rules have not been read yet");
        }
        let at = model.cursors[crate::tui::layout::Pane::Rules as usize];
        let step = model.picture.snapshot.steps.get(at).map(|row| row.channel);
        model.desk.at = place_of(model, step).unwrap_or_default();
    }
    if let Err(why) = model.desk.change(change) {
        model.tell(Level::Info, clean(&why));
    }
}

/// Where a channel stands in everybody's ladder.
fn place_of(model: &Model, channel: Option<Channel>) -> Option<ladder::At> {
    let rules = model.desk.rules()?;
    let walk = rules.main.walk(rules.main.start);
    let step = walk.iter().position(|step| Some(step.channel) == channel)?;
    Some(ladder::At { ladder: 0, step })
}

/// Which segment gets a ladder of its own?
fn split(model: &mut Model) {
    if segments(model).is_empty() {
        model.tell(Level::Info, "every segment of the list has a ladder of its own, or there is none");
    } else {
        model.dialog = Some(Dialog::Split(0));
    }
}

/// Segments that do what everybody does.
pub fn segments(model: &Model) -> Vec<String> {
    let rules = model.desk.rules();
    let own = |name: &String| rules.as_ref().is_some_and(|r| r.segments.keys().any(|s| s.0 == *name));
    let mut all: Vec<String> =
        model.desk.bench.as_ref().map(|bench| bench.segments.clone()).unwrap_or_default();
    all.extend(model.picture.preflight.iter().flat_map(|p| p.segments.iter().map(|(s, _)| s.0.clone())));
    all.extend(model.picture.snapshot.rows.iter().map(|row| row.segment.0.clone()));
    all.sort();
    all.dedup();
    all.retain(|name| !own(name));
    all
}

/// A key while a segment is chosen.
pub fn choose_segment(model: &mut Model, key: KeyEvent) {
    let found = segments(model);
    let Some(Dialog::Split(at)) = &mut model.dialog else { return };
    match key.code {
        KeyCode::Down | KeyCode::Tab | KeyCode::Char('j') => {
            *at = (*at + 1).min(found.len().saturating_sub(1));
        }
        KeyCode::Up | KeyCode::BackTab | KeyCode::Char('k') => *at = at.saturating_sub(1),
        KeyCode::Enter | KeyCode::Char('y') => {
            let name = found.get(*at).cloned();
            model.dialog = None;
            if let Some(name) = name {
                step_ladder(model, &Change::Split(name));
            }
        }
        KeyCode::Esc => model.dialog = None,
        _ => {}
    }
}

/// Keys of the ladders that move the cursor.
pub fn move_on_ladders(model: &mut Model, across: isize, down: isize) {
    let at = &mut model.desk.at;
    at.ladder = at.ladder.saturating_add_signed(across);
    at.step = at.step.saturating_add_signed(down);
    model.desk.keep_on_ladders();
}

/// Click, drag and wheel in the text; false: it is somewhere else.
pub fn mouse(model: &mut Model, event: MouseEvent, double: bool) -> bool {
    let area = model.desk.area;
    let inside = area.contains(Position::new(event.column, event.row));
    let Some(draft) = model.desk.draft_mut() else { return false };
    match event.kind {
        MouseEventKind::ScrollUp => draft.view(|area| area.scroll((-WHEEL, 0))),
        MouseEventKind::ScrollDown => draft.view(|area| area.scroll((WHEEL, 0))),
        MouseEventKind::Down(MouseButton::Left) if inside => {
            draft.view(|text| {
                text.cancel_selection();
                text.move_cursor(spot(text, area, event));
                if double {
                    text.move_cursor(CursorMove::WordBack);
                    text.start_selection();
                    text.move_cursor(CursorMove::WordEnd);
                    text.move_cursor(CursorMove::Forward);
                }
            });
            (model.desk.focus, model.desk.offers) = (Focus::Text, None);
        }
        MouseEventKind::Drag(MouseButton::Left) => draft.view(|text| {
            if !text.is_selecting() {
                text.start_selection();
            }
            if event.row < area.y {
                text.scroll(Scrolling::Delta { rows: -1, cols: 0 });
            } else if event.row >= area.bottom() {
                text.scroll(Scrolling::Delta { rows: 1, cols: 0 });
            }
            text.move_cursor(spot(text, area, event));
        }),
        MouseEventKind::Down(MouseButton::Left) if draft.file == File::Rules && !area.is_empty() => {
            (model.desk.focus, model.desk.offers) = (Focus::Ladder, None);
            model.desk.keep_on_ladders();
        }
        _ => return inside,
    }
    true
}

/// The place in the text under the mouse.
fn spot(text: &TextArea<'static>, area: ratatui::layout::Rect, event: MouseEvent) -> CursorMove {
    let (top, left) = text.scroll_offset();
    let numbers = usize::from(text.line_number_width());
    let row = usize::from(event.row.clamp(area.y, area.bottom().saturating_sub(1)) - area.y);
    let column = usize::from(event.column.saturating_sub(area.x));
    let at =
        text.screen_to_data(row + usize::from(top), (column + usize::from(left)).saturating_sub(numbers));
    CursorMove::Jump(at.0.min(usize::from(u16::MAX)) as u16, at.1.min(usize::from(u16::MAX)) as u16)
}
