//! The history: which versions ran, since when, by whom and why. Read from the store when a page wants it.

use super::keys::Cmd;
use super::model::{Model, What};
use super::review;
use super::update::{self, Msg, Request};
use crate::engine::event::Kind;
use crate::model::{At, CampaignId, Untrusted};
use crate::phrases::retimed::short;
use crate::runtime::handle::{Level, TimelineEntry, VersionFiles};
use crate::runtime::saving::{SaveState, Saved, Version, Wanted};
use crate::trail::Evidence;
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

/// The same save as any other, with what ran then.
fn restore(model: &mut Model) -> Vec<Request> {
    let Some(version) = chosen(model).cloned() else { return Vec::new() };
    let in_force = model.history.versions.iter().flatten().next().map(|newest| newest.edition.clone());
    let (rules, content) = (version.edition.rules, version.edition.content);
    let wanted = match &in_force {
        Some(newest) if newest.rules == rules && newest.content == content => {
            model.tell(Level::Info, "that version is in force now");
            return Vec::new();
        }
        Some(newest) if newest.rules == rules => Wanted::Content(content.clone()),
        Some(_) | None => Wanted::Rules(rules.clone()),
    };
    let hash = if matches!(wanted, Wanted::Content(_)) { &content } else { &rules };
    review::begin(model, wanted, &format!("back to {}", short(hash)))
}

/// What the campaign on the screen has come to, for a pull request: counts, and nobody's name.
pub fn evidence(model: &Model) -> Vec<Evidence> {
    let snapshot = &model.picture.snapshot;
    let Some(campaign) = &snapshot.campaign else { return Vec::new() };
    let row = |label: &str, value: String| (Untrusted::from(label), Untrusted::from(value));
    let tally = &snapshot.tally;
    let mut rows = vec![
        row("mode", campaign.mode.to_string()),
        row("rules", campaign.rules_hash.clone()),
        row("customers", campaign.customers.to_string()),
    ];
    let ends = [
        ("converted", tally.converted),
        ("declined", tally.declined),
        ("exhausted", tally.exhausted),
        ("opted_out", tally.opted_out),
        ("held", tally.held),
        ("in_doubt", tally.in_doubt),
        ("running", tally.running),
    ];
    rows.extend(ends.iter().map(|(label, count)| row(label, count.to_string())));
    for channel in &snapshot.channels {
        let Some(name) = channel.channel else { continue };
        let value = format!("{} for {} {}", channel.conversions, channel.cost, campaign.currency);
        rows.push(row(&format!("{name}: conversions"), value));
    }
    vec![Evidence { title: "What the newest campaign has come to".into(), rows }]
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
