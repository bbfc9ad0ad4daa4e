//! What an operator may have done for one person, and when. No order contacts anybody by itself: it puts a step into
//! its queue, and the last look (pauses, breakers, quiet hours, caps, budget, numbers that are shared) decides as ever.
//!
//! **Retry** means the step they stand at, once more, and only where it is certain that it did not reach them. Nobody
//! goes back a step: the chain went on, and the next channel may have spoken already. By how far every attempt of the
//! step came:
//!
//! | stage | again? |
//! |---|---|
//! | planned, claimed | no: it is under way |
//! | accepted | no: it was sent. But a call that ended without an answer stands in nobody's way |
//! | refused | yes: certainly not sent, whether a backoff runs or a bounce is sat out |
//! | withdrawn | yes: no byte left |
//! | failed later | yes, if the provider's word for it proves that it did not arrive and no receipt says otherwise |
//! | in doubt | no: `was not sent` is a decision of its own, and sends again by itself |
//!
//! Whoever is held waits for the mend of a scope, not for a retry. Whoever has ended stays ended.
//!
//! **Skip a wait** ends a step's wait, and the lengthening of one by a pause. Quiet hours and caps are no waits of ours
//! to skip; a doubtful step counts as contacted, and a call in doubt may be ringing, so that it is settled first.
//!
//! **Settling a doubt** goes by the attempt that the operator saw, also of a cascade that is over: then it is put
//! down, and nothing follows.

use super::breaker;
use super::campaign::Campaign;
use super::event::{Actor, Deferral, End, Hold, Kind};
use super::journal::Journal;
use super::journey::{Attempt, Journey, Stage, State};
use super::order::{Came, Deed, Left, Target};
use crate::model::{CascadeId, Channel, Money, Outcome, Sent};

/// Whether `deed` may be done for them as they stand, scopes apart.
pub fn may(journey: &Journey, deed: Deed) -> Result<(), Left> {
    match (deed, &journey.state) {
        (Deed::OptOut, State::Ended(End::OptedOut)) => Err(Left::OptedOut),
        (Deed::WasSent | Deed::WasNotSent, state) => match (journey.newest().map(|a| a.stage), state) {
            (Some(Stage::InDoubt), _) => Ok(()),
            (_, State::Ended(end)) => Err((*end).into()),
            (_, _) => Err(Left::NoDoubt),
        },
        (Deed::Stop | Deed::Release | Deed::SkipWait | Deed::Retry, State::Ended(end)) => Err((*end).into()),
        // An opt-out is put down also of somebody whose cascade is over.
        (Deed::OptOut | Deed::Stop, _) => Ok(()),
        (Deed::Release, state) => release(journey, state),
        (Deed::SkipWait, state) => skip_wait(state),
        (Deed::Retry, state) => retry(journey, state),
    }
}

/// A send whose answer is still out keeps the hold: what comes of that send is not known yet.
fn release(journey: &Journey, state: &State) -> Result<(), Left> {
    let claimed = journey.newest().is_some_and(|a| a.step == journey.step && a.stage == Stage::Claimed);
    match state {
        State::Held(Hold::SharedNumber) if claimed => Err(Left::Sending),
        State::Held(Hold::SharedNumber) => Ok(()),
        State::Held(Hold::Breaker { .. } | Hold::Budget)
        | State::Queued
        | State::Deferred(_)
        | State::Sending
        | State::Retrying
        | State::Waiting
        | State::InDoubt
        | State::Settling
        | State::Ended(_) => Err(Left::NotAsked),
    }
}

fn skip_wait(state: &State) -> Result<(), Left> {
    match state {
        State::Waiting | State::Deferred(Deferral::Pause) => Ok(()),
        State::Deferred(why @ (Deferral::QuietHours | Deferral::PersonCap)) => Err((*why).into()),
        State::Queued => Err(Left::Queued),
        State::Sending => Err(Left::Sending),
        State::Retrying => Err(Left::Retrying),
        State::Held(hold) => Err(hold.into()),
        State::InDoubt => Err(Left::InDoubt),
        State::Settling => Err(Left::LastStep),
        State::Ended(end) => Err((*end).into()),
    }
}

fn retry(journey: &Journey, state: &State) -> Result<(), Left> {
    match state {
        State::Retrying | State::Waiting | State::Settling => {}
        State::Queued | State::Deferred(_) => return Err(Left::Queued),
        State::Sending => return Err(Left::Sending),
        State::Held(hold) => return Err(hold.into()),
        State::InDoubt => return Err(Left::InDoubt),
        State::Ended(end) => return Err((*end).into()),
    }
    let of_step = || journey.attempts.iter().filter(|a| a.step == journey.step);
    match of_step().next_back().map(|a| a.stage) {
        None | Some(Stage::Withdrawn) => Err(Left::NothingTried),
        Some(Stage::Accepted) => Err(Left::Sent),
        Some(Stage::Planned | Stage::Claimed | Stage::InDoubt | Stage::Refused | Stage::Failed) => {
            of_step().try_for_each(stands_in_nobodys_way)
        }
    }
}

/// Whether it is certain that this attempt did not reach them, or that nobody picked up.
fn stands_in_nobodys_way(attempt: &Attempt) -> Result<(), Left> {
    let heard = |outcome: Outcome| attempt.outcomes[outcome.index()];
    let arrived = [Outcome::Delivered, Outcome::Read, Outcome::Replied, Outcome::Answered, Outcome::Clicked];
    let proven = attempt.failure.as_ref().is_some_and(|failure| failure.sent == Sent::No);
    match attempt.stage {
        Stage::Refused | Stage::Withdrawn => Ok(()),
        Stage::Failed if proven && !arrived.into_iter().any(heard) => Ok(()),
        Stage::Failed => Err(Left::MayHaveArrived),
        Stage::Accepted if attempt.channel == Channel::Phone && attempt.ended && heard(Outcome::NoAnswer) => {
            Ok(())
        }
        Stage::Accepted => Err(Left::Sent),
        Stage::Planned => Err(Left::Queued),
        Stage::Claimed => Err(Left::Sending),
        Stage::InDoubt => Err(Left::InDoubt),
    }
}

/// The same, with what the campaign knows, for the person that the operator saw.
fn may_now(campaign: &Campaign, deed: Deed, target: Target) -> Result<(), Left> {
    let journey = campaign.journey(target.cascade).ok_or(Left::Elsewhere)?;
    may(journey, deed)?;
    let moved = journey.step != target.step || journey.newest().map(|a| a.id) != target.attempt;
    let shut = || breaker::covering(campaign, journey, journey.channel()).is_some();
    // Whatever happened to them since, a stop and an opt-out are about the person.
    match deed {
        Deed::WasSent | Deed::WasNotSent | Deed::Release | Deed::SkipWait | Deed::Retry if moved => {
            Err(Left::MovedOn)
        }
        Deed::Retry if shut() => Err(Left::Shut),
        Deed::Stop
        | Deed::OptOut
        | Deed::WasSent
        | Deed::WasNotSent
        | Deed::Release
        | Deed::SkipWait
        | Deed::Retry => Ok(()),
    }
}

/// Why somebody is left alone whom the operator's filter lists no more.
pub(super) fn why_gone(campaign: &Campaign, id: CascadeId) -> Left {
    match campaign.journey(id).map(|journey| &journey.state) {
        None => Left::Elsewhere,
        Some(State::Ended(end)) => (*end).into(),
        Some(_) => Left::MovedOn,
    }
}

impl Journal<'_> {
    /// Does it, or says why not.
    pub fn deed(&mut self, deed: Deed, target: Target) -> Came {
        if let Err(left) = may_now(self.campaign, deed, target) {
            return Came::Left(left);
        }
        let id = target.cascade;
        match deed {
            Deed::Stop => return self.stop(id),
            Deed::OptOut => {
                let before = self.what_is_out(id);
                if let Some(channel) = self.journey(id).map(Journey::channel) {
                    self.opted_out(id, None, channel, "told to the operator".into(), None, None);
                }
                return before;
            }
            Deed::WasSent => self.settle_doubt(id, true),
            Deed::WasNotSent => self.settle_doubt(id, false),
            Deed::Release => self.release(id),
            Deed::SkipWait => self.skip_the_wait(id),
            Deed::Retry => {
                let Some(step) = self.journey(id).map(|journey| journey.step) else { return Came::Done };
                self.record_about(id, Kind::Retried { by: Actor::Operator });
                self.plan(id, step, self.at);
            }
        }
        Came::Done
    }

    /// Ends a cascade for good.
    pub fn stop(&mut self, id: CascadeId) -> Came {
        let before = self.what_is_out(id);
        self.end(id, End::Stopped, None);
        before
    }

    /// What ending a cascade cannot undo, or only try to.
    fn what_is_out(&self, id: CascadeId) -> Came {
        let Some(journey) = self.journey(id).filter(|journey| !journey.is_over()) else { return Came::Done };
        if journey.attempts.iter().any(Attempt::under_way) {
            Came::Recalling
        } else if journey.attempts.iter().any(Attempt::contacted) {
            Came::SentBefore
        } else {
            Came::Done
        }
    }

    fn skip_the_wait(&mut self, id: CascadeId) {
        let waits = self.journey(id).is_some_and(|journey| journey.state == State::Waiting);
        self.record_about(id, Kind::WaitSkipped { by: Actor::Operator });
        if waits {
            self.next_step(id);
        }
    }

    /// Ends the hold that an ambiguous reply caused.
    fn release(&mut self, id: CascadeId) {
        let Some(journey) = self.journey(id) else { return };
        let newest = journey.newest().filter(|a| a.step == journey.step);
        let (stage, call) = (newest.map(|a| a.stage), newest.filter(|a| a.under_way()).map(|a| a.id));
        self.record_about(id, Kind::Released { by: Actor::Operator });
        match stage {
            Some(Stage::Claimed | Stage::Accepted | Stage::Failed | Stage::InDoubt) => match call {
                Some(call) => self.watch(call),
                None => self.start_wait(id, self.at),
            },
            Some(Stage::Planned | Stage::Refused | Stage::Withdrawn) | None => self.plan_again(id),
        }
    }

    /// Sent: its wait goes on. Not sent: the step is tried again, by the operator's word alone.
    fn settle_doubt(&mut self, id: CascadeId, was_sent: bool) {
        let Some(journey) = self.journey(id) else { return };
        let Some((attempt, channel)) = journey.newest().map(|a| (a.id, a.channel)) else { return };
        let resend = !was_sent && journey.state == State::InDoubt;
        let (price, _) = self.campaign.header.launch.policy.price(channel);
        let cost = if was_sent { price } else { Money::ZERO };
        self.record_attempt(attempt, Kind::DoubtSettled { was_sent, by: Actor::Operator, cost });
        if resend {
            self.plan_again(id);
        }
    }
}
