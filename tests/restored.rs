//! A store that came from a backup: the built binary, killed and put back in the middle of a campaign, held against the
//! ledger of a sandbox that lived on.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure is a panic"
)]
#![expect(dead_code, reason = "shared with other tests, which use the rest")]

#[path = "restored/desk.rs"]
mod desk;
#[path = "pilot/house.rs"]
mod house;
#[path = "terminal/pty.rs"]
mod pty;
#[path = "restored/truth.rs"]
mod truth;
#[path = "pilot/wire.rs"]
mod wire;

use cascade::engine::event::{End, Kind};
use cascade::engine::journey::{Stage, State};
use cascade::engine::restored::RESTORED;
use cascade::engine::{CRASH, Campaign};
use cascade::model::{Channel, Phone};
use desk::Desk;
use house::{House, Sandbox};
use serde_json::json;
use std::collections::BTreeSet;
use truth::Truth;
use wire::no_send_after_stop;

/// Campaign seconds a second: the shortest wait is long enough for an operator at a screen.
const SPEED: &str = "1800";

const PEOPLE: &str = "30";

/// Calls and texts begin while messages still leave.
const RULES: &str = r#"{ "start": "whatsapp", "conversion_window": "1h", "steps": [
    { "channel": "whatsapp", "wait": "6h", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "30m", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

/// Over in two campaign hours.
const SHORT: &str = r#"{ "start": "whatsapp", "conversion_window": "1h", "steps": [
    { "channel": "whatsapp", "wait": "40m", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "30m", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

/// A message every thousand seconds.
const SLOW: &str = "[whatsapp]\nper_second = 0.001\nconcurrent = 4\n[phone]\nper_second = 0.01\nconcurrent = 4\n\
    [sms]\nper_second = 0.01\nconcurrent = 2\n[limits]\nquiet_hours = \"off\"\n\
    [pilot]\nmax_failure_share = 1.0\nmax_optout_share = 1.0\n";

fn house() -> House {
    House::with(&[("rules/cascade.json", RULES), ("cascade.toml", SLOW)])
}

fn state(house: &House, who: &Phone) -> State {
    house.journeys()[who].state.clone()
}

/// They text STOP, whether or not anybody listens.
fn says_stop(sandbox: &Sandbox, who: &Phone) {
    sandbox.post("inbound", &json!({ "channel": "sms", "from": who.as_str(), "text": "STOP" }));
}

/// Somebody who waits for their next step.
fn waiting(house: &House, but: &BTreeSet<Phone>) -> Phone {
    let journeys = house.journeys();
    let mut waiting = journeys.iter().filter(|(phone, j)| j.state == State::Waiting && !but.contains(*phone));
    waiting.next().expect("nobody waits").0.clone()
}

fn doubts(campaign: &Campaign) -> usize {
    campaign.journeys().iter().filter(|journey| journey.state == State::InDoubt).count()
}

#[test]
fn whoever_was_sent_to_after_the_backup_is_not_sent_to_again() {
    let (world, house) = (House::empty(), house());
    let sandbox = Sandbox::start(&world, SPEED);
    let at = ["--sandbox", &sandbox.url];
    let mut pilot = house.start(&[&["pilot", "--limit", PEOPLE], at.as_slice()].concat());
    pilot.until(|| sandbox.sends_on("whatsapp") >= 8);
    let copied = house.run(&["backup", "spring.db"]);
    assert_eq!(copied.code, Some(0), "{}", copied.stderr);
    let before = Truth::of(&sandbox);

    // It goes on a good while, and somebody says STOP in what will be lost.
    pilot.until(|| sandbox.sends_on("whatsapp") >= 14);
    let mut stopped = BTreeSet::new();
    let heard = waiting(&house, &stopped);
    says_stop(&sandbox, &heard);
    pilot.until(|| state(&house, &heard) == State::Ended(End::OptedOut));
    stopped.insert(heard);
    pilot.until(|| sandbox.sends_on("phone") >= 4 && sandbox.sends_on("sms") >= 1);
    pilot.kill();
    // Nobody listens any more, and somebody else says STOP.
    let unheard = waiting(&house, &stopped);
    says_stop(&sandbox, &unheard);
    stopped.insert(unheard);
    let lost = house.campaign();

    let put_back = house.run(&["restore", "spring.db"]);
    assert_eq!(put_back.code, Some(0), "{}", put_back.stderr);
    for words in
        ["nothing is sent until that was looked up and you confirmed it", "is known to have gone on to event"]
    {
        assert!(put_back.stdout.contains(words), "nothing of {words:?}: {}", put_back.stdout);
    }
    let truth = Truth::of(&sandbox);
    let missing: Vec<usize> = Channel::ALL.iter().map(|on| truth.on(*on) - before.on(*on)).collect();
    let [whatsapp, phone, sms, _] = missing.as_slice() else { panic!("{missing:?}") };
    assert!(*whatsapp > 5 && *phone > 1 && *sms > 0, "too little is lost: {missing:?}");
    nothing_is_sent_without_a_word(&house, &sandbox, &at, &truth);

    // The operator settles every doubt as the provider's own books have it, and goes on.
    let campaign = house.campaign();
    let unsent = unsent(&house, &truth);
    assert!(!unsent.is_empty() && unsent.len() < doubts(&campaign), "not in mid-wave");
    let mut desk = Desk::open(&house, &at);
    desk.sees_what_is_missing(doubts(&campaign));
    for who in &unsent {
        desk.was_not_sent(who);
    }
    desk.all_others_were_sent();
    assert_eq!(Truth::of(&sandbox), truth, "settling sends nothing");
    assert!(house.reader().load(0).unwrap().restored.is_some());
    desk.goes_on();
    desk.sees_the_end();
    assert_eq!(house.reader().load(0).unwrap().restored, None);

    let after = Truth::of(&sandbox);
    after.nobody_twice();
    no_send_after_stop(&sandbox);
    for who in &stopped {
        assert_eq!(after.to(who), truth.to(who), "{} had said STOP", who.as_str());
        assert_eq!(state(&house, who), State::Ended(End::OptedOut));
    }
    let campaign = house.campaign();
    for journey in campaign.journeys() {
        assert!(matches!(journey.state, State::Ended(_) | State::Held(_)), "{:?}", journey.state);
    }
    assert!(campaign.header.next_attempt > lost.header.next_attempt, "ids go on behind the lost ones");
    after.agrees_with(&house);
    house.log_gives_the_rows();
}

/// Two people whom nobody knows.
const OTHERS: &str = "name,phone,segment\nIda New,+14155550911,retail\nJon New,+14155550912,retail\n";

#[test]
fn a_launch_after_a_restore_is_warned_of_and_goes_on_behind_what_is_lost() {
    let (world, house) = (House::empty(), House::with(&[("rules/cascade.json", SHORT)]));
    let sandbox = Sandbox::start(&world, "3600");
    let at = ["--sandbox", &sandbox.url];
    let pilot = || house.run(&[&["pilot", "--limit", "8", "--json"], at.as_slice()].concat());
    pilot().report();
    assert_eq!(house.run(&["backup", "spring.db"]).code, Some(0));
    house.write("customers.csv", OTHERS);
    pilot().report();
    let lost = house.campaign();
    assert_eq!(house.run(&["restore", "spring.db"]).code, Some(0));
    assert_eq!(house.campaign().id().0 + 1, lost.id().0);

    // Nobody reads a warning without a screen.
    let refused = pilot();
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("launch from the console"), "{}", refused.stderr);
    let resumed = house.run(&[&["resume"], at.as_slice()].concat());
    assert!(resumed.code == Some(0) && resumed.stderr.contains("nothing is in flight"), "{}", resumed.stderr);

    let mut desk = Desk::open(&house, &at);
    desk.is_warned_and_launches();
    desk.sees_the_end();
    let header = house.campaign().header;
    assert_eq!(header.launch.customers, 2);
    assert!(header.launch.first_attempt >= lost.header.next_attempt, "ids go on behind the lost ones");
    assert!(header.launch.first_timer >= lost.header.next_timer);
    let sends = sandbox.sends();
    let keys: BTreeSet<&str> = sends.iter().map(|send| send["attempt"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), sends.len(), "no key was used twice");
    house.log_gives_the_rows();
    // The store counts as whole again.
    house.write("customers.csv", "name,phone,segment\nKim New,+14155550913,retail\n");
    pilot().report();
}

/// Without a screen it asks, writes down and stops; however often it is asked to go on.
fn nothing_is_sent_without_a_word(house: &House, sandbox: &Sandbox, at: &[&str], truth: &Truth) {
    for _ in 0..2 {
        let resumed = house.run(&[&["resume", "--json"], at].concat());
        assert_eq!(resumed.code, Some(1), "{}", resumed.stderr);
        let paused = "paused: the store was restored from a backup";
        assert!(resumed.stderr.contains(paused), "{}", resumed.stderr);
        assert_eq!(Truth::of(sandbox), *truth, "something was sent");
    }
    let missing = house.reader().load(0).unwrap().restored;
    assert!(missing.is_some_and(|missing| missing.asked), "only an operator ends it");
    let campaign = house.campaign();
    for journey in campaign.journeys() {
        for attempt in &journey.attempts {
            assert!(attempt.stage != Stage::Claimed, "{attempt:?}");
        }
    }
    let events = house.reader().events_after(0, None, usize::MAX).unwrap();
    let found = events.iter().filter_map(|stored| match &stored.event.kind {
        Kind::Reconciled { found, .. } => Some(*found),
        _ => None,
    });
    let found: Vec<u64> = found.collect();
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert!(*found > 0, "calls and texts are listed");
}

/// Whose doubtful step is in no ledger.
fn unsent(house: &House, truth: &Truth) -> Vec<Phone> {
    let journeys = house.journeys().into_iter();
    let doubtful = journeys.filter(|(_, journey)| journey.state == State::InDoubt);
    let unsent = doubtful.filter(|(phone, journey)| {
        let doubt = journey.newest().unwrap();
        let code = doubt.failure.as_ref().map(|failure| failure.code.as_str());
        // The backup may stand between a claim and its answer.
        assert!(code == Some(RESTORED) || code == Some(CRASH), "{code:?}");
        !truth.has(phone, doubt.channel)
    });
    unsent.map(|(phone, _)| phone).collect()
}
