//! The pilot gate, and the limits at which a channel pauses itself.
//!
//! While it runs, a channel pauses when the one-sided 95 % lower bound (Wilson) of a share exceeds its limit;
//! the gate before a full launch uses the raw share.

use super::apply::CRASH;
use super::campaign::Campaign;
use super::event::{Actor, CampaignKind, Hold, Kind};
use super::journal::Journal;
use super::journey::{Journey, Stage, State};
use crate::model::{Channel, Class, Mode, Outcome};
use serde::Serialize;

/// Fewer attempted customers than this judge no channel.
const JUDGED_FROM: u64 = 20;

/// One-sided 95 % of the normal distribution.
const Z: f64 = 1.645;

/// Whether a full launch may follow, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// It may.
    pub open: bool,
    /// Everything that stands against it.
    pub reasons: Vec<String>,
}

/// A channel's shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Customers attempted.
    pub attempted: u64,
    /// Of those, with a final failure of class config, outage or in doubt.
    pub failed: u64,
    /// Of those, opted out here.
    pub opted_out: u64,
}

/// Counts a channel's customers.
pub fn shares(campaign: &Campaign, channel: Channel) -> Shares {
    let mut shares = Shares::default();
    for journey in campaign.journeys() {
        let attempted = journey.attempts.iter().any(|a| a.channel == channel && a.claimed_at.is_some());
        shares.attempted += u64::from(attempted);
        shares.failed += u64::from(attempted && finally_failed(journey, channel));
        let opted_out = journey.outcomes[channel.index()][Outcome::OptedOut.index()].is_some();
        shares.opted_out += u64::from(attempted && opted_out);
    }
    shares
}

/// The newest claimed attempt on this channel failed for a reason that is ours or the provider's, and nothing of
/// that step is tried again by itself: whoever waits for a retry or behind a breaker has not failed for good.
fn finally_failed(journey: &Journey, channel: Channel) -> bool {
    let will_go = matches!(journey.state, State::Retrying | State::Held(Hold::Breaker { .. }));
    if will_go && journey.channel() == channel {
        return false;
    }
    let newest = journey.attempts.iter().rev().find(|a| a.channel == channel && a.claimed_at.is_some());
    newest.is_some_and(|a| {
        matches!(a.stage, Stage::Refused | Stage::Failed | Stage::InDoubt)
            && a.failure.as_ref().is_some_and(|f| {
                matches!(f.class, Class::Config | Class::Outage | Class::InDoubt) && f.code != CRASH
            })
    })
}

/// The lower end of a share's one-sided 95 % band (Wilson's score interval).
pub fn lower_bound(hits: u64, of: u64) -> f64 {
    if of == 0 {
        return 0.0;
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((centre - spread) / (1.0 + z2 / n)).max(0.0)
}

/// Pauses the channel if its failures or opt-outs are above what `[pilot]` allows.
pub(super) fn watch(journal: &mut Journal<'_>, channel: Channel) {
    let header = &journal.campaign.header;
    if header.paused_on[channel.index()].is_some() || header.ended_at.is_some() {
        return;
    }
    let (failures, optouts) = (header.launch.policy.max_failure_share, header.launch.policy.max_optout_share);
    let shares = shares(journal.campaign, channel);
    if shares.attempted < JUDGED_FROM {
        return;
    }
    let over = |hits: u64, limit: f64| lower_bound(hits, shares.attempted) > limit;
    let (what, hits, limit) = if over(shares.failed, failures) {
        ("failures", shares.failed, failures)
    } else if over(shares.opted_out, optouts) {
        ("opt-outs", shares.opted_out, optouts)
    } else {
        return;
    };
    let why = format!(
        "{}: {hits} {what} among {} customers, more than the {} % allowed",
        channel.label(),
        shares.attempted,
        percent(limit)
    );
    journal.record_campaign(Kind::Paused { only: Some(channel), by: Actor::Engine, why });
}

/// Whether this campaign, a live pilot, lets a full launch follow.
pub fn judge(campaign: &Campaign) -> Gate {
    let (header, policy) = (&campaign.header, &campaign.header.launch.policy);
    let mut reasons = Vec::new();
    if header.launch.mode != Mode::Live {
        reasons.push("a rehearsal opens no gate: only a live pilot does".into());
    }
    if header.launch.kind != CampaignKind::Pilot {
        reasons.push("this was not a pilot".into());
    }
    if header.ended_at.is_none() {
        reasons.push(format!("{} customers are still under way", campaign.open()));
    }
    if header.launch.customers < policy.min_customers {
        reasons
            .push(format!("{} customers are fewer than {}", header.launch.customers, policy.min_customers));
    }
    for channel in Channel::ALL {
        let shares = shares(campaign, *channel);
        if shares.attempted < JUDGED_FROM {
            continue;
        }
        for (what, hits, limit) in [
            ("failures", shares.failed, policy.max_failure_share),
            ("opt-outs", shares.opted_out, policy.max_optout_share),
        ] {
            if hits as f64 / shares.attempted as f64 > limit {
                reasons.push(format!(
                    "{}: {hits} {what} among {} customers, above {} %",
                    channel.label(),
                    shares.attempted,
                    percent(limit)
                ));
            }
        }
    }
    Gate { open: reasons.is_empty(), reasons }
}

fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::lower_bound;

    #[test]
    fn wilsons_lower_bound_has_known_values() {
        assert!((lower_bound(10, 100) - 0.0607).abs() < 0.001);
        assert!(lower_bound(0, 100).abs() < 1e-12);
        assert!(lower_bound(9, 100) > 0.05 && lower_bound(8, 100) < 0.05);
    }
}
