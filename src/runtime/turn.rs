//! One turn of the driver: what a batch of news led to, gathered until its one commit.

use super::store::{Batch, SuppressionRow, TextRow};
use super::webhooks::NotTaken;
use crate::engine::effect::Effect;
use crate::engine::event::{Event, Kind};
use crate::engine::{Campaign, Concluded};
use crate::model::{At, AttemptId, CascadeId, Channel, Phone, TextId, Untrusted};
use std::collections::{BTreeSet, HashMap};
use tokio::sync::oneshot;

/// Waits to be told where a short link leads.
pub type Redirect = oneshot::Sender<Result<Option<String>, NotTaken>>;

/// Answers that wait for the commit.
#[derive(Debug, Default)]
pub struct Turn {
    /// For the store.
    pub batch: Batch,
    /// For the world, after the commit.
    pub effects: Vec<Effect>,
    /// Journeys that changed.
    pub touched: BTreeSet<CascadeId>,
    /// Webhooks that wait for their 2xx.
    pub acks: Vec<oneshot::Sender<Result<(), NotTaken>>>,
    /// Short links that wait for their redirect.
    pub follows: Vec<(Redirect, Option<String>)>,
    /// Texts of this turn, for the timeline.
    pub texts: HashMap<TextId, Untrusted>,
    /// Attempts claimed in this turn.
    pub claimed: Vec<AttemptId>,
    /// The campaign's own row changed.
    pub header: bool,
}

impl Turn {
    /// Takes in what the engine concluded; `seq` is the log's last place.
    pub fn take(&mut self, concluded: Concluded, seq: &mut u64) {
        for event in concluded.events {
            self.note(&event);
            *seq += 1;
            self.batch.events.push((*seq, event));
        }
        for effect in concluded.effects {
            if let Effect::Send { attempt, .. } = effect {
                self.claimed.push(attempt);
            }
            self.effects.push(effect);
        }
        self.header = true;
    }

    /// An event that the engine does not know of: no campaign is there to hold it.
    pub fn log(&mut self, event: Event, seq: &mut u64) {
        *seq += 1;
        self.batch.events.push((*seq, event));
    }

    fn note(&mut self, event: &Event) {
        self.touched.extend(event.subject.cascade);
        if let Kind::Resumed { .. } | Kind::BreakerClosed { .. } = event.kind {
            // These may move anybody's timer; the rows of all who have one are written again.
            self.header = true;
        }
    }

    /// Remembers an opt-out by its number.
    pub fn suppress(&mut self, phone: Phone, at: At, via: Channel, why: &str) {
        self.batch.suppressions.push(SuppressionRow { phone, at, via, why: why.to_owned() });
    }

    /// Keeps what somebody wrote or said.
    pub fn keep(&mut self, row: TextRow) {
        self.texts.insert(row.id, row.body.clone());
        self.batch.texts.push(row);
    }

    /// Puts the changed rows beside their events.
    pub fn rows(&mut self, campaign: Option<&Campaign>) {
        let Some(campaign) = campaign.filter(|_| self.header) else { return };
        if self.batch.events.iter().any(|(_, e)| matches!(e.kind, Kind::Resumed { extend_timers: true, .. }))
        {
            self.touched.extend(campaign.journeys().iter().filter(|j| j.timer.is_some()).map(|j| j.id));
        }
        self.batch.header = Some(campaign.header.clone());
        self.batch.journeys = self.touched.iter().filter_map(|id| campaign.journey(*id)).cloned().collect();
    }

    /// The commit is done: providers may be told so.
    pub fn acknowledge(&mut self) {
        for ack in self.acks.drain(..) {
            // The provider hung up meanwhile: it will send again, and be recognised.
            let _ = ack.send(Ok(()));
        }
        for (ack, target) in self.follows.drain(..) {
            let _ = ack.send(Ok(target));
        }
    }

    /// The commit failed: providers are to send again.
    pub fn refuse(&mut self) {
        for ack in self.acks.drain(..) {
            let _ = ack.send(Err(NotTaken));
        }
        for (ack, _) in self.follows.drain(..) {
            let _ = ack.send(Err(NotTaken));
        }
    }
}
