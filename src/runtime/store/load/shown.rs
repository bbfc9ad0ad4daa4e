//! What a screen in another process shows, read beside the writer and at one instant of it.

use super::{Reader, StoredEvent};
use crate::engine::Campaign;
use crate::engine::audit::Audit;
use crate::model::{CampaignId, Customer, PersonId, Untrusted};
use crate::runtime::store::StoreError;
use rusqlite::params;
use std::collections::HashMap;

/// The newest campaign as it stands at one place of the log.
#[derive(Debug, Default)]
pub struct Shown {
    /// The last event that is in it.
    pub seq: u64,
    /// The newest campaign.
    pub campaign: Option<Campaign>,
    /// Everybody in it.
    pub people: HashMap<PersonId, Customer>,
    /// Whoever else `newest` and `inbox` tell of: people of earlier campaigns.
    pub others: HashMap<PersonId, Customer>,
    /// The newest events with texts, oldest first.
    pub newest: Vec<StoredEvent>,
    /// What people wrote and said since it began, oldest first.
    pub inbox: Vec<StoredEvent>,
    /// What operators ordered in it.
    pub audit: Audit,
}

impl Reader {
    /// Everything a screen needs, `newest` events at most `keep`, as if the writer stood still meanwhile.
    pub fn shown(&self, keep: usize) -> Result<Shown, StoreError> {
        let _moment = self.moment()?;
        let mut shown = Shown { seq: self.max("event", "seq")?, ..Shown::default() };
        shown.campaign = self.campaign_now(None)?;
        if let Some(campaign) = &shown.campaign {
            shown.people = self.people(campaign.id())?;
            shown.inbox = self.inbox(campaign.id(), keep)?;
            shown.audit = self.audit(Some(campaign.id()))?;
        }
        shown.newest = self.newest(keep)?;
        shown.others = self.others(&shown.people, shown.newest.iter().chain(&shown.inbox))?;
        Ok(shown)
    }

    /// What people wrote and said since a campaign began, to an earlier one as well: the newest, at most `keep`,
    /// oldest first.
    pub fn inbox(&self, campaign: CampaignId, keep: usize) -> Result<Vec<StoredEvent>, StoreError> {
        // Backwards, and no further than the campaign's own beginning: what is new is found at once.
        let sql = "SELECT event.seq, event.body, text.body FROM event
                   CROSS JOIN text ON text.id = json_extract(event.body, '$.text')
                   WHERE event.kind = 'outcome_heard' AND text.body <> '' AND event.seq >= (
                     SELECT coalesce(min(seq), 0) FROM event
                     WHERE cascade = (SELECT min(id) FROM cascade WHERE campaign = ?1))
                   ORDER BY event.seq DESC LIMIT ?2";
        let rows = self.rows_of(sql, params![campaign.0 as i64, keep as i64], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        rows.into_iter()
            .rev()
            .map(|(seq, body, text)| {
                let event = self.parse(&body, "an event")?;
                Ok(StoredEvent { seq: seq as u64, event, text: Some(Untrusted::new(text)) })
            })
            .collect()
    }
}
