//! One file for each part of learning.

mod advised;
mod answer;
mod counted;
mod history;
mod ledger;
mod policy;
mod posterior;
mod simulate;
mod waits;

use cascade::learning::answer::{Answer, SegmentAnswer, Settings};
use cascade::learning::history::{Cascade, Ending, Step};
use cascade::model::{At, Channel, Money, Segment};
use serde_json::Value;

/// The bytes of a reference file.
fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/learning/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

/// A reference file.
fn file(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

/// The number at a JSON pointer.
fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("a number at {pointer}"))
}

/// Holds a number against a reference.
fn near(what: &str, found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{what}: {found}, and {wanted} is right");
}

const DAY_S: i64 = 86_400;
/// The waits of the smallest rules, whichever start; the last step has the conversion window.
const HORIZON_S: i64 = (6 + 2 + 24) * 3600;

/// A cascade of one step, drawn with a probability of a third; `convert_s` after sending, if at all.
fn cascade(id: u64, segment: &str, start: Channel, at_s: i64, convert_s: Option<i64>) -> Cascade {
    let at = |s: i64| At::from_secs(at_s + s);
    Cascade {
        id: id.to_string().into(),
        segment: Segment(segment.into()),
        start,
        propensity: Some(1.0 / 3.0),
        rules: "now".into(),
        launched_at: at(0),
        horizon_s: Some(HORIZON_S as u64),
        ending: Ending::Untold,
        forced: false,
        steps: vec![Step {
            step: 1,
            channel: start,
            sent_at: Some(at(0)),
            window_s: Some(6 * 3600),
            delivered_at: Some(at(1)),
            bounced_at: None,
            converted_at: convert_s.map(at),
            opted_out_at: None,
            cost: Money::parse("0.05").unwrap(),
        }],
    }
}

/// An amount.
fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// As a workspace asks that starts with WhatsApp and draws from three.
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

/// The only segment.
fn one(answer: &Answer) -> &SegmentAnswer {
    assert_eq!(answer.segments.len(), 1);
    &answer.segments[0]
}
