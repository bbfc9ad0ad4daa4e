//! Where the loop meets the world: through four seams, each of which a simulation can take the place of.
//!
//! | seam | is | in the world |
//! |---|---|---|
//! | clock | [`Clock`] | the system's, scaled in a rehearsal |
//! | store | [`Keeper`] | SQLite |
//! | transport | [`Provider`] | wire clients over HTTP |
//! | inbox | [`Inbox`] | the webhook receiver calls it |

use super::boot::{Purpose, Wires};
use super::brakes::Brakes;
use super::closing::Ended;
use super::dispatch::Dispatch;
use super::driver::{Driver, Parts};
use super::ears::{Ears, Hearing};
use super::gallery::Gallery;
use super::gap::Pulse;
use super::handle::{Command, Notice, PlaceFacts, Signature};
use super::launch::Plan;
use super::news::News;
use super::proof::{self, RoundTrip};
use super::saving::Files;
use super::set_up::Listeners;
use super::speaker::Speaker;
use super::store::{Keeper, Loaded};
use super::tasks::{Part, Tasks};
use super::webhooks::Inbox;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::Campaign;
use crate::engine::input::Input;
use crate::model::{At, Channel};
use crate::providers::Provider;
use crate::rules::content::Content;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// News that may wait for the driver; when it is full, webhooks and answers wait, and nothing is lost.
const QUEUE: usize = 4096;

/// The loop's own parts, before anything is known of the world. First we can hear, then we can speak.
#[derive(Debug)]
pub struct Junction {
    news: mpsc::Sender<News>,
    queue: mpsc::Receiver<News>,
    brakes: Brakes,
    commands: mpsc::Receiver<Command>,
    notices: mpsc::Sender<Notice>,
    tasks: Tasks,
    pub(super) clock: Clock,
    pub(super) hearing: Hearing,
    pub(super) gallery: Gallery,
}

/// What the loop is joined to.
pub struct Seams {
    /// The store.
    pub store: Arc<dyn Keeper>,
    /// What it held.
    pub loaded: Loaded,
    /// Whether the clock is ours to stop.
    pub owns_clock: bool,
    /// One per channel.
    pub providers: Vec<Arc<dyn Provider>>,
    /// In live, whether our public address answers; nothing is sent without such a proof. `None` in a rehearsal,
    /// which hears itself.
    pub round_trip: Option<RoundTrip>,
    /// What a launch would launch.
    pub plan: Option<Arc<Plan>>,
    /// Where rules and texts are edited; `None`: nowhere.
    pub files: Option<Arc<dyn Files>>,
    /// Rates.
    pub config: Config,
    /// What the campaign in flight says.
    pub content: Arc<Content>,
    /// Where short links begin.
    pub links_base: String,
    /// What is to be done.
    pub purpose: Purpose,
    /// A campaign in flight goes on at the speed it was launched with.
    pub as_before: bool,
}

/// The loop, running.
#[derive(Debug)]
pub struct Joined {
    /// Ends with it.
    pub driver: JoinHandle<Ended>,
    /// Everything beside it.
    pub tasks: Tasks,
}

impl Junction {
    /// Nothing runs yet.
    pub fn new(wires: Wires, place: PlaceFacts) -> Self {
        let (news, queue) = mpsc::channel(QUEUE);
        let (hearing, tasks) = (Hearing::default(), Tasks::new(news.clone()));
        let gallery = Gallery::new(wires.picture, Arc::new(place), hearing.clone());
        let Wires { commands, notices, clock, .. } = wires;
        Self { news, queue, brakes: Brakes::default(), commands, notices, tasks, clock, hearing, gallery }
    }

    /// Where verified webhooks go. What comes before [`Junction::join`] waits.
    pub fn inbox(&self) -> Arc<dyn Inbox> {
        let (news, brakes, hearing) = (self.news.clone(), self.brakes.clone(), self.hearing.clone());
        Arc::new(Ears { news, brakes, hearing })
    }

    /// Shows what is not up yet.
    pub(super) fn starting(&mut self, what: &str) {
        self.gallery.set_starting(Some(what.to_owned()));
        self.gallery.show(None, 0, At::default(), true);
    }

    /// For the operator.
    pub fn notices(&self) -> &mpsc::Sender<Notice> {
        &self.notices
    }

    /// For setting the providers up.
    pub(super) fn listeners(&self) -> Listeners {
        Listeners {
            hearing: self.hearing.clone(),
            notices: self.notices.clone(),
            brakes: self.brakes.clone(),
            news: self.news.clone(),
            tasks: self.tasks.clone(),
        }
    }

    /// Starts the loop. A campaign in flight goes on: what was claimed is in doubt, and we listen before we speak.
    pub async fn join(self, seams: Seams) -> Joined {
        let Self { news, queue, brakes, commands, notices, tasks, clock, hearing, mut gallery } = self;
        if seams.purpose != Purpose::Console {
            gallery.at_leisure();
        }
        let dispatch =
            Dispatch::new(seams.providers, news.clone(), brakes.clone(), clock.clone(), tasks.clone());
        let links_target = seams.config.webhooks.target().to_owned();
        let speaker = Speaker { content: seams.content, links_base: seams.links_base, links_target };
        let rate =
            |c: &Channel| Some((*c, super::pace::Pacer::new(seams.config.pace(*c)?.per_second, clock.now())));
        let pulse = clock.is_the_machines().then(Pulse::default);
        let mut driver = Driver::new(Parts {
            pulse: pulse.clone(),
            store: seams.store,
            owns_clock: seams.owns_clock,
            dispatch,
            brakes: brakes.clone(),
            speaker,
            plan: seams.plan,
            files: seams.files,
            news: queue,
            notices,
            gallery,
            until_done: matches!(seams.purpose, Purpose::Pilot | Purpose::Resume),
            pacers: Channel::ALL.iter().filter_map(rate).collect(),
            clock,
            hearing: seams.round_trip.is_some().then(|| hearing.clone()),
            round_trip: seams.round_trip.clone(),
            tasks: tasks.clone(),
        });
        let in_flight = seams.loaded.campaign.as_ref().is_some_and(|c| c.header.ended_at.is_none());
        let known = seams.loaded.seq > 0 || seams.loaded.restored.is_some();
        driver.load(seams.loaded);
        if in_flight {
            go_on(&mut driver, seams.as_before);
        } else {
            if driver.kept.campaign.as_ref().is_some_and(Campaign::has_loose_ends) {
                // It was stopped for good with requests out, or with a call that was to be called back.
                driver.first.push(News::Input(Input::Restarted));
            }
            if known && !seams.owns_clock {
                // Whoever was contacted before may have said STOP since; a rehearsal's own world stood still meanwhile.
                driver.catch_up(driver.heard_before());
            }
        }
        // What was loaded is seen before anything moves.
        let now = driver.now();
        driver.parts.gallery.show(driver.kept.campaign.as_ref(), driver.kept.seq, now, true);
        if let Some(round_trip) = seams.round_trip {
            tasks.spawn(Part::Proof, proof::keep(round_trip, hearing, news.clone()));
        }
        if let Some(pulse) = pulse {
            tasks.spawn(Part::Pulse, pulse.keep(news.clone()));
        }
        tasks.spawn(Part::Commands, forward(commands, news.clone(), brakes));
        let driver = tokio::spawn(driver.run());
        if seams.purpose == Purpose::Pilot {
            // The driver cannot be gone yet; if it is, its end says why.
            let _ = news.send(News::Command(Command::Launch(Signature::here()))).await;
        }
        Joined { driver, tasks }
    }
}

fn go_on(driver: &mut Driver, as_before: bool) {
    let Some(campaign) = &driver.kept.campaign else { return };
    if driver.parts.owns_clock {
        if as_before {
            driver.parts.clock.pace(campaign.header.launch.speed);
        }
        driver.parts.clock.run(true);
    }
    if let Some(restored) = driver.restored.as_ref().filter(|restored| !restored.asked) {
        let gap = Box::new(restored.gap());
        driver.first.push(News::Input(Input::Restored(gap)));
    }
    driver.first.push(News::Input(Input::Restarted));
    driver.catch_up(driver.heard_before());
}

/// Commands that wait for room in the queue.
const WAITING: usize = 64;

/// The operator's commands, on their way to the queue. Brakes act at once, also while the queue is full.
async fn forward(mut commands: mpsc::Receiver<Command>, news: mpsc::Sender<News>, brakes: Brakes) {
    let mut waiting = VecDeque::new();
    loop {
        tokio::select! {
            command = commands.recv(), if waiting.len() < WAITING => {
                let Some(command) = command else { break };
                command.brake(&brakes);
                waiting.push_back(command);
            }
            room = news.reserve(), if !waiting.is_empty() => {
                let Ok(room) = room else { return };
                if let Some(command) = waiting.pop_front() {
                    room.send(News::Command(command));
                }
            }
        }
    }
    for command in waiting {
        if news.send(News::Command(command)).await.is_err() {
            return;
        }
    }
    // The console is gone: nobody watches any more, so we end as if it had asked.
    let _ = news.send(News::Command(Command::Quit)).await;
}
