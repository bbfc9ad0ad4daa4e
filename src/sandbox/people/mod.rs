//! The people of a rehearsal: what each one does on each channel, decided at once and for good.

mod draw;
mod population;
mod sayings;
mod timing;

pub(super) use draw::Draw;
pub(super) use population::language_key;
pub(super) use sayings::{button_fits, spoken, written};
pub(super) use timing::{TextTimes, call_times, text_times};

use super::scenario::{Behaviour, Scenario};
use crate::model::{Channel, Phone, Segment};
use serde::Deserialize;
use std::collections::HashMap;

/// What somebody says when they answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, Deserialize)]
pub(super) enum Saying {
    Positive,
    Negative,
    Question,
    WrongPerson,
    AutoReply,
    Unclear,
    Stop,
}

/// What becomes of a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Text {
    /// The create call is refused with this code.
    Refused(u32),
    /// Taken, then reported failed with this code.
    Failed(u32),
    /// Taken and never delivered: a phone that stays off.
    Pending,
    /// Delivered, perhaps read, not answered.
    Silent {
        /// Whether it is read.
        read: bool,
    },
    /// Answered.
    Says(Saying),
    /// The link is followed.
    Clicks,
    /// A link scanner fetches the link; the person does nothing.
    Scanned,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Voice {
    /// Somebody picks up.
    Answers(Saying),
    /// A machine does.
    Machine,
    /// The line is busy.
    Busy,
    /// Nobody does.
    Silent,
    /// There is no such number.
    Misdialed,
}

/// One person, across all channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub whatsapp: Text,
    pub phone: Voice,
    pub sms: Text,
    /// The first call to this person is refused with 429.
    pub throttled: bool,
    /// How long the person takes, per channel (by [`Channel::index`]).
    pub pace: [Pace; 4],
}

/// How long somebody takes to act.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Pace {
    /// As people do: minutes to hours.
    #[default]
    Ordinary,
    /// 0.1 to 2 seconds.
    Quick,
    /// Log-normal, as a scenario says.
    Drawn {
        /// Seconds.
        median_s: f64,
        /// Of the logarithm.
        sigma: f64,
    },
}

/// Kinds of people that a scenario can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Persona {
    Human,
    NoAnswer,
    Busy,
    Voicemail,
    NotOnWhatsapp,
    Capped,
    Stopped,
    SmsStop,
    Landline,
    Unreachable,
    BadNumber,
    ReadsOnly,
    HardBounce,
    WrongPerson,
    LinkScanner,
}

impl Persona {
    /// What they do on WhatsApp, on the phone and by SMS.
    const fn ways(self) -> (Text, Voice, Text) {
        use Saying::{Positive, Stop, WrongPerson as Wrong};
        const READS: Text = Text::Silent { read: true };
        const IGNORES: Text = Text::Silent { read: false };
        match self {
            Self::Human => (Text::Says(Positive), Voice::Answers(Positive), Text::Says(Positive)),
            Self::NoAnswer => (IGNORES, Voice::Silent, IGNORES),
            Self::Busy => (IGNORES, Voice::Busy, IGNORES),
            Self::Voicemail => (IGNORES, Voice::Machine, IGNORES),
            Self::NotOnWhatsapp => (Text::Failed(131_026), Voice::Silent, IGNORES),
            Self::Capped => (Text::Failed(131_049), Voice::Silent, IGNORES),
            Self::Stopped => (Text::Refused(131_050), Voice::Silent, Text::Refused(21610)),
            Self::SmsStop => (IGNORES, Voice::Silent, Text::Says(Stop)),
            Self::Landline => (Text::Failed(131_026), Voice::Silent, Text::Failed(30006)),
            Self::Unreachable => (Text::Pending, Voice::Silent, Text::Failed(30003)),
            Self::BadNumber => (Text::Refused(131_026), Voice::Misdialed, Text::Refused(21211)),
            Self::ReadsOnly => (READS, Voice::Silent, IGNORES),
            Self::HardBounce => (Text::Failed(131_026), Voice::Misdialed, Text::Failed(30005)),
            Self::WrongPerson => (Text::Says(Wrong), Voice::Answers(Wrong), Text::Says(Wrong)),
            Self::LinkScanner => (Text::Scanned, Voice::Silent, Text::Scanned),
        }
    }
}

/// Everybody the sandbox may meet.
#[derive(Debug)]
pub(super) struct People {
    seed: u64,
    scenario: Option<Scenario>,
    segments: HashMap<String, Segment>,
    planned: HashMap<String, Plan>,
    rare_language: Option<String>,
}

impl People {
    /// Nobody known yet.
    pub(super) fn new(seed: u64, scenario: Option<Scenario>) -> Self {
        Self { seed, scenario, segments: HashMap::new(), planned: HashMap::new(), rare_language: None }
    }

    /// Plans the known customers; the same list in any order gives the same plans.
    pub(super) fn know(&mut self, customers: &[(Phone, Segment, Option<String>)]) {
        self.rare_language = population::rare_language(customers);
        self.planned = population::plan(self.seed, customers, self.rare_language.as_deref());
        self.segments = customers.iter().map(|(p, s, _)| (p.as_str().to_owned(), s.clone())).collect();
    }

    /// The language whose template is paused, by its first subtag: `de`.
    pub(super) fn rare_language(&self) -> Option<&str> {
        // A scenario says everything it wants to go wrong.
        if self.scenario.as_ref().is_some_and(|s| !s.is_quick()) {
            None
        } else {
            self.rare_language.as_deref()
        }
    }

    /// Draws that depend on the seed, this number and the channel alone.
    pub(super) fn draw(&self, number: &str, channel: Channel) -> Draw {
        Draw::new(self.seed, number, channel.as_str())
    }

    /// What this person does, whoever asks and whenever.
    pub(super) fn plan(&self, number: &str) -> Plan {
        let known = self.planned.get(number).copied();
        let mut plan = known.unwrap_or_else(|| population::stranger(self.seed, number));
        let Some(scenario) = &self.scenario else { return plan };
        if scenario.is_quick() {
            plan.pace = [Pace::Quick; 4];
        }
        for channel in Channel::ALL {
            let segment = self.segments.get(number).map(|s| s.0.as_str());
            if let Some(behaviour) = scenario.behaviour(self.seed, number, segment, *channel) {
                self.behave(&mut plan, number, *channel, behaviour);
            }
        }
        if let Some(persona) = scenario.persona(number) {
            (plan.whatsapp, plan.phone, plan.sms) = persona.ways();
            plan.throttled = false;
        }
        plan
    }

    fn behave(&self, plan: &mut Plan, number: &str, channel: Channel, how: &Behaviour) {
        let draw = self.draw(number, channel);
        let acts = draw.unit("converts");
        let accepted = draw.unit("accepted") < how.accept;
        let delivered = draw.unit("delivered") < how.deliver;
        plan.pace[channel.index()] = how.pace();
        plan.throttled = false;
        let text = |refused, failed| match () {
            () if !accepted => Text::Refused(refused),
            () if !delivered => Text::Failed(failed),
            () if acts < how.convert => Text::Says(Saying::Positive),
            () if acts < how.convert + how.optout => Text::Says(Saying::Stop),
            () => Text::Silent { read: draw.unit("reads") < 0.7 },
        };
        match channel {
            Channel::Whatsapp => plan.whatsapp = text(131_026, 131_026),
            Channel::Sms => plan.sms = text(21211, 30003),
            Channel::Phone => {
                plan.phone = match () {
                    () if !accepted => Voice::Misdialed,
                    () if !delivered => Voice::Silent,
                    () if acts < how.convert => Voice::Answers(Saying::Positive),
                    () if acts < how.convert + how.optout => Voice::Answers(Saying::Stop),
                    () => Voice::Silent,
                };
            }
            Channel::Email => {}
        }
    }
}

#[cfg(test)]
mod tests;
