//! A repository with a workspace in it, and what can be said of both.

use cascade::model::At;
use cascade::trail::{self, Ahead, File, Message, NotSaved, Onto, Save, Saved, Settings, Uncommitted};
use git2::{IndexAddOption, Oid, Repository, RepositoryInitOptions, Signature};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

pub const RULES: &str = "rules/cascade.json";
pub const OLD: &str = "{ \"wait\": \"6h\" }\n";
pub const NEW: &str = "{ \"wait\": \"4h\" }\n";

/// 2026-11-27 12:00 UTC: the same day everywhere but on islands.
pub const NOON: At = At::from_secs(1_795_780_800);

pub struct Repo {
    pub dir: TempDir,
    /// The workspace, relative to the repository.
    pub sub: PathBuf,
    pub settings: Settings,
}

/// Whether the machine has git; a test that needs it says so otherwise.
pub fn has_git() -> bool {
    let found = Command::new("git").arg("--version").output().is_ok_and(|done| done.status.success());
    if !found {
        println!("skipped: there is no git on this machine");
    }
    found
}

/// Runs git, which must succeed; nothing of this machine's configuration has a say.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let done = bare_git(dir, args);
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "git {args:?}: {err}");
    String::from_utf8(done.stdout).unwrap()
}

pub fn bare_git(dir: &Path, args: &[&str]) -> std::process::Output {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(dir)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    command.output().unwrap()
}

impl Repo {
    /// Without a commit.
    pub fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo =
            Repository::init_opts(dir.path(), RepositoryInitOptions::new().initial_head("main")).unwrap();
        let mut config = repo.config().unwrap();
        for (key, value) in
            [("user.name", "Ana Ops"), ("user.email", "ana@example.com"), ("commit.gpgsign", "false")]
        {
            config.set_str(key, value).unwrap();
        }
        Self { dir, sub: PathBuf::new(), settings: Settings::default() }
    }

    /// One commit on `main` with the rules and two files of other people.
    pub fn new() -> Self {
        Self::inside("")
    }

    /// The same, the workspace being a directory of the repository.
    pub fn inside(sub: &str) -> Self {
        let mut repo = Self::empty();
        repo.sub = sub.into();
        repo.write(RULES, OLD);
        fs::write(repo.root().join("others.txt"), "theirs\n").unwrap();
        fs::write(repo.root().join("more.txt"), "theirs too\n").unwrap();
        repo.commit_all("The first");
        repo
    }

    pub fn onto(mut self, branch: Onto) -> Self {
        self.settings.branch = branch;
        self
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn workspace(&self) -> PathBuf {
        self.root().join(&self.sub)
    }

    pub fn git2(&self) -> Repository {
        Repository::open(self.root()).unwrap()
    }

    /// A file of the workspace.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.workspace().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.workspace().join(name)).unwrap()
    }

    /// Commits everything on HEAD, as somebody else.
    pub fn commit_all(&self, message: &str) -> Oid {
        let repo = self.git2();
        let mut index = repo.index().unwrap();
        index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repo.find_tree(index.write_tree().unwrap()).unwrap();
        let who = Signature::now("Bo Dev", "bo@example.com").unwrap();
        let parent = repo.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<_> = parent.iter().collect();
        repo.commit(Some("HEAD"), &who, &who, message, &tree, &parents).unwrap()
    }

    pub fn stage(&self, name: &str) {
        let repo = self.git2();
        let mut index = repo.index().unwrap();
        index.add_path(Path::new(name)).unwrap();
        index.write().unwrap();
    }

    /// Makes a branch at HEAD and stands on it.
    pub fn switch_to_new(&self, name: &str) {
        let repo = self.git2();
        let head = repo.head().unwrap().peel_to_commit().unwrap();
        repo.branch(name, &head, false).unwrap();
        repo.set_head(&format!("refs/heads/{name}")).unwrap();
    }

    pub fn branches(&self) -> BTreeMap<String, Oid> {
        let repo = self.git2();
        let all = repo.branches(Some(git2::BranchType::Local)).unwrap();
        let named = all.map(|found| {
            let (branch, _) = found.unwrap();
            (branch.name().unwrap().unwrap().to_owned(), branch.get().target().unwrap())
        });
        named.collect()
    }

    /// What a branch has at a path.
    pub fn at(&self, branch: &str, path: &str) -> Option<String> {
        let repo = self.git2();
        let tree = repo.find_branch(branch, git2::BranchType::Local).unwrap().get().peel_to_tree().unwrap();
        let blob = tree.get_path(Path::new(path)).ok()?.to_object(&repo).unwrap().peel_to_blob().unwrap();
        Some(String::from_utf8(blob.content().to_vec()).unwrap())
    }

    /// The paths that a commit changes against its first parent.
    pub fn changed(&self, commit: &str) -> Vec<String> {
        let repo = self.git2();
        let commit = repo.find_commit(Oid::from_str(commit).unwrap()).unwrap();
        let before = commit.parent(0).ok().map(|parent| parent.tree().unwrap());
        let diff = repo.diff_tree_to_tree(before.as_ref(), Some(&commit.tree().unwrap()), None).unwrap();
        diff.deltas().map(|delta| delta.new_file().path().unwrap().to_string_lossy().into_owned()).collect()
    }

    /// Everything on disk but loose objects: what nobody points at changes nothing.
    pub fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        gather(self.root(), &mut found);
        found.retain(|path, _| !path.strip_prefix(self.root()).unwrap().starts_with(".git/objects"));
        found
    }

    /// From the old wait to the new one, for a reason.
    pub fn save(&self, reason: &str) -> Result<Saved, NotSaved> {
        self.save_as(RULES, Some(OLD), NEW, reason)
    }

    pub fn save_as(
        &self,
        path: &str,
        seen: Option<&str>,
        new: &str,
        reason: &str,
    ) -> Result<Saved, NotSaved> {
        self.with(&[file(path, seen, new)], reason, Uncommitted::Refuse)
    }

    pub fn with(&self, files: &[File], reason: &str, uncommitted: Uncommitted) -> Result<Saved, NotSaved> {
        let message = message(reason);
        let (workspace, settings) = (self.workspace(), &self.settings);
        let save = Save { workspace: &workspace, files, message: &message, uncommitted, settings, at: NOON };
        trail::commit(&save, &|_| None)
    }

    /// From the new wait on, with a subject of its own.
    pub fn with_subject(&self, subject: &str, reason: &str) -> Result<Saved, NotSaved> {
        let message = Message { subject: subject.into(), ..message(reason) };
        let (workspace, settings) = (self.workspace(), &self.settings);
        let files = [file(RULES, Some(NEW), "{ \"wait\": \"3h\" }\n")];
        let (uncommitted, at) = (Uncommitted::Refuse, NOON);
        trail::commit(
            &Save { workspace: &workspace, files: &files, message: &message, uncommitted, settings, at },
            &|_| None,
        )
    }

    pub fn look(&self, reason: &str) -> Result<Ahead, NotSaved> {
        let (message, files) = (message(reason), [file(RULES, Some(OLD), NEW)]);
        let (workspace, settings, uncommitted) = (self.workspace(), &self.settings, Uncommitted::Refuse);
        let save =
            Save { workspace: &workspace, files: &files, message: &message, uncommitted, settings, at: NOON };
        trail::look(&save, &|_| None)
    }

    /// Git's own word on the working tree, without what it would say of branches.
    pub fn status(&self) -> Vec<String> {
        let repo = self.git2();
        let statuses = repo.statuses(None).unwrap();
        let lines: Vec<String> =
            statuses.iter().map(|one| format!("{:?} {}", one.status(), one.path().unwrap())).collect();
        if has_git() {
            let theirs = git(self.root(), &["status", "--porcelain"]);
            assert_eq!(
                theirs.lines().count(),
                lines.len(),
                "git and libgit2 see the same: {theirs} {lines:?}"
            );
            git(self.root(), &["fsck", "--strict"]);
        }
        lines
    }
}

pub fn file(path: &str, seen: Option<&str>, new: &str) -> File {
    File {
        path: path.into(),
        seen: seen.map(|seen| seen.as_bytes().to_vec()),
        bytes: new.as_bytes().to_vec(),
    }
}

pub fn message(reason: &str) -> Message {
    Message {
        subject: "whatsapp waits 4h instead of 6h".into(),
        reason: reason.into(),
        counts: vec![("re-timed".into(), 60), ("at once".into(), 3)],
        rules_hash: "ab".repeat(32),
    }
}

fn gather(dir: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            found.insert(path.clone(), fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
        } else if path.is_dir() {
            gather(&path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
}
