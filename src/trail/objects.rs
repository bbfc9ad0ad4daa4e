//! Blobs, trees and the commit itself, and that they are on disk before anything points at them.

use super::branch::Target;
use super::ground::{Ground, Place};
use super::identity::Identity;
use super::{NotSaved, sign};
use git2::build::TreeUpdateBuilder;
use git2::{AttrCheckFlags, AttrValue, ErrorCode, FileMode, Oid, Repository, Tree};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Writes bytes as git would add them from a working file: line ends as the attributes of its path say.
pub(super) fn blob(repo: &Repository, path: &Path, bytes: &[u8]) -> Result<Oid, NotSaved> {
    let mut writer = repo.blob_writer(Some(path)).map_err(fault(repo, "blob"))?;
    let at = repo.path().join("objects");
    writer.write_all(bytes).map_err(|source| NotSaved::Disk { path: at, doing: "written", source })?;
    writer.commit().map_err(fault(repo, "blob"))
}

/// Fails where a program of the user's would have to change the bytes on their way into git.
pub(super) fn is_plain(repo: &Repository, place: &Place) -> Result<(), NotSaved> {
    let found = repo
        .get_attr(&place.path, "filter", AttrCheckFlags::default())
        .map_err(NotSaved::git("attributes"))?;
    match AttrValue::from_string(found) {
        AttrValue::String(filter) => {
            Err(NotSaved::Filtered { path: place.name.clone(), filter: filter.to_owned() })
        }
        AttrValue::True | AttrValue::False | AttrValue::Bytes(_) | AttrValue::Unspecified => Ok(()),
    }
}

/// A path as the branch's tree spells it, and what it holds there. Where capitals are not told apart, the tree's own
/// spelling is the file's name; where they are, a second spelling is refused, since others' machines would merge the two.
pub(super) fn in_tree(
    repo: &Repository,
    tree: Option<&Tree<'_>>,
    place: &Place,
) -> Result<(PathBuf, Option<(Oid, i32)>), NotSaved> {
    let Some(tree) = tree else { return Ok((place.path.clone(), None)) };
    let (mut spelled, mut at, mut found) = (PathBuf::new(), Some(tree.clone()), None);
    for part in place.path.components().map(|part| part.as_os_str().as_encoded_bytes()) {
        let here = at.take();
        let entries = || here.iter().flat_map(|tree| tree.iter());
        let exact = entries().find(|entry| entry.name_bytes() == part);
        let entry = exact.or_else(|| entries().find(|entry| is_alike(entry.name_bytes(), part)));
        let name = entry.as_ref().map_or(part, |entry| entry.name_bytes());
        spelled.push(String::from_utf8_lossy(name).as_ref());
        at = entry.as_ref().and_then(|entry| entry.to_object(repo).ok()?.into_tree().ok());
        found = entry.map(|entry| (entry.id(), entry.filemode()));
    }
    let ignores_case = repo.config().and_then(|config| config.get_bool("core.ignorecase")).unwrap_or(false);
    if spelled != place.path && !ignores_case {
        return Err(NotSaved::CaseClash { path: place.path.clone(), there: spelled });
    }
    Ok((spelled, found))
}

fn is_alike(a: &[u8], b: &[u8]) -> bool {
    let lower = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_lowercase();
    lower(a) == lower(b)
}

/// The tip's tree with these paths in it.
pub(super) fn tree(
    repo: &Repository,
    baseline: Option<&Tree<'_>>,
    entries: &[(PathBuf, Oid, i32)],
) -> Result<Oid, NotSaved> {
    let empty;
    let baseline = if let Some(tree) = baseline {
        tree
    } else {
        let id = repo.treebuilder(None).and_then(|builder| builder.write()).map_err(fault(repo, "tree"))?;
        empty = repo.find_tree(id).map_err(fault(repo, "tree"))?;
        &empty
    };
    let mut builder = TreeUpdateBuilder::new();
    for (path, id, mode) in entries {
        let mode = if *mode == i32::from(FileMode::BlobExecutable) {
            FileMode::BlobExecutable
        } else {
            FileMode::Blob
        };
        builder.upsert(path.as_path(), *id, mode);
    }
    builder.create_updated(repo, baseline).map_err(fault(repo, "tree"))
}

/// The commit, signed by the user's git where the configuration wants that.
pub(super) fn commit(
    ground: &Ground,
    target: &Target<'_>,
    tree: Oid,
    who: &Identity,
    message: &str,
) -> Result<Oid, NotSaved> {
    let repo = &ground.repo;
    if sign::is_wanted(repo) {
        return sign::commit(repo, target, tree, who, message);
    }
    let tree = repo.find_tree(tree).map_err(fault(repo, "tree"))?;
    let parents: Vec<_> = target.tip.iter().collect();
    repo.commit(None, &who.author, &who.committer, message, &tree, &parents).map_err(fault(repo, "commit"))
}

/// Makes sure that a commit, its tree on the way to these paths, and their blobs survive a power cut. libgit2 leaves that to
/// the system; a branch must not point at what may vanish.
pub(super) fn settle(repo: &Repository, commit: Oid, paths: &[(PathBuf, Oid, i32)]) -> Result<(), NotSaved> {
    let root = repo.find_commit(commit).and_then(|commit| commit.tree()).map_err(NotSaved::git("tree"))?;
    let mut ids = vec![commit, root.id()];
    for (path, blob, _) in paths {
        ids.push(*blob);
        let dirs = path.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty());
        ids.extend(dirs.filter_map(|dir| root.get_path(dir).ok()).map(|entry| entry.id()));
    }
    let objects = repo.commondir().join("objects");
    for id in ids {
        let hex = id.to_string();
        let dir = objects.join(&hex[..2]);
        let file = dir.join(&hex[2..]);
        // One that is in a pack was settled by whoever packed it.
        if file.exists() {
            sync(&file)?;
            sync(&dir)?;
        }
    }
    Ok(())
}

/// On disk before we go on.
pub(super) fn sync(path: &Path) -> Result<(), NotSaved> {
    File::open(path).and_then(|file| file.sync_all()).map_err(NotSaved::disk(path, "written"))
}

/// What libgit2's refusal means: a lock, the system's refusal, or another fault.
pub(super) fn fault(repo: &Repository, doing: &'static str) -> impl FnOnce(git2::Error) -> NotSaved {
    let dir = repo.path().to_owned();
    move |why| match why.code() {
        ErrorCode::Locked => NotSaved::Locked(locked(&dir, why.message())),
        _ if why.class() == git2::ErrorClass::Os => {
            let source = std::io::Error::other(crate::model::clean(why.message()));
            NotSaved::Disk { path: dir, doing: "written", source }
        }
        _ => NotSaved::git(doing)(why),
    }
}

/// The lock's own path, where libgit2 names it.
fn locked(dir: &Path, words: &str) -> PathBuf {
    let named =
        words.split('\'').map(PathBuf::from).find(|word| word.extension().is_some_and(|end| end == "lock"));
    named.unwrap_or_else(|| dir.to_owned())
}
