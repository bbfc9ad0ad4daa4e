//! A console before which nobody sits: the days pass, and with them windows end.

use crate::machine::plan;
use crate::memory::Memory;
use crate::setting::{Setting, Tier};
use crate::world::BEGIN;
use cascade::clock::Clock;
use cascade::runtime::handle::PlaceFacts;
use cascade::runtime::store::Keeper as _;
use cascade::runtime::{Junction, Purpose, Seams, Wires};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

const DAY: Duration = Duration::from_hours(24);

/// How often the record was asked within four days in which nothing happened.
async fn asked_in_four_days(explore: f64) -> u64 {
    let setting = Setting::of(1, 3, Tier::Memory);
    let mut plan = plan(&setting);
    plan.ready.rules.explore = explore;
    let store = Memory::default();
    let asked = Arc::clone(&store.asked);
    let (picture, _picture) = watch::channel(Arc::default());
    let (_commands, heard) = mpsc::channel(1);
    let (notices, _notices) = mpsc::channel(64);
    let wires = Wires { picture, commands: heard, notices, clock: Clock::simulated(BEGIN) };
    let joined = Junction::new(wires, PlaceFacts::default())
        .join(Seams {
            loaded: store.load(0).unwrap(),
            store: Arc::new(store),
            owns_clock: false,
            providers: Vec::new(),
            round_trip: None,
            config: plan.ready.config.clone(),
            content: Arc::clone(&plan.content),
            plan: Some(Arc::new(plan)),
            files: None,
            links_base: "http://go.test/l".into(),
            purpose: Purpose::Console,
            as_before: false,
        })
        .await;
    tokio::time::sleep(4 * DAY).await;
    joined.tasks.stop();
    joined.driver.abort();
    asked.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn the_record_is_asked_again_each_day_though_nothing_happens() {
    assert_eq!(asked_in_four_days(0.2).await, 4);
    assert_eq!(asked_in_four_days(0.0).await, 0, "nothing is drawn from what it says");
}
