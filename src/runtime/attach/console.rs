//! One console, as the process it looks into sees it: who sits there, and what they may ask.

use super::NOT_DONE;
use super::control::ConsoleId;
use super::seat::{refusal, sits};
use super::server::{CONSOLES_MAX, Shared};
use super::talk::Talk;
use super::wire::{self, Answer, Asked, Hello, Lines, PROTOCOL, Pen, Welcome};
use crate::clock;
use crate::engine::order::Who;
use crate::runtime::handle::{Command, Level, Notice, Previewed};
use crate::runtime::operator;
use crate::runtime::saving::{Refusal, Wanted};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};

/// For a console to say who it is.
const GREETING: Duration = Duration::from_secs(5);

/// Letters of a machine's and a terminal's name that are kept.
const NAME: usize = 64;

/// Refusals that may wait for it.
const REFUSALS: usize = 16;

/// Attached for as long as this lives.
pub(super) struct Console {
    id: ConsoleId,
    shared: Arc<Shared>,
    who: Who,
}

impl Drop for Console {
    /// Whatever ends it, a kill included: control is free again.
    fn drop(&mut self) {
        let id = self.id;
        self.shared.control.send_if_modified(|control| control.leave(id));
    }
}

impl Console {
    /// Nobody has said yet who sits there.
    pub fn new(id: ConsoleId, shared: Arc<Shared>) -> Self {
        Self { id, shared, who: Who::default() }
    }

    /// Until one side leaves.
    pub async fn serve(mut self, socket: UnixStream, full: bool, ended: watch::Receiver<Option<String>>) {
        match socket.peer_cred() {
            Ok(peer) if peer.uid() == self.shared.user => {}
            Ok(peer) => return tracing::warn!(user = peer.uid(), "another user's console was turned away"),
            Err(error) => return tracing::warn!(%error, "a console without a user was turned away"),
        }
        let (mut lines, mut pen) = wire::lines(socket);
        let greeted = tokio::time::timeout(GREETING, self.greet(&mut lines, &mut pen, full)).await;
        match greeted {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return,
            Ok(Err(error)) => return tracing::warn!(%error, "a console did not say who it is"),
            Err(_) => return tracing::warn!("a console did not say in time who it is"),
        }
        let control = self.shared.control.subscribe();
        let (id, now) = (self.id, clock::wall_at());
        self.shared
            .control
            .send_if_modified(|control| control.holder().is_none() && control.claim(id, &self.who, now));
        self.note(format!("{} attached", sits(&self.who)));
        let (mine, own) = mpsc::channel(REFUSALS);
        let (previews, previewed) = mpsc::channel(REFUSALS);
        let talk = Talk { id: self.id, shared: &self.shared, control, own, previewed, ended, before: None };
        let left = tokio::select! {
            left = talk.run(&mut pen) => left,
            left = self.listen(&mut lines, mine, previews) => left,
        };
        match left {
            Ok(()) => self.note(format!("{} detached", sits(&self.who))),
            Err(error) => self.note(format!("{} detached ({error})", sits(&self.who))),
        }
    }

    /// Whether it may come in.
    async fn greet(&mut self, lines: &mut Lines, pen: &mut Pen, full: bool) -> io::Result<bool> {
        let Some(hello): Option<Hello> = wire::hear(lines).await? else { return Ok(false) };
        self.who = sitting(hello.who);
        let refused = if hello.protocol != PROTOCOL {
            Some(format!(
                "this console is cascade {} and the campaign is run by cascade {} (process {}): they do not \
                 understand each other. Start the console that belongs to it, or start it again with the newer one",
                crate::model::clean(&hello.version),
                wire::version(),
                std::process::id()
            ))
        } else if full {
            Some(format!("{CONSOLES_MAX} consoles are attached already; leave one of them"))
        } else {
            None
        };
        if let Some(why) = refused {
            wire::say(pen, &Answer::Refused { why }).await?;
            return Ok(false);
        }
        let welcome = Welcome {
            protocol: PROTOCOL,
            version: wire::version(),
            program: self.shared.host.program.to_owned(),
            process: std::process::id(),
            place: (**self.shared.feed.place.borrow()).clone(),
        };
        wire::say(pen, &Answer::Welcome(Box::new(welcome))).await?;
        Ok(true)
    }

    /// Takes what it asks, until it is gone.
    async fn listen(
        &self,
        lines: &mut Lines,
        mine: mpsc::Sender<Notice>,
        previews: mpsc::Sender<(u64, Previewed)>,
    ) -> io::Result<()> {
        while let Some(asked) = wire::hear(lines).await? {
            let refused = match asked {
                Asked::Command(mut command) => match self.may(&command) {
                    Ok(()) => {
                        command.sign(&self.who);
                        // The loop is gone only when the process ends.
                        let _ = self.shared.host.commands.send(command).await;
                        continue;
                    }
                    Err(why) => why,
                },
                Asked::Preview { number, wanted } => {
                    self.preview(number, wanted, previews.clone()).await;
                    continue;
                }
                Asked::TakeControl => match self.take() {
                    Ok(()) => continue,
                    Err(why) => why,
                },
                Asked::GiveControl => {
                    self.shared.control.send_if_modified(|control| control.leave(self.id));
                    continue;
                }
            };
            // A console that does not read its own refusals shall not keep its own hold waiting either.
            let _ = mine.try_send(Notice { level: Level::Warning, text: format!("{NOT_DONE}: {refused}") });
        }
        Ok(())
    }

    /// Whoever reads may look at what saving would do.
    async fn preview(&self, number: u64, wanted: Wanted, previews: mpsc::Sender<(u64, Previewed)>) {
        let (reply, answer) = oneshot::channel();
        // The loop is gone only when the process ends.
        let _ = self.shared.host.commands.send(Command::Preview(wanted, reply)).await;
        tokio::spawn(async move {
            let gone = Err(Refusal::new("it was not judged: the process ends, or .cascade/log has why"));
            let answer = answer.await.unwrap_or(gone);
            let _ = previews.send((number, answer)).await;
        });
    }

    /// Everybody may hold; the rest is for whoever is in control, and whoever acts while nobody is has it.
    fn may(&self, command: &Command) -> Result<(), String> {
        if command.holds_all() {
            return Ok(());
        }
        let mut refused = None;
        self.shared.control.send_if_modified(|control| {
            let before = control.clone();
            if !control.claim(self.id, &self.who, clock::wall_at()) {
                refused = control.holder().cloned();
            }
            *control != before
        });
        match refused {
            None => Ok(()),
            Some(holder) => {
                Err(refusal(&holder.who, holder.since, holder.console.is_none(), self.shared.feed.zone()))
            }
        }
    }

    fn take(&self) -> Result<(), String> {
        let mut taken = Ok(None);
        self.shared.control.send_modify(|control| {
            taken = control.take(self.id, &self.who, clock::wall_at());
        });
        match taken {
            Ok(from) => {
                let from = from.map(|holder| format!(" from {}", sits(&holder.who)));
                self.note(format!("{} took control{}", sits(&self.who), from.unwrap_or_default()));
                Ok(())
            }
            Err(own) => Err(refusal(&own.who, own.since, true, self.shared.feed.zone())),
        }
    }

    /// For the process's own screen or stderr, and for the log.
    fn note(&self, text: String) {
        tracing::info!("{text}");
        let _ = self.shared.host.own.try_send(Notice { level: Level::Info, text });
    }
}

/// Who sits at a console, as it told it, fit to be shown. The user is ours to name, since only the owner may attach.
fn sitting(told: Who) -> Who {
    let short = |text: &str| crate::model::clean(text).chars().take(NAME).collect::<String>();
    Who { user: operator::here().user, host: short(&told.host), tty: told.tty.as_deref().map(short) }
}
