//! A provider that does not answer when we start: a launch is refused, and a campaign in flight goes on.

use crate::crash::{SPEED, everybody_came_through, short};
use crate::house::{House, Sandbox};
use crate::wire::{ledger_agrees, no_send_after_stop, recorded, told};
use cascade::model::At;
use serde_json::json;

/// Nobody answers for so many campaign minutes: a start is over long before.
const MINUTES: i64 = 20;

const PROVIDERS: [&str; 3] = ["whatsapp", "vapi", "twilio"];

fn down(sandbox: &Sandbox) {
    let now = At::parse(sandbox.lines("config")[0]["now"].as_str().unwrap()).unwrap();
    let until = (now + chrono::TimeDelta::minutes(MINUTES)).to_string();
    for provider in PROVIDERS {
        sandbox.post("faults", &json!({ "provider": provider, "kind": "down", "until": until }));
    }
}

#[test]
fn providers_that_are_down_at_a_start_refuse_a_launch_and_stop_nothing_that_is_in_flight() {
    let (desk, house) = (House::empty(), short());
    let sandbox = Sandbox::start(&desk, SPEED);
    let mut pilot = house.start(&["pilot", "--sandbox", &sandbox.url]);
    pilot.until(|| sandbox.sends_on("whatsapp") >= 25);
    pilot.kill();
    down(&sandbox);

    let launch = house.run(&["pilot", "--db", "other.db", "--sandbox", &sandbox.url]);
    assert_eq!(launch.code, Some(2), "{}", launch.stderr);
    assert!(launch.stderr.contains("whatsapp refused the set-up"), "{}", launch.stderr);

    let done = house.run(&["resume", "--sandbox", &sandbox.url, "--json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    for name in PROVIDERS {
        for words in [format!("error: {name} refused the set-up"), format!("{name} is set up now")] {
            assert!(done.stderr.contains(&words), "nothing of {words:?}: {}", done.stderr);
        }
    }
    everybody_came_through(&house);
    ledger_agrees(&house, &sandbox);
    no_send_after_stop(&sandbox);
    let (told, recorded) = (told(&sandbox), recorded(&house));
    let lost: Vec<_> = told.difference(&recorded).collect();
    assert!(lost.is_empty(), "answered with 200 and not recorded: {lost:?}");
}
