//! The store: what a commit holds is there after it, and nothing of what failed.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use cascade::engine::audit::Back;
use cascade::engine::event::RecallResult;
use cascade::engine::event::{CampaignKind, CascadeStart, Launch};
use cascade::engine::input::Input;
use cascade::engine::order::{Ask, Came, Left, Order, Signed, Who};
use cascade::engine::policy::Policy;
use cascade::engine::{self, Campaign, Concluded};
use cascade::model::{
    At, AttemptId, CampaignId, CascadeId, Channel, Class, Consents, Customer, Failure, Leg, Mode, Money,
    Outcome, PersonId, Phone, Scope, Segment, Sent, TextId, TimerId, Untrusted,
};
use cascade::runtime::store::{Batch, PersonRow, Store, StoreError, TextRow};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[tokio::test]
async fn what_was_committed_is_read_back_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&place.path().join("rehearsal.db"), Mode::Rehearsal).unwrap();
    let (mut campaign, launched) = launch(store.id(), 3);
    let mut seq = 0;
    store.commit(batch(&campaign, launched, &mut seq)).await.unwrap();
    let at = At::from_secs(1_800_000_001);
    let claimed = engine::apply(&mut campaign, at, Input::Permit(Channel::Whatsapp)).unwrap();
    store.commit(batch(&campaign, claimed, &mut seq)).await.unwrap();

    let loaded = store.reader().unwrap().load(10).unwrap();
    assert_eq!(loaded.campaign.as_ref(), Some(&campaign), "the rows are the campaign");
    assert_eq!(loaded.seq, seq);
    assert_eq!(loaded.last_at, Some(at));
    assert_eq!(loaded.people.len(), 3);
    let log = store.reader().unwrap().events_after(0, None, 1000).unwrap();
    let replayed = engine::replay(log.iter().map(|stored| &stored.event)).unwrap();
    assert_eq!(replayed, campaign, "the log folds to the rows");
    let seqs: Vec<u64> = log.iter().map(|stored| stored.seq).collect();
    assert_eq!(seqs, (1..=seq).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_of_itself() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&place.path().join("rehearsal.db"), Mode::Rehearsal).unwrap();
    let (campaign, launched) = launch(store.id(), 2);
    let mut seq = 0;
    store.commit(batch(&campaign, launched.clone(), &mut seq)).await.unwrap();
    // The same places in the log again: refused, with the text that stood beside them.
    let mut again = 0;
    let mut twice = batch(&campaign, launched, &mut again);
    twice.texts.push(TextRow {
        id: cascade::model::TextId(9),
        person: None,
        at: At::default(),
        body: "late".into(),
    });
    let error = store.commit(twice).await.unwrap_err();
    assert!(error.to_string().contains("cannot write events"), "{error}");
    let reader = store.reader().unwrap();
    assert_eq!(reader.text(cascade::model::TextId(9)).unwrap(), None);
    assert_eq!(reader.load(10).unwrap().seq, seq);
}

#[test]
fn a_second_writer_is_told_who_holds_it() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("rehearsal.db");
    let first = Store::open(&path, Mode::Rehearsal).unwrap();
    let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
    let words = refused.to_string();
    assert!(words.contains(&format!("process {}", std::process::id())), "{words}");
    drop(first);
    Store::open(&path, Mode::Rehearsal).unwrap();
}

#[test]
fn readers_look_in_while_somebody_writes() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("rehearsal.db");
    let store = Store::open(&path, Mode::Rehearsal).unwrap();
    let reader = cascade::runtime::store::Reader::open(&path).unwrap();
    assert_eq!(reader.meta("store_id").unwrap().as_deref(), Some(store.id()));
}

#[test]
fn rehearsal_and_live_never_share_a_store() {
    let (_place, path) = stored();
    let refused = Store::open(&path, Mode::Live).unwrap_err();
    assert!(matches!(refused, StoreError::WrongMode { .. }), "{refused}");
}

#[test]
fn a_damaged_store_is_named_and_left_as_it_is() {
    let (_place, path) = stored();
    let damage = b"this is no database, but a letter to the operator";
    std::fs::write(&path, damage).unwrap();
    let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), damage, "nothing was changed");
}

#[test]
fn a_newer_store_is_not_touched() {
    let (_place, path) = stored();
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 999).unwrap();
    drop(newer);
    let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
    assert!(matches!(refused, StoreError::TooNew { found: 999, .. }), "{refused}");
}

#[test]
#[cfg(unix)]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_place, path) = stored();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn people_and_outcomes_survive_in_every_script() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&place.path().join("rehearsal.db"), Mode::Rehearsal).unwrap();
    let (campaign, launched) = launch(store.id(), 1);
    let mut seq = 0;
    let mut all = batch(&campaign, launched, &mut seq);
    all.people[0].customer.name = "Zoë \u{1b}[2J 🦀 名前".into();
    store.commit(all).await.unwrap();
    let people = store.reader().unwrap().people(campaign.id()).unwrap();
    let kept = people.values().next().unwrap();
    assert_eq!(kept.name.raw(), "Zoë \u{1b}[2J 🦀 名前");
    assert_eq!(kept.name.screen(), "Zoë ·[2J 🦀 名前");
}

/// An order as a console gives it.
fn signed(order: Order, text: Option<TextId>) -> Input {
    let by = Who { user: "ops".into(), host: "desk".into(), tty: None };
    let (wall_at, campaign) = (At::from_secs(1_900_000_000), Some(CampaignId(1)));
    Input::Order(Box::new(Signed { order, by, wall_at, campaign, text }))
}

#[tokio::test]
async fn orders_are_read_back_with_who_when_why_and_what_came_of_each() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("rehearsal.db");
    let store = Store::open(&path, Mode::Rehearsal).unwrap();
    let (mut campaign, launched) = launch(store.id(), 3);
    let mut seq = 0;
    store.commit(batch(&campaign, launched, &mut seq)).await.unwrap();
    let mut give = async |input: Input, why: Option<&str>, seq: &mut u64| {
        let at = At::from_secs(1_800_000_001);
        let concluded = engine::apply(&mut campaign, at, input).unwrap();
        let mut batch = batch(&campaign, concluded, seq);
        batch.texts.extend(why.map(|why| TextRow { id: TextId(7), person: None, at, body: why.into() }));
        store.commit(batch).await.unwrap();
    };
    give(Input::Permit(Channel::Whatsapp), None, &mut seq).await;
    give(signed(Order::StopAll, Some(TextId(7))), Some("wrong list"), &mut seq).await;
    give(signed(Order::StopAll, None), None, &mut seq).await;
    let (attempt, provider_id) = (AttemptId(1), "wamid.1".to_owned());
    give(Input::Accepted { attempt, provider_id, units: 1 }, None, &mut seq).await;
    give(Input::Recalled { attempt, result: RecallResult::Impossible }, None, &mut seq).await;

    let audit = store.reader().unwrap().audit(Some(CampaignId(1))).unwrap();
    let [all, again] = audit.orders() else { panic!("{:?}", audit.orders()) };
    assert_eq!((all.what, all.people, all.by.user.as_str()), (Ask::StopCampaign, 3, "ops"));
    assert_eq!(all.why.as_ref().map(Untrusted::raw), Some("wrong list"));
    assert_eq!(all.wall_at, At::from_secs(1_900_000_000));
    let told: Vec<_> = all.items.iter().map(|item| (item.cascade.0, item.came, item.back)).collect();
    // The recall came later, in a commit of its own.
    let recall = (1, Came::Recalling, Some(Back::Impossible));
    assert_eq!(told, [recall, (2, Came::Done, None), (3, Came::Done, None)]);
    assert_eq!((again.left, again.items.len()), (Some(Left::CampaignEnded), 0));
    assert_eq!(
        store.reader().unwrap().load(1).unwrap().audit.orders(),
        audit.orders(),
        "a start has them too"
    );
    assert!(store.reader().unwrap().audit(Some(CampaignId(2))).unwrap().orders().is_empty());

    let db = rusqlite::Connection::open(&path).unwrap();
    let sql = "EXPLAIN QUERY PLAN SELECT seq FROM event WHERE kind IN ('ordered', 'order_met') ORDER BY seq";
    let plan: String = db.query_row(sql, [], |row| row.get(3)).unwrap();
    assert!(plan.contains("event_order"), "orders are found without reading the log: {plan}");
}

#[tokio::test]
async fn contacts_of_every_campaign_count_and_those_that_were_none_do_not() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&place.path().join("rehearsal.db"), Mode::Rehearsal).unwrap();
    let (mut campaign, launched) = launch(store.id(), 4);
    let mut seq = 0;
    store.commit(batch(&campaign, launched, &mut seq)).await.unwrap();
    let hour = |n: i64| At::from_secs(1_800_000_000 + n * 3600);
    for attempt in 1..=4 {
        let claimed = engine::apply(&mut campaign, hour(attempt), Input::Permit(Channel::Whatsapp)).unwrap();
        store.commit(batch(&campaign, claimed, &mut seq)).await.unwrap();
    }
    // The third was refused; nobody knows of the fourth.
    let failure = |code: &str, sent| Failure {
        channel: Channel::Whatsapp,
        provider: "whatsapp".into(),
        code: code.into(),
        class: if sent == Sent::No { Class::Recipient } else { Class::InDoubt },
        scope: Scope::Person,
        sent,
        title: String::new(),
        remedy: String::new(),
        detail: Untrusted::default(),
        retry_after_s: None,
    };
    for (attempt, failure) in [(3, failure("131026", Sent::No)), (4, failure("timeout", Sent::Maybe))] {
        let failed = Input::Failed { attempt: AttemptId(attempt), failure: Box::new(failure), reached: true };
        let concluded = engine::apply(&mut campaign, hour(5), failed).unwrap();
        store.commit(batch(&campaign, concluded, &mut seq)).await.unwrap();
    }
    let since = |at: At| {
        let contacts = store.reader().unwrap().contacts_since(at).unwrap();
        let mut contacts: Vec<_> = contacts.into_iter().map(|(p, at)| (p.to_string(), at)).collect();
        contacts.sort();
        contacts
    };
    let contact = |n: i64| (customer(n as u64).phone.to_string(), vec![hour(n)]);
    assert_eq!(since(hour(0)), [contact(1), contact(2), contact(4)]);
    assert_eq!(since(hour(1)), [contact(2), contact(4)], "a contact counts for a day, to the millisecond");
    assert_eq!(since(hour(9)), []);
}

#[tokio::test]
async fn a_store_of_the_first_version_is_brought_up_to_date() {
    let (_place, path) = stored();
    let store = Store::open(&path, Mode::Rehearsal).unwrap();
    let (campaign, launched) = launch(store.id(), 2);
    store.commit(batch(&campaign, launched, &mut 0)).await.unwrap();
    drop(store);
    // As it was written before there were orders.
    let old = rusqlite::Connection::open(&path).unwrap();
    let back = "DROP INDEX event_order; UPDATE campaign SET header = json_remove(header, '$.orders');
                PRAGMA user_version = 1";
    old.execute_batch(back).unwrap();
    drop(old);
    let reader = cascade::runtime::store::Reader::open(&path).unwrap();
    assert!(reader.audit(None).unwrap().orders().is_empty(), "it can be read as it is");
    assert_eq!(reader.campaign(None).unwrap().as_ref(), Some(&campaign));
    drop(Store::open(&path, Mode::Rehearsal).unwrap());
    let new = rusqlite::Connection::open(&path).unwrap();
    let found: u32 = new
        .query_row("SELECT count(*) FROM sqlite_master WHERE name = 'event_order'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, 1);
}

fn stored() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("rehearsal.db");
    drop(Store::open(&path, Mode::Rehearsal).unwrap());
    assert!(Path::new(&path).exists());
    (place, path)
}

fn batch(campaign: &Campaign, concluded: Concluded, seq: &mut u64) -> Batch {
    let numbered = concluded.events.into_iter().map(|event| {
        *seq += 1;
        (*seq, event)
    });
    let events: Vec<_> = numbered.collect();
    let people =
        campaign.journeys().iter().map(|j| PersonRow { id: j.person, customer: customer(j.person.0) });
    Batch {
        events,
        header: Some(campaign.header.clone()),
        journeys: campaign.journeys().to_vec(),
        people: people.collect(),
        ..Batch::default()
    }
}

fn customer(n: u64) -> Customer {
    Customer {
        line: n + 1,
        name: format!("Customer {n}").into(),
        phone: Phone::parse_e164(&format!("+1415555{:04}", 100 + n)).unwrap(),
        segment: Segment("retail".into()),
        email: None,
        timezone: None,
        language: None,
        country: Some("US".into()),
        consents: Consents::default(),
        extra: BTreeMap::new(),
    }
}

fn launch(store: &str, people: u64) -> (Campaign, Concluded) {
    let leg = Leg {
        channel: Channel::Whatsapp,
        wait_s: None,
        attempts: 1,
        bounce_waits: false,
        converts_on: vec![Outcome::Replied],
        reserve: Money::parse("0.05").unwrap(),
        template: Some("renewal/en_US".into()),
    };
    let start = |n: u64| CascadeStart {
        segment: Segment("retail".into()),
        start: Channel::Whatsapp,
        propensity: 1.0,
        walk: vec![leg.clone()],
        skips: Vec::new(),
        zone: "America/New_York".into(),
        country: Some("US".into()),
        line: PersonId(n),
        recent: Vec::new(),
    };
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
        first_cascade: CascadeId(1),
        first_attempt: AttemptId(1),
        first_timer: TimerId(1),
        policy: Policy {
            conversion_window_s: 86_400,
            quiet_hours: Vec::new(),
            expires_s: 86_400,
            retry_max: 5,
            per_person_24h: 3,
            budget: Money::parse("100").unwrap(),
            currency: "USD".into(),
            max_failure_share: 0.05,
            max_optout_share: 0.05,
            min_customers: 50,
            concurrent: vec![(Channel::Whatsapp, 8)],
            prices: vec![(Channel::Whatsapp, Money::parse("0.05").unwrap(), Money::ZERO)],
        },
    };
    let starts = (1..=people).map(|n| (PersonId(n), start(n))).collect();
    engine::launch(CampaignId(1), At::from_secs(1_800_000_000), launch, starts)
}
