//! `cascade check` and the command line's manners, through the built binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn cascade(workspace: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
    command.arg("--workspace").arg(workspace).args(args).stdin(Stdio::null());
    command.output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn write(dir: &TempDir, file: &str, text: &str) {
    let path = dir.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Severity, file, line, column and code of each problem, and the `ok` beside them.
fn problems(dir: &TempDir, args: &[&str]) -> (bool, Vec<String>) {
    let output = cascade(dir.path(), &[&["check", "--format", "json"], args].concat());
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["schema"], "cascade.check/1");
    let line = |p: &Value| {
        let word = |key: &str| p[key].as_str().unwrap().to_owned();
        assert!(!word("message").is_empty() && !word("hint").is_empty());
        let (severity, file, code) = (word("severity"), word("file"), word("code"));
        format!("{severity} {file}:{}:{} {code}", p["line"], p["column"])
    };
    let ok = object["ok"].as_bool().unwrap();
    assert_eq!(code(&output), i32::from(!ok));
    (ok, object["problems"].as_array().unwrap().iter().map(line).collect())
}

#[test]
fn in_an_empty_directory_the_built_in_files_are_without_fault() {
    let dir = TempDir::new().unwrap();
    assert_eq!(problems(&dir, &[]), (true, vec![]));
    let human = cascade(dir.path(), &["check"]);
    assert_eq!(
        out(&human),
        "0 errors, 0 warnings · rules: built-in; content: built-in; customers: built-in (100 usable)\n"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "looking leaves nothing behind");
}

#[test]
fn rules_content_settings_and_list_are_looked_at_together() {
    let dir = TempDir::new().unwrap();
    write(&dir, "cascade.toml", "curency = \"EUR\"\n");
    write(&dir, "rules/cascade.json", "{ \"start\": \"whatsapp\",\n  \"steps\": [ }");
    write(&dir, "rules/content/sms.txt", "Hi {{nmae}}, {{plan|your plan}} is due");
    write(&dir, "rules/content/voice.md", "---\nfirst_message: Hello\n---\nBe kind.");
    write(&dir, "customers.csv", "name,phone,segment\nAna,12,a\nBo,+14155550132,a\nBo,+14155550132,a\n");
    let (ok, found) = problems(&dir, &[]);
    assert!(!ok);
    for expected in [
        "error cascade.toml:1:1 unknown-key",
        "error rules/cascade.json:2:14 json",
        "error rules/content/sms.txt:1:4 unknown-field",
        "warning rules/content/sms.txt:1:14 unknown-field",
        "warning rules/content/sms.txt:1:1 no-link",
        "warning customers.csv:4:4 duplicate",
    ] {
        assert!(found.iter().any(|f| f == expected), "{expected} is not in {found:#?}");
    }
    assert!(found.iter().any(|f| f.starts_with("error customers.csv:2:5 phone")), "{found:#?}");
    write(&dir, "rules/cascade.json", include_str!("../rules/cascade.json"));
    let (_, found) = problems(&dir, &[]);
    let opener = "warning rules/content/voice.md:2:1 opener-unaware";
    assert!(found.iter().any(|f| f == opener), "{found:#?}");
}

#[test]
fn what_the_rules_need_must_be_there() {
    let dir = TempDir::new().unwrap();
    let rules = r#"{"start": "email", "steps": [{"channel": "email", "wait": null, "terminal": true}]}"#;
    write(&dir, "other.json", rules);
    let rules = dir.path().join("other.json");
    let (ok, found) = problems(&dir, &["--rules", rules.to_str().unwrap()]);
    assert!(!ok);
    assert_eq!(found, [format!("error {}:1:1 not-built", rules.display())]);
}

#[test]
fn a_long_message_and_an_empty_column_are_counted_over_the_list() {
    let dir = TempDir::new().unwrap();
    write(&dir, "rules/content/sms.txt", &format!("{{{{name}}}} {} {{{{link}}}}", "x".repeat(100)));
    let template = include_str!("../rules/content/whatsapp.json").replace("plan|Sunnyside", "plan");
    write(&dir, "rules/content/whatsapp.json", &template);
    let list = "name,phone,plan\nŁukasz,+14155550132,\nBo,+14155550133,Basic\nCy,+14155550134,\n";
    write(&dir, "customers.csv", list);
    let human = out(&cascade(dir.path(), &["check"]));
    assert!(human.contains("1 of 3 customers get a text message of up to 3 segments"), "{human}");
    assert!(human.contains("`Ł` makes each segment 70"), "{human}");
    assert!(human.contains("2 of 3 customers cannot be sent WhatsApp: their `plan` is empty"), "{human}");
    assert!(human.contains("the first is on line 2"), "{human}");
}

#[test]
fn people_see_the_first_rows_and_programs_see_all() {
    let dir = TempDir::new().unwrap();
    let rows: Vec<String> = (0..30).map(|n| format!("Ana {n},none,a,b\n")).collect();
    let list = format!("name,phone,segment,plan\n{}Bo,+14155550132,a,b\n", rows.concat());
    write(&dir, "customers.csv", &list);
    let human = out(&cascade(dir.path(), &["check"]));
    assert_eq!(human.lines().filter(|l| l.starts_with("customers.csv:")).count(), 20);
    assert!(human.contains("… and 10 more problems with rows") && human.contains("30 errors"), "{human}");
    assert_eq!(problems(&dir, &[]).1.len(), 30);
    let github = out(&cascade(dir.path(), &["check", "--format", "github"]));
    assert_eq!(github.lines().filter(|l| l.starts_with("::error file=customers.csv,line=")).count(), 30);
}

#[test]
fn nothing_in_a_file_reaches_the_terminal_unclean() {
    let dir = TempDir::new().unwrap();
    write(&dir, "rules/content/sms.txt", "{{#\x1b[2J}} {{\x1b[31mx}} {{link}}");
    write(&dir, "customers.csv", "name,phone\n\x1b[2J,\x1b[2Jnone\n");
    write(&dir, "cascade.toml", "\"\\u001b[2J\" = 1\ntimezone = \"\\u001b[2J\"\n");
    for format in ["human", "github"] {
        let output = cascade(dir.path(), &["check", "--format", format]);
        assert!(!output.stdout.contains(&0x1b), "{}", out(&output).escape_debug());
    }
}

#[test]
fn what_cannot_be_read_is_wrong_usage() {
    let dir = TempDir::new().unwrap();
    for args in [
        &["check", "--rules", "nowhere.json"][..],
        &["check", "--customers", "nowhere.csv"],
        &["check", "--format", "xml"],
        &["--speed", "5", "check"],
        &["launch"],
        &["pilot", "--speed", "0"],
        &["pilot", "--limit", "0"],
        &["pilot", "--start", "monday"],
        &["pilot", "--sandbox", "http://example.com"],
        &["pilot", "--sandbox", "http://127.0.0.1:1", "--seed", "2"],
        &["sandbox", "--listen", "0.0.0.0:80"],
    ] {
        let output = cascade(dir.path(), args);
        assert_eq!(code(&output), 2, "{args:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{args:?}");
    }
    let output = cascade(&dir.path().join("none"), &["check"]);
    assert_eq!((code(&output), err(&output).contains("--workspace")), (2, true));
    write(&dir, "cascade.toml", "mode = \"live\"\n[webhooks]\npublic_url = \"https://h.example.com\"\n");
    let output = cascade(dir.path(), &["check"]);
    assert_eq!((code(&output), err(&output).contains("rules/cascade.json is missing")), (2, true));
}

#[test]
fn without_a_terminal_the_console_names_the_pilot() {
    let dir = TempDir::new().unwrap();
    let output = cascade(dir.path(), &[]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("cascade pilot"), "{}", err(&output));
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let dir = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
    command.arg("--workspace").arg(dir.path()).args(["check", "--json"]);
    // The reading end is closed before a byte is written.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}
