//! Which cascades count, and what is said of them.

use super::{DAY_S, HORIZON_S, cascade, days, money, near, one, settings};
use cascade::learning::answer::{Answer, Basis, Settings, answer};
use cascade::learning::history::Cascade;
use cascade::learning::policy::looks::State;
use cascade::model::{At, Channel, Money, Segment};
use serde_json::{Value, json};

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
    let adopted = [(Segment("enterprise".into()), Channel::Phone)].into();
    let asked = Settings { incumbents: adopted, ..settings(32 * DAY_S) };
    let since = &answer(all.clone(), &asked).winners[0];
    assert!(since.reason.ends_with("; it starts so already"), "nothing is to be split: {}", since.reason);
    let answer = answer(all, &settings(32 * DAY_S));
    assert_eq!(answer.winners.len(), 1, "{:?}", answer.winners);
    assert!(!answer.winners[0].reason.contains("already"), "{}", answer.winners[0].reason);
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
