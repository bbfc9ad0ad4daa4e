//! Reading other people's JSON: any field may be missing, or be of another type than yesterday. Never panics.

use crate::model::{At, Money, Phone};
use rust_decimal::Decimal;
use serde_json::Value;

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

/// A name that two runs of anything give the same bytes: for facts to which a provider gives no id.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(&sha2::Sha256::digest(bytes)[..16])
}
