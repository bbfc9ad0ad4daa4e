//! Other rules against the record of a store: [`learning::replay`](crate::learning::replay) decides, here it is told
//! what the recorded rules were and what a step can cost.

use super::history;
use super::store::{Reader, StoreError};
use crate::config::Config;
use crate::learning::answer::parts;
use crate::learning::replay::{Other, Replay, Way};
use crate::model::{At, Channel, Money, Segment};
use crate::rules::{Ladder, Rules, parse};
use std::collections::HashMap;
use std::path::Path;

/// The longest call that is reckoned with where nobody was ever called, in seconds.
const LONGEST_CALL_S: u64 = 600;

/// Cascades of each campaign whose worst cost is looked at.
const SAMPLE: i64 = 200;

/// The most that one attempt can cost, by channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prices([Money; 4]);

impl Prices {
    /// What was set aside for an attempt in the record, or the settings' price where that is higher.
    pub fn of(reader: &Reader, config: &Config) -> Result<Self, StoreError> {
        let mut most = [Money::ZERO; 4];
        for channel in Channel::ALL {
            let Some(pace) = config.pace(*channel) else { continue };
            most[channel.index()] = match channel {
                Channel::Phone => pace.cost + pace.cost_per_minute.for_seconds(LONGEST_CALL_S),
                Channel::Whatsapp | Channel::Sms | Channel::Email => pace.cost,
            };
        }
        for campaign in reader.campaign_terms()?.into_keys() {
            for leg in reader.first_walks(campaign, SAMPLE)?.iter().flatten() {
                let most = &mut most[leg.channel.index()];
                *most = (*most).max(leg.reserve);
            }
        }
        Ok(Self(most))
    }
}

/// What every cascade of the store says about `rules`.
pub fn replay(reader: &Reader, rules: &Rules, prices: &Prices, now: At) -> Result<Replay, StoreError> {
    let mut recorded: HashMap<String, Option<Rules>> = HashMap::new();
    let mut others: HashMap<(String, Segment), Other> = HashMap::new();
    let mut replay = Replay::default();
    for cascade in history::read(reader)? {
        let cascade = cascade?;
        let (rules_then, _) = parts(cascade.rules.raw());
        let whose = (rules_then.to_owned(), cascade.segment.clone());
        if !others.contains_key(&whose) {
            if !recorded.contains_key(&whose.0) {
                recorded.insert(whose.0.clone(), ran(reader, &whose.0)?);
            }
            let before = recorded.get(&whose.0).and_then(Option::as_ref);
            others.insert(whose.clone(), other(rules, before, &whose.1, prices));
        }
        if let Some(other) = others.get(&whose) {
            replay.add(&cascade, other, now);
        }
    }
    Ok(replay)
}

/// The rules that ran under this hash, from the bytes that the store keeps.
pub(super) fn ran(reader: &Reader, hash: &str) -> Result<Option<Rules>, StoreError> {
    let files = reader.version(hash)?;
    let rules = files.iter().find_map(|(name, bytes)| parse(Path::new(name), bytes).0);
    Ok(rules.filter(|rules| rules.hash == hash))
}

/// `rules` for somebody of this segment, recorded under `before`; where nobody knows those, nothing is the same.
fn other(rules: &Rules, before: Option<&Rules>, segment: &Segment, prices: &Prices) -> Other {
    let ladder = rules.ladder_for(segment);
    let recorded = before.map(|before| before.ladder_for(segment));
    let ways = ladder.walk(ladder.start).into_iter().map(|step| Way {
        channel: step.channel,
        wait_s: step.wait_s,
        same: recorded.is_some_and(|recorded| means_the_same(ladder, recorded, step.channel)),
        bounce_waits: step.bounce_waits,
        most: prices.0[step.channel.index()] * u64::from(step.attempts),
    });
    Other {
        ways: ways.collect(),
        window_s: rules.conversion_window_s,
        same_hours: before.is_some_and(|before| rules.same_hours(before)),
    }
}

fn means_the_same(one: &Ladder, other: &Ladder, channel: Channel) -> bool {
    let of = |ladder: &Ladder| {
        let step = ladder.steps.iter().find(|step| step.channel == channel)?;
        Some((step.converts_on.clone(), step.attempts, step.bounce_waits))
    };
    of(one).is_some() && of(one) == of(other)
}
