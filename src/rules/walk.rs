//! The walk: which steps a customer takes, in which order, and how long each waits.

use super::{Ladder, Rules, Step};
use crate::model::{Channel, Segment};

impl Rules {
    /// What customers of `segment` do.
    pub fn ladder_for(&self, segment: &Segment) -> &Ladder {
        self.segments.get(segment).unwrap_or(&self.main)
    }

    /// Whether customers of `segment` walk by these rules as by those, from whichever channel they start. What they start
    /// with, how many starts are drawn, other segments and comments change no walk.
    pub fn walks_as(&self, other: &Self, segment: &Segment) -> bool {
        let (own, theirs) = (self.ladder_for(segment), other.ladder_for(segment));
        let mut channels = own.channels().chain(theirs.channels());
        let same_terms = self.same_hours(other) && self.conversion_window_s == other.conversion_window_s;
        same_terms && channels.all(|start| own.walk_terms(start) == theirs.walk_terms(start))
    }
}

impl Rules {
    /// Whether steps fall due, are tried again and expire by the same terms.
    pub fn same_hours(&self, other: &Self) -> bool {
        let terms = |rules: &Self| (rules.quiet_hours, rules.expires_s, rules.retry_max);
        terms(self) == terms(other)
    }
}

impl Ladder {
    /// The channels in the order of the chain: what a start can be drawn from.
    pub fn channels(&self) -> impl Iterator<Item = Channel> {
        self.steps.iter().map(|step| step.channel)
    }

    /// The walk from the ladder's own start, every step with the wait that it has where it is not last.
    pub fn chain(&self) -> Vec<Step> {
        let mut chain = self.walk(self.start);
        for step in &mut chain {
            let own = self.steps.iter().find(|own| own.channel == step.channel);
            step.wait_s = own.map(|own| own.wait_s.unwrap_or(own.wait_if_first_s));
        }
        chain
    }

    /// How long this channel's step waits, or does where a customer starts with it; `None`: nobody ever waits after it.
    pub fn wait_of(&self, channel: Channel) -> Option<u64> {
        self.walk(channel).first().filter(|step| step.channel == channel).and_then(|step| step.wait_s)
    }

    /// The walk, less what no customer notices who starts there.
    fn walk_terms(&self, start: Channel) -> Vec<Step> {
        self.walk(start).into_iter().map(|step| Step { wait_if_first_s: 0, ..step }).collect()
    }

    /// The steps of a customer who starts with `start`: that channel, then the chain without it.
    ///
    /// The last one is terminal and waits for nothing (`wait_s` is `None`, exactly there); a step without
    /// a wait that is not last waits `wait_if_first_s`. A channel without a step changes nothing.
    pub fn walk(&self, start: Channel) -> Vec<Step> {
        let (first, rest): (Vec<&Step>, Vec<&Step>) = self.steps.iter().partition(|s| s.channel == start);
        let mut walk: Vec<Step> = first.into_iter().chain(rest).cloned().collect();
        let last = walk.len().saturating_sub(1);
        for (i, step) in walk.iter_mut().enumerate() {
            step.wait_s = (i < last).then_some(step.wait_s.unwrap_or(step.wait_if_first_s));
        }
        walk
    }
}
