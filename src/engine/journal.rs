//! The pen: every change of a campaign is an event, written here and folded at once.

use super::campaign::Campaign;
use super::effect::Effect;
use super::event::{Event, Kind, Subject};
use super::fold::fold;
use super::journey::Journey;
use crate::model::{At, AttemptId, CascadeId, TimerId};

/// What one input led to, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Concluded {
    /// For the log.
    pub events: Vec<Event>,
    /// For the world, once the events are on disk.
    pub effects: Vec<Effect>,
}

/// A campaign with a pen in hand.
pub(super) struct Journal<'a> {
    pub campaign: &'a mut Campaign,
    pub at: At,
    pub out: Concluded,
}

impl<'a> Journal<'a> {
    pub fn new(campaign: &'a mut Campaign, at: At) -> Self {
        Self { campaign, at, out: Concluded::default() }
    }

    /// Writes an event and folds it: the only way a decision changes anything.
    pub fn record(&mut self, subject: Subject, kind: Kind) {
        let event = Event { at: self.at, campaign: self.campaign.id(), subject, kind };
        fold(self.campaign, &event);
        self.out.events.push(event);
    }

    /// About the campaign itself.
    pub fn record_campaign(&mut self, kind: Kind) {
        self.record(Subject::default(), kind);
    }

    /// About a customer, at the step and attempt they stand at.
    pub fn record_about(&mut self, id: CascadeId, kind: Kind) {
        let subject = self.about(id);
        self.record(subject, kind);
    }

    /// About one attempt.
    pub fn record_attempt(&mut self, id: AttemptId, kind: Kind) {
        let subject = self.campaign.attempt(id).map(|(journey, attempt)| Subject {
            customer: Some(journey.person),
            cascade: Some(journey.id),
            step: Some(attempt.step),
            attempt: Some(id),
            channel: Some(attempt.channel),
        });
        self.record(subject.unwrap_or_default(), kind);
    }

    /// Lets an effect out after the commit.
    pub fn ask(&mut self, effect: Effect) {
        self.out.effects.push(effect);
    }

    /// The journey; every id in the engine comes from the campaign itself.
    pub fn journey(&self, id: CascadeId) -> Option<&Journey> {
        self.campaign.journey(id)
    }

    /// A customer, at the step and attempt they stand at.
    pub fn about(&self, id: CascadeId) -> Subject {
        let Some(journey) = self.campaign.journey(id) else { return Subject::default() };
        Subject {
            customer: Some(journey.person),
            cascade: Some(id),
            step: Some(journey.step),
            attempt: journey.newest().filter(|a| a.step == journey.step).map(|a| a.id),
            channel: Some(journey.channel()),
        }
    }

    /// An unused timer id; it is taken once an event that carries it is written.
    pub fn timer(&self) -> TimerId {
        self.campaign.header.next_timer
    }
}
