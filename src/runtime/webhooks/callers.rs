//! Who is connected, how far each has come, and who goes when time is up or places are scarce.
//!
//! ```text
//!  Silent ─first byte─► Speaking ─head whole─► Asking ─signature right─► Believed ─answered─► Idle ─► Speaking …
//!    5 s                   5 s                (body 10 s)              (the commit)          2 min
//! ```
//!
//! A place is never refused to a newcomer while somebody holds one who has proved nothing: the oldest of those goes.
//! So a crowd that says little keeps nobody out; a request that is spoken in one breath is through before its turn.

use crate::clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// What the listener bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub places: usize,
    /// For the first byte of a new connection to arrive.
    pub greeting: Duration,
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// Between two requests: longer than proxies keep a connection that they mean to use again, for what they send
    /// into a closed one is lost.
    pub idle: Duration,
}

impl Default for Limits {
    /// Three webhooks for each of 80 messages a second, and a slow commit.
    fn default() -> Self {
        let five = Duration::from_secs(5);
        Self { places: 256, greeting: five, head: five, idle: Duration::from_mins(2) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Silent,
    Speaking,
    Asking,
    Believed,
    Idle,
    /// Told to go.
    Shed,
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    phase: Phase,
    since: Instant,
    /// Has been believed before.
    proven: bool,
}

impl Standing {
    /// Who goes first: whoever never proved anything, then whoever is idle, then whoever speaks again. Nobody whose
    /// request is believed.
    fn rank(&self) -> Option<u8> {
        match self.phase {
            Phase::Believed => None,
            Phase::Silent | Phase::Speaking | Phase::Asking | Phase::Idle | Phase::Shed if !self.proven => {
                Some(0)
            }
            Phase::Idle | Phase::Shed => Some(1),
            Phase::Silent | Phase::Speaking | Phase::Asking => Some(2),
        }
    }

    /// When it has to be further.
    fn until(&self, limits: &Limits) -> Option<Instant> {
        match self.phase {
            Phase::Silent => Some(self.since + limits.greeting),
            Phase::Speaking => Some(self.since + limits.head),
            Phase::Idle => Some(self.since + limits.idle),
            Phase::Shed => Some(self.since),
            // The body has its own time, and a commit takes what it takes.
            Phase::Asking | Phase::Believed => None,
        }
    }
}

/// One connection, as far as it has come. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller(Arc<watch::Sender<Standing>>);

impl Caller {
    fn new() -> Self {
        let standing = Standing { phase: Phase::Silent, since: clock::wall(), proven: false };
        Self(Arc::new(watch::Sender::new(standing)))
    }

    fn standing(&self) -> Standing {
        *self.0.borrow()
    }

    fn pass(&self, from: &[Phase], to: Phase) {
        self.0.send_if_modified(|standing| {
            let moves = from.contains(&standing.phase);
            if moves {
                *standing = Standing { phase: to, since: clock::wall(), proven: standing.proven };
            }
            moves
        });
    }

    /// Bytes came.
    pub(super) fn spoke(&self) {
        self.pass(&[Phase::Silent, Phase::Idle], Phase::Speaking);
    }

    /// The head of a request is whole.
    pub(super) fn asked(&self) {
        self.pass(&[Phase::Silent, Phase::Idle, Phase::Speaking], Phase::Asking);
    }

    /// Its signature is right: from now on it keeps its place.
    pub(super) fn believed(&self) {
        self.0.send_modify(|standing| standing.proven = true);
        self.pass(&[Phase::Asking], Phase::Believed);
    }

    /// The answer is on its way.
    pub(super) fn answered(&self) {
        self.pass(&[Phase::Asking, Phase::Believed], Phase::Idle);
    }

    /// Resolves when its time is up, or its place is another's.
    pub(super) async fn overdue(&self, limits: &Limits) {
        let mut seen = self.0.subscribe();
        loop {
            let until = seen.borrow_and_update().until(limits);
            let moved = seen.changed();
            match until.map(tokio::time::Instant::from_std) {
                Some(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => return,
                    _ = moved => {}
                },
                // The sender lives as long as this caller.
                None => drop(moved.await),
            }
        }
    }
}

/// Everybody who holds a place, in the order of their coming.
#[derive(Debug)]
pub(super) struct Callers {
    limits: Limits,
    held: Mutex<BTreeMap<u64, Caller>>,
    moved: Notify,
}

/// A place that is given back when it is dropped, whatever becomes of its connection.
#[derive(Debug)]
pub(super) struct Place {
    callers: Arc<Callers>,
    number: u64,
    pub(super) caller: Caller,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.callers.held().remove(&self.number);
        self.callers.moved.notify_one();
    }
}

impl Callers {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, held: Mutex::default(), moved: Notify::new() })
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<u64, Caller>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for the connection of this number, if need be somebody's who has proved nothing. Waits only while all
    /// are believed.
    pub(super) async fn admit(self: &Arc<Self>, number: u64) -> Place {
        loop {
            if let Some(caller) = self.try_admit(number) {
                return Place { callers: Arc::clone(self), number, caller };
            }
            self.moved.notified().await;
        }
    }

    fn try_admit(&self, number: u64) -> Option<Caller> {
        let mut held = self.held();
        if held.len() >= self.limits.places {
            let ranked = held.iter().filter_map(|(at, caller)| Some((caller.standing().rank()?, *at)));
            let (_, victim) = ranked.min()?;
            if let Some(shed) = held.remove(&victim) {
                shed.0.send_modify(|standing| standing.phase = Phase::Shed);
            }
        }
        let caller = Caller::new();
        held.insert(number, caller.clone());
        Some(caller)
    }

    /// Somebody may have become one who can be sent away.
    pub(super) fn look_again(&self) {
        self.moved.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    const PLACES: usize = 4;

    fn callers() -> Arc<Callers> {
        Callers::new(Limits { places: PLACES, ..Limits::default() })
    }

    fn admit(callers: &Arc<Callers>, number: u64) -> Place {
        callers.admit(number).now_or_never().unwrap_or_else(|| panic!("{number} has to wait"))
    }

    fn is_shed(place: &Place) -> bool {
        place.caller.standing().phase == Phase::Shed
    }

    #[test]
    fn the_oldest_who_proved_nothing_makes_room() {
        let callers = callers();
        let held: Vec<Place> = (0..4).map(|n| admit(&callers, n)).collect();
        held[0].caller.spoke();
        held[0].caller.asked();
        held[0].caller.believed();
        held[1].caller.spoke();
        let newcomer = admit(&callers, 4);
        assert_eq!(held.iter().map(is_shed).collect::<Vec<_>>(), [false, true, false, false]);
        // Complaining all the time makes nobody younger.
        held[2].caller.spoke();
        held[2].caller.asked();
        held[2].caller.answered();
        let _another = admit(&callers, 5);
        assert!(is_shed(&held[2]) && !is_shed(&held[3]) && !is_shed(&newcomer));
        assert_eq!(callers.held().len(), PLACES);
    }

    #[test]
    fn whoever_was_believed_goes_last_and_whoever_is_believed_stays() {
        let callers = callers();
        let held: Vec<Place> = (0..4).map(|n| admit(&callers, n)).collect();
        for place in &held {
            place.caller.asked();
            place.caller.believed();
        }
        assert!(callers.admit(4).now_or_never().is_none(), "all are believed: the next one waits");
        held[3].caller.answered();
        callers.look_again();
        let newcomer = admit(&callers, 5);
        assert!(is_shed(&held[3]) && !is_shed(&held[0]));
        held[0].caller.answered();
        let _another = admit(&callers, 6);
        assert!(
            is_shed(&newcomer) && !is_shed(&held[0]),
            "a newcomer without proof goes before an idle provider"
        );
        drop(held);
        assert_eq!(callers.held().len(), 1, "what ended gives its place back, and nobody else's");
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_time() {
        let limits = Limits::default();
        let caller = Caller::new();
        assert!(caller.overdue(&limits).now_or_never().is_none());
        caller.overdue(&limits).await;
        caller.spoke();
        caller.asked();
        assert!(caller.standing().until(&limits).is_none(), "the body's time is counted elsewhere");
        caller.believed();
        assert!(caller.standing().until(&limits).is_none());
        caller.answered();
        let idle = caller.standing();
        assert_eq!(idle.until(&limits), Some(idle.since + limits.idle));
    }
}
