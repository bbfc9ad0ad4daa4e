//! From a provider's report to the engine's news: looks up the person, keeps the text, reads its meaning.

use crate::engine::Campaign;
use crate::engine::input::{CallEnd, Heard, What};
use crate::engine::meaning;
use crate::model::{AttemptId, PersonId, TextId, Untrusted, parse_attempt_key};
use crate::providers;
use sha2::{Digest, Sha256};

/// What the driver knows that a report does not.
pub struct Lookups<'a> {
    /// The store's tag in attempt keys.
    pub store: &'a str,
    /// The person behind the number.
    pub line: Option<PersonId>,
    /// The attempt behind a short link's code.
    pub linked: Option<AttemptId>,
    /// Where the report's text will stand in the store, if it has one.
    pub text: Option<TextId>,
}

/// The report's own text, to be kept.
pub fn text_of(heard: &providers::Heard) -> Option<&Untrusted> {
    match &heard.what {
        providers::Fact::Inbound { text, .. } => Some(text),
        providers::Fact::CallEnded(end) => end.said.as_ref(),
        providers::Fact::Sent
        | providers::Fact::Delivered
        | providers::Fact::Read
        | providers::Fact::Failed(_)
        | providers::Fact::Preference { .. }
        | providers::Fact::CallProgressed(_)
        | providers::Fact::Clicked { .. }
        | providers::Fact::Cost(_)
        | providers::Fact::System { .. } => None,
    }
    .filter(|text| !text.is_empty())
}

/// A report's key for deduplication: short, and the same for ever.
pub fn dedup_key(heard: &providers::Heard) -> [u8; 16] {
    let digest =
        Sha256::new().chain_update(heard.provider).chain_update([0]).chain_update(&heard.dedup).finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

/// Whether it says, or may mean, that they want no more contact.
pub fn stops(heard: &providers::Heard) -> bool {
    match &heard.what {
        providers::Fact::Inbound { text, payload, provider_optout } => {
            *provider_optout == Some(true)
                || matches!(meaning::read(text.raw(), payload.as_deref()), meaning::Meaning::OptOut(_))
        }
        providers::Fact::Preference { stop } => *stop,
        providers::Fact::CallEnded(end) => matches!(said(end), Some(meaning::Meaning::OptOut(_))),
        providers::Fact::Sent
        | providers::Fact::Delivered
        | providers::Fact::Read
        | providers::Fact::Failed(_)
        | providers::Fact::CallProgressed(_)
        | providers::Fact::Clicked { .. }
        | providers::Fact::Cost(_)
        | providers::Fact::System { .. } => false,
    }
}

/// Whether a human being reacted: their other contacts wait until it is recorded.
pub fn is_reaction(heard: &providers::Heard) -> bool {
    matches!(heard.what, providers::Fact::Inbound { .. } | providers::Fact::Preference { .. })
}

/// Fills in what a webhook about a failure could not tell: which template and country the attempt had.
pub fn complete(heard: &mut providers::Heard, campaign: &Campaign, store: &str) {
    let failure = match &mut heard.what {
        providers::Fact::Failed(failure)
        | providers::Fact::CallEnded(providers::CallEnd {
            result: providers::CallResult::Failed(failure),
            ..
        }) => failure,
        providers::Fact::CallEnded(_)
        | providers::Fact::Sent
        | providers::Fact::Delivered
        | providers::Fact::Read
        | providers::Fact::Inbound { .. }
        | providers::Fact::Preference { .. }
        | providers::Fact::CallProgressed(_)
        | providers::Fact::Clicked { .. }
        | providers::Fact::Cost(_)
        | providers::Fact::System { .. } => return,
    };
    let ours = heard.attempt_key.as_deref().and_then(|key| parse_attempt_key(store, key));
    let theirs = || campaign.by_provider_id(heard.provider_id.as_deref()?);
    let Some((journey, attempt)) = ours.or_else(theirs).and_then(|id| campaign.attempt(id)) else { return };
    let template = journey.start.walk.get(attempt.step as usize).and_then(|leg| leg.template.as_deref());
    providers::errors::complete(failure, template, journey.start.country.as_deref());
}

/// The engine's news of this report.
pub fn news(heard: providers::Heard, known: Lookups<'_>) -> Heard {
    let attempt = heard.attempt_key.as_deref().and_then(|key| parse_attempt_key(known.store, key));
    let what = match heard.what {
        providers::Fact::Sent => What::Sent,
        providers::Fact::Delivered => What::Delivered,
        providers::Fact::Read => What::Read,
        providers::Fact::Failed(failure) => What::Failed(failure),
        providers::Fact::Inbound { text, payload, provider_optout } => match provider_optout {
            // Their own words stay in the text; the log needs the word alone.
            Some(true) => What::Stopped("STOP".into()),
            Some(false) | None => What::Inbound(meaning::read(text.raw(), payload.as_deref())),
        },
        providers::Fact::Preference { stop: true } => What::Stopped("stopped marketing messages".into()),
        providers::Fact::Preference { stop: false } => What::Other("resumed marketing messages".into()),
        providers::Fact::CallProgressed(progress) => What::CallProgressed(progress),
        providers::Fact::CallEnded(end) => What::CallEnded(call_end(end)),
        providers::Fact::Clicked { suspected } => What::Clicked(suspected),
        providers::Fact::Cost(cost) => What::Cost(cost),
        providers::Fact::System { shuts: Some((scope, failure)), .. } => What::Shut(scope, failure),
        providers::Fact::System { what, shuts: None } => What::Other(what.screen()),
    };
    Heard {
        provider: heard.provider.into(),
        channel: heard.channel,
        happened_at: heard.happened_at,
        provider_id: heard.provider_id,
        attempt: attempt.or(known.linked),
        line: known.line,
        text: known.text,
        what,
    }
}

/// What the person meant on the phone; `None` while no report told.
fn said(end: &providers::CallEnd) -> Option<meaning::Meaning> {
    if end.said.is_none() && end.structured.is_none() {
        return None;
    }
    Some(meaning::read_call(end.said.as_ref().map(Untrusted::raw), end.structured.as_ref()))
}

fn call_end(end: providers::CallEnd) -> CallEnd {
    let meaning = said(&end);
    CallEnd { reason: end.reason, talked_s: end.talked_s, meaning, cost: end.cost, result: end.result }
}
