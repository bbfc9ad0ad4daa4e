//! What the words of a line are, for their colours. One line at a time: no word of these files goes over a line's end.

use crate::model::Channel;
use crate::rules::parse_duration_s;
use std::ops::Range;

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The name of a field of JSON or of a front matter.
    Name,
    /// A text.
    Text,
    /// A channel's name.
    Channel(Channel),
    /// A number, a time span, `true`, `null`.
    Value,
    /// Brackets, commas, colons.
    Mark,
    /// `{{column}}`
    Field,
}

/// The words of a line of JSON, by the characters they take.
pub fn json(line: &str) -> Vec<(Range<usize>, Kind)> {
    let letters: Vec<char> = line.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let from = at;
        match letter {
            '"' => {
                at = text_end(&letters, at);
                text(&letters, from..at, &mut words);
            }
            '{' | '}' | '[' | ']' | ',' | ':' => {
                at += 1;
                words.push((from..at, Kind::Mark));
            }
            letter if letter.is_alphanumeric() || letter == '-' => {
                let end = letters[at..].iter().position(|c| !c.is_alphanumeric() && !"+-._".contains(*c));
                at = end.map_or(letters.len(), |end| at + end.max(1));
                words.push((from..at, Kind::Value));
            }
            _ => at += 1,
        }
    }
    words
}

/// Behind the closing quotation mark, or the end of the line.
fn text_end(letters: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(letter) = letters.get(at) {
        match letter {
            '"' => return at + 1,
            '\\' => at += 2,
            _ => at += 1,
        }
    }
    letters.len()
}

fn text(letters: &[char], range: Range<usize>, words: &mut Vec<(Range<usize>, Kind)>) {
    let after = letters[range.end..].iter().find(|c| !c.is_whitespace());
    if after == Some(&':') {
        words.push((range, Kind::Name));
        return;
    }
    let inside: String = letters[range.clone()].iter().filter(|c| **c != '"').collect();
    let kind = match Channel::parse(&inside) {
        Some(channel) => Kind::Channel(channel),
        None if parse_duration_s(&inside).is_some() => Kind::Value,
        None => Kind::Text,
    };
    words.push((range.clone(), kind));
    words.extend(fields(letters, range));
}

/// The words of a line of prose; `matter`: it stands in the front matter.
pub fn prose(line: &str, matter: bool) -> Vec<(Range<usize>, Kind)> {
    let letters: Vec<char> = line.chars().collect();
    let mut words = Vec::new();
    if line.trim_end() == "---" {
        return vec![(0..letters.len(), Kind::Mark)];
    }
    if matter && let Some(colon) = letters.iter().position(|c| *c == ':') {
        words.push((0..colon, Kind::Name));
        words.push((colon..colon + 1, Kind::Mark));
    }
    words.extend(fields(&letters, 0..letters.len()));
    words
}

/// `{{…}}` inside a range.
fn fields(letters: &[char], range: Range<usize>) -> Vec<(Range<usize>, Kind)> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at + 1 < range.end {
        if letters[at..].starts_with(&['{', '{']) {
            let end = letters[at..range.end].windows(2).position(|two| two == ['}', '}']);
            let Some(end) = end else { break };
            found.push((at..at + end + 2, Kind::Field));
            at += end + 2;
        } else {
            at += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<(String, Kind)> {
        let letters: Vec<char> = line.chars().collect();
        json(line).into_iter().map(|(range, kind)| (letters[range].iter().collect(), kind)).collect()
    }

    #[test]
    fn names_channels_and_spans_are_told_from_texts() {
        let found = words(r#"{ "channel": "phone", "wait": "6h", "x": -1.5, "é\"": "a{{1}}b", null"#);
        let kinds: Vec<_> = found.iter().filter(|(_, kind)| *kind != Kind::Mark).collect();
        let of = |word: &str| kinds.iter().find(|(text, _)| text == word).map(|(_, kind)| *kind);
        assert_eq!(of("\"channel\""), Some(Kind::Name));
        assert_eq!(of("\"phone\""), Some(Kind::Channel(Channel::Phone)));
        assert_eq!(of("\"6h\""), Some(Kind::Value));
        assert_eq!(of("-1.5"), Some(Kind::Value));
        assert_eq!(of("\"é\\\"\""), Some(Kind::Name));
        assert_eq!(of("{{1}}"), Some(Kind::Field));
        assert_eq!(of("null"), Some(Kind::Value));
    }

    #[test]
    fn broken_lines_are_coloured_as_far_as_they_go() {
        for line in ["\"open", "\"a\\", "{{", "}}{{", "-", "\u{301}", "\"{{x\""] {
            for (range, _) in json(line).into_iter().chain(prose(line, true)) {
                assert!(range.start < range.end && range.end <= line.chars().count(), "{line}: {range:?}");
            }
        }
    }
}
