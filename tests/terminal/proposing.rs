//! A change saved in the console, pushed and proposed from it: against a remote and a forge on this machine.

use crate::editing::{git, repository, save};
use crate::forge::Hub;
use crate::pty::{Pty, cascade};
use crate::{empty, launched};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// A workspace in git, with a remote that is a directory and a forge that speaks like GitHub; both are trusted.
fn desk(dir: &Path, remote: &Path, home: &Path, forge: &str) {
    repository(dir);
    git(remote, &["init", "-q", "--bare", "-b", "main", "rules.git"]);
    git(dir, &["remote", "add", "origin", remote.join("rules.git").to_str().unwrap()]);
    git(dir, &["push", "-q", "origin", "main"]);
    let settings = format!("[github]\nbase_url = \"{forge}\"\nrepository = \"acme/rules\"\n");
    std::fs::write(dir.join("cascade.toml"), settings).unwrap();
    let mut trust = Command::new(cascade());
    trust.args(["trust", "--yes"]).current_dir(dir).env("HOME", home).env_remove("XDG_STATE_HOME");
    let done = trust.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn leave(mut console: Pty) {
    console.keys("q");
    console.sees("Not heard");
    console.keys("y");
    assert_eq!(console.end().code, 0);
}

fn header(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[test]
fn a_change_is_proposed_from_the_console_and_its_pull_request_stands_in_the_header() {
    let (dir, remote, home) = (empty(), empty(), empty());
    let (hub, forge) = Hub::start();
    desk(dir.path(), remote.path(), home.path(), &forge);
    let env = [("HOME", home.path().to_str().unwrap()), ("XDG_STATE_HOME", ""), ("GITHUB_TOKEN", "gh-token")];
    let mut console = launched(dir.path(), &["--seed", "1", "--speed", "10"], &env);
    // Nothing was changed: what is everybody's already is not proposed, and nobody is asked.
    console.keys("O");
    console.sees("not proposed: ");
    assert!(hub.inside().pulls.is_empty());
    console.keys("\x1b");
    console.loses("not proposed: ");

    console.keys("4");
    console.sees("+ and - a wait");
    console.keys("-");
    console.sees("draft: WhatsApp 6h → 4h, not saved");
    console.keys("S");
    console.sees("a reason is needed");
    console.keys("r");
    console.sees("Enter done");
    console.keys("phones are free before four\r");
    save(&mut console);
    console.until("the draft is gone", |text| !text.contains("not saved"));
    console.keys("O");
    console.until("the pull request", |text| {
        text.contains("pull request #1 open, no checks, review awaited")
            && header(text).contains("PR #1 open")
    });
    let branch = git(dir.path(), &["for-each-ref", "--format=%(refname:short)", "refs/heads/cascade"]);
    let pushed = git(&remote.path().join("rules.git"), &["rev-parse", &branch]);
    assert_eq!(pushed, git(dir.path(), &["rev-parse", &branch]));
    {
        let inside = hub.inside();
        assert_eq!(inside.pulls.len(), 1);
        let (pull, body) = (&inside.pulls[0], inside.pulls[0]["body"].as_str().unwrap());
        assert_eq!((&pull["head"]["ref"], &pull["base"]["ref"]), (&json!(branch), &json!("main")));
        // Why, what, and what the campaign on the screen has come to: in numbers.
        for said in ["phones are free before four", "\"4h\"", "customers", "running"] {
            assert!(body.contains(said), "{said}: {body}");
        }
    }
    hub.inside().runs = vec![json!({"name": "check", "status": "completed", "conclusion": "success"})];
    console.keys("O");
    console.sees("pull request #1 open, checks passed, review awaited");
    assert_eq!(hub.inside().pulls.len(), 1, "the one that is open is found, and none is opened beside it");
    leave(console);

    // The next start asks how it stands.
    let again = Pty::start((200, 40), dir.path(), &[], &env);
    again.until("the pull request in the header", |text| {
        text.contains("PILOT 100") && header(text).contains("PR #1 open · checks passed · review awaited")
    });
    leave(again);
    let state = dir.path().join(".cascade");
    let log = Command::new("grep").args(["-rl", "gh-token"]).arg(&state).output().unwrap();
    assert!(log.stdout.is_empty(), "the token is kept: {}", String::from_utf8_lossy(&log.stdout));
}
