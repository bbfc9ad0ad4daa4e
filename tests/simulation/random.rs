//! Draws that depend on the seed and on what is drawn, never on when: leaving one thing out of a setting changes
//! nothing about the others.

/// What a seed says.
#[derive(Clone, Copy, Debug)]
pub struct Draw(u64);

/// splitmix64's finaliser.
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Draw {
    pub const fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x9e37_79b9_7f4a_7c15))
    }

    /// The draws about one thing.
    pub const fn of(self, thing: u64) -> Self {
        Self(mix(self.0 ^ thing.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678)))
    }

    /// The draws about something with a name.
    pub fn named(self, name: &str) -> Self {
        name.bytes().fold(self, |draw, byte| draw.of(u64::from(byte)))
    }

    pub const fn number(self) -> u64 {
        mix(self.0)
    }

    /// In `0..of`.
    pub const fn below(self, of: u64) -> u64 {
        self.number() % of
    }

    /// In `from..=to`.
    pub const fn between(self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// Whether it falls into this share, 0 to 1000.
    pub const fn hits(self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    pub fn pick<T: Copy>(self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}
