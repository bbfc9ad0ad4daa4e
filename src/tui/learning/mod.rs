//! The pages of what was learnt: the newest answer, which page is open, and from a finding to a draft. The answer is
//! summed up beside the driver, when a page wants it and again while it stays open and something happens.

pub mod findings;

use super::editor::draft::File;
use super::editor::{self, Focus};
use super::keys::{self, Cmd};
use super::model::{Model, Page, What};
use super::update::Request;
use crate::learning::DAY_MS;
use crate::learning::answer::{Answer, SegmentAnswer, WaitAnswer};
use crate::model::{CampaignId, clean};
use crate::rules;
use crate::runtime::handle::{Learnt, Level};
use crate::runtime::saving::SaveState;
use findings::Finding;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Between an answer and the next question at least.
const REST: Duration = Duration::from_secs(3);
/// The record is asked in at most one part in so many of the time: beside a campaign the processor is the campaign's.
const SHARE: u32 = 5;

/// Lines of what is said of a wait that a low window shows at once.
pub const SAID: usize = 3;

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The start of each segment.
    Starts,
    /// The waits.
    Waits,
    /// Cost per conversion.
    Cost,
}

impl View {
    /// In the order of their keys.
    pub const ALL: [Self; 3] = [Self::Starts, Self::Waits, Self::Cost];

    /// On its frame.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Starts => "Learning",
            Self::Waits => "Waits",
            Self::Cost => "Cost",
        }
    }

    /// What opens it.
    pub const fn cmd(self) -> Cmd {
        Cmd::Learning(self)
    }
}

/// How far the record has been asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    /// It may be.
    #[default]
    No,
    /// The answer is under way.
    UnderWay,
    /// Not again yet.
    Rests,
}

/// What an answer is of; something else means that it is stale. A day on its own, too: windows end by themselves.
type Stamp = (u64, Option<CampaignId>, Option<(u64, SaveState)>, i64);

/// What the pages show.
#[derive(Debug, Default)]
pub struct Learning {
    /// The newest answer; `None` until it has been read.
    pub answer: Option<Arc<Answer>>,
    /// Why there is no newer one.
    pub failed: Option<String>,
    asked: Asked,
    read_for: Option<Stamp>,
}

impl Learning {
    /// How many findings the cursor moves over.
    pub fn items(&self, view: View) -> Option<usize> {
        let answer = self.answer.as_deref();
        match view {
            View::Starts => Some(answer.map_or(0, |answer| answer.segments.len())),
            View::Waits => Some(answer.map_or(0, |answer| answer.waits.len())),
            View::Cost => None,
        }
    }

    /// The segment under the cursor.
    pub fn segment(&self, at: usize) -> Option<&SegmentAnswer> {
        let segments = &self.answer.as_ref()?.segments;
        segments.get(at.min(segments.len().saturating_sub(1)))
    }

    /// The wait under the cursor.
    pub fn wait(&self, at: usize) -> Option<&WaitAnswer> {
        let waits = &self.answer.as_ref()?.waits;
        waits.get(at.min(waits.len().saturating_sub(1)))
    }
}

/// The page on top, if it is one of these, with its cursor.
fn shown(model: &Model) -> Option<(View, usize)> {
    model.pages.last().and_then(|page| match page.what {
        What::Learning(view) => Some((view, page.at)),
        _ => None,
    })
}

/// Opens a page in the place of another one of these; the same page a second time closes it.
pub fn open(model: &mut Model, view: View) {
    if shown(model).is_some_and(|(open, _)| open == view) {
        model.pages.pop();
        return;
    }
    model.pages.retain(|page| !matches!(page.what, What::Learning(_)));
    model.scroll_max = usize::MAX;
    model.pages.push(Page::new(What::Learning(view)));
}

/// What the page on top still needs.
pub fn wants(model: &mut Model) -> Option<Request> {
    shown(model)?;
    let picture = &model.picture;
    let saved = picture.saved.as_ref().map(|saved| (saved.number, saved.state.clone()));
    let campaign = picture.snapshot.campaign.as_ref().map(|campaign| campaign.id);
    let stamp = (picture.snapshot.seq, campaign, saved, model.now.0.div_euclid(DAY_MS));
    let learning = &mut model.learning;
    if learning.asked != Asked::No || learning.read_for.as_ref() == Some(&stamp) {
        return None;
    }
    (learning.asked, learning.read_for) = (Asked::UnderWay, Some(stamp));
    Some(Request::Learn)
}

/// The answer to [`Request::Learn`], and how long it took; the next question waits for a multiple of that.
pub fn take(model: &mut Model, learnt: Option<Learnt>, took: Duration) -> Vec<Request> {
    let learning = &mut model.learning;
    match learnt {
        Some(Ok(answer)) => (learning.answer, learning.failed) = (Some(Arc::from(answer)), None),
        Some(Err(why)) => learning.failed = Some(why),
        None => learning.failed = Some("nobody answered".to_owned()),
    }
    learning.asked = Asked::Rests;
    vec![Request::LearnLater(REST.max(took * SHARE))]
}

/// It may be asked again.
pub fn rested(model: &mut Model) {
    model.learning.asked = Asked::No;
}

/// The finding under the cursor becomes a draft of the rules, its evidence the reason of the save.
pub fn draft(model: &mut Model) {
    if let Err(why) = try_draft(model) {
        model.tell(Level::Info, clean(&why));
    }
}

/// What the thing under the cursor says to change, and the rules with that change; why there is nothing to change, if
/// there is not.
pub fn finding(model: &Model) -> Result<(Finding, String), String> {
    let (view, at) = shown(model).ok_or("open a page of what was learnt first")?;
    let answer = model.learning.answer.clone().ok_or("the record is still being read")?;
    let text = editor::text(model, File::Rules).ok_or("the rules have not been read yet")?;
    let (rules, _) = rules::parse(Path::new(&File::Rules.path()), text.as_bytes());
    let error = || format!("the rules have an error: {} opens them", keys::key(Cmd::Rules));
    let rules = rules.ok_or_else(error)?;
    let of = findings::Record { answer: &answer, mode: model.mode() };
    let finding = match view {
        View::Starts => of.start(model.learning.segment(at).ok_or("there is no segment yet")?, &rules),
        View::Waits => of.wait(model.learning.wait(at).ok_or("there is no wait yet")?, &rules),
        View::Cost => {
            Err(format!("cost alone does not say where to start: {} does", keys::key(View::Starts.cmd())))
        }
    }?;
    let changed = finding.change.made_in(&text, &rules)?;
    if changed == text {
        return Err("the rules say so already, or their draft does".into());
    }
    Ok((finding, changed))
}

fn try_draft(model: &mut Model) -> Result<(), String> {
    let (finding, changed) = finding(model)?;
    if !editor::begin(model, File::Rules) {
        return Err("the rules have not been read yet".into());
    }
    editor::open(model, File::Rules);
    model.desk.put(&changed, finding.change.segment(), finding.evidence.clone());
    model.desk.focus = Focus::Ladder;
    let save = keys::key(Cmd::Save);
    let words = format!(
        "a draft: {}; nobody gets it before it is saved. {save} shows whom it moves, with the evidence as its reason",
        finding.change.say()
    );
    model.tell_of(File::Rules, Level::Info, clean(&words));
    Ok(())
}
