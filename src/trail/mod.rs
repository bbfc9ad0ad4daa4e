//! The git trail: every change of rules and content is a commit with a reason, beside other people's work and never
//! through it. Names nobody above `model`; what blocks is called from `spawn_blocking` by others.
//!
//! ```text
//!  look ── on which branch, as whom, and what would be in the way; changes nothing
//!  commit ─ 1 objects (blobs, trees, the commit), on disk
//!           2 the new file beside the old one, the new index in `index.lock`: whatever can fail has failed by now
//!           3 the branch, by compare-and-swap
//!           4 the working file, by rename
//!           5 the index's entries of just these files, by rename, where the branch is the checked-out one
//! ```
//!
//! A crash before 3 leaves the old, a crash after it leaves the new commit, and the same [`Save`] given to [`commit`]
//! again does what is missing and makes no second commit. So whoever wants to offer "saved, not in force" remembers the
//! whole [`Save`] before it calls (files with the bytes seen and the new ones, message, moment, branch setting), and strikes
//! it out once the rules are in force.
//!
//! **Which branch.** Where the operator stands, unless that is the base branch: then a draft,
//! `cascade/DATE-reason`, from the base branch's tip. A change of rules is to be reviewed before it is the rules of
//! everybody, so nothing lands on the base branch by a key on a screen; and whoever checked out a branch of their own
//! wants their changes there, as any git tool would put them. The next save goes on with the draft that the working files hold,
//! until it is merged or the files are put back. `[git] branch` may say `draft` (always a draft) or `checked-out` (always where
//! HEAD stands, the base branch too). Without a single commit there is nothing to branch from: the first one is made
//! where HEAD stands. HEAD is never moved.
//!
//! **Other people's work.** A tree is the branch's tip and the named files, nothing else; index, HEAD and all other files
//! stay as they are, byte for byte. What nobody saw is never written over: a working file that is not what the
//! editor began with, one with changes that no commit holds, a branch that moved, is a [`NotSaved`] with all texts in it.
//!
//! **What the user's own git does.** Signing (`commit.gpgsign`) and pushing, so that keys, credential helpers, proxies
//! and `pre-push` hooks work. libgit2 runs no hook: where the repository has a `pre-commit` or `commit-msg` hook,
//! [`Saved::notes`] says that it did not run.

mod branch;
mod commit;
pub mod diff;
mod error;
mod files;
pub mod github;
mod ground;
mod identity;
mod index;
pub mod merge;
mod message;
mod objects;
mod program;
mod propose;
mod push;
mod remote;
mod sign;
mod standing;
mod versions;

pub use commit::{commit, look};
pub use error::{Conflict, NotSaved};
pub use message::Message;
pub use propose::{Evidence, Proposal, proposal};
pub use push::{NotPushed, Pushed, by_hand, push};
pub(crate) use remote::is_repository;
pub use remote::{Remote, remote};
pub use standing::{Standing, standing};
pub use versions::{Version, bytes_at, versions};

use crate::model::At;
use std::fmt;
use std::path::{Path, PathBuf};

/// The rules file, relative to the workspace; its repository is the trail's.
pub const RULES: &str = "rules/cascade.json";

/// Looks an environment variable up; tests give their own.
pub type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Where commits go: `[git]` of `cascade.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Onto which branch.
    pub branch: Onto,
    /// The branch whose rules are everybody's; found out unless named.
    pub base: Option<String>,
    /// What is pushed to.
    pub remote: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { branch: Onto::Auto, base: None, remote: "origin".into() }
    }
}

/// Onto which branch a commit goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Onto {
    /// The checked-out one, unless that is the base branch: then a draft.
    #[default]
    Auto,
    /// Always a draft.
    Draft,
    /// Always the checked-out one.
    CheckedOut,
}

impl Onto {
    /// As `cascade.toml` spells it.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "draft" => Some(Self::Draft),
            "checked-out" => Some(Self::CheckedOut),
            _ => None,
        }
    }
}

/// A file to save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Relative to the workspace: `rules/cascade.json`.
    pub path: PathBuf,
    /// What the editor began with; `None`: there was no such file.
    pub seen: Option<Vec<u8>>,
    /// What it is to be.
    pub bytes: Vec<u8>,
}

/// What to do with changes of a named file that no commit holds yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Uncommitted {
    /// [`NotSaved::Uncommitted`]: somebody else may be at work on them.
    #[default]
    Refuse,
    /// The operator has seen them and wants it all the same: what the file is to be may hold them or not.
    Include,
}

/// One save: these files, for this reason.
#[derive(Clone, Debug)]
pub struct Save<'a> {
    /// The workspace's directory.
    pub workspace: &'a Path,
    /// At least one.
    pub files: &'a [File],
    /// What the commit says.
    pub message: &'a Message,
    /// Changes that no commit holds.
    pub uncommitted: Uncommitted,
    /// Where to.
    pub settings: &'a Settings,
    /// Wall time; the commit's date and its draft's name.
    pub at: At,
}

/// What is ahead of a save, before anybody is asked for a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// `None`: no repository; the file is written, and the store alone keeps its versions.
    pub branch: Option<Branch>,
    /// `Ana <ana@example.com>`, as git has it.
    pub author: Option<String>,
    /// What the operator should know.
    pub notes: Vec<Note>,
    /// Files with changes that no commit holds and that would go along, or be lost: with the texts of both.
    pub uncommitted: Vec<Conflict>,
}

/// A branch that a commit goes onto.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// `cascade/2026-11-27-shorter-wait`; of a draft that is not there yet, only what it begins with is certain.
    pub name: String,
    /// The base branch, where one is known and this is another.
    pub base: Option<String>,
    /// It is made by this save.
    pub is_new: bool,
    /// HEAD stands on it, here.
    pub is_checked_out: bool,
}

/// What came of a save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The commit that holds these bytes; `None` where there is no repository.
    pub commit: Option<Committed>,
    /// What the operator should know.
    pub notes: Vec<Note>,
}

/// Where saved bytes stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Forty hexadecimal digits.
    pub id: String,
    /// Which branch.
    pub branch: Branch,
    /// `Ana <ana@example.com>`.
    pub author: String,
    /// The branch held these bytes already; no commit was made.
    pub unchanged: bool,
}

/// What an operator should know about a save that went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The workspace is in no repository.
    NoRepository,
    /// These hooks are set up, and libgit2 runs none.
    HooksNotRun(Vec<String>),
    /// The repository is another one's submodule, which goes on naming the commit that it names.
    Submodule,
    /// No commit held this file before.
    Added(PathBuf),
    /// There were changes that no commit held, and the save was wanted all the same.
    Included(PathBuf),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRepository => f.write_str(
                "there is no git repository here: the file is written and the store keeps this version, but no commit \
                 says who changed it and why; `git init` begins a trail",
            ),
            Self::HooksNotRun(names) => {
                write!(f, "the repository's {} did not run: only git itself runs hooks", names.join(" and "))
            }
            Self::Submodule => f.write_str(
                "this repository is a submodule: commit the new version in the outer one too, once it is merged",
            ),
            Self::Added(path) => write!(f, "{} was in no commit before", shown(path)),
            Self::Included(path) => write!(
                f,
                "{} had changes that were in no commit; of them, what was saved is in this one",
                shown(path)
            ),
        }
    }
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.commit {
            None => f.write_str("saved, without a commit"),
            Some(commit) if commit.unchanged => {
                write!(f, "already in {} on {}", commit.short(), crate::model::clean(&commit.branch.name))
            }
            Some(commit) => {
                write!(f, "saved as {} on {}", commit.short(), crate::model::clean(&commit.branch.name))
            }
        }
    }
}

impl Committed {
    /// The id's first seven digits, as people know it.
    pub fn short(&self) -> &str {
        self.id.get(..7).unwrap_or(&self.id)
    }
}

/// A path for a line of a terminal.
fn shown(path: &Path) -> String {
    crate::model::clean(&path.to_string_lossy())
}
