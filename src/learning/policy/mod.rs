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
use super::posterior::{Belief, Cell, PerStart, Posterior, STARTS_MAX, fit};
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
    /// The statistics in force.
    pub fn cells(&self) -> [Cell; STARTS_MAX] {
        self.days.cells()
    }

    /// Whether there is enough traffic to notice a change of any start.
    pub fn can_notice(&self) -> bool {
        self.days.can_test()
    }
}

/// All segments on their way through the days, and what is believed now.
#[derive(Clone, Debug)]
pub struct Course {
    starts: usize,
    /// Margin below which a difference is of no practical use: 2 % of value.
    margin: f64,
    draws: Draws,
    /// In the order in which they were added.
    pub watches: Vec<Watch>,
    /// What is believed since the last day; empty before the first.
    pub posterior: Posterior,
}

impl Course {
    /// Begins with segments whose rules have these starts.
    pub fn new(starts: usize, incumbents: &[usize], margin: f64) -> Self {
        let watch = |&incumbent: &usize| Watch {
            days: Days::default(),
            counted: 0.0,
            incumbent,
            state: State::Learning,
            looked: None,
            resets: Vec::new(),
        };
        let watches: Vec<Watch> = incumbents.iter().map(watch).collect();
        let posterior = fit(&vec![[Cell::default(); STARTS_MAX]; watches.len()], starts);
        Self { starts, margin, draws: Draws::new(starts), watches, posterior }
    }

    /// Takes in what matured on a day, one row of cells per segment; `seen` hears of every look.
    pub fn day(&mut self, day: i64, matured: &[[Cell; STARTS_MAX]], mut seen: impl FnMut(usize, &Watch)) {
        let mut before = Vec::with_capacity(self.watches.len());
        for (watch, cells) in self.watches.iter_mut().zip(matured) {
            before.push(watch.counted);
            watch.counted += cells.iter().map(|cell| cell.n).sum::<f64>();
            watch.days.push(day, cells);
        }
        self.fit();
        let mut has_reset = false;
        for (watch, belief) in self.watches.iter_mut().zip(&self.posterior.segments) {
            if watch.days.has_changed(&belief.variance, self.starts) {
                watch.days.forget_old();
                watch.resets.push(day);
                (watch.state, watch.looked) = (State::Learning, None);
                has_reset = true;
            }
        }
        if has_reset {
            self.fit();
        }
        for (s, before) in before.into_iter().enumerate() {
            let (watch, belief) = (&mut self.watches[s], &self.posterior.segments[s]);
            if looks::is_crossed(before, watch.counted) {
                let rival = looks::rival(belief, watch.incumbent);
                let verdict = self.draws.judge(belief, rival, self.margin);
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

    fn fit(&mut self) {
        let rows: Vec<[Cell; STARTS_MAX]> = self.watches.iter().map(Watch::cells).collect();
        self.posterior = fit(&rows, self.starts);
    }
}
