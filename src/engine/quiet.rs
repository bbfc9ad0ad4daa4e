//! Quiet hours in the customer's own zone.

use crate::model::{At, QuietHours};
use chrono::{NaiveTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;

/// When a contact that is wanted at `now` may go, if not now: the first minute outside all quiet hours in
/// `zone` (IANA; an unknown name counts as UTC).
pub fn allowed_from(quiet: &[QuietHours], zone: &str, now: At) -> Option<At> {
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    let mut at = now;
    // Two spans can follow each other; more rounds than spans would mean that no minute is allowed at all.
    for _ in 0..=quiet.len() {
        let Some(span) = quiet.iter().copied().find(|span| contains(*span, minute(zone, at))) else { break };
        at = end_of(span, zone, at);
    }
    (at > now).then_some(at)
}

/// When the next quiet hours begin after `now`; `None` without any.
pub fn begins(quiet: &[QuietHours], zone: &str, now: At) -> Option<At> {
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    let until = |span: &QuietHours| end_of(QuietHours { to_min: span.from_min, ..*span }, zone, now);
    quiet.iter().map(until).min()
}

fn minute(zone: Tz, at: At) -> u16 {
    let local = at.utc().with_timezone(&zone);
    u16::try_from(local.hour() * 60 + local.minute()).unwrap_or(0)
}

fn contains(span: QuietHours, minute: u16) -> bool {
    if span.from_min <= span.to_min {
        (span.from_min..span.to_min).contains(&minute)
    } else {
        minute >= span.from_min || minute < span.to_min
    }
}

/// The next time the local clock shows the span's end. Where the clocks go forward over it, the first minute
/// that exists; where they go back, the earlier one.
fn end_of(span: QuietHours, zone: Tz, at: At) -> At {
    let local = at.utc().with_timezone(&zone);
    let time = NaiveTime::from_hms_opt(u32::from(span.to_min / 60) % 24, u32::from(span.to_min % 60), 0)
        .unwrap_or_default();
    let today = local.date_naive();
    let day = if local.time() < time { today } else { today + TimeDelta::days(1) };
    let mut naive = day.and_time(time);
    for _ in 0..8 {
        if let Some(end) = zone.from_local_datetime(&naive).earliest() {
            return end.into();
        }
        naive += TimeDelta::minutes(30);
    }
    at + TimeDelta::hours(12)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIGHT: QuietHours = QuietHours { from_min: 20 * 60, to_min: 9 * 60 };

    #[test]
    fn the_night_ends_at_nine_where_the_customer_lives() {
        let evening = At::parse("2026-01-06T02:30:00Z").unwrap(); // 21:30 in New York
        let morning = At::parse("2026-01-06T14:00:00Z").unwrap();
        assert_eq!(allowed_from(&[NIGHT], "America/New_York", evening), Some(morning));
        assert_eq!(allowed_from(&[NIGHT], "America/New_York", morning), None);
        assert_eq!(allowed_from(&[NIGHT], "Europe/London", morning), None);
        assert_eq!(allowed_from(&[], "Europe/London", evening), None);
    }

    #[test]
    fn two_spans_follow_each_other() {
        let dawn = QuietHours { from_min: 9 * 60, to_min: 10 * 60 };
        let evening = At::parse("2026-01-05T21:00:00Z").unwrap();
        let ten = At::parse("2026-01-06T10:00:00Z").unwrap();
        assert_eq!(allowed_from(&[NIGHT, dawn], "UTC", evening), Some(ten));
    }

    #[test]
    fn an_end_that_the_clocks_jump_over_still_comes() {
        let span = QuietHours { from_min: 60, to_min: 150 }; // 02:30 does not exist on 2026-03-08
        let night = At::parse("2026-03-08T06:30:00Z").unwrap(); // 01:30 in New York
        let end = allowed_from(&[span], "America/New_York", night).unwrap();
        assert_eq!(end, At::parse("2026-03-08T07:00:00Z").unwrap());
    }
}
