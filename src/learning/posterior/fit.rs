//! The model for one given tau: a linear mixed model with known variances, solved by a small dense Cholesky.

use super::{BETA, Cell, Component, N_MIN, PerStart, STARTS_MAX, Spread, TAU_SCALE};
use nalgebra::{DMatrix, DVector};

/// What one tau says.
pub(super) struct Fit {
    /// The likelihood of the data with its prior, up to a constant.
    pub(super) log_likelihood: f64,
    /// A component per segment, without its weight.
    pub(super) segments: Vec<Component>,
}

/// A cell as the model sees it.
struct Seen {
    mean: f64,
    variance: f64,
    weight: f64,
}

/// Fits alpha and beta by weighted least squares, and shrinks each cell towards its fit.
pub(super) fn given(cells: &[[Cell; STARTS_MAX]], starts: usize, spread: &Spread, ratio: f64) -> Fit {
    let tau2 = (ratio * spread.sd).powi(2);
    let beta2 = (BETA * spread.sd).powi(2);
    let seen: Vec<Vec<Seen>> = cells
        .iter()
        .zip(&spread.variance)
        .map(|(row, variances)| {
            row.iter()
                .zip(variances)
                .take(starts)
                .map(|(cell, variance)| {
                    let variance = variance / cell.n.max(N_MIN);
                    Seen { mean: cell.mean().unwrap_or(0.0), variance, weight: 1.0 / (variance + tau2) }
                })
                .collect()
        })
        .collect();
    let (inverse, effects, log_det) = least_squares(&seen, starts, beta2);
    let count = seen.len();
    // With one segment there are no common effects of starts to estimate.
    let beta = |c: usize| if count > 1 { effects[count + c] } else { 0.0 };
    let mut log_likelihood = -0.5 * log_det - 0.5 * (ratio / TAU_SCALE).powi(2);
    for c in 0..starts {
        log_likelihood -= 0.5 * beta(c).powi(2) / beta2;
    }
    let mut segments = Vec::with_capacity(count);
    for (s, row) in seen.iter().enumerate() {
        for (c, cell) in row.iter().enumerate() {
            let residual = cell.mean - effects[s] - beta(c);
            log_likelihood += 0.5 * cell.weight.ln() - 0.5 * cell.weight * residual * residual;
        }
        segments.push(shrink(s, row, tau2, count, &inverse, |c| effects[s] + beta(c)));
    }
    Fit { log_likelihood, segments }
}

/// `A^-1`, the effects (alphas, then betas) and `log det A`.
fn least_squares(seen: &[Vec<Seen>], starts: usize, beta2: f64) -> (DMatrix<f64>, DVector<f64>, f64) {
    let count = seen.len();
    let size = if count > 1 { count + starts } else { count };
    let mut a: DMatrix<f64> = DMatrix::zeros(size, size);
    let mut b = DVector::zeros(size);
    for (s, row) in seen.iter().enumerate() {
        for (c, cell) in row.iter().enumerate() {
            let pull = cell.weight * cell.mean;
            a[(s, s)] += cell.weight;
            b[s] += pull;
            if count > 1 {
                let beta = count + c;
                a[(beta, beta)] += cell.weight;
                a[(s, beta)] += cell.weight;
                a[(beta, s)] += cell.weight;
                b[beta] += pull;
            }
        }
    }
    for beta in count..size {
        a[(beta, beta)] += 1.0 / beta2;
    }
    match a.cholesky() {
        Some(factor) => {
            let log_det = 2.0 * factor.l_dirty().diagonal().iter().map(|d: &f64| d.ln()).sum::<f64>();
            let inverse = factor.inverse();
            let effects = &inverse * b;
            (inverse, effects, log_det)
        }
        // Every weight is positive, so that A is positive definite; rounding alone could say otherwise.
        None => (DMatrix::zeros(size, size), DVector::zeros(size), 0.0),
    }
}

/// A segment's component: each cell between its own mean and its fit.
fn shrink(
    s: usize,
    row: &[Seen],
    tau2: f64,
    count: usize,
    inverse: &DMatrix<f64>,
    fitted: impl Fn(usize) -> f64,
) -> Component {
    let (mut mean, mut covariance) = (PerStart::default(), [PerStart::default(); STARTS_MAX]);
    let keep = |cell: &Seen| tau2 / (tau2 + cell.variance);
    // The covariance of two fits: x' C x with x = 1 at the segment's alpha and at the start's beta.
    let of_fits = |i: usize, j: usize| {
        let betas = if count > 1 {
            inverse[(s, count + j)] + inverse[(count + i, s)] + inverse[(count + i, count + j)]
        } else {
            0.0
        };
        inverse[(s, s)] + betas
    };
    for (i, cell) in row.iter().enumerate() {
        let k = keep(cell);
        mean[i] = k * cell.mean + (1.0 - k) * fitted(i);
        for (j, other) in row.iter().enumerate() {
            covariance[i][j] = (1.0 - k) * (1.0 - keep(other)) * of_fits(i, j);
        }
        covariance[i][i] += k * cell.variance;
    }
    Component { weight: 1.0, mean, covariance }
}
