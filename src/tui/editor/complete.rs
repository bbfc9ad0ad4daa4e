//! What may stand at the cursor: names and values of the rules out of their own schema, a template's fields, columns of
//! the customer list inside braces.

use super::draft::{Draft, File};
use super::spot::{Part, Spot, spot};
use crate::model::{Channel, Disposition};
use crate::rules::schema::json_schema;
use serde_json::Value;
use std::sync::LazyLock;

/// Waits that people choose.
pub const WAITS: [&str; 12] = ["15m", "30m", "1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d", "2d", "3d"];
/// Fields that every customer has.
const FIELDS: [(&str, &str); 6] = [
    ("name", "the customer's name; {{name|there}} for those without"),
    ("segment", "the customer's segment"),
    ("language", "the customer's language"),
    ("timezone", "the customer's zone"),
    ("phone", "the customer's number"),
    ("email", "the customer's address"),
];

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&json_schema()).unwrap_or_default());

/// Something that may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// As it is shown and matched.
    pub word: String,
    /// As it is written.
    pub text: String,
    /// What it means.
    pub note: String,
}

/// What may stand at the cursor, and how many characters before it are replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// The best first.
    pub list: Vec<Offer>,
    /// Characters that were begun.
    pub begun: usize,
    /// Characters after the cursor that go as well: a quotation mark that the offer brings with it.
    pub after: usize,
}

/// Names of the workspace that are worth offering.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Further columns of the customer list.
    pub columns: &'a [String],
    /// Segments of the customer list.
    pub segments: &'a [String],
}

/// Looks at the cursor's place.
pub fn offers(draft: &Draft, known: Known<'_>) -> Offers {
    let (row, column) = draft.cursor();
    let line = draft.lines().get(row).map_or("", String::as_str);
    let here: String = line.chars().take(column).collect();
    let rest: String = line.chars().skip(column).collect();
    if let Some(open) = here.rfind("{{").filter(|open| !here[*open..].contains("}}"))
        && draft.file != File::Rules
    {
        return in_braces(&here[open + 2..], &rest, draft.file, known);
    }
    if !draft.file.is_json() {
        return Offers::default();
    }
    let mut before = draft.lines()[..row].join("\n");
    before.push('\n');
    before.push_str(&here);
    let spot = spot(&before);
    let found = if draft.file == File::Rules { rules(&spot, known) } else { template(&spot, known) };
    in_json(&spot, found, &rest)
}

fn ranked(found: Vec<Offer>, begun: &str) -> Vec<Offer> {
    let begun = begun.to_lowercase();
    let (first, mut rest): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|offer| offer.word.to_lowercase().starts_with(&begun));
    rest.retain(|offer| offer.word.to_lowercase().contains(&begun));
    if first.is_empty() { rest } else { first }
}

fn in_json(spot: &Spot, found: Vec<(String, String, bool)>, rest: &str) -> Offers {
    let offers =
        found.into_iter().filter(|(word, ..)| !spot.taken.contains(word)).map(|(word, note, quoted)| {
            let text = match (quoted || spot.name, spot.name) {
                (true, true) if rest.trim_start_matches('"').trim_start().starts_with(':') => {
                    format!("\"{word}\"")
                }
                (true, true) => format!("\"{word}\": "),
                (true, false) => format!("\"{word}\""),
                (false, _) => word.clone(),
            };
            Offer { word, text, note }
        });
    let list = ranked(offers.collect(), &spot.begun);
    let begun = spot.begun.chars().count() + usize::from(spot.quoted);
    // An open text is closed by the offer: its own end goes.
    let inside = rest.find('"').filter(|end| rest[..*end].chars().all(|c| c.is_alphanumeric() || c == '_'));
    let after = if spot.quoted { inside.map_or(0, |end| rest[..end].chars().count() + 1) } else { 0 };
    Offers { list, begun, after }
}

/// The part of the schema that a path leads to.
fn resolve<'s>(path: &[Part]) -> Option<&'s Value> {
    let mut at: &Value = &SCHEMA;
    for part in path {
        at = follow(at);
        at = match part {
            Part::Item => at.get("items")?,
            Part::Field(name) => at
                .get("properties")
                .and_then(|fields| fields.get(name))
                .or_else(|| at.get("additionalProperties"))?,
        };
    }
    Some(follow(at))
}

/// Through references, and to the part of a choice that is not null.
fn follow(mut at: &'static Value) -> &'static Value {
    loop {
        let named = at
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|name| SCHEMA.pointer(name.trim_start_matches('#')));
        let chosen = at
            .get("anyOf")
            .and_then(Value::as_array)
            .and_then(|any| any.iter().find(|one| one.get("$ref").is_some()));
        match named.or(chosen) {
            Some(next) => at = next,
            None => return at,
        }
    }
}

fn note(value: &Value) -> String {
    value.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Word, what it means, whether it is quoted.
type Found = Vec<(String, String, bool)>;

fn rules(spot: &Spot, known: Known<'_>) -> Found {
    let Some(schema) = resolve(&spot.path) else { return Vec::new() };
    if spot.name {
        let fields = schema.get("properties").and_then(Value::as_object);
        let mut found: Found = match spot.path.as_slice() {
            [Part::Field(name)] if name == "segments" => known
                .segments
                .iter()
                .map(|name| (name.clone(), "a segment of the customer list".into(), true))
                .collect(),
            _ => Vec::new(),
        };
        let notes = |name: &str| name.starts_with('$');
        let all = fields.into_iter().flatten();
        found.extend(
            all.filter(|(name, _)| !notes(name)).map(|(name, field)| (name.clone(), note(field), true)),
        );
        return found;
    }
    let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
    let spans = pattern.contains("[0-9]+h");
    let mut found: Found = Vec::new();
    if spans {
        found.extend(WAITS.iter().map(|wait| ((*wait).to_owned(), String::new(), true)));
    } else if !pattern.is_empty() {
        found.push(("20:00-09:00".into(), "in the customer's own zone".into(), true));
        found.push(("off".into(), String::new(), true));
    }
    if matches!(spot.path.last(), Some(Part::Field(name)) if name == "wait") {
        found.push(("null".into(), "on the end of the chain".into(), false));
    }
    if schema.get("type").and_then(Value::as_str) == Some("boolean") {
        found.extend(["true", "false"].map(|word| (word.to_owned(), String::new(), false)));
    }
    let choice = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    found.extend(choice.filter_map(|one| Some((one.get("const")?.as_str()?.to_owned(), note(one), true))));
    let words = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    found.extend(words.map(|word| (word.to_owned(), String::new(), true)));
    found
}

fn template(spot: &Spot, known: Known<'_>) -> Found {
    let fields: Vec<&str> = spot
        .path
        .iter()
        .filter_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            Part::Item => None,
        })
        .collect();
    let words =
        |list: &[&str]| -> Found { list.iter().map(|w| ((*w).to_owned(), String::new(), true)).collect() };
    match (fields.as_slice(), spot.name) {
        ([], true) => words(&["name", "category", "parameters", "languages"]),
        (["languages"], true) => words(&["en_US", "en_GB", "de", "es", "fr", "it", "nl", "pl", "pt_BR"]),
        (["languages", _], true) => words(&["header", "body", "buttons"]),
        (["languages", _, "header"], true) => words(&["image", "video", "document"]),
        (["languages", _, "buttons"], true) => words(&["type", "text", "url", "means"]),
        (["category"], false) => words(&["MARKETING", "UTILITY", "AUTHENTICATION"]),
        (["languages", _, "buttons", "type"], false) => words(&["quick_reply", "url"]),
        (["languages", _, "buttons", "means"], false) => {
            let mut found = words(&["opted_out"]);
            found.extend(
                Disposition::ALL.iter().map(|means| (means.as_str().to_owned(), String::new(), true)),
            );
            found
        }
        (["parameters"], false) => {
            let own = FIELDS.iter().map(|(name, note)| ((*name).to_owned(), (*note).to_owned(), true));
            let columns =
                known.columns.iter().map(|name| (name.clone(), "a column of the list".to_owned(), true));
            own.chain(columns).collect()
        }
        _ => Vec::new(),
    }
}

/// Fields and sections of a text.
fn in_braces(begun: &str, rest: &str, file: File, known: Known<'_>) -> Offers {
    let close = if rest.starts_with("}}") { "" } else { "}}" };
    let offer = |word: &str, note: &str| Offer {
        word: word.to_owned(),
        text: format!("{word}{close}"),
        note: note.to_owned(),
    };
    let mut found: Vec<Offer> = Vec::new();
    if file.is_json() {
        found.extend((1..=9).map(|n| offer(&n.to_string(), "of `parameters`, in their order")));
    } else {
        found.push(offer("link", "the tracked link"));
        found.extend(FIELDS.iter().map(|(name, note)| offer(name, note)));
        found.extend(known.columns.iter().map(|name| offer(name, "a column of the list")));
        found.push(offer("#first", "only if this is the first contact of the cascade"));
        found.push(offer("/first", "ends it"));
        let after =
            |channel: &Channel| offer(&format!("#after {channel}"), "only if that channel was tried before");
        found.extend(Channel::ALL.iter().map(after));
        found.push(offer("/after", "ends it"));
    }
    let begun = begun.trim_start();
    Offers { list: ranked(found, begun), begun: begun.chars().count(), after: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: File, text: &str) -> Vec<String> {
        let (before, after) = text.split_once('|').unwrap();
        let mut draft = Draft::new(file, &format!("{before}{after}"));
        let row = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap().chars().count();
        draft.go_to((row, column));
        let (columns, segments) = (["plan".to_owned()], ["smb".to_owned()]);
        let known = Known { columns: &columns, segments: &segments };
        offers(&draft, known).list.into_iter().map(|offer| offer.text).collect()
    }

    #[test]
    fn names_values_and_columns_are_offered_where_they_fit() {
        assert_eq!(at(File::Rules, "{ \"start\": \"ph|")[0], "\"phone\"");
        assert_eq!(at(File::Rules, "{ \"start\": |")[0], "\"whatsapp\"");
        assert_eq!(at(File::Rules, "{ \"steps\": [ {\n \"wai|\": 1 } ]")[0], "\"wait\"");
        assert_eq!(at(File::Rules, "{ \"steps\": [ { \"channel\": \"sms\", \"ch|"), [""; 0]);
        assert!(at(File::Rules, "{ \"steps\": [ { \"wait\": |").contains(&"\"6h\"".to_owned()));
        assert!(at(File::Rules, "{ \"steps\": [ { \"wait\": |").contains(&"null".to_owned()));
        assert_eq!(at(File::Rules, "{ \"segments\": { \"s|")[0], "\"smb\": ");
        assert_eq!(at(File::Rules, "{ \"steps\": [ { \"terminal\": t|"), ["true"]);
        assert!(at(File::Rules, "{ \"converts_on\": { \"sms\": [ \"cl|").contains(&"\"clicked\"".to_owned()));
        assert_eq!(at(File::Content(Channel::Sms), "Hi {{pl|")[0], "plan}}");
        assert_eq!(at(File::Content(Channel::Phone), "Hi {{#a|}}")[0], "#after whatsapp");
        assert_eq!(at(File::Content(Channel::Whatsapp), "{ \"parameters\": [\"pl|")[0], "\"plan\"");
        assert_eq!(at(File::Content(Channel::Sms), "Hi pl|"), [""; 0]);
    }
}
