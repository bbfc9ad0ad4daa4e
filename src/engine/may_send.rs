//! The last look: may this planned attempt start now? Pure; asked when a permit is free.

use super::breaker;
use super::campaign::Campaign;
use super::event::{Deferral, Hold};
use super::journey::{Attempt, Journey, Stage, State};
use super::quiet;
use crate::model::{At, AttemptId};
use chrono::TimeDelta;

/// See [`may_send`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be claimed.
    Yes,
    /// Somebody else at the same number is in contact; it keeps its place.
    Behind,
    /// Not before then.
    Defer(At, Deferral),
    /// It was put off for longer than `expires` allows: pass the step over.
    Expired,
    /// Not until something is mended.
    Hold(Hold),
    /// It is no longer wanted.
    No,
}

/// Whether `attempt` may start at `now`, whatever its channel's rate says.
pub fn may_send(campaign: &Campaign, attempt: AttemptId, now: At) -> Verdict {
    let Some((journey, attempt)) = campaign.attempt(attempt) else { return Verdict::No };
    if attempt.stage != Stage::Planned || journey.state != State::Queued || !journey.hangs_on(attempt.id) {
        return Verdict::No;
    }
    if let Some(breaker) = breaker::covering(campaign, journey, attempt.channel) {
        return Verdict::Hold(Hold::Breaker { on: breaker.on, scope: breaker.scope.clone() });
    }
    if campaign.ahead_of(journey).next().is_some() {
        return Verdict::Behind;
    }
    let policy = &campaign.header.launch.policy;
    let quiet = quiet::allowed_from(&policy.quiet_hours, &journey.start.zone, now);
    let capped = cap_ends(campaign, journey, now);
    if let Some(until) = quiet.max(capped) {
        let expires = journey.due_at + TimeDelta::seconds(policy.expires_s as i64);
        if until > expires {
            return Verdict::Expired;
        }
        let why = if quiet >= capped { Deferral::QuietHours } else { Deferral::PersonCap };
        return Verdict::Defer(until, why);
    }
    if over_budget(campaign, journey, attempt) {
        return Verdict::Hold(Hold::Budget);
    }
    Verdict::Yes
}

/// When the cap per person lets another contact through; `None`: now.
fn cap_ends(campaign: &Campaign, journey: &Journey, now: At) -> Option<At> {
    let cap = campaign.header.launch.policy.per_person_24h as usize;
    let day = TimeDelta::hours(24);
    let people = campaign.at_line(journey.start.line).iter().filter_map(|id| campaign.journey(*id));
    let mut recent: Vec<At> = people
        .flat_map(|j| j.start.recent.iter().copied().chain(j.contacts()))
        .filter(|at| *at + day > now)
        .collect();
    if recent.len() < cap || cap == 0 {
        return None;
    }
    recent.sort_unstable();
    Some(recent[recent.len() - cap] + day)
}

fn over_budget(campaign: &Campaign, journey: &Journey, attempt: &Attempt) -> bool {
    let reserve = journey.start.walk.get(attempt.step as usize).map(|leg| leg.reserve).unwrap_or_default();
    campaign.spent() + campaign.reserved() + reserve > campaign.header.launch.policy.budget
}
