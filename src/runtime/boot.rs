//! Building the parts and joining them: store, clock, sandbox, receiver, clients, driver. In this order, so that
//! we can hear before we can speak.

use super::brakes::Brakes;
use super::dispatch::Dispatch;
use super::driver::{Driver, Ended, Parts};
use super::ears::{Ears, Hearing};
use super::gallery::Gallery;
use super::handle::{Command, Notice, Picture};
use super::news::News;
use super::plan::Draw;
use super::rehearsal::{self, Rehearsed};
use super::speaker::Speaker;
use super::store::StoreError;
use super::{parts, proof};
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::input::Input;
use crate::model::{At, Failure, Mode};
use crate::sandbox::{Sandbox, SandboxError};
use crate::workspace::{Unusable, Workspace};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// News that may wait for the driver; when it is full, webhooks and answers wait, and nothing is lost.
const QUEUE: usize = 4096;

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
}

/// What the parts are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An operator decides.
    Console,
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
    #[error("{} refused the set-up ({}): {}. {}", .0.provider, .0.code, .0.detail.screen(), .0.remedy)]
    SetUp(Box<Failure>),
    /// Nothing is in flight.
    #[error("nothing is in flight here; `cascade pilot` launches a pilot")]
    NothingToResume,
    /// Something is, and a launch was asked for.
    #[error(
        "{name} has {open} customers under way here: go on with `cascade resume`, end it for good in the console \
         (`:stop-campaign`), or choose another --db"
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
}

impl Running {
    /// Waits for the loop, then takes the rest down.
    pub async fn ended(self) -> Option<Ended> {
        let ended = self.driver.await.ok();
        self.receiver.stop.send_replace(true);
        // A receiver that panicked has been logged; there is nothing left to save.
        let _ = self.receiver.task.await;
        if let Some(sandbox) = self.sandbox {
            sandbox.shutdown().await;
        }
        ended
    }
}

/// Brings everything up.
pub async fn boot(options: Options, wires: Wires) -> Result<Running, BootError> {
    let Options { workspace, db, draw, speed, as_before, start, sandbox, purpose } = options;
    let mode = workspace.config.as_ref().map_or(Mode::Rehearsal, |config| config.mode);
    let (hearing, brakes, clock) = (Hearing::default(), Brakes::default(), wires.clock.clone());
    let mut gallery = Gallery::new(wires.picture, Arc::new(parts::place(&workspace, mode)), hearing.clone());
    starting(&mut gallery, "opening the store");
    let (store, loaded, in_flight) = parts::open_store(&workspace, db.as_deref(), mode, purpose)?;
    starting(&mut gallery, "reading customers");
    let plan = parts::read_plan(workspace.clone(), draw, speed, purpose).await?;
    let base = plan.as_ref().ok().map(|plan| plan.ready.config.clone());
    let base = base.or(workspace.config).unwrap_or_else(Config::rehearsal_defaults);
    starting(&mut gallery, "starting the sandbox");
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
    let (news, queue) = mpsc::channel(QUEUE);
    let ears = Arc::new(Ears { news: news.clone(), brakes: brakes.clone(), hearing: hearing.clone() });
    let receiver = parts::receive(&rehearsed.config, &store, &loaded, mode, ears).await?;
    starting(&mut gallery, "setting the providers up");
    let content = parts::content_in_force(&store, &loaded, in_flight, plan.as_ref().ok())?;
    let contents = [Some(&content), plan.as_ref().ok().map(|plan| &plan.content)];
    let providers = parts::providers(&rehearsed.config, &receiver, mode, &contents).await?;
    parts::set_up(&providers, &receiver.public_url, mode, &hearing, &wires.notices).await?;
    let dispatch = Dispatch::new(providers, news.clone(), brakes.clone(), clock.clone());
    let links_target = rehearsed.config.webhooks.target().to_owned();
    let speaker = Speaker { content, links_base: receiver.links_base.clone(), links_target };
    let (plan, preflight) = parts::settled(plan, &rehearsed, &receiver.links_base, &loaded, clock.now());
    gallery.set_starting(None);
    gallery.set_preflight(Some(Arc::new(preflight)));
    let mut driver = Driver::new(Parts {
        store,
        owns_clock: rehearsed.owns_clock,
        dispatch,
        brakes: brakes.clone(),
        speaker,
        plan,
        news: queue,
        notices: wires.notices,
        gallery,
        until_done: purpose != Purpose::Console,
        pacers: parts::pacers(&rehearsed.config, clock.now()),
        clock,
        hearing: (mode == Mode::Live).then(|| hearing.clone()),
    });
    driver.load(loaded);
    if in_flight {
        go_on(&mut driver, &news, as_before);
    }
    if mode == Mode::Live {
        let public_url = receiver.public_url.clone();
        tokio::spawn(proof::keep(receiver.own_token.clone(), public_url, hearing, news.clone()));
    }
    tokio::spawn(forward(wires.commands, news.clone(), brakes));
    let driver = tokio::spawn(driver.run());
    if purpose == Purpose::Pilot {
        // The driver cannot be gone yet; if it is, its end says why.
        let _ = news.send(News::Command(Command::Launch)).await;
    }
    Ok(Running { driver, receiver, sandbox: rehearsed.sandbox })
}

fn starting(gallery: &mut Gallery, what: &str) {
    gallery.set_starting(Some(what.to_owned()));
    gallery.show(None, 0, At::default(), true);
}

/// A campaign was in flight: what was claimed is in doubt, and we listen before we speak.
fn go_on(driver: &mut Driver, news: &mpsc::Sender<News>, as_before: bool) {
    let Some(campaign) = &driver.kept.campaign else { return };
    if driver.parts.owns_clock {
        if as_before {
            driver.parts.clock.pace(campaign.header.launch.speed);
        }
        driver.parts.clock.run(true);
    }
    // The queue is empty and long: this is the first thing in it.
    let _ = news.try_send(News::Input(Input::Restarted));
    driver.catch_up(driver.kept.last_at);
}

/// The operator's commands, on their way to the queue: brakes act at once.
async fn forward(mut commands: mpsc::Receiver<Command>, news: mpsc::Sender<News>, brakes: Brakes) {
    while let Some(command) = commands.recv().await {
        match &command {
            Command::HoldAll | Command::StopCampaign => brakes.announce(None),
            Command::Pause(only) => brakes.announce(*only),
            Command::Quit => brakes.hold(None, true),
            Command::StopCascade(cascade) | Command::OptOut(cascade) => brakes.over(*cascade),
            Command::Launch
            | Command::Resume { .. }
            | Command::CloseBreaker { .. }
            | Command::SettleDoubt { .. }
            | Command::Release(_)
            | Command::History(..) => {}
        }
        if news.send(News::Command(command)).await.is_err() {
            return;
        }
    }
    // The console is gone: nobody watches any more, so we end as if it had asked.
    let _ = news.send(News::Command(Command::Quit)).await;
}
