//! A store that another program holds: waited for, and told on every screen.

use crate::{house, run, seen};
use cascade::engine::snapshot::Phase;
use cascade::runtime::attach::{attach, reach};
use cascade::runtime::handle::{Command, Picture, Signature};

#[test]
fn a_file_that_another_program_holds_is_waited_for_while_every_screen_says_so() {
    let house = house();
    let process = run(&house, &["--speed", "1440"]);
    let store = house.path(".cascade/rehearsal.db");
    let slow = |p: &Picture| p.troubles.iter().any(|trouble| trouble.words.contains("SLOW DISK"));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut console = attach(reach(&store).await.unwrap().expect("somebody holds the store"));
        seen(&mut console, |p| p.starting.is_none() && p.preflight.is_some()).await;
        console.commands.send(Command::Launch(Signature::here())).await.unwrap();
        seen(&mut console, |p| p.snapshot.tally.running > 0).await;
        let other = rusqlite::Connection::open(&store).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let committed = || house.reader().events_after(0, None, usize::MAX).unwrap().len();
        let before = committed();
        let held = seen(&mut console, slow).await;
        assert!(held.store_failed.is_none());
        assert_eq!(committed(), before, "something was committed beside it");
        other.execute_batch("COMMIT").unwrap();
        seen(&mut console, |p| !slow(p)).await;
        seen(&mut console, |p| p.snapshot.phase == Phase::Ended).await;
    });
    assert_eq!(process.terminate().code, Some(0));
    house.log_gives_the_rows();
}
