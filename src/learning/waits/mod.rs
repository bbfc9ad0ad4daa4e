//! How long a step should wait: when conversions arrive inside the window, with waits that still run and windows that
//! were once shorter taken for what they are.
//!
//! | module | what it holds |
//! |---|---|
//! | [`survival`] | Kaplan-Meier over contacts |
//! | [`arrivals`] | the share of a window's conversions that has arrived by a time |

pub mod arrivals;
pub mod survival;

use arrivals::{Arrivals, Share, Time};
use std::fmt;
use survival::{Contact, Followed, Survival};

/// The normal quantile of a 95 % band.
const Z95: f64 = 1.959_963_984_540_054;
/// Fewer conversions than this, or fewer contacts followed to the end, allow no advice.
const ENOUGH: u64 = 20;
/// A wait is changed only if it shrinks below this share of what it is.
const WORTH_IT: f64 = 0.8;
/// Suggestions are multiples of this.
const ROUND_S: f64 = 300.0;
/// A window is too short if surely more than this share of its conversions come after it.
const LATE_LIMIT: f64 = 0.15;

/// Whether there can be advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is enough to advise on.
    Ok,
    /// Fewer than 20 conversions within the window.
    TooFewConversions,
    /// Fewer than 20 contacts were followed to the end of the window.
    NotFollowedToTheEnd,
}
crate::model::words!(Status {
    Ok => "ok", TooFewConversions => "too_few_conversions", NotFollowedToTheEnd => "not_followed_to_the_end",
});

/// What the record says about a wait.
#[derive(Clone, Debug)]
pub struct Advice {
    /// Delivered contacts.
    pub contacts: u64,
    /// Contacts without a conversion that were followed to the end of the window.
    pub followed: u64,
    /// The arrivals, with the number of conversions within the window.
    pub arrivals: Arrivals,
    /// Whether there can be advice.
    pub status: Status,
    /// When 80, 90 and 95 % of the conversions have arrived.
    pub t80: Time,
    /// See [`Self::t80`].
    pub t90: Time,
    /// See [`Self::t80`].
    pub t95: Time,
    /// The longest window that the record can tell of; at least the one under advice.
    pub known_s: f64,
    /// When 90 % of the conversions within that one have arrived.
    pub t90_known: Time,
    /// The wait that still catches those 90 %, on the safe side; `None` without advice. Were they 90 % of a window that
    /// was itself made shorter on advice, each advice that is followed would bring the next, and each would lose a tenth.
    pub suggested_s: Option<f64>,
    /// Whether a still shorter one would do, by these contacts alone.
    pub is_floor: bool,
    /// Whether it is so much shorter that a change is worth it.
    pub suggest_change: bool,
    /// Conversions after the window under advice as a share of all by these messages.
    pub late: Option<Share>,
    /// Surely too many conversions come after the window: it was cut too short.
    pub too_short: bool,
    /// Conversions within the window that the suggested wait would have met with the next message already sent.
    pub after_suggestion: u64,
}

impl Advice {
    /// What contacts say about a window of `window_s`.
    pub fn on(contacts: &[Contact], window_s: f64) -> Self {
        Self::of(&contacts.iter().copied().collect(), window_s, &[], 0.0)
    }

    /// The same of contacts that were summed up, some of which may have waited longer; nothing shorter than `floor_s` is
    /// suggested.
    pub fn of(followed: &Followed, window_s: f64, longer_s: &[f64], floor_s: f64) -> Self {
        let can_tell = |longer_s: &f64| *longer_s > window_s && followed.to_the_end(*longer_s) >= ENOUGH;
        let known_s = longer_s.iter().copied().filter(can_tell).fold(window_s, f64::max);
        let known = Arrivals::within(Survival::of(followed), known_s);
        let t90_known = known.time(0.90);
        let arrivals = Arrivals::within(known.survival, window_s);
        let to_the_end = followed.to_the_end(window_s);
        let status = if arrivals.events < ENOUGH {
            Status::TooFewConversions
        } else if to_the_end < ENOUGH {
            Status::NotFollowedToTheEnd
        } else {
            Status::Ok
        };
        let (t80, t90, t95) = (arrivals.time(0.80), arrivals.time(0.90), arrivals.time(0.95));
        let enough_s = (t90_known.high_s / ROUND_S).ceil() * ROUND_S;
        let rounded = enough_s.max(floor_s).min(window_s);
        let suggested_s = (status == Status::Ok).then_some(rounded);
        let all = followed.conversions();
        let late = (all > 0).then(|| wilson(followed.late(window_s) as f64, all as f64));
        Self {
            contacts: followed.contacts(),
            followed: to_the_end,
            status,
            t80,
            t90,
            t95,
            known_s,
            t90_known,
            suggested_s,
            is_floor: enough_s < rounded,
            suggest_change: suggested_s.is_some_and(|s| s < WORTH_IT * window_s),
            too_short: late.is_some_and(|late| late.low > LATE_LIMIT),
            late,
            after_suggestion: followed.events_between(rounded, window_s),
            arrivals,
        }
    }
}

/// The share `hits / all` with Wilson's band.
pub fn wilson(hits: f64, all: f64) -> Share {
    let (share, z2) = (hits / all, Z95 * Z95);
    let middle = (share + z2 / (2.0 * all)) / (1.0 + z2 / all);
    let swing = Z95 * (share * (1.0 - share) / all + z2 / (4.0 * all * all)).sqrt() / (1.0 + z2 / all);
    Share { share, low: (middle - swing).max(0.0), high: (middle + swing).min(1.0) }
}
