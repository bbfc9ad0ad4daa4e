//! The wire clients against small servers of the test's own: canned answers, refusals, silence, and connections that
//! break at every byte.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

#[path = "providers/answers.rs"]
mod answers;
#[path = "providers/lists.rs"]
mod lists;
#[path = "providers/rude.rs"]
mod rude;

#[path = "providers/sent.rs"]
mod sent;
#[path = "providers/table.rs"]
mod table;
#[path = "providers/tls.rs"]
mod tls;
#[path = "providers/twilio.rs"]
mod twilio;
#[path = "providers/vapi.rs"]
mod vapi;
#[path = "providers/whatsapp.rs"]
mod whatsapp;
#[path = "providers/wire.rs"]
mod wire;
