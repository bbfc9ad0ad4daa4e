//! Spans of time in four bytes, because a record of a million cascades holds ten million of them.

use crate::model::At;
use std::num::NonZeroU32;

/// Set where seconds are counted.
const SECONDS: u32 = 1 << 31;

/// A span of time: to the millisecond up to 24 days, to the second beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::learning) struct Span(NonZeroU32);

impl Span {
    /// So many milliseconds; none where they are negative.
    pub(in crate::learning) fn of_ms(ms: i64) -> Self {
        let fine = u32::try_from(ms.max(0)).ok().filter(|ms| *ms < SECONDS - 1);
        let coarse = || SECONDS | (ms / 1000).min(i64::from(SECONDS) - 2) as u32;
        Self(NonZeroU32::MIN.saturating_add(fine.unwrap_or_else(coarse)))
    }

    /// From one time to another; none where that was earlier.
    pub(in crate::learning) fn between(from: At, to: At) -> Self {
        Self::of_ms(to.0.saturating_sub(from.0))
    }

    /// In milliseconds.
    pub(in crate::learning) const fn ms(self) -> i64 {
        let code = self.0.get() - 1;
        if code & SECONDS == 0 { code as i64 } else { (code & !SECONDS) as i64 * 1000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_what_it_was_made_of() {
        assert_eq!(size_of::<Option<Span>>(), 4);
        let day = crate::learning::DAY_MS;
        for ms in [0, 1, 999, 3_600_123, 20 * day + 1, 24 * day] {
            assert_eq!(Span::of_ms(ms).ms(), ms);
        }
        for ms in [25 * day, 60 * day, 3_650 * day] {
            assert_eq!((Span::of_ms(ms).ms(), Span::of_ms(ms + 999).ms()), (ms, ms));
        }
        let mut before = 0;
        for ms in (i64::from(SECONDS) - 2_000..i64::from(SECONDS) + 2_000).step_by(1_000) {
            let now = Span::of_ms(ms).ms();
            assert!(before <= now && now <= ms, "{ms}");
            before = now;
        }
        assert_eq!(Span::of_ms(-5).ms(), 0);
        assert!(Span::of_ms(i64::MAX).ms() > 50 * 365 * day);
        assert_eq!(Span::between(At(5_000), At(7_500)).ms(), 2_500);
    }
}
