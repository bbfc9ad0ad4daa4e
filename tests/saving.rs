//! Changing rules while people are in flight, from a console in another process: looked at, saved, in force, undone; and
//! what a crash in between leaves.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a failure is a panic"
)]
#![expect(dead_code, reason = "shared with other tests, which use the rest")]

#[path = "pilot/house.rs"]
mod house;
#[path = "saving/trail.rs"]
mod trail;

use cascade::clock::wall;
use cascade::engine::event::{Edition, Kind};
use cascade::engine::journey::{Alarm, State};
use cascade::engine::order::{Came, Order};
use cascade::engine::retime::{Choice, Fate};
use cascade::model::CascadeId;
use cascade::runtime::attach::{attach, reach};
use cascade::runtime::handle::{Command, Handle, Picture, Previewed, Signature};
use cascade::runtime::saving::{
    DraftFile, EditPreview, META, RULES as FILE, SaveState, Saved, Version, Wanted,
};
use house::{House, Running};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

const SIX: &str = r#"{ "start": "whatsapp", "steps": [
    { "channel": "whatsapp", "wait": "6h", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "2h", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ] }"#;

/// A list of which nobody is held for a template.
const LIST: &str = include_str!("data/foreign.csv");

/// How many wait before anything is looked at.
const MANY: usize = 60;

/// How many of them have not answered by the time of a save, however slow the machine: the sandbox's people go on answering.
const FEW: usize = 20;

/// What is not so by then never will be.
const LIMIT: Duration = Duration::from_mins(1);

fn four() -> String {
    SIX.replace("6h", "4h")
}

fn house() -> House {
    House::with(&[(FILE, SIX), ("customers.csv", LIST)])
}

/// `cascade run`, up: an hour is a minute.
fn run(house: &House) -> Running {
    let mut process = house.start(&["run", "--seed", "1", "--speed", "60"]);
    let up = process.says();
    assert!(up.contains("cascade: running (rehearsal"), "{up}");
    process
}

async fn come(house: &House) -> Handle {
    let store = house.path(".cascade/rehearsal.db");
    attach(reach(&store).await.unwrap().expect("somebody holds the store"))
}

/// Waits for a picture of which it is so.
async fn seen(handle: &mut Handle, what: &str, so: impl Fn(&Picture) -> bool) -> Arc<Picture> {
    let begun = wall();
    loop {
        let picture = Arc::clone(&handle.picture.borrow_and_update());
        if so(&picture) {
            return picture;
        }
        while let Ok(notice) = handle.notices.try_recv() {
            assert!(!notice.text.contains("not saved"), "{what}: {}", notice.text);
        }
        assert!(wall().duration_since(begun) < LIMIT, "never: {what}; {:?}", picture.saved);
        // Pictures come by themselves; a notice may come without one.
        let _ = tokio::time::timeout(Duration::from_millis(50), handle.picture.changed()).await;
    }
}

async fn give(handle: &Handle, command: Command) {
    handle.commands.send(command).await.unwrap();
}

async fn look(handle: &Handle, wanted: Wanted) -> Previewed {
    let (reply, answer) = oneshot::channel();
    give(handle, Command::Preview(wanted, reply)).await;
    answer.await.unwrap()
}

fn draft(text: &str, base: Option<&str>) -> Wanted {
    Wanted::Draft(vec![DraftFile { name: FILE.into(), text: text.into(), base: base.map(Into::into) }])
}

fn back_to(version: &Edition) -> Wanted {
    Wanted::Version { rules: version.rules.clone(), content: version.content.clone() }
}

async fn save(handle: &mut Handle, preview: &EditPreview, choice: Choice, why: &str) -> Saved {
    let before = handle.picture.borrow().saved.as_ref().map_or(0, |saved| saved.number);
    let signature = Signature::here();
    give(
        handle,
        Command::Save { preview: preview.number, choice, why: why.into(), include: false, signature },
    )
    .await;
    let picture = seen(handle, "in force", |p| {
        p.saved.as_ref().is_some_and(|s| {
            s.number >= before.max(1) && matches!(s.state, SaveState::InForce { .. }) && s.why == why
        })
    });
    (*picture.await.saved.clone().unwrap()).clone()
}

/// Saves, as the store has them.
fn saves(house: &House) -> Vec<Saved> {
    house.reader().saves().unwrap()
}

async fn versions(handle: &Handle) -> Vec<Version> {
    let (reply, answer) = oneshot::channel();
    give(handle, Command::Versions(reply)).await;
    answer.await.unwrap()
}

/// Launched, and [`MANY`] wait for an answer on WhatsApp.
async fn launch(handle: &mut Handle) {
    seen(handle, "ready", |p| p.starting.is_none() && p.preflight.is_some()).await;
    give(handle, Command::Launch(Signature::here())).await;
    let waiting = |p: &Picture| {
        let rows = p.snapshot.rows.iter();
        rows.filter(|row| row.place == cascade::engine::snapshot::Place::Waiting).count()
    };
    seen(handle, "many wait", |p| waiting(p) >= MANY).await;
    let why = "to look at it".to_owned();
    let hold = Order::Pause { only: None, why: why.clone() };
    give(handle, Command::Order { order: hold, signature: Signature::here(), why }).await;
    seen(handle, "held", |p| p.snapshot.pauses.iter().any(|pause| pause.only.is_none())).await;
}

/// What `tale` does to a campaign in which [`MANY`] wait, from a console of its own; the log has it all.
fn while_many_wait(tale: impl AsyncFnOnce(&House, &mut Handle)) {
    let house = house();
    let process = run(&house);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut ana = come(&house).await;
        launch(&mut ana).await;
        tale(&house, &mut ana).await;
    });
    assert_eq!(process.terminate().code, Some(0));
    house.log_gives_the_rows();
}

#[test]
fn many_wait_and_exactly_those_who_were_shown_are_moved_and_it_is_undone() {
    while_many_wait(async |house, ana| {
        let broken = look(ana, draft(&SIX.replace("\"2h\"", "\"never\""), None)).await.unwrap_err();
        assert!(broken.lines.iter().any(|line| line.contains("rules/cascade.json:3")), "{broken:?}");
        let stale = look(ana, draft(&four(), Some("{}"))).await.unwrap_err();
        assert!(stale.lines[0].contains("changed on disk since this draft began"), "{stale:?}");
        let moved = (&*stale.moved[0].name, &*stale.moved[0].began, &*stale.moved[0].stands);
        assert_eq!(moved, (FILE, "{}", SIX));
        assert!(look(ana, draft(SIX, Some("{}"))).await.is_ok(), "theirs is what the draft makes of it");
        // Whoever is in flight need not wait for next week's list.
        house.write("customers.csv", "this is no list\n");
        let unlisted = look(ana, draft(&four(), Some(SIX))).await.unwrap();
        assert!(unlisted.warnings.iter().any(|line| line.contains("next launch is refused")), "{unlisted:?}");
        assert!(unlisted.waits >= FEW as u64, "{unlisted:?}");
        house.write("customers.csv", LIST);

        let shown = look(ana, draft(&four(), Some(SIX))).await.unwrap();
        assert!(shown.waits >= FEW as u64, "{shown:?}");
        assert_eq!((shown.choices[0].choice, shown.choices[0].moved), (Choice::Keep, 0));
        assert_eq!(shown.choices[1].moved, shown.affected);
        let waits: BTreeSet<CascadeId> = shown
            .people
            .iter()
            .filter(
                |p| matches!(p.fate, Fate::Wait { from, to, .. } if from - to == chrono::TimeDelta::hours(2)),
            )
            .map(|p| p.cascade)
            .collect();
        assert!(waits.len() >= FEW, "{waits:?}");
        let saved = save(ana, &shown, Choice::Retime, "replies come within four hours").await;
        assert_eq!(std::fs::read_to_string(house.path(FILE)).unwrap(), four());
        assert_eq!(saved.edition.rules, shown.after.rules);
        let picture = seen(ana, "the file", |p| p.place.rules_text == four()).await;
        assert_eq!(picture.saved.as_deref(), Some(&saved));
        let goes_by = |p: &Picture| p.snapshot.campaign.as_ref().unwrap().rules_in_flight.clone();
        seen(ana, "they go by it", |p| goes_by(p) == shown.after.rules).await;
        moved_as_shown(house, &shown);

        // Undone: an older version is the same way with old bytes.
        let back = look(ana, back_to(&shown.before)).await.unwrap();
        assert!(back.waits >= FEW as u64, "{back:?}");
        assert_eq!(back.files[0].2, SIX);
        save(ana, &back, Choice::Retime, "too soon after all").await;
        assert_eq!(std::fs::read_to_string(house.path(FILE)).unwrap(), SIX);
        moved_as_shown(house, &back);
        let ran = versions(ana).await;
        assert_eq!(ran.len(), 3, "{ran:?}");
        assert_eq!(ran[2].edition.rules, ran[0].edition.rules);
        assert_eq!((ran[0].why.as_str(), ran[1].choice), ("too soon after all", Some(Choice::Retime)));
        assert!(ran[2].people >= MANY as u64 && ran[0].people == 0, "{ran:?}");
        let done = house.run(&["audit", "--json"]);
        let audit: Value = serde_json::from_str(&done.stdout).unwrap();
        let asked: Vec<&str> =
            audit["orders"].as_array().unwrap().iter().map(|order| order["what"].as_str().unwrap()).collect();
        assert_eq!(asked, ["launch", "pause", "edit_rules", "edit_rules"]);
    });
}

#[test]
fn new_texts_are_sent_to_those_in_flight_and_nobody_goes_by_other_rules_for_them() {
    while_many_wait(async |house, ana| {
        let texts = ana.picture.borrow().place.content.clone();
        let (name, text) = texts.iter().find(|(name, _)| name.starts_with("sms")).unwrap();
        let file = DraftFile { name: format!("rules/content/{name}"), text: format!("{text}\n"), base: None };
        let shown = look(ana, Wanted::Draft(vec![file.clone()])).await.unwrap();
        assert_eq!(shown.after.rules, shown.before.rules);
        assert_ne!(shown.after.content, shown.before.content);
        assert_eq!(shown.waits, 0, "a text moves no wait");
        assert!(
            shown.texts.iter().any(|(channel, count)| channel.as_str() == "sms" && *count >= FEW as u64),
            "{shown:?}"
        );
        assert!(shown.affected >= FEW as u64 && shown.choices[1].moved == shown.affected, "{shown:?}");
        save(ana, &shown, Choice::Retime, "friendlier").await;
        let campaign = house.campaign();
        assert_eq!(campaign.edition(campaign.header.content).content, shown.after.content);
        assert!(campaign.journeys().iter().all(|journey| journey.edition == 0));
        let kept = house.reader().version(&shown.after.content).unwrap();
        assert!(kept.iter().any(|(kept, bytes)| kept == name && *bytes == file.text.as_bytes()), "{kept:?}");
        assert_eq!(std::fs::read_to_string(house.path(&file.name)).unwrap(), file.text);
    });
}

#[test]
fn whoever_was_kept_can_be_moved_later_and_the_history_tells_each_version_as_it_was() {
    while_many_wait(async |house, ana| {
        let shown = look(ana, draft(&four(), Some(SIX))).await.unwrap();
        save(ana, &shown, Choice::Keep, "by mistake").await;
        assert!(house.campaign().journeys().iter().all(|journey| journey.edition == 0));
        // The same version, for those who do not go by it: until there is nobody whom it would move.
        let mut times = 0;
        let refused = loop {
            match look(ana, back_to(&shown.after)).await {
                Ok(again) => {
                    assert!(
                        again.affected > 0 && again.files.iter().all(|(_, was, is)| was == is),
                        "{again:?}"
                    );
                    times += 1;
                    save(ana, &again, Choice::Retime, &format!("for all of them {times}")).await;
                }
                Err(refused) => break refused,
            }
        };
        assert!(refused.lines[0].contains("is in force"), "{refused:?}");
        let goes_by = |number| house.campaign().journeys().iter().filter(|j| j.edition == number).count();
        assert!(times > 0 && goes_by(1) > 0, "{times}");

        let shown = look(ana, draft(SIX, Some(&four()))).await.unwrap();
        save(ana, &shown, Choice::Retime, "longer after all").await;
        let ran = versions(ana).await;
        let whys: Vec<_> = ran.iter().map(|version| (version.why.as_str(), version.choice)).collect();
        let [newest, kept, _] = whys.as_slice() else { panic!("{ran:?}") };
        assert_eq!(*newest, ("longer after all", Some(Choice::Retime)));
        assert_eq!(*kept, ("by mistake", Some(Choice::Keep)));
    });
}

#[test]
fn a_version_comes_back_with_its_rules_and_its_texts() {
    while_many_wait(async |house, ana| {
        let texts = ana.picture.borrow().place.content.clone();
        let (sms, text) = texts.iter().find(|(name, _)| name.starts_with("sms")).unwrap();
        let (sms, email) = (format!("rules/content/{sms}"), "rules/content/email.md".to_owned());
        let file = |name: &str, text: &str| DraftFile { name: name.into(), text: text.into(), base: None };
        let letter = "---\nsubject: Hello\n---\nHello {{first_name}}, read more: {{link}}\n";
        let new = vec![file(FILE, &four()), file(&sms, &format!("{text}\n")), file(&email, letter)];
        let shown = look(ana, Wanted::Draft(new)).await.unwrap();
        save(ana, &shown, Choice::Retime, "all of it anew").await;

        let back = look(ana, back_to(&shown.before)).await.unwrap();
        let is =
            |name: &str| back.files.iter().find(|(known, _, _)| known == name).map(|file| file.2.as_str());
        assert_eq!((is(FILE), is(&sms)), (Some(SIX), Some(text.as_str())));
        let left = back.trail.iter().find(|line| line.contains("stays as it is"));
        assert!(left.is_some_and(|line| line.contains(&email)), "{:?}", back.trail);
        save(ana, &back, Choice::Retime, "back to what was").await;
        assert_eq!(std::fs::read_to_string(house.path(&sms)).unwrap(), *text);
        assert_eq!(std::fs::read_to_string(house.path(FILE)).unwrap(), SIX);
        assert_eq!(house.campaign().edition(2).rules, shown.before.rules);
        // Texts that are spoken now are no part of going back to rules.
        let rules = Edition { content: back.after.content.clone(), ..shown.after.clone() };
        let again = look(ana, back_to(&rules)).await.unwrap();
        assert_eq!(again.files.len(), 1, "{again:?}");
        // What another editor wrote over them meanwhile is: the next launch would say it.
        std::fs::write(house.path(&sms), "Hello {{first_name}}, another word: {{link}}\n").unwrap();
        let again = look(ana, back_to(&rules)).await.unwrap();
        let names: Vec<_> = again.files.iter().map(|file| file.0.as_str()).collect();
        assert_eq!(names, [FILE, sms.as_str()]);
    });
}

/// The newest edit moved exactly whom it had shown, and the store says so.
fn moved_as_shown(house: &House, shown: &EditPreview) {
    let events = house.reader().events_after(0, None, usize::MAX).unwrap();
    let from =
        events.iter().rposition(|stored| matches!(stored.event.kind, Kind::RulesChanged { .. })).unwrap();
    let after = &events[from..];
    let moved: BTreeSet<_> = after
        .iter()
        .filter(|stored| matches!(stored.event.kind, Kind::Retimed { .. }))
        .filter_map(|stored| stored.event.subject.cascade)
        .collect();
    let met =
        after.iter().filter(|s| matches!(s.event.kind, Kind::OrderMet { came: Came::Done, .. })).count();
    assert_eq!(moved.len(), met);
    let campaign = house.campaign();
    for person in &shown.people {
        let journey = campaign.journey(person.cascade).unwrap();
        if let (Fate::Wait { to, .. }, State::Waiting, true) =
            (person.fate, &journey.state, moved.contains(&person.cascade))
        {
            let timer = journey.timer.unwrap();
            assert_eq!((timer.what, timer.due), (Alarm::Wait, to), "{person:?}");
        }
    }
    let whom: BTreeSet<_> = shown.people.iter().map(|person| person.cascade).collect();
    assert!(moved.is_subset(&whom) && moved.len() >= FEW, "{} of {}", moved.len(), whom.len());
}

#[test]
fn what_was_saved_before_a_crash_is_offered_and_without_a_campaign_the_next_launch_has_it() {
    let house = house();
    let process = run(&house);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut ana = come(&house).await;
        seen(&mut ana, "ready", |p| p.starting.is_none() && p.preflight.is_some()).await;
        let shown = look(&ana, draft(&four(), None)).await.unwrap();
        assert_eq!((shown.campaign.clone(), shown.affected), (None, 0));
        let saved = save(&mut ana, &shown, Choice::Keep, "shorter from the start").await;
        let hash = saved.edition.rules.clone();
        seen(&mut ana, "the next launch", |p| p.preflight.as_ref().is_some_and(|f| f.rules_hash == hash))
            .await;
        assert_eq!(versions(&ana).await.len(), 1, "saved, and launched by none");
        launch(&mut ana).await;
        assert_eq!(house.campaign().header.launch.rules_hash, hash);
        let shown = look(&ana, draft(SIX, Some(&four()))).await.unwrap();
        save(&mut ana, &shown, Choice::Keep, "longer for the next").await;
        let kept = house.campaign();
        assert!(kept.journeys().iter().all(|journey| journey.edition == 0), "`keep` moved somebody");
        let goes_by = ana.picture.borrow().snapshot.campaign.as_ref().unwrap().rules_in_flight.clone();
        assert_eq!(goes_by, hash, "what is saved for later is not what they go by");
        assert_eq!(kept.edition(1).rules, shown.after.rules);
    });
    process.kill();
    // As if it had died before that was in force.
    let db = rusqlite::Connection::open(house.path(".cascade/rehearsal.db")).unwrap();
    let saves: String =
        db.query_row("SELECT value FROM meta WHERE key = ?1", [META], |row| row.get(0)).unwrap();
    let mut saves: Vec<Saved> = serde_json::from_str(&saves).unwrap();
    saves.last_mut().unwrap().state = SaveState::Committing;
    let saves = serde_json::to_string(&saves).unwrap();
    db.execute("UPDATE meta SET value = ?2 WHERE key = ?1", [META, &saves]).unwrap();
    drop(db);
    let process = run(&house);
    runtime.block_on(async {
        let mut ana = come(&house).await;
        let offered =
            |p: &Picture| p.troubles.iter().any(|trouble| trouble.words.contains("is not in force"));
        let picture = seen(&mut ana, "it is offered", offered).await;
        assert_eq!(picture.saved.as_ref().unwrap().state, SaveState::NotInForce);
        let other = look(&ana, draft(&four(), None)).await.unwrap();
        let signature = Signature::here();
        let command = Command::Save {
            preview: other.number,
            choice: Choice::Keep,
            why: "x".into(),
            include: false,
            signature,
        };
        give(&ana, command).await;
        let refused = ana.notices.recv().await.unwrap();
        assert!(refused.text.contains("put it in force or drop it"), "{refused:?}");
        let shown = look(&ana, Wanted::Saved).await.unwrap();
        assert_eq!(shown.files[0].2, SIX);
        save(&mut ana, &shown, Choice::Retime, "longer for the next").await;
        seen(&mut ana, "nothing is offered", |p| !offered(p)).await;
        assert!(house.campaign().journeys().iter().any(|journey| journey.edition > 0));
    });
    assert_eq!(process.terminate().code, Some(0));
    house.log_gives_the_rows();
}

/// Half of all starts are drawn elsewhere; three waves in two campaign hours.
const EXPLORING: &str = r#"{ "start": "whatsapp", "conversion_window": "1h", "explore": 0.5, "steps": [
    { "channel": "whatsapp", "wait": "40m", "if_no_reply": "phone" },
    { "channel": "phone", "wait": "30m", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "wait_if_first": "20m", "terminal": true } ] }"#;

#[test]
fn what_stops_counting_in_what_was_learnt_is_told_before_a_save() {
    let house = House::with(&[(FILE, EXPLORING)]);
    assert_eq!(house.run(&["pilot", "--speed", "3600", "--seed", "1", "--json"]).code, Some(0));
    let process = run(&house);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut ana = come(&house).await;
        seen(&mut ana, "ready", |p| p.starting.is_none() && p.preflight.is_some()).await;
        let shown = look(&ana, draft(&EXPLORING.replace("40m", "20m"), Some(EXPLORING))).await.unwrap();
        let learnt = shown.learnt.unwrap();
        assert!(learnt.before >= 50, "{learnt:?}");
        assert_eq!(learnt.after, 0, "other waits are other arms");
        let texts = ana.picture.borrow().place.content.clone();
        let (name, text) = texts.iter().find(|(name, _)| name.starts_with("sms")).unwrap();
        let file = DraftFile { name: format!("rules/content/{name}"), text: format!("{text}\n"), base: None };
        let learnt = look(&ana, Wanted::Draft(vec![file])).await.unwrap().learnt.unwrap();
        assert_eq!(learnt.after, 0, "and so are other texts");
        // What a cascade walks is the same: nothing is lost by it.
        let more = EXPLORING.replace("\"explore\": 0.5", "\"explore\": 0.3");
        let learnt = look(&ana, draft(&more, Some(EXPLORING))).await.unwrap().learnt.unwrap();
        assert_eq!(learnt.after, learnt.before);
    });
    assert_eq!(process.terminate().code, Some(0));
}
