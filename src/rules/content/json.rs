//! JSON with positions: strict JSON only, and every unknown or doubled key named where it stands.

use super::sheet::{Sheet, did_you_mean};
use jsonc_parser::ast::{Object, ObjectProp, StringLit, Value};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// Reads the sheet as one JSON value; a fault is put on the sheet.
///
/// The text is first read by `serde_json`, which bounds the depth and takes nothing beyond JSON; the second
/// reading only adds the positions.
pub(super) fn parse<'a>(sheet: &mut Sheet<'a>) -> Option<Value<'a>> {
    let text = sheet.text();
    if let Err(fault) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let line_start: usize = text.split_inclusive('\n').take(fault.line().max(1) - 1).map(str::len).sum();
        let at = line_start + fault.column().saturating_sub(1);
        let said = fault.to_string();
        let said = said.split(" at line ").next().unwrap_or_default().to_owned();
        sheet.error(at, "json", format!("this is no JSON: {said}"), "mend the text at this place");
        return None;
    }
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
    };
    match parse_to_ast(text, &CollectOptions::default(), &strict) {
        Ok(parsed) => parsed.value,
        Err(fault) => {
            let message = format!("this is no JSON: {}", fault.kind());
            sheet.error(fault.range().start, "json", message, "mend the text at this place");
            None
        }
    }
}

/// Byte offset of a value.
pub(super) fn value_at(value: &Value<'_>) -> usize {
    value.range().start
}

/// Byte offset of a property's key.
pub(super) fn key_at(property: &ObjectProp<'_>) -> usize {
    property.range.start
}

/// A key's value.
pub(super) struct Entry<'v, 'a> {
    pub value: &'v Value<'a>,
}

/// Reads the known keys of one object.
pub(super) struct Reader<'s, 'v, 'a, 't> {
    sheet: &'s mut Sheet<'t>,
    object: &'v Object<'a>,
}

impl<'s, 'v, 'a, 't> Reader<'s, 'v, 'a, 't> {
    /// Reports unknown and doubled keys. `$schema` and `$comment` are known everywhere.
    pub fn open(sheet: &'s mut Sheet<'t>, object: &'v Object<'a>, known: &[&str]) -> Self {
        report_twice(sheet, object);
        for property in &object.properties {
            let name = property.name.as_str();
            if !known.contains(&name) && !matches!(name, "$schema" | "$comment") {
                let hint = did_you_mean(name, known.iter().copied());
                sheet.error(key_at(property), "unknown-field", format!("`{name}` is not known here"), hint);
            }
        }
        Self { sheet, object }
    }

    /// The value of a key, if it is there.
    pub fn optional(&mut self, key: &str) -> Option<Entry<'v, 'a>> {
        let property = self.object.properties.iter().find(|p| p.name.as_str() == key)?;
        Some(Entry { value: &property.value })
    }

    /// The value of a key that must be there.
    pub fn required(&mut self, key: &str) -> Option<Entry<'v, 'a>> {
        let entry = self.optional(key);
        if entry.is_none() {
            let message = format!("`{key}` is missing");
            self.sheet.error(self.object.range.start, "missing-field", message, format!("add \"{key}\": …"));
        }
        entry
    }

    /// A text that must be there and say something.
    pub fn required_text(&mut self, key: &str) -> Option<&'v StringLit<'a>> {
        let entry = self.required(key)?;
        self.text(key, &entry)
    }

    /// A text, if it is there.
    pub fn optional_text(&mut self, key: &str) -> Option<&'v StringLit<'a>> {
        let entry = self.optional(key)?;
        self.text(key, &entry)
    }

    fn text(&mut self, key: &str, entry: &Entry<'v, 'a>) -> Option<&'v StringLit<'a>> {
        let at = value_at(entry.value);
        match entry.value {
            Value::StringLit(lit) if lit.value.trim().is_empty() => {
                self.sheet.error(at, "empty-value", format!("`{key}` is empty"), "write what stands there");
                None
            }
            Value::StringLit(lit) => Some(lit),
            Value::NumberLit(_)
            | Value::BooleanLit(_)
            | Value::Object(_)
            | Value::Array(_)
            | Value::NullKeyword(_) => {
                self.sheet.error(at, "wrong-type", format!("`{key}` is no text"), "write it in quotes");
                None
            }
        }
    }
}

/// Reports keys that are given twice: readers of JSON differ in which one they believe.
pub(super) fn report_twice(sheet: &mut Sheet<'_>, object: &Object<'_>) {
    for (i, property) in object.properties.iter().enumerate() {
        let name = property.name.as_str();
        if object.properties[..i].iter().any(|p| p.name.as_str() == name) {
            let message = format!("`{name}` is given twice");
            sheet.error(key_at(property), "twice", message, "keep one of the two");
        }
    }
}
