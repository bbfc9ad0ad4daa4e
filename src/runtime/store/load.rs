//! Reading a store: beside the writer, read-only, for start, report, events and a customer's history.

mod log;
mod ran;
mod shown;

pub use log::{LogLine, StoredEvent};
pub use shown::Shown;

use super::error::sqlite;
use super::optouts::Key;
use super::{OptOuts, Restored, StoreError, migrations, restored, schema};
use crate::engine::audit::Audit;
use crate::engine::journey::Journey;
use crate::engine::{Campaign, Header};
use crate::model::{At, AttemptId, CampaignId, Customer, PersonId, Phone, TextId, Untrusted};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params};
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a start needs.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The newest campaign.
    pub campaign: Option<Campaign>,
    /// Everybody in it.
    pub people: HashMap<PersonId, Customer>,
    /// Whoever else `newest` and `inbox` tell of: people of earlier campaigns.
    pub others: HashMap<PersonId, Customer>,
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
    /// Who opted out.
    pub suppressed: OptOuts,
    /// It was restored, or is behind what is known of it, and nobody has confirmed that it may go on.
    pub restored: Option<Restored>,
    /// The newest events with texts, oldest first, without those that only say that time went on.
    pub newest: Vec<StoredEvent>,
    /// What people wrote and said since the campaign began, oldest first.
    pub inbox: Vec<StoredEvent>,
    /// Settings of the store.
    pub meta: HashMap<String, String>,
    /// What operators ordered of that campaign.
    pub audit: Audit,
}

/// A read-only connection.
#[derive(Debug)]
pub struct Reader {
    pub(super) db: Connection,
    pub(super) path: PathBuf,
    /// Of the tables: nobody may have written them since an older program did.
    pub(super) schema: u32,
}

/// Wall time that a reader waits for whoever writes.
const BUSY: Duration = Duration::from_secs(5);

impl Reader {
    /// Opens an existing store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        schema::look(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(sqlite(path, "open the store"))?;
        db.busy_timeout(BUSY).map_err(sqlite(path, "open the store"))?;
        if schema::is_foreign(&db).map_err(sqlite(path, "open the store"))? {
            return Err(StoreError::NotOurs { path: path.display().to_string() });
        }
        let schema = migrations::version(&db, path)?;
        if schema == 0 {
            return Err(StoreError::Empty { path: path.display().to_string() });
        }
        Ok(Self { db, path: path.to_owned(), schema })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A setting of the store.
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        schema::meta(&self.db, &self.path, key)
    }

    /// Everything a start needs, `newest` events at most `keep`, as it stands at one moment.
    pub fn load(&self, keep: usize) -> Result<Loaded, StoreError> {
        let _moment = self.moment()?;
        let mut loaded = self.rest(keep)?;
        loaded.campaign = self.campaign_now(None)?;
        if let Some(campaign) = &loaded.campaign {
            loaded.people = self.people(campaign.id())?;
            loaded.audit = self.audit(Some(campaign.id()))?;
            loaded.inbox = self.inbox(campaign.id(), keep)?;
        }
        loaded.others = self.others(&loaded.people, loaded.newest.iter().chain(&loaded.inbox))?;
        Ok(loaded)
    }

    /// Everything but the campaign and its people.
    pub(super) fn rest(&self, keep: usize) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded::default();
        let max = |table: &str, column: &str| self.max(table, column);
        loaded.seq = max("event", "seq")?;
        // Whoever was forgotten keeps their id: nobody else gets it.
        loaded.last_person = max("person", "id")?.max(max("cascade", "person")?);
        loaded.last_cascade = max("cascade", "id")?;
        loaded.last_text = max("text", "id")?;
        // Time does not go back within a store; a look at the last of them spares one at all.
        let last_at = max("(SELECT at FROM event ORDER BY seq DESC LIMIT 1000)", "at")?;
        loaded.last_at = (last_at > 0).then(|| At::from_millis(last_at as i64));
        loaded.dedup = self.rows("SELECT key FROM dedup", |row| row.get(0))?.into_iter().collect();
        let links = self.rows("SELECT code, attempt, target FROM link", |row| {
            Ok((row.get(0)?, (AttemptId(row.get::<_, i64>(1)? as u64), row.get(2)?)))
        })?;
        loaded.links = links.into_iter().collect();
        loaded.suppressed = self.suppressed()?;
        loaded.restored = restored::read(&self.db, &self.path)?;
        let meta = self.rows("SELECT key, value FROM meta", |row| Ok((row.get(0)?, row.get(1)?)))?;
        loaded.meta = meta.into_iter().collect();
        loaded.newest = self.newest(keep)?;
        Ok(loaded)
    }

    /// While it is kept, everything read is of one moment, whoever writes.
    fn moment(&self) -> Result<Transaction<'_>, StoreError> {
        self.db.unchecked_transaction().map_err(sqlite(&self.path, "read the store"))
    }

    /// Who opted out.
    pub fn suppressed(&self) -> Result<OptOuts, StoreError> {
        if self.schema < 2 {
            let rows = self.rows("SELECT phone FROM suppression", |row| row.get::<_, String>(0))?;
            return Ok(rows.iter().filter_map(|phone| Phone::parse_e164(phone)).collect());
        }
        let digests = self.rows("SELECT digest FROM suppression", |row| row.get(0))?;
        Ok(OptOuts::of(self.key()?, digests.into_iter().collect()))
    }

    /// The key under which this store keeps digests.
    pub(super) fn key(&self) -> Result<Key, StoreError> {
        super::opening::stored_key(&self.db, &self.path)
    }

    /// A campaign from its rows; the newest, unless one is named.
    pub fn campaign(&self, id: Option<CampaignId>) -> Result<Option<Campaign>, StoreError> {
        let _moment = self.moment()?;
        self.campaign_now(id)
    }

    fn campaign_now(&self, id: Option<CampaignId>) -> Result<Option<Campaign>, StoreError> {
        let Some(header) = self.header(id)? else { return Ok(None) };
        let journeys = self.journeys(header.id, (0, i64::MAX))?;
        Ok(Some(Campaign::from_rows(header, journeys)))
    }

    /// The campaign's own row; the newest, unless one is named.
    pub(super) fn header(&self, id: Option<CampaignId>) -> Result<Option<Header>, StoreError> {
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
        header.map(|header| self.parse(&header, "the campaign")).transpose()
    }

    /// Its cascades from one id to another, in order.
    pub(super) fn journeys(
        &self,
        campaign: CampaignId,
        (from, to): (i64, i64),
    ) -> Result<Vec<Journey>, StoreError> {
        let sql = "SELECT body FROM cascade WHERE campaign = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id";
        let read = || {
            let mut statement = self.db.prepare_cached(sql)?;
            let mut rows = statement.query(params![campaign.0 as i64, from, to])?;
            let mut journeys = Vec::new();
            while let Some(row) = rows.next()? {
                journeys.push(self.parse(row.get_ref(0)?.as_str()?, "a cascade"));
            }
            Ok(journeys)
        };
        let journeys: rusqlite::Result<Vec<_>> = read();
        journeys.map_err(sqlite(&self.path, "read the campaign"))?.into_iter().collect()
    }

    /// Everybody in a campaign.
    pub fn people(&self, campaign: CampaignId) -> Result<HashMap<PersonId, Customer>, StoreError> {
        let sql = "SELECT id, body FROM person WHERE id IN (SELECT person FROM cascade WHERE campaign = ?1)";
        let rows = self.rows_of(sql, params![campaign.0 as i64], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.into_iter().map(|(id, body)| Ok((PersonId(id as u64), self.parse(&body, "a person")?))).collect()
    }

    /// Whom these events are about and `known` does not hold.
    pub fn others<'a>(
        &self,
        known: &HashMap<PersonId, Customer>,
        events: impl Iterator<Item = &'a StoredEvent>,
    ) -> Result<HashMap<PersonId, Customer>, StoreError> {
        let named: BTreeSet<PersonId> = events.filter_map(|stored| stored.event.subject.customer).collect();
        let mut found = HashMap::new();
        for id in named.into_iter().filter(|id| !known.contains_key(id)) {
            let row = params![id.0 as i64];
            // Whoever was forgotten has no row any more.
            for body in
                self.rows_of("SELECT body FROM person WHERE id = ?1", row, |row| row.get::<_, String>(0))?
            {
                found.insert(id, self.parse(&body, "a person")?);
            }
        }
        Ok(found)
    }

    /// People with this number, and their names.
    pub fn people_at(&self, phone: &Phone) -> Result<Vec<(PersonId, String)>, StoreError> {
        self.rows_of(
            "SELECT id, name FROM person WHERE phone = ?1 ORDER BY id",
            params![phone.as_str()],
            |row| Ok((PersonId(row.get::<_, i64>(0)? as u64), row.get(1)?)),
        )
    }

    /// The campaign of which this attempt is: their ids are handed out campaign by campaign.
    pub fn campaign_holding(&self, attempt: AttemptId) -> Result<Option<Campaign>, StoreError> {
        let sql = "SELECT id FROM campaign WHERE json_extract(header, '$.launch.first_attempt') <= ?1
                   ORDER BY id DESC LIMIT 1";
        let found = self.rows_of(sql, params![attempt.0 as i64], |row| row.get::<_, i64>(0))?;
        let Some(id) = found.first() else { return Ok(None) };
        let campaign = self.campaign(Some(CampaignId(*id as u64)))?;
        Ok(campaign.filter(|campaign| campaign.attempt(attempt).is_some()))
    }

    /// The attempt that a provider knows by this id, of whatever campaign.
    pub fn attempt_by_provider(&self, provider_id: &str) -> Result<Option<AttemptId>, StoreError> {
        let sql = "SELECT json_extract(body, '$.attempt') FROM event
                   WHERE kind = 'attempt_accepted' AND json_extract(body, '$.provider_id') = ?1
                   ORDER BY seq DESC LIMIT 1";
        let found = self.rows_of(sql, params![provider_id], |row| row.get::<_, i64>(0))?;
        Ok(found.first().map(|id| AttemptId(*id as u64)).filter(|_| !provider_id.is_empty()))
    }

    /// The last campaign that this person was in.
    pub fn newest_campaign_of(&self, person: PersonId) -> Result<Option<CampaignId>, StoreError> {
        let sql = "SELECT max(campaign) FROM cascade WHERE person = ?1";
        let found = self.rows_of(sql, params![person.0 as i64], |row| row.get::<_, Option<i64>>(0))?;
        Ok(found.into_iter().flatten().next().map(|id| CampaignId(id as u64)))
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

    pub(super) fn max(&self, table: &str, column: &str) -> Result<u64, StoreError> {
        let sql = format!("SELECT coalesce(max({column}), 0) FROM {table}");
        let found: i64 =
            self.db.query_row(&sql, [], |row| row.get(0)).map_err(sqlite(&self.path, "read the store"))?;
        Ok(u64::try_from(found).unwrap_or(0))
    }

    pub(super) fn rows<T>(
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
