//! The simulated machine's disk, and the store that one life of the process holds there. Where a commit fails and
//! where the process dies is the same, whatever the disk is: memory in the first tier, SQLite's files in the second.

use crate::memory::Memory;
use crate::rows::Rows;
use crate::setting::{Point, Setting, StoreFault, Tier};
use crate::sqlite::Sqlite;
use crate::world::World;
use cascade::engine::Campaign;
use cascade::learning::answer::Answer;
use cascade::model::{At, AttemptId, CampaignId, CascadeId, Customer, PersonId, Phone};
use cascade::runtime::question::Question;
use cascade::runtime::saving::Version;
use cascade::runtime::store::{
    Batch, Contacts, Keeper, Known, Loaded, StoreError, StoredEvent, SuppressionRow,
};
use futures::executor::block_on;
use futures::future::{BoxFuture, FutureExt as _, ready};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The tag in attempt keys.
pub const STORE: &str = "5eed5eed";

/// What happened to a disk, and how often.
pub type Tally = BTreeMap<&'static str, u64>;

/// What a store is kept on. Words for an error name the invariant that is broken.
pub trait Medium: Send + Sync + std::fmt::Debug {
    /// A process starts, and opens it.
    fn opens(&self) -> Result<(), String> {
        Ok(())
    }

    /// The process is gone; `in_order`: it had come to its end by itself, and closes the store.
    fn ends(&self, _in_order: bool) -> Result<(), String> {
        Ok(())
    }

    /// The store, while it is open.
    fn keeper(&self) -> Result<Arc<dyn Keeper>, StoreError>;

    /// On disk when it returns; `held`: another program lets the file go just then.
    fn commits(&self, _batch: &Arc<Batch>, _held: bool) -> Result<(), StoreError> {
        Ok(())
    }

    /// How this commit fails, of which nothing is there afterwards.
    fn fails(&self, fault: StoreFault, batch: Batch) -> Result<StoreError, String>;

    /// The process dies in the middle of this commit, and it is `durable` or it is not; `rows` were there before it.
    fn dies_within(&self, _batch: &Arc<Batch>, _durable: bool, _rows: &Rows) -> Result<(), String> {
        Ok(())
    }

    /// It holds these rows, and nothing else.
    fn holds(&self, _rows: &Rows) -> Result<(), String> {
        Ok(())
    }

    fn tally(&self) -> Tally {
        Tally::new()
    }
}

/// The disk of the simulated machine.
#[derive(Debug)]
pub struct Disk {
    /// What was committed.
    rows: Arc<Mutex<Rows>>,
    medium: Box<dyn Medium>,
}

impl Disk {
    pub fn new(setting: &Setting) -> Self {
        let rows = Arc::default();
        // Half of the disks have room left beside the store.
        let room = setting.seed.is_multiple_of(2);
        let medium: Box<dyn Medium> = match setting.tier {
            Tier::Memory => Box::new(Memory { rows: Arc::clone(&rows), room, asked: Arc::default() }),
            Tier::Sqlite => Box::new(Sqlite::new(setting, room)),
        };
        Self { rows, medium }
    }

    pub fn read<T>(&self, look: impl FnOnce(&Rows) -> T) -> T {
        look(&self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was backed up takes the place of what was committed: in memory alone.
    pub fn restore(&self, backup: &Rows) {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).restore(backup);
    }

    fn write(&self, batch: Batch) {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).enter(batch);
    }

    /// A process opens the store, which holds what was committed, whatever became of the one before.
    pub fn opens(&self) -> Result<(), String> {
        self.medium.opens()?;
        self.holds()
    }

    pub fn ends(&self, in_order: bool) -> Result<(), String> {
        self.medium.ends(in_order)
    }

    fn holds(&self) -> Result<(), String> {
        self.read(|rows| self.medium.holds(rows))
    }

    pub fn tally(&self) -> Tally {
        self.medium.tally()
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
        let (world, medium) = (&self.world, &self.disk.medium);
        if !world.is_alive(self.life) || world.dies_at(Point::BeforeCommit) {
            return world.gone().await;
        }
        let (latency, fault, death) = world.commit_begins();
        world.pass(latency + fault.map_or(0, StoreFault::lasts_ms)).await;
        if !world.is_alive(self.life) {
            return world.gone().await;
        }
        if let Some(fault) = fault.filter(|fault| fault.fails()) {
            return self.fail(fault, Arc::unwrap_or_clone(batch));
        }
        if let Some(Point::InCommit { durable }) = death {
            self.judge(self.disk.read(|rows| medium.dies_within(&batch, durable, rows)));
            if !durable {
                world.kill();
                return world.gone().await;
            }
        } else if let Err(error) = medium.commits(&batch, fault.is_some()) {
            self.judge(Err(format!("6: a commit failed by itself: {error}")));
            return Err(error);
        }
        world.committed(&batch);
        self.disk.write(Arc::unwrap_or_clone(batch));
        if matches!(death, Some(Point::InCommit { .. } | Point::AfterCommit)) {
            world.kill();
            return world.gone().await;
        }
        Ok(())
    }

    fn fail(&self, fault: StoreFault, batch: Batch) -> Result<(), StoreError> {
        match self.disk.medium.fails(fault, batch) {
            Ok(error) => {
                self.judge(self.disk.holds());
                Err(error)
            }
            Err(broken) => {
                self.judge(Err(broken));
                Err(StoreError::Gone)
            }
        }
    }

    fn judge(&self, broken: Result<(), String>) {
        self.world.lock().oracle.broken.extend(broken.err());
    }

    fn keeper(&self) -> Result<Arc<dyn Keeper>, StoreError> {
        self.disk.medium.keeper()
    }
}

/// What a real store does beside the loop is waited for here: simulated time stands still meanwhile.
impl Keeper for Shelf {
    fn id(&self) -> &str {
        STORE
    }

    fn commit(&self, batch: Arc<Batch>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.put(batch).boxed()
    }

    fn opt_out(&self, rows: Vec<SuppressionRow>) -> BoxFuture<'static, Result<(), StoreError>> {
        if !self.world.is_alive(self.life) {
            return ready(Ok(())).boxed();
        }
        let kept = self.keeper().and_then(|keeper| block_on(keeper.opt_out(rows.clone())));
        if kept.is_ok() {
            self.world.lock().book.suppressed.extend(rows.iter().map(|row| row.phone.clone()));
            self.disk.write(Batch { suppressions: rows, ..Batch::default() });
        }
        ready(kept).boxed()
    }

    fn make_room(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        ready(self.keeper().and_then(|keeper| block_on(keeper.make_room()))).boxed()
    }

    fn load(&self, newest: usize) -> Result<Loaded, StoreError> {
        self.keeper()?.load(newest)
    }

    fn known(&self, customers: &[Customer]) -> Result<Known, StoreError> {
        self.keeper()?.known(customers)
    }

    fn campaign(&self, id: CampaignId) -> Result<Option<Campaign>, StoreError> {
        self.keeper()?.campaign(id)
    }

    fn people(&self, campaign: CampaignId) -> Result<HashMap<PersonId, Customer>, StoreError> {
        self.keeper()?.people(campaign)
    }

    fn campaign_holding(&self, attempt: AttemptId) -> Result<Option<Campaign>, StoreError> {
        self.keeper()?.campaign_holding(attempt)
    }

    fn attempt_by_provider(&self, provider_id: &str) -> Result<Option<AttemptId>, StoreError> {
        self.keeper()?.attempt_by_provider(provider_id)
    }

    fn people_at(&self, phone: &Phone) -> Result<Vec<PersonId>, StoreError> {
        self.keeper()?.people_at(phone)
    }

    fn newest_campaign_of(&self, person: PersonId) -> Result<Option<CampaignId>, StoreError> {
        self.keeper()?.newest_campaign_of(person)
    }

    fn version(&self, hash: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.keeper()?.version(hash)
    }

    fn learn(&self, question: Question) -> BoxFuture<'static, Result<Answer, StoreError>> {
        ready(self.keeper().and_then(|keeper| block_on(keeper.learn(question)))).boxed()
    }

    /// Nobody looks at versions here.
    fn versions(&self) -> BoxFuture<'static, Result<Vec<Version>, StoreError>> {
        ready(Ok(Vec::new())).boxed()
    }

    fn contacts(&self, since: At) -> Result<Contacts, StoreError> {
        self.keeper()?.contacts(since)
    }

    /// Nobody looks at a cascade's history here.
    fn history(
        &self,
        _cascade: CascadeId,
        _limit: usize,
    ) -> BoxFuture<'static, Result<Vec<StoredEvent>, StoreError>> {
        ready(Ok(Vec::new())).boxed()
    }
}
