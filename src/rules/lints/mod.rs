//! What can be judged only with rules, content, settings and customer list side by side.
//!
//! | part | finds |
//! |---|---|
//! | `files` | missing content, channels without settings, unknown columns, links that lead nowhere |
//! | `paths` | what a text says on each way through the rules: attempts that were not made, a first text without name or way out |
//! | `wording` | greetings, length and asks, whoever reads it |
//! | `reuse` | copy that is used twice |
//! | `waits` | waits that end in quiet hours |
//! | `age` | rules that nobody changed for long |
//! | `survey` | what the customers' own values make of it |

mod age;
mod brand;
mod files;
mod paths;
mod phrases;
mod references;
mod reuse;
mod said;
mod survey;
mod waits;
mod wording;

pub use age::{Age, stale};
pub use reuse::alike;
pub use survey::Survey;

use super::content::Content;
use super::report::Report;
use super::{Ladder, Problem, Rules, Severity};
use crate::config::Config;
use crate::model::{Channel, clean};
use std::path::{Path, PathBuf};

/// A link code of the usual length, for counting segments.
const SAMPLE_CODE: &str = "AbCdEfGhIjKlMnOpQrStUv";

/// Everything that is judged together.
#[derive(Clone, Copy, Debug)]
pub struct Together<'a> {
    /// The rules, if they could be read.
    pub rules: Option<&'a Rules>,
    /// Their file as people know it.
    pub rules_file: &'a Path,
    /// The content.
    pub content: &'a Content,
    /// The settings.
    pub config: &'a Config,
    /// The columns of the customer list, by the names that content uses; `None` if it could not be read.
    pub columns: Option<&'a [String]>,
}

/// One line for people: `file:line:column: error: message (hint)`.
pub fn one_line(problem: &Problem) -> String {
    let Problem { severity, file, line, column, code, message, hint } = problem;
    let severity = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let file = clean(&file.to_string_lossy());
    format!("{file}:{line}:{column}: {severity}: {message}; {hint} [{code}]")
}

fn problem(
    severity: Severity,
    (file, line, column): (PathBuf, u64, u64),
    code: &'static str,
    message: String,
    hint: impl Into<String>,
) -> Problem {
    Problem { severity, file, line, column, code, message, hint: hint.into() }
}

/// A place in a channel's content file, by its byte offset.
fn in_content(content: &Content, channel: Channel, at: usize) -> (PathBuf, u64, u64) {
    let path = content.path(channel);
    let name = super::content::file_name(channel);
    let bytes = content.files.iter().find(|(n, _)| n == name).map(|(_, bytes)| bytes.as_slice());
    let bytes = bytes.unwrap_or_default();
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).unwrap_or_default();
    let (line, column) = Report::new(&path, text).place(at);
    (path, line, column)
}

/// Finds what does not fit together. Whatever stands in a message was made safe for a terminal.
pub fn together(all: &Together<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    let channels = used_channels(all.rules);
    files::check(all, &channels, &mut found);
    paths::check(all, &mut found);
    wording::check(all.content, &channels, &mut found);
    reuse::check(all.content, &channels, &mut found);
    waits::check(all, &mut found);
    for problem in &mut found {
        problem.message = clean(&problem.message);
        problem.hint = clean(&problem.hint);
    }
    found
}

/// The channels of the rules; all three that are built where the rules could not be read.
fn used_channels(rules: Option<&Rules>) -> Vec<Channel> {
    let Some(rules) = rules else { return vec![Channel::Whatsapp, Channel::Phone, Channel::Sms] };
    let steps: Vec<Channel> = ladders(rules).flat_map(|l| l.steps.iter().map(|s| s.channel)).collect();
    Channel::ALL.iter().copied().filter(|c| steps.contains(c)).collect()
}

fn ladders(rules: &Rules) -> impl Iterator<Item = &Ladder> {
    std::iter::once(&rules.main).chain(rules.segments.values())
}
