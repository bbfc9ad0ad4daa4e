//! Saves in a process of their own, whose home, path or disk is another one.

use crate::repo::{NEW, OLD, RULES, Repo, file, has_git, message};
use cascade::trail::{self, Save, Settings, Uncommitted};
use std::path::Path;
use std::process::Command;

/// Names the workspace in which [`saves_when_told`] saves.
const TOLD: &str = "CASCADE_TEST_SAVES_IN";

/// Runs as a child of the others alone.
#[test]
fn saves_when_told() {
    let Ok(dir) = std::env::var(TOLD) else { return };
    let (message, files, settings) =
        (message("too slow"), [file(RULES, Some(OLD), NEW)], Settings::default());
    let save = Save {
        workspace: Path::new(&dir),
        files: &files,
        message: &message,
        uncommitted: Uncommitted::Refuse,
        settings: &settings,
        at: crate::repo::NOON,
    };
    match trail::commit(&save, &|name| std::env::var(name).ok()) {
        Ok(saved) => println!("told: {saved}"),
        Err(error) => println!("told: {error:?} {error}"),
    }
}

/// What a child process says to a save, run by a shell under these words.
fn told(repo: &Repo, first: &str, env: &[(&str, &str)]) -> String {
    let me = std::env::current_exe().unwrap();
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(format!("{first}\nexec \"$0\" --exact child::saves_when_told --nocapture --test-threads=1"));
    command.arg(me).env(TOLD, repo.workspace()).envs(env.iter().copied());
    let done = command.output().unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    let line = out.lines().find_map(|line| line.split_once("told: "));
    line.unwrap_or_else(|| panic!("{out} {}", String::from_utf8_lossy(&done.stderr))).1.to_owned()
}

/// Nobody is known: neither here nor at home.
fn nameless() -> (Repo, tempfile::TempDir) {
    let (repo, home) = (Repo::new(), tempfile::tempdir().unwrap());
    for key in ["user.name", "user.email"] {
        repo.git2().config().unwrap().remove(key).unwrap();
    }
    (repo, home)
}

#[test]
fn nobody_is_invented_where_git_knows_nobody() {
    let (repo, home) = nameless();
    let home = home.path().to_str().unwrap();
    let before = repo.everything();
    let said = told(&repo, "", &[("HOME", home), ("XDG_CONFIG_HOME", home)]);
    assert!(said.starts_with("NoIdentity") && said.contains("git config --global user.name"), "{said}");
    assert_eq!(repo.everything(), before);
    let said = told(
        &repo,
        "",
        &[
            ("HOME", home),
            ("GIT_AUTHOR_NAME", "Cy"),
            ("GIT_AUTHOR_EMAIL", "cy@example.com"),
            ("GIT_COMMITTER_NAME", "Cy"),
            ("GIT_COMMITTER_EMAIL", "cy@example.com"),
        ],
    );
    assert!(said.starts_with("saved as "), "{said}");
}

#[test]
fn a_disk_that_takes_no_byte_more() {
    let repo = Repo::new();
    let before = repo.everything();
    // No file may grow: what a full disk does, and root is not above it.
    let said = told(&repo, "trap '' XFSZ; ulimit -f 0", &[]);
    assert!(said.contains("cannot be written") || said.contains("failed"), "{said}");
    assert_eq!(repo.everything(), before);
    repo.save("too slow").unwrap();
}

#[test]
fn commits_that_must_be_signed_where_no_git_can_be_run() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    repo.git2().config().unwrap().set_bool("commit.gpgsign", true).unwrap();
    let before = repo.everything();
    let said = told(&repo, "", &[("PATH", "/nonexistent")]);
    assert!(said.starts_with("SigningNeedsGit"), "{said}");
    assert_eq!(repo.everything(), before);
}
