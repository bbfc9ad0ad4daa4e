//! The report's `waits`: what a campaign's own contacts say about each wait of its rules.

use crate::engine::Campaign;
use crate::engine::event::End;
use crate::engine::journey::{Journey, State};
use crate::learning::contacts::contacts;
use crate::learning::history::Cascade;
use crate::learning::waits::arrivals::Arrivals;
use crate::learning::waits::survival::Contact;
use crate::learning::waits::{Advice, Status};
use crate::model::{At, Channel, Segment};
use crate::rules::format_duration_s;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A row for each segment and channel that does not stand last for everybody.
pub(super) fn rows(campaign: &Campaign, history: &[Cascade], now: At) -> Vec<Value> {
    let mut found: BTreeMap<(&Segment, Channel), Vec<Contact>> = BTreeMap::new();
    for cascade in history {
        for (channel, contact) in contacts(cascade, now) {
            found.entry((&cascade.segment, channel)).or_default().push(contact);
        }
    }
    let names: BTreeSet<&Segment> = campaign.journeys().iter().map(|j| &j.start.segment).collect();
    let mut rows = Vec::new();
    for name in names {
        let members: Vec<&Journey> =
            campaign.journeys().iter().filter(|j| j.start.segment == *name).collect();
        for (channel, wait_s) in waits(&members) {
            let converted =
                |j: &&&Journey| j.state == State::Ended(End::Converted) && j.credited == Some(channel);
            let conversions = members.iter().filter(converted).count();
            let contacts = found.remove(&(name, channel)).unwrap_or_default();
            rows.push(row(name, channel, wait_s, conversions, &Advice::on(&contacts, wait_s as f64)));
        }
    }
    rows
}

/// The waits of a segment in the order of its walks. Where starts are drawn, a channel may stand last for some.
fn waits(members: &[&Journey]) -> Vec<(Channel, u64)> {
    let mut waits: Vec<(Channel, u64)> = Vec::new();
    for leg in members.iter().flat_map(|j| &j.start.walk) {
        if let Some(wait_s) = leg.wait_s.filter(|_| waits.iter().all(|(channel, _)| *channel != leg.channel))
        {
            waits.push((leg.channel, wait_s));
        }
    }
    waits
}

fn row(segment: &Segment, channel: Channel, wait_s: u64, conversions: usize, advice: &Advice) -> Value {
    let curve = |arrivals: &Arrivals| -> Vec<Value> {
        let share = |tenth: u32| arrivals.share(f64::from(tenth) / 10.0 * wait_s as f64).share;
        (1..=10).map(|tenth| json!([f64::from(tenth) / 10.0, rounded(share(tenth))])).collect()
    };
    let ok = advice.status == Status::Ok;
    json!({
        "channel": channel, "segment": segment, "wait_s": wait_s, "conversions": conversions,
        "share_by_fraction": if ok { curve(&advice.arrivals) } else { Vec::new() },
        "suggested_wait_s": advice.suggested_s.map(|s| s as u64),
        "reason": reason(wait_s, advice),
    })
}

fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

/// What the numbers say, in a sentence.
fn reason(wait_s: u64, advice: &Advice) -> String {
    let percent = |share: f64| (share * 100.0).round() as u64;
    match advice.status {
        Status::TooFewConversions => {
            return format!(
                "{}: {} in {} contacts, advice takes 20",
                advice.status, advice.arrivals.events, advice.contacts
            );
        }
        Status::NotFollowedToTheEnd => {
            return format!(
                "{}: {} contacts were followed to the end of the wait, advice takes 20",
                advice.status, advice.followed
            );
        }
        Status::Ok => {}
    }
    let of_window = |s: f64| percent(s / wait_s as f64);
    let (at, low, high) =
        (of_window(advice.t80.at_s), of_window(advice.t80.low_s), of_window(advice.t80.high_s));
    let arrive = format!("80 % of conversions arrive in the first {at} % of the wait ({low}-{high} %)");
    let late = advice.late.filter(|_| advice.too_short);
    match (late, advice.suggested_s.filter(|_| advice.suggest_change)) {
        (Some(late), _) => format!(
            "{arrive}; {} % of all come after it ({}-{} %): it is too short",
            percent(late.share),
            percent(late.low),
            percent(late.high)
        ),
        (None, Some(suggested)) => {
            format!("{arrive}; {} catches 90 % of them", format_duration_s(suggested as u64))
        }
        (None, None) => format!("{arrive}; no shorter wait is worth a change"),
    }
}
