//! What the store holds, in memory, and taking it in.

use super::driver::Driver;
use super::store::Loaded;
use crate::engine::Campaign;
use crate::model::{At, AttemptId, Channel, Customer, PersonId, Phone};
use std::collections::{HashMap, HashSet};

/// See the module's words.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub campaign: Option<Campaign>,
    pub people: HashMap<PersonId, Customer>,
    /// Whoever shares a number shares its first person's id.
    pub lines: HashMap<Phone, PersonId>,
    /// Short links by code: whose, and where they lead.
    pub links: HashMap<String, (AttemptId, String)>,
    pub dedup: HashSet<[u8; 16]>,
    pub seq: u64,
    pub last_person: u64,
    pub last_cascade: u64,
    pub last_text: u64,
    pub last_at: At,
}

impl Driver {
    /// Takes in what the store held.
    pub(super) fn load(&mut self, loaded: Loaded) {
        self.kept.campaign = loaded.campaign;
        self.kept.people = loaded.people;
        self.kept.lines = HashMap::new();
        for (id, customer) in &self.kept.people {
            let line = self.kept.lines.entry(customer.phone.clone()).or_insert(*id);
            *line = (*line).min(*id);
        }
        (self.kept.links, self.kept.dedup, self.kept.seq) = (loaded.links, loaded.dedup, loaded.seq);
        (self.kept.last_person, self.kept.last_cascade) = (loaded.last_person, loaded.last_cascade);
        (self.kept.last_text, self.kept.last_at) = (loaded.last_text, loaded.last_at.unwrap_or_default());
        for phone in loaded.suppressed {
            self.parts.brakes.opt_out(phone);
        }
        if let Some(campaign) = &self.kept.campaign {
            // The line that a cascade was started with counts, whoever else has that number by now.
            for journey in campaign.journeys() {
                if let Some(customer) = self.kept.people.get(&journey.person) {
                    self.kept.lines.insert(customer.phone.clone(), journey.start.line);
                }
            }
            self.parts.brakes.hold(None, self.failed || campaign.header.paused.is_some());
            for channel in Channel::ALL {
                self.parts.brakes.hold(Some(*channel), campaign.header.paused_on[channel.index()].is_some());
            }
        }
        self.parts.gallery.reset(self.kept.campaign.as_ref(), &self.kept.people, &loaded.newest);
        self.parts.gallery.set_inbox(&loaded.inbox);
        self.parts.gallery.set_audit(loaded.audit);
    }

    /// Campaign time, never earlier than the log's last event.
    pub(super) fn now(&self) -> At {
        self.parts.clock.now().max(self.kept.last_at)
    }
}
