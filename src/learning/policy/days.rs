//! A segment's cells day by day: the last fortnight apart from everything before, so that a change is noticed.

use crate::learning::posterior::{Cell, PerStart, STARTS_MAX};
use std::collections::VecDeque;

/// Days that count as recent.
pub(super) const RECENT: i64 = 14;
/// Cascades that the recent days of a start must have for a test, and those before.
const ENOUGH: (f64, f64) = (40.0, 100.0);
/// The distance in standard errors that is a change.
const CHANGED: f64 = 3.5;

/// Cells since the last reset.
#[derive(Clone, Debug, Default)]
pub(super) struct Days {
    recent: VecDeque<(i64, [Cell; STARTS_MAX])>,
    before: [Cell; STARTS_MAX],
}

impl Days {
    /// Adds what matured on `day`; what is older than a fortnight by then joins what was before.
    pub(super) fn push(&mut self, day: i64, cells: &[Cell; STARTS_MAX]) {
        while let Some((_, old)) = self.recent.pop_front_if(|(at, _)| *at <= day - RECENT) {
            add(&mut self.before, &old);
        }
        self.recent.push_back((day, *cells));
    }

    /// All of it.
    pub(super) fn cells(&self) -> [Cell; STARTS_MAX] {
        let mut cells = self.lately();
        add(&mut cells, &self.before);
        cells
    }

    fn lately(&self) -> [Cell; STARTS_MAX] {
        let mut cells = [Cell::default(); STARTS_MAX];
        for (_, day) in &self.recent {
            add(&mut cells, day);
        }
        cells
    }

    /// Whether any start differs from what it was. `variance` is that of one cascade.
    pub(super) fn has_changed(&self, variance: &PerStart) -> bool {
        let (lately, before) = (self.lately(), &self.before);
        (0..STARTS_MAX).any(|c| {
            let (new, old) = (&lately[c], &before[c]);
            let (Some(mean), Some(was)) = (new.mean(), old.mean()) else { return false };
            let error = (variance[c] * (1.0 / new.n + 1.0 / old.n)).sqrt();
            new.n >= ENOUGH.0 && old.n >= ENOUGH.1 && (mean - was).abs() > CHANGED * error
        })
    }

    /// Whether any start has the traffic that [`Self::has_changed`] needs.
    pub(super) fn can_test(&self) -> bool {
        self.lately().iter().zip(&self.before).any(|(new, old)| new.n >= ENOUGH.0 && old.n >= ENOUGH.1)
    }

    /// Drops what is older than a fortnight.
    pub(super) fn forget_old(&mut self) {
        self.before = [Cell::default(); STARTS_MAX];
    }
}

fn add(to: &mut [Cell; STARTS_MAX], cells: &[Cell; STARTS_MAX]) {
    for (to, cell) in to.iter_mut().zip(cells) {
        *to += *cell;
    }
}
