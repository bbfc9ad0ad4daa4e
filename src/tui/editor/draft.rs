//! A draft: the text of one file as it is being edited, its undo history, and what the newest check found in it.

use crate::model::{Channel, clean};
use crate::rules::content::file_name;
use crate::rules::{Problem, Rules, Severity};
use ratatui::style::{Modifier, Style};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use tui_textarea::{CursorMove, TextArea, WrapMode};

/// Steps that can be undone.
const UNDO_STEPS: usize = 2_000;
/// Cells that a tab takes.
pub const TAB: u8 = 4;

/// A file that is edited on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum File {
    /// The rules.
    Rules,
    /// What is said on a channel.
    Content(Channel),
}

impl File {
    /// Every file there can be.
    pub const ALL: [Self; 5] = [
        Self::Rules,
        Self::Content(Channel::Whatsapp),
        Self::Content(Channel::Phone),
        Self::Content(Channel::Sms),
        Self::Content(Channel::Email),
    ];

    /// `cascade.json`, `sms.txt`
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rules => "cascade.json",
            Self::Content(channel) => file_name(channel),
        }
    }

    /// Where it stands in a workspace.
    pub fn path(self) -> String {
        match self {
            Self::Rules => format!("rules/{}", self.name()),
            Self::Content(_) => format!("rules/content/{}", self.name()),
        }
    }

    /// Whether it is written in JSON.
    pub const fn is_json(self) -> bool {
        matches!(self, Self::Rules | Self::Content(Channel::Whatsapp))
    }

    /// Prose has long lines, which are wrapped.
    const fn wraps(self) -> bool {
        !matches!(self, Self::Rules)
    }
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// Of this revision of the text; 0: nothing was checked yet.
    pub revision: u64,
    /// What is wrong with the draft's own file, in its order.
    pub problems: Vec<Problem>,
    /// What is wrong elsewhere because of it.
    pub elsewhere: Vec<Problem>,
    /// The rules, if the draft is one of rules and they can be read.
    pub rules: Option<Arc<Rules>>,
}

/// The text of one file as it is being edited.
#[derive(Debug)]
pub struct Draft {
    /// Which.
    pub file: File,
    /// The text it started from: the workspace's, or what is built in.
    pub base: String,
    /// What that text means, if it is one of rules and they can be read.
    pub base_rules: Option<Arc<Rules>>,
    /// Counts the changes of the text, from 1.
    pub revision: u64,
    /// What the newest check found.
    pub check: Check,
    /// The revision that the disk has; what nobody has changed need not be there.
    pub kept: u64,
    area: TextArea<'static>,
    /// Texts inside of one step, by hash: undo and redo do not stop there.
    joints: Vec<u64>,
    /// The revision and the cursor behind the letter that was typed last.
    run: Option<(u64, (usize, usize))>,
}

impl Draft {
    /// Nothing changed yet.
    pub fn new(file: File, base: &str) -> Self {
        let mut area = TextArea::new(lines_of(base));
        area.set_max_histories(UNDO_STEPS);
        area.set_tab_length(TAB);
        area.set_cursor_line_style(Style::new());
        area.set_line_number_style(Style::new());
        area.set_selection_style(Style::new().add_modifier(Modifier::REVERSED));
        area.set_wrap_mode(if file.wraps() { WrapMode::WordOrGlyph } else { WrapMode::None });
        let check = Check::default();
        let base_rules = rules_of(file, base);
        Self {
            file,
            base: base.to_owned(),
            base_rules,
            revision: 1,
            check,
            kept: 1,
            area,
            joints: Vec::new(),
            run: None,
        }
    }

    /// To be drawn, and asked where things stand.
    pub const fn area(&self) -> &TextArea<'static> {
        &self.area
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    /// The file as it would be written: it ends with a line's end.
    pub fn text(&self) -> String {
        let mut text = self.lines().join("\n");
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }

    /// Whether it differs from what it started from.
    pub fn is_changed(&self) -> bool {
        let mut base = self.base.lines();
        let mut lines = self.lines();
        while let [rest @ .., last] = lines
            && last.is_empty()
        {
            lines = rest;
        }
        let same = lines.iter().all(|line| base.next() == Some(line.as_str()));
        !same || base.any(|line| !line.is_empty())
    }

    /// Cursor: line and character, from 0.
    pub fn cursor(&self) -> (usize, usize) {
        let at = self.area.cursor();
        (at.0, at.1)
    }

    /// Something the text area does with the text; a change counts.
    pub fn change(&mut self, does: impl FnOnce(&mut TextArea<'static>) -> bool) {
        if does(&mut self.area) {
            self.revision += 1;
        }
    }

    /// A letter: those of one word, typed in one go, are taken back in one go.
    pub fn letter(&mut self, letter: char) {
        let goes_on = self.run == Some((self.revision, self.cursor()));
        if goes_on && letter.is_alphanumeric() {
            self.joints.push(self.hash());
        }
        self.change(|area| {
            area.insert_char(letter);
            true
        });
        self.run = letter.is_alphanumeric().then(|| (self.revision, self.cursor()));
    }

    /// Something that moves cursor or view alone.
    pub fn view(&mut self, does: impl FnOnce(&mut TextArea<'static>)) {
        does(&mut self.area);
    }

    /// The cursor to a line and a character, from 0.
    pub fn go_to(&mut self, (line, column): (usize, usize)) {
        self.area.move_cursor(CursorMove::Jump(
            line.min(usize::from(u16::MAX)) as u16,
            column.min(usize::from(u16::MAX)) as u16,
        ));
    }

    /// Pasted text: lines stay, control characters go.
    pub fn paste(&mut self, text: &str) {
        let unified = text.replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<String> = unified.split('\n').map(|line| clean(&line.replace('\t', "    "))).collect();
        let clean = lines.join("\n");
        self.change(|area| area.insert_str(clean));
    }

    /// Replaces the whole text by another one, as one step that can be undone; only what differs is touched.
    pub fn replace(&mut self, text: &str) {
        let old = self.lines().join("\n");
        let new = lines_of(text).join("\n");
        if old == new {
            return;
        }
        let (from, to_old, to_new) = differing(&old, &new);
        self.area.cancel_selection();
        let here = self.cursor();
        self.go_to(place(&old, from));
        if to_old > from {
            self.area.start_selection();
            self.go_to(place(&old, to_old));
            self.area.cut();
        }
        if to_new > from {
            if to_old > from {
                self.joints.push(self.hash());
            }
            self.area.insert_str(&new[from..to_new]);
        }
        self.go_to(here);
        self.revision += 1;
    }

    /// The file stands otherwise: nothing is changed of that yet; the cursor keeps its place. A check or a keeping of the
    /// text before that is still under way is none of this one.
    pub fn begin_anew(&mut self, base: &str) {
        let (revision, cursor) = (self.revision + 1, self.cursor());
        *self = Self { revision, ..Self::new(self.file, base) };
        self.go_to(cursor);
    }

    /// `text` was saved: it is what the draft starts from now.
    pub fn settle(&mut self, text: &str) {
        text.clone_into(&mut self.base);
        self.base_rules = rules_of(self.file, &self.base);
        // Taken off the disk with the next keeping.
        self.revision += 1;
    }

    /// Takes back the last step.
    pub fn undo(&mut self) -> bool {
        self.through_joints(TextArea::undo)
    }

    /// Takes back the last taking back.
    pub fn redo(&mut self) -> bool {
        self.through_joints(TextArea::redo)
    }

    fn through_joints(&mut self, does: fn(&mut TextArea<'static>) -> bool) -> bool {
        let done = does(&mut self.area);
        let mut goes_on = done;
        while goes_on && !self.joints.is_empty() && self.joints.contains(&self.hash()) {
            goes_on = does(&mut self.area);
        }
        self.revision += u64::from(done);
        done
    }

    fn hash(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        self.lines().hash(&mut hash);
        hash.finish()
    }

    /// To the next place after the cursor (or before it) where `words` stand, around the end; case matters only if
    /// `words` has a capital.
    pub fn find(&mut self, words: &str, forward: bool, here_too: bool) -> bool {
        let exact = words.chars().any(char::is_uppercase);
        let folded = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
        let wanted = folded(words);
        if wanted.is_empty() {
            return false;
        }
        let (row, column) = self.cursor();
        let lines = self.lines();
        let found = (0..=lines.len()).find_map(|step| {
            let line = if forward { row + step } else { row + 2 * lines.len() - step } % lines.len();
            let text = folded(&lines[line]);
            let mut hits = text.match_indices(&wanted).map(|(at, _)| text[..at].chars().count());
            let beyond = |at: &usize| match (step, forward) {
                (0, true) => *at > column || (here_too && *at == column),
                (0, false) => *at < column,
                _ => true,
            };
            let hit = if forward { hits.find(beyond) } else { hits.filter(beyond).last() };
            hit.map(|at| (line, at))
        });
        if let Some(at) = found {
            self.area.cancel_selection();
            self.go_to(at);
        }
        found.is_some()
    }

    /// To the next problem after the cursor, around the end.
    pub fn next_problem(&mut self) -> bool {
        let (row, column) = self.cursor();
        let here = (row as u64 + 1, column as u64 + 1);
        let places: Vec<_> = self.check.problems.iter().map(|p| (p.line, p.column)).collect();
        let next = places.iter().find(|at| **at > here).or_else(|| places.first());
        let Some((line, column)) = next.copied() else { return false };
        self.area.cancel_selection();
        self.go_to((line.saturating_sub(1) as usize, column.saturating_sub(1) as usize));
        true
    }

    /// Errors and warnings of the newest check.
    pub fn counts(&self) -> (usize, usize) {
        let errors = self.check.problems.iter().filter(|p| p.severity == Severity::Error).count();
        (errors, self.check.problems.len() - errors)
    }
}

/// The rules that a text means, if it is one of rules without an error.
pub fn rules_of(file: File, text: &str) -> Option<Arc<Rules>> {
    let read = || crate::rules::parse(std::path::Path::new(file.name()), text.as_bytes()).0;
    (file == File::Rules).then(read).flatten().map(Arc::new)
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Where two texts differ: the bytes before which they are the same, and the end of what differs in each.
fn differing(old: &str, new: &str) -> (usize, usize, usize) {
    let same = |(a, b): &((usize, char), char)| a.1 == *b;
    let from = old.char_indices().zip(new.chars()).take_while(same).map(|(a, _)| a.0 + a.1.len_utf8()).last();
    let from = from.unwrap_or(0);
    let tail = old[from..].chars().rev().zip(new[from..].chars().rev()).take_while(|(a, b)| a == b);
    let tail: usize = tail.map(|(a, _)| a.len_utf8()).sum();
    (from, old.len() - tail, new.len() - tail)
}

/// Line and character of a byte, from 0.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (line, before[start..].chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_is_one_step_back_and_leaves_the_cursor() {
        let mut draft = Draft::new(File::Rules, "{ \"wait\": \"6h\",\n  \"x\": 1 }\n");
        draft.go_to((1, 3));
        draft.replace("{ \"wait\": \"4h\",\n  \"x\": 1 }\n");
        assert_eq!((draft.text().contains("4h"), draft.cursor()), (true, (1, 3)));
        assert!(draft.is_changed());
        assert!(draft.undo() && draft.text().contains("6h"));
        assert!(!draft.is_changed());
        assert!(draft.redo() && draft.text().contains("4h"));
        assert!(draft.undo() && !draft.undo());
    }

    #[test]
    fn a_word_is_taken_back_whole() {
        let mut draft = Draft::new(File::Rules, "");
        "one two".chars().for_each(|letter| draft.letter(letter));
        assert!(draft.undo() && draft.text() == "one \n", "{}", draft.text());
        assert!(draft.undo() && draft.undo() && !draft.is_changed());
        assert!(draft.redo() && draft.text() == "one\n", "{}", draft.text());
    }

    #[test]
    fn search_goes_around_the_end_and_back() {
        let mut draft = Draft::new(File::Rules, "one Two\nthree\ntwo");
        let mut find = |words: &str, forward| {
            assert!(draft.find(words, forward, false));
            draft.cursor()
        };
        assert_eq!(find("two", true), (0, 4));
        assert_eq!(find("two", true), (2, 0));
        assert_eq!(find("two", true), (0, 4));
        assert_eq!(find("two", false), (2, 0));
        assert_eq!(find("Two", false), (0, 4));
        assert!(!draft.find("four", true, true));
    }

    #[test]
    fn pasted_text_keeps_its_lines_and_loses_control_characters() {
        let mut draft = Draft::new(File::Content(Channel::Sms), "");
        draft.paste("Hi\x1b[31m\r\nthere\x07\rnow");
        assert_eq!(draft.lines().len(), 3);
        assert!(draft.lines().iter().all(|line| !line.contains(char::is_control)), "{:?}", draft.lines());
    }

    #[test]
    fn an_empty_line_at_the_end_is_no_change() {
        let mut draft = Draft::new(File::Rules, "{}\n");
        draft.view(|area| area.move_cursor(CursorMove::Bottom));
        draft.change(|area| {
            area.insert_newline();
            true
        });
        assert!(!Draft::new(File::Rules, "{}\n").is_changed());
        assert!(!Draft::new(File::Rules, "{}").is_changed());
        assert!(Draft::new(File::Rules, "").lines().len() == 1);
    }
}
