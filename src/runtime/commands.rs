//! What the operator asks, handed to the engine or answered here.

use super::brakes::Brakes;
use super::driver::Driver;
use super::gallery;
use super::handle::{Command, Level, Notice, Signature, TimelineEntry, VersionFiles};
use super::saving::{self, Version};
use super::store::{SuppressionRow, TextRow};
use super::tasks::Part;
use super::turn::Turn;
use crate::engine::event::Kind;
use crate::engine::input::Input;
use crate::engine::order::{Came, Deed, Order, Signed};
use crate::model::{CascadeId, Channel, TextId, Untrusted};
use crate::phrases::{orders, people};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Events of one customer that a history shows at most.
const HISTORY: usize = 5000;

/// Letters of a reason that are kept.
const REASON: usize = 500;

impl Command {
    /// Brakes act before anything is queued.
    pub(super) fn brake(&self, brakes: &Brakes) {
        match self {
            Self::Order { order, .. } => {
                if let Some(only) = order.holds() {
                    brakes.announce(only);
                }
                if let Order::People { deed: Deed::Stop | Deed::OptOut, of, .. } = order {
                    for target in of {
                        brakes.over(target.cascade);
                    }
                }
            }
            Self::Quit => brakes.leave(),
            Self::Launch(_)
            | Self::Save { .. }
            | Self::DropSaved(_)
            | Self::Preview(..)
            | Self::Versions(_)
            | Self::VersionFiles(..)
            | Self::History(..)
            | Self::Learn(_) => {}
        }
    }
}

impl Driver {
    pub(super) fn command(&mut self, command: Command, turn: &mut Turn) {
        match command {
            Command::Launch(_)
            | Command::Order { order: Order::Resume { .. }, .. }
            | Command::Save { .. }
            | Command::DropSaved(_)
                if !self.is_well() =>
            {
                self.command_after_failure(command);
            }
            Command::Launch(signature) => {
                self.begun = true;
                if self.launch(turn) {
                    self.order(Order::Launch, signature, "", turn);
                }
            }
            Command::Order { order, signature, why } => {
                if matches!(order, Order::Resume { .. }) {
                    self.catch_up_again();
                }
                let (announced, from) = (order.holds(), turn.batch.events.len());
                self.order(order, signature, &why, turn);
                self.resumed(from, turn);
                if let Some(only) = announced {
                    self.parts.brakes.heeded(only);
                }
            }
            Command::Save { preview, choice, why, include, signature } => {
                self.save(preview, choice, (&why, include), signature, turn);
            }
            Command::DropSaved(signature) => self.drop_saved(&signature, turn),
            Command::Preview(wanted, reply) => self.preview_edit(wanted, reply),
            Command::Versions(reply) => self.versions(reply),
            Command::VersionFiles(hash, reply) => self.version_files(&hash, reply),
            Command::History(cascade, reply) => self.history(cascade, reply),
            Command::Learn(reply) => self.tell_learnt(reply),
            Command::Quit => self.quit = true,
        }
    }

    /// The store failed: reading and leaving go on, nothing else does.
    pub(super) fn command_after_failure(&mut self, command: Command) {
        match command {
            Command::History(cascade, reply) => self.history(cascade, reply),
            Command::Preview(wanted, reply) => self.preview_edit(wanted, reply),
            Command::Versions(reply) => self.versions(reply),
            Command::VersionFiles(hash, reply) => self.version_files(&hash, reply),
            Command::Learn(reply) => self.tell_learnt(reply),
            Command::Quit => self.quit = true,
            Command::Order {
                order: Order::People { deed: deed @ (Deed::Stop | Deed::OptOut), of, .. },
                ..
            } => {
                let whom = people(of.len() as u64);
                if deed == Deed::OptOut {
                    let phones = of.iter().filter_map(|target| self.phone_of(target.cascade));
                    let (at, via, why) = (self.now(), Channel::Phone, "told to the operator".to_owned());
                    let row = |phone| SuppressionRow { phone, at, via, why: why.clone() };
                    let rows: Vec<_> = phones.map(row).collect();
                    if rows.len() < of.len() {
                        let text = format!(
                            "{} of {whom} are known here by no number: record their opt-out after the next start",
                            of.len() - rows.len()
                        );
                        self.tell(Level::Error, text);
                    }
                    let text = "no contact any more, on any channel, although the store has failed";
                    let text = format!("{}: {text}", people(rows.len() as u64));
                    return self.keep_opt_outs(rows, Some(text));
                }
                self.tell(
                    Level::Error,
                    format!("{whom} get nothing more from this process, but that could not be saved"),
                );
            }
            Command::Order { order: Order::Pause { .. } | Order::StopAll, .. } => self.unsaved_hold(),
            Command::Launch(_) | Command::Order { .. } | Command::Save { .. } | Command::DropSaved(_) => self
                .tell(
                    Level::Error,
                    "the store failed: mend it and start cascade again; nothing can be sent before".into(),
                ),
        }
    }

    /// Read beside the loop, which waits for no screen.
    fn history(&self, cascade: CascadeId, reply: oneshot::Sender<Vec<Arc<TimelineEntry>>>) {
        let read = self.parts.store.history(cascade, HISTORY);
        let notices = self.parts.notices.clone();
        self.parts.tasks.spawn(Part::History, async move {
            match read.await {
                // The screen may have gone elsewhere meanwhile.
                Ok(entries) => drop(reply.send(entries.iter().map(gallery::entry).collect())),
                Err(error) => {
                    let text = format!("the history cannot be read: {error}");
                    let _ = notices.try_send(Notice { level: Level::Error, text });
                }
            }
        });
    }

    /// Read beside the loop.
    fn versions(&self, reply: oneshot::Sender<Vec<Version>>) {
        let read = self.parts.store.versions();
        let notices = self.parts.notices.clone();
        self.parts.tasks.spawn(Part::History, async move {
            match read.await {
                Ok(versions) => drop(reply.send(versions)),
                Err(error) => {
                    let text = format!("the versions cannot be read: {error}");
                    let _ = notices.try_send(Notice { level: Level::Error, text });
                }
            }
        });
    }

    fn version_files(&self, hash: &str, reply: oneshot::Sender<VersionFiles>) {
        match self.parts.store.version(hash) {
            Ok(files) => drop(reply.send(saving::as_text(files))),
            Err(error) => self.tell(Level::Error, format!("the version cannot be read: {error}")),
        }
    }

    /// Gives an order to the engine, and says what came of it.
    fn order(&mut self, order: Order, signature: Signature, why: &str, turn: &mut Turn) {
        if self.kept.campaign.is_none() {
            return self.tell(Level::Info, "nothing was launched here yet: there is nothing to order".into());
        }
        if let Order::People { deed: Deed::OptOut, of, .. } = &order {
            for phone in of.iter().filter_map(|target| self.phone_of(target.cascade)) {
                self.parts.brakes.opt_out(phone);
            }
        }
        let text = self.reason(&order, why, turn);
        let Signature { by, wall_at, campaign } = signature;
        let from = turn.batch.events.len();
        self.apply(Input::Order(Box::new(Signed { order, by, wall_at, campaign, text })), turn);
        if let Some((level, words)) = self.answer(turn.batch.events.get(from..).unwrap_or_default()) {
            turn.told.push((level, words));
        }
    }

    /// Keeps why it was asked. A reason for one person goes when that person is forgotten.
    fn reason(&mut self, order: &Order, why: &str, turn: &mut Turn) -> Option<TextId> {
        let body: String = why.trim().chars().take(REASON).collect();
        if body.is_empty() {
            return None;
        }
        let person = match order {
            Order::People { of, gone, .. } if of.len() == 1 && gone.is_empty() => {
                let campaign = self.kept.campaign.as_ref()?;
                of.first().and_then(|target| campaign.journey(target.cascade)).map(|j| j.person)
            }
            Order::People { .. }
            | Order::Launch
            | Order::Pause { .. }
            | Order::Resume { .. }
            | Order::CloseBreaker { .. }
            | Order::StopAll => None,
        };
        self.kept.last_text += 1;
        let id = TextId(self.kept.last_text);
        turn.keep(TextRow { id, person, from: None, at: self.now(), body: Untrusted::new(body) });
        Some(id)
    }

    /// What came of an order, in a line; pauses and resumes are seen by themselves.
    fn answer(&self, events: &[(u64, crate::engine::event::Event)]) -> Option<(Level, String)> {
        let (what, left) = events.iter().find_map(|(_, event)| match &event.kind {
            Kind::Ordered { what, left, .. } => Some((*what, *left)),
            _ => None,
        })?;
        let what = orders::ask(what);
        if let Some(why) = left {
            return Some((Level::Info, format!("{what}: nothing to do, {}", orders::left(why))));
        }
        let met = events.iter().filter_map(|(_, event)| match &event.kind {
            Kind::OrderMet { came, .. } => Some((event.subject.cascade?, *came)),
            _ => None,
        });
        let met: Vec<(CascadeId, Came)> = met.collect();
        match met.as_slice() {
            [] => None,
            [(cascade, came)] => {
                let (level, nothing) = match came {
                    Came::Left(_) => (Level::Warning, ", nothing was done"),
                    Came::Done | Came::Recalling | Came::SentBefore => (Level::Info, ""),
                };
                let name = self.name_of(*cascade);
                Some((level, format!("{what}, {name}{nothing}: {}", orders::came(*came, None))))
            }
            many => {
                let done = many.iter().filter(|(_, came)| !matches!(came, Came::Left(_))).count();
                let rest = many.len() - done;
                let level = if rest > 0 { Level::Warning } else { Level::Info };
                let rest = if rest > 0 { format!(", {rest} left as they are") } else { String::new() };
                Some((level, format!("{what}: done for {}{rest}; A tells of each", people(done as u64))))
            }
        }
    }

    fn name_of(&self, cascade: CascadeId) -> String {
        let journey = self.kept.campaign.as_ref().and_then(|campaign| campaign.journey(cascade));
        let customer = journey.and_then(|journey| self.kept.people.get(&journey.person));
        customer.map_or_else(|| format!("customer {cascade}"), |customer| customer.name.screen())
    }

    pub(super) fn phone_of(&self, cascade: CascadeId) -> Option<crate::model::Phone> {
        self.kept.phone_of(cascade)
    }
}
