//! Versions of rules and texts that ran or were saved: who, when, why, how many people, how many converted.

use super::StoreError;
use super::load::Reader;
use crate::engine::audit::{Account, Audit};
use crate::engine::event::{End, Kind};
use crate::engine::journey::{Journey, State};
use crate::engine::order::Ask;
use crate::engine::{Campaign, retime::Choice};
use crate::model::{At, CampaignId, OrderId, Untrusted};
use crate::runtime::saving::{SaveState, Saved, Version};
use rusqlite::params;
use std::collections::HashMap;

/// By campaign and order: what was chosen, and when.
type Choices = HashMap<(CampaignId, OrderId), (Choice, At)>;

impl Reader {
    /// The newest first.
    pub fn versions(&self) -> Result<Vec<Version>, StoreError> {
        let ids: Vec<i64> = self.rows_of("SELECT id FROM campaign ORDER BY id", [], |row| row.get(0))?;
        let (audit, choices) = (self.audit(None)?, self.choices()?);
        let mut versions = Vec::new();
        for id in ids {
            if let Some(campaign) = self.campaign(Some(CampaignId(id as u64)))? {
                versions.extend(versions_of(&campaign, &audit, &choices));
            }
        }
        for saved in self.saves().unwrap_or_default() {
            let saved_at = saved.signature.wall_at;
            let ran = versions.iter().any(|version: &Version| {
                let (is, was) = (&version.edition, &saved.edition);
                // What ran before it was saved again ran by an earlier save.
                let is_later = version.wall_at.is_none_or(|at| at >= saved_at);
                is_later && version.campaign.is_some() && is.rules == was.rules && is.content == was.content
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

    fn choices(&self) -> Result<Choices, StoreError> {
        let sql = "SELECT body FROM event WHERE kind = 'rules_changed' ORDER BY seq";
        let bodies: Vec<String> = self.rows_of(sql, params![], |row| row.get(0))?;
        let mut choices = Choices::new();
        for body in bodies {
            let event = self.parse::<crate::engine::event::Event>(&body, "a change of the rules")?;
            if let Kind::RulesChanged { order, choice, .. } = event.kind {
                choices.insert((event.campaign, order), (choice, event.at));
            }
        }
        Ok(choices)
    }
}

/// Saved, and launched by none yet.
fn unused(saved: Saved) -> Version {
    Version {
        edition: saved.edition,
        at: saved.signature.wall_at,
        wall_at: Some(saved.signature.wall_at),
        campaign: None,
        by: Some(saved.signature.by),
        why: saved.why,
        choice: None,
        people: 0,
        conversions: 0,
    }
}

/// Those of one campaign, oldest first: that of its launch, and each that was put in force since.
fn versions_of(campaign: &Campaign, audit: &Audit, choices: &Choices) -> Vec<Version> {
    let id = campaign.id();
    let here = |what: &dyn Fn(&Account) -> bool| {
        audit.orders().iter().filter(move |a| a.campaign == id).find(|a| what(a)).cloned()
    };
    let launched = here(&|account| account.what == Ask::Launch);
    let edits: Vec<_> =
        audit.orders().iter().filter(|a| choices.contains_key(&(id, a.order)) && a.campaign == id).collect();
    let version = |number: u32| {
        let order = match number.checked_sub(1) {
            None => launched.clone(),
            Some(at) => edits.get(at as usize).map(|account| (*account).clone()),
        };
        let chosen = order.as_ref().and_then(|account| choices.get(&(id, account.order)));
        let (people, conversions) = touched(campaign.journeys(), number);
        Version {
            edition: campaign.edition(number),
            at: chosen.map_or(campaign.header.started_at, |(_, at)| *at),
            wall_at: order.as_ref().map(|account| account.wall_at),
            campaign: Some(id),
            by: order.as_ref().map(|account| account.by.clone()),
            why: order.as_ref().and_then(|a| a.why.as_ref()).map(Untrusted::screen).unwrap_or_default(),
            choice: chosen.map(|(choice, _)| *choice),
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
