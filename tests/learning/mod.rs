//! One file for each part of learning.

mod advised;
mod answer;
mod counted;
mod history;
mod policy;
mod posterior;
mod simulate;
mod waits;

use cascade::learning::history::{Cascade, Ending, Step};
use cascade::model::{At, Channel, Money, Segment};
use serde_json::Value;

/// The bytes of a reference file.
fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/learning/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

/// A reference file.
fn file(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

/// The number at a JSON pointer.
fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("a number at {pointer}"))
}

/// Holds a number against a reference.
fn near(what: &str, found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{what}: {found}, and {wanted} is right");
}

/// The waits of the smallest rules, whichever start; the last step has the conversion window.
const HORIZON_S: i64 = (6 + 2 + 24) * 3600;

/// A cascade of one step, drawn with a probability of a third; `convert_s` after sending, if at all.
fn cascade(id: u64, segment: &str, start: Channel, at_s: i64, convert_s: Option<i64>) -> Cascade {
    let at = |s: i64| At::from_secs(at_s + s);
    Cascade {
        id: id.to_string().into(),
        segment: Segment(segment.into()),
        start,
        propensity: Some(1.0 / 3.0),
        rules: "now".into(),
        launched_at: at(0),
        horizon_s: Some(HORIZON_S as u64),
        ending: Ending::Untold,
        forced: false,
        steps: vec![Step {
            step: 1,
            channel: start,
            sent_at: Some(at(0)),
            window_s: Some(6 * 3600),
            delivered_at: Some(at(1)),
            bounced_at: None,
            converted_at: convert_s.map(at),
            opted_out_at: None,
            cost: Money::parse("0.05").unwrap(),
        }],
    }
}
