//! Learning between two campaigns: what the ended ones say decides from what the next one's starts are drawn.

use super::driver::Driver;
use super::handle::{Learnt, Level};
use super::launch::next_monday;
use super::news::News;
use super::question::Question;
use super::tasks::Part;
use super::turn::Turn;
use crate::engine::input::Input;
use crate::learning::DAY_MS;
use crate::learning::answer::Answer;
use crate::model::{At, Segment};
use std::sync::Arc;
use tokio::sync::oneshot;

/// The key of the store's settings under which the newest day stands of which the log tells that outcomes changed. No
/// segment stands there: one may name somebody who is forgotten later.
pub(super) const META: &str = "outcomes_changed";

/// Changes that are newer than what was told; from here on they are.
fn untold(told: &mut At, answer: &Answer) -> Vec<(Segment, At)> {
    let newest = answer.segments.iter().filter_map(|of| Some((of.segment.clone(), *of.resets.last()?)));
    let news: Vec<_> = newest.filter(|(_, on)| on > told).collect();
    *told = news.iter().map(|(_, on)| *on).fold(*told, At::max);
    news
}

impl Driver {
    /// Asks the record, beside the loop: a million cascades take a second.
    pub(super) fn learn(&mut self) {
        self.learnt_at = Some(self.now());
        let Some(plan) = self.parts.plan.as_ref().filter(|plan| plan.ready.rules.explore > 0.0) else {
            return;
        };
        let asked = self.parts.store.learn(plan.question(self.next_launch()));
        let news = self.parts.tasks.news();
        self.parts.tasks.spawn(Part::Learn, async move {
            let heard = match asked.await {
                Ok(answer) => News::Learnt(Box::new(answer)),
                Err(error) => News::Tell(super::handle::Notice {
                    level: Level::Warning,
                    text: format!("nothing was learnt from the record: {error}; starts are drawn as before"),
                }),
            };
            // Without a loop nothing is launched.
            let _ = news.send(heard).await;
        });
    }

    /// When the record is asked again though nothing happens: with the day, since windows end by themselves. While a
    /// campaign is in flight nothing can be launched, and its end asks.
    pub(super) fn next_lesson(&self) -> Option<At> {
        let in_flight =
            self.kept.campaign.as_ref().is_some_and(|campaign| campaign.header.ended_at.is_none());
        let day = self.learnt_at?.0.div_euclid(DAY_MS) + 1;
        let waits = !self.parts.until_done && !in_flight && self.is_well();
        waits.then_some(At(day.saturating_mul(DAY_MS)))
    }

    /// Asks it when that day has come.
    pub(super) fn mind_the_day(&mut self) {
        let now = self.now();
        // A start has asked already.
        self.learnt_at = self.learnt_at.or(Some(now));
        if self.next_lesson().is_some_and(|due| due <= now) {
            self.learn();
        }
    }

    /// What the record says now, for a screen; read and summed up beside the loop.
    pub(super) fn tell_learnt(&self, reply: oneshot::Sender<Learnt>) {
        let now = self.asked_at();
        let place = self.parts.gallery.place();
        let asked = self
            .parts
            .plan
            .as_ref()
            .map_or_else(|| Question::in_place(&place, now), |plan| plan.question(now));
        let read = self.parts.store.learn(asked);
        self.parts.tasks.spawn(Part::Learn, async move {
            // The screen may have gone elsewhere meanwhile.
            drop(reply.send(read.await.map(Box::new).map_err(|error| error.to_string())));
        });
    }

    /// The time of a question that is asked now.
    pub(super) fn asked_at(&self) -> At {
        let ended = self.kept.campaign.as_ref().is_none_or(|campaign| campaign.header.ended_at.is_some());
        if ended { self.next_launch() } else { self.now() }
    }

    /// From here on starts are drawn by it, and the next launch says so.
    pub(super) fn learnt(&mut self, answer: &Answer, turn: &mut Turn) {
        if let Some(plan) = &mut self.parts.plan {
            let allocations = plan.learnt(answer);
            Arc::make_mut(plan).allocations = allocations;
            self.show_next_launch();
        }
        // A record without a campaign has none of these.
        let news = untold(&mut self.told, answer);
        if !news.is_empty() {
            turn.batch.meta.push((META, self.told.to_string()));
        }
        for (segment, on) in news {
            self.apply(Input::OutcomesChanged { segment, on }, turn);
        }
    }

    /// When it would begin: a rehearsal's later campaigns have a morning of their own.
    pub(super) fn next_launch(&self) -> At {
        let (now, plan) = (self.now(), self.parts.plan.as_ref());
        let own = plan.filter(|_| self.parts.owns_clock && self.kept.campaign.is_some());
        own.map_or(now, |plan| next_monday(now, plan.ready.config.timezone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::answer::{Settings, answer};
    use crate::learning::history::{Cascade, Step};
    use crate::model::{Channel, Money};

    /// So many days of thirty a day, of whom so many convert; a second start beside it, that nobody answers.
    fn days(all: &mut Vec<Cascade>, count: i64, converted: i64) {
        let first = all.len() as i64 / 60;
        for day in first..first + count {
            for i in 0..60 {
                let launched_at = At(day * DAY_MS);
                let start = if i % 2 == 0 { Channel::Whatsapp } else { Channel::Sms };
                let lucky = i % 2 == 0 && i / 2 < converted;
                let step = Step {
                    step: 1,
                    channel: start,
                    sent_at: Some(launched_at),
                    window_s: Some(3_600),
                    delivered_at: Some(launched_at),
                    bounced_at: None,
                    converted_at: lucky.then_some(launched_at),
                    opted_out_at: None,
                    cost: Money::ZERO,
                };
                let drawn = Cascade { start, propensity: Some(0.5), launched_at, ..Cascade::default() };
                all.push(Cascade { segment: Segment("retail".into()), steps: vec![step], ..drawn });
            }
        }
    }

    #[test]
    fn a_change_of_the_outcomes_is_told_once_and_a_further_one_again() {
        let (mut told, mut all) = (At::default(), Vec::new());
        let ask = |told: &mut At, all: &[Cascade]| {
            let now = At(1_000 * DAY_MS);
            untold(
                told,
                &answer(all.to_vec(), &Settings { now, value: Money::parse("5"), ..Settings::default() }),
            )
        };
        days(&mut all, 60, 20);
        assert_eq!(ask(&mut told, &all), []);
        days(&mut all, 30, 5);
        let first = ask(&mut told, &all);
        let [(segment, on)] = &first[..] else { panic!("{first:?}") };
        assert!(segment.0 == "retail" && (60 * DAY_MS..80 * DAY_MS).contains(&on.0), "{first:?}");
        assert_eq!(ask(&mut told, &all), []);
        assert_eq!(At::parse(&told.to_string()).ok(), Some(told), "nor after a restart");
        days(&mut all, 60, 25);
        assert_eq!(ask(&mut told, &all).len(), 1);
    }
}
