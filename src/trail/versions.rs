//! The history of a file: every commit that changed it, on HEAD's branch, the base branch and the drafts.

use super::ground::{Ground, Place};
use super::message;
use super::standing::at;
use super::{NotSaved, Settings, branch, identity};
use crate::model::{At, Untrusted};
use git2::{Commit, Oid, Repository, Sort};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::path::Path;

/// Commits that are looked at.
const COMMITS_MAX: usize = 100_000;

/// A version of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The commit, forty hexadecimal digits.
    pub id: String,
    /// When it was written, by its author's clock.
    pub at: At,
    /// `Ana <ana@example.com>`
    pub author: Untrusted,
    /// The message's first line.
    pub subject: Untrusted,
    /// The rest of it, without our trailers.
    pub reason: Untrusted,
    /// Whom it moved, in numbers, where it says so.
    pub counts: Option<Untrusted>,
    /// What the file held; `None`: it was taken away.
    pub bytes: Option<Vec<u8>>,
    /// What it held in the commit that this one builds on, the first of two that were merged; `None`: it was not there.
    pub before: Option<Vec<u8>>,
    /// SHA-256 of the bytes: what the store knows a version by.
    pub hash: Option<String>,
    /// It is part of the base branch.
    pub is_on_base: bool,
}

/// The versions of a file, the newest first, at most `limit`; none where there is no repository.
pub fn versions(
    workspace: &Path,
    path: &Path,
    settings: &Settings,
    limit: usize,
) -> Result<Vec<Version>, NotSaved> {
    let Some(ground) = Ground::find(workspace, [path])? else { return Ok(Vec::new()) };
    let (repo, Some(place)) = (&ground.repo, ground.places.first()) else { return Ok(Vec::new()) };
    let base = branch::base(repo, settings).and_then(|name| branch::tip(repo, settings, &name));
    let on_base = base.as_ref().map(|tip| reachable(repo, tip.id())).transpose()?.unwrap_or_default();
    let mut walk = repo.revwalk().map_err(NotSaved::git("history"))?;
    walk.set_sorting(Sort::TIME | Sort::TOPOLOGICAL).map_err(NotSaved::git("history"))?;
    let head = repo.head().ok().and_then(|head| head.peel_to_commit().ok());
    let drafts = branch::drafts(repo).into_iter().map(|(_, commit)| commit);
    for tip in head.into_iter().chain(base).chain(drafts) {
        walk.push(tip.id()).map_err(NotSaved::git("history"))?;
    }
    let mut found = Vec::new();
    for id in walk.take(COMMITS_MAX) {
        if found.len() == limit {
            break;
        }
        let commit = id.and_then(|id| repo.find_commit(id)).map_err(NotSaved::git("history"))?;
        let own = at(&commit, &place.path);
        let changed = match commit.parent_count() {
            0 => own.is_some(),
            _ => commit.parents().all(|parent| at(&parent, &place.path) != own),
        };
        if changed {
            found.push(version(repo, place, &commit, &on_base)?);
        }
    }
    Ok(found)
}

/// A file's bytes in a commit, named by its id or the beginning of one; `None`: it is not in it.
pub fn bytes_at(workspace: &Path, path: &Path, commit: &str) -> Result<Option<Vec<u8>>, NotSaved> {
    let Some(ground) = Ground::find(workspace, [path])? else { return Ok(None) };
    let Some(place) = ground.places.first() else { return Ok(None) };
    let commit = ground.repo.find_commit_by_prefix(commit).map_err(NotSaved::git("history"))?;
    bytes(&ground.repo, place, &commit)
}

fn bytes(repo: &Repository, place: &Place, commit: &Commit<'_>) -> Result<Option<Vec<u8>>, NotSaved> {
    let blob = at(commit, &place.path).map(|id| repo.find_blob(id)).transpose();
    Ok(blob.map_err(NotSaved::git("blob"))?.map(|blob| blob.content().to_vec()))
}

fn reachable(repo: &Repository, from: Oid) -> Result<HashSet<Oid>, NotSaved> {
    let mut walk = repo.revwalk().map_err(NotSaved::git("history"))?;
    walk.push(from).map_err(NotSaved::git("history"))?;
    walk.take(COMMITS_MAX).collect::<Result<_, _>>().map_err(NotSaved::git("history"))
}

fn version(
    repo: &Repository,
    place: &Place,
    commit: &Commit<'_>,
    on_base: &HashSet<Oid>,
) -> Result<Version, NotSaved> {
    let said = message::read(&String::from_utf8_lossy(commit.message_bytes()));
    let (parent, now) = (commit.parent(0).ok(), bytes(repo, place, commit)?);
    let before = parent.map(|parent| bytes(repo, place, &parent)).transpose()?.flatten();
    Ok(Version {
        id: commit.id().to_string(),
        at: At::from_secs(commit.author().when().seconds()),
        author: identity::shown(&commit.author()).into(),
        subject: said.subject.into(),
        reason: said.reason.into(),
        counts: said.counts.map(Untrusted::from),
        hash: now.as_ref().map(|bytes| hex::encode(Sha256::digest(bytes))),
        bytes: now,
        before,
        is_on_base: on_base.contains(&commit.id()),
    })
}
