//! Noticing that time went on without us: a suspended laptop, a clock that was set, a process that was stopped.

use super::news::News;
use crate::clock::{self, Clock};
use crate::model::At;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The two clocks may disagree by less than this.
const LEAST_MS: i128 = 60_000;

/// Wall time between two beats of a [`Pulse`], and how long it may be silent.
const BEAT: Duration = Duration::from_secs(5);
const SILENT: Duration = Duration::from_mins(1);

/// Compares the calendar's clock with the one that stands still during a sleep.
#[derive(Debug)]
pub struct Gap {
    steady: Instant,
    calendar: At,
}

impl Gap {
    /// From now on.
    pub fn new(clock: &Clock) -> Self {
        Self { steady: clock::wall(), calendar: clock.calendar() }
    }

    /// Whether the clocks have come to disagree by a minute since the last look.
    pub fn look(&mut self, clock: &Clock) -> bool {
        self.disagree(clock::wall(), clock.calendar())
    }

    fn disagree(&mut self, steady: Instant, calendar: At) -> bool {
        let passed = steady.saturating_duration_since(self.steady).as_millis();
        let told = i128::from((calendar - self.calendar).num_milliseconds());
        (self.steady, self.calendar) = (steady, calendar);
        (told - i128::try_from(passed).unwrap_or(i128::MAX)).abs() >= LEAST_MS
    }
}

/// Beats as long as the process runs. A process or a virtual machine that was stopped hears as little as one that slept, and
/// no two clocks disagree about it afterwards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Mutex<Beat>>);

#[derive(Debug)]
struct Beat {
    last: Instant,
    /// It was silent, and nobody has asked since.
    missed: bool,
}

impl Default for Pulse {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Beat { last: clock::wall(), missed: false })))
    }
}

impl Pulse {
    /// Goes on for ever; whoever minds it is woken after a silence.
    pub async fn keep(self, news: mpsc::Sender<News>) {
        loop {
            tokio::time::sleep(BEAT).await;
            if self.beat(clock::wall()) && news.send(News::Hearing).await.is_err() {
                return;
            }
        }
    }

    /// Whether it was silent for a minute since the last question.
    pub fn missed(&self) -> bool {
        self.beat(clock::wall());
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).missed)
    }

    /// Whether it was silent before this beat.
    fn beat(&self, now: Instant) -> bool {
        let mut beat = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = now.saturating_duration_since(beat.last) >= SILENT;
        beat.last = now;
        beat.missed |= silent;
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[tokio::test(start_paused = true)]
    async fn a_process_that_was_stopped_notices_it_once_whoever_looks_first() {
        for the_keeper_first in [true, false] {
            let (news, mut woken) = mpsc::channel(1);
            let pulse = Pulse::default();
            let keeper = tokio::spawn(pulse.clone().keep(news));
            tokio::time::sleep(Duration::from_mins(10)).await;
            assert!(!pulse.missed() && woken.try_recv().is_err(), "it beats");
            keeper.abort();
            tokio::time::advance(SILENT).await;
            if the_keeper_first {
                assert!(pulse.beat(clock::wall()));
            }
            assert!(pulse.missed() && !pulse.missed());
        }
    }

    #[test]
    fn a_sleep_and_a_clock_that_was_set_are_noticed_once() {
        let mut gap = Gap::new(&Clock::live());
        let (steady, calendar) = (gap.steady, gap.calendar);
        let later = |s: u64| steady + Duration::from_secs(s);
        assert!(!gap.disagree(later(10), calendar + TimeDelta::seconds(11)));
        assert!(gap.disagree(later(20), calendar + TimeDelta::hours(3)), "the machine slept");
        assert!(!gap.disagree(later(30), calendar + TimeDelta::hours(3) + TimeDelta::seconds(10)));
        assert!(gap.disagree(later(40), calendar), "the clock was set back");
    }
}
