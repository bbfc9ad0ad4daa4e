//! After a gap: first hear what was said meanwhile, then send.
//!
//! Twilio's inbound messages since the last event are listed, since a missed webhook is not delivered again;
//! every message or call without an end is asked for; WhatsApp, which cannot be asked, redelivers and is given
//! a settling time of campaign time from the moment we can hear again (PROVIDERS.md section 0).

use super::dispatch::Dispatch;
use super::handle::{Level, Notice};
use crate::engine::Campaign;
use crate::engine::journey::Stage;
use crate::model::{At, Channel, Outcome};
use crate::providers::Lookup;
use chrono::TimeDelta;
use std::time::Duration;

/// How long WhatsApp's redelivery may take, campaign time.
pub const SETTLING: TimeDelta = TimeDelta::minutes(10);

/// Wall time before a provider that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// Inbound messages are asked for from this long before the last event: clocks differ.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

/// Asks everybody who can be asked, as often as it takes, then says that sending may go on.
pub async fn catch_up(dispatch: Dispatch, open: Vec<(Channel, String)>, since: At) {
    for provider in dispatch.providers() {
        let mut told = false;
        loop {
            match provider.inbound_since(since - OVERLAP).await {
                Ok(heard) => {
                    dispatch.report(heard).await;
                    break;
                }
                Err(failure) if !std::mem::replace(&mut told, true) => {
                    let text = format!(
                        "{} could not be asked for messages that came meanwhile ({}); nothing is sent before it \
                         answers. {}",
                        provider.name(),
                        failure.code,
                        failure.remedy
                    );
                    dispatch.tell_operator(Notice { level: Level::Error, text }).await;
                }
                Err(_) => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
    for (channel, provider_id) in open {
        let Some(provider) = dispatch.provider(channel) else { continue };
        if let Lookup::Found { heard, .. } = provider.status(&provider_id).await {
            dispatch.report(heard).await;
        }
    }
    dispatch.caught_up().await;
}

/// Accepted messages and calls whose end is not known.
pub fn without_end(campaign: &Campaign) -> Vec<(Channel, String)> {
    let attempts = campaign.journeys().iter().flat_map(|journey| &journey.attempts);
    attempts
        .filter(|a| a.stage == Stage::Accepted)
        .filter(|a| match a.channel {
            Channel::Phone => !a.ended,
            Channel::Sms => !a.outcomes[Outcome::Delivered.index()],
            Channel::Whatsapp | Channel::Email => false,
        })
        .filter_map(|a| Some((a.channel, a.provider_id.clone()?)))
        .collect()
}
