//! The JSON Schema beside the reader: it accepts every good file, and rejects what a schema can see of the wrong ones.

use super::{FULL, SMALLEST, cases};
use cascade::rules::schema;
use serde_json::{Map, Value};

/// Mistakes of a kind that a schema can see: a field, a type, a word, a number. That the steps form one chain, which wait
/// belongs where, and what is given twice it cannot.
const SEEN: [&str; 12] = [
    "missing-start",
    "missing-steps",
    "missing-channel",
    "no-steps",
    "wrong-type",
    "unknown-field",
    "unknown-channel",
    "unknown-word",
    "unknown-outcome",
    "bad-duration",
    "bad-hours",
    "out-of-range",
];

/// A mistake of such a kind that it cannot see all the same: a pattern compares no two places.
const UNSEEN: [&str; 1] = ["quiet hours of no length"];

/// As much of JSON Schema as ours uses; a keyword that is not known here fails the test.
struct Schema {
    root: Value,
}

impl Schema {
    fn ours() -> Self {
        Self { root: serde_json::from_str(&schema::json_schema()).unwrap() }
    }

    fn accepts(&self, value: &Value) -> bool {
        self.fits(&self.root, value)
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let Value::Object(schema) = schema else { return schema.as_bool().unwrap() };
        schema.iter().all(|(keyword, wanted)| self.keyword(schema, keyword, wanted, value))
    }

    fn keyword(&self, schema: &Map<String, Value>, keyword: &str, wanted: &Value, value: &Value) -> bool {
        let number = |of: &Value| of.as_f64().unwrap();
        let size = || wanted.as_u64().unwrap() as usize;
        let any =
            |options: &Value| options.as_array().unwrap().iter().filter(|o| self.fits(o, value)).count();
        match keyword {
            "$schema" | "$defs" | "title" | "description" | "format" | "default" | "examples" => true,
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                self.fits(&self.root["$defs"][name], value)
            }
            "type" => match wanted {
                Value::Array(kinds) => kinds.iter().any(|kind| is(kind, value)),
                kind => is(kind, value),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "oneOf" => any(wanted) == 1,
            "anyOf" => any(wanted) > 0,
            "required" => {
                let names = wanted.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                value.as_object().is_none_or(|object| names.clone().all(|name| object.contains_key(name)))
            }
            "properties" => value.as_object().is_none_or(|object| {
                object
                    .iter()
                    .all(|(name, inner)| wanted.get(name).is_none_or(|schema| self.fits(schema, inner)))
            }),
            "additionalProperties" => value.as_object().is_none_or(|object| {
                let known =
                    |name: &str| schema.get("properties").is_some_and(|known| known.get(name).is_some());
                object.iter().filter(|(name, _)| !known(name)).all(|(_, inner)| self.fits(wanted, inner))
            }),
            "items" => value.as_array().is_none_or(|items| items.iter().all(|item| self.fits(wanted, item))),
            "minItems" => value.as_array().is_none_or(|items| items.len() >= size()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() <= size()),
            "minimum" => value.as_f64().is_none_or(|n| n >= number(wanted)),
            "maximum" => value.as_f64().is_none_or(|n| n <= number(wanted)),
            "pattern" => {
                let pattern = regex::Regex::new(wanted.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            other => panic!("the schema says {other}, which this test does not know"),
        }
    }
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|n| n.fract() == 0.0),
        other => panic!("the schema says the type {other}"),
    }
}

#[test]
fn the_schema_accepts_what_the_reader_accepts() {
    let schema = Schema::ours();
    for text in [SMALLEST, FULL] {
        assert!(schema.accepts(&serde_json::from_str(text).unwrap()), "{text}");
    }
    let own = r#"{ "$schema": "./cascade.schema.json", "$comment": "x", "start": "sms", "segments": { "$comment": "y",
        "vip": { "$comment": "z", "start": "sms" } }, "converts_on": { "$comment": "z" }, "retry": { "$comment": "z" },
        "steps": [ { "$comment": "z", "channel": "sms", "wait": null, "terminal": true } ] }"#;
    assert!(schema.accepts(&serde_json::from_str(own).unwrap()));
}

#[test]
fn the_schema_rejects_what_it_can_see_of_the_wrong_files() {
    let schema = Schema::ours();
    let (mut rejected, mut accepted) = (0, 0);
    for case in cases() {
        let Ok(value) = serde_json::from_str::<Value>(case.text.trim_start_matches('\u{feff}')) else {
            continue;
        };
        let errors = case.says.iter().filter(|said| !said.starts_with("warning"));
        let is_seen = errors.filter_map(|said| said.split(' ').nth(1)).any(|code| SEEN.contains(&code));
        let is_seen = is_seen && !UNSEEN.contains(&case.name.as_str());
        assert_eq!(schema.accepts(&value), !is_seen, "{}: {}", case.name, case.text);
        *if is_seen { &mut rejected } else { &mut accepted } += 1;
    }
    assert!(rejected >= 25 && accepted >= 20, "{rejected} rejected, {accepted} accepted");
}

/// An editor shows them beside the field.
#[test]
fn every_field_and_every_word_is_described() {
    fn walk(schema: &Value, place: &str, bare: &mut Vec<String>) {
        let Value::Object(object) = schema else { return };
        for (name, field) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if field.get("description").is_none() {
                bare.push(format!("{place}.{name}"));
            }
        }
        for option in object.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            if option.get("description").is_none() {
                bare.push(format!("{place}: {option}"));
            }
        }
    }
    let root = Schema::ours().root;
    let mut bare = Vec::new();
    walk(&root, "rules", &mut bare);
    for (name, schema) in root["$defs"].as_object().unwrap() {
        if schema.get("description").is_none() {
            bare.push(name.clone());
        }
        walk(schema, name, &mut bare);
    }
    assert_eq!(bare, [""; 0]);
}
