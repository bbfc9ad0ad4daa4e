//! Git's index: the entries of just the named files. Held as git itself holds it, by `index.lock`, from before the
//! branch moves, so that nobody else's `git add` falls between.

use super::NotSaved;
use super::files::Passing;
use super::objects::sync;
use git2::{ErrorCode, FileMode, Index, IndexEntry, IndexTime, Oid, Repository};
use sha1::{Digest as _, Sha1};
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Stages of a path in conflict: base, ours, theirs.
const IN_CONFLICT: [i32; 3] = [1, 2, 3];

/// The index, held. Dropped before [`IndexLock::publish`], it is let go as it was.
pub(super) struct IndexLock {
    lock: Passing,
    index: PathBuf,
}

impl IndexLock {
    /// Holds the index, or says who does.
    pub fn take(repo: &Repository) -> Result<Self, NotSaved> {
        let index = repo.path().join("index");
        let lock = repo.path().join("index.lock");
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&lock) {
            Ok(file) => file,
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => return Err(NotSaved::Locked(lock)),
            Err(why) => return Err(NotSaved::disk(&lock, "written")(why)),
        };
        let held = Self { lock: Passing::new(lock), index };
        let bytes = match fs::read(&held.index) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => empty(),
            read => read.map_err(NotSaved::disk(&held.index, "read"))?,
        };
        file.write_all(&bytes).map_err(NotSaved::disk(held.lock.path(), "written"))?;
        Ok(held)
    }

    /// Writes the named files' entries into the held copy; all others stay as they are.
    pub fn stage(&self, entries: impl IntoIterator<Item = IndexEntry>) -> Result<(), NotSaved> {
        let fault = || NotSaved::git("index");
        let mut index = Index::open(self.lock.path()).map_err(fault())?;
        for entry in entries {
            index.add(&entry).map_err(fault())?;
        }
        index.write().map_err(fault())?;
        sync(self.lock.path())
    }

    /// Lets the new index take the old one's place. The lock is anybody's then.
    pub fn publish(mut self) -> Result<(), NotSaved> {
        self.lock.put(&self.index)
    }
}

/// An index without entries, as git writes it.
fn empty() -> Vec<u8> {
    let mut bytes = b"DIRC\0\0\0\x02\0\0\0\0".to_vec();
    let sum = Sha1::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// What the index holds at a path; fails while it is in conflict.
pub(super) fn staged(repo: &Repository, path: &Path, name: &Path) -> Result<Option<Oid>, NotSaved> {
    let index = match repo.index() {
        Ok(index) => index,
        Err(why) if why.code() == ErrorCode::NotFound => return Ok(None),
        Err(why) => return Err(NotSaved::git("index")(why)),
    };
    if IN_CONFLICT.iter().any(|stage| index.get_path(path, *stage).is_some()) {
        return Err(NotSaved::Unmerged(name.to_owned()));
    }
    Ok(index.get_path(path, 0).map(|entry| entry.id))
}

/// The entry that git itself would write for this file.
pub(super) fn entry(path: &Path, id: Oid, mode: i32, found: &Metadata) -> IndexEntry {
    let executable = mode == i32::from(FileMode::BlobExecutable);
    let time = |s: i64, ns: i64| IndexTime::new(s as i32, ns as u32);
    IndexEntry {
        ctime: time(found.ctime(), found.ctime_nsec()),
        mtime: time(found.mtime(), found.mtime_nsec()),
        dev: found.dev() as u32,
        ino: found.ino() as u32,
        mode: if executable { 0o100_755 } else { 0o100_644 },
        uid: found.uid(),
        gid: found.gid(),
        file_size: found.size() as u32,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_os_str().as_encoded_bytes().to_vec(),
    }
}
