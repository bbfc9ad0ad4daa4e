//! The editor: drafts of rules and content, where the keys go, what is offered and searched. The view draws it, the
//! loop carries its requests out; nothing here touches a disk.

pub mod changes;
pub mod complete;
pub mod draft;
pub mod highlight;
mod keeping;
pub mod ladder;
mod press;
mod spot;

pub use keeping::{Keep, looks_for_drafts};
pub use press::{LISTED, choose_segment, mouse, move_on_ladders, paste, press, run, segments, types};

use super::input::LineInput;
use super::model::{Dialog, Model, What};
use super::review::Saving;
use super::update::{self, Msg, Request};
use crate::model::{Channel, Customer, Phone, Segment};
use crate::rules::Judged;
use crate::rules::Problem;
use crate::runtime::handle::Level;
use crate::workspace::bench::{Bench, Kept, Texts};
use complete::{Known, Offers};
use draft::{Check, Draft, File};
use ratatui::layout::Rect;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// To the text.
    #[default]
    Text,
    /// To the ladders beside it.
    Ladder,
}

/// What is edited, and how far.
#[derive(Debug, Default)]
pub struct Desk {
    /// By file; one that was only looked at is here, too.
    pub drafts: BTreeMap<File, Draft>,
    /// The file on the page.
    pub open: Option<File>,
    /// Where the keys go.
    pub focus: Focus,
    /// The words looked for, while they are typed.
    pub finding: Option<LineInput>,
    /// The words that were looked for last.
    pub sought: String,
    /// What may stand at the cursor, and the line chosen.
    pub offers: Option<(Offers, usize)>,
    /// The cursor in the ladders.
    pub at: ladder::At,
    /// The workspace as it was read for this; `None` until it has been.
    pub bench: Option<Arc<Bench>>,
    /// Where the text stood in the last frame.
    pub area: Rect,
    /// The customer of the preview, once their row has been read.
    pub subject: Option<(Phone, Option<Box<Customer>>)>,
    /// Drafts that the disk keeps and that are not here: the workspace has not been read yet, or there is another draft of the
    /// same file here.
    kept: Vec<Kept>,
    /// What this console kept on the disk, or took from there: its own to write over.
    stored: BTreeMap<File, Kept>,
    asked: Asked,
    /// Previews asked for so far.
    pub previews: u64,
    /// What is being saved, also when its page is closed.
    pub saving: Option<Saving>,
    /// What the record said for changes that were drafted from it: the reason of their save.
    pub evidence: Findings,
}

/// What the record said for a draft of the rules, as long as that is what it said.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    said: Vec<String>,
    /// The draft as it was made of them.
    text: String,
}

impl Findings {
    /// What they say for this text.
    pub fn of(&self, text: &str) -> &[String] {
        let laid_out = |text: &str| tidy(File::Rules, text).unwrap_or_else(|_| text.to_owned());
        if !self.said.is_empty() && laid_out(text) == laid_out(&self.text) { &self.said } else { &[] }
    }

    /// As a draft that was kept has them.
    pub fn kept(said: Vec<String>, text: &str) -> Self {
        Self { said, text: text.to_owned() }
    }

    /// One more, and the draft as it is with it; before that it was `before`.
    fn add(&mut self, evidence: String, before: &str, text: &str) {
        let mut said = self.of(before).to_vec();
        said.push(evidence);
        *self = Self::kept(said, text);
    }

    /// The draft is gone.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// What is under way.
#[derive(Debug, Default)]
struct Asked {
    check: bool,
    bench: bool,
    keep: bool,
    /// What the disk keeps of drafts, since this console keeps its own there.
    found: bool,
    subject: Option<Phone>,
}

impl Desk {
    /// The draft on the page.
    pub fn draft(&self) -> Option<&Draft> {
        self.drafts.get(&self.open?)
    }

    /// The same, to be changed.
    pub fn draft_mut(&mut self) -> Option<&mut Draft> {
        self.drafts.get_mut(&self.open?)
    }

    /// Drafts that differ from their files.
    pub fn changed(&self) -> impl Iterator<Item = &Draft> {
        self.drafts.values().filter(|draft| draft.is_changed())
    }

    /// Names worth offering.
    fn known(&self) -> Known<'_> {
        let bench = self.bench.as_deref();
        Known {
            columns: bench.and_then(|bench| bench.columns.as_deref()).unwrap_or_default(),
            segments: bench.map_or(&[], |bench| &bench.segments),
        }
    }

    /// The workspace is read again.
    pub fn forget_bench(&mut self) {
        (self.bench, self.asked.bench) = (None, false);
    }

    /// Forgets a draft: the file stands as it is.
    pub fn discard(&mut self, file: File) {
        let stands = self.bench.as_ref().and_then(|bench| bench.text(&file.path()));
        if let Some(draft) = self.drafts.get_mut(&file) {
            match stands.filter(|stands| *stands != draft.base) {
                Some(stands) => draft.begin_anew(&stands),
                None => draft.replace(&draft.base.clone()),
            }
        }
        if file == File::Rules {
            self.evidence.clear();
        }
        self.offers = None;
    }

    /// A text with a change in it that was made elsewhere becomes the draft of the rules; the cursor of the ladders goes
    /// to the one that it is about.
    pub fn put(&mut self, text: &str, segment: Option<&Segment>, evidence: String) {
        let Some(draft) = self.drafts.get_mut(&File::Rules) else { return };
        let before = draft.text();
        draft.replace(text);
        self.evidence.add(evidence, &before, &draft.text());
        draft.check.rules = draft::rules_of(File::Rules, text);
        let rules = draft.check.rules.as_ref();
        let place = segment.and_then(|name| rules?.segments.keys().position(|own| own == name));
        self.at = ladder::At { ladder: place.map_or(0, |place| place + 1), step: 0 };
        self.keep_on_ladders();
    }

    /// Why the drafts are saved, as far as the record says so: it says nothing for a draft that was changed since.
    pub fn reason(&self) -> String {
        let of_rules = self.changed().find(|draft| draft.file == File::Rules);
        of_rules.map(|draft| self.evidence.of(&draft.text()).join("; ")).unwrap_or_default()
    }
}

/// Opens a file in the editor; the same file a second time closes it.
pub fn open(model: &mut Model, file: File) {
    let shown = matches!(model.pages.last().map(|page| &page.what), Some(What::Editor));
    if shown && model.desk.open == Some(file) {
        leave(model);
        return;
    }
    if model.desk.changed().next().is_none() {
        model.desk.forget_bench();
    }
    if !begin(model, file) {
        model.tell(Level::Info, format!("{} has not been read yet", file.path()));
        return;
    }
    model.desk.open = Some(file);
    (model.desk.offers, model.desk.finding) = (None, None);
    model.desk.focus = Focus::Text;
    model.pages.retain(|page| !matches!(page.what, What::Editor));
    update::open(model, What::Editor);
}

/// Opens a file where the disk's own version of it is wrong.
pub fn open_at(model: &mut Model, file: File) {
    let place = model.on_disk.iter().find(|problem| is_about(problem, file));
    let place = place.map(|problem| (problem.line.saturating_sub(1), problem.column.saturating_sub(1)));
    open(model, file);
    if let (Some((line, column)), Some(draft)) = (place, model.desk.draft_mut()) {
        draft.go_to((line as usize, column as usize));
    }
}

/// The file that `c` opens: of the channel in hand, else the one looked at last.
pub fn content(model: &Model) -> File {
    if let Some(file @ File::Content(_)) = model.desk.open {
        return file;
    }
    let row = model.subject().and_then(|cascade| model.row(cascade));
    let known = |channel: &Channel| text_of(model, File::Content(*channel)).is_some();
    let channel = row.map(|row| row.channel).filter(known);
    File::Content(channel.or_else(|| Channel::ALL.iter().copied().find(known)).unwrap_or(Channel::Whatsapp))
}

/// Makes sure that there is a draft; false where there is no such file yet.
pub fn begin(model: &mut Model, file: File) -> bool {
    if model.desk.drafts.contains_key(&file) {
        return true;
    }
    let Some(text) = text_of(model, file) else { return false };
    model.desk.drafts.insert(file, Draft::new(file, &text));
    true
}

/// A file as it is edited, else as [`begin`] would begin it.
pub fn text(model: &Model, file: File) -> Option<String> {
    model.desk.drafts.get(&file).map(Draft::text).or_else(|| text_of(model, file))
}

/// A file as the workspace has it, or as the campaign's process read it.
fn text_of(model: &Model, file: File) -> Option<String> {
    if let Some(bench) = &model.desk.bench {
        return bench.text(&file.path());
    }
    let place = &model.picture.place;
    match file {
        File::Rules => (!place.rules_text.is_empty()).then(|| place.rules_text.clone()),
        File::Content(_) => {
            place.content.iter().find(|(name, _)| name == file.name()).map(|(_, text)| text.clone())
        }
    }
}

/// Leaves the page; an unsaved draft asks what becomes of it.
pub fn leave(model: &mut Model) {
    if model.desk.draft().is_some_and(Draft::is_changed) {
        model.dialog = Some(Dialog::Unsaved);
    } else {
        close(model);
    }
}

/// Leaves the page, draft or not.
pub fn close(model: &mut Model) {
    (model.desk.offers, model.desk.finding) = (None, None);
    model.pages.retain(|page| !matches!(page.what, What::Editor));
}

/// The texts that are judged together: drafts where there are some.
pub fn texts(model: &Model) -> Texts {
    File::ALL.into_iter().filter_map(|file| Some((file.path(), text(model, file)?))).collect()
}

/// What the draft and its preview still need of the loop.
pub fn wants(model: &mut Model) -> Vec<Request> {
    let mut requests = Vec::new();
    if keeping::looks_for_drafts(model) {
        requests.push(Request::Found);
    }
    if model.desk.drafts.is_empty() && model.desk.kept.is_empty() {
        return requests;
    }
    if model.desk.bench.is_none() && !model.desk.asked.bench {
        model.desk.asked.bench = true;
        requests.push(Request::Bench);
    }
    let stale = model.desk.drafts.values().any(|draft| draft.check.revision != draft.revision);
    if stale && !model.desk.asked.check {
        model.desk.asked.check = true;
        let revisions = model.desk.drafts.values().map(|draft| (draft.file, draft.revision)).collect();
        requests.push(Request::Check { texts: texts(model), revisions });
    }
    keeping::take_waiting(model);
    requests.extend(keeping::wanted(model));
    requests.extend(wanted_subject(model));
    requests
}

/// Whose preview is wanted: the customer that is selected.
fn wanted_subject(model: &mut Model) -> Option<Request> {
    let shown = matches!(model.pages.last().map(|page| &page.what), Some(What::Editor));
    if !shown || !matches!(model.desk.open, Some(File::Content(_))) {
        return None;
    }
    let phone = selected(model)?;
    let has = model.desk.subject.as_ref().is_some_and(|(of, _)| *of == phone);
    if has || model.desk.asked.subject.as_ref() == Some(&phone) {
        return None;
    }
    let bench = Arc::clone(model.desk.bench.as_ref()?);
    model.desk.asked.subject = Some(phone.clone());
    Some(Request::Customer(bench, phone))
}

/// The number of the customer that the cohort pane selects; before a launch, of the first one of the list.
pub fn selected(model: &Model) -> Option<Phone> {
    let row = model.cohort.selected.and_then(|cascade| model.row(cascade));
    let card = row.and_then(|row| model.picture.people.get(&row.person));
    let first = || model.desk.bench.as_ref()?.sample.first().map(|customer| customer.phone.clone());
    card.and_then(|card| card.phone.clone()).or_else(first)
}

/// Takes in what was asked for.
pub fn take(model: &mut Model, msg: Msg) {
    match msg {
        Msg::Bench(bench) => take_bench(model, bench),
        Msg::Checked(revisions, judged) => take_check(model, &revisions, *judged),
        Msg::Kept(keep, done) => keeping::take(model, *keep, done),
        Msg::Found(kept) => keeping::take_found(model, kept),
        Msg::Customer(phone, found) => take_customer(model, phone, found),
        _ => {}
    }
}

/// The text laid out, for a file that has a layout.
pub fn tidy(file: File, text: &str) -> Result<String, String> {
    if !file.is_json() {
        return Ok(text.to_owned());
    }
    let path = file.path();
    let laid_out = crate::rules::format(std::path::Path::new(&path), text);
    laid_out.map_err(|problem| format!("{}:{}: {}", problem.line, problem.column, problem.message))
}

/// The answer to [`Request::Bench`].
fn take_bench(model: &mut Model, bench: Result<Arc<Bench>, String>) {
    match bench {
        Ok(bench) => {
            // What nobody has changed here follows the disk.
            for (file, draft) in &mut model.desk.drafts {
                let Some(text) = bench.text(&file.path()).filter(|text| *text != draft.base) else {
                    continue;
                };
                if !draft.is_changed() || text == draft.text() {
                    draft.begin_anew(&text);
                }
            }
            model.desk.bench = Some(bench);
            for draft in model.desk.drafts.values_mut() {
                draft.check.revision = 0;
            }
        }
        Err(why) => model.tell(Level::Warning, format!("the workspace cannot be read: {why}")),
    }
}

/// The answer to [`Request::Check`].
fn take_check(model: &mut Model, revisions: &[(File, u64)], judged: Judged) {
    model.desk.asked.check = false;
    let rules = judged.rules.map(Arc::new);
    for (file, revision) in revisions {
        let known = model.desk.bench.is_some();
        let Some(draft) = model.desk.drafts.get_mut(file) else { continue };
        let own = |problem: &&Problem| is_about(problem, *file);
        let problems = judged.problems.iter().filter(own).cloned().collect();
        // Without the workspace nobody knows what else there is.
        let elsewhere = judged.problems.iter().filter(|p| known && !is_about(p, *file)).cloned().collect();
        let rules = rules.clone().filter(|_| *file == File::Rules);
        draft.check = Check { revision: *revision, problems, elsewhere, rules };
    }
}

/// The file of a problem is named as people know it: in the workspace, or as built in.
pub fn is_about(problem: &Problem, file: File) -> bool {
    let path = std::path::Path::new(&problem.file);
    path.ends_with(file.path()) || path.ends_with(file.name())
}

/// The answer to [`Request::Customer`].
fn take_customer(model: &mut Model, phone: Phone, found: Option<Box<Customer>>) {
    model.desk.asked.subject = None;
    model.desk.subject = Some((phone, found));
}
