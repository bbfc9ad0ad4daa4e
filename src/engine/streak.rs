//! Rows of outages, by scope: what a scope has been through since something in it last went well. Five in a row shut
//! it; what a check promised and the next send belied is remembered, so that nobody is tried on its word again.

use super::apply::OURS;
use super::breaker::{self, OUTAGES_IN_A_ROW};
use super::campaign::Campaign;
use super::event::{Actor, Kind, Subject};
use super::journey::Stage;
use crate::model::{CascadeId, Channel, Class, Failure, Outcome, Scope};
use serde::{Deserialize, Serialize};

/// See the module. A scope that is not listed has nothing behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// On which channel.
    pub on: Channel,
    /// Of which scope.
    #[serde(flatten)]
    pub scope: Scope,
    /// Of outages that were told after acceptance: only news of a person ends it, because a provider may take
    /// everything and bring nothing about.
    pub late: bool,
    /// Outages in a row.
    pub outages: u32,
    /// How often a check has opened the scope since.
    pub checks: u32,
}

/// Whether a failed create call tells that the provider is not well. An answer that was lost, or that says nothing,
/// leaves open whether this one was sent, and leaves no doubt about that. Our own crash tells nothing.
pub fn is_outage(failure: &Failure) -> bool {
    match failure.class {
        Class::Outage | Class::InDoubt => failure.provider != OURS,
        Class::Throttle | Class::Recipient | Class::Suppress | Class::Config => false,
    }
}

/// Outages in a row in the scope that `failure` is about.
pub fn outages(campaign: &Campaign, failure: &Failure, late: bool) -> u32 {
    let scope = breaker::shut_scope(failure);
    let mut all = campaign.header.streaks.iter();
    all.find(|s| s.is_of(failure.channel, &scope, late)).map_or(0, |s| s.outages)
}

/// How often a check has opened this scope since something in it last went well. `late`: as far as is told after
/// acceptance; `None`: at all.
pub fn checks(campaign: &Campaign, on: Channel, scope: &Scope, late: Option<bool>) -> u32 {
    let all = campaign.header.streaks.iter().filter(|s| s.on == on && s.scope == *scope);
    all.filter(|s| late.is_none_or(|late| s.late == late)).map(|s| s.checks).max().unwrap_or(0)
}

/// Whether one more request may be out. No more are than outages are missing until the scope shuts: a provider that
/// fails at everybody costs five people their certainty and, each time it was opened again too early, one.
pub fn leaves_room(campaign: &Campaign, channel: Channel) -> bool {
    let whole = |s: &&Streak| s.on == channel && matches!(s.scope, Scope::Account | Scope::Sender);
    let mut counting = campaign.header.streaks.iter().filter(whole).filter(|s| s.outages > 0);
    counting.all(|s| {
        let out = if s.late { campaign.under_way(channel) } else { campaign.claimed(channel) };
        out < OUTAGES_IN_A_ROW.saturating_sub(s.outages).max(1)
    })
}

impl Streak {
    fn is_of(&self, on: Channel, scope: &Scope, late: bool) -> bool {
        self.on == on && self.late == late && self.scope == *scope
    }
}

/// Counts what an event about an attempt says, before it is folded into its journey.
pub(super) fn note(campaign: &mut Campaign, subject: Subject, kind: &Kind) {
    let (Some(cascade), Some(channel)) = (subject.cascade, subject.channel) else { return };
    match kind {
        Kind::AttemptAccepted { .. } => went_well(campaign, cascade, channel, false),
        Kind::AttemptRefused { failure, .. } if is_outage(failure) => struck(campaign, failure, false),
        Kind::AttemptRefused { .. } => answered(campaign, cascade, channel),
        Kind::AttemptInDoubt { failure, .. } => {
            let claimed = |id| campaign.attempt(id).is_some_and(|(_, a)| a.stage == Stage::Claimed);
            // A doubt that is told after acceptance is about one message.
            if subject.attempt.is_some_and(claimed) && is_outage(failure) {
                struck(campaign, failure, false);
            }
        }
        Kind::AttemptFailed { failure } => match failure.class {
            Class::Outage if failure.scope != Scope::Person => struck(campaign, failure, true),
            Class::Recipient | Class::Suppress => went_well(campaign, cascade, channel, true),
            Class::Outage | Class::Throttle | Class::Config | Class::InDoubt => {}
        },
        Kind::OutcomeHeard { outcome, .. } => match outcome {
            Outcome::Delivered
            | Outcome::Read
            | Outcome::Replied
            | Outcome::Answered
            | Outcome::Clicked
            | Outcome::NoAnswer => went_well(campaign, cascade, channel, true),
            Outcome::Bounced | Outcome::OptedOut => {}
        },
        _ => {}
    }
}

fn struck(campaign: &mut Campaign, failure: &Failure, late: bool) {
    let streak = of(campaign, failure.channel, &breaker::shut_scope(failure), late);
    streak.outages = streak.outages.saturating_add(1);
}

/// The streak of a scope, begun if there is none.
fn of<'a>(campaign: &'a mut Campaign, on: Channel, scope: &Scope, late: bool) -> &'a mut Streak {
    let all = &mut campaign.header.streaks;
    let at = all.iter().position(|s| s.is_of(on, scope, late)).unwrap_or_else(|| {
        all.push(Streak { on, scope: scope.clone(), late, outages: 0, checks: 0 });
        all.len() - 1
    });
    &mut all[at]
}

/// Taken, or arrived: every scope that this customer is in works.
fn went_well(campaign: &mut Campaign, cascade: CascadeId, channel: Channel, late: bool) {
    of_customer(campaign, cascade, channel, late, |_| false);
}

/// Refused for a reason that the provider gave: it is well, and the cause is not mended by that.
fn answered(campaign: &mut Campaign, cascade: CascadeId, channel: Channel) {
    of_customer(campaign, cascade, channel, false, |streak| {
        streak.outages = 0;
        streak.checks > 0
    });
}

/// Keeps of the streaks that this customer is in those that `keep` keeps.
fn of_customer(
    campaign: &mut Campaign,
    cascade: CascadeId,
    channel: Channel,
    late: bool,
    keep: impl Fn(&mut Streak) -> bool,
) {
    let mut streaks = std::mem::take(&mut campaign.header.streaks);
    if let Some(journey) = campaign.journey(cascade).filter(|_| !streaks.is_empty()) {
        streaks.retain_mut(|s| {
            let about = s.on == channel && s.late == late;
            !about || !breaker::is_in(journey, channel, &s.scope) || keep(s)
        });
    }
    campaign.header.streaks = streaks;
}

/// The scope was opened again. One outage is enough to shut it once more.
pub(super) fn opened_again(campaign: &mut Campaign, on: Channel, scope: &Scope, by: &Actor) {
    let by_check = matches!(by, Actor::Check);
    for late in [false, true] {
        if by_check {
            of(campaign, on, scope, late).checks += 1;
        }
    }
    for streak in campaign.header.streaks.iter_mut().filter(|s| s.on == on && s.scope == *scope) {
        streak.outages = streak.outages.min(OUTAGES_IN_A_ROW - 1);
    }
}
