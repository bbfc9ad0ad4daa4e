//! A store that takes no more commits in the middle of a pilot: sending ends with it, and goes on when it is mended.

use crate::crash::{SPEED, everybody_came_through, short};
use crate::house::{House, Sandbox};
use crate::wire::{ledger_agrees, no_send_after_stop, recorded, told};
use std::process::Command;

#[test]
fn a_commit_that_fails_ends_all_sending_and_whoever_mends_it_goes_on_from_there() {
    let (desk, house) = (House::empty(), short());
    let sandbox = Sandbox::start(&desk, SPEED);
    let mut pilot = house.start(&["pilot", "--sandbox", &sandbox.url]);
    pilot.until(|| sandbox.sends_on("whatsapp") >= 25);
    let db = rusqlite::Connection::open(house.path(".cascade/rehearsal.db")).unwrap();
    let broken =
        "CREATE TRIGGER broken BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'the disk said no'); END";
    db.execute_batch(broken).unwrap();
    let done = pilot.wait();
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    for words in ["the disk said no", "Nothing is sent any more", "mend it", "`cascade resume` goes on"] {
        assert!(done.stderr.contains(words), "nothing of {words:?}: {}", done.stderr);
    }
    let sent = sandbox.sends_on("whatsapp");
    assert!(sent < 100, "it was over before it failed");

    // Not mended: nobody is sent to by trying.
    let done = house.run(&["resume", "--sandbox", &sandbox.url]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert_eq!(sandbox.sends_on("whatsapp"), sent);

    db.execute_batch("DROP TRIGGER broken").unwrap();
    drop(db);
    let done = house.run(&["resume", "--sandbox", &sandbox.url]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    everybody_came_through(&house);
    ledger_agrees(&house, &sandbox);
    no_send_after_stop(&sandbox);
    let (told, recorded) = (told(&sandbox), recorded(&house));
    let lost: Vec<_> = told.difference(&recorded).collect();
    assert!(lost.is_empty(), "answered with 200 and not recorded: {lost:?}");
}

#[test]
fn a_file_that_may_grow_no_further_is_a_full_disk_and_no_death_without_a_word() {
    let house = short();
    // In blocks of 512 bytes: the log of a hundred customers needs more.
    let cascade = env!("CARGO_BIN_EXE_cascade");
    let script = format!("ulimit -f 1000 && exec '{cascade}' pilot --speed {SPEED} --seed 1");
    let done = Command::new("sh").args(["-c", &script]).current_dir(house.path("")).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    for words in ["cannot keep some disk space back", "Nothing is sent any more", "`cascade resume` goes on"]
    {
        assert!(said.contains(words), "nothing of {words:?}: {said}");
    }
}
