//! One rendering of outside text per sink: what leaves here can do nothing where it is shown. Pure.
//!
//! Each function states its law; `tests/data/nasty.jsonl` holds them all to it. For people's text of any origin
//! (a file's name, a provider's code) as much as for [`super::Untrusted`].

use unicode_width::UnicodeWidthChar as _;

/// Marks without a width that may stand in a row: more is an attack on a line's height, not a letter.
const MARKS_MAX: usize = 7;

/// Whether it says nothing itself, and hides, moves or reorders what stands around it: directions, fillers, tags,
/// shorthand controls. Joiners and the first variation selectors stay: scripts and emoji need them.
pub const fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || c as u32 & 0xfffe == 0xfffe
}

const fn ends_a_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// One line of what can be seen: line ends and tabs become a space, hidden characters go, floods of marks are cut.
/// `instead` stands for every other control character.
fn line(text: &str, instead: Option<char>) -> String {
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars().filter(|c| !is_hidden(*c)) {
        let c = if c == '\t' || ends_a_line(c) {
            if out.ends_with(' ') {
                continue;
            }
            ' '
        } else if c.is_control() {
            let Some(instead) = instead else { continue };
            instead
        } else {
            c
        };
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        if marks <= MARKS_MAX {
            out.push(c);
        }
    }
    out
}

/// One line of a terminal: no control character, nothing that moves, hides or reorders what stands beside it.
pub fn screen(text: &str) -> String {
    line(text, Some('·'))
}

/// The program's log: the length alone. Words stand in the store, where `forget` finds them; a log is kept for
/// weeks, read by others, and never searched for people.
pub fn log(text: &str) -> String {
    let count = text.chars().count();
    format!("{count} character{}", if count == 1 { "" } else { "s" })
}

/// Text of an HTML element, or of an attribute in quotes; never of a script, a style, an address or a bare
/// attribute. No control character, no direction that reaches beyond the element.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text, None).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
    out
}

/// One cell of a CSV file, in its quotes. Line ends are a space, so that a record is a line for every reader. What a
/// spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV injection"), blanks before it
/// or not, since some programs drop those.
pub fn csv(text: &str) -> String {
    let text = line(text, None);
    format!("\"{}{}\"", if is_formula(&text) { "'" } else { "" }, text.replace('"', "\"\""))
}

/// Whether a spreadsheet would take it for a formula.
pub fn is_formula(text: &str) -> bool {
    text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// Plain text to paste anywhere. One line: pasted into a shell, a line end is Enter.
pub fn clipboard(text: &str) -> String {
    line(text, None).trim().to_owned()
}

/// A code span of Markdown, on one line, within a row of a table too. Its fence is longer than any row of backticks
/// in the text; a pipe, which ends a table's cell even within code, becomes a broken one.
pub fn markdown(text: &str) -> String {
    let text = line(text, None).replace('|', "¦");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A blank on both sides is taken away again, and keeps backticks at the ends from joining the fence.
    format!("{fence} {text} {fence}")
}

/// A whole JSON document: the same value for programs, harmless to a terminal. `serde_json` escapes the first 32
/// control characters alone; here the others and everything hidden are escaped too.
pub fn json(document: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        // Beyond ASCII stands nothing but text, which may be escaped.
        let harmless = c < '\u{7f}' || !(c.is_control() || is_hidden(c) || ends_a_line(c));
        if harmless {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sink_in_its_own_way() {
        let nasty = "=a\u{1b}[2J\u{9b}31m\u{202e}`|\"<b>\r\nd\0";
        assert_eq!(screen(nasty), "=a·[2J·31m`|\"<b> d·");
        assert_eq!(html(nasty), "=a[2J31m&#96;|&quot;&lt;b&gt; d");
        assert_eq!(csv(nasty), "\"'=a[2J31m`|\"\"<b> d\"");
        assert_eq!(clipboard(nasty), "=a[2J31m`|\"<b> d");
        assert_eq!(markdown(nasty), "`` =a[2J31m`¦\"<b> d ``");
        assert_eq!(log(nasty), "21 characters");
        assert_eq!(json("\"\u{202e}\u{e0041}\u{7f}\""), "\"\\u202e\\udb40\\udc41\\u007f\"");
    }

    #[test]
    fn letters_of_every_script_stay_as_they_are() {
        for text in ["Zoë Müller", "Ἀθηνᾶ", "שלום", "مرحبا", "สวัสดี", "नमस्ते", "山田 太郎", "👩‍👩‍👧", "❤️", "🇩🇪"]
        {
            assert_eq!(screen(text), text);
            assert_eq!(clipboard(text), text);
            assert_eq!(json(text), text);
        }
    }

    #[test]
    fn marks_do_not_flood_even_with_hidden_ones_between() {
        let flood = "e".to_owned() + &"\u{301}\u{200b}".repeat(1000);
        assert_eq!(screen(&flood).chars().count(), 1 + MARKS_MAX);
    }
}
