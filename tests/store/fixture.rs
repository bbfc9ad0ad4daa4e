//! A campaign driven by the engine alone, and what each of its moves leaves for the store.

use cascade::engine::event::{CampaignKind, CascadeStart, Launch, Skip};
use cascade::engine::input::{Heard, Input, What};
use cascade::engine::meaning::Meaning;
use cascade::engine::order::{Order, Signed, Who};
use cascade::engine::policy::Policy;
use cascade::engine::{self, Campaign, Concluded};
use cascade::model::{
    At, AttemptId, CampaignId, CascadeId, Channel, Consents, Customer, Disposition, Leg, Mode, Money,
    Outcome, PersonId, Phone, Segment, TextId, TimerId, Untrusted,
};
use cascade::runtime::store::{Batch, LinkRow, Loaded, PersonRow, Reader, Store, SuppressionRow, TextRow};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// When campaigns begin.
pub const BEGIN: At = At::from_secs(1_800_000_000);

/// A directory in memory where there is such a thing: nothing here is about how long a disk takes.
pub fn a_place() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A directory with a new rehearsal store in it.
pub fn stored() -> (TempDir, PathBuf) {
    let place = a_place();
    let path = place.path().join("rehearsal.db");
    drop(Store::open(&path, Mode::Rehearsal).unwrap());
    assert!(path.exists());
    (place, path)
}

pub fn open(path: &Path) -> Store {
    Store::open(path, Mode::Rehearsal).unwrap()
}

/// The rows are the campaign, and the log folds to it.
pub fn holds_together(path: &Path) -> Loaded {
    let reader = Reader::open(path).unwrap();
    let loaded = reader.load(100).unwrap();
    let log = reader.events_after(0, None, usize::MAX).unwrap();
    let seqs: Vec<u64> = log.iter().map(|stored| stored.seq).collect();
    assert_eq!(seqs, (1..=loaded.seq).collect::<Vec<_>>(), "the log has gaps");
    let campaigns: BTreeSet<_> = log.iter().map(|stored| stored.event.campaign).collect();
    for id in campaigns {
        let own = log.iter().map(|stored| &stored.event).filter(|event| event.campaign == id);
        let rows = reader.campaign(Some(id)).unwrap();
        assert!(engine::replay(own) == rows, "the log of campaign {id} gives other rows");
    }
    let kept: Vec<_> = reader.records().unwrap().map(Result::unwrap).collect();
    assert_eq!(kept, reader.records_of_the_log().unwrap(), "the log gives other records");
    loaded
}

/// A campaign, move by move.
pub struct Tale {
    pub campaign: Campaign,
    pub seq: u64,
    pub at: At,
    texts: u64,
}

impl Tale {
    /// Launches `people` customers as the store's first campaign.
    pub fn launch(store: &str, people: u64) -> (Self, Batch) {
        Self::launch_after(store, people, None)
    }

    /// Launches the same people again, after an earlier campaign.
    pub fn launch_after(store: &str, people: u64, before: Option<&Self>) -> (Self, Batch) {
        let (campaign, concluded) = launch(store, people, before.map(|tale| &tale.campaign));
        let mut tale = Self {
            at: campaign.header.started_at,
            campaign,
            seq: before.map_or(0, |tale| tale.seq),
            texts: before.map_or(0, |tale| tale.texts),
        };
        let mut batch = tale.batch(concluded);
        let everybody = tale.campaign.journeys();
        batch.people =
            everybody.iter().map(|j| PersonRow { id: j.person, customer: customer(j.person.0) }).collect();
        (tale, batch)
    }

    /// Goes on from what a store holds.
    pub fn of(loaded: &Loaded) -> Self {
        let (campaign, at) = (loaded.campaign.clone().unwrap(), loaded.last_at.unwrap());
        Self { campaign, seq: loaded.seq, at, texts: loaded.last_text }
    }

    /// The last text that the store holds.
    pub const fn texts_from(&mut self, last: u64) {
        self.texts = last;
    }

    /// One piece of news, a second later.
    pub fn hear(&mut self, input: Input) -> Batch {
        self.at = self.at + chrono::TimeDelta::seconds(1);
        let concluded = engine::apply(&mut self.campaign, self.at, input).unwrap();
        self.batch(concluded)
    }

    /// The next send is claimed, with its link, and accepted as `wamid.N`.
    pub fn send(&mut self, channel: Channel) -> (AttemptId, Vec<Batch>) {
        let mut claimed = self.hear(Input::Permit(channel));
        let attempt = claimed.events[0].1.subject.attempt.unwrap();
        claimed.links.push(LinkRow {
            code: format!("code-{attempt}"),
            attempt,
            target: "https://example.com/renew".into(),
        });
        let provider_id = format!("wamid.{attempt}");
        let accepted = self.hear(Input::Accepted { attempt, provider_id, units: 1 });
        (attempt, vec![claimed, accepted])
    }

    /// A receipt for `attempt`, with its key.
    pub fn receipt(&mut self, attempt: AttemptId, what: What) -> Batch {
        let heard = Heard {
            provider: "whatsapp".into(),
            channel: Channel::Whatsapp,
            happened_at: Some(self.at),
            provider_id: None,
            attempt: Some(attempt),
            line: None,
            text: None,
            what,
        };
        let key = dedup(&format!("receipt {attempt} {:?}", heard.what));
        let mut batch = self.hear(Input::Heard(Box::new(heard)));
        batch.dedup.push(key);
        batch
    }

    /// Whoever got `attempt` writes back.
    pub fn write(&mut self, attempt: AttemptId, text: &str, means: Meaning) -> Batch {
        self.texts += 1;
        let id = TextId(self.texts);
        let person = self.campaign.attempt(attempt).unwrap().0.person;
        let heard = Heard {
            provider: "whatsapp".into(),
            channel: Channel::Whatsapp,
            happened_at: None,
            provider_id: None,
            attempt: Some(attempt),
            line: Some(person),
            text: Some(id),
            what: What::Inbound(means.clone()),
        };
        let mut batch = self.hear(Input::Heard(Box::new(heard)));
        let from = customer(person.0).phone;
        batch.texts.push(TextRow {
            id,
            person: Some(person),
            from: Some(from.clone()),
            at: self.at,
            body: text.into(),
        });
        batch.dedup.push(dedup(&format!("text {id}")));
        if matches!(means, Meaning::OptOut(_)) {
            batch.suppressions.push(opt_out(from, self.at));
        }
        batch
    }

    /// They say yes.
    pub fn agree(&mut self, attempt: AttemptId, text: &str) -> Batch {
        self.write(attempt, text, Meaning::Answer(Disposition::Positive))
    }

    /// What the engine concluded, for the store.
    pub fn batch(&mut self, concluded: Concluded) -> Batch {
        let touched: BTreeSet<_> = concluded.events.iter().filter_map(|e| e.subject.cascade).collect();
        let numbered = concluded.events.into_iter().map(|event| {
            self.seq += 1;
            (self.seq, event)
        });
        Batch {
            events: numbered.collect(),
            header: Some(self.campaign.header.clone()),
            journeys: touched.iter().filter_map(|id| self.campaign.journey(*id)).cloned().collect(),
            ..Batch::default()
        }
    }
}

/// An order as a console gives it.
pub fn signed(order: Order, text: Option<TextId>) -> Input {
    let by = Who { user: "ops".into(), host: "desk".into(), tty: None };
    let (wall_at, campaign) = (At::from_secs(1_900_000_000), Some(CampaignId(1)));
    Input::Order(Box::new(Signed { order, by, wall_at, campaign, text }))
}

/// A key of a report.
pub fn dedup(of: &str) -> [u8; 16] {
    use sha2::Digest as _;
    sha2::Sha256::digest(of)[..16].try_into().unwrap()
}

pub fn opt_out(phone: Phone, at: At) -> SuppressionRow {
    SuppressionRow { phone, at, via: Channel::Whatsapp, why: "said so themselves".into() }
}

/// A store with a campaign of `people` in flight: everybody got a WhatsApp, and the first two answered, one of them
/// with STOP. Closed in order.
pub async fn in_flight(path: &Path, people: u64) -> Tale {
    let store = open(path);
    let (mut tale, launched) = Tale::launch(store.id(), people);
    store.commit(launched).await.unwrap();
    let mut attempts = Vec::new();
    for _ in 0..people {
        let (attempt, batches) = tale.send(Channel::Whatsapp);
        attempts.push(attempt);
        for batch in batches {
            store.commit(batch).await.unwrap();
        }
    }
    store.commit(tale.agree(attempts[0], "Yes please, call me")).await.unwrap();
    if let Some(second) = attempts.get(1) {
        let stop = Meaning::OptOut("stop".into());
        store.commit(tale.write(*second, "Stop this at once", stop)).await.unwrap();
    }
    tale
}

/// The customer with this person id: names nobody else has, and no number is part of another.
pub fn customer(n: u64) -> Customer {
    let extra = BTreeMap::from([("company".to_owned(), Untrusted::new(format!("Acme Widgets {n:06}")))]);
    Customer {
        line: n + 1,
        name: format!("Customer Numberone{n:06}").into(),
        phone: phone(n),
        segment: Segment("retail".into()),
        email: Some(format!("customer{n:06}@example.com")),
        timezone: None,
        language: None,
        country: Some("US".into()),
        consents: Consents::default(),
        extra,
    }
}

/// The number of the customer with this person id.
pub fn phone(n: u64) -> Phone {
    Phone::parse_e164(&format!("+1415{:07}", 5_550_100 + n)).unwrap()
}

fn leg(channel: Channel, wait_s: Option<u64>) -> Leg {
    Leg {
        channel,
        wait_s,
        attempts: 1,
        bounce_waits: false,
        converts_on: vec![Outcome::Replied, Outcome::Clicked],
        reserve: Money::parse("0.05").unwrap(),
        template: (channel == Channel::Whatsapp).then(|| "renewal/en_US".into()),
    }
}

fn launch(store: &str, people: u64, before: Option<&Campaign>) -> (Campaign, Concluded) {
    let start = |n: u64| CascadeStart {
        segment: Segment("retail".into()),
        start: Channel::Whatsapp,
        propensity: 1.0,
        drawn: None,
        walk: vec![
            leg(Channel::Whatsapp, Some(21_600)),
            leg(Channel::Phone, Some(7_200)),
            leg(Channel::Sms, None),
        ],
        skips: vec![(Channel::Email, Skip::NoAddress)],
        zone: "America/New_York".into(),
        country: Some("US".into()),
        line: PersonId(n),
        recent: Vec::new(),
    };
    let last = before.and_then(|campaign| campaign.journeys().last()).map_or(0, |journey| journey.id.0);
    let launch = Launch {
        name: "renewal".into(),
        kind: CampaignKind::Pilot,
        mode: Mode::Rehearsal,
        rules_hash: "r".into(),
        content_hash: "c".into(),
        rules_commit: None,
        speed: 720.0,
        seed: 1,
        customers: people,
        rejects: 0,
        store: store.into(),
        first_cascade: CascadeId(last + 1),
        first_attempt: before.map_or(AttemptId(1), |campaign| campaign.header.next_attempt),
        first_timer: before.map_or(TimerId(1), |campaign| campaign.header.next_timer),
        policy: policy(),
    };
    let starts = (1..=people).map(|n| (PersonId(n), start(n))).collect();
    let id = before.map_or(1, |campaign| campaign.id().0 + 1);
    engine::launch(CampaignId(id), BEGIN + chrono::TimeDelta::days(7 * id as i64), launch, starts)
}

fn policy() -> Policy {
    Policy {
        conversion_window_s: 86_400,
        quiet_hours: Vec::new(),
        expires_s: 86_400,
        retry_max: 5,
        per_person_24h: 3,
        budget: Money::parse("1000000").unwrap(),
        currency: "USD".into(),
        max_failure_share: 1.0,
        max_optout_share: 1.0,
        min_customers: 50,
        concurrent: vec![(Channel::Whatsapp, 8), (Channel::Phone, 8), (Channel::Sms, 8)],
        prices: [Channel::Whatsapp, Channel::Phone, Channel::Sms]
            .map(|channel| (channel, Money::parse("0.05").unwrap(), Money::ZERO))
            .into(),
    }
}
