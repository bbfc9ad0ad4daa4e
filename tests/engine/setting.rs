//! What a scenario starts from: the rules in short form, limits, and people.

use cascade::engine::event::{CampaignKind, CascadeStart, Launch, Skip};
use cascade::engine::journey::Journey;
use cascade::engine::policy::Policy;
use cascade::engine::retime::Course;
use cascade::model::{
    At, AttemptId, CascadeId, Channel, Leg, Mode, Money, Outcome, PersonId, Segment, TimerId,
};
use cascade::rules::{Ladder, Step, parse_duration_s, parse_quiet_hours};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Monday 2026-01-05, 09:00 in New York.
pub const MONDAY: &str = "2026-01-05T14:00:00Z";

/// A scenario's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The behaviour, in a sentence.
    pub says: String,
    /// `whatsapp 6h > phone 2h x2 > sms`; `x2`: calls within the wait; `sits_out`: a bounce waits;
    /// `counts=read,replied`: what converts.
    #[serde(default = "smallest")]
    pub rules: String,
    /// Names; each has a number of their own.
    #[serde(default = "only_ann")]
    pub people: Vec<String>,
    /// As many more: `c1`, `c2`, ...
    #[serde(default)]
    pub crowd: u64,
    /// What is special about somebody; `all` for everybody.
    #[serde(default)]
    pub person: BTreeMap<String, Special>,
    /// Limits other than the usual ones.
    #[serde(default)]
    pub policy: Limits,
    /// `false`: at the start nobody's step leaves its queue.
    #[serde(default = "yes")]
    pub permits: bool,
    /// What happens, and what then holds.
    pub script: String,
}

/// What is special about a person.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Special {
    /// Whose number they share.
    line: Option<String>,
    start: Option<String>,
    #[serde(default)]
    skip: BTreeMap<String, Skip>,
    zone: Option<String>,
    /// Empty: unknown.
    country: Option<String>,
    /// Template and language of WhatsApp.
    template: Option<String>,
    /// Contacts by an earlier campaign: so long ago.
    #[serde(default)]
    contacted_ago: Vec<String>,
}

/// Limits; absent ones are the usual.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    window: Option<String>,
    quiet: Option<String>,
    expires: Option<String>,
    retry: Option<u32>,
    cap: Option<u32>,
    budget: Option<String>,
    max_failure_share: Option<f64>,
    max_optout_share: Option<f64>,
    #[serde(default)]
    concurrent: BTreeMap<String, u32>,
    #[serde(default)]
    reserve: BTreeMap<String, String>,
}

fn smallest() -> String {
    "whatsapp 6h > phone 2h > sms".into()
}

fn yes() -> bool {
    true
}

fn only_ann() -> Vec<String> {
    vec!["ann".into()]
}

pub fn channel(word: &str) -> Channel {
    Channel::parse(word).unwrap_or_else(|| panic!("{word:?} is no channel"))
}

pub fn seconds(word: &str) -> u64 {
    parse_duration_s(word).unwrap_or_else(|| panic!("{word:?} is no duration"))
}

fn money(word: &str) -> Money {
    Money::parse(word).unwrap_or_else(|| panic!("{word:?} is no amount"))
}

impl Setting {
    pub fn read(text: &str) -> Self {
        toml::from_str(text).unwrap()
    }

    /// Everybody's name, in the order of their cascades.
    pub fn names(&self) -> Vec<String> {
        self.people.iter().cloned().chain((1..=self.crowd).map(|n| format!("c{n}"))).collect()
    }

    pub fn launch(&self) -> Launch {
        Launch {
            name: "scenario".into(),
            kind: CampaignKind::Pilot,
            mode: Mode::Rehearsal,
            rules_hash: "r".into(),
            content_hash: "c".into(),
            rules_commit: None,
            speed: 1.0,
            seed: 1,
            customers: self.names().len() as u64,
            rejects: 0,
            store: "t".into(),
            first_cascade: CascadeId(1),
            first_attempt: AttemptId(1),
            first_timer: TimerId(1),
            policy: self.policy(),
        }
    }

    fn policy(&self) -> Policy {
        let limits = &self.policy;
        let span = |text: &Option<String>, usual| text.as_deref().map_or(usual, seconds);
        let concurrent = |c: &Channel| (*c, limits.concurrent.get(c.as_str()).copied().unwrap_or(100));
        Policy {
            conversion_window_s: span(&limits.window, 86_400),
            quiet_hours: limits.quiet.iter().filter_map(|text| parse_quiet_hours(text).unwrap()).collect(),
            expires_s: span(&limits.expires, 86_400),
            retry_max: limits.retry.unwrap_or(5),
            per_person_24h: limits.cap.unwrap_or(3),
            budget: money(limits.budget.as_deref().unwrap_or("1000")),
            currency: "USD".into(),
            max_failure_share: limits.max_failure_share.unwrap_or(0.05),
            max_optout_share: limits.max_optout_share.unwrap_or(0.05),
            min_customers: 50,
            concurrent: Channel::ALL.iter().map(concurrent).collect(),
            prices: Channel::ALL.iter().map(|c| (*c, price(*c), Money::ZERO)).collect(),
        }
    }

    pub fn starts(&self, launched: At) -> Vec<(PersonId, CascadeStart)> {
        let names = self.names();
        let id = |name: &str| {
            let at = names.iter().position(|n| n == name);
            PersonId(at.unwrap_or_else(|| panic!("nobody is called {name}")) as u64 + 1)
        };
        let everybody = self.person.get("all");
        let start = |name: &String| {
            let special = self.person.get(name).or(everybody).cloned().unwrap_or_default();
            let line = special.line.as_deref().map_or(id(name), id);
            (id(name), self.start(special, line, launched))
        };
        names.iter().map(start).collect()
    }

    fn start(&self, special: Special, line: PersonId, launched: At) -> CascadeStart {
        let ladder = ladder(&self.rules);
        let start = special.start.as_deref().map_or(ladder.start, channel);
        let template = special.template.unwrap_or_else(|| "hello en_US".into());
        let reserve = |c: Channel| self.policy.reserve.get(c.as_str()).map_or(price(c), |m| money(m));
        let leg = |step: Step| Leg {
            channel: step.channel,
            wait_s: step.wait_s,
            attempts: step.attempts,
            bounce_waits: step.bounce_waits,
            converts_on: step.converts_on,
            reserve: reserve(step.channel),
            template: (step.channel == Channel::Whatsapp).then(|| template.clone()),
        };
        let ago = |text: &String| At(launched.0 - seconds(text) as i64 * 1000);
        CascadeStart {
            segment: Segment("everybody".into()),
            start,
            propensity: 1.0,
            drawn: None,
            walk: ladder.walk(start).into_iter().map(leg).collect(),
            skips: special.skip.iter().map(|(c, why)| (channel(c), *why)).collect(),
            zone: special.zone.unwrap_or_else(|| "America/New_York".into()),
            country: special.country.map_or(Some("US".into()), |code| (!code.is_empty()).then_some(code)),
            line,
            recent: special.contacted_ago.iter().map(ago).collect(),
        }
    }
}

/// From the short form.
pub fn ladder(rules: &str) -> Ladder {
    let steps: Vec<Step> = rules.split('>').map(step).collect();
    Ladder { start: steps[0].channel, steps }
}

/// What new rules have for somebody.
pub fn course(journey: &Journey, ladder: &Ladder) -> Course {
    let known = |c: Channel| journey.start.walk.iter().find(|leg| leg.channel == c);
    let leg = |step: Step| Leg {
        channel: step.channel,
        wait_s: step.wait_s,
        attempts: step.attempts,
        bounce_waits: step.bounce_waits,
        converts_on: step.converts_on,
        reserve: known(step.channel).map_or(price(step.channel), |leg| leg.reserve),
        template: known(step.channel).and_then(|leg| leg.template.clone()),
    };
    Course { legs: ladder.chain().into_iter().map(leg).collect(), skips: journey.start.skips.clone() }
}

fn price(channel: Channel) -> Money {
    match channel {
        Channel::Whatsapp => money("0.05"),
        Channel::Phone => money("0.20"),
        Channel::Sms => money("0.04"),
        Channel::Email => money("0.01"),
    }
}

/// One step of the short form.
fn step(text: &str) -> Step {
    let mut words = text.split_whitespace();
    let channel = channel(words.next().unwrap_or_default());
    let converts_on = if channel == Channel::Phone {
        vec![Outcome::Answered]
    } else {
        vec![Outcome::Replied, Outcome::Clicked]
    };
    let (wait_s, wait_if_first_s) = (None, cascade::rules::DEFAULT_WAIT_IF_FIRST_S);
    let mut step = Step { channel, wait_s, wait_if_first_s, attempts: 1, bounce_waits: false, converts_on };
    for word in words {
        if word == "sits_out" {
            step.bounce_waits = true;
        } else if let Some(list) = word.strip_prefix("counts=") {
            step.converts_on = list.split(',').map(|w| Outcome::parse(w).unwrap()).collect();
        } else if let Some(calls) = word.strip_prefix('x') {
            step.attempts = calls.parse().unwrap();
        } else {
            step.wait_s = Some(seconds(word));
        }
    }
    step
}
