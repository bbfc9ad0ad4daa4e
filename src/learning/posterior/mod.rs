//! What is believed about the expected net of every start in every segment: a hierarchical normal model, in which small
//! segments borrow from the others and small cells borrow their variance.
//!
//! ```text
//! mu = alpha(segment) + beta(start) + delta(segment, start)
//! alpha flat;   beta ~ N(0, (0.25 sd)^2);   delta ~ N(0, tau^2), tau on a grid, weighted by its likelihood
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | `fit` | the closed forms for one tau |
//! | [`draws`] | probabilities that have no closed form, from the same points in every run |

pub mod draws;
mod fit;

/// Most starts that a segment can choose between: one for each channel.
pub const STARTS_MAX: usize = crate::model::Channel::ALL.len();
/// One number for each start; those that are no start of the segment are unused.
pub type PerStart = [f64; STARTS_MAX];
/// The starts that a segment can choose between.
pub type Among = [bool; STARTS_MAX];

/// How many cascades the pooled variance counts for in a cell.
const NU: f64 = 20.0;
/// The spread of the starts' common effects, in standard deviations of one cascade.
const BETA: f64 = 0.25;
/// tau in standard deviations of one cascade, and the trapezoid weight of each.
const TAUS: [(f64, f64); 5] = [(0.10, 0.05), (0.15, 0.05), (0.20, 0.075), (0.30, 0.125), (0.45, 0.15)];
/// tau with one segment, which has nobody to borrow from.
const TAU_ALONE: [(f64, f64); 1] = [(0.25, 1.0)];
/// The scale of the flat-ish prior on tau.
const TAU_SCALE: f64 = 9.0;
/// A cell without cascades counts as this many.
const N_MIN: f64 = 0.001;

/// The sufficient statistics of the nets in one cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    /// Cascades.
    pub n: f64,
    /// The sum of their nets.
    pub sum: f64,
    /// The sum of the squares.
    pub sum_of_squares: f64,
}

impl Cell {
    /// Adds one net.
    pub fn add(&mut self, net: f64) {
        self.n += 1.0;
        self.sum += net;
        self.sum_of_squares += net * net;
    }

    /// The plain mean, if there is one.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0.0).then(|| self.sum / self.n)
    }

    fn dof(&self) -> f64 {
        (self.n - 1.0).max(0.0)
    }

    /// The squares around the mean.
    fn squares(&self) -> f64 {
        self.mean().map_or(0.0, |mean| (self.sum_of_squares - self.sum * mean).max(0.0))
    }
}

impl std::ops::AddAssign for Cell {
    fn add_assign(&mut self, other: Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
    }
}

/// What is believed about one segment, for one tau.
#[derive(Clone, Copy, Debug)]
pub struct Component {
    /// How much of the belief it is; all of a segment's sum to 1.
    pub weight: f64,
    /// Expected nets.
    pub mean: PerStart,
    /// Their covariance.
    pub covariance: [PerStart; STARTS_MAX],
}

/// What is believed about one segment.
#[derive(Clone, Debug)]
pub struct Belief {
    /// The starts that it can choose between.
    pub among: Among,
    /// The mixture over tau.
    pub components: Vec<Component>,
    /// Posterior means of the expected net.
    pub mean: PerStart,
    /// Posterior standard deviations.
    pub sd: PerStart,
    /// The variance of one cascade in each cell.
    pub variance: PerStart,
    /// Cascades in each cell.
    pub n: PerStart,
}

impl Belief {
    /// The start with the highest posterior mean.
    pub fn leader(&self) -> usize {
        best(&self.mean, &self.among)
    }

    /// The places of its starts.
    pub fn choices(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        places(self.among)
    }

    /// How many of its starts have any cascade.
    pub fn tried(&self) -> usize {
        self.choices().filter(|c| self.n[*c] > 0.0).count()
    }
}

/// The first so many starts.
pub fn first(starts: usize) -> Among {
    std::array::from_fn(|c| c < starts)
}

/// The places of these starts.
pub fn places(among: Among) -> impl Iterator<Item = usize> + Clone {
    (0..STARTS_MAX).filter(move |c| among[*c])
}

/// The place of the highest of the first `starts` numbers.
pub fn leader(values: &PerStart, starts: usize) -> usize {
    best(values, &first(starts))
}

/// The place of the highest number among these starts.
pub fn best(values: &PerStart, among: &Among) -> usize {
    let mut best = None;
    for (c, value) in values.iter().enumerate() {
        if among[c] && best.is_none_or(|best: usize| *value > values[best]) {
            best = Some(c);
        }
    }
    best.unwrap_or(0)
}

/// What is believed about all segments together.
#[derive(Clone, Debug)]
pub struct Posterior {
    /// The pooled standard deviation of one cascade's net.
    pub sd: f64,
    /// tau / sd and its weight.
    pub taus: Vec<(f64, f64)>,
    /// In the order of the cells.
    pub segments: Vec<Belief>,
}

/// Fits the model to one row of cells per segment, `starts` of each in use.
pub fn fit(cells: &[[Cell; STARTS_MAX]], starts: usize) -> Posterior {
    fit_among(cells, &vec![first(starts.clamp(1, STARTS_MAX)); cells.len()])
}

/// The same where each segment has starts of its own: what one cannot start with is in none of its figures.
pub fn fit_among(cells: &[[Cell; STARTS_MAX]], among: &[Among]) -> Posterior {
    let spread = Spread::of(cells, among);
    let grid: &[(f64, f64)] = if cells.len() == 1 { &TAU_ALONE } else { &TAUS };
    let fits: Vec<fit::Fit> =
        grid.iter().map(|&(ratio, _)| fit::given(cells, among, &spread, ratio)).collect();
    let highest = fits.iter().map(|fit| fit.log_likelihood).fold(f64::NEG_INFINITY, f64::max);
    let raw: Vec<f64> = fits
        .iter()
        .zip(grid)
        .map(|(fit, &(_, width))| (fit.log_likelihood - highest).exp() * width)
        .collect();
    let total: f64 = raw.iter().sum();
    let weights: Vec<f64> = raw.iter().map(|weight| weight / total).collect();
    let segments = cells.iter().zip(among).enumerate();
    let segments = segments.map(|(s, (row, among))| mix(s, row, *among, &spread, &fits, &weights)).collect();
    let taus = grid.iter().zip(&weights).map(|(&(ratio, _), &weight)| (ratio, weight)).collect();
    Posterior { sd: spread.sd, taus, segments }
}

fn mix(
    segment: usize,
    cells: &[Cell; STARTS_MAX],
    among: Among,
    spread: &Spread,
    fits: &[fit::Fit],
    weights: &[f64],
) -> Belief {
    let components: Vec<Component> = fits
        .iter()
        .zip(weights)
        .map(|(fit, &weight)| Component { weight, ..fit.segments[segment] })
        .collect();
    let (mut mean, mut sd, mut n) = (PerStart::default(), PerStart::default(), PerStart::default());
    for c in places(among) {
        n[c] = cells[c].n;
        mean[c] = components.iter().map(|part| part.weight * part.mean[c]).sum();
        let variance: f64 = components
            .iter()
            .map(|part| part.weight * (part.covariance[c][c] + (part.mean[c] - mean[c]).powi(2)))
            .sum();
        sd[c] = variance.sqrt();
    }
    Belief { among, components, mean, sd, variance: spread.variance[segment], n }
}

/// How much single cascades vary.
struct Spread {
    sd: f64,
    variance: Vec<PerStart>,
}

impl Spread {
    fn of(cells: &[[Cell; STARTS_MAX]], among: &[Among]) -> Self {
        let sums = |(row, among): (&[Cell; STARTS_MAX], &Among)| {
            let own = places(*among).map(|c| &row[c]);
            own.fold((0.0, 0.0), |(squares, dof), cell| (squares + cell.squares(), dof + cell.dof()))
        };
        let rows: Vec<(f64, f64)> = cells.iter().zip(among).map(sums).collect();
        let (squares, dof) = rows.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        // Nets that are all alike still need a scale, or nothing below can be divided by it.
        let pool = (squares / dof.max(1.0)).max(1e-12);
        let of_cell = |cell: &Cell, own: f64| (NU * own + cell.squares()) / (NU + cell.dof());
        let variance = cells.iter().zip(&rows).map(|(row, &(squares, dof))| {
            let own = (squares + NU * pool) / (dof + NU);
            let mut out = PerStart::default();
            for (out, cell) in out.iter_mut().zip(row) {
                *out = of_cell(cell, own);
            }
            out
        });
        Self { sd: pool.sqrt(), variance: variance.collect() }
    }
}
