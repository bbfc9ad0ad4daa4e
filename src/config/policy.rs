//! What a campaign under these settings and rules may do, fixed at its launch.

use super::Config;
use crate::engine::policy::Policy;
use crate::model::Channel;
use crate::rules::Rules;

impl Config {
    /// Limits, times, paces and prices for a launch under `rules`.
    pub fn policy(&self, rules: &Rules) -> Policy {
        let paces = || Channel::ALL.iter().filter_map(|c| Some((*c, self.pace(*c)?)));
        let concurrent = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Policy {
            conversion_window_s: rules.conversion_window_s,
            quiet_hours: self.limits.quiet_hours.into_iter().chain(rules.quiet_hours).collect(),
            expires_s: rules.expires_s,
            retry_max: rules.retry_max,
            per_person_24h: self.limits.per_person_24h,
            budget: self.limits.budget,
            currency: self.currency.clone(),
            max_failure_share: self.pilot.max_failure_share,
            max_optout_share: self.pilot.max_optout_share,
            min_customers: self.pilot.min_customers,
            concurrent: paces().map(|(c, pace)| (c, concurrent(pace.concurrent))).collect(),
            prices: paces().map(|(c, pace)| (c, pace.cost, pace.cost_per_minute)).collect(),
        }
    }
}
