//! Which cascades count (section 4 of the statistics), and the replay of their days through the policy.

use super::days::{Days, OfDay, Weighted};
use super::force::InForce;
use super::mature::{Cohorts, Finished};
use super::{Basis, ExcludedBy, Overall, Settings, money};
use crate::learning::DAY_MS;
use crate::learning::ledger::{Item, Ledger};
use crate::learning::policy::{Course, Watch};
use crate::learning::posterior::Among;
use crate::model::{At, Channel, Segment};
use rust_decimal::prelude::ToPrimitive as _;
use std::collections::BTreeMap;

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

impl Tally {
    /// Takes in a finished cascade.
    pub(super) fn add(&mut self, item: &Item, finished: &Finished) {
        self.n += 1;
        self.conversions += u64::from(finished.converted.is_some());
        self.opted_out += u64::from(finished.opted_out);
        self.cost += item.cost;
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.n += other.n;
        self.conversions += other.conversions;
        self.opted_out += other.opted_out;
        self.cost += other.cost;
    }
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
    /// Finished cascades whose start was drawn, and whose hour was not cut short.
    pub(super) drawn: Tallies,
    /// Of those, what was not dropped because the outcomes changed.
    pub(super) kept: Tallies,
    /// The same, each weighted by the inverse of its probability.
    weighted: [Weighted; Channel::ALL.len()],
    /// The channels that it can start with.
    pub(super) starts: [bool; Channel::ALL.len()],
    /// The other finished ones.
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
    /// Rules and texts whose cascades no segment counts, with how many those are.
    pub(super) others: Vec<(String, u64)>,
    value: Option<f64>,
}

impl Counted {
    /// What a conversion is worth over all.
    pub(super) const fn value(&self) -> Option<f64> {
        self.value
    }

    /// The starts over all segments.
    pub(super) fn overall(&self) -> Vec<Overall> {
        let row = |channel: &Channel| {
            let (n, of) = self.together(*channel);
            Overall { start: *channel, n, net_mean: of.mean().map(money) }
        };
        self.channels.iter().map(row).collect()
    }

    /// The start with the highest weighted mean over all segments, of those that all can start with.
    pub(super) fn best_overall(&self) -> Option<Channel> {
        let learnt = || self.segments.iter().filter(|of| of.place.is_some());
        let common = |channel: &Channel| learnt().all(|of| of.starts[channel.index()]);
        let mean = |channel: Channel| Some((self.together(channel).1.mean()?, channel));
        let rated = self.channels.iter().copied().filter(common).filter_map(mean);
        rated.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, channel)| channel)
    }

    fn together(&self, channel: Channel) -> (u64, Weighted) {
        let mut sum = (0, Weighted::default());
        for of in &self.segments {
            sum.0 += of.kept[channel.index()].n;
            sum.1 += of.weighted[channel.index()];
        }
        sum
    }
}

impl Item {
    /// Whether chance chose its start.
    fn is_drawn(&self) -> bool {
        self.propensity.is_some_and(|p| p < 1.0)
    }
}

/// Goes over the record.
pub(super) fn count(ledger: &Ledger, settings: &Settings, force: &InForce, cohorts: &Cohorts) -> Counted {
    let Ordered { mut segments, order } = empty(ledger, settings, force);
    let (mut since, mut cascades) = (None::<At>, 0);
    let lately = settings.now.0.saturating_sub(30 * DAY_MS);
    for item in ledger.items() {
        let arm = ledger.arm_of(item);
        let of = &mut segments[order[arm.segment]];
        if force.exact[item.arm as usize] {
            cascades += 1;
            since = Some(since.map_or(item.launched_at, |first| first.min(item.launched_at)));
        }
        if !force.same[item.arm as usize] {
            of.excluded.other_rules += 1;
            continue;
        }
        of.lately += u64::from(item.launched_at.0 > lately);
        of.is_random |= item.is_drawn();
        match cohorts.finished(ledger, item, settings.now) {
            Some(finished) => of.add(item, arm.start, &finished),
            None => of.running += 1,
        }
    }
    let mut counted = begin(segments, settings, force.rules());
    (counted.since, counted.cascades, counted.others) = (since, cascades, force.others(ledger));
    counted.replay(ledger, settings, &order, (force, cohorts));
    counted
}

impl Counts {
    /// Takes in a finished cascade.
    fn add(&mut self, item: &Item, start: Channel, finished: &Finished) {
        if item.unsent {
            self.excluded.unsent += 1;
            return;
        }
        self.late += u64::from(finished.is_late);
        let is_drawn = item.is_drawn() && !finished.is_cut_short;
        let tallies = if is_drawn { &mut self.drawn } else { &mut self.given };
        tallies[start.index()].add(item, finished);
        if item.forced {
            self.excluded.forced += 1;
        } else if item.is_drawn() && finished.is_cut_short {
            self.excluded.cut_short += 1;
        } else if !item.is_drawn() {
            self.excluded.not_drawn += 1;
        }
    }

    /// The channels that it can start with: those of its rules, and those that were seen.
    fn can_start(&self, settings: &Settings) -> [bool; Channel::ALL.len()] {
        let by_rules = settings.own_starts.get(&self.segment).unwrap_or(&settings.starts);
        let mut starts = [false; Channel::ALL.len()];
        for channel in Channel::ALL {
            let is_seen = *channel == self.incumbent || self.drawn[channel.index()].n > 0;
            starts[channel.index()] = by_rules.contains(channel) || (self.is_random && is_seen);
        }
        starts
    }
}

/// The segments in the order of their names, and where each of the ledger's stands in it.
struct Ordered {
    segments: Vec<Counts>,
    order: Vec<usize>,
}

fn empty(ledger: &Ledger, settings: &Settings, force: &InForce) -> Ordered {
    let mut frequent = vec![[0_u64; Channel::ALL.len()]; ledger.segments.len()];
    for ((arm, n), is_same) in ledger.arms.iter().zip(&force.counts).zip(&force.same) {
        frequent[arm.segment][arm.start.index()] += n * if *is_same { 1_000_000 } else { 1 };
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
            kept: Tallies::default(),
            weighted: Default::default(),
            starts: Default::default(),
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
    for of in &mut segments {
        of.starts = of.can_start(settings);
    }
    let is_start =
        |c: &Channel| settings.starts.contains(c) || segments.iter().any(|of| of.starts[c.index()]);
    let channels: Vec<Channel> = Channel::ALL.iter().copied().filter(is_start).collect();
    let mut watches = Vec::new();
    for of in &mut segments {
        let finished: u64 = of.drawn.iter().map(|tally| tally.n).sum();
        if let (true, true, Some(value)) = (of.is_random, finished > 0, of.value) {
            of.place = Some(watches.len());
            let mut among = Among::default();
            for (among, channel) in among.iter_mut().zip(&channels) {
                *among = of.starts[channel.index()];
            }
            let incumbent = channels.iter().position(|c| *c == of.incumbent).unwrap_or(0);
            watches.push(Watch::new(among, incumbent, MARGIN * value));
        }
    }
    let course = Course::of(channels.len(), watches);
    Counted {
        basis: if configured.is_some() { Basis::Net } else { Basis::CostPerConversion },
        channels,
        segments,
        course,
        rules,
        since: None,
        cascades: 0,
        others: Vec::new(),
        value,
    }
}

impl Counted {
    /// Lets the days pass: each cascade whose start was drawn, on the day on which it began to count.
    fn replay(
        &mut self,
        ledger: &Ledger,
        settings: &Settings,
        order: &[usize],
        (force, cohorts): (&InForce, &Cohorts),
    ) {
        let penalty = match self.basis {
            Basis::Net => settings.optout_penalty.0.to_f64().unwrap_or_default(),
            Basis::CostPerConversion => 0.0,
        };
        let mut days = Days::new(self.course.watches.len());
        for item in ledger.items().filter(|item| item.is_drawn() && !item.unsent) {
            let arm = ledger.arm_of(item);
            let of = &self.segments[order[arm.segment]];
            let (true, Some(value), Some(row)) = (force.same[item.arm as usize], of.value, of.place) else {
                continue;
            };
            let finished = cohorts.finished(ledger, item, settings.now);
            let Some(finished) = finished.filter(|finished| !finished.is_cut_short) else { continue };
            let worth = finished.converted.map_or(0.0, |at| {
                let hours = at.ms() as f64 / 3_600_000.0;
                value * (-settings.decay_per_h * hours).exp()
            });
            let net = worth - item.cost - if finished.opted_out { penalty } else { 0.0 };
            days.on(finished.day)[row].add(arm.start, item, &finished, net);
        }
        let days = days.in_order();
        for (day, rows) in &days {
            let cells: Vec<_> = rows.iter().map(|row| row.cells(&self.channels)).collect();
            self.course.day(*day, &cells, |_, _| {});
        }
        for of in &mut self.segments {
            let Some(place) = of.place else { continue };
            let since = self.course.watches[place].since();
            let kept = days.iter().filter(|(day, _)| since.is_none_or(|since| *day >= since));
            let mut sum = OfDay::default();
            kept.for_each(|(_, rows)| sum += rows[place]);
            (of.kept, of.weighted) = (sum.tallies, sum.weighted);
        }
    }
}
