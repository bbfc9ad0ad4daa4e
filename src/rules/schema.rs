//! The JSON Schema of the rules, for editors. Generated from types that mirror the file.
//!
//! A schema can say which fields there are and what fits into each; whether the steps form one chain says
//! `cascade check` alone.

use crate::model::{Channel, Outcome};
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The schema as it stands in `rules/cascade.schema.json`.
pub fn json_schema() -> String {
    let mut schema = schemars::schema_for!(RulesFile);
    Optional.transform(&mut schema);
    // The schema is made of plain maps and strings, which always can be written.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// Says of an optional field that it may be absent, not that it may be null: null is a value for `wait`
/// alone.
struct Optional;

impl Transform for Optional {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Object(fields)) = schema.get_mut("properties") {
            for (_, field) in fields.iter_mut().filter(|(name, _)| *name != "wait") {
                without_null(field);
            }
        }
        transform_subschemas(self, schema);
    }
}

fn without_null(field: &mut Value) {
    let Some(field) = field.as_object_mut() else { return };
    let is_null = |kind: &Value| *kind == "null" || *kind == serde_json::json!({ "type": "null" });
    for key in ["type", "anyOf"] {
        let Some(Value::Array(kinds)) = field.get_mut(key) else { continue };
        kinds.retain(|kind| !is_null(kind));
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            field.remove(key);
            match only {
                Value::Object(schema) => field.extend(schema),
                kind => drop(field.insert(key.to_owned(), kind)),
            }
        }
    }
}

/// A time span such as `90s`, `15m`, `6h`, `1h30m`, `2d`.
#[derive(Debug)]
pub struct DurationText;

impl JsonSchema for DurationText {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A time span: 90s, 15m, 6h, 1h30m, 2d.",
            // Without look-ahead, which not every editor's matcher knows.
            "pattern": concat!(
                "^([0-9]+d([0-9]+h)?([0-9]+m)?([0-9]+s)?|[0-9]+h([0-9]+m)?([0-9]+s)?",
                "|[0-9]+m([0-9]+s)?|[0-9]+s)$"
            )
        })
    }
}

/// `20:00-09:00` or `off`.
#[derive(Debug)]
pub struct QuietHoursText;

impl JsonSchema for QuietHoursText {
    fn schema_name() -> Cow<'static, str> {
        "QuietHours".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Hours without contact in the customer's own zone, such as 20:00-09:00, or off.",
            "pattern": "^(off|([01]?[0-9]|2[0-3]):[0-5][0-9] *- *([01]?[0-9]|2[0-3]):[0-5][0-9])$"
        })
    }
}

/// Which channel comes first, how long to wait, and what comes next.
#[derive(Debug, JsonSchema)]
#[schemars(title = "Cascade rules", deny_unknown_fields)]
pub struct RulesFile {
    /// Where this schema is.
    #[schemars(rename = "$schema")]
    pub schema: Option<String>,
    /// A note to whoever reads this.
    #[schemars(rename = "$comment")]
    pub comment: Option<String>,
    /// The channel that comes first: it, then the chain of steps without it.
    pub start: Channel,
    /// The steps. Their pointers form one chain over all of them.
    #[schemars(length(min = 1, max = 4))]
    pub steps: Vec<StepFile>,
    /// Segments with a start, or steps, of their own, by the name in the customer list.
    pub segments: Option<Segments>,
    /// Which outcomes end a cascade in success, by channel.
    pub converts_on: Option<ConvertsOn>,
    /// How long after the last step an answer still counts. 24h unless given.
    pub conversion_window: Option<DurationText>,
    /// Hours without contact, on top of those of the workspace.
    pub quiet_hours: Option<QuietHoursText>,
    /// How long after it fell due a deferred step is dropped. 24h unless given.
    pub expires: Option<DurationText>,
    /// How often a refused send is tried again.
    pub retry: Option<RetryFile>,
    /// Calls within one wait. 1 unless given.
    #[schemars(range(min = 1, max = 10))]
    pub attempts: Option<u32>,
    /// After a bounce: go on at once, or sit out the wait. `next` unless given.
    pub on_bounce: Option<OnBounce>,
    /// Share of customers whose start is drawn at random. 0 unless given.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub explore: Option<f64>,
}

/// One entry of the rules.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Step", deny_unknown_fields)]
pub struct StepFile {
    /// Where this schema is.
    #[schemars(rename = "$schema")]
    pub schema: Option<String>,
    /// A note to whoever reads this.
    #[schemars(rename = "$comment")]
    pub comment: Option<String>,
    /// Where. Each channel stands at most once.
    pub channel: Channel,
    /// How long to wait for a conversion before the next step, 30 days at most; null on the end.
    pub wait: Option<DurationText>,
    /// How long a step with `wait: null` waits when a customer starts with it. 4h unless given.
    pub wait_if_first: Option<DurationText>,
    /// The step after this one, on WhatsApp, SMS and e-mail.
    pub if_no_reply: Option<Channel>,
    /// The step after this one, on phone.
    pub if_no_answer: Option<Channel>,
    /// True on the end of the chain, and only there.
    pub terminal: Option<bool>,
    /// Calls within one wait, in place of the value at the top.
    #[schemars(range(min = 1, max = 10))]
    pub attempts: Option<u32>,
    /// After a bounce, in place of the value at the top.
    pub on_bounce: Option<OnBounce>,
    /// Outcomes that convert, in place of those at the top.
    pub converts_on: Option<Vec<Outcome>>,
}

/// Segments by the name in the customer list.
#[derive(Debug, JsonSchema)]
pub struct Segments {
    /// Where this schema is.
    #[schemars(rename = "$schema")]
    pub schema: Option<String>,
    /// A note to whoever reads this.
    #[schemars(rename = "$comment")]
    pub comment: Option<String>,
    /// The segments.
    #[schemars(flatten)]
    pub by_name: BTreeMap<String, SegmentEntry>,
}

/// A segment's own way.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Segment", deny_unknown_fields)]
pub struct SegmentEntry {
    /// Where this schema is.
    #[schemars(rename = "$schema")]
    pub schema: Option<String>,
    /// A note to whoever reads this.
    #[schemars(rename = "$comment")]
    pub comment: Option<String>,
    /// The channel that comes first.
    pub start: Channel,
    /// Steps of its own; the main ones unless given.
    #[schemars(length(min = 1, max = 4))]
    pub steps: Option<Vec<StepFile>>,
}

/// Outcomes that convert, by channel.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ConvertsOn {
    /// Where this schema is.
    #[schemars(rename = "$schema")]
    pub schema: Option<String>,
    /// A note to whoever reads this.
    #[schemars(rename = "$comment")]
    pub comment: Option<String>,
    /// `replied` and `clicked` unless given.
    pub whatsapp: Option<Vec<Outcome>>,
    /// `answered` unless given.
    pub phone: Option<Vec<Outcome>>,
    /// `replied` and `clicked` unless given.
    pub sms: Option<Vec<Outcome>>,
    /// `replied` and `clicked` unless given.
    pub email: Option<Vec<Outcome>>,
}

/// How often a refused send is tried again.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Retry", deny_unknown_fields)]
pub struct RetryFile {
    /// Where this schema is.
    #[schemars(rename = "$schema")]
    pub schema: Option<String>,
    /// A note to whoever reads this.
    #[schemars(rename = "$comment")]
    pub comment: Option<String>,
    /// Retries of one step at most. 5 unless given.
    #[schemars(range(min = 0, max = 100))]
    pub max: Option<u32>,
}

/// After a bounce.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum OnBounce {
    /// The next step follows at once.
    Next,
    /// The wait is sat out.
    Wait,
}
