//! The parts that [`super::boot()`] joins, each made from what the workspace, the store and the settings say.

use super::boot::{BootError, Purpose};
use super::gallery::TIMELINE;
use super::handle::{PlaceFacts, Preflight};
use super::launch::{Plan, next_monday};
use super::links;
use super::operator;
use super::plan::Draw;
use super::rehearsal::Rehearsed;
use super::saving::{Git, WorkspaceFiles};
use super::store::{Batch, Keeper as _, Loaded, Lock, OptOuts, Reader, Store, optouts};
use super::webhooks::{self, Inbox};
use crate::config::Config;
use crate::model::{At, CampaignId, Channel, Mode, Phone, Segment};
use crate::providers::whatsapp::Whatsapp;
use crate::rules::content::{Content, ContentFile};
use crate::workspace::{self, Unusable, Workspace};
use secrecy::SecretString;
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The store and what it held, fit for the purpose.
pub(super) fn open_store(
    workspace: &Workspace,
    db: Option<&Path>,
    mode: Mode,
    purpose: Purpose,
) -> Result<(Store, Loaded, bool), BootError> {
    let state = workspace::state_dir(&workspace.dir)?;
    let path = workspace::store_path(&workspace.dir, db, mode)?;
    let mut store = Store::open_in(&path, mode, &state)?;
    store.keep_ballast();
    if !store.ended_in_order() {
        tracing::info!("the last run did not end in order; its store was checked and is whole");
    }
    let mut loaded = store.load(TIMELINE)?;
    let in_flight = loaded.campaign.as_ref().is_some_and(|c| c.header.ended_at.is_none());
    if let Some(restored) = loaded.restored.as_ref().filter(|_| purpose == Purpose::Pilot && !in_flight) {
        return Err(BootError::Restored(restored.say(&path)));
    }
    if mode == Mode::Rehearsal {
        loaded.suppressed.merge(opted_out_live(workspace, &state)?);
    }
    let in_flight = loaded.campaign.as_ref().filter(|c| c.header.ended_at.is_none());
    match (purpose, in_flight) {
        (Purpose::Pilot, Some(campaign)) => {
            Err(BootError::InFlight { name: campaign.header.launch.name.clone(), open: campaign.open() })
        }
        (Purpose::Resume, None) => Err(BootError::NothingToResume),
        (Purpose::Console | Purpose::Run | Purpose::Pilot | Purpose::Resume, in_flight) => {
            let in_flight = in_flight.is_some();
            Ok((store, loaded, in_flight))
        }
    }
}

/// As long as this is kept, no other process sends in live from this workspace. Rehearsals reach nobody and are free.
pub(super) fn alone(workspace: &Workspace, store: &Store, mode: Mode) -> Result<Option<Lock>, BootError> {
    match mode {
        Mode::Live => {
            let state = workspace::state_dir(&workspace.dir)?;
            Ok(Some(Lock::take_to_send(&state, store.path(), &operator::here().host)?))
        }
        Mode::Rehearsal => Ok(None),
    }
}

/// A rehearsal honours live opt-outs, never the reverse.
fn opted_out_live(workspace: &Workspace, state: &Path) -> Result<OptOuts, BootError> {
    let mut live = optouts::read(state, Mode::Live)?;
    let path = workspace::store_path(&workspace.dir, None, Mode::Live)?;
    if path.exists() {
        live.merge(Reader::open(&path)?.suppressed()?);
    }
    Ok(live)
}

/// The listener for webhooks and short links, and what others call it.
#[derive(Debug)]
pub struct Receiver {
    /// What providers call.
    pub public_url: String,
    /// Where short links begin.
    pub links_base: String,
    /// With which we ask ourselves whether we can be reached.
    pub own_token: SecretString,
    /// Ends it.
    pub stop: watch::Sender<bool>,
    /// Ends with it.
    pub task: JoinHandle<()>,
}

pub(super) async fn receive(
    config: &Config,
    store: &Store,
    loaded: &Loaded,
    mode: Mode,
    inbox: Arc<dyn Inbox>,
) -> Result<Receiver, BootError> {
    let listener = listen(config, loaded, mode).await?;
    let address =
        listener.local_addr().map_err(|source| BootError::Listen { addr: config.webhooks.listen, source })?;
    let public_url = config.webhooks.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let mut remember = Batch::default();
    remember.meta.push(("webhook_port", address.port().to_string()));
    store.commit(remember).await?;
    let own_token = SecretString::from(links::new_code().map_err(BootError::Random)?);
    let router = webhooks::router(inbox, webhooks::Secrets::new(config, &public_url, own_token.clone()));
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(webhooks::serve(listener, router, until(stopped)));
    Ok(Receiver { public_url, links_base: config.webhooks.links_base(address), own_token, stop, task })
}

pub(super) async fn read_plan(
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

/// When it would be launched: a rehearsal's later campaigns have a morning of their own.
fn begins(plan: &Plan, rehearsed: &Rehearsed, loaded: &Loaded, now: At) -> At {
    let later = rehearsed.owns_clock && loaded.campaign.is_some();
    if later { next_monday(now, plan.ready.config.timezone) } else { now }
}

/// The plan with what the record says about its starts, if it draws any.
pub(super) async fn taught(
    plan: Result<Plan, String>,
    rehearsed: &Rehearsed,
    (store, loaded): (&Store, &Loaded),
    now: At,
) -> Result<Result<Plan, String>, BootError> {
    match plan {
        Ok(plan) if plan.ready.rules.explore > 0.0 => {
            let answer = store.learn(plan.question(begins(&plan, rehearsed, loaded, now))).await?;
            Ok(Ok(Plan { allocations: plan.learnt(&answer), ..plan }))
        }
        plan => Ok(plan),
    }
}

/// The plan with what only the running parts know.
pub(super) fn settled(
    plan: Result<Plan, String>,
    rehearsed: &Rehearsed,
    links_base: &str,
    (store, loaded): (&Store, &Loaded),
    now: At,
) -> Result<(Option<Arc<Plan>>, Preflight), BootError> {
    match plan {
        Ok(plan) => {
            let plan = Plan {
                seed: rehearsed.seed.unwrap_or(plan.seed),
                speed: rehearsed.speed,
                links_base: links_base.to_owned(),
                ..plan
            };
            let begins = begins(&plan, rehearsed, loaded, now);
            let next = CampaignId(loaded.campaign.as_ref().map_or(0, |campaign| campaign.id().0) + 1);
            let dealings = plan.dealings(store)?;
            let stopped = |phone: &Phone| loaded.suppressed.contains(phone);
            let mut preflight = plan.preflight(begins, next, stopped, dealings.as_ref());
            // Before all others: a low window shows the first alone.
            preflight.warnings.splice(0..0, loaded.restored.as_ref().map(super::restored::warning));
            Ok((Some(Arc::new(plan)), preflight))
        }
        Err(why) => Ok((None, Preflight::blocked(why))),
    }
}

/// Where rules and texts are edited while everything runs.
pub(super) fn files(
    (workspace, draw): (Workspace, Draw),
    rehearsed: &Rehearsed,
    links_base: &str,
    plan: Option<&Plan>,
    templates: Option<Arc<Whatsapp>>,
) -> WorkspaceFiles {
    let trail = Git { dir: workspace.dir.clone(), settings: rehearsed.config.git.clone() };
    WorkspaceFiles {
        trail: Box::new(trail),
        templates,
        workspace,
        draw,
        seed: rehearsed.seed.or(plan.map(|plan| plan.seed)).unwrap_or(1),
        speed: rehearsed.speed,
        links_base: links_base.to_owned(),
    }
}

pub(super) fn cohort(loaded: &Loaded, plan: Option<&Plan>) -> Vec<(Phone, Segment, Option<String>)> {
    let in_store = loaded.people.values();
    let planned = plan.map(|plan| plan.customers.iter()).into_iter().flatten();
    let mut seen = HashSet::new();
    let everybody = in_store.chain(planned).filter(|c| seen.insert(c.phone.clone()));
    let mut cohort: Vec<_> =
        everybody.map(|c| (c.phone.clone(), c.segment.clone(), c.language.clone())).collect();
    cohort.sort();
    cohort
}

pub(super) fn seed(loaded: &Loaded, in_flight: bool, plan: Option<&Plan>) -> u64 {
    let running = loaded.campaign.as_ref().filter(|_| in_flight).map(|c| c.header.launch.seed);
    running.or(plan.map(|plan| plan.seed)).unwrap_or(1)
}

/// What a running campaign says is what it was launched with, or what an edit has put in force since, whatever the files
/// say today.
pub(super) fn content_in_force(
    store: &Store,
    loaded: &Loaded,
    in_flight: bool,
    plan: Option<&Plan>,
) -> Result<Arc<Content>, BootError> {
    if let Some(campaign) = loaded.campaign.as_ref().filter(|_| in_flight) {
        let hash = campaign.edition(campaign.header.content).content;
        let files = store.reader()?.version(&hash)?;
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

pub(super) fn place(workspace: &Workspace, mode: Mode) -> PlaceFacts {
    let config = workspace.config.as_ref();
    PlaceFacts {
        mode,
        workspace: workspace
            .dir
            .canonicalize()
            .unwrap_or_else(|_| workspace.dir.clone())
            .display()
            .to_string(),
        rules_source: workspace.rules.source.to_string(),
        rules_text: String::from_utf8_lossy(&workspace.rules.bytes).into_owned(),
        content: workspace
            .content_files()
            .into_iter()
            .map(|file| (file.name, String::from_utf8_lossy(&file.bytes).into_owned()))
            .collect(),
        timezone: config.map_or_else(|| "America/New_York".into(), |c| c.timezone.name().to_owned()),
        currency: config.map_or_else(|| "USD".into(), |c| c.currency.clone()),
        paces: paces(config.unwrap_or(&Config::rehearsal_defaults())),
        learning: config.map(|c| c.learning.clone()).unwrap_or_default(),
    }
}

fn paces(config: &Config) -> Vec<(Channel, f64, u64)> {
    let pace = |channel: &Channel| {
        config.pace(*channel).map(|pace| (*channel, pace.per_second, pace.concurrent as u64))
    };
    Channel::ALL.iter().filter_map(pace).collect()
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // A dropped sender means the same as `true`.
    let _ = stopped.wait_for(|stop| *stop).await;
}
