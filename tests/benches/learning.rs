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
use cascade::learning::answer::Settings;
use cascade::learning::history::{Cascade, Ending, Step, read, write_header, write_rows};
use cascade::learning::ledger::Ledger;
use cascade::model::{At, Channel, Mode, Money, Segment};
use cascade::runtime::history::{self, Shelf, all_threads};
use cascade::runtime::store::{Reader, Store};
use criterion::{Criterion, criterion_group, criterion_main};
use rusqlite::Connection;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

const CASCADES: u64 = 200_000;
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

/// A store with as many records: those of a small one again and again.
fn store(path: &Path) {
    drop(Store::open(path, Mode::Rehearsal).unwrap());
    let db = Connection::open(path).unwrap();
    let header = r#"{"launch": {"policy": {"conversion_window_s": 86400}}}"#;
    db.execute("INSERT INTO campaign VALUES (1, 'bench', 0, 1, 'r', 'c', ?1)", [header]).unwrap();
    let mut insert = db.prepare("INSERT INTO record VALUES (?1, 1, ?2, ?3)").unwrap();
    db.execute_batch("BEGIN").unwrap();
    for id in 0..CASCADES {
        let one = cascade(id);
        insert.execute(rusqlite::params![id as i64 + 1, one.segment.0, history::packed(&one)]).unwrap();
    }
    db.execute_batch("COMMIT").unwrap();
}

/// Cells that are looked at and thrown away.
fn bare_walk(path: &Path) -> usize {
    let db = Connection::open(path).unwrap();
    let mut select = db.prepare("SELECT cascade, campaign, segment, body FROM record").unwrap();
    let mut rows = select.query([]).unwrap();
    let mut bytes = 0;
    while let Some(row) = rows.next().unwrap() {
        bytes += row.get_ref(2).unwrap().as_str().unwrap().len() + row.get_ref(3).unwrap().as_blob().unwrap().len();
    }
    bytes
}
