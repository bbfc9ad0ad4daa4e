//! A store that came from a backup, or that is behind its mark: between what it holds and what was lost, anything may
//! have been sent. It sends nothing until that was looked up and an operator confirmed it.

use super::error::sqlite;
use super::mark::{Ids, Lost, Mark, Water};
use super::{StoreError, schema};
use crate::model::{At, AttemptId, TimerId};
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Where it stands in the store's settings, until it is confirmed.
pub(super) const META: &str = "restored";

/// How many ids are left out where nobody knows how many are taken: more than any campaign uses.
const FAR: u64 = 1_000_000;

/// What is missing from a restored store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The last event that the store holds; `None`: it holds none.
    pub backup_at: Option<At>,
    /// Its place in the log.
    pub backup_seq: u64,
    /// The last event that is known to be lost, campaign time; `None` where nothing is known of it.
    pub lost_until: Option<At>,
    /// Its place in the lost log; 0 where nothing is known of it.
    pub lost_seq: u64,
    /// The first attempt id that the lost part cannot have used.
    pub next_attempt: AttemptId,
    /// The first timer id that the lost part cannot have used.
    pub next_timer: TimerId,
    /// What it took the place of was whole and held the very same: nothing happened after the backup.
    #[serde(default)]
    pub lacks_nothing: bool,
    /// What was sent meanwhile is looked up and written down; what is missing is the operator's word.
    #[serde(default)]
    pub asked: bool,
    /// Another store was in its place: what that one sent carries no name that this one knows.
    #[serde(default)]
    pub another: bool,
}

/// The store that was in this place, if it is known to be another one than `store`, and not an empty one.
pub(super) fn another(store: &str, mark: &Mark, present: Option<&Standing>) -> Option<String> {
    let marked = mark.water.as_ref().filter(|water| water.seq > 0).map(|water| &water.store);
    let there = present.filter(|present| present.seq > 0).map(|present| &present.id);
    marked.into_iter().chain(there).find(|id| *id != store).cloned()
}

impl Restored {
    /// The gap between a store and what is known of those that were in its place: by the mark, and by `present`, if
    /// that can still be read.
    pub fn new(store: &Standing, mark: &Mark, present: Option<&Standing>) -> Self {
        let known = mark.ids_of(&store.id);
        let far = if known.is_some() { 0 } else { FAR };
        let ids = [Some(store.next), mark.ids, present.map(|present| present.next)];
        let next = |of: fn(&Ids) -> u64| ids.iter().flatten().map(of).max().unwrap_or_default() + far;
        let furthest = mark.furthest();
        Self {
            backup_at: store.at,
            backup_seq: store.seq,
            lost_until: furthest.at.max(present.and_then(|present| present.at)),
            lost_seq: furthest.seq.max(present.map_or(0, |present| present.seq)),
            next_attempt: AttemptId(next(|ids| ids.attempts)),
            next_timer: TimerId(next(|ids| ids.timers)),
            lacks_nothing: false,
            asked: false,
            another: another(&store.id, mark, present).is_some(),
        }
    }

    /// One that is restored again before it was confirmed keeps the wider gap.
    #[must_use]
    pub fn widened(self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self };
        Self {
            lost_until: self.lost_until.max(before.lost_until),
            lost_seq: self.lost_seq.max(before.lost_seq),
            next_attempt: self.next_attempt.max(before.next_attempt),
            next_timer: self.next_timer.max(before.next_timer),
            lacks_nothing: false,
            another: self.another || before.another,
            ..self
        }
    }

    /// For the mark.
    pub(super) const fn lost(&self) -> Lost {
        Lost { seq: self.lost_seq, at: self.lost_until }
    }

    /// It knows of all that.
    fn covers(&self, lost: &Lost) -> bool {
        self.lost_seq >= lost.seq && self.lost_until >= lost.at
    }

    /// In a sentence.
    pub fn say(&self, path: &Path) -> String {
        let to = |at: Option<At>| at.map_or_else(|| "the beginning".to_owned(), |at| at.to_string());
        let lost = match (self.lost_seq, self.lost_until) {
            _ if self.lacks_nothing => "nothing happened after that".to_owned(),
            (seq, until) if seq > self.backup_seq => {
                format!("it is known to have gone on to event {seq}, {}", to(until))
            }
            (_, until) if until > self.backup_at => {
                format!("it is known to have gone on until {}", to(until))
            }
            (_, _) => "what happened after that is not known".to_owned(),
        };
        format!(
            "{} goes to event {}, {}; {lost}. What was sent after it is not in it: nothing is sent until that was \
             looked up and you confirmed it",
            path.display(),
            self.backup_seq,
            to(self.backup_at)
        )
    }
}

/// How far a store came, by its own tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its tag.
    pub id: String,
    /// The last place in its log.
    pub seq: u64,
    /// When the last event happened.
    pub at: Option<At>,
    /// The next free ids.
    pub next: Ids,
}

impl Standing {
    /// Reads it.
    pub fn read(db: &Connection, path: &Path) -> Result<Self, StoreError> {
        let id = schema::meta(db, path, "store_id")?.unwrap_or_default();
        let last = db
            .query_row("SELECT seq, at FROM event ORDER BY seq DESC LIMIT 1", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()
            .map_err(sqlite(path, "read the store"))?;
        let next = db
            .query_row(
                "SELECT json_extract(header, '$.next_attempt'), json_extract(header, '$.next_timer')
                 FROM campaign ORDER BY id DESC LIMIT 1",
                [],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
            )
            .optional()
            .map_err(sqlite(path, "read the store"))?;
        let (attempts, timers) = next.unwrap_or((1, 1));
        Ok(Self {
            id,
            seq: last.map_or(0, |(seq, _)| seq as u64),
            at: last.map(|(_, at)| At::from_millis(at)),
            next: Ids { attempts: attempts as u64, timers: timers as u64 },
        })
    }

    /// As the mark has it.
    pub fn water(&self) -> Water {
        Water { store: self.id.clone(), seq: self.seq, at: self.at, clean: true }
    }

    /// Something is missing: the mark knows of more, of another store in this place, or of a loss of which the store
    /// itself says nothing.
    pub fn is_behind(&self, mark: &Mark, own: Option<&Restored>) -> bool {
        let behind = |water: &Water| water.seq > 0 && (water.store != self.id || self.seq < water.seq);
        let replaced = |lost: &Lost| !own.is_some_and(|own| own.covers(lost));
        mark.water.as_ref().is_some_and(behind) || mark.lost.as_ref().is_some_and(replaced)
    }
}

/// What the store says of itself.
pub(super) fn read(db: &Connection, path: &Path) -> Result<Option<Restored>, StoreError> {
    let Some(text) = schema::meta(db, path, META)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| StoreError::Row {
        path: path.display().to_string(),
        what: "what is missing since it was restored".into(),
        detail: error.to_string(),
    })
}

/// Writes it into the store; on disk when it returns.
pub(super) fn write(db: &Connection, path: &Path, restored: &Restored) -> Result<(), StoreError> {
    let text = serde_json::to_string(restored).unwrap_or_default();
    schema::set_meta(db, path, META, &text)
}
