//! Which start a customer gets: drawn for each, from the seed and from who they are alone.

use super::Ladder;
use crate::model::{Allocation, CampaignId, Channel, Customer};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A start, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Begin {
    /// The first channel.
    pub start: Channel,
    /// The probability with which it was drawn; 1 where nothing was.
    pub propensity: f64,
    /// From what it was drawn; `None` where nothing is drawn at random.
    pub allocation: Option<Arc<Allocation>>,
    /// Not every start can be had: it says nothing about the others and is left out of learning.
    pub forced: bool,
}

impl Begin {
    /// As the rules say.
    pub const fn by_the_rules(start: Channel) -> Self {
        Self { start, propensity: 1.0, allocation: None, forced: false }
    }
}

impl Ladder {
    /// Draws this customer's start from `allocation`. `shut` are channels on which nobody of the campaign can be
    /// reached: the others are drawn in their proportions. Whoever cannot be reached on a channel that others can
    /// (`can_take`) is no part of the draw, because nobody could tell their start's effect from who they are: they
    /// begin as the rules say.
    pub fn draw_start(
        &self,
        allocation: &Arc<Allocation>,
        lot: f64,
        shut: impl Fn(Channel) -> bool,
        can_take: impl Fn(Channel) -> bool,
    ) -> Begin {
        let takes_all = self.channels().all(|channel| shut(channel) || can_take(channel));
        let some_shut = self.channels().any(&shut);
        let open = some_shut.then(|| allocation.among(|channel| !shut(channel))).flatten().map(Arc::new);
        let from = open.unwrap_or_else(|| Arc::clone(allocation));
        let drawn = takes_all.then(|| from.draw(lot)).flatten();
        let (start, propensity) = drawn.unwrap_or((self.start, 1.0));
        Begin { start, propensity, allocation: Some(from), forced: some_shut || !takes_all }
    }
}

/// A customer's lot in one campaign, from 0 to 1: a hash, so that it depends on nobody else in the list, and on
/// nothing that decided who is in the campaign.
pub fn start_lot(seed: u64, campaign: CampaignId, customer: &Customer) -> f64 {
    let hash = Sha256::new()
        .chain_update("start")
        .chain_update(seed.to_le_bytes())
        .chain_update(campaign.0.to_le_bytes())
        .chain_update(customer.phone.as_str())
        .chain_update([0])
        .chain_update(customer.name.raw())
        .finalize();
    // As many bits as a fraction has.
    let bits = hash.iter().take(8).fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte)) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Consents, Phone, Segment};
    use crate::rules::{draw, parse};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::path::Path;

    const RULES: &[u8] = include_bytes!("../../rules/cascade.json");

    fn customer(n: u64) -> Customer {
        Customer {
            line: n + 2,
            name: format!("Person {n}").into(),
            phone: Phone::parse_e164(&format!("+1415{n:07}")).unwrap(),
            segment: Segment("retail".into()),
            email: None,
            timezone: None,
            language: None,
            country: None,
            consents: Consents::default(),
            extra: BTreeMap::new(),
        }
    }

    fn ladder() -> Ladder {
        parse(Path::new("cascade.json"), RULES).0.unwrap().main
    }

    fn a_fifth() -> Arc<Allocation> {
        Arc::new(Allocation::even(ladder().channels()).unwrap().capped(Channel::Whatsapp, 0.2))
    }

    fn begin(seed: u64, campaign: u64, customer: &Customer) -> Begin {
        let lot = start_lot(seed, CampaignId(campaign), customer);
        ladder().draw_start(&a_fifth(), lot, |_| false, |_| true)
    }

    /// How far from its probability a share may be, by chance alone, once in a hundred million draws.
    fn far(probability: f64, count: usize) -> f64 {
        5.7 * (probability * (1.0 - probability) / count as f64).sqrt()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn shares_of_the_draws_are_the_probabilities(seed in any::<u64>(), campaign in 1_u64..9) {
            let people: Vec<Customer> = (0..2000).map(customer).collect();
            let mut counts = BTreeMap::new();
            for begin in people.iter().map(|customer| begin(seed, campaign, customer)) {
                prop_assert_eq!(begin.propensity.to_bits(), a_fifth().share(begin.start).to_bits());
                prop_assert!(!begin.forced);
                *counts.entry(begin.start).or_insert(0_usize) += 1;
            }
            for (start, share) in a_fifth().shares() {
                let found = counts.get(start).copied().unwrap_or(0) as f64 / people.len() as f64;
                prop_assert!((found - share).abs() < far(*share, people.len()), "{start}: {found}");
            }
        }

        #[test]
        fn who_is_in_the_cohort_says_nothing_about_where_they_begin(seed in any::<u64>()) {
            let cohort = draw((0..4000).map(customer), 1000, seed, &[]);
            let elsewhere = cohort.iter().filter(|c| begin(seed, 1, c).start != Channel::Whatsapp).count();
            let found = elsewhere as f64 / cohort.len() as f64;
            prop_assert!((found - 0.2).abs() < far(0.2, cohort.len()), "{found}");
        }

        #[test]
        fn a_draw_depends_on_seed_campaign_and_person_alone(seed in any::<u64>(), n in 0_u64..9_999_999) {
            let (mut other, one) = (customer(n), customer(n));
            (other.line, other.segment) = (9, Segment("smb".into()));
            prop_assert_eq!(begin(seed, 1, &one), begin(seed, 1, &other));
            let lot = |seed, campaign, n| start_lot(seed, CampaignId(campaign), &customer(n)).to_bits();
            prop_assert_ne!(lot(seed, 1, n), lot(seed, 2, n));
            prop_assert_ne!(lot(seed, 1, n), lot(seed.wrapping_add(1), 1, n));
            prop_assert_ne!(lot(seed, 1, n), lot(seed, 1, n + 1));
        }
    }

    #[test]
    fn whoever_cannot_be_reached_everywhere_begins_as_the_rules_say() {
        let no_sms = |channel| channel != Channel::Sms;
        for lot in [0.0, 0.5, 0.85, 0.95] {
            let begin = ladder().draw_start(&a_fifth(), lot, |_| false, no_sms);
            assert_eq!((begin.start, begin.propensity, begin.forced), (Channel::Whatsapp, 1.0, true));
        }
    }

    #[test]
    fn a_channel_that_is_shut_for_all_is_never_drawn_and_the_others_share_its_part() {
        let no_whatsapp = |channel| channel == Channel::Whatsapp;
        for (lot, start) in
            [(0.2, Channel::Phone), (0.49, Channel::Phone), (0.5, Channel::Sms), (0.99, Channel::Sms)]
        {
            let begin = ladder().draw_start(&a_fifth(), lot, no_whatsapp, |c| c != Channel::Whatsapp);
            assert_eq!((begin.start, begin.propensity, begin.forced), (start, 0.5, true));
        }
    }
}
