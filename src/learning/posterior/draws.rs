//! Probabilities about a belief that have no closed form, from a fixed set of well-spread points: a rerun changes
//! nothing, and two thousand of them are as good as many times as many random draws.

use super::{Among, Belief, Component, PerStart, STARTS_MAX, best, places};

/// Points for each value of tau; with each, its mirror image.
const POINTS: usize = 2048;
/// A component of less weight than this changes no figure that anybody sees.
const NEGLIGIBLE: f64 = 1e-7;

const PRIMES: [u64; 4] = [2, 3, 5, 7];

/// Standard normal points for a number of starts.
#[derive(Clone, Debug)]
pub struct Draws {
    points: Vec<PerStart>,
}

/// What the draws say about a belief.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Verdict {
    /// The probability of each start to be the best.
    pub p_best: PerStart,
    /// The probability that the leader beats the start it was compared with.
    pub p_beats: f64,
    /// The probability that it beats it by less than the margin.
    pub p_within: f64,
    /// What choosing the leader now costs per cascade if that is wrong: E[max mu - mu of the leader].
    pub expected_loss: f64,
}

impl Draws {
    /// Halton's sequence in as many dimensions as there are starts, made normal, with the mirror image of each point, so
    /// that means are exact.
    pub fn new(starts: usize) -> Self {
        let starts = starts.clamp(1, STARTS_MAX);
        let mut points = Vec::with_capacity(2 * POINTS);
        for at in 0..POINTS {
            let mut point = PerStart::default();
            for (c, out) in point.iter_mut().enumerate().take(starts) {
                *out = quantile(radical_inverse(at as u64 + 1, PRIMES[c]));
            }
            points.push(point);
            points.push(point.map(|z| -z));
        }
        Self { points }
    }

    /// Calls `see` with draws from the belief, `count` for each component, and their weights, which sum to 1.
    fn each(&self, belief: &Belief, count: usize, mut see: impl FnMut(f64, &PerStart)) {
        let kept: f64 =
            belief.components.iter().map(|part| part.weight).filter(|weight| *weight > NEGLIGIBLE).sum();
        for part in belief.components.iter().filter(|part| part.weight > NEGLIGIBLE) {
            let factor = factor(part, belief.among);
            let rows = belief.choices().last().map_or(0, |last| last + 1);
            let weight = part.weight / kept / count.min(self.points.len()) as f64;
            for point in self.points.iter().take(count) {
                let mut draw = part.mean;
                for (row, out) in factor.iter().zip(draw.iter_mut()).take(rows) {
                    *out += row.iter().zip(point).map(|(l, z)| l * z).sum::<f64>();
                }
                see(weight, &draw);
            }
        }
    }

    /// Judges the leader, against `incumbent` with a margin.
    pub fn judge(&self, belief: &Belief, incumbent: usize, margin: f64) -> Verdict {
        let ahead = belief.leader();
        let mut verdict = Verdict::default();
        self.each(belief, self.points.len(), |weight, draw| {
            let highest = best(draw, &belief.among);
            verdict.p_best[highest] += weight;
            verdict.expected_loss += weight * (draw[highest] - draw[ahead]);
            let gain = draw[ahead] - draw[incumbent];
            verdict.p_beats += if gain > 0.0 { weight } else { 0.0 };
            verdict.p_within += if gain < margin { weight } else { 0.0 };
        });
        verdict
    }

    /// The share of draws in which each start is best, once every draw's distance from the posterior mean was shrunk by
    /// `shrink`. For drawing starts: needs no more draws than one look at one component.
    pub fn shares(&self, belief: &Belief, shrink: f64) -> PerStart {
        let mut shares = PerStart::default();
        self.each(belief, self.points.len() / belief.components.len().max(1), |weight, draw| {
            let mut near = belief.mean;
            for (near, draw) in near.iter_mut().zip(draw) {
                *near += shrink * (draw - *near);
            }
            shares[best(&near, &belief.among)] += weight;
        });
        shares
    }

    /// What `more` further cascades, spread evenly over the starts, could tell: the probability that the leader
    /// changes, and the expected gain per cascade.
    pub fn after(&self, belief: &Belief, more: f64) -> (f64, f64) {
        let (now, starts) = (belief.leader(), belief.choices().count());
        let mut moves = PerStart::default();
        for c in belief.choices() {
            let variance = belief.sd[c].powi(2);
            moves[c] = variance / (variance + belief.variance[c] / (more / starts as f64)).sqrt();
        }
        let (mut changes, mut highest) = (0.0, 0.0);
        let weight = 1.0 / self.points.len() as f64;
        for point in &self.points {
            let mut future = belief.mean;
            for ((mean, step), z) in future.iter_mut().zip(&moves).zip(point) {
                *mean += step * z;
            }
            let then = best(&future, &belief.among);
            changes += if then == now { 0.0 } else { weight };
            highest += weight * future[then];
        }
        (changes, (highest - belief.mean[now]).max(0.0))
    }
}

/// The lower Cholesky factor of a component's covariance.
fn factor(part: &Component, among: Among) -> [PerStart; STARTS_MAX] {
    let mut l = [PerStart::default(); STARTS_MAX];
    for i in places(among) {
        for j in places(among).take_while(|j| *j <= i) {
            let known: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            let rest = part.covariance[i][j] - known;
            l[i][j] = if i == j {
                rest.max(0.0).sqrt()
            } else if l[j][j] > 0.0 {
                rest / l[j][j]
            } else {
                0.0
            };
        }
    }
    l
}

/// The digits of a number in a base, mirrored at the point.
fn radical_inverse(mut number: u64, base: u64) -> f64 {
    let (mut value, mut place) = (0.0, 1.0);
    while number > 0 {
        place /= base as f64;
        value += (number % base) as f64 * place;
        number /= base;
    }
    value
}

/// The standard normal quantile, by Acklam's rational approximation; off by a billionth at most.
pub fn quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
        1.0,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        0.007_784_695_709_041_462,
        0.322_467_129_070_039_8,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    let value = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * p.max(f64::MIN_POSITIVE).ln()).sqrt();
        value(&C, q) / value(&D, q)
    };
    if p < 0.024_25 {
        tail(p)
    } else if p > 1.0 - 0.024_25 {
        -tail(1.0 - p)
    } else {
        let q = p - 0.5;
        q * value(&A, q * q) / value(&B, q * q)
    }
}
