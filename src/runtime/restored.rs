//! A store that came from a backup, from the loop's side: providers are asked what was sent since, the engine writes it
//! down, and the operator goes on.

use super::driver::Driver;
use super::handle::{Level, Trouble};
use super::recovery::Lost;
use super::store::Restored;
use super::turn::Turn;
use crate::engine::event::Kind;
use crate::engine::input::Input;
use crate::engine::restored::{Gap, SentBefore, channels_to_ask};
use crate::model::{At, Channel, parse_attempt_key};
use crate::providers::Listed;
use std::collections::HashSet;

impl Restored {
    /// For the engine.
    pub(super) fn gap(&self) -> Gap {
        Gap {
            backup_at: self.backup_at,
            lost_until: self.lost_until,
            next_attempt: self.next_attempt,
            next_timer: self.next_timer,
        }
    }

    /// It is known that nothing happened after the backup.
    fn lacks_nothing(&self) -> bool {
        self.lost_seq > 0 && self.lost_seq <= self.backup_seq
    }
}

impl Driver {
    /// Somebody is under way in a store that came from a backup: what to ask for.
    pub(super) fn lost(&self) -> Option<Lost> {
        let restored = self.restored.as_ref()?;
        let campaign = self.kept.campaign.as_ref().filter(|c| c.header.ended_at.is_none())?;
        Some(Lost {
            // Clocks may have been wrong meanwhile: what is known already is told apart by its id.
            since: campaign.header.started_at.min(restored.backup_at.unwrap_or_default()),
            until: restored.lost_until.unwrap_or_else(|| self.now()),
            channels: channels_to_ask(campaign),
        })
    }

    /// What the lists told is written down in one commit, and from then on it is the campaign's own pause that holds
    /// everything, until the operator goes on.
    pub(super) fn sent_since(
        &mut self,
        listed: Vec<(Channel, Vec<Listed>)>,
        untold: Vec<Channel>,
        turn: &mut Turn,
    ) {
        let Some(restored) = self.restored.clone() else { return };
        let all = || listed.iter().flat_map(|(channel, sent)| sent.iter().map(|one| (*channel, one)));
        let sent = all().filter_map(|(channel, one)| self.sent_before(channel, one)).collect();
        let untold = if restored.lacks_nothing() { Vec::new() } else { untold };
        let from = turn.batch.events.len();
        self.apply(Input::Reconciled { sent, untold }, turn);
        let (mut written, mut found) = (false, HashSet::new());
        for (_, event) in turn.batch.events.iter().skip(from) {
            match &event.kind {
                Kind::Reconciled { .. } => written = true,
                Kind::AttemptRecovered { provider_id: Some(id), .. } => _ = found.insert(id.clone()),
                _ => {}
            }
        }
        if !written {
            return;
        }
        self.goes_on(turn);
        for heard in listed.into_iter().flat_map(|(_, sent)| sent).flat_map(|one| one.heard) {
            let id = heard.provider_id.as_deref();
            if id.is_some_and(|id| found.contains(id)) {
                // Where it was told before, it was about an attempt that nobody knew.
                self.is_new(&heard, turn);
                self.take_in(heard, turn);
            } else if id
                .is_some_and(|id| self.kept.campaign.as_ref().is_some_and(|c| c.by_provider_id(id).is_some()))
            {
                self.report(heard, turn);
            }
        }
    }

    /// The store counts as whole again with this commit.
    pub(super) fn goes_on(&mut self, turn: &mut Turn) {
        if self.restored.take().is_some() {
            turn.batch.confirmed = true;
            self.parts.gallery.set_trouble("restored", None);
        }
    }

    /// As the engine weighs it; `None` for what is certainly not ours.
    fn sent_before(&self, channel: Channel, one: &Listed) -> Option<SentBefore> {
        let line = self.kept.lines.get(&one.to).copied();
        let attempt =
            one.attempt_key.as_deref().and_then(|key| parse_attempt_key(self.parts.store.id(), key));
        let (at, provider_id) = (one.at, one.provider_id.clone());
        let Some(body) = &one.body else {
            // Where the list names attempts, ours are named.
            return attempt.map(|id| SentBefore {
                line,
                channel,
                at,
                provider_id,
                attempt: Some(id),
                ours: true,
            });
        };
        let ours = attempt.is_some() || body.raw().contains(&format!("{}/", self.parts.speaker.links_base));
        // Whatever else our number sends to people who are not under way is nobody's concern here.
        (ours || line.is_some()).then_some(SentBefore { line, channel, at, provider_id, attempt, ours })
    }

    /// Says so as long as nobody has gone on.
    pub(super) fn show_restored(&mut self, since: At) {
        let trouble = self.restored.as_ref().map(|restored| Trouble {
            level: Level::Warning,
            words: words(restored),
            since,
        });
        self.parts.gallery.set_trouble("restored", trouble);
    }
}

/// For the banner and the launch.
pub(super) fn words(restored: &Restored) -> String {
    let day = |at: At| at.utc().format("%a %-d %b %H:%M UTC").to_string();
    let from = restored.backup_at.map_or_else(|| "the beginning".to_owned(), day);
    let lost = match restored.lost_until {
        _ if restored.lacks_nothing() => "nothing is known to have happened after that".to_owned(),
        Some(until) => format!("what was sent, answered and ordered until {} is not in it", day(until)),
        None => "what happened after that is not known".to_owned(),
    };
    format!("RESTORED  from a backup of {from}: {lost}. Opt-outs are kept")
}
