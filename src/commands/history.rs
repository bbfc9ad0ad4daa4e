//! `cascade history`: the versions of the rules that git has: when, by whom, why, and what they changed.

use super::output::Results;
use super::stores::Site;
use super::{Exit, Failure, output};
use crate::cli::{History, Place};
use crate::runtime::store::Reader;
use crate::trail::{self, NotSaved, Version, diff};
use crate::workspace;
use serde_json::{Value, json};

/// Prints them, the newest first.
pub(super) fn run(place: &Place, args: &History) -> Result<Exit, Failure> {
    let config = workspace::settings(&place.workspace)?;
    let versions = trail::versions(&place.workspace, &args.file, &config.git, args.limit)?;
    let ran = |hash: Option<&str>| {
        let (path, _) = Site::open(place).ok()?.store();
        let reader = path.exists().then(|| Reader::open(&path).ok()).flatten()?;
        hash.map(|hash| reader.version(hash).is_ok_and(|files| !files.is_empty()))
    };
    let now = std::fs::read(place.workspace.join(&args.file)).ok();
    let standing =
        now.as_ref().map(|bytes| trail::standing(&place.workspace, &args.file, bytes, &config.git));
    let standing = standing.transpose()?.flatten();
    let before =
        |at: usize| versions.get(at + 1).and_then(|older| older.bytes.as_deref()).unwrap_or_default();
    if args.json {
        let one =
            |(at, version): (usize, &Version)| as_json(version, before(at), ran(version.hash.as_deref()));
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
        print(&mut out, version, before(at), ran(version.hash.as_deref()))?;
    }
    out.close()?;
    Ok(Exit::Done)
}

fn as_json(version: &Version, before: &[u8], ran: Option<bool>) -> Value {
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
        "ran": ran,
        "added": change.added,
        "removed": change.removed,
        "diff": change.unified(),
    })
}

fn print(out: &mut Results, version: &Version, before: &[u8], ran: Option<bool>) -> Result<(), Failure> {
    let id = version.id.get(..7).unwrap_or(&version.id);
    let draft = if version.is_on_base { "" } else { " · not on the base branch" };
    let ran = if ran == Some(true) { " · ran" } else { "" };
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
