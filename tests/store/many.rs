//! How long a start takes with very many people in flight, after a `kill -9`. Measured, not guessed:
//! `cargo test --release --test store -- --ignored --nocapture many`

use crate::fixture::{Tale, open, stored};
use cascade::clock::wall;
use cascade::engine::Concluded;
use cascade::engine::event::{Event, Kind, Subject};
use cascade::engine::input::What;
use cascade::model::{Channel, Mode, Scope, TimerId};
use cascade::runtime::store::{Batch, Reader, Store, mark};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const PEOPLE: u64 = 100_000;

/// News in one commit while the store is made.
const TURN: u64 = 2000;

/// What a start may take until the loop has everything.
const LIMIT: Duration = Duration::from_secs(3);

/// A store as `kill -9` leaves it: everybody got a WhatsApp, it arrived, most have read it, and all wait.
async fn crashed(place: &Path) -> PathBuf {
    let path = place.join("made").join("rehearsal.db");
    fs::create_dir(path.parent().unwrap()).unwrap();
    let store = open(&path);
    let (mut tale, mut turn) = Tale::launch(store.id(), PEOPLE);
    turn.versions = content().collect();
    for n in 0..PEOPLE {
        let (attempt, mut all) = tale.send(Channel::Whatsapp);
        all.push(tale.receipt(attempt, What::Delivered));
        if n % 3 > 0 {
            all.push(tale.receipt(attempt, What::Read));
        }
        for batch in all {
            join(&mut turn, batch);
        }
        if n % TURN == TURN - 1 {
            store.commit(std::mem::take(&mut turn)).await.unwrap();
        }
    }
    assert_eq!(tale.campaign.open(), PEOPLE);
    let killed = place.join("rehearsal.db");
    for (from, to) in [
        (path.clone(), killed.clone()),
        (path.with_file_name("rehearsal.db-wal"), killed.with_file_name("rehearsal.db-wal")),
        (mark::path(&path), mark::path(&killed)),
    ] {
        fs::copy(from, to).unwrap();
    }
    killed
}

/// What the campaign says, as a launch keeps it.
fn content() -> impl Iterator<Item = (String, String, Vec<u8>)> {
    let files = [
        ("whatsapp.json", include_str!("../../rules/content/whatsapp.json")),
        ("voice.md", include_str!("../../rules/content/voice.md")),
        ("sms.txt", include_str!("../../rules/content/sms.txt")),
    ];
    // The hash that the launch names.
    files.into_iter().map(|(name, text)| ("c".to_owned(), name.to_owned(), text.into()))
}

/// What follows in the same commit.
fn join(turn: &mut Batch, batch: Batch) {
    turn.events.extend(batch.events);
    turn.header = batch.header;
    // Those that changed more than once stand there more than once; the last one counts.
    turn.journeys.extend(batch.journeys);
    turn.people.extend(batch.people);
    turn.links.extend(batch.links);
    turn.dedup.extend(batch.dedup);
}

/// Processor time of this process: what a busy machine does not change.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time, in hundredths of a second; the name before them may hold blanks.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    Duration::from_millis(10 * fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
}

#[tokio::test]
async fn several_threads_read_what_one_reads() {
    let (_place, path) = stored();
    let store = open(&path);
    let (_, launched) = Tale::launch(store.id(), 5000);
    store.commit(launched).await.unwrap();
    let (one, several) = (store.reader().unwrap().load(50).unwrap(), store.load(50).unwrap());
    assert!(one.campaign == several.campaign && one.people == several.people && one.links == several.links);
    assert_eq!(
        (one.seq, one.last_at, one.last_cascade),
        (several.seq, several.last_at, several.last_cascade)
    );
    assert_eq!((one.newest.len(), several.newest.len()), (50, 50));
}

/// Through a long hold nothing is written but that a timer rang and a provider was asked again.
#[tokio::test]
async fn a_long_hold_does_not_push_out_what_happened() {
    let (_place, path) = stored();
    let store = open(&path);
    let (mut tale, launched) = Tale::launch(store.id(), 3);
    let written = launched.events.len();
    let about = Subject::default();
    let clockwork = [
        Kind::TimerFired { timer: TimerId(1) },
        Kind::BreakerChecked {
            on: Channel::Whatsapp,
            scope: Scope::Account,
            retry_at: tale.at,
            timer: TimerId(2),
        },
    ];
    let event =
        |kind: &Kind| Event { at: tale.at, campaign: tale.campaign.id(), subject: about, kind: kind.clone() };
    let events: Vec<Event> = clockwork.iter().cycle().take(200).map(event).collect();
    store.commit(launched).await.unwrap();
    store.commit(tale.batch(Concluded { events, effects: Vec::new() })).await.unwrap();
    for newest in [store.load(100).unwrap().newest, store.reader().unwrap().shown(100).unwrap().newest] {
        assert_eq!(newest.len(), written);
        assert!(newest.is_sorted_by_key(|stored| stored.seq));
    }
}

/// How long a start in `house` takes until everything is up; then comes a `kill -9`.
fn runs(house: &Path) -> Duration {
    let began = wall();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cascade"));
    let mut process =
        command.args(["run", "--seed", "1"]).current_dir(house).stderr(Stdio::piped()).spawn().unwrap();
    let (mut said, err) = (String::new(), process.stderr.take().unwrap());
    let runs = BufReader::new(err).lines().map(Result::unwrap).any(|line| {
        said += &line;
        line.starts_with("cascade: running (rehearsal")
    });
    let took = began.elapsed();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(runs, "{said}");
    took
}

#[tokio::test]
#[ignore = "takes a minute, and means something in a release build alone"]
async fn a_killed_process_with_a_hundred_thousand_in_flight_runs_again_within_seconds() {
    let house = tempfile::tempdir().unwrap();
    let state = house.path().join(".cascade");
    fs::create_dir(&state).unwrap();
    let path = crashed(&state).await;
    fs::remove_dir_all(state.join("made")).unwrap();
    // The first start makes what a sandbox remembers; the others are what comes after a `kill -9`.
    let took: Vec<_> = (0..4).map(|_| runs(house.path())).collect();
    println!("{PEOPLE} in flight, from the start of the process to running: {took:?}");
    let loaded = Reader::open(&path).unwrap().load(0).unwrap();
    assert_eq!(loaded.campaign.unwrap().open(), PEOPLE);
    // Whatever else the machine does makes it longer, and nothing shorter.
    let best = took[1..].iter().min().unwrap();
    assert!(cfg!(debug_assertions) || *best < LIMIT, "{best:?}");
}

#[tokio::test]
#[ignore = "takes a minute, and means something in a release build alone"]
async fn a_hundred_thousand_in_flight_are_back_within_seconds_after_a_kill() {
    let place = tempfile::tempdir().unwrap();
    let path = crashed(place.path()).await;
    let bytes = fs::metadata(&path).unwrap().len();
    let began = wall();
    let store = Store::open(&path, Mode::Rehearsal).unwrap();
    let opened = began.elapsed();
    let loaded = store.load(1000).unwrap();
    let all = began.elapsed();
    assert!(!store.ended_in_order());
    let campaign = loaded.campaign.unwrap();
    println!("{PEOPLE} open, {} events, {} MB, {} keys", loaded.seq, bytes / 1_000_000, loaded.dedup.len());
    println!("opened and checked after {opened:?}, loaded after {all:?}");
    let (began, before) = (wall(), cpu());
    store.load(1000).unwrap();
    println!(
        "loaded again in {:?}, {:?} of all processors together",
        began.elapsed(),
        cpu().saturating_sub(before)
    );
    let (began, before) = (wall(), cpu());
    store.reader().unwrap().load(1000).unwrap();
    println!("by one thread in {:?}, {:?}", began.elapsed(), cpu().saturating_sub(before));
    assert_eq!((campaign.open(), loaded.people.len() as u64), (PEOPLE, PEOPLE));
    assert!(loaded.restored.is_none());
    assert!(cfg!(debug_assertions) || all < LIMIT, "{all:?}");
}
