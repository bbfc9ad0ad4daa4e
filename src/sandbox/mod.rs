//! The providers' other side: the same wire, an own ledger, people who answer, faults on demand.
//!
//! Shares `model` and `clock` with the rest, and no request or response type with `providers`: if both sides
//! shared them, a rehearsal would prove only that we agree with ourselves.
//!
//! One request's way: `server` reads it, asks `faults`, lets `meta`, `vapi` or `twilio` answer on the
//! `world`, writes the ledger line and what changed down (`memory`), then answers. What people and
//! providers do later are `acts` on the campaign's clock; webhooks and clicks leave through `deliver`.

mod acts;
mod admin;
mod deliver;
mod faults;
mod forget;
mod ledger;
mod memory;
mod meta;
mod people;
mod scenario;
mod server;
mod sign;
mod spoil;
mod twilio;
mod vapi;
mod wire;
mod world;

pub use forget::{about, forget};
pub use memory::MemoryError;
pub use scenario::{Scenario, ScenarioError};

use crate::clock::Clock;
use crate::model::{Phone, Segment};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a sandbox is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; loopback only. With port 0 the port of the last run is taken again if it is free.
    pub listen: SocketAddr,
    /// Campaign time, shared with the caller: everything people and providers do runs on it.
    pub clock: Clock,
    /// Fixes how people and faults behave.
    pub seed: u64,
    /// The SQLite file that survives a restart; `None` remembers nothing.
    pub memory: Option<PathBuf>,
    /// The known customers: number, segment and language, in any order.
    pub customers: Vec<(Phone, Segment, Option<String>)>,
    /// In place of the default population.
    pub scenario: Option<Scenario>,
}

/// Why the sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address is not loopback: generated secrets and people's numbers must not leave the machine.
    #[error("the sandbox listens on loopback only, not on {0}: give 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The port is taken, or the address is not ours.
    #[error("the sandbox cannot listen on {addr}: {source}; give another port, or 0 for a free one")]
    Listen {
        /// What was asked for.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its memory cannot be opened or read.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The HTTP client for webhooks could not be built.
    #[error("the sandbox cannot send webhooks: {0}")]
    Client(#[from] reqwest::Error),
    /// The system gave no random bytes for secrets.
    #[error("no random numbers for the sandbox's secrets: {0}")]
    Random(String),
}

/// Wall time that open connections get to end by themselves.
const GRACE: Duration = Duration::from_millis(500);

/// A running sandbox. Dropping it stops it without waiting; [`Sandbox::shutdown`] waits.
#[derive(Debug)]
pub struct Sandbox {
    app: Arc<world::App>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Opens the memory, binds the address, goes on with what was under way, and serves until stopped.
pub async fn start(options: Options) -> Result<Sandbox, SandboxError> {
    if !options.listen.ip().is_loopback() {
        return Err(SandboxError::NotLoopback(options.listen));
    }
    let (memory, kept) = memory::open(options.memory.clone()).await?;
    let listener = server::bind(options.listen, kept.port()).await?;
    let addr = listener.addr();
    let world = world::World::new(&options, kept, addr)?;
    let app = Arc::new(world::App::new(world, memory, options.clock, addr, deliver::client()?));
    app.change(|world, _| world.remember_all()).await?;
    let (stop, stopped) = watch::channel(false);
    let tasks = vec![
        tokio::spawn(server::serve(listener, Arc::clone(&app), stopped.clone())),
        tokio::spawn(acts::run(Arc::clone(&app), stopped)),
    ];
    Ok(Sandbox { app, stop, tasks })
}

impl Sandbox {
    /// `http://127.0.0.1:PORT`: the base of every provider's endpoints and of `/sandbox/*`.
    pub fn url(&self) -> String {
        self.app.url()
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.app.addr
    }

    /// What `GET /sandbox/config` answers: `speed`, `seed`, `now`, `running`, and the sections `whatsapp`,
    /// `phone`, `sms` with the keys of `cascade.toml` and the generated secrets.
    pub fn config(&self) -> serde_json::Value {
        admin::config(&self.app)
    }

    /// Takes a new list of known customers, as [`Options::customers`]; what is under way goes on as it was.
    pub fn know(&self, customers: &[(Phone, Segment, Option<String>)]) {
        self.app.lock().people.know(customers);
    }

    /// Stops listening and acting, and waits until everything is on disk.
    pub async fn shutdown(self) {
        let Self { app, stop, tasks } = self;
        app.closed.store(true, Ordering::Relaxed);
        stop.send_replace(true);
        for mut task in tasks {
            match tokio::time::timeout(GRACE, &mut task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a task of the sandbox ended badly"),
                // A client that keeps its connection open is not waited for: all it was told is on disk.
                Err(_) => task.abort(),
            }
        }
        app.memory.close().await;
    }
}
