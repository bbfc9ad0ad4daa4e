//! A store that came from a backup: whatever was sent after the backup is asked for and written down before anything
//! is sent again, and an operator has the last word.
//!
//! | a step on | was sent in what was lost | is then |
//! |---|---|---|
//! | a channel whose provider lists what we sent | it is in the list | accepted, at the time that the list gives |
//! | | something is, and not in our words | in doubt, once its turn comes |
//! | | something is, for somebody else at the same number | in doubt, once its turn comes: nobody can tell whose it was |
//! | | it is not | sent, when its time comes |
//! | any other channel | nobody can tell | in doubt, once its turn comes |
//! | a channel that their rules do not have | something is, under rules that were lost | in doubt, if rules bring it back |
//!
//! A step that the operator settles as not sent is sent like any other. Whoever reports or answers something of the
//! lost part proves that it was sent.

use super::campaign::Campaign;
use super::event::{Actor, Hold, Kind, Subject, Withdrawal};
use super::input::Heard;
use super::journal::Journal;
use super::journey::{Attempt, Journey, Stage, State};
use super::steps::wait_ends;
use crate::model::{
    At, AttemptId, CascadeId, Channel, Class, Failure, Money, PersonId, Scope, Sent, TimerId, Untrusted,
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
    /// Whose number was used on a channel, nobody can tell for whom.
    #[serde(default)]
    pub shared: Vec<(CascadeId, Channel)>,
}

/// Channels of which the lists must be asked for: those on which somebody who is under way has a step left.
pub fn channels_to_ask(campaign: &Campaign) -> Vec<Channel> {
    let ahead =
        |on: Channel| campaign.journeys().iter().filter(|j| !j.is_over()).any(|j| step_on(j, on).is_some());
    Channel::ALL.iter().copied().filter(|channel| ahead(*channel)).collect()
}

/// The step on a channel that may have been taken since; the one under way as well, once more.
fn step_on(journey: &Journey, on: Channel) -> Option<u32> {
    let skipped = journey.start.skips.iter().any(|(channel, _)| *channel == on);
    let steps = journey.start.walk.iter().zip(0..).filter(|(leg, _)| leg.channel == on && !skipped);
    steps.map(|(_, step)| step).find(|step| *step >= journey.step)
}

/// Steps on a channel that may have been taken since for the first time.
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
        let (mut found, mut doubtful, mut others, mut shared) = (0, 0, 0, Vec::new());
        for sent in sent {
            match self.take_in(&sent, &untold, &mut shared) {
                Taken::Known => {}
                Taken::Found => found += 1,
                Taken::Doubtful => doubtful += 1,
                Taken::Nobodys => others += 1,
            }
        }
        self.record_campaign(Kind::Reconciled { found, doubtful, others, untold, shared });
        for (id, attempt) in self.planned_untold() {
            self.doubt_planned(id, attempt);
        }
        let why = "the store was restored from a backup; look at what is in doubt, then resume".into();
        self.record_campaign(Kind::Paused { only: None, by: Actor::Engine, why });
    }

    fn take_in(
        &mut self,
        sent: &SentBefore,
        untold: &[Channel],
        shared: &mut Vec<(CascadeId, Channel)>,
    ) -> Taken {
        if self.campaign.by_provider_id(&sent.provider_id).is_some() {
            return Taken::Known;
        }
        let candidates = self.candidates(sent);
        if let Some((attempt, is_open)) = self.claimed_before(sent) {
            let owner = self.campaign.cascade_of(attempt);
            let others = candidates.iter().filter(|(id, _)| sent.attempt.is_none() && Some(*id) != owner);
            shared.extend(others.map(|(other, _)| (*other, sent.channel)));
            if !is_open {
                return Taken::Known;
            }
            self.found(attempt, sent.provider_id.clone());
            return Taken::Found;
        }
        let off: Vec<_> = self.off_their_walk(sent).map(|id| (id, sent.channel)).collect();
        let is_theirs = candidates.len() == 1 && off.is_empty();
        shared.extend(off);
        if !sent.ours {
            shared.extend(candidates.iter().map(|(id, _)| (*id, sent.channel)));
            return if candidates.is_empty() { Taken::Nobodys } else { Taken::Doubtful };
        }
        let Some((&(id, step), others)) = candidates.split_first() else { return Taken::Nobodys };
        shared.extend(others.iter().map(|(other, _)| (*other, sent.channel)));
        if let Some(doubted) = self.doubted(id, step) {
            self.found(doubted, sent.provider_id.clone());
            return Taken::Found;
        }
        let asked = self.journey(id).is_some_and(|journey| journey.state == State::Held(Hold::SharedNumber));
        self.doubt_before(id, step, untold);
        let taken = self.recover((id, step), sent, is_theirs);
        if asked {
            // Somebody at this number has answered, and the operator is still asked who it was.
            self.record_about(id, Kind::Held { why: Hold::SharedNumber });
        }
        taken
    }

    /// `is_theirs`: nobody else can have been meant.
    fn recover(&mut self, (id, step): (CascadeId, u32), sent: &SentBefore, is_theirs: bool) -> Taken {
        let newest = self.journey(id).and_then(Journey::newest).filter(|a| a.step == step);
        let open = newest.filter(|a| matches!(a.stage, Stage::Claimed | Stage::InDoubt));
        match (open.map(|a| (a.id, a.stage)), is_theirs) {
            // It was known by then that this one had not left: otherwise nothing would have followed it.
            (Some((open, _)), true) => {
                let settled = Kind::DoubtSettled { was_sent: false, by: Actor::Engine, cost: Money::ZERO };
                self.record_attempt(open, settled);
            }
            // What followed may be another's: nobody can tell, it counts as a contact, and the step is not sent again.
            (Some((open, Stage::Claimed)), false) => self.doubt(open, perhaps_sent(sent.channel)),
            (Some(_), false) | (None, _) => {}
        }
        let attempt = self.plan_sent(id, step, sent.at, sent.attempt);
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

    /// The attempt that was claimed before the backup, and that this is; and whether nobody knew what became of it.
    fn claimed_before(&self, sent: &SentBefore) -> Option<(AttemptId, bool)> {
        let claimed = |a: &&Attempt| {
            let left = a.stage == Stage::Claimed || a.contacted();
            a.channel == sent.channel && left && a.provider_id.is_none()
        };
        let attempt = match sent.attempt {
            Some(named) => self.campaign.attempt(named).map(|(_, attempt)| attempt).filter(claimed),
            // Whoever was sent to at about that time, also where the cascade is over by now.
            None if sent.ours => {
                let all = self.at(sent.line).flat_map(|journey| &journey.attempts).filter(claimed);
                all.min_by_key(|a| a.claimed_at.map(|at| (sent.at - at).abs()))
            }
            None => None,
        };
        attempt.map(|a| (a.id, matches!(a.stage, Stage::Claimed | Stage::InDoubt)))
    }

    fn at(&self, line: Option<PersonId>) -> impl Iterator<Item = &Journey> {
        let here = line.map(|line| self.campaign.at_line(line)).unwrap_or_default();
        here.iter().filter_map(|id| self.journey(*id))
    }

    /// Whoever it may have gone to under rules that were lost, and whose own have no step on that channel.
    fn off_their_walk(&self, sent: &SentBefore) -> impl Iterator<Item = CascadeId> {
        // An attempt that was planned before the backup tells by itself whose it was.
        let is_named = sent.attempt.is_some_and(|id| self.campaign.attempt(id).is_some());
        let has_none = |journey: &&Journey| journey.start.walk.iter().all(|leg| leg.channel != sent.channel);
        let open = self.at(sent.line).filter(move |journey| !is_named && !journey.is_over());
        open.filter(has_none).map(|journey| journey.id)
    }

    /// Whoever it may have gone to, and the step that it was. A number that is shared is used by one of them at a time:
    /// whoever is in contact comes first. An attempt that was planned before the backup tells by itself.
    fn candidates(&self, sent: &SentBefore) -> Vec<(CascadeId, u32)> {
        let named = sent.attempt.and_then(|id| self.campaign.attempt(id));
        let fits = |(journey, planned): &(&Journey, &Attempt)| {
            planned.channel == sent.channel && sent.line.is_none_or(|line| line == journey.start.line)
        };
        if let Some((journey, planned)) = named.filter(fits) {
            // Nobody goes back to a step: an answer may have told of a later one before the lists did.
            let ahead = !journey.is_over() && planned.step >= journey.step;
            return Some((journey.id, planned.step)).filter(|_| ahead).into_iter().collect();
        }
        let mut here: Vec<&Journey> = self.at(sent.line).filter(|journey| !journey.is_over()).collect();
        here.sort_by_key(|journey| !journey.in_contact());
        let ahead = |journey: &Journey| Some((journey.id, step_on(journey, sent.channel)?));
        here.into_iter().filter_map(ahead).collect()
    }

    /// The doubt about this step that stands for whatever was sent.
    fn doubted(&self, id: CascadeId, step: u32) -> Option<AttemptId> {
        let newest = self.journey(id)?.newest()?;
        let restored = newest.failure.as_ref().is_some_and(|failure| failure.code == RESTORED);
        (newest.step == step && newest.stage == Stage::InDoubt && restored).then_some(newest.id)
    }

    /// The attempt of the lost part that a report names. At a number that is shared nobody can tell whose it was.
    pub(super) fn named_in_what_was_lost(&mut self, heard: &Heard) -> Option<AttemptId> {
        self.campaign.header.restored.as_ref()?;
        let never_started =
            |id: &AttemptId| self.campaign.attempt(*id).is_none_or(|(_, a)| a.claimed_at.is_none());
        let sent = SentBefore {
            line: heard.line,
            channel: heard.channel,
            at: heard.happened_at.unwrap_or(self.at),
            provider_id: heard.provider_id.clone()?,
            attempt: Some(heard.attempt.filter(never_started)?),
            ours: true,
        };
        if self.candidates(&sent).len() != 1 {
            return None;
        }
        self.take_in(&sent, &[], &mut Vec::new());
        self.campaign.by_provider_id(&sent.provider_id)
    }

    /// Whoever answers was written to or called, although nothing of it is left.
    pub(super) fn answered_in_what_was_lost(
        &mut self,
        at_line: &[CascadeId],
        channel: Channel,
    ) -> Option<AttemptId> {
        self.campaign.header.restored.as_ref()?;
        let journeys = at_line.iter().filter_map(|id| self.journey(*id));
        let journey = journeys.into_iter().find(|journey| !journey.is_over())?;
        let (id, step) = (journey.id, step_on(journey, channel).unwrap_or(journey.step));
        let attempt = self.plan_sent(id, step, self.at, None);
        self.doubt_planned(id, attempt);
        Some(attempt)
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
        let open = self.campaign.journeys().iter().filter(|journey| !journey.is_over());
        let newest = open.filter_map(|journey| Some((journey.id, journey.newest()?)));
        newest
            .filter(|(id, a)| a.stage == Stage::Planned && self.nobody_can_tell(*id, a.channel))
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

    /// Everything is held so that the operator can settle what may have been sent: until they go on, no doubt runs out.
    pub(super) fn awaits_word(&self, id: CascadeId) -> bool {
        let header = &self.campaign.header;
        let held = header.restored.is_some() && header.paused.as_ref().is_some_and(|pause| pause.by_itself);
        held && self.journey(id).is_some_and(|journey| self.doubted(id, journey.step).is_some())
    }

    /// The doubt stands for another wait.
    pub(super) fn doubt_on(&mut self, id: CascadeId) {
        let newest = self.journey(id).and_then(Journey::newest);
        let Some((attempt, failure)) = newest.and_then(|a| Some((a.id, a.failure.clone()?))) else { return };
        let (due, timer) = (wait_ends(self, id, self.at), self.timer());
        self.record_attempt(
            attempt,
            Kind::AttemptInDoubt { failure: Box::new(Failure::clone(&failure)), due, timer },
        );
    }

    fn nobody_can_tell(&self, id: CascadeId, channel: Channel) -> bool {
        let restored = self.campaign.header.restored.as_ref();
        restored.is_some_and(|r| r.untold.contains(&channel) || r.shared.contains(&(id, channel)))
    }

    /// Whether this step may have been sent in what was lost, and nobody but the operator can tell.
    pub(super) fn is_untold(&self, id: CascadeId, step: u32, channel: Channel) -> bool {
        let Some(restored) = &self.campaign.header.restored else { return false };
        let settled = |attempt: &Attempt| {
            let about_this = attempt.failure.as_ref().is_some_and(|failure| failure.code == RESTORED);
            attempt.step == step && about_this && attempt.claimed_at >= Some(restored.since)
        };
        self.nobody_can_tell(id, channel)
            && self.journey(id).is_some_and(|journey| !journey.attempts.iter().any(settled))
    }
}

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
