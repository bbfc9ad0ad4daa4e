//! What calls come to: progress, the end, what was said, and the wait that runs from there.

use crate::engine::effect::Effect;
use crate::engine::event::{CallProgress, Kind, RecallResult};
use crate::engine::fold::rank;
use crate::engine::input::{CallEnd, CallResult, Heard};
use crate::engine::journal::Journal;
use crate::engine::journey::{Journey, State};
use crate::engine::meaning::Meaning;
use crate::model::{AttemptId, CascadeId, Channel, Disposition, Outcome};
use chrono::TimeDelta;

/// How long a talk's report is awaited before it counts without one. Nothing is sent to the person meanwhile, and
/// concluding too early turns a "no" that is still on its way into a conversion.
const REPORT_WAIT: TimeDelta = TimeDelta::minutes(30);

/// How long until the provider is asked for it: a webhook may be lost for ever, and a STOP said on the phone with it.
const REPORT_ASKED: TimeDelta = TimeDelta::minutes(10);

impl Journal<'_> {
    pub fn call_progressed(&mut self, attempt: AttemptId, progress: CallProgress) {
        let Some((_, call)) = self.campaign.attempt(attempt) else { return };
        if !call.ended && rank(Some(progress)) > rank(call.progress) {
            self.record_attempt(attempt, Kind::CallProgressed { progress });
        }
    }

    pub fn call_ended(&mut self, attempt: AttemptId, end: &CallEnd, heard: &Heard) {
        let Some((journey, call)) = self.campaign.attempt(attempt) else { return };
        // A recall frees its line before the provider tells the end.
        let (id, first, freed) = (journey.id, call.ended_at.is_none(), call.ended);
        let canceled = end.result == CallResult::Canceled;
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
            CallResult::Failed(failure) if first => self.failed_later(attempt, failure),
            CallResult::Canceled | CallResult::NoAnswer { .. } | CallResult::Failed(_) => {}
        }
        if first && canceled {
            if !freed {
                self.record_attempt(attempt, Kind::Recalled { result: RecallResult::Recalled });
            }
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
                let (due, timer) = (self.at + REPORT_ASKED, self.timer());
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

    /// The report did not come: it is asked for once. If it never comes, a person was on the line, and nobody can
    /// tell what they meant.
    pub fn miss_report(&mut self, id: CascadeId) {
        let Some(call) = self.journey(id).and_then(Journey::newest) else { return };
        let (attempt, channel) = (call.id, call.channel);
        let until = call.ended_at.map(|ended| ended + REPORT_WAIT).filter(|until| self.at < *until);
        if let Some(due) = until {
            let timer = self.timer();
            self.record_attempt(attempt, Kind::ReportAwaited { due, timer });
            return self.ask(Effect::LookUp { attempt, cascade: id, channel });
        }
        self.human(attempt, Outcome::Answered, Some(Disposition::Unclear), None, None);
    }

    fn nobody_answered(&mut self, id: CascadeId, attempt: AttemptId, end: &CallEnd) {
        self.outcome(attempt, Outcome::NoAnswer, None, Some(end.reason.clone()), None, None);
        if !self.is_current(attempt) {
            return;
        }
        let Some(journey) = self.journey(id) else { return };
        let Some(leg) = journey.leg() else { return };
        let goes_on = journey.calls_of_step() < leg.attempts && journey.doubtful_since().is_none();
        if let Some(wait_s) = leg.wait_s.filter(|_| goes_on) {
            // Further calls are spread over the wait.
            let pause = TimeDelta::seconds((wait_s / u64::from(leg.attempts)) as i64);
            let (retry, timer) = (journey.retries, self.timer());
            self.record_attempt(attempt, Kind::RetryScheduled { retry, due: self.at + pause, timer });
        } else {
            let since = journey.first_call_ended().unwrap_or(self.at);
            self.start_wait(id, since);
        }
    }

    /// A talk that ends nothing still ends its call: the wait runs.
    pub fn wait_after_call(&mut self, attempt: AttemptId) {
        let Some((journey, call)) = self.campaign.attempt(attempt) else { return };
        let id = journey.id;
        if call.ended && journey.state == State::Sending && self.is_current(attempt) {
            self.start_wait(id, self.at);
        }
    }
}
