//! What is done with a belief: how tomorrow's starts are drawn, when a change may be proposed, when old data is dropped.
//! The simulator and the record of real campaigns go through the same [`Course`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`draw`] | the probabilities with which starts are drawn |
//! | [`looks`] | the scheduled looks, and what one decides |
//! | `days` | a segment's cells day by day, and the reset after a change |

mod days;
pub mod draw;
pub mod looks;

use super::posterior::draws::Draws;
use super::posterior::{Among, Belief, Cell, PerStart, Posterior, STARTS_MAX, first, fit_among};
use days::Days;
use looks::State;

/// A scheduled look at a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Looked {
    /// Mature cascades at it.
    pub count: f64,
    /// The start that led.
    pub leader: usize,
    /// Its probability to be best.
    pub p_best: f64,
}

/// One segment on its way through the days.
#[derive(Clone, Debug)]
pub struct Watch {
    days: Days,
    /// The starts that it can choose between.
    among: Among,
    /// Margin below which a difference is of no practical use here: 2 % of value.
    margin: f64,
    /// Mature cascades since the beginning; a reset does not stop the count.
    pub counted: f64,
    /// The start that the rules have.
    pub incumbent: usize,
    /// What the last look decided.
    pub state: State,
    /// The last look, if there was one since the last reset.
    pub looked: Option<Looked>,
    /// The days on which older data was dropped.
    pub resets: Vec<i64>,
}

impl Watch {
    /// Begins with a segment of these starts, whose rules have this one.
    pub fn new(among: Among, incumbent: usize, margin: f64) -> Self {
        Self {
            days: Days::default(),
            among,
            margin,
            counted: 0.0,
            incumbent,
            state: State::Learning,
            looked: None,
            resets: Vec::new(),
        }
    }

    /// The statistics in force.
    pub fn cells(&self) -> [Cell; STARTS_MAX] {
        self.days.cells()
    }

    /// The first day whose cascades still count: what matured before the last reset's fortnight was dropped.
    pub fn since(&self) -> Option<i64> {
        self.resets.last().map(|day| day - days::RECENT + 1)
    }

    /// Whether there is enough traffic to notice a change of any start.
    pub fn can_notice(&self) -> bool {
        self.days.can_test()
    }
}

/// All segments on their way through the days, and what is believed now.
#[derive(Clone, Debug)]
pub struct Course {
    draws: Draws,
    /// In the order in which they were added.
    pub watches: Vec<Watch>,
    /// What is believed since the last day; empty before the first.
    pub posterior: Posterior,
}

impl Course {
    /// Begins with segments that all have the first `starts`, and whose rules have these ones.
    pub fn new(starts: usize, incumbents: &[usize], margin: f64) -> Self {
        let watch = |&incumbent: &usize| Watch::new(first(starts), incumbent, margin);
        Self::of(starts, incumbents.iter().map(watch).collect())
    }

    /// Begins with segments, each with its own of the first `starts`.
    pub fn of(starts: usize, watches: Vec<Watch>) -> Self {
        let posterior = fitted(&watches);
        Self { draws: Draws::new(starts), watches, posterior }
    }

    /// Takes in what matured on a day, one row of cells per segment; `seen` hears of every look.
    pub fn day(&mut self, day: i64, matured: &[[Cell; STARTS_MAX]], mut seen: impl FnMut(usize, &Watch)) {
        let mut before = Vec::with_capacity(self.watches.len());
        for (watch, cells) in self.watches.iter_mut().zip(matured) {
            before.push(watch.counted);
            watch.counted += cells.iter().map(|cell| cell.n).sum::<f64>();
            watch.days.push(day, cells);
        }
        self.posterior = fitted(&self.watches);
        let mut has_reset = false;
        for (watch, belief) in self.watches.iter_mut().zip(&self.posterior.segments) {
            if watch.days.has_changed(&belief.variance) {
                watch.days.forget_old();
                watch.resets.push(day);
                (watch.state, watch.looked) = (State::Learning, None);
                has_reset = true;
            }
        }
        if has_reset {
            self.posterior = fitted(&self.watches);
        }
        for (s, before) in before.into_iter().enumerate() {
            let (watch, belief) = (&mut self.watches[s], &self.posterior.segments[s]);
            if looks::is_crossed(before, watch.counted) {
                let rival = looks::rival(belief, watch.incumbent);
                let verdict = self.draws.judge(belief, rival, watch.margin);
                watch.state = looks::decide(belief, &verdict, watch.counted, watch.incumbent);
                let leader = belief.leader();
                watch.looked = Some(Looked { count: watch.counted, leader, p_best: verdict.p_best[leader] });
                seen(s, watch);
            }
        }
    }

    /// The probabilities with which a segment's next starts are drawn.
    pub fn vector(&self, segment: usize) -> PerStart {
        let belief: &Belief = &self.posterior.segments[segment];
        draw::vector(belief, &self.draws)
    }

    /// The points behind every probability.
    pub const fn draws(&self) -> &Draws {
        &self.draws
    }
}

fn fitted(watches: &[Watch]) -> Posterior {
    let rows: Vec<[Cell; STARTS_MAX]> = watches.iter().map(Watch::cells).collect();
    let among: Vec<Among> = watches.iter().map(|watch| watch.among).collect();
    fit_among(&rows, &among)
}
