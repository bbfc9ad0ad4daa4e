//! Decisions. Pure and synchronous: event in, events and effects out. No clock, no I/O, no async, no randomness.

pub mod effect;
pub mod event;
pub mod meaning;
pub mod policy;
pub mod snapshot;
