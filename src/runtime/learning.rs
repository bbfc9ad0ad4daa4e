//! Learning between two campaigns: what the ended ones say decides from what the next one's starts are drawn.

use super::driver::Driver;
use super::handle::Level;
use super::launch::next_monday;
use super::news::News;
use super::tasks::Part;
use crate::learning::answer::Answer;
use std::sync::Arc;

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

    /// From here on starts are drawn by it, and the next launch says so.
    pub(super) fn learnt(&mut self, answer: &Answer) {
        if let Some(plan) = &mut self.parts.plan {
            let allocations = plan.learnt(answer);
            Arc::make_mut(plan).allocations = allocations;
            self.show_next_launch();
        }
    }

    /// When it would begin: a rehearsal's later campaigns have a morning of their own.
    pub(super) fn next_launch(&self) -> crate::model::At {
        let (now, plan) = (self.now(), self.parts.plan.as_ref());
        let own = plan.filter(|_| self.parts.owns_clock && self.kept.campaign.is_some());
        own.map_or(now, |plan| next_monday(now, plan.ready.config.timezone))
    }
}
