//! Chance that is no chance: numbers drawn from a hash, so that timing and order change nothing.

use sha2::{Digest, Sha256};

/// Draws for one person on one channel.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Draw {
    base: Sha256,
}

impl Draw {
    /// Depends on these three alone.
    pub(in crate::sandbox) fn new(seed: u64, who: &str, about: &str) -> Self {
        let mut base = Sha256::new();
        base.update(seed.to_le_bytes());
        base.update(who.as_bytes());
        base.update([0]);
        base.update(about.as_bytes());
        base.update([0]);
        Self { base }
    }

    /// 64 bits for `what`.
    pub(in crate::sandbox) fn bits(&self, what: &str) -> u64 {
        let mut hash = self.base.clone();
        hash.update(what.as_bytes());
        hash.finalize().iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
    }

    /// At least 0 and below 1.
    pub(in crate::sandbox) fn unit(&self, what: &str) -> f64 {
        (self.bits(what) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// At least `low` and below `high`.
    pub(in crate::sandbox) fn between(&self, what: &str, low: f64, high: f64) -> f64 {
        low + self.unit(what) * (high - low)
    }

    /// Log-normal: half of all draws are below `median`.
    pub(in crate::sandbox) fn log_normal(&self, what: &str, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit(&format!("{what}/r"))).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.unit(&format!("{what}/a"));
        median * (sigma * radius * angle.cos()).exp()
    }

    /// One of a list.
    pub(in crate::sandbox) fn pick<'a, T>(&self, what: &str, list: &'a [T]) -> Option<&'a T> {
        list.get((self.unit(what) * list.len() as f64) as usize)
    }
}
