//! Before something is saved: what it changes, whom it moves and when, a choice, a reason. What is confirmed is what was
//! shown: whoever came to wait meanwhile is shown first.

use super::editor::draft::{Draft, File};
use super::editor::{self, Desk};
use super::input::LineInput;
use super::keys::Cmd;
use super::model::{Model, What};
use super::update::{self, Request};
use crate::clock;
use crate::engine::retime::Choice;
use crate::model::{CascadeId, Mode};
use crate::runtime::handle::{Level, Previewed};
use crate::runtime::saving::{DraftFile, EditPreview, Loose, Moved, SaveState, Wanted};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use std::collections::HashSet;
use std::time::Instant;

mod anew;
mod moved;

pub use anew::{take, wants};
pub use moved::{lost, merged};

/// The word that confirms in live, where people are moved.
pub const WORD: &str = "save";

/// Where the keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// To the choice.
    #[default]
    Choice,
    /// To the reason.
    Reason,
    /// To the word that must be typed in live.
    Word,
}

/// What is about to be saved.
#[derive(Debug)]
pub struct Review {
    /// What is previewed.
    pub wanted: Wanted,
    /// The newest preview, or why there is none; `None`: it is being made.
    pub preview: Option<Previewed>,
    /// What becomes of those in flight.
    pub choice: Choice,
    /// The operator chose it; it is not chosen for them any more.
    is_chosen: bool,
    /// Why.
    pub reason: LineInput,
    /// The word, in live.
    pub word: LineInput,
    /// Where the keys go.
    pub field: Field,
    /// Who came since the preview before, after a save was confirmed.
    pub newcomers: HashSet<CascadeId>,
    /// How many left meanwhile.
    pub left: usize,
    /// What somebody else changed and this is saved over, as the operator chose.
    pub over: Vec<Moved>,
    /// What nobody committed and the operator has confirmed.
    accepted: Vec<Loose>,
    /// Confirmed: the preview that comes is compared with the one that was shown.
    confirmed: bool,
    /// It is being written.
    is_saving: bool,
    /// Which preview is awaited; an older answer is none.
    asked: u64,
    /// When it was asked for, and whether the answer has come.
    asking: (Instant, bool),
    /// What is shown was shown again because more people are due at once: the next confirmation counts.
    is_late: bool,
}

impl Review {
    fn new(wanted: Wanted, reason: &str, asked: u64) -> Self {
        Self {
            wanted,
            preview: None,
            choice: Choice::Keep,
            is_chosen: false,
            reason: LineInput::new(reason),
            word: LineInput::new(""),
            field: Field::Choice,
            newcomers: HashSet::new(),
            left: 0,
            over: Vec::new(),
            accepted: Vec::new(),
            confirmed: false,
            is_saving: false,
            asked,
            asking: (clock::wall(), false),
            is_late: false,
        }
    }

    /// What is shown, if it can be saved.
    pub fn shown(&self) -> Option<&EditPreview> {
        self.preview.as_ref()?.as_ref().ok().map(|preview| &**preview)
    }

    /// Whether it is being written.
    pub const fn is_saving(&self) -> bool {
        self.is_saving
    }

    fn choose(&mut self, choice: Choice) {
        (self.choice, self.is_chosen) = (choice, true);
    }

    /// The line being typed.
    pub fn typing(&mut self) -> Option<&mut LineInput> {
        match self.field {
            Field::Choice => None,
            Field::Reason => Some(&mut self.reason),
            Field::Word => Some(&mut self.word),
        }
    }

    /// How many the choice moves.
    pub fn moved(&self) -> u64 {
        let outlook = self.shown().and_then(|preview| preview.outlook(self.choice));
        outlook.map_or(0, |outlook| outlook.moved)
    }
}

/// A save under way. It goes on when its page is closed.
#[derive(Clone, Debug)]
pub struct Saving {
    /// The number of the save before, 0 if there was none.
    before: u64,
    /// What was saved before, and is put in force.
    pending: bool,
    /// The drafts that it saves: file, text.
    drafts: Vec<(String, String)>,
}

/// Opens the page for the drafts there are; what was saved and is not in force comes first.
pub fn open(model: &mut Model) -> Vec<Request> {
    if let Some(saved) = model.picture.saved.as_ref().filter(|saved| saved.state == SaveState::NotInForce) {
        let why = saved.why.clone();
        return begin(model, Wanted::Saved, &why);
    }
    let faulty = model.desk.changed().find(|draft| draft.counts().0 > 0).map(|draft| draft.file);
    if let Some(file) = faulty {
        return to_the_error(model, file);
    }
    for draft in model.desk.drafts.values_mut().filter(|draft| draft.is_changed()) {
        // A draft that cannot be laid out is no JSON, and the preview says where.
        if let Ok(text) = editor::tidy(draft.file, &draft.text()) {
            draft.replace(&text);
        }
    }
    let files: Vec<DraftFile> = model.desk.changed().map(file).collect();
    if files.is_empty() {
        model.tell(Level::Info, "laid out anew, the draft is what it started from: there is nothing to save");
        return Vec::new();
    }
    let reason = model.desk.reason();
    begin(model, Wanted::Draft(files), &reason)
}

fn file(draft: &Draft) -> DraftFile {
    DraftFile { name: draft.file.path(), text: draft.text(), base: Some(draft.base.clone()) }
}

/// A file with an error in it is not saved: the cursor goes there.
fn to_the_error(model: &mut Model, file: File) -> Vec<Request> {
    let shown = matches!(model.pages.last().map(|page| &page.what), Some(What::Editor));
    if !shown || model.desk.open != Some(file) {
        editor::open(model, file);
    }
    model.desk.focus = editor::Focus::Text;
    if let Some(draft) = model.desk.drafts.get_mut(&file) {
        draft.next_problem();
    }
    model.tell(Level::Warning, format!("not saved: {} has an error; the cursor stands at it", file.path()));
    Vec::new()
}

/// Opens the page; `reason` stands in its line already.
pub fn begin(model: &mut Model, wanted: Wanted, reason: &str) -> Vec<Request> {
    model.desk.previews += 1;
    let asked = model.desk.previews;
    model.review = Some(Review::new(wanted.clone(), reason, asked));
    model.pages.retain(|page| !matches!(page.what, What::Review));
    update::open(model, What::Review);
    vec![Request::Preview(asked, wanted)]
}

/// A command of the page.
pub fn run(model: &mut Model, cmd: Cmd) -> Vec<Request> {
    let live = model.mode() == Mode::Live;
    let Some(review) = &mut model.review else { return Vec::new() };
    if review.confirmed || review.is_saving {
        // What was confirmed is what was shown: it does not change under way.
        model.tell(Level::Info, "it is being saved as it was confirmed");
        return Vec::new();
    }
    match cmd {
        Cmd::ChooseKeep => review.choose(Choice::Keep),
        Cmd::ChooseRetime => review.choose(Choice::Retime),
        Cmd::ChooseSpread => review.choose(Choice::RetimeAndSpread),
        Cmd::SayWhy => review.field = Field::Reason,
        Cmd::SaveNow => return confirm(model, live),
        Cmd::Reapply | Cmd::SaveOver | Cmd::DropMoved => return moved::run(model, cmd),
        Cmd::DropSaved if review.wanted == Wanted::Saved => {
            close(model);
            return vec![Request::DropSaved];
        }
        _ => {}
    }
    Vec::new()
}

/// Enter in a line goes on to what is still needed.
pub fn typed(model: &mut Model, key: KeyEvent) {
    let Some(review) = &mut model.review else { return };
    match (key.code, review.field) {
        (KeyCode::Enter, Field::Reason)
        | (KeyCode::Esc | KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down, _) => {
            review.field = Field::Choice;
        }
        (_, _) => {
            if let Some(line) = review.typing() {
                line.press(key);
            }
        }
    }
}

/// Whether Enter confirms: the word is typed, and it is the right one.
pub fn is_confirmed_by(model: &Model, key: KeyEvent) -> bool {
    let typing = model.review.as_ref().is_some_and(|review| review.field == Field::Word);
    typing && key.code == KeyCode::Enter
}

/// Saves what is shown, if everything is there: a preview, a reason, in live the word.
pub fn confirm(model: &mut Model, live: bool) -> Vec<Request> {
    let Some(review) = &mut model.review else { return Vec::new() };
    if review.is_saving() || review.confirmed {
        return Vec::new();
    }
    if model.desk.saving.is_some() {
        model.tell(Level::Warning, "not yet: another save is being written");
        return Vec::new();
    }
    let why = match &review.preview {
        None => Some("not yet: whom it moves is being found out".to_owned()),
        Some(Err(refusal)) if !refusal.moved.is_empty() => Some(moved::choose_first()),
        Some(Err(refusal)) => Some(refusal.lines.join("; ")),
        Some(Ok(_)) => None,
    };
    if let Some(why) = why {
        model.tell(Level::Warning, why);
        return Vec::new();
    }
    if review.reason.text().trim().is_empty() {
        review.field = Field::Reason;
        model.tell(Level::Warning, "say why, in a few words: it stands in the history for good");
        return Vec::new();
    }
    if let Some(words) = moved::unaccepted(review) {
        model.tell(Level::Warning, words);
        return Vec::new();
    }
    if live && review.moved() > 0 && review.word.text().trim() != WORD {
        review.field = Field::Word;
        let words =
            format!("it moves {} for real: type {WORD} and Enter", crate::phrases::people(review.moved()));
        model.tell(Level::Warning, words);
        return Vec::new();
    }
    review.field = Field::Choice;
    if review.shown().is_some_and(|preview| preview.campaign.is_none()) {
        return send(model);
    }
    review.confirmed = true;
    model.desk.previews += 1;
    vec![review.ask(model.desk.previews)]
}

/// The shown preview goes out.
fn send(model: &mut Model) -> Vec<Request> {
    let before = model.picture.saved.as_ref().map_or(0, |saved| saved.number);
    let Some(review) = &mut model.review else { return Vec::new() };
    let Some(number) = review.shown().map(|preview| preview.number) else { return Vec::new() };
    review.is_saving = true;
    let drafts = match &review.wanted {
        Wanted::Draft(files) => files.iter().map(|file| (file.name.clone(), file.text.clone())).collect(),
        _ => Vec::new(),
    };
    model.desk.saving = Some(Saving { before, pending: review.wanted == Wanted::Saved, drafts });
    let why = review.reason.text().trim().to_owned();
    let include = review.accepts();
    vec![Request::Save { preview: number, choice: review.choice, why, include }]
}

/// A new picture: whether what is being saved is in force now.
pub fn follow(model: &mut Model) -> bool {
    let (Some(saving), Some(saved)) = (&model.desk.saving, model.picture.saved.clone()) else { return false };
    if !saving.pending && saved.number == saving.before {
        return false;
    }
    match &saved.state {
        SaveState::InForce { .. } => {
            if let Some(saving) = model.desk.saving.take() {
                model.desk.saved(&saving);
            }
            if model.review.as_ref().is_some_and(Review::is_saving) {
                close(model);
            }
            return true;
        }
        // The notice that says why it failed asks for the next preview.
        SaveState::Committing | SaveState::NotInForce | SaveState::Failed { .. } | SaveState::Dropped => {}
    }
    false
}

/// It was refused, or failed: it can be tried again, and what it does now is shown.
pub fn stopped(model: &mut Model) -> Vec<Request> {
    model.desk.saving = None;
    let Some(review) = &mut model.review else { return Vec::new() };
    review.confirmed = false;
    if !std::mem::take(&mut review.is_saving) {
        return Vec::new();
    }
    model.desk.previews += 1;
    vec![review.ask(model.desk.previews)]
}

/// Leaves the page. What is confirmed and not sent yet is not sent; what is being written goes on.
pub fn leave(model: &mut Model) {
    if model.review.take().is_some_and(|review| review.is_saving) {
        model.tell(Level::Info, "it is being saved; what comes of it is told");
    }
    model.pages.pop();
}

fn close(model: &mut Model) {
    model.review = None;
    model.pages.retain(|page| !matches!(page.what, What::Review));
}

impl Desk {
    /// What was saved stands on the disk now: a draft goes on from it, also one that was typed in meanwhile.
    fn saved(&mut self, saving: &Saving) {
        // What the workspace held when it was read is not what it holds now.
        self.forget_bench();
        for draft in self.drafts.values_mut() {
            let text = saving.drafts.iter().find(|(name, _)| *name == draft.file.path());
            if let Some((_, text)) = text {
                draft.settle(text);
            }
        }
        if saving.drafts.is_empty() {
            // A version restored, or a save of before: files that have no draft are read again.
            self.drafts.retain(|_, draft| draft.is_changed());
        } else {
            self.evidence.clear();
        }
    }
}
