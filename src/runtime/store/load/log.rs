//! The log as it is read back: a page of it, or what happened to one customer.

use super::Reader;
use crate::engine::event::Event;
use crate::model::{CascadeId, Untrusted};
use crate::runtime::store::StoreError;
use rusqlite::{Params, params, params_from_iter};

/// An event with its place in the log and the text it names.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Place in the log.
    pub seq: u64,
    /// What happened.
    pub event: Event,
    /// What they wrote or said.
    pub text: Option<Untrusted>,
}

/// One line of `cascade events --json`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct LogLine {
    /// Place in the log.
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Reader {
    /// Events after `seq`, oldest first, at most `limit`; of one cascade or of all.
    pub fn events_after(
        &self,
        seq: u64,
        cascade: Option<CascadeId>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.events(&page(cascade), bound(seq, cascade, limit))
    }

    /// The newest that tell something ([`Kind::is_clockwork`](crate::engine::event::Kind::is_clockwork) does not), oldest first, at most `limit`.
    pub(super) fn newest(&self, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut newest = self.events(NEWEST, params![limit])?;
        newest.reverse();
        Ok(newest)
    }

    fn events(&self, sql: &str, params: impl Params) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = self.rows_of(sql, params, |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
        })?;
        rows.into_iter()
            .map(|(seq, body, text)| {
                let event = self.parse(&body, "an event")?;
                Ok(StoredEvent { seq: seq as u64, event, text: text.map(Untrusted::new) })
            })
            .collect()
    }
}

const NEWEST: &str = "SELECT event.seq, event.body, text.body FROM event
    LEFT JOIN text ON text.id = json_extract(event.body, '$.text')
    WHERE event.kind NOT IN ('timer_fired', 'breaker_checked') ORDER BY event.seq DESC LIMIT ?1";

/// Two statements and not one with an `OR`, for which SQLite would read the whole log to find one customer's part.
fn page(cascade: Option<CascadeId>) -> String {
    let whose = if cascade.is_some() { "event.cascade = ?3 AND " } else { "" };
    format!(
        "SELECT event.seq, event.body, text.body FROM event
         LEFT JOIN text ON text.id = json_extract(event.body, '$.text')
         WHERE {whose}event.seq > ?1 ORDER BY event.seq LIMIT ?2"
    )
}

/// What stands in its places.
fn bound(seq: u64, cascade: Option<CascadeId>, limit: usize) -> impl Params {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let places = [Some(seq as i64), Some(limit), cascade.map(|cascade| cascade.0 as i64)];
    params_from_iter(places.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::{Reader, bound, page};
    use crate::model::{CascadeId, Mode};
    use crate::runtime::store::Store;

    /// How SQLite goes about it, a step each.
    fn plan(reader: &Reader, cascade: Option<CascadeId>) -> Vec<String> {
        let sql = format!("EXPLAIN QUERY PLAN {}", page(cascade));
        reader.rows_of(&sql, bound(7, cascade, 50), |row| row.get(3)).unwrap()
    }

    #[test]
    fn a_page_of_the_log_is_found_by_an_index_however_long_the_log_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rehearsal.db");
        drop(Store::open(&path, Mode::Rehearsal).unwrap());
        let reader = Reader::open(&path).unwrap();
        let text = "SEARCH text USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN";
        // Nothing is sorted, either: the index has them in order.
        let all = "SEARCH event USING INTEGER PRIMARY KEY (rowid>?)";
        assert_eq!(plan(&reader, None), [all, text]);
        let one = "SEARCH event USING INDEX event_cascade (cascade=? AND seq>?)";
        assert_eq!(plan(&reader, Some(CascadeId(1))), [one, text]);
    }
}
