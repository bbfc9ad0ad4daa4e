//! The vocabulary: what every other part may name, and nothing that acts.

mod allocation;
mod channel;
mod failure;
mod ids;
mod money;
mod person;
pub mod sinks;
mod text;
mod time;
mod walk;

pub use allocation::Allocation;
pub(crate) use channel::words;
pub use channel::{Channel, Disposition, Mode, Outcome};
pub use failure::{Class, Failure, Scope, Sent};
pub use ids::{
    AttemptId, CampaignId, CascadeId, OrderId, PersonId, TextId, TimerId, attempt_key, parse_attempt_key,
};
pub use money::Money;
pub use person::{Consents, Customer, Phone, Segment};
pub use sinks::screen as clean;
pub use text::Untrusted;
pub use time::At;
pub use walk::{Leg, QuietHours};
