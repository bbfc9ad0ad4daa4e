//! Where the waits and segments of a sound rules file stand, for whoever points at one later: the rules themselves keep no places.

use super::json::{Field, Fields, tree, without_surrogates};
use super::report::Report;
use crate::model::Channel;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use std::collections::HashMap;
use std::path::Path;

/// Line and column of each wait, by segment (empty: the main steps), channel and field; of a segment itself without those.
#[derive(Debug, Default)]
pub(super) struct Places(HashMap<(String, Option<Channel>, String), (u64, u64)>);

impl Places {
    /// Of a file that was read without an error.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut places = Self::default();
        let mut report = Report::new(Path::new(""), std::str::from_utf8(bytes).unwrap_or_default());
        let source = without_surrogates(report.text());
        let Some(Value::Object(root)) = tree(&mut report, &source) else { return places };
        let root = Fields::of(&mut report, &root);
        if let Some(steps) = root.get("steps") {
            places.steps(&mut report, "", steps);
        }
        if let Some(Field { value: Value::Object(segments), .. }) = root.get("segments") {
            for segment in Fields::of(&mut report, segments).all {
                let key = (segment.name.trim().to_owned(), None, String::new());
                places.0.insert(key, report.place(segment.at));
                let Value::Object(object) = segment.value else { continue };
                if let Some(steps) = Fields::of(&mut report, object).get("steps") {
                    places.steps(&mut report, segment.name.trim(), steps);
                }
            }
        }
        places
    }

    fn steps(&mut self, report: &mut Report<'_>, segment: &str, field: &Field<'_, '_>) {
        let Value::Array(steps) = field.value else { return };
        for step in &steps.elements {
            let Value::Object(object) = step else { continue };
            let fields = Fields::of(report, object);
            let said = fields.get("channel").and_then(|f| f.value.as_string_lit());
            let Some(channel) = said.and_then(|lit| Channel::parse(&lit.value)) else { continue };
            for name in ["wait", "wait_if_first"] {
                let at = fields.get(name).map_or(object.start(), |f| f.value.start());
                let key = (segment.to_owned(), Some(channel), name.to_owned());
                self.0.insert(key, report.place(at));
            }
        }
    }

    /// Where a wait stands, or the step that has none; a segment without steps of its own has the main ones.
    pub(super) fn wait(&self, segment: Option<&str>, channel: Channel, name: &str) -> (u64, u64) {
        let at = |segment: &str| self.0.get(&(segment.to_owned(), Some(channel), name.to_owned()));
        segment.and_then(at).or_else(|| at("")).copied().unwrap_or((1, 1))
    }

    /// Where a segment's name stands.
    pub(super) fn segment(&self, name: &str) -> (u64, u64) {
        self.0.get(&(name.to_owned(), None, String::new())).copied().unwrap_or((1, 1))
    }
}
