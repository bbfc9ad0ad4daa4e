//! What recorded cascades say about other rules: for whom the record tells what would have come of it, and for everybody
//! else the bounds within which it must lie. Never a guess in between.
//!
//! A person reacts to what was sent to them, and when. So the record holds for other rules as long as these would have
//! sent the same at the same time. Whatever was settled by the first difference is settled under the other rules too;
//! from then on anything may happen: a conversion or none, and from no further cost to the most that the steps that
//! are left can cost.

use super::history::{Cascade, Ending, Step};
use crate::model::{At, Channel, Money, Segment};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// One step under the other rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where.
    pub channel: Channel,
    /// Seconds until the next step; `None` on the last one.
    pub wait_s: Option<u64>,
    /// Whether the step means the same under the recorded rules: what converts, how many calls, what a bounce does.
    pub same: bool,
    /// Whether a bounce sits out the wait.
    pub bounce_waits: bool,
    /// The most that it can cost.
    pub most: Money,
}

/// The other rules, as somebody of one segment would meet them who was recorded under certain rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The steps, in their order.
    pub ways: Vec<Way>,
    /// How long after the last step an answer still counts, in seconds.
    pub window_s: u64,
    /// Whether messages may leave at the same hours.
    pub same_hours: bool,
}

/// Why the record does not tell what would have come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Messages would leave at other hours.
    OtherHours,
    /// They would begin elsewhere.
    OtherStart,
    /// A step would be another one, or is none in the record.
    OtherStep,
    /// What converts, how many calls are made, or what a bounce does would be different.
    OtherTerms,
    /// The next message would leave before they reacted, or earlier than it did.
    ShorterWait,
    /// The next message would leave later than it did.
    LongerWait,
    /// Answers would count longer than the record goes.
    LongerWindow,
}

/// What would have come of one cascade, between the least and the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Whether it would have converted.
    pub converted: (bool, bool),
    /// Whether they would have opted out.
    pub opted_out: (bool, bool),
    /// What it would have cost.
    pub cost: (Money, Money),
    /// Why it is not certain; `None`: the record determines it.
    pub why: Option<Why>,
}

/// What ended a cascade by the person's own doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Converted(At),
    OptedOut(At),
}

impl Act {
    const fn at(self) -> At {
        match self {
            Self::Converted(at) | Self::OptedOut(at) => at,
        }
    }
}

/// What other rules would have made of a cascade that is mature by `now`.
pub fn fate(cascade: &Cascade, other: &Other, now: At) -> Fate {
    let taken: Vec<&Step> = cascade.steps.iter().filter(|step| !was_passed_over(cascade, step)).collect();
    let passed = |channel| cascade.steps.iter().any(|s| s.channel == channel && was_passed_over(cascade, s));
    let ways: Vec<&Way> = other.ways.iter().filter(|way| !passed(way.channel)).collect();
    let window = TimeDelta::seconds(other.window_s as i64);
    let (act, counted) = (first_act(cascade), recorded_act(cascade));
    let mut walk = Walk { taken, ways, window, act, counted, spent: Money::ZERO };
    if !other.same_hours {
        return walk.open(0, Why::OtherHours);
    }
    let decided = (0..other.ways.len()).find_map(|at| walk.step(at, now));
    // Every step of the other rules can be passed over: nothing is sent.
    decided.unwrap_or_else(|| walk.settled(None))
}

/// They could not be reached there, for a reason of their own (consent, address): other rules change nothing in that.
fn was_passed_over(cascade: &Cascade, step: &Step) -> bool {
    let later = |other: &&Step| other.step > step.step && other.sent_at.is_some();
    step.sent_at.is_none() && step.bounced_at.is_none() && cascade.steps.iter().any(|other| later(&other))
}

fn first_act(cascade: &Cascade) -> Option<Act> {
    let converted = cascade.steps.iter().filter_map(|step| step.converted_at).min().map(Act::Converted);
    let opted_out = cascade.steps.iter().filter_map(|step| step.opted_out_at).min().map(Act::OptedOut);
    converted.into_iter().chain(opted_out).min_by_key(|act| act.at())
}

/// What the record did after a step.
#[derive(Clone, Copy)]
enum Next {
    /// It was the last one.
    None,
    /// The next one left then, or failed to.
    Sent(At),
    /// It ended before the next one: by an act of theirs, or because somebody said no.
    Ended,
}

struct Walk<'a> {
    taken: Vec<&'a Step>,
    ways: Vec<&'a Way>,
    window: TimeDelta,
    act: Option<Act>,
    /// What counts of it in the record.
    counted: Option<Act>,
    /// What the steps cost that both have taken.
    spent: Money,
}

impl Walk<'_> {
    /// What is decided at this step; `None`: both go on to the next one.
    fn step(&mut self, at: usize, now: At) -> Option<Fate> {
        let Some(way) = self.ways.get(at).copied() else { return Some(self.settled(None)) };
        let Some(step) = self.taken.get(at).copied().filter(|step| step.channel == way.channel) else {
            return Some(self.open(at, if at == 0 { Why::OtherStart } else { Why::OtherStep }));
        };
        let Some(left) = step.sent_at.or(step.bounced_at) else {
            // It ended before its first step.
            return Some(self.settled(self.act));
        };
        if !way.same {
            return Some(self.open(at, Why::OtherTerms));
        }
        self.spent += step.cost;
        let next = match self.taken.get(at + 1).map(|next| next.sent_at.or(next.bounced_at)) {
            None => Next::None,
            Some(Some(at)) => Next::Sent(at),
            Some(None) => Next::Ended,
        };
        if self.ways.len() == at + 1 {
            let together = step.window_s.is_some_and(|s| TimeDelta::seconds(s as i64) == self.window);
            return Some(self.ends(left, next, together, now));
        }
        let at_once = step.bounced_at.is_some() && !way.bounce_waits;
        self.goes_on(at + 1, left, next, (way.wait_s.unwrap_or(0), step.window_s.unwrap_or(0), at_once))
    }

    /// The other rules send the step at `to` next.
    fn goes_on(
        &self,
        to: usize,
        left: At,
        next: Next,
        (wait_s, recorded_s, at_once): (u64, u64, bool),
    ) -> Option<Fate> {
        let until = if at_once { left } else { left + TimeDelta::seconds(wait_s as i64) };
        let in_time = self.act.filter(|act| act.at() <= until);
        let together = at_once || wait_s == recorded_s;
        let why = if wait_s < recorded_s { Why::ShorterWait } else { Why::LongerWait };
        match next {
            Next::Sent(_) if together => None,
            Next::Ended if together => Some(self.settled(self.act)),
            Next::None | Next::Ended if in_time.is_some() => Some(self.settled(in_time)),
            Next::None => Some(self.open(to, Why::OtherStep)),
            // Somebody said no, at a time that the record does not tell.
            Next::Ended if self.act.is_none() && wait_s > recorded_s => Some(self.settled(None)),
            Next::Sent(_) | Next::Ended => Some(self.open(to, why)),
        }
    }

    /// The other rules send nothing more: an answer counts until their window is over.
    fn ends(&self, left: At, next: Next, together: bool, now: At) -> Fate {
        if let (Next::None, true) = (next, together) {
            // A pause makes the window of both longer.
            return self.settled(self.counted);
        }
        let ends = left + self.window;
        let in_time = self.act.filter(|act| act.at() <= ends);
        let seen = match next {
            // What comes after the end is heard as well.
            Next::None => now,
            // From then on it answers something that the other rules would not have sent.
            Next::Sent(next) => next,
            Next::Ended => return self.settled(in_time),
        };
        match in_time {
            Some(act) if act.at() <= seen => self.settled(in_time),
            Some(_) | None if ends <= seen => self.settled(None),
            Some(_) | None => self.open(self.ways.len(), Why::LongerWindow),
        }
    }

    fn settled(&self, act: Option<Act>) -> Fate {
        let converted = matches!(act, Some(Act::Converted(_)));
        let opted_out = matches!(act, Some(Act::OptedOut(_)));
        let cost = (self.spent, self.spent);
        Fate { converted: (converted, converted), opted_out: (opted_out, opted_out), cost, why: None }
    }

    /// Anything may happen, and the steps from `from` on may be sent.
    fn open(&self, from: usize, why: Why) -> Fate {
        let rest: Money = self.ways.iter().skip(from).map(|way| way.most).sum();
        let cost = (self.spent, self.spent + rest);
        Fate { converted: (false, true), opted_out: (false, true), cost, why: Some(why) }
    }
}

/// Counts and sums over many people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// People whose cascades are mature and say something.
    pub people: u64,
    /// Of them, those for whom the record determines the result.
    pub determined: u64,
    /// The others, by reason.
    pub open: BTreeMap<Why, u64>,
    /// Conversions in the record.
    pub recorded_conversions: u64,
    /// Opt-outs in the record.
    pub recorded_opted_out: u64,
    /// What the record cost.
    pub recorded_cost: Money,
    /// Conversions under the other rules, at least and at most.
    pub conversions: (u64, u64),
    /// Opt-outs, at least and at most.
    pub opted_out: (u64, u64),
    /// Cost, at least and at most.
    pub cost: (Money, Money),
}

impl Totals {
    /// One more.
    pub fn add(&mut self, cascade: &Cascade, fate: &Fate) {
        let act = recorded_act(cascade);
        self.people += 1;
        self.recorded_conversions += u64::from(matches!(act, Some(Act::Converted(_))));
        self.recorded_opted_out += u64::from(matches!(act, Some(Act::OptedOut(_))));
        self.recorded_cost += cascade.steps.iter().map(|step| step.cost).sum();
        match fate.why {
            None => self.determined += 1,
            Some(why) => *self.open.entry(why).or_default() += 1,
        }
        for (total, one) in [(&mut self.conversions, fate.converted), (&mut self.opted_out, fate.opted_out)] {
            total.0 += u64::from(one.0);
            total.1 += u64::from(one.1);
        }
        self.cost.0 += fate.cost.0;
        self.cost.1 += fate.cost.1;
    }
}

/// The person's act, if it came in time: before the cascade was mature, or before it ended, which quiet hours and pauses
/// may have put off.
fn recorded_act(cascade: &Cascade) -> Option<Act> {
    let matures = cascade.horizon_s.map(|s| cascade.launched_at + TimeDelta::seconds(s as i64));
    let ends = matures.map(|at| closes_at(cascade).map_or(at, |closes| closes.max(at)));
    first_act(cascade).filter(|act| ends.is_none_or(|ends| act.at() <= ends))
}

/// When it ended, or its windows do; `None`: it still runs, or was never sent to.
fn closes_at(cascade: &Cascade) -> Option<At> {
    let window = |step: &Step| Some(step.sent_at? + TimeDelta::seconds(step.window_s? as i64));
    match cascade.ending {
        Ending::Untold => cascade.steps.iter().filter_map(window).max(),
        Ending::Open => None,
        Ending::At(at) => Some(at),
    }
}

/// Whether it may go on: it is not due yet, or the steps that were put off are still to come.
fn runs(cascade: &Cascade, now: At) -> bool {
    let due = cascade.horizon_s.map(|s| cascade.launched_at + TimeDelta::seconds(s as i64));
    let goes_on = closes_at(cascade).is_some_and(|at| at > now) || cascade.ending == Ending::Open;
    goes_on || due.is_none_or(|at| at > now)
}

/// What a whole record says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// Everybody.
    pub all: Totals,
    /// By segment.
    pub segments: BTreeMap<Segment, Totals>,
    /// Not mature yet or not through, and not counted.
    pub running: u64,
    /// Forced or ended by somebody else, and not counted.
    pub left_out: u64,
}

impl Replay {
    /// Takes one more cascade in; `other` are the other rules for somebody of its segment and recorded rules.
    pub fn add(&mut self, cascade: &Cascade, other: &Other, now: At) {
        if cascade.forced {
            self.left_out += 1;
        } else if runs(cascade, now) {
            self.running += 1;
        } else {
            let fate = fate(cascade, other, now);
            self.all.add(cascade, &fate);
            if let Some(totals) = self.segments.get_mut(&cascade.segment) {
                totals.add(cascade, &fate);
            } else {
                self.segments.entry(cascade.segment.clone()).or_default().add(cascade, &fate);
            }
        }
    }
}

#[cfg(test)]
mod tests;
