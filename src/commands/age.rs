//! How long the rules have been as they are: by the commit that made them so, else by their file, and by what ran in live.

use crate::cli::Place;
use crate::clock::wall_at;
use crate::model::Mode;
use crate::rules::Rules;
use crate::rules::lints::Age;
use crate::runtime::store::Reader;
use crate::trail;
use crate::workspace::{Source, Workspace};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const DAY_S: i64 = 86_400;

/// The age of the workspace's rules, as far as it can be known without leaving a trace.
pub(super) fn of(place: &Place, workspace: &Workspace, rules: &Rules) -> Age {
    let changed_s = file(workspace)
        .and_then(|file| committed_s(workspace, &file, &rules.bytes).or_else(|| written_s(&file)));
    let days = changed_s.map(|at| ((wall_at().millis() / 1_000 - at).max(0) / DAY_S) as u64);
    // Rehearsals teach nothing about people.
    let store = place.db.clone().unwrap_or_else(|| workspace.dir.join(".cascade/live.db"));
    let is_live = workspace.mode == Mode::Live && store.exists();
    let reader = is_live.then(|| Reader::open(&store).ok()).flatten();
    Age { days, cascades: reader.and_then(|reader| reader.cascades_by(&rules.hash).ok()) }
}

fn file(workspace: &Workspace) -> Option<PathBuf> {
    let Source::File(path) = &workspace.rules.source else { return None };
    // One that was named on the command line is named from here.
    let inside = workspace.dir.join(path);
    Some(if inside.exists() { inside } else { path.clone() })
}

fn written_s(file: &Path) -> Option<i64> {
    let written = fs::metadata(file).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(written.as_secs()).ok()
}

/// Since when git has these bytes in this file; `None` where no commit has them.
fn committed_s(workspace: &Workspace, file: &Path, bytes: &[u8]) -> Option<i64> {
    let settings = workspace.config.as_ref().map(|config| config.git.clone()).unwrap_or_default();
    let file = file.canonicalize().ok()?;
    let standing = trail::standing(file.parent()?, Path::new(file.file_name()?), bytes, &settings);
    Some(standing.ok()??.since?.millis().div_euclid(1_000))
}
