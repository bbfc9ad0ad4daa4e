//! What a store holds, read back, against what was committed.

use crate::rows::Rows;
use cascade::model::Phone;
use cascade::runtime::store::{Loaded, Reader, Store, StoreError};
use std::collections::HashSet;

/// It holds these rows, and nothing else but opt-outs of these numbers: how many of them.
pub fn compare(store: &Store, rows: &Rows, loose: &HashSet<Phone>) -> Result<usize, String> {
    let failed = |error: StoreError| format!("6: it cannot be read back: {error}");
    let (loaded, reader) = (store.load(0).map_err(failed)?, store.reader().map_err(failed)?);
    if let Some(gap) = &loaded.restored {
        return Err(format!("6: it takes itself for an older store: {gap:?}"));
    }
    let differs = |what: &str| Err(format!("6: {what} on disk are not those that were committed"));
    let events = reader.events_after(0, None, usize::MAX).map_err(failed)?;
    let events: Vec<_> = events.into_iter().map(|stored| (stored.seq, stored.event)).collect();
    if events != rows.events {
        let (there, committed) =
            (events.last().map(|(seq, _)| *seq), rows.events.last().map(|(seq, _)| *seq));
        return Err(format!("6: the log goes to {there:?} on disk, and {committed:?} was committed"));
    }
    if loaded.campaign != rows.campaign() || !campaigns_hold(&reader, rows).map_err(failed)? {
        return differs("campaigns or people");
    }
    if !words_hold(&reader, rows).map_err(failed)? {
        return differs("texts, rules or content");
    }
    if loaded.dedup != rows.dedup {
        return differs("keys of reports");
    }
    if loaded.links != rows.links {
        return differs("links");
    }
    if rows.meta.iter().any(|(key, value)| loaded.meta.get(key) != Some(value)) {
        return differs("settings");
    }
    opt_outs(&loaded, rows, loose)
}

/// Each with everybody in it.
fn campaigns_hold(reader: &Reader, rows: &Rows) -> Result<bool, StoreError> {
    for id in rows.headers.keys() {
        let own = rows.journeys.values().filter(|(campaign, _)| campaign == id).map(|(_, j)| j.person);
        let people = own.filter_map(|id| Some((id, rows.people.get(&id)?.clone()))).collect();
        if reader.campaign(Some(*id))? != rows.campaign_of(*id) || reader.people(*id)? != people {
            return Ok(false);
        }
    }
    Ok(true)
}

fn words_hold(reader: &Reader, rows: &Rows) -> Result<bool, StoreError> {
    for (id, body) in &rows.texts {
        if reader.text(*id)?.as_ref() != Some(body) {
            return Ok(false);
        }
    }
    for ((hash, name), bytes) in &rows.versions {
        if !reader.version(hash)?.iter().any(|(its, there)| its == name && there == bytes) {
            return Ok(false);
        }
    }
    Ok(reader.version(super::trouble::LARGE_NAME)?.is_empty())
}

fn opt_outs(loaded: &Loaded, rows: &Rows, loose: &HashSet<Phone>) -> Result<usize, String> {
    let phones: HashSet<&Phone> = rows.people.values().map(|customer| &customer.phone).collect();
    let mut outlived = 0;
    for phone in phones {
        match (rows.suppressed.contains(phone), loaded.suppressed.contains(phone)) {
            (true, false) => return Err(format!("3: the opt-out of {phone} is not on disk")),
            (false, true) if loose.contains(phone) => outlived += 1,
            (false, true) => return Err(format!("3: {phone} opted out on disk, and nowhere else")),
            (true, true) | (false, false) => {}
        }
    }
    Ok(outlived)
}
