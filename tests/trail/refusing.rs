//! Whatever is in the way is said, with what to do, and nothing has changed.

use crate::repo::{NEW, OLD, RULES, Repo, file, git, has_git};
use cascade::trail::{NotSaved, Note, Onto, Uncommitted};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Saving fails, and everything is as it was.
fn refused(repo: &Repo, says: &str) -> NotSaved {
    let before = repo.everything();
    let error = repo.save("too slow").unwrap_err();
    assert!(error.to_string().contains(says), "{error}");
    let after = repo.everything();
    let differs = |path: &&std::path::PathBuf| after.get(*path) != before.get(*path);
    let differs: Vec<_> = before.keys().chain(after.keys()).filter(differs).collect();
    assert!(differs.is_empty(), "{error} changed {differs:?}");
    error
}

#[test]
fn a_file_that_somebody_else_changed_meanwhile() {
    let repo = Repo::new();
    repo.write(RULES, "{ \"wait\": \"1h\" }\n");
    let NotSaved::Changed(conflict) = refused(&repo, "changed by somebody else since it was opened") else {
        panic!("another error")
    };
    assert_eq!(conflict.found.as_deref(), Some(&b"{ \"wait\": \"1h\" }\n"[..]));
    assert_eq!((conflict.yours.as_slice(), conflict.seen.as_deref()), (NEW.as_bytes(), Some(OLD.as_bytes())));
    fs::remove_file(repo.root().join(RULES)).unwrap();
    refused(&repo, "changed by somebody else");
}

#[test]
fn changes_that_no_commit_holds_until_they_are_wanted() {
    let repo = Repo::new();
    let theirs = "{ \"wait\": \"5h\" }\n";
    repo.write(RULES, theirs);
    let before = repo.everything();
    let error = repo.save_as(RULES, Some(theirs), NEW, "too slow").unwrap_err();
    assert_eq!(repo.everything(), before);
    let NotSaved::Uncommitted(conflict) = error else { panic!("{error}") };
    assert_eq!(conflict.found.as_deref(), Some(theirs.as_bytes()));
    assert_eq!(conflict.committed.as_deref(), Some(OLD.as_bytes()));
    let files = [file(RULES, Some(theirs), NEW)];
    let saved = repo.with(&files, "too slow", Uncommitted::Include).unwrap();
    assert_eq!(saved.notes, [Note::Included(RULES.into())]);
    assert_eq!(repo.changed(&saved.commit.unwrap().id), [RULES]);
}

#[test]
fn going_back_to_the_committed_text_does_not_drop_uncommitted_changes_unasked() {
    let repo = Repo::new();
    repo.write(RULES, NEW);
    let error = repo.save_as(RULES, Some(NEW), OLD, "undo").unwrap_err();
    assert!(matches!(error, NotSaved::Uncommitted(_)), "{error}");
    assert_eq!(repo.read(RULES), NEW);
}

#[test]
fn a_branch_with_other_rules_than_those_edited() {
    let repo = Repo::new().onto(Onto::Draft);
    repo.switch_to_new("spring");
    repo.write(RULES, "{ \"wait\": \"2h\" }\n");
    repo.commit_all("Two hours in spring");
    let error = repo.save_as(RULES, Some("{ \"wait\": \"2h\" }\n"), NEW, "too slow").unwrap_err();
    let NotSaved::OtherVersion(conflict) = error else { panic!("{error}") };
    assert_eq!(conflict.committed.as_deref(), Some(OLD.as_bytes()));
}

#[test]
fn another_version_in_the_index() {
    let repo = Repo::new().onto(Onto::CheckedOut);
    repo.write(RULES, "{ \"wait\": \"5h\" }\n");
    repo.stage(RULES);
    repo.write(RULES, OLD);
    assert!(matches!(refused(&repo, "git restore --staged"), NotSaved::Staged(_)));
}

#[test]
fn a_merge_that_is_under_way_and_a_file_in_conflict() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    repo.switch_to_new("other");
    fs::write(repo.root().join("others.txt"), "one\n").unwrap();
    repo.commit_all("One");
    git(repo.root(), &["switch", "-q", "main"]);
    fs::write(repo.root().join("others.txt"), "two\n").unwrap();
    repo.commit_all("Two");
    crate::repo::bare_git(repo.root(), &["merge", "other"]);
    assert!(matches!(refused(&repo, "git merge --abort"), NotSaved::Busy { what: "merge" }));

    let repo = Repo::new();
    repo.write(RULES, "{}\n");
    git(repo.root(), &["-c", "user.name=B", "-c", "user.email=b@example.com", "stash", "-q"]);
    repo.write(RULES, "[]\n");
    repo.commit_all("A list");
    crate::repo::bare_git(repo.root(), &["stash", "pop"]);
    let now = repo.read(RULES);
    let error = repo.save_as(RULES, Some(&now), NEW, "too slow").unwrap_err();
    assert!(matches!(error, NotSaved::Unmerged(_)), "{error}");
}

#[test]
fn a_file_that_git_is_told_to_ignore() {
    let repo = Repo::empty();
    fs::write(repo.root().join(".gitignore"), "rules/\n").unwrap();
    repo.commit_all("Rules stay at home");
    repo.write(RULES, OLD);
    assert!(matches!(refused(&repo, "git add -f"), NotSaved::Ignored(_)));
    // Once it is in a commit, nobody ignores it.
    let repo = Repo::new();
    fs::write(repo.root().join(".gitignore"), "rules/\n").unwrap();
    repo.commit_all("Too late");
    repo.save("too slow").unwrap();
}

#[test]
fn names_that_are_one_on_other_machines() {
    let repo = Repo::empty();
    repo.write("Rules/cascade.json", OLD);
    repo.commit_all("Capital");
    repo.write(RULES, OLD);
    let error = refused(&repo, "do not tell capitals apart");
    assert!(matches!(error, NotSaved::CaseClash { .. }));
    // On such a machine it is one file, and the branch's spelling holds.
    repo.git2().config().unwrap().set_bool("core.ignorecase", true).unwrap();
    let commit = repo.save("too slow").unwrap().commit.unwrap();
    assert_eq!(repo.changed(&commit.id), ["Rules/cascade.json"]);
}

#[test]
fn a_file_that_goes_through_a_program() {
    let repo = Repo::new();
    fs::write(repo.root().join(".gitattributes"), "*.json filter=lfs\n").unwrap();
    assert!(matches!(refused(&repo, "filter lfs"), NotSaved::Filtered { .. }));
}

#[test]
fn a_draft_that_another_working_tree_stands_on() {
    let repo = Repo::new();
    let commit = repo.save("too slow").unwrap().commit.unwrap();
    let place = tempfile::tempdir().unwrap();
    let git = repo.git2();
    let branch = git.find_branch(&commit.branch.name, git2::BranchType::Local).unwrap();
    let mut options = git2::WorktreeAddOptions::new();
    options.reference(Some(branch.get()));
    git.worktree("tree", &place.path().join("tree"), Some(&options)).unwrap();
    let error = repo.save_as(RULES, Some(NEW), "{}\n", "even less").unwrap_err();
    assert!(matches!(error, NotSaved::Elsewhere { .. }), "{error}");
}

#[test]
fn links_and_places_outside() {
    let repo = Repo::new();
    fs::rename(repo.root().join(RULES), repo.root().join("elsewhere.json")).unwrap();
    symlink(repo.root().join("elsewhere.json"), repo.root().join(RULES)).unwrap();
    assert!(matches!(refused(&repo, "is a link"), NotSaved::Link(_)));

    let (repo, other) = (Repo::empty(), Repo::new());
    repo.commit_all("Nothing");
    symlink(other.root().join("rules"), repo.root().join("rules")).unwrap();
    // The directory leads into another repository: that one is the file's own.
    let commit = repo.save("too slow").unwrap().commit.unwrap();
    assert_eq!(other.changed(&commit.id), [RULES]);
    for path in ["../x.json", "/tmp/x.json", "rules/../../x", ".git/config"] {
        let error = repo.save_as(path, None, NEW, "too slow").unwrap_err();
        assert!(matches!(error, NotSaved::Outside { .. }), "{path}: {error}");
    }
}

#[test]
fn a_bare_repository_has_no_files() {
    let repo = Repo::new();
    let dir = repo.root().join(".git");
    repo.git2().config().unwrap().set_bool("core.bare", true).unwrap();
    let (message, files) = (crate::repo::message("too slow"), [file(RULES, None, NEW)]);
    let save = cascade::trail::Save {
        workspace: &dir,
        files: &files,
        message: &message,
        uncommitted: Uncommitted::Refuse,
        settings: &repo.settings,
        at: crate::repo::NOON,
    };
    let error = cascade::trail::commit(&save, &|_| None).unwrap_err();
    assert!(matches!(error, NotSaved::Bare(_)), "{error}");
}

#[test]
fn what_other_processes_hold() {
    let repo = Repo::new().onto(Onto::CheckedOut);
    fs::write(repo.root().join(".git/index.lock"), "").unwrap();
    let NotSaved::Locked(path) = refused(&repo, "another git process is at work") else { panic!() };
    assert!(path.ends_with("index.lock"));
    // A draft does not touch the index, and waits for nobody.
    let repo = Repo::new();
    fs::write(repo.root().join(".git/index.lock"), "").unwrap();
    repo.save("too slow").unwrap();

    let repo = Repo::new().onto(Onto::CheckedOut);
    fs::write(repo.root().join(".git/refs/heads/main.lock"), "").unwrap();
    assert!(matches!(refused(&repo, "another git process is at work"), NotSaved::Locked(_)));
}

#[test]
fn a_head_on_no_branch_and_no_branch_to_begin_from() {
    let repo = Repo::new().onto(Onto::CheckedOut);
    let tip = repo.branches()["main"];
    repo.git2().set_head_detached(tip).unwrap();
    assert!(matches!(refused(&repo, "git switch -c"), NotSaved::Detached));
    let mut repo = Repo::new().onto(Onto::Draft);
    repo.settings.base = Some("trunk".into());
    assert!(matches!(refused(&repo, "no branch trunk"), NotSaved::NoBase(_)));
}

#[test]
fn a_repository_that_cannot_be_read() {
    let repo = Repo::new();
    repo.git2().config().unwrap().set_i32("core.repositoryformatversion", 1).unwrap();
    repo.git2().config().unwrap().set_str("extensions.refstorage", "reftable").unwrap();
    let config = repo.root().join(".git/config");
    let text = fs::read_to_string(&config).unwrap();
    let error = repo.save("too slow").unwrap_err();
    assert!(matches!(error, NotSaved::Unreadable { .. }), "{error}");
    assert_eq!((repo.read(RULES).as_str(), fs::read_to_string(&config).unwrap()), (OLD, text));
}

#[test]
fn a_reason_with_a_number_in_it() {
    let repo = Repo::new();
    let before = repo.everything();
    for reason in ["+1 555 000 1111 asked for it", "(555) 000-1111 asked for it", "0171 2345678"] {
        let error = repo.save(reason).unwrap_err();
        assert!(error.to_string().contains("a phone number"), "{error}");
        assert_eq!(repo.everything(), before, "{reason}");
    }
}

#[test]
fn a_branch_that_moves_at_the_same_time_loses_no_commit() {
    let repo = Repo::new().onto(Onto::CheckedOut);
    let others: Vec<_> = std::thread::scope(|scope| {
        let saves = (0..6).map(|n| {
            let repo = &repo;
            scope.spawn(move || {
                let path = format!("rules/content/{n}.txt");
                (0..50).find_map(|_| repo.save_as(&path, None, "x\n", &format!("number {n}")).ok())
            })
        });
        saves.collect::<Vec<_>>().into_iter().map(|save| save.join().unwrap()).collect()
    });
    let tip = repo.at("main", RULES);
    assert_eq!(tip.as_deref(), Some(OLD));
    for (n, other) in others.iter().enumerate() {
        let saved = other.as_ref().map(|saved| saved.commit.clone().unwrap());
        let there = repo.at("main", &format!("rules/content/{n}.txt"));
        assert_eq!(saved.is_some(), there.is_some(), "{n}: whoever was told so is in");
    }
    assert!(others.iter().any(Option::is_some));
    assert!(
        Path::new(&repo.root().join(".git/index")).exists() && !repo.root().join(".git/index.lock").exists()
    );
    repo.status();
}
