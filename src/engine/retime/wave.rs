//! The wave that an edit makes: how many sends fall due at once on each channel, and how long it takes to let them out.

use super::{Choice, Preview, Shown};
use crate::engine::forecast::{TYPICAL_CALL_S, lasts_s};
use crate::model::{At, Channel};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// The span in which sends are counted together.
const SPAN: TimeDelta = TimeDelta::minutes(10);

/// One channel's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wave {
    /// On which channel they go on.
    pub channel: Channel,
    /// How many fall due at once.
    pub at_once: u64,
    /// How long the channel takes for those, at its rate and with its lines, in seconds.
    pub lasts_s: f64,
    /// The most that fall due within ten minutes.
    pub peak: u64,
    /// The same if nothing is changed.
    pub peak_before: u64,
    /// What the channel can let out in ten minutes.
    pub room: u64,
}

/// By channel, of those whom an edit touches; `paces`: what each channel sends in a second, and how many at once.
pub fn waves(preview: &Preview, choice: Choice, paces: &[(Channel, f64, u64)]) -> Vec<Wave> {
    let wave = |(channel, per_second, lines): &(Channel, f64, u64)| {
        let here = || preview.people.iter().filter(|shown| shown.next == Some(*channel));
        let at_once = here().filter(|shown| shown.at_once(choice, preview.at)).count() as u64;
        let peak = peak(here().filter_map(|shown| due(shown, choice, preview.at)).collect());
        let peak_before = peak_of(here(), preview.at);
        (peak > 0 || peak_before > 0).then(|| Wave {
            channel: *channel,
            at_once,
            lasts_s: lasts_s(*channel, at_once, *per_second, *lines),
            peak,
            peak_before,
            room: room(*channel, *per_second, *lines),
        })
    };
    paces.iter().filter_map(wave).collect()
}

fn peak_of<'a>(people: impl Iterator<Item = &'a Shown>, at: At) -> u64 {
    peak(people.filter_map(|shown| due(shown, Choice::Keep, at)).collect())
}

/// When a send of theirs falls due.
fn due(shown: &Shown, choice: Choice, at: At) -> Option<At> {
    if shown.at_once(choice, at) { Some(at) } else { shown.due(choice) }
}

/// The most of them within one span.
fn peak(mut dues: Vec<At>) -> u64 {
    dues.sort_unstable();
    let (mut first, mut most) = (0, 0);
    for (last, due) in dues.iter().enumerate() {
        while dues[first] + SPAN <= *due {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most as u64
}

/// What the rate allows, and on the phone the lines.
fn room(channel: Channel, per_second: f64, lines: u64) -> u64 {
    let span_s = SPAN.num_seconds() as f64;
    let by_rate = per_second * span_s;
    let bound = match channel {
        Channel::Phone => by_rate.min(lines.max(1) as f64 * span_s / TYPICAL_CALL_S),
        Channel::Whatsapp | Channel::Sms | Channel::Email => by_rate,
    };
    bound as u64
}
