//! A batch as rows of the tables.

use super::batch::Batch;
use super::optouts::Key;
use super::restored;
use crate::engine::Header;
use crate::engine::event::Event;
use crate::engine::journey::{Journey, State};
use rusqlite::{Transaction, params};

pub(super) fn write_log(db: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO event (seq, at, campaign, customer, cascade, kind, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (seq, event) in &batch.events {
        let id = |id: Option<u64>| id.map(|id| id as i64);
        insert.execute(params![
            *seq as i64,
            event.at.millis(),
            event.campaign.0 as i64,
            id(event.subject.customer.map(|c| c.0)),
            id(event.subject.cascade.map(|c| c.0)),
            kind_word(event)?,
            json(event)?,
        ])?;
    }
    let campaign = batch.header.as_ref().map(|header| header.id.0 as i64);
    let mut insert = db.prepare_cached("INSERT OR IGNORE INTO dedup (key, campaign) VALUES (?1, ?2)")?;
    for key in &batch.dedup {
        insert.execute(params![key, campaign])?;
    }
    Ok(())
}

/// `key` is the one under which this store keeps its digests.
pub(super) fn write_rows(db: &Transaction<'_>, batch: &Batch, key: &Key) -> rusqlite::Result<()> {
    if let Some(header) = &batch.header {
        write_campaign(db, header, &batch.journeys)?;
    }
    for (header, journeys) in &batch.earlier {
        write_campaign(db, header, journeys)?;
    }
    write_people(db, batch, key)?;
    let mut insert = db.prepare_cached("INSERT INTO link (code, attempt, target) VALUES (?1, ?2, ?3)")?;
    for link in &batch.links {
        insert.execute(params![link.code, link.attempt.0 as i64, link.target])?;
    }
    // Whoever was forgotten and said it again is known by number again.
    let mut insert = db.prepare_cached(
        "INSERT INTO suppression (digest, phone, at, via, why) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (digest) DO UPDATE SET phone = excluded.phone",
    )?;
    for row in &batch.suppressions {
        let digest = key.digest(&row.phone);
        insert.execute(params![digest, row.phone.as_str(), row.at.millis(), row.via.as_str(), row.why])?;
    }
    let mut insert =
        db.prepare_cached("INSERT INTO reject (campaign, line, code, reason) VALUES (?1, ?2, ?3, ?4)")?;
    for row in &batch.rejects {
        insert.execute(params![row.campaign as i64, row.line as i64, row.code, row.reason])?;
    }
    let mut insert =
        db.prepare_cached("INSERT OR IGNORE INTO version (hash, name, bytes) VALUES (?1, ?2, ?3)")?;
    for (hash, name, bytes) in &batch.versions {
        insert.execute(params![hash, name, bytes])?;
    }
    let mut insert = db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?;
    for (key, value) in &batch.meta {
        insert.execute(params![key, value])?;
    }
    if let Some(restored) = &batch.asked {
        insert.execute(params![restored::META, json(restored)?])?;
    }
    if batch.confirmed {
        db.execute("DELETE FROM meta WHERE key = ?1", [restored::META])?;
    }
    Ok(())
}

fn write_campaign(db: &Transaction<'_>, header: &Header, journeys: &[Journey]) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO campaign (id, name, started_at, ended_at, rules_hash, content_hash, header)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, header = excluded.header",
    )?
    .execute(params![
        header.id.0 as i64,
        header.launch.name,
        header.started_at.millis(),
        header.ended_at.map(crate::model::At::millis),
        header.launch.rules_hash,
        header.launch.content_hash,
        json(header)?,
    ])?;
    write_journeys(db, header.id.0 as i64, journeys)
}

fn write_journeys(db: &Transaction<'_>, campaign: i64, journeys: &[Journey]) -> rusqlite::Result<()> {
    let mut upsert = db.prepare_cached(
        "INSERT INTO cascade (id, campaign, person, segment, start, propensity, state, step, due_at, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, step = excluded.step, due_at = excluded.due_at,
           body = excluded.body",
    )?;
    for journey in journeys {
        upsert.execute(params![
            journey.id.0 as i64,
            campaign,
            journey.person.0 as i64,
            journey.start.segment.0,
            journey.start.start.as_str(),
            journey.start.propensity,
            state_word(&journey.state),
            journey.step,
            journey.timer.map(|timer| timer.due.millis()),
            json(journey)?,
        ])?;
    }
    Ok(())
}

fn write_people(db: &Transaction<'_>, batch: &Batch, key: &Key) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO person (id, phone, name, segment, language, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for row in &batch.people {
        let customer = &row.customer;
        insert.execute(params![
            row.id.0 as i64,
            customer.phone.as_str(),
            customer.name.raw(),
            customer.segment.0,
            customer.language,
            json(customer)?,
        ])?;
    }
    let mut insert =
        db.prepare_cached("INSERT INTO text (id, person, at, body, digest) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for text in &batch.texts {
        insert.execute(params![
            text.id.0 as i64,
            text.person.map(|p| p.0 as i64),
            text.at.millis(),
            text.body.raw(),
            text.from.as_ref().map(|phone| key.digest(phone)),
        ])?;
    }
    Ok(())
}

const fn state_word(state: &State) -> &'static str {
    match state {
        State::Queued => "queued",
        State::Deferred(_) => "deferred",
        State::Sending => "sending",
        State::Retrying => "retrying",
        State::Waiting => "waiting",
        State::Held(_) => "held",
        State::InDoubt => "in_doubt",
        State::Settling => "settling",
        State::Ended(_) => "ended",
    }
}

fn kind_word(event: &Event) -> rusqlite::Result<String> {
    let value = serde_json::to_value(&event.kind).map_err(not_json)?;
    Ok(value.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned())
}

pub(super) fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(not_json)
}

fn not_json(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
