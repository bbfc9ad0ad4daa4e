//! The commands that look after a store, as the built binary has them: a small pilot with people of its own first.

use crate::fixture::a_place;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use tempfile::TempDir;

const LIST: &str = "\
name,phone,segment,company
Xenia Quillfeather,+1 (415) 555-0177,retail,Quillfeather & Daughters
Bo Chen,+14155550178,retail,
Cy Dlamini,+14155550179,retail,
";

/// What names the first of them, wherever it stands.
const XENIA: [&str; 3] = ["14155550177", "Xenia", "Quillfeather"];

/// What one pilot left in `.cascade`, for all tests of this file: names and bytes.
static PILOT: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let place = a_place();
    fs::write(place.path().join("customers.csv"), LIST).unwrap();
    let done = run(place.path(), &["pilot", "--speed", "36000", "--json"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let state = place.path().join(".cascade");
    let kept = |path: PathBuf| (path.strip_prefix(&state).unwrap().to_owned(), fs::read(&path).unwrap());
    files(&state).into_iter().filter(|path| !path.ends_with("ballast")).map(kept).collect()
});

fn run(place: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
    command.args(args).current_dir(place).env("CASCADE_LOG", "debug").stdin(Stdio::null());
    command.output().unwrap()
}

fn stdout(done: &Output) -> String {
    String::from_utf8(done.stdout.clone()).unwrap()
}

fn stderr(done: &Output) -> String {
    String::from_utf8(done.stderr.clone()).unwrap()
}

fn json(done: &Output) -> Value {
    assert!(done.status.success(), "{}", stderr(done));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// A workspace as the pilot left it.
fn workspace() -> TempDir {
    let place = a_place();
    fs::write(place.path().join("customers.csv"), LIST).unwrap();
    let state = place.path().join(".cascade");
    fs::create_dir_all(state.join("log")).unwrap();
    for (name, bytes) in PILOT.iter() {
        fs::write(state.join(name), bytes).unwrap();
    }
    place
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Files below the directory in which one of the words stands.
fn standing(directory: &Path, words: &[&str]) -> Vec<String> {
    let names = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        words.iter().any(|word| bytes.windows(word.len()).any(|window| window == word.as_bytes()))
    };
    files(directory).into_iter().filter(names).map(|path| path.display().to_string()).collect()
}

#[test]
fn a_person_is_shown_forgotten_and_gone() {
    let place = workspace();
    let state = place.path().join(".cascade");
    let report = json(&run(place.path(), &["report", "--json"]));

    let shown = json(&run(place.path(), &["person", "(415) 555 0177", "--json"]));
    assert_eq!(shown["schema"], "cascade.person/1");
    assert_eq!(shown["phone"], "+14155550177");
    let rehearsal = &shown["stores"][0];
    assert_eq!(
        (&rehearsal["mode"], &rehearsal["people"][0]["name"]),
        (&"rehearsal".into(), &"Xenia Quillfeather".into())
    );
    assert_eq!(rehearsal["people"][0]["extra"]["company"], "Quillfeather & Daughters");
    for list in ["cascades", "events", "links", "sandbox"] {
        assert!(!rehearsal[list].as_array().unwrap().is_empty(), "{list}: {rehearsal:#}");
    }
    assert_eq!(rehearsal["opted_out"], Value::Null);
    let page = stdout(&run(place.path(), &["person", "001 415 555 0177"]));
    assert!(
        page.contains("Xenia Quillfeather") && page.contains("company Quillfeather & Daughters"),
        "{page}"
    );

    for word in XENIA {
        assert!(standing(&state, &[word]).len() >= 2, "{word} stands in the store and the sandbox's memory");
    }
    let done = json(&run(place.path(), &["forget", "+14155550177", "--json"]));
    assert_eq!(done["schema"], "cascade.forget/1");
    assert_eq!(done["stores"][0]["erased"]["people"], 1);
    assert!(done["sandbox"].as_u64().unwrap() > 3, "{done:#}");
    assert_eq!((&done["left_in"], &done["failed"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(done["customers_line"], 2, "the list is the operator's");
    assert_eq!(standing(&state, &XENIA), Vec::<String>::new());
    assert!(!standing(&state, &["14155550178"]).is_empty());

    assert_eq!(json(&run(place.path(), &["report", "--json"])), report, "the counts stay");
    let page = stdout(&run(place.path(), &["person", "+14155550177"]));
    assert_eq!(page, "nothing is stored about +14155550177\n");
    // The rehearsal goes on in what is left of the sandbox's memory.
    let again = run(place.path(), &["resume", "--json"]);
    assert!(again.status.success(), "{}", stderr(&again));
}

#[test]
fn a_copy_is_put_back_and_sends_nothing() {
    let place = workspace();
    let held = json(&run(place.path(), &["backup", "copy.db", "--json"]));
    assert_eq!((&held["schema"], &held["mode"]), (&"cascade.backup/1".into(), &"rehearsal".into()));
    assert_eq!((&held["people"], &held["campaigns"][0]["customers"]), (&3.into(), &3.into()));
    let twice = run(place.path(), &["backup", "copy.db"]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(stderr(&twice).contains("exists already"), "{}", stderr(&twice));

    let done = json(&run(place.path(), &["restore", "copy.db", "--json"]));
    assert_eq!(done["schema"], "cascade.restore/1");
    assert_eq!(done["gap"]["backup_seq"], held["seq"]);
    assert_eq!(done["seq"], held["seq"]);
    let aside = Path::new(done["moved_aside"][0].as_str().unwrap());
    assert!(place.path().join(aside).exists(), "{aside:?}");
    let refused = run(place.path(), &["pilot"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("nothing is sent until"), "{}", stderr(&refused));
    assert!(run(place.path(), &["report", "--json"]).status.success(), "it can be read");

    let none = run(place.path(), &["restore", "customers.csv"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("is no backup"), "{}", stderr(&none));
    let anew = run(place.path(), &["restore", "--anew"]);
    assert!(anew.status.success(), "{}", stderr(&anew));
    assert!(stderr(&run(place.path(), &["resume"])).contains("nothing is in flight"));
    assert_eq!(run(place.path(), &["restore"]).status.code(), Some(2), "a file or --anew");
}

#[test]
fn a_purge_asks_first_and_says_what_went() {
    let place = workspace();
    let state = place.path().join(".cascade");
    let young = json(&run(place.path(), &["purge", "--older-than", "90d", "--json"]));
    assert_eq!((&young["schema"], &young["erased"]["people"]), (&"cascade.purge/1".into(), &0.into()));
    let asked = run(place.path(), &["purge", "--older-than", "0s"]);
    assert_eq!(asked.status.code(), Some(2));
    let words = stderr(&asked);
    assert!(words.contains("3 people") && words.contains("--yes"), "{words}");
    assert!(!standing(&state, &XENIA).is_empty(), "nothing went without a yes");

    let report = json(&run(place.path(), &["report", "--json"]));
    let done = json(&run(place.path(), &["purge", "--older-than", "0s", "--yes", "--json"]));
    assert_eq!((&done["erased"]["people"], &done["campaigns"][0]["id"]), (&3.into(), &1.into()));
    for word in ["14155550177", "14155550178", "14155550179", "Quillfeather", "Dlamini"] {
        let left = standing(&state, &[word]);
        assert!(left.iter().all(|path| path.contains("/log/")), "{word} in {left:?}");
    }
    assert_eq!(json(&run(place.path(), &["report", "--json"])), report);
}

#[test]
fn a_live_workspace_is_live_without_its_secrets_and_rules() {
    let place = workspace();
    // As the README has it, and none of its variables is set here.
    let readme = include_str!("../../README.md");
    let settings = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    fs::write(place.path().join("cascade.toml"), settings).unwrap();
    for command in [&["backup", "copy"][..], &["report"], &["purge", "--older-than", "1d"]] {
        let refused = run(place.path(), command);
        assert_eq!(refused.status.code(), Some(2), "{command:?}");
        let words = stderr(&refused);
        assert!(words.contains("live.db") && !words.contains("rehearsal.db"), "{words}");
    }
    fs::write(place.path().join("cascade.toml"), "mode = \"lively\"").unwrap();
    let refused = run(place.path(), &["backup", "copy"]);
    assert!(stderr(&refused).contains("cascade.toml"), "which store is meant? {}", stderr(&refused));
}

#[test]
fn a_second_pilot_says_whom_an_earlier_campaign_contacted() {
    let place = workspace();
    let done = run(place.path(), &["pilot", "--speed", "100000"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let said = "3 people heard from an earlier campaign less than 30d ago: contacted again, as in any pilot";
    assert!(stderr(&done).contains(said), "{}", stderr(&done));
}
