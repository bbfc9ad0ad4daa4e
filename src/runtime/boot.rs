//! Building the parts and joining them: store, clock, sandbox, receiver, clients, driver. In this order, so that
//! we can hear before we can speak.

use super::brakes::Brakes;
use super::dispatch::Dispatch;
use super::driver::{Driver, Ended, Kept, News};
use super::ears::{Ears, Hearing};
use super::gallery::{Gallery, TIMELINE};
use super::handle::{Command, Level, Notice, Picture, PlaceFacts, Preflight};
use super::launch::Plan;
use super::pace::Pacer;
use super::plan::Draw;
use super::rehearsal::{self, Rehearsed};
use super::speaker::Speaker;
use super::store::{Batch, Loaded, Store, StoreError};
use super::{recovery, webhooks};
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::input::Input;
use crate::model::{At, Channel, Failure, Mode, Phone, Segment};
use crate::providers::{Provider, http, twilio::Twilio, vapi::Vapi, whatsapp::Whatsapp};
use crate::rules::content::{Content, ContentFile};
use crate::sandbox::{Sandbox, SandboxError};
use crate::workspace::{self, Unusable, Workspace};
use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
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
        "{name} has {open} customers under way here: go on with `cascade resume`, or choose another --db"
    )]
    InFlight {
        /// The campaign.
        name: String,
        /// Customers under way.
        open: u64,
    },
    /// A launch was asked for and may not be.
    #[error("not launched: {0}")]
    Blocked(String),
}

/// Everything, up and joined.
#[derive(Debug)]
pub struct Running {
    /// Ends with the loop.
    pub driver: JoinHandle<Ended>,
    receiver: Receiver,
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
    let mut gallery = Gallery::new(wires.picture, Arc::new(place(&workspace, mode)), hearing.clone());
    starting(&mut gallery, "opening the store");
    let (store, loaded, in_flight) = open_store(&workspace, db.as_deref(), mode, purpose)?;
    starting(&mut gallery, "reading customers");
    let plan = read_plan(workspace.clone(), draw, speed, purpose).await?;
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
        customers: cohort(&loaded, plan.as_ref().ok()),
        seed: seed(&loaded, in_flight, plan.as_ref().ok()),
    };
    let rehearsed = match mode {
        Mode::Rehearsal => rehearsal::prepare(asked, &base, &loaded, &clock).await?,
        Mode::Live => Rehearsed::live(base),
    };
    let (news, queue) = mpsc::channel(QUEUE);
    let ears = Arc::new(Ears { news: news.clone(), brakes: brakes.clone(), hearing: hearing.clone() });
    let receiver = receive(&rehearsed.config, &store, &loaded, mode, ears).await?;
    starting(&mut gallery, "setting the providers up");
    let content = content_in_force(&store, &loaded, in_flight, plan.as_ref().ok())?;
    let contents = [Some(&content), plan.as_ref().ok().map(|plan| &plan.content)];
    let providers = providers(&rehearsed.config, &receiver, mode, &contents).await?;
    set_up(&providers, &receiver.public_url, mode, &hearing, &wires.notices).await?;
    let dispatch = Dispatch::new(providers, news.clone(), brakes.clone(), clock.clone());
    let links_target = rehearsed.config.webhooks.target().to_owned();
    let speaker = Speaker { content, links_base: receiver.links_base.clone(), links_target };
    let (plan, preflight) = settled(plan, &rehearsed, &receiver.links_base, clock.now());
    started(&mut gallery, preflight);
    let mut driver = Driver {
        store,
        owns_clock: rehearsed.owns_clock,
        dispatch: dispatch.clone(),
        brakes: brakes.clone(),
        speaker,
        plan,
        news: queue,
        notices: wires.notices,
        gallery,
        until_done: purpose != Purpose::Console,
        pacers: pacers(&rehearsed.config, clock.now()),
        clock,
        kept: Kept::default(),
        outgoing: HashMap::new(),
        settling_until: None,
        failed: false,
        refused: false,
        quit: false,
    };
    driver.load(loaded);
    if in_flight {
        go_on(&mut driver, dispatch, news.clone(), as_before);
    }
    tokio::spawn(forward(wires.commands, news.clone(), brakes));
    let driver = tokio::spawn(driver.run());
    if purpose == Purpose::Pilot {
        // The driver cannot be gone yet; if it is, its end says why.
        let _ = news.send(News::Command(Command::Launch)).await;
    }
    Ok(Running { driver, receiver, sandbox: rehearsed.sandbox })
}

/// The store and what it held, fit for the purpose.
fn open_store(
    workspace: &Workspace,
    db: Option<&Path>,
    mode: Mode,
    purpose: Purpose,
) -> Result<(Store, Loaded, bool), BootError> {
    workspace::state_dir(&workspace.dir)?;
    let store = Store::open(&workspace::store_path(&workspace.dir, db, mode)?, mode)?;
    let loaded = store.reader()?.load(TIMELINE)?;
    let in_flight = loaded.campaign.as_ref().filter(|c| c.header.ended_at.is_none());
    match (purpose, in_flight) {
        (Purpose::Pilot, Some(campaign)) => {
            Err(BootError::InFlight { name: campaign.header.launch.name.clone(), open: campaign.open() })
        }
        (Purpose::Resume, None) => Err(BootError::NothingToResume),
        (Purpose::Console | Purpose::Pilot | Purpose::Resume, in_flight) => {
            let in_flight = in_flight.is_some();
            Ok((store, loaded, in_flight))
        }
    }
}

/// The listener for webhooks and short links, and what others call it.
#[derive(Debug)]
struct Receiver {
    public_url: String,
    links_base: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn receive(
    config: &Config,
    store: &Store,
    loaded: &Loaded,
    mode: Mode,
    ears: Arc<Ears>,
) -> Result<Receiver, BootError> {
    let listener = listen(config, loaded, mode).await?;
    let address =
        listener.local_addr().map_err(|source| BootError::Listen { addr: config.webhooks.listen, source })?;
    let public_url = config.webhooks.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let mut remember = Batch::default();
    remember.meta.push(("webhook_port", address.port().to_string()));
    store.commit(remember).await?;
    let router = webhooks::router(ears, webhooks::Secrets::new(config, &public_url));
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(webhooks::serve(listener, router, until(stopped)));
    Ok(Receiver { public_url, links_base: config.webhooks.links_base(address), stop, task })
}

/// The clients; in a rehearsal the sandbox is told our addresses and asked to create the templates.
async fn providers(
    config: &Config,
    receiver: &Receiver,
    mode: Mode,
    contents: &[Option<&Arc<Content>>],
) -> Result<Vec<Arc<dyn Provider>>, BootError> {
    let http = http::client(mode);
    let whatsapp = Arc::new(Whatsapp::new(config.whatsapp.clone(), Arc::clone(&http)));
    if mode == Mode::Rehearsal {
        rehearsal::tell_webhooks(config, &receiver.public_url).await?;
        for content in contents.iter().flatten() {
            let templates =
                content.whatsapp.as_ref().map(|w| w.specs(&receiver.links_base)).unwrap_or_default();
            whatsapp.ensure_templates(&templates).await.map_err(BootError::SetUp)?;
        }
    }
    Ok(vec![
        whatsapp,
        Arc::new(Vapi::new(config.phone.clone(), Arc::clone(&http), &receiver.public_url)),
        Arc::new(Twilio::new(config.sms.clone(), http, &receiver.public_url)),
    ])
}

fn starting(gallery: &mut Gallery, what: &str) {
    gallery.set_starting(Some(what.to_owned()));
    gallery.show(None, 0, At::default(), true);
}

fn started(gallery: &mut Gallery, preflight: Preflight) {
    gallery.set_starting(None);
    gallery.set_preflight(Some(Arc::new(preflight)));
}

/// A campaign was in flight: what was claimed is in doubt, and we listen before we speak.
fn go_on(driver: &mut Driver, dispatch: Dispatch, news: mpsc::Sender<News>, as_before: bool) {
    let Some(campaign) = &driver.kept.campaign else { return };
    let (open, since) = (recovery::without_end(campaign), driver.kept.last_at);
    driver.settling_until = Some(At::from_millis(i64::MAX));
    if driver.owns_clock {
        if as_before {
            driver.clock.pace(campaign.header.launch.speed);
        }
        driver.clock.run(true);
    }
    tokio::spawn(async move {
        let _ = news.send(News::Input(Input::Restarted)).await;
        recovery::catch_up(dispatch, open, since, news).await;
    });
}

/// The operator's commands, on their way to the queue: brakes act at once.
async fn forward(mut commands: mpsc::Receiver<Command>, news: mpsc::Sender<News>, brakes: Brakes) {
    while let Some(command) = commands.recv().await {
        match &command {
            Command::HoldAll => brakes.hold(None, true),
            Command::Pause(only) => brakes.hold(*only, true),
            Command::StopCascade(cascade) | Command::OptOut(cascade) => brakes.over(*cascade),
            Command::Launch
            | Command::Resume { .. }
            | Command::CloseBreaker { .. }
            | Command::SettleDoubt { .. }
            | Command::History(..)
            | Command::Quit => {}
        }
        if news.send(News::Command(command)).await.is_err() {
            return;
        }
    }
    // The console is gone: nobody watches any more, so we end as if it had asked.
    let _ = news.send(News::Command(Command::Quit)).await;
}

async fn read_plan(
    workspace: Workspace,
    draw: Draw,
    speed: f64,
    purpose: Purpose,
) -> Result<Result<Plan, String>, BootError> {
    let read = tokio::task::spawn_blocking(move || Plan::read(&workspace, &draw, speed)).await;
    match read.unwrap_or_else(|_| Err(Unusable::Panicked)) {
        Ok(plan) if purpose == Purpose::Pilot && !plan.blocked.is_empty() => {
            Err(BootError::Blocked(plan.blocked.join("\n")))
        }
        Ok(plan) => Ok(Ok(plan)),
        Err(unusable) if purpose == Purpose::Pilot => Err(unusable.into()),
        // A campaign in flight goes on by what is in the store; a new launch is blocked until it is mended.
        Err(unusable) => Ok(Err(unusable.to_string())),
    }
}

/// The plan with what only the running parts know.
fn settled(
    plan: Result<Plan, String>,
    rehearsed: &Rehearsed,
    links_base: &str,
    now: At,
) -> (Option<Arc<Plan>>, Preflight) {
    match plan {
        Ok(plan) => {
            let plan = Plan {
                seed: rehearsed.seed.unwrap_or(plan.seed),
                speed: rehearsed.speed,
                links_base: links_base.to_owned(),
                ..plan
            };
            let preflight = plan.preflight(now);
            (Some(Arc::new(plan)), preflight)
        }
        Err(why) => (None, Preflight::blocked(why)),
    }
}

fn cohort(loaded: &Loaded, plan: Option<&Plan>) -> Vec<(Phone, Segment, Option<String>)> {
    let in_store = loaded.people.values();
    let planned = plan.map(|plan| plan.customers.iter()).into_iter().flatten();
    let mut seen = HashSet::new();
    let everybody = in_store.chain(planned).filter(|c| seen.insert(c.phone.clone()));
    let mut cohort: Vec<_> =
        everybody.map(|c| (c.phone.clone(), c.segment.clone(), c.language.clone())).collect();
    cohort.sort();
    cohort
}

fn seed(loaded: &Loaded, in_flight: bool, plan: Option<&Plan>) -> u64 {
    let running = loaded.campaign.as_ref().filter(|_| in_flight).map(|c| c.header.launch.seed);
    running.or(plan.map(|plan| plan.seed)).unwrap_or(1)
}

/// What a running campaign says is what it was launched with, whatever the files say today.
fn content_in_force(
    store: &Store,
    loaded: &Loaded,
    in_flight: bool,
    plan: Option<&Plan>,
) -> Result<Arc<Content>, BootError> {
    if let Some(campaign) = loaded.campaign.as_ref().filter(|_| in_flight) {
        let files = store.reader()?.version(&campaign.header.launch.content_hash)?;
        let files = files.into_iter().map(|(name, bytes)| ContentFile {
            path: PathBuf::from("rules/content").join(&name),
            name,
            bytes,
        });
        return Ok(Arc::new(Content::parse(files.collect()).0));
    }
    Ok(plan.map(|plan| Arc::clone(&plan.content)).unwrap_or_default())
}

/// Port 0 in a rehearsal takes the last run's port again, because providers know it.
async fn listen(config: &Config, loaded: &Loaded, mode: Mode) -> Result<TcpListener, BootError> {
    let wanted = config.webhooks.listen;
    let last = loaded.meta.get("webhook_port").and_then(|port| port.parse().ok());
    if let Some(port) = last.filter(|_| mode == Mode::Rehearsal && wanted.port() == 0)
        && let Ok(listener) = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
    {
        return Ok(listener);
    }
    TcpListener::bind(wanted).await.map_err(|source| BootError::Listen { addr: wanted, source })
}

async fn set_up(
    providers: &[Arc<dyn Provider>],
    public_url: &str,
    mode: Mode,
    hearing: &Hearing,
    notices: &mpsc::Sender<Notice>,
) -> Result<(), BootError> {
    for provider in providers {
        match provider.set_up(public_url).await {
            Ok(()) => hearing.heard(provider.name()),
            Err(failure) if mode == Mode::Rehearsal => return Err(BootError::SetUp(failure)),
            // Live goes on: the other channels may work, and this one says what to mend at its first send.
            Err(failure) => {
                let text = BootError::SetUp(failure).to_string();
                let _ = notices.try_send(Notice { level: Level::Error, text });
            }
        }
    }
    Ok(())
}

fn pacers(config: &Config, now: At) -> Vec<(Channel, Pacer)> {
    let channels = Channel::ALL.iter();
    channels.filter_map(|c| Some((*c, Pacer::new(config.pace(*c)?.per_second, now)))).collect()
}

fn place(workspace: &Workspace, mode: Mode) -> PlaceFacts {
    let config = workspace.config.as_ref();
    PlaceFacts {
        mode,
        workspace: workspace.dir.display().to_string(),
        rules_source: workspace.rules.source.to_string(),
        rules_text: String::from_utf8_lossy(&workspace.rules.bytes).into_owned(),
        content: workspace
            .content_files()
            .into_iter()
            .map(|file| (file.name, String::from_utf8_lossy(&file.bytes).into_owned()))
            .collect(),
        timezone: config.map_or_else(|| "America/New_York".into(), |c| c.timezone.name().to_owned()),
        currency: config.map_or_else(|| "USD".into(), |c| c.currency.clone()),
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // A dropped sender means the same as `true`.
    let _ = stopped.wait_for(|stop| *stop).await;
}
