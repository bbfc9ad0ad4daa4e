//! Opening after a crash: whatever was cut, what is left is a prefix; whatever is damaged or missing is said, and
//! never quietly replaced by an empty store.

use crate::fixture::{Tale, a_place, holds_together, in_flight, open, stored};
use cascade::model::{Channel, Mode};
use cascade::runtime::store::mark;
use cascade::runtime::store::{Store, StoreError};
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of a WAL's header, and of a frame's before its page.
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

fn wal(path: &Path) -> PathBuf {
    path.with_file_name("rehearsal.db-wal")
}

/// Copies a store as a crash would leave it, its log cut after so many bytes.
fn crashed(db: &[u8], log: &[u8], with_mark: Option<&[u8]>) -> (tempfile::TempDir, PathBuf) {
    let place = a_place();
    let path = place.path().join("rehearsal.db");
    fs::write(&path, db).unwrap();
    fs::write(wal(&path), log).unwrap();
    if let Some(bytes) = with_mark {
        fs::write(mark::path(&path), bytes).unwrap();
    }
    (place, path)
}

/// A store in use, some commits after it was last put in order: its file, its log, and its mark.
async fn in_use() -> (Tale, [Vec<u8>; 3]) {
    let (_place, path) = stored();
    drop(in_flight(&path, 4).await);
    let store = open(&path);
    let (mut tale, launched) = Tale::launch_after(store.id(), 4, Some(&reread(&path)));
    store.commit(launched).await.unwrap();
    for turn in 0..3 {
        let (attempt, batches) = tale.send(Channel::Whatsapp);
        for batch in batches {
            store.commit(batch).await.unwrap();
        }
        if turn == 1 {
            store.commit(tale.agree(attempt, "yes, and here is a longer tale about it")).await.unwrap();
        }
    }
    let bytes = [path.clone(), wal(&path), mark::path(&path)].map(|file| fs::read(file).unwrap());
    (tale, bytes)
}

/// The tale so far, as far as a next launch needs it.
fn reread(path: &Path) -> Tale {
    let loaded = holds_together(path);
    let (mut tale, _) = Tale::launch("", 1);
    (tale.campaign, tale.seq, tale.at) = (loaded.campaign.unwrap(), loaded.seq, loaded.last_at.unwrap());
    tale.texts_from(loaded.last_text);
    tale
}

#[tokio::test]
async fn a_log_cut_at_or_within_any_frame_leaves_a_prefix() {
    let (tale, [db, log, _]) = in_use().await;
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
    let frame = FRAME_HEADER + page;
    let frames = (log.len() - WAL_HEADER) / frame;
    assert!(frames > 20, "{frames} frames are too few to cut");
    let mut seqs = Vec::new();
    let mut cuts = vec![0, WAL_HEADER / 2, WAL_HEADER];
    for n in 0..frames {
        let begins = WAL_HEADER + n * frame;
        // In its header, in its page, and behind it.
        cuts.extend([begins + FRAME_HEADER / 2, begins + FRAME_HEADER + page / 2, begins + frame]);
    }
    let whole = {
        let (_place, path) = crashed(&db, &log, None);
        let _store = open(&path);
        events(&path)
    };
    for cut in cuts {
        let (_place, path) = crashed(&db, &log[..cut], None);
        let store = open(&path);
        let loaded = holds_together(&path);
        assert!(loaded.restored.is_none() && store.warnings().is_empty());
        let prefix = events(&path);
        assert!(whole.starts_with(&prefix), "cut at {cut}: not a prefix");
        seqs.push(loaded.seq);
    }
    assert!(seqs.is_sorted(), "{seqs:?}");
    assert_eq!(*seqs.last().unwrap(), tale.seq);
    seqs.dedup();
    assert_eq!(seqs.len(), 9, "each of the eight commits is there or not: {seqs:?}");
}

fn events(path: &Path) -> Vec<String> {
    let reader = cascade::runtime::store::Reader::open(path).unwrap();
    let events = reader.events_after(0, None, usize::MAX).unwrap();
    events.iter().map(|stored| format!("{} {:?} {:?}", stored.seq, stored.event, stored.text)).collect()
}

#[tokio::test]
async fn a_byte_that_flipped_in_the_log_ends_it_there() {
    let (tale, [db, log, _]) = in_use().await;
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
    for at in (WAL_HEADER..log.len()).step_by(usize::midpoint(FRAME_HEADER, page) + 7) {
        let mut flipped = log.clone();
        flipped[at] ^= 1;
        let (_place, path) = crashed(&db, &flipped, None);
        let _store = open(&path);
        assert!(holds_together(&path).seq < tale.seq, "byte {at} was believed");
    }
}

#[tokio::test]
async fn a_store_without_its_log_is_behind_its_mark_and_says_so() {
    let (tale, [db, log, mark]) = in_use().await;
    let (_place, path) = crashed(&db, &log[..0], Some(&mark));
    fs::remove_file(wal(&path)).unwrap();
    let store = open(&path);
    let loaded = store.load(0).unwrap();
    let gap = loaded.restored.unwrap();
    assert_eq!((gap.backup_seq, gap.backup_at), (loaded.seq, loaded.last_at));
    assert_eq!((gap.lost_seq, gap.lost_until), (tale.seq, Some(tale.at)));
    assert!(gap.backup_seq < gap.lost_seq);
    let next = tale.campaign.header.next_attempt;
    assert!(gap.next_attempt >= next, "ids that may have left are not used again");
    assert!(gap.next_timer >= tale.campaign.header.next_timer);
    let warned = store.warnings().concat();
    assert!(warned.contains("nothing is sent"), "{warned}");
    drop(store);

    // It stays so until somebody confirms it, and is over then.
    let store = open(&path);
    assert_eq!(store.load(0).unwrap().restored, Some(gap));
    let confirmed = cascade::runtime::store::Batch { confirmed: true, ..Default::default() };
    store.commit(confirmed).await.unwrap();
    assert_eq!(store.load(0).unwrap().restored, None);
    drop(store);
    let store = open(&path);
    assert_eq!(store.load(0).unwrap().restored, None);
    assert!(store.warnings().is_empty(), "{:?}", store.warnings());
}

#[tokio::test]
async fn a_whole_store_after_a_crash_is_not_behind_its_mark() {
    let (tale, [db, log, mark]) = in_use().await;
    let (_place, path) = crashed(&db, &log, Some(&mark));
    let store = open(&path);
    assert!(!store.ended_in_order(), "it was killed");
    assert!(store.warnings().is_empty(), "{:?}", store.warnings());
    let loaded = store.load(0).unwrap();
    assert_eq!((loaded.seq, loaded.restored), (tale.seq, None));
    drop(store);
    assert!(open(&path).ended_in_order());
}

#[tokio::test]
async fn a_store_that_is_gone_or_emptied_is_missed() {
    let (_place, path) = stored();
    let tale = in_flight(&path, 3).await;
    let whole = fs::read(&path).unwrap();
    for (what, emptied) in [("gone", false), ("empty", true)] {
        if emptied {
            fs::write(&path, "").unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
        assert!(matches!(refused, StoreError::Lost { .. }), "{refused}");
        let words = refused.to_string();
        assert!(words.contains(what) && words.contains(&format!("{} events", tale.seq)), "{words}");
        assert!(words.contains("cascade restore"), "{words}");
        assert_eq!(path.exists(), emptied, "nothing is made in its place");
        fs::write(&path, &whole).unwrap();
    }
    assert_eq!(open(&path).load(0).unwrap().restored, None);
    // An empty store of ours in its place is one that lost everything.
    let (_other, empty) = stored();
    fs::copy(&empty, &path).unwrap();
    let gap = open(&path).load(0).unwrap().restored.unwrap();
    assert_eq!((gap.backup_seq, gap.backup_at, gap.lost_seq), (0, None, tale.seq));
}

#[tokio::test]
async fn damage_is_named_and_left_as_it_is() {
    let (_place, path) = stored();
    in_flight(&path, 40).await;
    let whole = fs::read(&path).unwrap();
    let page = u16::from_be_bytes(whole[16..18].try_into().unwrap()) as usize;
    let pages = whole.len() / page;
    assert!(pages > 20);
    let mut cases: Vec<(String, Vec<u8>)> = vec![
        ("a letter".into(), b"this is no database, but a letter to the operator".to_vec()),
        ("zeros".into(), vec![0; whole.len()]),
        ("cut in a page".into(), whole[..whole.len() - page / 2].to_vec()),
        ("cut in half".into(), whole[..pages / 2 * page].to_vec()),
        ("cut to its first page".into(), whole[..page].to_vec()),
    ];
    for n in 0..pages {
        // What kind of page it is, and where its cells are.
        for at in [0, 5] {
            let mut bytes = whole.clone();
            bytes[n * page + at + if n == 0 { 100 } else { 0 }] ^= 0x55;
            cases.push((format!("byte {at} of page {}", n + 1), bytes));
        }
    }
    let (mut named, mut unread) = (0, 0);
    for (what, damaged) in cases {
        fs::write(&path, &damaged).unwrap();
        match Store::open(&path, Mode::Rehearsal) {
            Err(StoreError::Corrupt { .. } | StoreError::NotOurs { .. }) => {
                named += 1;
                assert_eq!(fs::read(&path).unwrap(), damaged, "{what}: it was changed");
            }
            Err(other) => panic!("{what}: {other}"),
            // Bytes of a page that is free, or that hold no meaning, damage nothing.
            Ok(store) => {
                unread += 1;
                drop(store);
                holds_together(&path);
            }
        }
        let files = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<_> =
            files.filter(|file| *file != wal(&path) && !file.ends_with("rehearsal.db-shm")).collect();
        assert_eq!(files.len(), 5, "{what}: something was moved or made: {files:?}");
        assert!(fs::read(wal(&path)).unwrap_or_default().is_empty(), "{what}");
        for side in ["-wal", "-shm"] {
            let _ = fs::remove_file(path.with_file_name(format!("rehearsal.db{side}")));
        }
    }
    assert!(named > 20 && unread < named / 4, "{named} named, {unread} without effect");
}

#[tokio::test]
async fn what_is_refused_after_a_crash_keeps_its_log() {
    let (_, [db, log, mark]) = in_use().await;
    let mut damaged = db.clone();
    let page = u16::from_be_bytes(db[16..18].try_into().unwrap()) as usize;
    // Whichever page the log does not write anew.
    for n in 1..db.len() / page {
        damaged[n * page] ^= 0x55;
    }
    let (_place, path) = crashed(&damaged, &log, Some(&mark));
    let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
    assert!(fs::read(&path).unwrap() == damaged && fs::read(wal(&path)).unwrap() == log, "it was changed");

    let (_place, path) = crashed(&db, &log, Some(&mark));
    let refused = Store::open(&path, Mode::Live).unwrap_err();
    assert!(matches!(refused, StoreError::WrongMode { .. }), "{refused}");
    assert!(fs::read(&path).unwrap() == db && fs::read(wal(&path)).unwrap() == log, "it was changed");
}

#[test]
fn an_old_store_of_the_other_mode_is_not_brought_up_to_date() {
    let place = a_place();
    let path = place.path().join("live.db");
    let old = include_bytes!("../data/stores/v1.db");
    fs::write(&path, old).unwrap();
    let refused = Store::open(&path, Mode::Live).unwrap_err();
    assert!(matches!(refused, StoreError::WrongMode { .. }), "{refused}");
    assert!(fs::read(&path).unwrap() == old, "it was changed");
}

#[test]
fn another_programs_database_is_refused() {
    for version in [0, 1, 2] {
        let place = a_place();
        let path = place.path().join("rehearsal.db");
        let theirs = rusqlite::Connection::open(&path).unwrap();
        theirs.execute_batch("CREATE TABLE bookmark (url TEXT); INSERT INTO bookmark VALUES ('x')").unwrap();
        theirs.pragma_update(None, "user_version", version).unwrap();
        drop(theirs);
        let before = fs::read(&path).unwrap();
        let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
        assert!(matches!(refused, StoreError::NotOurs { .. }), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}
