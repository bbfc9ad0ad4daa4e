//! What a change changes, line by line and within lines: data for a screen that draws it unified or side by side.

use similar::{ChangeTag, DiffOp, TextDiff};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// A change of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// What changed, in the order of the file.
    pub hunks: Vec<Hunk>,
    /// Lines that are new.
    pub added: usize,
    /// Lines that are gone.
    pub removed: usize,
}

/// Lines that changed together, with their neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunk {
    /// As a unified diff has them: what is gone before what came in its place.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What became of it.
    pub kind: Kind,
    /// Its number in the old text, from 1.
    pub old: Option<usize>,
    /// Its number in the new text, from 1.
    pub new: Option<usize>,
    /// Its text, without the line end; what changed within it is marked.
    pub parts: Vec<Part>,
    /// The text ends here without a line end.
    pub is_open: bool,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Same,
    /// It is gone.
    Removed,
    /// It is new.
    Added,
}

/// A stretch of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// As it stands in the file.
    pub text: String,
    /// This is what changed.
    pub is_changed: bool,
}

/// Two lines beside each other; one side may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'d> {
    /// Of the old text.
    pub old: Option<&'d Line>,
    /// Of the new text.
    pub new: Option<&'d Line>,
}

/// Compares two texts; bytes that are no UTF-8 are shown as such.
pub fn diff(old: &[u8], new: &[u8]) -> Diff {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let compared = TextDiff::from_lines(old.as_ref(), new.as_ref());
    let mut diff = Diff::default();
    for group in compared.grouped_ops(CONTEXT) {
        let lines: Vec<Line> = group.iter().flat_map(|op| lines(&compared, op)).collect();
        diff.added += lines.iter().filter(|line| line.kind == Kind::Added).count();
        diff.removed += lines.iter().filter(|line| line.kind == Kind::Removed).count();
        diff.hunks.push(Hunk { lines });
    }
    diff
}

fn lines<'a>(compared: &'a TextDiff<'a, 'a, 'a, str>, op: &DiffOp) -> Vec<Line> {
    let line = |change: similar::InlineChange<'_, str>| {
        let is_open = change.missing_newline();
        let mut parts: Vec<Part> = change
            .iter_strings_lossy()
            .map(|(is_changed, text)| Part { text: text.into_owned(), is_changed })
            .collect();
        if let Some(last) = parts.last_mut() {
            last.text.truncate(last.text.trim_end_matches(['\r', '\n']).len());
        }
        parts.retain(|part| !part.text.is_empty());
        Line {
            kind: match change.tag() {
                ChangeTag::Equal => Kind::Same,
                ChangeTag::Delete => Kind::Removed,
                ChangeTag::Insert => Kind::Added,
            },
            old: change.old_index().map(|index| index + 1),
            new: change.new_index().map(|index| index + 1),
            parts,
            is_open,
        }
    };
    compared.iter_inline_changes(op).map(line).collect()
}

impl Line {
    /// Its text, whole.
    pub fn text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }
}

impl Hunk {
    /// Side by side: a line that changed stands beside what it became.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        let mut waiting = 0;
        for line in &self.lines {
            match line.kind {
                Kind::Same => {
                    waiting = rows.len() + 1;
                    rows.push(Row { old: Some(line), new: Some(line) });
                }
                Kind::Removed => rows.push(Row { old: Some(line), new: None }),
                Kind::Added => {
                    // What is gone stands before what is new; the first without a partner takes it.
                    let partner = rows.iter_mut().skip(waiting).find(|row| row.new.is_none());
                    match partner {
                        Some(row) => row.new = Some(line),
                        None => rows.push(Row { old: None, new: Some(line) }),
                    }
                }
            }
        }
        rows
    }
}

impl Diff {
    /// As `git diff` writes it, without the file's header: for a pull request's body and for scripts.
    pub fn unified(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for hunk in &self.hunks {
            let span = |number: fn(&Line) -> Option<usize>| {
                let mut numbers = hunk.lines.iter().filter_map(number);
                let first = numbers.next();
                (first.unwrap_or(0), first.map_or(0, |_| 1 + numbers.count()))
            };
            let ((old, old_len), (new, new_len)) = (span(|line| line.old), span(|line| line.new));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "@@ -{old},{old_len} +{new},{new_len} @@");
            for line in &hunk.lines {
                let sign = match line.kind {
                    Kind::Same => ' ',
                    Kind::Removed => '-',
                    Kind::Added => '+',
                };
                let _ = writeln!(text, "{sign}{}", line.text());
                if line.is_open {
                    text.push_str("\\ No newline at end of file\n");
                }
            }
        }
        text
    }
}
