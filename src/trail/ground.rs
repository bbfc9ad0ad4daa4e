//! The ground under a save: which repository the named files stand in, and where in it.

use super::{NotSaved, Note};
use git2::{ErrorCode, Repository, RepositoryOpenFlags, RepositoryState};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// A repository with a working tree.
pub(super) struct Ground {
    pub repo: Repository,
    /// Of every named file, in their order.
    pub places: Vec<Place>,
}

/// Where a named file stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// As the caller names it: relative to the workspace.
    pub name: PathBuf,
    /// On the disk.
    pub file: PathBuf,
    /// In the repository's trees.
    pub path: PathBuf,
}

impl Ground {
    /// Finds it; `None` where the files are in no repository.
    pub fn find<'n>(
        workspace: &Path,
        names: impl IntoIterator<Item = &'n Path>,
    ) -> Result<Option<Self>, NotSaved> {
        let files: Vec<(PathBuf, PathBuf)> = names
            .into_iter()
            .map(|name| Ok((name.to_owned(), on_disk(workspace, name)?)))
            .collect::<Result<_, NotSaved>>()?;
        let Some((_, first)) = files.first() else { return Ok(None) };
        let Some(repo) = open(nearest(first))? else { return Ok(None) };
        let Some(workdir) = repo.workdir() else { return Err(NotSaved::Bare(repo.path().to_owned())) };
        let workdir = fs::canonicalize(workdir).map_err(NotSaved::disk(workdir, "found"))?;
        let mut places = Vec::new();
        for (name, file) in files {
            let outside = || NotSaved::Outside { path: name.clone(), repository: workdir.clone() };
            let path = file.strip_prefix(&workdir).map_err(|_| outside())?.to_owned();
            let same = open(nearest(&file))?.is_some_and(|other| other.path() == repo.path());
            if !same || path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")) {
                return Err(outside());
            }
            places.push(Place { name, file, path });
        }
        Ok(Some(Self { repo, places }))
    }

    /// Fails while a merge, a rebase or the like is under way: what the files hold is half of something.
    pub fn is_calm(&self) -> Result<(), NotSaved> {
        let what = match self.repo.state() {
            RepositoryState::Clean | RepositoryState::Bisect => return Ok(()),
            RepositoryState::Merge => "merge",
            RepositoryState::Revert | RepositoryState::RevertSequence => "revert",
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => "cherry-pick",
            RepositoryState::Rebase
            | RepositoryState::RebaseInteractive
            | RepositoryState::RebaseMerge
            | RepositoryState::ApplyMailboxOrRebase => "rebase",
            RepositoryState::ApplyMailbox => "am",
        };
        Err(NotSaved::Busy { what })
    }

    /// What the operator should know about this repository.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let hooks = ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"];
        let set_up: Vec<String> = hooks
            .iter()
            .filter(|name| is_set_up(&self.hooks().join(name)))
            .map(|name| (*name).to_owned())
            .collect();
        if !set_up.is_empty() {
            notes.push(Note::HooksNotRun(set_up));
        }
        let modules = |path: &Path| path.components().any(|part| part.as_os_str() == "modules");
        if modules(self.repo.commondir()) && self.repo.workdir().is_some_and(|dir| dir.join(".git").is_file())
        {
            notes.push(Note::Submodule);
        }
        notes
    }

    fn hooks(&self) -> PathBuf {
        let set = self.repo.config().and_then(|config| config.get_path("core.hooksPath")).ok();
        let dir = self.repo.workdir().unwrap_or_else(|| self.repo.path());
        set.map_or_else(|| self.repo.commondir().join("hooks"), |path| dir.join(path))
    }
}

fn is_set_up(hook: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(hook).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// The real path of a named file, whose last part may be missing and must be no link.
pub(super) fn on_disk(workspace: &Path, name: &Path) -> Result<PathBuf, NotSaved> {
    let plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    let Some(last) = name.file_name().filter(|_| plain) else {
        return Err(NotSaved::Outside { path: name.to_owned(), repository: workspace.to_owned() });
    };
    let full = workspace.join(name);
    if full.is_symlink() {
        return Err(NotSaved::Link(name.to_owned()));
    }
    // Directories may be missing too; the nearest one that is there says where they would be.
    let dir = full.parent().unwrap_or(workspace);
    let there = nearest(&full);
    let real = fs::canonicalize(there).map_err(NotSaved::disk(there, "found"))?;
    let missing = dir.strip_prefix(there).unwrap_or(Path::new(""));
    Ok(real.join(missing).join(last))
}

/// The nearest directory above `file` that exists.
fn nearest(file: &Path) -> &Path {
    file.ancestors().skip(1).find(|dir| dir.is_dir()).unwrap_or(Path::new("."))
}

/// The repository around a directory, if there is one.
fn open(dir: &Path) -> Result<Option<Repository>, NotSaved> {
    let found = Repository::open_ext(dir, RepositoryOpenFlags::empty(), &[] as &[&OsStr]);
    match found {
        Ok(repo) => Ok(Some(repo)),
        Err(why) if why.code() == ErrorCode::NotFound => Ok(None),
        Err(why) if why.code() == ErrorCode::Owner => {
            // What git wants to be told is where the repository stands, and not a directory in it.
            let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
            let root = whole.ancestors().find(|above| above.join(".git").exists()).unwrap_or(&whole);
            Err(NotSaved::NotOurs(root.to_owned()))
        }
        Err(why) => Err(NotSaved::Unreadable { path: dir.to_owned(), why: why.message().into() }),
    }
}

/// A file's bytes; `None` if there is none.
pub(super) fn read(file: &Path) -> Result<Option<Vec<u8>>, NotSaved> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(NotSaved::disk(file, "read")(why)),
    }
}
