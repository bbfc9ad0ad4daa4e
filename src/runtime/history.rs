//! From the store to [`learning`](crate::learning): every cascade of a store as a record, whichever campaign it was of.
//! A store is of one mode, so that rehearsals never teach anything about people.
//!
//! Read beside whoever writes, a page at a time: nobody waits for it.

use super::question::Question;
use super::store::records::{PAGE, Records};
use super::store::{Reader, StoreError};
use crate::engine::Campaign;
use crate::engine::event::{End, Event, Kind};
use crate::engine::record::Record;
use crate::learning::answer::{Answer, Settings};
use crate::learning::history::{Cascade, Ending, Step};
use crate::learning::ledger::Ledger;
use crate::model::{At, CampaignId, CascadeId, Untrusted};
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What a campaign fixed for all its cascades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What it ran under: SHA-256 of its rules, and of its texts.
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

/// All of them, in the form that every question is answered from: read, unpacked and summed up by so many threads, which
/// changes nothing in what it says.
pub fn ledger(reader: &Reader, threads: usize) -> Result<Ledger, StoreError> {
    let mut ledger = Ledger::new();
    let Some(pages) = reader.pages_of_records()? else {
        for cascade in read(reader)? {
            ledger.add(&cascade?);
        }
        return Ok(ledger);
    };
    let (path, terms, next) = (reader.path(), &terms(reader)?, AtomicU64::new(0));
    let work = || {
        let (reader, mut read) = (Reader::open(path)?, Vec::new());
        loop {
            let page = next.fetch_add(1, Ordering::Relaxed);
            if page >= pages {
                return Ok(read);
            }
            read.push((page, summed(&reader, page, terms)?));
        }
    };
    let read: Vec<Result<Vec<(u64, Ledger)>, StoreError>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut read = read.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    read.sort_unstable_by_key(|(page, _)| *page);
    for (_, page) in read {
        ledger.append(page);
    }
    Ok(ledger)
}

/// As many threads as this machine runs at once.
pub fn all_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// One page, but for campaigns that were launched since `terms` were read.
fn summed(reader: &Reader, page: u64, terms: &BTreeMap<CampaignId, Terms>) -> Result<Ledger, StoreError> {
    let (mut ledger, mut cascade) = (Ledger::page(PAGE as usize), Cascade::default());
    reader.page_of_records(page, |campaign, record| {
        if let Some(terms) = terms.get(&campaign) {
            fill(&mut cascade, record, terms);
            ledger.add(&cascade);
        }
    })?;
    ledger.fit();
    Ok(ledger)
}

/// The record of a store that somebody goes on writing, summed up. From one question to the next only those pages are
/// read again in which something happened, so that a campaign can be followed beside a million ended cascades.
#[derive(Debug, Default)]
pub struct Shelf {
    ledger: Ledger,
    /// The last event that is in it; `None`: nothing was read yet.
    seq: Option<u64>,
}

impl Shelf {
    /// What the record says now.
    pub fn learn(&mut self, reader: &Reader, settings: &Settings) -> Result<Answer, StoreError> {
        self.read_on(reader)?;
        Ok(self.ledger.answer(settings))
    }

    fn read_on(&mut self, reader: &Reader) -> Result<(), StoreError> {
        // What happens while it is read is read again the next time.
        let seq = reader.last_event()?;
        let is_paged = reader.pages_of_records()?.is_some();
        if let Some(since) = self.seq.filter(|since| is_paged && *since <= seq) {
            let pages = reader.pages_changed_since(since)?;
            let terms = terms(reader)?;
            for page in pages {
                self.ledger.replace(page as usize, summed(reader, page, &terms)?);
            }
        } else {
            // Whoever runs a campaign has a core left.
            self.ledger = ledger(reader, all_threads() - 1)?;
        }
        self.seq = is_paged.then_some(seq);
        Ok(())
    }
}

/// What a record says that several ask, one after the other.
pub fn ask(record: &Mutex<Shelf>, reader: &Reader, question: &Question) -> Result<Answer, StoreError> {
    // Reading rules that ran takes its time, and keeps nobody waiting.
    let settings = question.settings(reader)?;
    record.lock().unwrap_or_else(PoisonError::into_inner).learn(reader, &settings)
}

/// The cascades of one campaign.
pub fn of_campaign(reader: &Reader, campaign: CampaignId) -> Result<Vec<Cascade>, StoreError> {
    let terms = terms(reader)?;
    let records = reader.records_of(campaign)?;
    let Some(terms) = terms.get(&campaign) else { return Ok(Vec::new()) };
    Ok(records.iter().map(|(id, record)| cascade(*id, record, terms)).collect())
}

/// The same from its log, whose launch `campaign` holds.
pub fn of_events<'a>(campaign: &Campaign, events: impl IntoIterator<Item = &'a Event>) -> Vec<Cascade> {
    let launch = &campaign.header.launch;
    let terms = Terms {
        rules: version(&launch.rules_hash, &launch.content_hash).into(),
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
    records.iter().map(|(id, record)| cascade(*id, record, &terms)).collect()
}

fn terms(reader: &Reader) -> Result<BTreeMap<CampaignId, Terms>, StoreError> {
    let of = |(rules, texts, conversion_window_s): (String, String, u64)| Terms {
        rules: version(&rules, &texts).into(),
        conversion_window_s,
    };
    Ok(reader.campaign_terms()?.into_iter().map(|(id, found)| (id, of(found))).collect())
}

/// What cascades run under, as the record writes it: [`answer::parts`](crate::learning::answer::parts) takes it apart.
pub fn version(rules: &str, texts: &str) -> String {
    format!("{rules}+{texts}")
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
                return Some(Ok(cascade(id, &record, terms)));
            }
        }
    }
}

/// One record as learning takes it: all steps of the walk, those without a send included.
pub fn cascade(id: CascadeId, record: &Record, terms: &Terms) -> Cascade {
    let mut cascade = Cascade { id: id.to_string().into(), ..Cascade::default() };
    fill(&mut cascade, record, terms);
    cascade
}

/// The same into a place that is filled again and again.
fn fill(cascade: &mut Cascade, record: &Record, terms: &Terms) {
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
    cascade.segment.0.clone_from(&record.segment.0);
    cascade.start = record.start;
    cascade.propensity = record.propensity;
    if cascade.rules != terms.rules {
        cascade.rules = terms.rules.clone();
    }
    cascade.launched_at = record.launched_at;
    cascade.horizon_s = Some(record.steps.iter().map(|step| window(step.wait_s)).sum());
    cascade.ending = match record.ended {
        None => Ending::Open,
        // A provider's clock may be ahead of ours.
        Some((at, End::Converted)) => {
            Ending::At(record.steps.iter().filter_map(|step| step.converted_at).fold(at, At::max))
        }
        Some((at, End::Declined | End::Exhausted | End::OptedOut | End::Stopped)) => Ending::At(at),
    };
    cascade.forced = record.forced;
    cascade.steps.clear();
    cascade.steps.extend(record.steps.iter().enumerate().map(step));
}
