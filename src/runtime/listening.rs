//! First hear, then speak: deafness, sleep and restarts are gaps, and after each what was said meanwhile is asked for
//! before anything falls due or goes out.

use super::driver::Driver;
use super::ears::Span;
use super::gap::{Gap, Pulse};
use super::handle::{Level, Settling, Trouble};
use super::recovery;
use super::tasks::Part;
use crate::clock::Clock;
use crate::engine::Campaign;
use crate::engine::journey::{Journey, State};
use crate::model::{At, Channel};
use crate::phrases;
use chrono::TimeDelta;

/// Until everybody was asked.
const NEVER: At = At::from_millis(i64::MAX);

/// Asked back for, where nothing is known of when we heard last.
const UNKNOWN: TimeDelta = TimeDelta::days(30);

/// Whether we hear, and whether everything is heard.
#[derive(Debug)]
pub(super) struct Listening {
    /// Nothing is sent before then: after a gap, what was said meanwhile is heard first.
    settling_until: Option<At>,
    deaf: bool,
    gap: Gap,
    /// Nothing said before then can have been missed.
    heard_until: At,
    /// Somebody is being asked what was said in a gap.
    catching_up: bool,
    /// Since when.
    asked_since: At,
    /// Counts the times that everybody was asked: a later gap is not heard by an earlier answer.
    number: u64,
    /// As we heard at the last look.
    heard: Option<Span>,
    /// Channels on which no answer would reach us, at the last look.
    mute: Vec<Channel>,
}

impl Listening {
    pub fn new(clock: &Clock) -> Self {
        Self {
            settling_until: None,
            deaf: false,
            gap: Gap::new(clock),
            heard_until: At::default(),
            catching_up: false,
            asked_since: At::default(),
            number: 0,
            heard: None,
            mute: Vec::new(),
        }
    }

    /// Nothing is sent before then.
    pub fn until(&self) -> At {
        self.settling_until.unwrap_or_default()
    }

    /// For the last look before a first byte.
    pub fn heard(&self) -> Option<Span> {
        self.heard.clone()
    }

    /// The catch-up ended badly.
    pub fn gives_up(&mut self) {
        self.catching_up = false;
    }
}

impl Driver {
    /// Deaf is mute: in live, nothing is sent without a proof of hearing.
    pub(super) fn is_deaf(&self) -> bool {
        self.parts.hearing.as_ref().is_some_and(|hearing| !hearing.is_proven())
    }

    /// Says which channels are mute, since their answers would not reach us. Whatever was said before was asked for at
    /// the start, and nothing was ever reported to an address that nobody was told of: there is no further gap.
    pub(super) fn mind_mute_channels(&mut self) {
        let channels = Channel::ALL.iter().copied();
        let mute: Vec<_> = channels.filter(|channel| self.parts.brakes.is_mute(*channel)).collect();
        if mute == self.listening.mute {
            return;
        }
        let trouble = (!mute.is_empty()).then(|| mute_trouble(&mute, self.now()));
        self.parts.gallery.set_trouble("mute", trouble);
        self.listening.mute = mute;
    }

    /// Whether everybody who is left waits for a channel whose set-up was refused, or for a person in some other way.
    pub(super) fn waits_for_set_up(&self, campaign: &Campaign) -> bool {
        let refused = |channel: &&Channel| self.parts.brakes.is_mute_until_mended(**channel);
        let refused: Vec<_> = self.listening.mute.iter().filter(refused).collect();
        let waits = |journey: &Journey| match journey.state {
            State::Queued => refused.contains(&&journey.channel()),
            State::Held(_) => true,
            State::Deferred(_)
            | State::Sending
            | State::Retrying
            | State::Waiting
            | State::InDoubt
            | State::Settling
            | State::Ended(_) => false,
        };
        !refused.is_empty() && campaign.journeys().iter().filter(|j| !j.is_over()).all(waits)
    }

    /// Says when we go deaf and when we hear again. However short it was: first comes what was said meanwhile.
    pub(super) fn mind_hearing(&mut self) {
        let Some(hearing) = self.parts.hearing.clone() else { return };
        self.listening.heard = Some(hearing.span());
        // Before the first answer nobody can say that we are deaf; nothing is sent before it either.
        let deaf = self.is_deaf() && hearing.is_failing();
        let was_deaf = std::mem::replace(&mut self.listening.deaf, deaf);
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
            self.catch_up(self.listening.heard_until);
        }
        if !deaf && !hearing.is_failing() {
            self.listening.heard_until = self.now();
        }
    }

    /// The machine slept, its clock was set, or the process was stopped: what was said meanwhile is heard before anything
    /// falls due.
    pub(super) fn mind_the_gap(&mut self) {
        let running = self.kept.campaign.as_ref().is_some_and(|c| c.header.ended_at.is_none());
        // Between two campaigns of a rehearsal its world stands still; ours goes on.
        let matters = running || (self.kept.seq > 0 && !self.parts.owns_clock);
        let stopped = self.parts.pulse.as_ref().is_some_and(Pulse::missed);
        if (self.listening.gap.look(&self.parts.clock) || stopped) && matters {
            let text = "the machine slept, its clock was set, or this process was stopped: what was said meanwhile is \
                        asked for before anything is sent";
            self.tell(Level::Warning, text.into());
            if let Some(hearing) = &self.parts.hearing {
                hearing.forget();
            }
            self.catch_up(self.kept.last_at);
        }
    }

    /// What was said before the process started is known until then.
    pub(super) fn heard_before(&self) -> At {
        match &self.restored {
            // An empty backup knows nobody: what was heard before the loss stands in the opt-outs.
            Some(restored) => {
                let known = restored.backup_at.or(restored.lost_until);
                known.unwrap_or_else(|| self.now() - UNKNOWN)
            }
            None => self.kept.last_at,
        }
    }

    /// Asks everybody who can be asked what was said since then; nothing falls due or goes out before.
    pub(super) fn catch_up(&mut self, since: At) {
        let silent = self.now() - since;
        // What a restored store lacks is said with its hold.
        if silent >= recovery::SETTLING && self.restored.is_none() {
            let text = format!(
                "what was said in the last {} may not have been heard: what can be asked for is asked for, and then ten \
                 minutes are for WhatsApp to tell again. It may tell some of it hours later: hold all sending (P) if that \
                 is to be waited for",
                phrases::span(silent.num_seconds())
            );
            self.tell(Level::Warning, text);
        }
        let listening = &mut self.listening;
        (listening.settling_until, listening.catching_up, listening.asked_since) = (Some(NEVER), true, since);
        listening.number += 1;
        let number = listening.number;
        let open = self.kept.campaign.as_ref().map(Campaign::without_end).unwrap_or_default();
        let asking = recovery::catch_up(self.parts.dispatch.clone(), number, open, since, self.lost());
        self.parts.tasks.spawn(Part::CatchUp, asking);
    }

    /// The last catch-up ended badly, and the operator goes on: everybody is asked again.
    pub(super) fn catch_up_again(&mut self) {
        if self.listening.until() == NEVER && !self.listening.catching_up {
            self.catch_up(self.listening.asked_since);
        }
    }

    /// Everybody was asked; what comes by itself is given time.
    pub(super) fn caught_up(&mut self, number: u64) {
        if number != self.listening.number {
            return;
        }
        // With nothing in flight there is a launch still to come.
        self.begun |= self.kept.campaign.as_ref().is_some_and(|c| c.header.ended_at.is_none());
        self.listening.catching_up = false;
        self.listening.settling_until = Some(self.now() + recovery::SETTLING);
    }

    /// The same for the screen.
    pub(super) fn settling(&self) -> Option<Settling> {
        let until = self.listening.settling_until.filter(|until| self.now() < *until)?;
        if until == NEVER {
            self.listening.catching_up.then_some(Settling::Asking)
        } else {
            Some(Settling::Until(until))
        }
    }

    /// After a gap, what was said meanwhile is heard before anything falls due or goes out.
    pub(super) fn still_listening(&self) -> bool {
        self.now() < self.listening.until()
    }
}

fn mute_trouble(mute: &[Channel], since: At) -> Trouble {
    let names: Vec<_> = mute.iter().map(|channel| channel.label()).collect();
    let words = format!(
        "NOT SET UP  nothing is sent on {}: no answer would reach us. The notice and the log say why; it is tried again \
         every minute",
        names.join(", ")
    );
    Trouble { level: Level::Error, words, since }
}

fn deaf_trouble(since: At) -> Trouble {
    let words = "DEAF  nothing is sent: webhooks cannot reach us. Check the tunnel and [webhooks] public_url; it is \
                 tried every minute";
    Trouble { level: Level::Error, words: words.into(), since }
}
