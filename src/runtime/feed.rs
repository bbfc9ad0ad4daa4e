//! What is true besides the log, for consoles in other processes: newest wins, and nobody who reads it slows the loop.
//!
//! The log itself is not in it. It is on disk before its place is told here, so that whoever looks in reads it from the
//! store, at their own pace, and never falls behind for good.

use super::ears::Hearing;
use super::handle::{PlaceFacts, Preflight, Settling, Trouble};
use super::saving::Saved;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::watch;

/// See the module's words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The log's last place on disk.
    pub seq: u64,
    /// How often everything was made anew without the log saying so.
    pub anew: u64,
    /// Beside the log.
    pub beside: Arc<Beside>,
}

/// What no event tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// What is not up yet or cannot be.
    pub starting: Option<String>,
    /// What a launch would do.
    pub preflight: Option<Arc<Preflight>>,
    /// Set when the store failed.
    pub store_failed: Option<String>,
    /// What stands in the way until it is over, the gravest first.
    pub troubles: Vec<Trouble>,
    /// Set while nothing is sent because of a gap.
    pub settling: Option<Settling>,
    /// The newest save of rules or texts, and how far it is.
    pub saved: Option<Arc<Saved>>,
}

/// Where it is published. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Newest wins.
    pub standing: watch::Sender<Standing>,
    /// Which files and settings the process runs on.
    pub place: watch::Sender<Arc<PlaceFacts>>,
    /// When each provider was heard.
    pub hearing: Hearing,
}

impl Feed {
    /// Nothing is known yet.
    pub fn new(place: Arc<PlaceFacts>, hearing: Hearing) -> Self {
        Self { standing: watch::Sender::new(Standing::default()), place: watch::Sender::new(place), hearing }
    }

    /// For clock times in words.
    pub fn zone(&self) -> chrono_tz::Tz {
        self.place.borrow().timezone.parse().unwrap_or(chrono_tz::Tz::UTC)
    }
}
