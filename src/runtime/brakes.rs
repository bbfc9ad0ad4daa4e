//! Brakes: what stops a send the moment it is heard, before anything is queued or committed.
//!
//! Set by webhooks and keys, asked by dispatch immediately before a request starts. Brakes act first and are
//! recorded after; releasing one waits for its record.

use super::store::OptOuts;
use crate::engine::event::Withdrawal;
use crate::model::{CascadeId, Channel, Phone};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether a channel's provider knows our address, without which it reports no STOP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mute {
    /// It does.
    No,
    /// It did not answer yet.
    ForNow,
    /// It refused: a setting is wrong.
    UntilMended,
}

/// Shared by everybody who may stop a send. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Brakes(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// What the record says, everything first, then by channel.
    held: [AtomicBool; 5],
    /// Holds that were asked for and are not recorded yet: no release overtakes them.
    announced: [AtomicU32; 5],
    /// Whoever speaks there would not hear the answer, by channel; see [`Mute`].
    mute: [AtomicU8; 4],
    /// Nothing starts any more; nobody takes this back.
    leaving: AtomicBool,
    people: Mutex<People>,
}

/// Everything, or one channel.
const fn place(only: Option<Channel>) -> usize {
    match only {
        None => 0,
        Some(channel) => channel.index() + 1,
    }
}

#[derive(Debug, Default)]
struct People {
    opted_out: OptOuts,
    /// Something of theirs is being recorded just now.
    heard: HashMap<Phone, u32>,
    over: HashSet<CascadeId>,
}

impl People {
    fn is_heard(&self, phone: &Phone) -> bool {
        let other = phone.other_spelling();
        self.heard.contains_key(phone) || other.is_some_and(|other| self.heard.contains_key(&other))
    }
}

impl Brakes {
    fn people(&self) -> MutexGuard<'_, People> {
        self.0.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The operator asks for a hold: it acts at once, whatever the record says, until it is [`Brakes::heeded`].
    pub fn announce(&self, only: Option<Channel>) {
        self.0.announced[place(only)].fetch_add(1, Ordering::SeqCst);
    }

    /// An announced hold has reached the driver, whose record speaks from here on.
    pub fn heeded(&self, only: Option<Channel>) {
        self.0.announced[place(only)].fetch_sub(1, Ordering::SeqCst);
    }

    /// What the record says: everything, or one channel, is held or goes.
    pub fn hold(&self, only: Option<Channel>, on: bool) {
        self.0.held[place(only)].store(on, Ordering::SeqCst);
    }

    /// Answers on this channel would not reach us, or do again.
    pub fn mute(&self, channel: Channel, mute: Mute) {
        self.0.mute[channel.index()].store(mute as u8, Ordering::SeqCst);
    }

    /// Whether nothing may be said there because nothing would be heard.
    pub fn is_mute(&self, channel: Channel) -> bool {
        self.0.mute[channel.index()].load(Ordering::SeqCst) != Mute::No as u8
    }

    /// The same, and only a person can change it.
    pub fn is_mute_until_mended(&self, channel: Channel) -> bool {
        self.0.mute[channel.index()].load(Ordering::SeqCst) == Mute::UntilMended as u8
    }

    /// The process is about to end.
    pub fn leave(&self) {
        self.0.leaving.store(true, Ordering::SeqCst);
    }

    /// Whether nothing may start on this channel, whoever it is for.
    pub fn holds(&self, channel: Channel) -> bool {
        let at = |place: usize| {
            self.0.held[place].load(Ordering::SeqCst) || self.0.announced[place].load(Ordering::SeqCst) > 0
        };
        let held = at(place(None)) || at(place(Some(channel)));
        held || self.is_mute(channel) || self.0.leaving.load(Ordering::SeqCst)
    }

    /// They want no more contact.
    pub fn opt_out(&self, phone: Phone) {
        self.people().opted_out.insert(phone);
    }

    /// They said so before, in this store or beside it.
    pub fn opted_out_before(&self, opt_outs: OptOuts) {
        self.people().opted_out.merge(opt_outs);
    }

    /// Whether they were ever heard to opt out, whoever was forgotten included.
    pub fn is_opted_out(&self, phone: &Phone) -> bool {
        self.people().opted_out.contains(phone)
    }

    /// They reacted; until [`Brakes::recorded`] nothing starts to them.
    pub fn heard(&self, phone: Phone) {
        *self.people().heard.entry(phone).or_default() += 1;
    }

    /// What [`Brakes::heard`] announced is on disk: from here on the engine's state speaks.
    pub fn recorded(&self, phone: &Phone) {
        let mut people = self.people();
        if let Some(count) = people.heard.get_mut(phone) {
            *count -= 1;
            if *count == 0 {
                people.heard.remove(phone);
            }
        }
    }

    /// This cascade is over, committed or not.
    pub fn over(&self, cascade: CascadeId) {
        self.people().over.insert(cascade);
    }

    /// Which brake keeps this send from starting, if one does.
    pub fn check(&self, channel: Channel, cascade: CascadeId, phone: &Phone) -> Option<Withdrawal> {
        if self.holds(channel) {
            return Some(Withdrawal::Paused);
        }
        let people = self.people();
        if people.opted_out.contains(phone) {
            Some(Withdrawal::OptedOut)
        } else if people.is_heard(phone) || people.over.contains(&cascade) {
            Some(Withdrawal::Answered)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_brake_stops_and_only_its_own_people() {
        let brakes = Brakes::default();
        let (ana, bo) = (phone("+14155550100"), phone("+14155550101"));
        let check = |phone| brakes.check(Channel::Phone, CascadeId(1), phone);
        assert_eq!(check(&ana), None);
        brakes.hold(Some(Channel::Phone), true);
        assert_eq!(check(&ana), Some(Withdrawal::Paused));
        brakes.hold(Some(Channel::Phone), false);
        brakes.heard(ana.clone());
        assert_eq!((check(&ana), check(&bo)), (Some(Withdrawal::Answered), None));
        brakes.recorded(&ana);
        assert_eq!(check(&ana), None);
        brakes.opt_out(ana.clone());
        assert_eq!((check(&ana), check(&bo)), (Some(Withdrawal::OptedOut), None));
        brakes.over(CascadeId(1));
        assert_eq!(check(&bo), Some(Withdrawal::Answered));
    }

    #[test]
    fn a_line_is_braked_however_its_number_is_spelled() {
        let check = |brakes: &Brakes, to: &str| brakes.check(Channel::Phone, CascadeId(1), &phone(to));
        // Mexico, Argentina, Brazil: as dialled, and as WhatsApp writes it.
        for (dialled, written) in [
            ("+525512345678", "+5215512345678"),
            ("+541123456789", "+5491123456789"),
            ("+5531987654321", "+553187654321"),
        ] {
            for (said_by, sent_to) in [(written, dialled), (dialled, written)] {
                let brakes = Brakes::default();
                brakes.heard(phone(said_by));
                assert_eq!(check(&brakes, sent_to), Some(Withdrawal::Answered), "{said_by} {sent_to}");
                brakes.recorded(&phone(said_by));
                brakes.opt_out(phone(said_by));
                assert_eq!(check(&brakes, sent_to), Some(Withdrawal::OptedOut), "{said_by} {sent_to}");
                assert_eq!(check(&brakes, "+525512345679"), None);
            }
        }
        assert_eq!(phone("+553122345678").other_spelling(), None, "a landline");
        assert_eq!(phone("+14155550100").other_spelling(), None);
    }

    #[test]
    fn whoever_would_not_hear_the_answer_does_not_speak_whatever_the_record_says() {
        let brakes = Brakes::default();
        brakes.mute(Channel::Whatsapp, Mute::ForNow);
        brakes.hold(None, false);
        brakes.hold(Some(Channel::Whatsapp), false);
        assert!(brakes.holds(Channel::Whatsapp) && !brakes.holds(Channel::Sms));
        brakes.mute(Channel::Whatsapp, Mute::No);
        assert!(!brakes.holds(Channel::Whatsapp));
    }

    #[test]
    fn a_hold_that_was_asked_for_is_not_overtaken_by_a_release() {
        let brakes = Brakes::default();
        let stopped = || brakes.check(Channel::Sms, CascadeId(1), &phone("+14155550100")).is_some();
        brakes.announce(None);
        brakes.hold(None, false);
        assert!(stopped(), "a resume under way released it");
        brakes.heeded(None);
        assert!(!stopped(), "the record speaks again");
    }

    #[test]
    fn a_hold_of_one_channel_does_not_keep_the_others_from_going_on() {
        let brakes = Brakes::default();
        brakes.hold(None, true);
        brakes.announce(Some(Channel::Sms));
        brakes.hold(None, false);
        assert!(brakes.holds(Channel::Sms) && !brakes.holds(Channel::Phone));
        brakes.leave();
        brakes.hold(None, false);
        assert!(brakes.holds(Channel::Phone), "leaving is not taken back");
    }

    fn phone(text: &str) -> Phone {
        Phone::parse_e164(text).unwrap()
    }
}
