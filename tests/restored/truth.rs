//! What the sandbox's ledger says of everybody, and holding a store against it.

use crate::house::{House, Sandbox};
use cascade::engine::event::End;
use cascade::engine::journey::{Attempt, Stage, State};
use cascade::model::{Channel, Phone};
use serde_json::Value;
use std::collections::BTreeMap;

/// Messages, calls and texts that the providers took, by number and channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth(BTreeMap<(String, String), usize>);

impl Truth {
    pub fn of(sandbox: &Sandbox) -> Self {
        let mut taken = BTreeMap::new();
        let text = |send: &Value, key: &str| send[key].as_str().unwrap().to_owned();
        for send in sandbox.sends().iter().filter(|send| send["accepted"] == true) {
            *taken.entry((text(send, "to"), text(send, "channel"))).or_default() += 1;
        }
        Self(taken)
    }

    /// All on a channel.
    pub fn on(&self, channel: Channel) -> usize {
        self.0.iter().filter(|((_, on), _)| on == channel.as_str()).map(|(_, n)| n).sum()
    }

    /// All to a number.
    pub fn to(&self, who: &Phone) -> usize {
        self.0.iter().filter(|((to, _), _)| to == who.as_str()).map(|(_, n)| n).sum()
    }

    pub fn has(&self, who: &Phone, channel: Channel) -> bool {
        self.0.contains_key(&(who.as_str().to_owned(), channel.as_str().to_owned()))
    }

    pub fn nobody_twice(&self) {
        for (whom, times) in &self.0 {
            assert_eq!(*times, 1, "{whom:?} got it more than once");
        }
    }

    /// By person and channel, and in the sums of the report: what the store knows as sent was sent, and the other way
    /// round, apart from what it states as in doubt.
    pub fn agrees_with(&self, house: &House) {
        let sent = |a: &Attempt| matches!(a.stage, Stage::Accepted | Stage::Failed);
        let mut open = BTreeMap::new();
        for (phone, journey) in house.journeys() {
            for channel in Channel::ALL {
                let here = || journey.attempts.iter().filter(|a| a.channel == *channel);
                let (known, taken) = (here().filter(|a| sent(a)).count(), self.has(&phone, *channel));
                // Of whoever said STOP before the lists were read, nobody asks any more what the lost part sent.
                let stopped = journey.state == State::Ended(End::OptedOut) && known == 0 && taken;
                if stopped || here().any(|a| a.stage == Stage::InDoubt) {
                    *open.entry(channel.as_str()).or_insert(0) += 1;
                } else {
                    assert_eq!(
                        known,
                        usize::from(taken),
                        "{} on {channel}: {:?}",
                        phone.as_str(),
                        journey.attempts
                    );
                }
            }
        }
        let report = house.run(&["report", "--json"]).report();
        for row in report["channels"].as_array().unwrap() {
            let on = row["channel"].as_str().unwrap();
            let (told, taken) =
                (row["accepted"].as_u64().unwrap() as usize, self.on(Channel::parse(on).unwrap()));
            let open = open.get(on).copied().unwrap_or(0);
            assert!(told <= taken && taken <= told + open, "{on}: {told} told, {taken} taken, {open} open");
        }
    }
}
