//! One file for each part of learning.

mod posterior;
mod waits;

use serde_json::Value;

/// A reference file.
fn file(name: &str) -> Value {
    let path = format!("{}/tests/learning/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The number at a JSON pointer.
fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("a number at {pointer}"))
}

/// Holds a number against a reference.
fn near(what: &str, found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{what}: {found}, and {wanted} is right");
}
