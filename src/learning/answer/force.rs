//! What is in force, and which cascades ran under what comes to the same. Rules and texts are told apart by their
//! hashes; others are taken as the same only where they walk the same, or the operator said so.

use super::Settings;
use crate::learning::ledger::Ledger;
use crate::model::{At, Channel, Segment};
use std::collections::BTreeMap;

/// Letters of a hash that are enough to name it.
const NAMED_BY: usize = 7;

/// Rules and texts of cascades, as the record writes them: `RULES+TEXTS`, or one word for both.
pub fn parts(version: &str) -> (&str, &str) {
    version.split_once('+').unwrap_or((version, ""))
}

/// How long rules wait on each of their channels after which anybody waits, in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// In the main steps.
    pub main: BTreeMap<Channel, u64>,
    /// In those of segments with steps of their own.
    pub own: BTreeMap<Segment, BTreeMap<Channel, u64>>,
}

impl Waits {
    /// For customers of a segment, or whoever goes by the main steps.
    pub fn of(&self, segment: Option<&Segment>, channel: Channel) -> Option<u64> {
        let own = segment.and_then(|segment| self.own.get(segment));
        own.unwrap_or(&self.main).get(&channel).copied()
    }
}

/// See the module's words.
pub(super) struct InForce {
    /// Rules and texts; `None`: nothing ran, and nobody said what is in force.
    pub(super) version: Option<String>,
    /// By arm: it compares with what is in force.
    pub(super) same: Vec<bool>,
    /// By arm: these very rules.
    pub(super) exact: Vec<bool>,
    /// Cascades of each arm.
    pub(super) counts: Vec<u64>,
}

impl InForce {
    pub(super) fn of(ledger: &Ledger, settings: &Settings) -> Self {
        let (mut counts, mut newest) = (vec![0; ledger.arms.len()], None);
        let mut last = At(i64::MIN);
        for item in ledger.items() {
            counts[item.arm as usize] += 1;
            if item.launched_at >= last {
                (last, newest) = (item.launched_at, Some(item.arm));
            }
        }
        let of_newest = newest.map(|arm| ledger.rules[ledger.arms[arm as usize].rules].clone());
        let version = settings.rules.clone().or(of_newest);
        let (rules, texts) = version.as_deref().map(parts).unwrap_or_default();
        let declared = |hash: &str| settings.equivalent.iter().any(|name| is_named(hash, name));
        // A version as the notes name it has both its hashes, and means this one alone.
        let pairs = || settings.equivalent.iter().filter_map(|name| name.split_once('+'));
        let same = ledger.arms.iter().map(|arm| {
            let (own, said) = parts(&ledger.rules[arm.rules]);
            let alike =
                settings.alike.get(own).is_some_and(|alike| alike.holds_for(&ledger.segments[arm.segment]));
            let both = pairs().any(|(rules, texts)| is_named(own, rules) && is_named(said, texts));
            both || (own == rules || alike || declared(own)) && (said == texts || declared(said))
        });
        let exact = ledger.arms.iter().map(|arm| parts(&ledger.rules[arm.rules]).0 == rules);
        let (same, exact) = (same.collect(), exact.collect());
        Self { version, same, exact, counts }
    }

    /// The hash of the rules alone.
    pub(super) fn rules(&self) -> Option<String> {
        self.version.as_deref().map(|version| parts(version).0.to_owned())
    }

    /// What the cascades ran under that do not compare: rules and texts, and how many, the most first.
    pub(super) fn others(&self, ledger: &Ledger) -> Vec<(String, u64)> {
        let mut others: Vec<(String, u64)> = Vec::new();
        for ((arm, n), same) in ledger.arms.iter().zip(&self.counts).zip(&self.same) {
            let version = &ledger.rules[arm.rules];
            match others.iter_mut().find(|(other, _)| other == version) {
                _ if *same => {}
                Some((_, count)) => *count += n,
                None => others.push((version.clone(), *n)),
            }
        }
        others.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        others
    }
}

/// By all of it, or as people abbreviate it.
fn is_named(hash: &str, name: &str) -> bool {
    hash == name || (name.len() >= NAMED_BY && hash.starts_with(name))
}
