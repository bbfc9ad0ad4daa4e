//! One turn of the driver: what a batch of news led to, gathered until its one commit.

use super::handle::Level;
use super::kept::Kept;
use super::saving::Keeping;
use super::store::{Batch, SuppressionRow, TextRow};
use super::webhooks::NotTaken;
use crate::engine::Concluded;
use crate::engine::effect::Effect;
use crate::engine::event::{Event, Kind};
use crate::model::{At, AttemptId, CampaignId, CascadeId, Channel, Phone, TextId, Untrusted};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// Journeys that changed, by campaign.
    pub touched: BTreeMap<CampaignId, BTreeSet<CascadeId>>,
    /// Webhooks that wait for their 2xx.
    pub acks: Vec<oneshot::Sender<Result<(), NotTaken>>>,
    /// Short links that wait for their redirect.
    pub follows: Vec<(Redirect, Option<String>)>,
    /// Texts of this turn, for the timeline.
    pub texts: HashMap<TextId, Untrusted>,
    /// Attempts claimed in this turn.
    pub claimed: Vec<AttemptId>,
    /// A save whose files are to be written after the commit.
    pub keeping: Option<Keeping>,
    /// What came of the operator's orders, to be told once it is on disk.
    pub told: Vec<(Level, String)>,
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
    }

    /// An event that the engine does not know of: no campaign is there to hold it.
    pub fn log(&mut self, event: Event, seq: &mut u64) {
        *seq += 1;
        self.batch.events.push((*seq, event));
    }

    fn note(&mut self, event: &Event) {
        self.touched.entry(event.campaign).or_default().extend(event.subject.cascade);
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
    pub fn rows(&mut self, kept: &Kept) {
        for (id, touched) in &mut self.touched {
            let Some(campaign) = kept.get(*id) else { continue };
            let moves =
                |e: &Event| matches!(e.kind, Kind::Resumed { extend_timers: true, .. }) && e.campaign == *id;
            if self.batch.events.iter().any(|(_, event)| moves(event)) {
                // It may move anybody's timer; the rows of all who have one are written again.
                touched.extend(campaign.journeys().iter().filter(|j| j.timer.is_some()).map(|j| j.id));
            }
            let journeys = touched.iter().filter_map(|id| campaign.journey(*id)).cloned().collect();
            if kept.newest() == Some(*id) {
                (self.batch.header, self.batch.journeys) = (Some(campaign.header.clone()), journeys);
            } else {
                self.batch.earlier.push((campaign.header.clone(), journeys));
            }
        }
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
