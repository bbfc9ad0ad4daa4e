//! What operators ordered, and whom every campaign contacted, as the log has it.

use crate::fixture::{Tale, in_flight, open, phone, signed, stored};
use cascade::engine::audit::Back;
use cascade::engine::event::{Edition, RecallResult};
use cascade::engine::input::Input;
use cascade::engine::meaning::Meaning;
use cascade::engine::order::{Ask, Came, Left, Order, Who};
use cascade::engine::retime::Choice;
use cascade::model::{
    At, AttemptId, CampaignId, Channel, Class, Disposition, Failure, Scope, Sent, TextId, Untrusted,
};
use cascade::runtime::handle::Signature;
use cascade::runtime::saving::{META, SaveState, Saved};
use cascade::runtime::store::{Dealing, Keeper as _, TextRow};

#[tokio::test]
async fn orders_are_read_back_with_who_when_why_and_what_came_of_each() {
    let (_place, path) = stored();
    let store = open(&path);
    let (mut tale, launched) = Tale::launch(store.id(), 3);
    store.commit(launched).await.unwrap();
    let claimed = tale.hear(Input::Permit(Channel::Whatsapp));
    store.commit(claimed).await.unwrap();
    let mut stopped = tale.hear(signed(Order::StopAll, Some(TextId(7))));
    let (at, body) = (tale.at, "wrong list".into());
    stopped.texts.push(TextRow { id: TextId(7), person: None, from: None, at, body });
    store.commit(stopped).await.unwrap();
    store.commit(tale.hear(signed(Order::StopAll, None))).await.unwrap();
    let (attempt, provider_id) = (AttemptId(1), "wamid.1".to_owned());
    store.commit(tale.hear(Input::Accepted { attempt, provider_id, units: 1 })).await.unwrap();
    let result = RecallResult::Impossible;
    store.commit(tale.hear(Input::Recalled { attempt, result })).await.unwrap();

    let audit = store.reader().unwrap().audit(Some(CampaignId(1))).unwrap();
    let [all, again] = audit.orders() else { panic!("{:?}", audit.orders()) };
    assert_eq!((all.what, all.people, all.by.user.as_str()), (Ask::StopCampaign, 3, "ops"));
    assert_eq!(all.why.as_ref().map(Untrusted::raw), Some("wrong list"));
    assert_eq!(all.wall_at, At::from_secs(1_900_000_000));
    let told: Vec<_> = all.items.iter().map(|item| (item.cascade.0, item.came, item.back)).collect();
    // The recall came later, in a commit of its own.
    let recall = (1, Came::Recalling, Some(Back::Impossible));
    assert_eq!(told, [recall, (2, Came::Done, None), (3, Came::Done, None)]);
    assert_eq!((again.left, again.items.len()), (Some(Left::CampaignEnded), 0));
    assert_eq!(store.load(1).unwrap().audit.orders(), audit.orders(), "a start has them too");
    assert!(store.reader().unwrap().audit(Some(CampaignId(2))).unwrap().orders().is_empty());

    let db = rusqlite::Connection::open(&path).unwrap();
    let sql = "EXPLAIN QUERY PLAN SELECT seq FROM event WHERE kind IN ('ordered', 'order_met') ORDER BY seq";
    let plan: String = db.query_row(sql, [], |row| row.get(3)).unwrap();
    assert!(plan.contains("event_order"), "orders are found without reading the log: {plan}");
}

#[tokio::test]
async fn what_operators_wrote_outlives_a_purge() {
    let (_place, path) = stored();
    let mut tale = in_flight(&path, 2).await;
    let store = open(&path);
    let mut over = tale.hear(signed(Order::StopAll, Some(TextId(7))));
    let (at, body) = (tale.at, "wrong list".into());
    over.texts.push(TextRow { id: TextId(7), person: None, from: None, at, body });
    store.commit(over).await.unwrap();
    let later = tale.at + chrono::TimeDelta::days(1);
    let plan = store.reader().unwrap().purge_before(later).unwrap();
    assert_eq!(store.purge(&plan).await.unwrap().people, 2);
    let audit = store.reader().unwrap().audit(None).unwrap();
    assert_eq!(audit.orders()[0].why.as_ref().map(Untrusted::raw), Some("wrong list"));
}

#[tokio::test]
async fn contacts_of_every_campaign_count_and_those_that_were_none_do_not() {
    let (_place, path) = stored();
    let store = open(&path);
    let (mut tale, launched) = Tale::launch(store.id(), 4);
    store.commit(launched).await.unwrap();
    let hour = |n: i64| At::from_secs(1_900_000_000 + n * 3600);
    for attempt in 1..=4 {
        tale.at = hour(attempt) - chrono::TimeDelta::seconds(1);
        store.commit(tale.hear(Input::Permit(Channel::Whatsapp))).await.unwrap();
    }
    // The third was refused; nobody knows of the fourth.
    let failure = |code: &str, sent| Failure {
        channel: Channel::Whatsapp,
        provider: "whatsapp".into(),
        code: code.into(),
        class: if sent == Sent::No { Class::Recipient } else { Class::InDoubt },
        scope: Scope::Person,
        sent,
        title: String::new(),
        remedy: String::new(),
        detail: Untrusted::default(),
        retry_after_s: None,
    };
    for (attempt, failure) in [(3, failure("131026", Sent::No)), (4, failure("timeout", Sent::Maybe))] {
        let failed = Input::Failed { attempt: AttemptId(attempt), failure: Box::new(failure), reached: true };
        store.commit(tale.hear(failed)).await.unwrap();
    }
    let since = |at: At| {
        let contacts = store.contacts(at).unwrap();
        let mut contacts: Vec<_> = contacts.into_iter().map(|(p, at)| (p.to_string(), at)).collect();
        contacts.sort();
        contacts
    };
    let contact = |n: i64| (phone(n as u64).to_string(), vec![hour(n)]);
    assert_eq!(since(hour(0)), [contact(1), contact(2), contact(4)]);
    assert_eq!(since(hour(1)), [contact(2), contact(4)], "a contact counts for a day, to the millisecond");
    assert_eq!(since(hour(9)), []);
}

#[tokio::test]
async fn what_campaigns_had_to_do_with_a_number_is_known_before_the_next_launch() {
    let (_place, path) = stored();
    let store = open(&path);
    let (mut tale, launched) = Tale::launch(store.id(), 3);
    store.commit(launched).await.unwrap();
    let mut sent_at = Vec::new();
    for _ in 0..2 {
        let (_, batches) = tale.send(Channel::Whatsapp);
        sent_at.push(tale.at);
        for batch in batches {
            store.commit(batch).await.unwrap();
        }
    }
    let no = Meaning::Answer(Disposition::Negative);
    store.commit(tale.write(AttemptId(2), "no thanks", no)).await.unwrap();
    let numbers = [phone(1), phone(2), phone(3), phone(9)];
    let dealings = store.dealings(numbers.iter().collect()).unwrap();
    let of = |n: usize| dealings.get(&numbers[n]).copied();
    assert_eq!(of(0), Some(Dealing { contacted_at: Some(sent_at[0]), declined: false }));
    assert_eq!(of(1), Some(Dealing { contacted_at: Some(sent_at[1]), declined: true }));
    assert_eq!((of(2), of(3)), (None, None), "nobody wrote to the third, nobody knows the last");
}

/// A save that no launch has used, as the store keeps it.
fn saved(number: u64, rules: &str, wall_at: At) -> Saved {
    let by = Who { user: "ops".into(), host: "desk".into(), tty: None };
    Saved {
        number,
        edition: Edition { rules: rules.into(), content: "c".into(), commit: None },
        files: vec!["rules/cascade.json".into()],
        choice: Choice::Keep,
        signature: Signature { by, wall_at, campaign: None },
        why: format!("save {number}"),
        state: SaveState::InForce { note: String::new() },
        begun: None,
        dropped: None,
    }
}

#[tokio::test]
async fn saves_and_launches_stand_in_the_order_of_the_calendar() {
    let (_place, path) = stored();
    let store = open(&path);
    let (mut tale, mut launched) = Tale::launch(store.id(), 1);
    let hour = |n: i64| At::from_secs(1_900_000_000 + n * 3600);
    let own = tale.campaign.edition(0);
    let mut saves =
        [saved(1, "a", hour(-2)), saved(2, "b", hour(-1)), saved(3, "c", hour(1)), saved(4, "b", hour(2))];
    saves[0].edition = own.clone();
    launched.meta.push((META, serde_json::to_string(&saves).unwrap()));
    store.commit(launched).await.unwrap();
    store.commit(tale.hear(signed(Order::StopAll, None))).await.unwrap();
    let versions = store.reader().unwrap().versions().unwrap();
    let told: Vec<_> = versions.iter().map(|v| (v.edition.rules.as_str(), v.campaign.is_some())).collect();
    assert_eq!(told, [("b", false), ("c", false), ("b", false), (own.rules.as_str(), true)]);
    assert_eq!((versions[0].at, versions[1].at), (hour(2), hour(1)));
}
