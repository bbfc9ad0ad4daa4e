//! The end of a turn: what claimed sends say is filled in, everything is committed at once, and only then let out.

use super::dispatch::{Claimed, let_out};
use super::driver::Driver;
use super::gallery::TIMELINE;
use super::handle::Level;
use super::launch::next_monday;
use super::speaker;
use super::store::StoreError;
use super::turn::Turn;
use crate::engine::effect::Effect;
use crate::engine::event::{Event, Kind};
use crate::engine::input::Input;
use crate::model::{At, AttemptId};
use crate::providers::Outgoing;
use std::sync::Arc;

impl Driver {
    /// Commits the turn, then lets everything out.
    pub(super) async fn finish(&mut self, mut turn: Turn) {
        let claimed = self.fill_in(&mut turn);
        turn.rows(self.kept.campaign.as_ref());
        if turn.batch.is_empty() {
            turn.acknowledge();
            return;
        }
        turn.batch.meta.push(("clock", self.now().to_string()));
        let batch = std::mem::take(&mut turn.batch);
        let events = batch.events.clone();
        if let Err(error) = self.parts.store.commit(batch).await {
            turn.refuse();
            return self.fail_stop(&error);
        }
        turn.acknowledge();
        self.release_brakes(&events);
        self.parts.gallery.add(&events, &turn.texts, &turn.touched);
        for claim in claimed {
            self.parts.dispatch.send(claim);
        }
        for effect in std::mem::take(&mut turn.effects) {
            let sought = |attempt| self.sought(attempt);
            let_out(&self.parts.dispatch, effect, sought);
        }
        self.after_the_end();
    }

    /// Renders every attempt claimed in this turn; its link is committed with the claim.
    fn fill_in(&mut self, turn: &mut Turn) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        for effect in turn.effects.clone() {
            let Effect::Send { attempt, cascade, channel, good_until } = effect else { continue };
            let now = self.now();
            let said = self.kept.campaign.as_ref().and_then(|campaign| {
                let customer = self.kept.people.get(&campaign.journey(cascade)?.person)?;
                Some(self.parts.speaker.say(campaign, attempt, customer, now, None))
            });
            match said {
                Some(Ok((outgoing, link))) => {
                    self.kept.links.insert(link.code.clone(), (attempt, link.target.clone()));
                    turn.batch.links.push(link);
                    self.outgoing.insert(attempt, (outgoing.clone(), now));
                    claimed.push(Claimed { attempt, cascade, channel, outgoing, good_until });
                }
                Some(Err(failure)) => self.apply(Input::Failed { attempt, failure, reached: false }, turn),
                None => {
                    let failure = speaker::refusal(channel, "the customer's row is missing");
                    self.apply(Input::Failed { attempt, failure, reached: false }, turn);
                }
            }
        }
        claimed
    }

    /// What a lookup of this attempt needs: the provider's id, or what was said and when.
    fn sought(&self, attempt: AttemptId) -> (Option<String>, Option<(Outgoing, At)>) {
        let Some((journey, known)) = self.kept.campaign.as_ref().and_then(|c| c.attempt(attempt)) else {
            return (None, None);
        };
        if known.provider_id.is_some() {
            return (known.provider_id.clone(), None);
        }
        let said = self.outgoing.get(&attempt).cloned().or_else(|| {
            // After a restart the same words are made again, with the link they carried.
            let campaign = self.kept.campaign.as_ref()?;
            let code =
                self.kept.links.iter().find(|(_, (of, _))| *of == attempt).map(|(code, _)| code.clone());
            let customer = self.kept.people.get(&journey.person)?;
            let since = known.claimed_at?;
            let (outgoing, _) = self.parts.speaker.say(campaign, attempt, customer, since, code).ok()?;
            Some((outgoing, since))
        });
        (None, said)
    }

    /// A brake is released once its record is on disk, unless it was put on again in the same turn.
    fn release_brakes(&self, events: &[(u64, Event)]) {
        let Some(header) = self.kept.campaign.as_ref().map(|campaign| &campaign.header) else { return };
        for (_, event) in events {
            if let Kind::Resumed { only, .. } = &event.kind {
                let paused = match only {
                    None => &header.paused,
                    Some(channel) => &header.paused_on[channel.index()],
                };
                self.parts.brakes.hold(*only, paused.is_some());
            }
        }
    }

    /// A rehearsal's clock stands still while nothing runs; the next launch is shown with its own times.
    fn after_the_end(&mut self) {
        let ended = self.kept.campaign.as_ref().is_none_or(|c| c.header.ended_at.is_some());
        if !(ended && self.parts.owns_clock && self.parts.clock.is_running()) {
            return;
        }
        self.parts.clock.run(false);
        if let Some(plan) = &self.parts.plan {
            let begins = next_monday(self.now(), plan.ready.config.timezone);
            let preflight = plan.preflight(begins, |phone| self.parts.brakes.is_opted_out(phone));
            self.parts.gallery.set_preflight(Some(Arc::new(preflight)));
        }
    }

    /// A commit failed: nothing more is sent, and what memory holds is replaced by what the disk holds.
    pub(super) fn fail_stop(&mut self, error: &StoreError) {
        self.parts.brakes.hold(None, true);
        self.failed = true;
        tracing::error!(%error, "a commit failed; sending has stopped");
        let loaded = self.parts.store.load(TIMELINE);
        match loaded {
            Ok(loaded) => self.load(loaded),
            Err(again) => tracing::error!(error = %again, "the store cannot be read back either"),
        }
        self.parts.brakes.hold(None, true);
        let text = format!("{error}. Nothing is sent any more; mend it and start cascade again");
        self.parts.gallery.set_failed(Some(text.clone()));
        self.tell(Level::Error, text);
    }
}
