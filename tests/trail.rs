//! The git trail on real repositories: what a save changes and what it never touches, what is in its way, its history,
//! pushes and pull requests. Where `git` itself is needed and missing, a test says "skipped".

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "what is skipped is said")]

#[path = "trail/child.rs"]
mod child;
#[path = "trail/diffs.rs"]
mod diffs;
#[path = "trail/forge.rs"]
mod forge;
#[path = "trail/history.rs"]
mod history;
#[path = "trail/property.rs"]
mod property;
#[path = "trail/proposing.rs"]
mod proposing;
#[path = "trail/pushing.rs"]
mod pushing;
#[path = "trail/refusing.rs"]
mod refusing;
#[path = "trail/repo.rs"]
mod repo;
#[path = "trail/saving.rs"]
mod saving;
#[path = "trail/signing.rs"]
mod signing;
