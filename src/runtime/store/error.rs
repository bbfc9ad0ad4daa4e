//! What went wrong with a store, in words that say what to do.

use super::{Locked, OthersSend};
use crate::model::{At, Mode};
use rusqlite::ErrorCode;
use std::io;
use std::path::Path;

/// See the module's words.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no while doing something named.
    #[error("{path}: cannot {doing}: {source}{hint}")]
    Sqlite {
        /// The file.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// SQLite's words.
        source: rusqlite::Error,
        /// What to do, where it is known.
        hint: &'static str,
    },
    /// The file is damaged.
    #[error(
        "{path} is damaged ({what}); nothing was changed and nothing is sent. `cascade restore BACKUP` moves it \
         aside whole and puts a backup in its place; `cascade restore --anew` moves it aside and begins without \
         its people. Opt-outs are kept beside it either way"
    )]
    Corrupt {
        /// The file.
        path: String,
        /// What the check found.
        what: String,
    },
    /// There was a store, and it is gone or empty.
    #[error(
        "{path} is {what}, but it held {seq} events{until} (so says {mark}): whoever was under way in it would be \
         contacted again. Put it back, or `cascade restore BACKUP`; only if it is gone for good and that is \
         accepted, `cascade restore --anew` begins without it. Opt-outs are kept either way"
    )]
    Lost {
        /// Where it was.
        path: String,
        /// `gone` or `empty`.
        what: &'static str,
        /// Its last place in the log, as far as is known.
        seq: u64,
        /// The last event's time, with words around it.
        until: String,
        /// What remembers it.
        mark: String,
    },
    /// Some other program's database.
    #[error(
        "{path} is another program's database, not a store of ours; nothing was changed. Name another --db"
    )]
    NotOurs {
        /// The file.
        path: String,
    },
    /// A store of the other mode.
    #[error("{path} is a {found} store and cannot be used for {wanted}; rehearsal and live never share one")]
    WrongMode {
        /// The file.
        path: String,
        /// What it is.
        found: String,
        /// What was wanted.
        wanted: Mode,
    },
    /// Written by a newer program.
    #[error("{path} has schema {found}, this program knows {known}: use the newer cascade that wrote it")]
    TooNew {
        /// The file.
        path: String,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// It lies on another machine's disk.
    #[error(
        "{path} lies on a network file system ({kind}), where SQLite's write-ahead log cannot be shared safely: it \
         needs memory that all its readers share. Name a --db on a disk of this machine; backups may lie anywhere"
    )]
    Network {
        /// The file.
        path: String,
        /// As the system names it.
        kind: String,
    },
    /// The opt-outs outside the store cannot be read.
    #[error(
        "{path} cannot be read: {why}. Without it nobody can tell who opted out, so nothing is sent. Put {key} back \
         from a backup of this directory; if it is gone for good, move {path} away and record the opt-outs again"
    )]
    OptOuts {
        /// The file.
        path: String,
        /// Its key's file.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// Lines of the opt-outs outside the store cannot be read, and the store is too new to know them.
    #[error(
        "{lines} lines of {path} are damaged, and nothing else here knows whose STOP they are, so nothing is sent. Put the \
         file back from a backup of this directory; or take these lines out, and record the opt-outs again"
    )]
    DamagedOptOuts {
        /// The file.
        path: String,
        /// How many.
        lines: usize,
    },
    /// Somebody else writes it.
    #[error("{0}")]
    Held(#[from] Locked),
    /// Somebody else sends in live from the same workspace.
    #[error("{0}")]
    Sends(#[from] OthersSend),
    /// The file system said no.
    #[error("{path}: cannot {doing}: {source}; its directory must exist and be writable")]
    Io {
        /// The file.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// A row could not be read back: a damaged or foreign file.
    #[error("{path}: {what} cannot be read back: {detail}")]
    Row {
        /// The file.
        path: String,
        /// Which row.
        what: String,
        /// Why.
        detail: String,
    },
    /// A write failed in a way after which nobody knows what the disk holds.
    #[error(
        "{path}: a write to the disk failed earlier, and nothing is written over it; check the disk, then start \
         cascade again"
    )]
    Sealed {
        /// The file.
        path: String,
    },
    /// Nothing was ever written into it.
    #[error("{path} holds nothing yet; `cascade pilot` launches a pilot")]
    Empty {
        /// The file.
        path: String,
    },
    /// A backup of another store than the one in this place.
    #[error(
        "{path} is a backup of another store ({its}) than the one of this place ({here}): calls and messages of that \
         one could not all be recognised, and people could be contacted twice. Name the store that it belongs to with \
         --db or --workspace; with --another it is put here all the same. Nothing was changed"
    )]
    Another {
        /// The backup.
        path: String,
        /// Its store's tag.
        its: String,
        /// The tag of the store that is, or was, here.
        here: String,
    },
    /// A backup that is none.
    #[error("{path} is no backup that can be used: {why}; nothing was changed")]
    NoBackup {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// Something stands where a new file was to be written.
    #[error("{path} exists already and is not overwritten; name another file")]
    Exists {
        /// The file.
        path: String,
    },
    /// Somebody still reads, so that what was erased cannot leave the disk.
    #[error(
        "{path}: what was erased still stands in its write-ahead log, because another process reads it; end that \
         one (`cascade report`, `cascade events --follow`), then do the same again"
    )]
    Read {
        /// The file.
        path: String,
    },
    /// The writer thread is gone after an earlier failure.
    #[error("the store's writer has stopped after an earlier failure")]
    Gone,
}

impl StoreError {
    /// No space was left. Nothing of the batch is there; after [`super::Keeper::make_room`] the same file takes
    /// further commits.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => source.sqlite_error_code() == Some(ErrorCode::DiskFull),
            Self::Io { source, .. } => is_full(source),
            _ => false,
        }
    }

    /// Another program held the file for longer than we wait; nothing is wrong with it.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
            ),
            _ => false,
        }
    }

    /// After this nobody knows what the disk holds: the file is not written again before it was opened anew.
    pub(super) fn seals(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(
                    ErrorCode::SystemIoFailure
                        | ErrorCode::CannotOpen
                        | ErrorCode::ReadOnly
                        | ErrorCode::FileLockingProtocolFailed
                        | ErrorCode::NoLargeFileSupport
                        | ErrorCode::OutOfMemory
                        | ErrorCode::InternalMalfunction
                )
            ),
            Self::Io { source, .. } => !is_full(source),
            Self::Corrupt { .. } | Self::Sealed { .. } => true,
            _ => false,
        }
    }

    /// The store at `path` is `gone` or `empty`, and this is what is known of it.
    pub(super) fn lost(path: &Path, what: &'static str, seq: u64, at: Option<At>, mark: &Path) -> Self {
        let until = at.map(|at| format!(", the last of them at {at}")).unwrap_or_default();
        Self::Lost { path: path.display().to_string(), what, seq, until, mark: mark.display().to_string() }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Puts the path and what was being done beside SQLite's own words.
pub(super) fn sqlite(path: &Path, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| {
        let hint = match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => "; free some disk space, then start again: nothing is lost",
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                "; check that the directory exists and may be written"
            }
            Some(ErrorCode::DatabaseBusy) => "; another program holds the file",
            Some(ErrorCode::SystemIoFailure) => "; the disk or its file system failed, check it",
            _ => "",
        };
        let path = path.display().to_string();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Corrupt { path, what: source.to_string() }
            }
            _ => StoreError::Sqlite { path, doing, source, hint },
        }
    }
}

/// The same for the file system's words.
pub(super) fn io(path: &Path, doing: &'static str) -> impl Fn(io::Error) -> StoreError + use<> {
    let path = path.display().to_string();
    move |source| StoreError::Io { path: path.clone(), doing, source }
}
