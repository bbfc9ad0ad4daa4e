//! Saves that go well: onto the right branch, with nothing else in the commit and nothing else touched.

use crate::repo::{NEW, OLD, RULES, Repo, file, git, has_git, message};
use cascade::trail::{NotSaved, Note, Onto, Save, Uncommitted};
use git2::{Oid, Repository};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

const DRAFT: &str = "cascade/2026-11-27-too-slow";

fn subject(repo: &Repo, commit: &str) -> (String, String) {
    let git = repo.git2();
    let commit = git.find_commit(Oid::from_str(commit).unwrap()).unwrap();
    (commit.message().unwrap().to_owned(), commit.author().to_string())
}

#[test]
fn a_draft_begins_at_main_beside_a_dirty_index() {
    let repo = Repo::new();
    fs::write(repo.root().join("others.txt"), "staged\n").unwrap();
    repo.stage("others.txt");
    fs::write(repo.root().join("others.txt"), "and dirty\n").unwrap();
    fs::write(repo.root().join("new.txt"), "untracked\n").unwrap();
    let (before, branches) = (repo.everything(), repo.branches());
    assert_eq!(repo.look("too slow").unwrap().branch.unwrap().name, DRAFT);
    assert_eq!(repo.everything(), before, "a look changes nothing");

    let saved = repo.save("too slow").unwrap();
    let commit = saved.commit.unwrap();
    assert_eq!((commit.branch.name.as_str(), commit.branch.base.as_deref()), (DRAFT, Some("main")));
    assert!(commit.branch.is_new && !commit.branch.is_checked_out && !commit.unchanged);
    assert_eq!((saved.notes, commit.author.as_str()), (vec![], "Ana Ops <ana@example.com>"));
    assert_eq!(repo.changed(&commit.id), [RULES]);
    assert_eq!((repo.at(DRAFT, RULES).as_deref(), repo.at("main", RULES).as_deref()), (Some(NEW), Some(OLD)));
    let (message, author) = subject(&repo, &commit.id);
    assert_eq!(
        message,
        format!(
            "whatsapp waits 4h instead of 6h\n\ntoo slow\n\nCascade-Counts: 60 re-timed, 3 at once\nCascade-Rules: {}\n",
            "ab".repeat(32)
        )
    );
    assert_eq!(author, "Ana Ops <ana@example.com>");
    // Of all there was, the rules file alone is another one; of what is new, only the draft and its log.
    let after = repo.everything();
    let differs: Vec<_> = before.keys().filter(|path| after.get(*path) != before.get(*path)).collect();
    assert_eq!(differs, [&repo.root().join(RULES)]);
    let new: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    assert!(new.iter().all(|path| path.ends_with(DRAFT)), "{new:?}");
    assert_eq!((repo.read(RULES).as_str(), repo.branches()["main"]), (NEW, branches["main"]));
    assert_eq!(repo.status().len(), 3);
}

#[test]
fn the_next_save_goes_on_with_the_draft_until_it_is_put_back_or_merged() {
    let repo = Repo::new();
    let first = repo.save("too slow").unwrap().commit.unwrap();
    let second = repo.save_as(RULES, Some(NEW), "{}\n", "even less").unwrap().commit.unwrap();
    assert_eq!((second.branch.name.as_str(), second.branch.is_new), (DRAFT, false));
    let parent = repo.git2().find_commit(Oid::from_str(&second.id).unwrap()).unwrap().parent_id(0).unwrap();
    assert_eq!(parent.to_string(), first.id);

    // Put back: another draft, from main.
    repo.write(RULES, OLD);
    let other = repo.save("too slow").unwrap().commit.unwrap();
    assert_eq!(other.branch.name, format!("{DRAFT}-2"));
    assert_eq!(repo.changed(&other.id), [RULES]);

    // Merged, as by a squash: main has the bytes, not the commit.
    repo.commit_all("Squashed");
    let third = repo.save_as(RULES, Some(NEW), OLD, "too hasty").unwrap().commit.unwrap();
    assert_eq!((third.branch.name.as_str(), third.branch.is_new), ("cascade/2026-11-27-too-hasty", true));
}

#[test]
fn another_file_joins_the_draft_that_the_working_files_hold() {
    let repo = Repo::new();
    repo.save("too slow").unwrap();
    let saved = repo.save_as("rules/content/sms.txt", None, "Hi {{link}}\n", "a first text").unwrap();
    assert_eq!(saved.notes, [Note::Added("rules/content/sms.txt".into())]);
    let commit = saved.commit.unwrap();
    assert_eq!(commit.branch.name, DRAFT);
    assert_eq!(repo.changed(&commit.id), ["rules/content/sms.txt"]);
    assert_eq!(repo.at(DRAFT, RULES).as_deref(), Some(NEW));
}

#[test]
fn on_a_branch_of_ones_own_the_commit_goes_there_and_the_index_knows_it() {
    for onto in [Onto::Auto, Onto::CheckedOut] {
        let repo = Repo::new().onto(onto);
        repo.switch_to_new("spring");
        fs::write(repo.root().join("others.txt"), "staged\n").unwrap();
        repo.stage("others.txt");
        let others = repo.git2().index().unwrap().get_path(Path::new("others.txt"), 0).unwrap().id;
        let commit = repo.save("too slow").unwrap().commit.unwrap();
        assert_eq!((commit.branch.name.as_str(), commit.branch.is_checked_out), ("spring", true));
        assert_eq!(repo.changed(&commit.id), [RULES]);
        assert_eq!(repo.status(), ["Status(INDEX_MODIFIED) others.txt"]);
        let index = repo.git2().index().unwrap();
        assert_eq!(index.get_path(Path::new("others.txt"), 0).unwrap().id, others);
        assert_eq!(repo.branches().len(), 2, "{onto:?}");
    }
}

#[test]
fn the_settings_may_want_a_draft_always_or_the_base_branch_itself() {
    let repo = Repo::new().onto(Onto::Draft);
    repo.switch_to_new("spring");
    assert_eq!(repo.save("too slow").unwrap().commit.unwrap().branch.name, DRAFT);
    let repo = Repo::new().onto(Onto::CheckedOut);
    let commit = repo.save("too slow").unwrap().commit.unwrap();
    assert_eq!((commit.branch.name.as_str(), commit.branch.base), ("main", None));
    assert!(repo.status().is_empty());
}

#[test]
fn the_base_branch_is_found_by_name_by_remote_or_as_the_only_one() {
    let trunk = || {
        let repo = Repo::new();
        repo.git2().find_branch("main", git2::BranchType::Local).unwrap().rename("trunk", false).unwrap();
        repo
    };
    assert_eq!(trunk().save("too slow").unwrap().commit.unwrap().branch.base.as_deref(), Some("trunk"));
    let mut repo = Repo::new();
    repo.switch_to_new("release");
    repo.settings.base = Some("release".into());
    assert_eq!(repo.save("too slow").unwrap().commit.unwrap().branch.base.as_deref(), Some("release"));
    let repo = trunk();
    repo.switch_to_new("main");
    let tip = repo.branches()["trunk"];
    let git = repo.git2();
    git.reference("refs/remotes/origin/trunk", tip, false, "").unwrap();
    git.reference_symbolic("refs/remotes/origin/HEAD", "refs/remotes/origin/trunk", false, "").unwrap();
    assert_eq!(
        repo.save("too slow").unwrap().commit.unwrap().branch.name,
        "main",
        "a branch of one's own here"
    );
}

#[test]
fn the_first_commit_stands_where_head_does() {
    let repo = Repo::empty();
    repo.write(RULES, OLD);
    fs::write(repo.root().join("others.txt"), "staged\n").unwrap();
    repo.stage("others.txt");
    let saved = repo.save("too slow").unwrap();
    let commit = saved.commit.unwrap();
    assert_eq!((commit.branch.name.as_str(), commit.branch.is_new), ("main", true));
    assert_eq!(saved.notes, [Note::Added(RULES.into())]);
    assert_eq!(repo.changed(&commit.id), [RULES]);
    assert_eq!(repo.status(), ["Status(INDEX_NEW) others.txt"]);
}

#[test]
fn a_head_on_no_branch_stays_there() {
    let repo = Repo::new();
    let tip = repo.branches()["main"];
    repo.git2().set_head_detached(tip).unwrap();
    assert_eq!(repo.save("too slow").unwrap().commit.unwrap().branch.name, DRAFT);
    assert!(repo.git2().head_detached().unwrap());
    assert_eq!(repo.git2().head().unwrap().target(), Some(tip));
}

#[test]
fn without_a_repository_the_file_is_written_all_the_same() {
    let repo = Repo::new();
    fs::remove_dir_all(repo.root().join(".git")).unwrap();
    assert_eq!(repo.look("too slow").unwrap().branch, None);
    let saved = repo.save("too slow").unwrap();
    assert_eq!((saved.commit.as_ref(), saved.notes.as_slice()), (None, &[Note::NoRepository][..]));
    assert!(saved.notes[0].to_string().contains("git init"));
    assert_eq!(repo.read(RULES), NEW);
    let left: Vec<_> = fs::read_dir(repo.root().join("rules")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left beside it");
}

#[test]
fn a_workspace_may_be_a_directory_of_the_repository_or_a_working_tree_of_its_own() {
    let repo = Repo::inside("ops/spring");
    let commit = repo.save("too slow").unwrap().commit.unwrap();
    assert_eq!(repo.changed(&commit.id), ["ops/spring/rules/cascade.json"]);

    let (repo, place) = (Repo::new(), tempfile::tempdir().unwrap());
    let tree = place.path().join("tree");
    repo.git2().worktree("tree", &tree, None).unwrap();
    let (message, files) = (message("too slow"), [file(RULES, Some(OLD), NEW)]);
    let (settings, uncommitted) = (&repo.settings, Uncommitted::Refuse);
    let save = Save {
        workspace: &tree,
        files: &files,
        message: &message,
        uncommitted,
        settings,
        at: crate::repo::NOON,
    };
    let commit = cascade::trail::commit(&save, &|_| None).unwrap().commit.unwrap();
    assert_eq!((commit.branch.name.as_str(), commit.branch.is_checked_out), ("tree", true));
    assert!(Repository::open(&tree).unwrap().statuses(None).unwrap().is_empty());
    assert!(repo.status().is_empty(), "the main working tree has nothing to do with it");
}

#[test]
fn rules_in_a_submodule_are_committed_there() {
    if !has_git() {
        return;
    }
    let (inner, outer) = (Repo::empty(), Repo::new());
    fs::write(inner.root().join("cascade.json"), OLD).unwrap();
    inner.commit_all("Rules alone");
    let from = inner.root().to_str().unwrap();
    fs::remove_dir_all(outer.root().join("rules")).unwrap();
    outer.git2().index().unwrap().remove_all(["rules"], None).unwrap();
    git(outer.root(), &["rm", "-rq", "--cached", "rules"]);
    git(outer.root(), &["-c", "protocol.file.allow=always", "submodule", "add", "-q", from, "rules"]);
    outer.commit_all("Rules elsewhere");
    let module = Repository::open(outer.root().join("rules")).unwrap();
    for (key, value) in [("user.name", "Ana Ops"), ("user.email", "ana@example.com")] {
        module.config().unwrap().set_str(key, value).unwrap();
    }
    let saved = outer.save("too slow").unwrap();
    assert!(saved.notes.contains(&Note::Submodule), "{:?}", saved.notes);
    let id = Oid::from_str(&saved.commit.unwrap().id).unwrap();
    let tree = module.find_commit(id).unwrap().tree().unwrap();
    assert_eq!((tree.len(), tree.get(0).unwrap().name()), (1, Some("cascade.json")));
    assert!(outer.git2().find_commit(id).is_err(), "the outer repository has nothing to do with it");
}

#[test]
fn the_same_save_again_finishes_what_a_crash_cut_off() {
    for (own, onto) in [(false, Onto::Auto), (true, Onto::Auto), (false, Onto::CheckedOut)] {
        let repo = Repo::new().onto(onto);
        if own {
            repo.switch_to_new("spring");
        }
        let index = fs::read(repo.root().join(".git/index")).unwrap();
        let first = repo.save("too slow").unwrap().commit.unwrap();
        let branches = repo.branches();
        // After the branch, before the working file: that and the index are the old ones.
        repo.write(RULES, OLD);
        fs::write(repo.root().join(".git/index"), &index).unwrap();
        let again = repo.save("too slow").unwrap().commit.unwrap();
        assert_eq!((again.id.as_str(), again.unchanged), (first.id.as_str(), true));
        assert_eq!((repo.branches(), repo.read(RULES).as_str()), (branches.clone(), NEW));
        // After the working file, before the index.
        fs::write(repo.root().join(".git/index"), &index).unwrap();
        assert!(repo.save("too slow").unwrap().commit.unwrap().unchanged);
        assert_eq!(repo.branches(), branches);
        let here = first.branch.is_checked_out;
        assert_eq!(repo.status().len(), usize::from(!here), "{own} {onto:?}");
    }
}

#[test]
fn a_save_that_was_cut_off_goes_on_once_nothing_is_in_its_way() {
    let repo = Repo::new();
    repo.switch_to_new("spring");
    let index = fs::read(repo.root().join(".git/index")).unwrap();
    let first = repo.save("too slow").unwrap().commit.unwrap();
    let branches = repo.branches();
    repo.write(RULES, OLD);
    fs::write(repo.root().join(".git/index"), &index).unwrap();
    // Killed while it held the index, with the new file beside the old one; and somebody began to rebase.
    let (lock, rebase) = (repo.root().join(".git/index.lock"), repo.root().join(".git/rebase-merge"));
    repo.write("rules/.cascade.json.cascade-1-0", NEW);
    fs::write(&lock, &index).unwrap();
    fs::create_dir(&rebase).unwrap();
    let busy = repo.save("too slow").unwrap_err();
    assert!(matches!(busy, NotSaved::Busy { what: "rebase" }), "{busy}");
    fs::remove_dir(&rebase).unwrap();
    let locked = repo.save("too slow").unwrap_err();
    assert!(matches!(&locked, NotSaved::Locked(path) if path.ends_with("index.lock")), "{locked}");
    assert_eq!((repo.read(RULES).as_str(), repo.branches()), (OLD, branches.clone()));
    fs::remove_file(&lock).unwrap();
    let again = repo.save("too slow").unwrap().commit.unwrap();
    assert_eq!((again.id, again.unchanged, repo.branches()), (first.id, true, branches));
    assert_eq!((repo.read(RULES).as_str(), lock.exists()), (NEW, false));
}

#[test]
fn what_crashes_left_beside_the_files_is_taken_away() {
    let repo = Repo::new();
    let long_ago = UNIX_EPOCH + Duration::from_hours(24);
    let names = [
        (".cascade.json.cascade-1-0", true, false),
        (".cascade.json.cascade-0011223344556677", true, false),
        (".cascade.json.cascade-8899aabbccddeeff", false, true),
        (".cascade.json.cascade-notes", true, true),
        ("notes.txt", true, true),
    ];
    for (name, is_old, _) in names {
        repo.write(&format!("rules/{name}"), "x");
        if is_old {
            let file = fs::File::options().write(true).open(repo.root().join("rules").join(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
    }
    repo.save("too slow").unwrap();
    for (name, _, stays) in names {
        assert_eq!(repo.root().join("rules").join(name).exists(), stays, "{name}");
    }
    assert_eq!(fs::read_dir(repo.root().join("rules")).unwrap().count(), 4, "and nothing new is left");
}

#[test]
fn where_a_branch_is_in_their_way_drafts_have_a_name_beside_it() {
    let repo = Repo::new();
    let git = repo.git2();
    git.branch("cascade", &git.head().unwrap().peel_to_commit().unwrap(), false).unwrap();
    let first = repo.save("too slow").unwrap().commit.unwrap();
    assert_eq!(first.branch.name, "cascade-2026-11-27-too-slow");
    let second = repo.save_as(RULES, Some(NEW), "{}\n", "even less").unwrap().commit.unwrap();
    assert_eq!((&second.branch.name, second.branch.is_new), (&first.branch.name, false));
    let made = cascade::trail::proposal(&repo.workspace(), None, &repo.settings, &[]).unwrap();
    assert_eq!((made.branch, made.commit), (second.branch.name, second.id));
    let found = cascade::trail::versions(&repo.workspace(), Path::new(RULES), &repo.settings, 9).unwrap();
    assert_eq!(found.len(), 3);
}

#[test]
fn line_ends_and_permissions_are_kept_as_the_repository_wants_them() {
    let repo = Repo::new().onto(Onto::CheckedOut);
    fs::write(repo.root().join(".gitattributes"), "*.json text eol=crlf\n").unwrap();
    fs::write(repo.root().join(RULES), OLD.replace('\n', "\r\n")).unwrap();
    fs::set_permissions(repo.root().join(RULES), fs::Permissions::from_mode(0o755)).unwrap();
    repo.commit_all("As others like it");
    let (seen, new) = (OLD.replace('\n', "\r\n"), NEW.replace('\n', "\r\n"));
    let commit = repo.save_as(RULES, Some(&seen), &new, "too slow").unwrap().commit.unwrap();
    assert_eq!((repo.at("main", RULES).as_deref(), repo.read(RULES)), (Some(NEW), new));
    assert_eq!(fs::metadata(repo.root().join(RULES)).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(repo.changed(&commit.id), [RULES]);
    assert!(repo.status().is_empty());
}

#[test]
fn two_files_are_one_commit() {
    let repo = Repo::new();
    let files = [file(RULES, Some(OLD), NEW), file("rules/content/voice.md", None, "Hello\n")];
    let commit = repo.with(&files, "too slow", Uncommitted::Refuse).unwrap().commit.unwrap();
    assert_eq!(repo.changed(&commit.id), [RULES, "rules/content/voice.md"]);
    assert_eq!(repo.branches().len(), 2);
}

#[test]
fn what_the_branch_has_already_is_no_commit() {
    let repo = Repo::new();
    let before = repo.branches();
    let commit = repo.save_as(RULES, Some(OLD), OLD, "nothing").unwrap().commit.unwrap();
    assert!(commit.unchanged);
    assert_eq!((commit.branch.name.as_str(), commit.id), ("main", before["main"].to_string()));
    assert_eq!(repo.branches(), before);
}

#[test]
fn who_commits_is_said_by_the_environment_before_the_configuration() {
    let repo = Repo::new();
    let env = |name: &str| match name {
        "GIT_AUTHOR_NAME" => Some("Cy Night".to_owned()),
        "GIT_AUTHOR_EMAIL" => Some("cy@example.com".to_owned()),
        _ => None,
    };
    let (message, files) = (message("too slow"), [file(RULES, Some(OLD), NEW)]);
    let (workspace, settings, uncommitted) = (repo.workspace(), &repo.settings, Uncommitted::Refuse);
    let save = Save {
        workspace: &workspace,
        files: &files,
        message: &message,
        uncommitted,
        settings,
        at: crate::repo::NOON,
    };
    let commit = cascade::trail::commit(&save, &env).unwrap().commit.unwrap();
    assert_eq!(commit.author, "Cy Night <cy@example.com>");
    let git = repo.git2();
    let made = git.find_commit(Oid::from_str(&commit.id).unwrap()).unwrap();
    assert_eq!(made.committer().name(), Some("Ana Ops"));
    assert_eq!(made.time().seconds() * 1000, crate::repo::NOON.millis());
}

#[test]
fn hooks_that_did_not_run_are_named() {
    let repo = Repo::new();
    let hooks = repo.root().join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    let hook = hooks.join("commit-msg");
    fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(repo.save("too slow").unwrap().notes, [Note::HooksNotRun(vec!["commit-msg".into()])]);
}
