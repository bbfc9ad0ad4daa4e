//! The history: which versions ran, since when, by whom and why. Read from the store when a page wants it.

use super::keys::Cmd;
use super::model::{Model, What};
use super::moving;
use super::review;
use super::update::{self, Msg, Request};
use crate::engine::event::Kind;
use crate::model::{At, CampaignId};
use crate::phrases::retimed::short;
use crate::runtime::handle::{Level, TimelineEntry, VersionFiles};
use crate::runtime::saving::{SaveState, Saved, Version, Wanted};
use std::collections::HashMap;
use std::sync::Arc;

/// A version by what it was and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Hash of its rules.
    pub rules: String,
    /// Hash of its texts.
    pub content: String,
    /// Since when, campaign time.
    pub at: At,
}

impl Key {
    /// Of a version.
    pub fn of(version: &Version) -> Self {
        let edition = &version.edition;
        Self { rules: edition.rules.clone(), content: edition.content.clone(), at: version.at }
    }
}

/// What has been read.
#[derive(Debug, Default)]
pub struct History {
    /// The newest first; `None` until it has been read.
    pub versions: Option<Vec<Version>>,
    /// The files of a version, by its hash.
    pub files: HashMap<String, VersionFiles>,
    read_for: Option<Stamp>,
    asked: Vec<String>,
}

/// What the list was read for; something else means that it is stale.
type Stamp = (Option<CampaignId>, Option<(u64, SaveState)>);

impl History {
    /// Where a version stands in the list.
    pub fn place(&self, key: &Key) -> Option<usize> {
        self.versions.as_ref()?.iter().position(|version| Key::of(version) == *key)
    }

    /// A file of a version, by the version's hash.
    pub fn file(&self, hash: &str, name: &str) -> Option<&str> {
        let files = self.files.get(hash)?;
        let found = files.iter().find(|(known, _)| known.ends_with(name));
        found.map(|(_, text)| text.as_str())
    }

    /// The versions of a campaign, the oldest first: the numbers that its events know them by.
    pub fn editions(&self, campaign: CampaignId) -> Vec<&Version> {
        let versions = self.versions.iter().flatten().rev();
        versions.filter(|version| version.campaign == Some(campaign)).collect()
    }
}

/// Under which rules the campaign runs, or ran, and under which the next one would be launched, where those are others:
/// `a1b2c3d`, and then `in flight · next launch d4e5f6a`.
pub fn rules_in_force(model: &Model) -> Option<(String, Option<String>)> {
    let picture = &model.picture;
    let campaign = picture.snapshot.campaign.as_ref()?;
    let (here, next) = if campaign.ended_at.is_some() {
        ("ran", picture.preflight.as_ref().map(|preflight| &preflight.rules_hash))
    } else {
        let ours = |saved: &&Arc<Saved>| {
            matches!(saved.state, SaveState::InForce { .. }) && saved.signature.campaign == Some(campaign.id)
        };
        ("in flight", picture.saved.as_ref().filter(ours).map(|saved| &saved.edition.rules))
    };
    let now = short(&campaign.rules_in_flight);
    Some(match next.filter(|next| **next != campaign.rules_in_flight) {
        Some(next) => (now, Some(format!("{here} · next launch {}", short(next)))),
        None => (now, None),
    })
}

/// What the page on top still needs.
pub fn wants(model: &mut Model) -> Vec<Request> {
    let Some(page) = model.pages.last() else { return Vec::new() };
    let shown = match &page.what {
        What::Version(key) => Some(key.clone()),
        What::Versions | What::Person { .. } => None,
        _ => return Vec::new(),
    };
    let mut requests = Vec::new();
    let saved = model.picture.saved.as_ref().map(|saved| (saved.number, saved.state.clone()));
    let stamp = (model.picture.snapshot.campaign.as_ref().map(|campaign| campaign.id), saved);
    if model.history.read_for.as_ref() != Some(&stamp) {
        model.history.read_for = Some(stamp);
        requests.push(Request::Versions);
    }
    if let (Some(key), Some(versions)) = (shown, &model.history.versions) {
        let at = model.history.place(&key).unwrap_or(0);
        let pair = versions.iter().skip(at).take(2);
        let hashes =
            pair.flat_map(|version| [version.edition.rules.clone(), version.edition.content.clone()]);
        let asked = &model.history.asked;
        let mut missing: Vec<String> = hashes.filter(|hash| !asked.contains(hash)).collect();
        missing.dedup();
        model.history.asked.extend(missing.iter().cloned());
        requests.extend(missing.into_iter().map(Request::VersionFiles));
    }
    requests
}

/// Takes in what was read.
pub fn take(model: &mut Model, msg: Msg) {
    match msg {
        Msg::Versions(found) => model.history.versions = Some(found),
        Msg::VersionFiles(hash, files) => drop(model.history.files.insert(hash, files)),
        _ => {}
    }
}

/// A command of the history's pages.
pub fn run(model: &mut Model, cmd: Cmd) -> Vec<Request> {
    match cmd {
        Cmd::Restore => restore(model),
        Cmd::PersonVersion => {
            if let Some(key) = person_version(model) {
                update::open(model, What::Version(key));
            } else {
                model.tell(Level::Info, "no version is known for what happened to this customer");
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The version under the cursor, or on the page.
pub fn chosen(model: &Model) -> Option<&Version> {
    let versions = model.history.versions.as_ref()?;
    let page = model.pages.last()?;
    match &page.what {
        What::Versions => versions.get(page.at),
        What::Version(key) => versions.get(model.history.place(key)?),
        _ => None,
    }
}

/// Whom a version of this campaign reached, in the cohort.
pub fn touched(model: &mut Model) {
    let here = model.picture.snapshot.campaign.as_ref().map(|campaign| campaign.id);
    let Some(version) = chosen(model) else { return };
    if version.campaign.is_none() || version.campaign != here {
        model.tell(Level::Info, "that version ran in no campaign that is on the screen");
        return;
    }
    let line = format!("version:{}", version.number + 1);
    model.pages.clear();
    moving::set_filter(model, &line);
}

/// The same save as any other, with what ran then. The newest one too: whoever was not moved to it may be now.
fn restore(model: &mut Model) -> Vec<Request> {
    let Some(version) = chosen(model) else { return Vec::new() };
    let wanted =
        Wanted::Version { rules: version.edition.rules.clone(), content: version.edition.content.clone() };
    let newest = model.history.versions.iter().flatten().next();
    let reason = match newest {
        Some(newest) if Key::of(newest) == Key::of(version) => {
            format!("for whoever does not go by {} yet", short(&version.edition.rules))
        }
        Some(newest) if newest.edition.rules == version.edition.rules => {
            format!("back to texts {}", short(&version.edition.content))
        }
        Some(_) | None => format!("back to {}", short(&version.edition.rules)),
    };
    review::begin(model, wanted, &reason)
}

/// The version under which a customer's newest step ran.
fn person_version(model: &Model) -> Option<Key> {
    let What::Person { history: Some(entries), .. } = &model.pages.last()?.what else { return None };
    let newest = entries.last()?;
    let editions = model.history.editions(newest.event.campaign);
    let at = runs(entries, &editions).last().map(|(_, edition)| *edition)?;
    editions.get(at).map(|version| Key::of(version))
}

/// From which entry on which version held for a customer, the oldest first: the one of the day they were launched, then
/// each one that moved them.
pub fn runs(entries: &[Arc<TimelineEntry>], editions: &[&Version]) -> Vec<(usize, usize)> {
    let Some(first) = entries.first() else { return Vec::new() };
    let begun = editions.iter().rposition(|version| version.at <= first.event.at).unwrap_or(0);
    let mut runs = vec![(0, begun)];
    for (i, entry) in entries.iter().enumerate() {
        if let Kind::Retimed { edition, .. } = &entry.event.kind {
            runs.push((i, *edition as usize));
        }
    }
    runs
}
