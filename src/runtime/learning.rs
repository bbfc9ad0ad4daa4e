//! Learning between two campaigns: what the ended ones say decides from what the next one's starts are drawn.

use super::driver::Driver;
use super::handle::{Learnt, Level, PlaceFacts};
use super::launch::next_monday;
use super::news::News;
use super::tasks::Part;
use crate::learning::answer::{Answer, Settings};
use crate::model::At;
use crate::rules::{self, Rules};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What the record is asked with, in a place whose rules may not be readable: then what starts there are is seen from
/// the record itself.
pub(super) fn question(place: &PlaceFacts, now: At) -> Settings {
    let settings = Settings {
        now,
        value: place.value,
        optout_penalty: place.optout_penalty,
        currency: place.currency.clone(),
        ..Settings::default()
    };
    match rules::parse(Path::new(&place.rules_source), place.rules_text.as_bytes()).0 {
        Some(rules) => asked_by(&rules, settings),
        None => settings,
    }
}

/// The same for rules that are known.
pub(super) fn asked_by(rules: &Rules, settings: Settings) -> Settings {
    let own = rules.segments.iter().map(|(name, ladder)| (name.clone(), ladder.start));
    Settings {
        rules: Some(rules.hash.clone()),
        incumbents: own.collect(),
        incumbent: Some(rules.main.start),
        starts: rules.main.channels().collect(),
        explore: Some(rules.explore),
        ..settings
    }
}

impl Driver {
    /// Asks the record, beside the loop: a million cascades take a second.
    pub(super) fn learn(&self) {
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

    /// What the record says now, for a screen; read and summed up beside the loop.
    pub(super) fn tell_learnt(&self, reply: oneshot::Sender<Learnt>) {
        let now = self.asked_at();
        let place = self.parts.gallery.place();
        let asked = self.parts.plan.as_ref().map_or_else(|| question(&place, now), |plan| plan.question(now));
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
    pub(super) fn learnt(&mut self, answer: &Answer) {
        if let Some(plan) = &mut self.parts.plan {
            let allocations = plan.learnt(answer);
            Arc::make_mut(plan).allocations = allocations;
            self.show_next_launch();
        }
    }

    /// When it would begin: a rehearsal's later campaigns have a morning of their own.
    pub(super) fn next_launch(&self) -> At {
        let (now, plan) = (self.now(), self.parts.plan.as_ref());
        let own = plan.filter(|_| self.parts.owns_clock && self.kept.campaign.is_some());
        own.map_or(now, |plan| next_monday(now, plan.ready.config.timezone))
    }
}
