//! What is known of a store outside of it (`live.db.mark`): which store it is, how far it came, and which ids may
//! have left this machine. A lost, emptied or older store in its place is recognised by it.
//!
//! | record | bound | written |
//! |---|---|---|
//! | ids | never below an id that was committed | ahead, in blocks, on disk before the commit that needs it |
//! | water | never ahead of the store | after each commit, without waiting for the disk |
//! | lost | what a store in this place is known to lack | when it is found to lack it, until an operator has gone on |
//!
//! So a restored store goes on behind the ids, and a store behind the water has lost something. One that does not know
//! what is lost here was put into the place of one that did. Each record stands in a sector of its own and carries a
//! checksum; one that is torn is as good as none.

use super::StoreError;
use super::error::io;
use super::private;
use crate::model::At;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Attempt ids taken ahead at once: one wait for the disk in so many.
const ATTEMPTS: u64 = 10_000;

/// The same for timers, of which an attempt has some.
const TIMERS: u64 = 100_000;

/// Bytes of a record, and where each begins.
const RECORD: usize = 256;
const IDS_AT: u64 = 0;
const WATER_AT: u64 = 512;
const LOST_AT: u64 = 1024;

/// How far a store came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Water {
    /// Its tag.
    pub store: String,
    /// The last place in its log.
    pub seq: u64,
    /// When the last event happened.
    pub at: Option<At>,
    /// It was closed in order: nothing was under way.
    pub clean: bool,
}

/// The furthest that a store in this place is known to have come, of what is not in it any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The last place in its log; 0 where nothing is known of it.
    pub seq: u64,
    /// When the last event happened.
    pub at: Option<At>,
}

/// Ids that may have left this machine end below these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// Attempts.
    pub attempts: u64,
    /// Timers.
    pub timers: u64,
}

/// All records, as far as they can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// How far it came.
    pub water: Option<Water>,
    /// Ids taken.
    pub ids: Option<Ids>,
    /// What is lost, and no operator has gone on since.
    pub lost: Option<Lost>,
}

impl Mark {
    /// What stands beside the store at `db`; nothing where there is no mark.
    pub fn read(db: &Path) -> Result<Self, StoreError> {
        let path = path(db);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Self {
                water: record(&bytes, WATER_AT),
                ids: record(&bytes, IDS_AT),
                lost: record(&bytes, LOST_AT),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(io(&path, "read the store's mark")(error)),
        }
    }

    /// The furthest that anything in this place is known to have come.
    pub fn furthest(&self) -> Lost {
        let water = self.water.as_ref().map(|water| Lost { seq: water.seq, at: water.at });
        let (water, lost) = (water.unwrap_or_default(), self.lost.unwrap_or_default());
        Lost { seq: water.seq.max(lost.seq), at: water.at.max(lost.at) }
    }

    /// Its ids, if they are those of the store with this tag.
    pub fn ids_of(&self, store: &str) -> Option<Ids> {
        let its = self.water.as_ref().is_some_and(|water| water.store == store);
        self.ids.filter(|_| its)
    }
}

/// The mark of an open store.
#[derive(Debug)]
pub(super) struct MarkFile {
    path: PathBuf,
    file: File,
    water: Water,
    ids: Ids,
}

impl MarkFile {
    /// Marks the store at `db` as open; on disk when it returns. `taken` are known to be taken, `next` must be.
    pub fn open(
        db: &Path,
        water: Water,
        lost: Option<Lost>,
        taken: Ids,
        next: Ids,
    ) -> Result<Self, StoreError> {
        let path = path(db);
        let failed = io(&path, "write the store's mark");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = private::open(&mut options, &path).map_err(&failed)?;
        let mut this = Self { path, file, water: Water { clean: false, ..water }, ids: taken };
        this.write(WATER_AT, &this.water).map_err(&failed)?;
        // A mark that never spoke of a loss has no such record.
        if lost.is_some() || this.file.metadata().map_err(&failed)?.len() > LOST_AT {
            this.write(LOST_AT, &lost).map_err(&failed)?;
        }
        this.write(IDS_AT, &this.ids).and_then(|()| this.file.sync_data()).map_err(&failed)?;
        private::settle(db).map_err(&failed)?;
        this.reserve(next)?;
        Ok(this)
    }

    /// Before a commit with these next ids: makes sure that they are known to be taken.
    pub fn reserve(&mut self, next: Ids) -> Result<(), StoreError> {
        if next.attempts <= self.ids.attempts && next.timers <= self.ids.timers {
            return Ok(());
        }
        let ids = Ids {
            attempts: self.ids.attempts.max(next.attempts + ATTEMPTS),
            timers: self.ids.timers.max(next.timers + TIMERS),
        };
        let written = self.write(IDS_AT, &ids).and_then(|()| self.file.sync_data());
        written.map_err(io(&self.path, "write the store's mark"))?;
        self.ids = ids;
        Ok(())
    }

    /// Before the commit with which the operator goes on: nothing counts as lost any more. After it, a crash in between
    /// would hold a campaign whose operator has gone on; this way it asks them once more.
    pub fn go_on(&mut self) -> Result<(), StoreError> {
        let written = self.write(LOST_AT, &None::<Lost>).and_then(|()| self.file.sync_data());
        written.map_err(io(&self.path, "write the store's mark"))
    }

    /// After a commit. A mark that stays behind is safe, so its fault is no reason to stop.
    pub fn reached(&mut self, seq: u64, at: Option<At>) {
        (self.water.seq, self.water.at) = (self.water.seq.max(seq), self.water.at.max(at));
        if let Err(error) = self.write(WATER_AT, &self.water) {
            tracing::warn!(%error, path = %self.path.display(), "the store's mark cannot be written");
        }
    }

    /// The store was closed in order.
    pub fn close(mut self) {
        self.water.clean = true;
        let written = self.write(WATER_AT, &self.water).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            tracing::warn!(%error, path = %self.path.display(), "the store's mark cannot be written");
        }
    }

    fn write(&self, at: u64, record: &impl Serialize) -> std::io::Result<()> {
        let text = serde_json::to_string(record)?;
        let line = format!("{} {text}", checksum(&text));
        if line.len() >= RECORD {
            return Err(std::io::Error::other("the record is too long"));
        }
        // The rest of the sector is written with it, so that nothing of a longer one before is left.
        self.file.write_all_at(format!("{line:<width$}\n", width = RECORD - 1).as_bytes(), at)
    }
}

/// Where the mark of the store at `db` is.
pub fn path(db: &Path) -> PathBuf {
    private::beside(db, ".mark")
}

/// A store was put into the place of another: from here on the mark speaks of it. On disk when it returns.
pub(super) fn replace(db: &Path, water: Water, lost: Lost, taken: Ids) -> Result<(), StoreError> {
    MarkFile::open(db, water, Some(lost), taken, Ids::default()).map(MarkFile::close)
}

fn record<T: DeserializeOwned>(bytes: &[u8], at: u64) -> Option<T> {
    let at = usize::try_from(at).ok()?;
    let text = std::str::from_utf8(bytes.get(at..at + RECORD)?).ok()?.trim_end();
    let (sum, text) = text.split_once(' ')?;
    (sum == checksum(text)).then(|| serde_json::from_str(text).ok()).flatten()
}

fn checksum(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..8])
}
