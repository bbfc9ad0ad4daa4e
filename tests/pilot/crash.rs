//! Pilots that are held against the provider's own ledger, and killed in mid-wave.

use crate::house::{House, Running, Sandbox};
use crate::wire::{claims, ledger_agrees, no_send_after_stop, recorded, told};
use cascade::engine::Campaign;
use cascade::engine::journey::{Stage, State};
use cascade::model::Channel;
use serde_json::Value;
use std::collections::BTreeSet;

/// Three waves in two campaign hours.
pub const SHORT: &str = r#"{ "start": "whatsapp", "conversion_window": "1h", "steps": [
    { "channel": "whatsapp", "wait": "40m", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "30m", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

/// Slow enough to be hit in mid-wave.
pub const SPEED: &str = "720";

pub fn short() -> House {
    House::with(&[("rules/cascade.json", SHORT)])
}

/// Everybody is accounted for, nobody is under way any more, and the log gives the rows.
pub fn everybody_came_through(house: &House) {
    let campaign = house.campaign();
    assert_eq!(campaign.journeys().len(), 100);
    for journey in campaign.journeys() {
        assert!(matches!(journey.state, State::Ended(_) | State::Held(_)), "{:?}", journey.state);
    }
    assert!(campaign.unanswered_claims().is_empty());
    house.log_gives_the_rows();
}

/// What a crash left open is no more than each channel had under way at once.
fn few_in_doubt(campaign: &Campaign) {
    for channel in Channel::ALL {
        let open = campaign.unanswered_claims();
        let here = open.iter().filter(|id| campaign.attempt(**id).unwrap().1.channel == *channel).count();
        let most = campaign.header.launch.policy.concurrent(*channel) as usize;
        assert!(here <= most, "{here} claims on {channel}, {most} at once");
    }
}

fn is_waiting_on(campaign: &Campaign, channel: Channel) -> bool {
    !campaign.queue(channel).is_empty()
}

#[test]
fn the_store_and_the_providers_ledger_agree_attempt_by_attempt() {
    let (desk, house) = (House::empty(), House::empty());
    let sandbox = Sandbox::start(&desk, "3600");
    let report = house.run(&["pilot", "--sandbox", &sandbox.url, "--json"]).report();
    let counts = |key: &str| -> u64 {
        report["channels"].as_array().unwrap().iter().map(|channel| channel[key].as_u64().unwrap()).sum()
    };
    let sends = ledger_agrees(&house, &sandbox);
    assert_eq!(sends as u64, counts("attempts") - counts("not_reached"));
    let accepted = sandbox.sends().iter().filter(|send| send["accepted"] == true).count();
    assert_eq!(accepted as u64, counts("accepted"));
    no_send_after_stop(&sandbox);
    let (recorded, told) = (recorded(&house), told(&sandbox));
    let differ: Vec<_> = recorded.symmetric_difference(&told).collect();
    assert!(differ.is_empty(), "on one side alone: {differ:?}");
    everybody_came_through(&house);
}

#[test]
fn killed_in_every_wave_it_goes_on_and_sends_nothing_twice() {
    let (desk, house) = (House::empty(), short());
    let sandbox = Sandbox::start(&desk, SPEED);
    let begin = |command: &str| house.start(&[command, "--sandbox", &sandbox.url, "--json"]);
    let strike = |mut process: Running, channel: Channel, sends: usize| {
        process.until(|| sandbox.sends_on(channel.as_str()) >= sends);
        process.kill();
        let campaign = house.campaign();
        few_in_doubt(&campaign);
        house.log_gives_the_rows();
        campaign
    };
    let campaign = strike(begin("pilot"), Channel::Whatsapp, 25);
    assert!(is_waiting_on(&campaign, Channel::Whatsapp), "not in mid-wave");
    strike(begin("resume"), Channel::Phone, 12);
    strike(begin("resume"), Channel::Sms, 4);
    let done = begin("resume").wait();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let _: Value = serde_json::from_str(&done.stdout).unwrap();
    everybody_came_through(&house);
    ledger_agrees(&house, &sandbox);
    no_send_after_stop(&sandbox);
    let (told, recorded) = (told(&sandbox), recorded(&house));
    let lost: Vec<_> = told.difference(&recorded).collect();
    assert!(lost.is_empty(), "answered with 200 and not recorded: {lost:?}");
}

/// The ledger of a sandbox that lived in the same process.
pub fn own_ledger(house: &House) -> Vec<Value> {
    let db = rusqlite::Connection::open(house.path(".cascade/sandbox.db")).unwrap();
    let mut query = db.prepare("SELECT line FROM ledger ORDER BY seq").unwrap();
    let lines = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

pub fn nobody_twice(house: &House) {
    let campaign = house.campaign();
    let claims = claims(&campaign);
    let mut reached = BTreeSet::new();
    let mut attempts = BTreeSet::new();
    for send in own_ledger(house).iter().filter(|line| line["kind"] == "send") {
        let text = |key: &str| send[key].as_str().unwrap().to_owned();
        assert!(claims.contains_key(&text("attempt")), "{send} was never claimed");
        assert!(attempts.insert(text("attempt")), "{send} is a second one");
        if send["accepted"] == true {
            assert!(reached.insert((text("to"), text("channel"))), "{send} is a second one");
        }
    }
    assert!(reached.len() > 100);
}

pub fn claimed(house: &House, channel: Channel) -> usize {
    let campaign = house.looked_up();
    let campaign = campaign.iter().flat_map(Campaign::journeys).flat_map(|journey| &journey.attempts);
    campaign.filter(|a| a.channel == channel && a.claimed_at.is_some()).count()
}

#[test]
fn sandbox_and_all_killed_it_goes_on() {
    let house = short();
    let mut process = house.start(&["pilot", "--speed", SPEED]);
    process.until(|| claimed(&house, Channel::Phone) >= 10);
    process.kill();
    few_in_doubt(&house.campaign());
    let before = house.campaign();
    let done = house.run(&["resume", "--json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    everybody_came_through(&house);
    nobody_twice(&house);
    let after = house.campaign();
    for attempt in before.unanswered_claims() {
        let (_, attempt) = after.attempt(attempt).unwrap();
        assert_ne!(attempt.stage, Stage::Claimed);
    }
}

#[test]
fn a_signal_ends_it_with_everything_saved() {
    let house = short();
    let mut process = house.start(&["pilot", "--speed", SPEED, "--json"]);
    process.until(|| claimed(&house, Channel::Whatsapp) >= 40);
    let done = process.terminate();
    assert_eq!(done.code, Some(130), "{}", done.stderr);
    assert!(done.stderr.contains("cascade resume"), "{}", done.stderr);
    let second = house.run(&["pilot"]);
    assert_eq!(second.code, Some(2));
    assert!(
        second.stderr.contains("under way") && second.stderr.contains("cascade resume"),
        "{}",
        second.stderr
    );
    let done = house.run(&["resume", "--speed", "1440", "--json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    everybody_came_through(&house);
    nobody_twice(&house);
    let again = house.run(&["resume"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
}
