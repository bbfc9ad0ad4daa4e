//! `cascade`: a terminal operations console for WhatsApp, phone and SMS cascades.
//!
//! One event's way through the house:
//!
//! ```text
//!  key / webhook / timer / provider's answer
//!         │  runtime::webhooks verifies, providers::Heard; runtime::brakes act at once
//!         ▼
//!  runtime::driver ── one queue, one task ── engine::apply(&mut Campaign, At, Input) -> Concluded
//!         │                                      events (what happened, results included) and effects
//!         ▼
//!  runtime::store ── one thread, ONE transaction: events, changed rows, claims, links, texts
//!         │  after the commit only
//!         ├──► runtime::dispatch ─► providers ─► an answer, which is news again
//!         ├──► 2xx to whoever told us
//!         └──► runtime::gallery ─► Picture (Arc, latest wins) ─► tui draws when it changed
//!                   └► runtime::feed: how far the log is ─► runtime::attach, consoles in other processes
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`model`] | the vocabulary |
//! | [`rules`] | rules, content and customer lists, read with positions |
//! | [`engine`] | decisions: pure and synchronous |
//! | [`trail`] | git: commits of rules with a reason, their history, pull requests |
//! | [`learning`] | what campaigns teach: pure statistics over the record |
//! | [`runtime`] | the world, joined to the engine by one loop |
//! | [`providers`] | wire clients and the tables that sort their errors |
//! | [`sandbox`] | the providers' other side, for rehearsals |
//! | [`tui`] | the screen |
//! | [`commands`] | one thin file per command |
//! | [`workspace`], [`config`], [`cli`], [`clock`], [`phrases`] | files, settings, flags, time, events in people's words |
//!
//! Arrows point inwards: `tui` and `commands` know `runtime`, that knows `providers` and the store, those know
//! `engine`, `learning` and `rules`, and all know `model`. `engine` and `learning` name nobody above them; `sandbox`
//! shares no type with `providers`.

pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod engine;
pub mod learning;
pub mod model;
pub mod phrases;
pub mod providers;
pub mod rules;
pub mod runtime;
pub mod sandbox;
pub mod trail;
pub mod tui;
pub mod workspace;

/// Records and journeys are many small pieces, freed by another thread than made them: with the system's allocator a
/// start with 100,000 in flight takes a third longer, and learning over a million cascades half as long again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
