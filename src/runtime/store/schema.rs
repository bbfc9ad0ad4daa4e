//! Opening a store: pragmas, mode, integrity, and one migration per version.

use super::{StoreError, lock, sqlite};
use crate::model::Mode;
use rusqlite::{Connection, OptionalExtension};
use std::fs::OpenOptions;
use std::path::Path;

/// Each entry brings the store from its index to the next version. Never edit one that was released.
const MIGRATIONS: &[&str] = &["
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
", "
CREATE INDEX event_order ON event (seq) WHERE kind IN ('ordered', 'order_met');
"];

/// Wall time that SQLite waits for a reader in the way.
const BUSY_MS: u64 = 5000;

/// Opens or makes the file, brings it up to date, and checks that it is whole and of this mode.
pub(super) fn open(path: &Path, mode: Mode) -> Result<Connection, StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    lock::private(&mut options);
    options.open(path).map_err(|source| StoreError::Io {
        path: path.display().to_string(),
        doing: "open the store",
        source,
    })?;
    let mut connection = Connection::open(path).map_err(sqlite(path, "open the store"))?;
    if is_foreign(&connection).map_err(sqlite(path, "open the store"))? {
        return Err(StoreError::NotOurs { path: path.display().to_string() });
    }
    pragmas(&connection).map_err(sqlite(path, "open the store"))?;
    check(&connection, path)?;
    migrate(&mut connection, path)?;
    match meta(&connection, path, "mode")? {
        Some(found) if found != mode.as_str() => {
            return Err(StoreError::WrongMode { path: path.display().to_string(), found, wanted: mode });
        }
        Some(_) => {}
        None => christen(&connection, mode).map_err(sqlite(path, "name the new store"))?,
    }
    Ok(connection)
}

/// Tables without our version were made by somebody else.
fn is_foreign(connection: &Connection) -> rusqlite::Result<bool> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    Ok(version == 0 && tables > 0)
}

fn pragmas(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(sqlite(path, "check the store"))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt { path: path.display().to_string(), what: crate::model::clean(&found) })
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let version = |c: &Connection| c.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
    let found = version(connection).map_err(sqlite(path, "read the schema's version"))?;
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(StoreError::TooNew { path: path.display().to_string(), found, known });
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        let step = connection.transaction().and_then(|transaction| {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", index as u32 + 1)?;
            transaction.commit()
        });
        step.map_err(sqlite(path, "bring the store up to date"))?;
    }
    Ok(())
}

fn christen(connection: &Connection, mode: Mode) -> rusqlite::Result<()> {
    let mut id = [0_u8; 4];
    getrandom::fill(&mut id).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    let mut insert = connection.prepare("INSERT INTO meta (key, value) VALUES (?1, ?2)")?;
    insert.execute(["store_id", &hex::encode(id)])?;
    insert.execute(["mode", mode.as_str()])?;
    Ok(())
}

/// One value of the `meta` table.
pub(super) fn meta(connection: &Connection, path: &Path, key: &str) -> Result<Option<String>, StoreError> {
    connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()
        .map_err(sqlite(path, "read the store's settings"))
}
