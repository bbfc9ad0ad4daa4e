//! One writer per store: a lock file beside it that names who holds it. And one process per workspace that sends in
//! live, from whichever store: two would contact the same people, each within its own caps.

use super::error::io;
use super::{StoreError, private};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How the line begins that says where consoles attach.
const SOCKET: &str = "socket ";

/// In a workspace's directory for stores: which process sends in live.
const SENDS: &str = "live.sends";

/// Bytes of a lock file that are read: whatever stands beside a named store need not be ours.
const LONGEST: u64 = 8 * 1024;

/// Held while the store is open for writing. The operating system frees it when the process dies.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
}

/// Somebody else writes the store.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path} is in use by another cascade ({holder}): {}",
    if .socket.is_some() {
        "`cascade` attaches a console to it; or end that one first"
    } else {
        "end that one first, or look in with `cascade report` and `cascade events --follow`"
    }
)]
pub struct Locked {
    /// The store.
    pub path: String,
    /// As it wrote itself into the lock file.
    pub holder: String,
    /// Where consoles attach to it, if they can.
    pub socket: Option<PathBuf>,
}

/// Another process sends in live from this workspace.
#[derive(Debug, thiserror::Error)]
#[error(
    "live sends from this workspace are another cascade's ({holder}): from two stores at once the same people could be \
     contacted twice, so nothing is sent from {store}. End that one first, or attach a console to it with `cascade --db` \
     and its store; rehearsals are free"
)]
pub struct OthersSend {
    /// The store that was to send.
    pub store: String,
    /// Process, machine and store of whoever does, as they wrote it into the lock file.
    pub holder: String,
}

impl Lock {
    /// Takes the lock beside `store`, or says who has it.
    pub fn take(store: &Path) -> Result<Self, StoreError> {
        match Self::at(lock_path(store))? {
            Ok(lock) => lock.announce("", None).map(|()| lock),
            Err(holder) => Err(locked(store, &holder).into()),
        }
    }

    /// For a process that is about to send in live from `store`: no other may from the workspace whose directory for
    /// stores is `state`, not even from another store of it. `host` tells machines apart that share the directory.
    pub fn take_to_send(state: &Path, store: &Path, host: &str) -> Result<Self, StoreError> {
        match Self::at(state.join(SENDS))? {
            Ok(lock) => lock.announce(&format!("on {host}, {}", store.display()), None).map(|()| lock),
            Err(holder) => {
                Err(OthersSend { store: store.display().to_string(), holder: first_line(&holder) }.into())
            }
        }
    }

    /// The lock in the file at `path`, or what its holder wrote into it.
    fn at(path: PathBuf) -> Result<Result<Self, String>, StoreError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = private::open(&mut options, &path).map_err(io(&path, "open the lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Ok(Self { path, file })),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Whoever it is may be writing this line just now; the refusal stands either way.
                let _ = (&file).take(LONGEST).read_to_string(&mut holder);
                Ok(Err(holder))
            }
            Err(TryLockError::Error(source)) => Err(io(&path, "lock it")(source)),
        }
    }

    /// Says what holds it, and where consoles attach to that.
    pub fn announce(&self, what: &str, socket: Option<&Path>) -> Result<(), StoreError> {
        let comma = if what.is_empty() { "" } else { ", " };
        let socket = socket.and_then(Path::to_str).map(|socket| format!("{SOCKET}{socket}\n"));
        let holder = format!(
            "process {}{comma}{what}, since {}\n{}",
            std::process::id(),
            crate::clock::wall_at(),
            socket.unwrap_or_default()
        );
        let mut file = &self.file;
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(holder.as_bytes()));
        written.map_err(io(&self.path, "write the lock"))
    }

    /// Frees it early; dropping does the same.
    pub fn free(&mut self) {
        // The lock goes with the file handle in any case.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn locked(store: &Path, lock: &str) -> Locked {
    Locked { path: store.display().to_string(), holder: first_line(lock), socket: socket_in(lock) }
}

fn first_line(lock: &str) -> String {
    crate::model::clean(lock.lines().next().unwrap_or_default().trim())
}

fn socket_in(lock: &str) -> Option<PathBuf> {
    lock.lines().find_map(|line| line.strip_prefix(SOCKET)).map(PathBuf::from)
}

/// Where consoles attach to whoever holds `store`, as they wrote it down. They may be gone.
pub fn attachable(store: &Path) -> Option<Locked> {
    let mut lock = String::new();
    File::open(lock_path(store)).ok()?.take(LONGEST).read_to_string(&mut lock).ok()?;
    Some(locked(store, &lock)).filter(|locked| locked.socket.is_some())
}

fn lock_path(store: &Path) -> PathBuf {
    let mut name = store.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    store.with_file_name(name)
}
