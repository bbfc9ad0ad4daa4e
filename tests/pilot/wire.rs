//! The store held against the provider's own truth: every send, result and outcome as the sandbox wrote it down.

use crate::house::{House, Sandbox};
use cascade::engine::Campaign;
use cascade::engine::journey::{Attempt, Stage};
use cascade::model::{Outcome, attempt_key};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_else(|| panic!("{key} of {line}"))
}

/// Our claims by their key on the wire.
pub fn claims(campaign: &Campaign) -> BTreeMap<String, &Attempt> {
    let store = &campaign.header.launch.store;
    let attempts = campaign.journeys().iter().flat_map(|journey| &journey.attempts);
    attempts
        .filter(|attempt| attempt.claimed_at.is_some() && attempt.stage != Stage::Withdrawn)
        .map(|attempt| (attempt_key(store, attempt.id), attempt))
        .collect()
}

/// Each send in the ledger has exactly one claim with the ledger's result, and nobody was sent to twice.
/// Claims that never reached the provider are those in doubt, or known not to have reached it.
pub fn ledger_agrees(house: &House, sandbox: &Sandbox) -> usize {
    let campaign = house.campaign();
    let claims = claims(&campaign);
    let sends = sandbox.sends();
    let mut seen = BTreeSet::new();
    let mut reached = BTreeSet::new();
    for send in &sends {
        let key = text(send, "attempt");
        assert!(seen.insert(key), "{key} was sent twice");
        let claim = claims.get(key).unwrap_or_else(|| panic!("{key} was never claimed"));
        assert_eq!(text(send, "channel"), claim.channel.as_str());
        let accepted = send["accepted"].as_bool().unwrap();
        if accepted {
            let person = (text(send, "channel"), text(send, "to"));
            assert!(reached.insert(person), "{person:?} was contacted twice");
        }
        match claim.stage {
            Stage::Accepted | Stage::Failed => assert!(accepted, "{key}: {send}"),
            Stage::Refused => assert!(!accepted, "{key}: {send}"),
            Stage::InDoubt => {}
            Stage::Planned | Stage::Claimed | Stage::Withdrawn => panic!("{key} is {:?}", claim.stage),
        }
    }
    for (key, claim) in &claims {
        let excused = claim.stage == Stage::InDoubt || (claim.stage == Stage::Refused && !claim.reached);
        assert!(seen.contains(key.as_str()) || excused, "{key} ({:?}) is in no ledger", claim.stage);
    }
    sends.len()
}

/// Nothing was accepted for a person after a STOP of theirs that we had answered with 200.
pub fn no_send_after_stop(sandbox: &Sandbox) {
    let events = sandbox.lines("events");
    let stops = events.iter().filter(|e| e["outcome"] == "opted_out" && e["status"] == 200);
    let mut heard = 0;
    for stop in stops {
        heard += 1;
        for send in sandbox.sends() {
            let later = text(&send, "to") == text(stop, "to") && text(&send, "at") > text(stop, "at");
            assert!(!later, "{stop} was answered, then came {send}");
        }
    }
    assert!(heard > 0, "nobody said STOP");
}

/// By number, channel and outcome: what the store has.
pub fn recorded(house: &House) -> BTreeSet<(String, String, String)> {
    let mut all = BTreeSet::new();
    for (phone, journey) in house.journeys() {
        for channel in cascade::model::Channel::ALL {
            for outcome in Outcome::ALL {
                if journey.outcomes[channel.index()][outcome.index()].is_some() {
                    let row = (phone.as_str(), channel.as_str(), outcome.as_str());
                    all.insert((row.0.to_owned(), row.1.to_owned(), row.2.to_owned()));
                }
            }
        }
    }
    all
}

/// The same by what the sandbox told us and we took, and by what its people did to our own links.
pub fn told(sandbox: &Sandbox) -> BTreeSet<(String, String, String)> {
    let mut all = BTreeSet::new();
    for event in sandbox.lines("events") {
        let row = |outcome: &str| {
            (text(&event, "to").to_owned(), text(&event, "channel").to_owned(), outcome.into())
        };
        if let (Some(outcome), true) = (event["outcome"].as_str(), event["status"] == 200) {
            all.insert(row(outcome));
        }
        if event["kind"] == "person" && event["what"] == "clicked" && event["status"] == 302 {
            all.insert(row("clicked"));
        }
    }
    // WhatsApp says of this one at the create call that they stopped marketing messages: no webhook follows.
    for send in sandbox.sends().iter().filter(|send| send["code"] == "131050") {
        all.insert((text(send, "to").to_owned(), "whatsapp".to_owned(), "opted_out".to_owned()));
    }
    all
}
