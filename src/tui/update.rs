//! `update(&mut Model, Msg) -> Vec<Request>`: the only place that changes screen state. No I/O.

pub use super::msg::{Msg, Request};

use super::asking;
use super::dialogs;
use super::editor;
use super::editor::draft::File;
use super::input::LineInput;
use super::keys::{self, Cmd};
use super::layout::Pane;
use super::learning;
use super::model::{Dialog, Model, Page, ReadFor, What};
use super::mouse;
use super::moving;
use super::review::{self, Review};
use super::versions;
use crate::engine::order::Order;
use crate::model::{CascadeId, Channel};
use crate::runtime::attach::NOT_DONE;
use crate::runtime::handle::{Level, TimelineEntry};
use crate::runtime::saving::NOT_SAVED;
use crate::workspace::forge;
use ratatui::crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::layout::Rect;
use std::sync::Arc;

/// Takes in one message.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Request> {
    let mut requests = match msg {
        Msg::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
        Msg::Key(key) => press(model, key),
        Msg::Mouse(event, at) => mouse::handle(model, event, at),
        Msg::Paste(text) => {
            if let Some(input) = typing(model) {
                input.paste(&text);
            } else if editor::types(model) {
                editor::paste(model, &text);
            }
            Vec::new()
        }
        Msg::Tick => Vec::new(),
        Msg::Resize(width, height) => {
            model.area = Rect::new(0, 0, width, height);
            Vec::new()
        }
        Msg::Picture(picture) => {
            model.picture = picture;
            show_what_came(model);
            if review::follow(model) { vec![Request::Forge] } else { Vec::new() }
        }
        Msg::Notice(notice) => {
            // A refused hold must not look like one that holds.
            model.hold_asked &= notice.level != Level::Error;
            // Any other error is no word on the save that is being written.
            let stops = notice.text.starts_with(NOT_SAVED) || notice.text.starts_with(NOT_DONE);
            let again = if stops { review::stopped(model) } else { Vec::new() };
            model.tell(notice.level, notice.text);
            again
        }
        Msg::History(cascade, entries) => {
            take_history(model, cascade, entries);
            Vec::new()
        }
        Msg::EngineGone => {
            model.tell(Level::Error, "the engine has ended: nothing is sent or heard any more; q leaves");
            Vec::new()
        }
        Msg::Previewed(asked, preview) => review::take(model, asked, preview),
        Msg::Versions(_) | Msg::VersionFiles(..) => {
            versions::take(model, msg);
            Vec::new()
        }
        Msg::Learnt(learnt, took) => learning::take(model, learnt, took),
        Msg::LearnAgain => {
            learning::rested(model);
            Vec::new()
        }
        Msg::Forge(_) | Msg::ForgeAgain | Msg::Proposed(_) => follow_forge(model, msg),
        Msg::OnDisk(stamp, problems) => {
            model.on_disk = problems;
            vec![Request::Watch(stamp)]
        }
        Msg::Bench(_) | Msg::Checked(..) | Msg::Kept(..) | Msg::Found(_) | Msg::Customer(..) => {
            editor::take(model, msg);
            Vec::new()
        }
    };
    model.settle();
    requests.extend(wanted_history(model));
    requests.extend(editor::wants(model));
    requests.extend(review::wants(model));
    requests.extend(versions::wants(model));
    requests.extend(learning::wants(model));
    requests
}

/// The line being typed, if there is one.
pub fn typing(model: &mut Model) -> Option<&mut LineInput> {
    let reviews = shows(model, |what| matches!(what, What::Review));
    match &mut model.dialog {
        Some(Dialog::Launch(Some(input)) | Dialog::Palette(input, _)) => Some(input),
        Some(Dialog::Ask(asking)) => asking.typing(),
        Some(_) => None,
        None if reviews => model.review.as_mut().and_then(Review::typing),
        None => model.cohort.typing.as_mut(),
    }
}

fn press(model: &mut Model, key: KeyEvent) -> Vec<Request> {
    model.notices.pressed();
    let name = keys::name(key);
    let always = name.as_deref().is_some_and(|name| name.starts_with("Ctrl-"));
    if typing(model).is_some() && !(always && keys::find(&[keys::Place::Everywhere], key).is_some()) {
        return typed(model, key);
    }
    if editor::types(model) {
        return editor::press(model, key);
    }
    if matches!(model.dialog, Some(Dialog::Split(_))) {
        editor::choose_segment(model, key);
        return Vec::new();
    }
    match keys::find(&model.context(), key) {
        Some(row) => run(model, row.cmd),
        None => Vec::new(),
    }
}

/// A key of a line being typed.
fn typed(model: &mut Model, key: KeyEvent) -> Vec<Request> {
    if model.dialog.is_some() {
        return dialogs::typed(model, key);
    }
    if !shows(model, |what| matches!(what, What::Review)) {
        return moving::filter_key(model, key);
    }
    if review::is_confirmed_by(model, key) {
        return run(model, Cmd::SaveNow);
    }
    review::typed(model, key);
    Vec::new()
}

/// What came of a pull request.
fn proposed(model: &mut Model, done: Result<Box<forge::Place>, String>) {
    model.proposing = false;
    match done {
        Ok(place) => {
            let (pull, url) = (place.pull.clone().unwrap_or_default(), place.url.clone().unwrap_or_default());
            model.tell(Level::Warning, format!("pull request {pull}: {url}"));
            model.forge = Some(*place);
        }
        Err(why) => model.tell(Level::Error, crate::model::clean(&format!("not proposed: {why}"))),
    }
}

/// As long as there may be a pull request, it is looked at again in a while, also where nobody answered.
fn follow_forge(model: &mut Model, msg: Msg) -> Vec<Request> {
    match msg {
        // A repository that cannot be read just now, or settings that another editor broke: it is asked again.
        Msg::Forge(None) => {
            if let Some(place) = &mut model.forge {
                place.is_silent = place.is_asked;
            }
        }
        Msg::Forge(Some(place)) => model.forge = Some(place.after(model.forge.as_ref())),
        Msg::Proposed(done) => proposed(model, done),
        Msg::ForgeAgain => {
            model.forge_rests = false;
            return vec![Request::Forge];
        }
        _ => {}
    }
    let is_asked = model.forge.as_ref().is_some_and(|place| place.is_asked);
    if !is_asked || std::mem::replace(&mut model.forge_rests, true) {
        return Vec::new();
    }
    vec![Request::ForgeLater]
}

/// Whether something runs that stops with us, or a draft is not saved.
fn leaves_something(model: &Model) -> bool {
    model.in_flight() && model.picture.seat.is_none() || model.desk.changed().next().is_some()
}

/// Whether the page on top is such a one.
pub fn shows(model: &Model, which: impl Fn(&What) -> bool) -> bool {
    model.pages.last().is_some_and(|page| which(&page.what))
}

/// Runs a command of the table, or says why it cannot be had now.
pub fn run(model: &mut Model, cmd: Cmd) -> Vec<Request> {
    if let Err(why) = keys::available(cmd, model) {
        model.tell(Level::Info, why);
        return Vec::new();
    }
    match cmd {
        Cmd::Hold => {
            model.hold_asked = true;
            model.dialog = None;
            let why = "held by an operator (P)".to_owned();
            return vec![Request::Ask(Order::Pause { only: None, why }, String::new())];
        }
        // Leaving an attached console stops nothing.
        Cmd::Quit if leaves_something(model) => model.dialog = Some(Dialog::Quit),
        Cmd::Quit => return vec![Request::Leave],
        Cmd::Mouse => {
            model.mouse = !model.mouse;
            let whose =
                if model.mouse { "the mouse clicks and scrolls here" } else { "the mouse is the terminal's" };
            model.tell(Level::Info, whose);
            return vec![Request::Mouse(model.mouse)];
        }
        Cmd::GiveControl => return vec![Request::Control(false)],
        Cmd::Pause => return pause(model),
        Cmd::Yes | Cmd::Extend | Cmd::Reason | Cmd::No => return dialogs::answer(model, cmd),
        Cmd::Launch
        | Cmd::Actions
        | Cmd::ActionsAll
        | Cmd::SkipWait
        | Cmd::Retry
        | Cmd::Mended
        | Cmd::Palette
        | Cmd::StopCascade
        | Cmd::OptOut
        | Cmd::WasSent
        | Cmd::WasNotSent
        | Cmd::Release
        | Cmd::StopCampaign
        | Cmd::TakeControl => dialogs::open(model, cmd),
        Cmd::Inbox => open(model, What::Inbox),
        Cmd::Failures => open(model, What::Failures),
        Cmd::Orders => open(model, What::Orders),
        Cmd::Messages => open(model, What::Messages),
        Cmd::Help | Cmd::EditorHelp => {
            let here = model.screen_context();
            open(model, What::Help(here));
        }
        Cmd::Learning(view) => learning::open(model, view),
        Cmd::Draft => learning::draft(model),
        Cmd::Filter => moving::filter(model),
        Cmd::Zoom => model.zoomed = !model.zoomed,
        Cmd::NextPane => model.focus = model.focus.step(1),
        Cmd::PreviousPane => model.focus = model.focus.step(Pane::ALL.len() - 1),
        Cmd::Go(pane) => model.focus = pane,
        Cmd::Up => moving::scroll(model, -1),
        Cmd::Down => moving::scroll(model, 1),
        Cmd::PageUp => moving::turn(model, -1),
        Cmd::PageDown => moving::turn(model, 1),
        Cmd::First => moving::scroll(model, isize::MIN),
        Cmd::Last => moving::scroll(model, isize::MAX),
        Cmd::Open => return moving::enter(model),
        Cmd::Back => moving::back(model),
        Cmd::Close => moving::close(model),
        _ => return run_changes(model, cmd),
    }
    Vec::new()
}

/// The commands that have to do with a change of rules or content.
fn run_changes(model: &mut Model, cmd: Cmd) -> Vec<Request> {
    match cmd {
        Cmd::Rules => editor::open(model, File::Rules),
        Cmd::Content => {
            let file = editor::content(model);
            editor::open(model, file);
        }
        Cmd::Save | Cmd::Review => return review::open(model),
        Cmd::ChooseKeep
        | Cmd::ChooseRetime
        | Cmd::ChooseSpread
        | Cmd::SayWhy
        | Cmd::SaveNow
        | Cmd::Reapply
        | Cmd::DropMoved
        | Cmd::SaveOver
        | Cmd::DropSaved => return review::run(model, cmd),
        Cmd::History => open(model, What::Versions),
        Cmd::Propose => {
            model.proposing = true;
            model.tell(Level::Info, "pushing the branch, and opening a pull request …");
            return vec![Request::Propose(forge::evidence(&model.picture.snapshot).into_iter().collect())];
        }
        Cmd::Restore | Cmd::PersonVersion => return versions::run(model, cmd),
        Cmd::WhoStands if versions::chosen(model).is_some() => versions::touched(model),
        Cmd::WhoStands => moving::who_stands(model),
        _ => return editor::run(model, cmd),
    }
    Vec::new()
}

/// Opens the report of an order about many as soon as it is there.
fn show_what_came(model: &mut Model) {
    let Some((what, before)) = model.awaits else { return };
    let mut newer = model.picture.audit.orders().iter().skip(before);
    let found = newer.find(|account| account.what == what).map(|a| (a.campaign, a.order, a.left.is_none()));
    let Some((campaign, order, did)) = found else { return };
    model.awaits = None;
    if did && model.dialog.is_none() {
        model.pages.retain(|page| !matches!(page.what, What::Order(..)));
        open(model, What::Order(campaign, order));
    }
}

/// Opens a page; the same page a second time is closed instead, so that `F` shows and hides.
pub fn open(model: &mut Model, what: What) {
    let same = |page: &Page| std::mem::discriminant(&page.what) == std::mem::discriminant(&what);
    if model.pages.last().is_some_and(same) {
        model.pages.pop();
        return;
    }
    model.scroll_max = usize::MAX;
    model.pages.retain(|page| !same(page));
    model.pages.push(Page::new(what));
}

/// Opens a customer's own page.
pub fn open_person(model: &mut Model, cascade: CascadeId) {
    // Whoever answers an earlier campaign need not be in this one.
    if model.row(cascade).is_some() {
        model.cohort.selected = Some(cascade);
    }
    model.pages.retain(|page| !matches!(page.what, What::Person { .. }));
    open(model, What::Person { cascade, history: None, read_for: None });
}

fn pause(model: &mut Model) -> Vec<Request> {
    let snapshot = &model.picture.snapshot;
    let row = snapshot.channels.get(model.cursors[Pane::Channels as usize]);
    let on_channels = model.focus == Pane::Channels && model.pages.is_empty();
    let only: Option<Channel> = row.filter(|_| on_channels).and_then(|row| row.channel);
    let stands = match only {
        Some(_) => row.is_some_and(|row| row.paused.is_some()),
        None => model.held_by().is_some(),
    };
    if stands {
        dialogs::ask(model, asking::Wanted::Resume(only));
        return Vec::new();
    }
    if let Some(channel) = only {
        model.tell(Level::Info, format!("{} pauses; p again to go on", channel.label()));
    }
    let why = "paused by an operator".to_owned();
    vec![Request::Ask(Order::Pause { only, why }, String::new())]
}

fn take_history(model: &mut Model, cascade: CascadeId, entries: Vec<Arc<TimelineEntry>>) {
    for page in &mut model.pages {
        if let What::Person { cascade: whose, history, .. } = &mut page.what
            && *whose == cascade
        {
            *history = Some(entries);
            return;
        }
    }
}

/// An open customer's page is read again whenever something happened to them.
fn wanted_history(model: &mut Model) -> Option<Request> {
    let picture = Arc::clone(&model.picture);
    let What::Person { cascade, read_for, .. } = &mut model.pages.last_mut()?.what else { return None };
    let rows = &picture.snapshot.rows;
    let now = if let Ok(at) = rows.binary_search_by_key(cascade, |row| row.cascade) {
        ReadFor::Row(Arc::clone(&rows[at]))
    } else {
        let theirs = |entry: &&Arc<TimelineEntry>| entry.event.subject.cascade == Some(*cascade);
        ReadFor::Entry(picture.timeline.iter().rev().find(theirs).map(|entry| entry.seq))
    };
    if read_for.as_ref() == Some(&now) {
        return None;
    }
    *read_for = Some(now);
    Some(Request::History(*cascade))
}
