//! What strangers may try, and what must not leave: outside text, live hosts, listeners, signatures, secrets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

#[path = "security/durable.rs"]
mod durable;
#[path = "security/guard.rs"]
mod guard;
#[path = "security/house.rs"]
mod house;
#[path = "security/live.rs"]
mod live;
#[path = "security/mute.rs"]
mod mute;
#[path = "security/parsers.rs"]
mod parsers;
#[path = "security/secrets.rs"]
mod secrets;
#[path = "security/shown.rs"]
mod shown;
#[path = "security/siege.rs"]
mod siege;
#[path = "security/signatures.rs"]
mod signatures;
#[path = "security/sinks.rs"]
mod sinks;
#[path = "security/trust.rs"]
mod trust;
