//! A hundred people walk WhatsApp, phone, SMS over real HTTP, driven by a client as simple as can be.

use super::client::{Ear, World, hundred, options};
use cascade::clock::Clock;
use cascade::model::At;
use reqwest::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const HOUR: i64 = 3600;

/// Asks for the events until they show what is wanted.
async fn settle(world: &World, until: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    loop {
        let events = world.lines("events").await;
        if until(&events) {
            return events;
        }
        tokio::task::yield_now().await;
    }
}

fn people(events: &[Value], fits: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    events.iter().filter(|e| fits(e)).map(|e| e["to"].as_str().unwrap().to_owned()).collect()
}

fn outcome<'a>(channel: &'a str, outcome: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |e| e["channel"] == channel && e["outcome"] == outcome
}

/// Calls everybody, ten lines at a time, again after a 429. Gives the number of throttled people.
async fn call_all(world: &World, numbers: &[String]) -> usize {
    let mut throttled = 0;
    for (done, number) in numbers.iter().enumerate() {
        let call = || world.call(number, "att");
        if world.vapi(Method::POST, "/call", call()).await.status() == 429 {
            throttled += 1;
            assert_eq!(world.vapi(Method::POST, "/call", call()).await.status(), 201);
        }
        world.advance_s(600);
        world.ear.wait(done + 1, |h| h.json()["message"]["type"] == "end-of-call-report").await;
    }
    throttled
}

#[tokio::test]
async fn a_walk_shows_every_outcome_and_stays_below_the_limits() {
    let clock = Clock::stepped(At::parse(super::MONDAY).unwrap());
    let mut options = options(&clock, "", None);
    options.customers = hundred();
    options.seed = 11;
    let world = World::start(options, clock, Ear::new().await).await;
    world.whatsapp_ready().await;
    world.inbound_ready().await;
    world.template("de").await;
    world.template("es").await;
    let (mut refused, mut held) = (BTreeMap::new(), BTreeSet::new());
    for (i, (phone, _, language)) in hundred().into_iter().enumerate() {
        let message = World::message(phone.as_str(), &format!("att_x_{i}"), &language.unwrap());
        let (status, body) = world.graph(Method::POST, &world.whatsapp_path("messages"), message).await;
        let code = body["error"]["code"].as_u64();
        if code == Some(132_015) {
            held.insert(phone.as_str().to_owned());
        } else if status != 200 {
            refused.insert(phone.as_str().to_owned(), code.unwrap());
        }
        world.advance_s(1);
    }
    assert_eq!(held.len(), 5, "the rare language");
    world.advance_s(6 * HOUR);
    let failed = |e: &Value| e["channel"] == "whatsapp" && e["what"] == "failed";
    let late: usize = 6 - refused.values().filter(|code| **code == 131_026).count();
    let events = settle(&world, |events| {
        let answered = people(events, |e| e["channel"] == "whatsapp" && e["what"] == "inbound").len();
        let clicked = people(events, |e| e["what"] == "clicked").len();
        (people(events, failed).len(), answered, clicked) == (late, 30, 5)
    })
    .await;
    let opted = people(&events, outcome("whatsapp", "opted_out"));
    assert_eq!(opted.len(), 2);
    assert!(people(&events, outcome("whatsapp", "delivered")).len() >= 80);
    // An automatic reply changes nothing, but this simple client cannot tell.
    let mut gone: BTreeSet<String> = people(&events, outcome("whatsapp", "replied"));
    gone.extend(opted);
    gone.extend(people(&events, |e| e["what"] == "clicked"));
    gone.extend(held);
    gone.extend(refused.iter().filter(|(_, code)| **code == 131_050).map(|(to, _)| to.clone()));
    let left: Vec<String> =
        hundred().into_iter().map(|(p, ..)| p.as_str().to_owned()).filter(|p| !gone.contains(p)).collect();
    assert!((48..=65).contains(&left.len()), "{} called", left.len());

    assert!(call_all(&world, &left).await >= 3);
    let events = world.until_events(1, outcome("phone", "opted_out")).await;
    let answered = people(&events, outcome("phone", "answered"));
    assert!(answered.len() >= 15, "{} answered", answered.len());
    assert!(people(&events, outcome("phone", "no_answer")).len() >= 20);
    assert_eq!(people(&events, outcome("phone", "opted_out")).len(), 1);

    let left: Vec<String> = left.into_iter().filter(|p| !answered.contains(p)).collect();
    for (i, to) in left.iter().enumerate() {
        world.send_sms(to, &format!("att_y_{i}"), &format!("See {}/l/{i}", world.ear.url)).await;
    }
    world.advance_s(24 * HOUR);
    world.until_events(1, |e| e["channel"] == "sms" && e["what"] == "scanned").await;
    let events = world.until_events(1, outcome("sms", "opted_out")).await;
    assert_eq!(people(&events, outcome("sms", "opted_out")).len(), 1);
    let limit = left.len() as f64 * 0.05;
    assert!(1.0 <= limit, "one of {} would be too many", left.len());
    world.until_events(2, outcome("sms", "bounced")).await;
    settle(&world, |e| people(e, |e| e["channel"] == "sms" && e["what"] == "clicked").len() == 6).await;
}
