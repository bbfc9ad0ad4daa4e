//! What campaigns teach: which channel each segment should start with, how long to wait, and how sure that is. Pure and
//! synchronous: the same record gives the same numbers. It names nobody above [`crate::model`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`history`] | the record: a cascade with its steps, and the history file |
//! | [`posterior`] | what is believed about every start's expected net |
//! | [`replay`] | what the record says about other rules |
//! | [`waits`] | when conversions arrive, and how long to wait for them |

pub mod answer;
pub mod history;
pub mod ledger;
pub mod policy;
pub mod posterior;
pub mod replay;
pub mod simulate;
pub mod waits;
