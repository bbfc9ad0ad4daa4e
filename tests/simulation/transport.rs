//! The transport of one life of the process: requests go out into the world, and go on there whatever becomes of us.

use crate::happenings::{Fate, Happening, Loss};
use crate::setting::Point;
use crate::wire;
use crate::world::World;
use cascade::model::{At, Channel, Failure, Scope, parse_attempt_key};
use cascade::providers::{Answer, Heard, Listed, Lookup, Message, Outgoing, Provider, Recall};
use chrono::TimeDelta;
use futures::future::{BoxFuture, FutureExt as _};
use std::sync::Arc;
use tokio::sync::oneshot;

/// What a client waits for an answer, in milliseconds.
const PATIENCE_MS: u64 = 20_000;

/// One provider, as one life of the process sees it.
pub struct Line {
    pub world: Arc<World>,
    pub life: u64,
    pub channel: Channel,
}

impl Line {
    async fn create(&self, out: &Outgoing) -> Answer {
        let world = &self.world;
        if !world.is_alive(self.life) || world.dies_at(Point::BeforeByte) {
            return world.gone().await;
        }
        let (sent, fate, travels_ms) = self.leaves(out);
        let Some(fate) = fate else {
            world.pass(travels_ms).await;
            return wire::not_connected(self.channel);
        };
        let (answer, told) = oneshot::channel();
        let due = world.now() + TimeDelta::milliseconds(travels_ms as i64);
        world.plan(due, Happening::Request { sent, fate, answer });
        if world.dies_at(Point::AfterByte) {
            return world.gone().await;
        }
        let told = told.await.unwrap_or_else(|_| wire::lost(self.channel, Loss::Broken));
        // A lost answer is waited for.
        let waits = match fate {
            Fate::LostBefore(Loss::Timeout) | Fate::LostAfter(Loss::Timeout) => {
                PATIENCE_MS - travels_ms.min(PATIENCE_MS)
            }
            _ => 10,
        };
        world.pass(waits).await;
        if !world.is_alive(self.life) || world.dies_at(Point::AfterAnswer) {
            return world.gone().await;
        }
        told
    }

    /// The first byte leaves, or (`None`) finds no connection; and how long it travels.
    fn leaves(&self, out: &Outgoing) -> (usize, Option<Fate>, u64) {
        let world = &self.world;
        let mut state = world.lock();
        let now = world.true_now(&state);
        let sent = state.starts(now, world.clock.now(), self.channel, out);
        let draw = state.draw.named("fate").of(sent as u64);
        if state.calm {
            return (sent, Some(Fate::Served), draw.named("travels").between(20, 150));
        }
        let faults = state.setting.faults;
        if draw.named("connect").hits(faults.not_connected) {
            return (sent, None, draw.named("refused").between(1, 3000));
        }
        (sent, Some(fate(draw, faults)), draw.named("travels").between(20, 150 + faults.slow_request_ms))
    }

    /// A question; `None`: it failed.
    async fn ask(&self, what: &'static str) -> Option<()> {
        let world = &self.world;
        if !world.is_alive(self.life) {
            return world.gone().await;
        }
        let (fails, takes) = {
            let mut state = world.lock();
            let n = state.count("question");
            let draw = state.draw.named(what).of(n);
            (!state.calm && draw.hits(state.setting.faults.lookup_fails), draw.of(1).between(20, 400))
        };
        world.pass(takes).await;
        if !world.is_alive(self.life) {
            return world.gone().await;
        }
        (!fails).then_some(())
    }

    fn found(&self, fits: impl Fn(&crate::world::Sent) -> bool) -> Lookup {
        let state = self.world.lock();
        let lag = TimeDelta::seconds(if state.calm { 0 } else { state.setting.faults.lag_s as i64 });
        let now = self.world.true_now(&state);
        let mut all = state.sent.iter().filter(|s| s.channel == self.channel && s.provider_id.is_some());
        let Some(sent) = all.find(|s| fits(s) && s.taken_at + lag <= now) else { return Lookup::NotSeen };
        let provider_id = sent.provider_id.clone().unwrap_or_default();
        let heard: Vec<Heard> = match sent.reports.last() {
            Some(last) => vec![last.clone()],
            None => Vec::new(),
        };
        Lookup::Found { provider_id, heard }
    }
}

fn fate(draw: crate::random::Draw, faults: crate::setting::Faults) -> Fate {
    let loss = draw.named("loss").pick(&[Loss::Timeout, Loss::Broken, Loss::BadGateway]);
    if draw.named("throttled").hits(faults.throttled) {
        let after_s = draw.named("after").hits(500).then(|| draw.named("seconds").between(1, 300));
        Fate::Throttled { after_s }
    } else if draw.named("before").hits(faults.lost_before) {
        Fate::LostBefore(loss)
    } else if draw.named("after").hits(faults.lost_after) {
        Fate::LostAfter(loss)
    } else {
        Fate::Served
    }
}

impl Provider for Line {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn name(&self) -> &'static str {
        wire::provider(self.channel)
    }

    fn send<'a>(&'a self, out: &'a Outgoing) -> BoxFuture<'a, Answer> {
        self.create(out).boxed()
    }

    fn look_up<'a>(&'a self, out: &'a Outgoing, _since: At) -> BoxFuture<'a, Lookup> {
        async move {
            if self.channel == Channel::Whatsapp {
                return Lookup::Impossible;
            }
            if self.ask("look up").await.is_none() {
                return Lookup::Failed(wire::no_answer(self.channel));
            }
            match &out.message {
                Message::Text { body, .. } => self.found(|s| s.to == out.to && s.body == *body),
                Message::Template(_) | Message::Call(_) => self.found(|s| s.key == out.key),
            }
        }
        .boxed()
    }

    fn status<'a>(&'a self, provider_id: &'a str) -> BoxFuture<'a, Lookup> {
        async move {
            if self.channel == Channel::Whatsapp {
                return Lookup::Impossible;
            }
            if self.ask("status").await.is_none() {
                return Lookup::Failed(wire::no_answer(self.channel));
            }
            self.found(|s| s.provider_id.as_deref() == Some(provider_id))
        }
        .boxed()
    }

    fn recall<'a>(&'a self, provider_id: &'a str, _control: Option<&'a str>) -> BoxFuture<'a, Recall> {
        async move {
            if self.channel != Channel::Phone {
                return Recall::Impossible;
            }
            if self.ask("recall").await.is_none() {
                return Recall::TooLate;
            }
            let mut state = self.world.lock();
            let found = state.sent.iter_mut().find(|s| s.provider_id.as_deref() == Some(provider_id));
            match found {
                Some(call) if !call.over && !call.connected => {
                    call.over = true;
                    Recall::Done
                }
                Some(_) | None => Recall::TooLate,
            }
        }
        .boxed()
    }

    fn inbound_since(&self, since: At) -> BoxFuture<'_, Result<Vec<Heard>, Box<Failure>>> {
        async move {
            if self.channel != Channel::Sms {
                return Ok(Vec::new());
            }
            let asked = self.world.now();
            if self.ask("inbound").await.is_none() {
                return Err(wire::no_answer(self.channel));
            }
            let mut state = self.world.lock();
            let now = self.world.true_now(&state);
            let listed: Vec<Heard> =
                state.texted.iter().filter(|t| t.at >= since).map(|t| t.report.clone()).collect();
            state.asked_for_inbound(asked, now, self.life, &listed);
            Ok(listed)
        }
        .boxed()
    }

    fn sent_since(&self, since: At) -> BoxFuture<'_, Result<Option<Vec<Listed>>, Box<Failure>>> {
        async move {
            if self.channel == Channel::Whatsapp {
                return Ok(None);
            }
            if self.ask("sent").await.is_none() {
                return Err(wire::no_answer(self.channel));
            }
            let state = self.world.lock();
            let lag = TimeDelta::seconds(if state.calm { 0 } else { state.setting.faults.lag_s as i64 });
            let now = self.world.true_now(&state);
            // The clients translate between their clocks and ours.
            let ahead = self.world.clock.now() - now;
            let taken =
                state.sent.iter().filter(|s| s.channel == self.channel && s.taken_at + ahead >= since);
            let listed = taken.filter(|s| s.taken_at + lag <= now).filter_map(|s| wire::listed(s, ahead));
            Ok(Some(listed.collect()))
        }
        .boxed()
    }

    fn check<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<bool, Box<Failure>>> {
        async move {
            if self.ask("check").await.is_none() {
                return Err(wire::no_answer(self.channel));
            }
            let state = self.world.lock();
            let now = self.world.true_now(&state);
            Ok(state.is_shut(self.channel, now).as_ref() != Some(scope))
        }
        .boxed()
    }

    fn set_up<'a>(&'a self, _webhooks: &'a str) -> BoxFuture<'a, Result<(), Box<Failure>>> {
        futures::future::ready(Ok(())).boxed()
    }
}

/// The attempt behind a key of our store.
pub fn attempt(key: &str) -> Option<cascade::model::AttemptId> {
    parse_attempt_key(crate::shelf::STORE, key)
}
