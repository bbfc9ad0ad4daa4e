//! What an edit does to one person. Pure; asked before the edit, and once more when it is done.

use super::{Choice, Course, Courses};
use crate::engine::event::{Hold, Skip};
use crate::engine::journey::{Alarm, Journey, Stage, State};
use crate::engine::policy::Terms;
use crate::model::{At, AttemptId, CascadeId, Channel, Leg, PersonId, TimerId};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Somebody for whom something changes, as they stood when it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Whose.
    pub cascade: CascadeId,
    /// Who.
    pub person: PersonId,
    /// The step they stood at.
    pub step: u32,
    /// Their newest attempt.
    pub attempt: Option<AttemptId>,
    /// Their timer.
    pub timer: Option<TimerId>,
    /// The channel of that step.
    pub channel: Channel,
    /// What follows under the new rules; `None`: no step that can be taken.
    pub next: Option<Channel>,
    /// What the edit does.
    pub fate: Fate,
}

/// What an edit does to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fate")]
pub enum Fate {
    /// The wait they are in ends at another time; what follows may change as well.
    Wait {
        /// When it ended.
        from: At,
        /// When it ends now.
        to: At,
        /// When it ends if those who are due at once are spread.
        spread: At,
        /// No step follows any more: an answer counts until then.
        settles: bool,
    },
    /// Nothing now; steps and waits that are still to come change.
    Later,
    /// The channel they queue for is not in the new rules: the next one follows at once.
    Leaves,
}

/// For how many nothing changes, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stays {
    /// The new rules have the same for them.
    pub same: u64,
    /// They have walked to the end of their walk.
    pub settling: u64,
    /// Somebody has to say who answered at their number.
    pub shared: u64,
    /// They have ended.
    pub ended: u64,
}

/// See [`Stays`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    Same,
    Settling,
    Shared,
    Ended,
}

impl Stays {
    pub(super) const fn count(&mut self, stay: Stay) {
        *match stay {
            Stay::Same => &mut self.same,
            Stay::Settling => &mut self.settling,
            Stay::Shared => &mut self.shared,
            Stay::Ended => &mut self.ended,
        } += 1;
    }
}

impl Shown {
    /// Nothing is sent at the end of their wait.
    pub(super) const fn ends(&self) -> bool {
        matches!(self.fate, Fate::Wait { settles: true, .. })
    }

    /// Whether the same would be done to them as was shown; among how many they are spread is as it was shown.
    pub(super) fn stands_as(&self, now: &Self) -> bool {
        let mut now = now.clone();
        if let (Fate::Wait { spread: shown, .. }, Fate::Wait { spread, .. }) = (self.fate, &mut now.fate) {
            *spread = shown;
        }
        *self == now
    }

    /// Of one who is late by the new rules: when they are due if those are spread, who, and the place of that.
    pub(super) fn late(&mut self) -> Option<(At, CascadeId, &mut At)> {
        let id = self.cascade;
        match &mut self.fate {
            Fate::Wait { to, spread, .. } if to != spread => Some((*spread, id, spread)),
            Fate::Wait { .. } | Fate::Later | Fate::Leaves => None,
        }
    }

    /// When their wait ends, if that changes.
    pub const fn due(&self, choice: Choice) -> Option<At> {
        match (self.fate, choice) {
            (Fate::Wait { from, .. }, Choice::Keep) => Some(from),
            (Fate::Wait { to, .. }, Choice::Retime) => Some(to),
            (Fate::Wait { spread, .. }, Choice::RetimeAndSpread) => Some(spread),
            (Fate::Later | Fate::Leaves, _) => None,
        }
    }

    /// Whether a step of theirs falls due at once, shown at `at`.
    pub fn at_once(&self, choice: Choice, at: At) -> bool {
        match (self.fate, choice) {
            (_, Choice::Keep) | (Fate::Later, _) => false,
            (Fate::Leaves, _) => self.next.is_some(),
            (Fate::Wait { settles, .. }, _) => !settles && self.due(choice).is_some_and(|due| due <= at),
        }
    }
}

/// A walk under new rules.
#[derive(Debug)]
pub(super) struct Walk {
    pub legs: Vec<Leg>,
    /// The channel they stand at is not in the new rules.
    pub gone: bool,
}

/// What they have walked, and then the new chain without it.
pub(super) fn walk(journey: &Journey, course: &Course, terms: &Terms) -> Option<Walk> {
    let at = journey.step as usize;
    let old = &journey.start.walk;
    let here = old.get(at)?;
    let fresh = course.legs.iter().find(|leg| leg.channel == here.channel);
    let now = match fresh {
        Some(fresh) if has_begun(journey) => Leg { wait_s: fresh.wait_s, ..here.clone() },
        Some(fresh) => fresh.clone(),
        // What was last had no wait of its own.
        None => Leg { wait_s: here.wait_s.or(Some(terms.conversion_window_s)), ..here.clone() },
    };
    let walked = &old[..=at];
    let rest = course.legs.iter().filter(|leg| walked.iter().all(|before| before.channel != leg.channel));
    let mut legs: Vec<Leg> = old[..at].iter().cloned().chain([now]).chain(rest.cloned()).collect();
    if let Some(last) = legs.last_mut() {
        last.wait_s = None;
    }
    Some(Walk { legs, gone: fresh.is_none() })
}

/// They walked to the end of their walk by themselves. Whose walk an edit has cut short goes on if another edit, as the
/// undoing of that one, has steps for them again.
fn at_its_end(journey: &Journey) -> bool {
    journey.timer.is_none_or(|timer| timer.what == Alarm::Settle && timer.from.is_none())
}

/// A send of this step left, or may have: it is not changed any more.
fn has_begun(journey: &Journey) -> bool {
    let here = journey.attempts.iter().filter(|a| a.step == journey.step);
    here.into_iter().any(|a| a.contacted() || a.stage == Stage::Claimed)
}

/// When the wait that runs began, pauses by which it was lengthened left out.
pub(super) fn began(journey: &Journey, window_s: u64) -> Option<At> {
    let timer = journey.timer?;
    let wait = journey.leg().and_then(|leg| leg.wait_s).unwrap_or(window_s);
    Some(timer.from.unwrap_or(timer.due - TimeDelta::seconds(wait as i64)))
}

/// What the new rules do to them at `at`; an error says why nothing.
pub(super) fn of(journey: &Journey, course: &Course, courses: &Courses, at: At) -> Result<Shown, Stay> {
    let terms = &courses.terms;
    match &journey.state {
        State::Ended(_) => return Err(Stay::Ended),
        State::Settling | State::InDoubt if at_its_end(journey) => return Err(Stay::Settling),
        State::Held(Hold::SharedNumber) => return Err(Stay::Shared),
        State::Held(Hold::Breaker { .. } | Hold::Budget)
        | State::InDoubt
        | State::Queued
        | State::Deferred(_)
        | State::Sending
        | State::Retrying
        | State::Waiting
        | State::Settling => {}
    }
    let walk = walk(journey, course, terms).ok_or(Stay::Same)?;
    let changed = walk.legs != journey.start.walk
        || course.skips != journey.start.skips
        || courses.texts.iter().any(|channel| is_ahead(journey, &walk, course, *channel));
    let wait = match &journey.state {
        State::Waiting | State::InDoubt | State::Settling => new_wait(journey, &walk, terms, at),
        State::Queued | State::Deferred(_) | State::Retrying | State::Held(_) if walk.gone => {
            Some(Fate::Leaves)
        }
        State::Queued
        | State::Deferred(_)
        | State::Retrying
        | State::Held(_)
        | State::Sending
        | State::Ended(_) => None,
    };
    let fate = wait.or(changed.then_some(Fate::Later)).ok_or(Stay::Same)?;
    let after = walk.legs.iter().skip(journey.step as usize + 1).map(|leg| leg.channel);
    let skipped = |channel: &Channel| course.skips.iter().any(|(skipped, _): &(_, Skip)| skipped == channel);
    Ok(Shown {
        cascade: journey.id,
        person: journey.person,
        step: journey.step,
        attempt: journey.newest_id(),
        timer: journey.timer.map(|timer| timer.id),
        channel: journey.channel(),
        next: after.into_iter().find(|channel| !skipped(channel)),
        fate,
    })
}

/// Something is still to be said to them on this channel.
fn is_ahead(journey: &Journey, walk: &Walk, course: &Course, channel: Channel) -> bool {
    let here = journey.step as usize + usize::from(has_begun(journey));
    let ahead = walk.legs.iter().skip(here).any(|leg| leg.channel == channel);
    ahead && !course.skips.iter().any(|(skipped, _)| *skipped == channel)
}

/// When the wait that they are in ends, if at another time.
fn new_wait(journey: &Journey, walk: &Walk, terms: &Terms, at: At) -> Option<Fate> {
    let from = journey.timer?.due;
    let began = began(journey, terms.conversion_window_s)?;
    let here = journey.leg()?;
    let settles = walk.legs.len() <= journey.step as usize + 1;
    let (doubt, settled) = (journey.state == State::InDoubt, journey.timer?.what == Alarm::Settle);
    let new = walk.legs.get(journey.step as usize)?.wait_s;
    // A wait that stays as long as it was ends when it ends, also where an earlier edit has put that off.
    if settles == settled && !settles && !walk.gone && new == here.wait_s {
        return None;
    }
    let wait = match new {
        _ if settles => TimeDelta::seconds(terms.conversion_window_s as i64),
        // A call in doubt may be ringing: its wait is sat out.
        _ if walk.gone && doubt => from - began,
        _ if walk.gone => TimeDelta::zero(),
        new => TimeDelta::seconds(new.unwrap_or_default() as i64),
    };
    let to = (began + wait).max(at);
    let late = began + wait <= at && from > at && !settles;
    let spread = if late { at + left_of(from - at, wait, from - began) } else { to };
    let moved = to != from || settles != settled;
    moved.then_some(Fate::Wait { from, to, spread, settles })
}

/// As much of the new wait as was left of the old; of none, what was left.
fn left_of(left: TimeDelta, new: TimeDelta, old: TimeDelta) -> TimeDelta {
    let (new, old) = (new.num_milliseconds(), old.num_milliseconds());
    if new <= 0 || old <= 0 {
        return left;
    }
    let share = i128::from(left.num_milliseconds()) * i128::from(new) / i128::from(old);
    TimeDelta::milliseconds(i64::try_from(share).unwrap_or(0)).min(left)
}
