//! The probabilities with which starts are drawn: more for what is likely best, something for everything.

use crate::learning::posterior::draws::Draws;
use crate::learning::posterior::{Belief, PerStart};

/// How far draws are pulled towards the posterior mean; 1 would explore longer than a segment lives.
const SHRINK: f64 = 0.7;
/// What is spread evenly.
const EVEN: f64 = 0.05;
/// A start with fewer mature cascades is not known at all...
const KNOWN: f64 = 15.0;
/// ...unless the segment has this many.
const SEGMENT_KNOWN: f64 = 90.0;

/// The vector of a segment, before any cap.
pub fn vector(belief: &Belief, draws: &Draws) -> PerStart {
    let mut vector = PerStart::default();
    let n = || belief.choices().map(|c| belief.n[c]);
    let is_new = n().sum::<f64>() < SEGMENT_KNOWN && n().any(|n| n < KNOWN);
    let shares = if is_new { PerStart::default() } else { draws.shares(belief, SHRINK) };
    let even = if is_new { 1.0 } else { EVEN };
    for c in belief.choices() {
        vector[c] = (1.0 - even) * shares[c] + even / n().count() as f64;
    }
    vector
}

/// Scales a vector towards the rules' start, so that no more than a share `explore` is drawn away from it.
pub fn capped(vector: &PerStart, start: usize, explore: f64) -> PerStart {
    let total: f64 = vector.iter().sum();
    let away = total - vector[start];
    if away <= explore {
        return *vector;
    }
    let mut out = vector.map(|p| p * explore / away);
    out[start] = total - explore;
    out
}
