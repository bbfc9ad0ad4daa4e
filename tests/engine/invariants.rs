//! DESIGN.md's invariants, as far as the engine alone can break them; asked after every single input.

use crate::records::Records;
use cascade::engine::breaker::OUTAGES_IN_A_ROW;
use cascade::engine::event::{Event, Kind};
use cascade::engine::journey::{Attempt, Journey, Stage, State};
use cascade::engine::{Campaign, Concluded, allowed_from, effect::Effect, replay, tally};
use cascade::model::{At, AttemptId, Channel, Money, Outcome, PersonId};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// What an observer of the log remembers.
#[derive(Default)]
pub struct Observer {
    pub events: Vec<Event>,
    records: Records,
    opted_out: BTreeSet<PersonId>,
}

impl Observer {
    /// Takes in what one input led to; `campaign` is what it led to.
    pub fn see(&mut self, campaign: &Campaign, concluded: &Concluded, now: At) {
        for event in &concluded.events {
            let line = serde_json::to_string(event).unwrap();
            assert_eq!(&serde_json::from_str::<Event>(&line).unwrap(), event, "goes through {line}");
            match (&event.kind, event.subject.customer) {
                (Kind::Suppressed { .. }, Some(line)) => drop(self.opted_out.insert(line)),
                (Kind::AttemptClaimed { .. }, _) => {
                    let id = event.subject.attempt.unwrap();
                    self.may_start(campaign, id, now);
                    let send = |e: &&Effect| matches!(e, Effect::Send { attempt, .. } if *attempt == id);
                    assert_eq!(concluded.effects.iter().filter(send).count(), 1, "5: one send per claim");
                }
                _ => {}
            }
        }
        self.events.extend(concluded.events.iter().cloned());
        self.rows_are_the_fold(campaign);
        counts_are_recounts(campaign);
        campaign.journeys().iter().for_each(|journey| is_not_lost(campaign, journey));
        self.records.see(&concluded.events);
        self.records.tell_the_same(campaign);
    }

    /// 10: folding the log gives the rows, and the rows alone give the campaign.
    fn rows_are_the_fold(&self, campaign: &Campaign) {
        assert!(
            replay(&self.events).as_ref() == Some(campaign),
            "10: the fold of the log is another campaign"
        );
        let rows = Campaign::from_rows(campaign.header.clone(), campaign.journeys().to_vec());
        assert!(rows == *campaign, "10: the rows make another campaign");
    }

    /// 1 to 4 and 13, at the moment of a claim.
    fn may_start(&self, campaign: &Campaign, id: AttemptId, now: At) {
        let (journey, attempt) = campaign.attempt(id).unwrap();
        let (header, line) = (&campaign.header, journey.start.line);
        let policy = &header.launch.policy;
        for earlier in journey.attempts.iter().filter(|a| a.id != id && a.step == attempt.step) {
            assert!(not_sent_or_unanswered(earlier), "1: {id} starts beside {earlier:?}");
        }
        let at_line = || campaign.at_line(line).iter().filter_map(|id| campaign.journey(*id));
        let begun = journey.attempts.iter().any(|a| a.id != id && a.contacted());
        // After a restore two may be in contact: then one of them goes on.
        let others = at_line().filter(|j| j.id != journey.id && j.in_contact());
        let others = others.filter(|_| !begun || header.restored.is_none());
        assert_eq!(others.count(), 0, "2: somebody else is in contact with the number of {:?}", journey.id);
        assert!(!self.opted_out.contains(&line), "3: {id} starts after an opt-out");
        assert_eq!(journey.state, State::Sending, "4: {id} starts");
        assert_eq!(header.paused, None, "4: {id} starts in a pause");
        assert_eq!(header.paused_on[attempt.channel.index()], None, "4: {id} starts in a pause");
        assert_eq!(header.ended_at, None, "4: {id} starts after the end");
        assert_eq!(allowed_from(&policy.quiet_hours, &journey.start.zone, now), None, "4: quiet hours");
        let shut = header.breakers.iter().find(|b| b.covers(journey, attempt.channel));
        assert_eq!(shut, None, "4: {id} starts in a shut scope");
        let recent = at_line().flat_map(|j| j.start.recent.iter().copied().chain(j.contacts()));
        let recent = recent.filter(|at| *at + TimeDelta::hours(24) > now).count();
        assert!(policy.per_person_24h == 0 || recent < policy.per_person_24h as usize, "2: the cap");
        assert!(campaign.spent() + campaign.reserved() <= policy.budget, "13: the budget");
    }
}

fn not_sent_or_unanswered(earlier: &Attempt) -> bool {
    match earlier.stage {
        // A failure that was reported later is a proof that it did not arrive.
        Stage::Refused | Stage::Withdrawn | Stage::Failed => true,
        Stage::Accepted => {
            earlier.channel == Channel::Phone && earlier.ended && earlier.outcomes[Outcome::NoAnswer.index()]
        }
        Stage::Planned | Stage::Claimed | Stage::InDoubt => false,
    }
}

/// The indices and the tally against a count by hand.
fn counts_are_recounts(campaign: &Campaign) {
    let journeys = campaign.journeys();
    let attempts = || journeys.iter().flat_map(|j| &j.attempts);
    for channel in Channel::ALL {
        let under_way = attempts().filter(|a| a.channel == *channel && a.under_way()).count();
        assert_eq!(campaign.under_way(*channel) as usize, under_way, "under way on {channel}");
        let room = campaign.header.launch.policy.concurrent(*channel) as usize;
        let claimed = attempts().filter(|a| a.channel == *channel && a.stage == Stage::Claimed).count();
        assert!(claimed <= room, "6: a crash could leave {claimed} of {channel} in doubt");
    }
    for streak in campaign.header.streaks.iter().filter(|s| s.outages >= OUTAGES_IN_A_ROW) {
        let shut = campaign.header.breakers.iter().any(|b| b.on == streak.on && b.scope == streak.scope);
        assert!(shut, "{streak:?} and its scope is open");
    }
    assert_eq!(campaign.spent(), attempts().map(|a| a.cost).sum::<Money>());
    assert_eq!(campaign.reserved(), attempts().map(|a| a.reserved).sum::<Money>());
    assert_eq!(campaign.open(), journeys.iter().filter(|j| !j.is_over()).count() as u64);
    let t = tally(campaign);
    let places =
        [t.converted, t.declined, t.exhausted, t.opted_out, t.stopped, t.held, t.in_doubt, t.running];
    assert_eq!(places.iter().sum::<u64>(), t.total, "the eight sum to the total");
    assert_eq!(t.total, journeys.len() as u64);
    assert_eq!(campaign.header.ended_at.is_some(), campaign.open() == 0, "it ends when all have ended");
}

/// 9: a timer, a place in a queue, a claim, or a named hold.
fn is_not_lost(campaign: &Campaign, journey: &Journey) {
    let newest = journey.newest();
    let stage = newest.map(|a| a.stage);
    let fine = match &journey.state {
        State::Ended(_) => journey.timer.is_none() && stage != Some(Stage::Planned),
        State::Held(_) => journey.timer.is_none(),
        State::Queued => {
            newest.is_some_and(|a| a.stage == Stage::Planned && campaign.queue(a.channel).contains(&a.id))
        }
        State::Sending => stage == Some(Stage::Claimed) || journey.timer.is_some(),
        State::Deferred(_) => journey.timer.is_some() && stage == Some(Stage::Planned),
        State::Retrying | State::Waiting | State::InDoubt | State::Settling => journey.timer.is_some(),
    };
    assert!(fine, "9: lost in {:?} with {:?}, {newest:?}", journey.state, journey.timer);
}
