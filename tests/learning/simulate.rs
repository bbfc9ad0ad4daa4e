//! Simulated campaigns: the simulator against `truth.json`, the policy against what the statistics promise.

use super::{bytes, file, near, number};
use cascade::learning::simulate::scenario::{Scenario, Unsound};
use cascade::learning::simulate::{Figures, Plan, World, run, world};

const SCENARIOS: [&str; 12] = [
    "s01_easy",
    "s02_medium",
    "s03_hard",
    "s04_tie",
    "s05_two_way_tie",
    "s06_biased_trap",
    "s07_reverse_trap",
    "s08_drift",
    "s09_tiny_segment",
    "s10_cost_dominated",
    "s11_optout_heavy",
    "s12_slow_replies",
];

fn plan(replications: usize, customers: usize) -> Plan {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Plan { replications, seed: 1, customers, threads }
}

fn build(name: &str, plan: &Plan) -> (Scenario, World) {
    let scenario = Scenario::parse(&bytes(name)).unwrap();
    let world = world(&scenario, plan).unwrap();
    (scenario, world)
}

/// Every segment, start and phase against 400,000 customers of the reference.
fn check_truth(customers: usize, conversion: impl Fn(f64) -> f64, net: impl Fn(f64) -> f64) {
    let truth = file("truth");
    let reference = number(&truth, "/customers");
    let error = (1.0 / customers as f64 + 1.0 / reference).sqrt();
    for name in SCENARIOS {
        let (scenario, world) = build(name, &plan(0, customers));
        let phases: &[&str] = if scenario.drift.is_some() { &["before", "after"] } else { &["before"] };
        for (phase, key) in phases.iter().enumerate() {
            for (s, segment) in scenario.segments.iter().enumerate() {
                for (c, channel) in world.channels.iter().enumerate() {
                    let of = |field: &str| {
                        number(&truth, &format!("/scenarios/{name}/{key}/{s}/start/{channel}/{field}"))
                    };
                    let found = world.truth[s][phase][c];
                    let what = |field: &str| format!("{name} {key} {} {channel} {field}", segment.name);
                    let (p, sd) = (of("conv"), of("sd"));
                    near(
                        &what("conversion"),
                        found.conversion,
                        p,
                        conversion(error * (p * (1.0 - p)).sqrt()),
                    );
                    let o = of("optout");
                    near(&what("opt-outs"), found.opt_out, o, conversion(error * (o * (1.0 - o)).sqrt()));
                    near(&what("net"), found.net, of("net"), net(error) * sd);
                }
            }
        }
    }
}

#[test]
fn people_behave_as_the_reference_says() {
    // Four standard errors; 273 figures are compared.
    check_truth(12_000, |error| 4.0 * error, |error| 4.0 * error);
}

#[test]
#[ignore = "a minute: the whole sample of the reference"]
fn people_behave_exactly_as_the_reference_says() {
    check_truth(400_000, |_| 0.01, |_| 0.015);
}

#[test]
fn the_same_seed_gives_the_same_figures_on_any_number_of_threads() {
    let few = Plan { replications: 3, seed: 5, customers: 500, threads: 1 };
    let (_, world) = build("s01_easy", &few);
    let one = run(&world, &few);
    assert_eq!(one, run(&world, &Plan { threads: 3, ..few }));
    assert_ne!(one, run(&world, &Plan { seed: 6, ..few }));
}

#[test]
fn the_policy_finds_clear_winners_in_few_replications() {
    let few = plan(8, 20_000);
    let of = |name: &str| {
        let (_, world) = build(name, &few);
        run(&world, &few)
    };
    let easy = of("s01_easy");
    assert!(easy.right_at[3].unwrap() >= 0.85, "{easy:?}");
    assert!(easy.proposals.right.unwrap()[1] >= 0.7, "{easy:?}");
    // A conversion is worth little here, and Thompson sampling on conversions is blind to cost.
    let cheap = of("s10_cost_dominated");
    assert!(cheap.regret < 0.4 * cheap.regret_yardstick, "{cheap:?}");
    // Nothing can be lost where all starts are alike.
    let tie = of("s04_tie");
    assert!(tie.proposals.worse == [0.0, 0.0] && tie.regret < 0.2 * easy.regret, "{tie:?}");
    let drift = of("s08_drift").drift.unwrap();
    assert!(drift.median_days.unwrap() <= 30.0 && drift.share > 0.7, "{drift:?}");
}

/// The line "Accept" of the statistics: 200 replications, the average over the ten scenarios that have a winner.
#[test]
#[ignore = "minutes: 200 replications of twelve scenarios"]
fn the_policy_is_accepted() {
    let full = plan(200, 400_000);
    let (mut right, mut ratio, mut worse, mut count) = ([0.0; 3], 0.0, 0.0, 0.0);
    for name in SCENARIOS {
        let (_, world) = build(name, &full);
        let figures: Figures = run(&world, &full);
        println!("{name}: {figures:?}");
        match name {
            "s04_tie" => assert!(figures.proposals.unfounded[1] <= 0.03, "{figures:?}"),
            "s05_two_way_tie" => assert!(figures.proposals.unfounded[1] <= 0.10, "{figures:?}"),
            _ => {
                // A place that no segment of a scenario reaches does not count for it; all reach 500.
                for (sum, at) in right.iter_mut().zip([1, 2, 3]) {
                    *sum += figures.right_at[at].unwrap();
                }
                ratio += figures.regret / figures.regret_yardstick;
                worse += figures.proposals.worse[1];
                count += 1.0;
            }
        }
        // Of a segment in its hundred days: an alarm without a change.
        assert!(figures.false_resets <= 0.05, "{figures:?}");
        if name == "s08_drift" {
            let found = figures.drift.unwrap();
            assert!(found.median_days.unwrap() <= 21.0 && found.share >= 0.95, "{found:?}");
        }
    }
    let mean = right.map(|sum| sum / count);
    println!("right {mean:?}, regret ratio {}, worse {}", ratio / count, worse / count);
    assert!(mean[0] >= 0.73 && mean[1] >= 0.77 && mean[2] >= 0.83, "{mean:?}");
    assert!(ratio / count <= 0.88 && worse / count <= 0.01);
}

#[test]
fn scenarios_that_make_no_sense_are_refused() {
    let text = String::from_utf8(bytes("s08_drift")).unwrap();
    let refused = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        let scenario = Scenario::parse(changed.as_bytes());
        let result = scenario.and_then(|scenario| world(&scenario, &plan(0, 10)).map(|_| ()));
        match result {
            Err(Unsound::Sense { at, .. }) => at,
            Err(Unsound::Json(what)) => what,
            Ok(()) => panic!("{to} was taken"),
        }
    };
    assert!(refused("\"deliver\": 0.95", "\"deliver\": 1.95").contains("segment retail: whatsapp"));
    assert!(refused("\"incumbent\": \"whatsapp\"", "\"incumbent\": \"email\"").contains("rest_order"));
    assert!(refused("\"field\": \"base\"", "\"field\": \"mood\"").contains("mood"));
    assert!(refused("\"segment\": \"retail\"", "\"segment\": \"nobody\"").contains("nobody"));
    assert!(refused("0.5", "1.5").contains("corr"));
    assert!(Scenario::parse(b"{").is_err());
}
