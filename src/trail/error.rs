//! Why a change was not saved. Whichever it is, the texts are kept; and whichever but [`NotSaved::Half`], branch, index and
//! working files are as they were.

use super::shown;
use crate::model::{Untrusted, clean};
use std::io;
use std::path::{Path, PathBuf};

/// Texts that exclude each other. None of them is lost: the caller has `yours`, the disk has the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Relative to the workspace.
    pub path: PathBuf,
    /// The branch that the commit would have gone onto.
    pub branch: Option<String>,
    /// What was to be saved.
    pub yours: Vec<u8>,
    /// What the editor began with.
    pub seen: Option<Vec<u8>>,
    /// What the working file holds; `None`: it is gone.
    pub found: Option<Vec<u8>>,
    /// What the branch's tip holds; `None`: no such file.
    pub committed: Option<Vec<u8>>,
}

/// Why a change was not saved; each says what to do. Nothing was changed, but for [`NotSaved::Half`].
#[derive(Debug, thiserror::Error)]
pub enum NotSaved {
    /// The working file is no longer what the editor began with.
    #[error("{} was changed by somebody else since it was opened; look at the difference, then save yours over it or take theirs", shown(&.0.path))]
    Changed(Box<Conflict>),
    /// The working file has changes that no commit holds.
    #[error("{} has changes that are in no commit ({}); commit them first, or let this save include them", shown(&.0.path), on(.0))]
    Uncommitted(Box<Conflict>),
    /// The branch has other rules than those that were edited, and would lose them.
    #[error("{} is another one {} than the one you edited; merge that branch first, or set branch = \"checked-out\" in [git] of cascade.toml", shown(&.0.path), on(.0))]
    OtherVersion(Box<Conflict>),
    /// The path leads out of the workspace or of the repository.
    #[error("{} is not inside of the repository at {}", shown(.path), shown(.repository))]
    Outside {
        /// Which file.
        path: PathBuf,
        /// Which repository, or the workspace.
        repository: PathBuf,
    },
    /// Something on the way to the file is a link.
    #[error("{} is a link, and what is written there could land anywhere; put the file itself in its place", shown(.0))]
    Link(PathBuf),
    /// No working tree.
    #[error("{} is a bare repository, without working files; make a clone of it (`git clone`) and work there", shown(.0))]
    Bare(PathBuf),
    /// Git refuses repositories of other people.
    #[error("the repository at {} belongs to another user; if you trust it: git config --global --add safe.directory {}", shown(.0), shown(.0))]
    NotOurs(PathBuf),
    /// It is there and cannot be read.
    #[error("the repository at {} cannot be read ({}); `git status` there says more. Repositories with reftable or SHA-256 are not supported", shown(.path), .why.screen())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// In libgit2's words.
        why: Untrusted,
    },
    /// Git does not know who commits.
    #[error(
        "git does not know who you are; tell it: git config --global user.name \"Your Name\" and git config --global user.email you@example.com"
    )]
    NoIdentity,
    /// HEAD stands on no branch, and the setting wants the commit there.
    #[error(
        "HEAD stands on no branch, and branch = \"checked-out\" wants the commit there; `git switch -c NAME` makes one"
    )]
    Detached,
    /// No branch to begin a draft from.
    #[error("there is no branch {} to begin a draft from; name the main branch as base in [git] of cascade.toml", clean(.0))]
    NoBase(String),
    /// A merge, a rebase or the like is under way.
    #[error(
        "a {what} is under way in this repository; finish it (git {what} --continue) or give it up (git {what} --abort), then save again"
    )]
    Busy {
        /// `merge`, `rebase`.
        what: &'static str,
    },
    /// The index holds several versions of the file.
    #[error("{} is in conflict in git's index; resolve it (git status says how), then save again", shown(.0))]
    Unmerged(PathBuf),
    /// Somebody staged another version of the file.
    #[error("git's index holds another version of {} than branch and file; commit it, or take it back: git restore --staged {}", shown(.0), shown(.0))]
    Staged(PathBuf),
    /// The commit is made, and the working file could not be written.
    #[error("commit {} is on {}, but {why}; mend that and save again: it goes on with that commit", .commit.get(..7).unwrap_or(.commit), clean(.branch))]
    Half {
        /// Which commit.
        commit: String,
        /// On which branch.
        branch: String,
        /// What went wrong.
        why: Box<NotSaved>,
    },
    /// The operator told git to leave this file alone.
    #[error("git is told to ignore {} (git check-ignore -v says where); take it out there, or add the file once: git add -f", shown(.0))]
    Ignored(PathBuf),
    /// Two names that are one on other machines.
    #[error("the branch has {} already, which is the same file as {} on machines that do not tell capitals apart; rename one", shown(.there), shown(.path))]
    CaseClash {
        /// Ours.
        path: PathBuf,
        /// What the branch has.
        there: PathBuf,
    },
    /// Content goes through a program of the user's.
    #[error("{} goes through git's filter {}, which only git itself runs; commit it by `git commit`", shown(.path), clean(.filter))]
    Filtered {
        /// Which file.
        path: PathBuf,
        /// Its driver.
        filter: String,
    },
    /// Another working tree stands on the branch.
    #[error("the branch {} is checked out in {}; save there, or switch that one to another branch", clean(.branch), shown(.at))]
    Elsewhere {
        /// Which branch.
        branch: String,
        /// Which working tree.
        at: PathBuf,
    },
    /// Commits must be signed, and nothing here can.
    #[error(
        "commits must be signed here (commit.gpgsign), which git itself does, and git cannot be run: {0}"
    )]
    SigningNeedsGit(io::Error),
    /// Commits must be signed, and it failed.
    #[error("commits must be signed here (commit.gpgsign), and signing failed: {}; an unsigned one is not made", .0.screen())]
    Signing(Untrusted),
    /// Another process holds it.
    #[error("another git process is at work ({} is there); wait for it. If none is running, it crashed: remove that file", shown(.0))]
    Locked(PathBuf),
    /// The branch got another commit in this moment.
    #[error("the branch {} got another commit in this moment; look at it, and save again", clean(.0))]
    Moved(String),
    /// What looks like a person's number or address stands in the reason.
    #[error(
        "the reason holds what looks like {0}; a commit is kept for ever and `cascade forget` cannot reach it. Say it without"
    )]
    Person(&'static str),
    /// The system refused.
    #[error("{} cannot be {doing}: {source}", shown(.path))]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// libgit2 refused.
    #[error("git's {doing} failed: {}", .why.screen())]
    Git {
        /// What was tried.
        doing: &'static str,
        /// In libgit2's words.
        why: Untrusted,
    },
}

fn on(conflict: &Conflict) -> String {
    conflict.branch.as_ref().map_or_else(|| "in the repository".into(), |name| format!("on {}", clean(name)))
}

impl NotSaved {
    pub(super) fn disk(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { path: path.to_owned(), doing, source }
    }

    pub(super) fn git(doing: &'static str) -> impl FnOnce(git2::Error) -> Self {
        move |why| Self::Git { doing, why: why.message().into() }
    }
}
