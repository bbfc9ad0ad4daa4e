//! Texts inside JSON, with the place of every character as far as it is known. Built on the rules' own reader,
//! so that both files are read, and faulted, alike.

use crate::rules::json::{Fields, text};
use crate::rules::report::Report;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged as _;

/// A text that says something.
pub(super) struct Said {
    pub text: String,
    /// Byte offset of its opening quote.
    pub at: usize,
    /// Nothing in it is escaped: an offset in the text is an offset in the file.
    plain: bool,
}

impl Said {
    /// Whether nothing in it is escaped.
    pub const fn is_plain(&self) -> bool {
        self.plain
    }

    /// Byte offset in the file of byte `at` of the text: exact where nothing is escaped, else its start.
    pub fn inside(&self, at: usize) -> usize {
        if self.plain { self.at + 1 + at } else { self.at }
    }
}

/// The text of `value`; one that is empty or none is reported under `name`.
pub(super) fn said(report: &mut Report<'_>, name: &str, value: &Value<'_>) -> Option<Said> {
    let text = text(report, name, value, "a text in quotes")?;
    if text.trim().is_empty() {
        report.error(value.start(), "empty-value", format!("`{name}` is empty"), "write what stands there");
        return None;
    }
    let plain = value.end() - value.start() == text.len() + 2;
    Some(Said { text, at: value.start(), plain })
}

/// A text that may be there.
pub(super) fn optional(report: &mut Report<'_>, fields: &Fields<'_, '_>, name: &str) -> Option<Said> {
    fields.get(name).and_then(|field| said(report, name, field.value))
}

/// A text that must be there.
pub(super) fn required(report: &mut Report<'_>, fields: &Fields<'_, '_>, name: &str) -> Option<Said> {
    present(report, fields, name);
    optional(report, fields, name)
}

/// Reports a field that is not there.
pub(super) fn present(report: &mut Report<'_>, fields: &Fields<'_, '_>, name: &str) {
    if fields.get(name).is_none() {
        let message = format!("`{name}` is missing");
        report.error(fields.at, "missing-field", message, format!("add \"{name}\": …"));
    }
}
