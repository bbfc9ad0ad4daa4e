//! The answer, `cascade.learn/1`: everything that the record says about starts, waits and costs, in numbers for programs
//! and in sentences for operators. The command, the console and the reports share it.
//!
//! | module | what it holds |
//! |---|---|
//! | `force` | what is in force, and which cascades ran under the same |
//! | `mature` | when a cascade counts, and what of it |
//! | `count` | which cascades count, and the replay of their days |
//! | `days` | what began to count on each day |
//! | `segments` | what a segment's record comes to |
//! | `winners` | segments that differ from the rest |
//! | `channels` | conversions per cost of each channel, first contacts and fallbacks apart |
//! | `waits` | advice on waits |
//! | `words` | the sentences |

mod channels;
mod count;
mod days;
mod force;
mod mature;
mod segments;
mod waits;
mod winners;
mod words;

use super::history::Cascade;
use super::ledger::Ledger;
use super::policy::looks::State;
use crate::model::{At, Channel, Money, Segment};
use force::InForce;
pub use force::{Waits, parts};
use mature::Cohorts;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;
use serde::Serialize;
use std::collections::BTreeMap;
use std::thread;

/// What the record is asked with.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The time of the question.
    pub now: At,
    /// What a conversion is worth; `None`: starts are ranked by cost per conversion.
    pub value: Option<Money>,
    /// What losing a customer for good costs.
    pub optout_penalty: Money,
    /// What a conversion loses in worth per hour since the launch, as a rate.
    pub decay_per_h: f64,
    /// The currency of all amounts.
    pub currency: String,
    /// Rules and texts in force, as [`parts`] takes them apart; `None`: those of the newest cascade.
    pub rules: Option<String>,
    /// Hashes of rules or texts that the operator declared equivalent to them, or their first seven letters at least.
    pub equivalent: Vec<String>,
    /// By their hash, rules by which people walk as by those in force, whatever they start with.
    pub alike: BTreeMap<String, Alike>,
    /// The start that the rules have for a segment.
    pub incumbents: BTreeMap<Segment, Channel>,
    /// The start of every other segment, if any cascade had it; else the one that most of the segment's had.
    pub incumbent: Option<Channel>,
    /// Starts that the rules allow, besides those that were seen.
    pub starts: Vec<Channel>,
    /// The same for segments with steps of their own.
    pub own_starts: BTreeMap<Segment, Vec<Channel>>,
    /// The share that the rules let be drawn away from their start; `None`: no cap.
    pub explore: Option<f64>,
    /// How long the rules wait; `None`: as the newest contacts were waited for.
    pub waits: Option<Waits>,
}

/// For whom two versions of the rules are the same walks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alike {
    /// For each segment that either of them names.
    pub named: BTreeMap<Segment, bool>,
    /// For every other one.
    pub others: bool,
}

impl Alike {
    /// Whether they are for customers of this segment.
    pub fn holds_for(&self, segment: &Segment) -> bool {
        self.named.get(segment).copied().unwrap_or(self.others)
    }
}

/// By what starts are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Value of conversions less costs and penalties.
    Net,
    /// No value is configured: a conversion is worth what one costs with today's start.
    CostPerConversion,
}

/// `cascade.learn/1`
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// `cascade.learn/1`
    pub schema: &'static str,
    /// The time of the question.
    pub now: At,
    /// What a conversion is worth; without a configured value, what one costs with today's starts.
    pub value: Option<Money>,
    /// What an opt-out costs.
    pub optout_penalty: Money,
    /// The currency of all amounts.
    pub currency: String,
    /// By what starts are ranked.
    pub basis: Basis,
    /// In the order of their names.
    pub segments: Vec<SegmentAnswer>,
    /// Advice on waits: each channel over all segments, then by segment.
    pub waits: Vec<WaitAnswer>,
    /// Segments with another winner than all together.
    pub winners: Vec<Winner>,
    /// How old the decisions in force are.
    pub freshness: Freshness,
    /// Conversions per cost of each channel, as first contact and as fallback.
    pub channels: Vec<ChannelAnswer>,
    /// All segments together, each cascade weighted by the inverse of its probability.
    pub overall: Vec<Overall>,
    /// What an operator should know about the record itself.
    pub notes: Vec<String>,
}

/// A segment.
#[derive(Clone, Debug, Serialize)]
pub struct SegmentAnswer {
    /// Its name.
    pub segment: Segment,
    /// Cascades that count: finished, drawn at random, under the rules in force.
    pub mature: u64,
    /// Cascades that still run, and do not count.
    pub running: u64,
    /// Finished cascades that do not count.
    pub excluded: u64,
    /// Of those: forced, not drawn at random, under other rules, never begun.
    pub excluded_by: ExcludedBy,
    /// What the record comes to.
    pub state: State,
    /// The rules' start.
    pub incumbent: Channel,
    /// The start with the highest posterior mean; absent where nothing can be said.
    pub leader: Option<Channel>,
    /// The state in a sentence.
    pub reason: String,
    /// Mature cascades at the next scheduled look.
    pub next_look: Option<u32>,
    /// Further cascades until the leader would be sure, if the gap is what it looks like; absent: over 5000, or unknown.
    pub more_needed: Option<u64>,
    /// The gap of the first two in standard deviations of one cascade's net; from 200 cascades on.
    pub gap_sd: Option<f64>,
    /// What choosing the leader now costs per cascade if that is wrong.
    pub expected_loss: Option<Money>,
    /// What exploring has cost so far.
    pub exploring_cost: Option<Money>,
    /// What 100 more cascades could tell.
    pub after_100: Option<After>,
    /// What a conversion is worth here.
    pub value: Option<Money>,
    /// The last scheduled look.
    pub looked: Option<Look>,
    /// The start that a ranking of channels by conversions per own cost would pick: what must not be advised on.
    pub naive_leader: Option<Channel>,
    /// Conversions that came after the window: they are reported, and change no number.
    pub late_conversions: u64,
    /// Days on which older data was dropped because the outcomes had changed.
    pub resets: Vec<At>,
    /// Whether there is too little traffic to notice a change.
    pub blind_to_change: bool,
    /// A row for each start.
    pub starts: Vec<StartAnswer>,
}

/// Why finished cascades do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExcludedBy {
    /// Their start was forced.
    pub forced: u64,
    /// Their start was not drawn at random.
    pub not_drawn: u64,
    /// They ran under other rules.
    pub other_rules: u64,
    /// Nobody was ever contacted: every step expired, or was refused before it left.
    pub unsent: u64,
    /// Their start was drawn, in an hour of which an edit or an operator set more than a few others aside: whoever had
    /// answered by then is left, and 20 of 40 would be a rate that nobody had.
    pub cut_short: u64,
}

impl ExcludedBy {
    /// All of them.
    pub const fn total(self) -> u64 {
        self.forced + self.not_drawn + self.other_rules + self.unsent + self.cut_short
    }
}

/// What 100 more cascades could tell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct After {
    /// The probability that the leader changes.
    pub p_leader_changes: f64,
    /// The expected gain per cascade that follows. Near 0: stop exploring.
    pub gain_per_cascade: Money,
}

/// A scheduled look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Look {
    /// Mature cascades at it.
    pub mature: u64,
    /// The start that led.
    pub leader: Channel,
    /// Its probability to be best.
    pub p_best: f64,
    /// The probability that was asked for.
    pub asked: f64,
}

/// A start of a segment.
#[derive(Clone, Debug, Serialize)]
pub struct StartAnswer {
    /// The channel.
    pub start: Channel,
    /// Cascades; where the outcomes have changed, those that are left.
    pub n: u64,
    /// The same with those that were dropped then.
    pub n_all: u64,
    /// Conversions, a raw count.
    pub conversions: u64,
    /// Opt-outs, a raw count.
    pub opted_out: u64,
    /// What all steps of all these cascades cost.
    pub cost: Money,
    /// The ratio of the sums.
    pub cost_per_conversion: Option<Money>,
    /// A raw share.
    pub conversion_rate: Option<f64>,
    /// The plain mean of the nets.
    pub net_raw_mean: Option<Money>,
    /// The posterior mean.
    pub net_mean: Option<Money>,
    /// The posterior standard deviation.
    pub net_sd: Option<Money>,
    /// The 90 % interval's lower end.
    pub net_low: Option<Money>,
    /// The 90 % interval's upper end.
    pub net_high: Option<Money>,
    /// The probability to be the best start.
    pub p_best: Option<f64>,
    /// The probability with which the next start is drawn.
    pub propensity: Option<f64>,
}

/// Advice on a wait.
#[derive(Clone, Debug, Serialize)]
pub struct WaitAnswer {
    /// The channel.
    pub channel: Channel,
    /// The segment; absent: all.
    pub segment: Option<Segment>,
    /// The wait in force, which the advice is about.
    pub window_s: u64,
    /// Delivered contacts, under whatever rules and waits they were sent: each is followed as long as its own wait was.
    pub contacts: u64,
    /// Those of them that were sent under another wait.
    pub under_other_waits: u64,
    /// Conversions within the window.
    pub events: u64,
    /// `ok`, `too_few_conversions` or `not_followed_to_the_end`
    pub status: &'static str,
    /// The share of the window's conversions that arrives by each tenth of it.
    pub share_by_fraction: Vec<[f64; 2]>,
    /// The bands of those shares.
    pub bands: Vec<[f64; 2]>,
    /// When 80 % have arrived.
    pub t80_s: Option<f64>,
    /// When 90 % have.
    pub t90_s: Option<f64>,
    /// When 95 % have.
    pub t95_s: Option<f64>,
    /// The band of `t90_s`, lower end.
    pub t90_low_s: Option<f64>,
    /// The band of `t90_s`, upper end.
    pub t90_high_s: Option<f64>,
    /// `t80_s` as a share of the window.
    pub t80_fraction: Option<f64>,
    /// The band of `t80_fraction`.
    pub t80_band: Option<[f64; 2]>,
    /// The wait that would do.
    pub suggested_wait_s: Option<u64>,
    /// Whether it is so much shorter that a change is worth it.
    pub suggest_change: bool,
    /// Late conversions as a share of all by these messages.
    pub late_share: Option<f64>,
    /// Whether that is surely too many: the window is cut too short.
    pub too_short: bool,
    /// Conversions on the record that the suggested wait would have met with the next message already sent.
    pub missed_on_record: Option<u64>,
    /// What those would have cost: the next step's mean cost for each.
    pub missed_cost: Option<Money>,
    /// Seconds by which the next message would have left sooner, for each contact that did not convert.
    pub saved_s: Option<u64>,
    /// In words.
    pub reason: String,
}

/// A segment with another winner.
#[derive(Clone, Debug, Serialize)]
pub struct Winner {
    /// The segment.
    pub segment: Segment,
    /// Its winner.
    pub start: Channel,
    /// The winner of all segments together.
    pub against: Channel,
    /// How many times as often cascades of the segment convert with its winner as with the other.
    pub ratio: Option<f64>,
    /// The ratio's interval, corrected for the number of segments: lower end.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// The probability that its winner is the better one here.
    pub probability: f64,
    /// How many times as often cascades that start so convert in this segment as in the others: ratio, low, high.
    pub than_others: Option<[f64; 3]>,
    /// In words.
    pub reason: String,
}

/// How old the decisions in force are.
#[derive(Clone, Debug, Serialize)]
pub struct Freshness {
    /// The rules in force.
    pub rules_hash: Option<String>,
    /// Days since the first cascade under them.
    pub days: Option<f64>,
    /// Cascades under them.
    pub cascades: u64,
    /// What 30 more days without the proposed changes cost, by estimate and at the pace of the last 30.
    pub cost_of_not_changing: Option<Money>,
    /// In words.
    pub reason: String,
}

/// A channel's conversions per cost, as a contact at one place of the walk.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelAnswer {
    /// The channel.
    pub channel: Channel,
    /// The segment; absent: all.
    pub segment: Option<Segment>,
    /// `first` or `fallback`. A fallback sees only people who did not answer before.
    pub position: &'static str,
    /// Contacts whose windows have ended.
    pub contacts: u64,
    /// Conversions by these messages.
    pub conversions: u64,
    /// What they cost.
    pub cost: Money,
    /// Conversions for each unit of cost.
    pub conversions_per_cost: Option<f64>,
    /// Its 95 % interval's lower end.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

/// A start over all segments.
#[derive(Clone, Debug, Serialize)]
pub struct Overall {
    /// The channel.
    pub start: Channel,
    /// Cascades.
    pub n: u64,
    /// The mean net, each cascade weighted by the inverse of its probability.
    pub net_mean: Option<Money>,
}

/// What a record says, in one go.
pub fn answer(records: impl IntoIterator<Item = Cascade>, settings: &Settings) -> Answer {
    let mut ledger = Ledger::new();
    ledger.extend(records);
    ledger.answer(settings)
}

impl Ledger {
    /// What the record says.
    pub fn answer(&self, settings: &Settings) -> Answer {
        let force = &InForce::of(self, settings);
        let cohorts = &Cohorts::of(self, &force.same);
        thread::scope(|scope| {
            // Waits and costs of channels look at contacts, the rest at cascades.
            let contacts =
                scope.spawn(|| (waits::all(self, settings), channels::all(self, settings, force, cohorts)));
            let counted = count::count(self, settings, force, cohorts);
            let (waits, costs) = contacts.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let segments = segments::all(settings, &counted, &costs.naive_leaders);
            let winners = winners::all(&counted, &segments);
            let freshness = winners::freshness(self, settings, &counted, &segments);
            Answer {
                schema: "cascade.learn/1",
                now: settings.now,
                value: counted.value().map(money),
                optout_penalty: settings.optout_penalty,
                currency: settings.currency.clone(),
                basis: counted.basis,
                segments,
                waits,
                winners,
                freshness,
                channels: costs.rows,
                overall: counted.overall(),
                notes: words::notes(&counted, settings),
            }
        })
    }
}

/// An amount out of the statistics, with two to four decimals.
fn money(amount: f64) -> Money {
    let mut amount = Decimal::from_f64(amount).unwrap_or_default().round_dp(4).normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    Money(amount)
}

/// A figure for programs, without digits that mean nothing.
fn figure(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
