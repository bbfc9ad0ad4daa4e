//! `cascade history`: the versions of the rules that git has: when, by whom, why, and what they changed.

use super::output::Results;
use super::stores::Site;
use super::{Exit, Failure, output};
use crate::cli::{History, Place};
use crate::phrases;
use crate::runtime::saving;
use crate::runtime::store::Reader;
use crate::trail::diff::{self, Diff};
use crate::trail::{self, NotSaved, Version};
use crate::workspace;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Prints them, the newest first.
pub(super) fn run(place: &Place, args: &History) -> Result<Exit, Failure> {
    let config = workspace::settings(&place.workspace)?;
    let versions = trail::versions(&place.workspace, &args.file, &config.git, args.limit)?;
    let ran = Ran::read(place, &versions, versions.len() < args.limit);
    let ran = |version: &Version| ran.as_ref().map(|ran| ran.of(version));
    let now = std::fs::read(place.workspace.join(&args.file)).ok();
    let standing =
        now.as_ref().map(|bytes| trail::standing(&place.workspace, &args.file, bytes, &config.git));
    let standing = standing.transpose()?.flatten();
    if args.json {
        let versions: Vec<Value> = versions.iter().map(|version| as_json(version, ran(version))).collect();
        output::json(&json!({
            "schema": "cascade.history/1",
            "file": args.file.to_string_lossy(),
            "now": standing.map(|now| json!({
                "commit": now.commit, "branch": now.branch, "base": now.base, "on_base": now.is_on_base,
                "uncommitted": now.commit.is_none(),
            })),
            "versions": versions,
        }))?;
        return Ok(Exit::Done);
    }
    let mut out = Results::open();
    if versions.is_empty() {
        out.line("no commit has this file yet; `git init` begins a trail where there is none")?;
    }
    if standing.is_some_and(|now| now.commit.is_none()) {
        out.line("now: changes that are in no commit")?;
    }
    for version in &versions {
        print(&mut out, version, ran(version))?;
    }
    out.close()?;
    Ok(Exit::Done)
}

/// What came of the commits, by their ids: of those that ran, as the store's own versions tell it.
struct Ran(HashMap<String, Came>);

/// What came of one of them.
#[derive(Clone, Copy, Default)]
struct Came {
    ran: bool,
    /// Who was sent something under it.
    people: u64,
    conversions: u64,
}

impl Ran {
    /// `None`: there is no store that can be read. `is_all`: the file has no other versions than these.
    fn read(place: &Place, versions: &[Version], is_all: bool) -> Option<Self> {
        let (path, _) = Site::open(place).ok()?.store();
        let reader = path.exists().then(|| Reader::open(&path).ok()).flatten()?;
        let mut came: HashMap<String, Came> = HashMap::new();
        for ran in reader.versions().ok()?.into_iter().filter(|ran| ran.campaign.is_some()) {
            let texts = reader.version(&ran.edition.content).unwrap_or_default();
            let is_this = |version: &&Version| {
                Some(&ran.edition.rules) == version.hash.as_ref()
                    || texts.iter().any(|(_, bytes)| Some(bytes) == version.bytes.as_ref())
            };
            let same: Vec<&Version> = versions.iter().filter(is_this).collect();
            if let Some(version) = ran_as(&ran, &same, is_all) {
                let of = came.entry(version.id.clone()).or_default();
                of.ran = true;
                of.people += ran.people;
                of.conversions += ran.conversions;
            }
        }
        Some(Self(came))
    }

    fn of(&self, version: &Version) -> Came {
        self.0.get(&version.id).copied().unwrap_or_default()
    }
}

/// Of the commits with the bytes that ran, the newest first, the one as which they ran: what is restored later is another
/// version, whoever was contacted under the first. Where the store does not know the commit, it is the newest one of its
/// time; what ran before anybody had committed it is the first, if all are seen.
fn ran_as<'v>(ran: &saving::Version, same: &[&'v Version], is_all: bool) -> Option<&'v Version> {
    let is_its = |version: &&&Version| ran.edition.commit.as_ref() == Some(&version.id);
    let was_there = |version: &&&Version| ran.wall_at.is_some_and(|at| version.at <= at);
    let found = same.iter().find(is_its).or_else(|| same.iter().find(was_there));
    found.or_else(|| same.last().filter(|_| is_all)).copied()
}

/// Against what it was made from, whatever others made of that meanwhile.
fn change(version: &Version) -> Diff {
    let (before, now) = (version.before.as_deref(), version.bytes.as_deref());
    diff::diff(before.unwrap_or_default(), now.unwrap_or_default())
}

fn as_json(version: &Version, ran: Option<Came>) -> Value {
    let change = change(version);
    json!({
        "commit": version.id,
        "at": version.at,
        "author": version.author,
        "subject": version.subject,
        "reason": version.reason,
        "counts": version.counts,
        "sha256": version.hash,
        "on_base": version.is_on_base,
        "ran": ran.map(|came| came.ran),
        "people": ran.map(|came| came.people),
        "conversions": ran.map(|came| came.conversions),
        "added": change.added,
        "removed": change.removed,
        "diff": change.unified(),
    })
}

fn print(out: &mut Results, version: &Version, ran: Option<Came>) -> Result<(), Failure> {
    let id = version.id.get(..7).unwrap_or(&version.id);
    let draft = if version.is_on_base { "" } else { " · not on the base branch" };
    let ran = ran.filter(|came| came.ran).map_or_else(String::new, |came| {
        format!(" · ran: {} sent something, {} converted", phrases::people(came.people), came.conversions)
    });
    let at = version.at.utc().format("%Y-%m-%d %H:%M");
    out.line(&format!("{id} {at} {}{draft}{ran}", version.author.screen()))?;
    // A subject that is the beginning of the reason, or all of it, is not said twice.
    let subject = version.subject.screen();
    if !version.reason.screen_lines().next().is_some_and(|first| first.starts_with(&subject)) {
        out.line(&format!("    {subject}"))?;
    }
    for line in version.reason.screen_lines().filter(|line| !line.trim().is_empty()) {
        out.line(&format!("    {line}"))?;
    }
    if let Some(counts) = &version.counts {
        out.line(&format!("    in flight: {}", counts.screen()))?;
    }
    for line in change(version).unified().lines() {
        out.line(&format!("    {}", crate::model::clean(line)))?;
    }
    out.line("")
}

impl From<NotSaved> for Failure {
    fn from(error: NotSaved) -> Self {
        Self::failed(error.to_string())
    }
}
