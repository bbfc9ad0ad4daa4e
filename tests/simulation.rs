//! The seeded simulation: the real loop, dispatch, timers, recovery and receiver on one thread, over a clock, a store,
//! a transport and an inbox that fail in every way we know, with providers and people who keep their own truth. The
//! oracle reads that truth and the disk, and none of the program's state.
//!
//! `SEED=7 cargo test --test simulation one_seed -- --nocapture` tells the story of one seed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

#[path = "simulation/book.rs"]
mod book;
#[path = "simulation/happenings.rs"]
mod happenings;
#[path = "simulation/hooks.rs"]
mod hooks;
#[path = "simulation/machine.rs"]
mod machine;
#[path = "simulation/oracle.rs"]
mod oracle;
#[path = "simulation/random.rs"]
mod random;
#[path = "simulation/setting.rs"]
mod setting;
#[path = "simulation/shelf.rs"]
mod shelf;
#[path = "simulation/transport.rs"]
mod transport;
#[path = "simulation/whims.rs"]
mod whims;
#[path = "simulation/wire.rs"]
mod wire;
#[path = "simulation/world.rs"]
mod world;

use machine::simulate;
use setting::Setting;

/// Customers in a simulated campaign, at most.
const PEOPLE: u64 = 20;

#[test]
fn one_seed() {
    let Some(seed) = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) else { return };
    let setting = Setting::of(seed, PEOPLE);
    println!("{setting:#?}");
    let outcome = simulate(&setting, true);
    println!(
        "{:?} {} lives, {} events, {} requests",
        outcome.broken, outcome.lives, outcome.events, outcome.sent
    );
    assert!(outcome.broken.is_empty());
}

#[test]
fn some_seeds() {
    let mut broken = 0;
    let from: u64 = std::env::var("FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let count: u64 = std::env::var("COUNT").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    let (mut events, mut lives, mut sent) = (0, 0, 0);
    for seed in from..from + count {
        let setting = Setting::of(seed, PEOPLE);
        let outcome = simulate(&setting, false);
        (events, lives, sent) = (events + outcome.events, lives + outcome.lives, sent + outcome.sent);
        if !outcome.broken.is_empty() {
            println!("seed {seed}: {}", outcome.broken[0]);
            broken += 1;
        }
    }
    println!("{events} events, {lives} lives, {sent} requests");
    assert_eq!(broken, 0);
}
