//! `cascade run` and the consoles that look into it: the built binary, two terminals, and everything that may be cut off.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure is a panic"
)]
#![expect(dead_code, reason = "shared with other tests, which use the rest")]

#[path = "attach/disk.rs"]
mod disk;
#[path = "pilot/house.rs"]
mod house;
#[path = "pilot/inbound.rs"]
mod inbound;
#[path = "attach/late.rs"]
mod late;
#[path = "terminal/pty.rs"]
mod pty;
#[path = "attach/wire.rs"]
mod wire;

use cascade::clock::wall;
use cascade::engine::order::Order;
use cascade::engine::snapshot::{Phase, Snapshot};
use cascade::model::At;
use cascade::runtime::attach::{attach, reach};
use cascade::runtime::handle::{Command, Handle, Picture, Signature};
use house::{House, Running};
use pty::Pty;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use wire::Raw;

const WIDE: (u16, u16) = (120, 40);

/// Quick enough to end, long enough to be looked at: a hold keeps it where it is.
const RULES: &str = r#"{ "start": "whatsapp", "conversion_window": "1h", "steps": [
    { "channel": "whatsapp", "wait": "40m", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "30m", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

/// A list of which nobody is held for a template.
const LIST: &str = include_str!("data/foreign.csv");

/// What is not so by then never will be.
const LIMIT: Duration = Duration::from_mins(1);

fn house() -> House {
    House::with(&[("rules/cascade.json", RULES), ("customers.csv", LIST)])
}

/// Looks until it is so.
#[track_caller]
fn until(what: &str, so: impl Fn() -> bool) {
    let begun = wall();
    while !so() {
        assert!(wall().duration_since(begun) < LIMIT, "never: {what}");
        // Between two looks, not for anything to happen.
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// `cascade run`, up.
fn run(house: &House, args: &[&str]) -> Running {
    let mut process = house.start(&[&["run", "--seed", "1"], args].concat());
    let up = process.says();
    assert!(up.contains("cascade: running (rehearsal"), "{up}");
    process
}

fn console(house: &House) -> Pty {
    Pty::start(WIDE, &house.path(""), &[], &[])
}

fn command(console: &mut Pty, id: &str) {
    console.keys(":");
    console.sees("Command");
    console.keys(id);
    console.sees(&format!("▸ {id}"));
    console.keys("\r");
}

fn launch(console: &mut Pty) {
    console.sees("Press  L");
    console.keys("L");
    console.sees("not now");
    console.keys("y");
    console.sees("PILOT 100");
}

/// `100 = 34 converted · …`
fn tally(text: &str) -> Option<&str> {
    let line = text.lines().map(str::trim).find(|line| line.starts_with("100 = "))?;
    line.split(" (").next()
}

fn number(report: &Value, what: &str) -> u64 {
    report["cascades"][what].as_u64().unwrap()
}

/// The eight numbers of the third line, from a report.
fn as_tally(report: &Value) -> String {
    let words = ["converted", "declined", "opted_out", "exhausted", "stopped", "held", "in_doubt", "running"];
    let parts = words.map(|word| format!("{} {}", number(report, word), word.replace('_', " ")));
    format!("100 = {}", parts.join(" · "))
}

fn holder_of(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("attached · reading (")?;
    after.split(" is in control").next()
}

#[test]
fn two_consoles_look_in_one_is_in_control_and_nothing_ends_with_them() {
    let house = house();
    let process = run(&house, &["--speed", "1440", "--json"]);
    let mut ana = console(&house);
    ana.sees("attached · in control");
    let mut bo = console(&house);
    bo.sees("attached · reading (");
    launch(&mut ana);
    bo.sees("PILOT 100");

    // Whoever reads holds all the same, and both see it.
    bo.keys("P");
    let held = "HOLD  nothing is sent: held by an operator (P)";
    ana.sees(held);
    bo.sees(held);
    let seen = |console: &Pty| {
        // Answers and calls under way still come in; then nothing moves but people's own answers.
        console.until("numbers", |text| tally(text).is_some())
    };
    let report = || house.run(&["report", "--json"]).report();
    ana.until("both the same, and the report too", |text| {
        let bo = seen(&bo);
        tally(text).is_some()
            && tally(text) == tally(&bo)
            && tally(text) == Some(as_tally(&report()).as_str())
    });

    // Going on is not for whoever reads.
    bo.keys("p");
    let refused = bo.sees(":take-control takes over");
    assert!(refused.contains("is in control since"), "{refused}");
    let ana_is = holder_of(&refused)
        .unwrap_or_else(|| panic!("the title names who is in control:\n{refused}"))
        .to_owned();
    command(&mut bo, "take-control");
    let question = bo.sees("Take control?");
    assert!(question.contains(&ana_is), "{question}");
    bo.keys("y");
    bo.sees("attached · in control");
    ana.until("who took it", |text| {
        text.contains("took control; you read") && text.contains("attached · reading (")
    });

    // A lost ssh session: nobody is there to read what it says, and it goes on.
    process.signal("HUP");
    bo.keys("p");
    bo.sees("Go on with everything?");
    bo.keys("y");
    ana.until("it goes on", |text| text.contains("● running") && !text.contains("HOLD  "));
    bo.signal("KILL");
    bo.code();
    // Control is free again: whoever acts has it.
    ana.sees("nobody is in control");
    ana.keys("q");
    let end = ana.end();
    assert_eq!((end.code, end.restored), (0, Ok(())), "it leaves without a question");

    // It ends while nobody looks.
    until("the end", || house.looked_up().is_some_and(|campaign| campaign.header.ended_at.is_some()));
    let ended = report();
    let mut cy = console(&house);
    let text = cy.sees("■ ended");
    assert_eq!(tally(&text), Some(as_tally(&ended).as_str()), "{text}");
    assert!(text.contains("attached · in control"), "{text}");
    cy.keys("q");
    assert_eq!(cy.end().code, 0);

    let done = process.terminate();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stderr.contains("SIGTERM") && !done.stderr.contains("Not sent"), "{}", done.stderr);
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(printed, ended, "whoever reads its output was told, too");
    assert!(!house.path(".cascade/rehearsal.db.sock").exists(), "the socket is gone with it");
    house.log_gives_the_rows();
    written_down(&house);
}

/// The audit trail knows who asked for what, from which terminal.
fn written_down(house: &House) {
    let done = house.run(&["audit", "--json"]);
    let audit: Value = serde_json::from_str(&done.stdout).unwrap();
    let orders = audit["orders"].as_array().unwrap();
    let asked: Vec<&str> = orders.iter().map(|order| order["what"].as_str().unwrap()).collect();
    assert_eq!(asked, ["launch", "pause", "resume"]);
    let terminals: Vec<&str> =
        orders.iter().map(|order| order["tty"].as_str().expect("a terminal")).collect();
    assert!(terminals[0] != terminals[1] && terminals[1] == terminals[2], "{terminals:?}");
}

/// Everything that a console shows of the log; the clock goes on meanwhile.
fn shown(picture: &Picture) -> String {
    let snapshot = Snapshot { now: At::default(), ..picture.snapshot.clone() };
    let said: Vec<_> = picture.inbox.iter().map(|item| (item.seq, &item.text)).collect();
    let told: Vec<_> = picture.timeline.iter().map(|entry| entry.seq).collect();
    let people: BTreeMap<_, _> = picture.people.iter().collect();
    let all = format!("{snapshot:#?}\n{said:#?}\n{told:?}\n{people:#?}\n{:#?}", picture.audit.orders());
    // Money keeps the digits of what was once added to it and taken off again.
    let bare = |line: &str| {
        let amount = line.strip_suffix(',').filter(|a| a.contains('.') && a.trim().parse::<f64>().is_ok());
        amount.map_or_else(|| line.to_owned(), |a| a.trim_end_matches('0').to_owned())
    };
    all.lines().map(bare).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_copy_that_followed_is_the_one_that_is_read_from_the_rows() {
    let house = house();
    let process = run(&house, &["--speed", "3600"]);
    let store = house.path(".cascade/rehearsal.db");
    let come = || async { attach(reach(&store).await.unwrap().expect("somebody holds the store")) };
    let order = |order| Command::Order { order, signature: Signature::here(), why: "to compare".into() };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut followed = come().await;
        seen(&mut followed, |p| p.starting.is_none() && p.preflight.is_some()).await;
        followed.commands.send(Command::Launch(Signature::here())).await.unwrap();
        // In the middle of it, held, and at the end.
        seen(&mut followed, |p| p.snapshot.tally.converted > 3).await;
        let hold = order(Order::Pause { only: None, why: "to compare".into() });
        followed.commands.send(hold).await.unwrap();
        seen(&mut followed, |p| matches!(p.snapshot.phase, Phase::Paused(_))).await;
        same(&mut followed, &mut come().await).await;
        let resume = order(Order::Resume { only: None, extend_timers: true });
        followed.commands.send(resume).await.unwrap();
        seen(&mut followed, |p| p.snapshot.phase == Phase::Ended).await;
        same(&mut followed, &mut come().await).await;
    });
    process.terminate();
}

async fn seen(console: &mut Handle, is: impl Fn(&Picture) -> bool) -> Arc<Picture> {
    let seen = tokio::time::timeout(LIMIT, console.picture.wait_for(|picture| is(picture))).await;
    Arc::clone(&*seen.expect("in time").expect("the console lives"))
}

/// Both come to show the same place of the log, and then the same.
async fn same(followed: &mut Handle, read: &mut Handle) {
    let mut at = (0, 0);
    let both = async {
        loop {
            let (a, b) = (Arc::clone(&followed.picture.borrow()), Arc::clone(&read.picture.borrow()));
            at = (a.snapshot.seq, b.snapshot.seq);
            if at.0 == at.1 && at.0 > 0 {
                return (a, b);
            }
            tokio::select! {
                _ = followed.picture.changed() => {}
                _ = read.picture.changed() => {}
            }
        }
    };
    let (a, b) = tokio::time::timeout(LIMIT, both).await.expect("never at one place");
    let (a, b) = (shown(&a), shown(&b));
    let differs = a.lines().zip(b.lines()).find(|(a, b)| a != b);
    assert!(a == b, "they differ: {differs:?}");
}

#[test]
fn stopped_and_started_again_it_goes_on_and_consoles_find_it_by_themselves() {
    let house = house();
    let process = run(&house, &[]);
    let mut console = console(&house);
    launch(&mut console);
    console.until("a wait", |text| text.contains(" waits "));
    let done = process.terminate();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    for said in ["Not sent while we are away: what falls due, first ", "Not heard: replies", "have not ended"]
    {
        assert!(done.stderr.contains(said), "{said}: {}", done.stderr);
    }
    let text = console.sees("DETACHED");
    assert!(text.contains("ended, everything is saved") && text.contains("✗ detached"), "{text}");
    // The last picture stays, and a hold that is asked for meanwhile is not forgotten.
    assert!(tally(&text).is_some() && text.contains("PILOT 100"), "{text}");
    console.keys("P");
    console.sees("nobody is there to hold");
    let saved = house.run(&["report", "--json"]).report();

    let again = run(&house, &[]);
    console.until("held as it was asked", |text| {
        text.contains("attached · in control")
            && text.contains("HOLD  nothing is sent: held by an operator (P)")
    });
    let text = console.loses("DETACHED");
    assert_eq!(report_of(&house)["campaign"], saved["campaign"], "{text}");
    again.kill();
    console.until("killed", |text| text.contains("killed, or ended badly"));
    let resumed = house.start(&["resume"]);
    console.until("whoever holds the store is looked into", |text| {
        // Whoever is stopped before all of it is up has nothing to say yet.
        let is_up = !text.contains("◌ starting") && !text.contains("DETACHED");
        is_up && text.contains("attached again, to cascade resume") && text.contains("HOLD  nothing is sent")
    });
    // Whatever runs without a screen says the same when it is stopped; on a slow machine it may not have begun yet.
    let done = resumed.terminate();
    let said = done.stderr.contains("Not heard: replies") || done.stderr.contains("before anything went on");
    assert!(said && done.code == Some(130), "{}", done.stderr);
    console.keys("q");
    assert_eq!(console.end().code, 0);
    house.log_gives_the_rows();
}

#[test]
fn a_terminal_that_goes_away_does_not_end_it() {
    let house = house();
    let mut session = Pty::start(WIDE, &house.path(""), &["run", "--seed", "1", "--speed", "1440"], &[]);
    session.sees("cascade: running (rehearsal");
    let mut console = console(&house);
    launch(&mut console);
    // Its terminal is hung up: what it says from now on nobody can read, and writing it fails.
    session.close();
    command(&mut console, "give-control");
    console.sees("attached · nobody is in control");
    console.sees("■ ended");
    console.keys("q");
    assert_eq!(console.end().code, 0);
    session.signal("TERM");
    assert_eq!(session.code(), 0);
    house.log_gives_the_rows();
}

fn report_of(house: &House) -> Value {
    house.run(&["report", "--json"]).report()
}

#[test]
fn who_cannot_attach_or_take_the_store_is_told_why() {
    let house = house();
    let process = run(&house, &[]);
    let refused = |args: &[&str], words: &[&str]| {
        let done = house.run(args);
        assert_eq!(done.code, Some(2), "{args:?}: {}", done.stderr);
        for word in words {
            assert!(done.stderr.contains(word), "{args:?} says nothing of {word:?}: {}", done.stderr);
        }
    };
    let held = ["is in use by another cascade (process", "cascade run", "`cascade` attaches a console"];
    refused(&["run"], &held);
    refused(&["pilot"], &held);
    refused(&["resume"], &held);
    let end = Pty::start(WIDE, &house.path(""), &["--speed", "60"], &[]).end();
    let said = end.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(end.code == 2 && said.contains("cascade run (process") && said.contains("--speed"), "{said}");

    // Another version: it is told so, and nothing else.
    let (mut raw, answer) = Raw::hello(&house, 999);
    assert_eq!(answer["answer"], "refused");
    let why = answer["why"].as_str().unwrap();
    assert!(why.contains("this console is cascade 9.9.9") && why.contains("is run by cascade "), "{why}");
    assert_eq!(raw.hears(), None);
    process.terminate();
}

#[test]
fn what_is_no_console_does_no_harm() {
    let house = house();
    let process = run(&house, &["--speed", "1440"]);
    let mut first = console(&house);
    first.sees("attached · in control");

    // Nonsense, a line without an end, and a command that only the process itself may give.
    let mut nonsense = Raw::connect(&house);
    nonsense.say("GET / HTTP/1.1\r\n");
    assert_eq!(nonsense.hears(), None);
    let mut endless = Raw::connect(&house);
    endless.pours(17 * 1024 * 1024);
    assert_eq!(endless.hears(), None);
    let (mut sly, welcome) = Raw::hello(&house, 3);
    assert_eq!(
        (welcome["answer"].as_str(), welcome["program"].as_str()),
        (Some("welcome"), Some("cascade run"))
    );
    let control = sly.until("control");
    assert_eq!(control["who_is"], "another", "the user is not the one it told: {control}");
    // Only the process itself may end itself: whoever asks for it over the wire is hung up on.
    sly.say(r#"{"ask":"command","what":"quit"}"#);
    while let Some(told) = sly.hears() {
        assert_ne!(told["told"], "bye", "a console ended it");
    }

    // One that reads nothing, and one that reads and is refused.
    let (stuck, _) = Raw::hello(&house, 3);
    let (mut reader, _) = Raw::hello(&house, 3);
    launch(&mut first);
    reader.say(&wire::resume());
    let notice = loop {
        let told = reader.until("notice");
        if told["level"] == "warning" && told["text"].as_str().unwrap().contains("not done") {
            break told;
        }
    };
    assert!(notice["text"].as_str().unwrap().contains("is in control since"), "{notice}");
    until("the end", || house.looked_up().is_some_and(|campaign| campaign.header.ended_at.is_some()));
    first.sees("■ ended");
    drop(stuck);
    assert_eq!(process.terminate().code, Some(0));
    assert_eq!(reader.until("bye")["why"], "ended, everything is saved");
    house.log_gives_the_rows();
}

#[test]
fn a_path_too_long_for_a_socket_is_no_obstacle() {
    let long = "a directory whose name is far too long for the address of a unix socket/".repeat(2);
    let house = House::with(&[(&format!("{long}customers.csv"), LIST)]);
    let dir = house.path(&long);
    let process = house.start(&["run", "--workspace", &long]);
    until("it lets consoles in", || {
        let lock = std::fs::read_to_string(dir.join(".cascade/rehearsal.db.lock"));
        lock.is_ok_and(|lock| lock.contains("\nsocket /"))
    });
    let mut console = Pty::start(WIDE, &dir, &[], &[]);
    console.sees("attached · in control");
    console.keys("q");
    assert_eq!(console.end().code, 0);
    process.terminate();
}

#[test]
fn a_unit_names_program_and_workspace_and_no_secret() {
    let house = House::with(&[("a 100% \"b\" $HOME/customers.csv", LIST)]);
    let done = house.run(&["run", "--unit", "--workspace", "a 100% \"b\" $HOME", "--speed", "60"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let unit = done.stdout;
    let line = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    let command = line("ExecStart=");
    assert!(command.starts_with("\"/"), "{command}");
    assert!(command.ends_with("/a 100%% \\\"b\\\" $$HOME\" \"--speed\" \"60\""), "{command}");
    assert!(line("EnvironmentFile=").starts_with("-%h/.config/cascade/cascade-a-100-b-HOME.env"), "{unit}");
    assert_eq!((line("Restart="), line("KillSignal=")), ("on-failure", "SIGTERM"));
    // The last answers of a live provider can take 21 s.
    assert!(line("TimeoutStopSec=").parse::<u64>().unwrap() > 21);
    assert!(
        done.stderr.contains("loginctl enable-linger") && done.stderr.contains("systemctl --user enable")
    );
    assert!(!house.path("a 100% \"b\" $HOME/.cascade").exists(), "nothing was run");
}
