//! Speed of learning as ratios measured in one run: an answer from the history file beside a bare reading of its rows by
//! one thread, an answer from the store beside SQLite's bare walk over the same rows, and an answer to somebody who asks
//! again. No ratio depends on how fast the machine is. `cargo bench --bench learning`.

#![expect(missing_docs, reason = "criterion's macros write the entry point")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench reports by printing and fails by panicking"
)]

use cascade::clock::wall;
use cascade::engine::event::{CascadeStart, Drawn, End, Event, Kind, Subject};
use cascade::learning::answer::Settings;
use cascade::learning::history::{Cascade, Ending, Step, read, write_header, write_rows};
use cascade::learning::ledger::Ledger;
use cascade::model::{
    Allocation, At, AttemptId, CampaignId, CascadeId, Channel, Leg, Mode, Money, Outcome, PersonId, Segment,
};
use cascade::runtime::history::{self, Shelf, all_threads};
use cascade::runtime::question::Question;
use cascade::runtime::store::{Batch, Reader, Store};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rusqlite::Connection;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

const CASCADES: u64 = 200_000;
/// So many of the store's differ.
const DIFFERENT: u64 = 2_000;
const ROUNDS: usize = 5;
const STARTS: [Channel; 3] = [Channel::Whatsapp, Channel::Phone, Channel::Sms];

/// One of four segments, of three starts; a third converts on the way.
fn cascade(id: u64) -> Cascade {
    // Spread like chance, the same in every run.
    let lot = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let at = 1_735_689_600_000 + id as i64 * 31_536;
    let start = STARTS[lot as usize % 3];
    let walk = std::iter::once(start).chain(STARTS.into_iter().filter(|channel| *channel != start));
    let (mut steps, mut sent) = (Vec::new(), at);
    for (place, channel) in (0..).zip(walk) {
        let window_s = [21_600, 7_200, 86_400][place];
        let converts = lot.is_multiple_of(5 + place as u64);
        let after = |ms: i64| Some(At::from_millis(sent + ms));
        steps.push(Step {
            step: place as u32 + 1,
            channel,
            sent_at: after(0),
            window_s: Some(window_s),
            delivered_at: after(2_000),
            bounced_at: None,
            converted_at: after(60_000 + (lot % 5_000_000) as i64).filter(|_| converts),
            opted_out_at: None,
            cost: Money::parse(["0.05", "0.40", "0.04"][channel.index()]).unwrap(),
        });
        if converts {
            break;
        }
        sent += window_s as i64 * 1000;
    }
    Cascade {
        id: format!("c{id}").as_str().into(),
        segment: Segment(["retail", "smb", "enterprise", "students"][lot as usize / 3 % 4].into()),
        start,
        propensity: Some(1.0 / 3.0),
        rules: "3f2a1c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809".into(),
        launched_at: At::from_millis(at),
        horizon_s: None,
        ending: Ending::Untold,
        forced: false,
        steps,
    }
}

fn file() -> Vec<u8> {
    let mut out = Vec::new();
    write_header(&mut out).unwrap();
    (0..CASCADES).for_each(|id| write_rows(&mut out, &cascade(id)).unwrap());
    out
}

fn settings() -> Settings {
    let incumbent = Some(Channel::Whatsapp);
    Settings { now: At::from_secs(1_798_761_600), value: Money::parse("5"), incumbent, ..Settings::default() }
}

fn question() -> Question {
    Question::without_rules(settings())
}

fn from_file(bytes: &[u8]) -> Ledger {
    let read = read(bytes, all_threads(), Ledger::add).unwrap();
    assert!(read.bad.is_empty() && !read.is_scattered);
    let mut ledger = Ledger::new();
    read.parts.into_iter().for_each(|part| ledger.append(part));
    ledger
}

/// Cells that are looked at and thrown away.
fn bare_rows(bytes: &[u8]) -> usize {
    let mut csv = csv::Reader::from_reader(bytes);
    let (mut row, mut cells) = (csv::ByteRecord::new(), 0);
    while csv.read_byte_record(&mut row).unwrap() {
        cells += row.len();
    }
    cells
}

/// What the log says of the same cascade.
fn events(id: u64, one: &Cascade) -> Vec<Event> {
    let subject =
        Subject { customer: Some(PersonId(id)), cascade: Some(CascadeId(id)), ..Subject::default() };
    let mut attempt = id * 4;
    let event = |at: At, subject: Subject, kind: Kind| Event { at, campaign: CampaignId(1), subject, kind };
    let leg = |step: &Step| Leg {
        channel: step.channel,
        wait_s: step.window_s,
        attempts: 1,
        bounce_waits: false,
        converts_on: vec![Outcome::Replied, Outcome::Answered],
        reserve: Money::ZERO,
        template: None,
    };
    let start = CascadeStart {
        segment: one.segment.clone(),
        start: one.start,
        propensity: 1.0 / 3.0,
        drawn: Allocation::even(STARTS).map(|from| Drawn { from: from.into(), forced: false }),
        walk: one.steps.iter().map(leg).collect(),
        skips: Vec::new(),
        zone: "UTC".into(),
        country: None,
        line: PersonId(id),
        recent: Vec::new(),
    };
    let mut all = vec![event(one.launched_at, subject, Kind::CascadeStarted { start: Box::new(start) })];
    for step in &one.steps {
        attempt += 1;
        let of = Subject {
            step: Some(step.step - 1),
            attempt: Some(AttemptId(attempt)),
            channel: Some(step.channel),
            ..subject
        };
        let heard = |outcome: Outcome, at: At| Kind::OutcomeHeard {
            outcome,
            happened_at: at,
            why: None,
            disposition: None,
            text: None,
        };
        let (sent, delivered) = (step.sent_at.unwrap(), step.delivered_at.unwrap());
        let cost = step.cost;
        all.push(event(sent, of, Kind::AttemptAccepted { provider_id: format!("p{attempt}"), cost }));
        all.push(event(delivered, of, heard(Outcome::Delivered, delivered)));
        if let Some(at) = step.converted_at {
            all.push(event(at, of, heard(Outcome::Replied, at)));
            let credited_attempt = of.attempt;
            let end = Kind::CascadeEnded { end: End::Converted, credited: of.channel, credited_attempt };
            all.push(event(at, subject, end));
        }
    }
    all
}

/// A store with as many records, each of which is there many times.
fn store(path: &Path) {
    let store = Store::open(path, Mode::Rehearsal).unwrap();
    let events = (1..=DIFFERENT).flat_map(|id| events(id, &cascade(id)));
    let batch = Batch { events: (1..).zip(events).collect(), ..Batch::default() };
    futures::executor::block_on(store.commit(batch)).unwrap();
    drop(store);
    let db = Connection::open(path).unwrap();
    let header =
        r#"{"launch": {"policy": {"conversion_window_s": 86400}}, "next_attempt": 1, "next_timer": 1}"#;
    db.execute("INSERT INTO campaign VALUES (1, 'bench', 0, 1, 'r', 'c', ?1)", [header]).unwrap();
    db.execute(
        "WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + ?1 FROM n WHERE n + 2 * ?1 <= ?2)
         INSERT INTO record SELECT cascade + n, campaign, segment, body FROM n CROSS JOIN record ORDER BY 1",
        [DIFFERENT as i64, CASCADES as i64],
    )
    .unwrap();
    let all: u64 =
        db.query_row("SELECT count(*) FROM record", [], |row| row.get::<_, i64>(0)).unwrap() as u64;
    assert_eq!(all, CASCADES);
}

/// Cells that are looked at and thrown away.
fn bare_walk(path: &Path) -> usize {
    let db = Connection::open(path).unwrap();
    let mut select = db.prepare("SELECT cascade, campaign, segment, body FROM record").unwrap();
    let mut rows = select.query([]).unwrap();
    let mut bytes = 0;
    while let Some(row) = rows.next().unwrap() {
        let (segment, body) = (row.get_ref(2).unwrap(), row.get_ref(3).unwrap());
        bytes += segment.as_str().unwrap().len() + body.as_blob().unwrap().len();
    }
    bytes
}

/// Something happens in the record that was launched last.
fn happen(path: &Path, seq: u64) {
    let store = Store::open(path, Mode::Rehearsal).unwrap();
    let last = events(DIFFERENT, &cascade(DIFFERENT)).pop().unwrap();
    let batch = Batch { events: vec![(seq, last)], ..Batch::default() };
    futures::executor::block_on(store.commit(batch)).unwrap();
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let began = wall();
    black_box(work());
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

fn ratios(criterion: &mut Criterion) {
    let (bytes, place) = (file(), tempfile::tempdir().unwrap());
    let path = place.path().join("bench.db");
    store(&path);
    let (reader, mut shelf) = (Reader::open(&path).unwrap(), Shelf::default());
    let from_store = |threads: usize| history::ledger(&reader, threads).unwrap().answer(&settings());
    assert_eq!(from_file(&bytes).len() as u64, CASCADES);
    assert_eq!(from_store(1).segments.iter().map(|segment| segment.mature).sum::<u64>(), CASCADES);
    shelf.learn(&reader, &question().settings(&reader).unwrap()).unwrap();
    let mut seq = reader.last_event().unwrap();
    // Interleaved, so that whatever else the machine does falls on all of them.
    let mut times: [Vec<Duration>; 6] = Default::default();
    for _ in 0..ROUNDS {
        times[0].push(timed(|| bare_rows(&bytes)));
        times[1].push(timed(|| from_file(&bytes).answer(&settings())));
        times[2].push(timed(|| bare_walk(&path)));
        times[3].push(timed(|| from_store(all_threads())));
        times[4].push(timed(|| from_store(1)));
        seq += 1;
        happen(&path, seq);
        times[5].push(timed(|| shelf.learn(&reader, &question().settings(&reader).unwrap()).unwrap()));
    }
    let [rows, from_rows, walk, all, alone, again] = times.map(median);
    let mib = bytes.len() as f64 / f64::from(1 << 20);
    println!("{CASCADES} cascades, a file of {mib:.0} MiB, {} threads, median of {ROUNDS}", all_threads());
    println!("an answer from the file takes {:.2} times as long as one thread's bare rows", from_rows / rows);
    println!("an answer from the store takes {:.2} times as long as SQLite's bare walk", all / walk);
    println!("the same by one thread, as beside a campaign: {:.2} times", alone / walk);
    println!("the next answer, once something happened: {:.2} times", again / walk);

    let mut group = criterion.benchmark_group("cascades");
    group.throughput(Throughput::Elements(CASCADES)).sample_size(10);
    group.bench_function("from a file", |bench| bench.iter(|| from_file(&bytes).answer(&settings())));
    group.bench_function("from a store", |bench| bench.iter(|| from_store(all_threads())));
    let ledger = history::ledger(&reader, all_threads()).unwrap();
    group.bench_function("summed up already", |bench| bench.iter(|| ledger.answer(&settings())));
    group.finish();
}

criterion_group!(benches, ratios);
criterion_main!(benches);
