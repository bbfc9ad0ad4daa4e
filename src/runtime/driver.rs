//! The loop that joins the engine to the world: one queue, one task, one commit per turn.
//!
//! ```text
//! news ─► engine::apply ─► one commit ─► effects, answers to webhooks, picture
//! ```
//!
//! Nothing leaves before it is on disk. A failed commit is fail-stop: brakes on, effects dropped, webhooks get
//! 503, the campaign is read back from disk, and the operator is told.

use super::brakes::Brakes;
use super::dispatch::Dispatch;
use super::ears::Hearing;
use super::gallery::Gallery;
use super::gap::Gap;
use super::handle::{Level, Notice};
use super::launch::Plan;
use super::news::News;
use super::pace::{self, Pacer};
use super::proof::RoundTrip;
use super::recovery;
use super::speaker::Speaker;
use super::store::{Keeper, Loaded};
use super::tasks::{Part, Tasks};
use super::turn::Turn;
use super::webhooks::NotTaken;
use crate::clock::{self, Clock};
use crate::engine::event::{Actor, Event, Kind};
use crate::engine::input::Input;
use crate::engine::snapshot::Phase;
use crate::engine::{self, Campaign};
use crate::model::{At, AttemptId, Channel, Customer, PersonId, Phone};
use crate::providers::Outgoing;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Wall time that answers under way get when we leave; a provider has no longer for one request.
const LAST_ANSWERS: Duration = Duration::from_secs(21);

/// News taken in one turn at most; more would make the first of them wait.
const TURN: usize = 1024;

/// What a driver is made of.
pub(super) struct Parts {
    pub store: Arc<dyn Keeper>,
    pub clock: Clock,
    /// Whether the clock is ours to stop.
    pub owns_clock: bool,
    pub dispatch: Dispatch,
    pub brakes: Brakes,
    pub speaker: Speaker,
    /// What a launch would launch.
    pub plan: Option<Arc<Plan>>,
    pub news: mpsc::Receiver<News>,
    pub notices: mpsc::Sender<Notice>,
    pub gallery: Gallery,
    /// Ends by itself once nothing can go on without an operator.
    pub until_done: bool,
    pub pacers: Vec<(Channel, Pacer)>,
    /// In live, nothing is sent without a proof of hearing.
    pub hearing: Option<Hearing>,
    /// How it is proved.
    pub round_trip: Option<RoundTrip>,
    /// What runs beside the loop.
    pub tasks: Tasks,
}

/// Everything the loop stands on.
pub struct Driver {
    pub(super) parts: Parts,
    pub(super) kept: Kept,
    pub(super) outgoing: HashMap<AttemptId, (Outgoing, At)>,
    /// Sends nothing before then: after a gap, what was said meanwhile is heard first.
    pub(super) settling_until: Option<At>,
    pub(super) deaf: bool,
    /// What this process was started for has begun: launched, or caught up. Before, an ended campaign says nothing.
    pub(super) begun: bool,
    pub(super) gap: Gap,
    /// Nothing said before then can have been missed.
    pub(super) heard_until: At,
    pub(super) failed: bool,
    /// A launch was asked for and may not be.
    pub(super) refused: bool,
    pub(super) quit: bool,
    /// The operator cannot be heard any more.
    pub(super) broken: bool,
    /// Somebody is being asked what was said in a gap.
    pub(super) catching_up: bool,
    /// Since when.
    pub(super) asked_since: At,
}

impl Drop for Driver {
    /// Whatever ends the loop, a panic included: sends that wait for their first byte stay here.
    fn drop(&mut self) {
        self.parts.brakes.leave();
    }
}

/// What the store holds, in memory.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub campaign: Option<Campaign>,
    pub people: HashMap<PersonId, Customer>,
    /// Whoever shares a number shares its first person's id.
    pub lines: HashMap<Phone, PersonId>,
    /// Short links by code: whose, and where they lead.
    pub links: HashMap<String, (AttemptId, String)>,
    pub dedup: HashSet<[u8; 16]>,
    pub seq: u64,
    pub last_person: u64,
    pub last_cascade: u64,
    pub last_text: u64,
    pub last_at: At,
}

impl Driver {
    /// Knows nothing yet; see [`Driver::load`].
    pub(super) fn new(parts: Parts) -> Self {
        let (kept, outgoing) = (Kept::default(), HashMap::new());
        let (deaf, failed, refused, quit) = (false, false, false, false);
        let gap = Gap::new(&parts.clock);
        Self {
            parts,
            kept,
            outgoing,
            settling_until: None,
            deaf,
            begun: false,
            gap,
            heard_until: At::default(),
            failed,
            refused,
            quit,
            broken: false,
            catching_up: false,
            asked_since: At::default(),
        }
    }

    /// Takes in what the store held.
    pub(super) fn load(&mut self, loaded: Loaded) {
        self.kept.campaign = loaded.campaign;
        self.kept.people = loaded.people;
        self.kept.lines = HashMap::new();
        for (id, customer) in &self.kept.people {
            let line = self.kept.lines.entry(customer.phone.clone()).or_insert(*id);
            *line = (*line).min(*id);
        }
        (self.kept.links, self.kept.dedup, self.kept.seq) = (loaded.links, loaded.dedup, loaded.seq);
        (self.kept.last_person, self.kept.last_cascade) = (loaded.last_person, loaded.last_cascade);
        (self.kept.last_text, self.kept.last_at) = (loaded.last_text, loaded.last_at.unwrap_or_default());
        for phone in loaded.suppressed {
            self.parts.brakes.opt_out(phone);
        }
        if let Some(campaign) = &self.kept.campaign {
            // The line that a cascade was started with counts, whoever else has that number by now.
            for journey in campaign.journeys() {
                if let Some(customer) = self.kept.people.get(&journey.person) {
                    self.kept.lines.insert(customer.phone.clone(), journey.start.line);
                }
            }
            self.parts.brakes.hold(None, self.failed || campaign.header.paused.is_some());
            for channel in Channel::ALL {
                self.parts.brakes.hold(Some(*channel), campaign.header.paused_on[channel.index()].is_some());
            }
        }
        self.parts.gallery.reset(self.kept.campaign.as_ref(), &self.kept.people, &loaded.newest);
        self.parts.gallery.set_audit(loaded.audit);
    }

    /// Campaign time, never earlier than the log's last event.
    pub(super) fn now(&self) -> At {
        self.parts.clock.now().max(self.kept.last_at)
    }

    /// Runs until it is told to quit, or until nothing can go on (`until_done`).
    pub async fn run(mut self) -> Ended {
        let mut news = Vec::with_capacity(TURN);
        loop {
            self.turn(&mut news).await;
            if self.quit || (self.parts.until_done && self.is_done()) {
                return self.close().await;
            }
            let wake = self.next_wake();
            let picture = self.parts.gallery.due_in();
            tokio::select! {
                biased;
                n = self.parts.news.recv_many(&mut news, TURN) => self.quit |= n == 0,
                () = sleep_until(&self.parts.clock, wake) => {}
                () = nap(picture) => {}
            }
        }
    }

    /// Nothing can go on without an operator. A launch that was refused leaves nothing to wait for either.
    fn is_done(&self) -> bool {
        if !self.begun {
            return false;
        }
        let over = |c: &Campaign| matches!(engine::phase(c), Phase::Ended | Phase::Stuck);
        self.failed || self.refused || self.kept.campaign.as_ref().is_some_and(over)
    }

    /// Handles what has come in and fallen due, in one commit.
    async fn turn(&mut self, news: &mut Vec<News>) {
        self.mind_the_gap();
        self.mind_hearing();
        let mut turn = Turn::default();
        for item in news.drain(..) {
            self.hear(item, &mut turn);
        }
        if !self.failed && !self.quit && !self.still_listening() {
            self.fire_timers(&mut turn);
            self.give_permits(&mut turn);
        }
        self.finish(turn).await;
        let last = self.quit || (self.parts.until_done && self.is_done());
        self.parts.gallery.set_settling(self.settling());
        let (campaign, seq, now) = (self.kept.campaign.as_ref(), self.kept.seq, self.now());
        self.parts.gallery.show(campaign, seq, now, last);
    }

    fn hear(&mut self, news: News, turn: &mut Turn) {
        if self.failed {
            return self.turn_away(news);
        }
        match news {
            News::Input(input) => self.apply(input, turn),
            News::Reports { heard, ack } => {
                for report in heard {
                    self.report(report, turn);
                }
                turn.acks.extend(ack);
            }
            News::Followed { code, suspected, ack } => self.followed(&code, suspected, ack, turn),
            News::Command(command) => self.command(command, turn),
            News::CaughtUp => {
                // With nothing in flight there is a launch still to come.
                self.begun |= self.kept.campaign.as_ref().is_some_and(|c| c.header.ended_at.is_none());
                self.catching_up = false;
                self.settling_until = Some(self.now() + recovery::SETTLING);
            }
            // What it says is minded in every turn.
            News::Hearing => {}
            News::Tell(notice) => self.tell(notice.level, notice.text),
            News::Panicked(part) => self.panicked(&part, turn),
        }
    }

    /// The store failed: nothing new is taken in, and whoever reported something is to report it again later.
    fn turn_away(&mut self, news: News) {
        match news {
            News::Reports { ack, .. } => drop(ack.map(|ack| ack.send(Err(NotTaken)))),
            News::Followed { ack, .. } => drop(ack.send(Err(NotTaken))),
            News::Command(command) => self.command_after_failure(command),
            News::Tell(notice) => self.tell(notice.level, notice.text),
            News::Panicked(Part::Commands) => self.quit = true,
            News::Input(_) | News::CaughtUp | News::Hearing | News::Panicked(_) => {}
        }
    }

    /// Brakes act first, then are recorded.
    fn brake_for(&self, event: &Event, turn: &mut Turn) {
        match (&event.kind, event.subject.cascade) {
            (Kind::CascadeEnded { .. }, Some(cascade)) => self.parts.brakes.over(cascade),
            (Kind::Paused { only, by, why }, _) => {
                self.parts.brakes.hold(*only, true);
                if *by == Actor::Engine {
                    self.tell_without_screen(Level::Error, format!("paused by itself: {why}"));
                }
            }
            (Kind::BreakerOpened { on, scope, failure, .. }, _) => {
                let fault = format!("{} {}", failure.code, failure.title);
                self.tell_without_screen(
                    Level::Warning,
                    format!("{}: {scope} is shut, {fault}. {}", on.label(), failure.remedy),
                );
            }
            (Kind::Suppressed { via, why }, Some(cascade)) => {
                if let Some(phone) = self.phone_of(cascade) {
                    self.parts.brakes.opt_out(phone.clone());
                    turn.suppress(phone, event.at, *via, why);
                }
            }
            _ => {}
        }
    }

    /// Gives one piece of news to the engine.
    pub(super) fn apply(&mut self, input: Input, turn: &mut Turn) {
        let now = self.now();
        let Some(campaign) = self.kept.campaign.as_mut().filter(|_| !self.failed) else { return };
        match engine::apply(campaign, now, input) {
            Ok(concluded) => {
                for event in &concluded.events {
                    self.brake_for(event, turn);
                    pace::heed(&mut self.parts.pacers, event);
                }
                if !concluded.events.is_empty() || !concluded.effects.is_empty() {
                    self.kept.last_at = now;
                    turn.take(concluded, &mut self.kept.seq);
                }
            }
            Err(illegal) => {
                tracing::warn!(%illegal, "news that fits no state");
                self.tell(Level::Warning, format!("{illegal}; it was left aside and nothing was sent"));
            }
        }
    }

    fn fire_timers(&mut self, turn: &mut Turn) {
        let now = self.now();
        let due = self.kept.campaign.as_ref().map(|c| c.due(now)).unwrap_or_default();
        for timer in due {
            self.apply(Input::Timer(timer), turn);
        }
    }

    /// Claims what each channel's rate, its places and the engine allow now.
    fn give_permits(&mut self, turn: &mut Turn) {
        let now = self.now();
        if self.is_deaf() {
            return;
        }
        for at in 0..self.parts.pacers.len() {
            let channel = self.parts.pacers[at].0;
            self.parts.pacers[at].1.waits_for_news = false;
            while self.wants_to_send(channel) && self.parts.pacers[at].1.ready(now) {
                let before = turn.claimed.len();
                self.apply(Input::Permit(channel), turn);
                if turn.claimed.len() == before {
                    // Somebody at the same number is in contact with whoever is left.
                    self.parts.pacers[at].1.waits_for_news = true;
                    break;
                }
                self.parts.pacers[at].1.take();
            }
        }
    }

    fn wants_to_send(&self, channel: Channel) -> bool {
        // What a brake would only take back is not claimed.
        !self.parts.brakes.holds(channel)
            && self
                .kept
                .campaign
                .as_ref()
                .is_some_and(|c| !c.queue(channel).is_empty() && c.has_room(channel))
    }

    /// The next instant at which something is to be done without any news.
    fn next_wake(&self) -> Option<At> {
        if self.failed {
            return None;
        }
        let campaign = self.kept.campaign.as_ref()?;
        let deaf = self.is_deaf();
        let may_go = |(channel, pacer): &&(Channel, Pacer)| {
            !deaf && self.wants_to_send(*channel) && !pacer.waits_for_news
        };
        let pacers = self.parts.pacers.iter().filter(may_go);
        // An instant that passed during the commit wakes at once: nobody is left lying for want of news.
        let due = pacers.map(|(_, pacer)| pacer.next()).chain(campaign.next_due()).min()?;
        Some(due.max(self.settling_until.unwrap_or_default()))
    }

    /// What stands under the header of a console as long as it lasts need not be told there besides.
    fn tell_without_screen(&self, level: Level, text: String) {
        if self.parts.until_done {
            self.tell(level, text);
        } else {
            tracing::warn!("{}", crate::model::clean(&text));
        }
    }

    /// Tells the operator; a screen that does not keep up misses nothing, because the log has it too.
    pub(super) fn tell(&self, level: Level, text: String) {
        let text = crate::model::clean(&text);
        match level {
            Level::Info => tracing::info!("{text}"),
            Level::Warning => tracing::warn!("{text}"),
            Level::Error => tracing::error!("{text}"),
        }
        let _ = self.parts.notices.try_send(Notice { level, text });
    }

    /// Requests that are out are answered first: leaving puts nobody in doubt.
    async fn wait_for_answers(&mut self) {
        let unanswered = |campaign: &Campaign| !campaign.unanswered_claims().is_empty();
        let mut news = Vec::new();
        let waited = clock::wall();
        while !self.failed && self.kept.campaign.as_ref().is_some_and(unanswered) {
            let left = LAST_ANSWERS.saturating_sub(clock::wall().saturating_duration_since(waited));
            match tokio::time::timeout(left, self.parts.news.recv_many(&mut news, TURN)).await {
                Ok(received) if received > 0 => {}
                Ok(_) | Err(_) => return,
            }
            let mut turn = Turn::default();
            for item in news.drain(..) {
                self.hear(item, &mut turn);
            }
            self.finish(turn).await;
        }
    }

    /// Everything is saved already; the clock's position is noted.
    async fn close(mut self) -> Ended {
        self.parts.brakes.leave();
        self.wait_for_answers().await;
        if !self.failed {
            let mut turn = Turn::default();
            turn.batch.meta.push(("clock", self.now().to_string()));
            if let Err(error) = self.parts.store.commit(turn.batch).await {
                self.fail_stop(&error);
            }
        }
        let now = self.now();
        Ended {
            failed: self.failed,
            broken: self.broken,
            now,
            seq: self.kept.seq,
            campaign: self.kept.campaign.take(),
            people: std::mem::take(&mut self.kept.people),
        }
    }
}

/// How the loop ended.
#[derive(Debug)]
pub struct Ended {
    /// The store failed.
    pub failed: bool,
    /// The operator could not be heard any more, for a fault of this program.
    pub broken: bool,
    /// Campaign time.
    pub now: At,
    /// The log's last place.
    pub seq: u64,
    /// As it stands.
    pub campaign: Option<Campaign>,
    /// Who is in it.
    pub people: HashMap<PersonId, Customer>,
}

async fn sleep_until(clock: &Clock, due: Option<At>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn nap(left: Option<Duration>) {
    match left {
        Some(left) => tokio::time::sleep(left).await,
        None => std::future::pending().await,
    }
}
