//! Pictures for the screen: made after a commit, at most 30 a second, newest wins.

use super::ears::Hearing;
use super::handle::{
    InboxItem, PersonCard, Picture, PlaceFacts, Preflight, Settling, TimelineEntry, Trouble,
};
use super::store::StoredEvent;
use crate::clock;
use crate::engine::audit::Audit;
use crate::engine::event::{Event, Kind};
use crate::engine::snapshot::{Row, Snapshot};
use crate::engine::{self, Campaign};
use crate::model::{At, CascadeId, Channel, Customer, PersonId, TextId, Untrusted};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Entries of the timeline that the screen may scroll through.
pub const TIMELINE: usize = 1000;

/// Least wall time between two pictures.
const PACE: Duration = Duration::from_millis(33);

/// Makes pictures and hangs them where the screen looks.
#[derive(Debug)]
pub struct Gallery {
    shown: watch::Sender<Arc<Picture>>,
    picture: Picture,
    rows: Vec<Arc<Row>>,
    hearing: Hearing,
    stale: bool,
    touched: BTreeSet<CascadeId>,
    troubles: BTreeMap<&'static str, Trouble>,
    last: Option<Instant>,
}

impl Gallery {
    /// Shows in `shown`.
    pub fn new(shown: watch::Sender<Arc<Picture>>, place: Arc<PlaceFacts>, hearing: Hearing) -> Self {
        let picture = Picture { place, ..Picture::default() };
        Self {
            shown,
            picture,
            rows: Vec::new(),
            hearing,
            stale: true,
            touched: BTreeSet::new(),
            troubles: BTreeMap::new(),
            last: None,
        }
    }

    /// Everything anew: a campaign was launched or loaded.
    pub fn reset(
        &mut self,
        campaign: Option<&Campaign>,
        people: &HashMap<PersonId, Customer>,
        newest: &[StoredEvent],
    ) {
        self.rows = campaign
            .map(|c| c.journeys().iter().map(|j| Arc::new(engine::row(j))).collect())
            .unwrap_or_default();
        self.picture.people = Arc::new(people.iter().map(|(id, customer)| (*id, card(customer))).collect());
        let entries: Vec<_> = newest.iter().map(entry).collect();
        self.picture.inbox = Arc::new(entries.iter().filter_map(|e| inbox_item(e)).collect());
        self.picture.timeline = Arc::new(entries.into_iter().collect::<VecDeque<_>>());
        self.stale = true;
    }

    /// What one commit brought.
    pub fn add(
        &mut self,
        events: &[(u64, Event)],
        texts: &HashMap<TextId, Untrusted>,
        touched: &BTreeSet<CascadeId>,
    ) {
        let timeline = Arc::make_mut(&mut self.picture.timeline);
        let audit = Arc::make_mut(&mut self.picture.audit);
        for (seq, event) in events {
            let text = text_id(event).and_then(|id| texts.get(&id)).cloned();
            audit.see(*seq, event, text.as_ref());
            let entry = Arc::new(TimelineEntry { seq: *seq, event: event.clone(), text });
            if let Some(item) = inbox_item(&entry) {
                Arc::make_mut(&mut self.picture.inbox).push(item);
            }
            timeline.push_back(entry);
            if timeline.len() > TIMELINE {
                timeline.pop_front();
            }
        }
        self.touched.extend(touched);
        self.stale = true;
    }

    /// What a launch would do.
    pub fn set_preflight(&mut self, preflight: Option<Arc<Preflight>>) {
        self.picture.preflight = preflight;
        self.stale = true;
    }

    /// What is still coming up; `None`: everything is there.
    pub fn set_starting(&mut self, what: Option<String>) {
        self.picture.starting = what;
        self.stale = true;
    }

    /// What operators ordered before.
    pub fn set_audit(&mut self, audit: Audit) {
        self.picture.audit = Arc::new(audit);
        self.stale = true;
    }

    /// Something stands in the way, or (`None`) does no more; `which` keeps it apart from others.
    pub fn set_trouble(&mut self, which: &'static str, trouble: Option<Trouble>) {
        if trouble.is_some() || self.troubles.contains_key(which) {
            match trouble {
                Some(trouble) => drop(self.troubles.insert(which, trouble)),
                None => drop(self.troubles.remove(which)),
            }
            let mut gravest_first: Vec<_> = self.troubles.values().cloned().collect();
            gravest_first.sort_by_key(|trouble| std::cmp::Reverse(trouble.level));
            self.picture.troubles = gravest_first;
            self.stale = true;
        }
    }

    /// Nothing is sent before what was said in a gap is heard.
    pub fn set_settling(&mut self, settling: Option<Settling>) {
        if self.picture.settling != settling {
            self.picture.settling = settling;
            self.stale = true;
        }
    }

    /// The store failed, or is well again.
    pub fn set_failed(&mut self, why: Option<String>) {
        self.picture.store_failed = why;
        self.stale = true;
    }

    /// When the next picture is due by wall time; `None`: nothing changed, or nobody looks.
    pub fn due_in(&self) -> Option<Duration> {
        if self.shown.receiver_count() == 0 {
            return None;
        }
        let since = self.last.map_or(PACE, |last| clock::wall().saturating_duration_since(last));
        self.stale.then(|| PACE.saturating_sub(since))
    }

    /// Shows a picture if one is due, or at once.
    pub fn show(&mut self, campaign: Option<&Campaign>, seq: u64, now: At, at_once: bool) {
        if self.due_in().is_none_or(|left| !at_once && !left.is_zero()) {
            return;
        }
        if let Some(campaign) = campaign {
            let first = campaign.header.launch.first_cascade.0;
            for id in std::mem::take(&mut self.touched) {
                let row =
                    usize::try_from(id.0.saturating_sub(first)).ok().and_then(|at| self.rows.get_mut(at));
                if let (Some(row), Some(journey)) = (row, campaign.journey(id)) {
                    *row = Arc::new(engine::row(journey));
                }
            }
            self.picture.snapshot = engine::snapshot(campaign, seq, now, Arc::new(self.rows.clone()));
        } else {
            self.picture.snapshot = Snapshot { now, ..Snapshot::default() };
        }
        self.picture.ears = self.hearing.ears();
        self.shown.send_replace(Arc::new(self.picture.clone()));
        (self.stale, self.last) = (false, Some(clock::wall()));
    }
}

/// A stored event as the timeline shows it.
pub fn entry(stored: &StoredEvent) -> Arc<TimelineEntry> {
    Arc::new(TimelineEntry { seq: stored.seq, event: stored.event.clone(), text: stored.text.clone() })
}

/// A person as the screen names them.
pub fn card(customer: &Customer) -> PersonCard {
    PersonCard {
        name: customer.name.screen(),
        phone: Some(customer.phone.clone()),
        segment: customer.segment.screen(),
        language: customer.language.as_deref().map(crate::model::clean),
    }
}

fn text_id(event: &Event) -> Option<TextId> {
    match &event.kind {
        Kind::OutcomeHeard { text, .. } | Kind::Ordered { text, .. } => *text,
        _ => None,
    }
}

fn inbox_item(entry: &TimelineEntry) -> Option<InboxItem> {
    let Kind::OutcomeHeard { disposition, text: Some(_), .. } = &entry.event.kind else { return None };
    Some(InboxItem {
        seq: entry.seq,
        at: entry.event.at,
        cascade: entry.event.subject.cascade,
        person: entry.event.subject.customer,
        channel: entry.event.subject.channel.unwrap_or(Channel::Whatsapp),
        text: entry.text.clone()?,
        disposition: *disposition,
    })
}
