//! What stands beside the store and outlives it: opt-outs, the mark, the ballast. Nobody else may read any of it.

use crate::fixture::{BEGIN, Tale, a_place, in_flight, open, opt_out, phone, stored};
use cascade::model::{Mode, Phone};
use cascade::runtime::store::mark::{self, Mark};
use cascade::runtime::store::network::{is_network, kind_of};
use cascade::runtime::store::optouts;
use cascade::runtime::store::{Batch, Reader, Store, StoreError, ballast};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

async fn opts_out(store: &Store, n: u64) {
    let suppressions = vec![opt_out(phone(n), BEGIN)];
    store.commit(Batch { suppressions, ..Batch::default() }).await.unwrap();
}

fn list(state: &Path) -> PathBuf {
    state.join("rehearsal.optouts")
}

fn key(state: &Path) -> PathBuf {
    state.join("rehearsal.optouts.key")
}

/// Which of the first four are known to have opted out.
fn known(store: &Store) -> [bool; 4] {
    let loaded = store.load(0).unwrap();
    [1, 2, 3, 4].map(|n| loaded.suppressed.contains(&phone(n)))
}

#[tokio::test]
async fn an_opt_out_outlives_the_store_it_was_said_in() {
    let (place, path) = stored();
    let store = open(&path);
    opts_out(&store, 1).await;
    opts_out(&store, 2).await;
    drop(store);
    // The store is lost, with everything that belongs to it alone.
    for file in [path.clone(), mark::path(&path)] {
        fs::remove_file(file).unwrap();
    }
    assert_eq!(known(&open(&path)), [true, true, false, false]);
    // Another store of this workspace honours them as well, and adds its own.
    let elsewhere = a_place();
    let other = Store::open_in(&elsewhere.path().join("other.db"), Mode::Rehearsal, place.path()).unwrap();
    assert_eq!(known(&other), [true, true, false, false]);
    opts_out(&other, 3).await;
    drop(other);
    assert_eq!(known(&open(&path)), [true, true, true, false]);
    // What live knows is another file's.
    let live = Store::open(&place.path().join("live.db"), Mode::Live).unwrap();
    assert_eq!(known(&live), [false; 4]);
}

#[tokio::test]
async fn a_store_of_another_workspace_brings_its_own_opt_outs() {
    let (one, path) = stored();
    let store = open(&path);
    opts_out(&store, 1).await;
    drop(store);
    let (other, _) = stored();
    assert_ne!(fs::read(key(one.path())).unwrap(), fs::read(key(other.path())).unwrap());
    let store = Store::open_in(&path, Mode::Rehearsal, other.path()).unwrap();
    assert_eq!(known(&store), [true, false, false, false]);
    opts_out(&store, 2).await;
    drop(store);
    let outside = optouts::read(other.path(), Mode::Rehearsal).unwrap();
    assert!(outside.contains(&phone(1)) && outside.contains(&phone(2)));
    // At home it is known, too, although the file there has another key.
    assert_eq!(known(&open(&path)), [true, true, false, false]);
}

#[tokio::test]
async fn the_list_names_nobody_and_is_only_ever_appended_to() {
    let (place, path) = stored();
    let store = open(&path);
    let mut before = fs::read(list(place.path())).unwrap();
    for n in [1, 2, 1, 3] {
        opts_out(&store, n).await;
        let now = fs::read(list(place.path())).unwrap();
        assert!(now.starts_with(&before), "it was rewritten");
        before = now;
    }
    drop(store);
    drop(open(&path));
    assert_eq!(fs::read(list(place.path())).unwrap(), before, "a start alone changes nothing");
    let text = String::from_utf8(before).unwrap();
    assert_eq!(text.lines().count(), 4, "a header, and each number once:\n{text}");
    assert!([1, 2, 3].iter().all(|n| !text.contains(phone(*n).digits())), "{text}");
}

#[tokio::test]
async fn a_torn_line_costs_nothing_but_itself() {
    let (_home, path) = stored();
    let store = open(&path);
    opts_out(&store, 1).await;
    opts_out(&store, 2).await;
    drop(store);
    fs::remove_file(&path).unwrap();
    fs::remove_file(mark::path(&path)).unwrap();
    let home = path.with_file_name("");
    let whole = fs::read(list(&home)).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in last..whole.len() {
        let place = a_place();
        fs::copy(key(&home), key(place.path())).unwrap();
        fs::write(list(place.path()), &whole[..cut]).unwrap();
        let path = place.path().join("rehearsal.db");
        // A digest that is whole counts, whatever of its line is missing.
        let second = cut >= last + 64;
        if cut > last && !second {
            // Whose it is, a store that is new cannot tell: somebody must look.
            let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
            assert!(matches!(refused, StoreError::DamagedOptOuts { lines: 1, .. }), "{refused}");
            fs::write(list(place.path()), &whole[..last]).unwrap();
            assert_eq!(known(&open(&path)), [true, false, false, false], "cut at {cut}");
            continue;
        }
        let store = open(&path);
        assert_eq!(known(&store), [true, second, false, false], "cut at {cut}");
        opts_out(&store, 3).await;
        drop(store);
        assert_eq!(known(&open(&path)), [true, second, true, false], "cut at {cut}");
        assert!(fs::read(list(place.path())).unwrap().starts_with(&whole[..cut]), "it was rewritten");
    }
}

#[tokio::test]
async fn a_lost_key_is_put_back_or_missed() {
    let (place, path) = stored();
    let store = open(&path);
    opts_out(&store, 1).await;
    drop(store);
    let held = fs::read(key(place.path())).unwrap();
    // The store knows the key as well.
    for damage in [None, Some("not a key"), Some("")] {
        fs::remove_file(key(place.path())).unwrap();
        if let Some(text) = damage {
            fs::write(key(place.path()), text).unwrap();
        }
        assert_eq!(known(&open(&path)), [true, false, false, false], "{damage:?}");
        assert_eq!(fs::read(key(place.path())).unwrap(), held, "{damage:?}");
    }
    // Without both, nobody can tell who opted out, and nothing starts.
    fs::remove_file(key(place.path())).unwrap();
    for file in [path.clone(), mark::path(&path)] {
        fs::remove_file(file).unwrap();
    }
    let refused = Store::open(&path, Mode::Rehearsal).unwrap_err();
    assert!(matches!(refused, StoreError::OptOuts { .. }), "{refused}");
    assert!(refused.to_string().contains("rehearsal.optouts.key"), "{refused}");
    let refused = optouts::read(place.path(), Mode::Rehearsal).unwrap_err();
    assert!(matches!(refused, StoreError::OptOuts { .. }), "{refused}");
}

#[tokio::test]
async fn the_mark_is_never_ahead_of_the_store_and_never_behind_its_ids() {
    let (_place, path) = stored();
    let store = open(&path);
    let read = || Mark::read(&path).unwrap();
    assert_eq!(read().water.unwrap().seq, 0);
    let (mut tale, launched) = Tale::launch(store.id(), 3);
    store.commit(launched).await.unwrap();
    for _ in 0..3 {
        let (attempt, batches) = tale.send(cascade::model::Channel::Whatsapp);
        for batch in batches {
            store.commit(batch).await.unwrap();
        }
        let mark = read();
        assert!(mark.ids.unwrap().attempts > attempt.0);
        let water = mark.water.unwrap();
        assert_eq!((water.seq, water.at, water.clean), (tale.seq, Some(tale.at), false));
        assert_eq!(water.store, store.id());
    }
    let ids = read().ids;
    drop(store);
    assert!(read().water.unwrap().clean);
    for _ in 0..3 {
        drop(open(&path));
        assert_eq!(read().ids, ids, "a start alone takes no ids");
    }
}

#[tokio::test]
async fn a_mark_that_cannot_be_read_is_as_good_as_none() {
    let (_place, path) = stored();
    let tale = in_flight(&path, 3).await;
    let file = mark::path(&path);
    let whole = fs::read(&file).unwrap();
    for at in [0, 40, 250, 512, 600, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        fs::write(&file, damaged).unwrap();
        let loaded = open(&path).load(0).unwrap();
        assert_eq!((loaded.seq, loaded.restored), (tale.seq, None), "byte {at}");
        assert_eq!(Mark::read(&path).unwrap().water.unwrap().seq, tale.seq, "it is written anew");
    }
    for length in [0, 100, 512, 700] {
        fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(open(&path).load(0).unwrap().restored, None, "{length} bytes");
    }
}

#[test]
fn nobody_else_may_read_any_of_it_whatever_the_umask() {
    // The umask is the process's, so that a child has to take it.
    let place = a_place();
    let made = std::process::Command::new("sh")
        .args(["-c", "umask 0; exec \"$0\" resume"])
        .arg(env!("CARGO_BIN_EXE_cascade"))
        .current_dir(place.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let state = place.path().join(".cascade");
    let bits = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(bits(&state), 0o700);
    let mut seen = Vec::new();
    for entry in fs::read_dir(&state).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_file() {
            assert_eq!(bits(&path), 0o600, "{name}");
        }
        seen.push(name);
    }
    for wanted in
        ["rehearsal.db", "rehearsal.db.mark", "rehearsal.optouts", "rehearsal.optouts.key", "ballast"]
    {
        assert!(seen.iter().any(|name| name == wanted), "{wanted} of {seen:?}");
    }
    assert_eq!(fs::metadata(state.join("ballast")).unwrap().len(), ballast::BYTES);
}

#[test]
fn a_network_file_system_is_told_by_its_name() {
    let mounts = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:26 / /srv rw - nfs4 server:/export rw,vers=4.2
31 30 254:1 / /srv/local rw - xfs /dev/vdb rw
32 22 0:40 / /home/ana/my\\040share rw - fuse.sshfs ana@host:/ rw
33 22 0:41 / /mnt rw shared:2 master:3 - cifs //host/share rw
34 22 254:2 / /mnt rw - ext4 /dev/vdc rw
35 22 0:50 / /srv2 rw - 9p host rw
";
    let kind = |path: &str| kind_of(mounts, Path::new(path)).unwrap();
    let on = |path: &str| (kind(path), is_network(kind(path)));
    assert_eq!(on("/var/lib/x"), ("ext4", false));
    assert_eq!(on("/srv/campaigns"), ("nfs4", true));
    assert_eq!(on("/srv/local/campaigns"), ("xfs", false));
    assert_eq!(on("/home/ana/my share/spring"), ("fuse.sshfs", true));
    assert_eq!(on("/home/ana/my"), ("ext4", false), "a name that begins like a mount is none");
    assert_eq!(on("/mnt/x"), ("ext4", false), "what was mounted last lies on top");
    assert_eq!(on("/srv2"), ("9p", true));
    assert_eq!(kind_of("", Path::new("/")), None);
    for kind in ["nfs", "cifs", "smb3", "ceph", "fuse.rclone", "fuse.glusterfs"] {
        assert!(is_network(kind), "{kind}");
    }
    for kind in ["ext4", "btrfs", "xfs", "zfs", "tmpfs", "overlay", "fuseblk", "apfs", "fuse.mergerfs"] {
        assert!(!is_network(kind), "{kind}");
    }
}

#[test]
fn an_unread_number_is_nobody() {
    let none = optouts::read(Path::new("/nowhere"), Mode::Live).unwrap();
    assert!(!none.contains(&Phone::parse_e164("+14155550100").unwrap()));
    assert!(Reader::open(Path::new("/nowhere/live.db")).is_err());
}
