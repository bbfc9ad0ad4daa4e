//! How starts are drawn, when there is a look, and when old data is dropped.

use super::near;
use cascade::learning::policy::Course;
use cascade::learning::policy::draw::{capped, vector};
use cascade::learning::policy::looks::{self, State};
use cascade::learning::posterior::draws::Draws;
use cascade::learning::posterior::{Cell, PerStart, STARTS_MAX, fit};

/// A cell of `n` nets of which a share is 5 and the rest 0.
fn cell(n: f64, share: f64) -> Cell {
    Cell { n, sum: 5.0 * n * share, sum_of_squares: 25.0 * n * share }
}

fn row(cells: [Cell; 3]) -> [Cell; STARTS_MAX] {
    let [a, b, c] = cells;
    [a, b, c, Cell::default()]
}

fn total(vector: &PerStart) -> f64 {
    vector.iter().sum()
}

#[test]
fn a_start_that_nobody_knows_is_drawn_as_often_as_any() {
    let belief = |cells| fit(&[row(cells)], 3).segments.remove(0);
    let new = vector(&belief([cell(40.0, 0.1), cell(30.0, 0.9), cell(14.0, 0.1)]), &Draws::new(3));
    near("an equal share", new[1], 1.0 / 3.0, 1e-12);
    let known = vector(&belief([cell(40.0, 0.1), cell(30.0, 0.9), cell(15.0, 0.1)]), &Draws::new(3));
    assert!(known[1] > 0.9, "{known:?}");
    near("all", total(&known), 1.0, 1e-9);
    assert!(known[0] >= 0.05 / 3.0 && known[3] == 0.0, "{known:?}");
    let large = vector(&belief([cell(80.0, 0.1), cell(10.0, 0.9), cell(2.0, 0.1)]), &Draws::new(3));
    assert!(large[1] > large[0], "from 90 on nothing is equal: {large:?}");
}

#[test]
fn explore_caps_what_is_drawn_away_from_the_rules() {
    let wanted = [0.1, 0.6, 0.3, 0.0];
    let some = capped(&wanted, 0, 0.2);
    near("away", some[1] + some[2], 0.2, 1e-12);
    near("twice as often", some[1] / some[2], 2.0, 1e-9);
    near("all", total(&some), 1.0, 1e-12);
    assert_eq!(capped(&wanted, 1, 0.5), wanted, "0.4 goes away, and that is allowed");
    assert_eq!(capped(&wanted, 0, 0.0), [1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn looks_are_scheduled() {
    assert!(looks::is_crossed(199.0, 200.0) && !looks::is_crossed(200.0, 299.0));
    assert!(looks::is_crossed(100.0, 1200.0) && !looks::is_crossed(4500.0, 9000.0));
    assert_eq!([0.0, 200.0, 4499.0, 4500.0].map(looks::next), [Some(200), Some(300), Some(4500), None]);
    assert_eq!([200.0, 500.0, 501.0, 4500.0].map(looks::threshold), [0.95, 0.95, 0.98, 0.98]);
}

/// Days of a segment with equal traffic on three starts.
fn day(course: &mut Course, day: i64, n: f64, shares: [f64; 3]) -> usize {
    let mut looks = 0;
    course.day(day, &[row(shares.map(|share| cell(n, share)))], |_, _| looks += 1);
    looks
}

#[test]
fn only_a_look_proposes() {
    let mut course = Course::new(3, &[0], 0.1);
    for at in 0..13 {
        assert_eq!(day(&mut course, at, 5.0, [0.1, 0.6, 0.1]), 0);
        assert_eq!(course.watches[0].state, State::Learning);
    }
    assert_eq!(day(&mut course, 13, 5.0, [0.1, 0.6, 0.1]), 1);
    let watch = &course.watches[0];
    assert_eq!((watch.counted, watch.state, watch.looked.unwrap().leader), (210.0, State::ChangeProposed, 1));
    // The start leads that the rules have.
    let mut course = Course::new(3, &[1], 0.1);
    assert_eq!(day(&mut course, 0, 100.0, [0.1, 0.6, 0.1]), 1, "a count that jumps past looks has one");
    assert_eq!(course.watches[0].state, State::KeepProven);
}

#[test]
fn a_start_with_few_cascades_is_not_decided_on() {
    let mut course = Course::new(3, &[0], 0.1);
    let cells = row([cell(150.0, 0.1), cell(150.0, 0.6), cell(19.0, 0.1)]);
    course.day(0, &[cells], |_, _| ());
    assert_eq!(course.watches[0].state, State::Learning);
}

#[test]
fn thousands_show_that_there_is_no_difference() {
    let mut course = Course::new(2, &[0], 0.1);
    let cells = [cell(1200.0, 0.3), cell(1200.0, 0.3), Cell::default(), Cell::default()];
    course.day(0, &[cells], |_, _| ());
    assert_eq!(course.watches[0].state, State::Learning, "not yet for sure");
    let mut course = Course::new(2, &[0], 0.1);
    let cells = [cell(4000.0, 0.3), cell(4000.0, 0.3), Cell::default(), Cell::default()];
    course.day(0, &[cells], |_, _| ());
    assert_eq!(course.watches[0].state, State::NoPracticalDifference);
}

#[test]
fn a_change_drops_what_is_older_than_a_fortnight() {
    let mut course = Course::new(3, &[0], 0.1);
    for at in 0..40 {
        day(&mut course, at, 10.0, [0.6, 0.2, 0.2]);
    }
    assert_eq!(course.watches[0].resets, [0_i64; 0]);
    for at in 40..60 {
        day(&mut course, at, 10.0, [0.1, 0.2, 0.2]);
    }
    let watch = &course.watches[0];
    assert!(!watch.resets.is_empty() && (42..54).contains(&watch.resets[0]), "{:?}", watch.resets);
    let kept: f64 = watch.cells().iter().map(|cell| cell.n).sum();
    assert!(kept < 1000.0 && watch.counted == 1800.0, "the count goes on: {kept}");
    assert_ne!(course.posterior.segments[0].leader(), 0);
}

#[test]
fn thin_traffic_cannot_notice_a_change() {
    let mut course = Course::new(3, &[0], 0.1);
    for at in 0..60 {
        day(&mut course, at, 1.0, [1.0, 0.0, 0.0]);
    }
    assert!(!course.watches[0].can_notice());
    for at in 60..80 {
        day(&mut course, at, 1.0, [0.0, 0.0, 0.0]);
    }
    assert_eq!(course.watches[0].resets, [0_i64; 0]);
}
