//! One replication: a campaign over all batches of a scenario, run by a policy.

use super::people::People;
use crate::learning::policy::Course;
use crate::learning::policy::looks::State;
use crate::learning::posterior::{Cell, PerStart, STARTS_MAX};
use crate::model::{Allocation, Channel};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution as _};

/// Counts at which the recommendation is held against the truth.
pub const RIGHT_AT: [u32; 5] = [100, 200, 300, 500, 1000];
/// Batches until the outcomes of one are known.
const LAG: usize = 2;

/// A scenario, ready to be run.
#[derive(Clone, Debug)]
pub struct Setting {
    /// People of each segment, before the drift and after.
    pub people: Vec<[People; 2]>,
    /// Expected nets of each segment's starts, before the drift and after.
    pub nets: Vec<[PerStart; 2]>,
    /// Launches of each segment in a batch.
    pub per_batch: Vec<usize>,
    /// How many batches there are.
    pub batches: usize,
    /// The first batch after the drift.
    pub drift_batch: usize,
    /// How many starts there are.
    pub starts: usize,
    /// Today's start.
    pub incumbent: usize,
    /// Differences up to this are none.
    pub tie_tol: f64,
    /// What a conversion is worth.
    pub value: f64,
    /// Days from one batch to the next.
    pub batch_days: f64,
}

impl Setting {
    fn phase(&self, batch: usize) -> usize {
        usize::from(batch >= self.drift_batch)
    }

    /// The best net of a segment.
    pub fn best(&self, segment: usize, phase: usize) -> f64 {
        let nets = self.nets[segment][phase].iter().take(self.starts);
        nets.copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Whether a start is as good as any.
    pub fn is_right(&self, segment: usize, phase: usize, start: usize) -> bool {
        self.nets[segment][phase][start] >= self.best(segment, phase) - self.tie_tol
    }
}

/// What a proposal was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// As good as any start, and better than today's.
    Right,
    /// Better than today's, and not the best.
    Better,
    /// Neither better nor worse than today's.
    False,
    /// Worse than today's.
    Worse,
}

/// What came of one segment in one replication.
#[derive(Clone, Debug, Default)]
pub struct Tale {
    /// Whether the recommendation was right at each of [`RIGHT_AT`], as far as it got before any drift.
    pub right: [Option<bool>; RIGHT_AT.len()],
    /// Regret over the first 500 cascades, if there were as many.
    pub regret_500: Option<f64>,
    /// Regret over all.
    pub regret: f64,
    /// Proposals with the count of mature cascades at which they were made.
    pub proposals: Vec<(f64, Worth)>,
    /// Days from the drift until the new winner was recommended; `None` before that, or without a change of winner.
    pub found_days: Option<f64>,
    /// How often older data was dropped.
    pub resets: usize,
    /// Of those, how often before any drift.
    pub resets_before: usize,
    /// Mature cascades.
    pub counted: f64,
}

/// What matured in a batch, by segment.
type Batch = Vec<[Cell; STARTS_MAX]>;

/// Keeps a segment's regret.
#[derive(Clone, Debug, Default)]
struct Regret {
    launched: u32,
    sum: f64,
    at_500: Option<f64>,
}

impl Regret {
    fn add(&mut self, lost: f64) {
        self.launched += 1;
        self.sum += lost;
        if self.launched == 500 {
            self.at_500 = Some(self.sum);
        }
    }
}

/// Launches one batch of a segment. `choose` draws a start; `booked` hears what came of each.
fn launch(
    setting: &Setting,
    (segment, batch): (usize, usize),
    regret: &mut Regret,
    rng: &mut ChaCha8Rng,
    mut choose: impl FnMut(&mut ChaCha8Rng) -> usize,
) -> ([Cell; STARTS_MAX], PerStart) {
    let phase = setting.phase(batch);
    let (people, nets) = (&setting.people[segment][phase], &setting.nets[segment][phase]);
    let best = setting.best(segment, phase);
    let (mut cells, mut conversions) = ([Cell::default(); STARTS_MAX], PerStart::default());
    for _ in 0..setting.per_batch[segment] {
        let start = choose(rng);
        let lived = people.live(start, rng);
        cells[start].add(lived.net);
        conversions[start] += f64::from(u8::from(lived.converted));
        regret.add(best - nets[start]);
    }
    (cells, conversions)
}

/// Runs the policy of this house.
pub fn ours(setting: &Setting, rng: &mut ChaCha8Rng) -> Vec<Tale> {
    let count = setting.people.len();
    let mut course = Course::new(setting.starts, &vec![setting.incumbent; count], 0.02 * setting.value);
    let (mut tales, mut regrets) = (vec![Tale::default(); count], vec![Regret::default(); count]);
    let mut launched: Vec<Batch> = Vec::with_capacity(setting.batches);
    for batch in 0..setting.batches + LAG {
        if let Some(known) = batch.checked_sub(LAG).and_then(|known| launched.get(known)) {
            mature(setting, &mut course, batch, known, &mut tales);
        }
        if batch < setting.batches {
            let mut cells = Batch::with_capacity(count);
            for (segment, regret) in regrets.iter_mut().enumerate() {
                // Drawn as a launch draws; a start's place stands for its channel.
                let vector = Channel::ALL.iter().copied().zip(course.vector(segment));
                let (from, incumbent) = (Allocation::of(vector), course.watches[segment].incumbent);
                let choose = |rng: &mut ChaCha8Rng| {
                    let drawn = from.as_ref().and_then(|from| from.draw(rng.random()));
                    drawn.map_or(incumbent, |(start, _)| start.index())
                };
                cells.push(launch(setting, (segment, batch), regret, rng, choose).0);
            }
            launched.push(cells);
        }
    }
    for ((tale, watch), regret) in tales.iter_mut().zip(&course.watches).zip(regrets) {
        (tale.regret, tale.regret_500) = (regret.sum, regret.at_500);
        (tale.resets, tale.counted) = (watch.resets.len(), watch.counted);
        let drift_day = setting.drift_batch.saturating_add(LAG) as f64 * setting.batch_days;
        tale.resets_before = watch.resets.iter().filter(|day| (**day as f64) < drift_day).count();
    }
    tales
}

/// Takes in the batch whose outcomes are known, and holds what is recommended against the truth.
fn mature(setting: &Setting, course: &mut Course, batch: usize, known: &Batch, tales: &mut [Tale]) {
    let before: Vec<f64> = course.watches.iter().map(|watch| watch.counted).collect();
    let today = (batch as f64 * setting.batch_days).floor() as i64;
    let phase = setting.phase(batch);
    let mut proposed = Vec::new();
    course.day(today, known, |segment, watch| {
        if let (State::ChangeProposed, Some(look)) = (watch.state, watch.looked) {
            proposed.push((segment, look.leader));
        }
    });
    for (segment, start) in proposed {
        let watch = &mut course.watches[segment];
        let nets = &setting.nets[segment][phase];
        let gain = nets[start] - nets[watch.incumbent];
        let worth = match gain {
            worse if worse < -setting.tie_tol => Worth::Worse,
            none if none <= setting.tie_tol => Worth::False,
            _ if setting.is_right(segment, phase, start) => Worth::Right,
            _ => Worth::Better,
        };
        tales[segment].proposals.push((watch.counted, worth));
        // The operator takes it.
        watch.incumbent = start;
    }
    for (segment, tale) in tales.iter_mut().enumerate() {
        let (was, now) = (before[segment], course.watches[segment].counted);
        let recommended = course.posterior.segments[segment].leader();
        for (right, at) in tale.right.iter_mut().zip(RIGHT_AT) {
            if was < f64::from(at) && f64::from(at) <= now && batch < setting.drift_batch.saturating_add(LAG)
            {
                *right = Some(setting.is_right(segment, 0, recommended));
            }
        }
        let has_moved = batch >= setting.drift_batch && !is_same(setting, segment);
        if has_moved && tale.found_days.is_none() && setting.is_right(segment, 1, recommended) {
            tale.found_days = Some((batch - setting.drift_batch) as f64 * setting.batch_days);
        }
    }
}

/// Whether a segment has the same winners before and after the drift.
pub fn is_same(setting: &Setting, segment: usize) -> bool {
    (0..setting.starts).all(|c| setting.is_right(segment, 0, c) == setting.is_right(segment, 1, c))
}

/// Runs Thompson sampling on conversions with a flat Beta prior, a draw for every launch: the yardstick. Gives the
/// regret of each segment.
pub fn yardstick(setting: &Setting, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let count = setting.people.len();
    let mut known = vec![[(1.0, 1.0); STARTS_MAX]; count];
    let mut regrets = vec![Regret::default(); count];
    let mut launched: Vec<Vec<(PerStart, PerStart)>> = Vec::with_capacity(setting.batches);
    for batch in 0..setting.batches {
        if let Some(outcomes) = batch.checked_sub(LAG).and_then(|at| launched.get(at)) {
            for (known, (hits, misses)) in known.iter_mut().zip(outcomes) {
                for (c, (alpha, beta)) in known.iter_mut().enumerate() {
                    *alpha += hits[c];
                    *beta += misses[c];
                }
            }
        }
        let mut outcomes = Vec::with_capacity(count);
        for (segment, regret) in regrets.iter_mut().enumerate() {
            let laws = known[segment].map(|(alpha, beta)| Beta::new(alpha, beta).ok());
            let choose = |rng: &mut ChaCha8Rng| {
                let mut drawn = [f64::NEG_INFINITY; STARTS_MAX];
                for (drawn, law) in drawn.iter_mut().zip(&laws).take(setting.starts) {
                    *drawn = law.as_ref().map_or(0.0, |law| law.sample(rng));
                }
                crate::learning::posterior::leader(&drawn, setting.starts)
            };
            let (cells, hits) = launch(setting, (segment, batch), regret, rng, choose);
            let mut misses = PerStart::default();
            for c in 0..setting.starts {
                misses[c] = cells[c].n - hits[c];
            }
            outcomes.push((hits, misses));
        }
        launched.push(outcomes);
    }
    regrets.into_iter().map(|regret| regret.sum).collect()
}
