//! The end of a turn: what claimed sends say is filled in, everything is committed at once, and only then let out.

use super::dispatch::{Claimed, let_out};
use super::driver::Driver;
use super::handle::{Level, Notice};
use super::speaker;
use super::store::{Batch, StoreError};
use super::turn::Turn;
use crate::engine::effect::Effect;
use crate::engine::event::{Actor, Event, Kind};
use crate::engine::input::Input;
use crate::model::{At, AttemptId, Phone};
use crate::providers::Outgoing;
use std::sync::Arc;

impl Driver {
    /// Commits the turn, then lets everything out.
    pub(super) async fn finish(&mut self, mut turn: Turn) {
        let claimed = self.fill_in(&mut turn);
        turn.rows(&self.kept);
        let told = std::mem::take(&mut turn.told);
        if turn.batch.is_empty() {
            turn.acknowledge();
            self.tell_all(told);
            // After a restart what was under way is asked about again, and nothing new may be known.
            return self.ask_the_world(&mut turn);
        }
        turn.batch.meta.push(("clock", self.now().to_string()));
        let batch = Arc::new(std::mem::take(&mut turn.batch));
        if let Err(error) = self.commit(Arc::clone(&batch)).await {
            turn.refuse();
            self.keep_opt_outs(batch.suppressions.clone(), None);
            return self.not_recorded(&error, &batch, told);
        }
        turn.acknowledge();
        self.tell_all(told);
        self.release_brakes(&batch.events);
        let newest = self.kept.newest().and_then(|id| turn.touched.remove(&id)).unwrap_or_default();
        for (id, touched) in &turn.touched {
            let earlier = self.kept.earlier.get(id);
            self.parts.gallery.know(earlier.into_iter().flat_map(|earlier| earlier.people_of(touched)));
        }
        self.parts.gallery.add(&batch.events, &turn.texts, &newest);
        for claim in claimed {
            self.parts.dispatch.send(claim);
        }
        self.ask_the_world(&mut turn);
        if let Some(save) = turn.keeping.take() {
            self.keep_files(save);
        }
        self.after_the_end();
        if batch.events.iter().any(|(_, event)| matches!(event.kind, Kind::CampaignEnded { .. })) {
            self.learn();
        }
        self.put_back();
    }

    /// A commit failed, and what the operator ordered with it is lost.
    fn not_recorded(&mut self, error: &StoreError, batch: &Batch, told: Vec<(Level, String)>) {
        self.fail_stop(error);
        if batch.events.iter().any(|(_, event)| is_hold(&event.kind)) {
            self.unsaved_hold();
        }
        let lost =
            |(_, words)| (Level::Error, format!("not recorded, and undone by the next start: {words}"));
        self.tell_all(told.into_iter().map(lost).collect());
    }

    /// It may name people: the log is not told.
    pub(super) fn tell_all(&self, told: Vec<(Level, String)>) {
        for (level, text) in told {
            let _ = self.parts.notices.try_send(Notice { level, text: crate::model::clean(&text) });
        }
    }

    fn ask_the_world(&self, turn: &mut Turn) {
        for effect in std::mem::take(&mut turn.effects) {
            let sought = |attempt| self.sought(attempt);
            let_out(&self.parts.dispatch, effect, sought);
        }
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
                    let heard = self.listening.heard();
                    claimed.push(Claimed { attempt, cascade, channel, outgoing, good_until, heard });
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
        let found = self.kept.all().find_map(|(campaign, _)| campaign.attempt(attempt));
        let Some((journey, known)) = found else { return (None, None) };
        if known.provider_id.is_some() {
            return (known.provider_id.clone(), None);
        }
        let said = self.outgoing.get(&attempt).cloned().or_else(|| {
            // After a restart the same words are made again, with the link they carried; those of the newest campaign.
            let campaign =
                self.kept.campaign.as_ref().filter(|campaign| campaign.attempt(attempt).is_some())?;
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
                self.parts.brakes.hold(*only, paused.is_some() || (only.is_none() && !self.is_well()));
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
        self.show_next_launch();
    }

    /// What a launch would do now.
    pub(super) fn show_next_launch(&mut self) {
        if self.kept.campaign.as_ref().is_some_and(|c| c.header.ended_at.is_none()) {
            return;
        }
        if let Some(plan) = &self.parts.plan {
            let (begins, next) = (self.next_launch(), self.kept.next_campaign());
            let dealings = plan.dealings(&*self.parts.store).unwrap_or_else(|error| {
                tracing::warn!(%error, "what earlier campaigns had to do with those drawn cannot be read");
                None
            });
            let stopped = |phone: &Phone| self.parts.brakes.is_opted_out(phone);
            let preflight = plan.preflight(begins, next, stopped, dealings.as_ref());
            self.parts.gallery.set_preflight(Some(Arc::new(preflight)));
        }
    }
}

/// Whether an operator held something with it.
const fn is_hold(kind: &Kind) -> bool {
    matches!(kind, Kind::Paused { by: Actor::Operator, .. })
}
