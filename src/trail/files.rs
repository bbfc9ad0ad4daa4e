//! A working file's new bytes, written beside it and renamed over it: a crash leaves the old file or the new one.

use super::NotSaved;
use super::objects::sync;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What stands between a file's name and the mark of a new one beside it.
const BESIDE: &str = ".cascade-";

/// From this age on, a new file that never got into its place is what a crash left; a younger one may be another process's,
/// which is at work just now.
const LEFT_BEHIND: Duration = Duration::from_mins(10);

/// A file of ours that is taken away again unless it gets into its place.
pub(super) struct Passing {
    path: PathBuf,
    is_placed: bool,
}

impl Passing {
    /// Of a file that we have made just now.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, is_placed: false }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it into its place. From then on its name is anybody's: git's own next `index.lock` has the same.
    pub fn put(&mut self, place: &Path) -> Result<(), NotSaved> {
        fs::rename(&self.path, place).map_err(NotSaved::disk(place, "written"))?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if !self.is_placed {
            // One that somebody else took away is away.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The new file, on disk beside the old one. Dropped, it is taken away again.
pub(super) struct Beside {
    new: Passing,
    file: PathBuf,
}

impl Beside {
    /// Writes it, with the old one's permissions.
    pub fn write(file: &Path, bytes: &[u8]) -> Result<Self, NotSaved> {
        let dir = file.parent().unwrap_or(file);
        fs::create_dir_all(dir).map_err(NotSaved::disk(dir, "made"))?;
        let written = || NotSaved::disk(file, "written");
        let path = dir.join(name(file).map_err(written())?);
        let mut new = OpenOptions::new().write(true).create_new(true).open(&path).map_err(written())?;
        let beside = Self { new: Passing::new(path), file: file.to_owned() };
        beside.fill(&mut new, bytes).map_err(written())?;
        sweep(dir, &beside.metadata()?);
        Ok(beside)
    }

    fn fill(&self, new: &mut File, bytes: &[u8]) -> io::Result<()> {
        new.write_all(bytes)?;
        if let Ok(old) = fs::metadata(&self.file) {
            new.set_permissions(old.permissions())?;
        }
        new.sync_all()
    }

    /// What the index says of it.
    pub fn metadata(&self) -> Result<Metadata, NotSaved> {
        fs::metadata(self.new.path()).map_err(NotSaved::disk(self.new.path(), "read"))
    }

    /// Puts it into its place.
    pub fn put(mut self) -> Result<(), NotSaved> {
        self.new.put(&self.file)?;
        sync(self.file.parent().unwrap_or(&self.file))
    }
}

/// A name that nobody has: in a container every process has the same number, and what a crash left is still there.
fn name(file: &Path) -> io::Result<String> {
    let mut mark = [0; 8];
    getrandom::fill(&mut mark).map_err(io::Error::from)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!(".{name}{BESIDE}{}", hex::encode(mark)))
}

/// Takes away what saves that a crash cut off have left in a directory: the next `git add` of everything would commit it.
/// What cannot be taken away is in nobody's way here.
fn sweep(dir: &Path, new: &Metadata) {
    let Ok(now) = new.modified() else { return };
    let is_left = |found: &Metadata| {
        found.is_file()
            && found.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > LEFT_BEHIND))
    };
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if is_beside(&entry.file_name()) && entry.metadata().is_ok_and(|found| is_left(&found)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_beside(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let mark = name.strip_prefix('.').and_then(|name| name.rsplit_once(BESIDE)).map(|(_, mark)| mark);
    // An earlier version marked them with two numbers.
    let marks = |c: char| c.is_ascii_hexdigit() || c == '-';
    mark.is_some_and(|mark| !mark.is_empty() && mark.chars().all(marks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_free_again_is_anybodys() {
        let dir = tempfile::tempdir().unwrap();
        let (lock, index) = (dir.path().join("index.lock"), dir.path().join("index"));
        fs::write(&lock, "ours").unwrap();
        let mut ours = Passing::new(lock.clone());
        ours.put(&index).unwrap();
        // Another process takes the lock before ours is dropped.
        fs::write(&lock, "theirs").unwrap();
        drop(ours);
        assert_eq!(fs::read_to_string(&lock).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(&index).unwrap(), "ours");
        // What never got into its place goes.
        drop(Passing::new(lock.clone()));
        assert!(!lock.exists());
    }

    #[test]
    fn only_names_of_ours_are_swept() {
        let names = [
            (".cascade.json.cascade-1-0", true),
            (".cascade.json.cascade-0123456789abcdef", true),
            (".sms.txt.cascade-12-3", true),
            ("cascade.json", false),
            (".cascade.json.cascade-", false),
            (".cascade.json.cascade-old", false),
            ("x.cascade-12", false),
            (".gitignore", false),
        ];
        for (name, ours) in names {
            assert_eq!(is_beside(OsStr::new(name)), ours, "{name}");
        }
    }
}
