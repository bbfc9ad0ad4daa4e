//! Planted bugs: each a small change of the program's own source, in a file of `planted/`, that the simulation must
//! find. They prove that the oracle can see.

use crate::setting::Tier;
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Seeds within which each must be found, by tier: those of the second take longer.
const WITHIN: u64 = 10_000;
const WITHIN_ON_SQLITE: u64 = 1_000;

/// A file of `planted/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    /// What it is, in a sentence.
    says: String,
    /// The invariants of DESIGN.md that it breaks; one of them must be named where it is found.
    breaks: Vec<String>,
    /// Of the simulation: bugs of the store show in the second alone.
    #[serde(default)]
    tier: Tier,
    /// Changed source.
    change: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    file: String,
    find: String,
    put: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn bugs() -> Vec<(String, Bug)> {
    let folder = root().join("tests/simulation/planted");
    let mut all: Vec<(String, Bug)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            (name, toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        })
        .collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

impl Bug {
    /// The changed files: path and text.
    fn planted(&self, name: &str) -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = Vec::new();
        for change in &self.change {
            if !files.iter().any(|(file, _)| *file == change.file) {
                files.push((change.file.clone(), fs::read_to_string(root().join(&change.file)).unwrap()));
            }
            let (_, text) = files.iter_mut().find(|(file, _)| *file == change.file).unwrap();
            let times = text.matches(&change.find).count();
            assert_eq!(times, 1, "{name}: {:?} stands {times} times in {}", change.find, change.file);
            *text = text.replace(&change.find, &change.put);
        }
        files
    }
}

#[test]
fn there_are_enough_and_each_fits_the_source_of_today() {
    let bugs = bugs();
    assert!(bugs.len() >= 15, "{} planted bugs", bugs.len());
    for (name, bug) in bugs {
        assert!(!bug.says.is_empty() && !bug.breaks.is_empty(), "{name}");
        bug.planted(&name);
    }
}

/// Copies the sources, plants one bug after the other, and lets the simulation hunt for it. `BUG=name` plants one.
#[test]
#[ignore = "builds the program once for each bug: ten minutes or more"]
fn each_is_found() {
    let copy = root().join("target/planted");
    let mut missed = Vec::new();
    let wanted = std::env::var("BUG").ok();
    for (name, bug) in bugs().into_iter().filter(|(name, _)| wanted.as_ref().is_none_or(|only| only == name))
    {
        for part in ["src", "tests", "rules", "assets", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"] {
            mirror(&root().join(part), &copy.join(part));
        }
        for (file, text) in bug.planted(&name) {
            fs::write(copy.join(file), text).unwrap();
        }
        let found = hunt(&copy, bug.tier);
        let law = |line: &str| bug.breaks.iter().any(|law| line.contains(&format!("\"{law}")));
        match found {
            Ok(said) if said.lines().any(law) => println!("| {name} | {} | {} |", bug.says, told(&said)),
            Ok(said) => missed.push(format!("{name}: {}", told(&said))),
            Err(why) => missed.push(format!("{name}: {why}")),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:#?}");
}

/// The line that names seed and invariant.
fn told(said: &str) -> String {
    let from = said.find("seed ").unwrap_or(0);
    said[from..].lines().take(2).collect::<Vec<_>>().join(" ").chars().take(160).collect()
}

/// Writes what differs, so that cargo builds only what a bug changes; what is gone goes there, too.
fn mirror(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(to).unwrap().map(Result::unwrap) {
            if !from.join(entry.file_name()).exists() {
                let path = entry.path();
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
            }
        }
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            mirror(&entry.path(), &to.join(entry.file_name()));
        }
        return;
    }
    let bytes = fs::read(from).unwrap();
    if fs::read(to).ok().as_ref() != Some(&bytes) {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
}

/// What the simulation says of the changed program, where it finds something.
fn hunt(copy: &Path, tier: Tier) -> Result<String, String> {
    let (test, within) = match tier {
        Tier::Memory => ("some_thousand_seeds", WITHIN),
        Tier::Sqlite => ("some_thousand_on_sqlite", WITHIN_ON_SQLITE),
    };
    let done = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--test", "simulation", test, "--", "--include-ignored"])
        .current_dir(copy)
        // Of its own: cargo would take what is built of the copy for what is built of the program.
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .env("COUNT", within.to_string())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    if done.status.success() {
        Err(format!("nothing was found within {within} seeds"))
    } else if said.contains("seed ") {
        Ok(said)
    } else {
        Err(said.chars().take(2000).collect())
    }
}
