//! Who is listed, and where the cursor stands among them.

use super::Cohort;
use crate::runtime::handle::Picture;
use crate::tui::filter::Filter;

impl Cohort {
    pub(super) fn refresh(&mut self, picture: &Picture) {
        let line = self.typing.as_ref().map_or(self.filter.as_str(), |input| input.text());
        let key = (picture.snapshot.seq, line.to_owned(), picture.snapshot.rows.len());
        if self.made_of.as_ref() == Some(&key) {
            return;
        }
        let at = self.position(picture).unwrap_or(0);
        let filter = Filter::parse(line);
        self.index = filter.index(picture);
        (self.problem, self.unread) = (filter.problem, filter.unread);
        self.made_of = Some(key);
        if self.position(picture).is_none() {
            // Whoever was selected is filtered out: the neighbour takes the cursor.
            let near = self.index.get(at.min(self.index.len().saturating_sub(1)));
            self.selected = near.map(|&i| picture.snapshot.rows[i].cascade);
        }
    }

    /// Where the selected customer stands in the list.
    pub fn position(&self, picture: &Picture) -> Option<usize> {
        let selected = self.selected?;
        let rows = &picture.snapshot.rows;
        self.index.iter().position(|&i| rows.get(i).is_some_and(|row| row.cascade == selected))
    }

    pub(super) fn keep_visible(&mut self, picture: &Picture, lines: usize) {
        // A pane that is not on the screen has no lines; its cursor keeps its place all the same.
        let lines = lines.max(1);
        let at = self.position(picture).unwrap_or(0);
        let most = self.index.len().saturating_sub(lines);
        self.top = self.top.clamp((at + 1).saturating_sub(lines), at).min(most);
    }

    /// Selects the customer at a position of the list, or the last one.
    pub fn select(&mut self, picture: &Picture, at: usize) {
        let at = at.min(self.index.len().saturating_sub(1));
        self.selected = self.index.get(at).map(|&i| picture.snapshot.rows[i].cascade);
    }
}
