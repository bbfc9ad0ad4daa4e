//! Changing rules while people are in flight: what an edit does to each of them, told before it is done, and done as
//! it was told.
//!
//! The walk of a person is stored with them, so that no file changes what was decided. An edit writes a new one:
//!
//! | they are | their step | their wait | what follows |
//! |---|---|---|---|
//! | waiting | stays | from when it began: the new one, never before now; none if its channel is gone | the new chain, less what was walked |
//! | in doubt | stays | the same, from the claim; its own if its channel is gone: a call in doubt may be ringing | the same |
//! | being sent to, on the phone | stays | the new one, once it begins; its own if its channel is gone | the same |
//! | queued, put off, tried again, held by a scope or the budget | stays due, as the new rules have it; gone: the next one at once | | the same |
//! | held at a shared number | stays: somebody has to say who answered | | as it was |
//! | at the end of their walk, settling | stays | as it was: nobody is brought back to be contacted again | nothing |
//! | ended | nothing | | |
//!
//! Whose wait would be over already is due at once, or with [`Choice::RetimeAndSpread`] after as much of the new wait as
//! was left of the old: with 6h made 4h, and one and a half hours left of the six, one hour is left of the four. If
//! their channel is gone, what was left is kept.
//!
//! A start that was drawn stays, and so does every step that fell due: a wait that is over is not begun again.

mod apply;
mod fate;
mod wave;

pub use fate::{Fate, Shown, Stays};
pub use wave::{Dues, Wave, waves};

use super::campaign::Campaign;
use super::event::{Edition, Skip};
use super::order::{Ask, Who};
use super::policy::Terms;
use crate::model::{At, CampaignId, CascadeId, Channel, Leg, TextId, words};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

/// What becomes of those in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Nothing: they go on as they were launched.
    #[default]
    Keep,
    /// Their waits and the steps that follow are those of the new rules.
    Retime,
    /// The same, and whoever would be due at once is due later.
    RetimeAndSpread,
}
words!(Choice { Keep => "keep", Retime => "retime", RetimeAndSpread => "retime_and_spread" });

/// What the new rules and texts have for one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// The whole chain, from its start. Every step has the wait that it has where it is not last.
    pub legs: Vec<Leg>,
    /// Steps that cannot be taken, and why.
    pub skips: Vec<(Channel, Skip)>,
}

/// What the new rules and texts have for everybody who is open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Courses {
    /// Whoever is missing is not moved.
    pub of: HashMap<CascadeId, Course>,
    /// Channels on which something else is said: whoever has such a step ahead of them is told it.
    pub texts: Vec<Channel>,
    /// What holds for the campaign as a whole.
    pub terms: Terms,
}

/// What an edit would do, before it is done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// When it was made, campaign time: what is due by then is due at once.
    pub at: At,
    /// Everybody for whom something changes, in order of their ids.
    pub people: Vec<Shown>,
    /// For whom nothing does.
    pub stays: Stays,
    /// What falls due on the channels, of everybody.
    pub dues: Dues,
}

/// What `courses` would do at `at`.
pub fn preview(campaign: &Campaign, at: At, courses: &Courses) -> Preview {
    let mut preview = Preview { at, ..Preview::default() };
    for journey in campaign.journeys() {
        let course = courses.of.get(&journey.id).ok_or(fate::Stay::Same);
        let found = course.and_then(|course| fate::of(journey, course, courses, at));
        preview.dues.count(journey, found.as_ref().ok(), at);
        match found {
            Ok(shown) => preview.people.push(shown),
            Err(stay) => preview.stays.count(stay),
        }
    }
    preview.spread_out();
    preview
}

/// A saved edit, to be put in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Rules or texts.
    pub what: Ask,
    /// What is in force from now on.
    pub edition: Edition,
    /// What becomes of those in flight.
    pub choice: Choice,
    /// What they were shown, and when.
    pub preview: Preview,
    /// What it has for each of them.
    pub courses: Courses,
    /// What was in force when that was shown: another edit meanwhile, and it is shown anew.
    pub base: u32,
    /// Whose edit it is.
    pub by: Who,
    /// By the calendar.
    pub wall_at: At,
    /// The campaign they had before them.
    pub campaign: CampaignId,
    /// Why, in the store.
    pub text: Option<TextId>,
}

impl Preview {
    /// How many fall due at once, where the edit is put in force at `at`.
    pub fn at_once(&self, choice: Choice, at: At) -> u64 {
        self.people.iter().filter(|shown| shown.at_once(choice, at)).count() as u64
    }

    /// When the next of those falls due who do not at once: from then on, more do.
    pub fn next_due(&self, choice: Choice) -> Option<At> {
        let dues = self.waits().filter(|shown| !shown.ends()).filter_map(|shown| shown.due(choice));
        dues.filter(|due| *due > self.at).min()
    }

    /// Whoever was launched together has as much left, and would go on together: each of those who are late by the new
    /// rules gets a place of their own between now and what they had left.
    fn spread_out(&mut self) {
        let at = self.at;
        for next in Channel::ALL {
            let here = self.people.iter_mut().filter(|shown| shown.next == Some(*next));
            let mut late: Vec<(At, CascadeId, &mut At)> = here.filter_map(Shown::late).collect();
            late.sort_unstable_by_key(|(due, id, _)| (*due, *id));
            let all = late.len() as i64;
            for ((due, _, spread), place) in late.into_iter().zip(1..) {
                let left = (due - at).num_milliseconds();
                *spread = at + TimeDelta::milliseconds(left / all * place + left % all * place / all);
            }
        }
    }

    /// When somebody is due who now is due at another time.
    pub fn waits(&self) -> impl Iterator<Item = &Shown> {
        self.people.iter().filter(|shown| matches!(shown.fate, Fate::Wait { .. }))
    }
}
