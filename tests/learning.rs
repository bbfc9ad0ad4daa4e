//! Learning against its reference figures: posteriors, waits, simulated campaigns. The files in `learning/data` are
//! what they are; nothing here is fitted to them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code: a failure is a panic")]
#![expect(clippy::float_cmp, reason = "where nothing is computed, nothing is rounded")]

#[path = "learning/mod.rs"]
mod learning;
