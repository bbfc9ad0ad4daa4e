//! What the log says of operators' orders, and of recent contacts in every campaign.

use super::keeper::{Contacts, Dealing};
use super::load::Reader;
use super::{StoreError, StoredEvent};
use crate::engine::audit::Audit;
use crate::model::{At, AttemptId, CampaignId, Phone, Untrusted};
use crate::runtime::saving::{META, Saved};
use rusqlite::params;
use std::collections::BTreeMap;

/// Events that may tell what came of calling something back; of one cascade there are few.
const AFTERWARDS: usize = 1000;

impl Reader {
    /// Orders and what came of them, of one campaign or of all.
    pub fn audit(&self, campaign: Option<CampaignId>) -> Result<Audit, StoreError> {
        // The condition on `kind` is that of the index, word by word.
        let sql = "SELECT event.seq, event.body, text.body FROM event
                   LEFT JOIN text ON text.id = json_extract(event.body, '$.text')
                   WHERE event.kind IN ('ordered', 'order_met') AND (?1 IS NULL OR event.campaign = ?1)
                   ORDER BY event.seq";
        let rows = self.rows_of(sql, params![campaign.map(|c| c.0 as i64)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
        })?;
        let mut audit = Audit::default();
        for (seq, body, text) in rows {
            let event = self.parse(&body, "an order")?;
            audit.see(seq as u64, &event, text.map(Untrusted::new).as_ref());
        }
        for (cascade, seq) in audit.awaited().collect::<Vec<_>>() {
            for StoredEvent { seq, event, text } in self.events_after(seq, Some(cascade), AFTERWARDS)? {
                if !event.kind.is_of_an_order() {
                    audit.see(seq, &event, text.as_ref());
                }
            }
        }
        Ok(audit)
    }

    /// Saves of rules and texts, the oldest first, whatever came of them.
    pub fn saves(&self) -> Result<Vec<Saved>, StoreError> {
        let saves = self.meta(META)?.map(|saves| self.parse(&saves, "the saves"));
        Ok(saves.transpose()?.unwrap_or_default())
    }

    /// When each number was contacted, or may have been, since `since`; by whichever campaign.
    pub fn contacts_since(&self, since: At) -> Result<Contacts, StoreError> {
        let sql = "SELECT person.phone, event.at, json_extract(event.body, '$.attempt'), event.kind,
                     json_extract(event.body, '$.was_sent')
                   FROM event JOIN person ON person.id = event.customer
                   WHERE event.seq >= ?1
                     AND event.kind IN ('attempt_claimed', 'attempt_recovered', 'attempt_refused', 'attempt_withdrawn',
                       'doubt_settled')
                   ORDER BY event.seq";
        let from = self.first_after(since)?;
        let rows = self.rows_of(sql, params![from as i64], |row| {
            let told = (row.get::<_, String>(3)?, row.get::<_, Option<bool>>(4)?);
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?, told))
        })?;
        let mut claims: BTreeMap<AttemptId, (Phone, At)> = BTreeMap::new();
        for (phone, at, attempt, (kind, was_sent)) in rows {
            let (Some(phone), Some(attempt)) = (Phone::parse_e164(&phone), attempt) else { continue };
            let attempt = AttemptId(attempt as u64);
            match (kind.as_str(), was_sent) {
                ("attempt_claimed", _) => drop(claims.insert(attempt, (phone, At::from_millis(at)))),
                // What an old store had lost was claimed in no log; it is found later than it was sent.
                ("attempt_recovered", _) => {
                    claims.entry(attempt).or_insert_with(|| (phone, At::from_millis(at)));
                }
                ("doubt_settled", Some(true)) => {}
                (_, _) => drop(claims.remove(&attempt)),
            }
        }
        let mut contacts = Contacts::new();
        for (phone, at) in claims.into_values() {
            contacts.entry(phone).or_default().push(at);
        }
        Ok(contacts)
    }

    /// What every campaign had to do with a number.
    pub fn dealing(&self, phone: &Phone) -> Result<Dealing, StoreError> {
        let sql = "SELECT
                     max(event.at) FILTER (WHERE event.kind IN
                       ('attempt_accepted', 'attempt_recovered', 'attempt_in_doubt')),
                     coalesce(max(event.kind = 'cascade_ended'
                       AND json_extract(event.body, '$.end') = 'declined'), 0)
                   FROM person
                   JOIN cascade ON cascade.person = person.id
                   JOIN event ON event.cascade = cascade.id
                   WHERE person.phone = ?1";
        let rows = self.rows_of(sql, params![phone.as_str()], |row| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, bool>(1)?))
        })?;
        let (at, declined) = rows.first().copied().unwrap_or_default();
        Ok(Dealing { contacted_at: at.map(At::from_millis), declined })
    }

    /// The first place in the log after `at`: its times never go back.
    fn first_after(&self, at: At) -> Result<u64, StoreError> {
        let last: Vec<i64> = self.rows_of("SELECT coalesce(max(seq), 0) FROM event", [], |row| row.get(0))?;
        let (mut low, mut high) = (1, last.first().copied().unwrap_or(0) + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let sql = "SELECT at FROM event WHERE seq >= ?1 ORDER BY seq LIMIT 1";
            let found: Vec<i64> = self.rows_of(sql, params![middle], |row| row.get(0))?;
            if found.first().is_some_and(|found| *found <= at.millis()) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low as u64)
    }
}
