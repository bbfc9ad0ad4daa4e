//! What one console is told: how far the log is, what stands beside it, the clock, notices, and who is in control.

use super::control::{ConsoleId, Control};
use super::seat::{InControl, sits};
use super::server::{Shared, over};
use super::wire::{self, Pen, Told};
use crate::runtime::handle::{Level, Notice, Previewed};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Sleep;

/// A console that takes nothing for so long is let go; it attaches again by itself once it is awake.
const STUCK: Duration = Duration::from_secs(20);

/// Between two places of the log that one console is told: no screen draws faster.
const PACE: Duration = Duration::from_millis(33);

/// Talks to one console.
pub(super) struct Talk<'c> {
    /// Which.
    pub id: ConsoleId,
    /// Of what.
    pub shared: &'c Shared,
    /// Who is in control.
    pub control: watch::Receiver<Control>,
    /// For this console alone.
    pub own: mpsc::Receiver<Notice>,
    /// Answers to its questions.
    pub previewed: mpsc::Receiver<(u64, Previewed)>,
    /// Set when the process ends.
    pub ended: watch::Receiver<Option<String>>,
    /// Who was in control when it was told last.
    pub before: Option<InControl>,
}

impl Talk<'_> {
    /// Until the process ends, or the console takes nothing any more.
    pub async fn run(mut self, pen: &mut Pen) -> io::Result<()> {
        let shared = self.shared;
        let mut notices = shared.host.all.subscribe();
        let mut standing = shared.feed.standing.subscribe();
        let mut clock = shared.clock.changes();
        let mut place = shared.feed.place.subscribe();
        let (mut gate, mut beside): (Option<Pin<Box<Sleep>>>, _) = (None, None);
        standing.mark_changed();
        clock.mark_changed();
        self.control.mark_changed();
        loop {
            tokio::select! {
                biased;
                why = over(&mut self.ended) => return tell(pen, &Told::Bye { why }).await,
                Some(notice) = self.own.recv() => tell(pen, &Told::Notice(notice)).await?,
                Some((number, answer)) = self.previewed.recv() => {
                    tell(pen, &Told::Previewed { number, answer }).await?;
                }
                Ok(()) = place.changed() => {
                    let now = Arc::clone(&place.borrow_and_update());
                    tell(pen, &Told::Place(now)).await?;
                }
                Ok(()) = self.control.changed() => self.tell_control(pen).await?,
                Ok(()) = clock.changed() => {
                    if let Some(reading) = shared.clock.reading() {
                        tell(pen, &Told::Clock(reading)).await?;
                    }
                }
                Some(notice) = heard(&mut notices) => tell(pen, &Told::Notice(notice)).await?,
                () = opened(&mut gate) => gate = None,
                Ok(()) = standing.changed(), if gate.is_none() => {
                    let now = standing.borrow_and_update().clone();
                    if beside.as_ref().is_none_or(|told| !Arc::ptr_eq(told, &now.beside)) {
                        tell(pen, &Told::Beside(Arc::clone(&now.beside))).await?;
                        beside = Some(Arc::clone(&now.beside));
                    }
                    let heard_s = shared.feed.hearing.ears().iter().map(|ear| ear.heard_s).collect();
                    tell(pen, &Told::Log { seq: now.seq, anew: now.anew, heard_s }).await?;
                    gate = Some(Box::pin(tokio::time::sleep(PACE)));
                }
            }
        }
    }

    /// Who is in control; whoever lost it or came by it is told so in words.
    async fn tell_control(&mut self, pen: &mut Pen) -> io::Result<()> {
        let control = self.control.borrow_and_update().clone();
        let now = match control.holder() {
            _ if control.is(self.id) => InControl::Us,
            None => InControl::Nobody,
            Some(holder) => InControl::Another {
                who: holder.who.clone(),
                since: holder.since,
                for_good: holder.console.is_none(),
            },
        };
        let words = match (&self.before, &now) {
            (Some(InControl::Us), InControl::Another { who, .. }) => Some((
                Level::Warning,
                format!("{} took control; you read. :take-control takes it back", sits(who)),
            )),
            (Some(InControl::Nobody | InControl::Another { .. }), InControl::Us) => {
                Some((Level::Info, "you are in control; :give-control gives it back".to_owned()))
            }
            (Some(InControl::Us | InControl::Another { .. }), InControl::Nobody) => {
                Some((Level::Info, "nobody is in control: whoever acts first is".to_owned()))
            }
            (Some(InControl::Nobody), InControl::Another { who, .. }) => {
                Some((Level::Info, format!("{} is in control now", sits(who))))
            }
            (Some(InControl::Another { who: before, .. }), InControl::Another { who, .. })
                if before != who =>
            {
                Some((Level::Info, format!("{} took control from {}", sits(who), sits(before))))
            }
            _ => None,
        };
        self.before = Some(now.clone());
        tell(pen, &Told::Control { by: now }).await?;
        match words {
            Some((level, text)) => tell(pen, &Told::Notice(Notice { level, text })).await,
            None => Ok(()),
        }
    }
}

/// The next notice; those that came faster than they were taken are counted in its place.
async fn heard(notices: &mut broadcast::Receiver<Notice>) -> Option<Notice> {
    match notices.recv().await {
        Ok(notice) => Some(notice),
        Err(broadcast::error::RecvError::Lagged(missed)) => {
            let text =
                format!("{missed} notices came faster than this console took them; .cascade/log has them");
            Some(Notice { level: Level::Warning, text })
        }
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

/// Resolves when a set gate opens; never without one.
async fn opened(gate: &mut Option<Pin<Box<Sleep>>>) {
    match gate {
        Some(gate) => gate.await,
        None => std::future::pending().await,
    }
}

/// Tells one thing, or gives the console up.
async fn tell(pen: &mut Pen, told: &Told) -> io::Result<()> {
    let stuck = || format!("it took nothing for {} s; it attaches again by itself", STUCK.as_secs());
    let said = tokio::time::timeout(STUCK, wire::say(pen, told)).await;
    said.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, stuck())))
}
