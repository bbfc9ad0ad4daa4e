//! The act itself: one commit of the named files, and the files.

use super::branch::{self, Head, Target};
use super::files::Beside;
use super::ground::{self, Ground, Place};
use super::identity::Identity;
use super::index::{self, IndexLock};
use super::objects;
use super::standing::at;
use super::{Ahead, Branch, Committed, Conflict, Env, File, NotSaved, Note, Save, Saved, Uncommitted};
use git2::{ErrorCode, Oid, Tree};
use std::path::PathBuf;

/// Where a save would go and as whom, and what is in its way. Changes nothing.
pub fn look(save: &Save<'_>, env: Env<'_>) -> Result<Ahead, NotSaved> {
    let Some(ground) = find(save)? else {
        unseen(save)?;
        let notes = vec![Note::NoRepository];
        return Ok(Ahead { branch: None, author: None, notes, uncommitted: Vec::new() });
    };
    let plan = Plan::of(&ground, save, env)?;
    Ok(Ahead {
        branch: Some(plan.target.branch.clone()),
        author: Some(plan.who.shown()),
        notes: plan.notes,
        uncommitted: plan.uncommitted,
    })
}

/// Saves: one commit of exactly these files, then the working files. Given the same [`Save`] again after a crash, it does
/// what is missing. Where there is no repository, it writes the files.
pub fn commit(save: &Save<'_>, env: Env<'_>) -> Result<Saved, NotSaved> {
    save.message.names_nobody()?;
    match find(save)? {
        Some(ground) => Plan::of(&ground, save, env)?.carry_out(save),
        None => without_git(save),
    }
}

fn find(save: &Save<'_>) -> Result<Option<Ground>, NotSaved> {
    Ground::find(save.workspace, save.files.iter().map(|file| file.path.as_path()))
}

/// Fails if a working file is neither what the editor began with nor what it is to become.
fn unseen(save: &Save<'_>) -> Result<Vec<PathBuf>, NotSaved> {
    let mut files = Vec::new();
    for file in save.files {
        let path = ground::on_disk(save.workspace, &file.path)?;
        let found = ground::read(&path)?;
        if found != file.seen && found.as_ref() != Some(&file.bytes) {
            return Err(NotSaved::Changed(Box::new(conflict(file, None, found, None))));
        }
        files.push(path);
    }
    Ok(files)
}

fn without_git(save: &Save<'_>) -> Result<Saved, NotSaved> {
    let paths = unseen(save)?;
    let new: Vec<Beside> = save
        .files
        .iter()
        .zip(&paths)
        .map(|(file, path)| Beside::write(path, &file.bytes))
        .collect::<Result<_, _>>()?;
    new.into_iter().try_for_each(Beside::put)?;
    Ok(Saved { commit: None, notes: vec![Note::NoRepository] })
}

fn conflict(
    file: &File,
    branch: Option<&Branch>,
    found: Option<Vec<u8>>,
    committed: Option<Vec<u8>>,
) -> Conflict {
    Conflict {
        path: file.path.clone(),
        branch: branch.map(|branch| branch.name.clone()),
        yours: file.bytes.clone(),
        seen: file.seen.clone(),
        found,
        committed,
    }
}

/// One named file, judged.
struct Entry {
    /// In the branch's tree, in its spelling.
    path: PathBuf,
    /// The new blob.
    id: Oid,
    mode: i32,
    /// What the branch's tip has.
    before: Option<Oid>,
    /// What the working file holds.
    found: Option<Vec<u8>>,
}

/// Everything known before anything is made.
struct Plan<'g> {
    ground: &'g Ground,
    target: Target<'g>,
    entries: Vec<Entry>,
    who: Identity,
    notes: Vec<Note>,
    uncommitted: Vec<Conflict>,
}

impl<'g> Plan<'g> {
    fn of(ground: &'g Ground, save: &Save<'_>, env: Env<'_>) -> Result<Self, NotSaved> {
        ground.is_calm()?;
        let who = Identity::of(&ground.repo, env, save.at)?;
        let target = branch::choose(ground, save)?;
        let mut notes = ground.notes();
        let tree = target.tree()?;
        let (mut entries, mut uncommitted) = (Vec::new(), Vec::new());
        for (file, place) in save.files.iter().zip(&ground.places) {
            let judge = Judge { ground, save, target: &target, tree: tree.as_ref(), file, place };
            entries.push(judge.entry(&mut notes, &mut uncommitted)?);
        }
        drop(tree);
        Ok(Self { ground, target, entries, who, notes, uncommitted })
    }

    fn carry_out(mut self, save: &Save<'_>) -> Result<Saved, NotSaved> {
        let unchanged = self.entries.iter().all(|entry| entry.before == Some(entry.id));
        let tip = self.target.tip.as_ref().map(git2::Commit::id);
        let id = match tip.filter(|_| unchanged) {
            Some(tip) => {
                // A draft without a change of its own is none.
                if let Some(base) = self.target.branch.base.clone().filter(|_| self.target.branch.is_new) {
                    self.target.branch =
                        Branch { name: base, base: None, is_new: false, is_checked_out: false };
                }
                tip
            }
            None => self.make(save)?,
        };
        // Whatever can fail does so before the branch moves.
        let index =
            self.target.branch.is_checked_out.then(|| IndexLock::take(&self.ground.repo)).transpose()?;
        let new = self.beside(save, index.as_ref())?;
        self.still_as_seen(save)?;
        if tip != Some(id) {
            self.move_branch(id, tip, save)?;
        }
        let reference = self.ground.repo.commondir().join(self.target.reference());
        let finish = || {
            if tip != Some(id) {
                objects::sync(&reference)?;
                objects::sync(reference.parent().unwrap_or(&reference))?;
            }
            new.into_iter().flatten().try_for_each(Beside::put)?;
            index.map_or(Ok(()), IndexLock::publish)
        };
        let branch = self.target.branch;
        finish().map_err(|why| NotSaved::Half {
            commit: id.to_string(),
            branch: branch.name.clone(),
            why: Box::new(why),
        })?;
        let committed = Committed { id: id.to_string(), branch, author: self.who.shown(), unchanged };
        Ok(Saved { commit: Some(committed), notes: self.notes })
    }

    /// The objects, on disk; nothing points at them yet.
    fn make(&self, save: &Save<'_>) -> Result<Oid, NotSaved> {
        let repo = &self.ground.repo;
        let entries: Vec<_> =
            self.entries.iter().map(|entry| (entry.path.clone(), entry.id, entry.mode)).collect();
        let tree = objects::tree(repo, self.target.tree()?.as_ref(), &entries)?;
        let id = objects::commit(self.ground, &self.target, tree, &self.who, &save.message.text())?;
        objects::settle(repo, id, &entries)?;
        Ok(id)
    }

    /// The new files beside the old ones, and their entries in the held index.
    fn beside(&self, save: &Save<'_>, index: Option<&IndexLock>) -> Result<Vec<Option<Beside>>, NotSaved> {
        let (mut new, mut staged) = (Vec::new(), Vec::new());
        for ((file, place), entry) in save.files.iter().zip(&self.ground.places).zip(&self.entries) {
            let beside = match &entry.found {
                Some(found) if *found == file.bytes => None,
                _ => Some(Beside::write(&place.file, &file.bytes)?),
            };
            let there = || std::fs::metadata(&place.file).map_err(NotSaved::disk(&place.file, "read"));
            let found = beside.as_ref().map_or_else(there, Beside::metadata)?;
            staged.push(index::entry(&entry.path, entry.id, entry.mode, &found));
            new.push(beside);
        }
        if let Some(index) = index {
            index.stage(staged)?;
        }
        Ok(new)
    }

    /// Fails if a working file changed since it was judged.
    fn still_as_seen(&self, save: &Save<'_>) -> Result<(), NotSaved> {
        for ((file, place), entry) in save.files.iter().zip(&self.ground.places).zip(&self.entries) {
            let found = ground::read(&place.file)?;
            if found != entry.found {
                let branch = Some(&self.target.branch);
                return Err(NotSaved::Changed(Box::new(conflict(file, branch, found, None))));
            }
        }
        Ok(())
    }

    /// The branch, from its tip to the new commit: nobody else's commit is written over.
    fn move_branch(&self, id: Oid, tip: Option<Oid>, save: &Save<'_>) -> Result<(), NotSaved> {
        let repo = &self.ground.repo;
        let name = self.target.reference();
        let log = format!("cascade: {}", save.message.text().lines().next().unwrap_or_default());
        let moved = match tip.filter(|_| !self.target.branch.is_new) {
            Some(tip) => repo.reference_matching(&name, id, true, tip, &log),
            None => repo.reference(&name, id, false, &log),
        };
        moved.map(drop).map_err(|why| match why.code() {
            ErrorCode::Modified | ErrorCode::Exists | ErrorCode::NotFound => {
                NotSaved::Moved(self.target.branch.name.clone())
            }
            _ => objects::fault(repo, "branch")(why),
        })
    }
}

/// What may become of one named file.
struct Judge<'a, 'g> {
    ground: &'a Ground,
    save: &'a Save<'a>,
    target: &'a Target<'g>,
    tree: Option<&'a Tree<'g>>,
    file: &'a File,
    place: &'a Place,
}

impl Judge<'_, '_> {
    fn entry(&self, notes: &mut Vec<Note>, uncommitted: &mut Vec<Conflict>) -> Result<Entry, NotSaved> {
        let (repo, file, place) = (&self.ground.repo, self.file, self.place);
        let found = ground::read(&place.file)?;
        if found != file.seen && found.as_ref() != Some(&file.bytes) {
            return Err(NotSaved::Changed(Box::new(self.conflict(found, None))));
        }
        objects::is_plain(repo, place)?;
        let (path, before) = objects::in_tree(repo, self.tree, place)?;
        let (before, mode) = before.map_or((None, 0), |(id, mode)| (Some(id), mode));
        let staged = match index::staged(repo, &path, &place.name) {
            // An index that only git can read is in nobody's way where it stays as it is.
            Err(NotSaved::Git { .. }) if !self.target.branch.is_checked_out => None,
            staged => staged?,
        };
        let ignored = || repo.is_path_ignored(&path).map_err(NotSaved::git("ignore rules"));
        if before.is_none() && staged.is_none() && ignored()? {
            return Err(NotSaved::Ignored(place.name.clone()));
        }
        let id = objects::blob(repo, &path, &file.bytes)?;
        let held = found.as_ref().map(|bytes| objects::blob(repo, &path, bytes)).transpose()?;
        if let Some(conflict) = self.uncommitted(before, held, found.as_ref(), notes)? {
            notes.push(Note::Included(conflict.path.clone()));
            uncommitted.push(conflict);
        }
        let known = [before, held, Some(id), self.before_the_cut()?];
        if self.target.branch.is_checked_out && staged.is_some() && !known.contains(&staged) {
            return Err(NotSaved::Staged(place.name.clone()));
        }
        Ok(Entry { path, id, mode, before, found })
    }

    /// What stands in the working file must be in a commit, or be new to git, or be wanted: what is, is answered.
    fn uncommitted(
        &self,
        before: Option<Oid>,
        held: Option<Oid>,
        found: Option<&Vec<u8>>,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Conflict>, NotSaved> {
        if before.is_none() {
            notes.push(Note::Added(self.place.name.clone()));
            return Ok(None);
        }
        if held == before || self.is_cut_off()? {
            return Ok(None);
        }
        let committed = || self.bytes(before);
        // The working file is HEAD's, and the branch that the commit goes onto has another one.
        if held.is_some() && held == self.at_head() {
            let conflict = self.conflict(found.cloned(), committed()?);
            return Err(NotSaved::OtherVersion(Box::new(conflict)));
        }
        let conflict = self.conflict(found.cloned(), committed()?);
        match self.save.uncommitted {
            Uncommitted::Include => Ok(Some(conflict)),
            Uncommitted::Refuse => Err(NotSaved::Uncommitted(Box::new(conflict))),
        }
    }

    /// Whether the tip is this very save, cut off by a crash before the working file was written: then the working file
    /// may still be what the tip's parent has.
    fn is_cut_off(&self) -> Result<bool, NotSaved> {
        let Some(tip) = &self.target.tip else { return Ok(false) };
        if !branch::is_of(tip, self.save) {
            return Ok(false);
        }
        let id = objects::blob(&self.ground.repo, &self.place.path, &self.file.bytes)?;
        Ok(self.tree.is_some_and(|tree| tree.get_path(&self.place.path).is_ok_and(|entry| entry.id() == id)))
    }

    /// What the index may still hold after such a crash: the version before.
    fn before_the_cut(&self) -> Result<Option<Oid>, NotSaved> {
        if !self.is_cut_off()? {
            return Ok(None);
        }
        let parent = self.target.tip.as_ref().and_then(|tip| tip.parent(0).ok());
        Ok(parent.and_then(|parent| at(&parent, &self.place.path)))
    }

    fn at_head(&self) -> Option<Oid> {
        match Head::of(&self.ground.repo).ok()? {
            Head::Unborn(_) => None,
            Head::On(_) | Head::Detached => {
                let tree = self.ground.repo.head().ok()?.peel_to_tree().ok()?;
                tree.get_path(&self.place.path).ok().map(|entry| entry.id())
            }
        }
    }

    fn bytes(&self, id: Option<Oid>) -> Result<Option<Vec<u8>>, NotSaved> {
        let blob = id.map(|id| self.ground.repo.find_blob(id)).transpose().map_err(NotSaved::git("blob"))?;
        Ok(blob.map(|blob| blob.content().to_vec()))
    }

    fn conflict(&self, found: Option<Vec<u8>>, committed: Option<Vec<u8>>) -> Conflict {
        conflict(self.file, Some(&self.target.branch), found, committed)
    }
}
