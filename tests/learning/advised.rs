//! Advice on waits is about the wait in force, whatever the contacts on the record were sent under.

use super::{DAY_S, cascade, file, money, near, number, settings};
use cascade::learning::answer::{Answer, Settings, WaitAnswer, Waits, answer};
use cascade::learning::history::Cascade;
use cascade::model::{At, Channel, Money, Segment};

const HOUR_S: u64 = 3_600;

/// Contacts under these rules and a wait, of which half convert, as late as `after` says of a share.
fn contacts(segment: &str, rules: &str, wait_s: u64, n: u64, after: impl Fn(f64) -> f64) -> Vec<Cascade> {
    let one = |i: u64| {
        let converts = i.is_multiple_of(2);
        let at_s = after((i as f64 + 1.0) / (n as f64 + 1.0)) as i64;
        let mut one = cascade(i, segment, Channel::Whatsapp, i as i64 * 60, converts.then_some(at_s));
        (one.rules, one.steps[0].window_s) = (rules.into(), Some(wait_s));
        one
    };
    (0..n).map(one).collect()
}

/// Within an hour, evenly.
fn soon(share: f64) -> f64 {
    share * 3_600.0
}

/// A third of what is left comes every hour: there is always something that comes later.
fn fading(share: f64) -> f64 {
    -(1.0 - share).ln() * 2.5 * 3_600.0
}

fn main(wait_s: u64) -> Waits {
    Waits { main: [(Channel::Whatsapp, wait_s)].into(), ..Waits::default() }
}

fn asked(all: &[Cascade], rules: Option<&str>, waits: Option<Waits>) -> Answer {
    let rules = rules.map(ToOwned::to_owned);
    let settings = Settings { now: At::from_secs(100 * DAY_S), rules, waits, ..Settings::default() };
    answer(all.to_vec(), &settings)
}

fn of<'a>(answer: &'a Answer, segment: Option<&str>) -> &'a WaitAnswer {
    answer.waits.iter().find(|wait| wait.segment.as_ref().map(|s| s.0.as_str()) == segment).unwrap()
}

#[test]
fn a_wait_that_was_adopted_is_not_advised_again() {
    let mut all = contacts("a", "old", 6 * HOUR_S, 400, soon);
    let before = asked(&all, None, None);
    let advised = of(&before, None).suggested_wait_s.filter(|_| of(&before, None).suggest_change).unwrap();
    assert!((3_000..=4_200).contains(&advised), "{advised}");
    assert_eq!(of(&before, None).under_other_waits, 0);

    // Nobody was contacted under it yet: what it catches is known from those who were followed longer.
    let adopted = asked(&all, Some("new"), Some(main(advised)));
    for segment in [None, Some("a")] {
        let wait = of(&adopted, segment);
        assert_eq!((wait.window_s, wait.status, wait.suggest_change), (advised, "ok", false));
        assert_eq!((wait.contacts, wait.under_other_waits), (400, 400));
        assert!(wait.reason.contains("1h stays"), "{}", wait.reason);
        let none = "nobody was sent anything under this wait yet: all 400 contacts had another one";
        assert!(wait.reason.contains(none), "{}", wait.reason);
    }
    let note = adopted.notes.iter().find(|note| note.contains("other rules")).unwrap();
    assert!(note.contains("left out of starts and costs") && note.contains("Waits count"), "{note}");

    all.extend(contacts("a", "new", advised, 100, soon));
    let since = asked(&all, Some("new"), Some(main(advised)));
    let wait = of(&since, None);
    assert_eq!((wait.contacts, wait.under_other_waits, wait.suggest_change), (500, 400, false));
    assert!(wait.reason.ends_with("400 of 500 contacts had another wait"), "{}", wait.reason);
}

#[test]
fn advice_that_is_followed_brings_no_further_advice() {
    let mut all = contacts("a", "old", 24 * HOUR_S, 1_200, fading);
    let mut wait_s = 24 * HOUR_S;
    let mut advised = Vec::new();
    for turn in 0..4 {
        let rules = format!("rules {turn}");
        let answer = asked(&all, Some(&rules), Some(main(wait_s)));
        let wait = of(&answer, None);
        assert!(!wait.too_short, "{}", wait.reason);
        if let Some(then) = wait.suggested_wait_s.filter(|_| wait.suggest_change) {
            advised.push(then);
            wait_s = then;
        }
        // What came later than the next message is on the record as well.
        all.extend(contacts("a", &rules, wait_s, 1_200, fading));
    }
    // A tenth may come later, and not a tenth of the rest with every turn.
    assert_eq!(advised.len(), 1, "{advised:?}");
    assert!((5.7..7.0).contains(&(advised[0] as f64 / HOUR_S as f64)), "{advised:?}");
}

#[test]
fn a_longer_wait_is_asked_for_until_the_rules_have_it() {
    // Evenly over ten hours: two in five come later than the wait was.
    let late = |share: f64| share * 36_000.0;
    let all = contacts("a", "old", 6 * HOUR_S, 400, late);
    assert!(of(&asked(&all, None, None), None).too_short);
    let longer = asked(&all, Some("new"), Some(main(10 * HOUR_S)));
    let wait = of(&longer, None);
    assert_eq!((wait.window_s, wait.too_short, wait.suggest_change), (36_000, false, false));
    // Nobody has waited so long yet, and what comes by its end is not known.
    assert_eq!((wait.status, wait.suggested_wait_s), ("not_followed_to_the_end", None));
    let still = asked(&all, Some("new"), Some(main(7 * HOUR_S)));
    assert!(of(&still, None).too_short, "three in ten come even later: {}", of(&still, None).reason);
}

#[test]
fn a_segment_with_waits_of_its_own_is_advised_on_them() {
    let mut all = contacts("a", "now", 6 * HOUR_S, 200, soon);
    all.extend(contacts("vip", "now", 6 * HOUR_S, 200, soon));
    let own = [(Segment("vip".into()), [(Channel::Whatsapp, HOUR_S)].into())].into();
    let answer = asked(&all, Some("now"), Some(Waits { own, ..main(6 * HOUR_S) }));
    let said = |segment| (of(&answer, segment).window_s, of(&answer, segment).suggest_change);
    assert_eq!((said(None), said(Some("a"))), ((6 * HOUR_S, true), (6 * HOUR_S, true)));
    assert_eq!(said(Some("vip")), (HOUR_S, false));
}

#[test]
fn where_the_rules_let_nobody_wait_there_is_nothing_to_advise() {
    let all = contacts("a", "old", 6 * HOUR_S, 400, soon);
    let answer = asked(&all, Some("new"), Some(Waits::default()));
    let wait = of(&answer, None);
    assert_eq!((wait.window_s, wait.suggested_wait_s, wait.suggest_change), (6 * HOUR_S, None, false));
    assert!(wait.reason.contains("nobody waits here any more: 6h it was"), "{}", wait.reason);
}

/// A history file is in force as it is: the rules here may wait longer than anybody in it did.
#[test]
fn a_file_whose_contacts_waited_less_is_advised_on_what_they_waited() {
    let all = contacts("a", "theirs", 4 * HOUR_S, 400, soon);
    let window = |wait_s| {
        let answer = asked(&all, None, Some(main(wait_s)));
        (of(&answer, None).window_s, of(&answer, None).suggest_change)
    };
    assert_eq!(window(6 * HOUR_S), (4 * HOUR_S, true));
    assert_eq!(window(HOUR_S), (HOUR_S, false), "what the rules here have is not proposed to them");
}

/// Whoever picks up does so at once; how long to wait for the others that does not say.
#[test]
fn no_wait_on_the_phone_becomes_shorter_than_a_missed_call_takes() {
    let of = |channel: Channel| {
        let all = (0..200_i64).map(|id| {
            let mut one = cascade(id as u64, "a", channel, id * 60, (id % 3 == 0).then_some(20 + id));
            one.steps[0].window_s = Some(2 * 3600);
            one
        });
        let answer = answer(all, &settings(100 * DAY_S));
        answer.waits.into_iter().find(|wait| wait.segment.is_none()).unwrap()
    };
    let (phone, sms) = (of(Channel::Phone), of(Channel::Sms));
    assert_eq!((sms.suggested_wait_s, phone.suggested_wait_s), (Some(300), Some(1_800)));
    assert_eq!((phone.saved_s, phone.missed_on_record), (Some(5_400), Some(0)));
    assert!(phone.reason.contains("wait 30m instead of 2h"), "{}", phone.reason);
    assert!(phone.reason.contains("calls back") && !sms.reason.contains("calls back"), "{}", phone.reason);
}

/// WhatsApp for six hours, then a call, then an SMS whose answers count for a day; some convert early, few late.
fn ladders() -> Vec<Cascade> {
    let step = |cascade: &Cascade, place: i64, channel: Channel, window_h: u64, cost: &str| {
        let mut step = cascade.steps[0].clone();
        let sent = At(cascade.launched_at.0 + [0, 6, 8][place as usize] * 3_600_000);
        (step.step, step.channel, step.sent_at) = (place as u32 + 1, channel, Some(sent));
        (step.window_s, step.delivered_at, step.converted_at) = (Some(window_h * 3600), Some(sent), None);
        step.cost = money(cost);
        step
    };
    let one = |id: i64| {
        let mut one = cascade(id as u64, "a", Channel::Whatsapp, id * 600, None);
        let of = |place, channel, window_h, cost| step(&one, place, channel, window_h, cost);
        let mut steps = vec![
            of(0, Channel::Whatsapp, 6, "0.05"),
            of(1, Channel::Phone, 2, "0.40"),
            of(2, Channel::Sms, 24, "0.04"),
        ];
        let after = |place: usize, minutes: i64| Some(At(steps[place].sent_at.unwrap().0 + minutes * 60_000));
        let (taken, converted) = match id % 20 {
            0..6 => (1, after(0, 30 + id % 7)),
            6 if id % 100 == 6 => (1, after(0, 330)),
            7..9 => (2, after(1, 1)),
            9..12 => (3, after(2, 20)),
            _ => (3, None),
        };
        steps[taken - 1].converted_at = converted;
        for untaken in &mut steps[taken..] {
            (untaken.sent_at, untaken.delivered_at, untaken.cost) = (None, None, Money::ZERO);
        }
        one.steps = steps;
        one
    };
    (0..400).map(one).collect()
}

/// What a wait was shortened by is lost on the message that follows, not on the channel that waits.
#[test]
fn a_shorter_wait_costs_the_next_message() {
    let answer = answer(ladders(), &settings(100 * DAY_S));
    let whatsapp = &answer.waits[0];
    assert_eq!((whatsapp.channel, whatsapp.segment.clone()), (Channel::Whatsapp, None));
    assert!(whatsapp.suggest_change && whatsapp.window_s == 6 * 3600, "{}", whatsapp.reason);
    assert_eq!(whatsapp.missed_on_record, Some(4));
    assert_eq!(whatsapp.missed_cost, Some(money("1.60")), "four calls");
}

/// A conversion window is no wait: there is nothing to send sooner.
#[test]
fn the_last_step_gets_no_advice_on_its_wait() {
    let answer = answer(ladders(), &settings(100 * DAY_S));
    let sms = answer.waits.iter().find(|wait| wait.channel == Channel::Sms).unwrap();
    assert_eq!((sms.window_s, sms.status), (24 * 3600, "ok"));
    assert!(sms.t90_s.unwrap() < 3600.0, "all of them come soon");
    assert_eq!((sms.suggested_wait_s, sms.suggest_change, sms.too_short), (None, false, false));
    assert!(sms.reason.starts_with("the last step waits for nothing: 24h"), "{}", sms.reason);
    // In another segment it is another one's last step, and the longest walk of all is no measure.
    let mut mixed = ladders();
    for (at, cascade) in ladders().into_iter().enumerate() {
        let mut short = cascade;
        short.id = format!("b{at}").as_str().into();
        short.segment = Segment("b".into());
        short.steps.truncate(2);
        mixed.push(short);
    }
    let answer = self::answer(mixed, &settings(100 * DAY_S));
    let phone = |segment: &str| {
        let of = |wait: &&WaitAnswer| wait.segment.as_ref().is_some_and(|s| s.0 == segment);
        answer.waits.iter().filter(of).find(|wait| wait.channel == Channel::Phone).unwrap()
    };
    assert!(phone("a").suggested_wait_s.is_some(), "{}", phone("a").reason);
    assert!(phone("b").suggested_wait_s.is_none(), "{}", phone("b").reason);
}

/// The reference of running waits, as a record.
#[test]
fn waits_come_out_of_the_record_as_they_are() {
    let reference = file("w2_running");
    let now_s = 10_000_000;
    let rows = reference["rows"].as_array().unwrap();
    let all = rows.iter().zip(0..).map(|(row, id)| {
        let sent = now_s - number(row, "/age_s") as i64;
        let mut one = cascade(id, "a", Channel::Whatsapp, sent, row["event_s"].as_i64());
        one.steps[0].opted_out_at = row["opted_out_s"].as_i64().map(|s| At::from_secs(sent + s));
        one
    });
    let answer = answer(all, &settings(now_s));
    let wait = answer.waits.iter().find(|wait| wait.segment.is_none()).unwrap();
    let expected = &reference["expected"];
    assert_eq!((wait.contacts, wait.events, wait.status), (260, 95, "ok"));
    near("t80", wait.t80_s.unwrap(), number(expected, "/t80_s/estimate"), 1e-8);
    near("t90 high", wait.t90_high_s.unwrap(), number(expected, "/t90_s/high"), 1e-8);
    assert_eq!(wait.suggested_wait_s, Some(20_100));
    assert!(!wait.suggest_change);
    let rule = "80 % of conversions arrive in the first 33 % of the window (20 % to 58 %)";
    assert!(wait.reason.starts_with(rule), "{}", wait.reason);
    assert_eq!(answer.waits[1].segment, Some(Segment("a".into())));
    near("G at the middle", wait.share_by_fraction[4][1], number(expected, "/share_by_fraction/5/km"), 1e-6);
}
