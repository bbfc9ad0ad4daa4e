//! What was learnt, on the screen: whole pages from a record whose truth is known, and from a finding to a draft.

use crate::fixture::{self, now};
use crate::stage::{Seen, Step, play_on};
use crate::{options, settled};
use cascade::learning::answer::{Answer, Settings, WaitAnswer, answer};
use cascade::learning::history::{self, Cascade};
use cascade::learning::policy::looks::State;
use cascade::model::{At, Channel, Mode, Money, Segment};
use cascade::runtime::handle::Learnt;
use std::sync::Arc;
use std::time::Duration;

const RULES: &str = include_str!("../../rules/cascade.json");
const HOUR: i64 = 3_600_000;
/// Waits of the built-in rules, and the window after the last step.
const WAITS: [(Channel, i64, &str); 3] = [
    (Channel::Whatsapp, 6 * HOUR, "0.05"),
    (Channel::Phone, 2 * HOUR, "0.30"),
    (Channel::Sms, 24 * HOUR, "0.02"),
];

/// A segment: of how many cascades with each start how many in a thousand convert at its first contact.
struct World {
    segment: &'static str,
    each: u64,
    per_mille: [(Channel, u64); 3],
    drawn: bool,
    /// Whether a few convert at the last step, and a few opt out at the second.
    varied: bool,
}

const DECIDED: World = World {
    segment: "retail",
    each: 160,
    per_mille: [(Channel::Whatsapp, 300), (Channel::Phone, 620), (Channel::Sms, 150)],
    drawn: true,
    varied: true,
};
const TIE: World = World {
    segment: "smb",
    each: 1_520,
    per_mille: [(Channel::Whatsapp, 20), (Channel::Phone, 20), (Channel::Sms, 20)],
    drawn: true,
    varied: false,
};
const NOT_YET: World = World {
    segment: "enterprise",
    each: 40,
    per_mille: [(Channel::Whatsapp, 400), (Channel::Phone, 475), (Channel::Sms, 350)],
    drawn: true,
    varied: true,
};
const NOT_DRAWN: World = World {
    segment: "vip",
    each: 130,
    per_mille: [(Channel::Whatsapp, 400), (Channel::Phone, 0), (Channel::Sms, 0)],
    drawn: false,
    varied: true,
};

/// The cascades of a world: launched over twelve days that end two days ago, but for a few of today.
fn cascades(world: &World) -> Vec<Cascade> {
    let starts = world.per_mille.into_iter().filter(|(start, _)| world.drawn || *start == Channel::Whatsapp);
    let of_start = |(start, per_mille): (Channel, u64)| {
        (0..world.each).map(move |i| {
            let days = if i % 20 == 7 { 0 } else { 2 + i as i64 * 10 / world.each as i64 };
            let launched_at = At(now().0 - days * 24 * HOUR - i as i64 * 1_000);
            one(world, i, start, per_mille, launched_at)
        })
    };
    starts.flat_map(of_start).collect()
}

fn one(world: &World, i: u64, start: Channel, per_mille: u64, launched_at: At) -> Cascade {
    // Spread evenly: 613 and 1000 have no common divisor.
    let converts = i * 613 % 1_000 < per_mille;
    let (first, rest): (Vec<_>, Vec<_>) = WAITS.into_iter().partition(|(channel, ..)| *channel == start);
    let mut at = launched_at.0;
    let mut steps = Vec::new();
    for (n, (channel, wait, cost)) in first.into_iter().chain(rest).enumerate() {
        // Most answer early; the third step converts a few of those whom nobody reached before.
        let share = (i * 389 % 997) as i64;
        let late = wait * share * share / (997 * 997 * 2);
        let here = (n == 0 && converts) || (n == 2 && world.varied && i % 19 == 3);
        steps.push(history::Step {
            step: n as u32 + 1,
            channel,
            sent_at: Some(At(at)),
            window_s: Some(wait as u64 / 1_000),
            delivered_at: Some(At(at + 2_000)),
            bounced_at: None,
            converted_at: here.then_some(At(at + 60_000 + late)),
            opted_out_at: (n == 1 && world.varied && i % 41 == 5).then_some(At(at + 90_000)),
            cost: Money::parse(cost).unwrap(),
        });
        if here {
            break;
        }
        at += wait;
    }
    Cascade {
        id: format!("{}-{start}-{i}", world.segment).into(),
        segment: Segment(world.segment.into()),
        start,
        propensity: world.drawn.then_some(1.0 / 3.0),
        rules: "3f2a1c4d5e6f".into(),
        launched_at,
        horizon_s: Some(32 * 3_600),
        ending: history::Ending::Untold,
        forced: false,
        steps,
    }
}

fn asked() -> Settings {
    Settings {
        now: now(),
        value: Money::parse("12"),
        optout_penalty: Money::parse("40").unwrap(),
        currency: "USD".into(),
        incumbent: Some(Channel::Whatsapp),
        explore: Some(0.3),
        ..Settings::default()
    }
}

fn said(worlds: &[&World]) -> Answer {
    let settings = asked();
    answer(worlds.iter().flat_map(|world| cascades(world)), &settings)
}

async fn after(size: (u16, u16), learnt: Learnt, script: &'static str) -> Seen {
    // The answer comes between two keys.
    play(size, learnt, script.split(' ').map(Step::Keys).collect()).await
}

async fn play(size: (u16, u16), learnt: Learnt, script: Vec<Step>) -> Seen {
    let mut picture = fixture::running(Mode::Rehearsal);
    let mut place = (*picture.place).clone();
    // The record of the worlds that were drawn is one of rules that draw.
    let draws = learnt
        .as_ref()
        .is_ok_and(|answer| answer.segments.iter().all(|of| of.state != State::NotIdentifiable));
    place.rules_text = if draws { RULES.replacen(',', ", \"explore\": 0.3,", 1) } else { RULES.into() };
    picture.place = Arc::new(place);
    let (handle, mut engine) = fixture::handle(picture);
    engine.learnt = learnt;
    play_on(size, handle, engine, options(), settled(script)).await
}

macro_rules! page {
    ($name:ident, $size:expr, $worlds:expr, $keys:expr) => {
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let seen = after($size, Ok(Box::new(said($worlds))), $keys).await;
            insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(concat!("learnt_", stringify!($name)), seen.text());
            });
        }
    };
}

const WIDE: (u16, u16) = (120, 40);
const SMALL: (u16, u16) = (80, 24);

page!(decided_120x40, WIDE, &[&DECIDED], "7");
page!(decided_80x24, SMALL, &[&DECIDED], "7");
page!(tie_120x40, WIDE, &[&TIE], "7");
page!(tie_80x24, SMALL, &[&TIE], "7");
page!(not_yet_120x40, WIDE, &[&NOT_YET], "7");
page!(not_yet_80x24, SMALL, &[&NOT_YET], "7");
page!(not_identifiable_120x40, WIDE, &[&NOT_DRAWN], "7");
page!(not_identifiable_80x24, SMALL, &[&NOT_DRAWN], "7");
page!(empty_120x40, WIDE, &[], "7");
page!(all_120x40, WIDE, &[&DECIDED, &TIE, &NOT_YET, &NOT_DRAWN], "7 Down Down");
page!(waits_120x40, WIDE, &[&DECIDED, &NOT_YET], "8");
page!(waits_80x24, SMALL, &[&DECIDED, &NOT_YET], "8 Down");
page!(waits_too_few_120x40, WIDE, &[&NOT_YET], "8 Down Down Down Down Down");
page!(cost_120x40, WIDE, &[&DECIDED, &NOT_YET], "9");
page!(cost_80x24, SMALL, &[&DECIDED, &NOT_YET], "9");

/// Every line that the page has shown while it was gone through by a key, from its first to its last.
async fn gone_through(size: (u16, u16), worlds: &[&World], [key, by]: [&'static str; 2]) -> String {
    let mut shown = String::new();
    for times in 0..60 {
        let script = std::iter::once(Step::Keys(key)).chain((0..times).map(|_| Step::Keys(by))).collect();
        let text = play(size, Ok(Box::new(said(worlds))), script).await.text();
        let more = text.contains("▼");
        shown.push_str(&text);
        if !more && times > 8 {
            break;
        }
    }
    shown
}

#[tokio::test(start_paused = true)]
async fn every_line_of_a_page_can_be_reached_in_a_low_window() {
    let starts = gone_through(SMALL, &[&DECIDED], ["7", "Down"]).await;
    for said in ["* today's start", "100 more would change nothing", "in full", "of it; 3h would do"] {
        assert!(starts.contains(said), "{said}: {starts}");
    }
    let waits = gone_through(SMALL, &[&DECIDED, &NOT_YET], ["8", "PgDn"]).await;
    for said in ["whoever does not convert has it", "as of Tue 6 Jan 16:12"] {
        assert!(waits.contains(said), "{said}: {waits}");
    }
    let cost = gone_through(SMALL, &[&DECIDED, &NOT_YET], ["9", "Down"]).await;
    for said in ["what a conversion costs, by start", "retail", "    phone"] {
        assert!(cost.contains(said), "{said}: {cost}");
    }
    let last = after(SMALL, Ok(Box::new(said(&[&DECIDED, &NOT_YET]))), "9 End").await.text();
    assert!(!last.contains('▼'), "{last}");
}

/// The row under the cursor of the waits: its channel, and whose.
fn under_cursor(text: &str) -> Vec<String> {
    let row = text.lines().find_map(|line| line.split('▸').nth(1)).unwrap_or("no cursor");
    row.split_whitespace().take(2).map(ToOwned::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn the_cursor_of_the_waits_goes_where_it_is_moved_however_much_there_is_to_say() {
    let answer = || said(&[&DECIDED, &NOT_YET]);
    let row = |of: &WaitAnswer| {
        let whose = of.segment.as_ref().map_or_else(|| "all".to_owned(), |segment| segment.0.clone());
        vec![of.channel.label().to_owned(), whose]
    };
    let rows: Vec<Vec<String>> = answer().waits.iter().map(row).collect();
    let after = async |script: Vec<&'static str>| {
        let script = std::iter::once("8").chain(script).map(Step::Keys).collect();
        play(SMALL, Ok(Box::new(answer())), script).await.text()
    };
    for at in 0..rows.len() {
        assert_eq!(under_cursor(&after(vec!["Down"; at]).await), rows[at], "after {at}");
        let up = [vec!["Down"; rows.len()], vec!["Up"; at]].concat();
        assert_eq!(under_cursor(&after(up).await), rows[rows.len() - 1 - at], "and {at} back");
    }
    // What is said is turned by page keys, to its end and back, and the next row's begins at its first line.
    let (first, read) = (after(vec![]).await, after(vec!["PgDn", "PgDn", "PgDn"]).await);
    assert!(first.contains("▼") && !read.contains("▼") && read.contains("as of"), "{first}\n{read}");
    assert_eq!(under_cursor(&read), rows[0]);
    assert_eq!(after(vec!["PgDn", "PgDn", "PgDn", "PgUp", "PgUp", "PgUp"]).await, first);
    let next = after(vec!["PgDn", "Down"]).await;
    assert!(under_cursor(&next) == rows[1] && next.contains("phone: 80 % of conversions arrive"), "{next}");
}

#[tokio::test(start_paused = true)]
async fn a_draft_is_offered_only_where_there_is_something_to_draft() {
    let offers = |text: &str| text.lines().last().unwrap().contains(" d draft");
    for (world, keys, offered) in [
        (&DECIDED, "7", true),
        (&TIE, "7", false),
        (&NOT_YET, "7", false),
        (&NOT_DRAWN, "7", true),
        (&DECIDED, "9", false),
    ] {
        let text = after(WIDE, Ok(Box::new(said(&[world]))), keys).await.text();
        assert_eq!(offers(&text), offered, "{} {keys}: {text}", world.segment);
    }
}

/// Nothing converts, and nobody said what a conversion is worth.
const BARREN: World = World {
    segment: "smb",
    each: 100,
    per_mille: [(Channel::Whatsapp, 0), (Channel::Phone, 0), (Channel::Sms, 0)],
    drawn: true,
    varied: false,
};

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_said_as_it_is() {
    let settings = Settings { value: None, ..asked() };
    let answer = answer(cascades(&BARREN), &settings);
    let text = after(WIDE, Ok(Box::new(answer)), "7").await.text();
    assert!(text.contains("set a value") && !text.contains("nothing has finished"), "{text}");

    // Sure by its numbers, and there is no further look.
    let mut answer = said(&[&NOT_YET]);
    let of = &mut answer.segments[0];
    (of.more_needed, of.next_look) = (Some(0), None);
    of.reason = "phone leads, 99 % likely best; there is no further look".into();
    let text = after(WIDE, Ok(Box::new(answer)), "7").await.text();
    assert!(text.contains("not yet: phone leads") && !text.contains("the next look decides"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_was_dropped_is_told_beside_the_rows() {
    let mut answer = said(&[&NOT_YET]);
    answer.segments[0].starts[0].n_all += 60;
    let text = after(WIDE, Ok(Box::new(answer)), "7").await.text();
    assert!(text.contains("60 of them before the outcomes changed, not counted below"), "{text}");
}

#[test]
fn the_worlds_are_what_their_names_say() {
    let state = |world: &World| said(&[world]).segments[0].state;
    assert_eq!(state(&DECIDED), State::ChangeProposed);
    assert_eq!(state(&TIE), State::NoPracticalDifference);
    assert_eq!(state(&NOT_YET), State::Learning);
    assert_eq!(state(&NOT_DRAWN), State::NotIdentifiable);
}

#[tokio::test(start_paused = true)]
async fn the_pages_take_each_others_place_and_close_by_their_own_key() {
    let decided = || Ok(Box::new(said(&[&DECIDED])));
    for (keys, shown) in
        [("7", "start retail"), ("7 8", "arrivals"), ("8 9", "by channel"), ("9 7", "start retail")]
    {
        let text = after(WIDE, decided(), keys).await.text();
        assert!(text.contains(shown), "{keys}: {text}");
    }
    for keys in ["7 7", "7 8 8", "7 9 Esc"] {
        assert!(after(WIDE, decided(), keys).await.text().contains("1 Cohort"), "{keys}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_says_why() {
    let text = after(SMALL, Err("the disk is gone".into()), "7").await.text();
    assert!(text.contains("The record cannot be read: the disk is gone"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_record_is_asked_once_while_nothing_happens_and_again_when_something_did() {
    let asked = |seen: &Seen| seen.asked.iter().filter(|said| said.starts_with("Learn")).count();
    let decided = || Ok(Box::new(said(&[&DECIDED])));
    let wait = |seconds| Step::Wait(Duration::from_secs(seconds));
    let seen = play(WIDE, decided(), vec![Step::Keys("7"), wait(60)]).await;
    assert_eq!(asked(&seen), 1);
    let happens = || {
        Step::Engine(Box::new(|engine: &fixture::Engine| {
            engine.picture.send_modify(|picture| Arc::make_mut(picture).snapshot.seq += 1);
        }))
    };
    let script = vec![Step::Keys("7"), wait(30), happens(), wait(1), happens(), wait(1), happens(), wait(60)];
    assert_eq!(asked(&play(WIDE, decided(), script).await), 3, "at once, then not before it has rested");
    let script = vec![Step::Keys("7"), wait(30), Step::Keys("7"), happens(), wait(60)];
    assert_eq!(asked(&play(WIDE, decided(), script).await), 1, "not while no page shows it");
}

#[tokio::test(start_paused = true)]
async fn a_finding_becomes_a_draft_with_its_evidence_as_the_reason_and_nothing_else_happens() {
    let two = || Ok(Box::new(said(&[&DECIDED, &NOT_YET])));
    let seen = after(WIDE, two(), "7 Down d").await;
    let text = seen.text();
    assert!(text.contains("a draft: retail starts with phone"), "{text}");
    assert!(text.contains("\"retail\": { \"start\": \"phone\" }"), "{text}");
    assert!(!seen.asked.iter().any(|said| said.starts_with("Save")), "{:?}", seen.asked);

    // Whoever came to wait meanwhile is shown before it is saved.
    let seen = after((200, 40), two(), "7 Down d S y y").await;
    let saved: Vec<&String> = seen.asked.iter().filter(|said| said.starts_with("Save")).collect();
    let [save] = saved[..] else { panic!("{:?}\n{}", seen.asked, seen.text()) };
    assert!(save.contains("because start retail with phone: 100 % likely best at "), "{save}");
    assert!(
        save.contains("expected net phone") && save.ends_with("(REHEARSAL, no real customers)"),
        "{save}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_becomes_a_draft_and_what_is_not_decided_does_not() {
    let two = || Ok(Box::new(said(&[&DECIDED, &NOT_YET])));
    let text = after(WIDE, two(), "8 d").await.text();
    assert!(text.contains("a draft: WhatsApp waits"), "{text}");
    let asked = after(WIDE, two(), "8 d S").await.text();
    assert!(asked.contains("80 % of conversions arrive") && !asked.contains("a reason is needed"), "{asked}");
    // What the record said is no reason for what was made of it by hand.
    let changed = after(WIDE, two(), "8 d - S").await.text();
    assert!(
        changed.contains("a reason is needed") && !changed.contains("80 % of conversions arrive"),
        "{changed}"
    );
    let text = after(WIDE, two(), "7 d").await.text();
    assert!(text.contains("not yet, and only a look proposes"), "{text}");
    let text = after(WIDE, Ok(Box::new(said(&[&TIE]))), "7 d").await.text();
    assert!(text.contains("a tie: choose by cost or comfort; e edits"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_answer_drafts_what_makes_it_able_to() {
    let text = after(WIDE, Ok(Box::new(said(&[&NOT_DRAWN]))), "7 d").await.text();
    assert!(text.contains("\"explore\": 0.2"), "{text}");
}
