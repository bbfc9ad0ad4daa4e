//! The issue's own story: a wait is changed while people are in it, and what was previewed is what is done, once, with a
//! commit, an audit row, and a way back.

use crate::pty::Pty;
use crate::{WIDE, empty, events, launched, run};
use cascade::runtime::store::Reader;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const RULES: &str = include_str!("../../rules/cascade.json");

pub fn git(dir: &Path, args: &[&str]) -> String {
    let out = Command::new("git").args(args).current_dir(dir).output().unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// A workspace in git, with somebody's half-finished work in its index and its files.
pub fn repository(dir: &Path) {
    std::fs::create_dir(dir.join("rules")).unwrap();
    std::fs::write(dir.join("rules/cascade.json"), RULES).unwrap();
    std::fs::write(dir.join(".gitignore"), ".cascade/\n").unwrap();
    git(dir, &["init", "-q", "-b", "main"]);
    for (key, value) in [("user.name", "Ana"), ("user.email", "ana@example.com"), ("commit.gpgsign", "false")]
    {
        git(dir, &["config", key, value]);
    }
    git(dir, &["add", "."]);
    git(dir, &["commit", "-q", "-m", "Rules as they begin"]);
    std::fs::write(dir.join("notes.txt"), "half finished\n").unwrap();
    git(dir, &["add", "notes.txt"]);
    std::fs::write(dir.join("notes.txt"), "half finished, and more\n").unwrap();
}

/// `● re-time             63 people moved, nobody at once`
fn moved(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("● re-time "))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "people" || *word == "person")?;
    words[at - 1].parse().ok()
}

/// Confirms; whoever came to wait meanwhile is shown first, and confirmed as well. How many were shown last.
pub fn save(console: &mut Pty) -> u64 {
    console.keys("y");
    let text = console.until("saved, or newcomers", |text| {
        !text.contains("● re-time ") && !text.contains("Saving") || text.contains("y again saves")
    });
    let Some(count) = moved(&text).filter(|_| text.contains("y again saves")) else { return 0 };
    console.keys("y");
    console.until("saved", |text| !text.contains("● re-time ") && !text.contains("Saving"));
    count
}

fn of_kind(dir: &Path, kind: &str) -> Vec<Value> {
    events(dir).into_iter().filter(|event| event["kind"] == kind).collect()
}

/// One commit on a branch of its own, with the reason and the rules alone in it; everything else is as it was.
fn committed_beside_the_rest(dir: &Path) -> String {
    assert_eq!(git(dir, &["rev-parse", "--abbrev-ref", "HEAD"]), "main");
    assert_eq!(git(dir, &["diff", "--cached", "--name-only"]), "notes.txt");
    assert_eq!(git(dir, &["rev-list", "--count", "main"]), "1");
    let branch = git(dir, &["for-each-ref", "--format=%(refname:short)", "refs/heads/cascade"]);
    assert_eq!(branch.lines().count(), 1, "{branch}");
    assert_eq!(git(dir, &["rev-list", "--count", &format!("main..{branch}")]), "1");
    let said = git(dir, &["log", "-1", "--format=%B", &branch]);
    assert!(said.contains("phones are free before four") && said.contains("shown to be moved"), "{said}");
    let named = git(dir, &["diff-tree", "--no-commit-id", "--name-only", "-r", &branch]);
    assert_eq!(named, "rules/cascade.json");
    assert!(std::fs::read_to_string(dir.join("rules/cascade.json")).unwrap().contains("\"4h\""));
    branch
}

#[test]
fn a_wait_is_changed_in_flight_and_brought_back() {
    let dir = empty();
    let dir = dir.path();
    repository(dir);
    // Slow enough that nobody's six hours run out while this is read.
    let mut console = launched(dir, &["--seed", "1", "--speed", "10"], &[]);
    console.keys("4");
    // Whoever is still being sent to, or called, stands elsewhere by the time of the save, and would be left as they are.
    console.until("sixty who wait, and nobody being sent to", |text| {
        let numbers = |channel: &str, next: &str| {
            let line = text.lines().find(|line| line.contains(channel) && line.contains("› "));
            let words = line.unwrap_or_default().split_whitespace().map(str::to_owned);
            words.skip_while(|word| word != next).skip(1).collect::<Vec<_>>()
        };
        let (first, second) = (numbers("1 WhatsApp", "phone"), numbers("2 phone", "SMS"));
        let waits = first.get(1).and_then(|word| word.parse::<u64>().ok());
        let idle = |row: &[String]| row.first().is_some_and(|word| word == "–");
        idle(&first) && idle(&second) && waits >= Some(60)
    });
    console.keys("-");
    console.sees("draft: WhatsApp 6h → 4h, not saved");
    console.keys("S");
    let text = console.until("the preview", |text| moved(text).is_some());
    assert!(text.contains("WhatsApp 6h → 4h") && text.contains("THEN DUE"), "{text}");
    let mut previewed = moved(&text).unwrap();
    assert!(previewed >= 50, "{text}");
    console.keys("y");
    console.sees("say why, in a few words");
    console.keys("phones are free before four\r");
    let again = save(&mut console);
    if again > 0 {
        previewed = again;
    }
    console.until("the draft is gone", |text| !text.contains("not saved"));

    let retimed = of_kind(dir, "retimed");
    let who: BTreeSet<String> = retimed.iter().map(|event| event["cascade"].to_string()).collect();
    assert_eq!(who.len(), retimed.len(), "somebody was moved twice");
    let audit: Value = serde_json::from_slice(&run(dir, &["audit", "--json"]).stdout).unwrap();
    let rows = audit["orders"].as_array().unwrap();
    let row = rows.iter().find(|row| row["why"] == "phones are free before four").expect("an audit row");
    let items = row["items"].as_array().unwrap();
    // Everybody who was shown is accounted for: moved, or somewhere else by then, such as a bounce. Whoever came into it
    // after that is named too, and left as they are.
    let shown: Vec<&Value> = items.iter().filter(|item| item["because"] != "not_shown").collect();
    assert_eq!(shown.len() as u64, previewed, "previewed, and accounted for");
    let done = items.iter().filter(|item| item["came"] == "done");
    let told: BTreeSet<String> = done.map(|item| item["cascade"].to_string()).collect();
    assert_eq!(told, who, "the audit row and the log agree");
    assert!(told.len() >= 50, "{items:?}");
    assert!(items.iter().all(|item| item["came"] == "done" || item["came"] == "left"), "{items:?}");

    let branch = committed_beside_the_rest(dir);

    console.keys("H");
    console.until("both versions", |text| {
        text.contains("phones are free before four") && text.contains("launched")
    });
    from_a_version_to_whom_it_reached(&mut console, dir);
    console.keys("H");
    console.until("both versions again", |text| text.contains("phones are free before four"));
    console.keys("jR");
    console.until("the way back", |text| text.contains("Restore rules") && moved(text).is_some());
    save(&mut console);
    console.until("it is back", |_| {
        std::fs::read_to_string(dir.join("rules/cascade.json")).is_ok_and(|text| text == RULES)
    });
    assert_eq!(git(dir, &["rev-list", "--count", &format!("main..{branch}")]), "2");
    console.keys("\x1b");
    console.sees("1 Cohort");
    console.keys("q");
    console.sees("Not heard");
    console.keys("y");
    assert_eq!(console.end().code, 0);
    what_ran_is_told_beside_the_commits(dir);
}

fn from_a_version_to_whom_it_reached(console: &mut Pty, dir: &Path) {
    let reached = || {
        let history: Value = serde_json::from_slice(&run(dir, &["history", "--json"]).stdout).unwrap();
        history["versions"].as_array().unwrap().last().unwrap()["people"].as_u64().unwrap()
    };
    let before = reached();
    console.keys("jw");
    let text =
        console.until("whom the launch reached", |text| text.contains("version:1") && listed(text).is_some());
    // Somebody may have been sent theirs meanwhile.
    assert!((before..=reached()).contains(&listed(&text).unwrap()), "{text}");
}

/// How many of a hundred the cohort lists.
fn listed(text: &str) -> Option<u64> {
    text.split(" of 100 ")
        .next()
        .filter(|before| before.len() < text.len())?
        .split_whitespace()
        .last()?
        .parse()
        .ok()
}

/// Everybody was sent their WhatsApp under the rules of the launch, and nobody once more because those came back: beside
/// each commit stands what the console tells of it.
fn what_ran_is_told_beside_the_commits(dir: &Path) {
    let history: Value = serde_json::from_slice(&run(dir, &["history", "--json"]).stdout).unwrap();
    let versions = history["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 3, "{history}");
    let changed = &versions[1];
    assert!(
        changed["reason"].as_str().is_some_and(|why| why.contains("phones are free before four")),
        "{changed}"
    );
    assert!(versions.iter().all(|version| version["ran"] == true), "{history}");
    assert!(versions[2]["people"].as_u64() >= Some(60), "{history}");
    assert_eq!(versions[0]["sha256"], versions[2]["sha256"], "it is back");
    let told = Reader::open(&dir.join(".cascade/rehearsal.db")).unwrap().versions().unwrap();
    for (version, told) in versions.iter().zip(&told) {
        assert_eq!(version["commit"], json!(told.edition.commit), "{told:?}");
        assert_eq!(
            (&version["people"], &version["conversions"]),
            (&json!(told.people), &json!(told.conversions))
        );
    }
    assert_eq!(told.len(), 3, "{told:?}");
}

/// Drafted, left, and meanwhile a colleague changes another wait and commits nothing: theirs is seen before anything is saved,
/// and is in the file and in the commit afterwards.
#[test]
fn what_a_colleague_changed_since_a_draft_began_is_not_saved_over() {
    let dir = empty();
    let dir = dir.path();
    repository(dir);
    let mut console = Pty::start(WIDE, dir, &[], &[]);
    console.sees("Press  L");
    console.keys("e");
    console.sees("\"whatsapp\", \"wait\": \"6h\"");
    // To the ladders.
    console.keys("\x1b[Z");
    console.sees("everybody");
    console.keys("-");
    console.sees("6h → 4h");
    console.keys("\x1b");
    console.sees("Leave the draft?");
    console.keys("k");
    console.keys("q");
    console.sees("The draft is kept");
    console.keys("y");
    assert_eq!(console.end().code, 0);

    let theirs = RULES.replace("2h", "3h");
    std::fs::write(dir.join("rules/cascade.json"), &theirs).unwrap();
    let mut console = Pty::start(WIDE, dir, &[], &[]);
    console.sees("the file has changed since: e opens it");
    console.sees("Press  L");
    console.keys("S");
    let all = |text: &str, words: &[&str]| words.iter().all(|word| text.contains(word));
    console.until("what was changed", |text| {
        all(text, &["was changed on disk since this draft began", "phone 2h → 3h", "save over theirs"])
    });
    console.keys("y");
    console.sees("not saved: choose first");
    console.keys("t");
    let text = console.until("both, and what is in no commit", |text| {
        all(
            text,
            &["in no commit: rules/cascade.json", "WhatsApp 6h → 4h", "a new branch, cascade/2", "y saves"],
        )
    });
    assert!(!text.contains("what-it-is-for"), "{text}");
    console.keys("y");
    console.sees("say why, in a few words");
    console.keys("replies come sooner\r");
    console.keys("y");
    console.sees("y again includes them");
    assert_eq!(std::fs::read_to_string(dir.join("rules/cascade.json")).unwrap(), theirs);
    console.keys("y");
    let both = theirs.replace("6h", "4h");
    console.until("it is saved", |text| {
        !text.contains("Saving") && std::fs::read_to_string(dir.join("rules/cascade.json")).unwrap() == both
    });
    console.until("the draft is gone", |text| !text.contains("whom it moves"));
    let branch = git(dir, &["for-each-ref", "--format=%(refname:short)", "refs/heads/cascade"]);
    assert!(branch.ends_with("-replies-come-sooner"), "{branch}");
    assert_eq!(git(dir, &["show", &format!("{branch}:rules/cascade.json")]), both.trim());
    console.keys("q");
    assert_eq!(console.end().code, 0);
}

/// Whoever only reads is told so, and nothing is asked of the one who runs it.
#[test]
fn a_reader_saves_nothing() {
    let dir = empty();
    let mut first = launched(dir.path(), &[], &[]);
    let mut second = Pty::start(WIDE, dir.path(), &[], &[]);
    second.sees("attached · reading (");
    second.keys("4");
    second.sees("+ and - a wait");
    second.keys("-");
    second.sees("draft here alone: WhatsApp 6h → 4h, not saved");
    second.keys("S");
    second.sees("it runs in their console and they keep it");
    second.keys("q");
    second.sees("This console only reads");
    second.keys("y");
    assert_eq!(second.end().code, 0);
    assert!(!dir.path().join(".cascade/drafts/rules-cascade.json.json").exists(), "a reader wrote a draft");
    first.keys("q");
    first.sees("Not heard");
    first.keys("y");
    assert_eq!(first.end().code, 0);
}
