//! Erasing the people of campaigns that ended long ago. Whoever is in a younger one stays.

use super::erase::{Erased, Who};
use super::redact::Traces;
use super::{Reader, Store, StoreError};
use crate::model::{At, CampaignId, PersonId, Phone};
use rusqlite::params;

/// What would go.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Purge {
    /// Campaigns that ended before this, campaign time.
    pub before: At,
    /// Those campaigns, oldest first.
    pub campaigns: Vec<Old>,
    /// People who were in them and in no younger one, and are still known.
    #[serde(skip)]
    people: Vec<(PersonId, Phone)>,
    /// Numbers of those that nobody who stays has.
    #[serde(skip)]
    numbers: Vec<Phone>,
}

/// A campaign that ended long ago.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Old {
    /// Its id.
    pub id: CampaignId,
    /// For people.
    pub name: String,
    /// Campaign time.
    pub ended_at: At,
}

impl Purge {
    /// How many people would go.
    pub fn people(&self) -> u64 {
        self.people.len() as u64
    }

    /// Their numbers, but for those that somebody has who stays.
    pub fn numbers(&self) -> &[Phone] {
        &self.numbers
    }
}

const OLD: &str = "SELECT id FROM campaign WHERE ended_at < ?1";

impl Reader {
    /// What a purge of everything that ended before this would erase.
    pub fn purge_before(&self, before: At) -> Result<Purge, StoreError> {
        let at = params![before.millis()];
        let sql = "SELECT id, name, ended_at FROM campaign WHERE ended_at < ?1 ORDER BY id";
        let campaigns = self.rows_of(sql, at, |row| {
            let id = CampaignId(row.get::<_, i64>(0)? as u64);
            Ok(Old { id, name: row.get(1)?, ended_at: At::from_millis(row.get(2)?) })
        })?;
        let person =
            |row: &rusqlite::Row<'_>| Ok((PersonId(row.get::<_, i64>(0)? as u64), row.get::<_, String>(1)?));
        let gone =
            format!("SELECT person FROM cascade GROUP BY person HAVING sum(campaign NOT IN ({OLD})) = 0");
        let sql = format!("SELECT id, phone FROM person WHERE id IN ({gone}) ORDER BY id");
        let people = self.rows_of(&sql, at, person)?;
        let sql = format!("SELECT id, phone FROM person WHERE id NOT IN ({gone})");
        let stays: std::collections::HashSet<_> =
            self.rows_of(&sql, at, person)?.into_iter().map(|(_, phone)| phone).collect();
        let phones = |(id, phone): (PersonId, String)| Some((id, Phone::parse_e164(&phone)?));
        let people: Vec<_> = people.into_iter().filter_map(phones).collect();
        let numbers = people.iter().map(|(_, phone)| phone.clone()).filter(|p| !stays.contains(p.as_str()));
        Ok(Purge { before, campaigns, numbers: numbers.collect(), people })
    }
}

impl Store {
    /// Erases what `purge` names.
    pub async fn purge(&self, purge: &Purge) -> Result<Erased, StoreError> {
        let who = Who {
            people: purge.people.iter().map(|(id, _)| *id).collect(),
            traces: Traces::of(purge.numbers()),
            numbers: purge.numbers().to_vec(),
            campaigns: purge.campaigns.iter().map(|old| old.id).collect(),
            texts_before: Some(purge.before),
        };
        self.erase(who).await
    }
}
