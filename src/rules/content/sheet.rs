//! A file an operator wrote, while it is being read: turns byte offsets into lines and columns, and collects
//! everything that is wrong with it, not only the first thing.

use crate::rules::{Problem, Severity};
use std::path::{Path, PathBuf};

/// One file and its problems so far.
#[derive(Debug)]
pub struct Sheet<'a> {
    file: PathBuf,
    text: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Sheet<'a> {
    /// Opens a sheet over the text of `file`.
    pub fn new(file: &Path, text: &'a str) -> Self {
        Self { file: file.to_owned(), text, problems: Vec::new() }
    }

    /// The whole text.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Line and column of a byte offset, both from 1, the column in characters.
    pub fn place(&self, offset: usize) -> (u64, u64) {
        place(self.text, offset)
    }

    /// Something that keeps the file from being used.
    pub fn error(&mut self, offset: usize, code: &'static str, message: String, hint: impl Into<String>) {
        self.push(Severity::Error, offset, code, message, hint.into());
    }

    /// Something that can be used, and is probably not what was meant.
    pub fn warning(&mut self, offset: usize, code: &'static str, message: String, hint: impl Into<String>) {
        self.push(Severity::Warning, offset, code, message, hint.into());
    }

    fn push(&mut self, severity: Severity, at: usize, code: &'static str, message: String, hint: String) {
        let (line, column) = self.place(at);
        // Messages quote the file, and the file may hold anything.
        let (message, hint) = (crate::model::clean(&message), crate::model::clean(&hint));
        self.problems.push(Problem { severity, file: self.file.clone(), line, column, code, message, hint });
    }

    /// Whether an error was found so far.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|p| p.severity == Severity::Error)
    }

    /// Ends the reading: everything found, in the order of the file.
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|p| (p.line, p.column));
        self.problems
    }
}

/// Line and column of a byte offset in `text`, both from 1, the column in characters. An offset past the end
/// or inside a character falls back to the nearest place before it.
pub fn place(text: &str, offset: usize) -> (u64, u64) {
    let end = (0..=offset.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let line = before.matches('\n').count() as u64 + 1;
    (line, before[line_start..].chars().count() as u64 + 1)
}

/// `; did you mean ...?`: the known word nearest to a mistyped one, or all of them when none is near.
pub fn did_you_mean<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are: {}", known.join(", ")),
    }
}

/// The known word that looks most like `word`, if one does.
pub fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let word = word.to_lowercase();
    known
        .iter()
        .map(|k| (strsim::jaro_winkler(&word, &k.to_lowercase()), *k))
        .filter(|(likeness, _)| *likeness >= 0.78)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}
