//! A table of what people write (`tests/data/meanings.tsv`), and the forms that are not words.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const TABLE: &str = include_str!("../../../tests/data/meanings.tsv");

fn word(meaning: &Meaning) -> &str {
    match meaning {
        Meaning::OptOut(_) => "opt_out",
        Meaning::OptIn => "opt_in",
        Meaning::Answer(disposition) => disposition.as_str(),
    }
}

#[test]
fn what_people_write_means_what_the_table_says() {
    let rows: Vec<_> =
        TABLE.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once('\t')).collect();
    assert!(rows.len() >= 80, "only {} rows were read", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .map(|(expected, text)| (expected, text, read(text, None)))
        .filter(|(expected, _, meaning)| **expected != word(meaning))
        .map(|(expected, text, meaning)| format!("{text:?}: expected {expected}, read {meaning:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_button_says_it_outright() {
    let means = |payload| word(&read("Stop asking, yes?", Some(payload))).to_owned();
    assert_eq!(means("positive:att_k_7"), "positive");
    assert_eq!(means("negative:att_k_7"), "negative");
    assert_eq!(means("opted_out:att_k_7"), "opt_out");
    assert_eq!(means("POSITIVE"), "positive");
    // Not ours: the caption is read.
    assert_eq!(means("CONFIRM:att_k_7"), "opt_out");
}

#[test]
fn a_call_is_read_from_its_analysis_unless_the_person_opted_out() {
    fn read(said: Option<&str>, data: Option<&Value>) -> String {
        word(&read_call(said, data)).to_owned()
    }
    let yes = json!({ "disposition": "positive", "wants_no_more_contact": false });
    let stop = json!({ "disposition": "positive", "wants_no_more_contact": true });
    assert_eq!(read(Some("hm"), Some(&yes)), "positive");
    assert_eq!(read(Some("hm"), Some(&stop)), "opt_out");
    assert_eq!(read(Some("yes\nplease stop calling me"), Some(&yes)), "opt_out");
    assert_eq!(read(None, Some(&json!({ "confirmed": true }))), "positive");
    assert_eq!(read(None, Some(&json!({ "confirmed": false }))), "negative");
    assert_eq!(read(Some("Hello?\nyes sure"), None), "positive");
    assert_eq!(read(Some("yes\nno wait\nno thanks"), Some(&json!({}))), "negative");
    assert_eq!(read(Some("Hello?\nyou have the wrong number\nok"), Some(&json!("odd"))), "wrong_person");
    assert_eq!(read(Some("Hello?"), None), "question");
    assert_eq!(read(None, None), "unclear");
    // Spoken, it is about an appointment more often than about us.
    assert_eq!(read(Some("cancel"), None), "unclear");
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in any::<String>(), payload in any::<Option<String>>()) {
        let _ = read(&text, payload.as_deref());
        let _ = read_call(Some(&text), None);
    }
}
