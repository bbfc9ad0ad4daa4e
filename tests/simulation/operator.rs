//! The operator before the simulated machine, and fate: what they do, when it is time for it.

use crate::cascades::EDITS;
use crate::happenings::Happening;
use crate::machine::{Life, Machine, Next};
use crate::setting::{What, Wish};
use crate::world::Sent;
use cascade::engine::event::Hold;
use cascade::engine::journey::{Journey, Stage, State};
use cascade::engine::order::{Deed, Order, Target};
use cascade::engine::retime::Choice;
use cascade::model::{CascadeId, Channel};
use cascade::runtime::handle::{Command, Previewed, Signature};
use cascade::runtime::saving::{DraftFile, RULES as FILE, Wanted};
use chrono::TimeDelta;
use std::sync::Arc;
use tokio::sync::oneshot;

impl Machine {
    pub async fn give(&self, life: &Life, command: Command) {
        // A process that ended takes no commands.
        let _ = life.commands.send(command).await;
        // The wish is heard before anything else of this instant.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }

    async fn order(&self, life: &Life, order: Order) {
        let (signature, why) = (Signature::default(), String::new());
        self.give(life, Command::Order { order, signature, why }).await;
    }

    /// For one person, as they stand.
    async fn deed(&self, life: &Life, deed: Deed, cascade: CascadeId) {
        let campaign = self.campaign();
        let Some(journey) = campaign.as_ref().and_then(|c| c.journey(cascade)) else { return };
        self.order(life, Order::one(deed, target(journey))).await;
    }

    /// What the setting says, when it is time for it; how long the process then stays away, if it goes.
    pub async fn act(&mut self, life: &Life, what: What) -> Option<Next> {
        let world = Arc::clone(&self.world);
        let now = world.now();
        world.lock().tell(now, || format!("the operator, or fate: {what:?}"));
        match what {
            What::Leave { away_s } => return Some(self.leave(life, away_s).await),
            What::Kill { away_s } => {
                world.kill();
                return Some(Next::Away(away_s));
            }
            // A clock that is set back right before or after a sleep, by about as much, hides it: nobody could tell.
            What::Sleep { .. } if world.lock().oracle.was_just_set_back(now) => {}
            What::Sleep { for_s } => {
                let span = TimeDelta::seconds(for_s as i64);
                world.lock().oracle.gap(now + span);
                world.sleep(span);
            }
            What::ClockJumps { by_s } if by_s < 0 && world.lock().oracle.has_just_slept(now) => {}
            What::ClockJumps { by_s } if by_s > 0 && world.lock().oracle.was_just_set_back(now) => {}
            What::ClockJumps { by_s } => {
                world.clock.set(world.clock.now() + TimeDelta::seconds(by_s));
                world.lock().oracle.clock_moved(now, by_s);
            }
            What::TunnelDown { for_s } => world.lock().tunnel_back = now + TimeDelta::seconds(for_s as i64),
            What::Stops(n) => {
                let person = (n as usize).min(world.lock().people.len() - 1);
                world.plan(now, Happening::TextsStop { person });
            }
            What::BackUp => {
                let rows = self.disk.read(Clone::clone);
                self.backup = Some((rows, world.lock().book.clone()));
            }
            What::Restore { away_s } => {
                let (rows, book) = self.backup.take()?;
                world.kill();
                self.disk.restore(&rows);
                world.lock().restored(now, book);
                return Some(Next::Away(away_s));
            }
            What::Order(wish) => self.wish(life, wish).await,
        }
        None
    }

    async fn wish(&mut self, life: &Life, wish: Wish) {
        let world = Arc::clone(&self.world);
        let now = world.now();
        let Some(campaign) = self.campaign().filter(|c| c.header.ended_at.is_none()) else {
            if wish == Wish::LaunchAgain {
                self.launched += 1;
                self.give(life, Command::Launch(Signature::default())).await;
            }
            return;
        };
        let whose = |n: u64| campaign.journeys().get(n as usize).map(|j| j.id);
        match wish {
            Wish::LaunchAgain => {}
            Wish::Hold(only) => {
                world.lock().oracle.holds(now, only);
                self.order(life, Order::Pause { only, why: "asked for".into() }).await;
            }
            Wish::Resume { only, extend } => self.resume(life, only, extend).await,
            Wish::SettleAll { truthfully } => self.settle(life, truthfully).await,
            Wish::RetryAll => {
                let of = campaign.journeys().iter().map(target).collect();
                self.order(life, Order::People { deed: Deed::Retry, of, gone: Vec::new() }).await;
            }
            Wish::Edit { which, choice, after_s } => self.edit(life, which, choice, after_s).await,
            Wish::StopCampaign => {
                for journey in campaign.journeys() {
                    world.lock().oracle.ends_by_hand(now, journey.id);
                }
                self.order(life, Order::StopAll).await;
            }
            Wish::For(n, deed) => {
                let Some(cascade) = whose(n) else { return };
                match deed {
                    Deed::Stop | Deed::OptOut => world.lock().oracle.ends_by_hand(now, cascade),
                    Deed::SkipWait => world.lock().oracle.hurries(cascade),
                    Deed::WasSent | Deed::WasNotSent | Deed::Release | Deed::Retry => {}
                }
                self.deed(life, deed, cascade).await;
            }
        }
    }

    /// It takes the answers under way in, then ends by itself.
    pub async fn leave(&self, life: &Life, away_s: u64) -> Next {
        let now = self.world.now();
        self.world.lock().oracle.leaves(now);
        self.give(life, Command::Quit).await;
        tokio::select! {
            biased;
            () = self.world.until_dead(life.number) => {}
            () = self.world.pass(30_000) => {}
        }
        Next::Away(away_s)
    }

    async fn resume(&self, life: &Life, only: Option<Channel>, extend_timers: bool) {
        let now = self.world.now();
        self.world.lock().oracle.resumes(now, only);
        self.order(life, Order::Resume { only, extend_timers }).await;
    }

    async fn stop(&self, life: &Life, cascade: CascadeId) {
        let now = self.world.now();
        self.world.lock().oracle.ends_by_hand(now, cascade);
        self.deed(life, Deed::Stop, cascade).await;
    }

    /// Looks at new rules, thinks about them for a while, and saves them. What was saved before and is not in force comes
    /// first: it is dropped, or put in force.
    async fn edit(&mut self, life: &Life, which: usize, choice: Choice, after_s: u64) {
        let pending = self.look(life, Wanted::Saved).await;
        let (preview, which) = match pending {
            Some(Ok(_)) if after_s.is_multiple_of(2) => {
                return self.give(life, Command::DropSaved(Signature::default())).await;
            }
            // Whichever it was, the oracle has heard of it.
            Some(Ok(pending)) => (pending, None),
            Some(Err(_)) => {
                let draft = DraftFile { name: FILE.into(), text: EDITS[which].into(), base: None };
                match self.look(life, Wanted::Draft(vec![draft])).await {
                    Some(Ok(preview)) => (preview, Some(which)),
                    Some(Err(refusal)) => {
                        let broken = format!("14: rules that are right cannot be previewed: {refusal:?}");
                        return self.world.lock().oracle.broken.push(broken);
                    }
                    None => return,
                }
            }
            None => return,
        };
        tokio::select! {
            biased;
            () = self.world.until_dead(life.number) => return,
            () = self.world.pass(after_s * 1000) => {}
        }
        self.world.lock().oracle.edits(which, choice);
        let save = Command::Save {
            preview: preview.number,
            choice,
            why: "the replies come sooner".into(),
            include: false,
            signature: Signature::default(),
        };
        self.give(life, save).await;
    }

    /// `None`: the process is gone, or its store is.
    async fn look(&self, life: &Life, wanted: Wanted) -> Option<Previewed> {
        let (reply, answer) = oneshot::channel();
        self.give(life, Command::Preview(wanted, reply)).await;
        tokio::select! {
            biased;
            answer = answer => answer.ok(),
            () = self.world.until_dead(life.number) => None,
            () = self.world.pass(60_000) => None,
        }
    }

    /// Doubts settled by what the operator found out: the truth, or that it was sent.
    async fn settle(&self, life: &Life, truthfully: bool) {
        let Some(campaign) = self.campaign() else { return };
        let doubtful = campaign.journeys().iter().filter(|j| j.state == State::InDoubt);
        for journey in doubtful {
            let Some(attempt) = journey.newest().filter(|a| a.stage == Stage::InDoubt) else { continue };
            let taken = {
                let state = self.world.lock();
                let this =
                    |s: &&Sent| s.attempt == attempt.id || s.lost && s.is_for(journey.id, attempt.channel);
                let sent = state.sent.iter().filter(this).max_by_key(|s| s.provider_id.is_some());
                // A request that is still on its way may be taken yet: nobody can have found out.
                let fresh = sent.is_some_and(|s| self.world.true_now(&state) - s.at < TimeDelta::minutes(2));
                fresh || sent.is_some_and(|s| s.provider_id.is_some())
            };
            let deed = if taken || !truthfully { Deed::WasSent } else { Deed::WasNotSent };
            self.deed(life, deed, journey.id).await;
        }
    }

    /// After the storm: what is held goes on, what is shut is mended, who is held is let go on.
    pub async fn mend(&self, life: &Life) {
        let open = self.disk.read(|rows| {
            let header = rows.header().filter(|header| header.ended_at.is_none())?;
            Some((header.clone(), rows.held(header.id)))
        });
        let Some((header, held)) = open else { return };
        if header.paused.is_some() {
            self.resume(life, None, false).await;
        }
        for channel in Channel::ALL.iter().filter(|c| header.paused_on[c.index()].is_some()) {
            self.resume(life, Some(*channel), false).await;
        }
        for breaker in header.breakers {
            self.order(life, Order::CloseBreaker { channel: breaker.on, scope: breaker.scope }).await;
        }
        for (cascade, hold) in held {
            match hold {
                Hold::SharedNumber => {
                    self.world.lock().oracle.released();
                    self.deed(life, Deed::Release, cascade).await;
                }
                Hold::Budget => self.stop(life, cascade).await,
                Hold::Breaker { .. } => {}
            }
        }
    }
}

/// Somebody, as they stand.
fn target(journey: &Journey) -> Target {
    Target { cascade: journey.id, step: journey.step, attempt: journey.newest().map(|a| a.id) }
}
