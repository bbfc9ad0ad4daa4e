//! Breakers: a scope in which nobody is sent to until its cause is mended.

use super::campaign::Campaign;
use super::journey::Journey;
use crate::model::{At, Channel, Class, Failure, Scope, TimerId};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Outages in a row, in one channel, that open its breaker.
pub const OUTAGES_IN_A_ROW: u32 = 5;

/// How long an outage's breaker stays shut before a read-only check.
const OUTAGE_CHECK: TimeDelta = TimeDelta::minutes(5);

/// How long a `config` breaker stays shut before a read-only check. Somebody must mend it first.
const CONFIG_CHECK: TimeDelta = TimeDelta::minutes(30);

/// A shut scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// On which channel.
    pub on: Channel,
    /// Who is in it.
    pub scope: Scope,
    /// What opened it.
    pub failure: Failure,
    /// Since when.
    pub since: At,
    /// When the provider is asked, read-only, whether it is mended.
    pub timer: Option<(At, TimerId)>,
}

impl Breaker {
    /// Whether this journey's next send on `channel` falls into it.
    pub fn covers(&self, journey: &Journey, channel: Channel) -> bool {
        self.on == channel
            && match &self.scope {
                Scope::Account | Scope::Sender => true,
                Scope::Country(code) => journey.start.country.as_deref() == Some(code),
                Scope::Template(key) => journey
                    .start
                    .walk
                    .iter()
                    .any(|l| l.channel == channel && l.template.as_ref() == Some(key)),
                Scope::Person => false,
            }
    }

    /// Whether it ends by itself once the provider is well again; otherwise somebody must mend something.
    pub fn mends_itself(&self) -> bool {
        matches!(self.failure.class, Class::Throttle | Class::Outage)
    }
}

/// The breaker that keeps this journey from `channel`, if one is open.
pub fn covering<'a>(campaign: &'a Campaign, journey: &Journey, channel: Channel) -> Option<&'a Breaker> {
    campaign.header.breakers.iter().find(|b| b.covers(journey, channel))
}

/// When the provider is next asked about a scope that this failure shut.
pub fn check_at(failure: &Failure, now: At) -> At {
    match failure.class {
        Class::Throttle | Class::Outage => now + OUTAGE_CHECK,
        Class::Config | Class::Recipient | Class::Suppress | Class::InDoubt => now + CONFIG_CHECK,
    }
}
