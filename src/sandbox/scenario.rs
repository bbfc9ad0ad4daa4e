//! Scenario files, `cascade.scenario/1`: other people and faults than the built-in ones.

use super::faults::Fault;
use super::people::{Draw, Pace, Persona};
use crate::model::{Channel, Phone};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a scenario file says; see [`Scenario::parse`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    #[serde(default)]
    schema: Option<String>,
    #[serde(default)]
    segments: BTreeMap<String, BTreeMap<Channel, Behaviour>>,
    #[serde(default)]
    numbers: BTreeMap<String, Persona>,
    #[serde(default)]
    faults: Vec<Fault>,
    #[serde(skip)]
    quick: bool,
}

/// How a segment behaves on a channel, as shares from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Behaviour {
    /// The provider takes it.
    #[serde(default = "one")]
    pub accept: f64,
    /// It arrives; a call is picked up or not after that.
    #[serde(default = "one")]
    pub deliver: f64,
    /// They reply, or answer the phone.
    #[serde(default)]
    pub convert: f64,
    /// They say stop.
    #[serde(default)]
    pub optout: f64,
    /// How long they take.
    #[serde(default)]
    pub delay: Option<Delay>,
}

/// Log-normal.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delay {
    median_s: f64,
    #[serde(default)]
    sigma: f64,
}

const fn one() -> f64 {
    1.0
}

impl Behaviour {
    pub(super) fn pace(&self) -> Pace {
        self.delay.map_or(Pace::Ordinary, |d| Pace::Drawn { median_s: d.median_s, sigma: d.sigma })
    }

    fn problem(&self) -> Option<&'static str> {
        let share = |s: f64| (0.0..=1.0).contains(&s);
        if ![self.accept, self.deliver, self.convert, self.optout].into_iter().all(share) {
            return Some("a share must be between 0 and 1");
        }
        if self.convert + self.optout > 1.0 {
            return Some("convert and optout together must not exceed 1");
        }
        let bad = |d: Delay| !(d.median_s.is_finite() && d.median_s > 0.0 && (0.0..=10.0).contains(&d.sigma));
        self.delay.is_some_and(bad).then_some("delay needs median_s above 0 and sigma from 0 to 10")
    }
}

/// What is wrong with a scenario file.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It is no JSON, or has a field or word that is not known.
    #[error("line {line}, column {column}: {message}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A value does not make sense.
    #[error("{path}: {message}")]
    Value {
        /// Where, from the top: `segments.retail.sms`.
        path: String,
        /// What is wrong there.
        message: String,
    },
}

fn value(path: String, message: &str) -> ScenarioError {
    ScenarioError::Value { path, message: message.to_owned() }
}

impl Scenario {
    /// The built-in `quick`: the default people, who take 0.1 to 2 seconds for everything.
    pub fn quick() -> Self {
        Self { quick: true, ..Self::default() }
    }

    /// Reads a scenario file; its first mistake is named with line and column, or by its path.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = serde_json::from_str(text).map_err(|error| ScenarioError::Json {
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        })?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        if self.schema.as_deref().is_some_and(|schema| schema != "cascade.scenario/1") {
            return Err(value("schema".into(), "this program reads cascade.scenario/1"));
        }
        for (segment, channels) in &self.segments {
            for (channel, behaviour) in channels {
                if let Some(problem) = behaviour.problem() {
                    return Err(value(format!("segments.{segment}.{channel}"), problem));
                }
            }
        }
        if let Some(number) = self.numbers.keys().find(|n| Phone::parse_e164(n).is_none()) {
            return Err(value(format!("numbers.{number}"), "a number is + and 7 to 15 digits"));
        }
        for (i, fault) in self.faults.iter().enumerate() {
            fault.check().map_err(|message| value(format!("faults[{i}]"), &message))?;
        }
        Ok(())
    }

    pub(super) const fn is_quick(&self) -> bool {
        self.quick
    }

    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    pub(super) fn persona(&self, number: &str) -> Option<Persona> {
        self.numbers.get(number).copied()
    }

    /// How this person behaves; somebody of no named segment gets one of the scenario's by hash.
    pub(super) fn behaviour(
        &self,
        seed: u64,
        number: &str,
        segment: Option<&str>,
        channel: Channel,
    ) -> Option<&Behaviour> {
        let named = segment.and_then(|name| self.segments.get(name));
        let channels = named.or_else(|| {
            let all: Vec<_> = self.segments.values().collect();
            Draw::new(seed, number, "segment").pick("name", &all).copied()
        })?;
        channels.get(&channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_contract_is_read() {
        let text = r#"{"segments":{"retail":{"sms":{"accept":1,"deliver":0.9,"convert":0.2,"optout":0.01,
            "delay":{"median_s":60,"sigma":1}}}},"numbers":{"+14155550100":"sms_stop"},
            "faults":[{"provider":"twilio","kind":"lose_response","count":1}]}"#;
        let scenario = Scenario::parse(text).unwrap();
        assert_eq!(scenario.persona("+14155550100"), Some(Persona::SmsStop));
        assert_eq!(scenario.faults().len(), 1);
        let how = scenario.behaviour(1, "+14155550101", Some("retail"), Channel::Sms).unwrap();
        assert_eq!(how.pace(), Pace::Drawn { median_s: 60.0, sigma: 1.0 });
    }

    #[test]
    fn mistakes_are_named_where_they_are() {
        let json = Scenario::parse("{\n \"segment\": {}}").unwrap_err().to_string();
        assert!(json.starts_with("line 2, column") && json.contains("segment"), "{json}");
        let share = Scenario::parse(r#"{"segments":{"a":{"phone":{"convert":1.5}}}}"#).unwrap_err();
        assert!(share.to_string().starts_with("segments.a.phone: "), "{share}");
        let fault = Scenario::parse(r#"{"faults":[{"provider":"vapi","kind":"refuse"}]}"#).unwrap_err();
        assert!(fault.to_string().starts_with("faults[0]: "), "{fault}");
    }
}
