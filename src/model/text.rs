//! Text that came from outside: names, webhook bodies, provider errors.

use super::sinks;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest text kept from outside, in bytes; the rest is cut at a character and marked.
const MAX_BYTES: usize = 8 * 1024;

/// Text from outside. It has no `Display`, and nothing makes it a `&str` behind one's back: whoever shows it says
/// for which sink, and `Debug` tells its length alone, since panics and logs print that.
///
/// | sink | rendering |
/// |---|---|
/// | a line of a terminal | [`screen`](Self::screen) |
/// | the program's log | [`log`](Self::log) |
/// | a page | [`html`](Self::html) |
/// | a table | [`csv`](Self::csv) |
/// | the clipboard | [`clipboard`](Self::clipboard) |
/// | Markdown | [`markdown`](Self::markdown) |
///
/// JSON is a document as a whole: [`sinks::json`].
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Untrusted(String);

impl Untrusted {
    /// Takes text in as it is, cut to 8 KiB.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.len() > MAX_BYTES {
            text.truncate(text.floor_char_boundary(MAX_BYTES));
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

    /// See [`sinks::screen`].
    pub fn screen(&self) -> String {
        sinks::screen(&self.0)
    }

    /// The same for several lines, each one line of a terminal.
    pub fn screen_lines(&self) -> impl Iterator<Item = String> {
        self.0.lines().map(super::sinks::screen)
    }

    /// See [`sinks::log`].
    pub fn log(&self) -> String {
        sinks::log(&self.0)
    }

    /// See [`sinks::html`].
    pub fn html(&self) -> String {
        sinks::html(&self.0)
    }

    /// See [`sinks::csv`].
    pub fn csv(&self) -> String {
        sinks::csv(&self.0)
    }

    /// See [`sinks::clipboard`].
    pub fn clipboard(&self) -> String {
        sinks::clipboard(&self.0)
    }

    /// See [`sinks::markdown`].
    pub fn markdown(&self) -> String {
        sinks::markdown(&self.0)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({})", self.log())
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

/// For the store, which holds the bytes as they came.
impl From<Untrusted> for String {
    fn from(text: Untrusted) -> Self {
        text.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_a_character_once() {
        for letter in ["a", "é", "…", "🙂"] {
            for before in 0..4 {
                let text = Untrusted::new("a".repeat(before) + &letter.repeat(10_000));
                assert!(text.raw().len() <= MAX_BYTES + '…'.len_utf8());
                assert!(text.raw().ends_with('…'));
                let json = serde_json::to_string(&text).unwrap();
                assert!(
                    serde_json::from_str::<Untrusted>(&json).unwrap() == text,
                    "read back, it is the same"
                );
            }
        }
    }

    #[test]
    fn debug_tells_the_length_alone() {
        let said = Untrusted::new("+15550001111 \u{1b}[2J");
        assert_eq!(format!("{said:?}"), "Untrusted(17 characters)");
        assert_eq!(format!("{:#?}", Some(&said)), "Some(\n    Untrusted(17 characters),\n)");
    }

    /// Compiles only while `Untrusted` has none of these: with one of them, `none` would have two meanings.
    #[test]
    fn it_cannot_be_shown_or_taken_for_a_str_by_accident() {
        trait Lacks<Which> {
            fn none() {}
        }
        struct Other<const N: u8>;
        impl<T: ?Sized> Lacks<()> for T {}
        impl<T: ?Sized + fmt::Display> Lacks<Other<0>> for T {}
        impl<T: ?Sized + AsRef<str>> Lacks<Other<1>> for T {}
        impl<T: ?Sized + std::ops::Deref> Lacks<Other<2>> for T {}
        impl<T: ?Sized + std::borrow::Borrow<str>> Lacks<Other<3>> for T {}
        impl<T: ?Sized + AsRef<[u8]>> Lacks<Other<4>> for T {}
        <Untrusted as Lacks<_>>::none();
    }
}
