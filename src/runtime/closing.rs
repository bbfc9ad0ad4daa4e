//! Leaving: requests that are out are answered first, and everything is saved.

use super::driver::{Driver, TURN};
use super::turn::Turn;
use crate::clock;
use crate::engine::Campaign;
use crate::model::{At, Customer, PersonId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Wall time that answers under way get when we leave; a provider has no longer for one request.
const LAST_ANSWERS: Duration = Duration::from_secs(21);

impl Driver {
    /// Requests that are out are answered first: leaving puts nobody in doubt.
    async fn wait_for_answers(&mut self) {
        let unanswered = |campaign: &Campaign| !campaign.unanswered_claims().is_empty();
        let mut news = Vec::new();
        let waited = clock::wall();
        while !self.has_failed() && self.kept.campaign.as_ref().is_some_and(unanswered) {
            let left = LAST_ANSWERS.saturating_sub(clock::wall().saturating_duration_since(waited));
            match tokio::time::timeout(left, self.parts.news.recv_many(&mut news, TURN)).await {
                Ok(received) if received > 0 => {}
                Ok(_) | Err(_) => return,
            }
            let mut turn = Turn::default();
            for item in news.drain(..) {
                self.hear(item, &mut turn);
            }
            self.finish(turn).await;
        }
    }

    /// Everything is saved already; the clock's position is noted.
    pub(super) async fn close(mut self) -> Ended {
        self.parts.brakes.leave();
        self.wait_for_answers().await;
        if !self.has_failed() {
            let mut turn = Turn::default();
            turn.batch.meta.push(("clock", self.now().to_string()));
            if let Err(error) = self.commit(Arc::new(turn.batch)).await {
                self.fail_stop(&error);
            }
        }
        let now = self.now();
        Ended {
            failed: !self.is_well(),
            broken: self.broken,
            now,
            seq: self.kept.seq,
            campaign: self.kept.campaign.take(),
            people: std::mem::take(&mut self.kept.people),
        }
    }
}

/// How the loop ended.
#[derive(Debug)]
pub struct Ended {
    /// The store failed.
    pub failed: bool,
    /// The operator could not be heard any more, for a fault of this program.
    pub broken: bool,
    /// Campaign time.
    pub now: At,
    /// The log's last place.
    pub seq: u64,
    /// As it stands.
    pub campaign: Option<Campaign>,
    /// Who is in it.
    pub people: HashMap<PersonId, Customer>,
}
