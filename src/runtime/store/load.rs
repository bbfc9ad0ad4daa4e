//! Reading a store: beside the writer, read-only, for start, report, events and a customer's history.

mod shown;

pub use shown::Shown;

use super::{StoreError, schema, sqlite};
use crate::engine::audit::Audit;
use crate::engine::event::Event;
use crate::engine::journey::Journey;
use crate::engine::{Campaign, Header};
use crate::model::{At, AttemptId, CampaignId, CascadeId, Customer, PersonId, Phone, TextId, Untrusted};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// An event with its place in the log and the text it names.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Place in the log.
    pub seq: u64,
    /// What happened.
    pub event: Event,
    /// What they wrote or said.
    pub text: Option<Untrusted>,
}

/// One line of `cascade events --json`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct LogLine {
    /// Place in the log.
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What a start needs.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The newest campaign.
    pub campaign: Option<Campaign>,
    /// Everybody in it.
    pub people: HashMap<PersonId, Customer>,
    /// The last event's place.
    pub seq: u64,
    /// The last person's id.
    pub last_person: u64,
    /// The last cascade's id.
    pub last_cascade: u64,
    /// The last text's id.
    pub last_text: u64,
    /// When the last event happened.
    pub last_at: Option<At>,
    /// Keys of reports.
    pub dedup: HashSet<[u8; 16]>,
    /// Short links: attempt and target by code.
    pub links: HashMap<String, (AttemptId, String)>,
    /// Numbers that opted out.
    pub suppressed: HashSet<Phone>,
    /// The newest events with texts, oldest first.
    pub newest: Vec<StoredEvent>,
    /// What people wrote and said in the campaign, oldest first.
    pub inbox: Vec<StoredEvent>,
    /// Settings of the store.
    pub meta: HashMap<String, String>,
    /// What operators ordered of that campaign.
    pub audit: Audit,
}

/// A read-only connection.
#[derive(Debug)]
pub struct Reader {
    db: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens an existing store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(sqlite(path, "open the store"))?;
        db.busy_timeout(std::time::Duration::from_secs(5)).map_err(sqlite(path, "open the store"))?;
        let version = db.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
        if version.map_err(sqlite(path, "read the store"))? == 0 {
            let what = "it holds no campaign".to_owned();
            return Err(StoreError::Corrupt { path: path.display().to_string(), what });
        }
        // SQLite looks at the file only when it is asked something.
        let _: u32 = db
            .pragma_query_value(None, "schema_version", |row| row.get(0))
            .map_err(sqlite(path, "open the store"))?;
        Ok(Self { db, path: path.to_owned() })
    }

    /// A setting of the store.
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        schema::meta(&self.db, &self.path, key)
    }

    /// Everything a start needs, `newest` events at most `keep`.
    pub fn load(&self, keep: usize) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded { campaign: self.campaign(None)?, ..Loaded::default() };
        if let Some(campaign) = &loaded.campaign {
            loaded.people = self.people(campaign.id())?;
            loaded.audit = self.audit(Some(campaign.id()))?;
            loaded.inbox = self.inbox(campaign.id(), keep)?;
        }
        let max = |table: &str, column: &str| self.max(table, column);
        loaded.seq = max("event", "seq")?;
        loaded.last_person = max("person", "id")?;
        loaded.last_cascade = max("cascade", "id")?;
        loaded.last_text = max("text", "id")?;
        let last_at = max("event", "at")?;
        loaded.last_at = (last_at > 0).then(|| At::from_millis(last_at as i64));
        loaded.dedup = self.rows("SELECT key FROM dedup", |row| row.get(0))?.into_iter().collect();
        let links = self.rows("SELECT code, attempt, target FROM link", |row| {
            Ok((row.get(0)?, (AttemptId(row.get::<_, i64>(1)? as u64), row.get(2)?)))
        })?;
        loaded.links = links.into_iter().collect();
        loaded.suppressed = self.suppressed()?;
        let meta = self.rows("SELECT key, value FROM meta", |row| Ok((row.get(0)?, row.get(1)?)))?;
        loaded.meta = meta.into_iter().collect();
        loaded.newest = self.events_after(loaded.seq.saturating_sub(keep as u64), None, keep)?;
        Ok(loaded)
    }

    /// Numbers that opted out.
    pub fn suppressed(&self) -> Result<HashSet<Phone>, StoreError> {
        let rows = self.rows("SELECT phone FROM suppression", |row| row.get::<_, String>(0))?;
        Ok(rows.iter().filter_map(|phone| Phone::parse_e164(phone)).collect())
    }

    /// A campaign from its rows; the newest, unless one is named.
    pub fn campaign(&self, id: Option<CampaignId>) -> Result<Option<Campaign>, StoreError> {
        let wanted = id.map(|id| id.0 as i64);
        let header: Option<String> = self
            .db
            .query_row(
                "SELECT header FROM campaign WHERE ?1 IS NULL OR id = ?1 ORDER BY id DESC LIMIT 1",
                params![wanted],
                |row| row.get(0),
            )
            .optional()
            .map_err(sqlite(&self.path, "read the campaign"))?;
        let Some(header) = header else { return Ok(None) };
        let header: Header = self.parse(&header, "the campaign")?;
        let sql = "SELECT body FROM cascade WHERE campaign = ?1 ORDER BY id";
        let bodies = self.rows_of(sql, params![header.id.0 as i64], |row| row.get::<_, String>(0))?;
        let journeys: Result<Vec<Journey>, _> =
            bodies.iter().map(|body| self.parse(body, "a cascade")).collect();
        Ok(Some(Campaign::from_rows(header, journeys?)))
    }

    /// Everybody in a campaign.
    pub fn people(&self, campaign: CampaignId) -> Result<HashMap<PersonId, Customer>, StoreError> {
        let sql = "SELECT person.id, person.body FROM person JOIN cascade ON cascade.person = person.id
                   WHERE cascade.campaign = ?1";
        let rows = self.rows_of(sql, params![campaign.0 as i64], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.into_iter().map(|(id, body)| Ok((PersonId(id as u64), self.parse(&body, "a person")?))).collect()
    }

    /// People with this number, and their names.
    pub fn people_at(&self, phone: &Phone) -> Result<Vec<(PersonId, String)>, StoreError> {
        self.rows_of("SELECT id, name FROM person WHERE phone = ?1", params![phone.as_str()], |row| {
            Ok((PersonId(row.get::<_, i64>(0)? as u64), row.get(1)?))
        })
    }

    /// A person's name.
    pub fn name(&self, person: PersonId) -> Result<Option<Untrusted>, StoreError> {
        self.db
            .query_row("SELECT name FROM person WHERE id = ?1", [person.0 as i64], |row| {
                row.get::<_, String>(0)
            })
            .optional()
            .map(|name| name.map(Untrusted::new))
            .map_err(sqlite(&self.path, "read a person"))
    }

    /// Events after `seq`, oldest first, at most `limit`; of one cascade or of all.
    pub fn events_after(
        &self,
        seq: u64,
        cascade: Option<CascadeId>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = "SELECT event.seq, event.body, text.body FROM event
                   LEFT JOIN text ON text.id = json_extract(event.body, '$.text')
                   WHERE event.seq > ?1 AND (?2 IS NULL OR event.cascade = ?2) ORDER BY event.seq LIMIT ?3";
        let rows = self.rows_of(
            sql,
            params![seq as i64, cascade.map(|c| c.0 as i64), i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?)),
        )?;
        rows.into_iter()
            .map(|(seq, body, text)| {
                let event = self.parse(&body, "an event")?;
                Ok(StoredEvent { seq: seq as u64, event, text: text.map(Untrusted::new) })
            })
            .collect()
    }

    /// The files that ran under this hash: name and bytes.
    pub fn version(&self, hash: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.rows_of("SELECT name, bytes FROM version WHERE hash = ?1", params![hash], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// What somebody wrote or said.
    pub fn text(&self, id: TextId) -> Result<Option<Untrusted>, StoreError> {
        self.db
            .query_row("SELECT body FROM text WHERE id = ?1", [id.0 as i64], |row| row.get::<_, String>(0))
            .optional()
            .map(|text| text.map(Untrusted::new))
            .map_err(sqlite(&self.path, "read a text"))
    }

    /// Rows of the list that a campaign could not use: line and reason.
    pub fn rejects(&self, campaign: CampaignId) -> Result<Vec<(u64, String)>, StoreError> {
        let sql = "SELECT line, reason FROM reject WHERE campaign = ?1 ORDER BY line";
        self.rows_of(sql, params![campaign.0 as i64], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?)))
    }

    fn max(&self, table: &str, column: &str) -> Result<u64, StoreError> {
        let sql = format!("SELECT coalesce(max({column}), 0) FROM {table}");
        let found: i64 =
            self.db.query_row(&sql, [], |row| row.get(0)).map_err(sqlite(&self.path, "read the store"))?;
        Ok(u64::try_from(found).unwrap_or(0))
    }

    fn rows<T>(
        &self,
        sql: &str,
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows_of(sql, [], map)
    }

    pub(super) fn rows_of<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let read = || self.db.prepare_cached(sql)?.query_map(params, map)?.collect();
        let rows: rusqlite::Result<Vec<T>> = read();
        rows.map_err(sqlite(&self.path, "read the store"))
    }

    pub(super) fn parse<T: DeserializeOwned>(&self, text: &str, what: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|error| StoreError::Row {
            path: self.path.display().to_string(),
            what: what.into(),
            detail: error.to_string(),
        })
    }
}
