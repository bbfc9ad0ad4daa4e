//! First hear, then speak: deafness, sleep and restarts are gaps, and after each what was said meanwhile is asked for
//! before anything falls due or goes out.

use super::driver::Driver;
use super::handle::{Level, Settling, Trouble};
use super::recovery;
use super::tasks::Part;
use crate::engine::Campaign;
use crate::model::At;

/// Until everybody was asked.
const NEVER: At = At::from_millis(i64::MAX);

impl Driver {
    /// Deaf is mute: in live, nothing is sent without a proof of hearing.
    pub(super) fn is_deaf(&self) -> bool {
        self.parts.hearing.as_ref().is_some_and(|hearing| !hearing.is_proven())
    }

    /// Says when we go deaf and when we hear again. However short it was: first comes what was said meanwhile.
    pub(super) fn mind_hearing(&mut self) {
        let Some(hearing) = self.parts.hearing.clone() else { return };
        // Before the first answer nobody can say that we are deaf; nothing is sent before it either.
        let deaf = self.is_deaf() && hearing.is_failing();
        let was_deaf = std::mem::replace(&mut self.deaf, deaf);
        if deaf != was_deaf {
            let trouble = deaf.then(|| deaf_trouble(self.now()));
            self.parts.gallery.set_trouble("deaf", trouble);
        }
        if deaf && !was_deaf {
            self.tell(
                Level::Error,
                "our public address does not answer: nothing is sent until webhooks can reach us. Check the \
                 tunnel and [webhooks] public_url; it is tried every minute"
                    .into(),
            );
        }
        let regained = hearing.regained();
        if !deaf && (regained || was_deaf) {
            self.tell(
                Level::Info,
                "webhooks can reach us again; what was said meanwhile is asked for first".into(),
            );
            self.catch_up(self.heard_until);
        }
        if !deaf && !hearing.is_failing() {
            self.heard_until = self.now();
        }
    }

    /// The machine slept, or its clock was set: what was said meanwhile is heard before anything falls due.
    pub(super) fn mind_the_gap(&mut self) {
        let running = self.kept.campaign.as_ref().is_some_and(|c| c.header.ended_at.is_none());
        // Between two campaigns of a rehearsal its world stands still; ours goes on.
        let matters = running || (self.kept.seq > 0 && !self.parts.owns_clock);
        if self.gap.look(&self.parts.clock) && matters {
            tracing::warn!("the machine slept or its clock was set; catching up before anything is sent");
            if let Some(hearing) = &self.parts.hearing {
                hearing.forget();
            }
            self.catch_up(self.kept.last_at);
        }
    }

    /// Asks everybody who can be asked what was said since then; nothing falls due or goes out before.
    pub(super) fn catch_up(&mut self, since: At) {
        (self.settling_until, self.catching_up, self.asked_since) = (Some(NEVER), true, since);
        let open = self.kept.campaign.as_ref().map(Campaign::without_end).unwrap_or_default();
        let asking = recovery::catch_up(self.parts.dispatch.clone(), open, since);
        self.parts.tasks.spawn(Part::CatchUp, asking);
    }

    /// The last catch-up ended badly, and the operator goes on: everybody is asked again.
    pub(super) fn catch_up_again(&mut self) {
        if self.settling_until == Some(NEVER) && !self.catching_up {
            self.catch_up(self.asked_since);
        }
    }

    /// The same for the screen.
    pub(super) fn settling(&self) -> Option<Settling> {
        let until = self.settling_until.filter(|until| self.now() < *until)?;
        if until == NEVER {
            self.catching_up.then_some(Settling::Asking)
        } else {
            Some(Settling::Until(until))
        }
    }

    /// After a gap, what was said meanwhile is heard before anything falls due or goes out.
    pub(super) fn still_listening(&self) -> bool {
        self.settling_until.is_some_and(|until| self.now() < until)
    }
}

fn deaf_trouble(since: At) -> Trouble {
    let words = "DEAF  nothing is sent: webhooks cannot reach us. Check the tunnel and [webhooks] public_url; it is \
                 tried every minute";
    Trouble { level: Level::Error, words: words.into(), since }
}
