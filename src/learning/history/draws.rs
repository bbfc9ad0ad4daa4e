//! Which draws a file may tell of: its rows have no word for who was set aside after theirs.

use super::{Cascade, reached};
use crate::learning::cut_short::{HOUR_MS, is_cut_short};
use crate::model::{Segment, Untrusted};
use std::collections::HashMap;

/// Those who were launched together, as the statistics have them.
type Together = (Segment, Untrusted, i64);

/// Counts who was set aside, so that the others of their hour lose their draws in the file as they do in the statistics.
#[derive(Debug, Default)]
pub struct Draws(HashMap<Together, (usize, usize)>);

impl Draws {
    /// Looks at a cascade of the record. Everybody is looked at before anybody is written.
    pub fn see(&mut self, cascade: &Cascade) {
        let was_drawn = cascade.propensity.is_some_and(|p| p < 1.0);
        if cascade.steps.iter().any(reached) && (!cascade.forced || was_drawn) {
            let (all, aside) = self.0.entry(together(cascade)).or_default();
            *all += 1;
            *aside += usize::from(cascade.forced);
        }
    }

    /// The cascade as the file may tell of it.
    pub fn told(&self, cascade: Cascade) -> Cascade {
        let cut = self.0.get(&together(&cascade)).is_some_and(|(all, aside)| is_cut_short(*all, *aside));
        Cascade { propensity: cascade.propensity.filter(|_| !cut), ..cascade }
    }
}

fn together(cascade: &Cascade) -> Together {
    let hour = cascade.launched_at.0.div_euclid(HOUR_MS);
    (cascade.segment.clone(), cascade.rules.clone(), hour)
}
