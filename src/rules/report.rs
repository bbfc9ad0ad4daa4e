//! Turns byte offsets into lines and columns, and collects what is wrong with a file.

use super::{Problem, Severity};
use crate::model::clean;
use std::path::{Path, PathBuf};

/// Longest piece of a file quoted in a message, in characters.
const QUOTE_CHARS: usize = 40;

/// The problems of one file, each at its place in the text.
pub(crate) struct Report<'t> {
    file: PathBuf,
    text: &'t str,
    /// Byte offset of every line's first character.
    lines: Vec<usize>,
    problems: Vec<Problem>,
}

impl<'t> Report<'t> {
    /// `text` is the file without a byte order mark.
    pub(crate) fn new(file: &Path, text: &'t str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { file: file.to_owned(), text, lines, problems: Vec::new() }
    }

    /// The text the offsets are about.
    pub(crate) const fn text(&self) -> &'t str {
        self.text
    }

    /// Line and column of a byte, both from 1; the column in characters.
    pub(crate) fn place(&self, at: usize) -> (u64, u64) {
        let at = self.text.floor_char_boundary(at);
        let line = self.lines.partition_point(|&start| start <= at).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..at).map_or(0, |before| before.chars().count());
        (line as u64, column as u64 + 1)
    }

    /// Something that keeps the file from being used.
    pub(crate) fn error(
        &mut self,
        at: usize,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Error, at, code, message.into(), hint.into());
    }

    /// Something that is probably not what was meant.
    pub(crate) fn warning(
        &mut self,
        at: usize,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Warning, at, code, message.into(), hint.into());
    }

    fn add(&mut self, severity: Severity, at: usize, code: &'static str, message: String, hint: String) {
        let (line, column) = self.place(at);
        let file = self.file.clone();
        // Messages quote the file, and the file may hold anything.
        let (message, hint) = (clean(&message), clean(&hint));
        self.problems.push(Problem { severity, file, line, column, code, message, hint });
    }

    /// Whether anything keeps the file from being used.
    pub(crate) fn has_errors(&self) -> bool {
        self.problems.iter().any(|p| p.severity == Severity::Error)
    }

    /// Everything found, in the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|p| (p.line, p.column));
        self.problems
    }
}

/// A piece of a file as a message may show it: in quotes, short, and safe for a terminal.
pub(crate) fn quote(text: &str) -> String {
    let mut short: String = clean(text).chars().take(QUOTE_CHARS).collect();
    if text.chars().count() > QUOTE_CHARS {
        short.push('…');
    }
    format!("\"{short}\"")
}

/// The known word that `word` was probably meant to be.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.trim().to_lowercase().replace(['-', ' '], "_");
    known
        .iter()
        .map(|&k| (strsim::osa_distance(&word, k), k))
        .filter(|&(far, k)| far <= 1 + k.chars().count() / 4)
        .min_by_key(|&(far, _)| far)
        .map(|(_, k)| k)
}

/// `did you mean "phone"?`, or else the whole choice.
pub(crate) fn suggest(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("use one of: {}", known.join(", ")),
    }
}
