//! The rules: the smallest file, every mistake with its place, the walk, and the schema.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use cascade::model::{Channel, Outcome};
use cascade::rules::{Problem, Rules, parse, schema};
use std::path::Path;

const DEFAULT: &str = include_str!("../rules/cascade.json");
const SMALLEST: &str = r#"{ "start": "whatsapp",
  "steps": [
    { "channel": "whatsapp", "wait": "6h", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "2h", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }
"#;

/// By `sha256sum rules/cascade.json`.
const SHA256_OF_SMALLEST: &str = "4541b100e9522fcb278d6ff10c7643a2a4ad83a36e57e6b4128be0bbc51516a6";

fn read(text: &str) -> (Option<Rules>, Vec<Problem>) {
    parse(Path::new("cascade.json"), text.as_bytes())
}

fn sound(text: &str) -> Rules {
    let (rules, problems) = read(text);
    assert_eq!(problems, []);
    rules.unwrap()
}

#[test]
fn the_smallest_file_is_the_default_and_means_what_it_says() {
    assert_eq!(DEFAULT, SMALLEST);
    let rules = sound(SMALLEST);
    let steps: Vec<_> = rules.main.steps.iter().map(|s| (s.channel, s.wait_s)).collect();
    let expected = [(Channel::Whatsapp, Some(21_600)), (Channel::Phone, Some(7_200)), (Channel::Sms, None)];
    assert_eq!(steps, expected);
    assert_eq!(rules.main.start, Channel::Whatsapp);
    assert_eq!((rules.conversion_window_s, rules.expires_s, rules.retry_max), (86_400, 86_400, 5));
    assert_eq!((rules.quiet_hours, rules.segments.len()), (None, 0));
    assert!(rules.explore.abs() < f64::EPSILON);
    for step in &rules.main.steps {
        assert_eq!((step.attempts, step.bounce_waits, step.wait_if_first_s), (1, false, 14_400));
        let human = if step.channel.is_text() {
            vec![Outcome::Replied, Outcome::Clicked]
        } else {
            vec![Outcome::Answered]
        };
        assert_eq!(step.converts_on, human);
    }
    assert_eq!(rules.hash, SHA256_OF_SMALLEST);
    assert_eq!(rules.bytes, SMALLEST.as_bytes());
}

/// `UPDATE_SCHEMA=1 cargo test` writes the file anew.
#[test]
fn the_schema_is_the_one_that_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/cascade.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, schema::json_schema()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == schema::json_schema(),
        "rules/cascade.schema.json is stale: UPDATE_SCHEMA=1 cargo test"
    );
}
