//! Rules, content and customer lists: reading them with positions, and saying what is wrong with them.
//!
//! Nothing here acts, reads a clock or touches the network.

mod chain;
pub mod content;
mod customers;
mod draft;
mod draw;
mod durations;
pub mod edit;
mod fields;
mod format;
mod json;
pub mod lints;
mod parse;
mod phone_text;
mod phones;
mod places;
pub mod render;
pub(crate) mod report;
pub mod schema;
pub mod sms;
pub mod starts;
mod steps;
mod walk;
mod zones;

pub use customers::{CustomerList, ListError, Reject};
pub use draft::{Draft, Judged, check_draft};
pub use draw::draw;
pub use durations::{format_duration_s, parse_duration_s, parse_quiet_hours};
pub use format::format;
pub use parse::parse;
pub use phones::{BadPhone, PhoneReader, UnknownRegion};

use crate::model::{Channel, Outcome, QuietHours, Segment};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A problem found in a file an operator wrote. Printed by `cascade check`, shown in the editor.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Errors keep a campaign from starting; warnings do not.
    pub severity: Severity,
    /// As named on the command line or relative to the workspace.
    #[serde(serialize_with = "readable")]
    pub file: PathBuf,
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// A stable word: `unknown-field`, `no-end`.
    pub code: &'static str,
    /// What is wrong, in one sentence. Safe for a terminal.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// A file's name need not be UTF-8, and JSON must be.
fn readable<S: serde::Serializer>(file: &std::path::Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&file.display())
}

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Cannot be used as it is.
    Error,
    /// Can be used; probably not what was meant.
    Warning,
}

/// How long a step waits that has no wait of its own and is not last, in seconds.
pub const DEFAULT_WAIT_IF_FIRST_S: u64 = 4 * 3_600;
/// How long after the last step an answer still counts, in seconds.
pub const DEFAULT_CONVERSION_WINDOW_S: u64 = 24 * 3_600;
/// How long after it fell due a deferred step is dropped, in seconds.
pub const DEFAULT_EXPIRES_S: u64 = 24 * 3_600;
/// Retries of one step at most.
pub const DEFAULT_RETRY_MAX: u32 = 5;

/// The rules of a campaign, checked: the pointers form one chain over all steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// SHA-256 of the file's bytes, lower-case hex.
    pub hash: String,
    /// The file as it was read.
    pub bytes: Vec<u8>,
    /// What everybody does who is in no segment of its own.
    pub main: Ladder,
    /// Segments with their own start or steps.
    pub segments: BTreeMap<Segment, Ladder>,
    /// How long after the last step an answer still counts, in seconds.
    pub conversion_window_s: u64,
    /// Nobody is contacted then; `None`: the workspace's quiet hours alone.
    pub quiet_hours: Option<QuietHours>,
    /// How long after it fell due a deferred step is dropped, in seconds.
    pub expires_s: u64,
    /// Retries of one step at most.
    pub retry_max: u32,
    /// Share of customers whose start is drawn at random, 0..1.
    pub explore: f64,
}

/// A start and a chain of steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    /// The first channel.
    pub start: Channel,
    /// In the order of the chain.
    pub steps: Vec<Step>,
}

/// One entry of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub channel: Channel,
    /// Seconds; `None` on the end of the chain.
    pub wait_s: Option<u64>,
    /// Seconds to wait where `wait` is null and the step is not last.
    pub wait_if_first_s: u64,
    /// Calls within one wait.
    pub attempts: u32,
    /// `on_bounce: wait` instead of `next`.
    pub bounce_waits: bool,
    /// Outcomes that convert.
    pub converts_on: Vec<Outcome>,
}
