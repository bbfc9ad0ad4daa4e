//! Waits that an edit of the rules changes.

use crate::model::{At, TimerId};
use serde::{Deserialize, Serialize};

/// A wait that ends at another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWait {
    /// When it began.
    pub from: At,
    /// When it ends.
    pub due: At,
    /// Timer of `due`.
    pub timer: TimerId,
}
