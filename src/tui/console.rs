//! The loop: waits for keys, pictures, notices, the next due frame and the end; empties what is there; draws once.
//!
//! Keys, clicks and resizes are drawn at once. Everything else is drawn on change, at most 30 times a second: a
//! gate shuts after each frame, and pictures are not even looked at before it opens again, so that thousands of
//! commits a second cost the screen 30 wake-ups. When nothing changes and no countdown is visible, nothing wakes.

use super::interrupts::Interrupt;
use super::model::Model;
use super::theme::Theme;
use super::update::{Msg, Request, update};
use super::{Error, Exit, Options, aside, cells, editor, view};
use crate::clock;
use crate::model::CascadeId;
use crate::runtime::handle::{Command, Handle, Notice, Previewed, Signature, TimelineEntry};
use crate::runtime::saving::Refusal;
use futures::FutureExt;
use futures::future::{BoxFuture, poll_immediate};
use futures::stream::{FuturesUnordered, Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::crossterm::event::Event;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Permit;
use tokio::sync::oneshot;
use tokio::time::Sleep;

/// Between two frames that no key asked for: 30 a second.
const FRAME: Duration = Duration::from_millis(33);
/// A countdown ticks once a campaign second, but never faster or slower than this by the wall.
const TICKS: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(1);

/// What is done beside the loop, and the message it ends in.
type Aside = BoxFuture<'static, Option<Msg>>;
type History = BoxFuture<'static, (CascadeId, Option<Vec<Arc<TimelineEntry>>>)>;

/// The running screen.
pub(super) struct Console<'t, B: Backend> {
    terminal: &'t mut Terminal<B>,
    handle: Handle,
    model: Model,
    theme: Theme,
    set_mouse: fn(bool) -> io::Result<()>,
    /// Asked, but not yet taken by the engine: nothing the operator says gets lost when it is busy.
    outbox: VecDeque<Command>,
    histories: FuturesUnordered<History>,
    /// Reading, judging and keeping drafts: files and long texts are no work for this thread.
    asides: FuturesUnordered<Aside>,
    workspace: Option<PathBuf>,
    engine_lives: bool,
    /// A picture has come that no frame has shown.
    picture_waits: bool,
    notices_come: bool,
    leaving: Option<Exit>,
    /// Pages over the panes in the last frame.
    pages: usize,
    /// Cells of the last frame that lie under wide letters.
    covered: Vec<Position>,
}

/// What woke the loop.
enum Woke<'c> {
    Interrupt(Interrupt),
    /// `None`: no more keys will ever come.
    Input(Option<io::Result<Event>>),
    /// The engine takes one more command, or is gone.
    Room(Option<Permit<'c, Command>>),
    Notice(Option<Notice>),
    History(CascadeId, Option<Vec<Arc<TimelineEntry>>>),
    Aside(Option<Msg>),
    /// A new one, or (`false`) never again.
    Picture(bool),
    Gate,
    Tick,
}

/// When the next frame is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Draw {
    AtOnce,
    Soon,
    No,
}

impl<'t, B: Backend> Console<'t, B> {
    pub(super) fn new(
        terminal: &'t mut Terminal<B>,
        mut handle: Handle,
        options: Options,
        set_mouse: fn(bool) -> io::Result<()>,
    ) -> Result<Self, Error> {
        let Options { theme, mouse, workspace } = options;
        let size = terminal.size().map_err(Error::drawing)?;
        let area = Rect::new(0, 0, size.width, size.height);
        let picture = Arc::clone(&handle.picture.borrow_and_update());
        let model = Model::new(picture, area, handle.clock.now(), mouse);
        Ok(Self {
            terminal,
            handle,
            model,
            theme,
            set_mouse,
            outbox: VecDeque::new(),
            histories: FuturesUnordered::new(),
            asides: FuturesUnordered::new(),
            workspace,
            engine_lives: true,
            picture_waits: false,
            notices_come: true,
            leaving: None,
            pages: 0,
            covered: Vec::new(),
        })
    }

    /// Runs until somebody leaves. The engine is told to end whatever the reason.
    pub(super) async fn run<E, I>(mut self, events: E, interrupts: I) -> Result<Exit, Error>
    where
        E: Stream<Item = io::Result<Event>> + Unpin,
        I: Stream<Item = Interrupt> + Unpin,
    {
        if editor::looks_for_drafts(&mut self.model) {
            self.asides.push(aside::of(Request::Found, self.workspace.clone(), None));
        }
        self.asides.push(aside::on_disk(self.workspace.clone(), None));
        self.asides.push(aside::of(Request::Forge, self.workspace.clone(), None));
        let result = self.watch(events, interrupts).await;
        if self.model.keeps_drafts() {
            aside::keep_all(&self.model.desk, self.workspace.as_deref()).await;
        }
        self.outbox.push_back(Command::Quit);
        for command in self.outbox.drain(..) {
            // A receiver that is gone has ended already.
            if self.handle.commands.send(command).await.is_err() {
                break;
            }
        }
        result
    }

    async fn watch<E, I>(&mut self, mut events: E, mut interrupts: I) -> Result<Exit, Error>
    where
        E: Stream<Item = io::Result<Event>> + Unpin,
        I: Stream<Item = Interrupt> + Unpin,
    {
        let mut gate: Option<Pin<Box<Sleep>>> = None;
        let mut tick: Option<Pin<Box<Sleep>>> = None;
        let mut due = Draw::AtOnce;
        let commands = self.handle.commands.clone();
        loop {
            if due == Draw::AtOnce || (due == Draw::Soon && gate.is_none()) {
                self.draw()?;
                gate = Some(Box::pin(tokio::time::sleep(FRAME)));
                tick = self.tick().map(|period| Box::pin(tokio::time::sleep(period)));
                due = Draw::No;
            }
            let woke = tokio::select! {
                biased;
                Some(interrupt) = interrupts.next() => Woke::Interrupt(interrupt),
                event = events.next() => Woke::Input(event),
                room = commands.reserve(), if !self.outbox.is_empty() => Woke::Room(room.ok()),
                notice = self.handle.notices.recv(), if self.notices_come => Woke::Notice(notice),
                Some(done) = self.asides.next() => Woke::Aside(done),
                Some((cascade, entries)) = self.histories.next() => Woke::History(cascade, entries),
                changed = self.handle.picture.changed(), if self.engine_lives && gate.is_none() => {
                    Woke::Picture(changed.is_ok())
                }
                () = due_now(&mut gate) => Woke::Gate,
                () = due_now(&mut tick) => Woke::Tick,
            };
            match woke {
                Woke::Gate => gate = None,
                Woke::Tick => tick = None,
                _ => {}
            }
            let asked = self.take_in(woke, &mut events).await;
            if let Some(exit) = self.leaving.take() {
                return Ok(exit);
            }
            due = if due == Draw::No || asked == Draw::AtOnce { asked } else { due };
        }
    }

    async fn take_in<E>(&mut self, woke: Woke<'_>, events: &mut E) -> Draw
    where
        E: Stream<Item = io::Result<Event>> + Unpin,
    {
        match woke {
            Woke::Interrupt(interrupt) => self.leaving = Some(Exit::Interrupted(interrupt)),
            Woke::Input(event) => return self.drain(event, events).await,
            Woke::Room(Some(permit)) => {
                if let Some(command) = self.outbox.pop_front() {
                    permit.send(command);
                }
            }
            Woke::Room(None) => self.outbox.clear(),
            Woke::Notice(Some(notice)) => return self.take(Msg::Notice(notice), Draw::Soon),
            Woke::Notice(None) => self.notices_come = false,
            Woke::Aside(Some(msg)) => return self.take(msg, Draw::Soon),
            Woke::History(cascade, Some(entries)) => {
                return self.take(Msg::History(cascade, entries), Draw::Soon);
            }
            Woke::Picture(true) => {
                self.picture_waits = true;
                return Draw::Soon;
            }
            Woke::Picture(false) => {
                self.engine_lives = false;
                return self.take(Msg::EngineGone, Draw::Soon);
            }
            // What a save would do grows old while it is looked at.
            Woke::Tick if self.model.review.is_some() => return self.take(Msg::Tick, Draw::Soon),
            Woke::Tick => return Draw::Soon,
            Woke::History(_, None) | Woke::Aside(None) | Woke::Gate => {}
        }
        Draw::No
    }

    /// Takes in an event and all that are there behind it, so that a pasted or held key costs one frame.
    async fn drain<E>(&mut self, first: Option<io::Result<Event>>, events: &mut E) -> Draw
    where
        E: Stream<Item = io::Result<Event>> + Unpin,
    {
        let mut next = Some(first);
        while let Some(event) = next {
            let Some(Ok(event)) = event else {
                // No more keys will ever come: nobody could hold or leave any more.
                self.draw_last();
                self.leaving = Some(Exit::Interrupted(Interrupt::Closed));
                return Draw::No;
            };
            let msg = match event {
                Event::Key(key) => Some(Msg::Key(key)),
                Event::Mouse(mouse) => Some(Msg::Mouse(mouse, clock::wall())),
                Event::Paste(text) => Some(Msg::Paste(text)),
                Event::Resize(width, height) => Some(Msg::Resize(width, height)),
                Event::FocusGained | Event::FocusLost => None,
            };
            if let Some(msg) = msg {
                self.take(msg, Draw::AtOnce);
            }
            if self.leaving.is_some() {
                return Draw::No;
            }
            // Polled with this task's own waker: the terminal's stream keeps the first one it is given, and one
            // that wakes nobody would leave us deaf to every later key.
            next = poll_immediate(events.next()).await;
        }
        Draw::AtOnce
    }

    fn take(&mut self, msg: Msg, draw: Draw) -> Draw {
        for request in update(&mut self.model, msg) {
            match request {
                Request::Ask(order, why) => {
                    let signature = self.signature();
                    self.outbox.push_back(Command::Order { order, signature, why });
                }
                Request::Launch => self.outbox.push_back(Command::Launch(self.signature())),
                Request::History(cascade) => {
                    let (answer, read) = oneshot::channel();
                    self.outbox.push_back(Command::History(cascade, answer));
                    self.histories.push(read.map(move |entries| (cascade, entries.ok())).boxed());
                }
                Request::Mouse(on) => {
                    if let Err(why) = (self.set_mouse)(on) {
                        tracing::warn!(%why, "the mouse could not be switched");
                    }
                }
                Request::Control(take) => {
                    let asked = self.handle.control.as_ref().map(|control| control.try_send(take));
                    if let Some(Err(why)) = asked {
                        tracing::warn!(%why, "control could not be asked for");
                    }
                }
                Request::Leave => self.leaving = Some(Exit::Key),
                Request::Preview(asked, wanted) => {
                    let gone = || Err(Refusal::new("the engine has ended"));
                    let take =
                        move |found: Option<Previewed>| Msg::Previewed(asked, found.unwrap_or_else(gone));
                    self.question(|answer| Command::Preview(wanted, answer), take);
                }
                Request::Save { preview, choice, why, include } => {
                    let signature = self.signature();
                    self.outbox.push_back(Command::Save { preview, choice, why, include, signature });
                }
                Request::DropSaved => self.outbox.push_back(Command::DropSaved(self.signature())),
                Request::Versions => {
                    self.question(Command::Versions, |found| Msg::Versions(found.unwrap_or_default()));
                }
                Request::VersionFiles(hash) => {
                    let of = hash.clone();
                    let take = move |found: Option<_>| Msg::VersionFiles(of, found.unwrap_or_default());
                    self.question(|answer| Command::VersionFiles(hash, answer), take);
                }
                Request::Learn => {
                    let asked = clock::wall();
                    let took = move || clock::wall().duration_since(asked);
                    self.question(Command::Learn, move |found| Msg::Learnt(found, took()));
                }
                Request::LearnLater(rest) => {
                    let rested = tokio::time::sleep(rest).map(|()| Some(Msg::LearnAgain));
                    self.asides.push(rested.boxed());
                }
                Request::Bench
                | Request::Check { .. }
                | Request::Keep(_)
                | Request::Found
                | Request::Customer(..)
                | Request::Forge
                | Request::ForgeLater
                | Request::Propose(_)
                | Request::Watch(_) => {
                    self.asides.push(aside::of(
                        request,
                        self.workspace.clone(),
                        self.model.desk.bench.clone(),
                    ));
                }
            }
        }
        draw
    }

    /// Asks the engine; what it answers comes back as a message.
    fn question<T: Send + 'static>(
        &mut self,
        ask: impl FnOnce(oneshot::Sender<T>) -> Command,
        take: impl FnOnce(Option<T>) -> Msg + Send + 'static,
    ) {
        let (answer, read) = oneshot::channel();
        self.outbox.push_back(ask(answer));
        self.asides.push(read.map(move |found| Some(take(found.ok()))).boxed());
    }

    fn signature(&self) -> Signature {
        let campaign = self.model.picture.snapshot.campaign.as_ref().map(|campaign| campaign.id);
        Signature::now(self.handle.operator.clone(), campaign)
    }

    /// How long until a visible countdown must move; `None`: nothing counts.
    fn tick(&self) -> Option<Duration> {
        let counts = self.model.counts_down() && self.handle.clock.is_running();
        let second = Duration::from_secs_f64(1.0 / self.handle.clock.speed().max(0.001));
        counts.then(|| second.clamp(*TICKS.start(), *TICKS.end()))
    }

    fn draw(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.picture_waits) || self.handle.picture.has_changed().unwrap_or(false) {
            let picture = Arc::clone(&self.handle.picture.borrow_and_update());
            self.take(Msg::Picture(picture), Draw::No);
        }
        let size = self.terminal.size().map_err(Error::drawing)?;
        if (size.width, size.height) != (self.model.area.width, self.model.area.height) {
            self.take(Msg::Resize(size.width, size.height), Draw::No);
        }
        (self.model.now, self.model.speed) = (self.handle.clock.now(), self.handle.clock.speed());
        // Marks of some scripts outlive their letters on terminals that place them elsewhere than we think: what is
        // wholly new is drawn anew.
        if self.model.pages.len() != self.pages {
            self.pages = self.model.pages.len();
            // Every cell is written, blanks too. Not `Terminal::clear`: that asks the terminal where its cursor is,
            // and our own reader takes the answer.
            let unlike_any = Style::new().add_modifier(Modifier::HIDDEN);
            let buffer = self.terminal.current_buffer_mut();
            buffer.set_style(buffer.area, unlike_any);
            self.terminal.swap_buffers();
        }
        let (model, theme, covered) = (&self.model, &self.theme, std::mem::take(&mut self.covered));
        let mut drawn = view::Drawn::default();
        let frame = self.terminal.draw(|frame| {
            drawn = view::draw(model, theme, frame);
            cells::rewrite(frame.buffer_mut(), &covered);
        });
        self.covered = cells::covered(frame.map_err(Error::drawing)?.buffer);
        self.model.scroll_max = drawn.scroll_max;
        self.model.desk.area = drawn.text;
        Ok(())
    }

    /// The final state, for a screen that may still be looked at; it may be gone already.
    fn draw_last(&mut self) {
        if let Err(why) = self.draw() {
            tracing::debug!(%why, "the last frame could not be drawn");
        }
    }
}

/// Resolves when a set sleep is over; never without one.
async fn due_now(sleep: &mut Option<Pin<Box<Sleep>>>) {
    match sleep {
        Some(sleep) => sleep.await,
        None => std::future::pending().await,
    }
}
