//! Secrets that can be recognised, through everything that live does, faults included: they appear in no file, on no
//! screen and in no log, at its most talkative.

use crate::house::{Done, House};
use crate::live::Trial;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::HashSet;

/// So much of a secret is not there by chance; a log that masks numbers leaves more of one.
const PIECE: usize = 10;

/// Wherever a piece of one of these stands.
fn leaks(secrets: &[String], house: &House, said: &[Done]) -> Vec<String> {
    let pieces: HashSet<&[u8]> = secrets.iter().flat_map(|secret| secret.as_bytes().windows(PIECE)).collect();
    let files = house.files().into_iter().map(|(path, bytes)| (path.display().to_string(), bytes));
    let spoken = said.iter().enumerate().map(|(at, done)| {
        (format!("what command {at} said"), format!("{}{}", done.out, done.err).into_bytes())
    });
    files
        .chain(spoken)
        .filter_map(|(place, bytes)| {
            let piece = bytes.windows(PIECE).find(|piece| pieces.contains(piece))?;
            Some(format!("{} in {place}", String::from_utf8_lossy(piece)))
        })
        .collect()
}

#[test]
fn no_secret_is_in_any_file_output_or_log() {
    let mut trial = Trial::new(14);
    trial.house.set("CASCADE_LOG", "trace");
    let basic = trial.secrets.last().map(|token| format!("{}:{token}", trial.account_sid)).unwrap();
    trial.secrets.push(STANDARD.encode(basic));
    assert!(trial.secrets.iter().all(|secret| secret.len() >= 32), "short ones could be there by chance");
    let mut said =
        vec![trial.house.run(&["check"]), trial.house.run(&["trust"]), trial.house.run(&["trust", "--json"])];
    said.push(trial.house.run(&["trust", "--yes"]));
    for (provider, kind, code) in [
        ("whatsapp", "status", 503),
        ("whatsapp", "refuse", 190),
        ("vapi", "status", 500),
        ("vapi", "refuse", 401),
        ("twilio", "refuse", 20003),
        ("twilio", "status", 302),
    ] {
        trial.sandbox.fault(&json!({ "provider": provider, "kind": kind, "code": code, "count": 1 }));
    }
    for provider in ["whatsapp", "vapi", "twilio"] {
        trial.sandbox.fault(&json!({ "provider": provider, "kind": "lose_response", "count": 1 }));
        trial.sandbox.fault(&json!({ "provider": provider, "kind": "forge", "share": 0.5 }));
    }
    let pilot = trial.house.run(&["pilot", "--yes", "--json"]);
    let sent = trial.sandbox.lines("ledger").iter().filter(|line| line["kind"] == "send").count();
    assert!(sent > 0, "nothing was sent: {pilot:?}");
    said.push(pilot);
    for args in
        [&["report"][..], &["report", "--json"], &["events"], &["events", "--json"], &["trust", "--json"]]
    {
        said.push(trial.house.run(args));
    }
    assert_eq!(leaks(&trial.secrets, &trial.house, &said), Vec::<String>::new());
    let log = trial
        .house
        .files()
        .into_iter()
        .any(|(path, bytes)| path.parent().unwrap().ends_with("log") && !bytes.is_empty());
    assert!(log, "there is no log to look into");
    // A call's control address is good for hanging it up without a key.
    let control = |bytes: &[u8]| bytes.windows(8).any(|part| part == b"/control");
    let kept: Vec<_> = trial.house.files().into_iter().filter(|(_, bytes)| control(bytes)).collect();
    assert!(kept.is_empty(), "a control address is in {}", kept[0].0.display());
    trial.no_proxy_was_asked();
}

#[test]
fn a_wrong_secret_does_not_come_back_in_the_refusal() {
    let mut trial = Trial::new(3);
    let wrong: Vec<String> = (0..6).map(|n| format!("canary{n}-9f8e7d6c5b4a39281706f5e4d3c2b1a0")).collect();
    for (variable, wrong) in trial.variables.iter().zip(&wrong) {
        trial.house.set(variable, wrong);
    }
    trial.house.set("CASCADE_LOG", "trace");
    let mut said = vec![trial.house.run(&["trust", "--yes"])];
    let pilot = trial.house.run(&["pilot", "--yes", "--json"]);
    assert!(pilot.err.contains("190") || pilot.out.contains("190"), "nothing was refused: {pilot:?}");
    said.push(pilot);
    for args in [&["report", "--json"][..], &["events"], &["check"]] {
        said.push(trial.house.run(args));
    }
    assert_eq!(leaks(&wrong, &trial.house, &said), Vec::<String>::new());
}
