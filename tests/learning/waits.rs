//! Waits against `w1` to `w4`.

use super::{file, near, number};
use cascade::learning::waits::survival::Contact;
use cascade::learning::waits::{Advice, wilson};
use serde_json::Value;

const CLOSE: f64 = 1e-8;

fn contacts(reference: &Value) -> Vec<Contact> {
    let window = number(reference, "/window_s");
    let rows = reference["rows"].as_array().unwrap();
    let contact = |row: &Value| Contact {
        window_s: row["window_s"].as_f64().unwrap_or(window),
        age_s: number(row, "/age_s"),
        converted_s: row["event_s"].as_f64(),
        ended_s: None,
    };
    rows.iter().map(contact).collect()
}

fn check(name: &str) {
    let reference = file(name);
    let window = number(&reference, "/window_s");
    let advice = Advice::on(&contacts(&reference), window);
    let expected = &reference["expected"];
    near("contacts", advice.contacts as f64, number(expected, "/contacts"), 0.0);
    near("conversions", advice.arrivals.events as f64, number(expected, "/conversions_in_window"), 0.0);
    near("followed", advice.followed as f64, number(expected, "/reached_window_end"), 0.0);
    assert_eq!(advice.status.as_str(), expected["status"]);
    let table = expected["km"].as_array().unwrap();
    assert_eq!(advice.arrivals.survival.points.len(), table.len());
    for (point, row) in advice.arrivals.survival.points.iter().zip(table) {
        near("t", point.t_s, number(row, "/t_s"), CLOSE);
        near("at risk", point.at_risk as f64, number(row, "/at_risk"), 0.0);
        near("events", point.events as f64, number(row, "/events"), 0.0);
        near("survival", point.survival, number(row, "/survival"), CLOSE);
        near("greenwood", point.greenwood, number(row, "/greenwood"), CLOSE);
        near("low", point.limits().0, number(row, "/ci_low"), CLOSE);
        near("high", point.limits().1, number(row, "/ci_high"), CLOSE);
    }
    near("F", advice.arrivals.converted(), number(expected, "/F_window"), CLOSE);
    for row in expected["share_by_fraction"].as_array().unwrap() {
        let share = advice.arrivals.share(number(row, "/fraction") * window);
        near("G", share.share, number(row, "/km"), CLOSE);
        near("low", share.low, number(row, "/low"), CLOSE);
        near("high", share.high, number(row, "/high"), CLOSE);
    }
    for (time, field) in [(advice.t80, "t80_s"), (advice.t90, "t90_s"), (advice.t95, "t95_s")] {
        near(field, time.at_s, number(expected, &format!("/{field}/estimate")), CLOSE);
        near(field, time.low_s, number(expected, &format!("/{field}/low")), CLOSE);
        near(field, time.high_s, number(expected, &format!("/{field}/high")), CLOSE);
    }
    near("n80", advice.t80.at_s / window, number(expected, "/n80_fraction/estimate"), CLOSE);
    assert_eq!(advice.suggested_s, expected["suggested_wait_s"].as_f64());
    assert_eq!(advice.suggest_change, expected["suggest_change"].as_bool().unwrap());
}

#[test]
fn every_wait_has_ended() {
    check("w1_complete");
}

#[test]
fn half_of_the_waits_still_run() {
    check("w2_running");
}

#[test]
fn nobody_was_followed_to_the_end() {
    check("w3_fresh_wave");
}

#[test]
fn the_window_was_once_shorter() {
    check("w4_window_changed");
}

#[test]
fn a_window_is_too_short_only_if_it_surely_is() {
    let contact = |at: f64| Contact { window_s: 100.0, age_s: 1e6, converted_s: Some(at), ended_s: None };
    let of = |late: usize, within: usize| {
        let mut all = vec![contact(150.0); late];
        all.extend(vec![contact(50.0); within]);
        Advice::on(&all, 100.0)
    };
    assert!(of(30, 70).too_short);
    assert!(!of(20, 80).too_short, "its band begins at 13 %");
    assert!(!of(0, 100).too_short);
    assert_eq!(of(30, 70).arrivals.share(100.0).share, 1.0, "G alone can never tell");
}

#[test]
fn late_is_what_comes_after_the_window_under_advice() {
    let contact =
        |window_s: f64, at: f64| Contact { window_s, age_s: 1e6, converted_s: Some(at), ended_s: None };
    let share = |all: &[Contact]| Advice::on(all, 200.0).late.unwrap().share;
    // Too late for the window they had, and not for the one that is asked about.
    assert_eq!(share(&[contact(100.0, 150.0); 30]), 0.0);
    // In time for theirs, and too late for this one.
    assert_eq!(share(&[contact(300.0, 250.0); 30]), 1.0);
    let mixed = [contact(200.0, 50.0), contact(200.0, 250.0), contact(100.0, 150.0), contact(300.0, 201.0)];
    assert_eq!(share(&mixed), 0.5);
}

#[test]
fn somebody_converted_elsewhere_can_convert_here_no_more() {
    let contact = Contact { window_s: 100.0, age_s: 1e6, converted_s: None, ended_s: Some(30.0) };
    assert_eq!(contact.followed_s(), 30.0);
    let both = Contact { converted_s: Some(40.0), ..contact };
    assert_eq!(both.event_s(), None);
    assert!(!both.is_late());
}

#[test]
fn wilson_stays_inside() {
    let (none, all) = (wilson(0.0, 20.0), wilson(20.0, 20.0));
    assert!(none.low == 0.0 && none.high > 0.1 && none.high < 0.2);
    assert!(all.high == 1.0 && all.low < 0.9 && all.low > 0.8);
}
