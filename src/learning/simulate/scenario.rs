//! A scenario file: segments whose people behave in a known way, so that a policy can be held against the truth.

use crate::model::Channel;
use serde::Deserialize;
use serde_json::Map;
use std::collections::BTreeMap;

/// A scenario as its file has it. Unknown fields are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What a conversion is worth.
    pub value: f64,
    /// What an opt-out costs.
    #[serde(default)]
    pub optout_penalty: f64,
    /// How fast a conversion loses worth, per hour since the launch.
    #[serde(default)]
    pub decay_per_h: f64,
    /// What channels cost and how long they wait, in the order of `corr`.
    pub channels: Map<String, serde_json::Value>,
    /// Hours after the last step in which a reply still counts.
    pub final_watch_h: f64,
    /// The order of the steps; a cascade is its start, then the others in this order.
    pub rest_order: Vec<Channel>,
    /// Hours from one batch of launches to the next.
    pub batch_interval_h: f64,
    /// How many batches there are.
    pub batches: usize,
    /// Starts whose nets differ by no more are as good as each other.
    pub tie_tol: f64,
    /// Today's start.
    pub incumbent: Channel,
    /// Who is contacted.
    pub segments: Vec<SegmentPart>,
    /// What changes on the way.
    #[serde(default)]
    pub drift: Option<Drift>,
}

/// A channel's costs and wait.
#[derive(Clone, Debug, Deserialize)]
pub struct Price {
    /// Per send.
    pub send_cost: f64,
    /// Per minute of talk.
    #[serde(default)]
    pub per_min: f64,
    /// Mean minutes of a talk.
    #[serde(default)]
    pub talk_min_mean: f64,
    /// The spread of its logarithm.
    #[serde(default)]
    pub talk_min_sigma: f64,
    /// Hours until the next step.
    pub wait_h: f64,
    /// Whether a message that does not arrive costs nothing.
    #[serde(default)]
    pub charge_on: ChargeOn,
}

/// When a send is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeOn {
    /// Always.
    #[default]
    Send,
    /// Only if it arrives.
    Delivered,
}

/// A segment.
#[derive(Clone, Debug, Deserialize)]
pub struct SegmentPart {
    /// Its name.
    pub name: String,
    /// Launches in each batch.
    pub per_batch: usize,
    /// The correlation of the latent effects, in the order of the scenario's channels.
    pub corr: Vec<Vec<f64>>,
    /// What each delivered contact before adds to the logit of a response.
    #[serde(default)]
    pub fatigue: f64,
    /// What an earlier step on `a` adds to the logit on `b`, by `a>b`.
    #[serde(default)]
    pub prime: BTreeMap<String, f64>,
    /// How people react on each channel.
    pub channels: BTreeMap<Channel, Reaction>,
}

/// How people of a segment react on a channel.
#[derive(Clone, Debug, Deserialize)]
pub struct Reaction {
    /// The probability that a message arrives.
    pub deliver: f64,
    /// The median customer's probability to respond.
    pub base: f64,
    /// The spread of its logit.
    pub sd: f64,
    /// The probability that a response converts.
    pub convert: f64,
    /// The probability to opt out of a delivered contact without response.
    pub optout: f64,
    /// When responses come: a mixture.
    pub time: Vec<Part>,
}

/// A part of a mixture of response times.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    /// Its weight.
    pub w: f64,
    /// Its shape.
    #[serde(flatten)]
    pub law: Law,
}

/// The law of a response time, in hours.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "dist", rename_all = "snake_case")]
pub enum Law {
    /// By its median and the spread of its logarithm.
    Lognormal {
        /// The median.
        median_h: f64,
        /// The spread.
        sigma: f64,
    },
    /// By shape and scale.
    Weibull {
        /// The shape.
        shape: f64,
        /// The scale.
        scale_h: f64,
    },
}

/// What changes from a day on.
#[derive(Clone, Debug, Deserialize)]
pub struct Drift {
    /// The first day of the change, from 0.
    pub day: f64,
    /// What changes.
    pub changes: Vec<Change>,
}

/// One field that changes.
#[derive(Clone, Debug, Deserialize)]
pub struct Change {
    /// Whose.
    pub segment: String,
    /// On which channel.
    pub channel: Channel,
    /// Which field of the reaction.
    pub field: Field,
    /// Its new value.
    pub to: f64,
}

/// A field that can drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// See [`Reaction::deliver`].
    Deliver,
    /// See [`Reaction::base`].
    Base,
    /// See [`Reaction::sd`].
    Sd,
    /// See [`Reaction::convert`].
    Convert,
    /// See [`Reaction::optout`].
    Optout,
}

impl Reaction {
    const fn field(&mut self, field: Field) -> &mut f64 {
        match field {
            Field::Deliver => &mut self.deliver,
            Field::Base => &mut self.base,
            Field::Sd => &mut self.sd,
            Field::Convert => &mut self.convert,
            Field::Optout => &mut self.optout,
        }
    }
}

/// Why a scenario cannot be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// It is no JSON of this form.
    #[error("{0}")]
    Json(String),
    /// It is, and says something impossible.
    #[error("{at}: {what}")]
    Sense {
        /// Where.
        at: String,
        /// What is wrong, and what would be right.
        what: &'static str,
    },
}

fn unsound(at: impl Into<String>, what: &'static str) -> Unsound {
    Unsound::Sense { at: at.into(), what }
}

impl Scenario {
    /// Reads a scenario and holds it against sense.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unsound> {
        let scenario: Self =
            serde_json::from_slice(bytes).map_err(|fault| Unsound::Json(fault.to_string()))?;
        scenario.check()?;
        Ok(scenario)
    }

    /// The channels in the order of `corr`, with what they cost.
    pub fn prices(&self) -> Result<Vec<(Channel, Price)>, Unsound> {
        let one = |(name, value): (&String, &serde_json::Value)| {
            let known = "write whatsapp, phone, sms or email";
            let channel = Channel::parse(name).ok_or_else(|| unsound(format!("channels.{name}"), known))?;
            let price = serde_json::from_value(value.clone());
            Ok((channel, price.map_err(|fault| Unsound::Json(format!("channels.{name}: {fault}")))?))
        };
        self.channels.iter().map(one).collect()
    }

    /// The reactions of a segment, after its drift or before.
    pub fn reactions(&self, segment: &SegmentPart, drifted: bool) -> BTreeMap<Channel, Reaction> {
        let mut reactions = segment.channels.clone();
        let changes = self.drift.iter().filter(|_| drifted).flat_map(|drift| &drift.changes);
        for change in changes.filter(|change| change.segment == segment.name) {
            if let Some(reaction) = reactions.get_mut(&change.channel) {
                *reaction.field(change.field) = change.to;
            }
        }
        reactions
    }

    /// The first batch after the drift; past the end without one.
    pub fn drift_batch(&self) -> usize {
        let batch = |drift: &Drift| (drift.day * 24.0 / self.batch_interval_h).ceil().max(0.0) as usize;
        self.drift.as_ref().map_or(usize::MAX, batch)
    }

    fn check(&self) -> Result<(), Unsound> {
        let prices = self.prices()?;
        let (known, count): (Vec<Channel>, usize) = (prices.iter().map(|(c, _)| *c).collect(), prices.len());
        let mut order = self.rest_order.clone();
        order.sort();
        order.dedup();
        if order.len() != self.rest_order.len() || order.len() != count || count < 2 {
            return Err(unsound("rest_order", "name every channel of `channels` once, two at least"));
        }
        if order.iter().chain([&self.incumbent]).any(|channel| !known.contains(channel)) {
            return Err(unsound("rest_order", "it and `incumbent` name channels of `channels`"));
        }
        let counts = self.batches >= 1 && self.batch_interval_h > 0.0 && self.final_watch_h >= 0.0;
        if !counts || self.segments.is_empty() {
            return Err(unsound("batches", "there are batches, an interval above 0, and segments"));
        }
        for (channel, price) in &prices {
            let costs =
                [price.send_cost, price.per_min, price.talk_min_mean, price.talk_min_sigma, price.wait_h];
            if costs.iter().any(|x| !(x.is_finite() && *x >= 0.0)) {
                return Err(unsound(format!("channels.{channel}"), "costs and waits are numbers from 0"));
            }
        }
        self.segments.iter().try_for_each(|segment| self.check_segment(segment, &known))?;
        let changes = self.drift.iter().flat_map(|drift| &drift.changes);
        for change in changes {
            if !self.segments.iter().any(|segment| segment.name == change.segment) {
                return Err(unsound(format!("drift: {}", change.segment), "there is no such segment"));
            }
        }
        Ok(())
    }

    fn check_segment(&self, segment: &SegmentPart, known: &[Channel]) -> Result<(), Unsound> {
        let at = |field: &str| format!("segment {}: {field}", segment.name);
        let square =
            segment.corr.len() == known.len() && segment.corr.iter().all(|row| row.len() == known.len());
        if !square {
            return Err(unsound(at("corr"), "a row and a column for each channel"));
        }
        for drifted in [false, true] {
            let reactions = self.reactions(segment, drifted);
            for channel in known {
                let Some(reaction) = reactions.get(channel) else {
                    return Err(unsound(at(channel.as_str()), "how people react on it is missing"));
                };
                let Reaction { deliver, base, sd, convert, optout, time } = reaction;
                let shares = [deliver, base, convert, optout].iter().all(|p| (0.0..=1.0).contains(*p));
                let weight: f64 = time.iter().map(|part| part.w).sum();
                if !(shares && *sd >= 0.0 && weight > 0.0) {
                    return Err(unsound(at(channel.as_str()), "shares are 0..1, sd from 0, weights above 0"));
                }
            }
        }
        Ok(())
    }
}
