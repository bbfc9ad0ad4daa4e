//! One customer's way through the rules, settled when the cascade starts.

use super::{Channel, Money, Outcome};
use serde::{Deserialize, Serialize};

/// One step of a walk. Stored with the cascade, so that no later edit of a file changes what was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The channel of this step.
    pub channel: Channel,
    /// Seconds to wait for a conversion before the next step; `None` on the last one.
    pub wait_s: Option<u64>,
    /// How many calls within one wait; 1 on text channels.
    pub attempts: u32,
    /// Whether a bounce goes on at once (`next`) or sits out the wait (`wait`).
    pub bounce_waits: bool,
    /// Outcomes that convert on this channel.
    pub converts_on: Vec<Outcome>,
    /// The most one attempt can cost: reserved at its claim.
    pub reserve: Money,
    /// `name/language` of the template this customer gets, on WhatsApp.
    pub template: Option<String>,
}

/// A span of every day in which nobody is contacted, in the customer's own zone. Minutes since midnight;
/// may run over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// First quiet minute.
    pub from_min: u16,
    /// First minute that is allowed again.
    pub to_min: u16,
}
