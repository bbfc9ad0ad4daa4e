//! Strict JSON with the place of every key and value, and readers that report what they cannot use.

use super::report::{Report, quote, suggest};
use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use std::borrow::Cow;

/// Allowed in every object, and ignored there.
const NOTES: [&str; 2] = ["$schema", "$comment"];

/// The parser's options: plain JSON, without comments and trailing commas.
const STRICT: jsonc_parser::ParseOptions = jsonc_parser::ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
};

/// Reports the first mistake in the syntax, if there is one.
///
/// serde_json decides, since it is strict and bounds the nesting; the parser with positions, which comes
/// after it, forgives missing commas and single quotes.
pub(super) fn check_syntax(report: &mut Report<'_>) -> bool {
    let text = report.text();
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else { return true };
    let at = offset(text, error.line(), error.column());
    let before = text[..at].trim_end();
    let (at, sentence, hint) = if text.trim().is_empty() {
        (0, "the file is empty".to_owned(), "write at least a start and one step")
    } else if error.is_eof() {
        let end = text.trim_end().len();
        (end, "the file ends in the middle of a value".to_owned(), "close every \", [ and {")
    } else {
        let found = text[at..].chars().next();
        match found {
            Some('}' | ']') if before.ends_with(',') => {
                (before.len() - 1, "a comma with nothing after it".to_owned(), "remove this comma")
            }
            Some('\'') => (at, "a text in single quotes".to_owned(), "JSON wants double quotes"),
            Some('/') => (at, "JSON has no comments".to_owned(), "write \"$comment\": \"...\" instead"),
            _ => {
                let said = error.to_string();
                let said = said.split(" at line ").next().unwrap_or_default().to_owned();
                (at, said, "this place is where reading stopped; look just before it, too")
            }
        }
    };
    report.error(at, "json", format!("this is not JSON: {sentence}"), hint);
    false
}

/// serde_json counts lines from 1 and columns in bytes from 1, and says column 0 for a line end.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    text.floor_char_boundary((start + column.saturating_sub(1)).min(text.len()))
}

/// The text with every escaped UTF-16 surrogate replaced by another escape of the same length.
///
/// The parser with positions refuses surrogates, even proper pairs. It is used for places alone: strings
/// are decoded from the original text, see [`decode`].
pub(super) fn without_surrogates(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find('\\') {
        let escape = rest.get(i..i + 6).unwrap_or_default().to_ascii_lowercase();
        let is_surrogate =
            escape.starts_with("\\ud") && matches!(escape.as_bytes().get(3), Some(b'8'..=b'f'));
        let (kept, skipped) =
            if is_surrogate { ("\\ufffd", 6) } else { (&rest[i..(i + 2).min(rest.len())], 2) };
        out.push_str(&rest[..i]);
        out.push_str(kept);
        rest = rest.get(i + skipped..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The tree of `text`, which [`check_syntax`] has accepted and [`without_surrogates`] has prepared.
pub(super) fn tree<'a>(report: &mut Report<'_>, text: &'a str) -> Option<Value<'a>> {
    match jsonc_parser::parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &STRICT) {
        Ok(parsed) => parsed.value,
        Err(error) => {
            let sentence = format!("this is not JSON: {}", error.kind());
            report.error(error.range().start, "json", sentence, "correct it here");
            None
        }
    }
}

/// The string that stands at `range` of the original text.
fn decode(report: &Report<'_>, node: &impl Ranged) -> String {
    let raw = report.text().get(node.start()..node.end()).unwrap_or_default();
    serde_json::from_str(raw).unwrap_or_default()
}

/// What kind of value stands there, for messages.
const fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::StringLit(_) => "a text",
        Value::NumberLit(_) => "a number",
        Value::BooleanLit(_) => "true or false",
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        Value::NullKeyword(_) => "null",
    }
}

/// A field of an object: its name, and where name and value stand.
pub(super) struct Field<'v, 'a> {
    /// Decoded.
    pub(super) name: String,
    /// Byte offset of the name.
    pub(super) at: usize,
    /// What it says.
    pub(super) value: &'v Value<'a>,
}

/// The fields of an object, without `$schema` and `$comment`, each once.
pub(super) struct Fields<'v, 'a> {
    /// Byte offset of the object.
    pub(super) at: usize,
    /// In the order of the file.
    pub(super) all: Vec<Field<'v, 'a>>,
}

impl<'v, 'a> Fields<'v, 'a> {
    /// Takes an object apart; fields given twice are reported, and the first one counts.
    pub(super) fn of(report: &mut Report<'_>, object: &'v Object<'a>) -> Self {
        let mut all: Vec<Field<'v, 'a>> = Vec::new();
        for ObjectProp { name, value, .. } in &object.properties {
            let field = Field { name: decode(report, name), at: name.start(), value };
            if let Some(first) = all.iter().find(|f| f.name == field.name) {
                let (line, _) = report.place(first.at);
                let message = format!("{} is given twice, first on line {line}", quote(&field.name));
                report.error(field.at, "given-twice", message, "keep one of the two");
            } else {
                all.push(field);
            }
        }
        all.retain(|f| !NOTES.contains(&f.name.as_str()));
        Self { at: object.start(), all }
    }

    /// Reports every field that is not in `known`; `place` says which object this is.
    pub(super) fn only(
        &self,
        report: &mut Report<'_>,
        known: &[&str],
        place: &str,
        elsewhere: &[(&str, &str)],
    ) {
        for field in self.all.iter().filter(|f| !known.contains(&f.name.as_str())) {
            let hint = match elsewhere.iter().find(|(name, _)| *name == field.name) {
                Some((_, home)) => format!("it belongs {home}"),
                None => suggest(&field.name, known),
            };
            let message = format!("unknown field {} in {place}", quote(&field.name));
            report.error(field.at, "unknown-field", message, hint);
        }
    }

    /// The field of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Field<'v, 'a>> {
        self.all.iter().find(|f| f.name == name)
    }
}

/// Reports that `field` holds another kind of value than `wanted`.
pub(super) fn wrong_type(report: &mut Report<'_>, name: &str, value: &Value<'_>, wanted: &str) {
    let message = format!("{} must be {wanted}, not {}", quote(name), kind(value));
    report.error(value.start(), "wrong-type", message, format!("write {wanted}"));
}

/// A text, or a report that it is none.
pub(super) fn text(report: &mut Report<'_>, name: &str, value: &Value<'_>, wanted: &str) -> Option<String> {
    if let Value::StringLit(lit) = value {
        return Some(decode(report, lit));
    }
    wrong_type(report, name, value, wanted);
    None
}

/// One of a few words.
pub(super) fn word<T: Copy>(
    report: &mut Report<'_>,
    name: &str,
    value: &Value<'_>,
    known: &[(&str, T)],
) -> Option<T> {
    let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    let said = text(report, name, value, &format!("one of {}", words.join(", ")))?;
    let found = known.iter().find(|(word, _)| *word == said).map(|(_, meant)| *meant);
    if found.is_none() {
        let message = format!("{} is no value for {}", quote(&said), quote(name));
        report.error(value.start(), "unknown-word", message, suggest(&said, &words));
    }
    found
}

/// A whole number within bounds.
pub(super) fn whole(report: &mut Report<'_>, field: &Field<'_, '_>, least: u32, most: u32) -> Option<u32> {
    let wanted = format!("a whole number from {least} to {most}");
    let Value::NumberLit(number) = field.value else {
        wrong_type(report, &field.name, field.value, &wanted);
        return None;
    };
    let read = number.value.parse().ok().filter(|n| (least..=most).contains(n));
    if read.is_none() {
        let message = format!("{} must be {wanted}, not {}", quote(&field.name), quote(number.value));
        report.error(field.value.start(), "out-of-range", message, format!("write {wanted}"));
    }
    read
}

/// A share, 0 to 1.
pub(super) fn share(report: &mut Report<'_>, field: &Field<'_, '_>) -> Option<f64> {
    let wanted = "a share from 0 to 1, such as 0.2";
    let Value::NumberLit(number) = field.value else {
        wrong_type(report, &field.name, field.value, wanted);
        return None;
    };
    let read = number.value.parse().ok().filter(|n| (0.0..=1.0).contains(n));
    if read.is_none() {
        let message = format!("{} must be {wanted}, not {}", quote(&field.name), quote(number.value));
        report.error(field.value.start(), "out-of-range", message, format!("write {wanted}"));
    }
    read
}
