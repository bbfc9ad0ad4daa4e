use super::*;
use proptest::prelude::*;

const HOUR: u64 = 3600;

fn at(s: i64) -> At {
    At::from_secs(1_000_000 + s)
}

fn cents(cents: u64) -> Money {
    Money(rust_decimal::Decimal::new(cents as i64, 2))
}

fn step(place: u32, channel: Channel, sent: Option<i64>, window_s: u64) -> Step {
    Step {
        step: place,
        channel,
        sent_at: sent.map(at),
        window_s: Some(window_s),
        delivered_at: sent.map(at),
        bounced_at: None,
        converted_at: None,
        opted_out_at: None,
        cost: sent.map_or(Money::ZERO, |_| cents(5 * u64::from(place))),
    }
}

/// WhatsApp 6 h, phone 2 h, SMS with a window of a day: silent from end to end.
fn silent() -> Cascade {
    let steps = vec![
        step(1, Channel::Whatsapp, Some(0), 6 * HOUR),
        step(2, Channel::Phone, Some(6 * 3600 + 60), 2 * HOUR),
        step(3, Channel::Sms, Some(8 * 3600 + 200), 24 * HOUR),
    ];
    Cascade {
        id: "1".into(),
        segment: Segment("retail".into()),
        start: Channel::Whatsapp,
        propensity: None,
        rules: "r".into(),
        launched_at: at(0),
        horizon_s: Some(32 * HOUR),
        ending: Ending::Untold,
        forced: false,
        steps,
    }
}

/// They answered this step so long after it was sent; what follows was not sent.
fn answered(place: usize, after_s: i64) -> Cascade {
    let mut cascade = silent();
    let sent = cascade.steps[place].sent_at.unwrap();
    cascade.steps[place].converted_at = Some(sent + TimeDelta::seconds(after_s));
    for step in &mut cascade.steps[place + 1..] {
        (step.sent_at, step.delivered_at, step.cost) = (None, None, Money::ZERO);
    }
    cascade
}

fn rules(steps: &[(Channel, u64)], window_s: u64) -> Other {
    let ways = steps.iter().enumerate().map(|(i, (channel, wait_s))| Way {
        channel: *channel,
        wait_s: (i + 1 < steps.len()).then_some(*wait_s),
        same: true,
        bounce_waits: false,
        most: cents(100),
    });
    Other { ways: ways.collect(), window_s, same_hours: true }
}

fn as_recorded() -> Other {
    rules(&[(Channel::Whatsapp, 6 * HOUR), (Channel::Phone, 2 * HOUR), (Channel::Sms, 0)], 24 * HOUR)
}

fn with_first_wait(hours: u64) -> Other {
    rules(&[(Channel::Whatsapp, hours * HOUR), (Channel::Phone, 2 * HOUR), (Channel::Sms, 0)], 24 * HOUR)
}

/// Whether it converts (`None`: not known), between which costs in cents, and why not known.
fn said(cascade: &Cascade, other: &Other) -> (Option<bool>, (u64, u64), Option<Why>) {
    let fate = fate(cascade, other, at(40 * 3600));
    let (low, high) = fate.converted;
    let bounds = |money: Money| u64::try_from((money.0 * rust_decimal::Decimal::from(100)).mantissa()).ok();
    let cents = |money: Money| bounds(Money(money.0.round_dp(2))).map_or(0, |c| c / 10_u64.pow(2));
    assert_eq!(fate.why.is_some(), low != high);
    ((low == high).then_some(low), (cents(fate.cost.0), cents(fate.cost.1)), fate.why)
}

#[test]
fn the_same_rules_are_certain_for_everybody() {
    let other = as_recorded();
    assert_eq!(said(&silent(), &other), (Some(false), (30, 30), None));
    for (place, cost) in [(0, 5), (1, 15), (2, 30)] {
        assert_eq!(said(&answered(place, 600), &other), (Some(true), (cost, cost), None));
    }
    // An answer that came when the next step was due and had not left yet.
    assert_eq!(said(&answered(0, 6 * 3600 + 30), &other), (Some(true), (5, 5), None));
    // After the last window it does not count.
    assert_eq!(said(&answered(2, 25 * 3600), &other), (Some(false), (30, 30), None));
}

#[test]
fn a_shorter_wait_is_certain_for_whoever_reacted_within_it() {
    let other = with_first_wait(2);
    assert_eq!(said(&answered(0, 3600), &other), (Some(true), (5, 5), None));
    assert_eq!(said(&answered(0, 3 * 3600), &other), (None, (5, 205), Some(Why::ShorterWait)));
    assert_eq!(said(&silent(), &other), (None, (5, 205), Some(Why::ShorterWait)));
}

#[test]
fn a_longer_wait_is_certain_until_the_record_sent_something() {
    let other = with_first_wait(9);
    assert_eq!(said(&answered(0, 5 * 3600), &other), (Some(true), (5, 5), None));
    assert_eq!(said(&silent(), &other), (None, (5, 205), Some(Why::LongerWait)));
    // They said no within the recorded wait, at an hour nobody wrote down: sooner than nine in any case.
    let mut declined = answered(0, 60);
    declined.steps[0].converted_at = None;
    assert_eq!(said(&declined, &other), (Some(false), (5, 5), None));
    assert_eq!(said(&declined, &with_first_wait(2)), (None, (5, 205), Some(Why::ShorterWait)));
}

#[test]
fn what_was_never_tried_is_open() {
    let elsewhere = rules(&[(Channel::Phone, HOUR), (Channel::Whatsapp, 0)], 24 * HOUR);
    assert_eq!(said(&silent(), &elsewhere), (None, (0, 200), Some(Why::OtherStart)));
    let sms_next = rules(&[(Channel::Whatsapp, 6 * HOUR), (Channel::Sms, 0)], 24 * HOUR);
    assert_eq!(said(&silent(), &sms_next), (None, (5, 105), Some(Why::OtherStep)));
    assert_eq!(said(&answered(0, 60), &sms_next), (Some(true), (5, 5), None));
    let one_more = rules(
        &[
            (Channel::Whatsapp, 6 * HOUR),
            (Channel::Phone, 2 * HOUR),
            (Channel::Sms, 4 * HOUR),
            (Channel::Email, 0),
        ],
        24 * HOUR,
    );
    assert_eq!(said(&silent(), &one_more), (None, (30, 130), Some(Why::OtherStep)));
    assert_eq!(said(&answered(2, 3600), &one_more), (Some(true), (30, 30), None));
    assert_eq!(said(&answered(2, 5 * 3600), &one_more), (None, (30, 130), Some(Why::OtherStep)));
    let mut other = as_recorded();
    other.same_hours = false;
    assert_eq!(said(&silent(), &other), (None, (0, 300), Some(Why::OtherHours)));
    let mut other = as_recorded();
    other.ways[1].same = false;
    assert_eq!(said(&silent(), &other), (None, (5, 205), Some(Why::OtherTerms)));
    assert_eq!(said(&answered(0, 60), &other), (Some(true), (5, 5), None));
}

#[test]
fn fewer_steps_are_certain_until_the_step_that_is_left_out() {
    let one = |window_s| rules(&[(Channel::Whatsapp, 0)], window_s);
    assert_eq!(said(&answered(0, 3600), &one(24 * HOUR)), (Some(true), (5, 5), None));
    assert_eq!(said(&silent(), &one(6 * HOUR)), (Some(false), (5, 5), None));
    // The call may have moved them, or kept them from answering: what it cost is known all the same.
    assert_eq!(said(&silent(), &one(24 * HOUR)), (None, (5, 5), Some(Why::LongerWindow)));
    assert_eq!(said(&answered(1, 60), &one(24 * HOUR)), (None, (5, 5), Some(Why::LongerWindow)));
    assert_eq!(said(&answered(0, 3600), &one(HOUR / 2)), (Some(false), (5, 5), None));
}

#[test]
fn a_bounce_goes_on_at_once_whatever_the_wait() {
    let mut bounced = silent();
    bounced.steps[0].bounced_at = Some(at(30));
    for (step, sent) in bounced.steps[1..].iter_mut().zip([40, 2 * 3600 + 200]) {
        step.sent_at = Some(at(sent));
    }
    assert_eq!(said(&bounced, &with_first_wait(1)), (Some(false), (30, 30), None));
    let mut sits_out = with_first_wait(1);
    sits_out.ways[0].bounce_waits = true;
    assert_eq!(said(&bounced, &sits_out).0, None);
}

#[test]
fn whoever_cannot_be_reached_somewhere_cannot_be_under_other_rules_either() {
    let mut no_phone = silent();
    no_phone.steps[1] = step(2, Channel::Phone, None, 2 * HOUR);
    let phone_first =
        rules(&[(Channel::Phone, HOUR), (Channel::Whatsapp, 6 * HOUR), (Channel::Sms, 0)], 24 * HOUR);
    assert_eq!(said(&no_phone, &phone_first), (Some(false), (20, 20), None));
}

#[test]
fn sums_keep_the_bounds_and_what_is_not_counted() {
    let mut replay = Replay::default();
    let other = with_first_wait(2);
    let mut forced = silent();
    forced.forced = true;
    for cascade in [silent(), answered(0, 600), answered(0, 4 * 3600), forced] {
        replay.add(&cascade, &other, at(40 * 3600));
    }
    replay.add(&silent(), &other, at(3600));
    assert_eq!((replay.running, replay.left_out), (1, 1));
    let all = &replay.all;
    assert_eq!((all.people, all.determined), (3, 1));
    assert_eq!(all.conversions, (1, 3));
    assert_eq!((all.recorded_conversions, all.recorded_cost), (2, cents(40)));
    assert_eq!(all.cost, (cents(15), cents(415)));
    assert_eq!(all.open, BTreeMap::from([(Why::ShorterWait, 2)]));
    assert_eq!(replay.segments[&Segment("retail".into())], *all);
}

#[test]
fn what_still_runs_says_nothing_yet() {
    // The call is put off by a pause: in time for the record to say something, nothing was sent after WhatsApp.
    let mut paused = silent();
    for step in &mut paused.steps[1..] {
        (step.sent_at, step.delivered_at, step.cost) = (None, None, Money::ZERO);
    }
    let replayed = |ending: Ending| {
        let mut replay = Replay::default();
        replay.add(&Cascade { ending, ..paused.clone() }, &with_first_wait(9), at(40 * 3600));
        (replay.running, replay.all.people, replay.all.determined)
    };
    assert_eq!(replayed(Ending::Open), (1, 0, 0), "they may convert yet");
    assert_eq!(replayed(Ending::At(at(3600))), (0, 1, 1), "they said no");
    // Its windows may last longer than it was meant to.
    let mut put_off = silent();
    put_off.steps[2].sent_at = Some(at(21 * 3600));
    let mut replay = Replay::default();
    replay.add(&put_off, &as_recorded(), at(40 * 3600));
    replay.add(&put_off, &as_recorded(), at(45 * 3600));
    assert_eq!((replay.running, replay.all.people), (1, 1));
}

#[test]
fn a_window_that_a_pause_lengthened_is_as_long_under_the_same_rules() {
    let late = Cascade { ending: Ending::At(at(60 * 3600)), ..answered(2, 40 * 3600) };
    assert_eq!(said(&late, &as_recorded()), (Some(true), (30, 30), None));
    let mut totals = Totals::default();
    totals.add(&late, &fate(&late, &as_recorded(), at(80 * 3600)));
    assert_eq!((totals.recorded_conversions, totals.conversions), (1, (1, 1)));
}

proptest! {
    /// Under the recorded rules the bounds are the record; under any, the record is never contradicted.
    #[test]
    fn bounds_are_bounds(
        place in 0_usize..3, after in 0_i64..30 * 3600, waits in prop::array::uniform2(1_u64..12), window in 1_u64..48,
    ) {
        // On the way, whoever has not answered within the wait gets the next message.
        let after = [after % (6 * 3600), after % (2 * 3600), after][place];
        let cascade = answered(place, after);
        let now = at(80 * 3600);
        let recorded = recorded_act(&cascade).is_some();
        let same = fate(&cascade, &as_recorded(), now);
        prop_assert_eq!(same.why, None);
        prop_assert_eq!(same.converted, (recorded, recorded));
        let [first, second] = waits;
        let steps = [(Channel::Whatsapp, first * HOUR), (Channel::Phone, second * HOUR), (Channel::Sms, 0)];
        let other = fate(&cascade, &rules(&steps, window * HOUR), now);
        prop_assert!(other.cost.0 <= other.cost.1);
        prop_assert!(other.converted.0 <= other.converted.1);
        if other.why.is_none() && other.converted.0 {
            prop_assert!(first_act(&cascade).is_some(), "nobody converts who never did");
        }
    }
}
