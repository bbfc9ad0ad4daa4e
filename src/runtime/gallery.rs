//! Pictures for the screen: made after a commit, at most 30 a second, newest wins.

use super::attach::Seat;
use super::ears::Hearing;
use super::feed::{Beside, Feed};
use super::handle::{
    InboxItem, PersonCard, Picture, PlaceFacts, Preflight, Settling, TimelineEntry, Trouble,
};
use super::saving::{RULES, Saved};
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

/// The same where no screen looks, only lines of progress: a picture costs as much as the cohort is large.
const AT_LEISURE: Duration = Duration::from_secs(1);

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
    pace: Duration,
    feed: Feed,
    /// How often everything was made anew.
    anew: u64,
    beside: Arc<Beside>,
}

impl Gallery {
    /// Shows in `shown`.
    pub fn new(shown: watch::Sender<Arc<Picture>>, place: Arc<PlaceFacts>, hearing: Hearing) -> Self {
        let feed = Feed::new(Arc::clone(&place), hearing.clone());
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
            pace: PACE,
            feed,
            anew: 0,
            beside: Arc::default(),
        }
    }

    /// What consoles in other processes are told.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Nobody watches a screen of this process: pictures are for lines of progress.
    pub fn at_leisure(&mut self) {
        self.pace = AT_LEISURE;
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
        (self.stale, self.anew) = (true, self.anew + 1);
    }

    /// People of earlier campaigns, of whom something is heard: the timeline and the inbox name them.
    pub fn know<'a>(&mut self, others: impl Iterator<Item = (PersonId, &'a Customer)>) {
        for (id, customer) in others {
            // The table is as large as the cohort, and every picture shares it.
            if !self.picture.people.contains_key(&id) {
                Arc::make_mut(&mut self.picture.people).insert(id, card(customer));
            }
        }
    }

    /// What one commit brought.
    pub fn add(
        &mut self,
        events: &[(u64, Event)],
        texts: &HashMap<TextId, Untrusted>,
        touched: &BTreeSet<CascadeId>,
    ) {
        let entries = events.iter().map(|(seq, event)| {
            let text = text_id(event).and_then(|id| texts.get(&id)).cloned();
            Arc::new(TimelineEntry { seq: *seq, event: event.clone(), text })
        });
        self.extend(entries, touched);
        if let Some((seq, _)) = events.last() {
            self.publish(*seq);
        }
    }

    /// What was read of commits that another process made.
    pub fn add_stored(&mut self, events: &[StoredEvent], touched: &BTreeSet<CascadeId>) {
        self.extend(events.iter().map(entry), touched);
    }

    fn extend(&mut self, entries: impl Iterator<Item = Arc<TimelineEntry>>, touched: &BTreeSet<CascadeId>) {
        let timeline = Arc::make_mut(&mut self.picture.timeline);
        let audit = Arc::make_mut(&mut self.picture.audit);
        for entry in entries {
            audit.see(entry.seq, &entry.event, entry.text.as_ref());
            if let Some(item) = inbox_item(&entry) {
                Arc::make_mut(&mut self.picture.inbox).push(item);
            }
            // Through a long hold nothing but these is written, and they would push out all that happened.
            if !entry.event.kind.is_clockwork() {
                timeline.push_back(entry);
            }
            if timeline.len() > TIMELINE {
                timeline.pop_front();
            }
        }
        self.touched.extend(touched);
        self.stale = true;
    }

    /// Tells other processes how far the log is on disk, and what stands beside it.
    fn publish(&self, seq: u64) {
        self.feed.standing.send_if_modified(|told| {
            let same = (told.seq, told.anew) == (seq, self.anew) && Arc::ptr_eq(&told.beside, &self.beside);
            if !same {
                (told.seq, told.anew, told.beside) = (seq, self.anew, Arc::clone(&self.beside));
            }
            !same
        });
    }

    /// What a launch would do.
    pub fn set_preflight(&mut self, preflight: Option<Arc<Preflight>>) {
        Arc::make_mut(&mut self.beside).preflight.clone_from(&preflight);
        self.picture.preflight = preflight;
        self.stale = true;
    }

    /// What is still coming up; `None`: everything is there.
    pub fn set_starting(&mut self, what: Option<String>) {
        Arc::make_mut(&mut self.beside).starting.clone_from(&what);
        self.picture.starting = what;
        self.stale = true;
    }

    /// What people wrote and said before, where the newest events tell of the last hour alone.
    pub fn set_inbox(&mut self, inbox: &[StoredEvent]) {
        self.picture.inbox = Arc::new(inbox.iter().filter_map(|stored| inbox_item(&entry(stored))).collect());
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
            Arc::make_mut(&mut self.beside).troubles.clone_from(&gravest_first);
            self.picture.troubles = gravest_first;
            self.stale = true;
        }
    }

    /// Nothing is sent before what was said in a gap is heard.
    pub fn set_settling(&mut self, settling: Option<Settling>) {
        if self.picture.settling != settling {
            Arc::make_mut(&mut self.beside).settling = settling;
            self.picture.settling = settling;
            self.stale = true;
        }
    }

    /// The newest save, and how far it is.
    pub fn set_saved(&mut self, saved: Option<Arc<Saved>>) {
        Arc::make_mut(&mut self.beside).saved.clone_from(&saved);
        self.picture.saved = saved;
        self.stale = true;
    }

    /// What each channel sends in a second, and how many at once.
    pub fn paces(&self) -> Vec<(Channel, f64, u64)> {
        self.picture.place.paces.clone()
    }

    /// Rules and texts were saved.
    pub fn set_files<'f>(&mut self, files: impl Iterator<Item = (&'f str, &'f [u8])>) {
        let mut place = (*self.picture.place).clone();
        for (name, bytes) in files {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if name == RULES {
                (place.rules_source, place.rules_text) = (RULES.to_owned(), text);
                continue;
            }
            let file = name.rsplit('/').next().unwrap_or(name);
            match place.content.iter_mut().find(|(known, _)| known == file) {
                Some((_, before)) => *before = text,
                None => place.content.push((file.to_owned(), text)),
            }
        }
        self.feed.place.send_replace(Arc::new(place.clone()));
        self.set_place(place);
    }

    /// The store failed, or is well again.
    pub fn set_failed(&mut self, why: Option<String>) {
        Arc::make_mut(&mut self.beside).store_failed.clone_from(&why);
        self.picture.store_failed = why;
        self.stale = true;
    }

    /// What another process tells, all of it.
    pub fn set_beside(&mut self, beside: &Beside) {
        self.set_starting(beside.starting.clone());
        self.set_preflight(beside.preflight.clone());
        self.set_failed(beside.store_failed.clone());
        self.set_settling(beside.settling);
        self.set_saved(beside.saved.clone());
        self.picture.troubles.clone_from(&beside.troubles);
    }

    /// Which files and settings the campaign runs on.
    pub fn place(&self) -> Arc<PlaceFacts> {
        Arc::clone(&self.picture.place)
    }

    /// Which files and settings another process runs on.
    pub fn set_place(&mut self, place: PlaceFacts) {
        self.picture.place = Arc::new(place);
        self.stale = true;
    }

    /// Where a console that is attached sits.
    pub fn set_seat(&mut self, seat: Seat) {
        self.picture.seat = Some(Arc::new(seat));
        self.stale = true;
    }

    /// Ears age without an event: shows them again.
    pub fn listen_again(&mut self) {
        self.stale = true;
    }

    /// When the next picture is due by wall time; `None`: nothing changed, or nobody looks.
    pub fn due_in(&self) -> Option<Duration> {
        if self.shown.receiver_count() == 0 {
            return None;
        }
        let since = self.last.map_or(self.pace, |last| clock::wall().saturating_duration_since(last));
        self.stale.then(|| self.pace.saturating_sub(since))
    }

    /// Shows a picture if one is due, or at once.
    pub fn show(&mut self, campaign: Option<&Campaign>, seq: u64, now: At, at_once: bool) {
        self.publish(seq);
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

    /// What stands beside the log, at once and while a commit is under way: what it brings is not on disk yet, so
    /// nothing of it is told.
    pub fn show_beside(&self) {
        let seq = self.feed.standing.borrow().seq;
        self.publish(seq);
        self.shown.send_replace(Arc::new(self.picture.clone()));
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
        campaign: entry.event.campaign,
        cascade: entry.event.subject.cascade,
        person: entry.event.subject.customer,
        channel: entry.event.subject.channel.unwrap_or(Channel::Whatsapp),
        text: entry.text.clone()?,
        disposition: *disposition,
    })
}
