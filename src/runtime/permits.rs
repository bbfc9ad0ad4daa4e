//! Who may go now: claims by each channel's rate, its places and the engine's last look; and when to look again.

use super::driver::Driver;
use super::pace::Pacer;
use super::turn::Turn;
use crate::engine::input::Input;
use crate::model::{At, Channel};

impl Driver {
    /// Claims what each channel's rate, its places and the engine allow now.
    pub(super) fn give_permits(&mut self, turn: &mut Turn) {
        let now = self.now();
        if self.is_deaf() {
            return;
        }
        for at in 0..self.parts.pacers.len() {
            let channel = self.parts.pacers[at].0;
            self.parts.pacers[at].1.waits_for_news = false;
            while self.wants_to_send(channel) && self.parts.pacers[at].1.ready(now) {
                let before = turn.claimed.len();
                self.apply(Input::Permit(channel), turn);
                if turn.claimed.len() == before {
                    // Somebody at the same number is in contact with whoever is left.
                    self.parts.pacers[at].1.waits_for_news = true;
                    break;
                }
                self.parts.pacers[at].1.take();
            }
        }
    }

    fn wants_to_send(&self, channel: Channel) -> bool {
        // What a brake would only take back is not claimed.
        !self.parts.brakes.holds(channel)
            && self
                .kept
                .campaign
                .as_ref()
                .is_some_and(|c| !c.queue(channel).is_empty() && c.has_room(channel))
    }

    /// The next instant at which something is to be done without any news.
    pub(super) fn next_wake(&self) -> Option<At> {
        if !self.is_well() {
            return None;
        }
        let campaign = self.kept.campaign.as_ref()?;
        let deaf = self.is_deaf();
        let may_go = |(channel, pacer): &&(Channel, Pacer)| {
            !deaf && self.wants_to_send(*channel) && !pacer.waits_for_news
        };
        let pacers = self.parts.pacers.iter().filter(may_go);
        // An instant that passed during the commit wakes at once: nobody is left lying for want of news.
        let due = pacers.map(|(_, pacer)| pacer.next()).chain(campaign.next_due()).min()?;
        Some(due.max(self.listening.until()))
    }
}
