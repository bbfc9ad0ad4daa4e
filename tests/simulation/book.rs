//! What is certainly on disk, as the oracle reads it: from the events alone, by its own few lines, so that a fault
//! in the engine's fold is not judged by itself.

use cascade::engine::event::{End, Event, Kind};
use cascade::model::{AttemptId, CampaignId, CascadeId, Channel, Outcome, PersonId, Phone};
use cascade::runtime::store::Batch;
use std::collections::{HashMap, HashSet};

/// How far an attempt came, on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Planned,
    Claimed,
    Accepted,
    Refused,
    Withdrawn,
    InDoubt,
    /// The provider reported later that it did not arrive.
    Failed,
    /// A call that nobody answered.
    Unanswered,
    /// The operator found out that it was not sent.
    SaidNotSent,
    /// The operator found out that it was sent.
    SaidSent,
}

/// An attempt, on disk.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub cascade: CascadeId,
    pub step: u32,
    pub channel: Channel,
    pub stage: Stage,
}

#[derive(Clone, Debug, Default)]
pub struct Book {
    pub attempts: HashMap<AttemptId, Entry>,
    pub of_step: HashMap<(CascadeId, u32), Vec<AttemptId>>,
    /// A channel stands in a walk once, wherever an edit has put it.
    pub on_channel: HashMap<(CascadeId, Channel), Vec<AttemptId>>,
    pub provider_ids: HashMap<AttemptId, String>,
    pub ended: HashMap<CascadeId, End>,
    /// Cascades by the number they contact.
    pub at_phone: HashMap<Phone, Vec<CascadeId>>,
    pub cascades: HashMap<CascadeId, (CampaignId, PersonId)>,
    pub phones: HashMap<PersonId, Phone>,
    pub dedup: HashSet<[u8; 16]>,
    pub suppressed: HashSet<Phone>,
    pub paused: bool,
    pub paused_on: [bool; 4],
    /// The newest campaign, and whether it is over.
    pub campaign: Option<(CampaignId, bool)>,
    pub seq: u64,
}

impl Book {
    /// Takes in a batch that is on disk.
    pub fn enter(&mut self, batch: &Batch) {
        for row in &batch.people {
            self.phones.insert(row.id, row.customer.phone.clone());
        }
        self.dedup.extend(batch.dedup.iter().copied());
        self.suppressed.extend(batch.suppressions.iter().map(|row| row.phone.clone()));
        for (seq, event) in &batch.events {
            assert_eq!(*seq, self.seq + 1, "the log has a gap");
            self.seq = *seq;
            self.event(event);
        }
    }

    fn event(&mut self, event: &Event) {
        let subject = &event.subject;
        match &event.kind {
            Kind::CampaignLaunched { .. } => {
                self.campaign = Some((event.campaign, false));
                (self.paused, self.paused_on) = (false, [false; 4]);
            }
            Kind::CampaignEnded { .. } => self.campaign = Some((event.campaign, true)),
            Kind::CascadeStarted { .. } => {
                let (Some(cascade), Some(person)) = (subject.cascade, subject.customer) else { return };
                self.cascades.insert(cascade, (event.campaign, person));
                if let Some(phone) = self.phones.get(&person) {
                    self.at_phone.entry(phone.clone()).or_default().push(cascade);
                }
            }
            Kind::Paused { only: None, .. } => self.paused = true,
            Kind::Paused { only: Some(channel), .. } => self.paused_on[channel.index()] = true,
            Kind::Resumed { only: None, .. } => self.paused = false,
            Kind::Resumed { only: Some(channel), .. } => self.paused_on[channel.index()] = false,
            Kind::CascadeEnded { end, .. } => {
                if let Some(cascade) = subject.cascade {
                    self.ended.entry(cascade).or_insert(*end);
                }
            }
            Kind::AttemptPlanned { .. } => self.planned(event),
            _ => self.attempt(event),
        }
    }

    fn planned(&mut self, event: &Event) {
        let subject = &event.subject;
        let (Some(id), Some(cascade)) = (subject.attempt, subject.cascade) else { return };
        let (Some(step), Some(channel)) = (subject.step, subject.channel) else { return };
        let entry = Entry { cascade, step, channel, stage: Stage::Planned };
        assert!(self.attempts.insert(id, entry).is_none(), "attempt {id} was planned twice");
        self.of_step.entry((cascade, step)).or_default().push(id);
        self.on_channel.entry((cascade, channel)).or_default().push(id);
    }

    fn attempt(&mut self, event: &Event) {
        let Some(id) = event.subject.attempt else { return };
        let Some(entry) = self.attempts.get_mut(&id) else { return };
        entry.stage = match &event.kind {
            Kind::AttemptClaimed { .. } => Stage::Claimed,
            Kind::AttemptAccepted { provider_id, .. } => {
                if !provider_id.is_empty() {
                    self.provider_ids.insert(id, provider_id.clone());
                }
                if entry.stage == Stage::Failed || entry.stage == Stage::Unanswered {
                    entry.stage
                } else {
                    Stage::Accepted
                }
            }
            Kind::AttemptRecovered { provider_id: Some(provider_id), .. } => {
                self.provider_ids.insert(id, provider_id.clone());
                Stage::Accepted
            }
            Kind::AttemptRefused { .. } => Stage::Refused,
            Kind::AttemptWithdrawn { .. } => Stage::Withdrawn,
            Kind::AttemptInDoubt { .. } | Kind::AttemptRecovered { provider_id: None, .. } => Stage::InDoubt,
            Kind::AttemptFailed { .. } => Stage::Failed,
            Kind::OutcomeHeard { outcome: Outcome::NoAnswer, .. } => Stage::Unanswered,
            Kind::DoubtSettled { was_sent, .. } => {
                if *was_sent {
                    Stage::SaidSent
                } else {
                    Stage::SaidNotSent
                }
            }
            _ => return,
        };
    }

    /// Whether they were contacted, or may have been, as far as the disk tells.
    pub fn has_begun(&self, cascade: CascadeId) -> bool {
        let contacted = |stage| match stage {
            Stage::Accepted | Stage::InDoubt | Stage::Failed | Stage::Unanswered | Stage::SaidSent => true,
            Stage::Planned | Stage::Claimed | Stage::Refused | Stage::Withdrawn | Stage::SaidNotSent => false,
        };
        self.attempts.values().any(|entry| entry.cascade == cascade && contacted(entry.stage))
    }

    /// What a crash would leave in doubt.
    pub fn unanswered(&self, channel: Channel) -> usize {
        self.attempts
            .values()
            .filter(|entry| entry.channel == channel && entry.stage == Stage::Claimed)
            .count()
    }

    /// The number that a cascade contacts.
    pub fn phone_of(&self, cascade: CascadeId) -> Option<&Phone> {
        self.phones.get(&self.cascades.get(&cascade)?.1)
    }
}
