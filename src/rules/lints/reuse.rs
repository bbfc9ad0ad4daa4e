//! Copy that is used twice: a second channel that says the same is passed over for the same reason.
//!
//! Texts are compared by the Sørensen–Dice coefficient over their word pairs: twice the number of pairs of neighbouring
//! words that two texts share, by the number of pairs in both. 1 is the same text, 0 shares no pair. What fields say is
//! left out, since it differs from person to person.

use super::said::{Said, words};
use super::{in_content, problem};
use crate::model::Channel;
use crate::rules::content::{Content, Text};
use crate::rules::{Problem, Severity};
use std::collections::BTreeMap;

/// From here on one is a copy of the other: more than half of what is said is said in the same words.
const COPY_FROM: f64 = 0.6;
/// Shorter texts are alike by chance.
const PAIRS_MIN: usize = 5;

/// A text that is compared: its channel, its name for people, where it begins, and its words.
struct Copy {
    channel: Channel,
    name: String,
    at: usize,
    words: Vec<String>,
}

pub(super) fn check(content: &Content, channels: &[Channel], found: &mut Vec<Problem>) {
    let copies: Vec<Copy> = channels.iter().flat_map(|channel| copies(content, *channel)).collect();
    let mut told: Vec<(Channel, usize)> = Vec::new();
    for (i, later) in copies.iter().enumerate() {
        let others = copies[..i].iter().filter(|earlier| earlier.channel != later.channel);
        let scored = others.map(|earlier| (dice(&earlier.words, &later.words), earlier));
        let Some((score, earlier)) = scored.max_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
        if score < COPY_FROM || told.contains(&(later.channel, later.at)) {
            continue;
        }
        told.push((later.channel, later.at));
        let message = format!(
            "{} repeats {}: {score:.2} alike by Sørensen–Dice over word pairs (from {COPY_FROM:.2} on it is a copy)",
            later.name, earlier.name
        );
        let hint = "who did not answer it once will not answer it twice; give each channel its own reason and length, \
                    as in \"Your price ends on Friday: {{link}}\"";
        let at = in_content(content, later.channel, later.at);
        found.push(problem(Severity::Warning, at, "copy-reused", message, hint));
    }
}

fn copies(content: &Content, channel: Channel) -> Vec<Copy> {
    let copy = |name: String, said: Said| {
        let words = words(&said.text).into_iter().map(|word| word.text);
        let words = words.filter(|word| word != "," && word != ".").collect();
        Copy { channel, name, at: said.place(0), words }
    };
    let of = |name: &str, text: &Text| copy(name.to_owned(), Said::whole(text));
    match channel {
        Channel::Whatsapp => {
            let languages = content.whatsapp.iter().flat_map(|w| &w.languages);
            languages
                .map(|l| copy(format!("the WhatsApp template ({})", l.code), Said::template(l, &[])))
                .collect()
        }
        Channel::Phone => {
            let Some(voice) = &content.voice else { return Vec::new() };
            let first = of("the call's first message", &voice.first_message);
            let voicemail = voice.voicemail.iter().map(|text| of("the voicemail", text));
            std::iter::once(first).chain(voicemail).collect()
        }
        Channel::Sms => content.sms.iter().map(|sms| of("the text message", &sms.text)).collect(),
        Channel::Email => content.email.iter().map(|email| of("the e-mail", &email.text)).collect(),
    }
}

/// How much alike two texts are, 0 to 1: the Sørensen–Dice coefficient over their word pairs.
pub fn alike(one: &str, other: &str) -> f64 {
    let of = |text: &str| {
        words(text).into_iter().map(|w| w.text).filter(|w| w != "," && w != ".").collect::<Vec<_>>()
    };
    dice(&of(one), &of(other))
}

fn dice(one: &[String], other: &[String]) -> f64 {
    let (a, b) = (one.len().saturating_sub(1), other.len().saturating_sub(1));
    if a < PAIRS_MIN || b < PAIRS_MIN {
        return 0.0;
    }
    let mut left: BTreeMap<&[String], usize> = BTreeMap::new();
    for pair in one.windows(2) {
        *left.entry(pair).or_default() += 1;
    }
    let mut shared = 0;
    for pair in other.windows(2) {
        if let Some(count) = left.get_mut(pair).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    2.0 * f64::from(shared) / (a + b) as f64
}
