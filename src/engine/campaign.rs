//! The cohort: every journey of one campaign, its queues, timers and breakers. Data and look-ups only.

use super::breaker::Breaker;
use super::event::{Edition, Launch};
use super::journey::{Attempt, Journey, Stage, State};
use super::restored::Restored;
use super::streak::{self, Streak};
use crate::model::{At, AttemptId, CampaignId, CascadeId, Channel, Money, Outcome, PersonId, TimerId};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One campaign, as a fold of its events. Everything but [`Header`] and the journeys is an index over them,
/// made anew by [`Campaign::from_rows`].
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    /// Stored in one row.
    pub header: Header,
    /// Stored in a row each; ids are consecutive.
    journeys: Vec<Journey>,
    index: Index,
}

/// What belongs to the campaign and to nobody in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Its id.
    pub id: CampaignId,
    /// What was fixed at launch.
    pub launch: Launch,
    /// Campaign time.
    pub started_at: At,
    /// Campaign time.
    pub ended_at: Option<At>,
    /// Since when and why nothing is sent at all.
    pub paused: Option<Pause>,
    /// The same by channel.
    pub paused_on: [Option<Pause>; 4],
    /// Open ones.
    pub breakers: Vec<Breaker>,
    /// Outages in a row, by scope.
    #[serde(default)]
    pub streaks: Vec<Streak>,
    /// The next free id.
    pub next_attempt: AttemptId,
    /// The next free id.
    pub next_timer: TimerId,
    /// Contacts that went out although the person had already reacted elsewhere.
    pub contacted_after_answer: u64,
    /// Events that fit nobody.
    pub unmatched: u64,
    /// Clicks by link scanners.
    pub clicks_suspected: u64,
    /// Orders of operators so far; their ids are counted from 1.
    #[serde(default)]
    pub orders: u64,
    /// Versions of rules and texts since the launch, whose own is not among them, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub editions: Vec<Edition>,
    /// Which of all versions' texts are sent, from 0, that of the launch.
    #[serde(default)]
    pub content: u32,
    /// Channels on which the text of an earlier version is said still, and of which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_before: Vec<(Channel, u32)>,
    /// The store came from a backup while this campaign was under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
}

/// A pause of everything or of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Campaign time.
    pub since: At,
    /// In words for the screen.
    pub why: String,
    /// Whether the engine did it.
    pub by_itself: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Index {
    /// Planned attempts that may go, by channel, in order of their ids.
    queues: [BTreeSet<AttemptId>; 4],
    timers: BTreeSet<(At, TimerId)>,
    timer_of: HashMap<TimerId, TimerOwner>,
    cascade_of: HashMap<AttemptId, CascadeId>,
    by_provider_id: HashMap<String, AttemptId>,
    by_line: BTreeMap<PersonId, Vec<CascadeId>>,
    under_way: [u32; 4],
    claimed: [u32; 4],
    spent: Money,
    reserved: Money,
    open: u64,
}

/// Whose timer it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimerOwner {
    /// A journey's.
    Cascade(CascadeId),
    /// A breaker's.
    Breaker,
}

impl Campaign {
    /// Without anybody in it; the launch's events fill it.
    pub(super) fn empty(id: CampaignId, launch: Launch, at: At) -> Self {
        let header = Header {
            id,
            started_at: at,
            ended_at: None,
            paused: None,
            paused_on: [None, None, None, None],
            breakers: Vec::new(),
            streaks: Vec::new(),
            next_attempt: launch.first_attempt,
            next_timer: launch.first_timer,
            contacted_after_answer: 0,
            unmatched: 0,
            clicks_suspected: 0,
            orders: 0,
            editions: Vec::new(),
            content: 0,
            content_before: Vec::new(),
            restored: None,
            launch,
        };
        Self { header, journeys: Vec::new(), index: Index::default() }
    }

    /// From its stored rows, journeys in order of their ids.
    pub fn from_rows(header: Header, journeys: Vec<Journey>) -> Self {
        let mut campaign =
            Self { header, journeys: Vec::with_capacity(journeys.len()), index: Index::default() };
        for journey in journeys {
            campaign.push(journey);
        }
        for breaker in &campaign.header.breakers {
            if let Some((due, id)) = breaker.timer {
                campaign.index.timers.insert((due, id));
                campaign.index.timer_of.insert(id, TimerOwner::Breaker);
            }
        }
        campaign
    }

    /// Takes in a new or stored journey.
    pub(super) fn push(&mut self, journey: Journey) {
        self.index.by_line.entry(journey.start.line).or_default().push(journey.id);
        self.count(&journey, true);
        self.journeys.push(journey);
    }

    /// Changes one journey and keeps every index true. The only way to change one.
    pub(super) fn change(&mut self, id: CascadeId, change: impl FnOnce(&mut Journey)) {
        let Some(at) = self.position(id) else { return };
        let mut journey = self.journeys[at].clone();
        self.count(&journey, false);
        change(&mut journey);
        self.count(&journey, true);
        self.journeys[at] = journey;
    }

    fn count(&mut self, journey: &Journey, add: bool) {
        let index = &mut self.index;
        if let Some(timer) = journey.timer {
            if add {
                index.timers.insert((timer.due, timer.id));
                index.timer_of.insert(timer.id, TimerOwner::Cascade(journey.id));
            } else {
                index.timers.remove(&(timer.due, timer.id));
                index.timer_of.remove(&timer.id);
            }
        }
        if !journey.is_over() {
            if add { index.open += 1 } else { index.open = index.open.saturating_sub(1) }
        }
        for attempt in &journey.attempts {
            index.count_attempt(journey, attempt, add);
        }
    }

    fn position(&self, id: CascadeId) -> Option<usize> {
        let at = usize::try_from(id.0.checked_sub(self.header.launch.first_cascade.0)?).ok()?;
        (at < self.journeys.len()).then_some(at)
    }

    /// Sets or lifts a breaker's timer in the index.
    pub(super) fn index_breaker(&mut self, timer: Option<(At, TimerId)>, add: bool) {
        let Some((due, id)) = timer else { return };
        if add {
            self.index.timers.insert((due, id));
            self.index.timer_of.insert(id, TimerOwner::Breaker);
        } else {
            self.index.timers.remove(&(due, id));
            self.index.timer_of.remove(&id);
        }
    }

    /// Its id.
    pub fn id(&self) -> CampaignId {
        self.header.id
    }

    /// A version of rules and texts by its number; 0: that of the launch.
    pub fn edition(&self, number: u32) -> Edition {
        let later = number.checked_sub(1).and_then(|at| self.header.editions.get(at as usize));
        later.cloned().unwrap_or_else(|| {
            let launch = &self.header.launch;
            let (rules, content) = (launch.rules_hash.clone(), launch.content_hash.clone());
            Edition { rules, content, commit: launch.rules_commit.clone() }
        })
    }

    /// The version that brought what is said on a channel.
    pub fn content_on(&self, channel: Channel) -> u32 {
        let before = self.header.content_before.iter().find(|(before, _)| *before == channel);
        before.map_or(self.header.content, |(_, number)| *number)
    }

    /// The newest version's number: what a further edit starts from.
    pub fn newest_edition(&self) -> u32 {
        u32::try_from(self.header.editions.len()).unwrap_or(u32::MAX)
    }

    /// Everybody, in order of their ids.
    pub fn journeys(&self) -> &[Journey] {
        &self.journeys
    }

    /// One of them.
    pub fn journey(&self, id: CascadeId) -> Option<&Journey> {
        self.position(id).map(|at| &self.journeys[at])
    }

    /// Whose attempt it is.
    pub fn cascade_of(&self, attempt: AttemptId) -> Option<CascadeId> {
        self.index.cascade_of.get(&attempt).copied()
    }

    /// An attempt and its journey.
    pub fn attempt(&self, id: AttemptId) -> Option<(&Journey, &Attempt)> {
        let journey = self.journey(self.cascade_of(id)?)?;
        Some((journey, journey.attempt(id)?))
    }

    /// The attempt that a provider knows by this id.
    pub fn by_provider_id(&self, id: &str) -> Option<AttemptId> {
        self.index.by_provider_id.get(id).copied()
    }

    /// Everybody at this number.
    pub fn at_line(&self, line: PersonId) -> &[CascadeId] {
        self.index.by_line.get(&line).map_or(&[], Vec::as_slice)
    }

    /// Whose end this customer waits for: two share the number, and one cascade at a time is in contact with it.
    pub(super) fn ahead_of<'a>(&'a self, journey: &'a Journey) -> impl Iterator<Item = &'a Journey> {
        let begun = journey.in_contact();
        let others = self.at_line(journey.start.line).iter().filter_map(|id| self.journey(*id));
        // Both may have been contacted, as after a restore. Then whoever was last goes on, and nobody waits for ever.
        let last = |j: &Journey| (j.contacted_at(), Reverse(j.id));
        others.filter(move |other| {
            other.id != journey.id && other.in_contact() && (!begun || last(other) > last(journey))
        })
    }

    /// Whose timer it is; `None` for one that no longer counts.
    pub(super) fn timer_owner(&self, timer: TimerId) -> Option<&TimerOwner> {
        self.index.timer_of.get(&timer)
    }

    /// Planned attempts that may go, in order.
    pub fn queue(&self, channel: Channel) -> &BTreeSet<AttemptId> {
        &self.index.queues[channel.index()]
    }

    /// The first of the queue, or the first behind `after`.
    pub fn next_in_queue(&self, channel: Channel, after: Option<AttemptId>) -> Option<AttemptId> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.queue(channel).range((from, std::ops::Bound::Unbounded)).next().copied()
    }

    /// Claims without a result, and calls that are not over.
    pub fn under_way(&self, channel: Channel) -> u32 {
        self.index.under_way[channel.index()]
    }

    /// Claims without a result.
    pub fn claimed(&self, channel: Channel) -> u32 {
        self.index.claimed[channel.index()]
    }

    /// Booked so far.
    pub fn spent(&self) -> Money {
        self.index.spent
    }

    /// Worst case of what is under way.
    pub fn reserved(&self) -> Money {
        self.index.reserved
    }

    /// Cascades that are not over.
    pub fn open(&self) -> u64 {
        self.index.open
    }

    /// The next timer.
    pub fn next_due(&self) -> Option<At> {
        self.index.timers.first().map(|(due, _)| *due)
    }

    /// Timers that have run out by `now`, in order.
    pub fn due(&self, now: At) -> Vec<TimerId> {
        self.index.timers.iter().take_while(|(due, _)| *due <= now).map(|(_, id)| *id).collect()
    }

    /// When quiet hours next begin where this customer lives.
    pub fn quiet_begins(&self, id: CascadeId, now: At) -> Option<At> {
        let journey = self.journey(id)?;
        super::quiet::begins(&self.header.launch.policy.quiet_hours, &journey.start.zone, now)
    }

    /// Neither paused nor full nor ailing: a planned attempt of this channel may be looked at.
    pub fn has_room(&self, channel: Channel) -> bool {
        let header = &self.header;
        header.paused.is_none()
            && header.paused_on[channel.index()].is_none()
            && header.ended_at.is_none()
            && self.under_way(channel) < header.launch.policy.concurrent(channel)
            && streak::leaves_room(self, channel)
    }

    /// Accepted calls and text messages whose end, or what was said on them, is not known, by the provider's id: what
    /// is asked about after a gap. Calls first, on which somebody may have said STOP; the end of a message moves
    /// nobody whose cascade is over.
    pub fn without_end(&self) -> Vec<(Channel, String)> {
        let all = || self.journeys.iter().flat_map(|j| j.attempts.iter().map(move |a| (j, a)));
        let calls = all().filter(|(journey, a)| a.channel == Channel::Phone && journey.waits_for_call(a));
        let texts = all().filter(|(journey, a)| {
            let arrived = a.outcomes[Outcome::Delivered.index()];
            a.channel == Channel::Sms && a.stage == Stage::Accepted && !arrived && !journey.is_over()
        });
        calls.chain(texts).filter_map(|(_, a)| Some((a.channel, a.provider_id.clone()?))).collect()
    }

    /// Something is under way, whether or not anybody still waits for it.
    pub fn has_loose_ends(&self) -> bool {
        self.index.under_way.iter().any(|calls_and_claims| *calls_and_claims > 0)
    }

    /// Claims without a result: what a crash leaves in doubt.
    pub fn unanswered_claims(&self) -> Vec<AttemptId> {
        let attempts = self.journeys.iter().flat_map(|j| &j.attempts);
        attempts.filter(|a| a.stage == Stage::Claimed).map(|a| a.id).collect()
    }
}

impl Index {
    fn count_attempt(&mut self, journey: &Journey, attempt: &Attempt, add: bool) {
        let channel = attempt.channel.index();
        if add {
            self.cascade_of.insert(attempt.id, journey.id);
            if let Some(id) = &attempt.provider_id {
                self.by_provider_id.insert(id.clone(), attempt.id);
            }
            self.spent += attempt.cost;
            self.reserved += attempt.reserved;
            self.under_way[channel] += u32::from(attempt.under_way());
            self.claimed[channel] += u32::from(attempt.stage == Stage::Claimed);
        } else {
            self.spent = self.spent - attempt.cost;
            self.reserved = self.reserved - attempt.reserved;
            self.under_way[channel] -= u32::from(attempt.under_way());
            self.claimed[channel] -= u32::from(attempt.stage == Stage::Claimed);
        }
        let queued = attempt.stage == Stage::Planned && journey.state == State::Queued;
        if queued && add {
            self.queues[channel].insert(attempt.id);
        } else if queued {
            self.queues[channel].remove(&attempt.id);
        }
    }
}
