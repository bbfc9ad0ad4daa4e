//! The store: one SQLite file per mode, one writer thread, one transaction per batch.
//!
//! The event log is the truth; `cascade` and `campaign` rows are a snapshot of it, written in the same
//! transaction. Names, numbers and texts stand in `person` and `text` alone. A commit is on disk
//! (`synchronous=FULL`, WAL) when [`Store::commit`] returns.
//!
//! What must outlive the file stands beside it:
//!
//! | file | holds | written |
//! |---|---|---|
//! | `live.db.mark` | which store this is, how far it came, ids that are taken ([`mark`]) | around each commit |
//! | `live.optouts` | opt-outs, by keyed digest ([`optouts`]) | before the commit that records them |
//! | `live.db.lock` | who writes the store | at start |
//! | `live.sends` | which process sends in live, from whichever store of the workspace ([`Lock`]) | at start |
//! | `ballast` | space for what is on its way when the disk is full ([`ballast`]) | at start |

pub mod backup;
pub mod ballast;
mod batch;
pub mod erase;
mod error;
mod keeper;
mod load;
mod lock;
pub mod mark;
mod migrations;
pub mod network;
mod opening;
pub mod optouts;
mod orders;
pub mod person;
mod private;
pub mod purge;
pub mod records;
pub mod redact;
pub mod restore;
mod restored;
mod rows;
mod schema;
mod start;
mod versions;
mod writer;

pub use batch::{Batch, LinkRow, PersonRow, RejectRow, SuppressionRow, TextRow};
pub use error::StoreError;
pub use keeper::{Contacts, Dealing, Dealings, Keeper, Known};
pub use load::{Loaded, LogLine, Reader, Shown, StoredEvent};
pub use lock::{Lock, Locked, OthersSend, attachable};
pub use opening::not_lost;
pub use optouts::OptOuts;
pub use restored::Restored;

use crate::clock;
use crate::model::Mode;
use crate::runtime::history::Shelf;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// A store open for writing. Dropping it lets the writer finish its last batch and frees the lock.
#[derive(Debug)]
pub struct Store {
    jobs: Option<mpsc::UnboundedSender<writer::Job>>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    state: PathBuf,
    id: String,
    lock: Lock,
    outside: OptOuts,
    warnings: Vec<String>,
    ended_in_order: bool,
    /// When the commit under way was asked for.
    since: Arc<Mutex<Option<Instant>>>,
    /// What learning has read of it.
    shelf: Arc<Mutex<Shelf>>,
}

impl Store {
    /// Opens or makes the store of `mode` at `path`, with what belongs beside it in the same directory; refuses a
    /// second writer, the other mode, a damaged or lost file.
    pub fn open(path: &Path, mode: Mode) -> Result<Self, StoreError> {
        Self::open_in(path, mode, private::directory(path))
    }

    /// The same, with opt-outs and ballast in `state`, wherever the store itself lies.
    pub fn open_in(path: &Path, mode: Mode, state: &Path) -> Result<Self, StoreError> {
        let opened = opening::open(path, mode, state)?;
        let outside = opened.outside.optouts.known();
        // Unbounded, because the driver alone sends, one batch at a time, and waits for each.
        let (jobs, queue) = mpsc::unbounded_channel();
        let writer = writer::Writer::new(opened.connection, opened.outside, path, state);
        let thread = writer::spawn(writer, queue)?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
            path: path.to_owned(),
            state: state.to_owned(),
            id: opened.id,
            lock: opened.lock,
            outside,
            warnings: opened.warnings,
            ended_in_order: opened.ended_in_order,
            since: Arc::default(),
            shelf: Arc::default(),
        })
    }

    /// Eight hex digits that keep this store's attempt keys apart from others'.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps some disk space back in the state directory, for when the disk is full. Without any the store works, too.
    pub fn keep_ballast(&mut self) {
        if let Err(error) = ballast::make(&self.state) {
            self.warnings.push(format!("{error}. Free some space: what is on its way could not be recorded"));
        }
    }

    /// What an operator should know of this opening, a sentence each: what is missing, what could not be read.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether whoever had it open before closed it in order; it was checked either way.
    pub const fn ended_in_order(&self) -> bool {
        self.ended_in_order
    }

    /// Says in the lock file what holds the store, and where consoles attach to it.
    pub fn announce(&self, what: &str, socket: Option<&Path>) -> Result<(), StoreError> {
        self.lock.announce(what, socket)
    }

    /// A read-only connection beside the writer.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path)
    }

    /// Everything a start needs, with the `newest` events, and opt-outs from wherever they are kept.
    pub fn load(&self, newest: usize) -> Result<Loaded, StoreError> {
        let mut loaded = start::load(&self.path, newest)?;
        loaded.suppressed.merge(self.outside.clone());
        Ok(loaded)
    }

    /// Writes the batch in one transaction. On disk when it returns `Ok`; wholly absent on an error, but for its
    /// opt-outs, which may stand in their own file by then.
    pub async fn commit(&self, batch: impl Into<Arc<Batch>>) -> Result<(), StoreError> {
        *self.since() = Some(clock::wall());
        let batch = batch.into();
        let committed = self.ask(|done| writer::Job::Commit(batch, done)).await;
        *self.since() = None;
        committed?
    }

    /// Puts opt-outs into their own file and nowhere else: also after a failure that no commit may follow.
    pub fn opt_out(
        &self,
        rows: Vec<SuppressionRow>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let (done, wait) = oneshot::channel();
        let asked = self.jobs.as_ref().map(|jobs| jobs.send(writer::Job::OptOut(rows, done)));
        async move {
            match asked {
                Some(Ok(())) => wait.await.unwrap_or(Err(StoreError::Gone)),
                Some(Err(_)) | None => Err(StoreError::Gone),
            }
        }
    }

    /// How long the commit under way has been waiting, by wall time: for another program that holds the file, or for
    /// a slow disk.
    pub fn waits(&self) -> Option<Duration> {
        self.since().map(|since| clock::wall().saturating_duration_since(since))
    }

    /// After a commit for which there was no space: gives the ballast back and opens the file anew. `Ok(true)` if
    /// that made room. Refused where a write failed in any other way: nobody knows what is on disk then.
    pub async fn make_room(&self) -> Result<bool, StoreError> {
        self.ask(writer::Job::MakeRoom).await?
    }

    /// From now on the file has no space for more than `pages`, as if the disk were full, until
    /// [`Store::make_room`]. For rehearsing that.
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let limit = move |db: &mut Connection| db.pragma_update(None, "max_page_count", pages);
        self.with(limit).await?.map_err(error::sqlite(&self.path, "limit the store's size"))
    }

    /// From now on a commit waits no longer than this for another program that holds the file. For rehearsing that.
    pub async fn limit_wait(&self, longest: Duration) -> Result<(), StoreError> {
        let limit = move |db: &mut Connection| db.busy_timeout(longest);
        self.with(limit).await?.map_err(error::sqlite(&self.path, "limit the wait of a commit"))
    }

    /// Lets the writer do something else with its connection.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, wait) = oneshot::channel();
        let job = move |db: &mut Connection| drop(done.send(work(db)));
        self.send(writer::Job::Work(Box::new(job)))?;
        wait.await.map_err(|_| StoreError::Gone)
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> writer::Job) -> Result<T, StoreError> {
        let (done, wait) = oneshot::channel();
        self.send(job(done))?;
        wait.await.map_err(|_| StoreError::Gone)
    }

    fn send(&self, job: writer::Job) -> Result<(), StoreError> {
        let jobs = self.jobs.as_ref().ok_or(StoreError::Gone)?;
        jobs.send(job).map_err(|_| StoreError::Gone)
    }

    fn since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
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
