//! The first tier's store: in memory, so that a crash leaves exactly what was committed.

use crate::rows::Rows;
use crate::setting::StoreFault;
use crate::shelf::{Medium, STORE};
use cascade::engine::Campaign;
use cascade::engine::journey::Journey;
use cascade::learning::answer::{Answer, Settings, answer};
use cascade::model::{At, AttemptId, CampaignId, CascadeId, Customer, PersonId, Phone};
use cascade::runtime::question::Question;
use cascade::runtime::saving::Version;
use cascade::runtime::store::{
    Batch, Contacts, Keeper, Known, Loaded, StoreError, StoredEvent, SuppressionRow,
};
use futures::future::{BoxFuture, FutureExt as _, ready};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads what was committed; whoever commits writes it there themselves.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub rows: Arc<Mutex<Rows>>,
    /// Something was kept back for when the disk is full.
    pub room: bool,
    /// How often it was asked what the record teaches.
    pub asked: Arc<AtomicU64>,
}

impl Memory {
    fn read<T>(&self, look: impl FnOnce(&Rows) -> T) -> T {
        look(&self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Medium for Memory {
    fn keeper(&self) -> Result<Arc<dyn Keeper>, StoreError> {
        Ok(Arc::new(self.clone()))
    }

    fn fails(&self, fault: StoreFault, _batch: Batch) -> Result<StoreError, String> {
        use rusqlite::ffi;
        // As SQLite says it.
        let (code, words) = match fault {
            StoreFault::DiskFull => (ffi::SQLITE_FULL, "database or disk is full"),
            StoreFault::Io => (ffi::SQLITE_IOERR_FSYNC, "disk I/O error"),
            StoreFault::Refused => (ffi::SQLITE_CONSTRAINT, "UNIQUE constraint failed"),
            StoreFault::Busy => (ffi::SQLITE_BUSY, "database is locked"),
            StoreFault::Held { .. } => return Err("a file that is held for a while fails nothing".into()),
        };
        Ok(StoreError::Sqlite {
            path: "simulated".into(),
            doing: "commit",
            source: rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(words.into())),
            hint: "",
        })
    }
}

impl Keeper for Memory {
    fn id(&self) -> &str {
        STORE
    }

    fn commit(&self, _batch: Arc<Batch>) -> BoxFuture<'_, Result<(), StoreError>> {
        ready(Ok(())).boxed()
    }

    fn opt_out(&self, _rows: Vec<SuppressionRow>) -> BoxFuture<'static, Result<(), StoreError>> {
        ready(Ok(())).boxed()
    }

    fn make_room(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        ready(Ok(self.room)).boxed()
    }

    fn load(&self, _newest: usize) -> Result<Loaded, StoreError> {
        Ok(self.read(Rows::load))
    }

    fn known(&self, customers: &[Customer]) -> Result<Known, StoreError> {
        let wanted: HashSet<&Phone> = customers.iter().map(|c| &c.phone).collect();
        Ok(self.read(|rows| {
            let there = rows.people.iter().filter(|(_, c)| wanted.contains(&c.phone));
            there.map(|(id, c)| ((c.phone.as_str().to_owned(), c.name.raw().to_owned()), *id)).collect()
        }))
    }

    fn campaign(&self, id: CampaignId) -> Result<Option<Campaign>, StoreError> {
        Ok(self.read(|rows| rows.campaign_of(id)))
    }

    fn people(&self, campaign: CampaignId) -> Result<HashMap<PersonId, Customer>, StoreError> {
        Ok(self.read(|rows| {
            let own = rows.journeys.values().filter(|(c, _)| *c == campaign).map(|(_, j)| j.person);
            own.filter_map(|id| Some((id, rows.people.get(&id)?.clone()))).collect()
        }))
    }

    fn campaign_holding(&self, attempt: AttemptId) -> Result<Option<Campaign>, StoreError> {
        Ok(self.read(|rows| {
            let holds = |journey: &Journey| journey.attempts.iter().any(|a| a.id == attempt);
            let (campaign, _) = rows.journeys.values().find(|(_, journey)| holds(journey))?;
            rows.campaign_of(*campaign)
        }))
    }

    fn attempt_by_provider(&self, provider_id: &str) -> Result<Option<AttemptId>, StoreError> {
        Ok(self.read(|rows| {
            let mut attempts = rows.journeys.values().flat_map(|(_, journey)| &journey.attempts);
            attempts.find(|a| a.provider_id.as_deref() == Some(provider_id)).map(|a| a.id)
        }))
    }

    fn people_at(&self, phone: &Phone) -> Result<Vec<PersonId>, StoreError> {
        let at =
            |rows: &Rows| rows.people.iter().filter(|(_, c)| c.phone == *phone).map(|(id, _)| *id).collect();
        Ok(self.read(at))
    }

    fn newest_campaign_of(&self, person: PersonId) -> Result<Option<CampaignId>, StoreError> {
        Ok(self.read(|rows| {
            rows.journeys.values().filter(|(_, j)| j.person == person).map(|(campaign, _)| *campaign).max()
        }))
    }

    fn version(&self, hash: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        Ok(self.read(|rows| rows.version(hash)))
    }

    fn learn(&self, _question: Question) -> BoxFuture<'static, Result<Answer, StoreError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        ready(Ok(answer([], &Settings::default()))).boxed()
    }

    /// Nobody looks at versions here.
    fn versions(&self) -> BoxFuture<'static, Result<Vec<Version>, StoreError>> {
        ready(Ok(Vec::new())).boxed()
    }

    fn contacts(&self, since: At) -> Result<Contacts, StoreError> {
        Ok(self.read(|rows| rows.contacts(since)))
    }

    fn history(
        &self,
        _cascade: CascadeId,
        _limit: usize,
    ) -> BoxFuture<'static, Result<Vec<StoredEvent>, StoreError>> {
        ready(Ok(Vec::new())).boxed()
    }
}
