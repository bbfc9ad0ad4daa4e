//! A small world around the engine: time that moves by hand, timers that fire when due, permits as long as
//! there is room. Everything that really decides is the engine.

use crate::invariants::Observer;
use cascade::engine::effect::Effect;
use cascade::engine::event::{CascadeStart, Launch};
use cascade::engine::input::Input;
use cascade::engine::{Campaign, Concluded, IllegalMove, apply, launch};
use cascade::model::{At, CampaignId, Channel, PersonId};

/// A campaign, its time and its log.
pub struct World {
    pub campaign: Campaign,
    pub now: At,
    pub seen: Observer,
    /// Asked of the world since the last input by hand, sends excepted.
    pub asked: Vec<Effect>,
    /// Whether permits are given by themselves.
    pub permits: bool,
}

impl World {
    pub fn launch(at: At, plan: Launch, people: Vec<(PersonId, CascadeStart)>) -> Self {
        let (campaign, concluded) = launch(CampaignId(1), at, plan, people);
        let mut world =
            Self { campaign, now: at, seen: Observer::default(), asked: Vec::new(), permits: true };
        world.note(&concluded);
        world
    }

    /// One input, and the permits that follow.
    pub fn give(&mut self, input: Input) -> Result<(), IllegalMove> {
        self.asked.clear();
        let result = self.feed(input);
        self.send_what_may_go();
        result
    }

    /// One input alone. On an error nothing may have changed.
    pub fn feed(&mut self, input: Input) -> Result<(), IllegalMove> {
        let before = self.campaign.clone();
        match apply(&mut self.campaign, self.now, input) {
            Ok(concluded) => self.note(&concluded),
            Err(illegal) => {
                assert!(before == self.campaign, "{illegal}, and yet it changed something");
                return Err(illegal);
            }
        }
        Ok(())
    }

    fn note(&mut self, concluded: &Concluded) {
        self.seen.see(&self.campaign, concluded, self.now);
        let others = concluded.effects.iter().filter(|e| !matches!(e, Effect::Send { .. }));
        self.asked.extend(others.cloned());
    }

    /// Claims as long as there is room and something that may go.
    pub fn send_what_may_go(&mut self) {
        if !self.permits {
            return;
        }
        for channel in Channel::ALL {
            loop {
                let before = self.seen.events.len();
                self.feed(Input::Permit(*channel)).unwrap();
                if self.seen.events.len() == before {
                    break;
                }
            }
        }
    }

    /// Lets time pass until `to`; what falls due meanwhile fires at its own time.
    pub fn pass(&mut self, to: At) {
        assert!(to >= self.now, "time does not go back to {to}");
        self.asked.clear();
        let mut fired = 0;
        while let Some(due) = self.campaign.next_due().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            for timer in self.campaign.due(self.now) {
                self.feed(Input::Timer(timer)).unwrap();
            }
            self.send_what_may_go();
            fired += 1;
            assert!(fired < 10_000, "timers fire for ever");
        }
        self.now = to;
    }
}
