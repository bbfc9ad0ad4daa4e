//! Folding: what each event makes of the rows. No decision here; what is not in the event is not known.

mod hand;
mod pause;
mod retimed;

use super::breaker::Breaker;
use super::campaign::Campaign;
use super::event::{CallProgress, CascadeStart, Event, Kind, RecallResult, Subject};
use super::journey::{Alarm, Attempt, Journey, Stage, State, Timer, Word};
use super::restored::Restored;
use super::streak;
use crate::model::{At, Channel, Failure, Money, Outcome, TimerId};
use std::sync::Arc;

/// A campaign from its events, oldest first. `None` without a launch. Events of other campaigns are passed over.
pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Campaign> {
    let mut campaign: Option<Campaign> = None;
    for event in events {
        match (&mut campaign, &event.kind) {
            (None, Kind::CampaignLaunched { launch }) => {
                campaign = Some(Campaign::empty(event.campaign, (**launch).clone(), event.at));
            }
            (Some(campaign), _) if event.campaign == campaign.id() => fold(campaign, event),
            (None | Some(_), _) => {}
        }
    }
    campaign
}

/// Takes in one committed event of this campaign, for whoever keeps a copy; others' events are passed over. A launch
/// makes a new campaign: that is for [`replay`] or for the store's rows.
pub fn follow(campaign: &mut Campaign, event: &Event) {
    if event.campaign == campaign.id() {
        fold(campaign, event);
    }
}

/// What one event makes of the rows.
pub(super) fn fold(campaign: &mut Campaign, event: &Event) {
    let Event { at, subject, kind, .. } = event;
    if let Some(timer) = timer_in(kind) {
        let next = &mut campaign.header.next_timer;
        next.0 = next.0.max(timer.0 + 1);
    }
    match kind {
        Kind::CampaignLaunched { .. }
        | Kind::Suppressed { .. }
        | Kind::OrderMet { .. }
        | Kind::OutcomesChanged { .. } => {}
        Kind::Ordered { order, .. } => campaign.header.orders = campaign.header.orders.max(order.0),
        Kind::CascadeStarted { start } => started(campaign, *subject, start, *at),
        Kind::CampaignEnded { .. } => campaign.header.ended_at = Some(*at),
        Kind::Paused { .. } | Kind::Resumed { .. } => pause::fold(campaign, *at, kind),
        Kind::BreakerOpened { .. } | Kind::BreakerChecked { .. } | Kind::BreakerClosed { .. } => {
            fold_breaker(campaign, *at, kind);
        }
        Kind::StoreRestored { .. } | Kind::Reconciled { .. } => fold_restored(campaign, *at, kind),
        Kind::RulesChanged { edition, choice, terms, texts, .. } => {
            retimed::rules_changed(campaign, edition, terms.as_deref());
            retimed::texts_changed(campaign, edition, *choice, texts.as_deref());
        }
        Kind::Unmatched { .. } => campaign.header.unmatched += 1,
        Kind::ClickSuspected { .. } => campaign.header.clicks_suspected += 1,
        Kind::ContactedAfterAnswer {} => {
            campaign.header.contacted_after_answer += 1;
            if let Some(cascade) = subject.cascade {
                campaign.change(cascade, |journey| journey.after_answer = true);
            }
        }
        Kind::TimerFired { timer } => fired(campaign, *subject, *timer),
        Kind::AttemptPlanned { .. }
        | Kind::AttemptDeferred { .. }
        | Kind::AttemptClaimed { .. }
        | Kind::AttemptAccepted { .. }
        | Kind::AttemptRecovered { .. }
        | Kind::AttemptRefused { .. }
        | Kind::AttemptInDoubt { .. }
        | Kind::AttemptWithdrawn { .. }
        | Kind::AttemptFailed { .. }
        | Kind::RetryScheduled { .. }
        | Kind::CallProgressed { .. }
        | Kind::CallWatched { .. }
        | Kind::ReportAwaited { .. }
        | Kind::CallEnded { .. }
        | Kind::CostReported { .. }
        | Kind::Recalled { .. }
        | Kind::OutcomeHeard { .. }
        | Kind::WaitStarted { .. }
        | Kind::SettlingStarted { .. }
        | Kind::StepSkipped { .. }
        | Kind::Held { .. }
        | Kind::Released { .. }
        | Kind::CascadeEnded { .. }
        | Kind::WaitSkipped { .. }
        | Kind::Retried { .. }
        | Kind::Retimed { .. }
        | Kind::DoubtSettled { .. } => fold_journey(campaign, *at, *subject, kind),
    }
}

fn timer_in(kind: &Kind) -> Option<TimerId> {
    match kind {
        Kind::AttemptDeferred { timer, .. }
        | Kind::AttemptInDoubt { timer, .. }
        | Kind::BreakerChecked { timer, .. }
        | Kind::RetryScheduled { timer, .. }
        | Kind::CallWatched { timer, .. }
        | Kind::ReportAwaited { timer, .. }
        | Kind::WaitStarted { timer, .. }
        | Kind::SettlingStarted { timer, .. } => Some(*timer),
        Kind::BreakerOpened { timer, .. } => *timer,
        Kind::Retimed { wait, .. } => wait.map(|wait| wait.timer),
        Kind::CampaignLaunched { .. }
        | Kind::CascadeStarted { .. }
        | Kind::Paused { .. }
        | Kind::Resumed { .. }
        | Kind::BreakerClosed { .. }
        | Kind::StoreRestored { .. }
        | Kind::Reconciled { .. }
        | Kind::OutcomesChanged { .. }
        | Kind::CampaignEnded { .. }
        | Kind::AttemptPlanned { .. }
        | Kind::AttemptClaimed { .. }
        | Kind::AttemptAccepted { .. }
        | Kind::AttemptRecovered { .. }
        | Kind::AttemptRefused { .. }
        | Kind::AttemptWithdrawn { .. }
        | Kind::AttemptFailed { .. }
        | Kind::CallProgressed { .. }
        | Kind::CallEnded { .. }
        | Kind::CostReported { .. }
        | Kind::Recalled { .. }
        | Kind::OutcomeHeard { .. }
        | Kind::ClickSuspected { .. }
        | Kind::TimerFired { .. }
        | Kind::StepSkipped { .. }
        | Kind::Held { .. }
        | Kind::Released { .. }
        | Kind::ContactedAfterAnswer {}
        | Kind::CascadeEnded { .. }
        | Kind::Suppressed { .. }
        | Kind::Unmatched { .. }
        | Kind::Ordered { .. }
        | Kind::OrderMet { .. }
        | Kind::RulesChanged { .. }
        | Kind::WaitSkipped { .. }
        | Kind::Retried { .. }
        | Kind::DoubtSettled { .. } => None,
    }
}

fn started(campaign: &mut Campaign, subject: Subject, start: &CascadeStart, at: At) {
    if let (Some(id), Some(person)) = (subject.cascade, subject.customer) {
        campaign.push(Journey::new(id, person, start.clone(), at));
    }
}

fn fired(campaign: &mut Campaign, subject: Subject, timer: TimerId) {
    let Some(cascade) = subject.cascade else {
        let breakers = &mut campaign.header.breakers;
        let taken = breakers.iter_mut().find_map(|b| b.timer.take_if(|(_, id)| *id == timer));
        campaign.index_breaker(taken, false);
        return;
    };
    campaign.change(cascade, |journey| {
        journey.timer = journey.timer.filter(|t| t.id != timer);
        if matches!(journey.state, State::Deferred(_)) {
            journey.state = State::Queued;
        }
    });
}

fn fold_restored(campaign: &mut Campaign, at: At, kind: &Kind) {
    let header = &mut campaign.header;
    match kind {
        Kind::StoreRestored { next_attempt, next_timer, .. } => {
            header.next_attempt = header.next_attempt.max(*next_attempt);
            header.next_timer = header.next_timer.max(*next_timer);
            header.restored =
                Some(Restored { since: at, asking: true, untold: Vec::new(), shared: Vec::new() });
        }
        Kind::Reconciled { untold, shared, .. } => {
            if let Some(restored) = &mut header.restored {
                restored.asking = false;
                (restored.untold, restored.shared) = (untold.clone(), shared.clone());
            }
        }
        _ => {}
    }
}

fn fold_breaker(campaign: &mut Campaign, at: At, kind: &Kind) {
    match kind {
        Kind::BreakerOpened { on, scope, failure, retry_at, timer } => {
            let timer = retry_at.zip(*timer);
            let breakers = &mut campaign.header.breakers;
            breakers.push(Breaker {
                on: *on,
                scope: scope.clone(),
                failure: (**failure).clone(),
                since: at,
                timer,
                by_word: timer.is_none(),
            });
            campaign.index_breaker(timer, true);
        }
        Kind::BreakerChecked { on, scope, retry_at, timer } => {
            let timer = Some((*retry_at, *timer));
            let breakers = &mut campaign.header.breakers;
            let Some(open) = breakers.iter_mut().find(|b| b.on == *on && b.scope == *scope) else { return };
            let before = std::mem::replace(&mut open.timer, timer);
            campaign.index_breaker(before, false);
            campaign.index_breaker(timer, true);
        }
        Kind::BreakerClosed { on, scope, by } => {
            let breakers = &mut campaign.header.breakers;
            let Some(at) = breakers.iter().position(|b| b.on == *on && b.scope == *scope) else { return };
            let closed = breakers.remove(at);
            campaign.index_breaker(closed.timer, false);
            streak::opened_again(campaign, *on, scope, by);
        }
        _ => {}
    }
}

fn fold_journey(campaign: &mut Campaign, at: At, subject: Subject, kind: &Kind) {
    let Some(cascade) = subject.cascade else { return };
    streak::note(campaign, subject, kind);
    if let (Kind::AttemptPlanned { .. }, Some(id)) = (kind, subject.attempt) {
        let next = &mut campaign.header.next_attempt;
        next.0 = next.0.max(id.0 + 1);
    }
    campaign.change(cascade, |journey| {
        if let (Kind::AttemptClaimed { content, .. }, Some(id)) = (kind, subject.attempt) {
            retimed::claimed(journey, id, *content);
        }
        let over = journey
            .is_over()
            .then(|| (journey.state.clone(), journey.step, journey.credited, journey.ended_at));
        fold_attempt(journey, at, subject, kind);
        fold_state(journey, at, subject, kind);
        // Late news is kept, but nothing brings an ended cascade back.
        if let Some((state, step, credited, ended_at)) = over {
            (journey.state, journey.step, journey.timer) = (state, step, None);
            (journey.credited, journey.ended_at) = (credited, ended_at);
        }
    });
}

/// What an event makes of its attempt.
fn fold_attempt(journey: &mut Journey, at: At, subject: Subject, kind: &Kind) {
    let (Some(id), Some(step), Some(channel)) = (subject.attempt, subject.step, subject.channel) else {
        return;
    };
    if matches!(kind, Kind::AttemptPlanned { .. }) {
        journey.attempts.push(Attempt::new(id, step, channel));
        return;
    }
    let over = journey.is_over();
    let Some(attempt) = journey.attempts.iter_mut().find(|a| a.id == id) else { return };
    let failed = |attempt: &mut Attempt, stage: Stage, failure: &Failure| {
        attempt.stage = stage;
        attempt.failure = Some(Arc::new(failure.clone()));
    };
    match kind {
        Kind::AttemptClaimed { reserved, .. } => {
            (attempt.stage, attempt.claimed_at, attempt.reserved) = (Stage::Claimed, Some(at), *reserved);
        }
        Kind::AttemptAccepted { provider_id, cost } => {
            // Empty where a reply or a click proved it; the create call's answer then tells the id.
            if !provider_id.is_empty() {
                attempt.provider_id = Some(provider_id.clone());
            }
            if attempt.stage != Stage::Failed {
                attempt.stage = Stage::Accepted;
            }
            attempt.cost = *cost;
            let rest = attempt.reserved - *cost;
            attempt.reserved = if attempt.under_way() && rest > Money::ZERO { rest } else { Money::ZERO };
        }
        Kind::AttemptRecovered { sent_at, provider_id, cost } => {
            (attempt.claimed_at, attempt.provider_id) = (Some(*sent_at), provider_id.clone());
            (attempt.stage, attempt.cost, attempt.reserved) = match provider_id {
                Some(_) => (Stage::Accepted, *cost, Money::ZERO),
                None => (Stage::Claimed, Money::ZERO, *cost),
            };
        }
        Kind::AttemptRefused { failure, reached } => {
            failed(attempt, Stage::Refused, failure);
            (attempt.reserved, attempt.reached) = (Money::ZERO, *reached);
        }
        Kind::AttemptInDoubt { failure, .. } => failed(attempt, Stage::InDoubt, failure),
        Kind::AttemptWithdrawn { .. } => (attempt.stage, attempt.reserved) = (Stage::Withdrawn, Money::ZERO),
        Kind::AttemptFailed { failure } => {
            failed(attempt, Stage::Failed, failure);
            (attempt.ended, attempt.reserved) = (true, Money::ZERO);
        }
        Kind::CallProgressed { progress } => attempt.progress = Some(*progress),
        Kind::CallWatched { .. } => attempt.watched += 1,
        Kind::CallEnded { .. } => {
            (attempt.ended, attempt.ended_at, attempt.reserved) = (true, Some(at), Money::ZERO);
        }
        // Its line is free; the provider may never report an end of its own. Of a cascade that is over nobody
        // watches the call, so that any answer has to do: a line must not stay taken for ever.
        Kind::Recalled { result }
            if channel == Channel::Phone && (over || *result == RecallResult::Recalled) =>
        {
            (attempt.ended, attempt.reserved) = (true, Money::ZERO);
        }
        Kind::CostReported { cost } => attempt.cost = *cost,
        Kind::OutcomeHeard { outcome, why, disposition, .. } => {
            attempt.outcomes[outcome.index()] = true;
            attempt.disposition = disposition.or(attempt.disposition);
            attempt.machine |= why.as_deref().is_some_and(|why| why.contains("voicemail"));
        }
        Kind::DoubtSettled { was_sent, cost, .. } => {
            attempt.stage = if *was_sent { Stage::Accepted } else { Stage::Refused };
            attempt.cost = *cost;
            (attempt.ended, attempt.reserved, attempt.reached) = (true, Money::ZERO, *was_sent);
        }
        _ => {}
    }
}

/// What an event makes of the journey's state, timer and last word.
fn fold_state(journey: &mut Journey, at: At, subject: Subject, kind: &Kind) {
    let alarm = |id: &TimerId, due: &At, what| Some(Timer { id: *id, due: *due, what, from: None });
    fold_step(journey, subject, kind);
    match kind {
        Kind::AttemptPlanned { due } => {
            (journey.state, journey.timer, journey.due_at) = (State::Queued, None, *due);
        }
        Kind::AttemptDeferred { until, why, timer } => {
            (journey.state, journey.timer) = (State::Deferred(*why), alarm(timer, until, Alarm::Defer));
        }
        Kind::AttemptClaimed { .. } => {
            (journey.state, journey.timer, journey.hurried) = (State::Sending, None, false);
        }
        Kind::AttemptRecovered { sent_at, provider_id, .. } => {
            let channel = subject.channel.unwrap_or_else(|| journey.channel());
            (journey.state, journey.timer, journey.hurried) = (State::Sending, None, false);
            if provider_id.is_some() {
                journey.last = Some((*sent_at, Word::Accepted(channel)));
            }
        }
        Kind::AttemptAccepted { .. } => {
            let channel = subject.channel.unwrap_or_else(|| journey.channel());
            journey.last = Some((at, Word::Accepted(channel)));
            // A doubt that is proved sent goes on with the wait it already runs.
            if journey.state == State::InDoubt && subject.attempt.is_some_and(|id| journey.hangs_on(id)) {
                let settling = journey.timer.is_some_and(|t| t.what == Alarm::Settle);
                journey.state = if settling { State::Settling } else { State::Waiting };
            }
        }
        Kind::AttemptRefused { failure, .. } | Kind::AttemptFailed { failure } => {
            note_failure(journey, at, failure);
        }
        Kind::AttemptInDoubt { failure, due, timer } => {
            note_failure(journey, at, failure);
            // News of an earlier step must not take the place of the step under way.
            if !subject.attempt.is_some_and(|id| journey.hangs_on(id)) {
                return;
            }
            let what = if journey.at_last_step() { Alarm::Settle } else { Alarm::Wait };
            (journey.state, journey.timer) = (State::InDoubt, alarm(timer, due, what));
        }
        Kind::RetryScheduled { retry, due, timer } => {
            (journey.state, journey.retries) = (State::Retrying, *retry);
            journey.timer = alarm(timer, due, Alarm::Retry);
        }
        Kind::CallWatched { due, timer } => {
            (journey.state, journey.timer) = (State::Sending, alarm(timer, due, Alarm::CallWatch));
        }
        Kind::ReportAwaited { due, timer } => {
            (journey.state, journey.timer) = (State::Sending, alarm(timer, due, Alarm::Report));
        }
        Kind::WaitStarted { due, timer } => {
            (journey.state, journey.timer) = (State::Waiting, alarm(timer, due, Alarm::Wait));
        }
        Kind::SettlingStarted { due, timer } => {
            (journey.state, journey.timer) = (State::Settling, alarm(timer, due, Alarm::Settle));
        }
        Kind::OutcomeHeard { outcome, why, .. } => {
            let channel = subject.channel.unwrap_or_else(|| journey.channel());
            journey.outcomes[channel.index()][outcome.index()].get_or_insert(at);
            if !(*outcome == Outcome::Delivered && journey.is_over()) {
                journey.last = Some((at, Word::Outcome(*outcome, why.clone())));
            }
        }
        Kind::StepSkipped { why } => journey.last = Some((at, Word::Skipped(*why))),
        Kind::CascadeEnded { end, credited, .. } => {
            (journey.state, journey.timer) = (State::Ended(*end), None);
            (journey.credited, journey.ended_at) = (*credited, Some(at));
        }
        _ => hand::fold(journey, kind),
    }
}

/// Which step they are at.
fn fold_step(journey: &mut Journey, subject: Subject, kind: &Kind) {
    if matches!(kind, Kind::AttemptPlanned { .. } | Kind::Held { .. } | Kind::StepSkipped { .. })
        && let Some(step) = subject.step.filter(|step| *step != journey.step)
    {
        (journey.step, journey.retries) = (step, 0);
    }
}

fn note_failure(journey: &mut Journey, at: At, failure: &Failure) {
    journey.failure = Some(Arc::new(failure.clone()));
    journey.last = Some((at, Word::Failed(failure.code.clone(), failure.class)));
}

/// How far a call came, for "only forward".
pub(super) const fn rank(progress: Option<CallProgress>) -> u8 {
    match progress {
        None => 0,
        Some(CallProgress::Queued) => 1,
        Some(CallProgress::Ringing) => 2,
        Some(CallProgress::InProgress) => 3,
    }
}
