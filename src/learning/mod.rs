//! What campaigns teach: which channel each segment should start with, how long to wait, and how sure that is. Pure and
//! synchronous: the same record gives the same numbers. It names nobody above [`crate::model`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`history`] | the record: a cascade with its steps, and the history file |
//! | [`replay`] | what the record says about other rules |

pub mod history;
pub mod replay;
