//! What a claimed attempt says: content filled in for its customer, with a short link of its own.

use super::links;
use super::store::LinkRow;
use crate::engine::Campaign;
use crate::model::{At, AttemptId, Channel, Class, Customer, Failure, Scope, Sent, Untrusted, attempt_key};
use crate::providers::Outgoing;
use crate::rules::content::Content;
use crate::rules::render::{Context, Link};
use std::sync::Arc;

/// Least and most seconds a text may stay in the provider's queue (Twilio's `ValidityPeriod`).
const VALIDITY_S: (i64, i64) = (5, 36_000);

/// Fills content in.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// What is said.
    pub content: Arc<Content>,
    /// Where short links begin: `https://host/l`.
    pub links_base: String,
    /// Where they lead.
    pub links_target: String,
}

impl Speaker {
    /// The complete request of a claimed attempt, and the link that stands in it: a new one, or after a restart
    /// the one that it carried.
    pub fn say(
        &self,
        campaign: &Campaign,
        attempt: AttemptId,
        customer: &Customer,
        now: At,
        code: Option<String>,
    ) -> Result<(Outgoing, LinkRow), Box<Failure>> {
        let (journey, claimed) =
            campaign.attempt(attempt).ok_or_else(|| refusal(Channel::Sms, "the attempt is unknown"))?;
        let channel = claimed.channel;
        let key = attempt_key(&campaign.header.launch.store, attempt);
        let code = match code {
            Some(code) => code,
            None => links::new_code().map_err(|error| refusal(channel, &error.to_string()))?,
        };
        let url = format!("{}/{code}", self.links_base);
        let tried: Vec<Channel> = journey
            .attempts
            .iter()
            .filter(|a| a.contacted() && a.channel != channel)
            .map(|a| a.channel)
            .collect();
        let policy = &campaign.header.launch.policy;
        let wait_s = journey.leg().and_then(|leg| leg.wait_s).unwrap_or(policy.conversion_window_s);
        let quiet_s =
            campaign.quiet_begins(journey.id, now).map_or(i64::MAX, |begins| (begins - now).num_seconds());
        let validity = (wait_s as i64).min(quiet_s).clamp(VALIDITY_S.0, VALIDITY_S.1);
        let context = Context {
            tried: &tried,
            attempt_key: &key,
            link: Link { url: &url, code: &code },
            validity_s: validity as u32,
        };
        let message = self
            .content
            .message(channel, customer, &context)
            .map_err(|error| refusal(channel, &error.to_string()))?;
        let outgoing = Outgoing {
            attempt,
            key,
            to: customer.phone.clone(),
            name: customer.name.clone(),
            country: customer.country.clone(),
            message,
        };
        Ok((outgoing, LinkRow { code, attempt, target: self.links_target.clone() }))
    }
}

/// We refuse ourselves: nothing was sent, this customer goes on to the next channel.
pub fn refusal(channel: Channel, why: &str) -> Box<Failure> {
    Box::new(Failure {
        channel,
        provider: "cascade".into(),
        code: "content".into(),
        class: Class::Recipient,
        scope: Scope::Person,
        sent: Sent::No,
        title: "the message could not be filled in".into(),
        remedy: "Mend the content or this customer's row; the customer goes on to the next channel.".into(),
        detail: Untrusted::new(why),
        retry_after_s: None,
    })
}

/// A fault of this program while a request may have been out: in doubt, like our own crash.
pub fn broken(channel: Channel) -> Box<Failure> {
    Box::new(Failure {
        channel,
        provider: "cascade".into(),
        code: "panic".into(),
        class: Class::InDoubt,
        scope: Scope::Person,
        sent: Sent::Maybe,
        title: "cascade failed while this was on its way".into(),
        remedy:
            "It may have been sent: it is looked up or awaited, never sent again by itself. See .cascade/log."
                .into(),
        detail: Untrusted::default(),
        retry_after_s: None,
    })
}
