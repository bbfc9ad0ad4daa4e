//! Stores of the simulated machine: one in memory, which after a crash holds a prefix of what was committed, and one
//! that writes the same to a real SQLite file.

use crate::setting::{Point, StoreFault};
use crate::world::World;
use cascade::engine::audit::Audit;
use cascade::engine::event::Event;
use cascade::engine::journey::Journey;
use cascade::engine::{Campaign, Header, replay};
use cascade::model::{At, AttemptId, CampaignId, CascadeId, Customer, PersonId, Phone};
use cascade::runtime::store::{
    Batch, Contacts, Keeper, Known, Loaded, OptOuts, Restored, StoreError, StoredEvent, SuppressionRow,
};
use futures::future::{BoxFuture, FutureExt as _};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The tag in attempt keys.
pub const STORE: &str = "5eed5eed";

/// Everything that is on disk, as rows.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub events: Vec<(u64, Event)>,
    headers: BTreeMap<CampaignId, Header>,
    journeys: BTreeMap<CascadeId, (CampaignId, Journey)>,
    people: BTreeMap<PersonId, Customer>,
    dedup: HashSet<[u8; 16]>,
    links: HashMap<String, (AttemptId, String)>,
    suppressed: OptOuts,
    meta: HashMap<String, String>,
    last_text: u64,
    restored: Option<Restored>,
}

impl Rows {
    fn enter(&mut self, batch: Batch) {
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
        if batch.confirmed {
            self.restored = None;
        }
        self.last_text = batch.texts.iter().map(|text| text.id.0).max().unwrap_or(0).max(self.last_text);
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

    fn campaign_of(&self, id: CampaignId) -> Option<Campaign> {
        let header = self.headers.get(&id)?.clone();
        let own = self.journeys.values().filter(|(campaign, _)| *campaign == header.id);
        let own = own.map(|(_, journey)| journey.clone()).collect();
        Some(Campaign::from_rows(header, own))
    }

    fn load(&self) -> Loaded {
        let campaign = self.campaign();
        let people = campaign.iter().flat_map(Campaign::journeys).map(|j| j.person);
        Loaded {
            people: people.filter_map(|id| Some((id, self.people.get(&id)?.clone()))).collect(),
            others: HashMap::new(),
            campaign,
            seq: self.events.last().map_or(0, |(seq, _)| *seq),
            last_person: self.people.keys().next_back().map_or(0, |id| id.0),
            last_cascade: self.journeys.keys().next_back().map_or(0, |id| id.0),
            last_text: self.last_text,
            last_at: self.events.iter().map(|(_, event)| event.at).max(),
            dedup: self.dedup.clone(),
            links: self.links.clone(),
            suppressed: self.suppressed.clone(),
            restored: self.restored.clone(),
            newest: Vec::new(),
            inbox: Vec::new(),
            meta: self.meta.clone(),
            audit: Audit::default(),
        }
    }

    /// What was backed up, in the place of this. Opt-outs are kept beside the store.
    fn restore(&mut self, backup: &Self) {
        let (had, suppressed) = (backup.load(), std::mem::take(&mut self.suppressed));
        let header = self.headers.values().next_back();
        let next = |header: &Header| (header.next_attempt, header.next_timer);
        let (next_attempt, next_timer) = header.map(next).unwrap_or_default();
        let lost = self.load();
        let restored = Restored {
            backup_at: had.last_at,
            backup_seq: had.seq,
            lost_until: lost.last_at,
            lost_seq: lost.seq,
            next_attempt,
            next_timer,
        };
        *self = Self { suppressed, restored: Some(restored), ..backup.clone() };
    }

    /// Contacts by number, of every campaign.
    fn contacts(&self, since: At) -> Contacts {
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
            let rows: Vec<_> = self.journeys.values().filter(|(c, _)| *c == header.id).collect();
            let rows = rows.into_iter().map(|(_, journey)| journey.clone()).collect();
            if replay(own) != Some(Campaign::from_rows(header.clone(), rows)) {
                return Err(format!("10: the fold of the log of campaign {} is not its rows", header.id));
            }
        }
        Ok(())
    }
}

/// The disk of the simulated machine.
#[derive(Debug, Default)]
pub struct Disk(Mutex<Rows>);

impl Disk {
    pub fn read<T>(&self, look: impl FnOnce(&Rows) -> T) -> T {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, batch: Batch) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).enter(batch);
    }

    pub fn restore(&self, backup: &Rows) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).restore(backup);
    }

    fn keep(&self, rows: Vec<SuppressionRow>) {
        self.write(Batch { suppressions: rows, ..Batch::default() });
    }
}

/// The store that one life of the process holds.
#[derive(Debug)]
pub struct Shelf {
    pub disk: Arc<Disk>,
    pub world: Arc<World>,
    pub life: u64,
}

impl Shelf {
    async fn put(&self, batch: Arc<Batch>) -> Result<(), StoreError> {
        let world = &self.world;
        if !world.is_alive(self.life) || world.dies_at(Point::BeforeCommit) {
            return world.gone().await;
        }
        let (latency, fault, death) = world.commit_begins();
        world.pass(latency).await;
        if !world.is_alive(self.life) {
            return world.gone().await;
        }
        if let Some(fault) = fault {
            return Err(failure(fault));
        }
        if death == Some(Point::InCommit { durable: false }) {
            world.kill();
            return world.gone().await;
        }
        world.committed(&batch);
        self.disk.write(Arc::unwrap_or_clone(batch));
        if matches!(death, Some(Point::InCommit { durable: true } | Point::AfterCommit)) {
            world.kill();
            return world.gone().await;
        }
        Ok(())
    }
}

/// As SQLite says it.
fn failure(fault: StoreFault) -> StoreError {
    let (code, words) = match fault {
        StoreFault::DiskFull => (rusqlite::ffi::SQLITE_FULL, "database or disk is full"),
        StoreFault::Io => (rusqlite::ffi::SQLITE_IOERR_FSYNC, "disk I/O error"),
    };
    StoreError::Sqlite {
        path: "simulated".into(),
        doing: "commit",
        source: rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(words.into())),
        hint: "",
    }
}

impl Keeper for Shelf {
    fn id(&self) -> &str {
        STORE
    }

    fn commit(&self, batch: Arc<Batch>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.put(batch).boxed()
    }

    fn opt_out(&self, rows: Vec<SuppressionRow>) -> BoxFuture<'static, Result<(), StoreError>> {
        if self.world.is_alive(self.life) {
            self.world.lock().book.suppressed.extend(rows.iter().map(|row| row.phone.clone()));
            self.disk.keep(rows);
        }
        futures::future::ready(Ok(())).boxed()
    }

    fn load(&self, _newest: usize) -> Result<Loaded, StoreError> {
        Ok(self.disk.read(Rows::load))
    }

    fn known(&self, customers: &[Customer]) -> Result<Known, StoreError> {
        let wanted: HashSet<&Phone> = customers.iter().map(|c| &c.phone).collect();
        Ok(self.disk.read(|rows| {
            let there = rows.people.iter().filter(|(_, c)| wanted.contains(&c.phone));
            there.map(|(id, c)| ((c.phone.as_str().to_owned(), c.name.raw().to_owned()), *id)).collect()
        }))
    }

    /// Nothing is kept back on a simulated disk.
    fn make_room(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        // Half of the disks have room left beside the store.
        let room = self.world.lock().setting.seed.is_multiple_of(2);
        futures::future::ready(Ok(room)).boxed()
    }

    fn contacts(&self, since: At) -> Result<Contacts, StoreError> {
        Ok(self.disk.read(|rows| rows.contacts(since)))
    }

    fn campaign(&self, id: CampaignId) -> Result<Option<Campaign>, StoreError> {
        Ok(self.disk.read(|rows| rows.campaign_of(id)))
    }

    fn people(&self, campaign: CampaignId) -> Result<HashMap<PersonId, Customer>, StoreError> {
        Ok(self.disk.read(|rows| {
            let own = rows.journeys.values().filter(|(c, _)| *c == campaign).map(|(_, j)| j.person);
            own.filter_map(|id| Some((id, rows.people.get(&id)?.clone()))).collect()
        }))
    }

    fn campaign_holding(&self, attempt: AttemptId) -> Result<Option<Campaign>, StoreError> {
        Ok(self.disk.read(|rows| {
            let mut all = rows.headers.keys().filter_map(|id| rows.campaign_of(*id));
            all.find(|campaign| campaign.attempt(attempt).is_some())
        }))
    }

    fn attempt_by_provider(&self, provider_id: &str) -> Result<Option<AttemptId>, StoreError> {
        Ok(self.disk.read(|rows| {
            let mut attempts = rows.journeys.values().flat_map(|(_, journey)| &journey.attempts);
            attempts.find(|a| a.provider_id.as_deref() == Some(provider_id)).map(|a| a.id)
        }))
    }

    fn people_at(&self, phone: &Phone) -> Result<Vec<PersonId>, StoreError> {
        Ok(self
            .disk
            .read(|rows| rows.people.iter().filter(|(_, c)| c.phone == *phone).map(|(id, _)| *id).collect()))
    }

    fn newest_campaign_of(&self, person: PersonId) -> Result<Option<CampaignId>, StoreError> {
        Ok(self.disk.read(|rows| {
            rows.journeys.values().filter(|(_, j)| j.person == person).map(|(campaign, _)| *campaign).max()
        }))
    }

    fn history(
        &self,
        _cascade: CascadeId,
        _limit: usize,
    ) -> BoxFuture<'static, Result<Vec<StoredEvent>, StoreError>> {
        futures::future::ready(Ok(Vec::new())).boxed()
    }
}
