//! What a segment's record comes to: state, starts, how many more.

use super::count::{Counted, Counts, Tallies, Tally};
use super::{After, Basis, ExcludedBy, Look, SegmentAnswer, Settings, StartAnswer, figure, money, words};
use crate::learning::DAY_MS;
use crate::learning::policy::Watch;
use crate::learning::policy::draw::capped;
use crate::learning::policy::looks::{self, State, threshold};
use crate::learning::posterior::{Belief, PerStart};
use crate::model::{At, Channel, Money, Segment};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The normal quantile of a 90 % interval, and of one side at 95 %.
const Z90: f64 = 1.644_853_626_951_473;
/// The largest number of further cascades that is told.
const MORE_MAX: u64 = 5_000;
/// From this many on, the gap is told.
const GAP_FROM: f64 = 200.0;

/// Every segment's answer.
pub(super) fn all(
    settings: &Settings,
    counted: &Counted,
    naive: &BTreeMap<Segment, Channel>,
) -> Vec<SegmentAnswer> {
    let one = |of: &Counts| {
        let naive = naive.get(&of.segment).copied();
        match of.place {
            Some(place) => learnt(of, place, counted, settings, naive),
            None => unlearnt(of, counted, settings, naive),
        }
    };
    counted.segments.iter().map(one).collect()
}

/// A segment that is in no model: nothing was drawn at random, nothing has finished, or nothing has a value.
fn unlearnt(of: &Counts, counted: &Counted, settings: &Settings, naive: Option<Channel>) -> SegmentAnswer {
    let (state, tallies, excluded) = if of.is_random || total(&of.given) == 0 {
        (State::Learning, &of.drawn, of.excluded)
    } else {
        // These are what the segment has; what they cannot tell is said by the state.
        (State::NotIdentifiable, &of.given, ExcludedBy { not_drawn: 0, ..of.excluded })
    };
    let starts = Channel::ALL.iter().copied().filter(|c| tallies[c.index()].n > 0 || *c == of.incumbent);
    let mature = total(tallies) - if state == State::NotIdentifiable { of.excluded.forced } else { 0 };
    SegmentAnswer {
        segment: of.segment.clone(),
        mature,
        running: of.running,
        excluded: excluded.total(),
        excluded_by: excluded,
        state,
        incumbent: of.incumbent,
        leader: None,
        reason: words::unlearnt(of, state, mature, counted.basis, settings),
        next_look: looks::next(mature as f64).filter(|_| state == State::Learning),
        more_needed: None,
        gap_sd: None,
        expected_loss: None,
        exploring_cost: None,
        after_100: None,
        value: of.value.map(money),
        looked: None,
        naive_leader: naive,
        late_conversions: of.late,
        resets: Vec::new(),
        blind_to_change: true,
        starts: starts.map(|c| raw(c, &tallies[c.index()])).collect(),
    }
}

/// A segment with a posterior.
fn learnt(
    of: &Counts,
    place: usize,
    counted: &Counted,
    settings: &Settings,
    naive: Option<Channel>,
) -> SegmentAnswer {
    let (watch, belief) = (&counted.course.watches[place], &counted.course.posterior.segments[place]);
    let draws = counted.course.draws();
    let leader = belief.leader();
    let verdict = draws.judge(belief, looks::rival(belief, watch.incumbent), 0.0);
    let vector = vector(counted, place, settings);
    // A single start has nothing to be compared with: while others are drawn it has not yet, else it never will.
    let has_rival = belief.tried() > 1;
    let state = if belief.choices().count() < 2 { State::NotIdentifiable } else { state(watch, leader) };
    let sentence = words::Sentence { of, watch, belief, verdict: &verdict, state, counted };
    let after = has_rival.then(|| {
        let (p_leader_changes, gain) = draws.after(belief, 100.0);
        After { p_leader_changes: figure(p_leader_changes), gain_per_cascade: money(gain) }
    });
    let look = |looked: &crate::learning::policy::Looked| Look {
        mature: looked.count as u64,
        leader: counted.channels[looked.leader],
        p_best: figure(looked.p_best),
        asked: threshold(looked.count),
    };
    let row = |c: usize| {
        let channel = counted.channels[c];
        let row = start_row(channel, &of.kept[channel.index()], belief, &vector, c, watch.cells()[c].mean());
        let p_best = has_rival.then(|| figure(verdict.p_best[c]));
        StartAnswer { n_all: of.drawn[channel.index()].n, p_best, ..row }
    };
    SegmentAnswer {
        segment: of.segment.clone(),
        mature: watch.counted as u64,
        running: of.running,
        excluded: of.excluded.total(),
        excluded_by: of.excluded,
        state,
        incumbent: of.incumbent,
        leader: has_rival.then(|| counted.channels[leader]),
        reason: sentence.say(),
        next_look: looks::next(watch.counted).filter(|_| state != State::NotIdentifiable),
        more_needed: more_needed(belief, &vector).filter(|_| has_rival),
        gap_sd: (has_rival && watch.counted >= GAP_FROM).then(|| figure(gap_sd(belief))),
        expected_loss: has_rival.then(|| money(verdict.expected_loss)),
        exploring_cost: has_rival.then(|| money(exploring_cost(belief))),
        after_100: after,
        value: of.value.map(money),
        looked: watch.looked.as_ref().map(look),
        naive_leader: naive,
        late_conversions: of.late,
        resets: watch.resets.iter().map(|day| At(day * DAY_MS)).collect(),
        blind_to_change: !watch.can_notice(),
        starts: belief.choices().map(row).collect(),
    }
}

/// What the last look decided, as long as its leader leads.
fn state(watch: &Watch, leader: usize) -> State {
    match (watch.state, watch.looked) {
        (State::ChangeProposed | State::KeepProven, Some(look)) if look.leader != leader => State::Learning,
        (state, _) => state,
    }
}

/// The probabilities of the next draw, within what the rules let explore.
fn vector(counted: &Counted, place: usize, settings: &Settings) -> PerStart {
    let vector = counted.course.vector(place);
    let incumbent = counted.course.watches[place].incumbent;
    settings.explore.map_or(vector, |explore| capped(&vector, incumbent, explore))
}

fn total(tallies: &Tallies) -> u64 {
    tallies.iter().map(|tally| tally.n).sum()
}

fn raw(start: Channel, tally: &Tally) -> StartAnswer {
    let cost = money(tally.cost);
    StartAnswer {
        start,
        n: tally.n,
        n_all: tally.n,
        conversions: tally.conversions,
        opted_out: tally.opted_out,
        cost,
        cost_per_conversion: cost_per(tally),
        conversion_rate: (tally.n > 0).then(|| figure(tally.conversions as f64 / tally.n as f64)),
        net_raw_mean: None,
        net_mean: None,
        net_sd: None,
        net_low: None,
        net_high: None,
        p_best: None,
        propensity: None,
    }
}

fn cost_per(tally: &Tally) -> Option<Money> {
    let cost = money(tally.cost).0;
    cost.checked_div(Decimal::from(tally.conversions)).map(|cost| Money(cost.round_dp(4)))
}

fn start_row(
    start: Channel,
    tally: &Tally,
    belief: &Belief,
    vector: &PerStart,
    c: usize,
    raw_mean: Option<f64>,
) -> StartAnswer {
    let (mean, sd) = (belief.mean[c], belief.sd[c]);
    StartAnswer {
        net_raw_mean: raw_mean.map(money),
        net_mean: Some(money(mean)),
        net_sd: Some(money(sd)),
        net_low: Some(money(mean - Z90 * sd)),
        net_high: Some(money(mean + Z90 * sd)),
        propensity: Some(figure(vector[c])),
        ..raw(start, tally)
    }
}

/// The smallest number of further cascades, in tens, after which the leader would be ahead of every rival by 1.645
/// standard errors, if the gap is what it looks like and starts go on being drawn as they are.
fn more_needed(belief: &Belief, vector: &PerStart) -> Option<u64> {
    let leader = belief.leader();
    let rivals: Vec<usize> = belief.choices().filter(|c| *c != leader).collect();
    let is_sure = |more: u64| {
        let share = |c: usize| belief.variance[c] / (belief.n[c] + vector[c] * more as f64);
        rivals.iter().all(|&j| {
            let gap = belief.mean[leader] - belief.mean[j];
            gap / (share(leader) + share(j)).sqrt() >= Z90
        })
    };
    // More cascades never make it less sure.
    let tens: Vec<u64> = (0..=MORE_MAX / 10).collect();
    tens.get(tens.partition_point(|ten| !is_sure(ten * 10))).map(|ten| ten * 10)
}

/// The gap of the first two, in standard deviations of one cascade.
fn gap_sd(belief: &Belief) -> f64 {
    let leader = belief.leader();
    let others = belief.choices().filter(|c| *c != leader).map(|c| belief.mean[c]);
    let second = others.fold(f64::NEG_INFINITY, f64::max);
    let sds: f64 = belief.choices().map(|c| belief.variance[c].sqrt()).sum();
    (belief.mean[leader] - second) / (sds / belief.choices().count() as f64)
}

/// What was lost by not always using the start that leads now.
fn exploring_cost(belief: &Belief) -> f64 {
    let best = belief.mean[belief.leader()];
    belief.choices().map(|c| belief.n[c] * (best - belief.mean[c])).sum()
}

/// Whether starts are ranked by cost per conversion.
pub(super) const fn is_by_cost(basis: Basis) -> bool {
    matches!(basis, Basis::CostPerConversion)
}
