//! What happens later, by itself: people act, messages arrive, calls go on, webhooks leave.
//!
//! An act stays in the memory until it is done, so a restart goes on with it. It happens at the time for which
//! it was planned, however late the process gets to it.

use super::deliver::{self, Delivery};
use super::ledger::Provider;
use super::people::Saying;
use super::world::{App, World};
use super::{meta, spoil, twilio, vapi};
use crate::model::At;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Webhooks and clicks under way at once.
const PARALLEL: usize = 32;

/// Something planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Act {
    /// A WhatsApp message gets a new status.
    WhatsappStatus { message: String, status: meta::Status, code: Option<u32> },
    /// Somebody answers a WhatsApp message.
    WhatsappReply { message: String, saying: Saying },
    /// A call goes on.
    Call { call: String, phase: vapi::Phase },
    /// An SMS gets a new status.
    SmsStatus { sid: String, status: String, code: Option<u32> },
    /// Somebody answers an SMS.
    SmsReply { sid: String, saying: Saying },
    /// The price of an SMS is known.
    SmsPriced { sid: String },
    /// Somebody, or a machine on their side, follows a link.
    Follow { provider: Provider, to: String, url: String, scanner: bool },
    /// A webhook leaves.
    Deliver(Box<Delivery>),
}

/// Does what is due until told to stop. Webhooks under way then are sent again after the next start.
pub(super) async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut away = JoinSet::new();
    let lines = Arc::new(Semaphore::new(PARALLEL));
    loop {
        let due = app.lock().next_due();
        tokio::select! {
            _ = stopped.changed() => return,
            () = app.wake.notified() => {}
            () = until(&app, due) => {}
            Some(_) = away.join_next() => {}
        }
        let acts = app.lock().take_due(app.clock.now());
        let (outward, inward): (Vec<_>, Vec<_>) =
            acts.into_iter().partition(|(_, _, act)| matches!(act, Act::Deliver(_) | Act::Follow { .. }));
        if !inward.is_empty() {
            let done = app.change(|world, _| {
                for (at, id, act) in inward {
                    happen(world, at, act);
                    world.done(&[id]);
                }
            });
            if let Err(error) = done.await {
                tracing::error!(%error, "the sandbox stops acting");
                return;
            }
        }
        for (ids, act) in spoil::batches(outward.into_iter().map(|(_, id, act)| (id, act)).collect()) {
            let (app, lines) = (Arc::clone(&app), Arc::clone(&lines));
            away.spawn(async move {
                let _line = lines.acquire().await;
                leave(&app, &ids, act).await;
            });
        }
    }
}

async fn until(app: &App, due: Option<At>) {
    match due {
        Some(due) => app.clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn happen(world: &mut World, at: At, act: Act) {
    match act {
        Act::WhatsappStatus { message, status, code } => meta::status(world, at, &message, status, code),
        Act::WhatsappReply { message, saying } => meta::reply(world, at, &message, saying),
        Act::Call { call, phase } => vapi::go_on(world, at, &call, phase),
        Act::SmsStatus { sid, status, code } => twilio::status(world, at, &sid, &status, code),
        Act::SmsReply { sid, saying } => twilio::reply(world, at, &sid, saying),
        Act::SmsPriced { sid } => twilio::price(world, &sid),
        // These leave the process; see `leave`.
        Act::Follow { .. } | Act::Deliver(_) => {}
    }
}

async fn leave(app: &App, ids: &[u64], act: Act) {
    let result = match act {
        Act::Deliver(delivery) => deliver::send(app, ids, *delivery).await,
        Act::Follow { provider, to, url, scanner } => {
            deliver::follow(app, ids, provider, &to, &url, scanner).await
        }
        Act::WhatsappStatus { .. }
        | Act::WhatsappReply { .. }
        | Act::Call { .. }
        | Act::SmsStatus { .. }
        | Act::SmsReply { .. }
        | Act::SmsPriced { .. } => Ok(()),
    };
    if let Err(error) = result {
        tracing::error!(%error, "what a webhook was answered cannot be written down");
    }
}
