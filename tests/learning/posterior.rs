//! The posterior against `p1` to `p4`.

use super::{file, near, number};
use cascade::learning::posterior::draws::Draws;
use cascade::learning::posterior::{Cell, STARTS_MAX, fit};
use serde_json::Value;

const STARTS: [&str; 3] = ["whatsapp", "phone", "sms"];

fn cells(segment: &Value) -> [Cell; STARTS_MAX] {
    let mut row = [Cell::default(); STARTS_MAX];
    for (cell, name) in row.iter_mut().zip(STARTS) {
        let of = |field: &str| number(segment, &format!("/start/{name}/{field}"));
        *cell = Cell { n: of("n"), sum: of("sum"), sum_of_squares: of("sum_of_squares") };
    }
    row
}

fn check(name: &str) {
    let reference = file(name);
    let tolerance = |of: &str| number(&reference, &format!("/tolerances/{of}"));
    let segments = reference["segments"].as_array().unwrap();
    let rows: Vec<_> = segments.iter().map(cells).collect();
    let posterior = fit(&rows, STARTS.len());
    near("pooled sd", posterior.sd, number(&reference, "/expected/pooled_sd"), 1e-7);
    for (at, &(ratio, weight)) in posterior.taus.iter().enumerate() {
        near("tau", ratio, number(&reference, &format!("/expected/tau_grid/{at}")), 1e-12);
        near("weight of tau", weight, number(&reference, &format!("/expected/tau_weights/{at}")), 1e-7);
    }
    let draws = Draws::new(STARTS.len());
    for (at, belief) in posterior.segments.iter().enumerate() {
        let expected = &reference["expected"]["segments"][at];
        let what = |field: &str| format!("{name}, segment {}, {field}", expected["segment"]);
        assert_eq!(STARTS[belief.leader()], expected["recommended"], "{name}");
        let verdict = draws.judge(belief, 0, 0.0);
        let (changes, gain) = draws.after(belief, 100.0);
        let loss = number(expected, "/expected_loss");
        near(&what("expected loss"), verdict.expected_loss, loss, tolerance("expected_loss"));
        near(&what("beats"), verdict.p_beats, number(expected, "/p_beats_incumbent"), tolerance("p_best"));
        near(
            &what("changes"),
            changes,
            number(expected, "/after_100/p_leader_changes"),
            tolerance("after_100"),
        );
        near(&what("gain"), gain, number(expected, "/after_100/gain_per_cascade"), tolerance("after_100"));
        for (c, start) in STARTS.iter().enumerate() {
            let of = |field: &str| number(expected, &format!("/start/{start}/{field}"));
            near(&what(start), belief.mean[c], of("posterior_mean"), tolerance("posterior_mean"));
            near(&what(start), belief.sd[c], of("posterior_sd"), tolerance("posterior_sd"));
            near(&what(start), belief.variance[c], of("cell_variance"), 1e-6);
            near(&what(start), verdict.p_best[c], of("p_best"), tolerance("p_best"));
            let raw = rows[at][c].mean();
            assert_eq!(raw.is_none(), expected["start"][start]["raw_mean"].is_null());
            near(&what(start), raw.unwrap_or_default(), raw.map_or(0.0, |_| of("raw_mean")), 1e-7);
        }
    }
}

#[test]
fn one_segment_borrows_from_nobody() {
    check("p1_one_segment");
}

#[test]
fn three_segments_with_different_winners() {
    check("p2_three_segments");
}

#[test]
fn tiny_segments_borrow_from_large_ones() {
    check("p3_tiny_segments");
}

#[test]
fn starts_that_were_never_tried() {
    check("p4_unexplored");
}

#[test]
fn nets_that_are_all_alike_have_a_posterior() {
    let same = Cell { n: 30.0, sum: -3.0, sum_of_squares: 0.3 };
    let empty = Cell::default();
    for rows in [vec![[same; STARTS_MAX]], vec![[same; STARTS_MAX]; 3], vec![[empty; STARTS_MAX]; 2]] {
        for belief in fit(&rows, 3).segments {
            assert!(belief.mean.iter().chain(&belief.sd).all(|x| x.is_finite()), "{belief:?}");
            let sum: f64 = Draws::new(3).judge(&belief, 0, 0.0).p_best.iter().sum();
            near("all probabilities", sum, 1.0, 1e-9);
        }
    }
}
