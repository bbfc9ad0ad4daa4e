//! A store that came from a backup, from the loop's side: providers are asked what was sent since, the engine writes it
//! down, and the operator goes on.

use super::driver::Driver;
use super::handle::{Level, Trouble};
use super::links;
use super::recovery::Lost;
use super::store::{LinkRow, Restored};
use super::turn::Turn;
use crate::engine::event::Kind;
use crate::engine::input::Input;
use crate::engine::restored::{Gap, SentBefore, channels_to_ask};
use crate::model::{At, AttemptId, Channel, parse_attempt_key};
use crate::providers::Listed;
use chrono::TimeDelta;
use std::collections::HashMap;

/// By which their clocks and ours may differ.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);

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
}

impl Driver {
    /// Somebody is under way in a store that came from a backup: what to ask for.
    pub(super) fn lost(&self) -> Option<Lost> {
        let restored = self.restored.as_ref().filter(|restored| !restored.asked)?;
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
        let Some(restored) = self.restored.clone().filter(|restored| !restored.asked) else { return };
        let all = || listed.iter().flat_map(|(channel, sent)| sent.iter().map(|one| (*channel, one)));
        let sent = all().filter_map(|(channel, one)| self.sent_before(channel, one));
        let sent = sent.filter(|sent| !self.is_of_earlier(sent)).collect();
        let untold = if restored.lacks_nothing { Vec::new() } else { untold };
        let from = turn.batch.events.len();
        self.apply(Input::Reconciled { sent, untold }, turn);
        let (mut written, mut found) = (false, HashMap::new());
        for (_, event) in turn.batch.events.iter().skip(from) {
            match &event.kind {
                Kind::Reconciled { .. } => written = true,
                Kind::AttemptRecovered { provider_id: Some(id), .. }
                | Kind::AttemptAccepted { provider_id: id, .. } => {
                    found.extend(event.subject.attempt.map(|attempt| (id.clone(), attempt)));
                }
                _ => {}
            }
        }
        if !written {
            return;
        }
        let asked = Restored { asked: true, ..restored };
        (self.restored, turn.batch.asked) = (Some(asked.clone()), Some(asked));
        self.parts.gallery.set_trouble("restored", None);
        for one in listed.iter().flat_map(|(_, sent)| sent) {
            if let (Some(attempt), Some(body)) = (found.get(&one.provider_id), &one.body) {
                self.restore_link(*attempt, body.raw(), turn);
            }
        }
        for heard in listed.into_iter().flat_map(|(_, sent)| sent).flat_map(|one| one.heard) {
            let id = heard.provider_id.as_deref();
            if id.is_some_and(|id| found.contains_key(id)) {
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

    /// The link in a message that was found leads on again.
    fn restore_link(&mut self, attempt: AttemptId, body: &str, turn: &mut Turn) {
        let base = format!("{}/", self.parts.speaker.links_base);
        let Some((_, behind)) = body.split_once(&base) else { return };
        let end =
            behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(behind.len());
        let code = behind.get(..end).filter(|code| links::is_code(code));
        let Some(code) = code.filter(|code| !self.kept.links.contains_key(*code)) else { return };
        let (code, target) = (code.to_owned(), self.parts.speaker.links_target.clone());
        self.kept.links.insert(code.clone(), (attempt, target.clone()));
        turn.batch.links.push(LinkRow { code, attempt, target });
    }

    /// The operator gave the word, as an event of this turn from there on says.
    pub(super) fn resumed(&mut self, from: usize, turn: &mut Turn) {
        let asked = self.restored.as_ref().is_some_and(|restored| restored.asked);
        let mut events = turn.batch.events.iter().skip(from);
        if asked && events.any(|(_, event)| matches!(event.kind, Kind::Resumed { only: None, .. })) {
            self.goes_on(turn);
        }
    }

    /// The operator resumes or launches: the store counts as whole again with this commit.
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
        let base = format!("{}/", self.parts.speaker.links_base);
        let ours = attempt.is_some() || one.body.as_ref().is_some_and(|body| body.raw().contains(&base));
        let restored = self.restored.as_ref();
        let lost = restored.and_then(|restored| restored.backup_at).is_none_or(|from| at >= from - CLOCKS);
        // Where the list names attempts, ours are named, unless another store's name stands there. Whatever else our
        // number sends to people who are not under way, or sent before, is nobody's concern here.
        let unnamed = one.body.is_some() || restored.is_some_and(|restored| restored.another);
        let perhaps = unnamed && lost && line.is_some();
        (ours || perhaps).then_some(SentBefore { line, channel, at, provider_id, attempt, ours })
    }

    /// Whether an earlier campaign sent it.
    fn is_of_earlier(&self, sent: &SentBefore) -> bool {
        let Some(campaign) = &self.kept.campaign else { return false };
        let first = campaign.header.launch.first_attempt;
        let attempt = sent.attempt.or_else(|| self.known_by(&sent.provider_id));
        attempt.is_some_and(|attempt| attempt < first)
    }

    /// Says so until it is asked what was sent; from then on the campaign's own pause says what to do.
    pub(super) fn show_restored(&mut self, since: At) {
        let trouble = self.restored.as_ref().filter(|restored| !restored.asked).map(|restored| Trouble {
            level: Level::Warning,
            words: words(restored),
            since,
        });
        self.parts.gallery.set_trouble("restored", trouble);
    }
}

fn day(at: At) -> String {
    at.utc().format("%a %-d %b %H:%M").to_string()
}

fn from(restored: &Restored) -> String {
    restored.backup_at.map_or_else(|| "the beginning".to_owned(), |at| format!("{} UTC", day(at)))
}

/// For the launch: what matters comes first, a narrow window shows no more.
pub(super) fn warning(restored: &Restored) -> String {
    let from = from(restored);
    if restored.lacks_nothing {
        return format!("restored from a backup of {from}: nothing happened after that");
    }
    format!("whoever was contacted after {from} may be contacted again: restored from a backup of then")
}

/// For the banner.
fn words(restored: &Restored) -> String {
    let from = from(restored);
    let lost = match restored.lost_until {
        _ if restored.lacks_nothing => "nothing happened after that".to_owned(),
        Some(until) => format!("what happened until {} is lost", day(until)),
        None => "what happened after that is not known".to_owned(),
    };
    format!("RESTORED  backup of {from}: {lost}. Opt-outs hold")
}
