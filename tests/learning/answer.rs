//! Which cascades count, and what is said of them.

use super::{HORIZON_S, cascade, file, near, number};
use cascade::learning::answer::{Answer, Basis, Settings, WaitAnswer, answer};
use cascade::learning::history::Cascade;
use cascade::learning::ledger::Ledger;
use cascade::learning::policy::looks::State;
use cascade::model::{At, Channel, Money, Segment};
use serde_json::{Value, json};

const DAY_S: i64 = 86_400;

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn settings(now_s: i64) -> Settings {
    Settings {
        now: At::from_secs(now_s),
        value: Some(money("5")),
        currency: "USD".into(),
        incumbent: Some(Channel::Whatsapp),
        starts: vec![Channel::Whatsapp, Channel::Phone, Channel::Sms],
        ..Settings::default()
    }
}

/// `n` cascades of each start a day from day 0 on, of which so many in ten convert, after ten minutes.
fn days(segment: &str, count: i64, n: i64, in_ten: [i64; 3]) -> Vec<Cascade> {
    let mut all = Vec::new();
    for day in 0..count {
        for (channel, hits) in [Channel::Whatsapp, Channel::Phone, Channel::Sms].into_iter().zip(in_ten) {
            for i in 0..n {
                let lucky = (day * n + i) * 7 % 10 < hits;
                let id = 1_000_000 * day as u64 + 1000 * channel as u64 + i as u64;
                all.push(cascade(id, segment, channel, day * DAY_S + i, lucky.then_some(600)));
            }
        }
    }
    all
}

fn one(answer: &Answer) -> &cascade::learning::answer::SegmentAnswer {
    assert_eq!(answer.segments.len(), 1);
    &answer.segments[0]
}

#[test]
fn one_that_converted_waits_for_maturity_too() {
    let lucky = cascade(1, "a", Channel::Phone, 0, Some(300));
    let late = cascade(2, "a", Channel::Phone, 60, None);
    let at = |s: i64| answer([lucky.clone(), late.clone()], &settings(s));
    for (now_s, mature, running) in
        [(600, 0, 2), (HORIZON_S - 1, 0, 2), (HORIZON_S, 1, 1), (HORIZON_S + 60, 2, 0)]
    {
        let answer = at(now_s);
        assert_eq!((one(&answer).mature, one(&answer).running), (mature, running), "at {now_s}");
    }
    assert!(one(&at(600)).reason.contains("2 still running"), "{}", one(&at(600)).reason);
}

#[test]
fn late_conversions_are_reported_and_change_nothing() {
    let inside = cascade(1, "a", Channel::Phone, 0, Some(HORIZON_S));
    let outside = cascade(2, "a", Channel::Phone, 0, Some(HORIZON_S + 1));
    let answer = answer([inside, outside], &settings(10 * DAY_S));
    let segment = one(&answer);
    let phone = segment.starts.iter().find(|start| start.start == Channel::Phone).unwrap();
    assert_eq!((phone.n, phone.conversions, segment.late_conversions), (2, 1, 1));
}

#[test]
fn what_does_not_compare_is_left_out() {
    let mut all = days("a", 5, 4, [3, 5, 2]);
    let spoil = |at: usize, with: &dyn Fn(&mut Cascade), all: &mut Vec<Cascade>| with(&mut all[at]);
    spoil(0, &|c| c.forced = true, &mut all);
    spoil(1, &|c| c.propensity = None, &mut all);
    spoil(2, &|c| c.propensity = Some(1.0), &mut all);
    spoil(3, &|c| c.rules = "before".into(), &mut all);
    let asked = |equivalent: &[&str]| {
        let equivalent = equivalent.iter().map(|hash| (*hash).to_owned()).collect();
        answer(all.clone(), &Settings { equivalent, ..settings(20 * DAY_S) })
    };
    let strict = asked(&[]);
    let segment = one(&strict);
    assert_eq!((segment.mature, segment.excluded), (56, 4));
    let by = segment.excluded_by;
    assert_eq!((by.forced, by.not_drawn, by.other_rules), (1, 2, 1));
    assert!(strict.notes.iter().any(|note| note.contains("other rules")), "{:?}", strict.notes);
    assert_eq!(one(&asked(&["before"])).mature, 57, "declared equivalent");
}

/// Whom chance gave the phone counts for the phone: also where the number was none, and where the call expired and a
/// mail went out instead, or those would be chosen after the draw. Nobody was treated to whom nothing ever left.
#[test]
fn whoever_was_never_contacted_says_nothing_about_starts() {
    let mut all = days("a", 5, 4, [3, 5, 2]);
    let later = |cascade: &mut Cascade, bounced: bool| {
        let first = &mut cascade.steps[0];
        let sent_at = first.sent_at.take();
        (first.delivered_at, first.converted_at, first.cost) = (None, None, Money::ZERO);
        first.bounced_at = sent_at.filter(|_| bounced);
        let mut second = first.clone();
        (second.step, second.channel, second.sent_at) = (2, Channel::Email, sent_at);
        (second.bounced_at, second.converted_at) = (None, sent_at);
        cascade.steps.push(second);
    };
    let phones: Vec<usize> = (0..all.len()).filter(|at| all[*at].start == Channel::Phone).collect();
    later(&mut all[phones[0]], false);
    later(&mut all[phones[1]], true);
    later(&mut all[phones[2]], false);
    all[phones[2]].steps.truncate(1);
    let answer = answer(all, &settings(20 * DAY_S));
    let segment = one(&answer);
    assert_eq!((segment.mature, segment.excluded, segment.excluded_by.unsent), (59, 1, 1));
    let phone = segment.starts.iter().find(|start| start.start == Channel::Phone).unwrap();
    assert_eq!(phone.n, 19);
    assert!(answer.notes.iter().any(|note| note.contains("1 never sent anything")), "{:?}", answer.notes);
}

#[test]
fn a_conversion_is_worth_less_with_every_hour() {
    let all = days("a", 30, 5, [10, 10, 10]);
    let at = |decay_per_h: f64| answer(all.clone(), &Settings { decay_per_h, ..settings(100 * DAY_S) });
    let raw = |answer: &Answer| one(answer).starts[0].net_raw_mean.unwrap().0.to_string().parse().unwrap();
    near("no decay", raw(&at(0.0)), 5.0 - 0.05, 1e-4);
    // All of them convert after ten minutes.
    near("half an hour", raw(&at(2.0)), 5.0 * (-2.0_f64 / 6.0).exp() - 0.05, 1e-4);
    let notes = |answer: &Answer| answer.notes.iter().any(|note| note.contains("79 % of its value"));
    assert!(notes(&at(0.01)) && !notes(&at(0.0)));
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

/// Pages that are put together, and one that is put in another's place, say what the record says as a whole.
#[test]
fn the_pages_of_a_record_say_what_it_says_as_a_whole() {
    let mut all = days("retail", 24, 5, [2, 6, 2]);
    all.extend(days("smb", 24, 3, [5, 2, 2]));
    for (at, cascade) in all.iter_mut().enumerate() {
        cascade.rules = if at % 9 == 0 { "before".into() } else { "now".into() };
        cascade.horizon_s = cascade.horizon_s.filter(|_| at % 2 == 0);
    }
    let said = |ledger: &Ledger| serde_json::to_value(ledger.answer(&settings(26 * DAY_S))).unwrap();
    let mut whole = Ledger::new();
    whole.extend(all.clone());
    let page = |cascades: &[Cascade]| {
        let mut page = Ledger::page(cascades.len());
        page.extend(cascades.to_vec());
        page.fit();
        page
    };
    let mut pages = Ledger::new();
    all.chunks(100).for_each(|cascades| pages.append(page(cascades)));
    assert_eq!((pages.len(), said(&pages)), (all.len(), said(&whole)));
    // Before anything of the third page had happened, and of the last one, which did not even exist.
    let mut early = Ledger::new();
    let begun = |cascade: &Cascade| Cascade { steps: Vec::new(), ..cascade.clone() };
    for (at, cascades) in all.chunks(100).enumerate().take(all.len().div_ceil(100) - 1) {
        let known: Vec<Cascade> =
            if at == 2 { cascades.iter().map(begun).collect() } else { cascades.to_vec() };
        early.append(page(&known));
    }
    assert_ne!(said(&early), said(&whole));
    for (at, cascades) in all.chunks(100).enumerate().filter(|(at, _)| [2, all.len() / 100].contains(at)) {
        early.replace(at, page(cascades));
    }
    assert_eq!(said(&early), said(&whole));
}

#[test]
fn without_draws_nothing_is_claimed() {
    let mut all = days("a", 40, 5, [3, 0, 0]);
    all.retain(|cascade| cascade.start == Channel::Whatsapp);
    for cascade in &mut all {
        cascade.propensity = None;
    }
    let answer = answer(all, &settings(100 * DAY_S));
    let segment = one(&answer);
    assert_eq!(segment.state, State::NotIdentifiable);
    assert!(segment.reason.contains("explore") && segment.leader.is_none(), "{}", segment.reason);
    assert_eq!((segment.mature, segment.excluded), (200, 0));
    let whatsapp = &segment.starts[0];
    assert_eq!((whatsapp.n, whatsapp.conversions, whatsapp.p_best), (200, 60, None));
    assert_eq!(segment.naive_leader, Some(Channel::Whatsapp), "beside it, what the obvious rule says");
    assert!(answer.winners.is_empty() && answer.freshness.cost_of_not_changing == Some(Money::ZERO));
}

#[test]
fn without_a_value_the_incumbent_sets_it() {
    let all = days("a", 30, 5, [3, 5, 2]);
    let asked = answer(all.clone(), &Settings { value: None, ..settings(100 * DAY_S) });
    assert_eq!(asked.basis, Basis::CostPerConversion);
    // 150 cascades at 0.05, 45 conversions.
    near("value", asked.value.unwrap().0.to_string().parse().unwrap(), 7.5 / 45.0, 1e-4);
    let starts = &one(&asked).starts;
    let net = |at: usize| starts[at].net_raw_mean.unwrap().0.to_string().parse::<f64>().unwrap();
    near("the incumbent's own net", net(0), 0.0, 1e-4);
    assert!(net(1) > 0.0 && net(2) < 0.0, "more conversions for the money, and fewer");
    let barren: Vec<Cascade> = days("a", 30, 5, [0, 5, 2]);
    let asked = answer(barren, &Settings { value: None, ..settings(100 * DAY_S) });
    let segment = one(&asked);
    assert_eq!((segment.state, segment.leader), (State::Learning, None));
    assert!(segment.reason.contains("set a value"), "{}", segment.reason);
}

#[test]
fn opt_outs_cost_what_they_are_said_to_cost() {
    let mut all = days("a", 30, 5, [5, 5, 5]);
    for cascade in all.iter_mut().filter(|cascade| cascade.start == Channel::Sms) {
        let sent = cascade.launched_at;
        cascade.steps[0].opted_out_at = Some(At(sent.0 + 700_000));
    }
    let asked = answer(all, &Settings { optout_penalty: money("2"), ..settings(100 * DAY_S) });
    let starts = &one(&asked).starts;
    let raw = |at: usize| starts[at].net_raw_mean.unwrap().0;
    assert_eq!(Money(raw(0) - raw(2)), money("2"));
    assert_eq!((starts[0].opted_out, starts[2].opted_out), (0, 150));
}

#[test]
fn a_start_that_was_never_tried_cannot_win() {
    let mut all = days("a", 70, 3, [3, 0, 0]);
    all.retain(|cascade| cascade.start == Channel::Whatsapp);
    let answer = answer(all, &settings(100 * DAY_S));
    let segment = one(&answer);
    assert_eq!((segment.mature, segment.state), (210, State::Learning));
    assert!(segment.reason.contains("was started 0 times, 20 are needed"), "{}", segment.reason);
}

/// 24 days at 5 a day for each start: 360 cascades, a look at 200 and at 300.
fn clear() -> Answer {
    answer(days("retail", 24, 5, [2, 6, 2]), &settings(26 * DAY_S))
}

#[test]
fn a_clear_winner_is_proposed_in_a_sentence() {
    let answer = clear();
    let segment = one(&answer);
    assert_eq!(segment.state, State::ChangeProposed);
    let look = segment.looked.unwrap();
    assert_eq!((look.leader, look.mature, look.asked), (Channel::Phone, 300, 0.95));
    assert_eq!(segment.reason, "start retail with phone: 100 % likely best at 300 cascades");
    assert_eq!((segment.next_look, segment.more_needed), (Some(450), Some(0)));
    assert!(segment.gap_sd.unwrap() > 0.5 && segment.mature == 360 && segment.running == 0);
    // 30 more days at the pace of the last 30 without it.
    let lost: f64 = answer.freshness.cost_of_not_changing.unwrap().0.to_string().parse().unwrap();
    let means: Vec<f64> =
        segment.starts.iter().map(|s| s.net_mean.unwrap().0.to_string().parse().unwrap()).collect();
    near("what waiting costs", lost, (means[1] - means[0]) * 360.0, 0.1);
    let explored: f64 = segment.exploring_cost.unwrap().0.to_string().parse().unwrap();
    near("what exploring cost", explored, 120.0 * (2.0 * means[1] - means[0] - means[2]), 0.1);
}

#[test]
fn the_answer_has_the_fields_of_the_contract() {
    let value = serde_json::to_value(clear()).unwrap();
    let has = |object: &Value, fields: &str| {
        for field in fields.split_whitespace() {
            assert!(object.get(field).is_some(), "{field} in {object}");
        }
    };
    has(&value, "schema now value optout_penalty currency basis segments waits winners freshness");
    assert_eq!((value["schema"].clone(), value["basis"].clone()), (json!("cascade.learn/1"), json!("net")));
    let segment = &value["segments"][0];
    has(
        segment,
        "segment mature running excluded state incumbent leader reason next_look more_needed gap_sd",
    );
    has(segment, "expected_loss starts");
    has(&segment["starts"][0], "start n conversions opted_out cost cost_per_conversion conversion_rate");
    has(&segment["starts"][0], "net_raw_mean net_mean net_sd net_low net_high p_best propensity");
    assert_eq!(segment["starts"][0]["cost"], "6.00");
    has(&value["waits"][0], "channel segment window_s contacts events status share_by_fraction t80_s t90_s");
    has(&value["waits"][0], "t95_s t90_low_s t90_high_s t80_fraction suggested_wait_s late_share reason");
    has(&value["freshness"], "rules_hash days cascades cost_of_not_changing");
    assert_eq!(value["freshness"]["rules_hash"], "now");
    assert_eq!(value["segments"][0]["state"], "change_proposed");
}

#[test]
fn periods_with_other_probabilities_are_weighted() {
    // Two segments: in the good one phone was drawn nine times as often as WhatsApp, in the poor one the reverse.
    // Plain means would say that phone is twice as good; within each segment they are the same.
    let mut all = Vec::new();
    for (segment, often, rare, in_ten) in
        [("good", Channel::Phone, Channel::Whatsapp, 8), ("poor", Channel::Whatsapp, Channel::Phone, 2)]
    {
        for i in 0..1000_i64 {
            let is_rare = i % 10 == 0;
            let lucky = i / 10 % 10 < in_ten;
            let start = if is_rare { rare } else { often };
            let id = all.len() as u64;
            let mut one = cascade(id, segment, start, i * 600, lucky.then_some(60));
            one.propensity = Some(if is_rare { 0.1 } else { 0.9 });
            all.push(one);
        }
    }
    let answer = answer(all, &settings(100 * DAY_S));
    let mean = |start: Channel| {
        let row = answer.overall.iter().find(|row| row.start == start).unwrap();
        row.net_mean.unwrap().0.to_string().parse::<f64>().unwrap()
    };
    near("the same over all", mean(Channel::Phone), mean(Channel::Whatsapp), 0.01);
}

#[test]
fn a_segment_with_its_own_winner_is_named() {
    let mut all = days("retail", 30, 12, [6, 2, 2]);
    all.extend(days("smb", 30, 12, [6, 2, 2]));
    all.extend(days("enterprise", 30, 5, [2, 7, 2]));
    let answer = answer(all, &settings(32 * DAY_S));
    assert_eq!(answer.winners.len(), 1, "{:?}", answer.winners);
    let winner = &answer.winners[0];
    assert_eq!((winner.segment.0.as_str(), winner.start), ("enterprise", Channel::Phone));
    assert_eq!(winner.against, Channel::Whatsapp);
    near("phone to WhatsApp", winner.ratio.unwrap(), 3.5, 0.01);
    assert!(winner.low.unwrap() > 1.5 && winner.high.unwrap() < 9.0 && winner.probability > 0.95);
    let [ratio, low, high] = winner.than_others.unwrap();
    near("on the phone, to the others", ratio, 3.5, 0.01);
    assert!(low > 2.0 && high < 6.0);
    assert!(winner.reason.contains("3.5× as often as the others"), "{}", winner.reason);
}

#[test]
fn an_edit_of_the_rules_begins_anew() {
    let mut all = days("a", 24, 5, [2, 6, 2]);
    let mut newest = cascade(9_999_999, "a", Channel::Phone, 40 * DAY_S, None);
    newest.rules = "after".into();
    all.push(newest);
    let answer = answer(all, &settings(41 * DAY_S));
    let segment = one(&answer);
    assert_eq!((segment.mature, segment.running, segment.state), (0, 1, State::Learning));
    assert_eq!(segment.excluded_by.other_rules, 360);
    let fresh = &answer.freshness;
    assert_eq!((fresh.rules_hash.as_deref(), fresh.cascades, fresh.days), (Some("after"), 1, Some(1.0)));
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

#[test]
fn first_contacts_and_fallbacks_stay_apart() {
    let mut all = days("a", 10, 4, [5, 0, 0]);
    all.retain(|cascade| cascade.start == Channel::Whatsapp);
    for cascade in all.iter_mut().filter(|cascade| cascade.steps[0].converted_at.is_none()) {
        let mut call = cascade.steps[0].clone();
        let sent = At(cascade.launched_at.0 + 6 * 3_600_000);
        (call.step, call.channel, call.sent_at) = (2, Channel::Phone, Some(sent));
        call.converted_at = Some(At(sent.0 + 1000));
        call.cost = money("0.40");
        cascade.steps.push(call);
    }
    let answer = answer(all, &settings(100 * DAY_S));
    let rows: Vec<(Channel, &str, u64, u64)> = answer
        .channels
        .iter()
        .filter(|row| row.segment.is_none())
        .map(|row| (row.channel, row.position, row.contacts, row.conversions))
        .collect();
    assert_eq!(rows, [(Channel::Whatsapp, "first", 40, 20), (Channel::Phone, "fallback", 20, 20)]);
    let whatsapp = &answer.channels[0];
    near("conversions for a dollar", whatsapp.conversions_per_cost.unwrap(), 10.0, 1e-6);
    assert!(whatsapp.low.unwrap() < 8.0 && whatsapp.high.unwrap() > 12.0);
}
