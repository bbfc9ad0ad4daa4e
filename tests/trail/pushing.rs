//! Pushes by the user's own git: to a directory, over smart HTTP, and whatever a remote has against it.

use crate::forge::{Backend, serve};
use crate::repo::{NEW, Repo, bare_git, git, has_git};
use cascade::trail::{self, NotPushed};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// A repository with a draft, and a bare one that it may be pushed to.
struct Pair {
    repo: Repo,
    place: TempDir,
    draft: String,
}

impl Pair {
    /// Nothing where there is no git.
    fn new() -> Option<Self> {
        if !has_git() {
            return None;
        }
        let (repo, place) = (Repo::new(), tempfile::tempdir().unwrap());
        fs::create_dir_all(place.path().join("acme")).unwrap();
        git(place.path(), &["init", "-q", "--bare", "-b", "main", "acme/rules.git"]);
        let draft = repo.save("too slow").unwrap().commit.unwrap().branch.name;
        let pair = Self { repo, place, draft };
        pair.at(pair.bare().to_str().unwrap());
        git(pair.repo.root(), &["push", "-q", "origin", "main"]);
        Some(pair)
    }

    fn bare(&self) -> std::path::PathBuf {
        self.place.path().join("acme/rules.git")
    }

    /// Gives the remote this address.
    fn at(&self, address: &str) {
        bare_git(self.repo.root(), &["remote", "remove", "origin"]);
        git(self.repo.root(), &["remote", "add", "origin", address]);
    }

    fn push(&self) -> Result<trail::Pushed, NotPushed> {
        let commit = self.repo.branches()[&self.draft].to_string();
        trail::push(&self.repo.workspace(), &self.draft, &commit, &self.repo.settings)
    }

    fn hook(dir: &Path, name: &str, script: &str) {
        let hook = dir.join("hooks").join(name);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn there(&self) -> Option<String> {
        let found =
            bare_git(&self.bare(), &["rev-parse", "--verify", "-q", &format!("refs/heads/{}", self.draft)]);
        Some(String::from_utf8(found.stdout).unwrap().trim().to_owned()).filter(|id| !id.is_empty())
    }
}

#[test]
fn a_draft_reaches_its_remote_once() {
    let Some(pair) = Pair::new() else { return };
    let pushed = pair.push().unwrap();
    assert_eq!((pair.there().as_ref(), pushed.up_to_date), (Some(&pushed.commit), false));
    assert!(pair.push().unwrap().up_to_date);
    let next = pair.repo.save_as(crate::repo::RULES, Some(NEW), "{}\n", "even less").unwrap().commit.unwrap();
    assert_eq!(pair.push().unwrap().commit, next.id);
}

#[test]
fn what_was_told_of_is_what_is_pushed_whatever_the_branch_has_got_since() {
    let Some(pair) = Pair::new() else { return };
    let settings = &pair.repo.settings;
    let told = trail::proposal(&pair.repo.workspace(), None, settings, &[]).unwrap();
    pair.repo.save_as(crate::repo::RULES, Some(NEW), "{}\n", "even less").unwrap();
    let pushed = trail::push(&pair.repo.workspace(), &told.branch, &told.commit, settings).unwrap();
    assert_eq!((pair.there(), &pushed.commit), (Some(told.commit.clone()), &told.commit));
}

#[test]
fn what_a_remote_has_against_it_is_said_in_its_words() {
    let Some(pair) = Pair::new() else { return };
    Pair::hook(
        &pair.bare(),
        "pre-receive",
        "printf 'rules change on \\033[31mTuesdays\\033[0m only\\n' >&2; exit 1",
    );
    let error = pair.push().unwrap_err();
    let NotPushed::Refused { why, words, .. } = &error else { panic!("{error}") };
    assert!(why.raw().contains("pre-receive hook declined") && words.raw().contains("Tuesdays"), "{error}");
    assert!(!error.to_string().contains('\u{1b}'), "nothing moves the terminal: {error:?}");
    assert_eq!(pair.there(), None);

    let Some(pair) = Pair::new() else { return };
    Pair::hook(&pair.repo.root().join(".git"), "pre-push", "echo 'not before noon' >&2; exit 1");
    let error = pair.push().unwrap_err();
    assert!(
        matches!(error, NotPushed::Failed { .. }) && error.to_string().contains("not before noon"),
        "{error}"
    );
}

#[test]
fn whoever_gives_up_has_nothing_pushed_later() {
    let Some(pair) = Pair::new() else { return };
    let pipe = pair.place.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let script = format!("exec 9> {}; sleep 600; sleep 600", pipe.display());
    Pair::hook(&pair.repo.root().join(".git"), "pre-push", &script);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
    command.arg("propose").current_dir(pair.repo.root()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // It is open once the hook runs, and ends when nobody runs any more who had it from the hook.
    let (told, hook) = mpsc::channel();
    std::thread::spawn(move || {
        let mut pipe = fs::File::open(pipe).unwrap();
        let _ = told.send("begun");
        std::io::copy(&mut pipe, &mut std::io::sink()).unwrap();
        let _ = told.send("ended");
    });
    assert_eq!(hook.recv_timeout(Duration::from_mins(1)), Ok("begun"));
    let interrupt = format!("kill -s INT {}", child.id());
    assert!(Command::new("/bin/sh").args(["-c", &interrupt]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(hook.recv_timeout(Duration::from_mins(1)), Ok("ended"));
    assert_eq!(pair.there(), None);
}

#[test]
fn commits_of_others_on_the_branch_are_not_written_over() {
    let Some(pair) = Pair::new() else { return };
    pair.push().unwrap();
    let theirs = tempfile::tempdir().unwrap();
    git(theirs.path(), &["clone", "-q", "-b", &pair.draft, pair.bare().to_str().unwrap(), "."]);
    let who = ["-c", "user.name=Bo", "-c", "user.email=bo@example.com"];
    git(theirs.path(), &[&who[..], &["commit", "-q", "--allow-empty", "-m", "Theirs"]].concat());
    git(theirs.path(), &["push", "-q"]);
    let tip = pair.there();
    pair.repo.save_as(crate::repo::RULES, Some(NEW), "{}\n", "even less").unwrap();
    let error = pair.push().unwrap_err();
    assert!(matches!(error, NotPushed::Behind { .. }), "{error}");
    assert!(error.to_string().contains("somebody else pushed"), "{error}");
    assert_eq!(pair.there(), tip);
}

#[test]
fn nowhere_to_push_to() {
    let repo = Repo::new();
    let saved = repo.save("too slow").unwrap().commit.unwrap();
    let (draft, id) = (saved.branch.name, saved.id);
    let push = |branch: &str| trail::push(&repo.workspace(), branch, &id, &repo.settings).unwrap_err();
    let words = push(&draft).to_string();
    assert!(
        words.contains("git remote add origin") && words.contains(&format!("git merge {draft}")),
        "{words}"
    );
    assert!(matches!(push("main"), NotPushed::OnBase(_)));
    assert!(matches!(push("no-such"), NotPushed::NoBranch(_)));
    let none = tempfile::tempdir().unwrap();
    let error = trail::push(none.path(), &draft, &id, &repo.settings).unwrap_err();
    assert!(matches!(error, NotPushed::NoRepository), "{error}");
    if has_git() {
        // The commands that are named do what they say.
        git(repo.root(), &["restore", "--", crate::repo::RULES]);
        git(repo.root(), &["merge", "-q", &draft]);
        assert_eq!(repo.at("main", crate::repo::RULES).as_deref(), Some(NEW));
    }
}

#[test]
fn a_remote_that_is_not_there() {
    let Some(pair) = Pair::new() else { return };
    pair.at("http://127.0.0.1:9/acme/rules.git");
    let error = pair.push().unwrap_err();
    assert!(matches!(error, NotPushed::Unreachable { .. }), "{error}");
    pair.at(pair.place.path().join("nothing").to_str().unwrap());
    assert!(matches!(pair.push().unwrap_err(), NotPushed::Failed { .. }));
}

#[test]
fn over_smart_http_with_a_credential_helper_and_without() {
    let Some(pair) = Pair::new() else { return };
    let Some(backend) = Backend::find(pair.place.path()) else {
        println!("skipped: this git has no http-backend");
        return;
    };
    let server = serve(backend.router());
    pair.at(&format!("http://{server}/acme/rules.git"));
    // Nobody is asked on the terminal, and nothing hangs.
    git(pair.repo.root(), &["config", "--replace-all", "credential.helper", ""]);
    let error = pair.push().unwrap_err();
    assert!(matches!(error, NotPushed::Login { .. }), "{error}");
    assert_eq!(pair.there(), None);

    let helper = "!f() { test \"$1\" = get && echo username=ana && echo password=s3cret; }; f";
    git(pair.repo.root(), &["config", "--add", "credential.helper", helper]);
    let pushed = pair.push().unwrap();
    assert_eq!(pair.there(), Some(pushed.commit));
    assert!(pair.push().unwrap().up_to_date);

    // A password in the address is not repeated.
    let wrong = format!("http://ana:hunter2@{server}/acme/other.git");
    pair.at(&wrong);
    git(pair.repo.root(), &["config", "--replace-all", "credential.helper", ""]);
    let error = pair.push().unwrap_err();
    assert!(!format!("{error}").contains("hunter2"), "{error}");
}
