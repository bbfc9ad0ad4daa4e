//! Where saved files go: onto the disk, and where there is git into a commit.

use crate::engine::order::Who;
use crate::model::{At, clean};
use crate::trail::{self, File, Message, NotSaved, Save, Settings, Uncommitted};
use std::path::PathBuf;

/// What is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Files relative to the workspace, with their bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// What stood in them when that was shown: whatever else stands there by now is not overwritten.
    pub before: Vec<(String, Option<Vec<u8>>)>,
    /// Why, in the operator's words.
    pub reason: String,
    /// Whom it moves, in numbers; never people.
    pub counts: Vec<(String, u64)>,
    /// SHA-256 of the rules file's bytes.
    pub rules_hash: String,
    /// Who saves.
    pub by: Who,
    /// When, by the calendar.
    pub at: At,
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
    /// Where it would go, and what the operator should know before they give a reason. Changes nothing.
    fn look(&self, change: &Change) -> Result<Vec<String>, TrailError>;

    /// The commit first, then the files: what stands on the disk is what was kept.
    fn keep(&self, change: &Change) -> Result<Written, TrailError>;
}

/// A commit where the workspace is in a git repository, the files alone where it is not.
#[derive(Clone, Debug)]
pub struct Git {
    /// The workspace.
    pub dir: PathBuf,
    /// Onto which branch.
    pub settings: Settings,
}

impl Git {
    fn with<T>(
        &self,
        change: &Change,
        act: impl FnOnce(&Save<'_>, trail::Env<'_>) -> Result<T, NotSaved>,
    ) -> Result<T, TrailError> {
        let seen = |name: &String| change.before.iter().find(|(before, _)| before == name);
        let file = |(name, bytes): &(String, Vec<u8>)| File {
            path: name.into(),
            seen: seen(name).and_then(|(_, before)| before.clone()),
            bytes: bytes.clone(),
        };
        let files: Vec<File> = change.files.iter().map(file).collect();
        let message = Message {
            subject: String::new(),
            reason: change.reason.clone(),
            counts: change.counts.clone(),
            rules_hash: change.rules_hash.clone(),
        };
        let save = Save {
            workspace: &self.dir,
            files: &files,
            message: &message,
            // Whoever saves has them before them: what stands on the disk is what they began with.
            uncommitted: Uncommitted::Include,
            settings: &self.settings,
            at: change.at,
        };
        act(&save, &|name| std::env::var(name).ok()).map_err(|error| TrailError(clean(&error.to_string())))
    }
}

impl Trail for Git {
    fn look(&self, change: &Change) -> Result<Vec<String>, TrailError> {
        let ahead = self.with(change, trail::look)?;
        let branch = ahead.branch.map(|branch| {
            let new = if branch.is_new { "a new branch, " } else { "" };
            clean(&format!("a commit on {new}{} as {}", branch.name, ahead.author.unwrap_or_default()))
        });
        Ok(branch.into_iter().chain(ahead.notes.iter().map(|note| clean(&note.to_string()))).collect())
    }

    fn keep(&self, change: &Change) -> Result<Written, TrailError> {
        let saved = self.with(change, trail::commit)?;
        let stands = saved.commit.as_ref().map(|commit| {
            let (id, branch) = (commit.id.get(..7).unwrap_or(&commit.id), &commit.branch);
            let propose =
                if branch.base.is_some() { "; `cascade propose` makes a pull request of it" } else { "" };
            format!("commit {id} on {}{propose}", branch.name)
        });
        let notes = saved.notes.iter().map(ToString::to_string);
        let note = stands.into_iter().chain(notes).collect::<Vec<_>>().join("; ");
        Ok(Written { commit: saved.commit.map(|commit| commit.id), note: clean(&note) })
    }
}
