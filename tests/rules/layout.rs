//! The layout of a rules file: one form, whatever it was before, and nothing but the layout changes.

use super::edits::rules_text;
use super::{FULL, SMALLEST, sound};
use cascade::rules::{Rules, format};
use proptest::prelude::*;
use std::path::Path;

fn laid(text: &str) -> String {
    format(Path::new("cascade.json"), text).unwrap()
}

/// The rules without the bytes they were read from.
fn meaning(text: &str) -> Rules {
    Rules { bytes: Vec::new(), hash: String::new(), ..sound(text) }
}

#[test]
fn the_projects_own_file_is_laid_out_already() {
    assert_eq!(laid(SMALLEST), SMALLEST);
    let spread = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(SMALLEST).unwrap());
    assert_eq!(laid(&spread.unwrap()), SMALLEST);
    assert_eq!(laid(&SMALLEST.replace([' ', '\n'], "")), SMALLEST);
}

#[test]
fn steps_have_a_line_each_and_notes_stay() {
    let expected = r#"{ "start": "phone",
  "explore": 0.2,
  "quiet_hours": "20:00-09:00",
  "conversion_window": "0s",
  "expires": "1d12h",
  "attempts": 2,
  "on_bounce": "wait",
  "retry": { "max": 3 },
  "converts_on": { "whatsapp": ["replied"] },
  "segments": {
    "$comment": "by the list's names",
    "vip": { "start": "sms" },
    " own ": { "start": "email",
      "steps": [
        { "channel": "email", "wait": null, "terminal": true } ] } },
  "steps": [
    { "channel": "sms", "wait": null, "wait_if_first": "1h", "terminal": true },
    { "channel": "phone", "wait": "2h", "if_no_answer": "sms", "attempts": 3, "on_bounce": "next" },
    { "channel": "whatsapp", "wait": null, "if_no_reply": "phone", "converts_on": ["clicked"] } ] }
"#;
    assert_eq!(laid(FULL), expected);
    assert_eq!(meaning(expected), meaning(FULL));
}

#[test]
fn line_ends_marks_and_spellings_stay() {
    let windows = SMALLEST.replace('\n', "\r\n");
    assert_eq!(laid(&windows), windows);
    assert_eq!(laid(&format!("\u{feff}{SMALLEST}")), format!("\u{feff}{SMALLEST}"));
    let odd = "{\"a\":[],\"b\":{ },\"\\u0063\":1.50,\"d\":[1,\"\\ud83c\\udf37\"],\"c\":1}";
    let expected =
        "{ \"a\": [],\n  \"b\": {},\n  \"\\u0063\": 1.50,\n  \"d\": [1, \"\\ud83c\\udf37\"],\n  \"c\": 1 }\n";
    assert_eq!(laid(odd), expected);
    assert_eq!(laid(" 7 "), "7\n");
}

#[test]
fn what_is_no_json_is_left_as_it_is() {
    let problem = format(Path::new("r.json"), "{ \"start\": }").unwrap_err();
    assert_eq!((problem.line, problem.column, problem.code), (1, 12, "json"));
    assert!(format(Path::new("r.json"), "").is_err());
}

proptest! {
    #[test]
    fn laid_out_once_is_laid_out_for_good(text in rules_text()) {
        let once = laid(&text);
        prop_assert_eq!(laid(&once), once.clone());
        prop_assert_eq!(meaning(&once), meaning(&text));
        let notes = |text: &str| text.matches("$comment").count();
        prop_assert_eq!(notes(&once), notes(&text));
        // Nothing but spaces was touched.
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(bare(&once), bare(&text));
    }
}
