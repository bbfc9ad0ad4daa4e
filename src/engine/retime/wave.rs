//! The wave that an edit makes: how many sends fall due at once on each channel, and how long it takes to let them out.

use super::fate::{Fate, Shown};
use super::{Choice, Preview};
use crate::engine::forecast::{TYPICAL_CALL_S, lasts_s};
use crate::engine::journey::{Alarm, Journey, State};
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
    /// The most that fall due within ten minutes, those included whom the edit leaves alone.
    pub peak: u64,
    /// The same if nothing is changed.
    pub peak_before: u64,
    /// What the channel can let out in ten minutes.
    pub room: u64,
}

/// Sends that fall due: on which channel, and when. Those whom an edit leaves alone need its room as well.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dues {
    /// Everybody's, if nothing is changed.
    before: Vec<(Channel, At)>,
    /// Those that fall due when they did, whatever is chosen: on the channel that the new rules have for them.
    unmoved: Vec<(Channel, At)>,
}

impl Dues {
    /// Of one person, as they were shown at `at`; `None`: nothing changes for them.
    pub(super) fn count(&mut self, journey: &Journey, shown: Option<&Shown>, at: At) {
        let Some((due, here)) = falls_due(journey, at) else { return };
        let stands = Some(journey.channel()).filter(|_| here);
        let before = stands.or_else(|| next(journey));
        let after = stands.or_else(|| shown.map_or(before, |shown| shown.next));
        self.before.extend(before.map(|channel| (channel, due)));
        if !shown.is_some_and(|shown| matches!(shown.fate, Fate::Wait { .. } | Fate::Leaves)) {
            self.unmoved.extend(after.map(|channel| (channel, due)));
        }
    }
}

/// When the send that they wait for falls due, and whether it is one of the step where they stand; else of the next one.
fn falls_due(journey: &Journey, at: At) -> Option<(At, bool)> {
    let timer = journey.timer;
    match &journey.state {
        State::Queued => Some((at, true)),
        State::Deferred(_) | State::Retrying => timer.map(|timer| (timer.due, true)),
        State::Waiting | State::InDoubt => {
            timer.filter(|timer| timer.what == Alarm::Wait).map(|timer| (timer.due, false))
        }
        State::Sending | State::Held(_) | State::Settling | State::Ended(_) => None,
    }
}

/// The channel that follows under the rules they go by.
fn next(journey: &Journey) -> Option<Channel> {
    let after = journey.start.walk.iter().skip(journey.step as usize + 1).map(|leg| leg.channel);
    after.into_iter().find(|channel| !journey.start.skips.iter().any(|(skipped, _)| skipped == channel))
}

/// By channel that those go on whom an edit touches; `paces`: what each channel sends in a second, and how many at once.
pub fn waves(preview: &Preview, choice: Choice, paces: &[(Channel, f64, u64)]) -> Vec<Wave> {
    let wave = |(channel, per_second, lines): &(Channel, f64, u64)| {
        let here = || preview.people.iter().filter(|shown| shown.next == Some(*channel));
        let is_touched =
            here().any(|shown| shown.due(Choice::Keep).is_some() || shown.at_once(choice, preview.at));
        let at_once = here().filter(|shown| shown.at_once(choice, preview.at)).count() as u64;
        let on = |dues: &[(Channel, At)]| -> Vec<At> {
            dues.iter().filter(|(on, _)| on == channel).map(|(_, due)| *due).collect()
        };
        let peak_before = peak(on(&preview.dues.before));
        let peak = match choice {
            Choice::Keep => peak_before,
            Choice::Retime | Choice::RetimeAndSpread => {
                let mut dues = on(&preview.dues.unmoved);
                dues.extend(here().filter_map(|shown| due(shown, choice, preview.at)));
                peak(dues)
            }
        };
        is_touched.then(|| Wave {
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

/// When a send of theirs falls due that the edit moves.
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
