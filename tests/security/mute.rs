//! A provider that does not know our address reports no STOP to it: nothing is sent there before it does.

use crate::live::Trial;
use serde_json::{Value, json};

fn whatsapp(lines: &[Value], kind: &str) -> Vec<Value> {
    let of = |line: &&Value| line["provider"] == "whatsapp" && line["kind"] == kind;
    lines.iter().filter(of).cloned().collect()
}

#[test]
fn a_channel_whose_answers_would_not_reach_us_is_silent_until_they_would() {
    let trial = Trial::new(3);
    assert_eq!(trial.house.run(&["trust", "--yes"]).code, Some(0));
    trial.sandbox.fault(&json!({ "provider": "whatsapp", "kind": "status", "code": 503, "count": 1 }));
    let pilot = trial.house.run(&["pilot", "--yes", "--json"]);
    assert_eq!(pilot.code, Some(0), "{pilot:?}");
    assert!(pilot.err.contains("no answer would reach us"), "{}", pilot.err);
    assert!(
        pilot.err.contains("WhatsApp is set up now") || pilot.err.contains("whatsapp is set up now"),
        "{}",
        pilot.err
    );
    let ledger = trial.sandbox.lines("ledger");
    let (set_up, sent) = (whatsapp(&ledger, "setup"), whatsapp(&ledger, "send"));
    let first = set_up.iter().find(|line| line["status"] == 200 && line["method"] == "POST").unwrap();
    assert_eq!(sent.len(), 3, "{ledger:?}");
    assert!(sent.iter().all(|line| line["at"].as_str() > first["at"].as_str()), "{ledger:?}");
}

#[test]
fn a_refused_set_up_ends_a_pilot_without_a_screen_and_says_who_waits() {
    let mut trial = Trial::new(3);
    trial.house.set("WHATSAPP_TOKEN", "another one, of which the provider knows nothing");
    assert_eq!(trial.house.run(&["trust", "--yes"]).code, Some(0));
    let pilot = trial.house.run(&["pilot", "--yes", "--json"]);
    assert_eq!(pilot.code, Some(1), "{pilot:?}");
    assert!(
        pilot.err.contains("(190)") && pilot.err.contains("3 people wait for a provider"),
        "{}",
        pilot.err
    );
    assert_eq!(whatsapp(&trial.sandbox.lines("ledger"), "send"), Vec::<Value>::new());
}
