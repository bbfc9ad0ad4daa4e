//! What was taken counts once, over restarts: the keys of facts are as durable as the facts.

use crate::house::{House, Running, Sandbox};
use crate::shown::{port, wrote};
use serde_json::Value;
use std::net::TcpStream;

const NOBODY: &str = "+14155559999";

/// Waits until it listens again, and says where.
fn listening(house: &House, process: &mut Running) -> String {
    process.until(|| port(house).is_some_and(|port| TcpStream::connect(format!("127.0.0.1:{port}")).is_ok()));
    port(house).unwrap()
}

#[test]
fn a_webhook_that_comes_again_after_a_restart_is_known() {
    let desk = House::with(&[]);
    let sandbox = Sandbox::start(&desk, &["--speed", "60"]);
    let secret = sandbox.lines("config")[0]["whatsapp"]["app_secret"].as_str().unwrap().to_owned();
    let house = House::with(&[]);
    let says = |port: &str, id: &str| {
        assert_eq!(wrote(port, &secret, NOBODY, id, "who are you?"), 200, "{id}");
    };
    let mut pilot = house.start(&["pilot", "--limit", "4", "--sandbox", &sandbox.url]);
    let first = listening(&house, &mut pilot);
    says(&first, "wamid.1");
    says(&first, "wamid.1");
    assert_eq!(pilot.terminate().code, Some(130));
    let mut again = house.start(&["resume", "--sandbox", &sandbox.url]);
    let second = listening(&house, &mut again);
    assert_eq!(first, second, "providers know the address");
    says(&second, "wamid.1");
    says(&second, "wamid.2");
    assert_eq!(again.terminate().code, Some(130));
    let events = house.run(&["events", "--json"]).out;
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let unknown = events.iter().filter(|event| event["kind"] == "unmatched").count();
    assert_eq!(unknown, 2, "one each for wamid.1 and wamid.2: {events:#?}");
}
