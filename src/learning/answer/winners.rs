//! Segments with another winner, and what waiting costs.

use super::count::{Counted, Counts, Tally};
use super::{Freshness, SegmentAnswer, Settings, Winner, figure, money, words};
use crate::learning::DAY_MS;
use crate::learning::ledger::Ledger;
use crate::learning::policy::looks::State;
use crate::learning::posterior::draws::quantile;
use crate::model::Channel;

/// The probability with which a segment's winner must beat the common one.
const SURE: f64 = 0.95;

/// Segments whose decided start is not the one that is best over all, and surely beats it there.
pub(super) fn all(counted: &Counted, segments: &[SegmentAnswer]) -> Vec<Winner> {
    let Some(common) = counted.best_overall() else { return Vec::new() };
    let looks = counted.segments.iter().zip(segments);
    looks.filter_map(|(of, answer)| one(of, answer, common, counted)).collect()
}

fn one(of: &Counts, answer: &SegmentAnswer, against: Channel, counted: &Counted) -> Option<Winner> {
    let decided = matches!(answer.state, State::ChangeProposed | State::KeepProven);
    let start = answer.leader.filter(|start| decided && *start != against)?;
    let place = counted.channels.iter().position(|c| *c == against)?;
    let belief = &counted.course.posterior.segments[of.place?];
    // Where nobody can start with the common winner, there is no question.
    if !belief.among[place] {
        return None;
    }
    let probability = counted.course.draws().judge(belief, place, 0.0).p_beats;
    if probability < SURE {
        return None;
    }
    // One interval for each segment that was looked at.
    let z = -quantile(0.025 / counted.segments.len().max(1) as f64);
    let tally = of.kept[start.index()];
    let here = ratio(&tally, &of.kept[against.index()], z);
    let others = counted.segments.iter().filter(|other| other.segment != of.segment);
    let others = others.fold(Tally::default(), |sum, other| {
        let more = other.kept[start.index()];
        Tally { n: sum.n + more.n, conversions: sum.conversions + more.conversions, ..sum }
    });
    let than_others = ratio(&tally, &others, z);
    Some(Winner {
        segment: of.segment.clone(),
        start,
        against,
        ratio: here.map(|[ratio, _, _]| ratio),
        low: here.map(|[_, low, _]| low),
        high: here.map(|[_, _, high]| high),
        probability: figure(probability),
        reason: words::winner(of, start, against, than_others, probability),
        than_others,
    })
}

/// How many times as often the first converts as the second: ratio, and its limits on the logarithm's scale.
fn ratio(first: &Tally, second: &Tally, z: f64) -> Option<[f64; 3]> {
    if first.conversions == 0 || second.conversions == 0 {
        return None;
    }
    let share = |tally: &Tally| tally.conversions as f64 / tally.n as f64;
    let variance = |tally: &Tally| (1.0 - share(tally)) / tally.conversions as f64;
    let ratio = share(first) / share(second);
    let swing = (z * (variance(first) + variance(second)).sqrt()).exp();
    Some([figure(ratio), figure(ratio / swing), figure(ratio * swing)])
}

/// How old the rules in force are, and what 30 more days without the proposed changes cost.
pub(super) fn freshness(
    ledger: &Ledger,
    settings: &Settings,
    counted: &Counted,
    segments: &[SegmentAnswer],
) -> Freshness {
    let (mut proposed, mut lost) = (0, 0.0);
    for (of, answer) in counted.segments.iter().zip(segments) {
        if let (State::ChangeProposed, Some(place)) = (answer.state, of.place) {
            let (belief, watch) = (&counted.course.posterior.segments[place], &counted.course.watches[place]);
            proposed += 1;
            lost += (belief.mean[belief.leader()] - belief.mean[watch.incumbent]) * of.lately as f64;
        }
    }
    let days = counted.since.map(|since| (settings.now.0 - since.0).max(0) as f64 / DAY_MS as f64);
    let cost = (!ledger.is_empty()).then(|| money(lost));
    Freshness {
        rules_hash: counted.rules.clone(),
        days: days.map(|days| (days * 10.0).round() / 10.0),
        cascades: counted.cascades,
        cost_of_not_changing: cost,
        reason: words::freshness(counted, days, (proposed, lost), settings),
    }
}
