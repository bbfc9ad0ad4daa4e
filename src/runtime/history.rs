//! From the store to [`learning`](crate::learning): every cascade of a store as a record, whichever campaign it was of.
//! A store is of one mode, so that rehearsals never teach anything about people.
//!
//! Read beside whoever writes, a page at a time: nobody waits for it.

use super::store::{Reader, StoreError, records::Records};
use crate::engine::Campaign;
use crate::engine::event::{Event, Kind};
use crate::engine::record::Record;
use crate::learning::answer::{Answer, Settings};
use crate::learning::history::{Cascade, Step};
use crate::learning::ledger::Ledger;
use crate::model::{CampaignId, CascadeId, Untrusted};
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

/// Pages that wait to be summed up, for each reader.
const PAGES_AHEAD: usize = 4;

/// What a campaign fixed for all its cascades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// SHA-256 of its rules.
    pub rules: Untrusted,
    /// How long after the last step an answer still counts, in seconds.
    pub conversion_window_s: u64,
}

/// Every cascade of a store, in order of their ids.
#[derive(Debug)]
pub struct History<'a> {
    reader: &'a Reader,
    records: Records<'a>,
    terms: BTreeMap<CampaignId, Terms>,
}

/// Reads a store's cascades, running ones included.
pub fn read(reader: &Reader) -> Result<History<'_>, StoreError> {
    Ok(History { reader, records: reader.records()?, terms: terms(reader)? })
}

/// All of them, in the form that every question is answered from. Pages are read and unpacked by several threads and
/// summed up in their order by this one.
pub fn ledger(reader: &Reader) -> Result<Ledger, StoreError> {
    let mut ledger = Ledger::new();
    let Some(pages) = reader.pages_of_records()? else {
        for cascade in read(reader)? {
            ledger.add(&cascade?);
        }
        return Ok(ledger);
    };
    let readers = (thread::available_parallelism().map_or(1, usize::from) as u64).min(pages);
    let terms = &terms(reader)?;
    thread::scope(|scope| {
        let queues: Vec<_> = (0..readers)
            .map(|first| {
                let (sender, queue) = mpsc::sync_channel(PAGES_AHEAD);
                let path = reader.path().to_owned();
                scope.spawn(move || {
                    let opened = Reader::open(&path);
                    for page in (first..pages).step_by(readers as usize) {
                        let read = opened.as_ref().map_err(|_| StoreError::Gone);
                        let read = read.and_then(|reader| unpacked(reader, page, terms));
                        // Whoever sums up has met an error and left.
                        if sender.send(read).is_err() {
                            return;
                        }
                    }
                });
                queue
            })
            .collect();
        for page in 0..pages {
            let queue = queues.get((page % readers) as usize);
            let cascades = queue.and_then(|queue| queue.recv().ok()).unwrap_or(Err(StoreError::Gone))?;
            for cascade in &cascades {
                ledger.add(cascade);
            }
        }
        Ok(ledger)
    })
}

/// One page, but for campaigns that were launched since the reading began.
fn unpacked(
    reader: &Reader,
    page: u64,
    terms: &BTreeMap<CampaignId, Terms>,
) -> Result<Vec<Cascade>, StoreError> {
    let kept = reader.page_of_records(page)?.into_iter();
    Ok(kept.filter_map(|(id, campaign, record)| Some(cascade(id, record, terms.get(&campaign)?))).collect())
}

/// What they say.
pub fn learn(reader: &Reader, settings: &Settings) -> Result<Answer, StoreError> {
    Ok(ledger(reader)?.answer(settings))
}

/// The cascades of one campaign.
pub fn of_campaign(reader: &Reader, campaign: CampaignId) -> Result<Vec<Cascade>, StoreError> {
    let terms = terms(reader)?;
    let records = reader.records_of(campaign)?;
    let Some(terms) = terms.get(&campaign) else { return Ok(Vec::new()) };
    Ok(records.into_iter().map(|(id, record)| cascade(id, record, terms)).collect())
}

/// The same from its log, whose launch `campaign` holds.
pub fn of_events<'a>(campaign: &Campaign, events: impl IntoIterator<Item = &'a Event>) -> Vec<Cascade> {
    let launch = &campaign.header.launch;
    let terms = Terms {
        rules: launch.rules_hash.clone().into(),
        conversion_window_s: launch.policy.conversion_window_s,
    };
    let mut records: BTreeMap<CascadeId, Record> = BTreeMap::new();
    for event in events.into_iter().filter(|event| event.campaign == campaign.id()) {
        let Some(cascade) = event.subject.cascade else { continue };
        if let Kind::CascadeStarted { start } = &event.kind {
            records.insert(cascade, Record::begun(event.at, start));
        } else if let Some(record) = records.get_mut(&cascade) {
            record.fold(event);
        }
    }
    records.into_iter().map(|(id, record)| cascade(id, record, &terms)).collect()
}

fn terms(reader: &Reader) -> Result<BTreeMap<CampaignId, Terms>, StoreError> {
    let of = |(rules, conversion_window_s): (String, u64)| Terms { rules: rules.into(), conversion_window_s };
    Ok(reader.campaign_terms()?.into_iter().map(|(id, found)| (id, of(found))).collect())
}

impl Iterator for History<'_> {
    type Item = Result<Cascade, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (id, campaign, record) = match self.records.next()? {
                Ok(kept) => kept,
                Err(error) => return Some(Err(error)),
            };
            if !self.terms.contains_key(&campaign) {
                // Launched since the reading began.
                match terms(self.reader) {
                    Ok(terms) => self.terms = terms,
                    Err(error) => return Some(Err(error)),
                }
            }
            if let Some(terms) = self.terms.get(&campaign) {
                return Some(Ok(cascade(id, record, terms)));
            }
        }
    }
}

/// One record as learning takes it: all steps of the walk, those without a send included.
pub fn cascade(id: CascadeId, record: Record, terms: &Terms) -> Cascade {
    let window = |wait_s: Option<u64>| wait_s.unwrap_or(terms.conversion_window_s);
    let step = |(at, step): (usize, &crate::engine::record::Step)| Step {
        step: at as u32 + 1,
        channel: step.channel,
        sent_at: record.sent_at(at),
        window_s: Some(window(step.wait_s)),
        delivered_at: step.delivered_at,
        bounced_at: step.bounced_at,
        converted_at: step.converted_at,
        opted_out_at: step.opted_out_at,
        cost: record.cost(at),
    };
    Cascade {
        id: id.to_string().into(),
        start: record.start,
        propensity: record.propensity,
        rules: terms.rules.clone(),
        launched_at: record.launched_at,
        horizon_s: Some(record.steps.iter().map(|step| window(step.wait_s)).sum()),
        forced: record.forced,
        steps: record.steps.iter().enumerate().map(step).collect(),
        segment: record.segment,
    }
}
