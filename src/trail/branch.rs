//! Which branch a save goes onto; see the module's page for why.

use super::ground::Ground;
use super::identity::offset_min;
use super::{Branch, File, Message, NotSaved, Onto, Save, Settings};
use crate::model::At;
use chrono::TimeDelta;
use git2::{BranchType, Commit, ErrorCode, Oid, Reference, Repository, Tree};
use std::path::{Path, PathBuf};

/// What drafts begin with.
const DRAFTS: &str = "cascade/";

/// What they begin with, before their date, where a branch `cascade` leaves no room for branches below it.
const BESIDE: &str = "cascade-";

/// How a day and what parts it from the reason is written.
const DAY: &str = "0000-00-00-";

/// Longest slug of a reason in a branch's name.
const SLUG_MAX: usize = 40;

/// Drafts of one day with one reason.
const SAME_NAME_MAX: usize = 1000;

/// Where HEAD stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// On a branch with commits.
    On(String),
    /// On a branch without any.
    Unborn(String),
    /// On a commit.
    Detached,
}

impl Head {
    pub fn of(repo: &Repository) -> Result<Self, NotSaved> {
        match repo.head() {
            Ok(head) if head.is_branch() => Ok(Self::On(short(&head))),
            Ok(_) => Ok(Self::Detached),
            Err(why) if matches!(why.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                let head = repo.find_reference("HEAD").map_err(NotSaved::git("HEAD"))?;
                let target =
                    String::from_utf8_lossy(head.symbolic_target_bytes().unwrap_or_default()).into_owned();
                Ok(Self::Unborn(target.trim_start_matches("refs/heads/").to_owned()))
            }
            Err(why) => Err(NotSaved::git("HEAD")(why)),
        }
    }

    /// The branch's name.
    pub fn branch(&self) -> Option<&str> {
        match self {
            Self::On(name) | Self::Unborn(name) => Some(name),
            Self::Detached => None,
        }
    }
}

fn short(reference: &Reference<'_>) -> String {
    String::from_utf8_lossy(reference.shorthand_bytes()).into_owned()
}

/// A branch, and what a commit there builds on.
pub(super) struct Target<'r> {
    pub branch: Branch,
    /// What the commit's parent is; `None`: it is the first.
    pub tip: Option<Commit<'r>>,
}

impl Target<'_> {
    /// `refs/heads/…`
    pub fn reference(&self) -> String {
        format!("refs/heads/{}", self.branch.name)
    }

    /// The tip's tree.
    pub fn tree(&self) -> Result<Option<Tree<'_>>, NotSaved> {
        self.tip.as_ref().map(Commit::tree).transpose().map_err(NotSaved::git("tree"))
    }
}

/// The branch whose rules are everybody's: the one that is named, or the remote's own, or the usual names, or the only
/// one there is.
pub(super) fn base(repo: &Repository, settings: &Settings) -> Option<String> {
    if let Some(named) = &settings.base {
        return Some(named.clone());
    }
    let head = repo.find_reference(&format!("refs/remotes/{}/HEAD", settings.remote)).ok();
    let prefix = format!("refs/remotes/{}/", settings.remote);
    let of_remote =
        head.as_ref().and_then(|head| head.symbolic_target()?.strip_prefix(&prefix).map(str::to_owned));
    let usual = ["main", "master"].map(str::to_owned);
    let known = of_remote.into_iter().chain(usual).find(|name| tip(repo, settings, name).is_some());
    known.or_else(|| {
        let mut own = locals(repo).into_iter().filter(|name| !is_draft(name));
        own.next().filter(|_| own.next().is_none())
    })
}

/// The newest commit of the base branch, as it stands here or as it was last fetched.
pub(super) fn tip<'r>(repo: &'r Repository, settings: &Settings, name: &str) -> Option<Commit<'r>> {
    let here = repo.find_branch(name, BranchType::Local);
    let there = || repo.find_branch(&format!("{}/{name}", settings.remote), BranchType::Remote);
    here.or_else(|_| there()).ok()?.get().peel_to_commit().ok()
}

fn locals(repo: &Repository) -> Vec<String> {
    let branches = repo.branches(Some(BranchType::Local)).into_iter().flatten().flatten();
    branches.map(|(branch, _)| short(branch.get())).collect()
}

/// Whether a branch has the name of a draft: one that [`free_name`] gives.
pub(super) fn is_draft(name: &str) -> bool {
    name.starts_with(DRAFTS) || name.strip_prefix(BESIDE).is_some_and(begins_with_a_day)
}

/// `2026-11-27-…`
fn begins_with_a_day(text: &str) -> bool {
    let fits = |(shape, is): (char, char)| if shape == '0' { is.is_ascii_digit() } else { is == shape };
    text.len() > DAY.len() && DAY.chars().zip(text.chars()).all(fits)
}

/// Local drafts, the newest first.
pub(super) fn drafts(repo: &Repository) -> Vec<(String, Commit<'_>)> {
    let named = locals(repo).into_iter().filter(|name| is_draft(name));
    let mut drafts: Vec<_> = named
        .filter_map(|name| {
            let commit = repo.find_branch(&name, BranchType::Local).ok()?.get().peel_to_commit().ok()?;
            Some((name, commit))
        })
        .collect();
    drafts.sort_by_key(|(_, commit)| std::cmp::Reverse(commit.time().seconds()));
    drafts
}

/// Chooses the branch for a save.
pub(super) fn choose<'r>(ground: &'r Ground, save: &Save<'_>) -> Result<Target<'r>, NotSaved> {
    let repo = &ground.repo;
    let head = Head::of(repo)?;
    let base = base(repo, save.settings);
    let without_base = || base.as_ref().is_none_or(|base| tip(repo, save.settings, base).is_none());
    let stands_here = match (&head, save.settings.branch) {
        (Head::Detached, Onto::CheckedOut) => return Err(NotSaved::Detached),
        (_, Onto::CheckedOut) => true,
        (Head::Detached, Onto::Auto | Onto::Draft) | (Head::On(_), Onto::Draft) => false,
        (Head::Unborn(_), Onto::Auto | Onto::Draft) => without_base(),
        // Where no base is known there is nothing to keep clean of drafts.
        (Head::On(name), Onto::Auto) => base.as_ref() != Some(name),
    };
    match head.branch().filter(|_| stands_here) {
        Some(name) => Ok(here(repo, name, base)),
        None => draft(ground, save, base),
    }
}

fn here<'r>(repo: &'r Repository, name: &str, base: Option<String>) -> Target<'r> {
    let tip = repo.find_branch(name, BranchType::Local).ok().and_then(|b| b.get().peel_to_commit().ok());
    let base = base.filter(|base| base != name);
    Target {
        branch: Branch { name: name.to_owned(), base, is_new: tip.is_none(), is_checked_out: true },
        tip,
    }
}

/// The open draft, or a new one from the base branch's tip.
fn draft<'r>(ground: &'r Ground, save: &Save<'_>, base: Option<String>) -> Result<Target<'r>, NotSaved> {
    let repo = &ground.repo;
    let name = base.unwrap_or_else(|| "main".into());
    let Some(from) = tip(repo, save.settings, &name) else { return Err(NotSaved::NoBase(name)) };
    let branch = |name: String, is_new| Branch { name, base: None, is_new, is_checked_out: false };
    let with_base = |branch: Branch| Branch { base: Some(name.clone()), ..branch };
    for (draft, commit) in drafts(repo) {
        if is_ours(ground, save, &commit, &from)? {
            if let Some(at) = elsewhere(repo, &draft) {
                return Err(NotSaved::Elsewhere { branch: draft, at });
            }
            let is_checked_out = Head::of(repo)?.branch() == Some(&draft);
            let branch = Branch { is_checked_out, ..with_base(branch(draft, false)) };
            return Ok(Target { branch, tip: Some(commit) });
        }
    }
    let new = free_name(repo, save.message, save.at);
    Ok(Target { branch: with_base(branch(new, true)), tip: Some(from) })
}

/// Whether a draft is the one to go on with: the open one, or what this very save had made when a crash cut it off.
fn is_ours(
    ground: &Ground,
    save: &Save<'_>,
    draft: &Commit<'_>,
    base: &Commit<'_>,
) -> Result<bool, NotSaved> {
    if is_of(draft, save) && holds(ground, save.files, draft)? {
        return Ok(true);
    }
    is_open(ground, draft, base)
}

/// Whether the working files hold what a draft changes, and another branch does not yet.
pub(super) fn is_open(ground: &Ground, draft: &Commit<'_>, other: &Commit<'_>) -> Result<bool, NotSaved> {
    let repo = &ground.repo;
    let fault = NotSaved::git;
    let common = match repo.merge_base(draft.id(), other.id()) {
        Ok(common) => common,
        Err(why) if why.code() == ErrorCode::NotFound => return Ok(false),
        Err(why) => return Err(fault("merge base")(why)),
    };
    if common == draft.id() {
        return Ok(false);
    }
    let tree = |id: Oid| repo.find_commit(id).and_then(|commit| commit.tree()).map_err(fault("tree"));
    let (before, drafted, merged) = (tree(common)?, tree(draft.id())?, tree(other.id())?);
    let changes = repo.diff_tree_to_tree(Some(&before), Some(&drafted), None).map_err(fault("diff"))?;
    let (mut held, mut waits) = (true, false);
    for change in changes.deltas() {
        let Some(path) = change.new_file().path() else { continue };
        let id = |tree: &Tree<'_>| tree.get_path(path).ok().map(|entry| entry.id());
        waits |= id(&merged) != id(&drafted);
        held &= working(ground, path)? == id(&drafted);
    }
    Ok(held && waits)
}

/// Whether a commit was made by this very save, earlier: its words at its moment.
pub(super) fn is_of(commit: &Commit<'_>, save: &Save<'_>) -> bool {
    let same_moment = commit.author().when().seconds() == save.at.millis().div_euclid(1000);
    same_moment && commit.message_bytes() == save.message.text().as_bytes()
}

/// Whether a commit has exactly the new bytes of all files.
fn holds(ground: &Ground, files: &[File], commit: &Commit<'_>) -> Result<bool, NotSaved> {
    let tree = commit.tree().map_err(NotSaved::git("tree"))?;
    for (file, place) in files.iter().zip(&ground.places) {
        let id = super::objects::blob(&ground.repo, &place.path, &file.bytes)?;
        if tree.get_path(&place.path).ok().map(|entry| entry.id()) != Some(id) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The id that the working file at a path would have.
pub(super) fn working(ground: &Ground, path: &Path) -> Result<Option<Oid>, NotSaved> {
    let Some(workdir) = ground.repo.workdir() else { return Ok(None) };
    let bytes = super::ground::read(&workdir.join(path))?;
    bytes.map(|bytes| super::objects::blob(&ground.repo, path, &bytes)).transpose()
}

/// The other working tree that stands on a branch.
fn elsewhere(repo: &Repository, branch: &str) -> Option<PathBuf> {
    let stands = |other: &Repository| {
        let on = Head::of(other).ok()?.branch()? == branch;
        (on && other.path() != repo.path()).then(|| other.workdir().unwrap_or(other.path()).to_owned())
    };
    let main = Repository::open(repo.commondir()).ok().filter(|main| !main.is_bare());
    if let Some(at) = main.as_ref().and_then(stands) {
        return Some(at);
    }
    let names = repo.worktrees().ok()?;
    let trees = names.iter().flatten().filter_map(|name| repo.find_worktree(name).ok());
    trees.filter_map(|tree| Repository::open_from_worktree(&tree).ok()).find_map(|other| stands(&other))
}

/// `cascade/DATE-slug`, with a number where that is taken.
fn free_name(repo: &Repository, message: &Message, at: At) -> String {
    let day = (at + TimeDelta::minutes(offset_min(at).into())).utc().format("%Y-%m-%d");
    let text = if message.reason.trim().is_empty() { &message.subject } else { &message.reason };
    let slug = slug(text);
    let dir = if repo.find_branch("cascade", BranchType::Local).is_ok() { BESIDE } else { DRAFTS };
    let name = format!("{dir}{day}-{slug}");
    let taken = |name: &str| repo.find_reference(&format!("refs/heads/{name}")).is_ok();
    let numbered = (2..SAME_NAME_MAX).map(|n| format!("{name}-{n}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name)
}

/// The first words of a reason, as a branch's name may have them.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if slug.len() + word.len() >= SLUG_MAX {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(&word.to_ascii_lowercase());
    }
    if slug.is_empty() { "save".into() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_of_others_are_no_drafts() {
        for name in [
            "cascade",
            "cascade-two",
            "cascade-2026-11-27",
            "cascade-next-2026-11-27-x",
            "main",
            "feature/cascade/x",
        ] {
            assert!(!is_draft(name), "{name}");
        }
    }

    #[test]
    fn a_reason_becomes_a_name_that_git_takes() {
        for (reason, name) in [
            ("Too slow: 6h is a night", "too-slow-6h-is-a-night"),
            ("…", "save"),
            ("Zu langsam, größer", "zu-langsam-gr-er"),
            ("a/../b.lock @{x} ~^:?*[\\", "a-b-lock-x"),
            ("one two three four five six seven eight nine ten", "one-two-three-four-five-six-seven-eight"),
            (&"x".repeat(90), "save"),
        ] {
            assert_eq!(slug(reason), name);
            assert!(
                is_draft(&format!("{DRAFTS}2026-01-05-{name}"))
                    && is_draft(&format!("{BESIDE}2026-01-05-{name}"))
            );
            assert!(Reference::is_valid_name(&format!("refs/heads/cascade/2026-01-05-{name}")), "{name}");
        }
    }
}
