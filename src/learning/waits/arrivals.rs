//! When the conversions of a window arrive within it, with bands.

use super::Z95;
use super::survival::Survival;

/// A share with its 95 % band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The estimate.
    pub share: f64,
    /// The band's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A time with its 95 % band, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time {
    /// The estimate.
    pub at_s: f64,
    /// The band's lower end.
    pub low_s: f64,
    /// Its upper end.
    pub high_s: f64,
}

/// The conversions of a window, by the time at which they arrive.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// What it is computed from.
    pub survival: Survival,
    /// The window under advice, in seconds.
    pub window_s: f64,
    /// Conversions within it.
    pub events: u64,
}

impl Arrivals {
    /// The arrivals within `window_s`.
    pub fn within(survival: Survival, window_s: f64) -> Self {
        let points = survival.points.iter().filter(|point| point.t_s <= window_s);
        let events = points.map(|point| point.events).sum();
        Self { survival, window_s, events }
    }

    /// The share of contacts that convert within the window.
    pub fn converted(&self) -> f64 {
        1.0 - self.survival.at(self.window_s).0
    }

    /// G: the share of the window's conversions that arrive by `t_s`.
    pub fn share(&self, t_s: f64) -> Share {
        if t_s >= self.window_s {
            return Share { share: 1.0, low: 1.0, high: 1.0 };
        }
        let (left, variance) = self.survival.at(t_s);
        let (left_at_end, variance_at_end) = self.survival.at(self.window_s);
        let (come, come_at_end) = (1.0 - left, 1.0 - left_at_end);
        let rare = 0.025_f64.powf(1.0 / self.events.max(1) as f64);
        if come <= 0.0 || come_at_end <= 0.0 {
            return Share { share: 0.0, low: 0.0, high: 1.0 - rare };
        }
        // No event after it within the window: the same steps, so that the quotient is exactly 1.
        if come >= come_at_end {
            return Share { share: 1.0, low: rare, high: 1.0 };
        }
        let share = come / come_at_end;
        let (by, by_end) = (-left / come_at_end, come * left_at_end / (come_at_end * come_at_end));
        let variance = by * by * variance + by_end * by_end * variance_at_end + 2.0 * by * by_end * variance;
        let scale = share * (1.0 - share);
        let (middle, swing) = ((share / (1.0 - share)).ln(), Z95 * variance.max(0.0).sqrt() / scale);
        let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
        Share { share, low: logistic(middle - swing), high: logistic(middle + swing) }
    }

    /// The first time by which a share `q` has arrived. The band's ends are looked for from there: its lower limit lies
    /// below the share, its upper one above.
    pub fn time(&self, q: f64) -> Time {
        let points = &self.survival.points;
        let points = &points[..points.partition_point(|point| point.t_s < self.window_s)];
        let share = |at: &usize| points.get(*at).map(|point| self.share(point.t_s));
        let at = points.partition_point(|point| self.share(point.t_s).share < q);
        let low = (0..at).rev().take_while(|at| share(at).is_some_and(|g| g.high >= q)).last().unwrap_or(at);
        let high = (at..points.len()).find(|at| share(at).is_some_and(|g| g.low >= q));
        let time =
            |at: Option<usize>| at.and_then(|at| points.get(at)).map_or(self.window_s, |point| point.t_s);
        Time { at_s: time(Some(at)), low_s: time(Some(low)), high_s: time(high) }
    }
}
