//! When the blows fall: drawn from a seed, spread over the whole campaign.

use std::time::Duration;

/// One blow.
#[derive(Clone, Copy, Debug)]
pub enum Blow {
    /// So long after the start, whatever goes on then.
    After(Duration),
    /// As soon as a request is out and has no answer.
    Claimed {
        /// Given up after this long.
        within: Duration,
    },
}

/// Blows that are left.
#[derive(Debug)]
pub struct Plan {
    left: u64,
    state: u64,
    campaign_ms: u64,
}

/// Listening after a start, in wall milliseconds at the speed of this siege: ten campaign minutes, and the start itself.
const LISTENS_MS: u64 = 1_900;

/// What a blow takes beyond its own wait: a request that must come first, and the look at the store afterwards.
const STRIKES_MS: u64 = 700;

/// A campaign's wall time: three days, or some hours.
const CAMPAIGN_MS: (u64, u64) = (760_000, 24_000);

impl Plan {
    pub const fn new(blows: u64, seed: u64, short: bool) -> Self {
        let campaign_ms = if short { CAMPAIGN_MS.1 } else { CAMPAIGN_MS.0 };
        Self { left: blows, state: seed, campaign_ms }
    }

    /// splitmix64.
    fn draw(&mut self, below: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % below.max(1)
    }

    /// The next blow, `elapsed` after the launch: those that are left together reach the campaign's end.
    pub fn next(&mut self, elapsed: Duration) -> Option<Blow> {
        let rest = self.campaign_ms.saturating_sub(elapsed.as_millis() as u64);
        let share = (rest / self.left.max(8)).saturating_sub(LISTENS_MS + STRIKES_MS).max(200);
        self.left = self.left.checked_sub(1)?;
        Some(match self.draw(10) {
            0 => Blow::After(Duration::from_millis(self.draw(400))),
            1 => Blow::After(Duration::from_millis(self.draw(LISTENS_MS))),
            2..=7 => Blow::Claimed { within: Duration::from_millis(LISTENS_MS + 2 * share) },
            _ => Blow::After(Duration::from_millis(LISTENS_MS + self.draw(4 * share))),
        })
    }
}
