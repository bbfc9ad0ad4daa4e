//! What an operator is shown before a save, and what of it is kept for the save.

use super::courses::{self, Edited};
use super::{EditPreview, Outlook, ROWS_SHOWN};
use crate::engine::event::Edition;
use crate::engine::retime::{self, Choice, Courses, Fate, Preview, Shown};
use crate::engine::{Campaign, retime::waves};
use crate::model::{At, CampaignId, Channel, Customer, PersonId};
use crate::runtime::launch::{Plan, Script};
use std::collections::HashMap;
use std::sync::Arc;

/// A file: its name, what stood there, what is to stand there.
pub(super) type Shelved = (String, Option<Vec<u8>>, Vec<u8>);

/// A draft that was judged and shown. It is what a save saves, to the byte.
#[derive(Debug)]
pub(super) struct Held {
    pub number: u64,
    pub files: Vec<Shelved>,
    pub plan: Arc<Plan>,
    pub edited: Edited,
    /// It was saved before, and is not in force.
    pub saved: bool,
    /// Of its files something is in no commit.
    pub loose: bool,
    /// Of the campaign in flight: which, from which version, whom it moves and what it has for them.
    pub flight: Option<Flight>,
    /// What would be in force.
    pub after: Edition,
}

/// See [`Held`].
#[derive(Debug)]
pub(super) struct Flight {
    pub campaign: CampaignId,
    pub base: u32,
    pub preview: Preview,
    pub courses: Courses,
}

/// The campaign in flight, and who is in it.
pub(super) type InFlight<'c> = (&'c Campaign, &'c HashMap<PersonId, Customer>);

impl Flight {
    /// `texts`: the channels on which something else is said.
    pub fn new(
        (campaign, people): InFlight<'_>,
        script: Script<'_>,
        (edited, texts): (Edited, Vec<Channel>),
        at: At,
    ) -> Self {
        let courses = courses::courses(campaign, people, script, edited, texts);
        let preview = retime::preview(campaign, at, &courses);
        Self { campaign: campaign.id(), base: campaign.newest_edition(), preview, courses }
    }
}

/// For the screen.
pub(super) fn view(
    held: &Held,
    before: Edition,
    campaign: Option<&Campaign>,
    at: At,
    paces: &[(Channel, f64, u64)],
) -> EditPreview {
    let preview = held.flight.as_ref().map(|flight| flight.preview.clone()).unwrap_or_default();
    let count = |which: fn(&Fate) -> bool| preview.people.iter().filter(|p| which(&p.fate)).count() as u64;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let files = held.files.iter().map(|(name, before, after)| {
        (name.clone(), before.as_deref().map(text).unwrap_or_default(), text(after))
    });
    let terms = held.flight.as_ref().zip(campaign).map(|(flight, campaign)| {
        courses::terms(&campaign.header.launch.policy.terms(), &flight.courses.terms)
    });
    EditPreview {
        number: held.number,
        at,
        campaign: campaign.map(|campaign| (campaign.id(), campaign.header.launch.name.clone())),
        before,
        after: held.after.clone(),
        affected: preview.people.len() as u64,
        waits: count(|fate| matches!(fate, Fate::Wait { .. })),
        later: count(|fate| matches!(fate, Fate::Later)),
        leaves: count(|fate| matches!(fate, Fate::Leaves)),
        stays: preview.stays,
        choices: outlooks(&preview, paces),
        people: preview.people.into_iter().take(ROWS_SHOWN).collect(),
        terms: terms.unwrap_or_default(),
        texts: texts(held, campaign),
        warnings: held.plan.warnings.clone(),
        files: files.collect(),
        trail: Vec::new(),
        loose: Vec::new(),
        learnt: None,
    }
}

/// What each choice comes to. Without a campaign in flight there is nobody to choose for.
fn outlooks(preview: &Preview, paces: &[(Channel, f64, u64)]) -> Vec<Outlook> {
    let outlook = |choice: &Choice| {
        let at_once = |shown: &&Shown| shown.at_once(Choice::Retime, preview.at);
        let moved = if *choice == Choice::Keep { 0 } else { preview.people.len() as u64 };
        Outlook {
            choice: *choice,
            moved,
            at_once: preview.at_once(*choice, preview.at),
            next: preview.next_due(*choice),
            until: preview.people.iter().filter(at_once).filter_map(|shown| shown.due(*choice)).max(),
            waves: waves(preview, *choice, paces),
        }
    };
    Choice::ALL.iter().map(outlook).collect()
}

/// Who is still to be sent a text that changes.
fn texts(held: &Held, campaign: Option<&Campaign>) -> Vec<(Channel, u64)> {
    let Some(campaign) = campaign else { return Vec::new() };
    let changed = |channel: &&Channel| {
        let name = super::content_name(**channel);
        held.files.iter().any(|(file, before, after)| *file == name && before.as_ref() != Some(after))
    };
    Channel::ALL
        .iter()
        .filter(changed)
        .map(|channel| (*channel, courses::ahead(campaign, *channel)))
        .collect()
}
