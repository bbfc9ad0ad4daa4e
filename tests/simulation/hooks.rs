//! Webhooks on their way to us, delivered and redelivered as each provider does.

use crate::happenings::Happening;
use crate::setting::Point;
use crate::world::{Process, World};
use cascade::model::At;
use cascade::providers::Heard;
use cascade::runtime::hearing::dedup_key;
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;

/// Twilio's patience; the others' is no shorter.
const PATIENCE: Duration = Duration::from_secs(15);

/// Seconds between Meta's tries.
const META_PAUSES_S: [i64; 10] = [1, 15, 30, 60, 120, 300, 600, 1200, 3600, 7200];

/// What a request to us carries.
#[derive(Clone, Debug)]
pub enum Body {
    Report(Box<Heard>),
    /// A short link is followed.
    Follow {
        code: String,
        sent: usize,
    },
}

/// A request to us.
#[derive(Clone, Debug)]
pub struct Hook {
    pub body: Body,
    pub tries: u32,
    /// A second copy, which nobody sends again.
    pub copy: bool,
}

impl Hook {
    pub fn new(report: Heard) -> Self {
        Self { body: Body::Report(Box::new(report)), tries: 0, copy: false }
    }

    pub fn key(&self) -> Option<[u8; 16]> {
        match &self.body {
            Body::Report(report) => Some(dedup_key(report)),
            Body::Follow { .. } => None,
        }
    }

    /// When it is sent again after this answer; `None`: never.
    pub fn again(&self, answered: Option<u16>, now: At) -> Option<At> {
        let Body::Report(report) = &self.body else { return None };
        if self.copy || answered == Some(200) {
            return None;
        }
        let tries = self.tries as usize;
        let pause = match report.provider {
            "whatsapp" => TimeDelta::seconds(META_PAUSES_S[tries.min(META_PAUSES_S.len() - 1)]),
            "vapi" => TimeDelta::seconds(2_i64.checked_shl(self.tries).filter(|_| tries < 5)?),
            // Once more, and only if nobody answered.
            _ if answered.is_none() && tries == 0 => TimeDelta::seconds(1),
            _ => return None,
        };
        Some(now + pause)
    }
}

/// Delivers to a process that was there when it left.
pub async fn deliver(world: Arc<World>, hook: Hook, process: Process) {
    {
        let mut state = world.lock();
        let now = world.true_now(&state);
        if !world.is_alive(process.life) {
            state.undelivered(now, hook, None);
            return;
        }
        state.received(now, &hook);
    }
    let answered = tokio::time::timeout(PATIENCE, answer(&hook, &process)).await.ok().flatten();
    let answered = answered.filter(|_| world.is_alive(process.life));
    let answered = answered.filter(|code| *code != 200 || !world.dies_at(Point::BeforeTwoHundred));
    let mut state = world.lock();
    let now = world.true_now(&state);
    if answered == Some(200) {
        state.acknowledged(now, &hook);
    }
    state.undelivered(now, hook, answered);
    drop(state);
    world.changed.notify_one();
}

async fn answer(hook: &Hook, process: &Process) -> Option<u16> {
    match &hook.body {
        Body::Report(report) => {
            let taken = process.inbox.take(vec![(**report).clone()]).await;
            Some(if taken.is_ok() { 200 } else { 503 })
        }
        Body::Follow { code, .. } => match process.inbox.follow(code.clone(), None).await {
            Ok(Some(_)) => Some(200),
            Ok(None) => Some(404),
            Err(_) => Some(503),
        },
    }
}

impl crate::world::State {
    /// Plans the next try, if the provider makes one.
    pub fn undelivered(&mut self, now: At, mut hook: Hook, answered: Option<u16>) {
        self.mark(now, "answered", u64::from(answered.unwrap_or(0)));
        if let Some(due) = hook.again(answered, now) {
            hook.tries += 1;
            self.plan(due, Happening::Hook(hook));
        }
    }
}
