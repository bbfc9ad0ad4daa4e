//! What the operator is told: the newest lines stand above the footer until they are dismissed; all of them can be read
//! whole on a page of their own.

use super::editor::draft::File;
use crate::model::At;
use crate::runtime::handle::Level;
use std::collections::VecDeque;

/// Lines that stand; the oldest ones that are no errors go first.
const STANDING: usize = 20;
/// Lines shown at once.
const SHOWN: usize = 3;
/// Lines that the page has.
const READABLE: usize = 100;

/// Something the operator was told.
#[derive(Clone, Debug)]
pub struct Told {
    /// When, campaign time.
    pub at: At,
    /// How bad.
    pub level: Level,
    /// What.
    pub text: String,
    /// A draft that it is about: gone with it.
    about: Option<File>,
}

/// See the module's words.
#[derive(Debug, Default)]
pub struct Notices {
    standing: VecDeque<Told>,
    all: VecDeque<Told>,
}

impl Notices {
    /// Adds a line; one with the same words is moved to the end instead.
    pub fn tell(&mut self, at: At, level: Level, text: String, about: Option<File>) {
        self.standing.retain(|told| told.text != text);
        let told = Told { at, level, text, about };
        self.all.push_back(told.clone());
        if self.all.len() > READABLE {
            self.all.pop_front();
        }
        self.standing.push_back(told);
        if self.standing.len() > STANDING {
            let least = self.standing.iter().position(|told| told.level < Level::Error).unwrap_or(0);
            self.standing.remove(least);
        }
    }

    /// The lines of this frame, the newest last.
    pub fn shown(&self) -> impl Iterator<Item = &Told> {
        self.standing.iter().skip(self.standing.len().saturating_sub(SHOWN))
    }

    /// How many lines that are.
    pub fn lines(&self) -> u16 {
        self.standing.len().min(SHOWN) as u16
    }

    /// A key was pressed: what was done as asked has been read.
    pub fn pressed(&mut self) {
        self.standing.retain(|told| told.level > Level::Info);
    }

    /// Takes the newest line away; false where none stands.
    pub fn dismiss(&mut self) -> bool {
        self.standing.pop_back().is_some()
    }

    /// A line about a draft goes with it.
    pub fn forget_drafts(&mut self, is_there: impl Fn(File) -> bool) {
        self.standing.retain(|told| told.about.is_none_or(&is_there));
    }

    /// Everything that was told, the newest first.
    pub fn all(&self) -> impl Iterator<Item = &Told> {
        self.all.iter().rev()
    }

    /// How much that is.
    pub fn count(&self) -> usize {
        self.all.len()
    }
}
