//! The people of a scenario: what one customer does when a cascade begins with a given start. It holds no policy.

use super::scenario::{ChargeOn, Law, Price, Reaction, Scenario, SegmentPart, Unsound};
use crate::learning::posterior::{PerStart, STARTS_MAX};
use crate::model::Channel;
use nalgebra::DMatrix;
use rand::Rng;
use rand_distr::{Distribution as _, Exp, StandardNormal, Weibull};

/// Hours until a bounce is known.
const BOUNCE_H: f64 = 0.05;
/// Mean hours until an opt-out.
const OPTOUT_MEAN_H: f64 = 0.5;

/// What came of one cascade.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lived {
    /// Value less cost less penalty.
    pub net: f64,
    /// What all steps cost.
    pub cost: f64,
    /// Whether it converted.
    pub converted: bool,
    /// Whether the customer opted out.
    pub opted_out: bool,
    /// Hours from the launch to its end.
    pub hours: f64,
}

/// A part of a channel's response times.
#[derive(Clone, Debug)]
struct Time {
    /// The mixture's weights up to and with this part.
    up_to: f64,
    law: Drawn,
}

#[derive(Clone, Debug)]
enum Drawn {
    Lognormal { mu: f64, sigma: f64 },
    Weibull(Weibull<f64>),
}

/// A channel, ready to be drawn from.
#[derive(Clone, Debug)]
struct Way {
    logit: f64,
    sd: f64,
    deliver: f64,
    convert: f64,
    optout: f64,
    times: Vec<Time>,
    price: Price,
    /// What earlier steps on each channel add to the logit.
    primed_by: PerStart,
}

/// A segment's people.
#[derive(Clone, Debug)]
pub struct People {
    ways: Vec<Way>,
    /// The walk for each start, by place.
    walks: Vec<Vec<usize>>,
    factor: [PerStart; STARTS_MAX],
    fatigue: f64,
    optout: Exp<f64>,
    final_watch_h: f64,
    value: f64,
    penalty: f64,
    decay_per_h: f64,
}

impl People {
    /// Makes a segment ready, before its drift or after.
    pub fn of(scenario: &Scenario, segment: &SegmentPart, drifted: bool) -> Result<Self, Unsound> {
        let prices = scenario.prices()?;
        let channels: Vec<Channel> = prices.iter().map(|(channel, _)| *channel).collect();
        let place = |channel: &Channel| channels.iter().position(|c| c == channel);
        let reactions = scenario.reactions(segment, drifted);
        let mut ways = Vec::new();
        for (channel, price) in &prices {
            let Some(reaction) = reactions.get(channel) else { continue };
            let mut primed_by = PerStart::default();
            for (by, other) in primed_by.iter_mut().zip(&channels) {
                *by = segment.prime.get(&format!("{other}>{channel}")).copied().unwrap_or(0.0);
            }
            ways.push(Way::of(reaction, price, primed_by)?);
        }
        let rest: Vec<usize> = scenario.rest_order.iter().filter_map(place).collect();
        let walk = |start: usize| {
            std::iter::once(start).chain(rest.iter().copied().filter(move |c| *c != start)).collect()
        };
        Ok(Self {
            walks: (0..ways.len()).map(walk).collect(),
            ways,
            factor: factor(segment)?,
            fatigue: segment.fatigue,
            optout: Exp::new(1.0 / OPTOUT_MEAN_H).map_err(impossible)?,
            final_watch_h: scenario.final_watch_h,
            value: scenario.value,
            penalty: scenario.optout_penalty,
            decay_per_h: scenario.decay_per_h,
        })
    }

    /// Lives one cascade through.
    pub fn live(&self, start: usize, rng: &mut impl Rng) -> Lived {
        let latent = self.latent(rng);
        let commitment: f64 = rng.random();
        let (mut now, mut horizon, mut touched, mut cost) = (0.0, 0.0, 0.0, 0.0);
        let mut primed = PerStart::default();
        // The first of what is still to come of earlier contacts: when, and the channel that was answered.
        let mut end: Option<(f64, Option<usize>)> = None;
        for &c in &self.walks[start] {
            if end.is_some_and(|(at, _)| at <= now) {
                break;
            }
            let way = &self.ways[c];
            let arrives = rng.random::<f64>() < way.deliver;
            if arrives || way.price.charge_on == ChargeOn::Send {
                cost += way.price.send_cost;
            }
            if arrives {
                let logit = way.logit + latent[c] + self.fatigue * touched + primed[c];
                touched += 1.0;
                let next = if rng.random::<f64>() < 1.0 / (1.0 + (-logit).exp()) {
                    Some((now + way.time(rng), Some(c)))
                } else if rng.random::<f64>() < way.optout {
                    Some((now + self.optout.sample(rng), None))
                } else {
                    None
                };
                if let Some(next) = next {
                    end = Some(end.filter(|end| end.0 <= next.0).unwrap_or(next));
                }
            }
            horizon = now + self.final_watch_h;
            now += if arrives { way.price.wait_h } else { BOUNCE_H };
            for (b, primed) in primed.iter_mut().enumerate().take(self.ways.len()) {
                *primed += self.ways[b].primed_by[c];
            }
        }
        match end.filter(|(at, _)| *at <= horizon) {
            Some(end) => self.close(end, cost, commitment, rng),
            None => Lived { net: -cost, cost, hours: horizon, ..Lived::default() },
        }
    }

    /// What a cascade is worth that ended by an answer or an opt-out.
    fn close(&self, end: (f64, Option<usize>), mut cost: f64, commitment: f64, rng: &mut impl Rng) -> Lived {
        let (hours, Some(c)) = end else {
            let (hours, _) = end;
            return Lived { net: -cost - self.penalty, cost, opted_out: true, hours, converted: false };
        };
        cost += self.ways[c].talk(rng);
        let converted = commitment < self.ways[c].convert;
        let worth = if converted { self.value * (-self.decay_per_h * hours).exp() } else { 0.0 };
        Lived { net: worth - cost, cost, converted, opted_out: false, hours }
    }

    fn latent(&self, rng: &mut impl Rng) -> PerStart {
        let mut normal = PerStart::default();
        for z in normal.iter_mut().take(self.ways.len()) {
            *z = StandardNormal.sample(rng);
        }
        let mut latent = PerStart::default();
        for ((out, row), way) in latent.iter_mut().zip(&self.factor).zip(&self.ways) {
            *out = way.sd * row.iter().zip(&normal).map(|(l, z)| l * z).sum::<f64>();
        }
        latent
    }
}

impl Way {
    fn of(reaction: &Reaction, price: &Price, primed_by: PerStart) -> Result<Self, Unsound> {
        let total: f64 = reaction.time.iter().map(|part| part.w).sum();
        let (mut up_to, mut times) = (0.0, Vec::new());
        for part in &reaction.time {
            up_to += part.w / total;
            let law = match part.law {
                Law::Lognormal { median_h, sigma } => Drawn::Lognormal { mu: median_h.ln(), sigma },
                Law::Weibull { shape, scale_h } => {
                    Drawn::Weibull(Weibull::new(scale_h, shape).map_err(impossible)?)
                }
            };
            times.push(Time { up_to, law });
        }
        let &Reaction { deliver, base, sd, convert, optout, .. } = reaction;
        let logit = (base / (1.0 - base)).ln();
        Ok(Self { logit, sd, deliver, convert, optout, times, price: price.clone(), primed_by })
    }

    fn time(&self, rng: &mut impl Rng) -> f64 {
        let at = if self.times.len() > 1 { rng.random::<f64>() } else { 0.0 };
        let drawn = self.times.iter().find(|part| at < part.up_to).or(self.times.last());
        drawn.map_or(0.0, |part| match &part.law {
            Drawn::Lognormal { mu, sigma } => {
                let z: f64 = StandardNormal.sample(rng);
                (mu + sigma * z).exp()
            }
            Drawn::Weibull(law) => law.sample(rng),
        })
    }

    /// What a talk costs.
    fn talk(&self, rng: &mut impl Rng) -> f64 {
        let Price { per_min, talk_min_mean: mean, talk_min_sigma: sigma, .. } = self.price;
        if per_min <= 0.0 || mean <= 0.0 {
            return 0.0;
        }
        let z: f64 = StandardNormal.sample(rng);
        per_min * (mean.ln() - sigma * sigma / 2.0 + sigma * z).exp()
    }
}

fn factor(segment: &SegmentPart) -> Result<[PerStart; STARTS_MAX], Unsound> {
    let size = segment.corr.len().min(STARTS_MAX);
    let corr = DMatrix::from_fn(size, size, |i, j| segment.corr[i][j]);
    let is_symmetric = (&corr - corr.transpose()).amax() < 1e-9;
    let Some(cholesky) = corr.cholesky().filter(|_| is_symmetric) else {
        let at = format!("segment {}: corr", segment.name);
        return Err(Unsound::Sense { at, what: "a correlation matrix is symmetric and positive definite" });
    };
    let (lower, mut out) = (cholesky.l(), [PerStart::default(); STARTS_MAX]);
    for (i, row) in out.iter_mut().enumerate().take(size) {
        for (j, out) in row.iter_mut().enumerate().take(size) {
            *out = lower[(i, j)];
        }
    }
    Ok(out)
}

fn impossible(law: impl std::fmt::Display) -> Unsound {
    Unsound::Json(format!("a law of response times is impossible: {law}"))
}
