//! With which probability a cascade begins on each channel, and the draw itself. No random numbers: whoever draws
//! brings a lot. Probabilities are whole millionths, so that they are read back as they were written.

use super::Channel;
use serde::{Deserialize, Serialize};

const MILLION: f64 = 1_000_000.0;

/// The probability of each start, in the order of the chain. They sum to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Allocation(Vec<(Channel, f64)>);

impl Allocation {
    /// Of these shares, scaled to a sum of 1; `None` where they have no sum that could be.
    pub fn of(shares: impl IntoIterator<Item = (Channel, f64)>) -> Option<Self> {
        let shares: Vec<_> = shares.into_iter().collect();
        let usable = shares.iter().all(|(_, share)| share.is_finite() && *share >= 0.0);
        let sum: f64 = shares.iter().map(|(_, share)| share).sum();
        (usable && sum > 0.0).then(|| Self::settled(shares.into_iter().map(|(c, share)| (c, share / sum))))
    }

    /// The same probability for each.
    pub fn even(starts: impl IntoIterator<Item = Channel>) -> Option<Self> {
        Self::of(starts.into_iter().map(|channel| (channel, 1.0)))
    }

    /// At most `explore` of all draws go elsewhere than `start`: the rest is scaled down to that share, and `start`
    /// gets what is left.
    pub fn capped(&self, start: Channel, explore: f64) -> Self {
        let elsewhere = 1.0 - self.share(start);
        let scale = if elsewhere > explore { explore / elsewhere } else { 1.0 };
        let others = 1.0 - elsewhere * scale;
        Self::settled(self.0.iter().map(|(c, share)| (*c, if *c == start { others } else { share * scale })))
    }

    /// In whole millionths; the largest makes up what rounding leaves.
    fn settled(shares: impl Iterator<Item = (Channel, f64)>) -> Self {
        let mut parts: Vec<(Channel, i64)> =
            shares.map(|(channel, share)| (channel, (share * MILLION).round() as i64)).collect();
        let left = MILLION as i64 - parts.iter().map(|(_, part)| part).sum::<i64>();
        if let Some((_, largest)) = parts.iter_mut().max_by_key(|(_, part)| *part) {
            *largest += left;
        }
        Self(parts.into_iter().map(|(channel, part)| (channel, part as f64 / MILLION)).collect())
    }

    /// Without the starts that nobody can have now, the others in their proportions. `None`: none is left.
    pub fn among(&self, open: impl Fn(Channel) -> bool) -> Option<Self> {
        Self::of(self.0.iter().map(|(c, share)| (*c, if open(*c) { *share } else { 0.0 })))
    }

    /// The probability of one start.
    pub fn share(&self, start: Channel) -> f64 {
        self.0.iter().find(|(channel, _)| *channel == start).map_or(0.0, |(_, share)| *share)
    }

    /// Every start with its probability.
    pub fn shares(&self) -> &[(Channel, f64)] {
        &self.0
    }

    /// The start that falls to `lot`, which is from 0 to 1, and the probability with which it does.
    pub fn draw(&self, lot: f64) -> Option<(Channel, f64)> {
        let mut below = 0.0;
        let possible = || self.0.iter().copied().filter(|(_, share)| *share > 0.0);
        let hit = possible().find(|(_, share)| {
            below += share;
            lot < below
        });
        // Sums of fractions may stay a hair below 1.
        hit.or_else(|| possible().next_back())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Channel; 3] = [Channel::Whatsapp, Channel::Phone, Channel::Sms];

    #[test]
    fn a_fifth_elsewhere_is_a_tenth_for_each_of_two() {
        let shares = Allocation::even(ALL).unwrap().capped(Channel::Whatsapp, 0.2);
        for (channel, share) in [(Channel::Whatsapp, 0.8), (Channel::Phone, 0.1), (Channel::Sms, 0.1)] {
            assert!((shares.share(channel) - share).abs() < 1e-12, "{shares:?}");
        }
        let nothing = Allocation::even(ALL).unwrap().capped(Channel::Whatsapp, 0.0);
        assert!((nothing.share(Channel::Whatsapp) - 1.0).abs() < 1e-12);
        assert_eq!(nothing.draw(0.999), Some((Channel::Whatsapp, 1.0)));
        assert_eq!(Allocation::even([]), None);
        assert_eq!(Allocation::of([(Channel::Sms, f64::NAN)]), None);
    }

    proptest! {
        #[test]
        fn a_capped_allocation_sums_to_1_and_explores_no_more_than_it_may(
            weights in prop::array::uniform3(0.0_f64..1.0), start in 0_usize..3, explore in 0.0_f64..=1.0,
        ) {
            let Some(all) = Allocation::of(ALL.into_iter().zip(weights)) else { return Ok(()) };
            let capped = all.capped(ALL[start], explore);
            let sum: f64 = capped.shares().iter().map(|(_, share)| share).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9, "{capped:?}");
            prop_assert!(1.0 - capped.share(ALL[start]) <= explore + 3e-6, "{capped:?}");
            // What was less than it may stays as it was; the others keep their proportions.
            prop_assert!(capped.share(ALL[start]) >= all.share(ALL[start]) - 3e-6);
            let json = serde_json::to_string(&capped).unwrap();
            prop_assert_eq!(serde_json::from_str::<Allocation>(&json).unwrap(), capped);
        }

        #[test]
        fn whoever_is_drawn_has_a_share_and_that_share_is_told(
            weights in prop::array::uniform3(0.0_f64..1.0), lot in 0.0_f64..1.0, shut in 0_usize..3,
        ) {
            let open = |channel| channel != ALL[shut];
            let Some(some) = Allocation::of(ALL.into_iter().zip(weights)).and_then(|all| all.among(open)) else {
                return Ok(());
            };
            let (start, share) = some.draw(lot).unwrap();
            prop_assert!(open(start) && share > 0.0);
            prop_assert_eq!(share.to_bits(), some.share(start).to_bits());
        }
    }
}
