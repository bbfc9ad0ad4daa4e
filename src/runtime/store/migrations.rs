//! The tables, one migration a version. Each is one transaction. Never edit one that was released: golden stores of
//! every version (`tests/data/stores/`) are opened by a test.

use super::optouts::Key;
use super::{StoreError, error::sqlite, records};
use crate::model::Phone;
use rusqlite::{Connection, Transaction, params};
use std::path::Path;

/// A step of the tables, and of what SQL alone cannot do.
type Migration = (&'static str, fn(&Transaction<'_>, &Key) -> rusqlite::Result<()>);

/// Each entry brings the store from its index to the next version.
const MIGRATIONS: &[Migration] =
    &[(V1, |_, _| Ok(())), (V2, digest_suppressions), (V3, |db, _| records::fill(db))];

const V1: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE person (
  id INTEGER PRIMARY KEY, phone TEXT NOT NULL, name TEXT NOT NULL, segment TEXT NOT NULL, language TEXT,
  body TEXT NOT NULL);
CREATE INDEX person_phone ON person (phone);
CREATE TABLE campaign (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER,
  rules_hash TEXT NOT NULL, content_hash TEXT NOT NULL, header TEXT NOT NULL);
CREATE TABLE cascade (
  id INTEGER PRIMARY KEY, campaign INTEGER NOT NULL, person INTEGER NOT NULL, segment TEXT NOT NULL,
  start TEXT NOT NULL, propensity REAL NOT NULL, state TEXT NOT NULL, step INTEGER NOT NULL, due_at INTEGER,
  body TEXT NOT NULL);
CREATE INDEX cascade_campaign ON cascade (campaign, id);
CREATE TABLE event (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, campaign INTEGER NOT NULL, customer INTEGER, cascade INTEGER,
  kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX event_cascade ON event (cascade, seq);
CREATE TABLE text (id INTEGER PRIMARY KEY, person INTEGER, at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE dedup (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE link (code TEXT PRIMARY KEY, attempt INTEGER NOT NULL, target TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE suppression (
  phone TEXT PRIMARY KEY, at INTEGER NOT NULL, via TEXT NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE reject (campaign INTEGER NOT NULL, line INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE version (hash TEXT NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (hash, name));
";

/// Opt-outs by digest, so that they outlive the number; who wrote a text, by digest, where nobody knew the number (an
/// empty one where it is lost);
/// late news of earlier campaigns found by the provider's id, the attempt or the person; which campaign a report's
/// key belongs to, so that it can go with it; operators' orders found without reading the log.
const V2: &str = "
ALTER TABLE suppression RENAME TO suppression_v1;
CREATE TABLE suppression (
  digest BLOB PRIMARY KEY, phone TEXT, at INTEGER NOT NULL, via TEXT NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX event_provider_id ON event (json_extract(body, '$.provider_id')) WHERE kind = 'attempt_accepted';
CREATE INDEX event_order ON event (seq) WHERE kind IN ('ordered', 'order_met');
CREATE INDEX cascade_person ON cascade (person, campaign);
ALTER TABLE text ADD COLUMN digest BLOB;
UPDATE text SET digest = x'' WHERE person IS NULL;
ALTER TABLE dedup ADD COLUMN campaign INTEGER;
UPDATE dedup SET campaign = (SELECT max(id) FROM campaign);
";

/// What learning is told of each cascade ([`records`]), so that it need not read the log.
const V3: &str = "
CREATE TABLE record (
  cascade INTEGER PRIMARY KEY, campaign INTEGER NOT NULL, segment TEXT NOT NULL, body BLOB NOT NULL);
";

fn digest_suppressions(db: &Transaction<'_>, key: &Key) -> rusqlite::Result<()> {
    db.execute("INSERT INTO meta (key, value) VALUES ('optout_key', ?1)", [key.hex()])?;
    let mut insert = db.prepare(
        "INSERT INTO suppression (digest, phone, at, via, why)
         SELECT ?1, phone, at, via, why FROM suppression_v1 WHERE phone = ?2",
    )?;
    let mut numbers = db.prepare("SELECT phone FROM suppression_v1")?;
    let numbers = numbers.query_map([], |row| row.get::<_, String>(0))?;
    for number in numbers {
        let number = number?;
        if let Some(phone) = Phone::parse_e164(&number) {
            insert.execute(params![key.digest(&phone), number])?;
        }
    }
    db.execute_batch("DROP TABLE suppression_v1")
}

/// The version that this program writes.
pub(super) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// Brings a store up to date. `key` is for one that has no opt-outs by digest yet.
pub(super) fn migrate(connection: &mut Connection, path: &Path, key: &Key) -> Result<(), StoreError> {
    let found = version(connection, path)?;
    for (index, (tables, rest)) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        let step = connection.transaction().and_then(|transaction| {
            transaction.execute_batch(tables)?;
            rest(&transaction, key)?;
            transaction.pragma_update(None, "user_version", index as u32 + 1)?;
            transaction.commit()
        });
        step.map_err(sqlite(path, "bring the store up to date"))?;
    }
    Ok(())
}

/// The version of a store; 0 for a new file. One of a newer program is refused.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let found = connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
    let found = found.map_err(sqlite(path, "read the schema's version"))?;
    if found > KNOWN {
        return Err(StoreError::TooNew { path: path.display().to_string(), found, known: KNOWN });
    }
    Ok(found)
}
