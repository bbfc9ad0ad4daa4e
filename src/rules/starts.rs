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
