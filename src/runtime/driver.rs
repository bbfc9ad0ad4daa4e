//! The loop that joins the engine to the world: one queue, one task, one commit per turn.
//!
//! ```text
//! news ─► engine::apply ─► one commit ─► effects, answers to webhooks, picture
//! ```
//!
//! Nothing leaves before it is on disk. A failed commit is fail-stop: brakes on, effects dropped, webhooks get
//! 503, the campaign is read back from disk, and the operator is told.

use super::brakes::Brakes;
use super::closing::Ended;
use super::disk::Disk;
use super::dispatch::Dispatch;
use super::ears::Hearing;
use super::gallery::Gallery;
use super::gap::Pulse;
use super::handle::{Level, Notice};
use super::kept::Kept;
use super::launch::Plan;
use super::listening::Listening;
use super::news::News;
use super::pace::{self, Pacer};
use super::proof::RoundTrip;
use super::saving::{Desk, Files};
use super::speaker::Speaker;
use super::store::{Keeper, Restored};
use super::tasks::{Part, Tasks};
use super::turn::Turn;
use super::webhooks::NotTaken;
use crate::clock::Clock;
use crate::engine::event::{Actor, Event, Kind};
use crate::engine::input::Input;
use crate::engine::snapshot::Phase;
use crate::engine::{self, Campaign};
use crate::model::{At, AttemptId, CampaignId, Channel};
use crate::providers::Outgoing;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// News taken in one turn at most; more would make the first of them wait.
pub(super) const TURN: usize = 1024;

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
    /// Where rules and texts are edited; `None`: nowhere.
    pub files: Option<Arc<dyn Files>>,
    pub news: mpsc::Receiver<News>,
    pub notices: mpsc::Sender<Notice>,
    pub gallery: Gallery,
    /// Ends by itself once nothing can go on without an operator.
    pub until_done: bool,
    pub pacers: Vec<(Channel, Pacer)>,
    /// Tells whether the process was stopped; `None` where the machine is simulated.
    pub pulse: Option<Pulse>,
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
    pub(super) listening: Listening,
    /// What this process was started for has begun: launched, or caught up. Before, an ended campaign says nothing.
    pub(super) begun: bool,
    pub(super) disk: Disk,
    /// Rules and texts that are shown, saved, and put in force.
    pub(super) desk: Desk,
    /// When the record was asked last for what it teaches.
    pub(super) learnt_at: Option<At>,
    /// The newest day of which the log tells that outcomes changed.
    pub(super) told: At,
    /// The store came from a backup, and nobody has gone on since.
    pub(super) restored: Option<Restored>,
    /// What is to be done before anything that comes in.
    pub(super) first: Vec<News>,
    /// A launch was asked for and may not be.
    pub(super) refused: bool,
    pub(super) quit: bool,
    /// The operator cannot be heard any more.
    pub(super) broken: bool,
}

impl Drop for Driver {
    /// Whatever ends the loop, a panic included: sends that wait for their first byte stay here.
    fn drop(&mut self) {
        self.parts.brakes.leave();
    }
}

impl Driver {
    /// Knows nothing yet; see [`Driver::load`].
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            kept: Kept::default(),
            outgoing: HashMap::new(),
            listening: Listening::new(&parts.clock),
            begun: false,
            disk: Disk::default(),
            desk: Desk::default(),
            learnt_at: None,
            told: At::default(),
            restored: None,
            first: Vec::new(),
            refused: false,
            quit: false,
            broken: false,
            parts,
        }
    }

    /// Runs until it is told to quit, or until nothing can go on (`until_done`).
    pub async fn run(mut self) -> Ended {
        // Before whatever the receiver has taken in meanwhile.
        let mut news = std::mem::take(&mut self.first);
        loop {
            self.turn(&mut news).await;
            if self.quit || (self.parts.until_done && self.is_done()) {
                return self.close().await;
            }
            let wake = self.next_wake().into_iter().chain(self.next_lesson()).min();
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
            return !self.is_well();
        }
        let over = |c: &Campaign| {
            matches!(engine::phase(c), Phase::Ended | Phase::Stuck)
                || c.header.paused.as_ref().is_some_and(|pause| pause.by_itself)
                || self.waits_for_set_up(c)
        };
        !self.is_well() || self.refused || self.kept.campaign.as_ref().is_some_and(over)
    }

    /// Handles what has come in and fallen due, in one commit.
    async fn turn(&mut self, news: &mut Vec<News>) {
        self.mind_the_gap();
        self.mind_hearing();
        self.mind_mute_channels();
        self.mind_the_day();
        let mut turn = Turn::default();
        for item in news.drain(..) {
            self.hear(item, &mut turn);
        }
        if self.is_well() && !self.quit && !self.still_listening() {
            self.fire_timers(&mut turn);
            self.give_permits(&mut turn);
        }
        self.finish(turn).await;
        let last = self.quit || (self.parts.until_done && self.is_done());
        self.parts.gallery.set_settling(self.settling());
        let (campaign, seq, now) = (self.kept.campaign.as_ref(), self.kept.seq, self.now());
        self.parts.gallery.show(campaign, seq, now, last);
    }

    pub(super) fn hear(&mut self, news: News, turn: &mut Turn) {
        if self.has_failed() {
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
            News::SentSince { listed, untold } => self.sent_since(listed, untold, turn),
            News::CaughtUp(number) => self.caught_up(number),
            News::Judged(judged) => self.judged(*judged),
            News::Kept(kept) => self.files_kept(*kept, turn),
            // What it says is minded in every turn.
            News::Hearing => {}
            News::Learnt(answer) => self.learnt(&answer, turn),
            News::Tell(notice) => self.tell(notice.level, notice.text),
            News::Panicked(part) => self.panicked(&part, turn),
        }
    }

    /// The store failed: nothing new is taken in, and whoever reported something is to report it again later.
    fn turn_away(&mut self, news: News) {
        match news {
            News::Reports { heard, ack } => {
                self.keep_opt_outs(heard.iter().filter_map(|report| self.opt_out_in(report)).collect(), None);
                // Whoever hung up sends it again as well.
                let _ = ack.map(|ack| ack.send(Err(NotTaken)));
            }
            News::Followed { ack, .. } => drop(ack.send(Err(NotTaken))),
            News::Command(command) => self.command_after_failure(command),
            News::Tell(notice) => self.tell(notice.level, notice.text),
            News::Panicked(Part::Commands) => self.quit = true,
            News::Judged(judged) => self.judged(*judged),
            // The next start finds it saved, and not in force.
            News::Kept(_)
            | News::Input(_)
            | News::SentSince { .. }
            | News::CaughtUp(_)
            | News::Hearing
            | News::Learnt(_)
            | News::Panicked(_) => {}
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
        let whose = self.whose(&input);
        self.apply_to(whose, input, turn);
    }

    /// The same, for a campaign that is known.
    pub(super) fn apply_to(&mut self, whose: Option<CampaignId>, input: Input, turn: &mut Turn) {
        let (now, failed) = (self.now(), self.has_failed());
        let Some(campaign) = whose.filter(|_| !failed).and_then(|id| self.kept.get_mut(id)) else { return };
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
