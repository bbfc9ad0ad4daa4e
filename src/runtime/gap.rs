//! Noticing that time went on without us: a suspended laptop, or a clock that was set.

use crate::clock::{self, Clock};
use crate::model::At;
use std::time::Instant;

/// The two clocks may disagree by less than this.
const LEAST_MS: i128 = 60_000;

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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use std::time::Duration;

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
