//! Orders of the operator: each is written down with who, when and why, then done, or named as one that changes
//! nothing. What it comes to is told person by person.

use super::deeds::why_gone;
use super::event::{Actor, Deferral, Kind, Subject};
use super::journal::Journal;
use super::journey::{Journey, Stage, State};
use super::order::{Came, Left, Order, Signed, Target};
use crate::model::{At, CascadeId, Channel, OrderId, Outcome};

impl Journal<'_> {
    /// Writes it down and does what is asked; what no longer applies is left alone, and named.
    pub fn order(&mut self, signed: Signed) {
        let left = self.refusal(&signed);
        let Signed { order, by, wall_at, text, .. } = signed;
        let id = OrderId(self.campaign.header.orders + 1);
        let scope = match &order {
            Order::CloseBreaker { scope, .. } => Some(scope.clone()),
            Order::Launch
            | Order::Pause { .. }
            | Order::Resume { .. }
            | Order::StopAll
            | Order::People { .. } => None,
        };
        let (what, people, wall_at) = (order.ask(), self.people_of(&order), wall_at);
        let subject = self.about_whom(&order);
        self.record(subject, Kind::Ordered { order: id, what, people, by, wall_at, scope, text, left });
        if left.is_some() {
            return;
        }
        match order {
            Order::Launch => {}
            Order::Pause { only, why } => {
                self.record_campaign(Kind::Paused { only, by: Actor::Operator, why });
            }
            Order::Resume { only, extend_timers } => self.resume(only, extend_timers),
            Order::CloseBreaker { channel, scope } => self.close_breaker(channel, &scope, Actor::Operator),
            Order::StopAll => self.stop_all(id),
            Order::People { deed, of, gone } => {
                for target in of {
                    let came = self.deed(deed, target);
                    self.met(id, target.cascade, came);
                }
                for cascade in gone {
                    let left = why_gone(self.campaign, cascade);
                    self.met(id, cascade, Came::Left(left));
                }
            }
        }
    }

    /// Why it changes nothing as a whole. What is asked for people is weighed one by one.
    fn refusal(&self, signed: &Signed) -> Option<Left> {
        let header = &self.campaign.header;
        let meant = signed.campaign.is_none_or(|id| id == self.campaign.id());
        let paused = |only: Option<Channel>| match only {
            None => header.paused.is_some(),
            Some(channel) => header.paused_on[channel.index()].is_some(),
        };
        let shut = |on: Channel, scope: &crate::model::Scope| {
            header.breakers.iter().any(|b| b.on == on && b.scope == *scope)
        };
        let reconciling = header.restored.as_ref().is_some_and(|restored| restored.asking);
        let whole = !matches!(signed.order, Order::Launch | Order::People { .. });
        match &signed.order {
            // Ids of people are in no other campaign, and each is told so.
            _ if whole && header.ended_at.is_some() => Some(Left::CampaignEnded),
            Order::Pause { only, .. } => paused(*only).then_some(Left::AlreadyPaused),
            _ if whole && !meant => Some(Left::OtherCampaign),
            Order::Resume { only: None, .. } if reconciling => Some(Left::Reconciling),
            Order::Resume { only, .. } => (!paused(*only)).then_some(Left::NotPaused),
            Order::CloseBreaker { channel, scope } => (!shut(*channel, scope)).then_some(Left::NotShut),
            Order::StopAll | Order::Launch | Order::People { .. } => None,
        }
    }

    fn people_of(&self, order: &Order) -> u64 {
        match order {
            Order::Launch => self.campaign.journeys().len() as u64,
            Order::StopAll => self.campaign.open(),
            Order::People { of, gone, .. } => (of.len() + gone.len()) as u64,
            Order::Pause { .. } | Order::Resume { .. } | Order::CloseBreaker { .. } => 0,
        }
    }

    /// An order for one person stands in that person's own history too.
    fn about_whom(&self, order: &Order) -> Subject {
        match order {
            Order::People { of, gone, .. } => match (of.as_slice(), gone.as_slice()) {
                ([Target { cascade, .. }], []) => self.about(*cascade),
                (_, _) => Subject::default(),
            },
            Order::Launch
            | Order::Pause { .. }
            | Order::Resume { .. }
            | Order::CloseBreaker { .. }
            | Order::StopAll => Subject { channel: order.channel(), ..Subject::default() },
        }
    }

    pub fn met(&mut self, order: OrderId, cascade: CascadeId, came: Came) {
        let customer = self.journey(cascade).map(|journey| journey.person);
        let subject = Subject { customer, cascade: Some(cascade), ..Subject::default() };
        self.record(subject, Kind::OrderMet { order, came });
    }

    fn stop_all(&mut self, order: OrderId) {
        let open = self.campaign.journeys().iter().filter(|j| !j.is_over());
        for cascade in open.map(|j| j.id).collect::<Vec<_>>() {
            let came = self.stop(cascade);
            self.met(order, cascade, came);
        }
        self.record_campaign(Kind::CampaignEnded { by: Actor::Operator });
    }

    fn resume(&mut self, only: Option<Channel>, extend_timers: bool) {
        let header = &self.campaign.header;
        let paused = match only {
            None => &header.paused,
            Some(channel) => &header.paused_on[channel.index()],
        };
        let Some(since) = paused.as_ref().map(|pause| pause.since) else { return };
        self.record_campaign(Kind::Resumed { only, extend_timers });
        if extend_timers {
            self.extend_waits_that_ran_out(only, since);
        }
    }

    /// Waits that ran out while nothing was sent are lengthened like those that still run: their next step, which
    /// is planned already, goes that much later.
    fn extend_waits_that_ran_out(&mut self, only: Option<Channel>, paused: At) {
        let stood = self.at - paused;
        let here = |j: &&Journey| only.is_none_or(|channel| j.channel() == channel);
        let journeys = self.campaign.journeys().iter().filter(here).filter(|j| ran_out(j, paused));
        let late: Vec<_> = journeys.map(|j| (j.id, j.due_at)).collect();
        for (id, due) in late {
            let (until, timer) = (due + stood, self.timer());
            self.record_about(id, Kind::AttemptDeferred { until, why: Deferral::Pause, timer });
        }
    }
}

/// Whether the step they queue for follows a wait that ran out by itself after `paused`.
pub(super) fn ran_out(journey: &Journey, paused: At) -> bool {
    let mut newest_first = journey.attempts.iter().rev();
    let planned = newest_first.next().is_some_and(|a| a.stage == Stage::Planned && a.step == journey.step);
    // Nobody sat out a wait for what bounced.
    let waited = newest_first.next().is_some_and(|a| {
        matches!(a.stage, Stage::Accepted | Stage::InDoubt)
            && !a.outcomes[Outcome::Bounced.index()]
            && a.step < journey.step
    });
    journey.state == State::Queued && planned && waited && journey.due_at > paused && !journey.hurried
}
