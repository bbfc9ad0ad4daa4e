//! Rates: a token bucket per channel, in campaign time.

use crate::model::At;

/// At most `per_second` sends a campaign second, with a burst of one second's worth.
#[derive(Clone, Debug)]
pub struct Pacer {
    per_second: f64,
    tokens: f64,
    since: At,
    /// Only news can change that nobody in this queue may go now.
    pub waits_for_news: bool,
}

impl Pacer {
    /// Full at `now`.
    pub fn new(per_second: f64, now: At) -> Self {
        let per_second = per_second.clamp(0.001, 1000.0);
        Self { per_second, tokens: per_second.max(1.0), since: now, waits_for_news: false }
    }

    fn refill(&mut self, now: At) {
        let passed = (now - self.since).num_milliseconds().max(0) as f64 / 1000.0;
        self.tokens = (self.tokens + passed * self.per_second).min(self.per_second.max(1.0));
        self.since = self.since.max(now);
    }

    /// Whether a send may start at `now`.
    pub fn ready(&mut self, now: At) -> bool {
        self.refill(now);
        self.tokens >= 1.0
    }

    /// One send started.
    pub fn take(&mut self) {
        self.tokens -= 1.0;
    }

    /// When the next send may start.
    pub fn next(&self) -> At {
        let missing = (1.0 - self.tokens).max(0.0) / self.per_second;
        At::from_millis(self.since.millis() + (missing * 1000.0).ceil() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn a_slow_channel_sends_one_a_second() {
        let start = At::from_secs(0);
        let mut pacer = Pacer::new(1.0, start);
        assert!(pacer.ready(start));
        pacer.take();
        assert!(!pacer.ready(start));
        assert_eq!(pacer.next(), At::from_secs(1));
        assert!(pacer.ready(start + TimeDelta::seconds(1)));
    }

    #[test]
    fn a_long_pause_earns_one_second_of_burst() {
        let mut pacer = Pacer::new(20.0, At::from_secs(0));
        let later = At::from_secs(3600);
        let sent = (0..100).filter(|_| pacer.ready(later).then(|| pacer.take()).is_some()).count();
        assert_eq!(sent, 20);
    }
}
