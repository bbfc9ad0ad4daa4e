//! `cascade history`: the versions of the rules that git has: when, by whom, why, and what they changed.

use super::output::Results;
use super::stores::Site;
use super::{Exit, Failure, output};
use crate::cli::{History, Place};
use crate::phrases;
use crate::runtime::saving;
use crate::runtime::store::Reader;
use crate::trail::{self, NotSaved, Version, diff};
use crate::workspace;
use serde_json::{Value, json};

/// Prints them, the newest first.
pub(super) fn run(place: &Place, args: &History) -> Result<Exit, Failure> {
    let config = workspace::settings(&place.workspace)?;
    let versions = trail::versions(&place.workspace, &args.file, &config.git, args.limit)?;
    let ran = Ran::read(place);
    let ran = |version: &Version| ran.as_ref().map(|ran| ran.of(version));
    let now = std::fs::read(place.workspace.join(&args.file)).ok();
    let standing =
        now.as_ref().map(|bytes| trail::standing(&place.workspace, &args.file, bytes, &config.git));
    let standing = standing.transpose()?.flatten();
    let before =
        |at: usize| versions.get(at + 1).and_then(|older| older.bytes.as_deref()).unwrap_or_default();
    if args.json {
        let one = |(at, version): (usize, &Version)| as_json(version, before(at), ran(version));
        let versions: Vec<Value> = versions.iter().enumerate().map(one).collect();
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
    for (at, version) in versions.iter().enumerate() {
        print(&mut out, version, before(at), ran(version))?;
    }
    out.close()?;
    Ok(Exit::Done)
}

/// The versions that ran in this workspace, from its store; each with the texts it spoke.
struct Ran(Vec<(saving::Version, Vec<Vec<u8>>)>);

/// What came of one of them.
#[derive(Clone, Copy, Default)]
struct Came {
    ran: bool,
    /// Who was sent something under it.
    people: u64,
    conversions: u64,
}

impl Ran {
    /// `None`: there is no store that can be read.
    fn read(place: &Place) -> Option<Self> {
        let (path, _) = Site::open(place).ok()?.store();
        let reader = path.exists().then(|| Reader::open(&path).ok()).flatten()?;
        let launched = reader.versions().ok()?.into_iter().filter(|version| version.campaign.is_some());
        let with_texts = |version: saving::Version| {
            let texts = reader.version(&version.edition.content).unwrap_or_default();
            (version, texts.into_iter().map(|(_, bytes)| bytes).collect())
        };
        Some(Self(launched.map(with_texts).collect()))
    }

    /// Of a file of the rules, or of texts.
    fn of(&self, version: &Version) -> Came {
        let spoke = |texts: &[Vec<u8>]| version.bytes.as_ref().is_some_and(|bytes| texts.contains(bytes));
        let is_this = |(ran, texts): &&(saving::Version, Vec<Vec<u8>>)| {
            Some(&ran.edition.rules) == version.hash.as_ref() || spoke(texts)
        };
        self.0.iter().filter(is_this).fold(Came::default(), |came, (ran, _)| Came {
            ran: true,
            people: came.people + ran.people,
            conversions: came.conversions + ran.conversions,
        })
    }
}

fn as_json(version: &Version, before: &[u8], ran: Option<Came>) -> Value {
    let change = diff::diff(before, version.bytes.as_deref().unwrap_or_default());
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

fn print(out: &mut Results, version: &Version, before: &[u8], ran: Option<Came>) -> Result<(), Failure> {
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
    let change = diff::diff(before, version.bytes.as_deref().unwrap_or_default());
    for line in change.unified().lines() {
        out.line(&format!("    {}", crate::model::clean(line)))?;
    }
    out.line("")
}

impl From<NotSaved> for Failure {
    fn from(error: NotSaved) -> Self {
        Self::failed(error.to_string())
    }
}
