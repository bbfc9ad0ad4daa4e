//! When a cascade counts, and what of it: once it is due by its own waits, and through.
//!
//! Quiet hours, a pause or a full line put the later steps off, and with them the end of whoever stays silent; whoever
//! converts ends early all the same. So that those do not count first, everybody who was launched in the same hour counts
//! together, when all but one in twenty of them are through; the others count when they are. Who is held, or in doubt,
//! for a week beyond their time counts as they stand; who was never contacted keeps nobody waiting. Where an operator or
//! an edit set more than one in twenty of them aside after the draw, and not one person alone, those who had answered by
//! then are left, and none of that hour says anything about starts.

use crate::learning::DAY_MS;
use crate::learning::cut_short::{FEW, HOUR_MS, is_cut_short};
use crate::learning::ledger::{Item, Ledger, Span};
use crate::model::At;
use std::collections::HashMap;

/// How much longer than its waits a cascade is waited for.
const GRACE_MS: i64 = 7 * DAY_MS;

/// A cascade that counts.
pub(super) struct Finished {
    /// The day on which it began to.
    pub(super) day: i64,
    /// What came within its window.
    pub(super) converted: Option<Span>,
    pub(super) opted_out: bool,
    /// A conversion came after it.
    pub(super) is_late: bool,
    /// Too many of those who were launched with it were set aside: nothing is learnt about starts from the others.
    pub(super) is_cut_short: bool,
}

/// Until when something counts, from the launch on: to the cascade's own end, and at least to its maturity.
pub(super) fn limit_ms(ledger: &Ledger, item: &Item) -> i64 {
    let due = ledger.horizon_ms(item);
    item.closed.map_or(due, |closed| closed.ms().max(due)).min(due.saturating_add(GRACE_MS))
}

fn place(ledger: &Ledger, item: &Item) -> (usize, i64) {
    (ledger.arm_of(item).segment, item.launched_at.0.div_euclid(HOUR_MS))
}

/// When a cascade is through, or nobody waits for it any longer; milliseconds.
fn through(ledger: &Ledger, item: &Item) -> i64 {
    let last = ledger.horizon_ms(item).saturating_add(GRACE_MS);
    item.launched_at.0.saturating_add(item.closed.map_or(last, |closed| closed.ms().min(last)))
}

/// Those who were launched together, by segment and hour.
pub(super) struct Cohorts(HashMap<(usize, i64), Cohort>);

/// See [`Cohorts`].
#[derive(Clone, Copy)]
struct Cohort {
    /// When they are through.
    until: At,
    /// More than a few were set aside after their start was drawn: who is left is chosen by how they answered.
    is_cut_short: bool,
}

impl Cohorts {
    /// Looks at the cascades of these arms.
    pub(super) fn of(ledger: &Ledger, arms: &[bool]) -> Self {
        let mut open: HashMap<(usize, i64), (usize, usize, Vec<i64>)> = HashMap::new();
        // Nobody waits for whom an operator has set aside, nor for whom no message ever left.
        let counts = |item: &&Item| !item.unsent && (!item.forced || item.was_drawn);
        for item in ledger.items().filter(|item| arms[item.arm as usize]).filter(counts) {
            let (all, aside, late) = open.entry(place(ledger, item)).or_default();
            *all += 1;
            let through = through(ledger, item);
            if item.forced {
                *aside += 1;
            } else if through > item.launched_at.0.saturating_add(ledger.horizon_ms(item)) {
                late.push(through);
            }
        }
        let cohort = |(all, aside, mut late): (usize, usize, Vec<i64>)| {
            late.sort_unstable_by(|a, b| b.cmp(a));
            // A few who are held would keep a whole campaign from being learnt from.
            let until = late.get((all - aside) / FEW).copied().unwrap_or(i64::MIN);
            Cohort { until: At(until), is_cut_short: is_cut_short(all, aside) }
        };
        Self(open.into_iter().map(|(place, of)| (place, cohort(of))).collect())
    }

    /// See [`is_cut_short`].
    pub(super) fn is_cut_short(&self, ledger: &Ledger, item: &Item) -> bool {
        self.0.get(&place(ledger, item)).is_some_and(|cohort| cohort.is_cut_short)
    }

    /// One cascade, if it counts by `now`.
    pub(super) fn finished(&self, ledger: &Ledger, item: &Item, now: At) -> Option<Finished> {
        let cohort = self.0.get(&place(ledger, item));
        let due = At(item.launched_at.0.saturating_add(ledger.horizon_ms(item)));
        let counts_at = due.max(cohort.map_or(due, |cohort| cohort.until)).max(At(through(ledger, item)));
        let limit = limit_ms(ledger, item);
        let converted = item.converted.filter(|at| at.ms() <= limit);
        (counts_at <= now).then(|| Finished {
            day: counts_at.0.div_euclid(DAY_MS),
            converted,
            opted_out: item.opted_out.is_some_and(|at| at.ms() <= limit),
            is_late: item.converted.is_some() && converted.is_none(),
            is_cut_short: cohort.is_some_and(|cohort| cohort.is_cut_short),
        })
    }
}
