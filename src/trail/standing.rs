//! In which commit bytes stand: what a campaign's `rules_commit` says.

use super::ground::Ground;
use super::{NotSaved, Settings, branch};
use crate::model::At;
use git2::{Commit, Oid, Repository};
use std::path::Path;

/// Commits that are looked at on the way back; a file that nobody changed for longer stands in the last of them.
const STEPS_MAX: usize = 50_000;

/// Where bytes stand in the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The commit that brought them, forty hexadecimal digits; `None`: they are in no commit of HEAD, the base branch
    /// or a draft.
    pub commit: Option<String>,
    /// When that commit was made; `None` as well where the history was cut off before it.
    pub since: Option<At>,
    /// The branch on which they were found; `None` with a HEAD that stands on none.
    pub branch: Option<String>,
    /// The newest commit there, forty hexadecimal digits.
    pub tip: Option<String>,
    /// The branch whose rules are everybody's.
    pub base: Option<String>,
    /// That branch's own version is this.
    pub is_on_base: bool,
}

/// Where a file's bytes stand; `None` where there is no repository.
pub fn standing(
    workspace: &Path,
    path: &Path,
    bytes: &[u8],
    settings: &Settings,
) -> Result<Option<Standing>, NotSaved> {
    let Some(ground) = Ground::find(workspace, [path])? else { return Ok(None) };
    let repo = &ground.repo;
    let Some(place) = ground.places.first() else { return Ok(None) };
    let ids = ids(bytes)?;
    let has = |commit: &Commit<'_>| at(commit, &place.path).is_some_and(|id| ids.contains(&id));
    let base = branch::base(repo, settings);
    let base_tip = base.as_ref().and_then(|name| branch::tip(repo, settings, name));
    let is_on_base = base_tip.as_ref().is_some_and(has);
    let here = repo.head().ok().and_then(|head| {
        let name = head.is_branch().then(|| String::from_utf8_lossy(head.shorthand_bytes()).into_owned());
        Some((name, head.peel_to_commit().ok()?))
    });
    let base_tip = base_tip.map(|commit| (base.clone(), commit));
    let drafts = branch::drafts(repo).into_iter().map(|(name, commit)| (Some(name), commit));
    let found = here.into_iter().chain(base_tip).chain(drafts).find(|(_, commit)| has(commit));
    let Some((branch, newest)) = found else {
        return Ok(Some(Standing { base, is_on_base, ..Standing::default() }));
    };
    let tip = Some(newest.id().to_string());
    let commit = brought(repo, newest, &place.path);
    let is_cut_off = repo.is_shallow() && commit.parent_count() == 0;
    let since = (!is_cut_off).then(|| At::from_secs(commit.time().seconds()));
    Ok(Some(Standing { commit: Some(commit.id().to_string()), since, branch, tip, base, is_on_base }))
}

/// The ids under which git may hold bytes: as they are, and with line ends as most attributes store them.
fn ids(bytes: &[u8]) -> Result<Vec<Oid>, NotSaved> {
    let id = |bytes: &[u8]| Oid::hash_object(git2::ObjectType::Blob, bytes).map_err(NotSaved::git("blob"));
    let mut ids = vec![id(bytes)?];
    if bytes.contains(&b'\r') {
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        ids.push(id(text.as_bytes())?);
    }
    Ok(ids)
}

/// What a commit holds at a path.
pub(super) fn at(commit: &Commit<'_>, path: &Path) -> Option<Oid> {
    commit.tree().ok()?.get_path(path).ok().map(|entry| entry.id())
}

/// Back along the history as long as the file stays the same.
fn brought<'r>(repo: &'r Repository, mut commit: Commit<'r>, path: &Path) -> Commit<'r> {
    let id = at(&commit, path);
    for _ in 0..STEPS_MAX {
        let same = commit.parents().find(|parent| at(parent, path) == id).map(|parent| parent.id());
        match same.and_then(|id| repo.find_commit(id).ok()) {
            Some(parent) => commit = parent,
            None => break,
        }
    }
    commit
}
