//! The store: what a commit holds is there after it, and nothing of what failed.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "store/backup.rs"]
mod backup;
#[path = "store/beside.rs"]
mod beside;
#[path = "store/commands.rs"]
mod commands;
#[path = "store/crash.rs"]
mod crash;
#[path = "store/fixture.rs"]
mod fixture;
#[path = "store/forget.rs"]
mod forget;
#[path = "store/full.rs"]
mod full;
#[path = "store/golden.rs"]
mod golden;
#[path = "store/learnt.rs"]
mod learnt;
#[path = "store/many.rs"]
mod many;
#[path = "store/orders.rs"]
mod orders;
#[path = "store/outside.rs"]
mod outside;

use cascade::engine::input::Input;
use cascade::model::{At, Channel, Mode, TextId};
use cascade::runtime::store::{Keeper as _, Reader, Store, StoreError, TextRow};
use fixture::{Tale, holds_together, in_flight, open, phone, stored};

#[tokio::test]
async fn what_was_committed_is_read_back_as_it_was() {
    let (_place, path) = stored();
    let store = open(&path);
    let (mut tale, launched) = Tale::launch(store.id(), 3);
    store.commit(launched).await.unwrap();
    store.commit(tale.hear(Input::Permit(Channel::Whatsapp))).await.unwrap();

    let loaded = holds_together(&path);
    assert_eq!(loaded.campaign.as_ref(), Some(&tale.campaign), "the rows are the campaign");
    assert_eq!((loaded.seq, loaded.last_at), (tale.seq, Some(tale.at)));
    assert_eq!(loaded.people.len(), 3);
    assert_eq!(loaded.restored, None);
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_of_itself() {
    let (_place, path) = stored();
    let store = open(&path);
    let (tale, launched) = Tale::launch(store.id(), 2);
    store.commit(launched.clone()).await.unwrap();
    // The same places in the log again: refused, with the text that stood beside them.
    let mut twice = launched;
    let body = "late".into();
    twice.texts.push(TextRow { id: TextId(9), person: None, from: None, at: At::default(), body });
    let error = store.commit(twice).await.unwrap_err();
    assert!(error.to_string().contains("cannot write events"), "{error}");
    let reader = store.reader().unwrap();
    assert_eq!(reader.text(TextId(9)).unwrap(), None);
    assert_eq!(reader.load(10).unwrap().seq, tale.seq);
}

#[test]
fn a_second_writer_is_told_who_holds_it() {
    let (_place, path) = stored();
    let first = open(&path);
    let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
    let words = refused.to_string();
    assert!(words.contains(&format!("process {}", std::process::id())), "{words}");
    drop(first);
    open(&path);
}

#[test]
fn readers_look_in_while_somebody_writes() {
    let (_place, path) = stored();
    let store = open(&path);
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.meta("store_id").unwrap().as_deref(), Some(store.id()));
}

#[test]
fn rehearsal_and_live_never_share_a_store() {
    let (_place, path) = stored();
    let refused = Store::open(&path, Mode::Live).unwrap_err();
    assert!(matches!(refused, StoreError::WrongMode { .. }), "{refused}");
}

#[test]
fn a_newer_store_is_not_touched() {
    let (_place, path) = stored();
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 999).unwrap();
    drop(newer);
    let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
    assert!(matches!(refused, StoreError::TooNew { found: 999, .. }), "{refused}");
    let refused = Reader::open(&path).unwrap_err();
    assert!(matches!(refused, StoreError::TooNew { found: 999, .. }), "{refused}");
}

#[tokio::test]
async fn people_and_outcomes_survive_in_every_script() {
    let (_place, path) = stored();
    let store = open(&path);
    let (tale, mut launched) = Tale::launch(store.id(), 1);
    launched.people[0].customer.name = "Zoë \u{1b}[2J 🦀 名前".into();
    store.commit(launched).await.unwrap();
    let people = store.reader().unwrap().people(tale.campaign.id()).unwrap();
    let kept = people.values().next().unwrap();
    assert_eq!(kept.name.raw(), "Zoë \u{1b}[2J 🦀 名前");
    assert_eq!(kept.name.screen(), "Zoë ·[2J 🦀 名前");
}

#[tokio::test]
async fn late_news_of_an_earlier_campaign_finds_its_way() {
    let (_place, path) = stored();
    let first = in_flight(&path, 3).await;
    let store = open(&path);
    let (mut second, launched) = Tale::launch_after(store.id(), 2, Some(&first));
    store.commit(launched).await.unwrap();
    let (attempt, batches) = second.send(Channel::Whatsapp);
    for batch in batches {
        store.commit(batch).await.unwrap();
    }
    let (one, two) = (first.campaign.id(), second.campaign.id());
    let old = first.campaign.journeys()[2].attempts[0].id;
    assert_eq!(store.attempt_by_provider(&format!("wamid.{old}")).unwrap(), Some(old));
    assert_eq!(store.attempt_by_provider(&format!("wamid.{attempt}")).unwrap(), Some(attempt));
    assert_eq!(store.attempt_by_provider("wamid.of somebody else").unwrap(), None);
    assert_eq!(store.attempt_by_provider("").unwrap(), None);
    let holding = |attempt| store.campaign_holding(attempt).unwrap().map(|campaign| campaign.id());
    assert_eq!((holding(old), holding(attempt)), (Some(one), Some(two)));
    let beyond = cascade::model::AttemptId(second.campaign.header.next_attempt.0);
    assert_eq!((holding(beyond), holding(cascade::model::AttemptId(0))), (None, None));
    // The third was in the first campaign alone.
    let person = |n: u64| store.people_at(&phone(n)).unwrap()[0];
    assert_eq!(store.newest_campaign_of(person(1)).unwrap(), Some(two));
    assert_eq!(store.newest_campaign_of(person(3)).unwrap(), Some(one));
    assert_eq!(store.newest_campaign_of(cascade::model::PersonId(99)).unwrap(), None);
    assert_eq!(store.people(one).unwrap().len(), 3);

    // What it leads to is written beside what happens in the newest.
    let mut old = first;
    old.seq = second.seq;
    let late = old.agree(cascade::model::AttemptId(3), "sorry, only saw it now");
    let mut batch = second.hear(Input::Permit(Channel::Whatsapp));
    for (seq, _) in &mut batch.events {
        *seq += late.events.len() as u64;
    }
    batch.earlier = vec![(old.campaign.header.clone(), late.journeys)];
    batch.events = late.events.into_iter().chain(batch.events).collect();
    batch.texts = late.texts;
    store.commit(batch).await.unwrap();
    holds_together(&path);
    assert!(store.campaign(one).unwrap().unwrap() == old.campaign);
}
