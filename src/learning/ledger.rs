//! The record in the form that every question is answered from: a few dozen bytes for each cascade and each contact, so
//! that a million of them are summed up in a blink, whatever a conversion is worth and whatever the time is now.

use super::history::{Cascade, Step};
use crate::model::{At, Channel, Segment};
use rust_decimal::prelude::ToPrimitive as _;
use std::collections::HashMap;

/// How long after the last step an answer counts, in seconds, where a terminal step's row does not say.
pub const CONVERSION_WINDOW_S: u64 = 24 * 3_600;

/// Cascades that compare: the same segment, start and rules.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    pub(super) segment: usize,
    pub(super) rules: usize,
    pub(super) start: Channel,
    /// Seconds from a launch to its maturity where the record does not tell: the longest that was seen.
    pub(super) horizon_s: u64,
}

/// One cascade.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) arm: u32,
    pub(super) launched_at: At,
    /// Seconds to maturity, where the record tells.
    pub(super) horizon_s: Option<u32>,
    /// When the window of its last step ends, which quiet hours may put behind its maturity.
    pub(super) open_until: At,
    pub(super) converted_at: Option<At>,
    pub(super) opted_out_at: Option<At>,
    pub(super) cost: f64,
    /// `None`: not drawn at random, or forced.
    pub(super) propensity: Option<f32>,
    pub(super) forced: bool,
}

/// One contact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    pub(super) sent_at: At,
    pub(super) window_s: Option<u32>,
    /// Milliseconds from sending to this message's conversion.
    pub(super) converted_ms: Option<i64>,
    /// Milliseconds from sending to a conversion by another step's message.
    pub(super) ended_ms: Option<i64>,
    pub(super) cost: f32,
    pub(super) is_first: bool,
    pub(super) is_delivered: bool,
    pub(super) is_bounced: bool,
    pub(super) step: u8,
}

/// What was recorded.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(super) segments: Vec<Segment>,
    pub(super) rules: Vec<String>,
    pub(super) arms: Vec<Arm>,
    pub(super) items: Vec<Item>,
    /// By segment, then by channel.
    pub(super) touches: Vec<[Vec<Touch>; Channel::ALL.len()]>,
    /// The arm that was added to last.
    newest: Option<usize>,
    segment_places: HashMap<String, usize>,
    rules_places: HashMap<String, usize>,
    arm_places: HashMap<(usize, usize, Channel), usize>,
}

impl Ledger {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many cascades it holds.
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing was recorded.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds a cascade. One that still runs is added as far as it has come.
    pub fn add(&mut self, cascade: &Cascade) {
        let segment = self.segment(&cascade.segment);
        let rules = self.rules(cascade.rules.raw());
        let arm = self.arm(segment, rules, cascade.start);
        self.newest = Some(arm);
        let horizon_s = cascade.horizon_s.map(|s| s.min(u64::from(u32::MAX)) as u32);
        if horizon_s.is_none() {
            let waited: u64 = cascade.steps.iter().map(window_s).sum();
            self.arms[arm].horizon_s = self.arms[arm].horizon_s.max(waited);
        }
        let converted_at = cascade.steps.iter().filter_map(|step| step.converted_at).min();
        let ends = cascade.steps.iter().filter_map(|step| Some((step.sent_at?, window_s(step))));
        let open_until = ends.map(|(at, s)| At(at.0.saturating_add(ms(s)))).max();
        self.items.push(Item {
            arm: arm as u32,
            launched_at: cascade.launched_at,
            horizon_s,
            open_until: open_until.unwrap_or(cascade.launched_at),
            converted_at,
            opted_out_at: cascade.steps.iter().filter_map(|step| step.opted_out_at).min(),
            cost: cascade.steps.iter().map(cost).sum(),
            propensity: cascade.propensity.filter(|_| !cascade.forced).map(|p| p as f32),
            forced: cascade.forced,
        });
        for (at, step) in cascade.steps.iter().enumerate() {
            self.touch(segment, cascade, at, step);
        }
    }

    fn touch(&mut self, segment: usize, cascade: &Cascade, at: usize, step: &Step) {
        let Some(sent_at) = step.sent_at else { return };
        let since = |at: At| at.0.saturating_sub(sent_at.0).max(0);
        let others = cascade.steps.iter().enumerate().filter(|(other, _)| *other != at);
        let ended = others.filter_map(|(_, other)| other.converted_at).min();
        self.touches[segment][step.channel.index()].push(Touch {
            sent_at,
            window_s: step.window_s.map(|s| s.min(u64::from(u32::MAX)) as u32),
            converted_ms: step.converted_at.map(since),
            ended_ms: ended.map(since),
            cost: cost(step) as f32,
            is_first: !cascade.steps[..at].iter().any(|earlier| earlier.sent_at.is_some()),
            is_delivered: step.delivered_at.is_some() || step.converted_at.is_some(),
            is_bounced: step.bounced_at.is_some(),
            step: step.step.min(u32::from(u8::MAX)) as u8,
        });
    }

    fn segment(&mut self, segment: &Segment) -> usize {
        // Rows of a file mostly repeat the one before.
        if let Some(arm) = self.newest.filter(|arm| self.segments[self.arms[*arm].segment] == *segment) {
            return self.arms[arm].segment;
        }
        if let Some(&place) = self.segment_places.get(&segment.0) {
            return place;
        }
        let place = self.segments.len();
        self.segments.push(segment.clone());
        self.touches.push(Default::default());
        self.segment_places.insert(segment.0.clone(), place);
        place
    }

    fn rules(&mut self, hash: &str) -> usize {
        if let Some(arm) = self.newest.filter(|arm| self.rules[self.arms[*arm].rules] == hash) {
            return self.arms[arm].rules;
        }
        if let Some(&place) = self.rules_places.get(hash) {
            return place;
        }
        let place = self.rules.len();
        self.rules.push(hash.to_owned());
        self.rules_places.insert(hash.to_owned(), place);
        place
    }

    fn arm(&mut self, segment: usize, rules: usize, start: Channel) -> usize {
        let arms = &mut self.arms;
        *self.arm_places.entry((segment, rules, start)).or_insert_with(|| {
            arms.push(Arm { segment, rules, start, horizon_s: 0 });
            arms.len() - 1
        })
    }

    /// The segments, as they came.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    pub(super) fn arm_of(&self, item: &Item) -> &Arm {
        &self.arms[item.arm as usize]
    }

    /// When a cascade is mature.
    pub(super) fn matures_at(&self, item: &Item) -> At {
        let horizon_s = item.horizon_s.map_or(self.arm_of(item).horizon_s, u64::from);
        At(item.launched_at.0.saturating_add(ms(horizon_s)))
    }
}

impl Extend<Cascade> for Ledger {
    fn extend<T: IntoIterator<Item = Cascade>>(&mut self, cascades: T) {
        cascades.into_iter().for_each(|cascade| self.add(&cascade));
    }
}

/// A terminal step's row may leave the window out.
fn window_s(step: &Step) -> u64 {
    step.window_s.unwrap_or(CONVERSION_WINDOW_S)
}

fn ms(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}

fn cost(step: &Step) -> f64 {
    step.cost.0.to_f64().unwrap_or_default()
}
