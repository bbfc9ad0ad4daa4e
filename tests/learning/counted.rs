//! What counts and what does not: cascades that were put off, other rules and texts, starts that a segment has or has not,
//! and what is left after the outcomes changed.

use super::{DAY_S, HORIZON_S, cascade, one, settings};
use cascade::learning::answer::{Alike, Answer, SegmentAnswer, Settings, answer};
use cascade::learning::history::{Cascade, Draws, Ending, Step, gather, write_header, write_rows};
use cascade::learning::policy::looks::State;
use cascade::learning::policy::{Course, Watch};
use cascade::learning::posterior::{Cell, STARTS_MAX, first};
use cascade::model::{At, Channel, Money, Segment};
use std::collections::BTreeMap;

const HOUR_S: i64 = 3_600;
const ALL: [Channel; 3] = [Channel::Whatsapp, Channel::Phone, Channel::Sms];

fn of<'a>(answer: &'a Answer, segment: &str) -> &'a SegmentAnswer {
    answer.segments.iter().find(|of| of.segment.0 == segment).unwrap()
}

/// As a store told it at a time: what ends later still runs, and what comes later has not come.
fn told(mut cascade: Cascade, end_s: i64, now_s: i64) -> Cascade {
    let now = At::from_secs(now_s);
    cascade.ending = if end_s <= now_s { Ending::At(At::from_secs(end_s)) } else { Ending::Open };
    for step in &mut cascade.steps {
        step.converted_at = step.converted_at.filter(|at| *at <= now);
    }
    cascade
}

/// So many cascades a day of each start, of which so many in ten convert after ten minutes.
fn days(segment: &str, days: std::ops::Range<i64>, starts: &[(Channel, i64, i64)]) -> Vec<Cascade> {
    let mut all = Vec::new();
    for day in days {
        for (channel, n, in_ten) in starts.iter().copied() {
            for i in 0..n {
                let lucky = (day * n + i) * 7 % 10 < in_ten;
                let id = 1_000_000 * day as u64 + 1000 * channel as u64 + i as u64;
                all.push(cascade(id, segment, channel, day * DAY_S + i, lucky.then_some(600)));
            }
        }
    }
    all
}

#[test]
fn whoever_a_pause_puts_off_counts_when_they_are_through_and_so_does_everybody_of_their_hour() {
    // The phone was paused for two days: silence ends at 80 hours, and not at 32.
    let early = cascade(1, "a", Channel::Whatsapp, 0, Some(600));
    let patient = cascade(2, "a", Channel::Whatsapp, 60, Some(50 * HOUR_S));
    let silent = cascade(3, "a", Channel::Whatsapp, 120, None);
    let at = |hour: i64| {
        let now_s = hour * HOUR_S;
        let all = [
            told(early.clone(), 600, now_s),
            told(patient.clone(), 60 + 50 * HOUR_S, now_s),
            told(silent.clone(), 80 * HOUR_S, now_s),
        ];
        let asked = answer(all, &settings(now_s));
        let of = one(&asked);
        let whatsapp = of.starts.iter().find(|start| start.start == Channel::Whatsapp).unwrap();
        (of.mature, of.running, whatsapp.conversions, of.late_conversions)
    };
    for hour in [33, 51, 79] {
        assert_eq!(at(hour), (0, 3, 0, 0), "at hour {hour}: only those who answered would count");
    }
    assert_eq!(at(80), (3, 0, 2, 0), "what ended it in time was not late");
}

#[test]
fn whoever_is_held_for_a_week_beyond_their_time_counts_as_they_stand() {
    let early = cascade(1, "a", Channel::Whatsapp, 0, Some(600));
    let held = Cascade { ending: Ending::Open, ..cascade(2, "a", Channel::Phone, 60, None) };
    let next_day = cascade(3, "a", Channel::Sms, DAY_S, None);
    let next_day = Cascade { ending: Ending::At(At::from_secs(DAY_S + HORIZON_S)), ..next_day };
    let at = |s: i64| {
        let all = [told(early.clone(), 600, s), held.clone(), next_day.clone()];
        let asked = answer(all, &settings(s));
        (one(&asked).mature, one(&asked).running)
    };
    assert_eq!(at(DAY_S + HORIZON_S), (1, 2), "others do not wait for them");
    assert_eq!(at(60 + HORIZON_S + 7 * DAY_S - 1), (1, 2));
    assert_eq!(at(60 + HORIZON_S + 7 * DAY_S), (3, 0));
}

#[test]
fn a_few_who_are_held_and_whoever_was_never_sent_to_keep_nobody_waiting() {
    let through = |id| {
        let one = cascade(id, "a", Channel::Whatsapp, 0, (id % 2 == 0).then_some(600));
        Cascade { ending: Ending::At(At::from_secs(HORIZON_S)), ..one }
    };
    let held = |id| Cascade { ending: Ending::Open, ..cascade(id, "a", Channel::Whatsapp, 0, None) };
    let unsent = |id| {
        let mut one = held(id);
        one.steps[0].sent_at = None;
        one
    };
    let at = |of: &dyn Fn(u64) -> Cascade, open: u64| {
        let all = (0..40).map(through).chain((40..40 + open).map(of));
        let asked = answer(all, &settings(HORIZON_S));
        (one(&asked).mature, one(&asked).running)
    };
    assert_eq!(at(&held, 2), (40, 2), "the two count when they are through");
    assert_eq!(at(&held, 3), (0, 43), "too many, of whom nobody knows yet");
    assert_eq!(at(&unsent, 9).0, 40);
}

/// A hundred are drawn; those of them who answer do so in an hour. Then `aside` of the others are moved by an edit.
fn set_aside(aside: u64) -> Vec<Cascade> {
    let all = (0..100).map(|id| {
        let start = if id % 2 == 0 { Channel::Whatsapp } else { Channel::Phone };
        let answers = id < 20;
        let one = cascade(id, "a", start, 0, answers.then_some(600));
        let forced = !answers && id < 20 + aside;
        Cascade { forced, ending: Ending::At(At::from_secs(HORIZON_S)), propensity: Some(0.5), ..one }
    });
    all.collect()
}

/// Whose draw counts, their conversions, and the first contacts that the costs of channels are of.
fn drawn(all: Vec<Cascade>) -> [u64; 3] {
    let asked = answer(all, &settings(HORIZON_S));
    let of = &one(&asked).starts;
    let contacts = asked.channels.iter().filter(|row| row.segment.is_some()).map(|row| row.contacts).sum();
    [of.iter().map(|start| start.n).sum(), of.iter().map(|start| start.conversions).sum(), contacts]
}

#[test]
fn those_who_answered_before_an_edit_are_no_record_of_everybody() {
    assert_eq!(drawn(set_aside(0)), [100, 20, 100]);
    assert_eq!(drawn(set_aside(5)), [95, 20, 95], "a few change little");
    assert_eq!(drawn(set_aside(60)), [0, 0, 0], "20 of 40 would be a rate that nobody had");
    let asked = answer(set_aside(60), &settings(HORIZON_S));
    let of = one(&asked);
    assert_eq!((of.excluded_by.forced, of.excluded_by.cut_short), (60, 40));
    assert!(of.reason.contains("40 were launched in hours that an edit"), "{}", of.reason);
}

/// A file has no word for them; it must not be read as a record of everybody.
#[test]
fn a_history_file_says_no_more_of_draws_than_the_record() {
    for aside in [0, 5, 60] {
        let (mut draws, mut file) = (Draws::default(), Vec::new());
        let all = set_aside(aside);
        for cascade in &all {
            draws.see(cascade);
        }
        write_header(&mut file).unwrap();
        for cascade in &all {
            write_rows(&mut file, &draws.told(cascade.clone())).unwrap();
        }
        let read = gather(file.as_slice()).unwrap().cascades;
        if aside < 60 {
            assert_eq!(drawn(read)[..2], drawn(all)[..2], "{aside} set aside");
        } else {
            let asked = answer(read, &settings(HORIZON_S));
            assert_eq!(one(&asked).state, State::NotIdentifiable);
        }
    }
}

#[test]
fn a_history_file_is_waited_for_until_its_windows_are_over() {
    // Quiet hours: the last message left at hour 21, and its window ends at hour 45.
    let mut late = cascade(1, "a", Channel::Sms, 0, None);
    late.steps[0].sent_at = Some(At::from_secs(21 * HOUR_S));
    late.steps[0].window_s = Some(24 * 3600);
    let at = |hour: i64| one(&answer([late.clone()], &settings(hour * HOUR_S))).mature;
    assert_eq!((at(44), at(45)), (0, 1));
}

/// WhatsApp, and six hours later, or later still, the phone; they answer WhatsApp after so many hours.
fn answered_late(id: u64, next_after_h: i64, answered_h: i64) -> Cascade {
    let mut one = cascade(id, "a", Channel::Whatsapp, 0, Some(answered_h * HOUR_S));
    let step = Step {
        step: 2,
        channel: Channel::Phone,
        sent_at: (next_after_h < answered_h).then(|| At::from_secs(next_after_h * HOUR_S)),
        converted_at: None,
        delivered_at: None,
        ..one.steps[0].clone()
    };
    one.steps.push(step);
    one.ending = Ending::At(At::from_secs(answered_h * HOUR_S));
    one
}

#[test]
fn a_wait_that_was_lengthened_is_not_cut_too_short() {
    let asked = |next_after_h: i64| {
        let early = (0..30).map(|id| answered_late(id, 6, 1));
        let late = (30..60).map(|id| answered_late(id, next_after_h, 7));
        let silent = (60..100).map(|id| cascade(id, "a", Channel::Whatsapp, 0, None));
        let answer = answer(early.chain(late).chain(silent), &settings(20 * DAY_S));
        answer.waits.into_iter().find(|wait| wait.channel == Channel::Whatsapp).unwrap()
    };
    assert!(asked(6).too_short, "half of them answered after the next message had left");
    let paused = asked(50);
    assert!(!paused.too_short && paused.late_share.is_none_or(|share| share < 0.01), "{}", paused.reason);
}

#[test]
fn one_start_alone_has_not_won() {
    let starts = [(Channel::Whatsapp, 5, 3)];
    let mut all = days("a", 0..50, &starts);
    for cascade in &mut all {
        cascade.propensity = Some(0.9);
    }
    let asked = answer(all.clone(), &Settings { starts: Vec::new(), ..settings(100 * DAY_S) });
    let of = one(&asked);
    assert_eq!((of.state, of.leader, of.mature), (State::NotIdentifiable, None, 250));
    assert_eq!((of.gap_sd, of.more_needed, of.next_look), (None, None, None));
    assert_eq!(of.starts.iter().map(|start| start.p_best).collect::<Vec<_>>(), [None]);
    assert!(of.reason.contains("nothing but WhatsApp was started"), "{}", of.reason);
    // While the rules draw others as well, it has not yet.
    let asked = answer(all, &settings(100 * DAY_S));
    let of = one(&asked);
    assert_eq!((of.state, of.leader, of.gap_sd), (State::Learning, None, None));
    assert!(of.starts.iter().all(|start| start.p_best.is_none() && start.propensity.is_some()));
    assert!(of.reason.contains("phone, SMS was started 0 times"), "{}", of.reason);
}

#[test]
fn a_segment_is_asked_about_its_own_starts_alone() {
    use Channel::{Email, Phone, Sms, Whatsapp};
    let mut all = days("retail", 0..40, &[(Whatsapp, 6, 2), (Phone, 6, 7), (Sms, 6, 2)]);
    all.extend(days("enterprise", 0..40, &[(Whatsapp, 6, 2), (Phone, 6, 7)]));
    all.extend(days("vip", 0..40, &[(Whatsapp, 6, 2), (Email, 6, 7)]));
    let own = [("enterprise", vec![Phone, Whatsapp]), ("vip", vec![Whatsapp, Email])];
    let asked = Settings {
        own_starts: own.into_iter().map(|(name, starts)| (Segment(name.into()), starts)).collect(),
        explore: Some(0.5),
        ..settings(60 * DAY_S)
    };
    let answer = answer(all, &asked);
    for (segment, starts, leader) in [
        ("retail", vec![Whatsapp, Phone, Sms], Phone),
        ("enterprise", vec![Whatsapp, Phone], Phone),
        ("vip", vec![Whatsapp, Email], Email),
    ] {
        let of = of(&answer, segment);
        assert_eq!((of.state, of.leader), (State::ChangeProposed, Some(leader)), "{segment}: {}", of.reason);
        assert_eq!(of.starts.iter().map(|start| start.start).collect::<Vec<_>>(), starts);
        let sum = |get: fn(&cascade::learning::answer::StartAnswer) -> Option<f64>| {
            of.starts.iter().filter_map(get).sum::<f64>()
        };
        assert!((sum(|start| start.p_best) - 1.0).abs() < 1e-5, "{segment}");
        assert!((sum(|start| start.propensity) - 1.0).abs() < 1e-5, "{segment}");
        let away: f64 =
            of.starts.iter().filter(|start| start.start != Whatsapp).filter_map(|s| s.propensity).sum();
        assert!(
            (away - 0.5).abs() < 1e-5,
            "{segment}: all that may be explored is, and nothing is lost: {away}"
        );
    }
    let against: Vec<Channel> = answer.winners.iter().map(|winner| winner.against).collect();
    assert!(against.iter().all(|channel| *channel == Whatsapp), "only what all can start with: {against:?}");
}

fn under(version: &str, cascades: impl IntoIterator<Item = Cascade>) -> Vec<Cascade> {
    cascades.into_iter().map(|cascade| Cascade { rules: version.into(), ..cascade }).collect()
}

/// Before and after a change, in two segments.
fn two_versions(before: &str, after: &str) -> Vec<Cascade> {
    let starts = ALL.map(|channel| (channel, 2, 5));
    let mut all = Vec::new();
    for segment in ["retail", "smb"] {
        all.extend(under(before, days(segment, 0..10, &starts)));
        all.extend(under(after, days(segment, 10..12, &starts)));
    }
    all
}

#[test]
fn other_texts_are_another_arm_until_the_operator_says_that_they_are_not() {
    let all = two_versions("aaaa111+cccc111", "aaaa111+cccc222");
    let asked = |equivalent: &str| {
        let equivalent = (!equivalent.is_empty()).then(|| equivalent.to_owned()).into_iter().collect();
        answer(all.clone(), &Settings { equivalent, ..settings(20 * DAY_S) })
    };
    let strict = asked("");
    assert_eq!((of(&strict, "smb").mature, of(&strict, "smb").excluded_by.other_rules), (12, 60));
    assert_eq!(strict.freshness.rules_hash.as_deref(), Some("aaaa111"));
    let note = strict.notes.iter().find(|note| note.contains("left out")).unwrap();
    assert!(note.contains("120 under aaaa111+cccc111") && note.contains("equivalent"), "{note}");
    assert_eq!(of(&asked("cccc111"), "smb").mature, 72);
    assert_eq!(of(&asked("cccc"), "smb").mature, 12, "that is too short a name");
    assert_eq!(of(&asked("aaaa111"), "smb").mature, 12, "that it is not the rules was clear");
}

#[test]
fn rules_that_walk_the_same_are_no_other_rules() {
    let all = two_versions("aaaa111+cc", "bbbb222+cc");
    let named = [(Segment("smb".into()), false)].into_iter().collect();
    let alike = BTreeMap::from([("aaaa111".to_owned(), Alike { named, others: true })]);
    let asked = Settings { rules: Some("bbbb222+cc".into()), alike, ..settings(20 * DAY_S) };
    let answer = answer(all, &asked);
    assert_eq!((of(&answer, "retail").mature, of(&answer, "retail").excluded), (72, 0));
    assert_eq!((of(&answer, "smb").mature, of(&answer, "smb").excluded), (12, 60));
    // How old they are is told of these very rules.
    assert_eq!((answer.freshness.cascades, answer.freshness.days), (24, Some(10.0)));
}

#[test]
fn after_a_change_the_rows_are_of_those_who_are_left() {
    let before = ALL.map(|channel| (channel, 12, if channel == Channel::Whatsapp { 7 } else { 2 }));
    let after = ALL.map(|channel| (channel, 12, if channel == Channel::Phone { 6 } else { 2 }));
    let mut all = days("a", 0..60, &before);
    all.extend(days("a", 60..100, &after));
    let asked = answer(all, &settings(110 * DAY_S));
    let of = one(&asked);
    let reset = of.resets.last().unwrap().0 / 86_400_000;
    assert!((62..75).contains(&reset), "{reset}");
    assert_eq!(of.mature, 3600, "the count goes on");
    // The fortnight that was kept then, and all since. What is launched on one day matures on the next.
    let left = 12 * (100 - (reset - 13 - 1)) as u64;
    for start in &of.starts {
        assert_eq!((start.n, start.n_all), (left, 1200), "{}", start.start);
    }
    let row = |channel| of.starts.iter().find(|start| start.start == channel).unwrap();
    let phone = row(Channel::Phone);
    assert!(phone.conversion_rate.unwrap() > 0.45, "what was dropped is in no rate: {phone:?}");
    assert_eq!(asked.overall.iter().map(|row| row.n).collect::<Vec<_>>(), [left; 3]);
    let spent: f64 = phone.cost.0.to_string().parse().unwrap();
    assert!((spent - 0.05 * left as f64).abs() < 1e-6, "{spent}");
}

#[test]
fn costs_of_channels_are_those_of_what_counts() {
    let mut all = days("a", 0..10, &[(Channel::Whatsapp, 4, 5)]);
    all[0].forced = true;
    all[1].rules = "before".into();
    let converted = |cascade: &Cascade| cascade.steps[0].converted_at.is_some();
    assert_eq!(all.iter().filter(|cascade| converted(cascade)).count(), 20);
    let lucky = all.iter().skip(2).position(converted).unwrap() + 2;
    let sent = all[lucky].launched_at;
    all[lucky].steps[0].converted_at = Some(At(sent.0 + (HORIZON_S + 1) * 1000));
    let left_out = all[..2].iter().filter(|cascade| converted(cascade)).count() as u64;
    let asked = answer(all, &settings(100 * DAY_S));
    let row = asked.channels.iter().find(|row| row.segment.is_none()).unwrap();
    assert_eq!((row.contacts, row.conversions), (38, 20 - left_out - 1));
}

#[test]
fn each_segment_has_its_own_margin() {
    let cells: [Cell; STARTS_MAX] = std::array::from_fn(|c| {
        let n = if c < 2 { 4000.0 } else { 0.0 };
        Cell { n, sum: 1.5 * n, sum_of_squares: 7.5 * n }
    });
    let margins = [0.1, 0.001];
    let mut course = Course::of(2, margins.map(|margin| Watch::new(first(2), 0, margin)).into());
    course.day(0, &[cells, cells], |_, _| ());
    let states: Vec<State> = course.watches.iter().map(|watch| watch.state).collect();
    assert_eq!(states, [State::NoPracticalDifference, State::Learning]);
}

#[test]
fn a_proposed_change_is_not_denied_because_nothing_was_launched_lately() {
    let starts = [(Channel::Whatsapp, 5, 2), (Channel::Phone, 5, 6), (Channel::Sms, 5, 2)];
    let asked = answer(days("a", 0..24, &starts), &settings(90 * DAY_S));
    assert_eq!(one(&asked).state, State::ChangeProposed);
    let fresh = &asked.freshness;
    assert_eq!(fresh.cost_of_not_changing, Some(Money::parse("0.00").unwrap()));
    assert!(
        fresh.reason.contains("a change is proposed") && !fresh.reason.contains("no change"),
        "{}",
        fresh.reason
    );
}
