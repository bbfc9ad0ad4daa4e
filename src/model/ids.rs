//! Ids: plain numbers with a type, so that they cannot be mixed up. They stand in events; names do not.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(/** A campaign of this store, from 1. */ CampaignId);
id!(/** A row of the person table: the only place that knows the name and the number. */ PersonId);
id!(/** A customer's way through one campaign, unique in the store. */ CascadeId);
id!(/** One send for one step, unique in the store. */ AttemptId);
id!(/** A timer; a fired one whose id is no longer the journey's is ignored. */ TimerId);
id!(/** The text or transcript of an inbound message or call, or an operator's reason, in the store. */ TextId);
id!(/** An operator's order, from 1 in each campaign. */ OrderId);

/// An attempt id as it stands on the wire: `att_<store>_<number>`, at most 40 characters (Vapi's limit
/// on names). The store's tag keeps two stores on one provider account apart.
pub fn attempt_key(store: &str, attempt: AttemptId) -> String {
    format!("att_{store}_{attempt}")
}

/// Reads [`attempt_key`] back; `None` for another store's or anybody's text.
pub fn parse_attempt_key(store: &str, key: &str) -> Option<AttemptId> {
    let digits = key.strip_prefix("att_")?.strip_prefix(store)?.strip_prefix('_')?;
    digits.parse().ok().map(AttemptId)
}
