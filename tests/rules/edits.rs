//! Edits of the text: what they say is so afterwards, and everything else stays byte for byte.

use super::{SMALLEST, read, sound};
use cascade::model::{Channel, Segment};
use cascade::rules::{Ladder, Rules, edit, format_duration_s};
use proptest::prelude::*;

const NOTED: &str = r#"{ "$comment": "spring, see the wiki",
  "start":   "whatsapp",
  "steps": [
    { "channel": "whatsapp", "wait": "6h",    "if_no_reply": "phone", "$comment": "read at breakfast 🌷" },

    { "channel": "phone", "attempts": 2, "wait": "2h", "if_no_answer": "sms" },
    { "channel": "sms", "wait": null, "terminal": true } ],
  "segments": {
    "vip": { "start": "phone" } },
  "explore": 0.2 }
"#;

fn waits(ladder: &Ladder) -> Vec<(Channel, Option<u64>)> {
    ladder.walk(ladder.start).iter().map(|s| (s.channel, s.wait_s)).collect()
}

fn vip(rules: &Rules) -> &Ladder {
    &rules.segments[&Segment("vip".into())]
}

#[test]
fn a_wait_is_changed_where_it_stands_and_nothing_else() {
    let edited = edit::set_wait(NOTED, None, Channel::Whatsapp, "4h").unwrap();
    assert_eq!(edited, NOTED.replace("\"6h\"", "\"4h\""));
    let edited = edit::set_wait_if_first(NOTED, None, Channel::Sms, "1h").unwrap();
    let expected = NOTED.replace("\"wait\": null,", "\"wait\": null, \"wait_if_first\": \"1h\",");
    assert_eq!(edited, expected);
    let edited = edit::set_start(NOTED, Some("vip"), Channel::Sms).unwrap();
    assert_eq!(edited, NOTED.replace("\"start\": \"phone\"", "\"start\": \"sms\""));
}

#[test]
fn the_share_of_drawn_starts_is_set_or_changed() {
    let edited = edit::set_explore(NOTED, 0.3).unwrap();
    assert_eq!(edited, NOTED.replace("\"explore\": 0.2", "\"explore\": 0.3"));
    let without = edit::set_explore(SMALLEST, 0.2).unwrap();
    assert!((sound(&without).explore - 0.2).abs() < 1e-9, "{without}");
    assert!(edit::set_explore(NOTED, 7.0).is_err());
}

#[test]
fn a_segment_that_shares_the_steps_gets_its_own_to_change_them() {
    let edited = edit::set_wait(NOTED, Some("vip"), Channel::Phone, "1h30m").unwrap();
    let rules = sound(&edited);
    assert_eq!(rules.main, sound(NOTED).main);
    assert_eq!(waits(vip(&rules))[0], (Channel::Phone, Some(5_400)));
    let own = r#"    "vip": { "start": "phone",
      "steps": [
        { "channel": "whatsapp", "wait": "6h", "#;
    assert!(edited.contains(own), "{edited}");
    assert_eq!(edit::share_steps(&edited, "vip").unwrap(), NOTED);
    assert_eq!(edit::own_steps(&edited, "vip").unwrap(), edited);
}

#[test]
fn a_segment_is_split_off_and_taken_out_again() {
    let first = edit::split_segment(SMALLEST, "enterprise", Channel::Phone).unwrap();
    assert!(
        first.contains("],\n  \"segments\": {\n    \"enterprise\": { \"start\": \"phone\" } } }\n"),
        "{first}"
    );
    assert_eq!(sound(&first).segments[&Segment("enterprise".into())].start, Channel::Phone);
    assert_eq!(edit::remove_segment(&first, "enterprise").unwrap(), SMALLEST);
    let second = edit::split_segment(NOTED, "smb \"x\"", Channel::Sms).unwrap();
    assert!(
        second.contains("{ \"start\": \"phone\" },\n    \"smb \\\"x\\\"\": { \"start\": \"sms\" } },"),
        "{second}"
    );
    assert_eq!(edit::remove_segment(&second, "smb \"x\"").unwrap(), NOTED);
    let kept = edit::remove_segment(&second, "vip").unwrap();
    assert_eq!(sound(&kept).segments.len(), 1);
}

#[test]
fn an_order_moves_steps_with_their_notes_and_keeps_one_chain() {
    use Channel::{Phone, Sms, Whatsapp};
    let edited = edit::set_order(NOTED, None, &[Whatsapp, Sms, Phone]).unwrap();
    let expected = NOTED
        .replace("\"if_no_reply\": \"phone\", \"$comment\"", "\"if_no_reply\": \"sms\", \"$comment\"")
        .replace(
            "{ \"channel\": \"phone\", \"attempts\": 2, \"wait\": \"2h\", \"if_no_answer\": \"sms\" },",
            "{ \"channel\": \"sms\", \"wait\": \"4h\", \"if_no_reply\": \"phone\" },",
        )
        .replace(
            "{ \"channel\": \"sms\", \"wait\": null, \"terminal\": true } ]",
            "{ \"channel\": \"phone\", \"attempts\": 2, \"wait\": null, \"wait_if_first\": \"2h\", \"terminal\": true } ]",
        );
    assert_eq!(edited, expected);
    assert_eq!(edit::set_order(&edited, None, &[Whatsapp, Phone, Sms]).unwrap(), NOTED);
    // A new start alone brings this about.
    let edited = edit::set_order(NOTED, None, &[Phone, Whatsapp, Sms]).unwrap();
    assert_eq!(edited, NOTED.replace("\"start\":   \"whatsapp\"", "\"start\":   \"phone\""));
}

#[test]
fn what_cannot_be_done_is_refused_with_what_to_do() {
    let code = |edited: edit::Edited| {
        let problem = edited.unwrap_err();
        assert!(!problem.message.is_empty() && !problem.hint.is_empty());
        problem.code
    };
    assert_eq!(code(edit::set_wait(NOTED, None, Channel::Sms, "4h")), "wait-on-end");
    assert_eq!(code(edit::set_wait(NOTED, None, Channel::Phone, "4 hours")), "bad-duration");
    assert_eq!(code(edit::set_wait(NOTED, None, Channel::Email, "4h")), "no-such-step");
    assert_eq!(code(edit::set_wait(NOTED, Some("smb"), Channel::Phone, "4h")), "no-such-segment");
    assert_eq!(code(edit::set_start(NOTED, None, Channel::Email)), "no-such-step");
    assert_eq!(code(edit::set_order(NOTED, None, &[Channel::Phone])), "bad-order");
    assert_eq!(code(edit::set_order(NOTED, None, &[Channel::Phone; 3])), "bad-order");
    assert_eq!(code(edit::split_segment(NOTED, "vip", Channel::Phone)), "given-twice");
    assert_eq!(code(edit::split_segment(NOTED, " ", Channel::Phone)), "empty-name");
    assert_eq!(code(edit::remove_segment(SMALLEST, "vip")), "no-such-segment");
    assert_eq!(code(edit::set_wait("{ }", None, Channel::Phone, "4h")), "missing-start");
}

/// A legal file in any layout: steps in any order of the file, notes, signs of every kind in them.
pub fn rules_text() -> impl Strategy<Value = String> {
    let space = prop::sample::select(vec![" ", "", "  ", "\n  ", "\t", "\r\n"]);
    let note = prop::sample::select(vec!["", "why", "日本 🎉", "a \\\" { [ , : ] } \\ud83c\\udf37"]);
    let chain = Just(Channel::ALL.to_vec()).prop_shuffle();
    (chain, 1..=4usize, any::<u64>(), prop::collection::vec(space, 24), note, 1..100_000u64, 0..3u8)
        .prop_map(|(mut chain, length, seed, spaces, note, wait_s, segments)| {
            chain.truncate(length);
            let mut at = 0;
            let mut gap = || {
                at += 1;
                spaces[at % spaces.len()]
            };
            let mut steps: Vec<String> = Vec::new();
            for (i, channel) in chain.iter().enumerate() {
                let g = gap();
                let end = match chain.get(i + 1) {
                    Some(next) => {
                        let pointer = if channel.is_text() { "if_no_reply" } else { "if_no_answer" };
                        let wait = format_duration_s(wait_s + i as u64);
                        format!("\"wait\":{g}\"{wait}\"{g}, \"{pointer}\": \"{next}\"")
                    }
                    None => format!("\"wait\": null,{g}\"wait_if_first\":\"3h\", \"terminal\": true"),
                };
                let note = if i % 2 == 0 { String::new() } else { format!("\"$comment\": \"{note}\",{g}") };
                steps.push(format!("{{{g}\"channel\":{g}\"{channel}\",{note}{g}{end}}}"));
            }
            let by = (seed as usize) % steps.len();
            steps.rotate_left(by);
            let start = chain[(seed as usize / 7) % chain.len()];
            let own = steps.join(",");
            let entry = |n: u8| match n % 2 {
                0 => format!("\"s{n}\": {{\"start\":{}\"{start}\"}}", spaces[0]),
                _ => format!("\"s{n}\": {{ \"steps\": [{own}], \"start\": \"{start}\"}}"),
            };
            let segments: Vec<String> = (0..segments).map(entry).collect();
            let (a, b) = (gap(), gap());
            format!(
                "{{{a}\"$comment\": \"{note}\", \"start\": \"{start}\",{b}\"segments\": {{{}}},{a}\"steps\": [{b}{}]{b}}}{a}",
                segments.join(&format!(",{b}")),
                steps.join(&format!(",{b}")),
            )
        })
}

proptest! {
    /// Whatever the file and the order: one legal chain, walked as was asked, and the way back is the same walk.
    #[test]
    fn every_order_is_one_legal_chain(text in rules_text(), order in Just(Channel::ALL.to_vec()).prop_shuffle(), own in any::<bool>()) {
        let before = sound(&text);
        let segment = own.then(|| before.segments.keys().next().map(|s| s.0.clone())).flatten();
        let of = |rules: &Rules| match &segment {
            Some(name) => rules.segments[&Segment(name.clone())].clone(),
            None => rules.main.clone(),
        };
        let walk: Vec<Channel> = order.into_iter().filter(|c| of(&before).channels().any(|d| d == *c)).collect();
        let edited = edit::set_order(&text, segment.as_deref(), &walk).unwrap();
        let after = of(&sound(&edited));
        let walked: Vec<Channel> = after.walk(after.start).iter().map(|s| s.channel).collect();
        prop_assert_eq!(&walked, &walk);
        // Whoever starts with a channel waits there as long as before.
        for channel in &walk {
            let first = |ladder: &Ladder| ladder.walk(*channel)[0].wait_s;
            prop_assert_eq!(first(&after), first(&of(&before)));
        }
        // Everybody else is left alone.
        if segment.is_some() {
            prop_assert_eq!(&sound(&edited).main, &before.main);
        }
        let old = of(&before);
        let back: Vec<Channel> = old.walk(old.start).iter().map(|s| s.channel).collect();
        let again = edit::set_order(&edited, segment.as_deref(), &back).unwrap();
        prop_assert_eq!(waits(&of(&sound(&again))).len(), back.len());
    }

    /// Any text at all: an edit, or a reason; never a crash, never broken rules.
    #[test]
    fn no_text_breaks_an_edit(text in rules_text(), at in any::<prop::sample::Index>(), byte in any::<char>()) {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars[at] = byte;
        let broken: String = chars.into_iter().collect();
        for edited in [
            edit::set_wait(&broken, None, Channel::Phone, "3h"),
            edit::split_segment(&broken, "new", Channel::Phone),
            edit::remove_segment(&broken, "s0"),
            edit::own_steps(&broken, "s0"),
            edit::set_order(&broken, None, Channel::ALL),
        ].into_iter().flatten() {
            prop_assert!(read(&edited).0.is_some());
        }
    }
}
