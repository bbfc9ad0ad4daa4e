//! The store: one SQLite file per mode, one writer thread, one transaction per batch.
//!
//! The event log is the truth; `cascade` and `campaign` rows are a snapshot of it, written in the same
//! transaction. Names, numbers and texts stand in `person` and `text` alone. A commit is on disk
//! (`synchronous=FULL`, WAL) when [`Store::commit`] returns.

mod batch;
mod keeper;
mod load;
mod lock;
mod orders;
mod schema;
mod writer;

pub use batch::{Batch, LinkRow, PersonRow, RejectRow, SuppressionRow, TextRow};
pub use keeper::{Contacts, Keeper, Known};
pub use load::{Loaded, LogLine, Reader, Shown, StoredEvent};
pub use lock::{Lock, Locked, attachable};

use crate::model::Mode;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// What went wrong with the store, in words that say what to do.
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
        "{path} is damaged ({what}); nothing was changed. Move it away together with its -wal and -shm files to \
         start anew, or restore a backup"
    )]
    Corrupt {
        /// The file.
        path: String,
        /// What the check found.
        what: String,
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
    /// Somebody else writes it.
    #[error("{0}")]
    Held(#[from] Locked),
    /// The file system said no.
    #[error("{path}: cannot {doing}: {source}; its directory must exist and be writable")]
    Io {
        /// The file.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// The system's words.
        source: std::io::Error,
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
    /// The writer thread is gone after an earlier failure.
    #[error("the store's writer has stopped after an earlier failure")]
    Gone,
}

/// A store open for writing. Dropping it lets the writer finish its last batch and frees the lock.
#[derive(Debug)]
pub struct Store {
    jobs: Option<mpsc::UnboundedSender<writer::Job>>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    id: String,
    lock: Lock,
}

impl Store {
    /// Opens or makes the store of `mode` at `path`; refuses a second writer, the other mode, a damaged file.
    pub fn open(path: &Path, mode: Mode) -> Result<Self, StoreError> {
        let lock = Lock::take(path)?;
        let connection = schema::open(path, mode)?;
        let id = schema::meta(&connection, path, "store_id")?.unwrap_or_default();
        // Unbounded, because the driver alone sends, one batch at a time, and waits for each.
        let (jobs, queue) = mpsc::unbounded_channel();
        let thread = writer::spawn(connection, path.to_owned(), queue)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), path: path.to_owned(), id, lock })
    }

    /// Eight hex digits that keep this store's attempt keys apart from others'.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says in the lock file what holds the store, and where consoles attach to it.
    pub fn announce(&self, what: &str, socket: Option<&Path>) -> Result<(), StoreError> {
        self.lock.announce(&self.path, what, socket)
    }

    /// A read-only connection beside the writer.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path)
    }

    /// Writes the batch in one transaction. On disk when it returns `Ok`; wholly absent on an error.
    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let (done, wait) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(StoreError::Gone)?;
        jobs.send(writer::Job { batch, done }).map_err(|_| StoreError::Gone)?;
        wait.await.map_err(|_| StoreError::Gone)?
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic in the writer has already been reported to whoever waited for it.
            let _ = thread.join();
        }
        self.lock.free();
    }
}

/// Puts the path and what was being done beside SQLite's own words.
fn sqlite(path: &Path, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| {
        let hint = match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => {
                "; free some disk space, then start again: nothing is lost"
            }
            Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen) => {
                "; check that the directory exists and may be written"
            }
            Some(rusqlite::ErrorCode::DatabaseBusy) => "; another program holds the file",
            _ => "",
        };
        let path = path.display().to_string();
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                StoreError::Corrupt { path, what: source.to_string() }
            }
            _ => StoreError::Sqlite { path, doing, source, hint },
        }
    }
}
