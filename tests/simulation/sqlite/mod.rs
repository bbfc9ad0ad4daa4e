//! The second tier's disk: the real store on SQLite's real files. A commit that is acknowledged is on disk, so what a
//! simulated crash leaves is made of the files as they stood before and behind the commit it fell into, cut anywhere
//! between, and the real opening code goes on from it.

mod files;
mod log;
mod reading;
mod tear;
mod trouble;

use crate::random::Draw;
use crate::rows::Rows;
use crate::setting::{Setting, StoreFault};
use crate::shelf::{Medium, Tally};
use cascade::model::{Mode, Phone};
use cascade::runtime::store::mark::Mark;
use cascade::runtime::store::{Batch, Keeper, Store, StoreError, ballast};
use files::{DB, Files, MARK, WATER};
use futures::executor::block_on;
use std::collections::HashSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;
use tokio::task::unconstrained;

/// See the module's words.
#[derive(Debug)]
pub struct Sqlite {
    place: TempDir,
    draw: Draw,
    /// Something is kept back for when the disk is full.
    room: bool,
    stands: Mutex<Stands>,
}

/// How it stands.
#[derive(Debug, Default)]
struct Stands {
    store: Option<Arc<Store>>,
    /// What a crash in the middle of a commit left.
    left: Option<Files>,
    /// How far the store came, as the mark had it at any time of this life: which of them is on disk nobody knows.
    waters: Vec<Vec<u8>>,
    /// The last place in the log that was acknowledged.
    reached: u64,
    /// Whether whoever had it open last closed it in order, where that can be told.
    in_order: Option<bool>,
    /// A write failed so that the store takes no other.
    sealed: bool,
    /// Opt-outs of commits of which nothing else is there: they may hold all the same.
    loose: HashSet<Phone>,
    openings: u64,
    tally: Tally,
}

impl Stands {
    fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn store(&self) -> Result<Arc<Store>, StoreError> {
        self.store.clone().ok_or(StoreError::Gone)
    }
}

/// Waits on this thread, whatever share of the runtime's time its task has had.
fn wait<T>(future: impl Future<Output = T>) -> T {
    block_on(unconstrained(future))
}

impl Sqlite {
    pub fn new(setting: &Setting, room: bool) -> Self {
        Self {
            place: a_place(),
            draw: Draw::new(setting.seed).named("sqlite"),
            room,
            stands: Mutex::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.place.path().join(DB)
    }

    fn stands(&self) -> MutexGuard<'_, Stands> {
        self.stands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the store came, as it stands in the mark now.
    fn water(&self) -> Vec<u8> {
        fs::read(self.place.path().join(MARK)).unwrap()[WATER].to_vec()
    }

    fn files(&self) -> Files {
        Files::of(self.place.path())
    }

    /// Refused, with nothing changed.
    fn refuses(&self, mode: Mode, refusal: fn(&StoreError) -> bool) -> Result<(), String> {
        let before = self.files().lasting();
        match Store::open(&self.path(), mode) {
            Err(error) if !refusal(&error) => return Err(format!("12: refused for another reason: {error}")),
            Ok(_) => return Err(format!("12: it is opened for {mode}, and must not be")),
            Err(_) => {}
        }
        if self.files().lasting() == before {
            Ok(())
        } else {
            Err(format!("12: it was refused for {mode}, and its files were changed"))
        }
    }

    /// Room as [`ballast::make`] keeps it, without its cost: of the file only its size is looked at.
    fn keep_room(&self) {
        File::create(self.place.path().join("ballast")).unwrap().set_len(ballast::BYTES).unwrap();
    }

    /// The mark is not ahead of what is durable, and knows of every id that is about to be.
    fn mark_is_safe(&self, reached: u64, batch: &Batch) -> Result<(), String> {
        let mark = Mark::read(&self.path()).map_err(|error| format!("6: {error}"))?;
        let water = mark.water.map_or(0, |water| water.seq);
        if water > reached {
            return Err(format!("6: the mark is at {water}, and {reached} is on disk"));
        }
        let ids = mark.ids.unwrap_or_default();
        match &batch.header {
            Some(header) if header.next_attempt.0 > ids.attempts || header.next_timer.0 > ids.timers => {
                Err(format!("11: {ids:?} are known to be taken, and {} is", header.next_attempt))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The files as a power cut leaves them; a process that is killed leaves them as they are.
    fn left(&self, stands: &mut Stands, mut files: Files) -> Files {
        let draw = self.draw.named("ends").of(stands.openings);
        if draw.hits(400) {
            stands.count("the power failed");
            tear::power_fails(&mut files, &stands.waters, draw);
        }
        files
    }
}

impl Medium for Sqlite {
    fn opens(&self) -> Result<(), String> {
        let mut stands = self.stands();
        stands.openings += 1;
        if stands.openings > 1 && self.draw.named("other mode").of(stands.openings).hits(300) {
            self.refuses(Mode::Rehearsal, |error| matches!(error, StoreError::WrongMode { .. }))?;
            stands.count("the other mode was refused");
        }
        if self.room {
            self.keep_room();
        }
        let failed = |error| format!("6: what was left is not opened: {error}");
        let mut store = Store::open(&self.path(), Mode::Live).map_err(failed)?;
        if self.room {
            store.keep_ballast();
        }
        match stands.in_order.take() {
            Some(in_order) if in_order != store.ended_in_order() => {
                return Err(format!("6: it ended in order: {in_order}, and the mark says otherwise"));
            }
            Some(_) | None => {}
        }
        if self.draw.named("second").of(stands.openings).hits(300) {
            self.refuses(Mode::Live, |error| matches!(error, StoreError::Held(_)))?;
            stands.count("a second process was refused");
        }
        stands.store = Some(Arc::new(store));
        stands.sealed = false;
        stands.waters = vec![self.water()];
        Ok(())
    }

    fn ends(&self, in_order: bool) -> Result<(), String> {
        let mut stands = self.stands();
        let Some(store) = stands.store.take() else { return Ok(()) };
        let store = Arc::into_inner(store).ok_or("6: somebody of a life that is over holds the store")?;
        let draw = self.draw.named("close").of(stands.openings);
        let (left, before) = (stands.left.take(), self.files());
        drop(store);
        if stands.sealed && self.files().lasting() != before.clone().lasting() {
            return Err("6: something was written behind a write that had failed".into());
        }
        let cut_off = match left {
            Some(left) => left,
            None if !in_order => {
                stands.count("killed");
                before
            }
            None if draw.hits(300) && !stands.sealed => {
                let (files, what) = tear::within_close(&before, &self.files(), draw);
                stands.count(what);
                files
            }
            None => {
                stands.count("closed in order");
                stands.in_order = Some(!stands.sealed);
                return Ok(());
            }
        };
        let left = self.left(&mut stands, cut_off);
        left.write(self.place.path());
        let mark = Mark::read(&self.path()).map_err(|error| format!("6: {error}"))?;
        // A mark that cannot be read, or that is older than the last opening, tells nothing.
        stands.in_order = mark.water.map(|_| false);
        Ok(())
    }

    fn keeper(&self) -> Result<Arc<dyn Keeper>, StoreError> {
        Ok(self.stands().store()?)
    }

    fn commits(&self, batch: &Arc<Batch>, held: bool) -> Result<(), StoreError> {
        let mut stands = self.stands();
        let store = stands.store()?;
        if held {
            stands.count("another program held the file for a while");
            trouble::held(&store, Arc::clone(batch))?;
        } else {
            wait(store.commit(Arc::clone(batch)))?;
        }
        stands.reached = batch.events.last().map_or(stands.reached, |(seq, _)| *seq);
        stands.waters.push(self.water());
        Ok(())
    }

    fn fails(&self, fault: StoreFault, batch: Batch) -> Result<StoreError, String> {
        let mut stands = self.stands();
        let store = stands.store().map_err(|error| format!("6: {error}"))?;
        stands.loose.extend(batch.suppressions.iter().map(|row| row.phone.clone()));
        stands.sealed |= fault == StoreFault::Io;
        stands.count(match fault {
            StoreFault::DiskFull => "the disk was full",
            StoreFault::Io => "the disk could not be read",
            StoreFault::Refused => "a commit was refused",
            StoreFault::Busy | StoreFault::Held { .. } => "another program held the file for too long",
        });
        let error = trouble::fails(&store, fault, batch.clone())?;
        self.mark_is_safe(stands.reached, &batch)?;
        Ok(error)
    }

    fn dies_within(&self, batch: &Arc<Batch>, durable: bool, rows: &Rows) -> Result<(), String> {
        let mut stands = self.stands();
        let store = stands.store().map_err(|error| format!("6: {error}"))?;
        let draw = self.draw.named("tears").of(stands.openings);
        if draw.named("anew").hits(300) {
            trouble::checkpoints(&store);
        }
        let before = self.files();
        // Up to where it meets whoever holds the file: what is written by then is written before any frame.
        trouble::fails(&store, StoreFault::Busy, Batch::clone(batch))?;
        self.mark_is_safe(stands.reached, batch)?;
        let begun = self.files();
        wait(store.commit(Arc::clone(batch)))
            .map_err(|error| format!("6: a commit failed by itself: {error}"))?;
        let whole = self.files();
        stands.waters.push(begun.water());
        let (files, what) = if durable {
            if draw.named("into the file").hits(300) {
                trouble::checkpoints(&store);
            }
            stands.reached = batch.events.last().map_or(stands.reached, |(seq, _)| *seq);
            stands.waters.push(whole.water());
            tear::behind_commit(&begun, &self.files(), draw)
        } else {
            stands.loose.extend(batch.suppressions.iter().map(|row| row.phone.clone()));
            if draw.named("each").hits(100) {
                for files in tear::each_within_commit(&begun, &whole)? {
                    opened_elsewhere(&files, rows, &stands.loose)?;
                    stands.count("cut everywhere");
                }
            }
            tear::within_commit(&before, &begun, &whole, draw)?
        };
        stands.count(what);
        stands.left = Some(files);
        Ok(())
    }

    fn holds(&self, rows: &Rows) -> Result<(), String> {
        let mut stands = self.stands();
        let store = stands.store().map_err(|error| format!("6: {error}"))?;
        let outlived = reading::compare(&store, rows, &stands.loose)?;
        for _ in 0..outlived {
            stands.count(OUTLIVED);
        }
        self.mark_is_safe(rows.events.last().map_or(0, |(seq, _)| *seq), &Batch::default())
    }

    fn tally(&self) -> Tally {
        self.stands().tally.clone()
    }
}

/// A store of these files holds these rows.
fn opened_elsewhere(files: &Files, rows: &Rows, loose: &HashSet<Phone>) -> Result<(), String> {
    let place = a_place();
    files.write(place.path());
    let store = Store::open(&place.path().join(DB), Mode::Live);
    let store = store.map_err(|error| format!("6: what was left is not opened: {error}"))?;
    reading::compare(&store, rows, loose).map(drop)
}

/// In memory where the system has a place for that: a real disk waits, and holds the same.
fn a_place() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Of an opt-out whose commit is not there: what the first tier does not know.
pub const OUTLIVED: &str = "an opt-out outlived its commit";
