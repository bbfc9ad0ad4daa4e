//! Random campaigns and random news, in any order, doubled, late and about nobody: the invariants hold after
//! every single input, and whoever says something twice is not contacted for it.

use crate::edits::Looked;
use crate::failures::failure;
use crate::invariants::Observer;
use crate::setting::{MONDAY, Setting};
use crate::world::World;
use cascade::engine::event::{CallProgress, RecallResult, Withdrawal};
use cascade::engine::input::{CallEnd, CallResult, Heard, Input, What};
use cascade::engine::journey::{Journey, State, Timer};
use cascade::engine::meaning::Meaning;
use cascade::engine::order::{Deed, Order, Signed, Target, Who};
use cascade::engine::retime::Choice;
use cascade::model::{At, AttemptId, Channel, Disposition, Failure, Money, PersonId, Scope, TimerId};
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

const RULES: [&str; 5] = [
    "whatsapp 6h > phone 2h > sms",
    "phone 2h x3 > sms",
    "sms 1h sits_out > whatsapp 30m sits_out > phone",
    "whatsapp 1h counts=read,replied > phone 20m counts=clicked x2 > sms 2h > email",
    "email",
];

/// What an operator makes of them.
const EDITS: [&str; 10] = [
    "whatsapp 4h > phone 2h > sms",
    "whatsapp 6h > phone 2h > sms",
    "whatsapp 9h > phone 10m > sms window=2h",
    "whatsapp 1h > sms",
    "phone 1h x2 > whatsapp 2h > sms",
    "sms 30m > email 1h > phone",
    "whatsapp",
    "phone 3h > sms 1h > whatsapp 2h > email",
    "email 1h > sms window=30h",
    "sms 20m counts=read,replied > whatsapp 10m sits_out > phone 1h x3 > email",
];

const FAILURES: [&str; 16] = [
    "throttle",
    "throttle=20",
    "pair_rate",
    "outage",
    "outage",
    "not_on_whatsapp",
    "sms_blocked",
    "template_paused",
    "country_off",
    "sender_off",
    "token_expired",
    "timeout",
    "fault_502",
    "template_outage",
    "carrier_congested",
    "odd_end",
];

/// A campaign of few people, some of whom share numbers, zones, templates and countries.
fn setting(rules: u8, people: u8, traits: [u8; 8]) -> Setting {
    let bit = |at: usize, bit: u8| traits[at] >> bit & 1 == 1;
    let if_bit = |at: usize, n: usize, line: &'static str| if bit(at, n as u8 % 8) { line } else { "" };
    let mut lines = vec![
        "says = 'random'".into(),
        "script = ''".into(),
        format!("people = {:?}", names(people)),
        format!("rules = {:?}", RULES[rules as usize % RULES.len()]),
        "[policy]".into(),
        format!("retry = {}", traits[5] % 3),
        format!("cap = {}", traits[6] % 4),
        if_bit(7, 0, "quiet = '20:00-09:00'").into(),
        if_bit(7, 1, "expires = '3h'").into(),
        if_bit(7, 2, "budget = '0.90'").into(),
        if_bit(7, 3, "reserve = { phone = '0.40' }").into(),
        if_bit(7, 4, "concurrent = { whatsapp = 1, phone = 1, sms = 2 }").into(),
    ];
    for (at, name) in names(people).iter().enumerate() {
        lines.push(format!("[person.{name}]"));
        lines.push(if at > 0 { if_bit(0, at, "line = 'p0'") } else { "" }.into());
        lines.push(if_bit(1, at, "template = 'hello es'\ncountry = 'ES'").into());
        lines.push(if_bit(2, at, "zone = 'Asia/Tokyo'").into());
        lines.push(if_bit(3, at, "skip = { phone = 'no_consent' }").into());
        lines.push(if_bit(4, at, "contacted_ago = ['2h']").into());
    }
    Setting::read(&lines.join("\n"))
}

fn names(people: u8) -> Vec<String> {
    (0..=people % 5).map(|n| format!("p{n}")).collect()
}

/// One piece of news: what, about whom, and how.
#[derive(Clone, Copy, Debug)]
struct News(u8, u8, u8);

impl News {
    fn input(self, world: &World) -> Input {
        let Self(what, who, how) = self;
        let campaign = &world.campaign;
        let journey = &campaign.journeys()[who as usize % campaign.journeys().len()];
        let attempts: Vec<AttemptId> =
            campaign.journeys().iter().flat_map(|j| &j.attempts).map(|a| a.id).collect();
        let attempt = attempts.get(who as usize % (attempts.len() + 1)).copied().unwrap_or(AttemptId(999));
        let claims = campaign.unanswered_claims();
        let claim = claims.get(who as usize % claims.len().max(1)).copied().unwrap_or(attempt);
        let cascade = journey.id;
        let channel = Channel::ALL[how as usize % 4];
        match what {
            0..=3 => Input::Permit(channel),
            4..=9 => Input::Accepted {
                attempt: claim,
                provider_id: format!("p{claim}"),
                units: u32::from(how % 3) + 1,
            },
            10..=13 => {
                let failure = Box::new(any_failure(how, world, claim));
                Input::Failed { attempt: claim, failure, reached: how > 99 }
            }
            14 => Input::Braked { attempt: claim, why: Withdrawal::Paused },
            15 => Input::Found { attempt, provider_id: format!("p{attempt}") },
            16 => Input::Recalled {
                attempt,
                result: if how > 99 { RecallResult::Recalled } else { RecallResult::TooLate },
            },
            17 => Input::Restarted,
            18 => Input::Timer(TimerId(u64::from(how % 40))),
            19 => {
                let open = &campaign.header.breakers;
                let scope = open.get(who as usize % open.len().max(1)).map(|b| b.scope.clone());
                Input::ScopeChecked { channel, scope: scope.unwrap_or(Scope::Account), mended: how > 99 }
            }
            20..=25 => {
                let seen = Target { cascade, step: journey.step, attempt: journey.newest().map(|a| a.id) };
                signed(world, order(what, seen, how, campaign.header.breakers.first()))
            }
            _ => Input::Heard(Box::new(heard(self, world, attempt, journey))),
        }
    }
}

fn order(what: u8, seen: Target, how: u8, open: Option<&cascade::engine::breaker::Breaker>) -> Order {
    let only = (how > 150).then_some(Channel::ALL[how as usize % 4]);
    match (what, open) {
        (20, _) if how.is_multiple_of(8) => Order::Pause { only, why: "because".into() },
        (20 | 21, _) => Order::Resume { only, extend_timers: how.is_multiple_of(2) },
        (22, Some(open)) => Order::CloseBreaker { channel: open.on, scope: open.scope.clone() },
        (23, _) if how.is_multiple_of(64) => Order::StopAll,
        (23, _) if how.is_multiple_of(8) => Order::one(Deed::Stop, seen),
        (23, _) => Order::one(Deed::SkipWait, seen),
        (24, _) if how.is_multiple_of(8) => Order::one(Deed::OptOut, seen),
        (24, _) => Order::one(Deed::Retry, seen),
        (25, _) => Order::one(Deed::Release, seen),
        _ if how.is_multiple_of(2) => Order::one(Deed::WasSent, seen),
        _ => Order::one(Deed::WasNotSent, seen),
    }
}

fn signed(world: &World, order: Order) -> Input {
    let (wall_at, campaign) = (world.now, Some(world.campaign.id()));
    Input::Order(Box::new(Signed { order, by: Who::default(), wall_at, campaign, text: None }))
}

fn heard(news: News, world: &World, attempt: AttemptId, journey: &Journey) -> Heard {
    let News(what, who, how) = news;
    let known = world.campaign.attempt(attempt);
    let channel = known.map_or(Channel::ALL[how as usize % 4], |(_, a)| a.channel);
    let line: PersonId = known.map_or(journey, |(j, _)| j).start.line;
    let named = how % 3 > 0;
    let inbound = (37..=42).contains(&what);
    Heard {
        provider: "provider".into(),
        channel,
        happened_at: (how % 5 > 0).then(|| world.now - TimeDelta::minutes(i64::from(how))),
        provider_id: (named && how.is_multiple_of(2)).then(|| format!("p{attempt}")),
        attempt: (named || !inbound).then_some(attempt),
        line: (who % 7 > 0).then_some(line),
        text: None,
        what: report(what, how, world, attempt, channel),
    }
}

fn report(what: u8, how: u8, world: &World, attempt: AttemptId, channel: Channel) -> What {
    let end = |result: CallResult, meaning: Option<Meaning>| {
        let (reason, talked_s) = ("ended".into(), Some(u64::from(how)));
        What::CallEnded(CallEnd { reason, result, talked_s, meaning, cost: None })
    };
    let disposition = Disposition::ALL[how as usize % Disposition::ALL.len()];
    match what {
        32..=36 if channel != Channel::Phone => What::Other("a call's report about a message".into()),
        26 => What::Sent,
        27 => What::Delivered,
        28 => What::Read,
        29 => What::Clicked((how > 30).then(|| "scanner".into())),
        30 | 31 => What::Failed(Box::new(any_failure(how, world, attempt))),
        32 => What::CallProgressed(if how > 99 { CallProgress::Ringing } else { CallProgress::InProgress }),
        33 => end(CallResult::Answered, (how > 99).then_some(Meaning::Answer(disposition))),
        34 | 35 => end(CallResult::NoAnswer { machine: how > 99 }, None),
        36 if how > 200 => end(CallResult::Canceled, None),
        36 => end(CallResult::Failed(Box::new(any_failure(how, world, attempt))), None),
        37..=40 => What::Inbound(Meaning::Answer(disposition)),
        41 => What::Inbound(if how > 99 { Meaning::OptIn } else { Meaning::OptOut("stop".into()) }),
        42 => What::Stopped("STOP".into()),
        43 => What::Cost(Money::parse("0.07").unwrap()),
        44 => {
            let failure = Failure { channel, ..any_failure(how, world, attempt) };
            What::Shut(failure.scope.clone(), Box::new(failure))
        }
        _ => What::Other("something".into()),
    }
}

fn any_failure(how: u8, world: &World, attempt: AttemptId) -> Failure {
    let known = world.campaign.attempt(attempt);
    let channel = known.map_or(Channel::Sms, |(_, a)| a.channel);
    let journey = known.map_or(&world.campaign.journeys()[0], |(j, _)| j);
    failure(FAILURES[how as usize % FAILURES.len()], channel, journey)
}

/// Where somebody stands, what comes next, and what was tried.
type Standing = (State, Option<Timer>, Vec<(AttemptId, String)>);

/// Who is contacted, and when next.
fn contacts(world: &World) -> Vec<Standing> {
    let of = |j: &Journey| {
        let stages = j.attempts.iter().map(|a| (a.id, format!("{:?}", a.stage))).collect();
        (j.state.clone(), j.timer, stages)
    };
    world.campaign.journeys().iter().map(of).collect()
}

fn play(world: &mut World, news: &[News]) {
    let mut looked: Option<Looked> = None;
    for piece in news {
        // Half of the time goes in seconds, so that retries and talks are hit; the rest in hours.
        let pass = match piece.1 % 16 {
            0..=5 => TimeDelta::zero(),
            6..=10 => TimeDelta::seconds(i64::from(piece.2)),
            11..=14 => TimeDelta::minutes(i64::from(piece.2)),
            _ => TimeDelta::minutes(6 * i64::from(piece.2)),
        };
        let to = world.now + pass;
        world.permits = piece.2 % 4 > 0;
        world.pass(to);
        match (piece.0, &looked) {
            // An edit is looked at, and put in force whatever has happened since: as shown, or not at all.
            (46 | 47, _) => {
                looked = Some(Looked::at(world, EDITS[piece.1 as usize % EDITS.len()], |_| true));
                continue;
            }
            (48.., Some(seen)) => {
                seen.put_in_force(world, Choice::ALL[piece.2 as usize % Choice::ALL.len()]);
                world.send_what_may_go();
                continue;
            }
            _ => {}
        }
        let input = piece.input(world);
        let done = world.feed(input.clone());
        assert!(done.is_ok() || !matches!(input, Input::Heard(_)), "a report is never impossible");
        if matches!(input, Input::Heard(_)) {
            let before = contacts(world);
            world.feed(input.clone()).unwrap();
            assert_eq!(
                before,
                contacts(world),
                "8: the same report again changed who is contacted: {input:?}"
            );
        }
        world.send_what_may_go();
    }
}

/// 9: once faults cease, everybody ends: what is under way is answered, what is shut is mended.
fn wind_up(world: &mut World) {
    world.permits = true;
    for round in 0..400 {
        if world.campaign.open() == 0 {
            return;
        }
        for only in std::iter::once(None).chain(Channel::ALL.iter().copied().map(Some)) {
            let resume = signed(world, Order::Resume { only, extend_timers: false });
            world.give(resume).unwrap();
        }
        for breaker in world.campaign.header.breakers.clone() {
            let mended = Order::CloseBreaker { channel: breaker.on, scope: breaker.scope };
            let mended = signed(world, mended);
            world.give(mended).unwrap();
        }
        for attempt in world.campaign.unanswered_claims() {
            let (provider_id, units) = (format!("p{attempt}"), 1);
            world.give(Input::Accepted { attempt, provider_id, units }).unwrap();
        }
        for journey in world.campaign.journeys().to_vec() {
            // The provider answers every recall.
            for call in journey.attempts.iter().filter(|a| journey.is_over() && a.under_way()) {
                let (attempt, result) = (call.id, RecallResult::TooLate);
                world.give(Input::Recalled { attempt, result }).unwrap();
            }
            // Whatever only an operator's hand can move is moved by it.
            let deed = match journey.state {
                State::Held(cascade::engine::event::Hold::SharedNumber) => Deed::Release,
                State::Held(cascade::engine::event::Hold::Budget) => Deed::Stop,
                _ => continue,
            };
            let attempt = journey.newest().map(|a| a.id);
            let order = Order::one(deed, Target { cascade: journey.id, step: journey.step, attempt });
            let order = signed(world, order);
            world.give(order).unwrap();
        }
        let next = world.campaign.next_due().unwrap_or(world.now) + TimeDelta::minutes(i64::from(round % 2));
        world.pass(next.max(world.now));
    }
    panic!("not everybody ended: {:?}", contacts(world));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/engine/random.regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn invariants_hold_whatever_comes(
        (rules, people, traits) in (any::<u8>(), any::<u8>(), any::<[u8; 8]>()),
        news in prop::collection::vec((0u8..50, any::<u8>(), any::<u8>()), 1..60),
    ) {
        let news: Vec<News> = news.into_iter().map(|(a, b, c)| News(a, b, c)).collect();
        let setting = setting(rules, people, traits);
        let at = At::parse(MONDAY).unwrap();
        let mut world = World::launch(at, setting.launch(), setting.starts(at));
        play(&mut world, &news);
        wind_up(&mut world);
    }
}

/// The observer is no decoration: a claim that the log knows of and the rows do not is seen.
#[test]
#[should_panic(expected = "10: the fold of the log")]
fn a_lost_event_is_seen() {
    let setting = setting(0, 3, [0; 8]);
    let at = At::parse(MONDAY).unwrap();
    let mut world = World::launch(at, setting.launch(), setting.starts(at));
    world.seen = Observer::default();
    world.send_what_may_go();
}
