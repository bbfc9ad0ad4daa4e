//! The report's `waits`: what a campaign's own contacts say about each wait of its rules.

use crate::engine::Campaign;
use crate::engine::event::End;
use crate::engine::journey::{Journey, State};
use crate::learning::answer::{Settings, WaitAnswer, answer};
use crate::learning::history::Cascade;
use crate::model::{At, Channel, Segment};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A row for each segment and channel that does not stand last for everybody.
pub(super) fn rows(campaign: &Campaign, history: &[Cascade]) -> Vec<Value> {
    let now = told_until(campaign);
    let advice = answer(history.iter().cloned(), &Settings { now, ..Settings::default() }).waits;
    let names: BTreeSet<&Segment> = campaign.journeys().iter().map(|j| &j.start.segment).collect();
    let mut rows = Vec::new();
    for name in names {
        let members: Vec<&Journey> =
            campaign.journeys().iter().filter(|j| j.start.segment == *name).collect();
        for (channel, wait_s) in waits(&members) {
            let converted =
                |j: &&&Journey| j.state == State::Ended(End::Converted) && j.credited == Some(channel);
            let conversions = members.iter().filter(converted).count();
            let own = |row: &&WaitAnswer| row.channel == channel && row.segment.as_ref() == Some(name);
            rows.push(row((name, channel, wait_s), conversions, advice.iter().find(own)));
        }
    }
    rows
}

/// How far its log tells: whoever has its events alone comes to the same report.
fn told_until(campaign: &Campaign) -> At {
    let header = &campaign.header;
    let of = |journey: &Journey| journey.ended_at.into_iter().chain(journey.last.as_ref().map(|(at, _)| *at));
    let last = || campaign.journeys().iter().flat_map(|journey| of(journey).collect::<Vec<_>>()).max();
    header.ended_at.or_else(last).unwrap_or(header.started_at)
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

fn row(
    (segment, channel, wait_s): (&Segment, Channel, u64),
    conversions: usize,
    advice: Option<&WaitAnswer>,
) -> Value {
    json!({
        "channel": channel, "segment": segment, "wait_s": wait_s, "conversions": conversions,
        "share_by_fraction": advice.map(|row| row.share_by_fraction.clone()).unwrap_or_default(),
        "suggested_wait_s": advice.and_then(|row| row.suggested_wait_s),
        "reason": advice.map_or("nothing arrived here yet", |row| row.reason.as_str()),
    })
}
