//! What the operator asks of a campaign.

use super::event::{Actor, Deferral, End, Hold, Kind};
use super::input::Order;
use super::journal::Journal;
use super::journey::{Journey, Stage, State};
use crate::model::{At, CascadeId, Money, Outcome};

impl Journal<'_> {
    /// Does what is asked; what no longer applies is left alone.
    pub fn order(&mut self, order: Order) {
        match order {
            Order::Pause { only, why } => {
                self.record_campaign(Kind::Paused { only, by: Actor::Operator, why });
            }
            Order::Resume { only, extend_timers } => {
                let header = &self.campaign.header;
                let paused = match only {
                    None => &header.paused,
                    Some(channel) => &header.paused_on[channel.index()],
                };
                let Some(since) = paused.as_ref().map(|pause| pause.since) else { return };
                self.record_campaign(Kind::Resumed { only, extend_timers });
                if extend_timers && only.is_none() {
                    self.extend_waits_that_ran_out(since);
                }
            }
            Order::CloseBreaker { channel, scope } => self.close_breaker(channel, &scope, Actor::Operator),
            Order::SettleDoubt { cascade, was_sent } => self.settle_doubt(cascade, was_sent),
            Order::Release(cascade) => self.release(cascade),
            Order::Stop(cascade) => self.end(cascade, End::Stopped, None),
            Order::StopAll => {
                let open = self.campaign.journeys().iter().filter(|j| !j.is_over());
                for cascade in open.map(|j| j.id).collect::<Vec<_>>() {
                    self.end(cascade, End::Stopped, None);
                }
            }
            Order::OptOut(cascade) => {
                let channel = self.journey(cascade).map(Journey::channel);
                if let Some(channel) = channel {
                    self.opted_out(cascade, None, channel, "told to the operator".into(), None, None);
                }
            }
        }
    }

    /// Waits that ran out while nothing was sent are lengthened like those that still run: their next step, which
    /// is planned already, goes that much later.
    fn extend_waits_that_ran_out(&mut self, paused: At) {
        let stood = self.at - paused;
        let ran_out = |j: &&Journey| {
            let mut newest_first = j.attempts.iter().rev();
            let planned = newest_first.next().is_some_and(|a| a.stage == Stage::Planned && a.step == j.step);
            // Nobody sat out a wait for what bounced.
            let waited = newest_first.next().is_some_and(|a| {
                matches!(a.stage, Stage::Accepted | Stage::InDoubt)
                    && !a.outcomes[Outcome::Bounced.index()]
                    && a.step < j.step
            });
            j.state == State::Queued && planned && waited && j.due_at > paused
        };
        let late: Vec<_> =
            self.campaign.journeys().iter().filter(ran_out).map(|j| (j.id, j.due_at)).collect();
        for (id, due) in late {
            let (until, timer) = (due + stood, self.timer());
            self.record_about(id, Kind::AttemptDeferred { until, why: Deferral::Pause, timer });
        }
    }

    /// Ends the hold that an ambiguous reply caused. A send whose answer is still out keeps it: what comes of
    /// that send is not known yet.
    fn release(&mut self, id: CascadeId) {
        let Some(journey) = self.journey(id).filter(|j| j.state == State::Held(Hold::SharedNumber)) else {
            return;
        };
        let newest = journey.newest().filter(|a| a.step == journey.step);
        let (stage, call) = (newest.map(|a| a.stage), newest.filter(|a| a.under_way()).map(|a| a.id));
        match stage {
            Some(Stage::Claimed) => {}
            Some(Stage::Accepted | Stage::Failed | Stage::InDoubt) => {
                self.record_about(id, Kind::Released { by: Actor::Operator });
                match call {
                    Some(call) => self.watch(call),
                    None => self.start_wait(id, self.at),
                }
            }
            Some(Stage::Planned | Stage::Refused | Stage::Withdrawn) | None => {
                self.record_about(id, Kind::Released { by: Actor::Operator });
                self.plan_again(id);
            }
        }
    }

    /// Sent: its wait goes on. Not sent: the step is tried again, by the operator's word alone.
    fn settle_doubt(&mut self, id: CascadeId, was_sent: bool) {
        let Some(journey) = self.journey(id) else { return };
        let Some((attempt, channel)) =
            journey.newest().filter(|a| a.stage == Stage::InDoubt).map(|a| (a.id, a.channel))
        else {
            return;
        };
        let resend = !was_sent && journey.state == State::InDoubt;
        let (price, _) = self.campaign.header.launch.policy.price(channel);
        let cost = if was_sent { price } else { Money::ZERO };
        self.record_attempt(attempt, Kind::DoubtSettled { was_sent, by: Actor::Operator, cost });
        if resend {
            self.plan_again(id);
        }
    }
}
