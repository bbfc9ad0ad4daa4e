//! One line of typed text: the filter, the palette and the word that confirms a live launch.

use crate::model::clean;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Modifier, Style};
use tui_textarea::TextArea;

/// A line being typed.
#[derive(Clone, Debug)]
pub struct LineInput(TextArea<'static>);

impl LineInput {
    /// Starts with `text`, the cursor behind it.
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![text.to_owned()]);
        area.set_cursor_line_style(Style::new());
        area.set_selection_style(Style::new().add_modifier(Modifier::REVERSED));
        area.move_cursor(tui_textarea::CursorMove::End);
        Self(area)
    }

    /// Takes a key; whoever asks has taken Enter and Esc out before. Ctrl-u clears the line.
    pub fn press(&mut self, key: KeyEvent) {
        if key.code == KeyCode::Char('u') && key.modifiers.contains(KeyModifiers::CONTROL) {
            *self = Self::new("");
            return;
        }
        self.0.input(key);
    }

    /// Takes pasted text, as one clean line.
    pub fn paste(&mut self, text: &str) {
        self.0.insert_str(clean(text).trim());
    }

    /// What has been typed.
    pub fn text(&self) -> &str {
        self.0.lines().first().map_or("", String::as_str)
    }

    /// To be drawn, cursor and all.
    pub fn widget(&self) -> &TextArea<'static> {
        &self.0
    }
}
