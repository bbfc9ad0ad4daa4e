//! A store that came from a backup, or that is behind its mark: between what it holds and what was lost, anything may
//! have been sent. It sends nothing until that was looked up and an operator confirmed it.

use super::error::sqlite;
use super::mark::{Ids, Mark, Water};
use super::{StoreError, schema};
use crate::model::{At, AttemptId, TimerId};
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Where it stands in the store's settings, until it is confirmed.
pub(super) const META: &str = "restored";

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
}

impl Restored {
    /// The gap between a store and what is known of its lost successor. One that is restored again before it was
    /// confirmed keeps the wider gap.
    pub fn new(store: &Standing, lost: &Water, taken: Ids, before: Option<&Self>) -> Self {
        let known = before.map_or((None, 0), |before| (before.lost_until, before.lost_seq));
        let ids = before.map(|before| (before.next_attempt, before.next_timer)).unwrap_or_default();
        Self {
            backup_at: store.at,
            backup_seq: store.seq,
            lost_until: lost.at.max(known.0),
            lost_seq: lost.seq.max(known.1),
            next_attempt: ids.0.max(AttemptId(taken.attempts.max(store.next.attempts))),
            next_timer: ids.1.max(TimerId(taken.timers.max(store.next.timers))),
        }
    }

    /// In a sentence.
    pub fn say(&self, path: &Path) -> String {
        let to = |at: Option<At>| at.map_or_else(|| "the beginning".to_owned(), |at| at.to_string());
        let lost = match (self.lost_seq, self.lost_until) {
            (0, None) => "what happened after that is not known".to_owned(),
            (seq, until) if seq <= self.backup_seq && until <= self.backup_at => {
                "nothing is known to have happened after that".to_owned()
            }
            (seq, until) => format!("it is known to have gone on to event {seq}, {}", to(until)),
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

    /// Something is missing: the mark knows of more, or of another store in this place.
    pub fn is_behind(&self, mark: &Mark) -> bool {
        mark.water
            .as_ref()
            .is_some_and(|water| water.seq > 0 && (water.store != self.id || self.seq < water.seq))
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
