//! `cascade learn simulate`: the real policy on a scenario file, as `cascade.simulate/1` or as a page.

use crate::cli::LearnSimulate;
use crate::commands::{Exit, Failure, output};
use crate::learning::simulate::scenario::Scenario;
use crate::learning::simulate::trial::RIGHT_AT;
use crate::learning::simulate::{Figures, Plan, World, run as simulate, world};
use serde_json::{Map, Value, json};
use std::thread;

/// Customers from whom the truth of each start is found out.
const CUSTOMERS: usize = 1_000_000;

/// Runs all replications and prints what they come to.
pub(super) fn run(args: &LearnSimulate) -> Result<Exit, Failure> {
    let path = args.scenario.display();
    let bytes = std::fs::read(&args.scenario).map_err(|fault| Failure::usage(format!("{path}: {fault}")))?;
    let unsound = |fault| Failure::usage(format!("{path}: {fault}"));
    let scenario = Scenario::parse(&bytes).map_err(unsound)?;
    let plan = Plan {
        replications: args.replications,
        seed: args.seed,
        customers: CUSTOMERS,
        threads: thread::available_parallelism().map_or(1, usize::from),
    };
    let world = world(&scenario, &plan).map_err(unsound)?;
    let figures = simulate(&world, &plan);
    if args.json {
        output::json(&to_json(&scenario, &plan, &world, &figures))?;
    } else {
        print(&scenario, &plan, &world, &figures)?;
    }
    Ok(Exit::Done)
}

/// Four decimals: more would be noise of the draws.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn share(value: Option<f64>) -> Value {
    json!(value.map(round))
}

fn to_json(scenario: &Scenario, plan: &Plan, world: &World, figures: &Figures) -> Value {
    let right = RIGHT_AT.iter().zip(figures.right_at).map(|(at, right)| (at.to_string(), share(right)));
    let proposals = &figures.proposals;
    let drift = figures.drift.map(|found| {
        json!({
            "median_days": found.median_days, "p90_days": found.p90_days, "found_share": round(found.share),
        })
    });
    let ratio = (figures.regret_yardstick > 0.0).then(|| figures.regret / figures.regret_yardstick);
    let after = scenario.drift.is_some().then(|| truth(scenario, world, 1));
    json!({
        "schema": "cascade.simulate/1",
        "scenario": scenario.name, "replications": plan.replications, "seed": plan.seed,
        "right_at": right.collect::<Map<String, Value>>(),
        "regret_500": share(figures.regret_500), "regret_horizon": round(figures.regret),
        "regret_yardstick": round(figures.regret_yardstick), "regret_ratio": share(ratio),
        "proposals": {
            "right_by_500": share(proposals.right.map(|[early, _]| early)),
            "right_by_2000": share(proposals.right.map(|[_, late]| late)),
            "worse_by_2000": round(proposals.worse[1]),
            "false_by_500": round(proposals.unfounded[0]), "false_by_2000": round(proposals.unfounded[1]),
        },
        "drift": drift,
        "false_resets": round(figures.false_resets),
        "truth": truth(scenario, world, 0), "truth_after_drift": after,
    })
}

fn truth(scenario: &Scenario, world: &World, phase: usize) -> Value {
    let one = |(at, segment): (usize, &crate::learning::simulate::scenario::SegmentPart)| {
        let starts = world.channels.iter().zip(world.truth[at][phase]).map(|(channel, expected)| {
            let figures = json!({
                "net": round(expected.net), "sd": round(expected.sd), "conversion": round(expected.conversion),
                "cost": round(expected.cost), "opt_out": round(expected.opt_out),
            });
            (channel.to_string(), figures)
        });
        (segment.name.clone(), Value::Object(starts.collect()))
    };
    Value::Object(scenario.segments.iter().enumerate().map(one).collect())
}

fn print(scenario: &Scenario, plan: &Plan, world: &World, figures: &Figures) -> Result<(), Failure> {
    let mut page = output::Results::open();
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let known = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
    page.line(&format!("{}: {} replications, seed {}", scenario.name, plan.replications, plan.seed))?;
    for (at, segment) in scenario.segments.iter().enumerate() {
        let nets = world.channels.iter().zip(world.truth[at][0]);
        let nets = nets.map(|(channel, expected)| format!("{} {:.3}", channel.label(), expected.net));
        page.line(&format!("  {}: true net {}", segment.name, nets.collect::<Vec<_>>().join(", ")))?;
    }
    let right = RIGHT_AT.iter().zip(figures.right_at).map(|(at, share)| format!("{at}: {}", known(share)));
    page.line(&format!("right after   {}", right.collect::<Vec<_>>().join("   ")))?;
    page.line(&format!(
        "regret        {:.1} per segment, {:.1} with Thompson sampling on conversions",
        figures.regret, figures.regret_yardstick
    ))?;
    let proposals = &figures.proposals;
    page.line(&format!(
        "proposals     right {} by 500 and {} by 2000; worse {}; that change nothing {}",
        known(proposals.right.map(|[early, _]| early)),
        known(proposals.right.map(|[_, late]| late)),
        percent(proposals.worse[1]),
        percent(proposals.unfounded[1])
    ))?;
    if let Some(found) = figures.drift {
        let days =
            found.median_days.map_or_else(|| "never in half of the runs".to_owned(), |d| format!("{d} days"));
        page.line(&format!(
            "drift         found after {days} (median), in {} of the runs",
            percent(found.share)
        ))?;
    }
    page.close()
}
