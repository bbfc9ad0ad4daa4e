//! Versions, where bytes stand, and going back.

use crate::repo::{NEW, OLD, RULES, Repo};
use cascade::trail::{Onto, bytes_at, standing, versions};
use git2::{Signature, Time};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::process::Command;

fn of(repo: &Repo) -> Vec<(String, String, bool)> {
    let found = versions(&repo.workspace(), Path::new(RULES), &repo.settings, 100).unwrap();
    let row = |v: &cascade::trail::Version| (v.subject.screen(), v.reason.screen(), v.is_on_base);
    found.iter().map(row).collect()
}

#[test]
fn every_commit_that_changed_the_file_and_no_other() {
    let repo = Repo::inside("ops");
    std::fs::write(repo.root().join("others.txt"), "more\n").unwrap();
    repo.commit_all("Something else");
    repo.save("too slow").unwrap();
    repo.save_as("rules/content/sms.txt", None, "Hi\n", "a text").unwrap();
    let row = |subject: &str, reason: &str, on_base| (subject.to_owned(), reason.to_owned(), on_base);
    let ours = "whatsapp waits 4h instead of 6h";
    assert_eq!(of(&repo), [row(ours, "too slow", false), row("The first", "", true)]);

    let found = versions(&repo.workspace(), Path::new(RULES), &repo.settings, 1).unwrap();
    let [newest] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(newest.bytes.as_deref(), Some(NEW.as_bytes()));
    assert_eq!(newest.hash.as_deref(), Some(hex::encode(Sha256::digest(NEW)).as_str()));
    assert_eq!(
        newest.counts.as_ref().map(cascade::model::Untrusted::screen).as_deref(),
        Some("60 re-timed, 3 at once")
    );
    assert_eq!(
        (newest.author.screen().as_str(), newest.at),
        ("Ana Ops <ana@example.com>", crate::repo::NOON)
    );
    let there = bytes_at(&repo.workspace(), Path::new(RULES), &newest.id[..9]).unwrap();
    assert_eq!(there.as_deref(), Some(NEW.as_bytes()));
}

#[test]
fn a_version_is_beside_the_one_it_was_made_from() {
    let repo = Repo::new();
    repo.save("too slow").unwrap();
    // Put back, and another draft from main.
    repo.write(RULES, OLD);
    repo.save_as(RULES, Some(OLD), "{ \"wait\": \"5h\" }\n", "a little").unwrap();
    let found = versions(&repo.workspace(), Path::new(RULES), &repo.settings, 2).unwrap();
    assert_eq!(found.len(), 2);
    for version in &found {
        assert_eq!(version.before.as_deref(), Some(OLD.as_bytes()), "{version:?}");
    }
    let all = versions(&repo.workspace(), Path::new(RULES), &repo.settings, 9).unwrap();
    assert_eq!(all[2].before, None, "the first one was made from nothing");
}

#[test]
fn going_back_is_a_commit_of_its_own() {
    let repo = Repo::new();
    repo.save("too slow").unwrap();
    let found = versions(&repo.workspace(), Path::new(RULES), &repo.settings, 100).unwrap();
    let old = String::from_utf8(found[1].bytes.clone().unwrap()).unwrap();
    let back = repo.save_as(RULES, Some(NEW), &old, "too hasty").unwrap().commit.unwrap();
    assert!(!back.unchanged && !back.branch.is_new);
    assert_eq!((repo.read(RULES).as_str(), of(&repo).len()), (OLD, 3));
}

#[test]
fn where_bytes_stand() {
    let repo = Repo::new();
    let at = |text: &str| {
        standing(&repo.workspace(), Path::new(RULES), text.as_bytes(), &repo.settings).unwrap().unwrap()
    };
    let first = repo.branches()["main"].to_string();
    let now = at(OLD);
    assert_eq!(
        (now.commit.as_ref(), now.branch.as_deref(), now.is_on_base),
        (Some(&first), Some("main"), true)
    );
    let made = repo.git2().head().unwrap().peel_to_commit().unwrap().time().seconds();
    assert_eq!(now.since, Some(cascade::model::At::from_secs(made)));
    assert_eq!((at(NEW).commit, at(NEW).since), (None, None), "in no commit");
    let saved = repo.save("too slow").unwrap().commit.unwrap();
    repo.save_as("rules/content/sms.txt", None, "Hi\n", "a text").unwrap();
    let now = at(NEW);
    assert_eq!(now.commit, Some(saved.id), "the commit that brought them, not the newest one");
    assert_eq!(now.since, Some(crate::repo::NOON));
    assert_eq!(
        (now.branch, now.base.as_deref(), now.is_on_base),
        (Some(saved.branch.name), Some("main"), false)
    );
    assert_eq!(at(&OLD.replace('\n', "\r\n")).commit, Some(first), "whatever the line ends");
    let none = tempfile::tempdir().unwrap();
    assert_eq!(standing(none.path(), Path::new(RULES), OLD.as_bytes(), &repo.settings).unwrap(), None);
    assert!(versions(none.path(), Path::new(RULES), &repo.settings, 9).unwrap().is_empty());
}

#[test]
fn a_merge_is_a_version_only_if_it_makes_one() {
    let repo = Repo::new().onto(Onto::CheckedOut);
    repo.switch_to_new("spring");
    repo.save("too slow").unwrap();
    let git = repo.git2();
    let commit = |name: &str| git.find_commit(repo.branches()[name]).unwrap();
    let (main, spring) = (commit("main"), commit("spring"));
    let who = Signature::now("Bo", "bo@example.com").unwrap();
    let tree = spring.tree().unwrap();
    git.commit(Some("refs/heads/main"), &who, &who, "Merge", &tree, &[&main, &spring]).unwrap();
    assert_eq!(of(&repo).len(), 2);
    assert!(of(&repo).iter().all(|version| version.2), "all of it is on main now");
}

#[test]
fn rules_are_as_old_as_the_commit_that_brought_them() {
    let repo = Repo::empty();
    repo.write(RULES, include_str!("../../rules/cascade.json"));
    let git = repo.git2();
    let long_ago = cascade::clock::wall_at().millis() / 1000 - 120 * 86_400 - 3_600;
    let who = Signature::new("Bo", "bo@example.com", &Time::new(long_ago, 0)).unwrap();
    let first = git.find_commit(repo.commit_all("The first")).unwrap();
    first.amend(Some("HEAD"), Some(&who), Some(&who), None, None, None).unwrap();
    // What came after it changed something else.
    std::fs::write(repo.root().join("others.txt"), "more\n").unwrap();
    repo.commit_all("Something else");
    let said = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
        let done = command.arg("check").current_dir(repo.root()).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    assert!(said().contains("for 120 days"), "{}", said());
    repo.write(RULES, &repo.read(RULES).replace("6h", "5h"));
    assert!(!said().contains("for 120 days"), "what no commit has is as old as its file: {}", said());
}
