//! Conversions per cost of each channel. First contacts and fallbacks stay apart: a fallback sees only people who did
//! not answer before, so that neither says which channel to start with.

use super::force::InForce;
use super::mature::{Cohorts, limit_ms};
use super::{ChannelAnswer, Settings, figure, money};
use crate::learning::ledger::{Item, Ledger, Touch};
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

/// First contacts, then fallbacks, of each channel in a segment.
type OfSegment = [[Sums; 2]; Channel::ALL.len()];

/// Every segment's sums, in the order of their names: of the cascades that count elsewhere, running ones included, and
/// of contacts whose windows have ended, or silence would be missing.
fn sums<'a>(
    ledger: &'a Ledger,
    settings: &Settings,
    force: &InForce,
    cohorts: &Cohorts,
) -> BTreeMap<&'a Segment, OfSegment> {
    let mut lists = vec![[Sums::default(); 2]; ledger.lists()];
    let over = |touch: &&Touch| touch.sent_at.0.saturating_add(touch.window_ms()) <= settings.now.0;
    for page in &ledger.pages {
        for touch in page.touches.iter().filter(over) {
            let item = &page.items[touch.item as usize];
            if item.forced || !force.same[item.arm as usize] || cohorts.is_cut_short(ledger, item) {
                continue;
            }
            lists[touch.list as usize][usize::from(!touch.is_first)].add(Sums {
                contacts: 1,
                conversions: u64::from(is_in_time(ledger, item, touch)),
                cost: f64::from(touch.cost),
            });
        }
    }
    let (of_segments, _) = lists.as_chunks::<{ Channel::ALL.len() }>();
    ledger.segments.iter().zip(of_segments.iter().copied()).collect()
}

/// Whether it converted within the window of its cascade.
fn is_in_time(ledger: &Ledger, item: &Item, touch: &Touch) -> bool {
    let since_launch = touch.sent_at.0.saturating_sub(item.launched_at.0);
    touch.converted.is_some_and(|at| since_launch.saturating_add(at.ms()) <= limit_ms(ledger, item))
}

/// Conversions per cost, and what the obvious rule makes of them.
pub(super) struct Costs {
    /// A row for each channel, place and segment, and for all segments together.
    pub(super) rows: Vec<ChannelAnswer>,
    /// The channel that the obvious rule would start each segment with: most conversions for its own cost, whatever
    /// people it saw. Told beside the answer, never as advice.
    pub(super) naive_leaders: BTreeMap<Segment, Channel>,
}

/// Goes over the contacts.
pub(super) fn all(ledger: &Ledger, settings: &Settings, force: &InForce, cohorts: &Cohorts) -> Costs {
    let sums = sums(ledger, settings, force, cohorts);
    let mut together = OfSegment::default();
    let mut rows = Vec::new();
    for (segment, of) in &sums {
        for channel in Channel::ALL {
            for (place, sums) in of[channel.index()].into_iter().enumerate() {
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
    let leaders = sums.into_iter().filter_map(|(segment, of)| Some((segment.clone(), leader(&of)?)));
    Costs { rows: out, naive_leaders: leaders.collect() }
}

fn leader(of: &OfSegment) -> Option<Channel> {
    let ratio = |channel: &Channel| {
        let [mut sums, fallback] = of[channel.index()];
        sums.add(fallback);
        (sums.cost > 0.0).then(|| sums.conversions as f64 / sums.cost)
    };
    let rated = Channel::ALL.iter().filter_map(|channel| Some((ratio(channel)?, *channel)));
    rated.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, channel)| channel)
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
