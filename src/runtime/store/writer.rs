//! The writer thread: takes batches, commits each in one transaction, answers.

use super::batch::{Batch, SuppressionRow};
use super::error::{io, sqlite};
use super::mark::{Ids, MarkFile};
use super::opening::Outside;
use super::optouts::{Key, Line, OptOutFile};
use super::{StoreError, ballast, records, rows, schema};
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};

/// What the writer is asked for, and who waits for it.
pub(super) enum Job {
    Commit(Arc<Batch>, oneshot::Sender<Result<(), StoreError>>),
    OptOut(Vec<SuppressionRow>, oneshot::Sender<Result<(), StoreError>>),
    MakeRoom(oneshot::Sender<Result<bool, StoreError>>),
    Work(Box<dyn FnOnce(&mut Connection) + Send>),
}

/// Everything that is written, and how it stands.
pub(super) struct Writer {
    /// `None` after it could not be opened anew.
    connection: Option<Connection>,
    mark: MarkFile,
    optouts: OptOutFile,
    /// The one under which the store keeps its digests.
    key: Key,
    path: PathBuf,
    state: PathBuf,
    /// A write failed, and nobody knows what of it is on disk.
    sealed: bool,
}

pub(super) fn spawn(
    mut writer: Writer,
    mut jobs: mpsc::UnboundedReceiver<Job>,
) -> Result<JoinHandle<()>, StoreError> {
    let failed = io(&writer.path, "start the writer");
    thread::Builder::new()
        .name("store".into())
        .spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                writer.work(job);
            }
            writer.close();
        })
        .map_err(failed)
}

impl Writer {
    pub fn new(connection: Connection, outside: Outside, path: &Path, state: &Path) -> Self {
        let Outside { mark, optouts, key } = outside;
        let (path, state) = (path.to_owned(), state.to_owned());
        Self { connection: Some(connection), mark, optouts, key, path, state, sealed: false }
    }

    fn work(&mut self, job: Job) {
        match job {
            // Nobody waits any more when the driver was dropped; the batch is on disk all the same.
            Job::Commit(batch, done) => drop(done.send(self.commit(&batch))),
            Job::OptOut(rows, done) => drop(done.send(self.opt_out(&rows))),
            Job::MakeRoom(done) => drop(done.send(self.make_room())),
            // Whoever asked sees that nobody answers.
            Job::Work(work) => {
                if let Some(connection) = self.connection.as_mut().filter(|_| !self.sealed) {
                    work(connection);
                }
            }
        }
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let committed = self.write(batch);
        self.sealed |= committed.as_ref().is_err_and(StoreError::seals);
        if committed.is_ok()
            && let Some((seq, event)) = batch.events.last()
        {
            self.mark.reached(*seq, Some(event.at));
        }
        committed
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let Some(connection) = self.connection.as_mut().filter(|_| !self.sealed) else {
            return Err(StoreError::Sealed { path: self.path.display().to_string() });
        };
        // Ids that this batch may let out are known to be taken before anybody can use them.
        if let Some(header) = &batch.header {
            let next = Ids { attempts: header.next_attempt.0, timers: header.next_timer.0 };
            self.mark.reserve(next)?;
        }
        if batch.confirmed {
            self.mark.go_on()?;
        }
        // An opt-out outlives the store: it stands beside it first.
        record(&mut self.optouts, &batch.suppressions)?;
        let path = &self.path;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sqlite(path, "begin a commit"))?;
        rows::write_log(&transaction, batch).map_err(sqlite(path, "write events"))?;
        records::write(&transaction, batch).map_err(sqlite(path, "write records"))?;
        rows::write_rows(&transaction, batch, &self.key).map_err(sqlite(path, "write rows"))?;
        transaction.commit().map_err(sqlite(path, "commit"))
    }

    fn opt_out(&mut self, rows: &[SuppressionRow]) -> Result<(), StoreError> {
        record(&mut self.optouts, rows)
    }

    fn make_room(&mut self) -> Result<bool, StoreError> {
        if self.sealed {
            return Err(StoreError::Sealed { path: self.path.display().to_string() });
        }
        self.connection = None;
        let freed = ballast::free(&self.state)?;
        self.connection = Some(schema::reopen(&self.path)?);
        Ok(freed)
    }

    /// The file is put in order, then marked so. After a failed write neither is true.
    fn close(mut self) {
        let Some(connection) = self.connection.take() else { return };
        if self.sealed {
            // Closing would write the log into the file. The next opening does that, once everything was checked.
            let kept = schema::keep_log(&connection, true);
            return drop(
                kept.inspect_err(|error| tracing::warn!(%error, "the store's log could not be kept")),
            );
        }
        match connection.close() {
            Ok(()) => self.mark.close(),
            Err((_, error)) => tracing::warn!(%error, "the store could not be closed in order"),
        }
    }
}

fn record(optouts: &mut OptOutFile, rows: &[SuppressionRow]) -> Result<(), StoreError> {
    let key = optouts.key().clone();
    optouts.record(rows.iter().map(|row| Line { digest: key.digest(&row.phone), via: row.via, at: row.at }))
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Commit(..) => "Commit",
            Self::OptOut(..) => "OptOut",
            Self::MakeRoom(_) => "MakeRoom",
            Self::Work(_) => "Work",
        })
    }
}
