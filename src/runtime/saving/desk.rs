//! The loop's side of saving: what was shown, what is under way, what is in force.

use super::files::beside;
use super::judge::change;
use super::view::Held;
use super::{Begun, Change, NOT_SAVED, SaveState, Saved, TrailError, Written};
use crate::engine::event::{Event, Kind};
use crate::engine::input::Input;
use crate::engine::order::{Ask, Came, Left};
use crate::engine::retime::{Choice, Edit};
use crate::model::{At, TextId, Untrusted, clean};
use crate::phrases::retimed::short;
use crate::phrases::{orders, people};
use crate::rules::content::Content;
use crate::runtime::driver::Driver;
use crate::runtime::handle::{Level, Signature, Trouble};
use crate::runtime::launch::Plan;
use crate::runtime::news::News;
use crate::runtime::store::TextRow;
use crate::runtime::tasks::Part;
use crate::runtime::turn::Turn;
use crate::trail::Message;
use std::collections::VecDeque;
use std::sync::Arc;

/// Saves that are remembered; versions that ran are in the log as well.
const SAVES: usize = 500;

/// Letters of a reason that are kept.
const REASON: usize = 500;

/// The key of the store's settings under which saves stand.
pub const META: &str = "saves";

/// See the module's words.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Desk {
    pub(super) held: VecDeque<Held>,
    /// What is being written: previews that are made meanwhile do not push it out.
    under_way: Option<Held>,
    pub(super) previews: u64,
    saves: Vec<Saved>,
}

/// A save that is on disk, and whose files are to be written.
#[derive(Debug)]
pub struct Keeping {
    number: u64,
    change: Change,
    content: Arc<Content>,
}

/// What came of keeping a save's files.
#[derive(Debug)]
pub struct Kept {
    number: u64,
    written: Result<Written, TrailError>,
}

impl Desk {
    /// As the store has it. What was under way when the process ended is not in force.
    pub fn load(&mut self, stored: Option<&String>) {
        let saves = stored.and_then(|stored| serde_json::from_str(stored).ok());
        self.saves = saves.unwrap_or_default();
        if let Some(last) = self.saves.last_mut().filter(|last| last.state == SaveState::Committing) {
            last.state = SaveState::NotInForce;
        }
    }

    /// The newest save.
    pub fn newest(&self) -> Option<&Saved> {
        self.saves.last()
    }

    /// Files and commit of a save are being written.
    pub fn is_busy(&self) -> bool {
        self.newest().is_some_and(|saved| saved.state == SaveState::Committing)
    }

    fn is_pending(&self) -> bool {
        self.newest().is_some_and(|saved| saved.state == SaveState::NotInForce)
    }

    fn json(&self) -> String {
        serde_json::to_string(&self.saves).unwrap_or_default()
    }
}

impl Driver {
    /// Puts a previewed draft into the store, and has its files and its commit written once that is on disk.
    pub(in crate::runtime) fn save(
        &mut self,
        preview: u64,
        choice: Choice,
        (why, include): (&str, bool),
        signature: Signature,
        turn: &mut Turn,
    ) {
        let why: String = why.trim().chars().take(REASON).collect();
        let found = self.refusal_to_save(preview, choice, (&why, include));
        let held = match found.map(|at| self.desk.held.remove(at)) {
            Ok(Some(held)) => held,
            Ok(None) => return,
            Err(refusal) => return self.tell(Level::Error, format!("{NOT_SAVED}: {refusal}")),
        };
        turn.batch.versions.extend(held.plan.versions());
        let earlier = self.desk.newest().filter(|_| held.saved);
        let number = earlier.map_or_else(|| self.desk.newest().map_or(0, |s| s.number) + 1, |s| s.number);
        let begun = earlier.and_then(|saved| saved.begun.clone());
        let mut begun =
            begun.unwrap_or_else(|| Box::new(begin(&held, choice, &why, (self.now(), signature.wall_at))));
        begun.include |= include;
        let change = Change {
            reason: begun.reason.clone(),
            counts: begun.counts.clone(),
            at: begun.at,
            include: begun.include,
            ..change(&held.files, &held.after.rules, &why, &signature)
        };
        let content = Arc::clone(&held.plan.content);
        let saved = Saved {
            number,
            edition: held.after.clone(),
            files: change.files.iter().map(|(name, _)| name.clone()).collect(),
            choice,
            signature,
            why,
            state: SaveState::Committing,
            begun: Some(begun),
            dropped: None,
        };
        if held.saved {
            self.desk.saves.pop();
        }
        self.desk.saves.push(saved);
        let surplus = self.desk.saves.len().saturating_sub(SAVES);
        self.desk.saves.drain(..surplus);
        self.desk.under_way = Some(held);
        self.note_saves(turn);
        turn.keeping = Some(Keeping { number, change, content });
    }

    /// The place of what can be saved, or why it cannot.
    fn refusal_to_save(
        &self,
        preview: u64,
        choice: Choice,
        (why, include): (&str, bool),
    ) -> Result<usize, String> {
        let again = "what it does now is shown in its place, and y saves that";
        if self.desk.is_busy() {
            return Err("another save is being written; try again in a moment".into());
        }
        let found = self.desk.held.iter().position(|held| held.number == preview);
        let Some(at) = found else { return Err(format!("this preview is not known here any more; {again}")) };
        let held = &self.desk.held[at];
        if self.desk.is_pending() && !held.saved {
            let first = "put it in force or drop it first (Esc, then S)";
            return Err(format!("an earlier save is not in force yet: {first}"));
        }
        if held.saved && !self.desk.is_pending() {
            return Err("it is in force, or was dropped, already".into());
        }
        if why.is_empty() {
            return Err("a reason is needed: it stands in the history for good".into());
        }
        // Before the store has it: what stands there is not looked for when somebody is forgotten.
        let message = Message { reason: why.to_owned(), ..Message::default() };
        message.names_nobody().map_err(|named| named.to_string())?;
        if held.loose && !include {
            let asked = "look at them, and y again saves all the same";
            return Err(format!("what stands on the disk has changes that nobody committed: {asked}"));
        }
        let in_flight = self.kept.campaign.as_ref().filter(|campaign| campaign.header.ended_at.is_none());
        match (in_flight, &held.flight) {
            (None, None) => {}
            (Some(campaign), Some(flight)) if campaign.id() == flight.campaign => {
                if campaign.newest_edition() != flight.base {
                    return Err(format!("the rules were changed meanwhile; {again}"));
                }
                let asking = campaign.header.restored.as_ref().is_some_and(|restored| restored.asking);
                if asking && choice != Choice::Keep {
                    return Err(
                        "what was sent after the backup is still being asked for; nobody is moved before"
                            .into(),
                    );
                }
            }
            (_, _) => return Err(format!("another campaign is in flight now, or none; {again}")),
        }
        Ok(at)
    }

    /// After the commit: writes the files beside the loop.
    pub(in crate::runtime) fn keep_files(&self, keeping: Keeping) {
        let Some(files) = self.parts.files.clone() else { return };
        let Keeping { number, change, content } = keeping;
        let news = self.parts.tasks.news();
        self.parts.tasks.spawn(Part::Saving(number), async move {
            let written = match files.announce(content).await {
                Ok(()) => {
                    let kept = beside(files, move |files| files.keep(&change)).await;
                    let badly =
                        || Err(TrailError::Cut("writing it ended badly; .cascade/log has where".into()));
                    kept.unwrap_or_else(badly)
                }
                Err(error) => Err(error),
            };
            let _ = news.send(News::Kept(Box::new(Kept { number, written }))).await;
        });
    }

    /// The task that was to write a save's files ended by a fault of this program.
    pub(in crate::runtime) fn saving_panicked(&mut self, number: u64, turn: &mut Turn) {
        let written = Err(TrailError::Cut("writing it ended by a fault of this program".into()));
        self.files_kept(Kept { number, written }, turn);
    }

    /// Files and commit are written: now it is in force.
    pub(in crate::runtime) fn files_kept(&mut self, kept: Kept, turn: &mut Turn) {
        let Kept { number, written } = kept;
        let is_this = |saved: &&mut Saved| saved.number == number && saved.state == SaveState::Committing;
        let Some(saved) = self.desk.saves.last_mut().filter(is_this) else { return };
        let held = self.desk.under_way.take();
        let (written, held) = match (written, held) {
            (Ok(written), Some(held)) => (written, held),
            (Err(error), held) => return self.not_kept(&error, held, turn),
            // As after a crash: it is offered.
            (Ok(_), None) => {
                let lost = TrailError::Cut("what it has for those in flight is not known any more".into());
                return self.not_kept(&lost, None, turn);
            }
        };
        saved.edition.commit.clone_from(&written.commit);
        saved.state = SaveState::InForce { note: written.note };
        saved.begun = None;
        let saved = saved.clone();
        self.note_saves(turn);
        self.put_in_force(held, saved, turn);
    }

    /// It was not kept, or not all of it. What may stand in git or on the disk already goes on as the same save, and so
    /// does one that was saved before.
    fn not_kept(&mut self, error: &TrailError, held: Option<Held>, turn: &mut Turn) {
        let why = clean(&error.to_string());
        let goes_on = matches!(error, TrailError::Cut(_)) || held.as_ref().is_some_and(|held| held.saved);
        let words = if goes_on {
            format!("{NOT_SAVED} to the end: {why}. It is kept as it was begun, and S offers it again")
        } else {
            format!("{NOT_SAVED}, and nothing is changed: {why}")
        };
        if let Some(saved) = self.desk.saves.last_mut() {
            saved.state = if goes_on { SaveState::NotInForce } else { SaveState::Failed { why } };
            saved.begun = saved.begun.take().filter(|_| goes_on);
        }
        self.desk.held.extend(held);
        self.note_saves(turn);
        self.tell(Level::Error, words);
    }

    fn put_in_force(&mut self, held: Held, saved: Saved, turn: &mut Turn) {
        let plan = Plan { rules_commit: saved.edition.commit.clone(), ..(*held.plan).clone() };
        let mut words =
            format!("saved: rules {}, texts {}", short(&saved.edition.rules), short(&saved.edition.content));
        if let Some(flight) = held.flight {
            let text = self.keep_reason(&saved.why, turn);
            let from = turn.batch.events.len();
            let content = saved.choice != Choice::Keep && held.edited.content;
            let edit = Edit {
                what: if held.edited.rules { Ask::EditRules } else { Ask::EditContent },
                edition: saved.edition.clone(),
                choice: saved.choice,
                preview: flight.preview,
                courses: flight.courses,
                base: flight.base,
                by: saved.signature.by.clone(),
                wall_at: saved.signature.wall_at,
                campaign: flight.campaign,
                text: Some(text),
            };
            self.apply(Input::Edit(Box::new(edit)), turn);
            let (came, done) = came(turn.batch.events.get(from..).unwrap_or_default());
            words = format!("{words}; {came}");
            if content && done {
                self.parts.speaker.content = Arc::clone(&plan.content);
            }
        }
        if !written_note(&saved).is_empty() {
            words = format!("{words}; {}", written_note(&saved));
        }
        let now = held.files.iter().map(|(name, _, is)| (name.as_str(), is.as_slice()));
        self.parts.gallery.set_files(now);
        self.parts.plan = Some(Arc::new(plan));
        self.show_next_launch();
        self.learn();
        self.tell(Level::Info, words);
    }

    /// Keeps why it was done.
    fn keep_reason(&mut self, why: &str, turn: &mut Turn) -> TextId {
        self.kept.last_text += 1;
        let id = TextId(self.kept.last_text);
        turn.keep(TextRow { id, person: None, from: None, at: self.now(), body: Untrusted::new(why) });
        id
    }

    /// What was saved and is not in force is not to be.
    pub(in crate::runtime) fn drop_saved(&mut self, signature: &Signature, turn: &mut Turn) {
        let Some(saved) = self.desk.saves.last_mut().filter(|saved| saved.state == SaveState::NotInForce)
        else {
            return self.tell(Level::Info, "nothing was saved that is not in force".into());
        };
        saved.state = SaveState::Dropped;
        saved.begun = None;
        saved.dropped = Some(Box::new(signature.clone()));
        let files = saved.files.join(", ");
        self.note_saves(turn);
        self.tell(
            Level::Info,
            format!("dropped: nobody is moved by it. Look at {files}: if the save had come that far, it stands there and in git"),
        );
    }

    /// Into the store with this turn, and onto the screen.
    fn note_saves(&mut self, turn: &mut Turn) {
        turn.batch.meta.push((META, self.desk.json()));
        self.show_saves();
    }

    /// The newest save is seen, and what is not in force stands under the header until it is put in force or dropped.
    pub(in crate::runtime) fn show_saves(&mut self) {
        let newest = self.desk.newest().cloned();
        let pending = newest.as_ref().filter(|saved| saved.state == SaveState::NotInForce);
        let trouble = pending.map(|saved| Trouble {
            level: Level::Warning,
            words: format!(
                "{}, saved by {}, is not in force; put it in force or drop it: S",
                clean(&saved.files.join(", ")),
                orders::who(&saved.signature.by)
            ),
            since: self.now(),
        });
        self.parts.gallery.set_trouble("saved", trouble);
        self.parts.gallery.set_saved(newest.map(Arc::new));
    }
}

fn written_note(saved: &Saved) -> &str {
    match &saved.state {
        SaveState::InForce { note } => note,
        SaveState::Committing | SaveState::NotInForce | SaveState::Failed { .. } | SaveState::Dropped => "",
    }
}

/// What came of it for those in flight, and whether it is in force for them.
fn came(events: &[(u64, Event)]) -> (String, bool) {
    let ordered = events.iter().find_map(|(_, event)| match &event.kind {
        Kind::Ordered { left, .. } => Some(*left),
        _ => None,
    });
    if let Some(Some(left)) = ordered {
        return (format!("nobody in flight is moved: {}", orders::left(left)), false);
    }
    let met = |which: fn(&Came) -> bool| {
        let came = events.iter().filter_map(|(_, event)| match &event.kind {
            Kind::OrderMet { came, .. } => Some(came),
            _ => None,
        });
        came.filter(|came| which(came)).count() as u64
    };
    let moved = met(|came| matches!(came, Came::Done));
    let new = met(|came| matches!(came, Came::Left(Left::NotShown)));
    let gone = met(|came| matches!(came, Came::Left(_))) - new;
    let mut words = match moved {
        0 => "nobody is moved".to_owned(),
        moved => format!("{} moved", people(moved)),
    };
    if gone > 0 {
        words = format!("{words}, {gone} left as they are because they had moved on");
    }
    if new > 0 {
        words = format!(
            "{words}, {new} came into it after it was shown: restore it from the history to see them"
        );
    }
    (words, ordered.is_some())
}

/// What is remembered of a save until it is in force.
fn begin(held: &Held, choice: Choice, why: &str, (now, at): (At, At)) -> Begun {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let before = held.files.iter().map(|(name, before, _)| (name.clone(), before.as_deref().map(text)));
    let before = before.collect();
    Begun { reason: why.to_owned(), at, counts: counts(held, choice, now), before, include: false }
}

/// Whom it moves, in numbers; never people. Who is due at once is told as it is when it is saved.
fn counts(held: &Held, choice: Choice, now: At) -> Vec<(String, u64)> {
    let Some(flight) = &held.flight else { return Vec::new() };
    match choice {
        Choice::Keep => vec![("in flight, who keep theirs".to_owned(), flight.preview.people.len() as u64)],
        Choice::Retime | Choice::RetimeAndSpread => vec![
            ("shown to be moved".to_owned(), flight.preview.people.len() as u64),
            ("due at once".to_owned(), flight.preview.at_once(choice, now)),
        ],
    }
}
