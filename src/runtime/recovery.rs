//! After a gap: first hear what was said meanwhile, then send.
//!
//! Twilio's inbound messages since the last event are listed, since a missed webhook is not delivered again: however
//! long that takes, because whoever texted STOP meanwhile must not be sent to. Every call and message without an end
//! is asked about, calls whose report is awaited among them. Where that fails again and again the operator is told
//! and sending goes on: nobody on such a call is sent to before its end is known, and they are asked about again.
//! WhatsApp, which cannot be asked, redelivers and is given a settling time of campaign time from the moment we can
//! hear again (PROVIDERS.md section 0).

use super::dispatch::Dispatch;
use super::handle::{Level, Notice};
use crate::model::{At, Channel, Failure};
use crate::providers::{Lookup, Provider};
use chrono::TimeDelta;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

/// How long WhatsApp's redelivery may take, campaign time.
pub const SETTLING: TimeDelta = TimeDelta::minutes(10);

/// Before sending goes on, inbound messages are listed once more: a list may lag as much as the rest of the settling.
const LIST_LAG: TimeDelta = TimeDelta::minutes(2);

/// Wall time before a provider that did not answer is asked again; it grows with every time.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_MAX: Duration = Duration::from_mins(1);

/// How often calls and messages without an end are asked about.
const ROUNDS: u32 = 5;

/// Asked about at once; the provider's desk lets fewer through.
const TOGETHER: usize = 8;

/// More than these take a while, and the operator is told so.
const MANY: usize = 40;

/// Inbound messages are asked for from this long before the last event: clocks differ.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// What was sent is asked for from this long before: our clock may have been put right since, and what is known
/// already is told apart by its id.
const OVERLAP_SENT: TimeDelta = TimeDelta::days(1);

/// A call or message whose end is not known: where, and the provider's id.
pub type Open = (Channel, String);

/// One that could not be asked about, and why.
type Unasked = (Open, Box<Failure>);

/// What is missing since the store was restored, and on which channels somebody may have been sent to in it.
#[derive(Clone, Debug)]
pub struct Lost {
    /// Nothing that is missing was sent before.
    pub since: At,
    /// The last event that may be lost.
    pub until: At,
    /// Where to ask.
    pub channels: Vec<Channel>,
}

/// Asks everybody who can be asked, then says that sending may go on.
pub async fn catch_up(dispatch: Dispatch, number: u64, open: Vec<Open>, since: At, lost: Option<Lost>) {
    // What was sent comes before what was said to it.
    if let Some(lost) = lost {
        sent(&dispatch, lost).await;
    }
    for provider in dispatch.providers() {
        inbound(&dispatch, provider, since).await;
    }
    ends(&dispatch, open).await;
    dispatch.caught_up(number).await;
    dispatch.clock().sleep_until(dispatch.clock().now() + SETTLING - LIST_LAG).await;
    for listed in dispatch.providers() {
        inbound_again(&dispatch, listed, since).await;
    }
}

/// Lists lag: what was said shortly before we could hear again stands in them only by now.
async fn inbound_again(dispatch: &Dispatch, provider: &Arc<dyn Provider>, since: At) {
    match dispatch.asking().ask(provider.channel(), provider.inbound_since(since - OVERLAP)).await {
        Ok(heard) => dispatch.report(heard).await,
        Err(failure) => {
            let text = format!(
                "{} could not be asked once more for messages that came meanwhile ({} {}); its webhooks alone tell now",
                provider.name(),
                failure.code,
                failure.title
            );
            dispatch.tell_operator(Notice { level: Level::Warning, text }).await;
        }
    }
}

async fn inbound(dispatch: &Dispatch, provider: &Arc<dyn Provider>, since: At) {
    let ask = || provider.inbound_since(since - OVERLAP);
    let heard = until_answered(dispatch, provider, "messages that came meanwhile", ask).await;
    dispatch.report(heard).await;
}

/// Lists what was sent since the backup, once the lists show all of it.
async fn sent(dispatch: &Dispatch, lost: Lost) {
    dispatch.clock().sleep_until(lost.until + SETTLING).await;
    let (mut listed, mut untold) = (Vec::new(), Vec::new());
    // Rules that were lost may have used any of them, and rules to come may again.
    let asked = |channel: &Channel| lost.channels.contains(channel) || dispatch.provider(*channel).is_some();
    for channel in Channel::ALL.iter().copied().filter(asked) {
        let Some(provider) = dispatch.provider(channel) else {
            // It may have been in use when the lost part was.
            untold.push(channel);
            continue;
        };
        let ask = || provider.sent_since(lost.since - OVERLAP_SENT);
        match until_answered(dispatch, &provider, "what was sent after the backup", ask).await {
            Some(sent) => listed.push((channel, sent)),
            None => untold.push(channel),
        }
    }
    dispatch.sent_since(listed, untold).await;
}

/// Asks again and again; at the first failure the operator is told for what.
async fn until_answered<'a, T>(
    dispatch: &Dispatch,
    provider: &Arc<dyn Provider>,
    what: &str,
    ask: impl Fn() -> BoxFuture<'a, Result<T, Box<Failure>>>,
) -> T {
    let mut round = 1;
    loop {
        match dispatch.asking().ask(provider.channel(), ask()).await {
            Ok(answer) => return answer,
            Err(failure) if round == 1 => {
                let text = format!(
                    "{} could not be asked for {what} ({} {}); nothing is sent before it answers. {}",
                    provider.name(),
                    failure.code,
                    failure.title,
                    failure.remedy
                );
                dispatch.tell_operator(Notice { level: Level::Error, text }).await;
            }
            Err(_) => {}
        }
        pause(round).await;
        round = round.saturating_add(1);
    }
}

async fn pause(round: u32) {
    tokio::time::sleep(AGAIN.saturating_mul(round).min(AGAIN_MAX)).await;
}

/// Asks about all of them, about those whose question failed once more, and says at last which could not be asked.
async fn ends(dispatch: &Dispatch, mut open: Vec<Open>) {
    if open.len() > MANY {
        let text =
            format!("asking what became of {} calls and messages, before anything is sent", open.len());
        dispatch.tell_operator(Notice { level: Level::Info, text }).await;
    }
    for round in 1..=ROUNDS {
        let mut failed = Vec::new();
        for channel in Channel::ALL {
            let here = open.iter().filter(|(on, _)| on == channel).cloned().collect();
            failed.extend(round_of_ends(dispatch, *channel, here).await);
        }
        if failed.is_empty() {
            return;
        }
        if round == ROUNDS {
            return tell_unasked(dispatch, &failed).await;
        }
        open = failed.into_iter().map(|(open, _)| open).collect();
        pause(round).await;
    }
}

/// Asks one provider, the first question alone: one that does not answer it is not asked a thousand more. Those whose
/// question failed, and why.
async fn round_of_ends(dispatch: &Dispatch, channel: Channel, open: Vec<Open>) -> Vec<Unasked> {
    let mut rest = open.into_iter();
    let Some(first) = rest.next() else { return Vec::new() };
    if let Some(failure) = ask_end(dispatch, channel, &first.1).await {
        let why = |open| (open, failure.clone());
        return std::iter::once(first).chain(rest).map(why).collect();
    }
    let asked = futures::stream::iter(rest).map(|(_, id)| async move {
        let failure = match dispatch.asking().given_up(channel) {
            Some(failure) => failure,
            None => ask_end(dispatch, channel, &id).await?,
        };
        Some(((channel, id), failure))
    });
    asked.buffered(TOGETHER).filter_map(futures::future::ready).collect().await
}

/// Why it could not be asked; `None`: what is known was told.
async fn ask_end(dispatch: &Dispatch, channel: Channel, id: &str) -> Option<Box<Failure>> {
    let provider = dispatch.provider(channel)?;
    match dispatch.asking().ask(channel, provider.status(id)).await {
        Lookup::Found { heard, .. } => {
            dispatch.report(heard).await;
            None
        }
        Lookup::NotSeen | Lookup::Impossible => None,
        Lookup::Failed(failure) => Some(failure),
    }
}

async fn tell_unasked(dispatch: &Dispatch, failed: &[Unasked]) {
    for channel in Channel::ALL {
        let here = || failed.iter().filter(|((on, _), _)| on == channel);
        let Some((_, failure)) = here().next_back() else { continue };
        let (what, then) = if *channel == Channel::Phone {
            (
                "calls",
                "whoever is on one of them is sent nothing before that is known, and they are asked about again",
            )
        } else {
            ("messages", "their waits go on")
        };
        let text = format!(
            "{} could not be asked how {} {what} ended ({} {}); {then}. {}",
            failure.provider,
            here().count(),
            failure.code,
            failure.title,
            failure.remedy
        );
        dispatch.tell_operator(Notice { level: Level::Error, text }).await;
    }
}

#[cfg(test)]
mod tests;
