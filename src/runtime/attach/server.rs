//! The side of the process that runs the campaign: one task per console, none of which the loop ever waits for.

use super::console::Console;
use super::control::{ConsoleId, Control};
use super::place;
use crate::clock::{self, Clock};
use crate::engine::order::Who;
use crate::runtime::feed::Feed;
use crate::runtime::handle::{Command, Handle, Notice};
use crate::runtime::store::Store;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

/// Consoles at once; more is a loop that attaches, not a team.
pub(super) const CONSOLES_MAX: usize = 32;

/// For farewells when the process ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// After an `accept` that failed (no file handles left), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// Notices that may wait for a console that draws.
const NOTICES: usize = 64;

/// What a process lends to the consoles that look into it.
#[derive(Debug)]
pub struct Host {
    /// `cascade run`
    pub(super) program: &'static str,
    /// Where its own commands go.
    pub(super) commands: mpsc::Sender<Command>,
    /// For its own screen or log.
    pub(super) own: mpsc::Sender<Notice>,
    /// For every console.
    pub(super) all: broadcast::Sender<Notice>,
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

/// What all consoles share.
#[derive(Debug)]
pub(super) struct Shared {
    pub host: Host,
    pub feed: Feed,
    pub clock: Clock,
    pub control: watch::Sender<Control>,
    /// Whose consoles are let in.
    pub user: u32,
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
                    let console = Console::new(last, Arc::clone(&shared));
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

/// Resolves when the process ends, with how it does.
pub(super) async fn over(ended: &mut watch::Receiver<Option<String>>) -> String {
    // A dropped sender means the same.
    let ended = ended.wait_for(Option::is_some).await.ok();
    ended.and_then(|why| why.clone()).unwrap_or_else(|| "ended".into())
}
