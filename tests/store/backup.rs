//! A backup is a store of its own; what is put back knows what it lacks, and goes on behind everything that may have
//! left.

use crate::fixture::{Tale, a_place, dedup, holds_together, in_flight, open, opt_out, phone, stored};
use cascade::model::{At, Channel, Mode};
use cascade::runtime::store::backup::{Held, back_up};
use cascade::runtime::store::mark::{self, Mark};
use cascade::runtime::store::restore::{restore, restore_another, set_aside};
use cascade::runtime::store::{Batch, Restored, Store, StoreError, optouts};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

fn put_back(backup: &Path, path: &Path) -> cascade::runtime::store::restore::Restoration {
    restore(backup, path, Mode::Rehearsal, path.parent().unwrap()).unwrap()
}

/// See [`set_aside`]: what was moved, and why its opt-outs could not be read.
fn aside(path: &Path) -> Result<(Vec<PathBuf>, Option<StoreError>), StoreError> {
    set_aside(path, Mode::Rehearsal, path.parent().unwrap())
}

fn names(directory: &Path) -> Vec<String> {
    let names =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_copy_made_in_the_middle_of_writing_is_whole() {
    let (place, path) = stored();
    let mut tale = in_flight(&path, 5).await;
    let store = open(&path);
    let mut copies = Vec::new();
    for n in 3..5 {
        let file = place.path().join(format!("copy-{n}"));
        let held = back_up(&path, Mode::Rehearsal, &file).unwrap();
        assert_eq!((held.seq, held.at, held.store.as_str()), (tale.seq, Some(tale.at), store.id()));
        assert_eq!((held.people, held.opt_outs), (5, 1));
        let [campaign] = held.campaigns.as_slice() else { panic!("{held:?}") };
        assert_eq!((campaign.id, campaign.customers, campaign.open), (1, 5, tale.campaign.open()));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Held::check(&file, Mode::Rehearsal).unwrap(), held);
        assert!(holds_together(&file).campaign.unwrap() == tale.campaign);
        copies.push(file);
        let attempt = tale.campaign.journeys()[n].attempts[0].id;
        store.commit(tale.agree(attempt, "go on")).await.unwrap();
    }
    // Nothing is left beside them, and nothing is overwritten.
    assert!(names(place.path()).iter().all(|name| !name.contains(".part")));
    let before = fs::read(&copies[0]).unwrap();
    let refused = back_up(&path, Mode::Rehearsal, &copies[0]).unwrap_err();
    assert!(matches!(refused, StoreError::Exists { .. }), "{refused}");
    assert_eq!(fs::read(&copies[0]).unwrap(), before);
    let refused = back_up(&path, Mode::Live, &place.path().join("other")).unwrap_err();
    assert!(matches!(refused, StoreError::WrongMode { .. }), "{refused}");
    assert!(!place.path().join("other").exists(), "what failed leaves no file");
}

#[tokio::test]
async fn what_is_put_back_knows_what_it_lacks() {
    let (place, path) = stored();
    let mut tale = in_flight(&path, 5).await;
    let backup = place.path().join("backup");
    let held = back_up(&path, Mode::Rehearsal, &backup).unwrap();

    // It goes on: somebody is launched to again, somebody says STOP.
    let store = open(&path);
    let (mut next, launched) = Tale::launch_after(store.id(), 5, Some(&tale));
    store.commit(launched).await.unwrap();
    let (_, batches) = next.send(Channel::Whatsapp);
    for batch in batches {
        store.commit(batch).await.unwrap();
    }
    let suppressions = vec![opt_out(phone(4), next.at)];
    store.commit(Batch { suppressions, ..Batch::default() }).await.unwrap();
    let refused = restore(&backup, &path, Mode::Rehearsal, place.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Held(_)), "somebody holds it: {refused}");
    drop(store);
    let lost = fs::read(&path).unwrap();

    let done = put_back(&backup, &path);
    assert_eq!(done.held, held);
    assert_eq!((done.gap.backup_seq, done.gap.backup_at), (tale.seq, Some(tale.at)));
    assert_eq!((done.gap.lost_seq, done.gap.lost_until), (next.seq, Some(next.at)));
    assert!(done.gap.next_attempt >= next.campaign.header.next_attempt);
    assert!(done.gap.next_timer >= next.campaign.header.next_timer);
    assert_eq!(fs::read(&done.aside[0]).unwrap(), lost, "what was there is there, whole");

    let store = open(&path);
    let loaded = store.load(10).unwrap();
    assert_eq!(loaded.restored.as_ref(), Some(&done.gap));
    assert!(loaded.campaign.unwrap() == tale.campaign);
    assert!(loaded.suppressed.contains(&phone(4)), "a STOP in the lost part holds");
    let clock = At::parse(&loaded.meta["clock"]).unwrap();
    assert!(clock >= next.at, "campaign time does not go back");
    // What is claimed from here on has an id that cannot have left before.
    tale.campaign.header.next_attempt = done.gap.next_attempt;
    let restarted = tale.hear(cascade::engine::input::Input::Restarted);
    store.commit(Batch { confirmed: true, ..restarted }).await.unwrap();
    assert_eq!(store.load(0).unwrap().restored, None);
    assert!(Mark::read(&path).unwrap().ids.unwrap().attempts >= done.gap.next_attempt.0);
    drop(store);

    // Restored once more, twice in a row and never confirmed.
    let first = put_back(&backup, &path).gap;
    let second = put_back(&backup, &path).gap;
    assert_eq!(second.lost_until, first.lost_until);
    assert!(second.next_attempt >= first.next_attempt && !second.lacks_nothing);
    let asides: Vec<_> = names(place.path()).into_iter().filter(|name| name.contains(".aside-")).collect();
    assert_eq!(asides.iter().filter(|name| !name.contains("-wal") && !name.contains("-shm")).count(), 3);
}

/// Two backups of a store, the second of a later time, and the store as it was when it was lost.
async fn backed_up_twice(place: &Path, path: &Path) -> ([PathBuf; 2], Tale) {
    let mut tale = in_flight(path, 5).await;
    let backups = [place.join("first"), place.join("second")];
    let store = open(path);
    for (backup, n) in backups.iter().zip(3..) {
        back_up(path, Mode::Rehearsal, backup).unwrap();
        let attempt = tale.campaign.journeys()[n].attempts[0].id;
        store.commit(tale.agree(attempt, "go on")).await.unwrap();
    }
    (backups, tale)
}

/// It starts: the restart and what the lists tell is written down, and no operator has said anything.
async fn starts_and_asks(path: &Path) -> Restored {
    let store = open(path);
    let loaded = store.load(0).unwrap();
    let gap = loaded.restored.clone().unwrap();
    assert!(!gap.asked, "what was sent is still to be asked");
    let mut tale = Tale::of(&loaded);
    tale.at = tale.at.max(gap.lost_until.unwrap_or_default());
    let asked = Restored { asked: true, ..gap };
    let restarted = tale.hear(cascade::engine::input::Input::Restarted);
    store.commit(Batch { asked: Some(asked.clone()), ..restarted }).await.unwrap();
    drop(store);
    let again = open(path).load(0).unwrap().restored.unwrap();
    assert_eq!(again, asked, "it is not asked again");
    again
}

#[tokio::test]
async fn another_backup_in_the_place_of_a_restored_store_lacks_what_the_first_lacked() {
    for by_hand in [false, true] {
        let (place, path) = stored();
        let (backups, lost) = backed_up_twice(place.path(), &path).await;
        for backup in &backups {
            if by_hand {
                fs::copy(backup, &path).unwrap();
            } else {
                let done = put_back(backup, &path);
                assert_eq!(Some(done.gap), open(&path).load(0).unwrap().restored);
            }
            let gap = starts_and_asks(&path).await;
            assert!(gap.backup_seq < lost.seq && !gap.lacks_nothing, "by hand: {by_hand}: {gap:?}");
            assert!(
                gap.lost_seq >= lost.seq && gap.lost_until >= Some(lost.at),
                "by hand: {by_hand}: {gap:?}"
            );
            assert!(gap.next_attempt >= lost.campaign.header.next_attempt);
            assert!(gap.say(&path).contains("is known to have gone on to event"), "{}", gap.say(&path));
        }
        // Confirmed, it is whole, however often it starts.
        let store = open(&path);
        store.commit(Batch { confirmed: true, ..Batch::default() }).await.unwrap();
        drop(store);
        assert_eq!(open(&path).load(0).unwrap().restored, None, "by hand: {by_hand}");
        assert_eq!(Mark::read(&path).unwrap().lost, None);
    }
}

#[tokio::test]
async fn nothing_is_lacking_only_where_the_very_same_was_there() {
    let (place, path) = stored();
    let (backups, _) = backed_up_twice(place.path(), &path).await;
    let last = place.path().join("last");
    back_up(&path, Mode::Rehearsal, &last).unwrap();
    assert!(put_back(&last, &path).gap.lacks_nothing, "it was whole, and no event is missing");
    let again = put_back(&last, &path).gap;
    assert!(!again.lacks_nothing, "the one before was not confirmed");
    assert!(!put_back(&backups[0], &path).gap.lacks_nothing);

    // Another store's mark, of fewer events, proves nothing; nor does a mark without its store.
    let (_other, small) = stored();
    in_flight(&small, 1).await;
    fs::copy(mark::path(&small), mark::path(&path)).unwrap();
    fs::remove_file(&path).unwrap();
    let refused = restore(&last, &path, Mode::Rehearsal, place.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Another { .. }), "{refused}");
    let gap = restore_another(&last, &path, Mode::Rehearsal, place.path()).unwrap().gap;
    assert!(gap.lost_seq < gap.backup_seq && !gap.lacks_nothing, "{gap:?}");
    assert!(gap.say(&path).contains("what happened after that is not known"), "{}", gap.say(&path));
    // A whole one without its mark may be an older copy itself.
    let (other, path) = stored();
    in_flight(&path, 3).await;
    let backup = other.path().join("backup");
    back_up(&path, Mode::Rehearsal, &backup).unwrap();
    fs::remove_file(mark::path(&path)).unwrap();
    assert!(!put_back(&backup, &path).gap.lacks_nothing);
}

#[tokio::test]
async fn where_no_mark_tells_which_ids_are_taken_they_go_on_far_ahead() {
    const FAR: u64 = 1_000_000;
    let (place, path) = stored();
    let tale = in_flight(&path, 3).await;
    let backup = place.path().join("backup");
    back_up(&path, Mode::Rehearsal, &backup).unwrap();
    let next = &tale.campaign.header;
    let is_far = |gap: &Restored| {
        let far = gap.next_attempt.0 >= next.next_attempt.0 + FAR;
        assert_eq!(far, gap.next_timer.0 >= next.next_timer.0 + FAR, "{gap:?}");
        far
    };
    assert!(!is_far(&put_back(&backup, &path).gap), "its own mark knows");
    // Another machine has neither store nor mark, or those of another store.
    let elsewhere = a_place();
    let there = elsewhere.path().join("rehearsal.db");
    let first = put_back(&backup, &there).gap;
    assert!(is_far(&first));
    assert_eq!(put_back(&backup, &there).gap.next_attempt, first.next_attempt, "by now its mark knows");
    let (_other, foreign) = stored();
    in_flight(&foreign, 3).await;
    let before = (fs::read(&foreign).unwrap(), Mark::read(&foreign).unwrap());
    let refused = restore(&backup, &foreign, Mode::Rehearsal, foreign.parent().unwrap()).unwrap_err();
    assert!(matches!(refused, StoreError::Another { .. }), "{refused}");
    assert!(before == (fs::read(&foreign).unwrap(), Mark::read(&foreign).unwrap()), "nothing was changed");
    let put = restore_another(&backup, &foreign, Mode::Rehearsal, foreign.parent().unwrap()).unwrap();
    assert!(is_far(&put.gap) && put.gap.another, "{:?}", put.gap);
    let (_third, foreign) = stored();
    in_flight(&foreign, 1).await;
    fs::copy(&backup, &foreign).unwrap();
    let by_hand = open(&foreign).load(0).unwrap().restored.unwrap();
    assert!(is_far(&by_hand) && by_hand.another, "{by_hand:?}");
}

type Bytes<'a> = Option<&'a [u8]>;

#[tokio::test]
async fn a_damaged_a_gone_and_a_half_store_are_replaced_by_hand_alone() {
    let (place, path) = stored();
    let tale = in_flight(&path, 5).await;
    let backup = place.path().join("backup");
    back_up(&path, Mode::Rehearsal, &backup).unwrap();
    let whole = fs::read(&path).unwrap();
    let wal = path.with_file_name("rehearsal.db-wal");
    let cases: [(&str, Bytes<'_>, Bytes<'_>); 4] = [
        ("a letter", Some(b"this is no database"), Some(b"and this no log")),
        ("cut", Some(&whole[..whole.len() / 2]), None),
        ("gone", None, None),
        ("a log alone", None, Some(b"what is left of a log")),
    ];
    for (what, file, log) in cases {
        let _ = fs::remove_file(&path);
        for (name, bytes) in [(&path, file), (&wal, log)] {
            if let Some(bytes) = bytes {
                fs::write(name, bytes).unwrap();
            }
        }
        let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
        assert!(matches!(refused, StoreError::Corrupt { .. } | StoreError::Lost { .. }), "{what}: {refused}");
        let done = put_back(&backup, &path);
        let aside = |log: bool| {
            let mut names = done.aside.iter().map(|name| name.to_str().unwrap());
            names
                .find(|name| name.ends_with("-wal") == log && !name.ends_with("-shm"))
                .map(|n| fs::read(n).unwrap())
        };
        assert!(aside(false).as_deref() == file, "{what}");
        assert!(log.is_none() || aside(true).as_deref() == log, "{what}");
        // The mark knows of no more than the backup holds; it may have stayed behind, so that proves nothing.
        assert_eq!((done.gap.lost_seq, done.gap.backup_seq), (tale.seq, tale.seq), "{what}");
        assert!(!done.gap.lacks_nothing, "{what}");
        assert!(open(&path).load(0).unwrap().restored.is_some(), "{what}");
    }
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_restore_is_missed_and_mended_by_the_same_command() {
    let (place, path) = stored();
    in_flight(&path, 3).await;
    let backup = place.path().join("backup");
    back_up(&path, Mode::Rehearsal, &backup).unwrap();
    // The old one is aside, the new one has not got its name.
    fs::rename(&path, path.with_file_name("rehearsal.db.aside-20260101T000000Z")).unwrap();
    fs::write(path.with_file_name("rehearsal.db.restoring"), "half a copy").unwrap();
    let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
    assert!(matches!(refused, StoreError::Lost { .. }), "{refused}");
    put_back(&backup, &path);
    assert!(!path.with_file_name("rehearsal.db.restoring").exists());
    holds_together(&path);
    // The new one has its name, and the mark still speaks of the old one.
    let mark = fs::read(mark::path(&path)).unwrap();
    let store = open(&path);
    let before = store.load(0).unwrap();
    let dedup = vec![dedup("later")];
    store.commit(Batch { dedup, ..Batch::default() }).await.unwrap();
    drop(store);
    put_back(&backup, &path);
    fs::write(mark::path(&path), mark).unwrap();
    assert_eq!(open(&path).load(0).unwrap().restored, before.restored);
}

#[tokio::test]
async fn what_is_no_backup_changes_nothing() {
    let (place, path) = stored();
    in_flight(&path, 3).await;
    let whole = fs::read(&path).unwrap();
    let backup = place.path().join("backup");
    back_up(&path, Mode::Rehearsal, &backup).unwrap();
    let copy = fs::read(&backup).unwrap();
    let other = a_place();
    let live = other.path().join("live.db");
    drop(Store::open(&live, Mode::Live).unwrap());
    let file = |name: &str, bytes: &[u8]| {
        let path = place.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let mut flipped = copy.clone();
    flipped[copy.len() / 2 / 4096 * 4096] ^= 0x55;
    let cases: [(PathBuf, &str); 7] = [
        (place.path().join("none"), "unable to open"),
        (file("letter", b"dear operator, this is no database at all"), "does not begin like"),
        (file("empty", b""), "holds nothing"),
        (file("cut", &copy[..copy.len() - 4096]), "damaged"),
        (file("flipped", &flipped), "damaged"),
        (live, "live"),
        (path.clone(), "the store itself"),
    ];
    for (backup, why) in cases {
        let refused = restore(&backup, &path, Mode::Rehearsal, place.path()).unwrap_err();
        assert!(matches!(refused, StoreError::NoBackup { .. }), "{refused}");
        assert!(refused.to_string().contains(why), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), whole);
        assert!(names(place.path()).iter().all(|name| !name.contains(".aside-")));
    }
    assert_eq!(open(&path).load(0).unwrap().restored, None);
}

#[tokio::test]
async fn a_backup_of_an_older_program_is_brought_up_to_date() {
    let (_place, path) = stored();
    in_flight(&path, 2).await;
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/stores/v1.db");
    // Reading it leaves files beside it.
    let old = path.with_file_name("old.db");
    fs::copy(golden, &old).unwrap();
    restore_another(&old, &path, Mode::Rehearsal, path.parent().unwrap()).unwrap();
    let loaded = open(&path).load(0).unwrap();
    holds_together(&path);
    assert_eq!(loaded.people.len(), 12);
    assert!(loaded.restored.is_some());
    let outside = optouts::read(path.parent().unwrap(), Mode::Rehearsal).unwrap();
    for number in ["+522905550134", phone(2).as_str()] {
        let phone = cascade::model::Phone::parse_e164(number).unwrap();
        assert!(loaded.suppressed.contains(&phone) && outside.contains(&phone), "{number}");
    }
}

#[tokio::test]
async fn what_stands_in_the_log_beside_a_copy_is_put_back_too() {
    let (place, path) = stored();
    let mut tale = in_flight(&path, 3).await;
    let store = open(&path);
    let attempt = tale.campaign.journeys()[1].attempts[0].id;
    store.commit(tale.agree(attempt, "go on")).await.unwrap();
    let copy = place.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    fs::copy(path.with_file_name("rehearsal.db-wal"), place.path().join("copy.db-wal")).unwrap();
    drop(store);
    assert_eq!(put_back(&copy, &path).held.seq, tale.seq);
    assert!(holds_together(&path).campaign.unwrap() == tale.campaign);
}

#[tokio::test]
async fn opt_outs_are_kept_of_a_store_that_is_moved_aside_without_their_file() {
    let (_place, path) = stored();
    in_flight(&path, 3).await;
    for name in names(path.parent().unwrap()).iter().filter(|name| name.contains(".optouts")) {
        fs::remove_file(path.with_file_name(name)).unwrap();
    }
    aside(&path).unwrap();
    assert!(open(&path).load(0).unwrap().suppressed.contains(&phone(2)));
}

#[tokio::test]
async fn where_the_store_is_gone_and_its_opt_outs_are_damaged_nothing_begins() {
    let (_place, path) = stored();
    in_flight(&path, 3).await;
    let file = path.with_file_name("rehearsal.optouts");
    let whole = fs::read(&file).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let damage = || fs::write(&file, &whole[..last + 30]).unwrap();
    damage();
    // The store knows who it was, and writes them down again.
    assert_eq!(open(&path).warnings().len(), 1);
    assert!(open(&path).load(0).unwrap().suppressed.contains(&phone(2)));
    fs::remove_file(&path).unwrap();
    assert!(matches!(cascade::runtime::store::not_lost(&path), Err(StoreError::Lost { .. })));
    aside(&path).unwrap();
    damage();
    for _ in 0..2 {
        let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
        assert!(matches!(refused, StoreError::DamagedOptOuts { lines: 1, .. }), "{refused}");
    }
    fs::write(&file, &whole).unwrap();
    assert!(open(&path).load(0).unwrap().suppressed.contains(&phone(2)));
}

#[tokio::test]
async fn beginning_anew_is_asked_for_by_hand_and_keeps_opt_outs() {
    let (_place, path) = stored();
    in_flight(&path, 3).await;
    let whole = fs::read(&path).unwrap();
    let held = open(&path);
    assert!(matches!(aside(&path).unwrap_err(), StoreError::Held(_)));
    drop(held);
    let (moved, unread) = aside(&path).unwrap();
    assert!(unread.is_none(), "{unread:?}");
    assert_eq!(fs::read(&moved[0]).unwrap(), whole);
    assert!(
        !mark::path(&path).exists()
            && moved.iter().any(|file| file.extension().is_some_and(|end| end == "mark"))
    );
    let store = open(&path);
    let loaded = store.load(0).unwrap();
    assert_eq!((loaded.seq, loaded.restored), (0, None));
    assert!(loaded.suppressed.contains(&phone(2)));
    // With its mark, what was moved aside can be moved back.
    drop(store);
    aside(&path).unwrap();
    for file in &moved {
        let name = file.file_name().unwrap().to_str().unwrap();
        let (_, suffix) = name.split_once('Z').unwrap();
        fs::rename(file, path.with_file_name(format!("rehearsal.db{suffix}"))).unwrap();
    }
    assert_eq!(open(&path).load(0).unwrap().restored, None);
}
