//! Text that came from outside: names, webhook bodies, provider errors.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Longest text kept from outside, in bytes; the rest is cut at a character and marked.
const MAX_BYTES: usize = 8 * 1024;

/// Text from outside. It has no `Display`: whoever shows it must say for which sink.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Takes text in as it is, cut to 8 KiB.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.len() > MAX_BYTES {
            let cut = (0..=MAX_BYTES).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
            text.truncate(cut);
            text.push('…');
        }
        Self(text)
    }

    /// The bytes as they came, for storing, sending and comparing; never for showing.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// No text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One line for a terminal: no control characters, no bidirectional overrides, no invisible
    /// characters that move what follows; line ends become a space.
    pub fn screen(&self) -> String {
        clean(&self.0)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Makes any text safe for one line of a terminal. See [`Untrusted::screen`].
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        // A cluster of more than eight characters is an attack on the line's width, not a letter.
        for c in cluster.chars().take(8) {
            match c {
                '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => {
                    if !out.ends_with(' ') {
                        out.push(' ');
                    }
                }
                c if c.is_control() => out.push('·'),
                '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}' => {}
                c => out.push(c),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_terminal_is_left() {
        let nasty = "a\x1b[2J\x07b\u{9b}31m\u{202e}c\r\nd\0";
        let shown = Untrusted::new(nasty).screen();
        assert!(shown.chars().all(|c| !c.is_control()), "{shown:?}");
        assert_eq!(shown, "a·[2J·b·31mc d·");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let text = Untrusted::new("é".repeat(10_000));
        assert!(text.raw().len() <= MAX_BYTES + 4);
        assert!(text.raw().ends_with('…'));
    }
}
