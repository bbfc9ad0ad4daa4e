//! Conversions per cost of each channel. First contacts and fallbacks stay apart: a fallback sees only people who did
//! not answer before, so that neither says which channel to start with.

use super::{ChannelAnswer, Settings, figure, money};
use crate::learning::ledger::{CONVERSION_WINDOW_S, Ledger, Touch};
use crate::learning::waits::wilson;
use crate::model::{Channel, Segment};
use std::collections::BTreeMap;

/// Sums over contacts.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    contacts: u64,
    conversions: u64,
    cost: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.contacts += other.contacts;
        self.conversions += other.conversions;
        self.cost += other.cost;
    }
}

/// First contacts, then fallbacks; only those whose windows have ended, or silence would be missing.
fn sums(touches: &[Touch], settings: &Settings) -> [Sums; 2] {
    let mut out = [Sums::default(); 2];
    for touch in touches {
        let window_s = touch.window_s.map_or(CONVERSION_WINDOW_S, u64::from) as i64;
        if touch.sent_at.0.saturating_add(window_s * 1000) > settings.now.0 {
            continue;
        }
        out[usize::from(!touch.is_first)].add(Sums {
            contacts: 1,
            conversions: u64::from(touch.converted_ms.is_some()),
            cost: f64::from(touch.cost),
        });
    }
    out
}

/// A row for each channel, place and segment, and for all segments together.
pub(super) fn all(ledger: &Ledger, settings: &Settings) -> Vec<ChannelAnswer> {
    let mut together = [[Sums::default(); 2]; Channel::ALL.len()];
    let mut rows = Vec::new();
    let sorted: BTreeMap<&Segment, _> = ledger.segments.iter().zip(&ledger.touches).collect();
    for (segment, touches) in sorted {
        for channel in Channel::ALL {
            let of = sums(&touches[channel.index()], settings);
            for (place, sums) in of.into_iter().enumerate() {
                together[channel.index()][place].add(sums);
                rows.extend(row(*channel, Some(segment), place, sums));
            }
        }
    }
    let mut out = Vec::with_capacity(rows.len() + 8);
    for channel in Channel::ALL {
        for (place, sums) in together[channel.index()].into_iter().enumerate() {
            out.extend(row(*channel, None, place, sums));
        }
    }
    out.append(&mut rows);
    out
}

fn row(channel: Channel, segment: Option<&Segment>, place: usize, sums: Sums) -> Option<ChannelAnswer> {
    let Sums { contacts, conversions, cost } = sums;
    if contacts == 0 {
        return None;
    }
    let band = wilson(conversions as f64, contacts as f64);
    let per_cost = |share: f64| (cost > 0.0).then(|| figure(share * contacts as f64 / cost));
    Some(ChannelAnswer {
        channel,
        segment: segment.cloned(),
        position: if place == 0 { "first" } else { "fallback" },
        contacts,
        conversions,
        cost: money(cost),
        conversions_per_cost: per_cost(band.share),
        low: per_cost(band.low),
        high: per_cost(band.high),
    })
}

/// The channel that the obvious rule would start each segment with: most conversions for its own cost, whatever people
/// it saw. Told beside the answer, never as advice.
pub(super) fn naive_leaders(ledger: &Ledger, settings: &Settings) -> BTreeMap<Segment, Channel> {
    let leader = |touches: &[Vec<Touch>; Channel::ALL.len()]| {
        let ratio = |channel: &Channel| {
            let [mut sums, fallback] = self::sums(&touches[channel.index()], settings);
            sums.add(fallback);
            (sums.cost > 0.0).then(|| sums.conversions as f64 / sums.cost)
        };
        let rated = Channel::ALL.iter().filter_map(|channel| Some((ratio(channel)?, *channel)));
        rated.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, channel)| channel)
    };
    let all = ledger.segments.iter().zip(&ledger.touches);
    all.filter_map(|(segment, touches)| Some((segment.clone(), leader(touches)?))).collect()
}
