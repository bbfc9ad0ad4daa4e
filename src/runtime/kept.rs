//! What the store holds, in memory, and taking it in.

use super::driver::Driver;
use super::store::Loaded;
use super::{learning, saving};
use crate::engine::Campaign;
use crate::model::{At, AttemptId, CampaignId, CascadeId, Channel, Customer, PersonId, Phone};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// See the module's words.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The newest; the one that may be in flight.
    pub campaign: Option<Campaign>,
    pub people: HashMap<PersonId, Customer>,
    /// Some that are over.
    pub earlier: BTreeMap<CampaignId, Earlier>,
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

/// A campaign before the newest.
#[derive(Debug)]
pub(super) struct Earlier {
    pub campaign: Campaign,
    pub people: HashMap<PersonId, Customer>,
}

impl Earlier {
    /// Who is contacted by these of its cascades.
    pub fn people_of(&self, cascades: &BTreeSet<CascadeId>) -> impl Iterator<Item = (PersonId, &Customer)> {
        let persons = cascades.iter().filter_map(|id| Some(self.campaign.journey(*id)?.person));
        persons.filter_map(|person| Some((person, self.people.get(&person)?)))
    }
}

impl Kept {
    /// The id of the campaign that a launch would make.
    pub fn next_campaign(&self) -> CampaignId {
        CampaignId(self.campaign.as_ref().map_or(0, |campaign| campaign.id().0) + 1)
    }

    /// The newest campaign's id.
    pub fn newest(&self) -> Option<CampaignId> {
        self.campaign.as_ref().map(Campaign::id)
    }

    /// Every campaign at hand with its people, the newest first.
    pub fn all(&self) -> impl Iterator<Item = (&Campaign, &HashMap<PersonId, Customer>)> {
        let newest = self.campaign.iter().map(|campaign| (campaign, &self.people));
        newest.chain(self.earlier.values().map(|earlier| (&earlier.campaign, &earlier.people)))
    }

    /// A campaign at hand.
    pub fn get(&self, id: CampaignId) -> Option<&Campaign> {
        self.all().map(|(campaign, _)| campaign).find(|campaign| campaign.id() == id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: CampaignId) -> Option<&mut Campaign> {
        match &mut self.campaign {
            Some(newest) if newest.id() == id => Some(newest),
            Some(_) | None => self.earlier.get_mut(&id).map(|earlier| &mut earlier.campaign),
        }
    }

    /// Whose number a cascade contacts.
    pub fn phone_of(&self, cascade: CascadeId) -> Option<Phone> {
        let mut all = self.all();
        let of = |(campaign, people): (&Campaign, &HashMap<PersonId, Customer>)| {
            people.get(&campaign.journey(cascade)?.person).map(|customer| customer.phone.clone())
        };
        all.find_map(of)
    }

    /// The line of a number in a campaign: everybody who shares it.
    pub fn line(&self, id: CampaignId, phone: &Phone) -> Option<PersonId> {
        if self.newest() == Some(id) {
            return self.lines.get(phone).copied();
        }
        let earlier = self.earlier.get(&id)?;
        let here = |person: PersonId| earlier.people.get(&person).is_some_and(|c| c.phone == *phone);
        earlier.campaign.journeys().iter().find(|j| here(j.person)).map(|j| j.start.line)
    }

    /// A new campaign takes the place of the newest, which is over.
    pub fn supersede(&mut self, campaign: Campaign, people: HashMap<PersonId, Customer>) {
        let before = std::mem::replace(&mut self.people, people);
        if let Some(over) = self.campaign.replace(campaign) {
            self.earlier.insert(over.id(), Earlier { campaign: over, people: before });
        }
    }
}

impl Driver {
    /// Takes in what the store held.
    pub(super) fn load(&mut self, loaded: Loaded) {
        self.kept.campaign = loaded.campaign;
        self.kept.people = loaded.people;
        self.kept.earlier.clear();
        self.kept.lines = HashMap::new();
        for (id, customer) in &self.kept.people {
            let line = self.kept.lines.entry(customer.phone.clone()).or_insert(*id);
            *line = (*line).min(*id);
        }
        (self.kept.links, self.kept.dedup, self.kept.seq) = (loaded.links, loaded.dedup, loaded.seq);
        (self.kept.last_person, self.kept.last_cascade) = (loaded.last_person, loaded.last_cascade);
        (self.kept.last_text, self.kept.last_at) = (loaded.last_text, loaded.last_at.unwrap_or_default());
        self.restored = loaded.restored;
        self.desk.load(loaded.meta.get(saving::META));
        self.told = loaded.meta.get(learning::META).and_then(|at| At::parse(at).ok()).unwrap_or_default();
        self.show_saves();
        self.show_restored(self.now());
        self.parts.brakes.opted_out_before(loaded.suppressed);
        if let Some(campaign) = &self.kept.campaign {
            // The line that a cascade was started with counts, whoever else has that number by now.
            for journey in campaign.journeys() {
                if let Some(customer) = self.kept.people.get(&journey.person) {
                    self.kept.lines.insert(customer.phone.clone(), journey.start.line);
                }
            }
            self.parts.brakes.hold(None, !self.is_well() || campaign.header.paused.is_some());
            for channel in Channel::ALL {
                self.parts.brakes.hold(Some(*channel), campaign.header.paused_on[channel.index()].is_some());
            }
        }
        self.parts.gallery.reset(self.kept.campaign.as_ref(), &self.kept.people, &loaded.newest);
        self.parts.gallery.know(loaded.others.iter().map(|(id, customer)| (*id, customer)));
        self.parts.gallery.set_inbox(&loaded.inbox);
        self.parts.gallery.set_audit(loaded.audit);
    }

    /// Campaign time, never earlier than the log's last event.
    pub(super) fn now(&self) -> At {
        self.parts.clock.now().max(self.kept.last_at)
    }
}
