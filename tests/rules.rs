//! The rules: the smallest file, every mistake with its place, the walk, and the schema.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

#[path = "rules/edits.rs"]
mod edits;
#[path = "rules/layout.rs"]
mod layout;
#[path = "rules/lints.rs"]
mod lints;
#[path = "rules/schema.rs"]
mod schema_test;

use cascade::model::{Channel, Outcome, QuietHours, Segment};
use cascade::rules::{Problem, Rules, Severity, parse, schema};
use proptest::prelude::*;
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

#[derive(serde::Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    text: String,
    says: Vec<String>,
}

fn cases() -> Vec<Case> {
    let cases: Cases = toml::from_str(include_str!("rules_cases.toml")).unwrap();
    cases.case
}

/// `warning LINE:COLUMN CODE words` or `LINE:COLUMN CODE words`, against a problem.
fn fits(expected: &str, problem: &Problem) -> bool {
    let (severity, expected) = match expected.strip_prefix("warning ") {
        Some(rest) => (Severity::Warning, rest),
        None => (Severity::Error, expected),
    };
    let mut parts = expected.splitn(3, ' ');
    let place = format!("{}:{}", problem.line, problem.column);
    problem.severity == severity
        && parts.next() == Some(&place)
        && parts.next() == Some(problem.code)
        && parts.next().is_some_and(|w| problem.message.contains(w) || problem.hint.contains(w))
}

#[test]
fn every_mistake_is_named_where_it_stands() {
    let cases = cases();
    assert!(cases.len() >= 60);
    let mut wrong = Vec::new();
    for case in &cases {
        let (rules, problems) = read(&case.text);
        let all_warnings = case.says.iter().all(|s| s.starts_with("warning"));
        let same =
            problems.len() == case.says.len() && case.says.iter().zip(&problems).all(|(e, p)| fits(e, p));
        if !same || rules.is_some() != all_warnings {
            let found: Vec<String> = problems
                .iter()
                .map(|p| {
                    format!("{:?} {}:{} {} {} | {}", p.severity, p.line, p.column, p.code, p.message, p.hint)
                })
                .collect();
            wrong.push(format!("{}\n  expected {:#?}\n  found {found:#?}", case.name, case.says));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_that_is_not_utf8_is_refused_at_its_place() {
    let (rules, problems) = parse(Path::new("r.json"), b"{\n \"\xe9\"");
    assert!(rules.is_none());
    assert_eq!((problems[0].line, problems[0].column, problems[0].code), (2, 3, "not-utf8"));
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (_, problems) = parse(Path::new("r.json"), &utf16);
    assert!(problems[0].message.contains("UTF-16"));
}

#[test]
fn a_byte_order_mark_and_notes_are_allowed() {
    let with_notes = SMALLEST
        .replace("{ \"", "{ \"$comment\": \"\\ud83c\\udf89 \\\\ud83c\", \"$schema\": \"./s.json\", \"")
        .replace("] }", "], \"retry\": { \"$comment\": \"x\", \"max\": 0 } }");
    let rules = sound(&format!("\u{feff}{with_notes}"));
    assert_eq!(rules.main, sound(SMALLEST).main);
    assert_eq!(rules.retry_max, 0);
    assert!(rules.bytes.starts_with(b"\xef\xbb\xbf"));
}

const FULL: &str = r#"{ "start": "phone", "explore": 0.2, "quiet_hours": "20:00-09:00", "conversion_window": "0s",
  "expires": "1d12h", "attempts": 2, "on_bounce": "wait", "retry": { "max": 3 },
  "converts_on": { "whatsapp": ["replied"] },
  "segments": {
    "$comment": "by the list's names",
    "vip": { "start": "sms" },
    " own ": { "start": "email", "steps": [ { "channel": "email", "wait": null, "terminal": true } ] } },
  "steps": [
    { "channel": "sms", "wait": null, "wait_if_first": "1h", "terminal": true },
    { "channel": "phone", "wait": "2h", "if_no_answer": "sms", "attempts": 3, "on_bounce": "next" },
    { "channel": "whatsapp", "wait": null, "if_no_reply": "phone", "converts_on": ["clicked"] } ] }"#;

#[test]
fn a_step_says_more_than_the_top_of_the_file() {
    let rules = sound(FULL);
    assert_eq!(rules.quiet_hours, Some(QuietHours { from_min: 1200, to_min: 540 }));
    assert_eq!((rules.conversion_window_s, rules.expires_s, rules.retry_max), (0, 129_600, 3));
    assert!((rules.explore - 0.2).abs() < f64::EPSILON);
    let steps = &rules.main.steps;
    assert_eq!(rules.main.channels().collect::<Vec<_>>(), [Channel::Whatsapp, Channel::Phone, Channel::Sms]);
    assert_eq!(steps.iter().map(|s| s.attempts).collect::<Vec<_>>(), [1, 3, 1]);
    assert_eq!(steps.iter().map(|s| s.bounce_waits).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(steps[0].converts_on, [Outcome::Clicked]);
    assert_eq!(rules.ladder_for(&Segment("vip".into())).start, Channel::Sms);
    assert_eq!(rules.ladder_for(&Segment("own".into())).steps.len(), 1);
    assert_eq!(rules.ladder_for(&Segment("retail".into())), &rules.main);
}

#[test]
fn a_walk_is_the_start_and_then_the_chain_without_it() {
    let walk = |rules: &Rules, start| {
        rules.main.walk(start).into_iter().map(|s| (s.channel, s.wait_s)).collect::<Vec<_>>()
    };
    let (whatsapp, phone, sms) = (Channel::Whatsapp, Channel::Phone, Channel::Sms);
    let rules = sound(SMALLEST);
    assert_eq!(walk(&rules, whatsapp), [(whatsapp, Some(21_600)), (phone, Some(7_200)), (sms, None)]);
    assert_eq!(walk(&rules, phone), [(phone, Some(7_200)), (whatsapp, Some(21_600)), (sms, None)]);
    assert_eq!(walk(&rules, sms), [(sms, Some(14_400)), (whatsapp, Some(21_600)), (phone, None)]);
    assert_eq!(walk(&rules, Channel::Email), walk(&rules, whatsapp));
    let full = sound(FULL);
    assert_eq!(walk(&full, sms), [(sms, Some(3_600)), (whatsapp, Some(14_400)), (phone, None)]);
}

#[test]
fn nesting_without_end_is_an_error_and_no_crash() {
    let (rules, problems) = read(&"[".repeat(200_000));
    assert!(rules.is_none());
    assert_eq!(problems[0].code, "json");
}

proptest! {
    #[test]
    fn any_bytes_are_rules_or_problems(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (rules, problems) = parse(Path::new("r.json"), &bytes);
        prop_assert!(rules.is_some() || problems.iter().any(|p| p.severity == Severity::Error));
    }

    /// One byte of a good file changed: still rules, or a problem at a place that is in the file.
    #[test]
    fn a_changed_byte_is_rules_or_a_problem_in_the_file(at in 0..FULL.len(), byte in any::<u8>()) {
        let mut bytes = FULL.as_bytes().to_vec();
        bytes[at] = byte;
        let (rules, problems) = parse(Path::new("r.json"), &bytes);
        prop_assert!(rules.is_some() || !problems.is_empty());
        let lines = FULL.lines().count() as u64 + 1;
        prop_assert!(problems.iter().all(|p| (1..=lines).contains(&p.line) && p.column >= 1));
    }
}

#[test]
fn what_changes_no_walk_makes_no_other_rules() {
    let before = sound(SMALLEST);
    let same = |text: &str, segment: &str| sound(text).walks_as(&before, &Segment(segment.into()));
    let commented = SMALLEST.replacen('{', r#"{ "$comment": "since May", "explore": 0.3,"#, 1);
    let elsewhere = SMALLEST.replace(r#""start": "whatsapp""#, r#""start": "sms""#);
    let own_start = SMALLEST.replacen('{', r#"{ "segments": { "smb": { "start": "phone" } },"#, 1);
    for text in [&commented, &elsewhere, &own_start] {
        assert_ne!(sound(text).hash, before.hash);
        assert!(same(text, "smb") && same(text, "retail"), "{text}");
    }
    for (from, to) in [
        (r#""6h""#, r#""5h""#),
        (r#""wait": null,"#, r#""wait": null, "wait_if_first": "2h","#),
        (r#""wait": "2h","#, r#""wait": "2h", "attempts": 2,"#),
        (r#""wait": "6h","#, r#""wait": "6h", "converts_on": ["clicked"],"#),
        (r#"{ "start""#, r#"{ "conversion_window": "12h", "start""#),
        (r#"{ "start""#, r#"{ "quiet_hours": "21:00-08:00", "start""#),
        (r#"{ "start""#, r#"{ "retry": { "max": 2 }, "start""#),
    ] {
        let text = SMALLEST.replace(from, to);
        assert_ne!(text, SMALLEST);
        assert!(!same(&text, "retail"), "{text}");
    }
    // Steps of one segment's own change nothing for the others.
    let steps = r#"[{ "channel": "phone", "wait": "1h", "if_no_answer": "sms" },
                    { "channel": "sms", "wait": null, "terminal": true }]"#;
    let own = format!(r#"{{ "segments": {{ "smb": {{ "start": "phone", "steps": {steps} }} }},"#);
    let own = SMALLEST.replacen('{', &own, 1);
    assert!(!same(&own, "smb") && same(&own, "retail"));
}
