//! Rates: a token bucket per channel, in campaign time. A provider that refuses for speed is heard: nothing goes before
//! the time it asked for, then half as fast, and by and by as fast as before.

use crate::engine::event::{Event, Kind};
use crate::model::{At, Channel, Class, Failure, Scope};
use chrono::TimeDelta;

/// The slowest that refusals make a channel, as a share of its own rate.
const SLOWEST: f64 = 1.0 / 16.0;

/// After so long without a further refusal it goes twice as fast again.
const RECOVERS: TimeDelta = TimeDelta::seconds(30);

/// Refusals of requests that were out together count as one.
const TOGETHER: TimeDelta = TimeDelta::seconds(1);

/// The longest that a provider's word holds a whole channel; whom it refused waits as long as it said.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// At most `per_second` sends a campaign second, with a burst of one second's worth.
#[derive(Clone, Debug)]
pub struct Pacer {
    per_second: f64,
    /// 1 as long as nobody complains.
    share: f64,
    /// When the share was last changed.
    changed: At,
    not_before: At,
    tokens: f64,
    since: At,
    /// Only news can change that nobody in this queue may go now.
    pub waits_for_news: bool,
}

impl Pacer {
    /// Full at `now`.
    pub fn new(per_second: f64, now: At) -> Self {
        let per_second = per_second.clamp(0.001, 1000.0);
        let (share, changed, not_before) = (1.0, now, now);
        let (tokens, since) = (per_second.max(1.0), now);
        Self { per_second, share, changed, not_before, tokens, since, waits_for_news: false }
    }

    fn rate(&self) -> f64 {
        self.per_second * self.share
    }

    fn refill(&mut self, now: At) {
        let passed = (now - self.since).num_milliseconds().max(0) as f64 / 1000.0;
        self.tokens = (self.tokens + passed * self.rate()).min(self.rate().max(1.0));
        self.since = self.since.max(now);
        while self.share < 1.0 && now - self.changed >= RECOVERS {
            (self.share, self.changed) = ((self.share * 2.0).min(1.0), self.changed + RECOVERS);
        }
    }

    /// Whether a send may start at `now`.
    pub fn ready(&mut self, now: At) -> bool {
        self.refill(now);
        self.tokens >= 1.0 && now >= self.not_before
    }

    /// One send started.
    pub fn take(&mut self) {
        self.tokens -= 1.0;
    }

    /// When the next send may start.
    pub fn next(&self) -> At {
        let missing = (1.0 - self.tokens).max(0.0) / self.rate();
        let due = At::from_millis(self.since.millis() + (missing * 1000.0).ceil() as i64);
        due.max(self.not_before)
    }

    /// A send was refused for speed.
    fn slow_down(&mut self, failure: &Failure, now: At) {
        self.refill(now);
        if let Some(asked) = failure.retry_after_s {
            let asked = TimeDelta::seconds(i64::try_from(asked.min(86_400)).unwrap_or(0));
            self.not_before = self.not_before.max(now + asked.min(LONGEST));
        }
        if now - self.changed >= TOGETHER || self.share >= 1.0 {
            (self.share, self.changed) = ((self.share / 2.0).max(SLOWEST), now);
            self.tokens = self.tokens.min(1.0);
        }
    }
}

/// Slows the channel down on which an event tells of a refusal for speed; one person's own rate concerns nobody else.
pub fn heed(pacers: &mut [(Channel, Pacer)], event: &Event) {
    let Kind::AttemptRefused { failure, .. } = &event.kind else { return };
    if failure.class != Class::Throttle || failure.scope == Scope::Person {
        return;
    }
    if let Some((_, pacer)) = pacers.iter_mut().find(|(channel, _)| *channel == failure.channel) {
        pacer.slow_down(failure, event.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::Subject;
    use crate::model::{CampaignId, Sent, Untrusted};

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

    fn refused(at: At, scope: Scope, class: Class, retry_after_s: Option<u64>) -> Event {
        let failure = Box::new(Failure {
            channel: Channel::Sms,
            provider: "twilio".into(),
            code: "20429".into(),
            class,
            scope,
            sent: Sent::No,
            title: String::new(),
            remedy: String::new(),
            detail: Untrusted::default(),
            retry_after_s,
        });
        let kind = Kind::AttemptRefused { failure, reached: true };
        Event { at, campaign: CampaignId(1), subject: Subject::default(), kind }
    }

    /// How many go in this second.
    fn sent(pacer: &mut Pacer, second: i64) -> usize {
        let at = |tenth: i64| At::from_millis(second * 1000 + tenth * 100);
        let mut sent = 0;
        for tenth in 0..10 {
            while pacer.ready(at(tenth)) {
                pacer.take();
                sent += 1;
            }
        }
        sent
    }

    #[test]
    fn a_refusal_for_speed_halves_the_rate_and_calm_restores_it() {
        let mut pacers = vec![(Channel::Sms, Pacer::new(16.0, At::from_secs(0)))];
        sent(&mut pacers[0].1, 0);
        for _ in 0..8 {
            heed(&mut pacers, &refused(At::from_secs(1), Scope::Account, Class::Throttle, None));
        }
        let pacer = &mut pacers[0].1;
        sent(pacer, 2);
        assert!((7..=8).contains(&sent(pacer, 3)), "eight that were out together count once");
        for second in 4..32 {
            sent(pacer, second);
        }
        assert!(sent(pacer, 32) >= 15);
        for second in [40, 42, 44, 46, 48, 50, 52] {
            heed(&mut pacers, &refused(At::from_secs(second), Scope::Sender, Class::Throttle, None));
        }
        let pacer = &mut pacers[0].1;
        assert_eq!((sent(pacer, 53), sent(pacer, 54)), (1, 1), "never slower than a sixteenth");
        for second in 55..180 {
            sent(pacer, second);
        }
        assert!(sent(pacer, 180) >= 15);
    }

    #[test]
    fn nothing_goes_before_the_time_that_was_asked_for() {
        let at = At::from_secs(1);
        for (asked, waits) in [(7, 7), (u64::MAX, 3600)] {
            let mut pacers = vec![(Channel::Sms, Pacer::new(10.0, At::from_secs(0)))];
            heed(&mut pacers, &refused(at, Scope::Account, Class::Throttle, Some(asked)));
            let due = at + TimeDelta::seconds(waits);
            let pacer = &mut pacers[0].1;
            assert!(!pacer.ready(due - TimeDelta::milliseconds(1)));
            assert_eq!(pacer.next(), due);
            assert!(pacer.ready(due));
        }
    }

    #[test]
    fn one_persons_rate_and_other_refusals_slow_nobody() {
        let mut pacers = vec![(Channel::Sms, Pacer::new(10.0, At::from_secs(0)))];
        heed(&mut pacers, &refused(At::from_secs(1), Scope::Person, Class::Throttle, Some(60)));
        heed(&mut pacers, &refused(At::from_secs(1), Scope::Account, Class::Outage, Some(60)));
        assert_eq!(sent(&mut pacers[0].1, 2), 10 + 9);
    }
}
