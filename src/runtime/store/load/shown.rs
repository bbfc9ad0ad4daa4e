//! What a screen in another process shows, read beside the writer and at one instant of it.

use super::{Reader, StoredEvent};
use crate::engine::Campaign;
use crate::engine::audit::Audit;
use crate::model::{Customer, PersonId};
use crate::runtime::store::{StoreError, sqlite};
use std::collections::HashMap;

/// The newest campaign as it stands at one place of the log.
#[derive(Debug, Default)]
pub struct Shown {
    /// The last event that is in it.
    pub seq: u64,
    /// The newest campaign.
    pub campaign: Option<Campaign>,
    /// Everybody in it.
    pub people: HashMap<PersonId, Customer>,
    /// The newest events with texts, oldest first.
    pub newest: Vec<StoredEvent>,
    /// What operators ordered in it.
    pub audit: Audit,
}

impl Reader {
    /// Everything a screen needs, `newest` events at most `keep`.
    pub fn shown(&self, keep: usize) -> Result<Shown, StoreError> {
        self.at_one_instant(|| {
            let mut shown = Shown { seq: self.max("event", "seq")?, ..Shown::default() };
            shown.campaign = self.campaign(None)?;
            if let Some(campaign) = &shown.campaign {
                shown.people = self.people(campaign.id())?;
                shown.audit = self.audit(Some(campaign.id()))?;
            }
            shown.newest = self.events_after(shown.seq.saturating_sub(keep as u64), None, keep)?;
            Ok(shown)
        })
    }

    /// Reads as if the writer stood still meanwhile; it does not.
    fn at_one_instant<T>(&self, read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let reading = self.db.unchecked_transaction().map_err(sqlite(&self.path, "read the store"))?;
        let result = read();
        // Nothing was written: there is nothing to lose whichever way it ends.
        drop(reading);
        result
    }
}
