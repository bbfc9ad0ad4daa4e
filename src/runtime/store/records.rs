//! What learning is told of each cascade, in a table of its own beside the log: written in the transaction that
//! writes the events, and nothing but a fold of them.

mod packed;

use super::error::sqlite;
use super::redact::{FORGOTTEN, Traces};
use super::{Batch, Reader, StoreError};
use crate::engine::event::{Event, Kind};
use crate::engine::record::Record;
use crate::model::{CampaignId, CascadeId, Leg};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use std::collections::BTreeMap;

/// Records that are read at once: nobody who writes waits for a reader longer than that takes.
pub const PAGE: i64 = 4096;

/// A record with whose it is.
pub type Kept = (CascadeId, CampaignId, Record);

const SELECT: &str = "SELECT cascade, campaign, segment, body FROM record";

fn read(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let mut record = packed::blank();
    let (cascade, campaign) = read_into(&mut record, row)?;
    Ok((cascade, campaign, record))
}

/// Reads a row into a record, and says whose it is.
fn read_into(record: &mut Record, row: &Row<'_>) -> rusqlite::Result<(CascadeId, CampaignId)> {
    let (cascade, campaign): (i64, i64) = (row.get(0)?, row.get(1)?);
    let segment = row.get_ref(2)?.as_str()?;
    if record.segment.0 != segment {
        segment.clone_into(&mut record.segment.0);
    }
    packed::unpack(record, row.get_ref(3)?.as_blob()?).ok_or_else(|| {
        let what = format!("the record of cascade {cascade} cannot be read");
        rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Blob, what.into())
    })?;
    Ok((CascadeId(cascade as u64), CampaignId(campaign as u64)))
}

fn insert(db: &Connection, (cascade, campaign, record): &Kept) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO record (cascade, campaign, segment, body) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![cascade.0 as i64, campaign.0 as i64, record.segment.0, packed::pack(record)])
    .map(drop)
}

/// What this batch makes of the records.
pub(super) fn write(db: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    let mut changed: BTreeMap<CascadeId, Kept> = BTreeMap::new();
    for (_, event) in &batch.events {
        let Some(cascade) = event.subject.cascade else { continue };
        if let Kind::CascadeStarted { start } = &event.kind {
            changed.insert(cascade, (cascade, event.campaign, Record::begun(event.at, start)));
        } else if Record::concerns(&event.kind) {
            if let Some((_, _, record)) = changed.get_mut(&cascade) {
                record.fold(event);
            } else if let Some(mut kept) = one(db, cascade)? {
                kept.2.fold(event);
                changed.insert(cascade, kept);
            }
        }
    }
    changed.values().try_for_each(|kept| insert(db, kept))
}

fn one(db: &Connection, cascade: CascadeId) -> rusqlite::Result<Option<Kept>> {
    let mut select = db.prepare_cached(&format!("{SELECT} WHERE cascade = ?1"))?;
    select.query_row([cascade.0 as i64], read).optional()
}

/// Segments that name somebody lose that, as in the log.
pub(super) fn erase(db: &Transaction<'_>, traces: &Traces) -> rusqlite::Result<()> {
    let mut segments = db.prepare("SELECT DISTINCT segment FROM record")?;
    let segments: Vec<String> = segments.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for segment in segments.iter().filter(|segment| traces.stand_in(segment.as_bytes())) {
        db.execute("UPDATE record SET segment = ?1 WHERE segment = ?2", params![FORGOTTEN, segment])?;
    }
    Ok(())
}

/// Fills the table of a store that had none.
pub(super) fn fill(db: &Transaction<'_>) -> rusqlite::Result<()> {
    folded(db, |kept| insert(db, &kept))
}

/// Every record from the log alone, in order of the cascades.
fn folded(db: &Connection, mut take: impl FnMut(Kept) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    let mut select = db.prepare("SELECT body FROM event WHERE cascade IS NOT NULL ORDER BY cascade, seq")?;
    let mut rows = select.query([])?;
    let mut open: Option<Kept> = None;
    while let Some(row) = rows.next()? {
        let event: Event = serde_json::from_str(row.get_ref(0)?.as_str()?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
        })?;
        let Some(cascade) = event.subject.cascade else { continue };
        match (&event.kind, open.as_mut().filter(|(of, ..)| *of == cascade)) {
            (_, Some((_, _, record))) => record.fold(&event),
            (Kind::CascadeStarted { start }, None) => {
                let next = (cascade, event.campaign, Record::begun(event.at, start));
                open.replace(next).map_or(Ok(()), &mut take)?;
            }
            // Of a cascade whose beginning the log does not have, nothing can be learnt.
            (_, None) => open.take().map_or(Ok(()), &mut take)?,
        }
    }
    open.map_or(Ok(()), take)
}

/// Records in the order of their cascades, page by page.
#[derive(Debug)]
pub struct Records<'a> {
    reader: &'a Reader,
    page: std::vec::IntoIter<Kept>,
    /// The last one that was read; `None`: there are no more.
    after: Option<CascadeId>,
}

impl Reader {
    /// What is kept of every cascade, those that start while it is read included or not.
    pub fn records(&self) -> Result<Records<'_>, StoreError> {
        // Only read, and not opened since an older program wrote it.
        let (page, after) = match self.schema {
            0..3 => (self.records_of_the_log()?, None),
            _ => (Vec::new(), Some(CascadeId::default())),
        };
        Ok(Records { reader: self, page: page.into_iter(), after })
    }

    /// How many pages [`Reader::page_of_records`] has; `None` for a store without the table.
    pub fn pages_of_records(&self) -> Result<Option<u64>, StoreError> {
        if self.schema < 3 {
            return Ok(None);
        }
        let last = self.rows("SELECT coalesce(max(cascade), 0) FROM record", |row| row.get::<_, i64>(0))?;
        Ok(last.first().map(|last| (*last / PAGE) as u64 + 1))
    }

    /// Gives the records whose ids fall into a page to `take`, for several readers to share the work. There is one record,
    /// which is filled again and again.
    pub fn page_of_records(
        &self,
        page: u64,
        mut take: impl FnMut(CampaignId, &Record),
    ) -> Result<(), StoreError> {
        let sql = format!("{SELECT} WHERE cascade >= ?1 AND cascade < ?1 + ?2 ORDER BY cascade");
        let mut read = || {
            let mut select = self.db.prepare_cached(&sql)?;
            let mut rows = select.query(params![page as i64 * PAGE, PAGE])?;
            let mut record = packed::blank();
            while let Some(row) = rows.next()? {
                let (_, campaign) = read_into(&mut record, row)?;
                take(campaign, &record);
            }
            Ok(())
        };
        let read: rusqlite::Result<()> = read();
        read.map_err(sqlite(&self.path, "read the store"))
    }

    /// How far the log goes.
    pub fn last_event(&self) -> Result<u64, StoreError> {
        self.max("event", "seq")
    }

    /// The pages in which an event behind this one may have changed a record.
    pub fn pages_changed_since(&self, seq: u64) -> Result<Vec<u64>, StoreError> {
        let sql = "SELECT DISTINCT cascade / ?2 FROM event WHERE seq > ?1 AND cascade IS NOT NULL ORDER BY 1";
        self.rows_of(sql, params![seq as i64, PAGE], |row| Ok(row.get::<_, i64>(0)? as u64))
    }

    /// The same from the log alone, which is slow and must tell the same.
    pub fn records_of_the_log(&self) -> Result<Vec<Kept>, StoreError> {
        let mut all = Vec::new();
        let read = folded(&self.db, |kept| {
            all.push(kept);
            Ok(())
        });
        read.map_err(sqlite(&self.path, "read the log"))?;
        Ok(all)
    }

    /// What is kept of the cascades of one campaign, whose ids follow each other.
    pub fn records_of(&self, campaign: CampaignId) -> Result<Vec<(CascadeId, Record)>, StoreError> {
        if self.schema < 3 {
            let all = self.records()?.filter(|kept| kept.as_ref().map_or(true, |(_, of, _)| *of == campaign));
            return all.map(|kept| kept.map(|(id, _, record)| (id, record))).collect();
        }
        let sql = format!(
            "{SELECT} WHERE cascade BETWEEN (SELECT min(id) FROM cascade WHERE campaign = ?1)
               AND (SELECT max(id) FROM cascade WHERE campaign = ?1) ORDER BY cascade"
        );
        let rows = self.rows_of(&sql, params![campaign.0 as i64], read)?;
        Ok(rows.into_iter().map(|(id, _, record)| (id, record)).collect())
    }

    /// The walks of a campaign's first cascades.
    pub fn first_walks(&self, campaign: CampaignId, count: i64) -> Result<Vec<Vec<Leg>>, StoreError> {
        let sql =
            "SELECT json_extract(body, '$.start.walk') FROM cascade WHERE campaign = ?1 ORDER BY id LIMIT ?2";
        let rows = self.rows_of(sql, params![campaign.0 as i64, count], |row| row.get::<_, String>(0))?;
        rows.iter().map(|walk| self.parse(walk, "a walk")).collect()
    }

    /// The hashes of rules and texts, and the conversion window, of each campaign.
    pub fn campaign_terms(&self) -> Result<BTreeMap<CampaignId, (String, String, u64)>, StoreError> {
        let sql = "SELECT id, rules_hash, content_hash,
                     json_extract(header, '$.launch.policy.conversion_window_s') FROM campaign";
        let rows = self.rows(sql, |row| {
            let terms = (row.get(1)?, row.get(2)?, row.get::<_, i64>(3)? as u64);
            Ok((CampaignId(row.get::<_, i64>(0)? as u64), terms))
        })?;
        Ok(rows.into_iter().collect())
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Kept, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(kept) = self.page.next() {
            return Some(Ok(kept));
        }
        let after = self.after.take()?;
        let sql = format!("{SELECT} WHERE cascade > ?1 ORDER BY cascade LIMIT ?2");
        match self.reader.rows_of(&sql, params![after.0 as i64, PAGE], read) {
            Ok(page) => {
                self.after = page.last().map(|(cascade, ..)| *cascade);
                self.page = page.into_iter();
                self.page.next().map(Ok)
            }
            Err(error) => Some(Err(error)),
        }
    }
}
