//! Unusable input: a clear sentence, the right exit code, nothing on stdout, and nothing lost.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const LIST: &str = "name,phone,segment\nAna,+14155550111,smb\n";

fn house(files: &[(&str, &str)]) -> TempDir {
    let house = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = house.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    house
}

fn command(house: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
    command.args(args).current_dir(house).stdin(Stdio::null());
    command
}

fn run(house: &Path, args: &[&str]) -> Output {
    command(house, args).output().unwrap()
}

/// It ends with 2, says all of these words on stderr, and prints no result.
fn refuses(house: &Path, args: &[&str], words: &[&str]) {
    let output = run(house, args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert!(output.stdout.is_empty(), "{args:?} printed a result");
    for word in words {
        assert!(said.contains(word), "{args:?} does not say {word:?}: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

const PILOT: &[&str] = &["pilot", "--json"];

#[test]
fn a_wrong_list_is_named_with_its_line() {
    refuses(house(&[("customers.csv", "")]).path(), PILOT, &["customers.csv:1", "empty"]);
    let headless = house(&[("customers.csv", "a,b\n1,2\n")]);
    refuses(headless.path(), PILOT, &["customers.csv:1", "no column", "name, phone, segment"]);
    let useless = house(&[("customers.csv", "name,phone,segment\nA,12,x\nB,abc,x\n")]);
    refuses(useless.path(), PILOT, &["nobody", "line 2", "cascade check"]);
}

#[test]
fn wrong_rules_and_settings_are_named_with_line_and_column() {
    let cut = house(&[("rules/cascade.json", "{ \"start\": \"whatsapp\",\n \"steps\": [")]);
    refuses(cut.path(), PILOT, &["rules/cascade.json:2:", "not JSON"]);
    let steps =
        "{ \"start\": \"whatsapp\",\n \"steps\": [ { \"channel\": \"wahtsapp\", \"terminal\": true } ] }";
    let typo = house(&[("rules/cascade.json", steps)]);
    refuses(typo.path(), PILOT, &["rules/cascade.json:2:", "wahtsapp", "did you mean \"whatsapp\""]);
    refuses(house(&[("cascade.toml", "mode = \n")]).path(), PILOT, &["cascade.toml:1:", "TOML"]);
}

#[test]
fn live_never_falls_back_on_what_is_built_in() {
    let live = "mode = \"live\"\n[webhooks]\npublic_url = \"https://example.com\"\n";
    let bare = house(&[("cascade.toml", live), ("customers.csv", LIST)]);
    refuses(bare.path(), &["pilot", "--yes"], &["rules/cascade.json"]);
    assert!(!bare.path().join(".cascade/live.db").exists());
}

/// Nor is it looked at as the rehearsal that it was before: what is missing comes first, whoever is in flight there.
#[test]
fn incomplete_live_settings_are_no_rehearsal() {
    let live = "mode = \"live\"\n[whatsapp]\nbase_url = \"https://graph.facebook.com\"\n";
    let begun = house(&[("cascade.toml", live), (".cascade/rehearsal.db", "")]);
    for args in [&["pilot"][..], &["pilot", "--yes"], &["resume", "--yes"]] {
        refuses(begun.path(), args, &["cascade.toml:2:1", "phone_number_id", "public_url"]);
    }
    assert_eq!(fs::metadata(begun.path().join(".cascade/rehearsal.db")).unwrap().len(), 0);
}

#[test]
fn a_damaged_or_foreign_store_is_left_as_it_is() {
    let damaged = house(&[(".cascade/rehearsal.db", &"no database at all ".repeat(500))]);
    let file = damaged.path().join(".cascade/rehearsal.db");
    let before = fs::read(&file).unwrap();
    for args in [PILOT, &["resume"], &["report", "--json"], &["events"]] {
        refuses(damaged.path(), args, &["rehearsal.db", "is damaged", "nothing was changed"]);
    }
    assert_eq!(fs::read(&file).unwrap(), before);

    let foreign = house(&[]);
    let path = foreign.path().join("mine.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    let before = fs::read(&path).unwrap();
    refuses(
        foreign.path(),
        &["pilot", "--db", "mine.db"],
        &["mine.db", "another program's database", "--db"],
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_place_that_cannot_be_used_is_named() {
    let file = house(&[(".cascade", "in the way")]);
    refuses(file.path(), PILOT, &[".cascade", "--workspace", "--db"]);
    let none = house(&[]);
    refuses(none.path(), &["pilot", "--db", "nowhere/x.db"], &["nowhere/x.db", "directory must exist"]);
    refuses(none.path(), &["pilot", "--workspace", "nowhere"], &["nowhere", "not a directory"]);
    refuses(none.path(), &["report"], &["nothing was launched here yet", "cascade pilot"]);
    let locked = house(&[]);
    fs::set_permissions(locked.path(), fs::Permissions::from_mode(0o555)).unwrap();
    // Whoever runs as root may write everywhere.
    if fs::write(locked.path().join("try"), "").is_err() {
        refuses(locked.path(), PILOT, &[".cascade", "cannot be written"]);
    }
    fs::set_permissions(locked.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_occupied_port_and_an_absent_sandbox_are_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let config = format!("[webhooks]\nlisten = \"{address}\"\n");
    let house = house(&[("cascade.toml", &config)]);
    refuses(house.path(), PILOT, &[&address, "[webhooks] listen"]);
    drop(taken);
    let url = format!("http://{address}");
    refuses(house.path(), &["pilot", "--sandbox", &url], &[&url, "nobody listens", "cascade sandbox"]);
}

/// The store's own file under a directory.
fn store(house: &Path) -> PathBuf {
    house.join(".cascade/rehearsal.db")
}

#[test]
fn a_second_writer_is_told_who_holds_the_store_and_readers_are_let_in() {
    let house = house(&[]);
    let mut first =
        command(house.path(), &["pilot", "--speed", "60"]).stderr(Stdio::piped()).spawn().unwrap();
    let holder = format!("process {}", first.id());
    // Its first line of progress comes once it runs.
    let mut line = String::new();
    BufReader::new(first.stderr.take().unwrap()).read_line(&mut line).unwrap();
    refuses(house.path(), PILOT, &["in use by another cascade", &holder]);
    refuses(house.path(), &["resume"], &["in use by another cascade", &holder]);
    assert_eq!(run(house.path(), &["report", "--json"]).status.code(), Some(0));
    first.kill().unwrap();
    first.wait().unwrap();
    let db = rusqlite::Connection::open(store(house.path())).unwrap();
    db.execute("UPDATE meta SET value = 'live' WHERE key = 'mode'", []).unwrap();
    drop(db);
    refuses(house.path(), &["resume"], &["is a live store", "rehearsal"]);
}

#[test]
fn a_hostile_name_never_reaches_a_terminal_raw() {
    let list =
        "name,phone,segment\n\"\u{1b}[2J\u{7}Ana\",+14155550111,\"s\u{1b}[31mmb\"\n\"Bo\",\"\u{1b}[2J\",x\n";
    let rules = r#"{ "start": "sms", "conversion_window": "2m",
                     "steps": [ { "channel": "sms", "wait": null, "terminal": true } ] }"#;
    let house = house(&[("customers.csv", list), ("rules/cascade.json", rules)]);
    let mut heard = Vec::new();
    for args in [
        &["check"][..],
        &["check", "--json"],
        &["pilot"],
        &["report"],
        &["report", "--json"],
        &["events"],
        &["events", "--json"],
    ] {
        let output = run(house.path(), args);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {:?}", output.status);
        for text in [output.stdout, output.stderr] {
            let raw = text.iter().find(|b| **b < 0x20 && **b != b'\n');
            assert_eq!(raw, None, "{args:?}: {}", String::from_utf8_lossy(&text));
            heard.extend(text);
        }
    }
    assert!(String::from_utf8(heard).unwrap().contains("[2J·Ana"), "the name was never shown at all");
}
