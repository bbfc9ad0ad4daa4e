//! Waits that end in quiet hours: the next step is put off to the morning, and the wait is not what it says.

use super::paths::starts;
use super::{Together, problem};
use crate::model::{Channel, QuietHours};
use crate::rules::places::Places;
use crate::rules::{Ladder, Problem, Severity, format_duration_s};
use std::collections::BTreeSet;

/// When a launch is assumed, in minutes of the customer's day: 09:00, or the first minute after it that is not quiet.
const LAUNCH_MIN: u64 = 9 * 60;
const DAY_MIN: u64 = 24 * 60;

/// The quiet hours of the rules and those of the workspace: both hold.
struct Quiet(Vec<QuietHours>);

impl Quiet {
    fn at(&self, minute: u64) -> Option<&QuietHours> {
        let minute = (minute % DAY_MIN) as u16;
        self.0.iter().find(|q| {
            if q.from_min < q.to_min {
                (q.from_min..q.to_min).contains(&minute)
            } else {
                minute >= q.from_min || minute < q.to_min
            }
        })
    }

    /// The first minute from `minute` on that is not quiet; the same one if there is none.
    fn over(&self, minute: u64) -> u64 {
        (minute..minute + DAY_MIN).find(|m| self.at(*m).is_none()).unwrap_or(minute)
    }

    /// The first minute of the quiet time that `minute` is in.
    fn began(&self, minute: u64) -> u64 {
        let back = (0..DAY_MIN.min(minute)).take_while(|n| self.at(minute - n).is_some()).last().unwrap_or(0);
        minute - back
    }
}

pub(super) fn check(all: &Together<'_>, found: &mut Vec<Problem>) {
    let Some(rules) = all.rules else { return };
    let hours = [rules.quiet_hours, all.config.limits.quiet_hours];
    let quiet = Quiet(hours.into_iter().flatten().collect());
    let launch = quiet.over(LAUNCH_MIN);
    if quiet.0.is_empty() || quiet.at(launch).is_some() {
        return;
    }
    let mut places = None;
    let mut told = BTreeSet::new();
    let segments = rules.segments.iter().map(|(segment, ladder)| (Some(segment.0.as_str()), ladder));
    for (segment, ladder) in std::iter::once((None, &rules.main)).chain(segments) {
        for start in starts(rules, ladder) {
            for late in walk(&quiet, ladder, start, launch) {
                let places = places.get_or_insert_with(|| Places::of(&rules.bytes));
                let at = places.wait(segment, late.channel, late.key);
                if told.insert(at) {
                    let place = (all.rules_file.to_owned(), at.0, at.1);
                    let (message, hint) = late.words(&quiet, launch);
                    found.push(problem(Severity::Warning, place, "wait-ends-quiet", message, hint));
                }
            }
        }
    }
}

/// A wait that ends in quiet hours.
struct Late {
    channel: Channel,
    next: Channel,
    /// `wait` or `wait_if_first`
    key: &'static str,
    from: u64,
    ends: u64,
    hours: QuietHours,
}

fn walk(quiet: &Quiet, ladder: &Ladder, start: Channel, launch: u64) -> Vec<Late> {
    let steps = ladder.walk(start);
    let mut now = launch;
    let mut late = Vec::new();
    for pair in steps.windows(2) {
        let [step, next] = pair else { continue };
        let ends = now + step.wait_s.unwrap_or(0).div_ceil(60);
        let written = ladder.steps.iter().find(|s| s.channel == step.channel).and_then(|s| s.wait_s);
        let key = if written.is_some() { "wait" } else { "wait_if_first" };
        if let Some(hours) = quiet.at(ends) {
            late.push(Late {
                channel: step.channel,
                next: next.channel,
                key,
                from: now,
                ends,
                hours: *hours,
            });
        }
        now = quiet.over(ends);
    }
    late
}

impl Late {
    fn words(&self, quiet: &Quiet, launch: u64) -> (String, String) {
        let clock = |minute: u64| format!("{:02}:{:02}", minute % DAY_MIN / 60, minute % 60);
        let QuietHours { from_min, to_min } = self.hours;
        let hours = format!("{}-{}", clock(from_min.into()), clock(to_min.into()));
        let goes = quiet.over(self.ends);
        let message = format!(
            "launched at {}, this wait on {} ends at {}, in quiet hours ({hours}): {} follows at {}, {} late",
            clock(launch),
            self.channel.label(),
            clock(self.ends),
            self.next.label(),
            clock(goes),
            format_duration_s((goes - self.ends) * 60),
        );
        // The last whole hour, or minute, before they begin.
        let room = quiet.began(self.ends).saturating_sub(self.from + 1);
        let shorter = if room >= 60 { room / 60 * 60 } else { room };
        let hint = if shorter > 0 {
            let shorter = format_duration_s(shorter * 60);
            format!(
                "the wait is longer than it says; \"{shorter}\" ends before them, or launch earlier in the day"
            )
        } else {
            let longer = format_duration_s((goes - self.from) * 60);
            format!("the wait is longer than it says; \"{longer}\" says how long it is")
        };
        (message, hint)
    }
}
