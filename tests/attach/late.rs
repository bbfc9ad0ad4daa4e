//! What people answer to a campaign that is over: told in words, with their names, on every screen that looks.

use crate::house::{House, Sandbox};
use crate::inbound::Inbound;
use crate::pty::Pty;
use crate::{WIDE, house, seen};
use cascade::engine::event::End;
use cascade::engine::journey::{Journey, State};
use cascade::model::{CampaignId, Phone};
use cascade::runtime::attach::{attach, reach};
use cascade::runtime::handle::Picture;
use std::io::Read as _;

/// Nobody of the list before.
const OTHERS: &str = "name,phone,segment\nIda New,+14155550911,retail\nJon New,+14155550912,retail\n";

const YES: &str = "yes please, only saw it now";

/// Somebody of the first campaign who has said nothing so far, with their name.
fn silent(house: &House, skip: usize) -> (Phone, String) {
    let journeys = house.journeys();
    let exhausted = |journey: &Journey| journey.state == State::Ended(End::Exhausted);
    let (phone, _) = journeys.into_iter().filter(|(_, journey)| exhausted(journey)).nth(skip).unwrap();
    let (_, name) = house.reader().people_at(&phone).unwrap().remove(0);
    (phone, name)
}

/// They write, and it is on disk.
fn writes(inbound: &Inbound, phone: &Phone, text: &str) {
    let mut answer = [0; 12];
    inbound.writes(phone, text, text).read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

/// The line of the timeline that begins so, in a console that shows nothing else.
fn told(console: &Pty, name: &str, words: &str) {
    console.until(words, |text| {
        text.lines().any(|line| line.contains(name) && line.contains("campaign 1: ") && line.contains(words))
    });
}

fn names(picture: &Picture, said: &str, name: &str) -> bool {
    picture.inbox.iter().any(|item| {
        let card = item.person.and_then(|person| picture.people.get(&person));
        item.campaign == CampaignId(1)
            && item.text.raw() == said
            && card.is_some_and(|card| card.name == name)
    })
}

#[test]
fn who_answers_an_earlier_campaign_is_named_with_it_on_every_screen() {
    let (desk, house) = (House::empty(), house());
    let sandbox = Sandbox::start(&desk, "3600");
    house.run(&["pilot", "--sandbox", &sandbox.url, "--json"]).report();
    let ((ana, ana_name), (bo, bo_name)) = (silent(&house, 0), silent(&house, 1));
    house.write("customers.csv", OTHERS);
    let console = || Pty::start(WIDE, &house.path(""), &["--sandbox", &sandbox.url], &[]);
    let mut first = console();
    first.sees("■ ended");
    first.keys("L");
    first.sees("not now");
    first.keys("y");
    first.sees("PILOT 2");
    first.keys("2z");

    // Two screens that look in: one follows, one comes when it is over.
    let store = house.path(".cascade/rehearsal.db");
    let come = || async { attach(reach(&store).await.unwrap().expect("the console holds the store")) };
    let inbound = Inbound::of(&house, &sandbox);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut follows = come().await;
        seen(&mut follows, |p| p.snapshot.campaign.as_ref().is_some_and(|c| c.id == CampaignId(2))).await;
        writes(&inbound, &ana, YES);
        writes(&inbound, &bo, "STOP");
        for screen in [&mut follows, &mut come().await] {
            seen(screen, |p| names(p, YES, &ana_name) && names(p, "STOP", &bo_name)).await;
        }
    });
    told(&first, &ana_name, YES);
    told(&first, &bo_name, "no more contact");

    // What they wrote opens their own story.
    first.sees("■ ended");
    first.keys("zi");
    let listed = first.sees(&format!("campaign 1: {YES}"));
    let mut items = listed.lines().skip_while(|line| !line.contains("MEANT")).skip(1);
    let at = items.position(|line| line.contains(YES)).unwrap();
    first.keys(&format!("{}\r", "j".repeat(at)));
    first.sees("in no cascade of this campaign");
    first.sees("no answer on any channel");
    first.keys("qy");
    assert_eq!(first.end().code, 0);

    // It is the same from the disk.
    let mut again = console();
    again.sees("PILOT 2");
    again.keys("2z");
    told(&again, &ana_name, YES);
    told(&again, &bo_name, "no more contact");
    again.keys("zi");
    again.sees(&format!("campaign 1: {YES}"));
    again.keys("qy");
    assert_eq!(again.end().code, 0);
    house.log_gives_the_rows();
}
