//! Every sink's own law, for every line of the nasty corpus. The laws are written here anew: what is harmless is not
//! asked of the code that makes it so.

use cascade::model::{Untrusted, sinks};
use serde_json::Value;
use std::fs;
use std::path::Path;
use unicode_width::UnicodeWidthChar as _;

/// A line of the corpus, and what it is.
pub struct Nasty {
    pub what: String,
    pub text: String,
}

pub fn corpus() -> Vec<Nasty> {
    include_str!("../data/nasty.jsonl").lines().map(nasty).collect()
}

fn nasty(line: &str) -> Nasty {
    let line: Value = serde_json::from_str(line).unwrap();
    let text = match (line["text"].as_str(), line["bytes"].as_str()) {
        (Some(text), None) => text.repeat(usize::try_from(line["times"].as_u64().unwrap_or(1)).unwrap()),
        // Whoever reads bytes has to make text of them first.
        (None, Some(bytes)) => String::from_utf8_lossy(&hex::decode(bytes).unwrap()).into_owned(),
        _ => panic!("{line}"),
    };
    Nasty { what: line["what"].as_str().unwrap().to_owned(), text }
}

/// Directions, fillers, tags: by their blocks in the Unicode charts.
fn is_hidden(c: char) -> bool {
    let c = u32::from(c);
    let blocks = [
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x61c, 0x61c),
        (0x200b, 0x200b),
        (0x200e, 0x200f),
        (0x202a, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff9, 0xfffb),
        (0xe0000, 0xe0fff),
    ];
    blocks.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// Nothing in it moves a terminal, reorders or hides what stands beside it, or makes a line tall.
pub fn harm(text: &str) -> Option<String> {
    let odd = |c: &char| c.is_control() || is_hidden(*c) || matches!(c, '\u{2028}' | '\u{2029}');
    if let Some(c) = text.chars().find(odd) {
        return Some(format!("U+{:04X} is left", u32::from(c)));
    }
    let mut row = 0;
    for c in text.chars() {
        row = if c.width() == Some(0) { row + 1 } else { 0 };
        if row > 8 {
            return Some("a flood of marks is left".to_owned());
        }
    }
    None
}

fn each(law: impl Fn(&Untrusted) -> Result<(), String>) {
    let corpus = corpus();
    assert!(corpus.len() > 100);
    for Nasty { what, text } in &corpus {
        let shown = Untrusted::new(text.as_str());
        if let Err(broken) = harm_of(&shown).map_or(Ok(()), Err).and_then(|()| law(&shown)) {
            panic!("{what}: {broken}");
        }
    }
}

/// Whatever the sink, `Debug` and `log` say nothing of it.
fn harm_of(text: &Untrusted) -> Option<String> {
    let count = text.raw().chars().count();
    let told = text.log();
    let lengths = [format!("{count} characters"), format!("{count} character")];
    (!lengths.contains(&told) || format!("{text:?}") != format!("Untrusted({told})"))
        .then(|| format!("the log says {told}"))
}

fn ensure(holds: bool, what: &str, shown: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{what}: {}", shown.chars().take(200).collect::<String>())) }
}

fn harmless(shown: &str) -> Result<(), String> {
    harm(shown).map_or(Ok(()), |harm| Err(format!("{harm}: {shown:?}")))
}

#[test]
fn a_screen_shows_one_line_that_moves_nothing() {
    each(|text| {
        harmless(&text.screen())?;
        ensure(sinks::screen(&text.screen()) == text.screen(), "shown twice, it changes", &text.screen())
    });
}

#[test]
fn html_stays_text_in_an_element_and_in_a_quoted_attribute() {
    each(|text| {
        let html = text.html();
        harmless(&html)?;
        ensure(!html.contains(['<', '>', '"', '\'', '`']), "a quote or a bracket is left", &html)?;
        let entities = ["amp;", "lt;", "gt;", "quot;", "#39;", "#96;"];
        let own = html.split('&').skip(1).all(|rest| entities.iter().any(|entity| rest.starts_with(entity)));
        ensure(own, "an entity that is not ours", &html)?;
        let pairs =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#96;", "`"), ("&amp;", "&")];
        let read = pairs.iter().fold(html.clone(), |html, (from, to)| html.replace(from, to));
        ensure(read.trim() == text.clipboard(), "it reads as something else", &html)
    });
}

/// The records of a CSV text, by RFC 4180.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if quoted && letters.peek() == Some(&'"') => cell.push(letters.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                all.push(std::mem::take(&mut record));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && cell.is_empty() && record.is_empty(), "a record without an end");
    all
}

#[test]
fn a_csv_cell_stays_one_cell_of_one_line_and_calculates_nothing() {
    each(|text| {
        let csv = text.csv();
        harmless(&csv)?;
        let read = records(&format!("{csv},{csv},1\n"));
        ensure(read.len() == 1 && read[0].len() == 3 && read[0][0] == read[0][1], "it broke out", &csv)?;
        let cell = &read[0][0];
        let first = cell.chars().find(|c| !c.is_whitespace() && c.width() != Some(0));
        let calculates = first.is_some_and(|c| "=+-@＝＋－＠\t\r".contains(c));
        ensure(!calculates, "a spreadsheet calculates it", cell)?;
        let plain = cell.strip_prefix('\'').unwrap_or(cell);
        ensure(
            [plain, cell].iter().any(|read| read.trim() == text.clipboard()),
            "it reads as something else",
            cell,
        )
    });
}

#[test]
fn the_clipboard_gets_one_line_without_an_enter() {
    each(|text| {
        let pasted = text.clipboard();
        harmless(&pasted)?;
        ensure(pasted.trim() == pasted, "blanks at its ends", &pasted)
    });
}

/// What a code span at the beginning of `text` holds, and what follows it (CommonMark 6.1).
fn code_span(text: &str) -> Option<(&str, &str)> {
    let fence = text.chars().take_while(|c| *c == '`').count();
    let mut at = fence;
    while at < text.len() {
        let row = text[at..].chars().take_while(|c| *c == '`').count();
        if row == fence {
            return Some((&text[fence..at], &text[at + row..]));
        }
        at += row.max(text[at..].chars().next().map_or(1, char::len_utf8));
    }
    None
}

#[test]
fn markdown_is_one_code_span_in_a_line_and_in_a_table() {
    each(|text| {
        let markdown = text.markdown();
        harmless(&markdown)?;
        ensure(!markdown.contains('|'), "a pipe ends a table's cell", &markdown)?;
        let span = code_span(&markdown);
        let Some((inside, "")) = span else { return Err(format!("it leaves its code: {markdown}")) };
        let inside = inside.strip_prefix(' ').and_then(|inside| inside.strip_suffix(' ')).unwrap_or(inside);
        ensure(inside.trim() == text.clipboard().replace('|', "¦"), "it reads as something else", &markdown)?;
        // A fence of backticks has none in its first line: this is never taken for one.
        ensure(markdown.trim_start_matches('`').contains('`'), "it opens a block", &markdown)
    });
}

#[test]
fn json_is_the_same_value_and_moves_no_terminal() {
    each(|text| {
        let json = sinks::json(&serde_json::to_string_pretty(&[text.raw()]).unwrap());
        let odd = json.lines().find_map(|line| {
            line.chars().find(|c| c.is_control() || is_hidden(*c) || matches!(c, '\u{2028}' | '\u{2029}'))
        });
        ensure(odd.is_none(), "it has a character that acts", &json)?;
        let read: Vec<String> = serde_json::from_str(&json).unwrap();
        ensure(read == [text.raw()], "another value", &json)
    });
}

/// Raw text is for storing, sending and comparing; whatever shows something has no business with it.
#[test]
fn no_edge_that_shows_things_touches_raw_text() {
    fn look(dir: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path, found);
            } else if fs::read_to_string(&path).unwrap().contains(".raw()") && !path.ends_with("tests.rs") {
                found.push(path.display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    look(&src.join("tui"), &mut found);
    look(&src.join("commands"), &mut found);
    let phrases = fs::read_to_string(src.join("phrases.rs")).unwrap();
    assert!(found.is_empty() && !phrases.contains(".raw()"), "render it for its sink: {found:?}");
}
