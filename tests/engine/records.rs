//! What learning is told of each cascade, beside the rows: asked after every single input.

use cascade::engine::Campaign;
use cascade::engine::event::{CascadeStart, End, Event, Kind};
use cascade::engine::journey::{Journey, Stage, State};
use cascade::engine::record::Record;
use cascade::model::{At, CascadeId, Money};
use serde_json::{Value, json};
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
                let is_by_hand = matches!(event.kind, Kind::WaitSkipped { .. } | Kind::Retimed { .. });
                assert!(!is_by_hand || record.forced, "nobody's hand: {event:?}");
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
    let other_texts = journey.attempts.iter().any(|attempt| attempt.content != 0);
    assert!(!other_texts || record.forced, "by other texts than it began with: {record:?}");
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

/// A cascade of WhatsApp and SMS, as it was started.
fn begun() -> Record {
    let leg = |channel: &str, wait: Option<u64>| {
        json!({ "channel": channel, "wait_s": wait, "attempts": 1, "bounce_waits": false,
                "converts_on": ["replied", "clicked"], "reserve": "0.05", "template": null })
    };
    let start = json!({
        "segment": "retail", "start": "whatsapp", "propensity": 0.5, "skips": [], "zone": "UTC", "country": null,
        "walk": [leg("whatsapp", Some(21_600)), leg("sms", None)], "line": 1, "recent": [],
        "drawn": { "from": [["whatsapp", 0.5], ["sms", 0.5]] },
    });
    let start: CascadeStart = serde_json::from_value(start).unwrap();
    let record = Record::begun(At::from_secs(0), &start);
    assert!(!record.forced);
    record
}

/// What an event makes of it.
fn after(kind: &Value) -> Record {
    let mut event = json!({ "at": At::from_secs(60), "campaign": 1, "customer": 1, "cascade": 1, "step": 0,
                            "attempt": 1, "channel": "whatsapp" });
    event.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
    let mut record = begun();
    record.fold(&serde_json::from_value(event).unwrap());
    record
}

#[test]
fn hands_of_operators_and_editors_are_marked() {
    let claimed = |content: u32| {
        let kind = Kind::AttemptClaimed { reserved: Money::ZERO, content };
        after(&serde_json::to_value(kind).unwrap())
    };
    assert!(!claimed(0).forced, "the texts of the launch");
    assert!(claimed(1).forced, "later ones");
    // As programs wrote it that knew no other texts.
    assert!(!after(&json!({ "kind": "attempt_claimed", "reserved": "0" })).forced);
    assert!(after(&json!({ "kind": "wait_skipped", "by": "operator" })).forced);
    let walk = begun().steps;
    let legs: Vec<Value> = walk
        .iter()
        .map(|step| {
            json!({ "channel": step.channel, "wait_s": step.wait_s, "attempts": 1, "bounce_waits": false,
                    "converts_on": ["read"], "reserve": "0.05", "template": null })
        })
        .collect();
    let moved = after(&json!({ "kind": "retimed", "edition": 1, "walk": legs }));
    assert!(moved.forced, "the same steps and waits, and something else converts");
    assert_ne!(moved.steps[0].converts_on, walk[0].converts_on);
}
