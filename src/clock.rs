//! The only place that reads time.
//!
//! Two clocks run in the program. *Wall time* rules sockets, redraws and SQLite's patience. *Campaign time*
//! rules everything people and providers do, and every stored timestamp; in a rehearsal it is scaled, in live
//! it is wall time. Tests use a stepped clock that moves only when told.

use crate::model::At;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Longest nap before the wall clock is looked at again, so that a suspended laptop is noticed.
const LONGEST_NAP: Duration = Duration::from_secs(10);

/// A monotonic reading of wall time, for measuring how long something took. By tokio's clock, which is the system's
/// own, and which a simulation pauses and moves.
#[expect(clippy::disallowed_methods, reason = "the one home of wall time")]
pub fn wall() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The calendar's wall time, for freshness checks and file names.
#[expect(clippy::disallowed_methods, reason = "the one home of wall time")]
pub fn wall_at() -> At {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    At::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How a rehearsal's clock stood at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Campaign time.
    pub now: At,
    /// The calendar's wall time of the reading.
    pub wall: At,
    /// Campaign seconds in one wall second.
    pub speed: f64,
    /// Whether it runs.
    pub running: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Follows the calendar.
    Live,
    /// Runs `speed` times as fast as wall time, and can stand still.
    Scaled { anchor: Instant, at: At, speed: f64, running: bool },
    /// Moves only by [`Clock::advance_to`].
    Stepped { at: At },
    /// Live on a machine that is simulated: goes on with tokio's paused clock, and jumps when it is set.
    Simulated { anchor: Instant, at: At },
}

/// Campaign time. Cheap to clone; all clones are one clock.
#[derive(Clone, Debug)]
pub struct Clock {
    kind: Arc<Mutex<Kind>>,
    changed: watch::Sender<u64>,
}

impl Clock {
    fn new(kind: Kind) -> Self {
        Self { kind: Arc::new(Mutex::new(kind)), changed: watch::Sender::new(0) }
    }

    /// Campaign time is wall time.
    pub fn live() -> Self {
        Self::new(Kind::Live)
    }

    /// Starts standing still at `at`; see [`Clock::run`].
    pub fn scaled(at: At, speed: f64) -> Self {
        Self::new(Kind::Scaled { anchor: wall(), at, speed, running: false })
    }

    /// For tests: stands at `at` until [`Clock::advance_to`].
    pub fn stepped(at: At) -> Self {
        Self::new(Kind::Stepped { at })
    }

    /// For simulations under tokio's paused clock: campaign time is the simulated machine's calendar.
    pub fn simulated(at: At) -> Self {
        Self::new(Kind::Simulated { anchor: wall(), at })
    }

    fn kind(&self) -> MutexGuard<'_, Kind> {
        self.kind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Campaign time now.
    pub fn now(&self) -> At {
        match *self.kind() {
            Kind::Live => wall_at(),
            Kind::Scaled { at, running: false, .. } | Kind::Stepped { at } => at,
            Kind::Scaled { anchor, at, speed, running: true } => {
                let passed = wall().saturating_duration_since(anchor).as_secs_f64() * speed;
                At::from_millis(at.millis().saturating_add((passed * 1000.0) as i64))
            }
            Kind::Simulated { anchor, at } => at + passed(anchor),
        }
    }

    /// What the machine's calendar says, which goes on while it sleeps; beside [`wall`], which does not, it shows
    /// that time went on without us.
    pub fn calendar(&self) -> At {
        match *self.kind() {
            Kind::Live | Kind::Scaled { .. } | Kind::Stepped { .. } => wall_at(),
            Kind::Simulated { anchor, at } => at + passed(anchor),
        }
    }

    /// Whether it goes on as the machine that we run on does.
    pub fn is_the_machines(&self) -> bool {
        matches!(*self.kind(), Kind::Live | Kind::Scaled { .. })
    }

    /// Campaign seconds in one wall second; 1 in live and for a stepped clock.
    pub fn speed(&self) -> f64 {
        match *self.kind() {
            Kind::Scaled { speed, .. } => speed,
            Kind::Live | Kind::Stepped { .. } | Kind::Simulated { .. } => 1.0,
        }
    }

    /// Whether time passes by itself now.
    pub fn is_running(&self) -> bool {
        match *self.kind() {
            Kind::Live | Kind::Simulated { .. } => true,
            Kind::Scaled { running, .. } => running,
            Kind::Stepped { .. } => false,
        }
    }

    /// How the clock stands, for a console in another process; `None` in live, where everybody has the same.
    pub fn reading(&self) -> Option<Reading> {
        let (now, wall) = (self.now(), wall_at());
        match *self.kind() {
            Kind::Live => None,
            Kind::Scaled { speed, running, .. } => Some(Reading { now, wall, speed, running }),
            Kind::Stepped { .. } | Kind::Simulated { .. } => {
                Some(Reading { now, wall, speed: 1.0, running: false })
            }
        }
    }

    /// Goes as another process's clock does; the time since its reading is made up for. Live and stepped clocks
    /// ignore it.
    pub fn mirror(&self, reading: Reading) {
        if let Kind::Scaled { anchor, at, speed, running } = &mut *self.kind() {
            let late = if reading.running {
                (wall_at() - reading.wall).max(TimeDelta::zero())
            } else {
                TimeDelta::zero()
            };
            let passed = (late.num_milliseconds() as f64 * reading.speed) as i64;
            *at = At::from_millis(reading.now.millis().saturating_add(passed));
            (*anchor, *speed, *running) = (wall(), reading.speed, reading.running);
        }
        self.changed.send_modify(|n| *n += 1);
    }

    /// Hears whenever the clock is set, started, stopped or made faster.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Lets a scaled clock run or stand still; the others ignore it.
    pub fn run(&self, on: bool) {
        let now = self.now();
        if let Kind::Scaled { anchor, at, running, .. } = &mut *self.kind() {
            (*anchor, *at, *running) = (wall(), now, on);
        }
        self.changed.send_modify(|n| *n += 1);
    }

    /// Changes how fast a scaled clock runs; the others ignore it.
    pub fn pace(&self, by: f64) {
        let now = self.now();
        if let Kind::Scaled { anchor, at, speed, .. } = &mut *self.kind() {
            (*anchor, *at, *speed) = (wall(), now, by);
        }
        self.changed.send_modify(|n| *n += 1);
    }

    /// Sets the clock to `to`, forwards or backwards. Live time cannot be set.
    pub fn set(&self, to: At) {
        match &mut *self.kind() {
            Kind::Live => {}
            Kind::Scaled { anchor, at, .. } | Kind::Simulated { anchor, at } => (*anchor, *at) = (wall(), to),
            Kind::Stepped { at } => *at = to,
        }
        self.changed.send_modify(|n| *n += 1);
    }

    /// Moves a stepped clock forward; earlier instants are ignored.
    pub fn advance_to(&self, to: At) {
        if to > self.now() {
            self.set(to);
        }
    }

    /// Sleeps until campaign time is `due`. Wakes with the clock when it is set, stopped or started.
    pub async fn sleep_until(&self, due: At) {
        let mut changed = self.changed.subscribe();
        loop {
            let left = (due - self.now()).num_milliseconds();
            if left <= 0 {
                return;
            }
            // Round up: waking a hair early would only loop.
            let nap = Duration::from_secs_f64((left as f64 / 1000.0 / self.speed()).max(0.000_5));
            let nap = match *self.kind() {
                // Whoever makes a simulated clock jump wakes its sleepers.
                Kind::Simulated { .. } => nap,
                Kind::Live | Kind::Scaled { running: true, .. } => nap.min(LONGEST_NAP),
                Kind::Scaled { running: false, .. } | Kind::Stepped { .. } => LONGEST_NAP,
            };
            tokio::select! {
                () = tokio::time::sleep(nap) => {}
                _ = changed.changed() => {}
            }
        }
    }
}

fn passed(since: Instant) -> TimeDelta {
    TimeDelta::from_std(wall().saturating_duration_since(since)).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_clock_stands_still_until_it_runs() {
        let clock = Clock::scaled(At::from_secs(100), 3600.0);
        assert_eq!(clock.now(), At::from_secs(100));
        clock.run(true);
        assert!(clock.now() >= At::from_secs(100));
        clock.run(false);
        let stood = clock.now();
        assert_eq!(clock.now(), stood);
    }

    #[test]
    fn a_mirror_goes_as_the_other_does() {
        let (ours, mut theirs) =
            (Clock::scaled(At::from_secs(0), 1.0), Clock::scaled(At::from_secs(0), 3600.0));
        theirs.set(At::from_secs(5000));
        let stood = theirs.reading().unwrap();
        ours.mirror(stood);
        assert_eq!((ours.now(), ours.speed(), ours.is_running()), (At::from_secs(5000), 3600.0, false));
        theirs = Clock::scaled(At::from_secs(5000), 3600.0);
        theirs.run(true);
        // Two wall seconds on the way.
        let read = theirs.reading().unwrap();
        ours.mirror(Reading { wall: read.wall - TimeDelta::seconds(2), ..read });
        assert!(ours.is_running() && ours.now() >= read.now + TimeDelta::seconds(7200));
        assert_eq!(Clock::live().reading(), None);
    }

    #[tokio::test]
    async fn a_stepped_clock_wakes_its_sleepers() {
        let clock = Clock::stepped(At::from_secs(0));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(At::from_secs(60)).await }
        });
        tokio::task::yield_now().await;
        clock.advance_to(At::from_secs(60));
        sleeper.await.unwrap();
    }
}
