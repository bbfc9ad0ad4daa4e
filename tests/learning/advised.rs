//! Advice on waits is about the wait in force, whatever the contacts on the record were sent under.

use super::cascade;
use cascade::learning::answer::{Answer, Settings, WaitAnswer, Waits, answer};
use cascade::learning::history::Cascade;
use cascade::model::{At, Channel, Segment};

const HOUR_S: u64 = 3_600;
const DAY_S: i64 = 86_400;

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
