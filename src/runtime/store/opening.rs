//! Opening a store for writing, and everything that is known of it outside.
//!
//! Nothing is ever moved out of the way here. A store with people in flight that is damaged, gone or emptied must
//! never be replaced by an empty one, which would launch to them again: that takes `cascade restore`, by hand.

use super::error::sqlite;
use super::mark::{self, Mark, MarkFile};
use super::optouts::{Key, Line, OptOutFile};
use super::restored::{self, Restored, Standing};
use super::{Lock, Reader, StoreError, network, optouts, private, schema};
use crate::model::{At, Channel, Mode, Phone};
use rusqlite::{Connection, params};
use std::collections::HashSet;
use std::path::Path;

/// An open store's parts.
pub(super) struct Opened {
    pub lock: Lock,
    pub connection: Connection,
    pub outside: Outside,
    pub id: String,
    /// What the operator should know.
    pub warnings: Vec<String>,
    /// It was closed in order, as far as the mark knows.
    pub ended_in_order: bool,
}

/// What stands beside the store and is written with it.
pub(super) struct Outside {
    pub mark: MarkFile,
    pub optouts: OptOutFile,
    /// The one under which the store itself keeps its digests.
    pub key: Key,
}

/// Opens or makes the store of `mode` at `path`; opt-outs are kept in `state`, too.
pub(super) fn open(path: &Path, mode: Mode, state: &Path) -> Result<Opened, StoreError> {
    network::refuse(path)?;
    let lock = Lock::take(path)?;
    let mark = Mark::read(path)?;
    refuse_lost(path, &mark)?;
    let key = match optouts::key_in(state, mode)? {
        Some(key) => key,
        None => Key::generate().map_err(super::error::io(path, "make a key for opt-outs"))?,
    };
    let connection = schema::open(path, mode, &key)?;
    let mut warnings = Vec::new();
    let standing = Standing::read(&connection, path)?;
    let mut restored = restored::read(&connection, path)?;
    if standing.is_behind(&mark, restored.as_ref()) {
        let gap = Restored::new(&standing, &mark, None).widened(restored.as_ref());
        restored::write(&connection, path, &gap)?;
        tracing::error!(?gap, "the store is behind its mark");
        restored = Some(gap);
    }
    // Once it was asked what was sent, the pause of the campaign says what to do.
    if let Some(restored) = restored.as_ref().filter(|restored| !restored.asked) {
        warnings.push(restored.say(path));
    }
    let key = stored_key(&connection, path)?;
    let optouts = agree(&connection, path, state, mode, &key)?;
    if optouts.unreadable() > 0 && standing.seq == 0 {
        // A store in which something happened has them, too; this one would know nothing of them.
        let path = state.join(format!("{mode}.optouts")).display().to_string();
        return Err(StoreError::DamagedOptOuts { path, lines: optouts.unreadable() });
    }
    if optouts.unreadable() > 0 {
        warnings.push(format!(
            "{} lines of the opt-outs beside the store cannot be read; look at {}",
            optouts.unreadable(),
            state.join(format!("{mode}.optouts")).display()
        ));
    }
    let ended_in_order = mark.water.as_ref().is_none_or(|water| water.clean);
    let (taken, lost) = (mark.ids.unwrap_or_default(), restored.as_ref().map(Restored::lost));
    let mark = MarkFile::open(path, standing.water(), lost, taken, standing.next)?;
    let outside = Outside { mark, optouts, key };
    Ok(Opened { lock, connection, outside, id: standing.id, warnings, ended_in_order })
}

/// Whether the store at `path` is gone or empty although its mark remembers something.
pub fn not_lost(path: &Path) -> Result<(), StoreError> {
    refuse_lost(path, &Mark::read(path)?)
}

/// Nothing, where the mark remembers something.
fn refuse_lost(path: &Path, mark: &Mark) -> Result<(), StoreError> {
    let Some(water) = mark.water.as_ref().filter(|water| water.seq > 0) else { return Ok(()) };
    let what = match private::size(path).map_err(super::error::io(path, "open the store"))? {
        None => "gone",
        Some(0) => "empty",
        Some(_) => return Ok(()),
    };
    Err(StoreError::lost(path, what, water.seq, water.at, &mark::path(path)))
}

/// Store and file come to hold the same opt-outs, as far as their keys allow.
fn agree(
    db: &Connection,
    path: &Path,
    state: &Path,
    mode: Mode,
    stored: &Key,
) -> Result<OptOutFile, StoreError> {
    let mut file = OptOutFile::open(state, mode, stored)?;
    let rows = rows(db).map_err(sqlite(path, "read the opt-outs"))?;
    let known: HashSet<_> = rows.iter().map(|row| row.0).collect();
    add(&mut file, rows, stored)?;
    if file.key() == stored {
        let new = file.lines().iter().filter(|line| !known.contains(&line.digest));
        insert(db, new).map_err(sqlite(path, "take opt-outs over"))?;
    }
    Ok(file)
}

/// What a store that is only read knows of opt-outs stands beside it from here on.
pub(super) fn keep_outside(reader: &Reader, mode: Mode, state: &Path) -> Result<(), StoreError> {
    let stored = reader.key()?;
    let mut file = OptOutFile::open(state, mode, &stored)?;
    let rows = rows(&reader.db).map_err(sqlite(&reader.path, "read the opt-outs"))?;
    add(&mut file, rows, &stored)
}

fn add(file: &mut OptOutFile, rows: Vec<OptOutRow>, stored: &Key) -> Result<(), StoreError> {
    let key = file.key().clone();
    let line = |(digest, phone, via, at): OptOutRow| {
        // Under another key a digest says nothing, but the number does, as long as it is there.
        let digest = if key == *stored { digest } else { key.digest(&phone?) };
        Some(Line { digest, via, at })
    };
    file.record(rows.into_iter().filter_map(line))
}

fn insert<'a>(db: &Connection, lines: impl Iterator<Item = &'a Line>) -> rusqlite::Result<()> {
    let transaction = db.unchecked_transaction()?;
    for line in lines {
        transaction.execute(
            "INSERT OR IGNORE INTO suppression (digest, at, via, why) VALUES (?1, ?2, ?3, 'kept outside')",
            params![line.digest, line.at.millis(), line.via.as_str()],
        )?;
    }
    transaction.commit()
}

type OptOutRow = (optouts::Digest, Option<Phone>, Channel, At);

fn rows(db: &Connection) -> rusqlite::Result<Vec<OptOutRow>> {
    let mut rows = db.prepare("SELECT digest, phone, via, at FROM suppression")?;
    let rows = rows.query_map([], |row| {
        let phone: Option<String> = row.get(1)?;
        let via: String = row.get(2)?;
        Ok((
            row.get(0)?,
            phone.as_deref().and_then(Phone::parse_e164),
            Channel::parse(&via).unwrap_or(Channel::Sms),
            At::from_millis(row.get(3)?),
        ))
    })?;
    rows.collect()
}

/// The key under which a store keeps its digests.
pub(super) fn stored_key(db: &Connection, path: &Path) -> Result<Key, StoreError> {
    let text = schema::meta(db, path, "optout_key")?;
    text.as_deref().and_then(Key::parse).ok_or_else(|| StoreError::Row {
        path: path.display().to_string(),
        what: "the key of its opt-outs".into(),
        detail: "it is missing or damaged".into(),
    })
}
