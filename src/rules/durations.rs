//! Durations and quiet hours as operators write them, in rules and settings alike.

use crate::model::QuietHours;

/// Seconds in a minute, an hour and a day, by their letter; the largest first, as they must be written.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads `90s`, `15m`, `6h`, `1h30m`, `2d` as seconds.
///
/// Each unit at most once, the larger first, whole numbers, no spaces; `None` for anything else.
pub fn parse_duration_s(text: &str) -> Option<u64> {
    let mut left = text;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !left.is_empty() {
        let digits = left.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = left.get(..digits)?.parse().ok()?;
        let letter = left[digits..].chars().next()?;
        let (_, seconds) = units.find(|(unit, _)| *unit == letter)?;
        total = total.checked_add(number.checked_mul(*seconds)?)?;
        left = &left[digits + 1..];
    }
    (!text.is_empty()).then_some(total)
}

/// Writes seconds as [`parse_duration_s`] reads them: `5400` is `1h30m`.
pub fn format_duration_s(mut seconds: u64) -> String {
    if seconds == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (letter, unit) in UNITS {
        if seconds >= unit {
            out.push_str(&(seconds / unit).to_string());
            out.push(letter);
            seconds %= unit;
        }
    }
    out
}

/// Reads `20:00-09:00`, or `off` as `Some(None)`; `None` for anything else, a span of no length included.
pub fn parse_quiet_hours(text: &str) -> Option<Option<QuietHours>> {
    if text == "off" {
        return Some(None);
    }
    let (from, to) = text.split_once('-')?;
    let (from_min, to_min) = (minute_of_day(from.trim())?, minute_of_day(to.trim())?);
    (from_min != to_min).then_some(Some(QuietHours { from_min, to_min }))
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str, below: u16| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u16>().ok().filter(|&n| digits && n < below)
    };
    (minutes.len() == 2).then_some(())?;
    Some(two(hours, 24)? * 60 + two(minutes, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_they_are_written() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("6h", 21_600), ("1h30m", 5_400), ("2d", 172_800), ("0s", 0)]
        {
            assert_eq!(parse_duration_s(text), Some(seconds), "{text}");
        }
        for text in
            ["", "6", "h", "6 h", "1.5h", "30m1h", "1h1h", "-1h", "6H", "99999999999999999999s", "6hé"]
        {
            assert_eq!(parse_duration_s(text), None, "{text}");
        }
        for seconds in [0, 1, 59, 60, 5_400, 86_399, 86_400, 90_061] {
            assert_eq!(parse_duration_s(&format_duration_s(seconds)), Some(seconds));
        }
    }

    #[test]
    fn quiet_hours_may_run_over_midnight() {
        let night = QuietHours { from_min: 1200, to_min: 540 };
        assert_eq!(parse_quiet_hours("20:00-09:00"), Some(Some(night)));
        assert_eq!(parse_quiet_hours("20:00 - 9:00"), Some(Some(night)));
        assert_eq!(parse_quiet_hours("off"), Some(None));
        for text in ["", "20-09", "24:00-09:00", "20:60-09:00", "09:00-09:00", "20:00", "+8:00-09:00"] {
            assert_eq!(parse_quiet_hours(text), None, "{text}");
        }
    }
}
