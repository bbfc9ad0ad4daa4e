//! Breakers: a scope in which nobody is sent to until its cause is mended.
//!
//! The first `config` failure of a scope shuts it, or five outages in a row (`streak`). A read-only check or the
//! operator opens it again, never a send on trial while the cause is `config`: where no check can tell, or one has
//! told wrongly, the operator's word alone does.

use super::campaign::Campaign;
use super::effect::Effect;
use super::event::{Actor, Hold, Kind, Subject};
use super::journal::Journal;
use super::journey::Journey;
use super::streak;
use crate::model::{At, AttemptId, Channel, Class, Failure, Scope, TimerId};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Outages in a row, in one scope, that open its breaker.
pub const OUTAGES_IN_A_ROW: u32 = 5;

/// How long an outage's breaker stays shut before a read-only check.
const OUTAGE_CHECK: TimeDelta = TimeDelta::minutes(5);

/// The longest that this grows to, doubled each time that a check had opened the scope too early.
const OUTAGE_CHECK_MAX: TimeDelta = TimeDelta::hours(4);

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
    /// The provider cannot tell, or has told wrongly: nobody but the operator opens it.
    #[serde(default)]
    pub by_word: bool,
}

impl Breaker {
    /// Whether this journey's next send on `channel` falls into it.
    pub fn covers(&self, journey: &Journey, channel: Channel) -> bool {
        self.on == channel && is_in(journey, channel, &self.scope)
    }

    /// Whether it ends by itself once the provider is well again; otherwise somebody must mend something.
    pub fn mends_itself(&self) -> bool {
        matches!(self.failure.class, Class::Throttle | Class::Outage) && !self.by_word
    }
}

/// Whether a send to this customer on `channel` falls into `scope`. Those of whom no country or template is known are
/// together in the scope without a key.
pub fn is_in(journey: &Journey, channel: Channel, scope: &Scope) -> bool {
    match scope {
        Scope::Account | Scope::Sender => true,
        Scope::Country(code) => journey.start.country.as_deref().unwrap_or_default() == code,
        Scope::Template(key) => {
            let mut legs = journey.start.walk.iter().filter(|leg| leg.channel == channel);
            legs.any(|leg| leg.template.as_deref().unwrap_or_default() == key)
        }
        Scope::Person => false,
    }
}

/// The breaker that keeps this journey from `channel`, if one is open.
pub fn covering<'a>(campaign: &'a Campaign, journey: &Journey, channel: Channel) -> Option<&'a Breaker> {
    campaign.header.breakers.iter().find(|b| b.covers(journey, channel))
}

/// The scope to shut: a cause that only a mend can remove is never one person's alone.
pub fn shut_scope(failure: &Failure) -> Scope {
    if failure.scope == Scope::Person { Scope::Account } else { failure.scope.clone() }
}

/// Whether a read-only question tells anything about this scope (PROVIDERS.md section 0): templates are listed on
/// WhatsApp alone, countries nowhere.
pub const fn can_be_asked(on: Channel, scope: &Scope) -> bool {
    match scope {
        Scope::Account | Scope::Sender => true,
        Scope::Template(_) => matches!(on, Channel::Whatsapp),
        Scope::Country(_) | Scope::Person => false,
    }
}

/// How long until the provider is asked; `checks`: how often a check has opened this scope for nothing. `None`: it is
/// not asked. A check that calls a `config` cause mended while it is not is about something else.
fn check_after(failure: &Failure, checks: u32) -> Option<TimeDelta> {
    match failure.class {
        Class::Throttle | Class::Outage => {
            let asked = failure.retry_after_s.map_or(0, |s| i64::try_from(s).unwrap_or(i64::MAX).min(86_400));
            let doubled = (OUTAGE_CHECK * (1 << checks.min(8))).min(OUTAGE_CHECK_MAX);
            Some(doubled.max(TimeDelta::seconds(asked)))
        }
        Class::Config | Class::Recipient | Class::Suppress | Class::InDoubt => {
            (checks == 0).then_some(CONFIG_CHECK)
        }
    }
}

/// What shuts a scope when its newest failure is a doubt: about the provider there is none.
fn as_outage(failure: &Failure) -> Failure {
    if failure.class != Class::InDoubt {
        return failure.clone();
    }
    let remedy = "Check the provider's status page and this machine's network. Who may have been sent to is in doubt \
                  and looked up; the others are held and go on by themselves once the provider is well.";
    Failure { class: Class::Outage, remedy: remedy.to_owned(), ..failure.clone() }
}

impl Journal<'_> {
    /// Shuts the scope if this outage was the fifth in a row there. `late`: it was told after acceptance.
    pub fn shut_by_outages(&mut self, failure: &Failure, late: bool) {
        if streak::outages(self.campaign, failure, late) >= OUTAGES_IN_A_ROW {
            self.shut(&as_outage(failure), shut_scope(failure), late);
        }
    }

    /// Opens the breaker of this failure's scope and holds everybody whose next send falls into it.
    pub fn shut_and_hold(&mut self, attempt: AttemptId, failure: &Failure, late: bool) {
        let scope = shut_scope(failure);
        self.shut(failure, scope.clone(), late);
        let Some(id) = self.campaign.cascade_of(attempt).filter(|_| self.is_current(attempt)) else { return };
        self.record_about(id, Kind::Held { why: Hold::Breaker { on: failure.channel, scope } });
    }

    /// Opens a breaker and holds what stands in its channel's queue.
    pub fn shut(&mut self, failure: &Failure, scope: Scope, late: bool) {
        let on = failure.channel;
        if self.campaign.header.breakers.iter().any(|b| b.on == on && b.scope == scope) {
            return;
        }
        let mut failure = failure.clone();
        let asked = can_be_asked(on, &scope);
        let checks = streak::checks(self.campaign, on, &scope, Some(late));
        let after = check_after(&failure, checks).filter(|_| asked);
        if after.is_none() {
            failure.remedy += if asked {
                " The provider's check called it mended and it was not: only your word opens it."
            } else {
                " The provider cannot be asked about it: only your word opens it."
            };
        }
        let (retry_at, timer) = (after.map(|after| self.at + after), after.map(|_| self.timer()));
        let opened =
            Kind::BreakerOpened { on, scope: scope.clone(), failure: Box::new(failure), retry_at, timer };
        self.record(Subject { channel: Some(on), ..Subject::default() }, opened);
        let queued: Vec<_> = self.campaign.queue(on).iter().copied().collect();
        for attempt in queued {
            let Some((journey, _)) = self.campaign.attempt(attempt) else { continue };
            if covering(self.campaign, journey, on).is_some() {
                let id = journey.id;
                self.hold(id, attempt, Hold::Breaker { on, scope: scope.clone() });
            }
        }
    }

    /// A read-only check came back: open the scope, or ask again later.
    pub fn scope_checked(&mut self, channel: Channel, scope: &Scope, mended: bool) {
        let open = self.campaign.header.breakers.iter().find(|b| b.on == channel && b.scope == *scope);
        // Of one that only the operator opens nobody was asked: this answers an earlier one's question.
        let Some(open) = open.filter(|b| b.timer.is_none() && !b.by_word) else { return };
        if mended {
            return self.close_breaker(channel, scope, Actor::Check);
        }
        let checks = streak::checks(self.campaign, channel, scope, None);
        let after = check_after(&open.failure, checks).unwrap_or(CONFIG_CHECK);
        let (retry_at, timer) = (self.at + after, self.timer());
        let kind = Kind::BreakerChecked { on: channel, scope: scope.clone(), retry_at, timer };
        self.record(Subject { channel: Some(channel), ..Subject::default() }, kind);
    }

    /// Opens a scope again and lets everybody held by it go on.
    pub fn close_breaker(&mut self, channel: Channel, scope: &Scope, by: Actor) {
        if !self.campaign.header.breakers.iter().any(|b| b.on == channel && b.scope == *scope) {
            return;
        }
        self.record_campaign(Kind::BreakerClosed { on: channel, scope: scope.clone(), by: by.clone() });
        let why = Hold::Breaker { on: channel, scope: scope.clone() };
        let held =
            self.campaign.journeys().iter().filter(|j| j.state == super::journey::State::Held(why.clone()));
        for id in held.map(|j| j.id).collect::<Vec<_>>() {
            self.record_about(id, Kind::Released { by: by.clone() });
            self.plan_again(id);
        }
    }

    /// A check that was asked before a crash, and not answered, would never be asked again.
    pub fn ask_checks_again(&mut self) {
        let unanswered = self.campaign.header.breakers.iter().filter(|b| b.timer.is_none() && !b.by_word);
        for (channel, scope) in unanswered.map(|b| (b.on, b.scope.clone())).collect::<Vec<_>>() {
            self.ask(Effect::CheckScope { channel, scope });
        }
    }
}
