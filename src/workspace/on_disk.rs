//! What stands in the workspace's rules and texts now, whoever wrote it: another editor does not ask us. Everything here
//! blocks; it is called beside the screen's loop.

use super::bench::{self, Bench, Texts};
use super::settings::CONFIG;
use super::{CONTENT, CUSTOMERS, RULES};
use crate::model::{Channel, clean};
use crate::rules::content::file_name;
use crate::rules::{Problem, Severity};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Of each file its length and when it was written: as long as it is the same, nobody has written any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(Vec<Option<(u64, SystemTime)>>);

/// Rules and texts by their path in a workspace.
fn names() -> impl Iterator<Item = String> {
    let content = Channel::ALL.iter().map(|channel| format!("{CONTENT}/{}", file_name(*channel)));
    std::iter::once(RULES.to_owned()).chain(content)
}

/// As the files are now, with those by which they are judged.
pub fn stamp(dir: &Path) -> Stamp {
    let one = |name: String| {
        let found = fs::metadata(dir.join(name)).ok()?;
        Some((found.len(), found.modified().ok()?))
    };
    let judges = [CONFIG, CUSTOMERS].map(str::to_owned);
    Stamp(names().chain(judges).map(one).collect())
}

/// What keeps them from being used, judged together as `cascade check` does; the settings first, each file in its order.
pub fn errors(dir: &Path) -> Vec<Problem> {
    let bench = match Bench::open(dir) {
        Ok(bench) => bench,
        Err(why) => return vec![unreadable(&why.to_string())],
    };
    let texts: Texts = names().filter_map(|name| Some((name.clone(), bench.text(&name)?))).collect();
    let mut problems = bench.misread();
    problems.extend(bench::check(Some(&bench), &texts).problems);
    problems.retain(|problem| problem.severity == Severity::Error);
    problems
}

fn unreadable(why: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        file: PathBuf::from(RULES),
        line: 1,
        column: 1,
        code: "unreadable",
        message: clean(why),
        hint: "`cascade check` says more".to_owned(),
    }
}
