//! The model for one given tau: a linear mixed model with known variances. The segments' effects are eliminated one by
//! one, so that what is left to invert has a row per start, however many segments there are.

use super::{Among, BETA, Cell, Component, N_MIN, PerStart, STARTS_MAX, Spread, TAU_SCALE, places};
use nalgebra::{SMatrix, SVector};

type Square = SMatrix<f64, STARTS_MAX, STARTS_MAX>;
type Row = SVector<f64, STARTS_MAX>;

/// What one tau says.
pub(super) struct Fit {
    /// The likelihood of the data with its prior, up to a constant.
    pub(super) log_likelihood: f64,
    /// A component per segment, without its weight.
    pub(super) segments: Vec<Component>,
}

/// A segment's cells as the model sees them; zero where it has no such start.
struct Seen {
    among: Among,
    mean: PerStart,
    variance: PerStart,
    /// `1 / (v + tau^2)`
    weight: Row,
    /// The sum of the weights: the segment's place on the diagonal of A.
    total: f64,
    /// The weighted mean.
    level: f64,
}

impl Seen {
    fn of(cells: &[Cell; STARTS_MAX], variances: &PerStart, among: Among, tau2: f64) -> Self {
        let (mut mean, mut variance, mut weight) = (PerStart::default(), PerStart::default(), Row::zeros());
        for c in places(among) {
            mean[c] = cells[c].mean().unwrap_or(0.0);
            variance[c] = variances[c] / cells[c].n.max(N_MIN);
            weight[c] = 1.0 / (variance[c] + tau2);
        }
        let total = weight.sum();
        let level = weight.dot(&Row::from(mean)) / total;
        Self { among, mean, variance, weight, total, level }
    }
}

/// The common effects of the starts: their estimates, covariance, and the determinant of A.
struct Common {
    beta: Row,
    covariance: Square,
    log_det: f64,
}

/// Fits alpha and beta by weighted least squares, and shrinks each cell towards its fit.
pub(super) fn given(cells: &[[Cell; STARTS_MAX]], among: &[Among], spread: &Spread, ratio: f64) -> Fit {
    let tau2 = (ratio * spread.sd).powi(2);
    let beta2 = (BETA * spread.sd).powi(2);
    let rows = cells.iter().zip(&spread.variance).zip(among);
    let seen: Vec<Seen> =
        rows.map(|((row, variance), among)| Seen::of(row, variance, *among, tau2)).collect();
    let common = if seen.len() > 1 { common(&seen, beta2) } else { alone(&seen) };
    let mut log_likelihood = -0.5 * common.log_det - 0.5 * (ratio / TAU_SCALE).powi(2);
    log_likelihood -= 0.5 * common.beta.norm_squared() / beta2;
    let mut segments = Vec::with_capacity(seen.len());
    for row in &seen {
        let alpha = row.level - row.weight.dot(&common.beta) / row.total;
        for c in places(row.among) {
            let residual = row.mean[c] - alpha - common.beta[c];
            log_likelihood += 0.5 * row.weight[c].ln() - 0.5 * row.weight[c] * residual * residual;
        }
        segments.push(shrink(row, tau2, alpha, &common));
    }
    Fit { log_likelihood, segments }
}

/// One segment has nobody to share effects with.
fn alone(seen: &[Seen]) -> Common {
    let log_det = seen.iter().map(|row| row.total.ln()).sum();
    Common { beta: Row::zeros(), covariance: Square::zeros(), log_det }
}

/// The Schur complement of the segments' effects in A, solved.
fn common(seen: &[Seen], beta2: f64) -> Common {
    let (mut complement, mut pull, mut log_det) = (Square::identity(), Row::zeros(), 0.0);
    // A start that no segment has is the same unknown whatever tau is.
    for c in (0..STARTS_MAX).filter(|c| seen.iter().any(|row| row.among[*c])) {
        complement[(c, c)] = 1.0 / beta2;
    }
    for row in seen {
        complement += Square::from_diagonal(&row.weight) - row.weight * row.weight.transpose() / row.total;
        pull += row.weight.component_mul(&(Row::from(row.mean).add_scalar(-row.level)));
        log_det += row.total.ln();
    }
    let Some(factor) = complement.cholesky() else { return alone(seen) };
    log_det += 2.0 * factor.l_dirty().diagonal().map(f64::ln).sum();
    let covariance = factor.inverse();
    Common { beta: covariance * pull, covariance, log_det }
}

/// A segment's component: each cell between its own mean and its fit.
fn shrink(row: &Seen, tau2: f64, alpha: f64, common: &Common) -> Component {
    let (mut mean, mut covariance) = (PerStart::default(), [PerStart::default(); STARTS_MAX]);
    let keep = |c: usize| tau2 / (tau2 + row.variance[c]);
    // Blocks of A^-1: of the segment's effect with the starts', and its own.
    let with = -(common.covariance * row.weight) / row.total;
    let own = 1.0 / row.total - with.dot(&row.weight) / row.total;
    for i in places(row.among) {
        let k = keep(i);
        mean[i] = k * row.mean[i] + (1.0 - k) * (alpha + common.beta[i]);
        for j in places(row.among) {
            let of_fits = own + with[i] + with[j] + common.covariance[(i, j)];
            covariance[i][j] = (1.0 - k) * (1.0 - keep(j)) * of_fits;
        }
        covariance[i][i] += k * row.variance[i];
    }
    Component { weight: 1.0, mean, covariance }
}
