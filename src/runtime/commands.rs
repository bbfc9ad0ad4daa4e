//! What the operator asks, handed to the engine or answered here.

use super::driver::Driver;
use super::gallery;
use super::handle::{Command, Level, Notice, TimelineEntry};
use super::tasks::Part;
use super::turn::Turn;
use crate::engine::input::{Input, Order};
use crate::model::CascadeId;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Events of one customer that a history shows at most.
const HISTORY: usize = 5000;

impl Driver {
    pub(super) fn command(&mut self, command: Command, turn: &mut Turn) {
        match command {
            Command::Launch => {
                self.begun = true;
                self.launch(turn);
            }
            Command::HoldAll => {
                self.order(Order::Pause { only: None, why: "held by the operator (P)".into() }, turn);
                self.parts.brakes.heeded(None);
            }
            Command::Pause(only) => {
                self.order(Order::Pause { only, why: "paused by the operator".into() }, turn);
                self.parts.brakes.heeded(only);
            }
            Command::Resume { only, extend_timers } => {
                self.catch_up_again();
                self.order(Order::Resume { only, extend_timers }, turn);
            }
            Command::CloseBreaker { channel, scope } => {
                self.order(Order::CloseBreaker { channel, scope }, turn);
            }
            Command::SettleDoubt { cascade, was_sent } => {
                self.order(Order::SettleDoubt { cascade, was_sent }, turn);
            }
            Command::Release(cascade) => self.order(Order::Release(cascade), turn),
            Command::StopCampaign => {
                self.order(Order::StopAll, turn);
                self.parts.brakes.heeded(None);
            }
            Command::StopCascade(cascade) => self.order(Order::Stop(cascade), turn),
            Command::OptOut(cascade) => {
                if let Some(phone) = self.phone_of(cascade) {
                    self.parts.brakes.opt_out(phone);
                }
                self.order(Order::OptOut(cascade), turn);
            }
            Command::History(cascade, reply) => self.history(cascade, reply),
            Command::Quit => self.quit = true,
        }
    }

    /// The store failed: reading and leaving go on, nothing else does.
    pub(super) fn command_after_failure(&mut self, command: Command) {
        match command {
            Command::History(cascade, reply) => self.history(cascade, reply),
            Command::Quit => self.quit = true,
            Command::OptOut(cascade) | Command::StopCascade(cascade) => self.tell(
                Level::Error,
                format!(
                    "customer {cascade} gets nothing more from this process, but that could not be saved"
                ),
            ),
            // Everything is held already.
            Command::HoldAll | Command::Pause(_) | Command::StopCampaign => {}
            Command::Launch
            | Command::Resume { .. }
            | Command::CloseBreaker { .. }
            | Command::SettleDoubt { .. }
            | Command::Release(_) => self.tell(
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

    fn order(&mut self, order: Order, turn: &mut Turn) {
        if self.kept.campaign.is_some() {
            self.apply(Input::Order(order), turn);
        }
    }

    pub(super) fn phone_of(&self, cascade: CascadeId) -> Option<crate::model::Phone> {
        let journey = self.kept.campaign.as_ref()?.journey(cascade)?;
        self.kept.people.get(&journey.person).map(|customer| customer.phone.clone())
    }
}
