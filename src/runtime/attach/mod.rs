//! Consoles that look into a campaign another process runs, and leave without stopping anything.
//!
//! ```text
//!  the process that runs it                                a console
//!  driver ─► store (SQLite) ◄──────────── reads ────────── replica ─► gallery ─► Picture ─► tui
//!     │  after the commit                                      ▲
//!     └► feed ─► server ══ owner-only socket, JSON lines ══► client ◄─ commands ── tui
//! ```
//!
//! The wire carries no events and no pictures: both grow with the cohort, and a log that is on disk needs no second
//! way. It carries how far the log is, what stands beside it, the clock, notices and who is in control; from the
//! console come commands. A console reads the rows once and folds the log from there with the engine's own fold. So a
//! console that is slow, or stood still for an hour, stalls nobody and has lost nothing: it reads on where it was.
//!
//! One console is in control, any number read. Whoever reads can hold all sending all the same: safety comes before
//! rank.

mod client;
mod console;
mod control;
mod place;
mod reach;
mod replica;
mod seat;
mod server;
mod talk;
mod wire;

pub use client::attach;
pub use reach::{Attached, Unreachable, reach};
pub use seat::{InControl, Seat, sits};
pub use server::{Host, Server};

/// How the notice begins of an order that was refused to a console.
pub const NOT_DONE: &str = "not done";
