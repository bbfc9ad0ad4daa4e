//! Opening a store's file: whose it is, pragmas, integrity, version, mode.

use super::error::{io, sqlite};
use super::optouts::Key;
use super::{StoreError, migrations, private};
use crate::model::Mode;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;

/// Wall time that a commit waits for another program that writes the file.
pub(super) const BUSY: Duration = Duration::from_secs(30);

/// How every database of SQLite begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Opens or makes the file, brings it up to date, and checks that it is whole and of this mode. `key` is for a store
/// that has none yet.
pub(super) fn open(path: &Path, mode: Mode, key: &Key) -> Result<Connection, StoreError> {
    look(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    private::open(&mut options, path).map_err(io(path, "open the store"))?;
    let mut connection = Connection::open(path).map_err(sqlite(path, "open the store"))?;
    // Whatever is refused stays as it is, its write-ahead log included.
    keep_log(&connection, true).map_err(sqlite(path, "open the store"))?;
    refuse(&connection, path, mode)?;
    check(&connection, path)?;
    pragmas(&connection, path)?;
    keep_log(&connection, false).map_err(sqlite(path, "open the store"))?;
    migrations::migrate(&mut connection, path, key)?;
    if meta(&connection, path, "mode")?.is_none() {
        christen(&connection, mode).map_err(sqlite(path, "name the new store"))?;
    }
    Ok(connection)
}

/// Whether the write-ahead log stays when this connection is closed.
pub(super) fn keep_log(connection: &Connection, on: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on).map(drop)
}

/// Refuses what is not ours, newer, or of the other mode.
fn refuse(connection: &Connection, path: &Path, mode: Mode) -> Result<(), StoreError> {
    if is_foreign(connection).map_err(sqlite(path, "open the store"))? {
        return Err(StoreError::NotOurs { path: path.display().to_string() });
    }
    if migrations::version(connection, path)? == 0 {
        return Ok(());
    }
    match meta(connection, path, "mode")? {
        Some(found) if found != mode.as_str() => {
            Err(StoreError::WrongMode { path: path.display().to_string(), found, wanted: mode })
        }
        Some(_) | None => Ok(()),
    }
}

/// Looks at a file before SQLite does, which empties the write-ahead log of a file that it takes for a new one.
pub(super) fn look(path: &Path) -> Result<(), StoreError> {
    let failed = io(path, "open the store");
    let mut head = Vec::new();
    match File::open(path) {
        Ok(file) => drop(file.take(MAGIC.len() as u64).read_to_end(&mut head).map_err(&failed)?),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let shown = || path.display().to_string();
    if head.is_empty() && private::size(&private::beside(path, "-wal")).map_err(failed)?.unwrap_or(0) > 0 {
        let what = "it is empty, and its write-ahead log is not".to_owned();
        return Err(StoreError::Corrupt { path: shown(), what });
    }
    if head.is_empty() || head == MAGIC {
        return Ok(());
    }
    Err(StoreError::Corrupt { path: shown(), what: "it does not begin like a database".to_owned() })
}

/// A further connection to a store that was opened before.
pub(super) fn reopen(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path).map_err(sqlite(path, "open the store again"))?;
    pragmas(&connection, path)?;
    Ok(connection)
}

/// Tables without our version or our settings were made by somebody else.
pub(super) fn is_foreign(connection: &Connection) -> rusqlite::Result<bool> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let (tables, ours): (u32, u32) = connection.query_row(
        "SELECT count(*), count(*) FILTER (WHERE name = 'meta') FROM sqlite_master",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(if tables > 0 { version == 0 || ours == 0 } else { version != 0 })
}

fn pragmas(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let set = || {
        connection.busy_timeout(BUSY)?;
        let journal: String =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(journal)
    };
    let journal: String = set().map_err(sqlite(path, "open the store"))?;
    if journal == "wal" {
        return Ok(());
    }
    let why = "the file system gives SQLite no shared memory for a write-ahead log";
    Err(io(path, "open the store")(std::io::Error::other(why)))
}

/// Whether every page is whole and in its place.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(sqlite(path, "check the store"))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt { path: path.display().to_string(), what: crate::model::clean(&found) })
}

fn christen(connection: &Connection, mode: Mode) -> rusqlite::Result<()> {
    let mut id = [0_u8; 4];
    getrandom::fill(&mut id).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    // Both or none: a store that has a mode has a name.
    let insert = "INSERT INTO meta (key, value) VALUES ('store_id', ?1), ('mode', ?2)";
    connection.execute(insert, [&hex::encode(id), mode.as_str()]).map(drop)
}

/// One value of the `meta` table.
pub(super) fn meta(connection: &Connection, path: &Path, key: &str) -> Result<Option<String>, StoreError> {
    connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()
        .map_err(sqlite(path, "read the store's settings"))
}

/// Sets one value of the `meta` table.
pub(super) fn set_meta(
    connection: &Connection,
    path: &Path,
    key: &str,
    value: &str,
) -> Result<(), StoreError> {
    connection
        .execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", [key, value])
        .map(drop)
        .map_err(sqlite(path, "write the store's settings"))
}
