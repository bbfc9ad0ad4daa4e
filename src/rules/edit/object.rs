//! The text of one JSON object, changed field by field; everything else in it stays byte for byte.

use crate::rules::json::without_surrogates;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use std::ops::Range;

/// A field of an object: its name, and where it and its value stand in the object's text.
#[derive(Clone, Debug)]
pub(super) struct Prop {
    pub(super) name: String,
    /// Name and value.
    pub(super) whole: Range<usize>,
    /// The value alone.
    pub(super) value: Range<usize>,
}

/// The text of an object that was parsed before.
#[derive(Clone, Debug)]
pub(super) struct ObjectText(pub(super) String);

impl ObjectText {
    /// Its fields, in their order.
    pub(super) fn props(&self) -> Vec<Prop> {
        props(&self.0)
    }

    pub(super) fn get(&self, name: &str) -> Option<Prop> {
        self.props().into_iter().find(|prop| prop.name == name)
    }

    /// The text of a field's value.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|prop| self.0.get(prop.value))
    }

    /// Gives a field this value, written as JSON; a new one stands after `after`, or last.
    pub(super) fn set(&mut self, name: &str, value: &str, after: &str) {
        if let Some(prop) = self.get(name) {
            self.0.replace_range(prop.value, value);
            return;
        }
        let props = self.props();
        let field = format!("{}: {value}", quoted(name));
        match props.iter().find(|prop| prop.name == after).or(props.last()) {
            Some(prop) => self.0.insert_str(prop.whole.end, &format!(", {field}")),
            None => self.0 = format!("{{ {field} }}"),
        }
    }

    /// Puts another field into the place of this one.
    pub(super) fn swap(&mut self, name: &str, other: &str, value: &str) {
        if let Some(prop) = self.get(name) {
            self.0.replace_range(prop.whole, &format!("{}: {value}", quoted(other)));
        }
    }

    /// Takes a field out, with one comma beside it.
    pub(super) fn remove(&mut self, name: &str) {
        let props = self.props();
        let Some(i) = props.iter().position(|prop| prop.name == name) else { return };
        let from = match i.checked_sub(1).and_then(|before| props.get(before)) {
            Some(before) => before.whole.end..props[i].whole.end,
            None => {
                props[i].whole.start..props.get(i + 1).map_or(props[i].whole.end, |next| next.whole.start)
            }
        };
        self.0.replace_range(from, "");
    }
}

/// A text as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn props(text: &str) -> Vec<Prop> {
    let source = without_surrogates(text);
    let options = jsonc_parser::ParseOptions::default();
    let parsed = jsonc_parser::parse_to_ast(&source, &jsonc_parser::CollectOptions::default(), &options);
    let Ok(Some(Value::Object(object))) = parsed.map(|tree| tree.value) else { return Vec::new() };
    let range = |node: &dyn Ranged| node.start()..node.end();
    let prop = |p: &jsonc_parser::ast::ObjectProp<'_>| {
        let name = text.get(range(&p.name)).and_then(|raw| serde_json::from_str(raw).ok());
        Prop { name: name.unwrap_or_default(), whole: range(p), value: range(&p.value) }
    };
    object.properties.iter().map(prop).collect()
}

/// Where the elements of a list stand in its text.
pub(super) fn elements(text: &str) -> Vec<Range<usize>> {
    let source = without_surrogates(text);
    let options = jsonc_parser::ParseOptions::default();
    let parsed = jsonc_parser::parse_to_ast(&source, &jsonc_parser::CollectOptions::default(), &options);
    let Ok(Some(Value::Array(array))) = parsed.map(|tree| tree.value) else { return Vec::new() };
    array.elements.iter().map(|e| e.start()..e.end()).collect()
}
