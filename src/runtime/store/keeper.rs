//! What the loop asks of a store: commit a turn, read it all back, and a few questions in between. A seam: a
//! simulation keeps its batches in memory, and loses what a crash loses.

use super::{Batch, Loaded, Reader, Store, StoreError, StoredEvent, SuppressionRow};
use crate::engine::Campaign;
use crate::learning::answer::Answer;
use crate::model::{At, AttemptId, CampaignId, CascadeId, Customer, PersonId, Phone};
use crate::runtime::history;
use crate::runtime::question::Question;
use crate::runtime::saving::Version;
use futures::future::{BoxFuture, FutureExt as _};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// People who are in the store already, by number and name.
pub type Known = HashMap<(String, String), PersonId>;

/// Contacts by number.
pub type Contacts = HashMap<Phone, Vec<At>>;

/// What campaigns had to do with somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dealing {
    /// When something was last sent to them, or may have been.
    pub contacted_at: Option<At>,
    /// They declined once.
    pub declined: bool,
}

/// The same by number; whoever no campaign had to do with is not in it.
pub type Dealings = HashMap<Phone, Dealing>;

/// See the module's words; [`Store`] is the one on disk.
pub trait Keeper: Send + Sync + std::fmt::Debug {
    /// The store's tag in attempt keys.
    fn id(&self) -> &str;

    /// Makes the batch true, all of it or nothing. It outlives any crash once this has resolved to `Ok`; after an
    /// error nothing of it is there, but for its opt-outs, which may hold all the same.
    fn commit(&self, batch: Arc<Batch>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Puts opt-outs where no lost store forgets them, and nothing else: also where nothing can be committed any more.
    fn opt_out(&self, rows: Vec<SuppressionRow>) -> BoxFuture<'static, Result<(), StoreError>>;

    /// How long the commit under way has been waiting, by wall time.
    fn waits(&self) -> Option<Duration> {
        None
    }

    /// After a commit for which there was no space ([`StoreError::is_full`]): gives back what was kept for that, and
    /// opens the file anew. `Ok(true)` if that made room: from here on what is on its way can be recorded.
    fn make_room(&self) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Everything a start needs, with the `newest` events.
    fn load(&self, newest: usize) -> Result<Loaded, StoreError>;

    /// Ids of those among `customers` who are there already.
    fn known(&self, customers: &[Customer]) -> Result<Known, StoreError>;

    /// Any campaign, also one before the newest.
    fn campaign(&self, id: CampaignId) -> Result<Option<Campaign>, StoreError>;

    /// Everybody in a campaign.
    fn people(&self, campaign: CampaignId) -> Result<HashMap<PersonId, Customer>, StoreError>;

    /// The campaign of which this attempt is.
    fn campaign_holding(&self, attempt: AttemptId) -> Result<Option<Campaign>, StoreError>;

    /// The attempt that a provider knows by this id, of whatever campaign.
    fn attempt_by_provider(&self, provider_id: &str) -> Result<Option<AttemptId>, StoreError>;

    /// Everybody with this number, oldest first, of whatever campaign.
    fn people_at(&self, phone: &Phone) -> Result<Vec<PersonId>, StoreError>;

    /// The last campaign that this person was in.
    fn newest_campaign_of(&self, person: PersonId) -> Result<Option<CampaignId>, StoreError>;

    /// The files that ran or were saved under this hash: name and bytes.
    fn version(&self, hash: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// Versions that ran or were saved, the newest first. Read beside the loop.
    fn versions(&self) -> BoxFuture<'static, Result<Vec<Version>, StoreError>>;

    /// When each number was contacted, or may have been, since `since`; by whichever campaign.
    fn contacts(&self, since: At) -> Result<Contacts, StoreError>;

    /// What campaigns had to do with these numbers.
    fn dealings(&self, phones: Vec<&Phone>) -> Result<Dealings, StoreError> {
        let _ = phones;
        Ok(Dealings::new())
    }

    /// What the record of every campaign says. Read beside the loop.
    fn learn(&self, question: Question) -> BoxFuture<'static, Result<Answer, StoreError>>;

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

    fn commit(&self, batch: Arc<Batch>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.commit(batch).boxed()
    }

    fn opt_out(&self, rows: Vec<SuppressionRow>) -> BoxFuture<'static, Result<(), StoreError>> {
        self.opt_out(rows).boxed()
    }

    fn waits(&self) -> Option<Duration> {
        self.waits()
    }

    fn make_room(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.make_room().boxed()
    }

    fn load(&self, newest: usize) -> Result<Loaded, StoreError> {
        self.load(newest)
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

    fn campaign(&self, id: CampaignId) -> Result<Option<Campaign>, StoreError> {
        self.reader()?.campaign(Some(id))
    }

    fn people(&self, campaign: CampaignId) -> Result<HashMap<PersonId, Customer>, StoreError> {
        self.reader()?.people(campaign)
    }

    fn campaign_holding(&self, attempt: AttemptId) -> Result<Option<Campaign>, StoreError> {
        self.reader()?.campaign_holding(attempt)
    }

    fn attempt_by_provider(&self, provider_id: &str) -> Result<Option<AttemptId>, StoreError> {
        self.reader()?.attempt_by_provider(provider_id)
    }

    fn people_at(&self, phone: &Phone) -> Result<Vec<PersonId>, StoreError> {
        Ok(self.reader()?.people_at(phone)?.into_iter().map(|(id, _)| id).collect())
    }

    fn newest_campaign_of(&self, person: PersonId) -> Result<Option<CampaignId>, StoreError> {
        self.reader()?.newest_campaign_of(person)
    }

    fn version(&self, hash: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.reader()?.version(hash)
    }

    fn versions(&self) -> BoxFuture<'static, Result<Vec<Version>, StoreError>> {
        let reader = self.reader();
        let read = tokio::task::spawn_blocking(move || reader?.versions());
        async move { read.await.unwrap_or(Err(StoreError::Gone)) }.boxed()
    }

    fn contacts(&self, since: At) -> Result<Contacts, StoreError> {
        self.reader()?.contacts_since(since)
    }

    fn dealings(&self, phones: Vec<&Phone>) -> Result<Dealings, StoreError> {
        let reader = self.reader()?;
        let found = phones.into_iter().map(|phone| Ok((phone.clone(), reader.dealing(phone)?)));
        let found: Result<Vec<_>, StoreError> = found.collect();
        Ok(found?.into_iter().filter(|(_, dealing)| *dealing != Dealing::default()).collect())
    }

    fn learn(&self, question: Question) -> BoxFuture<'static, Result<Answer, StoreError>> {
        let (path, read) = (self.path().to_owned(), Arc::clone(&self.shelf));
        let learn =
            tokio::task::spawn_blocking(move || history::ask(&read, &Reader::open(&path)?, &question));
        async move { learn.await.unwrap_or(Err(StoreError::Gone)) }.boxed()
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
