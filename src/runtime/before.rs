//! Before a launch: whom of those drawn it leaves out, and whom it contacts although an earlier campaign did.

use super::handle::Before;
use super::launch::Plan;
use super::store::{Dealings, Keeper, StoreError};
use crate::model::{At, Customer};
use chrono::TimeDelta;

/// So many are looked up one by one; a cohort is that large only where nobody asks a screen about it.
const LOOKED_UP: usize = 10_000;

impl Plan {
    /// What earlier campaigns had to do with those drawn; `None`: they are too many to be looked up.
    pub(super) fn dealings(&self, store: &dyn Keeper) -> Result<Option<Dealings>, StoreError> {
        let few = self.customers.len() <= LOOKED_UP;
        few.then(|| store.dealings(self.customers.iter().map(|customer| &customer.phone).collect()))
            .transpose()
    }

    /// Counts them. `contacted` are those drawn who did not opt out.
    pub(super) fn before(&self, now: At, contacted: &[&Customer], dealings: Option<&Dealings>) -> Before {
        let recontact_after_s = self.ready.config.limits.recontact_after_s;
        let apart = i64::try_from(recontact_after_s).ok().and_then(TimeDelta::try_seconds);
        let since = now - apart.unwrap_or(TimeDelta::MAX);
        let out_of_reach = |customer: &&&Customer| {
            let skips = self.script().skips(customer, false);
            let mut channels = self.ready.rules.ladder_for(&customer.segment).channels();
            channels.all(|channel| skips.iter().any(|(skipped, _)| *skipped == channel))
        };
        let known = || contacted.iter().filter_map(|customer| dealings?.get(&customer.phone));
        Before {
            opted_out: (self.customers.len() - contacted.len()) as u64,
            unreachable: contacted.iter().filter(out_of_reach).count() as u64,
            declined: known().filter(|dealing| dealing.declined).count() as u64,
            recent: known().filter(|dealing| dealing.contacted_at > Some(since)).count() as u64,
            recontact_after_s,
            uncounted: dealings.is_none(),
        }
    }
}
