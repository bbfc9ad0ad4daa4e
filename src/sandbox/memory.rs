//! What the sandbox remembers: one SQLite file, one thread that writes it, many changes in one commit.

use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc;
use tokio::sync::oneshot;

/// Most jobs in one commit.
const BATCH: usize = 1024;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS thing (kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL,
                                      PRIMARY KEY (kind, id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS act (id INTEGER PRIMARY KEY, due INTEGER NOT NULL, json TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS ledger (seq INTEGER PRIMARY KEY, line TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, line TEXT NOT NULL);";

/// Why the memory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The file cannot be opened or is no SQLite database.
    #[error("the sandbox's memory {file} cannot be opened: {source}; move the file away to start afresh")]
    Open {
        /// The file.
        file: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file cannot be made.
    #[error("the sandbox's memory {file} cannot be made: {source}; is its directory writable?")]
    File {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A stored thing cannot be read back.
    #[error("the sandbox's memory holds an unreadable {kind}: {source}; move the file away to start afresh")]
    Garbled {
        /// What it was.
        kind: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A write failed.
    #[error("the sandbox's memory cannot be written: {0}")]
    Write(String),
    /// The writer has ended.
    #[error("the sandbox is stopping")]
    Closed,
}

/// One change.
#[derive(Debug)]
pub(super) enum Write {
    /// Keeps a thing, replacing the one with this id.
    Put { kind: &'static str, id: String, json: String },
    /// Plans an act.
    Plan { id: u64, due: i64, json: String },
    /// An act is over.
    Done { id: u64 },
    /// A line of the ledger.
    Ledger(String),
    /// A line of the events.
    Event(String),
}

type Ack = oneshot::Sender<Result<(), String>>;

enum Job {
    Write(Vec<Write>, Ack),
    Lines(&'static str, oneshot::Sender<Result<String, String>>),
    Stop,
}

/// The way to the writer's thread.
#[derive(Debug)]
pub(super) struct Memory {
    jobs: mpsc::Sender<Job>,
    ended: std::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

/// What the last run left.
#[derive(Debug, Default)]
pub(super) struct Kept {
    things: HashMap<String, Vec<(String, String)>>,
    acts: Vec<(u64, i64, String)>,
}

impl Kept {
    /// All things of a kind.
    pub(super) fn all<T: DeserializeOwned>(
        &self,
        kind: &'static str,
    ) -> Result<Vec<(String, T)>, MemoryError> {
        let stored = self.things.get(kind).map(Vec::as_slice).unwrap_or_default();
        stored.iter().map(|(id, json)| Ok((id.clone(), read(kind, json)?))).collect()
    }

    /// The one thing of a kind that has only one.
    pub(super) fn one<T: DeserializeOwned>(&self, kind: &'static str) -> Result<Option<T>, MemoryError> {
        Ok(self.all(kind)?.pop().map(|(_, thing)| thing))
    }

    /// Acts that were planned and not done: id, due, act.
    pub(super) fn acts<T: DeserializeOwned>(&self) -> Result<Vec<(u64, i64, T)>, MemoryError> {
        self.acts.iter().map(|(id, due, json)| Ok((*id, *due, read("act", json)?))).collect()
    }

    /// The port of the last run.
    pub(super) fn port(&self) -> Option<u16> {
        self.one("port").ok().flatten()
    }
}

fn read<T: DeserializeOwned>(kind: &'static str, json: &str) -> Result<T, MemoryError> {
    serde_json::from_str(json).map_err(|source| MemoryError::Garbled { kind, source })
}

/// Opens the file (or a database in memory) and starts the writer.
pub(super) async fn open(file: Option<PathBuf>) -> Result<(Memory, Kept), MemoryError> {
    let (jobs, inbox) = mpsc::channel();
    let (ready, opened) = oneshot::channel();
    let (over, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("sandbox-memory".into()).spawn(move || {
        match connect(file) {
            Ok((db, kept)) => {
                if ready.send(Ok(kept)).is_ok() {
                    work(db, &inbox);
                }
            }
            Err(error) => drop(ready.send(Err(error))),
        }
        drop(over);
    });
    thread.map_err(|error| MemoryError::Write(error.to_string()))?;
    let kept = opened.await.map_err(|_| MemoryError::Closed)??;
    Ok((Memory { jobs, ended: std::sync::Mutex::new(Some(ended)) }, kept))
}

fn connect(file: Option<PathBuf>) -> Result<(rusqlite::Connection, Kept), MemoryError> {
    let name = file.as_ref().map_or_else(|| "in memory".to_owned(), |f| f.display().to_string());
    let fail = |source| MemoryError::Open { file: name.clone(), source };
    if let Some(path) = &file {
        private(path).map_err(|source| MemoryError::File { file: name.clone(), source })?;
    }
    let db = match &file {
        Some(file) => rusqlite::Connection::open(file),
        None => rusqlite::Connection::open_in_memory(),
    }
    .map_err(fail)?;
    // NORMAL: a crash of the process loses nothing; only a power cut may lose the last commits.
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;")
        .and_then(|()| db.execute_batch(SCHEMA))
        .map_err(fail)?;
    let kept = load(&db).map_err(fail)?;
    Ok((db, kept))
}

/// Makes the file, for its owner alone: it holds secrets. SQLite gives its side files the same mode.
fn private(path: &std::path::Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn load(db: &rusqlite::Connection) -> rusqlite::Result<Kept> {
    let mut kept = Kept::default();
    let mut things = db.prepare("SELECT kind, id, json FROM thing ORDER BY kind, id")?;
    let mut rows = things.query([])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        kept.things.entry(kind).or_default().push((row.get(1)?, row.get(2)?));
    }
    let mut acts = db.prepare("SELECT id, due, json FROM act ORDER BY id")?;
    let mut rows = acts.query([])?;
    while let Some(row) = rows.next()? {
        kept.acts.push((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?, row.get(2)?));
    }
    Ok(kept)
}

/// The writer: takes what is waiting, commits it at once, then tells everybody.
fn work(mut db: rusqlite::Connection, inbox: &mpsc::Receiver<Job>) {
    let mut stop = false;
    while !stop {
        let Ok(first) = inbox.recv() else { return };
        let (mut writes, mut acks, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for job in std::iter::once(first).chain(inbox.try_iter().take(BATCH)) {
            match job {
                Job::Write(more, ack) => {
                    writes.extend(more);
                    acks.push(ack);
                }
                Job::Lines(table, answer) => reads.push((table, answer)),
                Job::Stop => stop = true,
            }
        }
        let result = commit(&mut db, writes).map_err(|error| error.to_string());
        for ack in acks {
            // Nobody waits for some writes.
            let _ = ack.send(result.clone());
        }
        for (table, answer) in reads {
            let _ = answer.send(lines(&db, table).map_err(|error| error.to_string()));
        }
    }
}

fn commit(db: &mut rusqlite::Connection, writes: Vec<Write>) -> rusqlite::Result<()> {
    if writes.is_empty() {
        return Ok(());
    }
    let tx = db.transaction()?;
    for write in writes {
        match write {
            Write::Put { kind, id, json } => tx
                .prepare_cached("INSERT OR REPLACE INTO thing (kind, id, json) VALUES (?1, ?2, ?3)")?
                .execute((kind, id, json))?,
            Write::Plan { id, due, json } => tx
                .prepare_cached("INSERT OR REPLACE INTO act (id, due, json) VALUES (?1, ?2, ?3)")?
                .execute((id.cast_signed(), due, json))?,
            Write::Done { id } => {
                tx.prepare_cached("DELETE FROM act WHERE id = ?1")?.execute([id.cast_signed()])?
            }
            Write::Ledger(line) => {
                tx.prepare_cached("INSERT INTO ledger (line) VALUES (?1)")?.execute([line])?
            }
            Write::Event(line) => {
                tx.prepare_cached("INSERT INTO event (line) VALUES (?1)")?.execute([line])?
            }
        };
    }
    tx.commit()
}

fn lines(db: &rusqlite::Connection, table: &str) -> rusqlite::Result<String> {
    let mut query = db.prepare_cached(&format!("SELECT line FROM {table} ORDER BY seq"))?;
    let mut rows = query.query([])?;
    let mut out = String::new();
    while let Some(row) = rows.next()? {
        out.push_str(row.get_ref(0)?.as_str()?);
        out.push('\n');
    }
    Ok(out)
}

impl Memory {
    /// Hands changes over; the receiver tells when they are committed. Order of calls is order on disk.
    pub(super) fn write(&self, writes: Vec<Write>) -> oneshot::Receiver<Result<(), String>> {
        let (ack, committed) = oneshot::channel();
        // A writer that has ended drops the acknowledgement, which the receiver sees.
        let _ = self.jobs.send(Job::Write(writes, ack));
        committed
    }

    /// All lines of `ledger` or `event`, oldest first, one a line.
    pub(super) async fn lines(&self, table: &'static str) -> Result<String, MemoryError> {
        let (answer, lines) = oneshot::channel();
        self.jobs.send(Job::Lines(table, answer)).map_err(|_| MemoryError::Closed)?;
        lines.await.map_err(|_| MemoryError::Closed)?.map_err(MemoryError::Write)
    }

    /// Waits until everything handed over is committed and the file is closed.
    pub(super) async fn close(&self) {
        let _ = self.jobs.send(Job::Stop);
        let ended = self.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(ended) = ended {
            // An error is the end: the thread drops its sender.
            let _ = ended.await;
        }
    }
}
