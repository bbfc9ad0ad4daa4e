//! A copy of the campaign that another process runs: its rows read once, the log folded from there.

use crate::engine::event::Kind;
use crate::engine::{self, Campaign};
use crate::model::{CascadeId, Customer, PersonId};
use crate::runtime::gallery::TIMELINE;
use crate::runtime::store::{Reader, Shown, StoreError, StoredEvent};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

/// Events read at once.
const PAGE: usize = 2000;

/// See the module's words. Read-only: nothing that it does can change the store.
#[derive(Debug)]
pub struct Replica {
    store: PathBuf,
    reader: Option<Reader>,
    campaign: Option<Campaign>,
    seq: u64,
    /// What the other side counted when the rows were read; `None`: they were never read, or of another process.
    anew: Option<u64>,
}

/// What was new.
#[derive(Debug)]
pub enum Caught {
    /// The rows were read again; the campaign itself stays with the copy.
    Anew(Box<Shown>),
    /// Events, oldest first, whose rows they changed, and people of earlier campaigns that they are about.
    More(Vec<StoredEvent>, BTreeSet<CascadeId>, HashMap<PersonId, Customer>),
}

impl Replica {
    /// Knows nothing yet.
    pub fn new(store: PathBuf) -> Self {
        Self { store, reader: None, campaign: None, seq: 0, anew: None }
    }

    /// As far as it has come.
    pub fn campaign(&self) -> Option<&Campaign> {
        self.campaign.as_ref()
    }

    /// The last event that is in it.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether there is something to read, for a log that is on disk up to `seq`.
    pub fn is_behind(&self, seq: u64, anew: u64) -> bool {
        self.anew != Some(anew) || self.seq < seq
    }

    /// Another process runs it now: nothing that was read before counts.
    pub fn forget(&mut self) {
        (self.reader, self.anew) = (None, None);
    }

    /// Reads what is new. Blocks on the disk.
    pub fn catch_up(&mut self, anew: u64) -> Result<Caught, StoreError> {
        if self.anew != Some(anew) {
            return self.read_anew(anew);
        }
        let (mut events, mut touched) = (Vec::new(), BTreeSet::new());
        loop {
            let seq = self.seq;
            let page = self.reader()?.events_after(seq, None, PAGE)?;
            let last = page.len() < PAGE;
            for stored in page {
                if matches!(stored.event.kind, Kind::CampaignLaunched { .. }) {
                    // Its people stand in other rows: that is as much to read as everything.
                    return self.read_anew(anew);
                }
                self.take(&stored, &mut touched);
                events.push(stored);
            }
            if last {
                let newest = self.campaign.as_ref().map(Campaign::id);
                let earlier = events.iter().filter(|stored| Some(stored.event.campaign) != newest);
                let others = self.reader()?.others(&HashMap::new(), earlier)?;
                return Ok(Caught::More(events, touched, others));
            }
        }
    }

    fn take(&mut self, stored: &StoredEvent, touched: &mut BTreeSet<CascadeId>) {
        self.seq = stored.seq;
        touched.extend(stored.event.subject.cascade);
        if let Some(campaign) = &mut self.campaign {
            engine::follow(campaign, &stored.event);
            if let Kind::Resumed { .. } = stored.event.kind {
                // It may move anybody's timer.
                touched.extend(campaign.journeys().iter().map(|journey| journey.id));
            }
        }
    }

    fn read_anew(&mut self, anew: u64) -> Result<Caught, StoreError> {
        let mut shown = self.reader()?.shown(TIMELINE)?;
        (self.campaign, self.seq, self.anew) = (shown.campaign.take(), shown.seq, Some(anew));
        Ok(Caught::Anew(Box::new(shown)))
    }

    fn reader(&mut self) -> Result<&Reader, StoreError> {
        if self.reader.is_none() {
            self.reader = Some(Reader::open(&self.store)?);
        }
        // It was set just now, or stood there before.
        self.reader.as_ref().ok_or(StoreError::Gone)
    }
}
