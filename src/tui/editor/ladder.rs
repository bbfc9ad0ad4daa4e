//! The ladders beside the text: a cursor over steps and starts, and the changes that need no JSON. Both edit one draft.

use super::Desk;
use super::complete::WAITS;
use super::draft::{File, rules_of};
use crate::model::{Channel, Segment};
use crate::rules::edit;
use crate::rules::{Ladder, Rules, format_duration_s, parse_duration_s};
use std::sync::Arc;

/// The cursor: which ladder (0 is everybody's), and which of its steps, as they are walked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// From 0: everybody's; then the segments in order of their names.
    pub ladder: usize,
    /// From 0.
    pub step: usize,
}

/// A change that an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The wait one notch longer, or shorter.
    Wait(bool),
    /// The ladder starts with this step's channel.
    Start,
    /// The step one place later, or earlier.
    Move(bool),
    /// This segment gets a ladder of its own.
    Split(String),
    /// This segment does again what everybody does.
    Join,
}

/// A ladder as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// `None`: everybody who is in no segment of its own.
    pub segment: Option<&'a Segment>,
    /// Its steps.
    pub ladder: &'a Ladder,
}

/// The ladders of rules, everybody's first.
pub fn ladders(rules: &Rules) -> Vec<Shown<'_>> {
    let own = rules.segments.iter().map(|(name, ladder)| Shown { segment: Some(name), ladder });
    std::iter::once(Shown { segment: None, ladder: &rules.main }).chain(own).collect()
}

/// The wait one notch away on the scale of waits that people choose; out at its ends by halves and doubles.
pub fn notch(wait_s: u64, longer: bool) -> u64 {
    const LEAST_S: u64 = 60;
    const MOST_S: u64 = 30 * 86_400;
    let scale: Vec<u64> = WAITS.iter().filter_map(|wait| parse_duration_s(wait)).collect();
    if longer {
        scale.iter().copied().find(|s| *s > wait_s).unwrap_or((wait_s * 2).min(MOST_S))
    } else {
        scale.iter().rev().copied().find(|s| *s < wait_s).unwrap_or((wait_s / 2).max(LEAST_S.min(wait_s)))
    }
}

impl Desk {
    /// The rules that the draft means, as the newest check read them: a moment old while somebody types.
    pub fn rules(&self) -> Option<Arc<Rules>> {
        let draft = self.drafts.get(&File::Rules)?;
        if draft.check.revision == 0 && !draft.is_changed() {
            return draft.base_rules.clone();
        }
        draft.check.rules.clone()
    }

    /// Keeps the cursor on the ladders.
    pub fn keep_on_ladders(&mut self) {
        let Some(rules) = self.rules() else { return };
        let ladders = ladders(&rules);
        self.at.ladder = self.at.ladder.min(ladders.len().saturating_sub(1));
        let steps = ladders.get(self.at.ladder).map_or(1, |shown| shown.ladder.steps.len());
        self.at.step = self.at.step.min(steps.saturating_sub(1));
    }

    /// The channel under the cursor of the ladders.
    pub fn channel_here(&self) -> Option<Channel> {
        let rules = self.rules()?;
        let ladders = ladders(&rules);
        let ladder = ladders.get(self.at.ladder)?.ladder;
        ladder.walk(ladder.start).get(self.at.step).map(|step| step.channel)
    }

    /// Makes a change in the draft of the rules; why it cannot be made, if it cannot.
    pub fn change(&mut self, change: &Change) -> Result<(), String> {
        let at = self.at;
        let draft = self.drafts.get_mut(&File::Rules).ok_or("nothing is being edited")?;
        let error = "the text has an error: mend it first, or take it back";
        let rules = rules_of(File::Rules, &draft.text()).ok_or(error)?;
        let ladders = ladders(&rules);
        let shown = ladders.get(at.ladder).ok_or("there is no such ladder any more")?;
        let text = changed(&draft.text(), *shown, at.step, change)?;
        draft.replace(&text);
        draft.check.rules = rules_of(File::Rules, &text);
        match change {
            Change::Move(later) => {
                self.at.step = if *later { at.step + 1 } else { at.step.saturating_sub(1) };
            }
            Change::Start => self.at.step = 0,
            Change::Join => self.at.ladder = 0,
            Change::Split(name) => {
                let rules = self.rules();
                let place = rules.and_then(|r| r.segments.keys().position(|segment| segment.0 == *name));
                self.at = At { ladder: place.map_or(at.ladder, |place| place + 1), step: 0 };
            }
            Change::Wait(_) => {}
        }
        self.keep_on_ladders();
        Ok(())
    }
}

/// The text with the change made; whatever it is not about stays as it was written.
fn changed(text: &str, shown: Shown<'_>, at: usize, change: &Change) -> Result<String, String> {
    let Shown { segment, ladder } = shown;
    let segment = segment.map(|segment| segment.0.as_str());
    let walk = ladder.walk(ladder.start);
    let step = walk.get(at).ok_or("choose a step first: up and down")?;
    let edited = match change {
        Change::Wait(longer) => {
            let end =
                "the last step waits for nothing; `conversion_window` says how long an answer still counts";
            let now_s = step.wait_s.ok_or(end)?;
            let wait_s = notch(now_s, *longer);
            if wait_s == now_s {
                return Err(format!("{} is as far as it goes", format_duration_s(now_s)));
            }
            let wait = format_duration_s(wait_s);
            // The end of the chain waits only where a customer starts with it.
            let ends = ladder.steps.last().is_some_and(|last| last.channel == step.channel);
            let set = if ends { edit::set_wait_if_first } else { edit::set_wait };
            set(text, segment, step.channel, &wait)
        }
        Change::Start if step.channel == ladder.start => {
            return Err(format!("it starts with {} already", step.channel.label()));
        }
        Change::Start => edit::set_start(text, segment, step.channel),
        Change::Move(later) => {
            let mut order: Vec<Channel> = walk.iter().map(|step| step.channel).collect();
            let to = if *later { at + 1 } else { at.wrapping_sub(1) };
            if to >= order.len() {
                return Err("it cannot go further".into());
            }
            order.swap(at, to);
            edit::set_order(text, segment, &order)
        }
        Change::Split(name) => edit::split_segment(text, name, ladder.start),
        Change::Join => {
            edit::remove_segment(text, segment.ok_or("that is everybody's ladder: choose a segment's")?)
        }
    };
    edited.map_err(|problem| format!("{}; {}", problem.message, problem.hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_move_along_the_scale_that_people_choose() {
        let hours = |h: u64| h * 3_600;
        assert_eq!(notch(hours(6), false), hours(4));
        assert_eq!(notch(hours(6), true), hours(8));
        assert_eq!(notch(hours(5), true), hours(6));
        assert_eq!(notch(900, false), 450);
        assert_eq!(notch(60, false), 60);
        assert_eq!(notch(hours(72), true), hours(144));
        assert_eq!(notch(hours(720), true), hours(720));
    }
}
