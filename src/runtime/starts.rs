//! Where everybody of a launch begins: as the rules say, or drawn at random for a share of them (`explore`).

use super::handle::{Starts, Wave};
use super::launch::Plan;
use crate::engine;
use crate::engine::forecast::{TYPICAL_CALL_S, lasts_s};
use crate::learning::answer::Answer;
use crate::model::{Allocation, At, CampaignId, Channel, Customer, Segment};
use crate::rules::Step;
use crate::rules::starts::{Begin, start_lot};
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a call takes, for guessing when the next wave falls.
const TYPICAL_CALL: TimeDelta = TimeDelta::seconds(TYPICAL_CALL_S as i64);

/// By segment, from what its starts are drawn.
pub type Allocations = BTreeMap<Segment, Arc<Allocation>>;

/// Customers who walk the same steps.
type Group = (Vec<Step>, u64);

impl Plan {
    /// The allocations of its segments while nothing is known about them: the same for every start, as far as
    /// `explore` allows. Without `explore` there are none.
    pub fn unlearnt(&self) -> Allocations {
        let rules = &self.ready.rules;
        let mut allocations = Allocations::new();
        if rules.explore <= 0.0 {
            return allocations;
        }
        for customer in &self.customers {
            if !allocations.contains_key(&customer.segment) {
                let ladder = rules.ladder_for(&customer.segment);
                let even = Allocation::even(ladder.channels());
                let capped = even.map(|even| Arc::new(even.capped(ladder.start, rules.explore)));
                allocations.extend(capped.map(|capped| (customer.segment.clone(), capped)));
            }
        }
        allocations
    }

    /// The allocations of its segments by what the record says; where it says nothing, as while nothing is known.
    pub fn learnt(&self, answer: &Answer) -> Allocations {
        let mut allocations = self.unlearnt();
        for row in &answer.segments {
            let Some(allocation) = allocations.get_mut(&row.segment) else { continue };
            let ladder = self.ready.rules.ladder_for(&row.segment);
            let share = |channel| row.starts.iter().find(|start| start.start == channel)?.propensity;
            let shares = ladder.channels().map(|channel| Some((channel, share(channel)?)));
            if let Some(found) = shares.collect::<Option<Vec<_>>>().and_then(Allocation::of) {
                *allocation = Arc::new(found.capped(ladder.start, self.ready.rules.explore));
            }
        }
        allocations
    }

    /// Where this customer begins in that campaign. Whoever opted out begins nowhere, whatever is drawn.
    pub(super) fn begin(&self, customer: &Customer, campaign: CampaignId, opted_out: bool) -> Begin {
        let ladder = self.ready.rules.ladder_for(&customer.segment);
        let Some(allocation) = self.allocations.get(&customer.segment) else {
            return Begin::by_the_rules(ladder.start);
        };
        let skips = self.script().skips(customer, opted_out);
        let can_take = |channel| !skips.iter().any(|(skipped, _)| *skipped == channel);
        let lot = start_lot(self.seed, campaign, customer);
        ladder.draw_start(allocation, lot, |channel| self.is_shut(channel), can_take)
    }

    /// Nobody can be reached there: no words, or no provider.
    fn is_shut(&self, channel: Channel) -> bool {
        !self.content.has_file(channel) || self.ready.config.pace(channel).is_none()
    }

    /// What the operator is told before anything is drawn, a row a segment.
    pub(super) fn starts(&self, begins: &[(&Customer, Begin)]) -> Vec<Starts> {
        let mut rows: BTreeMap<&Segment, Starts> = BTreeMap::new();
        for (customer, begin) in begins {
            let Some(from) = &begin.allocation else { continue };
            let row = rows.entry(&customer.segment).or_insert_with(|| Starts {
                segment: customer.segment.clone(),
                start: self.ready.rules.ladder_for(&customer.segment).start,
                from: (**from).clone(),
                people: 0,
                left_out: 0,
            });
            *(if begin.forced { &mut row.left_out } else { &mut row.people }) += 1;
        }
        rows.into_values().collect()
    }

    /// When the sends of each step fall if nobody answers, at the channels' rates, quiet hours kept in the workspace's
    /// zone: the first steps of all who begin somewhere, then the second ones.
    pub(super) fn waves(&self, now: At, begins: &[(&Customer, Begin)]) -> Vec<Wave> {
        let mut groups: Vec<(At, Group)> =
            self.groups(begins).into_iter().map(|group| (now, group)).collect();
        let quiet = self.ready.config.policy(&self.ready.rules).quiet_hours;
        let zone = self.ready.config.timezone.name();
        let mut waves: Vec<Wave> = Vec::new();
        let steps = groups.iter().map(|(_, (walk, _))| walk.len()).max().unwrap_or(0);
        for step in 0..steps {
            let this_step = waves.len();
            for (from, (walk, people)) in &mut groups {
                let Some(step) = walk.get(step) else { continue };
                if self.ready.config.pace(step.channel).is_none() {
                    continue;
                }
                *from = engine::allowed_from(&quiet, zone, *from).unwrap_or(*from);
                let of_channel = |wave: &&mut Wave| wave.channel == step.channel;
                if let Some(wave) = waves[this_step..].iter_mut().find(of_channel) {
                    (wave.from, wave.to) = (wave.from.min(*from), wave.to.max(*from));
                    wave.people += *people;
                } else {
                    waves.push(Wave { channel: step.channel, from: *from, to: *from, people: *people });
                }
                let tail = match step.channel {
                    Channel::Phone => TYPICAL_CALL,
                    Channel::Whatsapp | Channel::Sms | Channel::Email => TimeDelta::zero(),
                };
                *from = *from + tail + TimeDelta::seconds(step.wait_s.unwrap_or(0) as i64);
            }
            for wave in &mut waves[this_step..] {
                let Some(pace) = self.ready.config.pace(wave.channel) else { continue };
                let lasts = lasts_s(wave.channel, wave.people, pace.per_second, pace.concurrent as u64);
                wave.to = wave.to + TimeDelta::milliseconds((lasts * 1000.0) as i64);
            }
        }
        waves.sort_by_key(|wave| wave.from);
        waves
    }

    /// Everybody by the steps they walk.
    fn groups(&self, begins: &[(&Customer, Begin)]) -> Vec<Group> {
        let rules = &self.ready.rules;
        let mut counts: BTreeMap<(Option<&Segment>, Channel), u64> = BTreeMap::new();
        for (customer, begin) in begins {
            let own = rules.segments.get_key_value(&customer.segment).map(|(segment, _)| segment);
            *counts.entry((own, begin.start)).or_default() += 1;
        }
        let mut groups: Vec<Group> = Vec::new();
        for ((segment, start), people) in counts {
            let ladder = segment.map_or(&rules.main, |segment| rules.ladder_for(segment));
            let walk = ladder.walk(start);
            match groups.iter_mut().find(|(other, _)| *other == walk) {
                Some((_, count)) => *count += people,
                None => groups.push((walk, people)),
            }
        }
        groups
    }
}
