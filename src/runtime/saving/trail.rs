//! Where saved files go: onto the disk, and where there is git into a commit.

use crate::engine::order::Who;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Files relative to the workspace, with their bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// What stood in them when that was shown: whatever else stands there by now is not overwritten.
    pub before: Vec<(String, Option<Vec<u8>>)>,
    /// The first line, then the reason and the counts; never people.
    pub message: String,
    /// Who saves.
    pub by: Who,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The commit, where there is git.
    pub commit: Option<String>,
    /// What the operator should know: the branch, what to do next. Safe for a terminal.
    pub note: String,
}

/// Why nothing was written; nothing is in force then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TrailError(pub String);

/// Keeps a change. Called beside the loop, as often as it takes: the same change once more makes no second commit.
pub trait Trail: Send + Sync + std::fmt::Debug {
    /// The commit first, then the files: what stands on the disk is what was kept.
    fn keep(&self, change: &Change) -> Result<Written, TrailError>;
}

/// Without git: the files alone; every version is kept in the store.
#[derive(Clone, Debug)]
pub struct PlainFiles {
    /// The workspace.
    pub dir: PathBuf,
}

impl Trail for PlainFiles {
    fn keep(&self, change: &Change) -> Result<Written, TrailError> {
        write_all(&self.dir, &change.files)?;
        let note = "no git here: the version is kept in the store; `git init` gives the next one a history";
        Ok(Written { commit: None, note: note.into() })
    }
}

/// Puts every file in its place, each whole or not at all.
pub fn write_all(dir: &Path, files: &[(String, Vec<u8>)]) -> Result<(), TrailError> {
    for (name, bytes) in files {
        let path = dir.join(name);
        let failed = |why: io::Error| TrailError(format!("{name} cannot be written: {why}"));
        if path.is_symlink() {
            let why = "it is a link, and what is written there could land anywhere";
            return Err(failed(io::Error::other(why)));
        }
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(failed)?;
        let beside = parent.join(format!(".{}.saving", file_name(&path)));
        write(&beside, bytes).and_then(|()| fs::rename(&beside, &path)).map_err(failed)?;
        // The name must be on disk as well before anybody is moved by what stands there.
        fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
