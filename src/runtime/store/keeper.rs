//! What the loop asks of a store: commit a turn, read it all back, and two questions in between. A seam: a
//! simulation keeps its batches in memory, and loses what a crash loses.

use super::{Batch, Loaded, Store, StoreError, StoredEvent};
use crate::model::{At, CascadeId, Customer, PersonId, Phone};
use futures::future::{BoxFuture, FutureExt as _};
use std::collections::HashMap;

/// People who are in the store already, by number and name.
pub type Known = HashMap<(String, String), PersonId>;

/// Contacts by number.
pub type Contacts = HashMap<Phone, Vec<At>>;

/// See the module's words; [`Store`] is the one on disk.
pub trait Keeper: Send + Sync + std::fmt::Debug {
    /// The store's tag in attempt keys.
    fn id(&self) -> &str;

    /// Makes the batch true, all of it or nothing. It outlives any crash once this has resolved to `Ok`; after an
    /// error nothing of it is there.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Everything a start needs, with the `newest` events.
    fn load(&self, newest: usize) -> Result<Loaded, StoreError>;

    /// Ids of those among `customers` who are there already.
    fn known(&self, customers: &[Customer]) -> Result<Known, StoreError>;

    /// When each number was contacted, or may have been, since `since`; by whichever campaign.
    fn contacts(&self, since: At) -> Result<Contacts, StoreError>;

    /// Everything that happened in one cascade, oldest first, at most `limit`. Read beside the loop.
    fn history(
        &self,
        cascade: CascadeId,
        limit: usize,
    ) -> BoxFuture<'static, Result<Vec<StoredEvent>, StoreError>>;
}

impl Keeper for Store {
    fn id(&self) -> &str {
        self.id()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        self.commit(batch).boxed()
    }

    fn load(&self, newest: usize) -> Result<Loaded, StoreError> {
        self.reader()?.load(newest)
    }

    fn known(&self, customers: &[Customer]) -> Result<Known, StoreError> {
        let reader = self.reader()?;
        let mut known = Known::new();
        for customer in customers {
            for (id, name) in reader.people_at(&customer.phone)? {
                known.insert((customer.phone.as_str().to_owned(), name), id);
            }
        }
        Ok(known)
    }

    fn contacts(&self, since: At) -> Result<Contacts, StoreError> {
        self.reader()?.contacts_since(since)
    }

    fn history(
        &self,
        cascade: CascadeId,
        limit: usize,
    ) -> BoxFuture<'static, Result<Vec<StoredEvent>, StoreError>> {
        let reader = self.reader();
        let read = tokio::task::spawn_blocking(move || reader?.events_after(0, Some(cascade), limit));
        async move { read.await.unwrap_or(Err(StoreError::Gone)) }.boxed()
    }
}
