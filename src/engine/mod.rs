//! Decisions. Pure and synchronous: news in, events and effects out. No clock, no I/O, no async, no randomness.
//!
//! [`apply()`] is the one door. What the engine concludes it writes as [`event::Event`]s, each folded at once; the
//! log holds them and nothing else, so that [`replay`] gives the same campaign without deciding anything again.

mod apply;
pub mod audit;
pub mod breaker;
mod campaign;
pub mod deeds;
pub mod effect;
pub mod event;
mod fold;
pub mod forecast;
pub mod gate;
mod hearing;
pub mod input;
mod journal;
pub mod journey;
mod may_send;
pub mod meaning;
pub mod order;
mod orders;
mod picture;
pub mod policy;
mod quiet;
mod reasons;
pub mod record;
pub mod restored;
pub mod retime;
mod retry;
mod sending;
pub mod snapshot;
mod steps;
pub mod streak;

pub use apply::{CRASH, IllegalMove, apply, launch};
pub use campaign::{Campaign, Header, Pause};
pub use fold::{follow, replay};
pub use journal::Concluded;
pub use may_send::{Verdict, may_send};
pub use picture::{bit, channel_rows, failure_rows, phase, row, snapshot, tally};
pub use quiet::allowed_from;
