//! Before a save: what stands in a file and nobody here has seen. Somebody else changed it since the draft was begun, or
//! changed it and committed nothing. Neither is overwritten, nor taken along, before the operator has chosen.

use super::{Review, close, file};
use crate::runtime::handle::Level;
use crate::runtime::saving::{Moved, Wanted};
use crate::trail::merge::merge;
use crate::tui::editor::changes::changes;
use crate::tui::editor::draft::{File, rules_of};
use crate::tui::editor::{Desk, tidy};
use crate::tui::keys::{self, Cmd};
use crate::tui::model::Model;
use crate::tui::update::Request;

impl Review {
    /// Files that were changed on disk since their drafts were begun.
    pub fn changed_on_disk(&self) -> &[Moved] {
        match &self.preview {
            Some(Err(refusal)) => &refusal.moved,
            Some(Ok(_)) | None => &[],
        }
    }

    /// Whether what is shown to be in no commit has been confirmed.
    pub(super) fn accepts(&self) -> bool {
        !self.accepted.is_empty() && self.shown().is_some_and(|preview| preview.loose == self.accepted)
    }

    /// Whether what is saved is a text of another time: of what stands in the file it need not have anything.
    pub fn replaces(&self) -> bool {
        !matches!(self.wanted, Wanted::Draft(_)) || !self.over.is_empty()
    }
}

/// The first `y` where something is in no commit: what the second one does.
pub(super) fn unaccepted(review: &mut Review) -> Option<String> {
    let preview = review.shown()?;
    if preview.loose.is_empty() || preview.loose == review.accepted {
        return None;
    }
    let (loose, key) = (preview.loose.clone(), keys::key(Cmd::SaveNow));
    let names: Vec<&str> = loose.iter().map(|loose| loose.name.as_str()).collect();
    let then = if review.replaces() { "saves over them" } else { "includes them" };
    let words = format!("{} has changes that nobody committed: {key} again {then}", names.join(", "));
    review.accepted = loose;
    Some(crate::model::clean(&words))
}

/// What is answered to a `y` before that.
pub(super) fn choose_first() -> String {
    let [onto, drop, over] = [Cmd::Reapply, Cmd::DropMoved, Cmd::SaveOver].map(keys::key);
    format!(
        "not saved: choose first: {onto} puts your changes on top of theirs, {drop} drops yours, {over} saves over theirs"
    )
}

/// The draft's changes on top of what stands there now, if nobody changed the same lines in another way.
pub fn merged(desk: &Desk, moved: &Moved) -> Option<String> {
    let file = of(moved)?;
    let mine = desk.drafts.get(&file)?.text();
    // Laid out alike, so that a layout is nobody's change.
    let laid_out = |text: &str| tidy(file, text).unwrap_or_else(|_| text.to_owned());
    let text = merge(&laid_out(&moved.began), &laid_out(&mine), &laid_out(&moved.stands))?;
    let means = file != File::Rules || rules_of(file, &text).is_some();
    (means && tidy(file, &text).is_ok()).then_some(text)
}

/// What is lost if the draft is saved over it, in a few words.
pub fn lost(moved: &Moved) -> String {
    let rules = |text: &str| rules_of(File::Rules, text).filter(|_| of(moved) == Some(File::Rules));
    let said = rules(&moved.began).zip(rules(&moved.stands)).map(|(old, new)| changes(&old, &new));
    if let Some(said) = said.filter(|said| !said.is_empty()) {
        return said.join(", ");
    }
    let diff = crate::trail::diff::diff(moved.began.as_bytes(), moved.stands.as_bytes());
    let lines = |count: usize| crate::phrases::counted(count as u64, "line", "lines");
    format!("{} there, {} gone", lines(diff.added), lines(diff.removed))
}

fn of(moved: &Moved) -> Option<File> {
    File::ALL.into_iter().find(|file| file.path() == moved.name)
}

/// What is to become of a draft whose file somebody else changed.
pub(super) fn run(model: &mut Model, cmd: Cmd) -> Vec<Request> {
    let Some(review) = &model.review else { return Vec::new() };
    let changed = review.changed_on_disk().to_vec();
    match cmd {
        Cmd::Reapply => reapply(model, &changed),
        Cmd::DropMoved => drop_draft(model, &changed),
        _ => save_over(model, changed),
    }
}

/// Theirs, with the draft's changes on it; one that cannot be put together leaves all as they are.
fn reapply(model: &mut Model, changed: &[Moved]) -> Vec<Request> {
    let texts: Option<Vec<String>> = changed.iter().map(|moved| merged(&model.desk, moved)).collect();
    let Some(texts) = texts else {
        let (drop, over) = (keys::key(Cmd::DropMoved), keys::key(Cmd::SaveOver));
        let words =
            format!("both changed the same lines: {drop} drops the draft, {over} saves it over theirs");
        model.tell(Level::Warning, words);
        return Vec::new();
    };
    for (moved, text) in changed.iter().zip(&texts) {
        if let Some(draft) = of(moved).and_then(|file| model.desk.drafts.get_mut(&file)) {
            draft.begin_anew(&moved.stands);
            draft.replace(text);
        }
    }
    again(model, "theirs has all that the draft changed: nothing is left to save")
}

/// The files stay as they stand.
fn drop_draft(model: &mut Model, changed: &[Moved]) -> Vec<Request> {
    for moved in changed {
        if let Some(draft) = of(moved).and_then(|file| model.desk.drafts.get_mut(&file)) {
            draft.begin_anew(&moved.stands);
        }
    }
    again(model, "the draft is dropped: the file stays as it stands on disk")
}

/// The drafts as they are, over what stands there: from here on that is what they are compared with.
fn save_over(model: &mut Model, changed: Vec<Moved>) -> Vec<Request> {
    let Some(review) = &mut model.review else { return Vec::new() };
    if let Wanted::Draft(files) = &mut review.wanted {
        for file in files {
            let stands =
                changed.iter().find(|moved| moved.name == file.name).map(|moved| moved.stands.clone());
            file.base = stands.or_else(|| file.base.take());
        }
    }
    for moved in changed {
        // Changed once more: what is lost is all of it.
        match review.over.iter_mut().find(|over| over.name == moved.name) {
            Some(over) => over.stands = moved.stands,
            None => review.over.push(moved),
        }
    }
    preview(model)
}

/// The drafts that are left, previewed once more; without any the page is closed.
fn again(model: &mut Model, otherwise: &str) -> Vec<Request> {
    let files: Vec<_> = model.desk.changed().map(file).collect();
    if files.is_empty() {
        close(model);
        model.tell(Level::Warning, otherwise);
        return Vec::new();
    }
    if let Some(review) = &mut model.review {
        review.wanted = Wanted::Draft(files);
        review.over.clear();
    }
    preview(model)
}

fn preview(model: &mut Model) -> Vec<Request> {
    model.desk.previews += 1;
    let asked = model.desk.previews;
    let Some(review) = &mut model.review else { return Vec::new() };
    (review.preview, review.asked) = (None, asked);
    vec![Request::Preview(asked, review.wanted.clone())]
}
