//! Everything that a store holds about one number.

use super::error::sqlite;
use super::{LogLine, Reader, StoreError};
use crate::engine::journey::Journey;
use crate::model::{At, AttemptId, CampaignId, Customer, PersonId, Phone, TextId, Untrusted};
use rusqlite::{OptionalExtension as _, params};

/// See the module's words. People who share a number stand in one.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Dossier {
    /// Name, number and every column.
    pub people: Vec<Known>,
    /// That they opted out; known also of whoever was forgotten.
    pub opted_out: Option<OptedOut>,
    /// Their way through each campaign.
    pub cascades: Vec<Way>,
    /// What happened, oldest first.
    pub events: Vec<LogLine>,
    /// What they wrote and said.
    pub texts: Vec<Text>,
    /// Short links that they were sent.
    pub links: Vec<Link>,
}

/// A row of the list.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Known {
    /// Stands for them in the log.
    pub id: PersonId,
    /// Everything the list said.
    #[serde(flatten)]
    pub customer: Customer,
}

/// An opt-out.
#[derive(Clone, Debug, serde::Serialize)]
pub struct OptedOut {
    /// Campaign time.
    pub at: At,
    /// Where.
    pub via: String,
    /// In which words.
    pub why: String,
}

/// A cascade, with its campaign.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Way {
    /// Which.
    pub campaign: CampaignId,
    /// For people.
    pub name: String,
    /// Where it stands, and every attempt.
    pub cascade: Journey,
}

/// A text of theirs.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Text {
    /// As events name it.
    pub id: TextId,
    /// Campaign time.
    pub at: At,
    /// Their words.
    pub text: Untrusted,
}

/// A link of theirs.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Link {
    /// What stands in it.
    pub code: String,
    /// In which attempt.
    pub attempt: AttemptId,
    /// Where it leads.
    pub target: String,
}

impl Dossier {
    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.opted_out.is_none() && self.texts.is_empty()
    }
}

impl Reader {
    /// Everything about this number.
    pub fn dossier(&self, phone: &Phone) -> Result<Dossier, StoreError> {
        let mut dossier = Dossier { opted_out: self.opted_out(phone)?, ..Dossier::default() };
        let sql = "SELECT id, body FROM person WHERE phone = ?1 ORDER BY id";
        for (id, body) in self.rows_of(sql, [phone.as_str()], two)? {
            let known = Known { id: PersonId(id as u64), customer: self.parse(&body, "a person")? };
            dossier.people.push(known);
        }
        for person in dossier.people.iter().map(|known| known.id).collect::<Vec<_>>() {
            self.add_person(&mut dossier, person)?;
        }
        self.add_texts_of(&mut dossier, phone)?;
        dossier.events.sort_by_key(|line| line.seq);
        dossier.texts.sort_by_key(|text| text.id);
        dossier.texts.dedup_by_key(|text| text.id);
        let attempts = dossier.cascades.iter().flat_map(|way| &way.cascade.attempts).map(|a| a.id);
        let attempts: std::collections::HashSet<_> = attempts.collect();
        let links = self.rows("SELECT code, attempt, target FROM link", |row| {
            let attempt = AttemptId(row.get::<_, i64>(1)? as u64);
            Ok(Link { code: row.get(0)?, attempt, target: row.get(2)? })
        })?;
        dossier.links = links.into_iter().filter(|link| attempts.contains(&link.attempt)).collect();
        Ok(dossier)
    }

    fn add_person(&self, dossier: &mut Dossier, person: PersonId) -> Result<(), StoreError> {
        let id = params![person.0 as i64];
        let sql = "SELECT campaign.id, campaign.name, cascade.body FROM cascade
                   JOIN campaign ON campaign.id = cascade.campaign WHERE person = ?1 ORDER BY campaign.id";
        let ways = self.rows_of(sql, id, |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        for (campaign, name, body) in ways {
            let cascade = self.parse(&body, "a cascade")?;
            dossier.cascades.push(Way { campaign: CampaignId(campaign as u64), name, cascade });
        }
        let sql = "SELECT seq, body FROM event WHERE cascade IN (SELECT id FROM cascade WHERE person = ?1)
                   UNION ALL SELECT seq, body FROM event WHERE cascade IS NULL AND customer = ?1";
        for (seq, body) in self.rows_of(sql, id, two)? {
            dossier.events.push(LogLine { seq: seq as u64, event: self.parse(&body, "an event")? });
        }
        let sql = "SELECT id, at, body FROM text WHERE person = ?1 AND body <> ''";
        dossier.texts.extend(self.rows_of(sql, id, text)?);
        Ok(())
    }

    /// What came from this number when nobody knew whose it was.
    fn add_texts_of(&self, dossier: &mut Dossier, phone: &Phone) -> Result<(), StoreError> {
        if self.schema < 2 {
            return Ok(());
        }
        let sql = "SELECT id, at, body FROM text WHERE digest = ?1 AND body <> ''";
        dossier.texts.extend(self.rows_of(sql, [self.key()?.digest(phone)], text)?);
        Ok(())
    }

    fn opted_out(&self, phone: &Phone) -> Result<Option<OptedOut>, StoreError> {
        let opted_out = |row: &rusqlite::Row<'_>| {
            Ok(OptedOut { at: At::from_millis(row.get(0)?), via: row.get(1)?, why: row.get(2)? })
        };
        let found = if self.schema < 2 {
            let sql = "SELECT at, via, why FROM suppression WHERE phone = ?1";
            self.db.query_row(sql, [phone.as_str()], opted_out).optional()
        } else {
            let sql = "SELECT at, via, why FROM suppression WHERE digest = ?1";
            self.db.query_row(sql, [self.key()?.digest(phone)], opted_out).optional()
        };
        found.map_err(sqlite(&self.path, "read the opt-outs"))
    }
}

fn two(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn text(row: &rusqlite::Row<'_>) -> rusqlite::Result<Text> {
    let body: String = row.get(2)?;
    Ok(Text {
        id: TextId(row.get::<_, i64>(0)? as u64),
        at: At::from_millis(row.get(1)?),
        text: Untrusted::new(body),
    })
}
