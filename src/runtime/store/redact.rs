//! Taking people out of what is kept for the counts: the log and its rows. Pure.
//!
//! An event and the row that it folds into lose the same things, so that the log still gives the rows.

use crate::model::Phone;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use std::collections::HashSet;

/// What stands where something of theirs stood.
pub const FORGOTTEN: &str = "forgotten";

/// Values made by us that happen to be long runs of digits and letters, and name nobody.
const OURS: [&str; 4] = ["store", "rules_hash", "content_hash", "rules_commit"];

/// Numbers whose traces are looked for, in any spelling that has their digits in one run.
#[derive(Clone, Debug, Default)]
pub struct Traces(HashSet<String>);

impl Traces {
    /// Of these numbers.
    pub fn of<'a>(phones: impl IntoIterator<Item = &'a Phone>) -> Self {
        Self(phones.into_iter().map(|phone| phone.digits().to_owned()).collect())
    }

    /// Whether one of them stands in `bytes`.
    pub fn stand_in(&self, bytes: &[u8]) -> bool {
        self.places(bytes).next().is_some()
    }

    /// Where they stand: begin and end of each.
    pub fn places<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
        let mut at = 0;
        std::iter::from_fn(move || {
            while at < bytes.len() {
                let begin = at + bytes[at..].iter().position(u8::is_ascii_digit)?;
                let length = bytes[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                at = begin + length;
                let run = std::str::from_utf8(&bytes[begin..at]).unwrap_or_default();
                if self.0.contains(run) {
                    return Some((begin, at));
                }
            }
            None
        })
    }

    /// Whether a text names one of them; WhatsApp's ids do, in base 64.
    fn named_in(&self, text: &str) -> bool {
        let hidden = || STANDARD_NO_PAD.decode(text.strip_prefix("wamid.")?.trim_end_matches('=')).ok();
        self.stand_in(text.as_bytes()) || hidden().is_some_and(|bytes| self.stand_in(&bytes))
    }

    /// The text without their digits.
    pub fn mask(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for (begin, end) in self.places(text.as_bytes()) {
            bytes[begin..end].fill(b'x');
        }
        String::from_utf8(bytes).unwrap_or_default()
    }
}

/// Takes out of an event what names somebody; whether anything did. `own`: it is about one of them.
pub fn event(event: &mut Value, own: bool, traces: &Traces) -> bool {
    // What opened a breaker is copied into the campaign's row, which is nobody's own.
    let own = own && event.get("kind").and_then(Value::as_str) != Some("breaker_opened");
    walk(event, &How { own, traces, no_id: Value::String(String::new()) })
}

/// The same for a row: a cascade, a campaign.
pub fn row(row: &mut Value, own: bool, traces: &Traces) -> bool {
    walk(row, &How { own, traces, no_id: Value::Null })
}

struct How<'a> {
    own: bool,
    traces: &'a Traces,
    /// What an attempt without the provider's id has.
    no_id: Value,
}

/// Everything in it is looked at, whatever was found before.
fn walk(value: &mut Value, how: &How<'_>) -> bool {
    let mut changed = false;
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut().filter(|(key, _)| !OURS.contains(&key.as_str())) {
                changed |= if how.own { own(key, value, how) || walk(value, how) } else { walk(value, how) };
            }
        }
        Value::Array(items) => {
            for item in items {
                changed |= walk(item, how);
            }
        }
        Value::String(text) if how.traces.named_in(text) => {
            FORGOTTEN.clone_into(text);
            changed = true;
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    changed
}

/// What is theirs alone, whatever it says.
fn own(key: &str, value: &mut Value, how: &How<'_>) -> bool {
    if value.as_str().is_none_or(str::is_empty) {
        return false;
    }
    match key {
        "provider_id" => *value = how.no_id.clone(),
        // The provider's own words, which may quote what was sent.
        "detail" => *value = Value::String(String::new()),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn traces() -> Traces {
        Traces::of([&Phone::parse_e164("+14155550100").unwrap()])
    }

    #[test]
    fn a_number_is_found_in_any_spelling_and_nothing_else_is() {
        let traces = traces();
        for text in
            ["+14155550100", "14155550100", "To=%2B14155550100&x", "\\u002b14155550100", "a14155550100b"]
        {
            assert!(traces.stand_in(text.as_bytes()), "{text}");
        }
        for text in ["114155550100", "141555501001", "4155550100", "", "+1 415 555 0100"] {
            assert!(!traces.stand_in(text.as_bytes()), "{text}");
        }
        assert_eq!(
            traces.mask("call +14155550100, not 14155550101 ✆"),
            "call +xxxxxxxxxxx, not 14155550101 ✆"
        );
    }

    #[test]
    fn their_own_events_lose_ids_and_quotes_and_others_what_names_them() {
        let id = format!("wamid.{}", STANDARD_NO_PAD.encode("\u{1c}\u{18}\u{b}14155550100\u{15}"));
        let accepted = json!({ "kind": "attempt_accepted", "provider_id": id, "cost": "0.05" });
        let mut own = accepted.clone();
        assert!(event(&mut own, true, &traces()));
        assert_eq!(own, json!({ "kind": "attempt_accepted", "provider_id": "", "cost": "0.05" }));
        let mut others = accepted;
        assert!(event(&mut others, false, &traces()), "it names them in base 64");
        assert_eq!(others["provider_id"], FORGOTTEN);

        let failure =
            json!({ "code": "21211", "detail": "+14155550100 is not valid", "title": "no such number" });
        let mut told = json!({ "kind": "breaker_opened", "failure": failure });
        assert!(event(&mut told, true, &traces()));
        assert_eq!(told["failure"]["detail"], FORGOTTEN, "as in the campaign's row");
        let mut refused = json!({ "kind": "attempt_refused", "failure": { "detail": "no Ana here" } });
        assert!(!event(&mut refused.clone(), false, &traces()));
        assert!(event(&mut refused, true, &traces()));
        assert_eq!(refused["failure"]["detail"], "");
        let mut nothing =
            json!({ "kind": "timer_fired", "timer": 14_155_550_100_u64, "store": "14155550100" });
        assert!(!event(&mut nothing, true, &traces()), "numbers of ours are no numbers of theirs");
    }

    #[test]
    fn a_row_loses_what_its_events_lose() {
        let attempt =
            json!({ "id": 1, "provider_id": "SM123", "failure": { "detail": "words" }, "stage": "failed" });
        let mut cascade =
            json!({ "attempts": [attempt], "last": ["2026-01-05", { "failed": ["21211", "recipient"] }] });
        assert!(row(&mut cascade, true, &traces()));
        assert_eq!(cascade["attempts"][0]["provider_id"], Value::Null);
        assert_eq!(cascade["attempts"][0]["failure"]["detail"], "");
        assert_eq!(cascade["attempts"][0]["stage"], "failed");
        assert!(!row(&mut cascade, true, &traces()), "once is enough");
    }
}
