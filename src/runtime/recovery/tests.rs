//! Catching up against a provider that answers as it was told, under paused time.

use super::*;
use crate::clock::Clock;
use crate::engine::event::CallProgress;
use crate::model::{Class, Scope, Sent, Untrusted};
use crate::providers::{Answer, Fact, Heard, Listed, Outgoing, Recall};
use crate::runtime::brakes::Brakes;
use crate::runtime::news::News;
use crate::runtime::tasks::Tasks;
use futures::future::{BoxFuture, FutureExt as _, ready};
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use tokio::sync::mpsc;

/// Answers questions in the order it was given answers, then always as the last; notes what it was asked.
#[derive(Default)]
struct Fake {
    inbound: Mutex<VecDeque<Result<Vec<Heard>, Box<Failure>>>>,
    ends: Mutex<HashMap<&'static str, VecDeque<Lookup>>>,
    asked: Mutex<Vec<String>>,
}

impl Fake {
    fn note(&self, what: &str) {
        self.asked.lock().unwrap().push(what.to_owned());
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn next<T: Clone>(answers: &mut VecDeque<T>) -> Option<T> {
    if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
}

impl Provider for Fake {
    fn channel(&self) -> Channel {
        Channel::Phone
    }

    fn name(&self) -> &'static str {
        "vapi"
    }

    fn send<'a>(&'a self, _out: &'a Outgoing) -> BoxFuture<'a, Answer> {
        unreachable!("a catch-up sends nothing")
    }

    fn look_up<'a>(&'a self, _out: &'a Outgoing, _since: At) -> BoxFuture<'a, Lookup> {
        ready(Lookup::NotSeen).boxed()
    }

    fn status<'a>(&'a self, provider_id: &'a str) -> BoxFuture<'a, Lookup> {
        self.note(provider_id);
        let answer = self.ends.lock().unwrap().get_mut(provider_id).and_then(next);
        ready(answer.unwrap_or(Lookup::NotSeen)).boxed()
    }

    fn recall<'a>(&'a self, _provider_id: &'a str, _control: Option<&'a str>) -> BoxFuture<'a, Recall> {
        ready(Recall::Impossible).boxed()
    }

    fn inbound_since(&self, _since: At) -> BoxFuture<'_, Result<Vec<Heard>, Box<Failure>>> {
        self.note("inbound");
        let answer = next(&mut self.inbound.lock().unwrap());
        ready(answer.unwrap_or_else(|| Ok(Vec::new()))).boxed()
    }

    fn sent_since(&self, _since: At) -> BoxFuture<'_, Result<Option<Vec<Listed>>, Box<Failure>>> {
        self.note("sent");
        ready(Ok(None)).boxed()
    }

    fn check<'a>(&'a self, _scope: &'a Scope) -> BoxFuture<'a, Result<bool, Box<Failure>>> {
        ready(Ok(true)).boxed()
    }

    fn set_up<'a>(&'a self, _webhooks: &'a str) -> BoxFuture<'a, Result<(), Box<Failure>>> {
        ready(Ok(())).boxed()
    }
}

fn fault() -> Box<Failure> {
    Box::new(Failure {
        channel: Channel::Phone,
        provider: "vapi".into(),
        code: "503".into(),
        class: Class::Outage,
        scope: Scope::Account,
        sent: Sent::No,
        title: "provider fault".into(),
        remedy: "Check the provider's status page.".into(),
        detail: Untrusted::default(),
        retry_after_s: None,
    })
}

fn rings(id: &'static str) -> Heard {
    Heard {
        provider: "vapi",
        channel: Channel::Phone,
        dedup: id.to_owned(),
        happened_at: None,
        provider_id: Some(id.to_owned()),
        attempt_key: None,
        person: None,
        what: Fact::CallProgressed(CallProgress::Ringing),
    }
}

fn found(id: &'static str) -> Lookup {
    Lookup::Found { provider_id: id.to_owned(), heard: vec![rings(id)] }
}

fn dispatch(fake: &Arc<Fake>) -> (Dispatch, mpsc::Receiver<News>) {
    let (news, queue) = mpsc::channel(1000);
    let clock = Clock::simulated(At::from_secs(1_767_600_000));
    let fake: Arc<dyn Provider> = Arc::clone(fake) as Arc<dyn Provider>;
    (Dispatch::new(vec![fake], news.clone(), Brakes::default(), clock, Tasks::new(news)), queue)
}

/// Catches up to the end; what came of it, in order: reports by their key, notices, `caught up`.
async fn caught_up(fake: &Arc<Fake>, open: &[&str]) -> Vec<String> {
    let (dispatch, mut queue) = dispatch(fake);
    let open = open.iter().map(|id| (Channel::Phone, (*id).to_owned())).collect();
    let now = dispatch.clock().now();
    catch_up(dispatch, 1, open, now, None).await;
    let mut all = Vec::new();
    while let Ok(news) = queue.try_recv() {
        match news {
            News::Reports { heard, .. } => all.extend(heard.into_iter().map(|h| h.dedup)),
            News::Tell(notice) => all.push(notice.text),
            News::CaughtUp(_) => all.push("caught up".to_owned()),
            other => panic!("{other:?}"),
        }
    }
    all
}

/// What was told last before sending went on.
fn before_going_on(all: &[String]) -> &str {
    &all[all.iter().position(|said| said == "caught up").unwrap() - 1]
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_on_before_inbound_messages_could_be_listed() {
    let fake = Arc::new(Fake::default());
    let lost = std::iter::repeat_n(Err(fault()), 9);
    fake.inbound.lock().unwrap().extend(lost.chain([Ok(vec![rings("stop")])]));
    let all = caught_up(&fake, &[]).await;
    assert_eq!(fake.asked(), vec!["inbound"; 11], "and once more when the settling is nearly over");
    let before = |what: &str| all.iter().position(|said| said.contains(what)).unwrap();
    assert!(before("nothing is sent before it answers") < before("stop"));
    assert!(before("stop") < before("caught up"));
    assert_eq!(all.iter().filter(|said| said.contains("nothing is sent before")).count(), 1, "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_lagging_list_shows_only_later_is_heard_before_anything_is_sent() {
    let fake = Arc::new(Fake::default());
    fake.inbound.lock().unwrap().extend([Ok(Vec::new()), Ok(vec![rings("stop")])]);
    let begun = crate::clock::wall();
    assert_eq!(caught_up(&fake, &[]).await, ["caught up", "stop"]);
    let settling = SETTLING.to_std().unwrap();
    let took = crate::clock::wall().saturating_duration_since(begun);
    assert!(took < settling && took > settling / 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_could_not_be_asked_about_is_asked_about_again() {
    let fake = Arc::new(Fake::default());
    let lost = || Lookup::Failed(fault());
    fake.ends
        .lock()
        .unwrap()
        .extend([("a", VecDeque::from([lost(), lost(), found("a")])), ("b", VecDeque::from([found("b")]))]);
    let all = caught_up(&fake, &["b", "a"]).await;
    assert_eq!(all, ["b", "a", "caught up"], "and nobody is bothered with it");
    assert_eq!(fake.asked(), ["inbound", "b", "a", "a", "a", "inbound"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_at_all_is_told_and_holds_nobody_else() {
    let fake = Arc::new(Fake::default());
    let ids = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    fake.ends.lock().unwrap().extend(ids.map(|id| (id, VecDeque::from([Lookup::Failed(fault())]))));
    let all = caught_up(&fake, &ids).await;
    let told = before_going_on(&all);
    for word in ["vapi", "10 calls", "503 provider fault", "is sent nothing before", "status page"] {
        assert!(told.contains(word), "{word} is not in {told:?}");
    }
    assert_eq!(fake.asked().len(), 2 + ROUNDS as usize, "one question a round shows that it does not answer");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_falls_silent_on_the_way_is_not_asked_a_thousand_times() {
    let fake = Arc::new(Fake::default());
    let ids: Vec<&'static str> = (0..200).map(|n| &*Box::leak(format!("c{n}").into_boxed_str())).collect();
    let answer = |id: &&'static str| {
        (*id, VecDeque::from([if *id == "c0" { found("c0") } else { Lookup::Failed(fault()) }]))
    };
    fake.ends.lock().unwrap().extend(ids.iter().map(answer));
    let all = caught_up(&fake, &ids).await;
    assert!(all[0].contains("200 calls and messages"), "{:?}", all[0]);
    assert!(before_going_on(&all).contains("199 calls"), "{all:?}");
    assert!(fake.asked().len() < 30);
}

#[tokio::test(start_paused = true)]
async fn a_doubt_is_looked_up_as_long_as_its_questions_fail_and_a_few_times_more() {
    let fake = Arc::new(Fake::default());
    let lost = || Lookup::Failed(fault());
    let answers = std::iter::repeat_with(lost).take(20).chain([Lookup::NotSeen, lost(), found("a")]);
    fake.ends.lock().unwrap().insert("a", answers.collect());
    let (dispatch, mut queue) = dispatch(&fake);
    dispatch.look_up(crate::model::AttemptId(1), Channel::Phone, Some("a".into()), None);
    let found = async {
        loop {
            if let Some(News::Input(input)) = queue.recv().await {
                return input;
            }
        }
    };
    assert!(matches!(found.await, crate::engine::input::Input::Found { .. }));
    assert_eq!(fake.asked().len(), 23);
    // A list that answers and does not show it is not asked for ever.
    let (dispatch, _queue) = self::dispatch(&fake);
    dispatch.look_up(crate::model::AttemptId(2), Channel::Phone, Some("unseen".into()), None);
    tokio::time::sleep(Duration::from_hours(24)).await;
    assert_eq!(fake.asked().len(), 4);
}
