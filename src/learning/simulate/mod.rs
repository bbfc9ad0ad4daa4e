//! Campaigns with known truth: the real policy runs on simulated people, and is held against what would have been right.
//!
//! | module | what it holds |
//! |---|---|
//! | [`scenario`] | the scenario file |
//! | [`people`] | what one simulated customer does |
//! | [`trial`] | one replication, by the policy of this house and by the yardstick |
//! | `summary` | averages over replications |

pub mod people;
pub mod scenario;
mod summary;
pub mod trial;

pub use summary::{Figures, Found, Proposals};

use super::posterior::STARTS_MAX;
use crate::model::Channel;
use people::{Lived, People};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use scenario::{Scenario, Unsound};
use std::thread;
use trial::{Setting, Tale};

/// How a scenario is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Independent repetitions.
    pub replications: usize,
    /// Fixes all of them.
    pub seed: u64,
    /// Customers for the truth of each segment and start.
    pub customers: usize,
    /// Threads at most.
    pub threads: usize,
}

/// The expected figures of one start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expected {
    /// Expected net.
    pub net: f64,
    /// The standard deviation of one cascade's net.
    pub sd: f64,
    /// The share that converts.
    pub conversion: f64,
    /// Expected cost.
    pub cost: f64,
    /// The share that opts out.
    pub opt_out: f64,
}

/// A scenario with its truth: for every segment and phase, the starts' expected figures in the order of its channels.
#[derive(Clone, Debug)]
pub struct World {
    /// The channels.
    pub channels: Vec<Channel>,
    /// By segment, before the drift and after.
    pub truth: Vec<[[Expected; STARTS_MAX]; 2]>,
    setting: Setting,
}

/// Finds out the truth of a scenario by simulation.
pub fn world(scenario: &Scenario, plan: &Plan) -> Result<World, Unsound> {
    let channels: Vec<Channel> = scenario.prices()?.into_iter().map(|(channel, _)| channel).collect();
    let starts = channels.len();
    let mut people = Vec::new();
    for segment in &scenario.segments {
        people.push([People::of(scenario, segment, false)?, People::of(scenario, segment, true)?]);
    }
    let phases = if scenario.drift.is_some() { 2 } else { 1 };
    let jobs: Vec<(usize, usize, usize)> = (0..people.len())
        .flat_map(|s| (0..phases).flat_map(move |p| (0..starts).map(move |c| (s, p, c))))
        .collect();
    let figures = spread(jobs.len(), plan.threads, |at| {
        let (s, p, c) = jobs[at];
        expected(&people[s][p], c, plan)
    });
    let mut truth = vec![[[Expected::default(); STARTS_MAX]; 2]; people.len()];
    for ((s, p, c), figures) in jobs.into_iter().zip(figures) {
        truth[s][p][c] = figures;
        if phases == 1 {
            truth[s][1][c] = figures;
        }
    }
    let nets = truth.iter().map(|phases| phases.map(|starts| starts.map(|start| start.net)));
    let setting = Setting {
        nets: nets.collect(),
        people,
        per_batch: scenario.segments.iter().map(|segment| segment.per_batch).collect(),
        batches: scenario.batches,
        drift_batch: scenario.drift_batch(),
        starts,
        incumbent: channels.iter().position(|c| *c == scenario.incumbent).unwrap_or(0),
        tie_tol: scenario.tie_tol,
        value: scenario.value,
        batch_days: scenario.batch_interval_h / 24.0,
    };
    Ok(World { channels, truth, setting })
}

/// The same customers live through every start, so that what differs between starts is the start.
fn expected(people: &People, start: usize, plan: &Plan) -> Expected {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    rng.set_stream(u64::MAX);
    let (mut sum, mut squares) = (Expected::default(), 0.0);
    for _ in 0..plan.customers {
        let Lived { net, cost, converted, opted_out, .. } = people.live(start, &mut rng);
        sum.net += net;
        squares += net * net;
        sum.cost += cost;
        sum.conversion += f64::from(u8::from(converted));
        sum.opt_out += f64::from(u8::from(opted_out));
    }
    let n = plan.customers.max(1) as f64;
    let net = sum.net / n;
    Expected {
        net,
        sd: (squares / n - net * net).max(0.0).sqrt(),
        conversion: sum.conversion / n,
        cost: sum.cost / n,
        opt_out: sum.opt_out / n,
    }
}

/// Runs all replications of a scenario.
pub fn run(world: &World, plan: &Plan) -> Figures {
    let trials: Vec<(Vec<Tale>, Vec<f64>)> = spread(plan.replications, plan.threads, |replication| {
        let rng = |policy: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
            rng.set_stream(2 * replication as u64 + policy);
            rng
        };
        (trial::ours(&world.setting, &mut rng(0)), trial::yardstick(&world.setting, &mut rng(1)))
    });
    summary::of(&world.setting, &trials)
}

/// Does `count` independent jobs on several threads; results in their order.
fn spread<T: Send>(count: usize, threads: usize, job: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = threads.clamp(1, count.max(1));
    let every = |first: usize| (first..count).step_by(threads).map(&job).collect::<Vec<T>>();
    let lanes: Vec<Vec<T>> = thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|first| scope.spawn(move || every(first))).collect();
        let mut lanes = vec![every(0)];
        for worker in workers {
            match worker.join() {
                Ok(lane) => lanes.push(lane),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        lanes
    });
    let mut lanes: Vec<_> = lanes.into_iter().map(Vec::into_iter).collect();
    (0..count).filter_map(|at| lanes[at % threads].next()).collect()
}
