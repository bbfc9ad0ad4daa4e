//! Building the parts and joining them: store, clock, sandbox, receiver, clients, driver. In this order, so that
//! we can hear before we can speak.

use super::attach::{Host, Server};
use super::closing::Ended;
use super::handle::{Command, Level, Notice, Picture};
use super::junction::{Junction, Seams};
use super::plan::Draw;
use super::rehearsal::{self, Rehearsed};
use super::set_up::Clients;
use super::store::{Lock, Store, StoreError};
use super::{parts, proof};
use crate::clock::Clock;
use crate::config::Config;
use crate::model::{At, Failure, Mode};
use crate::sandbox::{Sandbox, SandboxError};
use crate::workspace::{Unusable, Workspace};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// What a command asks for.
#[derive(Debug)]
pub struct Options {
    /// Opened, settings read.
    pub workspace: Workspace,
    /// `--db`
    pub db: Option<PathBuf>,
    /// Who is drawn for a launch.
    pub draw: Draw,
    /// Campaign seconds a wall second.
    pub speed: f64,
    /// A campaign in flight goes on at the speed it was launched with.
    pub as_before: bool,
    /// When a rehearsal begins.
    pub start: Option<At>,
    /// Another process's sandbox.
    pub sandbox: Option<String>,
    /// What is to be done with it.
    pub purpose: Purpose,
    /// Consoles of other processes may look in.
    pub host: Option<Host>,
}

/// What the parts are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An operator decides.
    Console,
    /// Go on, and stay up for consoles that attach.
    Run,
    /// Launch at once, and end when nothing can go on.
    Pilot,
    /// Go on, and end when nothing can go on.
    Resume,
}

/// The runtime's ends of a console's [`super::handle::Handle`].
#[derive(Debug)]
pub struct Wires {
    /// Pictures.
    pub picture: watch::Sender<Arc<Picture>>,
    /// What the operator asks.
    pub commands: mpsc::Receiver<Command>,
    /// What the operator is told.
    pub notices: mpsc::Sender<Notice>,
    /// Campaign time; set and started here.
    pub clock: Clock,
}

/// Why it did not come up; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Rules, content, settings or list.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sandbox in this process.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The sandbox of another process.
    #[error("{0}")]
    OtherSandbox(String),
    /// The receiver's address.
    #[error("the webhook receiver cannot listen on {addr}: {source}; set [webhooks] listen to a free port")]
    Listen {
        /// Where.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A provider refused the set-up.
    #[error("{}", super::set_up::refused(.0))]
    SetUp(Box<Failure>),
    /// Nothing is in flight.
    #[error("nothing is in flight here; `cascade pilot` launches a pilot")]
    NothingToResume,
    /// Something is, and a launch was asked for.
    #[error(
        "{name} has {open} customers under way here: go on with `cascade resume`, end it for good in the console \
         (`:stop-campaign`)"
    )]
    InFlight {
        /// The campaign.
        name: String,
        /// Customers under way.
        open: u64,
    },
    /// No token for asking ourselves whether we can be reached.
    #[error("the system has no random numbers to give: {0}; nothing is sent without them")]
    Random(getrandom::Error),
    /// The store was restored, and what was lost is not reconciled.
    #[error(
        "{0}. Whoever was contacted in what is lost may be contacted again: launch from the console, which says so"
    )]
    Restored(String),
    /// A launch was asked for and may not be.
    #[error("not launched: {0}")]
    Blocked(String),
}

/// Everything, up and joined.
#[derive(Debug)]
pub struct Running {
    /// Ends with the loop.
    pub driver: JoinHandle<Ended>,
    receiver: parts::Receiver,
    sandbox: Option<Sandbox>,
    server: Option<Server>,
    /// In live: no other process sends from this workspace.
    alone: Option<Lock>,
}

impl Running {
    /// Waits for the loop, then takes the rest down.
    pub async fn ended(self) -> Option<Ended> {
        let ended = self.driver.await.ok();
        if let Some(server) = self.server {
            server.close("ended, everything is saved").await;
        }
        self.receiver.stop.send_replace(true);
        // A receiver that panicked has been logged; there is nothing left to save.
        let _ = self.receiver.task.await;
        if let Some(sandbox) = self.sandbox {
            sandbox.shutdown().await;
        }
        // The loop is over, and with it every request: the next one may send.
        drop(self.alone);
        ended
    }
}

/// Brings everything up, in this order: so that we can hear before we can speak.
pub async fn boot(options: Options, wires: Wires) -> Result<Running, BootError> {
    let Options { workspace, db, draw, speed, as_before, start, sandbox, purpose, host } = options;
    let mode = workspace.config.as_ref().map_or(Mode::Rehearsal, |config| config.mode);
    let mut junction = Junction::new(wires, parts::place(&workspace, mode));
    let clock = junction.clock.clone();
    junction.starting("opening the store");
    let (store, loaded, in_flight) = parts::open_store(&workspace, db.as_deref(), mode, purpose)?;
    for text in store.warnings().to_vec() {
        let _ = junction.notices().try_send(Notice { level: Level::Error, text });
    }
    let alone = parts::alone(&workspace, &store, mode)?;
    let server = host.and_then(|host| let_in(host, &store, &junction));
    junction.starting("reading customers");
    let (files, drawn) = (workspace.clone(), draw.clone());
    let plan = parts::read_plan(workspace.clone(), draw, speed, purpose).await?;
    let base = plan.as_ref().ok().map(|plan| plan.ready.config.clone());
    let base = base.or(workspace.config).unwrap_or_else(Config::rehearsal_defaults);
    junction.starting("starting the sandbox");
    let asked = rehearsal::Asked {
        start,
        sandbox: sandbox.as_deref(),
        memory: match &db {
            None => store.path().with_file_name("sandbox.db"),
            Some(db) => db.with_extension("sandbox.db"),
        },
        customers: parts::cohort(&loaded, plan.as_ref().ok()),
        seed: parts::seed(&loaded, in_flight, plan.as_ref().ok()),
    };
    let rehearsed = match mode {
        Mode::Rehearsal => rehearsal::prepare(asked, &base, &loaded, &clock).await?,
        Mode::Live => Rehearsed::live(base),
    };
    let receiver = parts::receive(&rehearsed.config, &store, &loaded, mode, junction.inbox()).await?;
    junction.starting("setting the providers up");
    let content = parts::content_in_force(&store, &loaded, in_flight, plan.as_ref().ok())?;
    let contents = [Some(&content), plan.as_ref().ok().map(|plan| &plan.content)];
    let addresses = (receiver.public_url.as_str(), receiver.links_base.as_str());
    let clients = Clients::new(&rehearsed.config, addresses, mode, &contents).await?;
    clients.set_up(mode == Mode::Rehearsal && !in_flight, &junction.listeners()).await?;
    let plan = parts::taught(plan, &rehearsed, (&store, &loaded), clock.now()).await?;
    let templates = clients.templates(mode);
    let files = parts::files((files, drawn), &rehearsed, &receiver.links_base, plan.as_ref().ok(), templates);
    let base = &receiver.links_base;
    let (plan, preflight) = parts::settled(plan, &rehearsed, base, (&store, &loaded), clock.now())?;
    junction.gallery.set_starting(None);
    junction.gallery.set_preflight(Some(Arc::new(preflight)));
    let round_trip =
        (mode == Mode::Live).then(|| proof::over_http(receiver.own_token.clone(), &receiver.public_url));
    let joined = junction
        .join(Seams {
            store: Arc::new(store),
            loaded,
            owns_clock: rehearsed.owns_clock,
            providers: clients.all(),
            round_trip,
            plan,
            files: Some(Arc::new(files)),
            config: rehearsed.config,
            content,
            links_base: receiver.links_base.clone(),
            purpose,
            as_before,
        })
        .await;
    Ok(Running { driver: joined.driver, receiver, sandbox: rehearsed.sandbox, server, alone })
}

/// From now on consoles can attach; that none can is no reason not to run.
fn let_in(host: Host, store: &Store, junction: &Junction) -> Option<Server> {
    match host.open(store, junction.gallery.feed(), junction.clock.clone()) {
        Ok(server) => Some(server),
        Err(error) => {
            let text = crate::model::clean(&format!("no console can attach to this process: {error}"));
            tracing::warn!("{text}");
            let _ = junction.notices().try_send(Notice { level: Level::Warning, text });
            None
        }
    }
}
