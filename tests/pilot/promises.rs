//! What is promised around a pilot: a second one in the same store, callers that hang up, leaving in mid-wave,
//! and opt-outs that live has and the rehearsal honours.

use crate::FOREIGN;
use crate::crash::{SHORT, SPEED, claimed, everybody_came_through, nobody_twice, own_ledger, short};
use crate::house::{House, Sandbox};
use crate::inbound::Inbound;
use crate::shape::{is_report, number};
use crate::wire::{claims, ledger_agrees};
use cascade::engine::Campaign;
use cascade::engine::event::{End, Event, Kind};
use cascade::engine::journey::{Journey, Stage, State};
use cascade::model::{At, CampaignId, Channel, Mode, Phone};
use cascade::runtime::store::{Batch, Store, SuppressionRow};
use chrono::{Datelike as _, Timelike as _, Weekday};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

fn events(house: &House) -> Vec<Event> {
    let stored = house.reader().events_after(0, None, usize::MAX).unwrap();
    stored.into_iter().map(|stored| stored.event).collect()
}

/// Sends that a brake kept back.
fn withdrawn(house: &House) -> usize {
    events(house).iter().filter(|event| matches!(event.kind, Kind::AttemptWithdrawn { .. })).count()
}

/// Keys on the wire of everything that this campaign sent.
fn keys(campaign: &Campaign) -> BTreeSet<String> {
    claims(campaign).into_keys().collect()
}

fn opted_out(journey: &Journey) -> bool {
    journey.state == State::Ended(End::OptedOut)
}

#[test]
fn a_second_pilot_in_the_same_store_is_a_campaign_of_its_own() {
    let house = House::with(&[("customers.csv", FOREIGN), ("rules/cascade.json", SHORT)]);
    house.run(&["pilot", "--json"]).report();
    let (first, journeys) = (house.campaign(), house.journeys());
    let over = first.header.ended_at.unwrap();
    let done = house.run(&["pilot", "--json"]);
    let report = done.report();
    is_report(&report);
    let second = house.campaign();
    assert_eq!((first.id(), second.id()), (CampaignId(1), CampaignId(2)));
    assert_eq!(number(&report["campaign"], "id"), 2);
    assert_eq!(number(&report["cascades"], "total"), 100);
    everybody_came_through(&house);

    // A week of its own, ids of its own, and the same people.
    let nine = second.header.started_at.utc().with_timezone(&chrono_tz::America::New_York);
    assert_eq!((nine.weekday(), nine.hour(), nine.minute()), (Weekday::Mon, 9, 0), "{nine}");
    assert!(second.header.started_at > over);
    let last = |campaign: &Campaign| campaign.journeys().iter().map(|j| j.id).max().unwrap();
    assert!(second.journeys().iter().all(|journey| journey.id > last(&first)));
    assert!(keys(&first).is_disjoint(&keys(&second)));
    let people = |id| house.reader().people(id).unwrap().into_keys().collect::<BTreeSet<_>>();
    assert_eq!((people(CampaignId(1)).len(), people(CampaignId(1))), (100, people(CampaignId(2))));
    // The first one goes on hearing what comes late, and does nothing more.
    let kept = house.reader().campaign(Some(CampaignId(1))).unwrap().unwrap();
    assert_eq!((keys(&kept), kept.header.ended_at), (keys(&first), Some(over)));
    assert!(kept.journeys().iter().all(|journey| matches!(journey.state, State::Ended(_))));

    // Each send of the second is its own claim, and whoever had opted out in the first hears nothing.
    let (ours, from) = (claims(&second), second.header.started_at.to_string());
    let sends: Vec<_> = own_ledger(&house)
        .into_iter()
        .filter(|line| line["kind"] == "send" && line["at"].as_str().unwrap() >= from.as_str())
        .collect();
    let sent: BTreeSet<_> = sends.iter().map(|send| send["attempt"].as_str().unwrap().to_owned()).collect();
    assert_eq!((sent.len(), sends.len()), (sends.len(), ours.len()), "not one send for each claim");
    assert!(sent.iter().all(|key| ours.contains_key(key)), "sent what was never claimed");
    let gone: Vec<_> = journeys.iter().filter(|(_, journey)| opted_out(journey)).collect();
    assert!(gone.len() > 1, "{} opted out", gone.len());
    let again = house.journeys();
    for (phone, _) in gone {
        assert!(again[phone].attempts.iter().all(|attempt| attempt.claimed_at.is_none()));
        assert!(!sends.iter().any(|send| send["to"] == phone.as_str()), "an opt-out was forgotten");
    }
}

/// What a machine answers: it changes nothing.
const AWAY: &str = "Automatic reply: I am out of office";

/// How many automatic replies are on record.
fn automatic(house: &House) -> usize {
    let stored = house.reader().events_after(0, None, usize::MAX).unwrap();
    stored.iter().filter(|s| s.text.as_ref().is_some_and(|text| text.raw() == AWAY)).count()
}

#[test]
fn callers_that_hang_up_leave_no_brake_on() {
    let (desk, house) = (House::empty(), short());
    let sandbox = Sandbox::start(&desk, SPEED);
    let mut pilot = house.start(&["pilot", "--sandbox", &sandbox.url, "--json"]);
    pilot.until(|| claimed(&house, Channel::Whatsapp) >= 10);
    let inbound = Inbound::of(&house, &sandbox);
    let people: Vec<_> = house.journeys().into_keys().collect();
    // Whoever hangs up before the body is read is not heard; a loaded machine reads later.
    let mut turn = 0;
    for channel in [Channel::Whatsapp, Channel::Phone] {
        let until = automatic(&house) + 25;
        pilot.until(|| claimed(&house, channel) >= 10);
        while automatic(&house) < until && turn < 40 {
            turn += 1;
            for phone in &people {
                drop(inbound.writes(phone, &turn.to_string(), AWAY));
            }
        }
    }
    let done = pilot.wait_while(|| withdrawn(&house) < 100);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    everybody_came_through(&house);
    ledger_agrees(&house, &sandbox);
    let heard = automatic(&house);
    assert!(heard >= 50, "only {heard} automatic replies were taken in, in {turn} rounds");
}

/// WhatsApp writes some countries' numbers otherwise than they are dialled, and says STOP for them in its own spelling.
#[test]
fn a_stop_counts_however_whatsapp_spells_the_number() {
    let (mexico, brazil) = ("+525512345678", "+5531987654321");
    let list = format!("name,phone,segment\nMarta,{mexico},smb\nBruno,{brazil},smb\n");
    let house = House::with(&[("rules/cascade.json", SHORT), ("customers.csv", &list)]);
    let desk = House::empty();
    let quiet = format!(r#"{{"numbers":{{"{mexico}":"reads_only","{brazil}":"reads_only"}}}}"#);
    let sandbox = Sandbox::start_with(&desk, SPEED, &quiet);
    let mut pilot = house.start(&["pilot", "--sandbox", &sandbox.url, "--json"]);
    pilot.until(|| sandbox.sends_on("whatsapp") == 2);
    let inbound = Inbound::of(&house, &sandbox);
    for written in ["+5215512345678", "+553187654321"] {
        let mut answer = [0; 12];
        let mut told = inbound.writes(&Phone::parse_e164(written).unwrap(), "1", "please leave me alone");
        told.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    let done = pilot.wait();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(house.journeys().values().all(opted_out), "{:?}", house.journeys());
    assert_eq!(sandbox.sends().len(), 2, "nobody is called or texted after it");
}

#[test]
fn a_signal_while_requests_are_out_puts_nobody_in_doubt() {
    let (desk, house) = (House::empty(), short());
    let sandbox = Sandbox::start(&desk, SPEED);
    let mut pilot = house.start(&["pilot", "--sandbox", &sandbox.url, "--json"]);
    pilot.until(|| claimed(&house, Channel::Whatsapp) >= 20);
    sandbox.freeze();
    let out = || house.looked_up().map_or(0, |campaign| campaign.unanswered_claims().len());
    pilot.until(|| out() >= 4);
    pilot.signal("TERM");
    while !pilot.says().contains("cascade: ending") {}
    assert!(out() >= 4, "the requests are not out any more");
    sandbox.thaw();
    let done = pilot.wait();
    assert_eq!(done.code, Some(130), "{}", done.stderr);
    let report = house.run(&["report", "--json"]).report();
    assert_eq!(number(&report["cascades"], "in_doubt"), 0);
    let left = house.campaign();
    assert!(left.unanswered_claims().is_empty());
    assert!(!left.queue(Channel::Whatsapp).is_empty(), "not in mid-wave");
    house.log_gives_the_rows();
    let done = house.run(&["resume", "--sandbox", &sandbox.url, "--json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    everybody_came_through(&house);
    ledger_agrees(&house, &sandbox);
    let doubts = events(&house).iter().filter(|e| matches!(e.kind, Kind::AttemptInDoubt { .. })).count();
    assert_eq!(doubts, 0);
}

#[tokio::test]
async fn live_opt_outs_end_a_rehearsals_cascades_at_their_next_send() {
    let house = short();
    let mut pilot = house.start(&["pilot", "--speed", SPEED]);
    pilot.until(|| claimed(&house, Channel::Whatsapp) >= 30);
    pilot.kill();
    let before = house.journeys();
    let some = |fits: fn(&Journey) -> bool| {
        before.iter().filter(move |(_, j)| fits(j)).map(|(phone, _)| phone.clone()).take(10)
    };
    let queued: Vec<_> = some(|j| j.state == State::Queued).collect();
    let waiting: Vec<_> = some(|j| j.state == State::Waiting).collect();
    assert_eq!((queued.len(), waiting.len()), (10, 10), "not in mid-wave");
    let live = Store::open(&house.path(".cascade/live.db"), Mode::Live).unwrap();
    let row = |phone: &Phone| SuppressionRow {
        phone: phone.clone(),
        at: At::from_secs(1_767_000_000),
        via: Channel::Sms,
        why: "STOP".into(),
    };
    let suppressions = queued.iter().chain(&waiting).map(row).collect();
    live.commit(Batch { suppressions, ..Batch::default() }).await.unwrap();
    drop(live);

    let done = house.start(&["resume", "--json"]).wait_while(|| withdrawn(&house) < 100);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    everybody_came_through(&house);
    nobody_twice(&house);
    let after = house.journeys();
    for phone in &queued {
        assert!(opted_out(&after[phone]), "{:?}", after[phone].state);
    }
    let went_out = |journey: &Journey| {
        let out = |stage: Stage| !matches!(stage, Stage::Planned | Stage::Withdrawn);
        journey.attempts.iter().filter(|attempt| out(attempt.stage)).count()
    };
    for phone in queued.iter().chain(&waiting) {
        assert_eq!(went_out(&after[phone]), went_out(&before[phone]), "{} was sent more", phone.as_str());
    }
    assert!(waiting.iter().filter(|phone| opted_out(&after[*phone])).count() > 3);
    let mut about = BTreeMap::new();
    for cascade in events(&house).iter().filter_map(|event| event.subject.cascade) {
        *about.entry(cascade).or_insert(0) += 1;
    }
    for phone in queued.iter().chain(&waiting) {
        let told = about[&after[phone].id];
        assert!(told < 30, "{told} events about {}", phone.as_str());
    }
}
