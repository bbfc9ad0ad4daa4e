//! What replications come to on average.

use super::trial::{RIGHT_AT, Setting, Tale, Worth, is_same};

/// Counts up to which proposals are judged.
const BY: [f64; 2] = [500.0, 2000.0];

/// Averages over segments and replications.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The share in which the recommendation was right at each of [`RIGHT_AT`]; `None` where no segment got there.
    pub right_at: [Option<f64>; RIGHT_AT.len()],
    /// The same for each segment.
    pub right_by_segment: Vec<[Option<f64>; RIGHT_AT.len()]>,
    /// Regret of a segment over its first 500 cascades.
    pub regret_500: Option<f64>,
    /// Regret of a segment over all.
    pub regret: f64,
    /// The same of Thompson sampling (Beta) on conversions.
    pub regret_yardstick: f64,
    /// What proposals were worth.
    pub proposals: Proposals,
    /// How a drift was found, if one changes a winner.
    pub drift: Option<Found>,
    /// The share of segments whose older data was dropped before any drift.
    pub false_resets: f64,
}

/// Shares of segments and replications with such a proposal, within the first 500 cascades and 2000.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposals {
    /// A right one; of segments whose start is not right already. `None`: all are.
    pub right: Option<[f64; 2]>,
    /// One that loses.
    pub worse: [f64; 2],
    /// One that changes nothing.
    pub unfounded: [f64; 2],
    /// The worst segment's share of losing ones.
    pub worse_worst: [f64; 2],
}

/// How soon a new winner was recommended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Median days; `None` if half of the runs never did.
    pub median_days: Option<f64>,
    /// The day by which nine of ten did.
    pub p90_days: Option<f64>,
    /// The share that did.
    pub share: f64,
}

/// Sums up replications: tales of ours by segment, and the yardstick's regrets.
pub(super) fn of(setting: &Setting, trials: &[(Vec<Tale>, Vec<f64>)]) -> Figures {
    let tales = || trials.iter().flat_map(|(tales, _)| tales);
    let segments = 0..setting.people.len();
    let right_by_segment =
        segments.clone().map(|s| right(trials.iter().filter_map(|(tales, _)| tales.get(s))));
    let yardstick = trials.iter().flat_map(|(_, regrets)| regrets.iter().copied());
    Figures {
        right_at: right(tales()),
        right_by_segment: right_by_segment.collect(),
        regret_500: mean(tales().filter_map(|tale| tale.regret_500)),
        regret: mean(tales().map(|tale| tale.regret)).unwrap_or(0.0),
        regret_yardstick: mean(yardstick).unwrap_or(0.0),
        proposals: proposals(setting, trials),
        drift: found(setting, trials),
        false_resets: mean(tales().map(|tale| share(tale.resets_before > 0))).unwrap_or(0.0),
    }
}

fn right<'a>(tales: impl Iterator<Item = &'a Tale> + Clone) -> [Option<f64>; RIGHT_AT.len()] {
    let mut out = [None; RIGHT_AT.len()];
    for (at, out) in out.iter_mut().enumerate() {
        *out = mean(tales.clone().filter_map(|tale| tale.right[at]).map(share));
    }
    out
}

fn proposals(setting: &Setting, trials: &[(Vec<Tale>, Vec<f64>)]) -> Proposals {
    let has = |tale: &Tale, by: f64, what: Worth| {
        share(tale.proposals.iter().any(|(count, worth)| *count <= by && *worth == what))
    };
    let of = |what: Worth, s: usize, by: f64| {
        let tales = trials.iter().filter_map(|(tales, _)| tales.get(s));
        mean(tales.map(|tale| has(tale, by, what))).unwrap_or(0.0)
    };
    let all: Vec<usize> = (0..setting.people.len()).collect();
    let open: Vec<usize> =
        all.iter().copied().filter(|s| !setting.is_right(*s, 0, setting.incumbent)).collect();
    let over = |segments: &[usize], what: Worth| {
        BY.map(|by| mean(segments.iter().map(|s| of(what, *s, by))).unwrap_or(0.0))
    };
    let worst = |by: f64| all.iter().map(|s| of(Worth::Worse, *s, by)).fold(0.0, f64::max);
    Proposals {
        right: (!open.is_empty()).then(|| over(&open, Worth::Right)),
        worse: over(&all, Worth::Worse),
        unfounded: over(&all, Worth::False),
        worse_worst: BY.map(worst),
    }
}

fn found(setting: &Setting, trials: &[(Vec<Tale>, Vec<f64>)]) -> Option<Found> {
    let moved = (0..setting.people.len()).filter(|s| !is_same(setting, *s));
    let mut days: Vec<f64> = moved
        .flat_map(|s| trials.iter().filter_map(move |(tales, _)| tales.get(s)))
        .map(|tale| tale.found_days.unwrap_or(f64::INFINITY))
        .collect();
    days.sort_by(f64::total_cmp);
    let at = |q: f64| {
        let place = ((days.len() as f64 * q).ceil() as usize).saturating_sub(1);
        days.get(place).copied().filter(|day| day.is_finite())
    };
    let share = mean(days.iter().map(|day| share(day.is_finite())))?;
    Some(Found { median_days: at(0.5), p90_days: at(0.9), share })
}

fn share(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}
