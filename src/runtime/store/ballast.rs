//! A few megabytes that are given back when the disk is full, so that what is already on its way can be recorded.

use super::error::io;
use super::{StoreError, private};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Room for the answers of thousands of requests.
pub const BYTES: u64 = 4 * 1024 * 1024;

/// Written at once.
const CHUNK: usize = 64 * 1024;

/// Makes `ballast` in the state directory, unless it is there. Random bytes, because a file system that compresses
/// would make nothing of zeros.
pub fn make(state: &Path) -> Result<(), StoreError> {
    let path = path(state);
    let failed = io(&path, "keep some disk space back");
    if private::size(&path).map_err(&failed)? == Some(BYTES) {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = private::open(&mut options, &path).map_err(&failed)?;
    fill(&mut file).map_err(|error| {
        // The last bytes of a disk that is full already are better left to others.
        let _ = fs::remove_file(&path);
        failed(error)
    })
}

fn fill(file: &mut File) -> std::io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    for _ in 0..BYTES / CHUNK as u64 {
        getrandom::fill(&mut chunk).map_err(|error| std::io::Error::other(error.to_string()))?;
        file.write_all(&chunk)?;
    }
    file.sync_data()
}

/// Gives the space back; whether there was any.
pub fn free(state: &Path) -> Result<bool, StoreError> {
    let path = path(state);
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io(&path, "give disk space back")(error)),
    }
}

fn path(state: &Path) -> PathBuf {
    state.join("ballast")
}
