//! Drafts on the disk: those of whoever is in control, so that neither a crash nor `q` loses one. One console's draft is never
//! written over by another's.

use super::draft::{Draft, File};
use super::{Desk, Findings, text_of};
use crate::runtime::handle::Level;
use crate::tui::keys::{self, Cmd};
use crate::tui::model::Model;
use crate::tui::update::Request;
use crate::workspace::bench::{Keeping, Kept};

/// A draft on its way to the disk.
#[derive(Debug)]
pub struct Keep {
    /// Which.
    pub file: File,
    /// Of which revision.
    pub revision: u64,
    /// The draft.
    pub kept: Kept,
    /// Whether it differs from its file; one that does not is taken off the disk.
    pub changed: bool,
    /// What this console kept there before; anything else is another one's, and is not written over.
    pub known: Option<Kept>,
}

impl Desk {
    /// Another console's draft of this file stands on the disk: the one here is in memory alone.
    pub fn is_beside(&self, file: File) -> bool {
        self.kept.iter().any(|kept| kept.file == file.path())
    }

    /// What the disk is to have of a draft.
    pub fn keeping(&self, draft: &Draft) -> Keep {
        let text = draft.text();
        let evidence = if draft.file == File::Rules { self.evidence.of(&text).to_vec() } else { Vec::new() };
        let kept = Kept { file: draft.file.path(), base: draft.base.clone(), text, evidence };
        let known = self.stored.get(&draft.file).cloned();
        Keep { file: draft.file, revision: draft.revision, kept, changed: draft.is_changed(), known }
    }
}

/// Whether the disk is to be read for drafts: once at the start, and once more for whoever comes to be in control.
pub fn looks_for_drafts(model: &mut Model) -> bool {
    let keeps = model.keeps_drafts();
    let has_looked = std::mem::replace(&mut model.desk.asked.found, keeps);
    if keeps && !has_looked {
        // Whoever was in control meanwhile may have taken them off the disk.
        model.desk.drafts.values_mut().filter(|draft| draft.is_changed()).for_each(|draft| draft.kept = 0);
    }
    keeps && !has_looked
}

/// The next draft that the disk does not have as it is.
pub fn wanted(model: &mut Model) -> Option<Request> {
    if !model.keeps_drafts() || model.desk.asked.keep {
        return None;
    }
    let draft = model.desk.drafts.values().find(|draft| draft.kept != draft.revision)?;
    let keep = Box::new(model.desk.keeping(draft));
    model.desk.asked.keep = true;
    Some(Request::Keep(keep))
}

/// One that waits for its place takes it as soon as it can be read, and nothing else is drafted there.
pub fn take_waiting(model: &mut Model) {
    let desk = &mut model.desk;
    if desk.bench.is_none() {
        return;
    }
    let taken = |kept: &Kept| desk.drafts.values().any(|d| d.file.path() == kept.file && d.is_changed());
    let (stay, free) = std::mem::take(&mut desk.kept).into_iter().partition(taken);
    desk.kept = stay;
    take_found(model, free);
}

/// Drafts that the disk keeps. Each goes on from the text that it was begun from, whatever stands in the file by now: what
/// was changed there since is shown before anything is saved over it.
pub fn take_found(model: &mut Model, kept: Vec<Kept>) {
    for found in kept {
        let Some(file) = File::ALL.into_iter().find(|file| file.path() == found.file) else { continue };
        let own = model.desk.drafts.get(&file).filter(|draft| draft.is_changed());
        match own.map(|own| own.text() == found.text) {
            Some(true) => {
                model.desk.stored.insert(file, found);
                continue;
            }
            // Ours, and typed on since.
            Some(false) if model.desk.stored.get(&file) == Some(&found) => continue,
            Some(false) => {
                beside_another(model, file, found);
                continue;
            }
            None => {}
        }
        let Some(stands) = text_of(model, file) else {
            model.desk.kept.push(found);
            continue;
        };
        let base = if stands == found.text { &stands } else { &found.base };
        let mut draft = Draft::new(file, base);
        draft.replace(&found.text);
        draft.kept = draft.revision;
        let moved = if *base == stands { "" } else { "; the file has changed since" };
        let key = keys::key(if file == File::Rules { Cmd::Rules } else { Cmd::Content });
        let words = format!("a draft of {} is here from the last time{moved}: {key} opens it", file.path());
        if draft.is_changed() {
            model.tell_of(file, Level::Warning, words);
        }
        if file == File::Rules {
            model.desk.evidence = Findings::kept(found.evidence.clone(), &found.text);
        }
        model.desk.stored.insert(file, found);
        model.desk.drafts.insert(file, draft);
    }
}

/// Another console's draft of the same file: it stays on the disk, and this one in memory.
fn beside_another(model: &mut Model, file: File, found: Kept) {
    let is_told = model.desk.is_beside(file);
    model.desk.kept.retain(|kept| kept.file != found.file);
    model.desk.kept.push(found);
    if is_told {
        return;
    }
    let (file, key) = (file.path(), keys::key(Cmd::Save));
    let until = format!("stays in memory alone until it is saved ({key}) or dropped");
    model.tell(Level::Warning, format!("another console keeps a draft of {file}: the one here {until}"));
}

/// What came of keeping a draft as it was at a revision.
pub fn take(model: &mut Model, keep: Keep, done: Result<Keeping, String>) {
    let desk = &mut model.desk;
    desk.asked.keep = false;
    if let Some(draft) = desk.drafts.get_mut(&keep.file) {
        draft.kept = keep.revision;
    }
    match done {
        Ok(Keeping::Done) => {
            desk.kept.retain(|other| other.file != keep.kept.file);
            if keep.changed {
                desk.stored.insert(keep.file, keep.kept);
            } else {
                desk.stored.remove(&keep.file);
            }
        }
        Ok(Keeping::Another(other)) if keep.changed => beside_another(model, keep.file, other),
        Ok(Keeping::Another(_)) => {}
        Err(why) => {
            let file = keep.file.path();
            model.tell(Level::Warning, format!("the draft of {file} cannot be kept on disk: {why}"));
        }
    }
}
