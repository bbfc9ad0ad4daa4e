//! Erasing people: their rows, their texts, and what names them in the log and its rows. Ids, counts and opt-outs (by
//! digest) stay. What was erased leaves the disk: the file is written anew and its write-ahead log emptied.

use super::error::sqlite;
use super::optouts::Digest;
use super::redact::{self, Traces};
use super::{Store, StoreError, migrations, optouts, records, schema};
use crate::model::{At, CampaignId, PersonId, Phone};
use crate::runtime::saving::META;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

/// What was erased, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// Rows with names and numbers.
    pub people: u64,
    /// What they wrote or said.
    pub texts: u64,
    /// Short links.
    pub links: u64,
    /// Events and rows that stay without what named them.
    pub events: u64,
    /// Keys of reports.
    pub reports: u64,
}

/// Who and what goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Who {
    pub people: HashSet<PersonId>,
    pub traces: Traces,
    /// Texts from these numbers, whoever they were taken for; and they are known by their digests alone from here on.
    pub numbers: Vec<Phone>,
    /// Report keys of these go.
    pub campaigns: Vec<CampaignId>,
    /// Texts of nobody known go that are older.
    pub texts_before: Option<At>,
}

impl Store {
    /// Erases everybody with this number. Their cascades must be over.
    pub async fn forget(&self, phone: &Phone) -> Result<Erased, StoreError> {
        let (path, phone) = (self.path.clone(), phone.clone());
        self.with(move |db| forget_in(db, &path, &phone)).await?
    }

    /// Erases these people, the report keys of these campaigns, and older texts of nobody known.
    pub(super) async fn erase(&self, who: Who) -> Result<Erased, StoreError> {
        let path = self.path.clone();
        self.with(move |db| erase(db, &path, &who)).await?
    }
}

/// Wall time that readers get to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Erases everybody with this number from a store that was moved aside and that nobody uses.
pub fn forget_aside(path: &Path, phone: &Phone) -> Result<Erased, StoreError> {
    schema::look(path)?;
    let mut db = schema::reopen(path)?;
    if schema::is_foreign(&db).map_err(sqlite(path, "open the store"))? {
        return Err(StoreError::NotOurs { path: path.display().to_string() });
    }
    let key = optouts::Key::generate().map_err(super::error::io(path, "make a key for opt-outs"))?;
    migrations::migrate(&mut db, path, &key)?;
    forget_in(&mut db, path, phone)
}

fn forget_in(db: &mut Connection, path: &Path, phone: &Phone) -> Result<Erased, StoreError> {
    let people = ids(db, "SELECT id FROM person WHERE phone = ?1", phone.as_str());
    let who = Who {
        people: people.map_err(sqlite(path, "look for a person"))?,
        traces: Traces::of([phone]),
        numbers: vec![phone.clone()],
        ..Who::default()
    };
    erase(db, path, &who)
}

fn ids(db: &Connection, sql: &str, of: &str) -> rusqlite::Result<HashSet<PersonId>> {
    let mut rows = db.prepare(sql)?;
    let rows = rows.query_map([of], |row| row.get::<_, i64>(0))?;
    rows.map(|id| id.map(|id| PersonId(id as u64))).collect()
}

fn erase(db: &mut Connection, path: &Path, who: &Who) -> Result<Erased, StoreError> {
    let key = super::opening::stored_key(db, path)?;
    let digests: HashSet<Digest> = who.numbers.iter().map(|phone| key.digest(phone)).collect();
    let rows = |db: &mut Connection| {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let erased = erase_rows(&transaction, who, &digests)?;
        transaction.commit()?;
        Ok(erased)
    };
    let erased = rows(db).map_err(sqlite(path, "erase people"))?;
    leave_the_disk(db, path)?;
    Ok(erased)
}

fn erase_rows(db: &Transaction<'_>, who: &Who, digests: &HashSet<Digest>) -> rusqlite::Result<Erased> {
    let (cascades, attempts, changed) = erase_cascades(db, who)?;
    let mut erased = Erased { events: changed + erase_events(db, who, &cascades)?, ..Erased::default() };
    erased.events += erase_campaigns(db, who)? + erase_saves(db, who)?;
    records::erase(db, &who.traces)?;
    erased.links = erase_links(db, &attempts)?;
    erased.texts = erase_texts(db, who, digests)?;
    for digest in digests {
        db.execute("UPDATE suppression SET phone = NULL WHERE digest = ?1", [digest])?;
    }
    for campaign in &who.campaigns {
        erased.reports += db.execute("DELETE FROM dedup WHERE campaign = ?1", [campaign.0 as i64])? as u64;
    }
    for person in &who.people {
        erased.people += db.execute("DELETE FROM person WHERE id = ?1", [person.0 as i64])? as u64;
    }
    Ok(erased)
}

/// Rows that are to be written anew: id and body.
type Changed = Vec<(i64, String)>;

fn rewrite(db: &Transaction<'_>, sql: &str, changed: Changed) -> rusqlite::Result<u64> {
    let mut update = db.prepare(sql)?;
    let count = changed.len() as u64;
    for (id, body) in changed {
        update.execute(params![body, id])?;
    }
    Ok(count)
}

/// Their cascades and attempts, and how many rows lost something; others' rows lose what names them.
fn erase_cascades(db: &Transaction<'_>, who: &Who) -> rusqlite::Result<(HashSet<i64>, HashSet<i64>, u64)> {
    let (mut cascades, mut attempts, mut changed) = (HashSet::new(), HashSet::new(), Vec::new());
    let mut read = db.prepare("SELECT id, person, body FROM cascade")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let (id, person, body): (i64, i64, &str) = (row.get(0)?, row.get(1)?, row.get_ref(2)?.as_str()?);
        let own = who.people.contains(&PersonId(person as u64));
        if !own && !who.traces.stand_in(body.as_bytes()) {
            continue;
        }
        let mut body: Value = serde_json::from_str(body).map_err(not_json)?;
        if own {
            cascades.insert(id);
            let all = body["attempts"].as_array().into_iter().flatten();
            attempts.extend(all.filter_map(|attempt| attempt["id"].as_i64()));
        }
        if redact::row(&mut body, own, &who.traces) {
            changed.push((id, body.to_string()));
        }
    }
    let changed = rewrite(db, "UPDATE cascade SET body = ?1 WHERE id = ?2", changed)?;
    Ok((cascades, attempts, changed))
}

fn erase_events(db: &Transaction<'_>, who: &Who, cascades: &HashSet<i64>) -> rusqlite::Result<u64> {
    let mut changed = Vec::new();
    let mut read = db.prepare("SELECT seq, cascade, customer, kind = 'unmatched', body FROM event")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, cascade, customer): (i64, Option<i64>, Option<i64>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let own = cascade.is_some_and(|id| cascades.contains(&id))
            || customer.is_some_and(|id| who.people.contains(&PersonId(id as u64)));
        let (hides, body): (bool, &str) = (row.get(3)?, row.get_ref(4)?.as_str()?);
        if !own && !hides && !who.traces.stand_in(body.as_bytes()) {
            continue;
        }
        let mut body: Value = serde_json::from_str(body).map_err(not_json)?;
        if redact::event(&mut body, own, &who.traces) {
            changed.push((seq, body.to_string()));
        }
    }
    rewrite(db, "UPDATE event SET body = ?1 WHERE seq = ?2", changed)
}

fn erase_campaigns(db: &Transaction<'_>, who: &Who) -> rusqlite::Result<u64> {
    let mut changed = Vec::new();
    let mut read = db.prepare("SELECT id, header FROM campaign")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let mut header: Value = serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(not_json)?;
        if redact::row(&mut header, false, &who.traces) {
            changed.push((row.get(0)?, header.to_string()));
        }
    }
    rewrite(db, "UPDATE campaign SET header = ?1 WHERE id = ?2", changed)
}

/// What operators wrote of a save stands in no event while it is not in force.
fn erase_saves(db: &Transaction<'_>, who: &Who) -> rusqlite::Result<u64> {
    let read = "SELECT value FROM meta WHERE key = ?1";
    let Some(saves) = db.query_row(read, [META], |row| row.get::<_, String>(0)).optional()? else {
        return Ok(0);
    };
    let mut saves: Value = serde_json::from_str(&saves).map_err(not_json)?;
    if !redact::row(&mut saves, false, &who.traces) {
        return Ok(0);
    }
    Ok(db.execute("UPDATE meta SET value = ?2 WHERE key = ?1", params![META, saves.to_string()])? as u64)
}

fn erase_links(db: &Transaction<'_>, attempts: &HashSet<i64>) -> rusqlite::Result<u64> {
    let mut codes: Vec<String> = Vec::new();
    let mut read = db.prepare("SELECT code, attempt FROM link")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        if attempts.contains(&row.get(1)?) {
            codes.push(row.get(0)?);
        }
    }
    let mut delete = db.prepare("DELETE FROM link WHERE code = ?1")?;
    for code in &codes {
        delete.execute([code])?;
    }
    Ok(codes.len() as u64)
}

/// Texts lose their words and keep their ids, which stand in the log and must not become another text's.
fn erase_texts(db: &Transaction<'_>, who: &Who, digests: &HashSet<Digest>) -> rusqlite::Result<u64> {
    let (mut theirs, mut masked): (Vec<i64>, Changed) = (Vec::new(), Vec::new());
    let mut read = db.prepare("SELECT id, person, at, body, digest FROM text WHERE body <> ''")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let (id, person, at): (i64, Option<i64>, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (body, digest): (&str, Option<Vec<u8>>) = (row.get_ref(3)?.as_str()?, row.get(4)?);
        let own = person.is_some_and(|person| who.people.contains(&PersonId(person as u64)));
        let from_them = digest.as_deref().is_some_and(|digest| digests.contains(digest));
        // What operators wrote has neither person nor number.
        let stranger = person.is_none() && digest.is_some();
        let old = stranger && who.texts_before.is_some_and(|before| At::from_millis(at) < before);
        if own || from_them || old {
            theirs.push(id);
        } else if who.traces.stand_in(body.as_bytes()) {
            masked.push((id, who.traces.mask(body)));
        }
    }
    let mut blank = db.prepare("UPDATE text SET body = '', digest = NULL WHERE id = ?1")?;
    for id in &theirs {
        blank.execute([id])?;
    }
    rewrite(db, "UPDATE text SET body = ?1 WHERE id = ?2", masked)?;
    Ok(theirs.len() as u64)
}

/// Freed pages and the write-ahead log hold what was erased until the file is written anew.
fn leave_the_disk(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let written = || {
        db.busy_timeout(PATIENCE)?;
        db.execute_batch("VACUUM")?;
        let busy = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))?;
        db.busy_timeout(schema::BUSY)?;
        Ok(busy)
    };
    let busy = written().map_err(sqlite(path, "write the store anew"))?;
    if busy { Err(StoreError::Read { path: path.display().to_string() }) } else { Ok(()) }
}

fn not_json(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}
