//! What learning is told of each cascade, beside the rows: asked after every single input.

use cascade::engine::Campaign;
use cascade::engine::event::{End, Event, Kind};
use cascade::engine::journey::{Journey, Stage, State};
use cascade::engine::record::Record;
use cascade::model::{CascadeId, Money};
use std::collections::BTreeMap;

/// Records as they are kept: folded event by event.
#[derive(Default)]
pub struct Records(BTreeMap<CascadeId, Record>);

impl Records {
    pub fn see(&mut self, events: &[Event]) {
        for event in events {
            let Some(cascade) = event.subject.cascade else { continue };
            if let Kind::CascadeStarted { start } = &event.kind {
                self.0.insert(cascade, Record::begun(event.at, start));
            } else if let Some(record) = self.0.get_mut(&cascade) {
                let before = record.clone();
                record.fold(event);
                assert!(Record::concerns(&event.kind) || *record == before, "passed over: {event:?}");
            }
        }
    }

    pub fn tell_the_same(&self, campaign: &Campaign) {
        assert_eq!(self.0.len(), campaign.journeys().len());
        for journey in campaign.journeys() {
            tells_the_same(&self.0[&journey.id], journey);
        }
    }
}

fn tells_the_same(record: &Record, journey: &Journey) {
    let channels = |record: &Record| record.steps.iter().map(|s| s.channel).collect::<Vec<_>>();
    assert_eq!(channels(record), journey.start.walk.iter().map(|leg| leg.channel).collect::<Vec<_>>());
    let costs = record.sends.iter().map(|send| send.cost).sum::<Money>();
    assert_eq!(costs, journey.attempts.iter().map(|a| a.cost).sum::<Money>(), "{record:?} of {journey:?}");
    for attempt in &journey.attempts {
        let sent = record.sends.iter().any(|send| send.attempt == attempt.id && send.at.is_some());
        // An answer proves what a refusal denies.
        let answered = record.steps.get(attempt.step as usize).is_some_and(|s| s.converted_at.is_some());
        let may = attempt.contacted() || attempt.stage == Stage::Claimed || answered;
        assert!(may || !sent, "{attempt:?} was not sent: {record:?}");
        assert!(!attempt.contacted() || sent, "{attempt:?} was sent: {record:?}");
    }
    let end = match &journey.state {
        State::Ended(end) => Some(*end),
        _ => None,
    };
    assert_eq!(record.ended.map(|(_, end)| end), end);
    assert_eq!(record.ended.map(|(at, _)| at), journey.ended_at);
    let converted: Vec<_> = record.steps.iter().filter(|s| s.converted_at.is_some()).collect();
    match end {
        Some(End::Converted) => {
            assert_eq!(converted.len(), 1, "{record:?}");
            assert_eq!(Some(converted[0].channel), journey.credited);
        }
        // Too late to count, once.
        Some(End::Exhausted) => assert!(converted.len() <= 1, "{record:?}"),
        Some(End::Declined | End::OptedOut | End::Stopped) | None => assert_eq!(converted.len(), 0),
    }
    for (at, step) in record.steps.iter().enumerate() {
        for answered in [step.converted_at, step.opted_out_at].into_iter().flatten() {
            let sent = record.sent_at(at);
            assert!(sent.is_some_and(|sent| sent <= answered), "{record:?}");
        }
    }
}
