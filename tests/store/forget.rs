//! Whoever is forgotten, or purged, stands in no byte that is left; counts, log and opt-outs stay.

use crate::fixture::{Tale, customer, dedup, holds_together, in_flight, open, phone, signed, stored};
use cascade::commands::report::to_json;
use cascade::engine::Campaign;
use cascade::engine::event::{End, Kind};
use cascade::engine::journey::State;
use cascade::engine::meaning::Meaning;
use cascade::engine::order::{Ask, Order};
use cascade::model::{At, Channel, Mode, PersonId, Phone};
use cascade::runtime::forgetting::{self, ForgetError, Forgotten};
use cascade::runtime::history;
use cascade::runtime::store::backup::back_up;
use cascade::runtime::store::restore::restore;
use cascade::runtime::store::{Batch, Keeper as _, Reader, StoreError};
use std::fs;
use std::path::Path;

/// Everything that names this customer, as it may stand in a file.
fn traces(n: u64) -> Vec<String> {
    let customer = customer(n);
    let company = customer.extra["company"].raw().to_owned();
    vec![phone(n).digits().to_owned(), customer.name.raw().to_owned(), customer.email.unwrap(), company]
}

/// Those of `wanted` that stand anywhere below the directory.
fn standing(directory: &Path, wanted: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let there = |text: &&String| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        found.extend(wanted.iter().filter(there).map(|text| format!("{text} in {}", path.display())));
    }
    found
}

/// What `cascade report --json` prints.
fn report(path: &Path, campaign: &Campaign) -> serde_json::Value {
    let history = history::of_campaign(&Reader::open(path).unwrap(), campaign.id()).unwrap();
    to_json(campaign, &history)
}

async fn forget(path: &Path, phone: &Phone) -> Result<Forgotten, ForgetError> {
    let state = path.parent().unwrap();
    let done = forgetting::in_store(path, Mode::Rehearsal, state, phone).await?;
    forgetting::in_asides(path, phone);
    Ok(done.unwrap().0)
}

#[tokio::test]
async fn whoever_is_forgotten_stands_in_no_byte_that_is_left() {
    let (place, path) = stored();
    let tale = in_flight(&path, 4).await;
    let before = report(&path, &tale.campaign);
    let theirs = [traces(2), vec!["Stop this at once".into(), "code-2".into(), "wamid.2".into()]].concat();
    assert!(standing(place.path(), &theirs).len() >= theirs.len(), "there is something to forget");

    let done = forget(&path, &phone(2)).await.unwrap();
    assert_eq!((done.stopped, done.opted_out), (0, true));
    assert_eq!((done.erased.people, done.erased.texts, done.erased.links), (1, 1, 1));
    assert_eq!(standing(place.path(), &theirs), Vec::<String>::new());
    assert!(forgetting::left_in(place.path(), &path, &phone(2)).is_empty());
    for n in [1, 3, 4] {
        assert!(!standing(place.path(), &traces(n)).is_empty(), "{n} was not to be forgotten");
    }

    let loaded = holds_together(&path);
    assert_eq!(report(&path, loaded.campaign.as_ref().unwrap()), before, "the counts stay");
    assert!(loaded.suppressed.contains(&phone(2)), "their opt-out is known all the same");
    assert_eq!((loaded.people.len(), loaded.last_person, loaded.last_text), (3, 4, 2));
    // Once more finds nothing, and is no fault.
    assert_eq!(forget(&path, &phone(2)).await.unwrap().erased.people, 0);
}

#[tokio::test]
async fn a_cascade_under_way_is_stopped_on_record_first() {
    let (place, path) = stored();
    let tale = in_flight(&path, 3).await;
    let done = forget(&path, &phone(3)).await.unwrap();
    assert_eq!((done.stopped, done.under_way, done.opted_out), (1, 0, false));
    assert_eq!(standing(place.path(), &traces(3)), Vec::<String>::new());
    let loaded = holds_together(&path);
    assert!(loaded.seq > tale.seq);
    let campaign = loaded.campaign.unwrap();
    assert_eq!(campaign.journeys()[2].state, State::Ended(End::Stopped));
    let log = Reader::open(&path).unwrap().events_after(tale.seq, None, 100).unwrap();
    let ended = |kind: &Kind| matches!(kind, Kind::CascadeEnded { end: End::Stopped, .. });
    assert!(log.iter().any(|stored| ended(&stored.event.kind)));
    assert!(!loaded.suppressed.contains(&phone(3)), "forgetting is no opt-out");
    let audit = Reader::open(&path).unwrap().audit(None).unwrap();
    let [order] = audit.orders() else { panic!("{:?}", audit.orders()) };
    assert_eq!((order.what, order.people), (Ask::Stop, 1));
    assert_eq!(order.why.as_ref().map(cascade::model::Untrusted::raw), Some("to be forgotten"));
}

#[tokio::test]
async fn a_list_that_names_them_again_makes_somebody_new_whose_opt_out_holds() {
    let (_place, path) = stored();
    let first = in_flight(&path, 2).await;
    forget(&path, &phone(2)).await.unwrap();
    let store = open(&path);
    let known = store.known(&[customer(1), customer(2)]).unwrap();
    assert_eq!(known.values().copied().collect::<Vec<_>>(), [PersonId(1)], "nobody has the old id");
    let loaded = store.load(0).unwrap();
    assert_eq!(loaded.last_person, 2, "and nobody gets it");
    assert!(loaded.suppressed.contains(&phone(2)));
    let mut again = Tale::launch_after(store.id(), 2, Some(&first)).1;
    again.people[1].id = PersonId(loaded.last_person + 1);
    again.journeys.clear();
    (again.events, again.header) = (Vec::new(), None);
    store.commit(again).await.unwrap();
    assert_eq!(store.people_at(&phone(2)).unwrap(), [PersonId(3)]);
}

#[tokio::test]
async fn what_a_stranger_wrote_goes_with_their_number() {
    let (place, path) = stored();
    in_flight(&path, 2).await;
    let store = open(&path);
    let stranger = Phone::parse_e164("+14159990000").unwrap();
    let text = |id: u64, from: Option<Phone>, body: &str| cascade::runtime::store::TextRow {
        id: cascade::model::TextId(id),
        person: None,
        from,
        at: At::default(),
        body: body.into(),
    };
    let texts = vec![
        text(10, Some(stranger.clone()), "who are you people"),
        text(11, None, "please write to my other number +14159990000 as well"),
    ];
    store.commit(Batch { texts, ..Batch::default() }).await.unwrap();
    let dossier = store.reader().unwrap().dossier(&stranger).unwrap();
    assert_eq!(dossier.texts.len(), 1);
    drop(store);
    forget(&path, &stranger).await.unwrap();
    let gone = ["who are you people".to_owned(), "14159990000".to_owned()];
    assert_eq!(standing(place.path(), &gone), Vec::<String>::new());
    let left = Reader::open(&path).unwrap().text(cascade::model::TextId(11)).unwrap().unwrap();
    assert_eq!(left.raw(), "please write to my other number +xxxxxxxxxxx as well");
}

#[tokio::test]
async fn a_store_that_was_moved_aside_forgets_as_well() {
    let (place, path) = stored();
    in_flight(&path, 3).await;
    let backup = place.path().join("backup");
    back_up(&path, Mode::Rehearsal, &backup).unwrap();
    restore(&backup, &path, Mode::Rehearsal, place.path()).unwrap();
    forget(&path, &phone(3)).await.unwrap();
    let left = standing(place.path(), &traces(3));
    assert!(left.iter().all(|trace| trace.contains("/backup")), "{left:?}");
    assert!(!left.is_empty(), "a backup is not reached, whatever its place");
    assert_eq!(forgetting::left_in(place.path(), &path, &phone(3)), [backup]);
}

#[tokio::test]
async fn somebody_who_holds_or_reads_the_store_is_told() {
    let (_place, path) = stored();
    in_flight(&path, 2).await;
    let held = open(&path);
    let refused = forget(&path, &phone(1)).await.unwrap_err();
    assert!(matches!(refused, ForgetError::Store(StoreError::Held(_))), "{refused}");
    drop(held);
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM person").unwrap();
    let refused = forget(&path, &phone(1)).await.unwrap_err();
    assert!(matches!(refused, ForgetError::Store(StoreError::Read { .. })), "{refused}");
    reader.execute_batch("COMMIT").unwrap();
    forget(&path, &phone(1)).await.unwrap();
    assert_eq!(standing(path.parent().unwrap(), &traces(1)), Vec::<String>::new());
}

#[test]
fn the_log_loses_them_in_place() {
    let place = crate::fixture::a_place();
    let logs = place.path().join("log");
    fs::create_dir(&logs).unwrap();
    let text = "10:00 to=%2B14155550102 Zoë Ärger\n10:01 to=+14155550103 somebody else\n";
    fs::write(logs.join("cascade.log"), text).unwrap();
    let names = ["Zoë Ärger".to_owned()];
    assert_eq!(forgetting::in_logs(place.path(), &phone(2), &names).unwrap(), 2);
    let left = fs::read_to_string(logs.join("cascade.log")).unwrap();
    assert_eq!(left, "10:00 to=%2Bxxxxxxxxxxx xxxxxxxxxxx\n10:01 to=+14155550103 somebody else\n");
    assert_eq!(forgetting::in_logs(place.path(), &phone(9), &[]).unwrap(), 0);
}

#[tokio::test]
async fn a_purge_takes_the_people_of_old_campaigns_and_leaves_their_counts() {
    let (place, path) = stored();
    let mut first = in_flight(&path, 5).await;
    let store = open(&path);
    // The first campaign is over; the second has the first two people only.
    let over = first.hear(signed(Order::StopAll, None));
    store.commit(over).await.unwrap();
    let ended = first.campaign.header.ended_at.unwrap();
    let (mut second, launched) = Tale::launch_after(store.id(), 2, Some(&first));
    store.commit(launched).await.unwrap();
    let (attempt, batches) = second.send(Channel::Whatsapp);
    for batch in batches {
        store.commit(batch).await.unwrap();
    }
    let wait = Meaning::Answer(cascade::model::Disposition::AutoReply);
    store.commit(second.write(attempt, "Away until Monday", wait)).await.unwrap();
    let told = report(&path, &first.campaign);
    let reports = store.load(0).unwrap().dedup;
    assert_eq!(reports.len(), 3);

    let reader = store.reader().unwrap();
    assert!(reader.purge_before(ended).unwrap().campaigns.is_empty(), "it ended then, not before");
    let plan = reader.purge_before(ended + chrono::TimeDelta::seconds(1)).unwrap();
    drop(reader);
    assert_eq!((plan.campaigns.len(), plan.people()), (1, 3));
    assert_eq!(plan.numbers(), [phone(3), phone(4), phone(5)]);
    let erased = store.purge(&plan).await.unwrap();
    assert_eq!((erased.people, erased.links, erased.reports), (3, 3, 2));
    drop(store);

    for n in 3..=5 {
        let theirs = [traces(n), vec![format!("code-{n}"), format!("wamid.{n}")]].concat();
        assert_eq!(standing(place.path(), &theirs), Vec::<String>::new());
    }
    for n in [1, 2] {
        assert!(!standing(place.path(), &traces(n)).is_empty(), "{n} is in a younger one");
    }
    let loaded = holds_together(&path);
    assert_eq!(loaded.people.len(), 2);
    assert!(loaded.dedup.contains(&dedup("text 3")) && loaded.dedup.len() == 1, "the younger one's stays");
    let kept = Reader::open(&path).unwrap().campaign(Some(first.campaign.id())).unwrap().unwrap();
    assert_eq!(report(&path, &kept), told, "the old report adds up as before");
    let again = open(&path).reader().unwrap().purge_before(ended + chrono::TimeDelta::seconds(1)).unwrap();
    assert_eq!(again.people(), 0, "once is enough");
}

#[tokio::test]
async fn a_number_that_somebody_shares_who_stays_is_not_taken_from_them() {
    let (_place, path) = stored();
    let mut first = in_flight(&path, 3).await;
    let store = open(&path);
    store.commit(first.hear(signed(Order::StopAll, None))).await.unwrap();
    let (_, mut launched) = Tale::launch_after(store.id(), 1, Some(&first));
    // The first is in a younger campaign, and now has the third's number.
    launched.people[0].customer.phone = phone(3);
    store.commit(launched).await.unwrap();
    let ended = first.campaign.header.ended_at.unwrap() + chrono::TimeDelta::seconds(1);
    let plan = store.reader().unwrap().purge_before(ended).unwrap();
    assert_eq!((plan.people(), plan.numbers()), (2, [phone(2)].as_slice()));
    store.purge(&plan).await.unwrap();
    assert_eq!(store.people_at(&phone(3)).unwrap(), [PersonId(1)]);
}

#[tokio::test]
async fn what_an_operator_wrote_of_a_save_names_nobody_any_more() {
    let (_place, path) = stored();
    let db = rusqlite::Connection::open(&path).unwrap();
    let why = format!("{} complained", phone(2).as_str());
    let kept = serde_json::json!([{
        "number": 1, "edition": { "rules": "ab", "content": "cd", "commit": null }, "files": ["rules/cascade.json"],
        "choice": "keep", "signature": { "by": { "user": "ana", "host": "desk", "tty": null }, "wall_at": At(0), "campaign": null },
        "why": why, "state": { "is": "failed", "why": why },
    }]);
    let write = "INSERT INTO meta (key, value) VALUES ('saves', ?1)";
    db.execute(write, [kept.to_string()]).unwrap();
    drop(db);
    assert_eq!(Reader::open(&path).unwrap().saves().unwrap()[0].why, why);
    forget(&path, &phone(2)).await.unwrap();
    let saves = Reader::open(&path).unwrap().saves().unwrap();
    assert_eq!((saves.len(), saves[0].why.as_str()), (1, "forgotten"));
    assert!(!format!("{saves:?}").contains(phone(2).digits()), "{saves:?}");
}
