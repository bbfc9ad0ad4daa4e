//! One writer per store: a lock file beside it that names who holds it.

use super::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Held while the store is open for writing. The operating system frees it when the process dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// Somebody else writes the store.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path} is in use by another cascade ({holder}): end that one first, or look in with `cascade report` and \
     `cascade events --follow`"
)]
pub struct Locked {
    /// The store.
    pub path: String,
    /// As it wrote itself into the lock file.
    pub holder: String,
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
                let holder = crate::model::clean(holder.trim());
                return Err(Locked { path: store.display().to_string(), holder }.into());
            }
            Err(TryLockError::Error(source)) => return Err(io("lock the store")(source)),
        }
        let holder = format!("process {}, since {}", std::process::id(), crate::clock::wall_at());
        file.set_len(0).map_err(io("write the lock"))?;
        file.seek(SeekFrom::Start(0)).map_err(io("write the lock"))?;
        file.write_all(holder.as_bytes()).map_err(io("write the lock"))?;
        Ok(Self { file })
    }

    /// Frees it early; dropping does the same.
    pub fn free(&mut self) {
        // The lock goes with the file handle in any case.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
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
