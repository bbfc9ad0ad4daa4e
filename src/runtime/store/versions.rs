//! Versions of rules and texts that ran or were saved: who, when, why, how many people, how many converted.

use super::StoreError;
use super::load::Reader;
use crate::engine::audit::{Account, Audit};
use crate::engine::event::{Edition, End, Kind};
use crate::engine::journey::{Journey, State};
use crate::engine::order::Ask;
use crate::engine::{Campaign, retime::Choice};
use crate::model::{At, CampaignId, OrderId, Untrusted};
use crate::runtime::saving::{SaveState, Saved, Version};
use rusqlite::params;

/// A version that was put in force while people were in flight.
struct Changed {
    campaign: CampaignId,
    order: OrderId,
    edition: Edition,
    choice: Choice,
    at: At,
}

impl Changed {
    fn is_of(&self, account: &Account) -> bool {
        (self.campaign, self.order) == (account.campaign, account.order)
    }
}

impl Reader {
    /// The newest first.
    pub fn versions(&self) -> Result<Vec<Version>, StoreError> {
        let ids: Vec<i64> = self.rows_of("SELECT id FROM campaign ORDER BY id", [], |row| row.get(0))?;
        let (audit, changes) = (self.audit(None)?, self.changes()?);
        let mut versions = Vec::new();
        for id in ids {
            if let Some(campaign) = self.campaign(Some(CampaignId(id as u64)))? {
                versions.extend(versions_of(&campaign, &audit, &changes));
            }
        }
        for saved in self.saves().unwrap_or_default() {
            let saved_at = saved.signature.wall_at;
            let mut orders = audit.orders().iter().filter(|account| account.wall_at == saved_at);
            // Those in flight go by it, also where it was one of theirs already.
            let moved = orders.any(|account| changes.iter().any(|change| change.is_of(account)));
            let ran = moved
                || versions.iter().any(|version: &Version| {
                    let (is, was) = (&version.edition, &saved.edition);
                    // What ran before it was saved again ran by an earlier save.
                    let is_later = version.wall_at.is_none_or(|at| at >= saved_at);
                    is_later
                        && version.campaign.is_some()
                        && is.rules == was.rules
                        && is.content == was.content
                });
            if !ran && matches!(saved.state, SaveState::InForce { .. }) {
                // By the calendar: what was saved between two launches stands between them.
                let one = unused(saved);
                let later = |version: &Version| version.wall_at > one.wall_at;
                let place = versions.iter().position(later).unwrap_or(versions.len());
                versions.insert(place, one);
            }
        }
        versions.reverse();
        Ok(versions)
    }

    /// The oldest first.
    fn changes(&self) -> Result<Vec<Changed>, StoreError> {
        let sql = "SELECT body FROM event WHERE kind = 'rules_changed' ORDER BY seq";
        let bodies: Vec<String> = self.rows_of(sql, params![], |row| row.get(0))?;
        let mut changes = Vec::new();
        for body in bodies {
            let event = self.parse::<crate::engine::event::Event>(&body, "a change of the rules")?;
            if let Kind::RulesChanged { order, edition, choice, .. } = event.kind {
                let (campaign, at) = (event.campaign, event.at);
                changes.push(Changed { campaign, order, edition: *edition, choice, at });
            }
        }
        Ok(changes)
    }
}

/// Saved, and launched by none yet.
fn unused(saved: Saved) -> Version {
    Version {
        edition: saved.edition,
        at: saved.signature.wall_at,
        wall_at: Some(saved.signature.wall_at),
        campaign: None,
        number: 0,
        by: Some(saved.signature.by),
        why: saved.why,
        choice: None,
        people: 0,
        conversions: 0,
    }
}

/// Those of one campaign, oldest first: that of its launch, and each that was put in force since.
fn versions_of(campaign: &Campaign, audit: &Audit, changes: &[Changed]) -> Vec<Version> {
    let id = campaign.id();
    let here = |what: &dyn Fn(&Account) -> bool| {
        audit.orders().iter().filter(move |a| a.campaign == id).find(|a| what(a)).cloned()
    };
    // One that was saved once more, for those who had not been shown, is the version that it was.
    let mut made: Vec<&Changed> = Vec::new();
    let first = campaign.edition(0);
    for change in changes.iter().filter(|change| change.campaign == id) {
        if made.last().map_or(&first, |last| &last.edition) != &change.edition {
            made.push(change);
        }
    }
    let version = |number: u32| {
        let change = number.checked_sub(1).and_then(|at| made.get(at as usize));
        let order = match change {
            None => here(&|account| number == 0 && account.what == Ask::Launch),
            Some(change) => here(&|account| change.is_of(account)),
        };
        let (people, conversions) = touched(campaign.journeys(), number);
        Version {
            edition: campaign.edition(number),
            at: change.map_or(campaign.header.started_at, |change| change.at),
            wall_at: order.as_ref().map(|account| account.wall_at),
            campaign: Some(id),
            number,
            by: order.as_ref().map(|account| account.by.clone()),
            why: order.as_ref().and_then(|a| a.why.as_ref()).map(Untrusted::screen).unwrap_or_default(),
            choice: change.map(|change| change.choice),
            people,
            conversions,
        }
    };
    (0..=campaign.newest_edition()).map(version).collect()
}

/// Who was sent something under this version's rules, and how many of them converted by it.
fn touched(journeys: &[Journey], number: u32) -> (u64, u64) {
    let (mut people, mut conversions) = (0, 0);
    for journey in journeys {
        let mut sent = journey.attempts.iter().filter(|a| a.claimed_at.is_some() && a.rules == number);
        people += u64::from(sent.next().is_some());
        if journey.state == State::Ended(End::Converted) {
            let by = journey.attempts.iter().rev().find(|a| Some(a.channel) == journey.credited);
            conversions += u64::from(by.is_some_and(|attempt| attempt.rules == number));
        }
    }
    (people, conversions)
}
