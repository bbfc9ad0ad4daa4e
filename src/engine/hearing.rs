//! What providers report: matched, recorded once, and weighed. Any order, any time, any number of times.

use super::event::{CallProgress, End, Hold, Kind, RecallResult, Subject};
use super::fold::{newest_id, rank};
use super::gate;
use super::input::{CallEnd, CallResult, Heard, What};
use super::journal::Journal;
use super::journey::{Attempt, Journey, Stage, State};
use super::meaning::Meaning;
use super::sending::shut_scope;
use crate::model::{At, AttemptId, CascadeId, Channel, Class, Disposition, Failure, Outcome, TextId};
use chrono::TimeDelta;

/// How long a talk's report is awaited before it counts without one. Nothing is sent to the person meanwhile, and
/// concluding too early turns a "no" that is still on its way into a conversion.
const REPORT_WAIT: TimeDelta = TimeDelta::minutes(30);

impl Journal<'_> {
    /// One verified report.
    pub fn heard(&mut self, heard: Heard) {
        match &heard.what {
            What::Shut(scope, failure) => {
                let (scope, failure) = (scope.clone(), failure.clone());
                self.shut(&failure, scope);
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
            | What::Cost(_) => match self.named(&heard) {
                Some(attempt) => {
                    self.prove_sent(attempt, heard.provider_id.as_deref());
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

    /// The attempt that the report itself names, by our id or the provider's. Of one that was never started
    /// nothing can be reported.
    fn named(&self, heard: &Heard) -> Option<AttemptId> {
        let started =
            |id: &AttemptId| self.campaign.attempt(*id).is_some_and(|(_, a)| a.claimed_at.is_some());
        let ours = heard.attempt.filter(started);
        ours.or_else(|| self.campaign.by_provider_id(heard.provider_id.as_deref()?))
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
            Class::Config => {
                let scope = shut_scope(failure);
                self.shut(failure, scope.clone());
                if current {
                    self.record_about(id, Kind::Held { why: Hold::Breaker { on: failure.channel, scope } });
                }
            }
            Class::Throttle | Class::Outage if current => self.next_step(id),
            Class::Throttle | Class::Outage | Class::InDoubt => {}
        }
        gate::watch(self, failure.channel);
    }

    fn call_progressed(&mut self, attempt: AttemptId, progress: CallProgress) {
        let Some((_, call)) = self.campaign.attempt(attempt) else { return };
        if !call.ended && rank(Some(progress)) > rank(call.progress) {
            self.record_attempt(attempt, Kind::CallProgressed { progress });
        }
    }

    fn call_ended(&mut self, attempt: AttemptId, end: &CallEnd, heard: &Heard) {
        let Some((journey, call)) = self.campaign.attempt(attempt) else { return };
        let (id, first, canceled) = (journey.id, !call.ended, end.result == CallResult::Canceled);
        if first {
            let talked_s = end.talked_s.unwrap_or(0);
            self.record_attempt(attempt, Kind::CallEnded { reason: end.reason.clone(), talked_s });
        }
        if let Some(cost) = end.cost {
            self.cost_reported(attempt, cost);
        }
        match &end.result {
            CallResult::Answered => self.talked(id, attempt, end, heard, first),
            CallResult::NoAnswer { .. } if first => self.nobody_answered(id, attempt, end),
            CallResult::Failed(failure) if first => self.call_failed(attempt, failure),
            CallResult::Canceled | CallResult::NoAnswer { .. } | CallResult::Failed(_) => {}
        }
        if first && canceled {
            self.record_attempt(attempt, Kind::Recalled { result: RecallResult::Recalled });
            if self.is_current(attempt) {
                self.start_wait(id, self.at);
            }
        }
    }

    /// A person was on the line. The first news of the end may not know yet what they said.
    fn talked(&mut self, id: CascadeId, attempt: AttemptId, end: &CallEnd, heard: &Heard, first: bool) {
        let has = |outcome: Outcome| {
            self.campaign.attempt(attempt).is_some_and(|(_, a)| a.outcomes[outcome.index()])
        };
        let (known, stopped) = (has(Outcome::Answered), has(Outcome::OptedOut));
        match &end.meaning {
            None if first && !known && self.is_current(attempt) => {
                let (due, timer) = (self.at + REPORT_WAIT, self.timer());
                self.record_attempt(attempt, Kind::ReportAwaited { due, timer });
            }
            None => {}
            Some(Meaning::OptOut(_)) if stopped => {}
            // Also when the talk has been concluded without its report: a STOP is never too late.
            Some(Meaning::OptOut(word)) => {
                self.outcome(attempt, Outcome::Answered, heard.happened_at, None, None, None);
                self.opted_out(
                    id,
                    Some(attempt),
                    Channel::Phone,
                    word.clone(),
                    heard.happened_at,
                    heard.text,
                );
            }
            Some(Meaning::OptIn | Meaning::Answer(_)) if known => {}
            Some(Meaning::OptIn) => {
                self.human(
                    attempt,
                    Outcome::Answered,
                    Some(Disposition::Positive),
                    heard.text,
                    heard.happened_at,
                );
            }
            Some(Meaning::Answer(disposition)) => {
                self.human(attempt, Outcome::Answered, Some(*disposition), heard.text, heard.happened_at);
            }
        }
    }

    /// The report never came: a person was on the line, and nobody can tell what they meant.
    pub fn conclude_without_report(&mut self, id: CascadeId) {
        if let Some(attempt) = self.journey(id).and_then(newest_id) {
            self.human(attempt, Outcome::Answered, Some(Disposition::Unclear), None, None);
        }
    }

    fn nobody_answered(&mut self, id: CascadeId, attempt: AttemptId, end: &CallEnd) {
        self.outcome(attempt, Outcome::NoAnswer, None, Some(end.reason.clone()), None, None);
        if !self.is_current(attempt) {
            return;
        }
        let Some(journey) = self.journey(id) else { return };
        let Some(leg) = journey.leg() else { return };
        let calls = journey.calls_of_step();
        match leg.wait_s.filter(|_| calls < leg.attempts) {
            // Further calls are spread over the wait.
            Some(wait_s) => {
                let pause = TimeDelta::seconds((wait_s / u64::from(leg.attempts)) as i64);
                let (retry, timer) = (journey.retries, self.timer());
                self.record_attempt(attempt, Kind::RetryScheduled { retry, due: self.at + pause, timer });
            }
            None => {
                let since = journey.first_call_ended().unwrap_or(self.at);
                self.start_wait(id, since);
            }
        }
    }

    fn call_failed(&mut self, attempt: AttemptId, failure: &Failure) {
        self.failed_later(attempt, failure);
    }

    /// They wrote to us: by the message they answered, else by their number.
    fn heard_inbound(&mut self, heard: &Heard) {
        let named = self.named(heard);
        let at_line = heard.line.map(|line| self.campaign.at_line(line).to_vec()).unwrap_or_default();
        let attempt = named.or_else(|| self.by_number(&at_line, heard.channel));
        let cascade = attempt.and_then(|a| self.campaign.cascade_of(a)).or_else(|| at_line.first().copied());
        let stop = match &heard.what {
            What::Stopped(why) | What::Inbound(Meaning::OptOut(why)) => Some(why.clone()),
            _ => None,
        };
        match (stop, cascade, attempt) {
            (Some(why), Some(id), _) => {
                self.opted_out(id, attempt, heard.channel, why, heard.happened_at, heard.text);
            }
            (Some(why), None, _) => {
                let subject =
                    Subject { customer: heard.line, channel: Some(heard.channel), ..Subject::default() };
                self.record(subject, Kind::Suppressed { via: heard.channel, why: why.clone() });
                self.unmatched(heard, format!("opt-out: {why}"));
            }
            (None, _, Some(attempt)) => self.replied(attempt, named.is_some(), &at_line, heard),
            (None, _, None) => self.unmatched(heard, "a message that answers nothing of ours".into()),
        }
    }

    /// The newest contact of this number on that channel, open cascades first.
    fn by_number(&self, at_line: &[CascadeId], channel: Channel) -> Option<AttemptId> {
        let journeys = at_line.iter().filter_map(|id| self.campaign.journey(*id));
        let contacted = |j: &Journey| {
            let sent = |a: &&Attempt| a.contacted() || a.stage == Stage::Claimed;
            let here = j.attempts.iter().rev().filter(sent).find(|a| a.channel == channel);
            here.or_else(|| j.attempts.iter().rev().find(sent)).map(|a| a.id)
        };
        journeys.filter_map(|j| Some((!j.is_over(), contacted(j)?))).max().map(|(_, id)| id)
    }

    fn replied(&mut self, attempt: AttemptId, named: bool, at_line: &[CascadeId], heard: &Heard) {
        let disposition = match &heard.what {
            What::Inbound(Meaning::Answer(disposition)) => *disposition,
            _ => Disposition::Positive,
        };
        let open: Vec<_> = at_line
            .iter()
            .filter_map(|id| self.campaign.journey(*id))
            .filter(|j| !j.is_over())
            .map(|j| j.id)
            .collect();
        if !named && open.len() > 1 && disposition != Disposition::AutoReply {
            // Nobody can tell who of those at this number wrote: all stop, and the operator is asked.
            self.outcome(attempt, Outcome::Replied, heard.happened_at, None, Some(disposition), heard.text);
            for id in open {
                if let Some(planned) =
                    self.journey(id).and_then(|j| j.newest()).filter(|a| a.stage == Stage::Planned)
                {
                    let planned = planned.id;
                    self.withdraw(planned, super::event::Withdrawal::Answered);
                }
                self.record_about(id, Kind::Held { why: Hold::SharedNumber });
            }
            return;
        }
        self.prove_sent(attempt, None);
        self.human(attempt, Outcome::Replied, Some(disposition), heard.text, heard.happened_at);
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

    /// A talk that ends nothing still ends its call: the wait runs.
    fn wait_after_call(&mut self, attempt: AttemptId) {
        let Some((journey, call)) = self.campaign.attempt(attempt) else { return };
        let id = journey.id;
        if call.ended && journey.state == State::Sending && self.is_current(attempt) {
            self.start_wait(id, self.at);
        }
    }

    fn converts(&self, attempt: AttemptId, outcome: Outcome) -> bool {
        self.campaign.attempt(attempt).is_some_and(|(journey, attempt)| {
            let leg = journey.start.walk.get(attempt.step as usize);
            leg.is_some_and(|leg| leg.converts_on.contains(&outcome))
        })
    }

    /// Ends the cascade, credited to the message that was answered.
    fn conclude(&mut self, attempt: AttemptId, end: End, at: Option<At>) {
        let Some((journey, answered)) = self.campaign.attempt(attempt) else { return };
        if journey.is_over() {
            return;
        }
        let (id, channel) = (journey.id, answered.channel);
        let answered_at = at.unwrap_or(self.at);
        let crossed = journey.attempts.iter().any(|a| {
            a.id != attempt
                && a.channel != channel
                && a.claimed_at.is_some_and(|claimed| claimed > answered_at)
        });
        if crossed {
            self.record_about(id, Kind::ContactedAfterAnswer {});
        }
        self.end(id, end, Some((channel, Some(attempt))));
    }

    /// They want no more contact: every channel, everybody at this number, this campaign and the next ones.
    pub fn opted_out(
        &mut self,
        id: CascadeId,
        attempt: Option<AttemptId>,
        via: Channel,
        why: String,
        at: Option<At>,
        text: Option<TextId>,
    ) {
        let Some(journey) = self.journey(id) else { return };
        let (line, at_line) = (journey.start.line, self.campaign.at_line(journey.start.line).to_vec());
        let known = journey.outcomes.iter().any(|row| row[Outcome::OptedOut.index()].is_some());
        let happened_at = at.unwrap_or(self.at);
        let about =
            attempt.filter(|a| self.campaign.cascade_of(*a) == Some(id)).or_else(|| newest_id(journey));
        if !known || text.is_some() {
            let kind = Kind::OutcomeHeard {
                outcome: Outcome::OptedOut,
                happened_at,
                why: Some(why.clone()),
                disposition: None,
                text,
            };
            match about {
                Some(attempt) => self.record_attempt(attempt, kind),
                None => self.record_about(id, kind),
            }
        }
        if !known {
            let subject =
                Subject { customer: Some(line), cascade: Some(id), channel: Some(via), ..Subject::default() };
            self.record(subject, Kind::Suppressed { via, why });
        }
        for other in at_line {
            self.end(other, End::OptedOut, None);
        }
        gate::watch(self, via);
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
