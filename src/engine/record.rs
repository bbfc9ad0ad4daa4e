//! What is kept of a cascade for learning: a few times and amounts, folded from its events as they are written. No
//! decision here, and nobody can be recognised in it.
//!
//! Times are those of the outcomes, not of the news of them, and never before the send they answer.

use super::event::{CascadeStart, End, Event, Kind, Subject};
use crate::model::{At, AttemptId, Channel, Disposition, Leg, Money, Outcome, Segment};

/// One cascade.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The customer's segment.
    pub segment: Segment,
    /// The first channel of the walk.
    pub start: Channel,
    /// The probability with which it was drawn; `None`: not at random.
    pub propensity: Option<f64>,
    /// It says nothing about its start: not every start could be had, somebody else ended it or one of its waits, or it
    /// went half by one version of rules or texts and half by another.
    pub forced: bool,
    /// Campaign time.
    pub launched_at: At,
    /// When and how it ended.
    pub ended: Option<(At, End)>,
    /// All steps of the walk, taken or not.
    pub steps: Vec<Step>,
    /// What went out, with what it cost, oldest first.
    pub sends: Vec<Send>,
}

/// One step of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub channel: Channel,
    /// Its wait in seconds; `None` on the last one, which has the campaign's conversion window.
    pub wait_s: Option<u64>,
    /// Outcomes that convert here, a bit each by [`Outcome::index`].
    pub converts_on: u8,
    /// When it arrived, or the line was answered by anybody.
    pub delivered_at: Option<At>,
    /// When it turned out that it cannot reach this person.
    pub bounced_at: Option<At>,
    /// When a human last reacted to it in a way that converts, whatever came of it.
    pub answered_at: Option<At>,
    /// When it converted, however late.
    pub converted_at: Option<At>,
    /// When they opted out in answer to it.
    pub opted_out_at: Option<At>,
}

/// An attempt that reached the provider, or may have: from its claim on, since an answer to it may be heard before the
/// provider's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Send {
    /// Which.
    pub attempt: AttemptId,
    /// For which step.
    pub step: u32,
    /// When; `None`: it turned out that it was not sent.
    pub at: Option<At>,
    /// What it is booked at.
    pub cost: Money,
}

impl Record {
    /// As the cascade was started.
    pub fn begun(at: At, start: &CascadeStart) -> Self {
        Self {
            segment: start.segment.clone(),
            start: start.start,
            propensity: start.drawn.as_ref().map(|_| start.propensity),
            forced: start.drawn.as_ref().is_some_and(|drawn| drawn.forced),
            launched_at: at,
            ended: None,
            steps: start.walk.iter().map(Step::of).collect(),
            sends: Vec::with_capacity(start.walk.len()),
        }
    }

    /// When a step was first sent.
    pub fn sent_at(&self, step: usize) -> Option<At> {
        self.of_step(step).filter_map(|send| send.at).min()
    }

    /// What all attempts of a step cost.
    pub fn cost(&self, step: usize) -> Money {
        self.of_step(step).map(|send| send.cost).sum()
    }

    fn of_step(&self, step: usize) -> impl Iterator<Item = &Send> {
        self.sends.iter().filter(move |send| send.step as usize == step)
    }

    /// Takes in what happened.
    pub fn fold(&mut self, event: &Event) {
        let Event { at, subject, kind, .. } = event;
        match kind {
            Kind::AttemptClaimed { content, .. } => {
                // Told something else than at the launch, it is another cascade.
                self.forced |= *content != 0;
                self.sent(*subject, *at, None);
            }
            Kind::AttemptInDoubt { .. } => self.sent(*subject, *at, None),
            Kind::AttemptAccepted { cost, .. } => self.sent(*subject, *at, Some(*cost)),
            Kind::AttemptRefused { .. } | Kind::AttemptWithdrawn { .. } => self.not_sent(*subject),
            Kind::AttemptRecovered { sent_at, provider_id: Some(_), cost } => {
                self.sent(*subject, *sent_at, Some(*cost));
            }
            Kind::AttemptRecovered { sent_at, provider_id: None, .. } => self.sent(*subject, *sent_at, None),
            Kind::DoubtSettled { was_sent, cost, .. } => self.settled(*subject, *at, *was_sent, *cost),
            Kind::CostReported { cost } => self.costs(*subject, *cost),
            Kind::OutcomeHeard { outcome, happened_at, disposition, .. } => {
                self.heard(*subject, *outcome, *happened_at, *disposition);
            }
            Kind::CascadeEnded { end, credited, credited_attempt } => {
                self.ended(*at, *end, *credited, *credited_attempt);
            }
            Kind::Retimed { walk, .. } => self.rewritten(walk),
            // What would have come of the whole wait is not known.
            Kind::WaitSkipped { .. } => self.forced = true,
            Kind::CampaignLaunched { .. }
            | Kind::CascadeStarted { .. }
            | Kind::Paused { .. }
            | Kind::Resumed { .. }
            | Kind::BreakerOpened { .. }
            | Kind::BreakerChecked { .. }
            | Kind::BreakerClosed { .. }
            | Kind::StoreRestored { .. }
            | Kind::Reconciled { .. }
            | Kind::OutcomesChanged { .. }
            | Kind::CampaignEnded { .. }
            | Kind::RulesChanged { .. }
            | Kind::Ordered { .. }
            | Kind::OrderMet { .. }
            | Kind::AttemptPlanned { .. }
            | Kind::AttemptDeferred { .. }
            | Kind::AttemptFailed { .. }
            | Kind::RetryScheduled { .. }
            | Kind::CallProgressed { .. }
            | Kind::CallWatched { .. }
            | Kind::ReportAwaited { .. }
            | Kind::CallEnded { .. }
            | Kind::Recalled { .. }
            | Kind::ClickSuspected { .. }
            | Kind::WaitStarted { .. }
            | Kind::SettlingStarted { .. }
            | Kind::TimerFired { .. }
            | Kind::StepSkipped { .. }
            | Kind::Held { .. }
            | Kind::Released { .. }
            | Kind::ContactedAfterAnswer {}
            | Kind::Suppressed { .. }
            | Kind::Unmatched { .. }
            | Kind::Retried { .. } => {}
        }
    }

    /// Whether an event can change a record: whoever keeps them need not look at the others.
    pub const fn concerns(kind: &Kind) -> bool {
        matches!(
            kind,
            Kind::AttemptClaimed { .. }
                | Kind::AttemptAccepted { .. }
                | Kind::AttemptRefused { .. }
                | Kind::AttemptWithdrawn { .. }
                | Kind::AttemptRecovered { .. }
                | Kind::AttemptInDoubt { .. }
                | Kind::DoubtSettled { .. }
                | Kind::CostReported { .. }
                | Kind::OutcomeHeard { .. }
                | Kind::CascadeEnded { .. }
                | Kind::Retimed { .. }
                | Kind::WaitSkipped { .. }
        )
    }

    /// What was walked stays, and what is still to come is another walk: in its steps and waits, in what converts and
    /// what a bounce does, or in its texts. Nobody is written of whom nothing changes.
    fn rewritten(&mut self, walk: &[Leg]) {
        self.forced = true;
        let kept = self.steps.iter().zip(walk).take_while(|(step, leg)| step.channel == leg.channel).count();
        self.steps.truncate(kept);
        for (step, leg) in self.steps.iter_mut().zip(walk) {
            (step.wait_s, step.converts_on) = (leg.wait_s, bits(&leg.converts_on));
        }
        self.steps.extend(walk.iter().skip(kept).map(Step::of));
    }

    fn sent(&mut self, subject: Subject, at: At, cost: Option<Money>) {
        let (Some(attempt), Some(step)) = (subject.attempt, subject.step) else { return };
        if let Some(send) = self.sends.iter_mut().find(|send| send.attempt == attempt) {
            send.at = send.at.or(Some(at));
            send.cost = cost.unwrap_or(send.cost);
        } else {
            self.sends.push(Send { attempt, step, at: Some(at), cost: cost.unwrap_or(Money::ZERO) });
        }
    }

    fn not_sent(&mut self, subject: Subject) {
        if self.has_converted(subject) {
            return;
        }
        self.sends.retain(|send| Some(send.attempt) != subject.attempt);
        self.take_back(subject);
    }

    /// Whoever answered was reached, whatever is said of the send afterwards.
    fn has_converted(&self, subject: Subject) -> bool {
        let step = subject.step.and_then(|step| self.steps.get(step as usize));
        step.is_some_and(|step| step.converted_at.is_some())
    }

    /// Nothing of a step was sent after all: whatever was heard meanwhile answers something else.
    fn take_back(&mut self, subject: Subject) {
        let Some(place) = subject.step.map(|step| step as usize) else { return };
        if self.sent_at(place).is_some() {
            return;
        }
        let Some(step) = self.steps.get_mut(place) else { return };
        (step.delivered_at, step.answered_at, step.converted_at) = (None, None, None);
        if let Some(at) = step.opted_out_at.take() {
            self.opted_out(place, at);
        }
        self.forced |= self.was_not_asked_to();
    }

    /// Whoever opted out before, or shares a number with somebody who did, did not do so in answer to us.
    fn was_not_asked_to(&self) -> bool {
        let opted_out = matches!(self.ended, Some((_, End::OptedOut)));
        opted_out && self.steps.iter().all(|step| step.opted_out_at.is_none())
    }

    fn settled(&mut self, subject: Subject, at: At, was_sent: bool, cost: Money) {
        self.sent(subject, at, Some(cost));
        let converted = self.has_converted(subject);
        let settled = self.sends.iter_mut().find(|send| Some(send.attempt) == subject.attempt);
        if let Some(send) = settled.filter(|_| !was_sent && !converted) {
            send.at = None;
            self.take_back(subject);
        }
    }

    fn costs(&mut self, subject: Subject, cost: Money) {
        if let Some(send) = self.sends.iter_mut().find(|send| Some(send.attempt) == subject.attempt) {
            send.cost = cost;
        } else if let (Some(attempt), Some(step)) = (subject.attempt, subject.step) {
            self.sends.push(Send { attempt, step, at: None, cost });
        }
    }

    fn heard(&mut self, subject: Subject, outcome: Outcome, at: At, means: Option<Disposition>) {
        let (Some(place), Some(_)) = (subject.step.map(|step| step as usize), subject.attempt) else {
            return;
        };
        let at = self.sent_at(place).map_or(at, |sent| at.max(sent));
        if outcome == Outcome::OptedOut {
            return self.opted_out(place, at);
        }
        let open = self.ended.is_none();
        let lost = matches!(self.ended, Some((_, End::Exhausted)));
        let converted = self.steps.iter().any(|step| step.converted_at.is_some());
        let converts = self.steps.get(place).is_some_and(|step| step.converts(outcome, means));
        if converts && (open || lost && !converted) && self.sent_at(place).is_none() {
            // An answer proves what a refusal denied.
            self.sent(subject, at, None);
        }
        let Some(step) = self.steps.get_mut(place) else { return };
        if outcome == Outcome::Bounced {
            step.bounced_at = step.bounced_at.or(Some(at));
        } else {
            step.delivered_at = step.delivered_at.or(Some(at));
        }
        if !converts {
            return;
        }
        if open {
            step.answered_at = Some(at);
        } else if lost && !converted {
            // Too late to move the cascade; it tells that the window was short.
            step.converted_at = Some(at);
        }
    }

    /// They may say it while a message is still on its way, or to somebody else: then the last one that was sent made
    /// them.
    fn opted_out(&mut self, place: usize, at: At) {
        let sent: Vec<(usize, At)> =
            (0..self.steps.len()).filter_map(|step| Some((step, self.sent_at(step)?))).collect();
        let answered = sent.iter().find(|(step, _)| *step == place).or_else(|| sent.last());
        let Some(&(place, sent)) = answered else { return };
        if let Some(step) = self.steps.get_mut(place) {
            step.delivered_at = step.delivered_at.or(Some(at.max(sent)));
            step.opted_out_at = step.opted_out_at.or(Some(at.max(sent)));
        }
    }

    fn ended(&mut self, at: At, end: End, credited: Option<Channel>, by: Option<AttemptId>) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some((at, end));
        let answered = self.sends.iter().find(|send| Some(send.attempt) == by).map(|send| send.step as usize);
        let step = answered.or_else(|| self.steps.iter().position(|step| Some(step.channel) == credited));
        match end {
            End::Converted => {
                let Some(place) = step.filter(|place| *place < self.steps.len()) else { return };
                let answered = self.steps[place].answered_at.unwrap_or(at);
                if self.sent_at(place).is_none() {
                    // An answer proves what a refusal denied.
                    let of = Subject { attempt: by, step: Some(place as u32), ..Subject::default() };
                    self.sent(of, answered, None);
                }
                self.steps[place].converted_at = Some(answered);
            }
            End::OptedOut => self.forced |= self.was_not_asked_to(),
            // The operator ended it: what would have come of it is not known.
            End::Stopped => self.forced = true,
            End::Declined | End::Exhausted => {}
        }
    }
}

const fn bit(outcome: Outcome) -> u8 {
    1 << outcome.index()
}

fn bits(outcomes: &[Outcome]) -> u8 {
    outcomes.iter().fold(0, |bits, outcome| bits | bit(*outcome))
}

impl Step {
    fn of(leg: &Leg) -> Self {
        Self {
            channel: leg.channel,
            wait_s: leg.wait_s,
            converts_on: bits(&leg.converts_on),
            delivered_at: None,
            bounced_at: None,
            answered_at: None,
            converted_at: None,
            opted_out_at: None,
        }
    }

    /// Whether this outcome, so meant, converts.
    fn converts(&self, outcome: Outcome, means: Option<Disposition>) -> bool {
        // Whoever writes instead of picking up has answered the call.
        let wrote = self.channel == Channel::Phone && outcome == Outcome::Replied;
        let agreed = match means {
            None | Some(Disposition::Positive | Disposition::Question | Disposition::Unclear) => true,
            Some(Disposition::Negative | Disposition::WrongPerson | Disposition::AutoReply) => false,
        };
        agreed && (wrote || self.converts_on & bit(outcome) != 0)
    }
}
