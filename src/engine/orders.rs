//! What the operator asks of a campaign.

use super::event::{Actor, End, Kind};
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
            Order::Stop(cascade) => self.end(cascade, End::Stopped, None),
            Order::OptOut(cascade) => {
                let channel = self.journey(cascade).map(super::journey::Journey::channel);
                if let Some(channel) = channel {
                    self.opted_out(cascade, None, channel, "told to the operator".into(), None, None);
                }
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
