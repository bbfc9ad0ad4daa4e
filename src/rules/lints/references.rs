//! Which attempts a text refers to: "we sent you a WhatsApp message", "I called you earlier", "our last text".
//!
//! A channel's name alone is no reference ("you can also reach us on WhatsApp"), so a text is read clause by clause
//! against the phrases of [`super::phrases`], in English, German, Spanish and French, the languages whose answers
//! `engine::meaning` reads. A phrase needs one of ours as its subject, or `our` before the channel, or somebody who got,
//! saw or missed something of ours. What is only announced ("wait for our call") or supposed ("if you missed our call") is
//! not a reference where nothing but `our` says so. What none of the phrases fits is passed over: a false alarm here would
//! keep a campaign from starting.

use super::phrases::{BARE, FUTURE, NOT_A_MESSAGE, NOUNS, PHRASES, Phrase, SUPPOSED, Step, Weight};
use super::said::{Word, words};
use crate::model::Channel;

/// An attempt that a text speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// On this channel; `None`: on any.
    pub(super) channel: Option<Channel>,
    /// Byte of the text where it begins.
    pub(super) at: usize,
    /// The words.
    pub(super) words: String,
}

/// Every reference in a text, in its order. In an agent's instructions, what is supposed or to come is no claim.
pub(super) fn references(text: &str, is_prompt: bool) -> Vec<Reference> {
    let all = words(text);
    let mut found: Vec<Reference> = Vec::new();
    for clause in all.split(|word| word.text == ".") {
        let mut here: Vec<(usize, usize, Option<Channel>)> = Vec::new();
        let holds = |list: &[&str]| clause.iter().any(|word| list.contains(&word.text.as_str()));
        let is_weak = holds(FUTURE) || holds(SUPPOSED);
        if is_weak && is_prompt {
            continue;
        }
        for start in 0..clause.len() {
            let fits = |phrase: &&Phrase| phrase.weight == Weight::Strong || !is_weak;
            for phrase in PHRASES.iter().filter(fits).filter(|p| p.may_begin_with(&clause[start].text)) {
                if let Some((end, named)) = fit(&phrase.steps, clause, start) {
                    here.push((start, end, named.or(phrase.channel)));
                }
            }
        }
        // A channel's name says more than "we wrote to you", which lies in the same words.
        let is_named = here.iter().any(|(.., channel)| channel.is_some());
        here.retain(|(.., channel)| channel.is_some() || !is_named);
        for (start, end, channel) in here {
            let from = clause[start].at;
            let until = clause.get(end).map_or(text.len(), |word| word.at);
            if !found.iter().any(|f| f.channel == channel && f.at + f.words.len() > from) {
                let words = text.get(from..until).unwrap_or_default();
                let words = words.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
                found.push(Reference { channel, at: from, words });
            }
        }
    }
    found.sort_by_key(|reference| reference.at);
    found
}

/// Whether the steps fit from word `at` on: where they end, and the channel that they name.
fn fit(steps: &[Step], clause: &[Word], at: usize) -> Option<(usize, Option<Channel>)> {
    let Some((step, rest)) = steps.split_first() else { return Some((at, None)) };
    match step {
        Step::Words(list) => {
            let word = clause.get(at)?;
            list.contains(&word.text.as_str()).then(|| fit(rest, clause, at + 1))?
        }
        Step::Some(list) => {
            let more = clause.get(at).filter(|word| list.contains(&word.text.as_str()));
            let taken = more.and_then(|_| fit(steps, clause, at + 1));
            taken.or_else(|| fit(rest, clause, at))
        }
        Step::Gap(most) => (0..=*most)
            .take_while(|n| *n == 0 || clause.get(at + n - 1).is_some_and(|word| word.text != ","))
            .find_map(|n| fit(rest, clause, at + n)),
        Step::Noun => name(NOUNS, rest, clause, at),
        Step::Bare => name(BARE, rest, clause, at),
    }
}

/// A channel by one of its names. "Our WhatsApp number" is no message.
fn name(
    names: &[(&[&str], Channel)],
    rest: &[Step],
    clause: &[Word],
    at: usize,
) -> Option<(usize, Option<Channel>)> {
    names.iter().find_map(|(name, channel)| {
        let stands =
            name.iter().enumerate().all(|(i, word)| clause.get(at + i).is_some_and(|w| w.text == *word));
        let end = at + name.len();
        let is_message = clause.get(end).is_none_or(|next| !NOT_A_MESSAGE.contains(&next.text.as_str()));
        let (end, _) = (stands && is_message).then(|| fit(rest, clause, end)).flatten()?;
        Some((end, Some(*channel)))
    })
}
