//! The walk: entering, planning, waiting, passing over and leaving steps.

use super::breaker;
use super::effect::Effect;
use super::event::{Actor, Deferral, End, Hold, Kind, Skip, Subject, Withdrawal};
use super::journal::Journal;
use super::journey::{Attempt, Stage, State};
use super::may_send::{Verdict, may_send};
use crate::model::{At, AttemptId, CascadeId, Channel};
use chrono::TimeDelta;

/// Wall time between a claim and its first byte, at most. A slow disk takes seconds, a sleeping machine hours.
const CLAIM_GOOD_MS: i64 = 60_000;

impl Journal<'_> {
    /// Goes to `step`, passing over what cannot be taken; after the last one the cascade settles.
    pub fn enter(&mut self, id: CascadeId, step: u32) {
        let mut step = step;
        loop {
            let Some(journey) = self.journey(id) else { return };
            let Some(leg) = journey.start.walk.get(step as usize) else { return self.finish(id) };
            let channel = leg.channel;
            match journey.start.skips.iter().find(|(skipped, _)| *skipped == channel) {
                None => return self.plan(id, step, self.at),
                Some((_, why)) => {
                    let why = *why;
                    self.skip(id, step, channel, why);
                    step += 1;
                }
            }
        }
    }

    /// The step after the one they stand at.
    pub fn next_step(&mut self, id: CascadeId) {
        if let Some(step) = self.journey(id).map(|j| j.step) {
            self.enter(id, step + 1);
        }
    }

    fn skip(&mut self, id: CascadeId, step: u32, channel: Channel, why: Skip) {
        let subject = Subject { step: Some(step), attempt: None, channel: Some(channel), ..self.about(id) };
        self.record(subject, Kind::StepSkipped { why });
    }

    /// Puts an attempt of `step` into its channel's queue, or holds it where a breaker is open. `due` is when
    /// the step first fell due: `expires` counts from there.
    pub fn plan(&mut self, id: CascadeId, step: u32, due: At) {
        let Some(journey) = self.journey(id) else { return };
        let Some(channel) = journey.start.walk.get(step as usize).map(|leg| leg.channel) else { return };
        let subject = Subject { step: Some(step), attempt: None, channel: Some(channel), ..self.about(id) };
        if let Some(shut) = breaker::covering(self.campaign, journey, channel) {
            let why = Hold::Breaker { on: shut.on, scope: shut.scope.clone() };
            return self.record(subject, Kind::Held { why });
        }
        let attempt = self.campaign.header.next_attempt;
        self.record(Subject { attempt: Some(attempt), ..subject }, Kind::AttemptPlanned { due });
        if self.is_untold(id, step, channel) {
            self.doubt_planned(id, attempt);
        }
    }

    /// The same step once more: after a backoff, a hold, or an operator's word. What may have been sent is not.
    pub fn plan_again(&mut self, id: CascadeId) {
        let Some(journey) = self.journey(id) else { return };
        let (step, due) = (journey.step, journey.due_at);
        match journey.doubtful_since() {
            Some(since) => self.start_wait(id, since),
            None => self.plan(id, step, due),
        }
    }

    /// Claims the first attempt of the channel's queue that may go; defers, holds or passes over what stands
    /// before it and may not.
    pub fn claim_next(&mut self, channel: Channel) {
        if !self.campaign.has_room(channel) {
            return;
        }
        let mut after = None;
        while let Some(attempt) = self.campaign.next_in_queue(channel, after) {
            after = Some(attempt);
            let verdict = may_send(self.campaign, attempt, self.at);
            let Some(id) = self.campaign.cascade_of(attempt) else { continue };
            match verdict {
                Verdict::Yes => return self.claim(id, attempt, channel),
                Verdict::Behind => {}
                Verdict::Defer(until, why) => self.defer(attempt, until, why),
                Verdict::Expired => {
                    self.withdraw(attempt, Withdrawal::Stopped);
                    let step = self.journey(id).map_or(0, |j| j.step);
                    self.skip(id, step, channel, Skip::Expired);
                    self.next_step(id);
                }
                Verdict::Hold(why) => self.hold(id, attempt, why),
                Verdict::No => self.withdraw(attempt, Withdrawal::Stopped),
            }
        }
    }

    fn claim(&mut self, cascade: CascadeId, attempt: AttemptId, channel: Channel) {
        let leg = self.journey(cascade).and_then(|j| j.leg());
        let reserved = leg.map(|leg| leg.reserve).unwrap_or_default();
        let content = self.campaign.content_on(channel);
        self.record_attempt(attempt, Kind::AttemptClaimed { reserved, content });
        let good_until = self.good_until(cascade);
        self.ask(Effect::Send { attempt, cascade, channel, good_until });
    }

    /// Quiet hours begin, or the machine slept, while a claim is being recorded: then it is not good any more.
    fn good_until(&self, cascade: CascadeId) -> At {
        let speed = self.campaign.header.launch.speed.max(1.0);
        let stale = self.at + TimeDelta::milliseconds((CLAIM_GOOD_MS as f64 * speed) as i64);
        self.campaign.quiet_begins(cascade, self.at).map_or(stale, |quiet| quiet.min(stale))
    }

    fn defer(&mut self, attempt: AttemptId, until: At, why: Deferral) {
        let timer = self.timer();
        self.record_attempt(attempt, Kind::AttemptDeferred { until, why, timer });
    }

    pub fn withdraw(&mut self, attempt: AttemptId, why: Withdrawal) {
        self.record_attempt(attempt, Kind::AttemptWithdrawn { why });
    }

    /// Takes a planned attempt back and names what must be mended first.
    pub fn hold(&mut self, id: CascadeId, attempt: AttemptId, why: Hold) {
        self.withdraw(attempt, Withdrawal::Breaker);
        self.record_about(id, Kind::Held { why });
    }

    /// The step is done, from `since` on: its wait runs, or on the last one the conversion window.
    pub fn start_wait(&mut self, id: CascadeId, since: At) {
        let Some(journey) = self.journey(id) else { return };
        let (due, timer) = (wait_ends(self, id, since), self.timer());
        let kind = if journey.at_last_step() {
            Kind::SettlingStarted { due, timer }
        } else {
            Kind::WaitStarted { due, timer }
        };
        self.record_about(id, kind);
    }

    /// No step follows. Whoever was contacted may still answer; whoever was not is done.
    pub fn finish(&mut self, id: CascadeId) {
        let Some(journey) = self.journey(id) else { return };
        match journey.state {
            State::Settling | State::Ended(_) => {}
            _ if journey.attempts.iter().any(Attempt::contacted) => {
                let window = self.campaign.header.launch.policy.conversion_window_s;
                let (due, timer) = (self.at + TimeDelta::seconds(window as i64), self.timer());
                self.record_about(id, Kind::SettlingStarted { due, timer });
            }
            // Whoever opted out in an earlier campaign is passed over on every channel.
            _ if journey.start.skips.iter().any(|(_, why)| *why == Skip::Suppressed) => {
                self.end(id, End::OptedOut, None);
            }
            _ => self.end(id, End::Exhausted, None),
        }
    }

    /// The conversion window is over, or a last step's doubt ran out.
    pub fn settled(&mut self, id: CascadeId) {
        self.end(id, End::Exhausted, None);
    }

    /// Ends a cascade. Planned attempts are withdrawn, what is under way is recalled.
    pub fn end(&mut self, id: CascadeId, end: End, credited: Option<(Channel, Option<AttemptId>)>) {
        let Some(journey) = self.journey(id) else { return };
        if journey.is_over() {
            return;
        }
        let why = match end {
            End::Converted | End::Declined => Withdrawal::Answered,
            End::OptedOut => Withdrawal::OptedOut,
            End::Exhausted | End::Stopped => Withdrawal::Stopped,
        };
        let planned: Vec<_> =
            journey.attempts.iter().filter(|a| a.stage == Stage::Planned).map(|a| a.id).collect();
        let under_way: Vec<_> = journey
            .attempts
            .iter()
            // Also the call that they answered by writing instead of picking up: nobody watches it any more, and its line
            // would stay taken for ever.
            .filter(|a| a.under_way())
            .filter_map(|a| Some((a.id, a.channel, a.provider_id.clone()?)))
            .collect();
        for attempt in planned {
            self.withdraw(attempt, why);
        }
        let (credited, credited_attempt) = credited.unzip();
        self.record_about(
            id,
            Kind::CascadeEnded { end, credited, credited_attempt: credited_attempt.flatten() },
        );
        for (attempt, channel, provider_id) in under_way {
            self.ask(Effect::Recall { attempt, cascade: id, channel, provider_id });
        }
    }

    /// A call cost less than was set aside, or a send was refused: whom the budget held and now reaches goes on.
    pub fn spend_what_came_free(&mut self) {
        let bound = self.campaign.spent() + self.campaign.reserved();
        let mut room = self.campaign.header.launch.policy.budget - bound;
        let held = self.campaign.journeys().iter().filter(|j| j.state == State::Held(Hold::Budget));
        let held: Vec<_> = held.filter_map(|j| Some((j.id, j.leg()?.reserve))).collect();
        for (id, reserve) in held {
            if reserve <= room {
                room = room - reserve;
                self.record_about(id, Kind::Released { by: Actor::Engine });
                self.plan_again(id);
            }
        }
    }

    /// Whether this attempt is the one its journey now hangs on.
    pub fn is_current(&self, attempt: AttemptId) -> bool {
        self.campaign
            .attempt(attempt)
            .is_some_and(|(journey, _)| journey.newest_id() == Some(attempt) && journey.hangs_on(attempt))
    }
}

/// When the wait of the step they stand at ends if it began at `since`; on the last step, the window.
pub(super) fn wait_ends(journal: &Journal<'_>, id: CascadeId, since: At) -> At {
    let window = journal.campaign.header.launch.policy.conversion_window_s;
    let wait = journal.journey(id).and_then(|j| if j.at_last_step() { None } else { j.leg()?.wait_s });
    since + TimeDelta::seconds(wait.unwrap_or(window) as i64)
}
