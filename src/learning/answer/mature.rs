//! When a cascade counts, and what of it: once it is due by its own waits, and through.
//!
//! Quiet hours, a pause or a full line put the later steps off, and with them the end of whoever stays silent; whoever
//! converts ends early all the same. So that those do not count first, everybody who was launched in the same hour counts
//! together, when all but one in twenty of them are through; the others count when they are. Who is held, or in doubt,
//! for a week beyond their time counts as they stand; who was never contacted keeps nobody waiting.

use super::count::DAY_MS;
use crate::learning::ledger::{Item, Ledger, Span};
use crate::model::At;

/// How much longer than its waits a cascade is waited for.
const GRACE_MS: i64 = 7 * DAY_MS;
/// Cascades that were launched together.
const HOUR_MS: i64 = 3_600_000;
/// For one in so many nobody waits: a few who are held would keep a whole campaign from being learnt from.
const PATIENCE: usize = 20;
/// So many hours are told apart; in a longer record more than one count together.
const HOURS_MAX: i64 = 1 << 16;

/// A cascade that counts.
pub(super) struct Finished {
    /// The day on which it began to.
    pub(super) day: i64,
    /// What came within its window.
    pub(super) converted: Option<Span>,
    pub(super) opted_out: bool,
    /// A conversion came after it.
    pub(super) is_late: bool,
}

/// Until when something counts, from the launch on: to the cascade's own end, and at least to its maturity.
pub(super) fn limit_ms(ledger: &Ledger, item: &Item) -> i64 {
    let due = ledger.horizon_ms(item);
    item.closed.map_or(due, |closed| closed.ms().max(due)).min(due.saturating_add(GRACE_MS))
}

/// When a cascade is through, or nobody waits for it any longer; milliseconds.
fn through(ledger: &Ledger, item: &Item) -> i64 {
    let last = ledger.horizon_ms(item).saturating_add(GRACE_MS);
    item.launched_at.0.saturating_add(item.closed.map_or(last, |closed| closed.ms().min(last)))
}

/// When those who were launched together are through.
pub(super) struct Cohorts {
    first: i64,
    width: i64,
    /// By segment, then by the hour of the launch.
    until: Vec<Vec<At>>,
}

impl Cohorts {
    /// Looks at the cascades of these arms, which were launched between these times.
    pub(super) fn of(ledger: &Ledger, arms: &[bool], (first, last): (At, At)) -> Self {
        let width = (last.0.saturating_sub(first.0) / HOURS_MAX).max(HOUR_MS);
        let hours = (last.0.saturating_sub(first.0).max(0) / width) as usize + 1;
        let mut cohorts = Self { first: first.0, width, until: Vec::new() };
        let mut late = vec![vec![(0_usize, Vec::new()); hours]; ledger.segments.len()];
        // Nobody waits for whom an operator has left aside, nor for whom no message ever left.
        for item in ledger.items().filter(|item| arms[item.arm as usize] && !item.forced && !item.unsent) {
            let (segment, hour) = cohorts.place(ledger, item);
            let (all, late) = &mut late[segment][hour];
            *all += 1;
            let through = through(ledger, item);
            if through > item.launched_at.0.saturating_add(ledger.horizon_ms(item)) {
                late.push(through);
            }
        }
        let last = |(all, mut late): (usize, Vec<i64>)| {
            late.sort_unstable_by(|a, b| b.cmp(a));
            At(late.get(all / PATIENCE).copied().unwrap_or(i64::MIN))
        };
        cohorts.until = late.into_iter().map(|of| of.into_iter().map(last).collect()).collect();
        cohorts
    }

    fn place(&self, ledger: &Ledger, item: &Item) -> (usize, usize) {
        let hour = item.launched_at.0.saturating_sub(self.first) / self.width;
        (ledger.arm_of(item).segment, hour as usize)
    }

    /// One cascade, if it counts by `now`.
    pub(super) fn finished(&self, ledger: &Ledger, item: &Item, now: At) -> Option<Finished> {
        let (segment, hour) = self.place(ledger, item);
        let due = At(item.launched_at.0.saturating_add(ledger.horizon_ms(item)));
        let counts_at = due.max(self.until[segment][hour]).max(At(through(ledger, item)));
        let limit = limit_ms(ledger, item);
        let converted = item.converted.filter(|at| at.ms() <= limit);
        (counts_at <= now).then(|| Finished {
            day: counts_at.0.div_euclid(DAY_MS),
            converted,
            opted_out: item.opted_out.is_some_and(|at| at.ms() <= limit),
            is_late: item.converted.is_some() && converted.is_none(),
        })
    }
}
