//! The one door: news in, events and effects out.

use super::campaign::{Campaign, TimerOwner};
use super::effect::Effect;
use super::event::{Actor, CascadeStart, Kind, Launch, Subject};
use super::input::Input;
use super::journal::{Concluded, Journal};
use super::journey::{Alarm, Stage};
use crate::model::{
    At, AttemptId, CampaignId, CascadeId, Channel, Class, Failure, PersonId, Scope, Sent, TimerId, Untrusted,
};

/// News that fits no state it could fit: a bug here or a provider gone mad. Recorded and shown; never stops the loop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} does not fit attempt {attempt}, which is {stage}")]
pub struct IllegalMove {
    /// What came in.
    pub what: &'static str,
    /// About which attempt.
    pub attempt: AttemptId,
    /// How far that attempt is, or `unknown`.
    pub stage: String,
}

/// Starts a campaign: one cascade per customer, in order, ids from `launch.first_cascade` on.
pub fn launch(
    id: CampaignId,
    at: At,
    launch: Launch,
    people: Vec<(PersonId, CascadeStart)>,
) -> (Campaign, Concluded) {
    let mut campaign = Campaign::empty(id, launch.clone(), at);
    let mut journal = Journal::new(&mut campaign, at);
    journal.record_campaign(Kind::CampaignLaunched { launch: Box::new(launch.clone()) });
    let ids: Vec<CascadeId> = (launch.first_cascade.0..).take(people.len()).map(CascadeId).collect();
    for (cascade, (person, start)) in ids.iter().zip(people) {
        let subject = Subject {
            customer: Some(person),
            cascade: Some(*cascade),
            channel: Some(start.start),
            ..Subject::default()
        };
        journal.record(subject, Kind::CascadeStarted { start: Box::new(start) });
    }
    for cascade in ids {
        journal.enter(cascade, 0);
    }
    // Nobody may be contacted at all: then no news will ever come that could end it.
    journal.end_if_done();
    let concluded = journal.out;
    (campaign, concluded)
}

/// What `input`, learnt at `at`, leads to. On an error the campaign is unchanged.
pub fn apply(campaign: &mut Campaign, at: At, input: Input) -> Result<Concluded, IllegalMove> {
    let bound = campaign.spent() + campaign.reserved();
    let mut journal = Journal::new(campaign, at);
    match input {
        Input::Permit(channel) => journal.claim_next(channel),
        Input::Accepted { attempt, provider_id, units } => journal.accepted(attempt, provider_id, units)?,
        Input::Failed { attempt, failure, reached } => journal.failed(attempt, *failure, reached)?,
        Input::Braked { attempt, why } => journal.braked(attempt, why)?,
        Input::Found { attempt, provider_id } => journal.found(attempt, provider_id),
        Input::Heard(heard) => journal.heard(*heard),
        Input::Timer(timer) => journal.fired(timer),
        Input::Recalled { attempt, result } => journal.record_attempt(attempt, Kind::Recalled { result }),
        Input::ScopeChecked { channel, scope, mended } => journal.scope_checked(channel, &scope, mended),
        Input::Restarted => journal.restarted(),
        Input::Restored(gap) => journal.restored(*gap),
        Input::Reconciled { sent, untold } => journal.reconcile(sent, untold),
        Input::Broken { why } => {
            journal.record_campaign(Kind::Paused { only: None, by: Actor::Engine, why });
        }
        Input::OutcomesChanged { segment, on } => {
            journal.record_campaign(Kind::OutcomesChanged { segment, on });
        }
        Input::Order(signed) => journal.order(*signed),
        Input::Edit(edit) => journal.edit(*edit),
    }
    if journal.campaign.spent() + journal.campaign.reserved() < bound {
        journal.spend_what_came_free();
    }
    journal.end_if_done();
    Ok(journal.out)
}

impl Journal<'_> {
    /// A timer ran out. One that is no longer anybody's is ignored.
    fn fired(&mut self, timer: TimerId) {
        match self.campaign.timer_owner(timer).cloned() {
            None => {}
            Some(TimerOwner::Breaker) => {
                let breaker =
                    self.campaign.header.breakers.iter().find(|b| b.timer.is_some_and(|t| t.1 == timer));
                let Some((on, scope)) = breaker.map(|b| (b.on, b.scope.clone())) else { return };
                self.record_campaign(Kind::TimerFired { timer });
                self.ask(Effect::CheckScope { channel: on, scope });
            }
            Some(TimerOwner::Cascade(id)) => {
                let Some(alarm) = self.journey(id).and_then(|j| j.timer).map(|t| t.what) else { return };
                self.record_about(id, Kind::TimerFired { timer });
                match alarm {
                    Alarm::Wait | Alarm::Settle if self.awaits_word(id) => self.doubt_on(id),
                    // Deferred: the fold put it back into its queue, in its old place.
                    Alarm::Defer => {}
                    Alarm::Wait => self.next_step(id),
                    Alarm::Settle => self.settled(id),
                    Alarm::Retry => self.plan_again(id),
                    Alarm::CallWatch => self.watch_call(id),
                    Alarm::Report => self.miss_report(id),
                }
            }
        }
    }

    /// The process died: what was claimed and not answered may have been sent.
    fn restarted(&mut self) {
        for attempt in self.campaign.unanswered_claims() {
            let Some((_, claimed)) = self.campaign.attempt(attempt) else { continue };
            let failure = crashed(claimed.channel);
            self.doubt(attempt, failure);
        }
        let open_doubts: Vec<_> = self
            .campaign
            .journeys()
            .iter()
            .filter(|j| !j.is_over())
            .filter_map(|j| j.newest().filter(|a| a.stage == Stage::InDoubt).map(|a| (j.id, a.id, a.channel)))
            .collect();
        // What a cascade that ended left under way was to be recalled; nobody may have been asked.
        let journeys = self.campaign.journeys().iter().filter(|j| j.is_over());
        let calls = journeys.flat_map(|j| j.attempts.iter().map(move |a| (j.id, a)));
        let recalls: Vec<_> = calls
            .filter(|(_, a)| a.under_way())
            .filter_map(|(cascade, a)| {
                let (attempt, channel, provider_id) = (a.id, a.channel, a.provider_id.clone()?);
                Some(Effect::Recall { attempt, cascade, channel, provider_id })
            })
            .collect();
        for recall in recalls {
            self.ask(recall);
        }
        self.ask_checks_again();
        for (cascade, attempt, channel) in open_doubts {
            let asked = Effect::LookUp { attempt, cascade, channel };
            if !self.out.effects.contains(&asked) {
                self.ask(asked);
            }
        }
    }

    /// Every cascade has ended.
    fn end_if_done(&mut self) {
        if self.campaign.open() == 0 && self.campaign.header.ended_at.is_none() {
            self.record_campaign(Kind::CampaignEnded { by: Actor::Engine });
        }
    }
}

/// The code of a failure that our own crash caused; it counts against nobody.
pub const CRASH: &str = "process_ended";

/// The provider of failures that are our own.
pub const OURS: &str = "cascade";

fn crashed(channel: Channel) -> Failure {
    Failure {
        channel,
        provider: OURS.into(),
        code: CRASH.into(),
        class: Class::InDoubt,
        scope: Scope::Person,
        sent: Sent::Maybe,
        title: "cascade ended while this was on its way".into(),
        remedy: "Nothing is sent again by itself; the provider is asked, and after the wait the next step follows. \
                 Settle it if you know whether it arrived."
            .into(),
        detail: Untrusted::default(),
        retry_after_s: None,
    }
}
