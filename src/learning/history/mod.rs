//! The record that the statistics are computed from: one [`Cascade`] for each customer's way through the rules. The
//! store and the history file of another platform fill the same type; nobody can be recognised in it.
//!
//! | module | what it holds |
//! |---|---|
//! | `rows` | the cells of its rows as values, with line and column of what cannot be used |
//! | `read` | cascades out of rows |
//! | `draws` | which draws a file may tell of |
//! | `parts` | a file that several threads read |
//! | `write` | the same file from records |

mod draws;
mod parts;
mod read;
mod rows;
mod write;

pub use draws::Draws;
pub use parts::{Parts, read};
pub use read::{Gathered, gather};
pub use rows::{BadRow, Unreadable};
pub use write::{COLUMNS, write_header, write_rows};

use crate::model::{At, Channel, Money, Segment, Untrusted};

/// One customer's way through the rules. What one is worth is booked on its start, whatever step converted.
#[derive(Clone, Debug, PartialEq)]
pub struct Cascade {
    /// Unique in its record.
    pub id: Untrusted,
    /// The customer's segment.
    pub segment: Segment,
    /// The channel that the walk began with.
    pub start: Channel,
    /// The probability with which this start was drawn, from the vector in force. `None`: it was not drawn at random,
    /// so that nothing can be learnt about starts from it.
    pub propensity: Option<f64>,
    /// What it ran under: the hash of the rules, and behind a `+` that of the texts. Others are other arms.
    pub rules: Untrusted,
    /// When it started.
    pub launched_at: At,
    /// Seconds from the launch until nothing counts any more: the waits of all its steps that are not terminal, taken
    /// or not, and the conversion window. `None`: the record does not tell; the longest of its rules, segment and start
    /// holds then.
    pub horizon_s: Option<u64>,
    /// How far it has come.
    pub ending: Ending,
    /// Its start was forced: an operator's override, missing content, a held channel.
    pub forced: bool,
    /// The steps that were taken, in their order.
    pub steps: Vec<Step>,
}

impl Default for Cascade {
    /// Nobody's yet: to be filled.
    fn default() -> Self {
        Self {
            id: Untrusted::default(),
            segment: Segment::default(),
            start: Channel::Whatsapp,
            propensity: None,
            rules: Untrusted::default(),
            launched_at: At::default(),
            horizon_s: None,
            ending: Ending::Untold,
            forced: false,
            steps: Vec::new(),
        }
    }
}

/// How far a cascade has come. Quiet hours and pauses make it longer than its waits are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The record does not tell, as a history file: it is over when its windows are.
    #[default]
    Untold,
    /// It still runs.
    Open,
    /// It ended then.
    At(At),
}

/// One step of a cascade, with the times at which its outcomes happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its place in the walk, from 1.
    pub step: u32,
    /// The channel.
    pub channel: Channel,
    /// When the message left or the call began; `None`: it was skipped, and is no contact.
    pub sent_at: Option<At>,
    /// The wait in force when it was sent, in seconds; the conversion window on a terminal step.
    pub window_s: Option<u64>,
    /// When it reached the device, or the line was answered by anybody.
    pub delivered_at: Option<At>,
    /// When it turned out that it cannot reach this person.
    pub bounced_at: Option<At>,
    /// When this step's message converted, however late.
    pub converted_at: Option<At>,
    /// When the person opted out in answer to it.
    pub opted_out_at: Option<At>,
    /// What all its attempts cost.
    pub cost: Money,
}

/// Whether a step's message left, also to a number that turned out to be none.
pub(super) const fn reached(step: &Step) -> bool {
    step.sent_at.is_some() || step.bounced_at.is_some()
}
