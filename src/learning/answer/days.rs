//! What began to count on each day, by segment and start.

use super::count::Tallies;
use super::mature::Finished;
use crate::learning::ledger::Item;
use crate::learning::posterior::{Cell, STARTS_MAX};
use crate::model::Channel;
use std::collections::HashMap;
use std::ops::AddAssign;

/// Nets, each weighted by the inverse of its probability.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weighted {
    weights: f64,
    nets: f64,
}

impl Weighted {
    /// Their mean, the weights made to sum to 1.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.weights > 0.0).then(|| self.nets / self.weights)
    }
}

impl AddAssign for Weighted {
    fn add_assign(&mut self, other: Self) {
        self.weights += other.weights;
        self.nets += other.nets;
    }
}

/// Of one segment, by channel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfDay {
    nets: [Cell; Channel::ALL.len()],
    pub(super) tallies: Tallies,
    pub(super) weighted: [Weighted; Channel::ALL.len()],
}

impl OfDay {
    /// Takes in a cascade with what it was worth.
    pub(super) fn add(&mut self, start: Channel, item: &Item, finished: &Finished, net: f64) {
        self.nets[start.index()].add(net);
        self.tallies[start.index()].add(item, finished);
        let weight = item.propensity.map_or(0.0, |p| 1.0 / f64::from(p));
        self.weighted[start.index()] += Weighted { weights: weight, nets: weight * net };
    }

    /// The nets in the order of the course.
    pub(super) fn cells(&self, channels: &[Channel]) -> [Cell; STARTS_MAX] {
        let mut cells = [Cell::default(); STARTS_MAX];
        for (cell, channel) in cells.iter_mut().zip(channels) {
            *cell = self.nets[channel.index()];
        }
        cells
    }
}

impl AddAssign for OfDay {
    fn add_assign(&mut self, other: Self) {
        for c in 0..Channel::ALL.len() {
            self.nets[c] += other.nets[c];
            self.tallies[c] += other.tallies[c];
            self.weighted[c] += other.weighted[c];
        }
    }
}

/// A row for each segment of the course.
type Rows = Vec<OfDay>;

/// All days.
pub(super) struct Days {
    rows: usize,
    all: Vec<(i64, Rows)>,
    places: HashMap<i64, usize>,
    /// The day that was asked for last: cascades mostly stand in their order.
    last: (i64, usize),
}

impl Days {
    pub(super) fn new(rows: usize) -> Self {
        Self { rows, all: Vec::new(), places: HashMap::new(), last: (i64::MIN, 0) }
    }

    pub(super) fn on(&mut self, day: i64) -> &mut Rows {
        if self.last.0 != day {
            let place = *self.places.entry(day).or_insert(self.all.len());
            if place == self.all.len() {
                self.all.push((day, vec![OfDay::default(); self.rows]));
            }
            self.last = (day, place);
        }
        &mut self.all[self.last.1].1
    }

    pub(super) fn in_order(mut self) -> Vec<(i64, Rows)> {
        self.all.sort_unstable_by_key(|(day, _)| *day);
        self.all
    }
}
