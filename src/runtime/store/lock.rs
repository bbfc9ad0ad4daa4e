//! One writer per store: a lock file beside it that names who holds it.

use super::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How the line begins that says where consoles attach.
const SOCKET: &str = "socket ";

/// Bytes of a lock file that are read: whatever stands beside a named store need not be ours.
const LONGEST: u64 = 8 * 1024;

/// Held while the store is open for writing. The operating system frees it when the process dies.
#[derive(Debug)]
pub struct Lock {
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

impl Lock {
    /// Takes the lock beside `store`, or says who has it.
    pub fn take(store: &Path) -> Result<Self, StoreError> {
        let path = lock_path(store);
        let io = |doing: &'static str| {
            let path = path.display().to_string();
            move |source| StoreError::Io { path, doing, source }
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        private(&mut options);
        let mut file = options.open(&path).map_err(io("open the lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Whoever it is may be writing this line just now; the refusal stands either way.
                let _ = file.read_to_string(&mut holder);
                return Err(locked(store, &holder).into());
            }
            Err(TryLockError::Error(source)) => return Err(io("lock the store")(source)),
        }
        let lock = Self { file };
        lock.announce(store, "", None)?;
        Ok(lock)
    }

    /// Says what holds the store, and where consoles attach to it.
    pub fn announce(&self, store: &Path, what: &str, socket: Option<&Path>) -> Result<(), StoreError> {
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
        let path = || lock_path(store).display().to_string();
        written.map_err(|source| StoreError::Io { path: path(), doing: "write the lock", source })
    }

    /// Frees it early; dropping does the same.
    pub fn free(&mut self) {
        // The lock goes with the file handle in any case.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn locked(store: &Path, lock: &str) -> Locked {
    let holder = crate::model::clean(lock.lines().next().unwrap_or_default().trim());
    Locked { path: store.display().to_string(), holder, socket: socket_in(lock) }
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

/// Owner only, where the system knows owners.
pub(super) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}
