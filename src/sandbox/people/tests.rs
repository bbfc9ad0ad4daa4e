//! The default population, planned for many seeds without a single request.

use super::*;

fn list(segments: &[&str], languages: &[&str]) -> Vec<(Phone, Segment, Option<String>)> {
    let person = |i: usize| {
        let phone = Phone::parse_e164(&format!("+1415555{:04}", 100 + i * 37)).unwrap();
        let language = languages.get(i % languages.len().max(1)).map(|l| (*l).to_owned());
        (phone, Segment(segments[i % segments.len()].to_owned()), language.filter(|l| !l.is_empty()))
    };
    (0..100).map(person).collect()
}

fn lists() -> Vec<Vec<(Phone, Segment, Option<String>)>> {
    let mut ten = vec!["en"; 12];
    ten.extend(["es", "es", "de"]);
    vec![
        list(&["enterprise", "smb", "retail"], &ten),
        list(&["default"], &[]),
        list(&["a", "b"], &["en_US", "en_US", "en_GB", "fr"]),
        list(&["retail", "retail", "enterprise"], &["en", "de"]),
    ]
}

/// Who ends where, walking WhatsApp, phone, SMS, with the rare language held.
#[derive(Debug, Default)]
struct Walk {
    whatsapp: Vec<Text>,
    phone: Vec<Voice>,
    sms: Vec<Text>,
    throttled: usize,
}

fn walk(people: &People, customers: &[(Phone, Segment, Option<String>)]) -> Walk {
    let mut walk = Walk::default();
    for (phone, _, language) in customers {
        let held = language.as_deref().map(language_key).as_deref() == people.rare_language();
        if held && people.rare_language().is_some() {
            continue;
        }
        let plan = people.plan(phone.as_str());
        walk.whatsapp.push(plan.whatsapp);
        let ends = |text| match text {
            Text::Says(saying) => saying != Saying::AutoReply,
            Text::Clicks | Text::Refused(131_050 | 21610) => true,
            Text::Refused(_) | Text::Failed(_) | Text::Pending | Text::Silent { .. } | Text::Scanned => false,
        };
        if ends(plan.whatsapp) {
            continue;
        }
        walk.throttled += usize::from(plan.throttled);
        walk.phone.push(plan.phone);
        if !matches!(plan.phone, Voice::Answers(_)) {
            walk.sms.push(plan.sms);
        }
    }
    walk
}

#[test]
fn every_list_of_a_hundred_holds_the_failures_of_a_first_pilot() {
    for customers in lists() {
        for seed in 1..=20 {
            let mut people = People::new(seed, None);
            people.know(&customers);
            let walk = walk(&people, &customers);
            let texts =
                |list: &[Text], wanted: &dyn Fn(Text) -> bool| list.iter().filter(|t| wanted(**t)).count();
            let lost = texts(&walk.whatsapp, &|t| t == Text::Failed(131_026));
            let capped = texts(&walk.whatsapp, &|t| t == Text::Failed(131_049));
            let stops = texts(&walk.whatsapp, &|t| t == Text::Says(Saying::Stop));
            assert_eq!((lost, capped, stops), (4, 2, 2), "seed {seed}");
            let replies = texts(&walk.whatsapp, &|t| matches!(t, Text::Says(s) if s != Saying::Stop));
            assert_eq!(replies, 28, "seed {seed}");
            assert_eq!(texts(&walk.whatsapp, &|t| t == Text::Clicks), 5, "seed {seed}");
            let read = texts(&walk.whatsapp, &|t| {
                matches!(t, Text::Says(_) | Text::Clicks | Text::Silent { read: true })
            });
            assert!((55..=80).contains(&read), "{read} read, seed {seed}");
            let calls = |wanted: &dyn Fn(Voice) -> bool| walk.phone.iter().filter(|v| wanted(**v)).count();
            assert!((48..=65).contains(&walk.phone.len()), "{} called, seed {seed}", walk.phone.len());
            assert_eq!(calls(&|v| matches!(v, Voice::Answers(_))), 18, "seed {seed}");
            assert_eq!(calls(&|v| v == Voice::Answers(Saying::Stop)), 1, "seed {seed}");
            assert!(calls(&|v| v == Voice::Machine) >= 8, "seed {seed}");
            assert!(calls(&|v| matches!(v, Voice::Busy | Voice::Silent)) >= 12, "seed {seed}");
            assert_eq!(walk.throttled, 5, "seed {seed}");
            // One opt-out by SMS stays below one in twenty.
            assert!(walk.sms.len() > 25, "{} texted, seed {seed}", walk.sms.len());
            assert_eq!(texts(&walk.sms, &|t| t == Text::Says(Saying::Stop)), 1, "seed {seed}");
            assert_eq!(texts(&walk.sms, &|t| matches!(t, Text::Failed(30003 | 30006))), 2, "seed {seed}");
            assert_eq!(texts(&walk.sms, &|t| t == Text::Clicks), 6, "seed {seed}");
            assert_eq!(texts(&walk.sms, &|t| t == Text::Scanned), 1, "seed {seed}");
        }
    }
}

#[test]
fn the_order_of_the_list_changes_nobody() {
    let customers = list(&["enterprise", "smb", "retail"], &["en"]);
    let mut backwards = customers.clone();
    backwards.reverse();
    let (mut one, mut other) = (People::new(7, None), People::new(7, None));
    one.know(&customers);
    other.know(&backwards);
    assert!(customers.iter().all(|(phone, ..)| one.plan(phone.as_str()) == other.plan(phone.as_str())));
}

#[test]
fn segments_differ() {
    let customers = list(&["enterprise", "retail"], &["en"]);
    let (mut written, mut spoken) = ([0, 0], [0, 0]);
    for seed in 1..=20 {
        let mut people = People::new(seed, None);
        people.know(&customers);
        for (i, (phone, ..)) in customers.iter().enumerate() {
            let plan = people.plan(phone.as_str());
            written[i % 2] += u32::from(matches!(plan.whatsapp, Text::Says(_) | Text::Clicks));
            spoken[i % 2] += u32::from(matches!(plan.phone, Voice::Answers(_)));
        }
    }
    assert!(written[1] > written[0] * 3 / 2, "retail writes: {written:?}");
    assert!(spoken[0] > spoken[1] * 3 / 2, "enterprise picks up: {spoken:?}");
}

#[test]
fn only_a_small_language_among_others_is_rare() {
    let rare = |languages: &[&str]| population::rare_language(&list(&["a"], languages));
    assert_eq!(rare(&["en"]), None);
    assert_eq!(rare(&["en", "de"]), None, "half of all customers is not rare");
    let mut mostly = vec!["en_US"; 14];
    mostly.push("de");
    assert_eq!(rare(&mostly).as_deref(), Some("de"));
}

#[test]
fn acts_keep_away_from_the_ends_of_the_default_waits() {
    let people = People::new(3, None);
    for i in 0..2000 {
        let number = format!("+1415556{i:04}");
        let times = text_times(&people.draw(&number, Channel::Whatsapp), Channel::Whatsapp, Pace::Ordinary);
        assert!(times.delivered < times.read && times.read < times.act, "{times:?}");
        assert!(times.act <= (6 * 60 - 10) * 60_000, "{times:?}");
        let sms = text_times(&people.draw(&number, Channel::Sms), Channel::Sms, Pace::Ordinary);
        assert!(sms.act <= (24 * 60 - 10) * 60_000, "{sms:?}");
        let quick = text_times(&people.draw(&number, Channel::Sms), Channel::Sms, Pace::Quick);
        assert!(quick.sent >= 100 && quick.act <= 2000, "{quick:?}");
    }
}

#[test]
fn strangers_have_the_same_shares() {
    let people = People::new(5, None);
    let lost = (0..10_000)
        .filter(|i| people.plan(&format!("+4420{i:08}")).whatsapp == Text::Failed(131_026))
        .count();
    assert!((300..=500).contains(&lost), "{lost} of 10000 not on WhatsApp");
}

#[test]
fn a_named_persona_wins() {
    let scenario = Scenario::parse(r#"{"numbers":{"+14155550100":"bad_number"}}"#).unwrap();
    let people = People::new(1, Some(scenario));
    let plan = people.plan("+14155550100");
    assert_eq!((plan.phone, plan.sms), (Voice::Misdialed, Text::Refused(21211)));
}
