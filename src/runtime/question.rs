//! What the record is asked: by the console, by a console elsewhere and by the command in the same words, so that they
//! are told the same.

use super::handle::PlaceFacts;
use super::launch::Plan;
use super::store::{Reader, StoreError};
use super::{history, replay};
use crate::config::Learning;
use crate::learning::answer::{Alike, Settings, Waits};
use crate::learning::ledger::Ledger;
use crate::model::{At, Channel};
use crate::rules::content::digest;
use crate::rules::{self, Ladder, Rules};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A question, with the rules that it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    settings: Settings,
    rules: Option<Rules>,
}

/// What a workspace says of worth and costs, whoever asks and whatever record.
pub fn settings(learning: &Learning, currency: &str, now: At) -> Settings {
    let Learning { value, optout_penalty, decay_per_h, equivalent } = learning.clone();
    let currency = currency.to_owned();
    Settings { now, value, optout_penalty, decay_per_h, currency, equivalent, ..Settings::default() }
}

impl Question {
    /// For these rules and the texts of this hash.
    pub fn of(rules: Rules, texts: &str, settings: Settings) -> Self {
        let own = || rules.segments.iter();
        let settings = Settings {
            rules: Some(history::version(&rules.hash, texts)),
            incumbents: own().map(|(name, ladder)| (name.clone(), ladder.start)).collect(),
            incumbent: Some(rules.main.start),
            starts: rules.main.channels().collect(),
            own_starts: own().map(|(name, ladder)| (name.clone(), ladder.channels().collect())).collect(),
            explore: Some(rules.explore),
            waits: Some(waits(&rules)),
            ..settings
        };
        Self { settings, rules: Some(rules) }
    }

    /// For rules that cannot be read: those of the newest cascade, and the starts that are seen.
    pub fn without_rules(settings: Settings) -> Self {
        Self { settings, rules: None }
    }

    /// In a place as a screen knows it.
    pub(super) fn in_place(place: &PlaceFacts, now: At) -> Self {
        let settings = settings(&place.learning, &place.currency, now);
        let texts = place.content.iter().map(|(name, text)| (name.clone(), text.clone().into_bytes()));
        match rules::parse(Path::new(&place.rules_source), place.rules_text.as_bytes()).0 {
            Some(rules) => Self::of(rules, &digest(texts.collect()), settings),
            None => Self::without_rules(settings),
        }
    }

    /// The time of the question.
    pub const fn now(&self) -> At {
        self.settings.now
    }

    /// The rules and texts that it is asked for.
    pub fn version(&self) -> Option<&str> {
        self.settings.rules.as_deref()
    }

    /// What a history file is asked with. One that has cascades under these very rules is of this workspace, and is asked
    /// as its store is. Another one's cascades ran under whatever its newest did, drawn from starts and by shares of its
    /// own: of the rules here it is told what they start with, and how long they wait.
    pub fn of_a_file(self, record: &Ledger) -> Settings {
        let is_own = self.rules.as_ref().is_some_and(|rules| record.ran_under(&rules.hash));
        if is_own {
            return self.settings;
        }
        let nothing = Settings { rules: None, starts: Vec::new(), explore: None, ..self.settings };
        Settings { own_starts: BTreeMap::new(), ..nothing }
    }

    /// What the statistics are asked with, once it is known of which recorded rules the walks are the same.
    pub fn settings(&self, reader: &Reader) -> Result<Settings, StoreError> {
        let Some(rules) = &self.rules else { return Ok(self.settings.clone()) };
        let ran: BTreeSet<String> = reader.campaign_terms()?.into_values().map(|(hash, ..)| hash).collect();
        let mut alike = BTreeMap::new();
        for hash in ran.into_iter().filter(|hash| *hash != rules.hash) {
            if let Some(before) = replay::ran(reader, &hash)? {
                alike.insert(hash, compared(rules, &before));
            }
        }
        Ok(Settings { alike, ..self.settings.clone() })
    }
}

/// How long they wait wherever anybody waits: after the last step of a chain, only who can start with it.
fn waits(rules: &Rules) -> Waits {
    let of = |ladder: &Ladder| -> BTreeMap<Channel, u64> {
        let last = ladder.steps.last().map(|step| step.channel);
        let is_waited =
            |channel: &Channel| Some(*channel) != last || *channel == ladder.start || rules.explore > 0.0;
        let waited = ladder.channels().filter(is_waited);
        waited.filter_map(|channel| Some((channel, ladder.wait_of(channel)?))).collect()
    };
    let own = rules.segments.iter().map(|(name, ladder)| (name.clone(), of(ladder)));
    Waits { main: of(&rules.main), own: own.collect() }
}

/// For whom the walks are the same.
fn compared(rules: &Rules, before: &Rules) -> Alike {
    let named = rules.segments.keys().chain(before.segments.keys());
    let named = named.map(|segment| (segment.clone(), rules.walks_as(before, segment)));
    // Whoever has no name goes by the main steps of both.
    Alike { named: named.collect(), others: rules.walks_as(before, &crate::model::Segment::default()) }
}

impl Plan {
    /// What the record is asked, for what this plan would launch.
    pub fn question(&self, now: At) -> Question {
        let config = &self.ready.config;
        let settings = settings(&config.learning, &config.currency, now);
        Question::of(self.ready.rules.clone(), &self.content.hash, settings)
    }
}
