//! What providers report: matched, recorded once, and weighed. Any order, any time, any number of times.

mod calls;
mod inbound;

use super::event::{End, Kind, Subject};
use super::gate;
use super::input::{CallResult, Heard, What};
use super::journal::Journal;
use super::journey::{Attempt, Stage};
use crate::model::{At, AttemptId, Channel, Class, Disposition, Failure, Outcome, TextId};

impl Journal<'_> {
    /// One verified report.
    pub fn heard(&mut self, heard: Heard) {
        match &heard.what {
            What::Shut(scope, failure) => {
                let (scope, failure) = (scope.clone(), failure.clone());
                self.shut(&failure, scope, true);
            }
            What::Other(what) => {
                let what = what.clone();
                self.unmatched(&heard, what);
            }
            What::Inbound(_) | What::Stopped(_) => self.heard_inbound(&heard),
            What::Sent
            | What::Delivered
            | What::Read
            | What::Failed(_)
            | What::CallProgressed(_)
            | What::CallEnded(_)
            | What::Clicked(_)
            | What::Cost(_) => match self.named(&heard).or_else(|| self.named_in_what_was_lost(&heard)) {
                Some(attempt) => {
                    if self.proves_sent(attempt, &heard.what) {
                        self.prove_sent(attempt, heard.provider_id.as_deref());
                    }
                    self.heard_of(attempt, &heard);
                }
                None => self.unmatched(&heard, format!("{:?}", Word(&heard.what))),
            },
        }
    }

    fn unmatched(&mut self, heard: &Heard, what: String) {
        let subject = Subject { customer: heard.line, channel: Some(heard.channel), ..Subject::default() };
        let (provider, provider_id) = (heard.provider.clone(), heard.provider_id.clone());
        self.record(subject, Kind::Unmatched { provider, what, provider_id });
    }

    /// The attempt that the report itself names, by the provider's id or ours. Of one that was never started nothing
    /// can be reported.
    fn named(&self, heard: &Heard) -> Option<AttemptId> {
        let started =
            |id: &AttemptId| self.campaign.attempt(*id).is_some_and(|(_, a)| a.claimed_at.is_some());
        let known = heard.provider_id.as_deref().and_then(|id| self.campaign.by_provider_id(id));
        known.or_else(|| heard.attempt.filter(started))
    }

    /// Whether this report tells that the attempt went out. Of one that was accepted, and that the provider then
    /// put in doubt, only news of the person does.
    fn proves_sent(&self, attempt: AttemptId, what: &What) -> bool {
        let doubts = match what {
            What::Failed(failure) => failure.class == Class::InDoubt,
            What::CallEnded(end) => {
                matches!(&end.result, CallResult::Failed(failure) if failure.class == Class::InDoubt)
            }
            What::Sent
            | What::Delivered
            | What::Read
            | What::Inbound(_)
            | What::Stopped(_)
            | What::CallProgressed(_)
            | What::Clicked(_)
            | What::Cost(_)
            | What::Shut(..)
            | What::Other(_) => false,
        };
        let told = |a: &Attempt| a.stage == Stage::InDoubt && (doubts || a.provider_id.is_some());
        let of_the_person = match what {
            What::Delivered | What::Read | What::Clicked(_) | What::Inbound(_) | What::Stopped(_) => true,
            What::CallEnded(end) => matches!(end.result, CallResult::Answered | CallResult::NoAnswer { .. }),
            What::Sent
            | What::Failed(_)
            | What::CallProgressed(_)
            | What::Cost(_)
            | What::Shut(..)
            | What::Other(_) => false,
        };
        of_the_person || !self.campaign.attempt(attempt).is_some_and(|(_, a)| told(a))
    }

    /// A report about an attempt proves that it was sent, even before the create call's own answer.
    fn prove_sent(&mut self, attempt: AttemptId, provider_id: Option<&str>) {
        self.found(attempt, provider_id.unwrap_or_default().to_owned());
    }

    fn heard_of(&mut self, attempt: AttemptId, heard: &Heard) {
        let at = heard.happened_at;
        match &heard.what {
            What::Delivered => self.receipt(attempt, Outcome::Delivered, at),
            What::Read => {
                self.receipt(attempt, Outcome::Delivered, at);
                self.receipt(attempt, Outcome::Read, at);
            }
            What::Failed(failure) => self.failed_later(attempt, failure),
            What::CallProgressed(progress) => self.call_progressed(attempt, *progress),
            What::CallEnded(end) => self.call_ended(attempt, end, heard),
            What::Clicked(Some(why)) => {
                self.record_attempt(attempt, Kind::ClickSuspected { why: why.clone() });
            }
            What::Clicked(None) => self.human(attempt, Outcome::Clicked, None, None, at),
            What::Cost(cost) => self.cost_reported(attempt, *cost),
            What::Sent | What::Inbound(_) | What::Stopped(_) | What::Shut(..) | What::Other(_) => {}
        }
    }

    fn cost_reported(&mut self, attempt: AttemptId, cost: crate::model::Money) {
        if self.campaign.attempt(attempt).is_some_and(|(_, a)| a.cost != cost) {
            self.record_attempt(attempt, Kind::CostReported { cost });
        }
    }

    /// `delivered` and `read`: recorded once; the wait goes on, unless the rules count them as conversion.
    fn receipt(&mut self, attempt: AttemptId, outcome: Outcome, at: Option<At>) {
        if self.outcome(attempt, outcome, at, None, None, None) && self.converts(attempt, outcome) {
            self.conclude(attempt, End::Converted, at);
        }
    }

    /// Records an outcome of an attempt, once. Says whether it was new.
    pub fn outcome(
        &mut self,
        attempt: AttemptId,
        outcome: Outcome,
        at: Option<At>,
        why: Option<String>,
        disposition: Option<Disposition>,
        text: Option<TextId>,
    ) -> bool {
        let known = self.campaign.attempt(attempt).is_some_and(|(_, a)| a.outcomes[outcome.index()]);
        // Every reply is kept, for the inbox; receipts and clicks count once.
        if known && text.is_none() {
            return false;
        }
        let happened_at = at.unwrap_or(self.at);
        self.record_attempt(attempt, Kind::OutcomeHeard { outcome, happened_at, why, disposition, text });
        !known
    }

    /// Accepted, then reported as failed: never sent again by itself.
    fn failed_later(&mut self, attempt: AttemptId, failure: &Failure) {
        let Some((journey, known)) = self.campaign.attempt(attempt) else { return };
        // Anything else is known already, or was never sent: then there is nothing that could have failed.
        if known.stage != Stage::Accepted {
            return;
        }
        let id = journey.id;
        if failure.class == Class::InDoubt {
            self.doubt(attempt, failure.clone());
            return gate::watch(self, failure.channel);
        }
        let current = self.is_current(attempt);
        self.record_attempt(attempt, Kind::AttemptFailed { failure: Box::new(failure.clone()) });
        match failure.class {
            Class::Recipient => self.bounced(attempt, failure),
            Class::Suppress => {
                self.opted_out(id, Some(attempt), failure.channel, failure.code.clone(), None, None);
            }
            Class::Config => self.shut_and_hold(attempt, failure, true),
            Class::Throttle | Class::Outage => {
                if failure.class == Class::Outage {
                    self.shut_by_outages(failure, true);
                }
                if current {
                    self.next_step(id);
                }
            }
            Class::InDoubt => {}
        }
        gate::watch(self, failure.channel);
    }

    /// A human being reacted to this attempt: contact stops everywhere.
    fn human(
        &mut self,
        attempt: AttemptId,
        outcome: Outcome,
        disposition: Option<Disposition>,
        text: Option<TextId>,
        at: Option<At>,
    ) {
        self.outcome(attempt, outcome, at, None, disposition, text);
        match disposition {
            Some(Disposition::AutoReply) => self.wait_after_call(attempt),
            Some(Disposition::Negative | Disposition::WrongPerson) => {
                self.conclude(attempt, End::Declined, at);
            }
            Some(Disposition::Positive | Disposition::Question | Disposition::Unclear) | None => {
                if self.converts(attempt, outcome) {
                    self.conclude(attempt, End::Converted, at);
                } else {
                    self.wait_after_call(attempt);
                }
            }
        }
    }

    fn converts(&self, attempt: AttemptId, outcome: Outcome) -> bool {
        self.campaign.attempt(attempt).is_some_and(|(journey, attempt)| {
            let leg = journey.start.walk.get(attempt.step as usize);
            // Whoever writes instead of picking up has answered the call.
            let wrote = attempt.channel == Channel::Phone && outcome == Outcome::Replied;
            wrote || leg.is_some_and(|leg| leg.converts_on.contains(&outcome))
        })
    }

    /// Ends the cascade, credited to the message that was answered.
    fn conclude(&mut self, attempt: AttemptId, end: End, at: Option<At>) {
        let Some((journey, answered)) = self.campaign.attempt(attempt) else { return };
        if journey.is_over() {
            return;
        }
        let (id, channel, step) = (journey.id, answered.channel, answered.step);
        let answered_at = at.unwrap_or(self.at);
        let crossed = journey.attempts.iter().any(|a| {
            // An earlier step came before, also where that was found out late, as after a restore.
            a.step > step && a.channel != channel && a.claimed_at.is_some_and(|claimed| claimed > answered_at)
        });
        if crossed {
            self.record_about(id, Kind::ContactedAfterAnswer {});
        }
        self.end(id, end, Some((channel, Some(attempt))));
    }
}

/// A report's kind in a word, for the list of what fits nobody.
struct Word<'a>(&'a What);

impl std::fmt::Debug for Word<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            What::Sent => "sent",
            What::Delivered => "delivered",
            What::Read => "read",
            What::Failed(_) => "a failure",
            What::Inbound(_) => "a message",
            What::Stopped(_) => "an opt-out",
            What::CallProgressed(_) => "a call's progress",
            What::CallEnded(_) => "a call's end",
            What::Clicked(_) => "a click",
            What::Cost(_) => "a price",
            What::Shut(..) => "a shut scope",
            What::Other(_) => "something else",
        })
    }
}
