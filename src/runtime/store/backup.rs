//! Copies of a store: made while another process writes it, checked before they count, and described in a few numbers.

use super::error::{io, sqlite};
use super::restored::Standing;
use super::{Reader, StoreError, private};
use crate::model::{At, Mode};
use rusqlite::params;
use std::fs::{self, File, OpenOptions};
use std::path::Path;

/// What a store holds, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Held {
    /// Its tag.
    pub store: String,
    /// Rehearsal or live.
    pub mode: Mode,
    /// The last place in its log.
    pub seq: u64,
    /// When that happened.
    pub at: Option<At>,
    /// Every campaign, oldest first.
    pub campaigns: Vec<HeldCampaign>,
    /// People it knows.
    pub people: u64,
    /// Opt-outs it knows.
    pub opt_outs: u64,
    /// The file's size.
    pub bytes: u64,
}

/// One campaign of them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HeldCampaign {
    /// Its id.
    pub id: u64,
    /// For people.
    pub name: String,
    /// Everybody in it.
    pub customers: u64,
    /// Whose cascade is not over.
    pub open: u64,
    /// Campaign time.
    pub started_at: At,
    /// Campaign time.
    pub ended_at: Option<At>,
}

impl Held {
    /// Reads a closed store or a backup from end to end. A file that is damaged, foreign or of the other mode is an
    /// error.
    pub fn check(path: &Path, mode: Mode) -> Result<Self, StoreError> {
        let reader = Reader::open(path)?;
        let found: String = reader
            .db
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(sqlite(path, "check the copy"))?;
        if found != "ok" {
            let what = crate::model::clean(&found);
            return Err(StoreError::Corrupt { path: path.display().to_string(), what });
        }
        let held = Self::read(&reader)?;
        if held.mode != mode {
            let path = path.display().to_string();
            return Err(StoreError::WrongMode { path, found: held.mode.to_string(), wanted: mode });
        }
        // Rows that a start would read can be read.
        reader.load(0)?;
        Ok(held)
    }

    fn read(reader: &Reader) -> Result<Self, StoreError> {
        let path = &reader.path;
        let standing = Standing::read(&reader.db, path)?;
        let mode = reader.meta("mode")?;
        let mode = mode.as_deref().and_then(Mode::parse).ok_or_else(|| StoreError::NoBackup {
            path: path.display().to_string(),
            why: "it does not say whether it is of a rehearsal or live".into(),
        })?;
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            let count = reader.db.query_row(&sql, [], |row| row.get::<_, i64>(0));
            count.map(|count| count as u64).map_err(sqlite(path, "read the store"))
        };
        Ok(Self {
            store: standing.id,
            mode,
            seq: standing.seq,
            at: standing.at,
            campaigns: campaigns(reader)?,
            people: count("person")?,
            opt_outs: count("suppression")?,
            bytes: fs::metadata(path).map_err(io(path, "read the store"))?.len(),
        })
    }
}

fn campaigns(reader: &Reader) -> Result<Vec<HeldCampaign>, StoreError> {
    let sql = "SELECT campaign.id, name, started_at, ended_at, count(cascade.id),
                 count(cascade.id) FILTER (WHERE cascade.state <> 'ended')
               FROM campaign LEFT JOIN cascade ON cascade.campaign = campaign.id
               GROUP BY campaign.id ORDER BY campaign.id";
    reader.rows(sql, |row| {
        Ok(HeldCampaign {
            id: row.get::<_, i64>(0)? as u64,
            name: row.get(1)?,
            started_at: At::from_millis(row.get(2)?),
            ended_at: row.get::<_, Option<i64>>(3)?.map(At::from_millis),
            customers: row.get::<_, i64>(4)? as u64,
            open: row.get::<_, i64>(5)? as u64,
        })
    })
}

/// Copies the store at `path` to `to`, as it stands at this moment, whoever writes it meanwhile. The copy is for its
/// owner alone, and is checked before it gets its name; nothing is ever overwritten.
pub fn back_up(path: &Path, mode: Mode, to: &Path) -> Result<Held, StoreError> {
    let reader = Reader::open(path)?;
    let mut new = OpenOptions::new();
    new.write(true).create_new(true);
    // Takes the name, so that nobody else does.
    private::open(&mut new, to).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => StoreError::Exists { path: to.display().to_string() },
        _ => io(to, "write a backup")(error),
    })?;
    let part = private::beside(to, ".part");
    let copied = copy(&reader, mode, &part).and_then(|held| {
        let failed = io(to, "write a backup");
        File::open(&part).and_then(|file| file.sync_all()).map_err(&failed)?;
        fs::rename(&part, to).and_then(|()| private::settle(to)).map_err(failed)?;
        Ok(held)
    });
    if copied.is_err() {
        // Neither was a backup at any time.
        let _ = fs::remove_file(&part);
        let _ = fs::remove_file(to);
    }
    copied
}

fn copy(reader: &Reader, mode: Mode, part: &Path) -> Result<Held, StoreError> {
    let mut new = OpenOptions::new();
    new.write(true).create(true).truncate(true);
    private::open(&mut new, part).map_err(io(part, "write a backup"))?;
    let target = part.to_str().ok_or_else(|| {
        io(part, "write a backup")(std::io::Error::other("SQLite takes names in UTF-8 alone"))
    })?;
    reader.db.execute("VACUUM INTO ?1", params![target]).map_err(|error| {
        // What is damaged is what is read; what is full is where it goes.
        let damaged = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt);
        sqlite(if damaged { &reader.path } else { part }, "write a backup")(error)
    })?;
    Held::check(part, mode)
}
