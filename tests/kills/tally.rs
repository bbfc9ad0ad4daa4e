//! What was seen at each blow, and the reckoning at the end.

use crate::house::{House, Sandbox};
use crate::wire::{ledger_agrees, no_send_after_stop, recorded, told};
use cascade::engine::event::Kind;
use cascade::engine::journey::State;
use cascade::engine::{CRASH, Campaign};
use cascade::model::Channel;
use serde_json::json;
use std::collections::BTreeMap;

/// Seen at the blows.
#[derive(Debug, Default)]
pub struct Tally {
    kills: u64,
    with_claims: u64,
    /// Customers by state, added up over all blows.
    states: BTreeMap<&'static str, u64>,
    /// By the hour of the campaign.
    hours: BTreeMap<i64, u64>,
    /// Who said STOP while nobody listened, and when.
    stops: Vec<(String, String)>,
}

const fn word(state: &State) -> &'static str {
    match state {
        State::Queued => "queued",
        State::Deferred(_) => "deferred",
        State::Sending => "sending",
        State::Retrying => "retrying",
        State::Waiting => "waiting",
        State::Held(_) => "held",
        State::InDoubt => "in doubt",
        State::Settling => "settling",
        State::Ended(_) => "ended",
    }
}

impl Tally {
    pub fn killed(&mut self, house: &House) {
        self.kills += 1;
        let Some(campaign) = house.looked_up() else {
            *self.states.entry("before the launch was on disk").or_default() += 1;
            return;
        };
        house.log_gives_the_rows();
        self.few_are_unanswered(&campaign);
        for journey in campaign.journeys() {
            *self.states.entry(word(&journey.state)).or_default() += 1;
        }
        let last = house.event_lines().last().and_then(|line| line["at"].as_str().map(str::to_owned));
        let last =
            last.and_then(|at| cascade::model::At::parse(&at).ok()).unwrap_or(campaign.header.started_at);
        *self.hours.entry((last - campaign.header.started_at).num_hours()).or_default() += 1;
    }

    /// 6: what this blow leaves in doubt is no more than each channel had under way at once.
    fn few_are_unanswered(&mut self, campaign: &Campaign) {
        let open = campaign.unanswered_claims();
        self.with_claims += u64::from(!open.is_empty());
        for channel in Channel::ALL {
            let here = open.iter().filter(|id| campaign.attempt(**id).unwrap().1.channel == *channel).count();
            let most = campaign.header.launch.policy.concurrent(*channel) as usize;
            assert!(here <= most, "{here} claims on {channel}, {most} at once");
        }
    }

    /// Somebody says STOP by SMS while nobody listens.
    pub fn stop_said(&mut self, house: &House, sandbox: &Sandbox) {
        let Some(campaign) = house.looked_up() else { return };
        let open: Vec<_> = house
            .journeys()
            .into_iter()
            .filter(|(phone, j)| !j.is_over() && !self.stops.iter().any(|(who, _)| who == phone.as_str()))
            .collect();
        // Every tenth blow, and a few at most: a campaign with many opt-outs pauses itself.
        if self.kills % 10 != 3 || self.stops.len() >= 4 || open.is_empty() {
            return;
        }
        let (phone, _) = &open[self.kills as usize % open.len()];
        let now = sandbox.lines("config")[0]["now"].as_str().unwrap().to_owned();
        sandbox.post("inbound", &json!({ "channel": "sms", "from": phone.as_str(), "text": "STOP" }));
        self.stops.push((phone.as_str().to_owned(), now));
        drop(campaign);
    }

    /// Nobody twice, nobody after STOP, nobody lost.
    pub fn judge(&self, house: &House, sandbox: &Sandbox, faults: bool) {
        let campaign = house.campaign();
        assert_eq!(campaign.journeys().len(), 100);
        for journey in campaign.journeys() {
            let stated = matches!(journey.state, State::Ended(_) | State::Held(_) | State::InDoubt);
            assert!(stated, "{} is {:?}", journey.id, journey.state);
        }
        assert!(campaign.unanswered_claims().is_empty());
        house.log_gives_the_rows();
        let sends = ledger_agrees(house, sandbox);
        no_send_after_stop(sandbox);
        for (who, said) in &self.stops {
            let later = sandbox
                .sends()
                .into_iter()
                .find(|s| s["to"] == who.as_str() && s["at"].as_str() > Some(said));
            assert!(later.is_none(), "{who} said STOP at {said}, and then came {later:?}");
        }
        let (told, recorded) = (told(sandbox), recorded(house));
        let unheard = refusals_that_nobody_heard(house);
        let lost: Vec<_> = told.difference(&recorded).filter(|row| !unheard.contains(row)).collect();
        assert!(lost.is_empty(), "answered with 200 and not recorded: {lost:?}");
        let report = house.run(&["report", "--json"]).report();
        let reached: u64 =
            report["channels"].as_array().unwrap().iter().map(|c| c["accepted"].as_u64().unwrap()).sum();
        let taken = sandbox.sends().iter().filter(|send| send["accepted"] == true).count() as u64;
        let doubts = campaign.journeys().iter().flat_map(|j| &j.attempts);
        let open = doubts.filter(|a| a.stage == cascade::engine::journey::Stage::InDoubt).count() as u64;
        assert!(
            reached <= taken && taken <= reached + open,
            "{reached} in the report, {taken} in the ledger, {open} open"
        );
        self.print(house, sends, faults);
    }

    fn print(&self, house: &House, sends: usize, faults: bool) {
        let events = house.reader().events_after(0, None, usize::MAX).unwrap();
        let crashed =
            |kind: &Kind| matches!(kind, Kind::AttemptInDoubt { failure, .. } if failure.code == CRASH);
        let doubts = events.iter().filter(|stored| crashed(&stored.event.kind)).count() as u64;
        let policy = &house.campaign().header.launch.policy;
        let most: u64 = policy.concurrent.iter().map(|(_, n)| u64::from(*n)).sum();
        assert!(doubts <= self.kills * most, "{doubts} put in doubt by {} kills", self.kills);
        println!(
            "{} kills, {} of them between a claim and its answer; {doubts} attempts put in doubt by them",
            self.kills, self.with_claims
        );
        println!("{sends} requests in the ledger, {} events in the log", events.len());
        println!("customers by state, added up over the kills: {:?}", self.states);
        println!("kills by the hour of the campaign: {:?}", self.hours);
        if faults {
            println!("STOP said while nobody listened: {}", self.stops.len());
        }
    }
}

/// WhatsApp says of some in its answer to the create call that they stopped marketing messages. Where we were killed before
/// that answer, the attempt is in doubt, and nobody has told us.
fn refusals_that_nobody_heard(house: &House) -> Vec<(String, String, String)> {
    let in_doubt = |journey: &cascade::engine::journey::Journey| {
        let mut attempts = journey.attempts.iter();
        attempts
            .any(|a| a.channel == Channel::Whatsapp && a.stage == cascade::engine::journey::Stage::InDoubt)
    };
    let unheard = house.journeys().into_iter().filter(|(_, journey)| in_doubt(journey));
    unheard.map(|(phone, _)| (phone.as_str().to_owned(), "whatsapp".into(), "opted_out".into())).collect()
}

/// A provider that loses answers, fails after all, repeats and reorders what it tells, and is in a hurry.
pub fn let_it_go_wrong(sandbox: &Sandbox) {
    for provider in ["whatsapp", "vapi", "twilio"] {
        for (kind, share) in
            [("lose_response", 0.1), ("duplicate", 0.2), ("reorder", 0.2), ("status", 0.1), ("refuse", 0.1)]
        {
            sandbox.post("faults", &json!({ "provider": provider, "kind": kind, "share": share }));
        }
    }
}
