//! Backoff: how long a refused step waits (PROVIDERS.md section 6). Full jitter from a hash of the attempt id,
//! so that the same history gives the same delays.

use crate::model::{AttemptId, Class, Failure, Scope};
use chrono::TimeDelta;

const THROTTLE_CAP_MS: u64 = 60_000;
const OUTAGE_CAP_MS: u64 = 300_000;

/// Campaign time until retry number `retry` (from 1) of a step whose `attempt` was refused with `failure`.
pub fn delay(attempt: AttemptId, failure: &Failure, retry: u32) -> TimeDelta {
    let n = retry.saturating_sub(1).min(16);
    let ceiling_ms = match (failure.class, failure.retry_after_s, &failure.scope) {
        // The provider's own word, and a little more, so that not all come back in the same instant.
        (_, Some(after), _) => {
            let after_ms = after.min(86_400) * 1000;
            return TimeDelta::milliseconds((after_ms + jitter(attempt, retry, after_ms / 4 + 250)) as i64);
        }
        // WhatsApp's pair rule asks for 4^n seconds (PROVIDERS.md 1.12).
        (Class::Throttle, None, Scope::Person) => {
            return TimeDelta::milliseconds(4_000_i64.saturating_mul(1 << (2 * n.min(5))));
        }
        (Class::Throttle, None, _) => (1000_u64 << n).min(THROTTLE_CAP_MS),
        (Class::Outage | Class::Config | Class::Recipient | Class::Suppress | Class::InDoubt, None, _) => {
            (2000_u64 << n).min(OUTAGE_CAP_MS)
        }
    };
    TimeDelta::milliseconds(jitter(attempt, retry, ceiling_ms).max(200) as i64)
}

/// A number in `0..=ceiling`, fixed by the attempt and the retry (splitmix64's finaliser).
fn jitter(attempt: AttemptId, retry: u32, ceiling: u64) -> u64 {
    let mut x = attempt.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(retry) << 56;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) % (ceiling + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, Sent, Untrusted};

    fn failure(class: Class, retry_after_s: Option<u64>) -> Failure {
        Failure {
            channel: Channel::Phone,
            provider: "vapi".into(),
            code: "429".into(),
            class,
            scope: Scope::Account,
            sent: Sent::No,
            title: String::new(),
            remedy: String::new(),
            detail: Untrusted::default(),
            retry_after_s,
        }
    }

    #[test]
    fn retry_after_is_a_floor() {
        for attempt in 0..100 {
            let wait = delay(AttemptId(attempt), &failure(Class::Throttle, Some(2)), 1);
            assert!((2000..=2750).contains(&wait.num_milliseconds()), "{wait}");
        }
    }

    #[test]
    fn absurd_words_of_a_provider_are_kept_within_a_day() {
        let day = TimeDelta::days(1);
        for after in [0, 86_401, 251_709_447_524, u64::MAX] {
            for class in [Class::Throttle, Class::Outage] {
                let wait = delay(AttemptId(7), &failure(class, Some(after)), 1);
                assert!(wait >= TimeDelta::seconds(after.min(86_400) as i64), "{after}: {wait}");
                assert!(wait <= day + day / 4 + TimeDelta::seconds(1), "{after}: {wait}");
            }
        }
    }

    #[test]
    fn ceilings_hold_and_jitter_spreads() {
        let waits: std::collections::BTreeSet<_> =
            (0..100).map(|a| delay(AttemptId(a), &failure(Class::Outage, None), 30)).collect();
        assert!(waits.len() > 50);
        assert!(waits.iter().all(|w| *w <= TimeDelta::minutes(5)));
    }
}
