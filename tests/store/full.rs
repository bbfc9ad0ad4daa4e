//! A full disk, a busy file, a slow one: what was committed stays, what was not leaves nothing, and it goes on where that
//! is safe.

use crate::fixture::{Tale, holds_together, in_flight, open, opt_out, phone, stored};
use cascade::engine::input::Input;
use cascade::model::{PersonId, TextId};
use cascade::runtime::store::{Batch, Keeper, StoreError, TextRow, ballast, optouts};
use std::time::Duration;

/// Something large: it needs new pages wherever it goes.
fn large(n: u64) -> Batch {
    let text = |i: u64| TextRow {
        id: TextId(1000 * n + i),
        person: Some(PersonId(1)),
        from: None,
        at: cascade::model::At::default(),
        body: "so much to say ".repeat(300).into(),
    };
    Batch { texts: (1..40).map(text).collect(), ..Batch::default() }
}

#[tokio::test]
async fn a_full_disk_leaves_nothing_of_a_batch_and_the_ballast_lets_it_go_on() {
    let (place, path) = stored();
    let mut tale = in_flight(&path, 3).await;
    let mut store = open(&path);
    store.keep_ballast();
    assert!(store.warnings().is_empty(), "{:?}", store.warnings());
    let ballast = place.path().join("ballast");
    assert_eq!(std::fs::metadata(&ballast).unwrap().len(), ballast::BYTES);
    let pages = std::fs::metadata(&path).unwrap().len() / 4096;
    store.limit_pages(pages as u32 + 2).await.unwrap();
    for n in 1..=2 {
        let mut batch = large(n);
        batch.suppressions.push(opt_out(phone(3), tale.at));
        let error = store.commit(batch).await.unwrap_err();
        assert!(error.is_full() && !error.is_busy(), "{error}");
        assert!(error.to_string().contains("free some disk space"), "{error}");
        assert_eq!(holds_together(&path).last_text, 2, "something of it is there");
    }
    // The opt-out was said before there was no room, and holds whatever became of its batch.
    assert!(optouts::read(place.path(), cascade::model::Mode::Rehearsal).unwrap().contains(&phone(3)));

    let keeper: &dyn Keeper = &store;
    assert!(keeper.make_room().await.unwrap());
    assert!(!ballast.exists());
    store.commit(large(3)).await.unwrap();
    let last = tale.campaign.journeys()[2].attempts[0].id;
    store.commit(tale.agree(last, "yes")).await.unwrap();
    assert_eq!(holds_together(&path).seq, tale.seq);
    // There is nothing more to give, and it is said so.
    assert!(!keeper.make_room().await.unwrap());
    store.commit(tale.hear(Input::Restarted)).await.unwrap();
    drop(store);
    let mut store = open(&path);
    store.keep_ballast();
    assert!(ballast.exists() && store.load(0).unwrap().restored.is_none());
}

#[tokio::test]
async fn a_busy_file_is_waited_for_and_the_wait_is_told() {
    let (_place, path) = stored();
    let mut tale = in_flight(&path, 2).await;
    let store = std::sync::Arc::new(open(&path));
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.waits(), None);
    let batch = tale.hear(Input::Restarted);
    let writing = tokio::spawn({
        let store = std::sync::Arc::clone(&store);
        async move { store.commit(batch).await }
    });
    let long = Duration::from_millis(300);
    while store.waits().is_none_or(|waits| waits < long) {
        assert!(!writing.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }
    other.execute_batch("COMMIT").unwrap();
    writing.await.unwrap().unwrap();
    assert_eq!(store.waits(), None);
    assert_eq!(holds_together(&path).seq, tale.seq);
}

#[tokio::test]
async fn after_a_write_that_broke_nothing_is_written_over_it() {
    let (_place, path) = stored();
    let mut tale = in_flight(&path, 2).await;
    let store = open(&path);
    let (shown, next) = (path.clone(), tale.campaign.journeys()[0].attempts[0].id);
    // The write-ahead log is gone from under the open store, as a disk would have it that breaks.
    std::fs::remove_file(path.with_file_name("rehearsal.db-wal")).unwrap();
    std::fs::remove_file(path.with_file_name("rehearsal.db-shm")).unwrap();
    std::fs::write(&path, "").unwrap();
    let error = store.commit(tale.agree(next, "one")).await.unwrap_err();
    assert!(!error.is_full() && !error.is_busy(), "{error}");
    let error = store.commit(large(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Sealed { .. }), "{error}");
    assert!(error.to_string().contains(&shown.display().to_string()), "{error}");
    assert!(matches!(store.make_room().await.unwrap_err(), StoreError::Sealed { .. }));
    drop(store);
    let mark = cascade::runtime::store::mark::Mark::read(&path).unwrap();
    assert!(!mark.water.unwrap().clean, "it did not end in order");
}

#[tokio::test]
async fn a_story_in_a_store_without_room_is_told_without_one_as_well() {
    let (_place, path) = stored();
    let store = open(&path);
    let (_, launched) = Tale::launch(store.id(), 200);
    store.limit_pages(40).await.unwrap();
    let error = store.commit(launched.clone()).await.unwrap_err();
    assert!(error.is_full(), "{error}");
    assert_eq!(store.load(0).unwrap().seq, 0, "a launch is there whole or not at all");
    store.make_room().await.unwrap();
    store.commit(launched).await.unwrap();
    assert_eq!(holds_together(&path).people.len(), 200);
}
