//! What campaigns teach: which channel each segment should start with, how long to wait, and how sure that is. Pure and
//! synchronous: the same record gives the same numbers. It names nobody above [`crate::model`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`history`] | the record: a cascade with its steps, and the history file |
//! | [`ledger`] | the record, packed: what every question is answered from |
//! | [`posterior`] | what is believed about every start's expected net |
//! | [`policy`] | how starts are drawn, when a change may be proposed, when old data is dropped |
//! | [`waits`] | when conversions arrive, and how long to wait for them |
//! | `cut_short` | whether who is left after an edit still tells of everybody |
//! | [`answer`] | all of it together, in numbers and in sentences |
//! | [`replay`] | what the record says about other rules |
//! | [`simulate`] | campaigns with known truth, which the policy is held against |

pub mod answer;
mod cut_short;
pub mod history;
pub mod ledger;
pub mod policy;
pub mod posterior;
pub mod replay;
pub mod simulate;
pub mod waits;

/// Milliseconds of a day. The days of the record are those of UTC.
pub const DAY_MS: i64 = 86_400_000;
