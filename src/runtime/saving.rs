//! Saving rules and texts: judged, shown, written down, committed, and only then in force.
//!
//! ```text
//! draft ─► judged, previewed (kept here under a number) ─► Save names the number, a choice and a reason
//!    ─► its bytes are in the store, "saved, not in force" ─► git commit, files written (beside the loop)
//!    ─► one commit of the store: the engine's events, "in force", what the next launch uses
//! ```
//!
//! A console never sends whom an edit moves: it names the preview that it was shown, and what was shown is kept here.
//! Whatever ends the process in between leaves the version in the store, and the next start offers it.

use super::handle::Signature;
use crate::engine::event::Edition;
use crate::engine::retime::{Choice, Shown, Stays, Wave};
use crate::model::{At, CampaignId, Channel};
use serde::{Deserialize, Serialize};

pub(super) use desk::Desk;
pub use desk::{Keeping, Kept, META};
pub use files::{Files, WorkspaceFiles, content_name, is_ours};
pub use judge::Judged;
pub use trail::{Change, Git, Looked, Trail, TrailError, Written};

mod courses;
mod desk;
mod files;
mod judge;
mod trail;
mod view;

/// The rules file, as people and git know it: relative to the workspace.
pub const RULES: &str = "rules/cascade.json";

/// Where texts are.
pub const CONTENT: &str = "rules/content";

/// Rows of a preview that a screen is given; the counts are of all.
pub const ROWS_SHOWN: usize = 2000;

/// How the notice of a save begins of which nothing came: a console that waits for it tries again.
pub const NOT_SAVED: &str = "not saved";

/// A file as an operator changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftFile {
    /// Relative to the workspace: [`RULES`], or a file in [`CONTENT`].
    pub name: String,
    /// What is to stand in it.
    pub text: String,
    /// What stood in it when the draft was begun: whoever changed it since is not overwritten. `None`: it is not looked
    /// at.
    pub base: Option<String>,
}

/// What is to be previewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// What an operator wrote.
    Draft(Vec<DraftFile>),
    /// A version that ran or was saved before, by the hashes of its rules and of its texts. Texts that are in force already
    /// stay as they are.
    Version {
        /// Its rules.
        rules: String,
        /// Its texts.
        content: String,
    },
    /// What was saved and is not in force.
    Saved,
}

/// What saving would do, before it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EditPreview {
    /// [`super::handle::Command::Save`] names it; good until the process ends, or a few others were made.
    pub number: u64,
    /// When it was made, campaign time.
    pub at: At,
    /// The campaign in flight; `None`: saving changes the files and what the next launch uses.
    pub campaign: Option<(CampaignId, String)>,
    /// What is in force.
    pub before: Edition,
    /// What would be.
    pub after: Edition,
    /// Files that change: name, text before, text after.
    pub files: Vec<(String, String, String)>,
    /// For how many something changes.
    pub affected: u64,
    /// Whose wait ends at another time.
    pub waits: u64,
    /// For whom later steps or waits change, and nothing now.
    pub later: u64,
    /// Who leaves a channel that is not in the rules any more.
    pub leaves: u64,
    /// For how many nothing changes.
    pub stays: Stays,
    /// Everybody for whom something changes, at most [`ROWS_SHOWN`].
    pub people: Vec<Shown>,
    /// What each choice comes to, [`Choice::Keep`] first.
    pub choices: Vec<Outlook>,
    /// What changes for the whole campaign unless those in flight keep theirs, a line each.
    pub terms: Vec<String>,
    /// Who is still to be sent a text that changes: by channel, how many.
    pub texts: Vec<(Channel, u64)>,
    /// What is probably not what was meant, a line each.
    pub warnings: Vec<String>,
    /// Where a save would go, and what stands in its way, a line each.
    pub trail: Vec<String>,
    /// Files with changes that nobody committed: a save is refused until the operator has said that they may go along.
    #[serde(default)]
    pub loose: Vec<Loose>,
    /// What of the record counts, where other rules would change that.
    #[serde(default)]
    pub learnt: Option<Counted>,
}

/// A file on the disk that is not as the branch of a save has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loose {
    /// Relative to the workspace.
    pub name: String,
    /// What the branch has.
    pub committed: String,
    /// What stands on the disk.
    pub stands: String,
}

/// Finished cascades that count for what is learnt: those under rules with the same waits, steps and order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Now.
    pub before: u64,
    /// With the new rules.
    pub after: u64,
}

impl EditPreview {
    /// What a choice comes to.
    pub fn outlook(&self, choice: Choice) -> Option<&Outlook> {
        self.choices.iter().find(|outlook| outlook.choice == choice)
    }
}

/// What one choice comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// Which.
    pub choice: Choice,
    /// How many it moves.
    pub moved: u64,
    /// How many fall due at once.
    pub at_once: u64,
    /// When the next one does: from then on, what is shown is too old.
    #[serde(default)]
    pub next: Option<At>,
    /// When the last of those who would be due at once is due, campaign time.
    pub until: Option<At>,
    /// By channel.
    pub waves: Vec<Wave>,
}

/// Why a draft cannot be previewed or saved: a line each, safe for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What is wrong and what to do.
    pub lines: Vec<String>,
    /// Files that were changed on disk since their drafts were begun. Nothing is saved over what nobody saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
}

/// A file that was changed on disk since its draft was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Relative to the workspace.
    pub name: String,
    /// What stood in it then.
    pub began: String,
    /// What stands in it now.
    pub stands: String,
}

impl Refusal {
    /// For one reason.
    pub fn new(why: impl AsRef<str>) -> Self {
        Self { lines: vec![crate::model::clean(why.as_ref())], moved: Vec::new() }
    }
}

/// The newest save, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Counted in this store.
    pub number: u64,
    /// What was saved.
    pub edition: Edition,
    /// Files that it changes.
    pub files: Vec<String>,
    /// What becomes of those in flight.
    pub choice: Choice,
    /// Who and when.
    pub signature: Signature,
    /// Why.
    pub why: String,
    /// How far it is.
    pub state: SaveState,
    /// How it was begun, as long as it is not known to be in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Box<Begun>>,
    /// Who dropped it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Box<Signature>>,
}

/// How a save was begun. One that goes on after a crash is the same save, to the letter: then it makes no second commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Why, as it stands in the commit.
    pub reason: String,
    /// When, by the calendar.
    pub at: At,
    /// Whom it was to move, in numbers.
    pub counts: Vec<(String, u64)>,
    /// What stood in the files: whoever changed them since is not overwritten.
    pub before: Vec<(String, Option<String>)>,
    /// Changes that nobody committed may go along.
    #[serde(default)]
    pub include: bool,
}

/// How far a save is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum SaveState {
    /// In the store; the files and the commit are being written.
    Committing,
    /// Saved by a process that ended before it was in force: put it in force or drop it.
    NotInForce,
    /// In force.
    InForce {
        /// Where it stands in git, and what an operator should know.
        note: String,
    },
    /// Nothing was changed.
    Failed {
        /// Why, and what to do.
        why: String,
    },
    /// The operator dropped it.
    Dropped,
}

/// A version that ran, or was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// What it was.
    pub edition: Edition,
    /// Since when it was in force, campaign time; of one that no launch used, when it was saved by the calendar.
    pub at: At,
    /// By the calendar, where it was saved here.
    pub wall_at: Option<At>,
    /// In which campaign; `None`: saved, and launched by none yet.
    pub campaign: Option<CampaignId>,
    /// Which of that campaign's versions it is; 0: that of its launch.
    pub number: u32,
    /// Who saved it, or launched with it.
    pub by: Option<crate::engine::order::Who>,
    /// Why.
    pub why: String,
    /// What became of those in flight; `None`: it was launched with.
    pub choice: Option<Choice>,
    /// People who were sent something under these rules.
    pub people: u64,
    /// Of those, who converted by a step that ran under them.
    pub conversions: u64,
}

/// A version's files as text, for a screen.
pub fn as_text(files: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    files.into_iter().map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned())).collect()
}
