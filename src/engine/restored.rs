//! A store that came from a backup: whatever was sent after the backup is asked for and written down before anything
//! is sent again, and an operator has the last word.
//!
//! | a step on | was sent in what was lost | is then |
//! |---|---|---|
//! | a channel whose provider lists what we sent | it is in the list | accepted, at the time that the list gives |
//! | | something is, and not in our words | in doubt |
//! | | it is not | sent, when its time comes |
//! | any other channel | nobody can tell | in doubt, once its turn comes |
//!
//! A step that the operator settles as not sent is sent like any other.

use super::campaign::Campaign;
use super::event::{Actor, Kind, Subject, Withdrawal};
use super::journal::Journal;
use super::journey::{Attempt, Journey, Stage};
use crate::model::{
    At, AttemptId, CascadeId, Channel, Class, Failure, PersonId, Scope, Sent, TimerId, Untrusted,
};
use serde::{Deserialize, Serialize};

/// The code of a doubt about a step that may have been sent in what was lost.
pub const RESTORED: &str = "restored";

/// What is missing since the store was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last event that is left.
    pub backup_at: Option<At>,
    /// The last event that is known to be lost.
    pub lost_until: Option<At>,
    /// The first attempt id that the lost part cannot have used.
    pub next_attempt: AttemptId,
    /// The same for timers.
    pub next_timer: TimerId,
}

/// What a provider says that we sent after the backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentBefore {
    /// Whoever has that number; `None`: nobody here.
    pub line: Option<PersonId>,
    /// Where.
    pub channel: Channel,
    /// When.
    pub at: At,
    /// The provider's id.
    pub provider_id: String,
    /// Our attempt, where the list names it.
    pub attempt: Option<AttemptId>,
    /// Whether it is ours without a doubt; otherwise somebody else may have used our number.
    pub ours: bool,
}

/// A restored campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When that was noticed, campaign time.
    pub since: At,
    /// What was sent meanwhile is still being asked for.
    pub asking: bool,
    /// Channels on which nobody can tell what was sent.
    pub untold: Vec<Channel>,
}

/// Channels of which the lists must be asked for: those on which somebody who is under way has a step left.
pub fn channels_to_ask(campaign: &Campaign) -> Vec<Channel> {
    let ahead = |on: Channel| {
        campaign.journeys().iter().filter(|j| !j.is_over()).any(|j| steps_left(j, on).next().is_some())
    };
    Channel::ALL.iter().copied().filter(|channel| ahead(*channel)).collect()
}

/// Steps on a channel that may have been taken since.
fn steps_left(journey: &Journey, on: Channel) -> impl Iterator<Item = u32> {
    let taken = journey.newest().is_some_and(|a| a.step == journey.step && a.contacted());
    let from = if taken { journey.step + 1 } else { journey.step };
    let skipped = journey.start.skips.iter().any(|(channel, _)| *channel == on);
    let steps = journey.start.walk.iter().zip(0..).filter(move |(leg, _)| leg.channel == on && !skipped);
    steps.map(|(_, step)| step).filter(move |step| *step >= from)
}

impl Journal<'_> {
    /// Nothing is sent until what was sent meanwhile is known and the operator goes on.
    pub fn restored(&mut self, gap: Gap) {
        let Gap { backup_at, lost_until, next_attempt, next_timer } = gap;
        self.record_campaign(Kind::StoreRestored { backup_at, lost_until, next_attempt, next_timer });
        let why = "the store was restored from a backup; what was sent after it is being asked for".into();
        self.record_campaign(Kind::Paused { only: None, by: Actor::Engine, why });
    }

    /// Writes down what the lists told. On `untold` channels nobody can be asked.
    pub fn reconcile(&mut self, mut sent: Vec<SentBefore>, untold: Vec<Channel>) {
        let asking = self.campaign.header.restored.as_ref().is_some_and(|restored| restored.asking);
        if !asking || self.campaign.header.ended_at.is_some() {
            return;
        }
        sent.sort_by_key(|sent| sent.at);
        let (mut found, mut doubtful, mut others) = (0, 0, 0);
        for sent in sent {
            match self.take_in(&sent, &untold) {
                Taken::Known => {}
                Taken::Found => found += 1,
                Taken::Doubtful => doubtful += 1,
                Taken::Nobodys => others += 1,
            }
        }
        self.record_campaign(Kind::Reconciled { found, doubtful, others, untold });
        for (id, attempt) in self.planned_untold() {
            self.doubt_planned(id, attempt);
        }
        let why = "the store was restored from a backup; look at what is in doubt, then resume".into();
        self.record_campaign(Kind::Paused { only: None, by: Actor::Engine, why });
    }

    fn take_in(&mut self, sent: &SentBefore, untold: &[Channel]) -> Taken {
        if self.campaign.by_provider_id(&sent.provider_id).is_some() {
            return Taken::Known;
        }
        if let Some(claimed) = self.claimed_before(sent) {
            self.found(claimed, sent.provider_id.clone());
            return Taken::Found;
        }
        let Some((id, step)) = self.whose(sent) else { return Taken::Nobodys };
        self.doubt_before(id, step, untold);
        let attempt = self.plan_sent(id, step, sent.at, sent.attempt);
        if !sent.ours {
            self.doubt_planned(id, attempt);
            return Taken::Doubtful;
        }
        let (price, _) = self.campaign.header.launch.policy.price(sent.channel);
        let provider_id = Some(sent.provider_id.clone());
        let recovered = Kind::AttemptRecovered { sent_at: sent.at, provider_id, cost: price };
        self.record_attempt(attempt, recovered);
        match sent.channel {
            Channel::Phone => self.watch(attempt),
            Channel::Whatsapp | Channel::Sms | Channel::Email => self.start_wait(id, sent.at),
        }
        Taken::Found
    }

    /// The attempt that was claimed before the backup, and that this is.
    fn claimed_before(&self, sent: &SentBefore) -> Option<AttemptId> {
        let claimed = |attempt: &Attempt| {
            attempt.channel == sent.channel && matches!(attempt.stage, Stage::Claimed | Stage::InDoubt)
        };
        let named = sent.attempt.filter(|id| self.campaign.attempt(*id).is_some_and(|(_, a)| claimed(a)));
        let by_number = || {
            let mut newest = self.at(sent.line).filter_map(Journey::newest).filter(|a| claimed(a));
            newest.find(|a| a.claimed_at.is_some_and(|at| at <= sent.at + SLACK)).map(|a| a.id)
        };
        if sent.attempt.is_none() && sent.ours { by_number() } else { named }
    }

    fn at(&self, line: Option<PersonId>) -> impl Iterator<Item = &Journey> {
        let here = line.map(|line| self.campaign.at_line(line)).unwrap_or_default();
        here.iter().filter_map(|id| self.journey(*id))
    }

    /// Whoever it went to, and the step that it was.
    fn whose(&self, sent: &SentBefore) -> Option<(CascadeId, u32)> {
        let here = || self.at(sent.line).filter(|journey| !journey.is_over());
        let ahead = |journey: &Journey| Some((journey.id, steps_left(journey, sent.channel).next()?));
        // A number that is shared is used by one of them at a time.
        here().filter(|journey| journey.in_contact()).find_map(ahead).or_else(|| here().find_map(ahead))
    }

    /// Steps before it on channels where nobody can tell may have been taken as well: they count as contacts.
    fn doubt_before(&mut self, id: CascadeId, step: u32, untold: &[Channel]) {
        let Some(journey) = self.journey(id) else { return };
        let mut before: Vec<u32> = untold.iter().flat_map(|on| steps_left(journey, *on)).collect();
        before.retain(|s| *s < step);
        before.sort_unstable();
        for step in before {
            let attempt = self.plan_sent(id, step, self.at, None);
            self.doubt_planned(id, attempt);
        }
    }

    /// The attempt of `step` as if it had just been planned; what stood before it in the queue is taken back.
    fn plan_sent(&mut self, id: CascadeId, step: u32, due: At, named: Option<AttemptId>) -> AttemptId {
        let planned = self.journey(id).and_then(Journey::newest).filter(|a| a.stage == Stage::Planned);
        let planned = planned.map(|a| (a.id, a.step));
        let named = named.filter(|attempt| self.campaign.attempt(*attempt).is_none());
        match (planned, named) {
            (Some((attempt, at)), None) if at == step => return attempt,
            (Some((attempt, _)), _) => self.withdraw(attempt, Withdrawal::Passed),
            (None, _) => {}
        }
        let attempt = named.unwrap_or(self.campaign.header.next_attempt);
        let channel = self.journey(id).and_then(|j| j.start.walk.get(step as usize)).map(|leg| leg.channel);
        let about = self.about(id);
        let subject = Subject { step: Some(step), attempt: Some(attempt), channel, ..about };
        self.record(subject, Kind::AttemptPlanned { due });
        attempt
    }

    /// Attempts in their queues, on channels where nobody can tell whether they left it since.
    fn planned_untold(&self) -> Vec<(CascadeId, AttemptId)> {
        let Some(restored) = &self.campaign.header.restored else { return Vec::new() };
        let open = self.campaign.journeys().iter().filter(|journey| !journey.is_over());
        let newest = open.filter_map(|journey| Some((journey.id, journey.newest()?)));
        newest
            .filter(|(_, a)| a.stage == Stage::Planned && restored.untold.contains(&a.channel))
            .map(|(id, a)| (id, a.id))
            .collect()
    }

    /// It may have been sent: in doubt, so that nothing but the operator's word sends it.
    pub(super) fn doubt_planned(&mut self, id: CascadeId, attempt: AttemptId) {
        let Some(channel) = self.campaign.attempt(attempt).map(|(_, planned)| planned.channel) else {
            return;
        };
        let cost = self.journey(id).and_then(|j| j.leg()).map(|leg| leg.reserve).unwrap_or_default();
        self.record_attempt(attempt, Kind::AttemptRecovered { sent_at: self.at, provider_id: None, cost });
        self.doubt(attempt, perhaps_sent(channel));
    }

    /// Whether this step may have been sent in what was lost, and nobody but the operator can tell.
    pub(super) fn is_untold(&self, id: CascadeId, step: u32, channel: Channel) -> bool {
        let Some(restored) = &self.campaign.header.restored else { return false };
        let settled = |attempt: &Attempt| {
            let about_this = attempt.failure.as_ref().is_some_and(|failure| failure.code == RESTORED);
            attempt.step == step && about_this && attempt.claimed_at >= Some(restored.since)
        };
        restored.untold.contains(&channel)
            && self.journey(id).is_some_and(|journey| !journey.attempts.iter().any(settled))
    }
}

/// Their clocks and ours.
const SLACK: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

enum Taken {
    /// The store holds it.
    Known,
    /// It is written down now.
    Found,
    /// Something was sent, and not in our words.
    Doubtful,
    /// Nobody who is under way has such a step left.
    Nobodys,
}

fn perhaps_sent(channel: Channel) -> Failure {
    Failure {
        channel,
        provider: super::apply::OURS.into(),
        code: RESTORED.into(),
        class: Class::InDoubt,
        scope: Scope::Person,
        sent: Sent::Maybe,
        title: "may have been sent after the backup that this store was restored from".into(),
        remedy:
            "Settle it: if it was not sent, it is sent now. Left alone, the next step follows after its wait."
                .into(),
        detail: Untrusted::default(),
        retry_after_s: None,
    }
}
