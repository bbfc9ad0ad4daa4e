//! Which cascades count (section 4 of the statistics), and the replay of their days through the policy.

use super::{Basis, ExcludedBy, Overall, Settings, money};
use crate::learning::ledger::{Item, Ledger};
use crate::learning::policy::Course;
use crate::learning::posterior::{Cell, STARTS_MAX};
use crate::model::{At, Channel, Segment};
use rust_decimal::prelude::ToPrimitive as _;
use std::collections::BTreeMap;

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;
/// A difference below this share of the value is of no practical use.
const MARGIN: f64 = 0.02;

/// Sums over the cascades of one start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) n: u64,
    pub(super) conversions: u64,
    pub(super) opted_out: u64,
    pub(super) cost: f64,
}

/// One for each channel.
pub(super) type Tallies = [Tally; Channel::ALL.len()];

/// What counts of a segment.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    pub(super) segment: Segment,
    pub(super) incumbent: Channel,
    /// What a conversion is worth here.
    pub(super) value: Option<f64>,
    pub(super) running: u64,
    pub(super) excluded: ExcludedBy,
    pub(super) late: u64,
    /// Finished cascades whose start was drawn.
    pub(super) drawn: Tallies,
    /// Finished ones whose start was not.
    pub(super) given: Tallies,
    /// Whether any start was drawn at random.
    pub(super) is_random: bool,
    /// Cascades under the rules in force that were launched in the last 30 days.
    pub(super) lately: u64,
    /// Its place in the course, if it has one.
    pub(super) place: Option<usize>,
}

/// All that counts.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) basis: Basis,
    /// The starts, in the order of the course.
    pub(super) channels: Vec<Channel>,
    /// In the order of the segments' names.
    pub(super) segments: Vec<Counts>,
    pub(super) course: Course,
    /// The hash of the rules in force.
    pub(super) rules: Option<String>,
    /// Their first cascade.
    pub(super) since: Option<At>,
    /// How many ran under them.
    pub(super) cascades: u64,
    /// Cascades that no segment counts for their rules.
    pub(super) other_rules: u64,
    value: Option<f64>,
    /// By channel: cascades, the sum of their weights, and of their weighted nets.
    weighted: [(u64, f64, f64); Channel::ALL.len()],
}

impl Counted {
    /// What a conversion is worth over all.
    pub(super) const fn value(&self) -> Option<f64> {
        self.value
    }

    /// The starts over all segments.
    pub(super) fn overall(&self) -> Vec<Overall> {
        let row = |channel: &Channel| {
            let (n, weight, net) = self.weighted[channel.index()];
            Overall { start: *channel, n, net_mean: (weight > 0.0).then(|| money(net / weight)) }
        };
        self.channels.iter().map(row).collect()
    }

    /// The start with the highest weighted mean over all segments.
    pub(super) fn best_overall(&self) -> Option<Channel> {
        let mean = |channel: &Channel| {
            let (_, weight, net) = self.weighted[channel.index()];
            if weight > 0.0 { net / weight } else { f64::NEG_INFINITY }
        };
        let tried = self.channels.iter().copied().filter(|c| self.weighted[c.index()].0 > 0);
        tried.max_by(|a, b| mean(a).total_cmp(&mean(b)))
    }
}

/// A finished cascade whose start was drawn.
struct Ready<'a> {
    item: &'a Item,
    segment: usize,
    start: Channel,
    /// What came within its window.
    converted_at: Option<At>,
    opted_out: bool,
    day: i64,
}

/// Goes over the record.
pub(super) fn count(ledger: &Ledger, settings: &Settings) -> Counted {
    let newest = ledger.items.iter().max_by_key(|item| item.launched_at);
    let rules = settings.rules.clone().or_else(|| newest.map(|item| rules_of(ledger, item).to_owned()));
    let is_current = |hash: &String| rules.as_ref() == Some(hash) || settings.equivalent.contains(hash);
    let current: Vec<bool> = ledger.rules.iter().map(is_current).collect();
    let mut counts = empty(ledger, settings, &current);
    let order = counts.order.clone();
    let (mut ready, mut since, mut cascades) = (Vec::with_capacity(ledger.items.len()), None::<At>, 0);
    for item in &ledger.items {
        let arm = ledger.arm_of(item);
        let segment = order[arm.segment];
        let of = &mut counts.segments[segment];
        if !current[arm.rules] {
            of.excluded.other_rules += 1;
            continue;
        }
        cascades += 1;
        since = Some(since.map_or(item.launched_at, |first| first.min(item.launched_at)));
        of.lately += u64::from(item.launched_at.0 > settings.now.0.saturating_sub(30 * DAY_MS));
        let is_drawn = item.propensity.is_some_and(|p| p < 1.0);
        of.is_random |= is_drawn;
        let due = ledger.matures_at(item);
        if due > settings.now {
            of.running += 1;
            continue;
        }
        let limit = due.max(item.open_until);
        let converted_at = item.converted_at.filter(|at| *at <= limit);
        of.late += u64::from(item.converted_at.is_some() && converted_at.is_none());
        let opted_out = item.opted_out_at.is_some_and(|at| at <= limit);
        let tallies = if is_drawn { &mut of.drawn } else { &mut of.given };
        let tally = &mut tallies[arm.start.index()];
        tally.n += 1;
        tally.conversions += u64::from(converted_at.is_some());
        tally.opted_out += u64::from(opted_out);
        tally.cost += item.cost;
        if is_drawn {
            let day = due.0.div_euclid(DAY_MS);
            ready.push(Ready { item, segment, start: arm.start, converted_at, opted_out, day });
        } else if item.forced {
            of.excluded.forced += 1;
        } else {
            of.excluded.not_drawn += 1;
        }
    }
    let mut counted = begin(counts.segments, settings, rules);
    (counted.since, counted.cascades) = (since, cascades);
    counted.replay(ready, settings);
    counted
}

fn rules_of<'a>(ledger: &'a Ledger, item: &Item) -> &'a str {
    &ledger.rules[ledger.arm_of(item).rules]
}

/// The segments in the order of their names, and where each of the ledger's stands in it.
struct Ordered {
    segments: Vec<Counts>,
    order: Vec<usize>,
}

fn empty(ledger: &Ledger, settings: &Settings, current: &[bool]) -> Ordered {
    let mut frequent = vec![[0_u64; Channel::ALL.len()]; ledger.segments.len()];
    for item in &ledger.items {
        let arm = ledger.arm_of(item);
        frequent[arm.segment][arm.start.index()] += if current[arm.rules] { 1_000_000 } else { 1 };
    }
    let incumbent = |at: usize, segment: &Segment| {
        let seen = |c: &Channel| frequent.iter().any(|starts| starts[c.index()] > 0);
        let named = settings.incumbents.get(segment).copied().or(settings.incumbent.filter(seen));
        let most = Channel::ALL.iter().copied().rev().max_by_key(|c| frequent[at][c.index()]);
        named.or(most).unwrap_or(Channel::Whatsapp)
    };
    let sorted: BTreeMap<&Segment, usize> = ledger.segments.iter().zip(0..).collect();
    let mut order = vec![0; ledger.segments.len()];
    let mut segments = Vec::with_capacity(order.len());
    for (segment, at) in sorted {
        order[at] = segments.len();
        segments.push(Counts {
            segment: segment.clone(),
            incumbent: incumbent(at, segment),
            value: None,
            running: 0,
            excluded: ExcludedBy::default(),
            late: 0,
            drawn: Tallies::default(),
            given: Tallies::default(),
            is_random: false,
            lately: 0,
            place: None,
        });
    }
    Ordered { segments, order }
}

/// Settles values, starts and the segments that enter the model.
fn begin(mut segments: Vec<Counts>, settings: &Settings, rules: Option<String>) -> Counted {
    let configured = settings.value.and_then(|value| value.0.to_f64());
    let (mut cost, mut conversions) = (0.0, 0);
    for of in &mut segments {
        let start = of.incumbent.index();
        // Without draws, what was not drawn still tells what a conversion costs today.
        let tally = if of.drawn[start].n > 0 { of.drawn[start] } else { of.given[start] };
        cost += tally.cost;
        conversions += tally.conversions;
        let own = (tally.conversions > 0).then(|| tally.cost / tally.conversions as f64);
        of.value = configured.or(own);
    }
    let value = configured.or_else(|| (conversions > 0).then(|| cost / conversions as f64));
    let is_start = |channel: Channel| {
        let seen = segments.iter().filter(|of| of.is_random);
        settings.starts.contains(&channel)
            || seen.into_iter().any(|of| of.incumbent == channel || of.drawn[channel.index()].n > 0)
    };
    let channels: Vec<Channel> = Channel::ALL.iter().copied().filter(|c| is_start(*c)).collect();
    let (mut incumbents, mut other_rules) = (Vec::new(), 0);
    for of in &mut segments {
        other_rules += of.excluded.other_rules;
        let finished: u64 = of.drawn.iter().map(|tally| tally.n).sum();
        if of.is_random && finished > 0 && of.value.is_some() {
            of.place = Some(incumbents.len());
            incumbents.push(channels.iter().position(|c| *c == of.incumbent).unwrap_or(0));
        }
    }
    let course = Course::new(channels.len(), &incumbents, MARGIN * value.unwrap_or(0.0));
    Counted {
        basis: if configured.is_some() { Basis::Net } else { Basis::CostPerConversion },
        channels,
        segments,
        course,
        rules,
        since: None,
        cascades: 0,
        other_rules,
        value,
        weighted: Default::default(),
    }
}

impl Counted {
    /// Lets the days pass: each cascade on the day on which it matured.
    fn replay(&mut self, ready: Vec<Ready<'_>>, settings: &Settings) {
        let penalty = match self.basis {
            Basis::Net => settings.optout_penalty.0.to_f64().unwrap_or_default(),
            Basis::CostPerConversion => 0.0,
        };
        let mut places = [0; Channel::ALL.len()];
        for (place, channel) in self.channels.iter().enumerate() {
            places[channel.index()] = place;
        }
        let rows = self.course.watches.len();
        let mut days: BTreeMap<i64, Vec<[Cell; STARTS_MAX]>> = BTreeMap::new();
        for Ready { item, segment, start, converted_at, opted_out, day } in ready {
            let of = &self.segments[segment];
            let (Some(value), Some(row)) = (of.value, of.place) else { continue };
            let worth = converted_at.map_or(0.0, |at| {
                let hours = (at - item.launched_at).num_milliseconds() as f64 / 3_600_000.0;
                value * (-settings.decay_per_h * hours).exp()
            });
            let net = worth - item.cost - if opted_out { penalty } else { 0.0 };
            let cells = days.entry(day).or_insert_with(|| vec![Default::default(); rows]);
            cells[row][places[start.index()]].add(net);
            let weight = item.propensity.map_or(0.0, |p| 1.0 / f64::from(p));
            let (n, weights, nets) = &mut self.weighted[start.index()];
            *n += 1;
            *weights += weight;
            *nets += weight * net;
        }
        for (day, cells) in days {
            self.course.day(day, &cells, |_, _| {});
        }
    }
}
