//! Learning from a store that somebody writes meanwhile: the answer is that of the whole record, and nobody waits for it.

use crate::fixture::{Tale, open, stored};
use cascade::engine::input::{Input, What};
use cascade::learning::answer::Settings;
use cascade::model::{At, Channel, Money, TimerId};
use cascade::runtime::history::{self, Shelf};
use cascade::runtime::question::Question;
use cascade::runtime::store::{Batch, Keeper as _, Reader, Store};
use rusqlite::Connection;
use serde_json::Value;
use std::path::Path;

/// A store with this many cascades more than those of a small campaign, which are copies of its records.
const COPIES: u64 = 6_000;

fn settings(tale: &Tale) -> Settings {
    Settings { now: tale.at, value: Money::parse("5"), ..Settings::default() }
}

fn asked(settings: &Settings) -> Question {
    Question::without_rules(settings.clone())
}

/// What a reader says who has read all of it.
fn anew(path: &Path, threads: usize, settings: &Settings) -> Value {
    let reader = Reader::open(path).unwrap();
    serde_json::to_value(history::ledger(&reader, threads).unwrap().answer(settings)).unwrap()
}

/// The next message leaves and is answered, if it is not the turn of somebody's wait to end.
async fn go_on(store: &Store, tale: &mut Tale, answer: bool) {
    let (attempt, batches) = tale.send(Channel::Whatsapp);
    for batch in batches {
        store.commit(batch).await.unwrap();
    }
    if answer {
        store.commit(tale.receipt(attempt, What::Delivered)).await.unwrap();
    }
}

/// Copies of the records far behind them, as if of other cascades.
fn copy_records(path: &Path, count: u64) {
    let db = Connection::open(path).unwrap();
    db.execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         INSERT INTO record SELECT 100000 + n, campaign, segment, body FROM n JOIN record ON cascade = 1",
        [count as i64],
    )
    .unwrap();
}

#[tokio::test]
async fn what_is_read_on_says_what_all_of_it_says() {
    let (_place, path) = stored();
    let store = open(&path);
    let (mut tale, launched) = Tale::launch(store.id(), 12);
    store.commit(launched).await.unwrap();
    go_on(&store, &mut tale, true).await;
    copy_records(&path, COPIES);
    let mut shelf = Shelf::default();
    let mut before = Value::Null;
    for turn in 0..6 {
        let settings = settings(&tale);
        let reader = Reader::open(&path).unwrap();
        let said =
            serde_json::to_value(shelf.learn(&reader, &asked(&settings).settings(&reader).unwrap()).unwrap())
                .unwrap();
        let asked = serde_json::to_value(store.learn(asked(&settings)).await.unwrap()).unwrap();
        assert_eq!(said, anew(&path, 1, &settings), "turn {turn}");
        assert_eq!(said, anew(&path, 5, &settings), "turn {turn}: whoever reads a page changes nothing");
        assert_eq!(said, asked, "turn {turn}");
        assert_ne!(said, before, "turn {turn}: something happened");
        before = said;
        match turn {
            0..3 => go_on(&store, &mut tale, turn == 1).await,
            // Everybody's waits run out, and a page is added.
            3 => {
                tale.at = At::from_secs(tale.at.0 / 1000 + 7 * 86_400);
                let due: Vec<TimerId> = tale.campaign.due(tale.at);
                for timer in due {
                    store.commit(tale.hear(Input::Timer(timer))).await.unwrap();
                }
            }
            _ => {
                let (next, launched) = Tale::launch_after(store.id(), 3, Some(&tale));
                tale = next;
                store.commit(launched).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn whoever_commits_waits_for_nobody_who_learns() {
    let (_place, path) = stored();
    let store = open(&path);
    // Nobody who holds the file may be waited for.
    store.limit_wait(std::time::Duration::ZERO).await.unwrap();
    let (mut tale, launched) = Tale::launch(store.id(), 12);
    store.commit(launched).await.unwrap();
    copy_records(&path, COPIES);
    let reader = Reader::open(&path).unwrap();
    let (mut read, mut committed) = (0, 0);
    let mut commit = |batch: Batch| futures::executor::block_on(store.commit(batch)).unwrap();
    for page in 0..reader.pages_of_records().unwrap().unwrap() {
        let turn = |_, _: &_| {
            // In the midst of a page.
            if read % 1_000 == 5 {
                let (_, batches) = tale.send(Channel::Whatsapp);
                committed += batches.len();
                batches.into_iter().for_each(&mut commit);
            }
            read += 1;
        };
        reader.page_of_records(page, turn).unwrap();
    }
    assert_eq!((read, committed), (COPIES + 12, 14));
}

#[tokio::test]
async fn the_loop_goes_on_while_the_record_is_summed_up() {
    let (_place, path) = stored();
    let store = open(&path);
    let (mut tale, launched) = Tale::launch(store.id(), 12);
    store.commit(launched).await.unwrap();
    copy_records(&path, COPIES);
    // Asked as the loop asks: on its own thread, which goes on with its turns.
    let answer = tokio::spawn(store.learn(asked(&settings(&tale))));
    for _ in 0..5 {
        go_on(&store, &mut tale, true).await;
    }
    let before: u64 = answer.await.unwrap().unwrap().segments.iter().map(|s| s.running + s.excluded).sum();
    assert!(before >= COPIES, "{before}");
    let after = store.learn(asked(&settings(&tale))).await.unwrap();
    assert_eq!(serde_json::to_value(after).unwrap(), anew(&path, 1, &settings(&tale)));
}
