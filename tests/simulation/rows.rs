//! Everything that a store holds, as rows. What was committed stands here in both tiers: in the first it is the store
//! itself, in the second whatever is read back from the file is held against it.

use cascade::engine::audit::Audit;
use cascade::engine::event::{Event, Hold};
use cascade::engine::journey::{Journey, State};
use cascade::engine::{Campaign, Header, replay};
use cascade::model::{At, AttemptId, CampaignId, CascadeId, Customer, PersonId, TextId, Untrusted};
use cascade::runtime::store::{Batch, Contacts, Loaded, OptOuts, Restored};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Everything that is on disk, as rows.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub events: Vec<(u64, Event)>,
    pub headers: BTreeMap<CampaignId, Header>,
    pub journeys: BTreeMap<CascadeId, (CampaignId, Journey)>,
    pub people: BTreeMap<PersonId, Customer>,
    pub texts: BTreeMap<TextId, Untrusted>,
    pub versions: BTreeMap<(String, String), Vec<u8>>,
    pub dedup: HashSet<[u8; 16]>,
    pub links: HashMap<String, (AttemptId, String)>,
    pub suppressed: OptOuts,
    pub meta: HashMap<String, String>,
    pub restored: Option<Restored>,
}

impl Rows {
    /// What the batch holds becomes true.
    pub fn enter(&mut self, batch: Batch) {
        for row in batch.people {
            self.people.insert(row.id, row.customer);
        }
        if let Some(header) = batch.header {
            self.take(header, batch.journeys);
        }
        for (header, journeys) in batch.earlier {
            self.take(header, journeys);
        }
        self.events.extend(batch.events);
        self.dedup.extend(batch.dedup);
        self.links.extend(batch.links.into_iter().map(|row| (row.code, (row.attempt, row.target))));
        self.suppressed.extend(batch.suppressions.into_iter().map(|row| row.phone));
        self.meta.extend(batch.meta.into_iter().map(|(key, value)| (key.to_owned(), value)));
        self.restored = batch.asked.or(self.restored.take());
        if batch.confirmed {
            self.restored = None;
        }
        self.texts.extend(batch.texts.into_iter().map(|row| (row.id, row.body)));
        self.versions.extend(batch.versions.into_iter().map(|(hash, name, bytes)| ((hash, name), bytes)));
    }

    fn take(&mut self, header: Header, journeys: Vec<Journey>) {
        for journey in journeys {
            self.journeys.insert(journey.id, (header.id, journey));
        }
        self.headers.insert(header.id, header);
    }

    /// The newest campaign.
    pub fn campaign(&self) -> Option<Campaign> {
        self.campaign_of(*self.headers.keys().next_back()?)
    }

    /// How the newest campaign stands, without the people in it.
    pub fn header(&self) -> Option<&Header> {
        self.headers.values().next_back()
    }

    /// Who is held in a campaign, and why.
    pub fn held(&self, id: CampaignId) -> Vec<(CascadeId, Hold)> {
        let own = self.journeys.iter().filter(|(_, (campaign, _))| *campaign == id);
        let held = own.filter_map(|(cascade, (_, journey))| match &journey.state {
            State::Held(hold) => Some((*cascade, hold.clone())),
            _ => None,
        });
        held.collect()
    }

    pub fn campaign_of(&self, id: CampaignId) -> Option<Campaign> {
        let header = self.headers.get(&id)?.clone();
        let own = self.journeys.values().filter(|(campaign, _)| *campaign == header.id);
        let own = own.map(|(_, journey)| journey.clone()).collect();
        Some(Campaign::from_rows(header, own))
    }

    /// The files under this hash.
    pub fn version(&self, hash: &str) -> Vec<(String, Vec<u8>)> {
        let of = self.versions.iter().filter(|((of, _), _)| of == hash);
        of.map(|((_, name), bytes)| (name.clone(), bytes.clone())).collect()
    }

    /// What a start is given.
    pub fn load(&self) -> Loaded {
        let campaign = self.campaign();
        let people = campaign.iter().flat_map(Campaign::journeys).map(|j| j.person);
        Loaded {
            people: people.filter_map(|id| Some((id, self.people.get(&id)?.clone()))).collect(),
            campaign,
            seq: self.events.last().map_or(0, |(seq, _)| *seq),
            last_person: self.people.keys().next_back().map_or(0, |id| id.0),
            last_cascade: self.journeys.keys().next_back().map_or(0, |id| id.0),
            last_text: self.texts.keys().next_back().map_or(0, |id| id.0),
            last_at: self.events.iter().map(|(_, event)| event.at).max(),
            dedup: self.dedup.clone(),
            links: self.links.clone(),
            suppressed: self.suppressed.clone(),
            restored: self.restored.clone(),
            others: HashMap::new(),
            newest: Vec::new(),
            inbox: Vec::new(),
            meta: self.meta.clone(),
            audit: Audit::default(),
        }
    }

    /// What was backed up, in the place of this. Opt-outs are kept beside the store.
    pub fn restore(&mut self, backup: &Self) {
        let (had, lost, suppressed) = (backup.load(), self.load(), std::mem::take(&mut self.suppressed));
        let header = self.headers.values().next_back();
        let next = header.map(|header| (header.next_attempt, header.next_timer)).unwrap_or_default();
        let restored = Restored {
            backup_at: had.last_at,
            backup_seq: had.seq,
            lost_until: lost.last_at,
            lost_seq: lost.seq,
            next_attempt: next.0,
            next_timer: next.1,
            lacks_nothing: (had.seq, had.last_at) == (lost.seq, lost.last_at) && had.restored.is_none(),
            asked: false,
            another: false,
        };
        let restored = restored.widened(lost.restored.as_ref());
        *self = Self { suppressed, restored: Some(restored), ..backup.clone() };
    }

    /// Contacts by number, of every campaign.
    pub fn contacts(&self, since: At) -> Contacts {
        let mut contacts = Contacts::new();
        for (_, journey) in self.journeys.values() {
            let Some(customer) = self.people.get(&journey.person) else { continue };
            let recent = journey.contacts().filter(|at| *at > since);
            contacts.entry(customer.phone.clone()).or_default().extend(recent);
        }
        contacts
    }

    /// 10: folding the log gives the rows.
    pub fn log_gives_the_rows(&self) -> Result<(), String> {
        for header in self.headers.values() {
            let own = self.events.iter().map(|(_, event)| event).filter(|e| e.campaign == header.id);
            if replay(own) != self.campaign_of(header.id) {
                return Err(format!("10: the fold of the log of campaign {} is not its rows", header.id));
            }
        }
        Ok(())
    }
}
