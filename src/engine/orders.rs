//! What the operator asks of a campaign.

use super::event::{Actor, End, Hold, Kind};
use super::input::Order;
use super::journal::Journal;
use super::journey::{Stage, State};
use crate::model::CascadeId;

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
                    None => header.paused.is_some(),
                    Some(channel) => header.paused_on[channel.index()].is_some(),
                };
                if paused {
                    self.record_campaign(Kind::Resumed { only, extend_timers });
                }
            }
            Order::CloseBreaker { channel, scope } => self.close_breaker(channel, &scope, Actor::Operator),
            Order::SettleDoubt { cascade, was_sent } => self.settle_doubt(cascade, was_sent),
            Order::Release(cascade) => self.release(cascade),
            Order::Stop(cascade) => self.end(cascade, End::Stopped, None),
            Order::OptOut(cascade) => {
                let channel = self.journey(cascade).map(super::journey::Journey::channel);
                if let Some(channel) = channel {
                    self.opted_out(cascade, None, channel, "told to the operator".into(), None, None);
                }
            }
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
        let Some(attempt) = journey.newest().filter(|a| a.stage == Stage::InDoubt).map(|a| a.id) else {
            return;
        };
        let resend = !was_sent && journey.state == State::InDoubt;
        self.record_attempt(attempt, Kind::DoubtSettled { was_sent, by: Actor::Operator });
        if resend {
            self.plan_again(id);
        }
    }
}
