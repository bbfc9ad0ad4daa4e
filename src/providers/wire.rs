//! Reading other people's JSON: any field may be missing, or be of another type than yesterday. Never panics.

use super::http::Reply;
use crate::model::{At, Money, Phone};
use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};

/// How far a provider's clock is ahead of ours, by its newest answer: what it dates is compared with its own clock.
#[derive(Debug, Default)]
pub(super) struct Skew(Mutex<Option<TimeDelta>>);

impl Skew {
    /// Looks at an answer's `Date`.
    pub(super) fn note(&self, reply: &Reply) {
        if reply.ahead.is_some() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reply.ahead;
        }
    }

    /// The provider's `at` by our clock.
    pub(super) fn ours(&self, at: At) -> At {
        at - (*self.0.lock().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }

    /// Our `at` by the provider's clock; `None` while it has dated no answer.
    pub(super) fn theirs(&self, at: At) -> Option<At> {
        Some(at + (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?)
    }
}

/// The text at a JSON pointer, if it is text and not empty.
pub(super) fn text<'a>(json: &'a Value, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// The text or number at a JSON pointer, as text: providers mix the two.
pub(super) fn scalar(json: &Value, pointer: &str) -> Option<String> {
    match json.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The items at a JSON pointer; none if there is no array.
pub(super) fn list<'a>(json: &'a Value, pointer: &str) -> &'a [Value] {
    json.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Unix seconds, as text or number.
pub(super) fn unix_seconds(json: &Value, pointer: &str) -> Option<At> {
    Some(At::from_secs(scalar(json, pointer)?.parse().ok()?))
}

/// RFC 3339.
pub(super) fn rfc3339(json: &Value, pointer: &str) -> Option<At> {
    At::parse(text(json, pointer)?).ok()
}

/// RFC 2822, as Twilio writes dates.
pub(super) fn rfc2822(json: &Value, pointer: &str) -> Option<At> {
    chrono::DateTime::parse_from_rfc2822(text(json, pointer)?).ok().map(At::from)
}

/// An id as a step of a path; `None` for what no provider makes an id of, and what could lead elsewhere.
pub(super) fn step(id: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (!id.is_empty() && id.bytes().all(plain)).then_some(id)
}

/// A number with or without its `+`.
pub(super) fn phone(written: &str) -> Option<Phone> {
    Phone::parse_e164(&format!("+{}", written.trim().trim_start_matches('+')))
}

/// An amount as number or text; providers write what they charge with or without a minus sign.
pub(super) fn money(json: &Value, pointer: &str) -> Option<Money> {
    let amount = match json.pointer(pointer)? {
        Value::String(text) => text.parse::<Decimal>().ok()?,
        Value::Number(number) => Decimal::try_from(number.as_f64()?).ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(Money(amount.abs().round_dp(6).normalize()))
}

/// Other people's words without telephone numbers: failures and notices stand in the log, which must know
/// nobody, so that people can be forgotten.
pub(crate) fn masked(text: &str) -> String {
    const NUMBER_MIN: usize = 7;
    let mut out = String::with_capacity(text.len());
    let mut digits = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if digits.len() >= NUMBER_MIN {
            let kept = out.trim_end_matches('+').len();
            out.truncate(kept);
            out.push_str("[number]");
        } else {
            out.push_str(&digits);
        }
        digits.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// A name that two runs of anything give the same bytes: for facts to which a provider gives no id.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(&sha2::Sha256::digest(bytes)[..16])
}

#[cfg(test)]
mod tests {
    use super::{masked, step};

    #[test]
    fn an_id_is_one_step_of_a_path_or_none() {
        for id in ["SM00000000000000000000000000000001", "019a-0c5e_x"] {
            assert_eq!(step(id), Some(id));
        }
        for other in
            ["", ".", "..", "../Calls", "SM1/../x", "SM1?x=1", "SM1#x", "SM1%2f", "SM 1", "SMé", "\n"]
        {
            assert_eq!(step(other), None, "{other}");
        }
    }

    #[test]
    fn numbers_of_people_are_masked_and_nothing_else() {
        assert_eq!(masked("The 'To' number +15550001111 is odd"), "The 'To' number [number] is odd");
        assert_eq!(masked("15550001111"), "[number]");
        assert_eq!(
            masked("(#131030) not in 24 h, HTTP 400 \u{e4}"),
            "(#131030) not in 24 h, HTTP 400 \u{e4}"
        );
        assert_eq!(masked(""), "");
    }
}
