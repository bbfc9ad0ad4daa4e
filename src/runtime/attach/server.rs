//! The side of the process that runs the campaign: one task per console, none of which the loop ever waits for.

use super::control::{ConsoleId, Control};
use super::place;
use super::seat::{InControl, refusal, sits};
use super::wire::{self, Answer, Asked, Hello, Lines, PROTOCOL, Pen, Told, Welcome};
use crate::clock::{self, Clock};
use crate::engine::order::Who;
use crate::runtime::feed::Feed;
use crate::runtime::handle::{Command, Handle, Level, Notice};
use crate::runtime::operator;
use crate::runtime::store::Store;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Sleep;

/// Consoles at once; more is a loop that attaches, not a team.
const CONSOLES_MAX: usize = 32;

/// For a console to say who it is.
const GREETING: Duration = Duration::from_secs(5);

/// A console that takes nothing for so long is let go; it attaches again by itself once it is awake.
const STUCK: Duration = Duration::from_secs(20);

/// Between two places of the log that one console is told: no screen draws faster.
const PACE: Duration = Duration::from_millis(33);

/// For farewells when the process ends.
const FAREWELL: Duration = Duration::from_millis(500);

/// After an `accept` that failed (no file handles left), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// Letters of a machine's and a terminal's name that are kept.
const NAME: usize = 64;

/// Notices that may wait for a console that draws.
const NOTICES: usize = 64;

/// What a process lends to the consoles that look into it.
#[derive(Debug)]
pub struct Host {
    /// `cascade run`
    program: &'static str,
    /// Where its own commands go.
    commands: mpsc::Sender<Command>,
    /// For its own screen or log.
    own: mpsc::Sender<Notice>,
    /// For every console.
    all: broadcast::Sender<Notice>,
    /// Who sits at this process's own screen, and stays in control.
    sits: Option<Who>,
}

/// Listening; ends with its last handle.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    ended: watch::Sender<Option<String>>,
    task: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    host: Host,
    feed: Feed,
    clock: Clock,
    control: watch::Sender<Control>,
    user: u32,
}

impl Host {
    /// Lends what `handle` holds; notices come there as before, and to the consoles as well.
    pub fn of(program: &'static str, handle: &mut Handle, sits: Option<Who>) -> Self {
        let (own, screen) = mpsc::channel(NOTICES);
        let (all, _) = broadcast::channel(NOTICES);
        let told = std::mem::replace(&mut handle.notices, screen);
        tokio::spawn(tee(told, own.clone(), all.clone()));
        Self { program, commands: handle.commands.clone(), own, all, sits }
    }

    /// Listens beside the store, and writes into its lock where.
    pub fn open(self, store: &Store, feed: Feed, clock: Clock) -> io::Result<Server> {
        let user = place::own_user()?;
        let (listener, path) = place::listen(store.path(), user)?;
        store.announce(self.program, Some(&path)).map_err(io::Error::other)?;
        let sits = self.sits.clone().map(|who| Control::of_our_own(who, clock::wall_at()));
        let control = watch::Sender::new(sits.unwrap_or_default());
        let shared = Arc::new(Shared { host: self, feed, clock, control, user });
        let (ended, watching) = watch::channel(None);
        let task = Some(tokio::spawn(accept(listener, shared, watching)));
        Ok(Server { path, ended, task })
    }
}

/// A full queue is that reader's loss: the log has every notice.
async fn tee(mut told: mpsc::Receiver<Notice>, own: mpsc::Sender<Notice>, all: broadcast::Sender<Notice>) {
    while let Some(notice) = told.recv().await {
        let _ = all.send(notice.clone());
        let _ = own.try_send(notice);
    }
}

impl Server {
    /// Says farewell to everybody and takes the socket away.
    pub async fn close(mut self, why: &str) {
        self.ended.send_replace(Some(why.to_owned()));
        if let Some(task) = self.task.take()
            && tokio::time::timeout(FAREWELL, task).await.is_err()
        {
            tracing::debug!("a console did not take its farewell");
        }
    }
}

impl Drop for Server {
    /// Whoever comes now is not to wait for a process that ends.
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket was gone already");
        }
    }
}

async fn accept(listener: UnixListener, shared: Arc<Shared>, mut ended: watch::Receiver<Option<String>>) {
    let mut consoles = JoinSet::new();
    let mut last: ConsoleId = 0;
    loop {
        tokio::select! {
            _ = over(&mut ended) => break,
            Some(_) = consoles.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    last += 1;
                    let full = consoles.len() >= CONSOLES_MAX;
                    let console = Console { id: last, shared: Arc::clone(&shared), who: Who::default() };
                    consoles.spawn(console.serve(socket, full, ended.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a console could not be let in");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    while consoles.join_next().await.is_some() {}
}

/// One console, as long as it is attached.
struct Console {
    id: ConsoleId,
    shared: Arc<Shared>,
    who: Who,
}

impl Drop for Console {
    /// Whatever ends it, a kill included: control is free again.
    fn drop(&mut self) {
        let id = self.id;
        self.shared.control.send_if_modified(|control| control.leave(id));
    }
}

impl Console {
    async fn serve(mut self, socket: UnixStream, full: bool, ended: watch::Receiver<Option<String>>) {
        match socket.peer_cred() {
            Ok(peer) if peer.uid() == self.shared.user => {}
            Ok(peer) => return tracing::warn!(user = peer.uid(), "another user's console was turned away"),
            Err(error) => return tracing::warn!(%error, "a console without a user was turned away"),
        }
        let (mut lines, mut pen) = wire::lines(socket);
        let greeted = tokio::time::timeout(GREETING, self.greet(&mut lines, &mut pen, full)).await;
        match greeted {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return,
            Ok(Err(error)) => return tracing::warn!(%error, "a console did not say who it is"),
            Err(_) => return tracing::warn!("a console did not say in time who it is"),
        }
        let control = self.shared.control.subscribe();
        let (id, now) = (self.id, clock::wall_at());
        self.shared
            .control
            .send_if_modified(|control| control.holder().is_none() && control.claim(id, &self.who, now));
        self.note(format!("{} attached", sits(&self.who)));
        let (mine, own) = mpsc::channel(16);
        let talk = Talk { console: &self, control, own, ended, before: None };
        let left = tokio::select! {
            left = talk.run(&mut pen) => left,
            left = self.listen(&mut lines, mine) => left,
        };
        match left {
            Ok(()) => self.note(format!("{} detached", sits(&self.who))),
            Err(error) => self.note(format!("{} detached ({error})", sits(&self.who))),
        }
    }

    /// Whether it may come in.
    async fn greet(&mut self, lines: &mut Lines, pen: &mut Pen, full: bool) -> io::Result<bool> {
        let Some(hello): Option<Hello> = wire::hear(lines).await? else { return Ok(false) };
        self.who = sitting(hello.who);
        let refused = if hello.protocol != PROTOCOL {
            Some(format!(
                "this console is cascade {} and the campaign is run by cascade {} (process {}): they do not \
                 understand each other. Start the console that belongs to it, or start it again with the newer one",
                crate::model::clean(&hello.version),
                wire::version(),
                std::process::id()
            ))
        } else if full {
            Some(format!("{CONSOLES_MAX} consoles are attached already; leave one of them"))
        } else {
            None
        };
        if let Some(why) = refused {
            wire::say(pen, &Answer::Refused { why }).await?;
            return Ok(false);
        }
        let welcome = Welcome {
            protocol: PROTOCOL,
            version: wire::version(),
            program: self.shared.host.program.to_owned(),
            process: std::process::id(),
            place: (*self.shared.feed.place).clone(),
        };
        wire::say(pen, &Answer::Welcome(Box::new(welcome))).await?;
        Ok(true)
    }

    /// Takes what it asks, until it is gone.
    async fn listen(&self, lines: &mut Lines, mine: mpsc::Sender<Notice>) -> io::Result<()> {
        while let Some(asked) = wire::hear(lines).await? {
            let refused = match asked {
                Asked::Command(mut command) => match self.may(&command) {
                    Ok(()) => {
                        command.sign(&self.who);
                        // The loop is gone only when the process ends.
                        let _ = self.shared.host.commands.send(command).await;
                        continue;
                    }
                    Err(why) => why,
                },
                Asked::TakeControl => match self.take() {
                    Ok(()) => continue,
                    Err(why) => why,
                },
                Asked::GiveControl => {
                    self.shared.control.send_if_modified(|control| control.leave(self.id));
                    continue;
                }
            };
            // A console that does not read its own refusals shall not keep its own hold waiting either.
            let _ = mine.try_send(Notice { level: Level::Warning, text: format!("not done: {refused}") });
        }
        Ok(())
    }

    /// Everybody may hold; the rest is for whoever is in control, and whoever acts while nobody is has it.
    fn may(&self, command: &Command) -> Result<(), String> {
        if command.holds_all() {
            return Ok(());
        }
        let mut refused = None;
        self.shared.control.send_if_modified(|control| {
            let before = control.clone();
            if !control.claim(self.id, &self.who, clock::wall_at()) {
                refused = control.holder().cloned();
            }
            *control != before
        });
        match refused {
            None => Ok(()),
            Some(holder) => {
                Err(refusal(&holder.who, holder.since, holder.console.is_none(), self.shared.feed.zone()))
            }
        }
    }

    fn take(&self) -> Result<(), String> {
        let mut taken = Ok(None);
        self.shared.control.send_modify(|control| {
            taken = control.take(self.id, &self.who, clock::wall_at());
        });
        match taken {
            Ok(from) => {
                let from = from.map(|holder| format!(" from {}", sits(&holder.who)));
                self.note(format!("{} took control{}", sits(&self.who), from.unwrap_or_default()));
                Ok(())
            }
            Err(own) => Err(refusal(&own.who, own.since, true, self.shared.feed.zone())),
        }
    }

    /// For the process's own screen or stderr, and for the log.
    fn note(&self, text: String) {
        tracing::info!("{text}");
        let _ = self.shared.host.own.try_send(Notice { level: Level::Info, text });
    }
}

/// Who sits at a console, as it told it, fit to be shown. The user is ours to name, since only the owner may attach.
fn sitting(told: Who) -> Who {
    let short = |text: &str| crate::model::clean(text).chars().take(NAME).collect::<String>();
    Who { user: operator::here().user, host: short(&told.host), tty: told.tty.as_deref().map(short) }
}

/// What one console is told.
struct Talk<'c> {
    console: &'c Console,
    control: watch::Receiver<Control>,
    own: mpsc::Receiver<Notice>,
    ended: watch::Receiver<Option<String>>,
    /// Who was in control when it was told last.
    before: Option<InControl>,
}

impl Talk<'_> {
    async fn run(mut self, pen: &mut Pen) -> io::Result<()> {
        let shared = &self.console.shared;
        let mut notices = shared.host.all.subscribe();
        let mut standing = shared.feed.standing.subscribe();
        let mut clock = shared.clock.changes();
        let (mut gate, mut beside): (Option<Pin<Box<Sleep>>>, _) = (None, None);
        standing.mark_changed();
        clock.mark_changed();
        self.control.mark_changed();
        loop {
            tokio::select! {
                biased;
                why = over(&mut self.ended) => return tell(pen, &Told::Bye { why }).await,
                Some(notice) = self.own.recv() => tell(pen, &Told::Notice(notice)).await?,
                Ok(()) = self.control.changed() => self.tell_control(pen).await?,
                Ok(()) = clock.changed() => {
                    if let Some(reading) = shared.clock.reading() {
                        tell(pen, &Told::Clock(reading)).await?;
                    }
                }
                Some(notice) = heard(&mut notices) => tell(pen, &Told::Notice(notice)).await?,
                () = opened(&mut gate) => gate = None,
                Ok(()) = standing.changed(), if gate.is_none() => {
                    let now = standing.borrow_and_update().clone();
                    if beside.as_ref().is_none_or(|told| !Arc::ptr_eq(told, &now.beside)) {
                        tell(pen, &Told::Beside(Arc::clone(&now.beside))).await?;
                        beside = Some(Arc::clone(&now.beside));
                    }
                    let heard_s = shared.feed.hearing.ears().iter().map(|ear| ear.heard_s).collect();
                    tell(pen, &Told::Log { seq: now.seq, anew: now.anew, heard_s }).await?;
                    gate = Some(Box::pin(tokio::time::sleep(PACE)));
                }
            }
        }
    }

    /// Who is in control; whoever lost it or came by it is told so in words.
    async fn tell_control(&mut self, pen: &mut Pen) -> io::Result<()> {
        let id = self.console.id;
        let control = self.control.borrow_and_update().clone();
        let now = match control.holder() {
            _ if control.is(id) => InControl::Us,
            None => InControl::Nobody,
            Some(holder) => InControl::Another {
                who: holder.who.clone(),
                since: holder.since,
                for_good: holder.console.is_none(),
            },
        };
        let words = match (&self.before, &now) {
            (Some(InControl::Us), InControl::Another { who, .. }) => Some((
                Level::Warning,
                format!("{} took control; you read. :take-control takes it back", sits(who)),
            )),
            (Some(InControl::Nobody | InControl::Another { .. }), InControl::Us) => {
                Some((Level::Info, "you are in control; :give-control gives it back".to_owned()))
            }
            (Some(InControl::Us | InControl::Another { .. }), InControl::Nobody) => {
                Some((Level::Info, "nobody is in control: whoever acts first is".to_owned()))
            }
            (Some(InControl::Nobody), InControl::Another { who, .. }) => {
                Some((Level::Info, format!("{} is in control now", sits(who))))
            }
            (Some(InControl::Another { who: before, .. }), InControl::Another { who, .. })
                if before != who =>
            {
                Some((Level::Info, format!("{} took control from {}", sits(who), sits(before))))
            }
            _ => None,
        };
        self.before = Some(now.clone());
        tell(pen, &Told::Control { by: now }).await?;
        match words {
            Some((level, text)) => tell(pen, &Told::Notice(Notice { level, text })).await,
            None => Ok(()),
        }
    }
}

/// The next notice; those that came faster than they were taken are counted in its place.
async fn heard(notices: &mut broadcast::Receiver<Notice>) -> Option<Notice> {
    match notices.recv().await {
        Ok(notice) => Some(notice),
        Err(broadcast::error::RecvError::Lagged(missed)) => {
            let text =
                format!("{missed} notices came faster than this console took them; .cascade/log has them");
            Some(Notice { level: Level::Warning, text })
        }
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

/// Resolves when the process ends, with how it does.
async fn over(ended: &mut watch::Receiver<Option<String>>) -> String {
    // A dropped sender means the same.
    let ended = ended.wait_for(Option::is_some).await.ok();
    ended.and_then(|why| why.clone()).unwrap_or_else(|| "ended".into())
}

/// Resolves when a set gate opens; never without one.
async fn opened(gate: &mut Option<Pin<Box<Sleep>>>) {
    match gate {
        Some(gate) => gate.await,
        None => std::future::pending().await,
    }
}

/// Tells one thing, or gives the console up.
async fn tell(pen: &mut Pen, told: &Told) -> io::Result<()> {
    let stuck = || format!("it took nothing for {} s; it attaches again by itself", STUCK.as_secs());
    let said = tokio::time::timeout(STUCK, wire::say(pen, told)).await;
    said.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, stuck())))
}
