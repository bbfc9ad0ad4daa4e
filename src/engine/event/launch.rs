//! What a launch fixed: for the campaign, and for each customer in it.

use crate::engine::policy::Policy;
use crate::engine::reasons::Skip;
use crate::model::{Allocation, At, AttemptId, CascadeId, Channel, Leg, Mode, PersonId, Segment, TimerId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What was fixed when the campaign was launched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launch {
    /// For people: `spring-renewal`.
    pub name: String,
    /// `pilot` or `full`.
    pub kind: CampaignKind,
    /// Rehearsal or live.
    pub mode: Mode,
    /// SHA-256 of the rules file.
    pub rules_hash: String,
    /// SHA-256 over the content files.
    pub content_hash: String,
    /// The git commit the rules stand in, if any.
    pub rules_commit: Option<String>,
    /// Campaign seconds a wall second; 1 in live.
    pub speed: f64,
    /// Fixes the draw and, in a rehearsal, how people behave.
    pub seed: u64,
    /// Cascades.
    pub customers: u64,
    /// Rows of the list that could not be used.
    pub rejects: u64,
    /// The store's tag in attempt keys.
    pub store: String,
    /// The first cascade's id; the others follow.
    pub first_cascade: CascadeId,
    /// First free id, so that attempts are unique in the store.
    pub first_attempt: AttemptId,
    /// First free id, so that timers are unique in the store.
    pub first_timer: TimerId,
    /// What may be done.
    pub policy: Policy,
}

/// A version of rules and texts that was in force in a campaign. The first is that of its launch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// SHA-256 of the rules file.
    pub rules: String,
    /// SHA-256 over the content files.
    pub content: String,
    /// The git commit it stands in, if any.
    pub commit: Option<String>,
}

/// `pilot` or `full`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignKind {
    /// A drawn few.
    Pilot,
    /// Everybody.
    Full,
}

/// What was fixed when one cascade was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CascadeStart {
    /// The segment's name.
    pub segment: Segment,
    /// The drawn start.
    pub start: Channel,
    /// The probability with which it was drawn; 1 where nothing is drawn.
    pub propensity: f64,
    /// From what it was drawn; `None` where nothing is drawn at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
    /// All steps, in order; an edit of the rules writes those that are still to come anew.
    pub walk: Vec<Leg>,
    /// Steps that cannot be taken, and why.
    pub skips: Vec<(Channel, Skip)>,
    /// The zone used for quiet hours (IANA).
    pub zone: String,
    /// The number's country, for scopes.
    pub country: Option<String>,
    /// Whoever shares a number shares this: one cascade at a time is in contact with it.
    pub line: PersonId,
    /// Contacts of earlier campaigns within the last 24 h, for the cap per person.
    pub recent: Vec<At>,
}

/// How a start was drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drawn {
    /// The probabilities in force for the segment.
    pub from: Arc<Allocation>,
    /// Not every start could be had by this customer: it is left out of learning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
}
