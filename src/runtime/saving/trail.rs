//! Where saved files go: onto the disk, and where there is git into a commit.

use super::Loose;
use crate::engine::order::Who;
use crate::model::{At, clean};
use crate::trail::{self, Conflict, File, Message, NotSaved, Note, Save, Settings, Uncommitted};
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
    /// The operator has seen what of these files is in no commit, and wants it saved all the same.
    pub include: bool,
}

/// What is ahead of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Where it would go, and what stands in the way of that, a line each.
    pub lines: Vec<String>,
    /// Changes that nobody committed.
    pub loose: Vec<Loose>,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The commit, where there is git.
    pub commit: Option<String>,
    /// What the operator should know: the branch, what to do next. Safe for a terminal.
    pub note: String,
}

/// Why a change was not kept; nothing is in force then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrailError {
    /// Nothing was written.
    #[error("{0}")]
    Refused(String),
    /// Some of it may have been: the same change, kept once more, does what is missing.
    #[error("{0}")]
    Cut(String),
}

impl From<NotSaved> for TrailError {
    fn from(why: NotSaved) -> Self {
        let words = clean(&why.to_string());
        match why {
            NotSaved::Half { .. } | NotSaved::Disk { .. } => Self::Cut(words),
            _ => Self::Refused(words),
        }
    }
}

/// Keeps a change. Called beside the loop, as often as it takes: the same change once more makes no second commit.
pub trait Trail: Send + Sync + std::fmt::Debug {
    /// Where it would go, and what the operator should know before they give a reason. Changes nothing.
    fn look(&self, change: &Change) -> Result<Looked, TrailError>;

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
            uncommitted: if change.include { Uncommitted::Include } else { Uncommitted::Refuse },
            settings: &self.settings,
            at: change.at,
        };
        Ok(act(&save, &|name| std::env::var(name).ok())?)
    }
}

impl Trail for Git {
    fn look(&self, change: &Change) -> Result<Looked, TrailError> {
        // What is in no commit is to be seen before it is asked about.
        let ahead = self.with(&Change { include: true, ..change.clone() }, trail::look)?;
        let branch = ahead.branch.map(|branch| {
            let onto = if branch.is_new { new_branch(&branch.name) } else { branch.name };
            clean(&format!("a commit on {onto} as {}", ahead.author.unwrap_or_default()))
        });
        let notes = ahead.notes.iter().filter(|note| !matches!(note, Note::Included(_)));
        let lines = branch.into_iter().chain(notes.map(|note| clean(&note.to_string()))).collect();
        Ok(Looked { lines, loose: ahead.uncommitted.into_iter().map(loose).collect() })
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

/// How much of a new draft's name is known before there is a reason: `cascade/2026-11-27-`.
const DATED: usize = "2026-11-27-".len();

/// A branch that is still to be made is named by the reason.
fn new_branch(name: &str) -> String {
    let dir = name.find("cascade").map_or(0, |at| at + "cascade/".len());
    let known = name.get(..dir + DATED).unwrap_or(name);
    format!("a new branch, {known}… (the rest is your reason)")
}

fn loose(conflict: Conflict) -> Loose {
    let text = |bytes: Option<Vec<u8>>| {
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    };
    Loose {
        name: clean(&conflict.path.to_string_lossy()),
        committed: text(conflict.committed),
        stands: text(conflict.found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_half_done_is_told_from_what_was_not_begun() {
        let half = NotSaved::Half {
            commit: "c0ffee".into(),
            branch: "spring".into(),
            why: Box::new(NotSaved::Moved("spring".into())),
        };
        assert!(matches!(TrailError::from(half), TrailError::Cut(_)));
        assert!(matches!(TrailError::from(NotSaved::Moved("spring".into())), TrailError::Refused(_)));
    }

    #[test]
    fn a_branch_that_the_reason_will_name_is_shown_as_far_as_it_is_known() {
        let shown = new_branch("cascade/2026-11-27-save");
        assert_eq!(shown, "a new branch, cascade/2026-11-27-… (the rest is your reason)");
    }
}
