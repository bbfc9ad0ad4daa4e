//! The scheduled looks. Each is another chance to be wrong, so that there are few, and only they may propose.

use crate::learning::posterior::draws::Verdict;
use crate::learning::posterior::{Belief, best};
use std::fmt;

/// Mature cascades of a segment at which it is looked at.
pub const LOOKS: [u32; 9] = [200, 300, 450, 700, 1000, 1500, 2000, 3000, 4500];
/// Up to this many, the lower threshold holds.
const EARLY: f64 = 500.0;
/// P(best) that an early look asks for, and a later one.
const SURE: (f64, f64) = (0.95, 0.98);
/// Mature cascades that every start has at a look that decides.
pub const TRIED: f64 = 20.0;
/// The probability of no practical difference that is enough to say so.
const SAME: f64 = 0.90;

/// What a segment's record comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is sure yet.
    #[default]
    Learning,
    /// Another start is better.
    ChangeProposed,
    /// The rules' start is best.
    KeepProven,
    /// Leader and rival differ by less than anybody would notice.
    NoPracticalDifference,
    /// Starts were not drawn at random: no amount of such data can tell.
    NotIdentifiable,
}
crate::model::words!(State {
    Learning => "learning", ChangeProposed => "change_proposed", KeepProven => "keep_proven",
    NoPracticalDifference => "no_practical_difference", NotIdentifiable => "not_identifiable",
});

/// Whether a look lies between two counts. A count that jumps past several has one look.
pub fn is_crossed(before: f64, now: f64) -> bool {
    LOOKS.iter().any(|look| before < f64::from(*look) && f64::from(*look) <= now)
}

/// The first look after a count.
pub fn next(count: f64) -> Option<u32> {
    LOOKS.into_iter().find(|look| f64::from(*look) > count)
}

/// P(best) that a look at this count asks for.
pub const fn threshold(count: f64) -> f64 {
    if count <= EARLY { SURE.0 } else { SURE.1 }
}

/// Whom the leader is compared with: the rules' start, or the second if that leads itself.
pub fn rival(belief: &Belief, incumbent: usize) -> usize {
    let ahead = belief.leader();
    if ahead != incumbent {
        return incumbent;
    }
    let mut rest = belief.mean;
    rest[ahead] = f64::NEG_INFINITY;
    best(&rest, &belief.among)
}

/// What a look decides.
pub fn decide(belief: &Belief, verdict: &Verdict, count: f64, incumbent: usize) -> State {
    let ahead = belief.leader();
    let is_tried = belief.choices().all(|c| belief.n[c] >= TRIED);
    // A winner has somebody to win against.
    if !is_tried || belief.choices().count() < 2 {
        State::Learning
    } else if verdict.p_best[ahead] >= threshold(count) {
        if ahead == incumbent { State::KeepProven } else { State::ChangeProposed }
    } else if verdict.p_within >= SAME {
        State::NoPracticalDifference
    } else {
        State::Learning
    }
}
