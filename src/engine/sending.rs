//! What becomes of a claimed attempt: accepted, refused, withdrawn or in doubt.

use super::apply::IllegalMove;
use super::breaker::OUTAGES_IN_A_ROW;
use super::effect::Effect;
use super::event::{End, Kind, RecallResult, Withdrawal};
use super::gate;
use super::journal::Journal;
use super::journey::{Stage, State};
use super::retry;
use super::steps::wait_ends;
use super::streak;
use crate::model::{AttemptId, Channel, Class, Failure, Outcome, Scope, Sent};
use chrono::TimeDelta;

/// How long a call may be without an end before the provider is asked.
const CALL_WATCH: TimeDelta = TimeDelta::minutes(15);

/// How often it is asked before the call counts as over.
const CALL_WATCHES: u32 = 8;

impl Journal<'_> {
    /// The provider took it. Known already where a webhook was faster.
    pub fn accepted(
        &mut self,
        attempt: AttemptId,
        provider_id: String,
        units: u32,
    ) -> Result<(), IllegalMove> {
        match self.stage(attempt) {
            Some(Stage::Claimed | Stage::InDoubt) => {
                self.take(attempt, provider_id, units);
                Ok(())
            }
            Some(Stage::Accepted | Stage::Failed) => {
                self.complete(attempt, provider_id, units);
                Ok(())
            }
            stage @ (None | Some(Stage::Planned | Stage::Refused | Stage::Withdrawn)) => {
                Err(illegal("accepted", attempt, stage))
            }
        }
    }

    /// Something proved the send before the create call's answer came. That answer may be the first to tell the
    /// provider's id, and alone tells the units; a price that the provider reported meanwhile stands.
    fn complete(&mut self, attempt: AttemptId, provider_id: String, units: u32) {
        let Some((journey, known)) = self.campaign.attempt(attempt) else { return };
        let (cascade, channel, cost) = (journey.id, known.channel, known.cost);
        let recall = journey.is_over() && known.under_way();
        let (price, _) = self.campaign.header.launch.policy.price(channel);
        let cost = if cost == price { price * u64::from(units.max(1)) } else { cost };
        if known.provider_id.is_none() {
            let accepted = Kind::AttemptAccepted { provider_id: provider_id.clone(), cost };
            self.record_attempt(attempt, accepted);
            if recall {
                self.ask(Effect::Recall { attempt, cascade, channel, provider_id });
            }
        } else if known.cost != cost {
            self.record_attempt(attempt, Kind::CostReported { cost });
        }
    }

    /// A lookup or an echo proved that a doubtful attempt was sent.
    pub fn found(&mut self, attempt: AttemptId, provider_id: String) {
        if matches!(self.stage(attempt), Some(Stage::Claimed | Stage::InDoubt)) {
            self.take(attempt, provider_id, 1);
        }
    }

    /// Books an attempt as accepted and starts what follows.
    fn take(&mut self, attempt: AttemptId, provider_id: String, units: u32) {
        let Some((journey, claimed)) = self.campaign.attempt(attempt) else { return };
        let (id, channel, ended) = (journey.id, claimed.channel, claimed.ended);
        let doubtful = claimed.stage == Stage::InDoubt;
        let (price, _) = self.campaign.header.launch.policy.price(channel);
        let over = journey.is_over();
        self.record_attempt(
            attempt,
            Kind::AttemptAccepted { provider_id: provider_id.clone(), cost: price * u64::from(units.max(1)) },
        );
        if over {
            // It was on its way when the cascade ended. Without an id nothing can be called back.
            if provider_id.is_empty() {
                let result = RecallResult::Impossible;
                return self.record_attempt(attempt, Kind::Recalled { result });
            }
            return self.ask(Effect::Recall { attempt, cascade: id, channel, provider_id });
        }
        if !self.is_current(attempt) {
            return;
        }
        match channel {
            Channel::Phone if !ended => self.watch(attempt),
            // The wait runs from the claim already.
            Channel::Whatsapp | Channel::Phone | Channel::Sms | Channel::Email if doubtful => {}
            Channel::Whatsapp | Channel::Phone | Channel::Sms | Channel::Email => {
                self.start_wait(id, self.at);
            }
        }
    }

    /// The create call failed: `sent: no` is tried again or moves on, `sent: maybe` never is.
    pub fn failed(&mut self, attempt: AttemptId, failure: Failure, reached: bool) -> Result<(), IllegalMove> {
        match self.stage(attempt) {
            Some(Stage::Claimed) => {}
            // A webhook had already proved that it was sent; the lost answer changes nothing.
            Some(Stage::Accepted | Stage::Failed | Stage::InDoubt) => return Ok(()),
            stage @ (None | Some(Stage::Planned | Stage::Refused | Stage::Withdrawn)) => {
                return Err(illegal("a failed create call", attempt, stage));
            }
        }
        let channel = failure.channel;
        if failure.sent == Sent::Maybe || failure.class == Class::InDoubt {
            self.doubt(attempt, failure.clone());
            self.shut_by_outages(&failure, false);
        } else {
            self.record_attempt(
                attempt,
                Kind::AttemptRefused { failure: Box::new(failure.clone()), reached },
            );
            self.after_refusal(attempt, &failure);
        }
        gate::watch(self, channel);
        Ok(())
    }

    /// Sent or not? The wait runs from the claim, and the provider is asked.
    pub fn doubt(&mut self, attempt: AttemptId, failure: Failure) {
        let Some((journey, claimed)) = self.campaign.attempt(attempt) else { return };
        let (cascade, channel) = (journey.id, claimed.channel);
        let since = claimed.claimed_at.unwrap_or(self.at);
        let (due, timer) = (wait_ends(self, cascade, since), self.timer());
        self.record_attempt(attempt, Kind::AttemptInDoubt { failure: Box::new(failure), due, timer });
        // Also for a cascade that is over: what turns out to be under way is recalled.
        self.ask(Effect::LookUp { attempt, cascade, channel });
    }

    fn after_refusal(&mut self, attempt: AttemptId, failure: &Failure) {
        let Some(id) = self.campaign.cascade_of(attempt) else { return };
        let current = self.is_current(attempt);
        match failure.class {
            // What it says about a scope, or about their wish, holds also where the cascade is over meanwhile.
            Class::Config => self.shut_and_hold(attempt, failure, false),
            Class::Outage if streak::outages(self.campaign, failure, false) >= OUTAGES_IN_A_ROW => {
                self.shut_and_hold(attempt, failure, false);
            }
            Class::Throttle | Class::Outage if !current => {}
            Class::Throttle | Class::Outage => self.retry_or_shut(attempt, failure),
            Class::Recipient => self.bounced(attempt, failure),
            Class::Suppress => {
                let why = failure.code.clone();
                self.opted_out(id, Some(attempt), failure.channel, why, None, None);
            }
            Class::InDoubt => {}
        }
    }

    fn retry_or_shut(&mut self, attempt: AttemptId, failure: &Failure) {
        let Some((journey, _)) = self.campaign.attempt(attempt) else { return };
        let retry = journey.retries + 1;
        if retry > self.campaign.header.launch.policy.retry_max {
            // One person's rate says nothing about anybody else, and there is nothing to mend.
            if failure.scope == Scope::Person && failure.class == Class::Throttle {
                let id = journey.id;
                return self.next_step(id);
            }
            return self.shut_and_hold(attempt, failure, false);
        }
        let (due, timer) = (self.at + retry::delay(attempt, failure, retry), self.timer());
        self.record_attempt(attempt, Kind::RetryScheduled { retry, due, timer });
    }

    /// Cannot arrive there: nobody sits out a wait for it.
    pub fn bounced(&mut self, attempt: AttemptId, failure: &Failure) {
        let Some((journey, _)) = self.campaign.attempt(attempt) else { return };
        let id = journey.id;
        let sits_out = journey.leg().is_some_and(|leg| leg.bounce_waits);
        let waits = matches!(journey.state, State::Waiting | State::Settling | State::InDoubt);
        self.outcome(attempt, Outcome::Bounced, None, Some(failure.code.clone()), None, None);
        if !self.is_current(attempt) {
            return;
        }
        if sits_out {
            if !waits {
                self.start_wait(id, self.at);
            }
        } else {
            self.next_step(id);
        }
    }

    /// A brake fell between the claim and the first byte: nothing was sent.
    pub fn braked(&mut self, attempt: AttemptId, why: Withdrawal) -> Result<(), IllegalMove> {
        match self.stage(attempt) {
            Some(Stage::Claimed) => {}
            stage => return Err(illegal("a brake", attempt, stage)),
        }
        let id = self.campaign.cascade_of(attempt);
        self.withdraw(attempt, why);
        let Some(id) = id.filter(|_| self.is_current(attempt)) else { return Ok(()) };
        match why {
            // Their words may still be on the way, or were said in another campaign.
            Withdrawal::OptedOut => self.end(id, End::OptedOut, None),
            Withdrawal::Stopped => self.end(id, End::Stopped, None),
            // What put the brake on may turn out to change nothing (an auto-reply): then the step is still wanted.
            Withdrawal::Answered
            | Withdrawal::Paused
            | Withdrawal::Breaker
            | Withdrawal::Budget
            | Withdrawal::Late
            | Withdrawal::NotStarted
            | Withdrawal::Passed
            | Withdrawal::Rules => self.plan_again(id),
        }
        Ok(())
    }

    /// A call had no end for a long time: ask, and at last conclude.
    pub fn watch_call(&mut self, id: crate::model::CascadeId) {
        let Some(attempt) = self.journey(id).and_then(|j| j.newest()) else { return };
        let (attempt, channel, watched) = (attempt.id, attempt.channel, attempt.watched);
        if watched >= CALL_WATCHES {
            self.record_attempt(
                attempt,
                Kind::CallEnded { reason: "no end was ever reported".into(), talked_s: 0 },
            );
            return self.start_wait(id, self.at);
        }
        self.ask(Effect::LookUp { attempt, cascade: id, channel });
        self.watch(attempt);
    }

    /// A call is under way: no wait runs, and its end is asked for if it is not heard in time.
    pub fn watch(&mut self, attempt: AttemptId) {
        let (due, timer) = (self.at + CALL_WATCH, self.timer());
        self.record_attempt(attempt, Kind::CallWatched { due, timer });
    }

    fn stage(&self, attempt: AttemptId) -> Option<Stage> {
        self.campaign.attempt(attempt).map(|(_, a)| a.stage)
    }
}

fn illegal(what: &'static str, attempt: AttemptId, stage: Option<Stage>) -> IllegalMove {
    let stage = stage.map_or_else(|| "unknown".into(), |stage| format!("{stage:?}").to_lowercase());
    IllegalMove { what, attempt, stage }
}
