//! How a rules file is laid out: as the project's own is, one step to a line, so that a change of one step is a
//! change of one line. Words, numbers, notes and the order of keys stay as they were written.

use super::Problem;
use super::json::{check_syntax, tree, without_surrogates};
use super::report::Report;
use jsonc_parser::ast::{Array, Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use std::path::Path;

/// Objects and lists of plain values up to this many characters stand on one line.
const WIDTH: usize = 100;
/// Spaces a level is set in by.
const STEP: usize = 2;

/// Lays `text` out. What is no JSON stays as it is, and the problem says why; wrong rules are laid out like right
/// ones. The same text comes out whatever the layout before, and once laid out it stays so.
///
/// Line ends are the file's own kind; a byte order mark stays.
pub fn format(file: &Path, text: &str) -> Result<String, Box<Problem>> {
    let (mark, body) = text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body));
    let mut report = Report::new(file, body);
    let source = without_surrogates(body);
    let sound = check_syntax(&mut report);
    let root = if sound { tree(&mut report, &source) } else { None };
    let Some(root) = root else {
        return Err(Box::new(report.finish().into_iter().next().unwrap_or_else(|| nothing(file))));
    };
    let mut page = Page { text: body, out: String::with_capacity(body.len()) };
    match &root {
        Value::Object(object) => page.object(object, 0, true),
        other => page.value(other, 0),
    }
    page.out.push('\n');
    let windows = body.matches("\r\n").count() * 2 > body.matches('\n').count();
    let laid = if windows { page.out.replace('\n', "\r\n") } else { page.out };
    Ok(format!("{mark}{laid}"))
}

fn nothing(file: &Path) -> Problem {
    Problem {
        severity: super::Severity::Error,
        file: file.to_owned(),
        line: 1,
        column: 1,
        code: "json",
        message: "there is nothing to lay out".to_owned(),
        hint: "write at least a start and one step".to_owned(),
    }
}

struct Page<'t> {
    text: &'t str,
    out: String,
}

impl<'t> Page<'t> {
    /// A scalar or a key as it was written, escapes and all.
    fn raw(&self, node: &impl Ranged) -> &'t str {
        self.text.get(node.start()..node.end()).unwrap_or_default()
    }

    fn line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn key(&mut self, prop: &ObjectProp<'_>) {
        let name = self.raw(&prop.name);
        self.out.push_str(name);
        self.out.push_str(": ");
    }

    fn value(&mut self, value: &Value<'_>, indent: usize) {
        match value {
            Value::Object(object) if !self.is_flat(object) => self.object(object, indent, false),
            Value::Array(array) if array.elements.iter().any(is_nested) => self.list(array, indent),
            Value::Object(_)
            | Value::Array(_)
            | Value::StringLit(_)
            | Value::NumberLit(_)
            | Value::BooleanLit(_)
            | Value::NullKeyword(_) => {
                let flat = self.flat(value);
                self.out.push_str(&flat);
            }
        }
    }

    /// An object over several lines. One that holds objects, such as `segments`, has a line for each; in any other the
    /// first field stands beside the brace.
    fn object(&mut self, object: &Object<'_>, indent: usize, is_root: bool) {
        if object.properties.is_empty() {
            self.out.push_str("{}");
            return;
        }
        let holds_objects = object.properties.iter().any(|p| matches!(p.value, Value::Object(_)));
        let beside = is_root || !holds_objects;
        self.out.push('{');
        for (i, prop) in object.properties.iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            if i == 0 && beside {
                self.out.push(' ');
            } else {
                self.line(indent + STEP);
            }
            self.key(prop);
            self.value(&prop.value, indent + STEP);
        }
        self.out.push_str(" }");
    }

    /// A list of steps: each on a line of its own, however long it is.
    fn list(&mut self, array: &Array<'_>, indent: usize) {
        self.out.push('[');
        for (i, element) in array.elements.iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            self.line(indent + STEP);
            let flat = self.flat(element);
            self.out.push_str(&flat);
        }
        self.out.push_str(" ]");
    }

    fn is_flat(&self, object: &Object<'_>) -> bool {
        let nests = |prop: &ObjectProp<'_>| match &prop.value {
            Value::Object(_) => true,
            Value::Array(array) => array.elements.iter().any(is_nested),
            Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => false,
        };
        !object.properties.iter().any(nests) && self.flat_object(object).chars().count() <= WIDTH
    }

    /// On one line.
    fn flat(&self, value: &Value<'_>) -> String {
        match value {
            Value::Object(object) => self.flat_object(object),
            Value::Array(array) => {
                let elements: Vec<String> = array.elements.iter().map(|e| self.flat(e)).collect();
                format!("[{}]", elements.join(", "))
            }
            Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {
                self.raw(value).to_owned()
            }
        }
    }

    fn flat_object(&self, object: &Object<'_>) -> String {
        let field = |p: &ObjectProp<'_>| format!("{}: {}", self.raw(&p.name), self.flat(&p.value));
        let fields: Vec<String> = object.properties.iter().map(field).collect();
        if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
    }
}

const fn is_nested(value: &Value<'_>) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}
