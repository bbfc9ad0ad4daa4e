//! How a commit to a real file is made to fail, as disks and other programs do it.

use super::files::LOG;
use super::log::Written;
use super::wait;
use crate::setting::StoreFault;
use cascade::model::AttemptId;
use cascade::runtime::store::{Batch, LinkRow, Store, StoreError};
use futures::future::FutureExt as _;
use rusqlite::{Connection, ErrorCode};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::task::unconstrained;

/// More than any store here has free within its pages.
const LARGE: usize = 256 * 1024;

/// Under which it would stand.
pub const LARGE_NAME: &str = "large";

/// As the store waits by itself.
const USUAL_WAIT: Duration = Duration::from_secs(30);

/// Real time in which a writer certainly meets whoever holds the file. Nothing depends on it but that it does.
const MEETS: Duration = Duration::from_millis(2);

/// The error with which the commit of `batch` fails; words, where it does not fail as it should.
pub fn fails(store: &Store, fault: StoreFault, batch: Batch) -> Result<StoreError, String> {
    let (done, wanted) = match fault {
        StoreFault::DiskFull => (full(store, batch), ErrorCode::DiskFull),
        StoreFault::Io => (unreadable(store, batch), ErrorCode::SystemIoFailure),
        StoreFault::Refused => (refused(store, batch), ErrorCode::ConstraintViolation),
        StoreFault::Busy => (busy(store, batch), ErrorCode::DatabaseBusy),
        StoreFault::Held { .. } => return Err("a file that is held for a while fails nothing".into()),
    };
    match done {
        Err(StoreError::Sqlite { source, .. }) if source.sqlite_error_code() != Some(wanted) => {
            Err(format!("6: with {fault:?} a commit failed otherwise: {source}"))
        }
        Err(error @ StoreError::Sqlite { .. }) => Ok(error),
        other => Err(format!("6: with {fault:?} a commit came to {other:?}")),
    }
}

/// There is no room for it: it is made to need some.
fn full(store: &Store, mut batch: Batch) -> Result<(), StoreError> {
    batch.versions.push((LARGE_NAME.into(), LARGE_NAME.into(), vec![1; LARGE]));
    wait(store.limit_pages(1))?;
    wait(store.commit(batch))
}

/// Almost all of it is written when a row turns out to be there already.
fn refused(store: &Store, mut batch: Batch) -> Result<(), StoreError> {
    let twice = LinkRow { code: "twice".into(), attempt: AttemptId(0), target: String::new() };
    batch.links.extend([twice.clone(), twice]);
    wait(store.commit(batch))
}

/// Another program holds the file for longer than anybody waits.
fn busy(store: &Store, batch: Batch) -> Result<(), StoreError> {
    let other = holder(store);
    wait(store.limit_wait(Duration::ZERO))?;
    let done = wait(store.commit(batch));
    drop(other);
    wait(store.limit_wait(USUAL_WAIT))?;
    done
}

/// Another program holds the file when the commit begins, and then lets it go.
pub fn held(store: &Store, batch: Arc<Batch>) -> Result<(), StoreError> {
    let other = holder(store);
    let mut commit = pin!(unconstrained(store.commit(batch)));
    if let Some(done) = commit.as_mut().now_or_never() {
        return done;
    }
    thread::sleep(MEETS);
    drop(other);
    wait(commit)
}

/// Another program puts the log into the file, as far as nobody reads it; the next commit begins the log anew.
pub fn checkpoints(store: &Store) {
    let other = Connection::open(store.path()).unwrap();
    other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
}

/// Whoever begins to write holds the file.
fn holder(store: &Store) -> Connection {
    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

/// The disk cannot read what another program has just written, and later it can.
fn unreadable(store: &Store, batch: Batch) -> Result<(), StoreError> {
    let path = store.path().with_file_name(LOG);
    let before = fs::read(&path).unwrap_or_default();
    // From here on nobody trusts what they remember of the file. Every batch writes a setting.
    let other = Connection::open(store.path()).unwrap();
    other.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    let writes = "REPLACE INTO meta (key, value) VALUES ('another program', hex(randomblob(8)))";
    other.execute(writes, []).unwrap();
    let after = fs::read(&path).unwrap();
    let kept = Written::between(&before, &after).unwrap().begins().max(32);
    let log = OpenOptions::new().write(true).open(&path).unwrap();
    log.set_len(kept as u64).unwrap();
    let done = wait(store.commit(batch));
    log.write_all_at(&after[kept..], kept as u64).unwrap();
    done
}
