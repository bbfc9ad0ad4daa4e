//! Which cascades count (section 4 of the statistics), and the replay of their days through the policy.

use super::{Basis, ExcludedBy, Overall, Settings, money};
use crate::learning::ledger::{Item, Ledger, Span};
use crate::learning::policy::Course;
use crate::learning::posterior::{Cell, STARTS_MAX};
use crate::model::{At, Channel, Segment};
use rust_decimal::prelude::ToPrimitive as _;
use std::collections::{BTreeMap, HashMap};

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

/// A finished cascade under the rules in force.
struct Finished {
    due: At,
    /// What came within its window.
    converted: Option<Span>,
    opted_out: bool,
    is_late: bool,
}

/// One cascade, if it is finished by `now`.
fn finished(ledger: &Ledger, item: &Item, now: At) -> Option<Finished> {
    let horizon_ms = ledger.horizon_ms(item);
    let due = At(item.launched_at.0.saturating_add(horizon_ms));
    let limit_ms = horizon_ms.max(item.open_until.ms());
    let converted = item.converted.filter(|at| at.ms() <= limit_ms);
    (due <= now).then(|| Finished {
        due,
        converted,
        opted_out: item.opted_out.is_some_and(|at| at.ms() <= limit_ms),
        is_late: item.converted.is_some() && converted.is_none(),
    })
}

impl Item {
    /// Whether chance chose its start.
    fn is_drawn(&self) -> bool {
        self.propensity.is_some_and(|p| p < 1.0)
    }
}

/// Goes over the record.
pub(super) fn count(ledger: &Ledger, settings: &Settings) -> Counted {
    let seen = Seen::of(ledger);
    let rules = settings.rules.clone().or_else(|| seen.newest_rules(ledger));
    let is_current = |hash: &String| rules.as_ref() == Some(hash) || settings.equivalent.contains(hash);
    let current: Vec<bool> = ledger.rules.iter().map(is_current).collect();
    let Ordered { mut segments, order } = empty(ledger, settings, &current, &seen);
    let (mut since, mut cascades) = (None::<At>, 0);
    let lately = settings.now.0.saturating_sub(30 * DAY_MS);
    for item in ledger.items() {
        let arm = ledger.arm_of(item);
        let of = &mut segments[order[arm.segment]];
        if !current[arm.rules] {
            of.excluded.other_rules += 1;
            continue;
        }
        cascades += 1;
        since = Some(since.map_or(item.launched_at, |first| first.min(item.launched_at)));
        of.lately += u64::from(item.launched_at.0 > lately);
        of.is_random |= item.is_drawn();
        match finished(ledger, item, settings.now) {
            Some(finished) => of.add(item, arm.start, &finished),
            None => of.running += 1,
        }
    }
    let mut counted = begin(segments, settings, rules);
    (counted.since, counted.cascades) = (since, cascades);
    counted.replay(ledger, settings, &order, &current);
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
        let tallies = if item.is_drawn() { &mut self.drawn } else { &mut self.given };
        let tally = &mut tallies[start.index()];
        tally.n += 1;
        tally.conversions += u64::from(finished.converted.is_some());
        tally.opted_out += u64::from(finished.opted_out);
        tally.cost += item.cost;
        if item.forced {
            self.excluded.forced += 1;
        } else if !item.is_drawn() {
            self.excluded.not_drawn += 1;
        }
    }
}

/// What is known of the record before anything is counted.
struct Seen {
    /// Cascades of each arm.
    arms: Vec<u64>,
    /// The arm of the newest cascade.
    newest: Option<u32>,
}

impl Seen {
    fn of(ledger: &Ledger) -> Self {
        let (mut arms, mut newest) = (vec![0; ledger.arms.len()], None);
        let mut last = At(i64::MIN);
        for item in ledger.items() {
            arms[item.arm as usize] += 1;
            if item.launched_at >= last {
                (last, newest) = (item.launched_at, Some(item.arm));
            }
        }
        Self { arms, newest }
    }

    fn newest_rules(&self, ledger: &Ledger) -> Option<String> {
        self.newest.map(|arm| ledger.rules[ledger.arms[arm as usize].rules].clone())
    }
}

/// The segments in the order of their names, and where each of the ledger's stands in it.
struct Ordered {
    segments: Vec<Counts>,
    order: Vec<usize>,
}

fn empty(ledger: &Ledger, settings: &Settings, current: &[bool], seen: &Seen) -> Ordered {
    let mut frequent = vec![[0_u64; Channel::ALL.len()]; ledger.segments.len()];
    for (arm, n) in ledger.arms.iter().zip(&seen.arms) {
        frequent[arm.segment][arm.start.index()] += n * if current[arm.rules] { 1_000_000 } else { 1 };
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
    /// Lets the days pass: each cascade whose start was drawn, on the day on which it matured.
    fn replay(&mut self, ledger: &Ledger, settings: &Settings, order: &[usize], current: &[bool]) {
        let penalty = match self.basis {
            Basis::Net => settings.optout_penalty.0.to_f64().unwrap_or_default(),
            Basis::CostPerConversion => 0.0,
        };
        let mut places = [0; Channel::ALL.len()];
        for (place, channel) in self.channels.iter().enumerate() {
            places[channel.index()] = place;
        }
        let mut days = Days::new(self.course.watches.len());
        for item in ledger.items().filter(|item| item.is_drawn() && !item.unsent) {
            let arm = ledger.arm_of(item);
            let of = &self.segments[order[arm.segment]];
            let (true, Some(value), Some(row)) = (current[arm.rules], of.value, of.place) else { continue };
            let Some(finished) = finished(ledger, item, settings.now) else { continue };
            let worth = finished.converted.map_or(0.0, |at| {
                let hours = at.ms() as f64 / 3_600_000.0;
                value * (-settings.decay_per_h * hours).exp()
            });
            let net = worth - item.cost - if finished.opted_out { penalty } else { 0.0 };
            let cells = days.on(finished.due.0.div_euclid(DAY_MS));
            cells[row][places[arm.start.index()]].add(net);
            let weight = item.propensity.map_or(0.0, |p| 1.0 / f64::from(p));
            let (n, weights, nets) = &mut self.weighted[arm.start.index()];
            *n += 1;
            *weights += weight;
            *nets += weight * net;
        }
        for (day, cells) in days.in_order() {
            self.course.day(day, &cells, |_, _| {});
        }
    }
}

/// A row of cells for each segment of the course.
type Rows = Vec<[Cell; STARTS_MAX]>;

/// What matured on each day.
struct Days {
    rows: usize,
    cells: Vec<(i64, Rows)>,
    places: HashMap<i64, usize>,
    /// The day that was asked for last: cascades mostly stand in their order.
    last: (i64, usize),
}

impl Days {
    fn new(rows: usize) -> Self {
        Self { rows, cells: Vec::new(), places: HashMap::new(), last: (i64::MIN, 0) }
    }

    fn on(&mut self, day: i64) -> &mut Rows {
        if self.last.0 != day {
            let place = *self.places.entry(day).or_insert(self.cells.len());
            if place == self.cells.len() {
                self.cells.push((day, vec![Default::default(); self.rows]));
            }
            self.last = (day, place);
        }
        &mut self.cells[self.last.1].1
    }

    fn in_order(mut self) -> Vec<(i64, Rows)> {
        self.cells.sort_unstable_by_key(|(day, _)| *day);
        self.cells
    }
}
