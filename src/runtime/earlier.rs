//! Campaigns before the newest. They are over, and the world does not know: people answer them late, follow their
//! links, and providers report of their messages. Read from the store when news of them comes, a few kept at hand.

use super::driver::Driver;
use super::kept::Earlier;
use crate::engine::Campaign;
use crate::engine::input::Input;
use crate::model::{AttemptId, CampaignId, Phone, parse_attempt_key};
use crate::providers::{Fact, Heard};

/// Earlier campaigns at hand.
const AT_HAND: usize = 3;

impl Driver {
    /// Of which campaign this news is; what names no attempt is of the newest.
    pub(super) fn whose(&mut self, input: &Input) -> Option<CampaignId> {
        let attempt = match input {
            Input::Accepted { attempt, .. }
            | Input::Failed { attempt, .. }
            | Input::Braked { attempt, .. }
            | Input::Found { attempt, .. }
            | Input::Recalled { attempt, .. } => Some(*attempt),
            Input::Permit(_)
            | Input::Heard(_)
            | Input::Timer(_)
            | Input::ScopeChecked { .. }
            | Input::Restarted
            | Input::Restored(_)
            | Input::Reconciled { .. }
            | Input::Broken { .. }
            | Input::OutcomesChanged { .. }
            | Input::Order(_)
            | Input::Edit(_) => None,
        };
        attempt.and_then(|attempt| self.holding(attempt)).or_else(|| self.kept.newest())
    }

    /// The campaign of a report: of the attempt that it names, or of whoever wrote; else the newest.
    pub(super) fn whose_report(&mut self, report: &Heard, stops: bool) -> Option<CampaignId> {
        let named =
            report.attempt_key.as_deref().and_then(|key| parse_attempt_key(self.parts.store.id(), key));
        let named = named.or_else(|| self.known_by(report.provider_id.as_deref()?));
        if let Some(attempt) = named {
            return self.holding(attempt).or_else(|| self.kept.newest());
        }
        let wrote = matches!(report.what, Fact::Inbound { .. } | Fact::Preference { .. });
        let by = report.person.clone().filter(|_| wrote);
        by.and_then(|phone| self.answers_to(&phone, stops)).or_else(|| self.kept.newest())
    }

    /// An attempt by the provider's own id.
    pub(super) fn known_by(&self, provider_id: &str) -> Option<AttemptId> {
        let at_hand = self.kept.all().find_map(|(campaign, _)| campaign.by_provider_id(provider_id));
        at_hand.or_else(|| told(self.parts.store.attempt_by_provider(provider_id)).flatten())
    }

    /// The campaign of which this attempt is.
    pub(super) fn holding(&mut self, attempt: AttemptId) -> Option<CampaignId> {
        let at_hand = self.kept.all().find(|(campaign, _)| campaign.attempt(attempt).is_some());
        if let Some((campaign, _)) = at_hand {
            return Some(campaign.id());
        }
        let newest = self.kept.campaign.as_ref()?.header.launch.first_attempt;
        if attempt >= newest {
            return None;
        }
        let found = told(self.parts.store.campaign_holding(attempt)).flatten()?;
        self.take_to_hand(found)
    }

    /// Whoever writes without naming a message answers the campaign that contacted them last. A STOP ends what is
    /// still to come, so it goes to the newest campaign that they are in.
    fn answers_to(&mut self, phone: &Phone, stops: bool) -> Option<CampaignId> {
        let in_newest = self.kept.campaign.as_ref().is_some_and(|campaign| {
            let line = self.kept.lines.get(phone).copied().unwrap_or_default();
            let mut here = campaign.at_line(line).iter().filter_map(|id| campaign.journey(*id));
            let lost = campaign.header.restored.is_some();
            here.any(|journey| stops || lost || journey.contacts().next().is_some())
        });
        if in_newest {
            return None;
        }
        let people = told(self.parts.store.people_at(phone))?;
        let campaigns = people.into_iter().filter_map(|person| {
            told(self.parts.store.newest_campaign_of(person))
                .flatten()
                .filter(|id| Some(*id) != self.kept.newest())
        });
        let id = campaigns.max()?;
        if self.kept.earlier.contains_key(&id) {
            return Some(id);
        }
        let found = told(self.parts.store.campaign(id)).flatten()?;
        self.take_to_hand(found)
    }

    fn take_to_hand(&mut self, campaign: Campaign) -> Option<CampaignId> {
        let id = campaign.id();
        let people = told(self.parts.store.people(id))?;
        self.kept.earlier.insert(id, Earlier { campaign, people });
        Some(id)
    }

    /// What lies longest is put back, once it is on disk.
    pub(super) fn put_back(&mut self) {
        while self.kept.earlier.len() > AT_HAND {
            self.kept.earlier.pop_first();
        }
    }
}

/// A question to the store that failed leaves the news with the newest campaign, which keeps it as unmatched.
fn told<T>(answer: Result<T, super::store::StoreError>) -> Option<T> {
    answer.inspect_err(|error| tracing::error!(%error, "an earlier campaign cannot be read")).ok()
}
