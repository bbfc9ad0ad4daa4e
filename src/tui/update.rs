//! `update(&mut Model, Msg) -> Vec<Request>`: the only place that changes screen state. No I/O.

use super::asking;
use super::dialogs;
use super::editor::draft::File;
use super::editor::{self, Keep};
use super::keys::{self, Cmd};
use super::layout::Pane;
use super::learning;
use super::model::{Dialog, Frozen, Model, Page, ReadFor, What};
use super::needs::Target;
use super::review::{self, Review};
use super::versions;
use super::{input::LineInput, mouse};
use crate::engine::order::Order;
use crate::engine::retime::Choice;
use crate::model::{CascadeId, Channel, Customer, Phone};
use crate::phrases;
use crate::rules::Judged;
use crate::runtime::handle::{Learnt, Level, Notice, Picture, Previewed, TimelineEntry, VersionFiles};
use crate::runtime::saving::{Version, Wanted};
use crate::workspace::bench::{Bench, Kept, Texts};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, MouseEvent};
use ratatui::layout::Rect;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What reaches the screen.
#[derive(Debug)]
pub enum Msg {
    /// A key.
    Key(KeyEvent),
    /// The mouse, and when by the wall.
    Mouse(MouseEvent, Instant),
    /// Pasted text.
    Paste(String),
    /// The window has another size.
    Resize(u16, u16),
    /// The engine's newest picture.
    Picture(Arc<Picture>),
    /// Something to tell.
    Notice(Notice),
    /// The answer to [`Request::History`].
    History(CascadeId, Vec<Arc<TimelineEntry>>),
    /// The runtime is gone.
    EngineGone,
    /// The answer to [`Request::Bench`].
    Bench(Result<Bench, String>),
    /// The answer to [`Request::Check`].
    Checked(Vec<(File, u64)>, Box<Judged>),
    /// The answer to [`Request::Keep`]: which file, of which revision, and why not.
    Kept(File, u64, Option<String>),
    /// Drafts that an earlier run left.
    Found(Vec<Kept>),
    /// The answer to [`Request::Customer`].
    Customer(Phone, Option<Box<Customer>>),
    /// The answer to [`Request::Preview`].
    Previewed(u64, Previewed),
    /// The answer to [`Request::Versions`].
    Versions(Vec<Version>),
    /// The answer to [`Request::VersionFiles`].
    VersionFiles(String, VersionFiles),
    /// The answer to [`Request::Learn`], and how long it took; `None`: there will be none.
    Learnt(Option<Learnt>, Duration),
    /// The record may be asked again.
    LearnAgain,
}

/// What the screen asks of the loop.
#[derive(Debug)]
pub enum Request {
    /// An order of the engine, and why.
    Ask(Order, String),
    /// Launch what the preflight showed.
    Launch,
    /// Everything that happened to one customer.
    History(CascadeId),
    /// Take control of what another process runs, or give it back.
    Control(bool),
    /// Take the mouse, or give it back to the terminal.
    Mouse(bool),
    /// Leave; everything is saved.
    Leave,
    /// Read the workspace for the editor.
    Bench,
    /// Judge these texts: drafts of which revisions.
    Check {
        /// What is judged together.
        texts: Texts,
        /// The drafts among them.
        revisions: Vec<(File, u64)>,
    },
    /// Keep a draft on the disk.
    Keep(Keep),
    /// The row of this customer, for a preview.
    Customer(Arc<Bench>, Phone),
    /// What saving this would do; the number comes back with the answer.
    Preview(u64, Wanted),
    /// Save what a preview showed.
    Save {
        /// Which.
        preview: u64,
        /// What becomes of those in flight.
        choice: Choice,
        /// Why.
        why: String,
    },
    /// What was saved and is not in force is not to be.
    DropSaved,
    /// The versions that ran.
    Versions,
    /// The files of one, by the hash of its rules or texts.
    VersionFiles(String),
    /// What the record says.
    Learn,
    /// To be told after this time that it may be asked again.
    LearnLater(Duration),
}

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
        Msg::Resize(width, height) => {
            model.area = Rect::new(0, 0, width, height);
            Vec::new()
        }
        Msg::Picture(picture) => {
            model.picture = picture;
            show_what_came(model);
            review::follow(model);
            Vec::new()
        }
        Msg::Notice(notice) => {
            // A refused hold must not look like one that holds.
            model.hold_asked &= notice.level != Level::Error;
            if notice.level == Level::Error {
                review::stopped(model);
            }
            model.tell(notice.level, notice.text);
            Vec::new()
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
        Msg::Versions(found) => {
            model.history.versions = Some(found);
            Vec::new()
        }
        Msg::VersionFiles(hash, files) => {
            model.history.files.insert(hash, files);
            Vec::new()
        }
        Msg::Learnt(learnt, took) => learning::take(model, learnt, took),
        Msg::LearnAgain => {
            learning::rested(model);
            Vec::new()
        }
        Msg::Bench(_) | Msg::Checked(..) | Msg::Kept(..) | Msg::Found(_) | Msg::Customer(..) => {
            editor::take(model, msg);
            Vec::new()
        }
    };
    model.settle();
    requests.extend(wanted_history(model));
    requests.extend(editor::wants(model));
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
    model.notices.retain(|notice| notice.level > Level::Info);
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
        return filter_key(model, key);
    }
    if review::is_confirmed_by(model, key) {
        return run(model, Cmd::SaveNow);
    }
    review::typed(model, key);
    Vec::new()
}

/// Whether something runs that stops with us, or a draft is not saved.
fn leaves_something(model: &Model) -> bool {
    model.in_flight() && model.picture.seat.is_none() || model.desk.changed().next().is_some()
}

fn shows(model: &Model, which: impl Fn(&What) -> bool) -> bool {
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
        Cmd::Rules => editor::open(model, File::Rules),
        Cmd::Content => {
            let file = editor::content(model);
            editor::open(model, file);
        }
        Cmd::Help | Cmd::EditorHelp => {
            let here = model.screen_context();
            open(model, What::Help(here));
        }
        Cmd::Learning(view) => learning::open(model, view),
        Cmd::Draft => learning::draft(model),
        Cmd::Filter => filter(model),
        Cmd::Zoom => model.zoomed = !model.zoomed,
        Cmd::NextPane => model.focus = model.focus.step(1),
        Cmd::PreviousPane => model.focus = model.focus.step(Pane::ALL.len() - 1),
        Cmd::Go(pane) => model.focus = pane,
        Cmd::Up => scroll(model, -1),
        Cmd::Down => scroll(model, 1),
        Cmd::PageUp => scroll(model, -page_lines(model)),
        Cmd::PageDown => scroll(model, page_lines(model)),
        Cmd::First => scroll(model, isize::MIN),
        Cmd::Last => scroll(model, isize::MAX),
        Cmd::Open => return enter(model),
        Cmd::Back => back(model),
        Cmd::Close => close(model),
        Cmd::Save | Cmd::Review => return review::open(model),
        Cmd::ChooseKeep
        | Cmd::ChooseRetime
        | Cmd::ChooseSpread
        | Cmd::SayWhy
        | Cmd::SaveNow
        | Cmd::DropSaved => return review::run(model, cmd),
        Cmd::History => open(model, What::Versions),
        Cmd::Restore | Cmd::PersonVersion => return versions::run(model, cmd),
        Cmd::WhoStands => who_stands(model),
        Cmd::Longer
        | Cmd::Shorter
        | Cmd::LeaveEditor
        | Cmd::Undo
        | Cmd::Redo
        | Cmd::Find
        | Cmd::FindNext
        | Cmd::NextProblem
        | Cmd::Complete
        | Cmd::SelectAll
        | Cmd::Copy
        | Cmd::Cut
        | Cmd::PasteYank
        | Cmd::Tidy
        | Cmd::ToLadder
        | Cmd::NextFile
        | Cmd::NextCustomer
        | Cmd::PreviousCustomer
        | Cmd::ToText
        | Cmd::StartHere
        | Cmd::Later
        | Cmd::Earlier
        | Cmd::Split
        | Cmd::Join
        | Cmd::UndoStep
        | Cmd::KeepDraft
        | Cmd::DropDraft => return editor::run(model, cmd),
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

fn back(model: &mut Model) {
    if shows_editor(model) {
        return editor::leave(model);
    }
    if shows(model, |what| matches!(what, What::Review)) {
        model.review = None;
    }
    if model.pages.pop().is_some() || model.notices.pop_back().is_some() {
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

fn shows_editor(model: &Model) -> bool {
    shows(model, |what| matches!(what, What::Editor))
}

/// Left and right choose a ladder in the editor, and close any other page.
fn close(model: &mut Model) {
    if shows_editor(model) {
        editor::move_on_ladders(model, -1, 0);
    } else {
        model.pages.pop();
    }
}

fn filter(model: &mut Model) {
    model.focus = Pane::Cohort;
    let line = model.cohort.filter.clone();
    let gap = if line.is_empty() { "" } else { " " };
    model.cohort.typing = Some(LineInput::new(&format!("{line}{gap}")));
}

fn filter_key(model: &mut Model, key: KeyEvent) -> Vec<Request> {
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

fn page_lines(model: &Model) -> isize {
    let places = model.places();
    let rect = if model.pages.is_empty() { places.of(model.focus) } else { Some(places.body) };
    rect.map_or(1, |r| r.height.saturating_sub(5).max(1)) as isize
}

/// Moves the cursor or the page by lines; `isize::MIN` and `MAX` go to the ends.
pub fn scroll(model: &mut Model, by: isize) {
    if shows_editor(model) {
        return editor::move_on_ladders(model, 0, by.clamp(-8, 8));
    }
    if let Some(page) = model.pages.last_mut() {
        let most =
            page
            .items(&model.picture, &model.history, &model.learning)
            .map_or(model.scroll_max, |n| n.saturating_sub(1));
        page.at = page.at.min(most).saturating_add_signed(by).min(most);
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

fn enter(model: &mut Model) -> Vec<Request> {
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
fn who_stands(model: &mut Model) {
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
        Target::Resume(only) => dialogs::ask(model, asking::Wanted::Resume(only)),
        target => {
            if let Some(what) = target.page() {
                open(model, what);
            }
        }
    }
    Vec::new()
}

fn set_filter(model: &mut Model, line: &str) {
    line.clone_into(&mut model.cohort.filter);
    model.focus = Pane::Cohort;
    model.zoomed = false;
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
