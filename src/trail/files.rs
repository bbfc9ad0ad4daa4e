//! A working file's new bytes, written beside it and renamed over it: a crash leaves the old file or the new one.

use super::NotSaved;
use super::objects::sync;
use std::fs::{self, Metadata, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Tells the files of this process apart.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The new file, on disk beside the old one. Dropped, it is taken away again.
pub(super) struct Beside {
    temp: PathBuf,
    file: PathBuf,
}

impl Beside {
    /// Writes it, with the old one's permissions.
    pub fn write(file: &Path, bytes: &[u8]) -> Result<Self, NotSaved> {
        let dir = file.parent().unwrap_or(file);
        fs::create_dir_all(dir).map_err(NotSaved::disk(dir, "made"))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let temp = dir.join(format!(".{name}.cascade-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed)));
        let written = NotSaved::disk(file, "written");
        let beside = Self { temp, file: file.to_owned() };
        beside.fill(bytes).map_err(written)?;
        Ok(beside)
    }

    fn fill(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut new = OpenOptions::new().write(true).create_new(true).open(&self.temp)?;
        new.write_all(bytes)?;
        if let Ok(old) = fs::metadata(&self.file) {
            new.set_permissions(old.permissions())?;
        }
        new.sync_all()
    }

    /// What the index says of it.
    pub fn metadata(&self) -> Result<Metadata, NotSaved> {
        fs::metadata(&self.temp).map_err(NotSaved::disk(&self.temp, "read"))
    }

    /// Puts it into its place.
    pub fn put(self) -> Result<(), NotSaved> {
        fs::rename(&self.temp, &self.file).map_err(NotSaved::disk(&self.file, "written"))?;
        sync(self.file.parent().unwrap_or(&self.file))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Once it is in its place there is nothing to take away.
        let _ = fs::remove_file(&self.temp);
    }
}
