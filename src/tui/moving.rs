//! Moving about: cursors, scrolling, the filter line, what Enter opens and Esc closes.

use super::asking::Wanted;
use super::dialogs;
use super::editor;
use super::editor::draft::File;
use super::input::LineInput;
use super::keys::Cmd;
use super::layout::Pane;
use super::learning::{SAID, View};
use super::model::{Frozen, Model, Page, What};
use super::needs::Target;
use super::review;
use super::update::{Request, open, open_person, run, shows};
use super::versions;
use crate::phrases;
use crate::runtime::handle::TimelineEntry;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use std::sync::Arc;

/// Back, one thing at a time.
pub fn back(model: &mut Model) {
    if shows_editor(model) {
        return editor::leave(model);
    }
    if shows(model, |what| matches!(what, What::Review)) {
        return review::leave(model);
    }
    if model.pages.pop().is_some() || model.notices.dismiss() {
        return;
    }
    if model.zoomed {
        model.zoomed = false;
    } else if model.focus == Pane::Timeline && model.frozen.is_some() {
        model.frozen = None;
    } else {
        model.cohort.filter.clear();
    }
}

/// Whether the editor is the page on top.
pub fn shows_editor(model: &Model) -> bool {
    shows(model, |what| matches!(what, What::Editor))
}

/// Left and right choose a ladder in the editor, and close any other page.
pub fn close(model: &mut Model) {
    if shows_editor(model) {
        editor::move_on_ladders(model, -1, 0);
    } else if shows(model, |what| matches!(what, What::Review)) {
        review::leave(model);
    } else {
        model.pages.pop();
    }
}

/// Opens the filter line.
pub fn filter(model: &mut Model) {
    model.focus = Pane::Cohort;
    let line = model.cohort.filter.clone();
    let gap = if line.is_empty() { "" } else { " " };
    model.cohort.typing = Some(LineInput::new(&format!("{line}{gap}")));
}

/// A key while the filter line is typed.
pub fn filter_key(model: &mut Model, key: KeyEvent) -> Vec<Request> {
    let Some(input) = &mut model.cohort.typing else { return Vec::new() };
    match key.code {
        KeyCode::Enter => {
            input.text().trim().clone_into(&mut model.cohort.filter);
            model.cohort.typing = None;
        }
        KeyCode::Esc => model.cohort.typing = None,
        KeyCode::Up => scroll(model, -1),
        KeyCode::Down => scroll(model, 1),
        _ => input.press(key),
    }
    Vec::new()
}

/// Lines that a page key moves by.
pub fn page_lines(model: &Model) -> isize {
    let places = model.places();
    let rect = if model.pages.is_empty() { places.of(model.focus) } else { Some(places.body) };
    // The page before a save keeps its choices below what scrolls.
    let taken = if shows(model, |what| matches!(what, What::Review)) { 13 } else { 5 };
    rect.map_or(1, |r| r.height.saturating_sub(taken).max(1)) as isize
}

/// Moves the cursor or the page by lines; `isize::MIN` and `MAX` go to the ends.
pub fn scroll(model: &mut Model, by: isize) {
    if shows_editor(model) {
        return editor::move_on_ladders(model, 0, by.clamp(-8, 8));
    }
    if let Some(page) = model.pages.last_mut() {
        let most = model.scroll_max;
        match page.items(&model.picture, &model.history, (&model.learning, &model.notices)) {
            Some(items) => {
                let before = page.at;
                // The arrows move the cursor alone where it is a page key that turns what is said.
                let hidden = if most == usize::MAX || said_beside(page).is_some() { 0 } else { most };
                step(page, by, items.saturating_sub(1), hidden);
                if page.at != before {
                    model.scroll_max = usize::MAX;
                }
            }
            None => page.at = page.at.min(most).saturating_add_signed(by).min(most),
        }
        return;
    }
    match model.focus {
        Pane::Cohort => {
            let picture = Arc::clone(&model.picture);
            let at = model.cohort.position(&picture).unwrap_or(0);
            model.cohort.select(&picture, at.saturating_add_signed(by));
        }
        Pane::Timeline => scroll_timeline(model, by),
        Pane::Channels | Pane::Rules | Pane::Needs | Pane::Next => {
            let snapshot = &model.picture.snapshot;
            let count = match model.focus {
                Pane::Channels => snapshot.channels.len(),
                Pane::Rules => snapshot.steps.len(),
                Pane::Next => snapshot.next.len(),
                Pane::Needs | Pane::Cohort | Pane::Timeline => model.needs().len(),
            };
            let cursor = &mut model.cursors[model.focus as usize];
            *cursor = cursor.saturating_add_signed(by).min(count.saturating_sub(1));
        }
    }
}

/// A page up or down: of what is said of the thing under the cursor, if that stands beside its list and does not fit.
pub fn turn(model: &mut Model, pages: isize) {
    let most = model.scroll_max;
    let lines = page_lines(model);
    match model.pages.last_mut().and_then(|page| Some((said_beside(page)?, page))) {
        Some((seen, page)) if (1..usize::MAX).contains(&most) => {
            page.skip = page.skip.min(most).saturating_add_signed(pages * seen as isize).min(most);
        }
        _ => scroll(model, pages * lines),
    }
}

/// How many lines are seen at a time of what is said of the thing under the cursor, where that stands beside the list and
/// a low window has no room for all of it.
const fn said_beside(page: &Page) -> Option<usize> {
    if matches!(page.what, What::Learning(View::Waits)) { Some(SAID) } else { None }
}

/// In a list: through what the thing under the cursor hides below the window, then to the next one.
fn step(page: &mut Page, by: isize, last: usize, hidden: usize) {
    page.skip = page.skip.min(hidden);
    match by {
        isize::MIN => (page.at, page.skip) = (0, 0),
        isize::MAX => (page.at, page.skip) = (last, usize::MAX),
        1.. if page.skip < hidden => page.skip = page.skip.saturating_add_signed(by).min(hidden),
        ..=-1 if page.skip > 0 => page.skip = page.skip.saturating_add_signed(by),
        _ => {
            page.at = page.at.min(last).saturating_add_signed(by).min(last);
            page.skip = 0;
        }
    }
}

/// Down is further into the past. Back at the newest, the timeline follows again.
fn scroll_timeline(model: &mut Model, by: isize) {
    let (entries, skip) = match &model.frozen {
        Some(frozen) => (Arc::clone(&frozen.entries), frozen.skip),
        None => (Arc::clone(&model.picture.timeline), 0),
    };
    let shown = entries.iter().filter(|e| is_shown(e)).count();
    let skip = skip.saturating_add_signed(by).min(shown.saturating_sub(1));
    let follows = by < 0 && skip == 0;
    model.frozen = (!follows).then_some(Frozen { entries, skip });
}

/// Whether the live timeline shows an entry; the rest is book-keeping.
pub fn is_shown(entry: &TimelineEntry) -> bool {
    !phrases::phrase(&entry.event, None).quiet
}

/// Opens what is under the cursor.
pub fn enter(model: &mut Model) -> Vec<Request> {
    match model.pages.last() {
        Some(_) if shows_editor(model) => editor::move_on_ladders(model, 1, 0),
        Some(_) if shows(model, |what| matches!(what, What::Review)) => _ = review::run(model, Cmd::SayWhy),
        Some(page) => enter_page(model, page.at),
        None if model.welcomes() => {}
        None => return enter_pane(model),
    }
    Vec::new()
}

fn enter_page(model: &mut Model, at: usize) {
    let target = match model.pages.last().map(|page| &page.what) {
        Some(What::Failures) => model.picture.snapshot.failures.get(at).map(|row| {
            let failure = &row.failure;
            What::Failure(failure.channel, failure.code.clone(), failure.scope.clone())
        }),
        Some(What::Inbox) => {
            let whose = model.picture.inbox.iter().rev().nth(at).and_then(|item| item.cascade);
            whose.map(|cascade| What::Person { cascade, history: None, read_for: None })
        }
        Some(What::Versions) => {
            versions::chosen(model).map(|version| What::Version(versions::Key::of(version)))
        }
        Some(What::Orders) => {
            let newest_first = model.picture.audit.orders().iter().rev();
            newest_first.clone().nth(at).map(|account| What::Order(account.campaign, account.order))
        }
        Some(What::Order(..)) => {
            let whose = model.subject().filter(|cascade| model.row(*cascade).is_some());
            whose.map(|cascade| What::Person { cascade, history: None, read_for: None })
        }
        Some(_) | None => None,
    };
    if let Some(what) = target {
        open(model, what);
    }
}

fn enter_pane(model: &mut Model) -> Vec<Request> {
    match model.focus {
        Pane::Cohort => {
            if let Some(cascade) = model.cohort.selected {
                open_person(model, cascade);
            }
        }
        Pane::Timeline => {
            let frozen = model.frozen.clone();
            let (entries, skip) =
                frozen.map_or((Arc::clone(&model.picture.timeline), 0), |f| (f.entries, f.skip));
            let entry = entries.iter().rev().filter(|e| is_shown(e)).nth(skip);
            if let Some(cascade) = entry.and_then(|e| e.event.subject.cascade) {
                open_person(model, cascade);
            }
        }
        Pane::Channels => {
            let row = model.picture.snapshot.channels.get(model.cursors[Pane::Channels as usize]);
            if let Some(channel) = row.and_then(|row| row.channel) {
                set_filter(model, &format!("status:open channel:{channel}"));
            }
        }
        Pane::Rules => editor::open(model, File::Rules),
        Pane::Needs => return enter_need(model),
        Pane::Next => set_filter(model, "status:open sort:due"),
    }
    Vec::new()
}

/// The customers who stand at the step under the cursor.
pub fn who_stands(model: &mut Model) {
    let on_pane = model.pages.is_empty();
    let here = model.picture.snapshot.steps.get(model.cursors[Pane::Rules as usize]).map(|step| step.channel);
    let channel = if on_pane { here } else { model.desk.channel_here() };
    if let Some(channel) = channel {
        editor::close(model);
        set_filter(model, &format!("status:open channel:{channel}"));
    }
}

fn enter_need(model: &mut Model) -> Vec<Request> {
    let Some(need) = model.needs().into_iter().nth(model.cursors[Pane::Needs as usize]) else {
        return Vec::new();
    };
    match need.opens {
        Target::Saved => return run(model, Cmd::Save),
        Target::Filter(line) => set_filter(model, line),
        Target::Resume(only) => dialogs::ask(model, Wanted::Resume(only)),
        Target::OnDisk(file) => editor::open_at(model, file),
        target => {
            if let Some(what) = target.page() {
                open(model, what);
            }
        }
    }
    Vec::new()
}

/// The cohort lists whoever this line keeps.
pub fn set_filter(model: &mut Model, line: &str) {
    line.clone_into(&mut model.cohort.filter);
    model.focus = Pane::Cohort;
    model.zoomed = false;
}
