//! What the engine asks of the world. Let out only after the events that caused it are on disk.

use crate::model::{At, AttemptId, CascadeId, Channel, Scope};

/// One request to the runtime. Sends have no effect of their own: the driver takes them from the engine's
/// queues when a permit is free, so that claim and commit are one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A claimed attempt: let the first byte out.
    Send {
        /// Which.
        attempt: AttemptId,
        /// Whose.
        cascade: CascadeId,
        /// Where.
        channel: Channel,
        /// The first byte leaves before then or not at all: what was looked at before the claim holds no longer.
        good_until: At,
    },
    /// Call it back if it can be.
    Recall {
        /// Which.
        attempt: AttemptId,
        /// Whose.
        cascade: CascadeId,
        /// Where.
        channel: Channel,
        /// The provider's id.
        provider_id: String,
    },
    /// Ask the provider what became of it.
    LookUp {
        /// Which.
        attempt: AttemptId,
        /// Whose.
        cascade: CascadeId,
        /// Where.
        channel: Channel,
    },
    /// Ask the provider, read-only, whether a shut scope is mended.
    CheckScope {
        /// Where.
        channel: Channel,
        /// What.
        scope: Scope,
    },
}
