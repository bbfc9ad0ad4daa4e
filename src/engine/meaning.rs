//! What a person meant: their words, a button's payload, or what the voice agent made of a talk. Pure.
//!
//! An opt-out that we miss contacts somebody who said no; one that we invent loses one conversion. So a message
//! that begins with STOP is an opt-out whatever follows ("stop, I am driving"), save for a visit ("stop by
//! tomorrow at 5"); words that also mean other things (END, CANCEL) count only when they stand alone.

mod words;

use crate::model::Disposition;
use serde_json::Value;
use words::{
    ASKING, AUTO_PHRASES, DENIALS, FILLERS, MAYBE_PHRASES, NEGATIONS, NO_FIRST, NO_PHRASES, NOT_A_NAME,
    START_ALONE, STOP_ALONE, STOP_FIRST, STOP_PHRASES, STOP_VISITS, WRONG_PHRASES, YES_PHRASES, YES_WORDS,
};

/// See [`read`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// No more contact, on any channel; in the word or phrase that said so.
    OptOut(String),
    /// Contact again.
    OptIn,
    /// A human answer.
    Answer(Disposition),
}

/// A yes among many words is likely about something else.
const SHORT: usize = 8;

/// What a message means. A button's payload, `MEANS:attempt` with a disposition or `opted_out` for `MEANS`,
/// says it outright; anything else is read from the words.
pub fn read(text: &str, payload: Option<&str>) -> Meaning {
    payload.and_then(button).unwrap_or_else(|| Message::fold(text).meaning())
}

fn button(payload: &str) -> Option<Meaning> {
    let means = payload.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
    match means.as_str() {
        "opted_out" | "stop" => Some(Meaning::OptOut(means)),
        word => Disposition::parse(word).map(Meaning::Answer),
    }
}

/// What a talk means: an opt-out in the person's words or in the agent's analysis first, then the analysis
/// (`disposition`, or the older `confirmed`), then the words. `said` has a line for each thing they said.
pub fn read_call(said: Option<&str>, structured: Option<&Value>) -> Meaning {
    let lines: Vec<Message> = said.unwrap_or_default().lines().map(Message::fold).collect();
    if let Some(word) = lines.iter().find_map(Message::spoken_opt_out) {
        return Meaning::OptOut(word);
    }
    let flag = |name: &str| structured?.get(name)?.as_bool();
    if flag("wants_no_more_contact") == Some(true) {
        return Meaning::OptOut("wants_no_more_contact".to_owned());
    }
    let told = structured.and_then(|data| data.get("disposition")?.as_str());
    if told == Some("opted_out") {
        return Meaning::OptOut("opted_out".to_owned());
    }
    let analysed = told.and_then(Disposition::parse).or_else(|| {
        flag("confirmed").map(|yes| if yes { Disposition::Positive } else { Disposition::Negative })
    });
    Meaning::Answer(analysed.unwrap_or_else(|| of_talk(&lines)))
}

/// Somebody else on the line is somebody else to the end; otherwise the last clear word counts.
fn of_talk(lines: &[Message]) -> Disposition {
    let each: Vec<Disposition> = lines.iter().map(Message::disposition).collect();
    let has = |d: Disposition| each.contains(&d);
    if has(Disposition::WrongPerson) {
        return Disposition::WrongPerson;
    }
    let clear = each.iter().rev().find(|d| matches!(d, Disposition::Positive | Disposition::Negative));
    match clear {
        Some(clear) => *clear,
        None if has(Disposition::Question) => Disposition::Question,
        None if has(Disposition::AutoReply) => Disposition::AutoReply,
        None => Disposition::Unclear,
    }
}

/// A message, folded for comparing.
#[derive(Debug)]
struct Message {
    words: Vec<String>,
    /// Without politeness.
    core: String,
    asks: bool,
    /// A STOP in capitals among small letters.
    shouts_stop: bool,
    /// Wherever it says `stop`, somebody comes by.
    visits: bool,
    signs: Signs,
}

/// Emoji that are an answer by themselves.
#[derive(Debug, Default)]
struct Signs {
    yes: bool,
    no: bool,
    stop: bool,
}

impl Message {
    fn fold(text: &str) -> Self {
        let mut words = split(text);
        if words.len() > 2 && words.iter().all(|w| w.chars().count() == 1) {
            // S T O P, s.t.o.p.
            words = vec![words.concat()];
        }
        for word in &mut words {
            unstretch(word);
        }
        let core: Vec<&str> = words.iter().map(String::as_str).filter(|w| !FILLERS.contains(w)).collect();
        let raw: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        Self {
            core: core.join(" "),
            asks: text.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '?').ends_with('?'),
            shouts_stop: raw.contains(&"STOP") && raw.iter().any(|w| w.chars().any(char::is_lowercase)),
            visits: visits(text),
            signs: Signs {
                yes: text.contains(['👍', '👌', '✅', '🙌', '💯', '✔', '🆗']),
                no: text.contains(['👎', '❌', '🙅']),
                stop: text.contains(['🛑', '⛔']),
            },
            words,
        }
    }

    fn meaning(&self) -> Meaning {
        if let Some(word) = self.opt_out() {
            return Meaning::OptOut(word);
        }
        if START_ALONE.contains(&self.core.as_str()) {
            return Meaning::OptIn;
        }
        Meaning::Answer(self.disposition())
    }

    fn opt_out(&self) -> Option<String> {
        if STOP_ALONE.contains(&self.core.as_str()) {
            return Some(self.core.clone());
        }
        if self.words.is_empty() && self.signs.stop {
            return Some("🛑".to_owned());
        }
        self.spoken_opt_out()
    }

    /// Without the words that only a form would take for an opt-out when said aloud: END, CANCEL.
    fn spoken_opt_out(&self) -> Option<String> {
        if let Some(first) = self.core.split(' ').next().filter(|w| STOP_FIRST.contains(w))
            && !self.visits
        {
            // "Ok, no, stop" begins with it; "no need to stop" does not.
            return Some(first.to_owned());
        }
        // An automatic reply may well explain how to unsubscribe from its own list.
        if self.has_any(&AUTO_PHRASES) {
            return None;
        }
        if self.shouts_stop && self.unnegated("stop") && !self.visits {
            return Some("stop".to_owned());
        }
        STOP_PHRASES
            .iter()
            .find(|phrase| self.unnegated(phrase))
            .map(|phrase| phrase.trim_end_matches(" $").to_owned())
    }

    fn disposition(&self) -> Disposition {
        if self.has_any(&AUTO_PHRASES) {
            Disposition::AutoReply
        } else if self.has_any(&WRONG_PHRASES) || self.is_somebody_else() {
            Disposition::WrongPerson
        } else if self.has_any(&NO_PHRASES) {
            Disposition::Negative
        } else if self.asks || self.begins_with(&ASKING) && !self.has_any(&YES_PHRASES) {
            Disposition::Question
        } else if self.has_any(&MAYBE_PHRASES) {
            Disposition::Unclear
        } else if YES_PHRASES.iter().any(|yes| self.unnegated(yes)) {
            Disposition::Positive
        } else if self.begins_with(&NO_FIRST) || self.signs.no {
            Disposition::Negative
        } else if self.says_yes() {
            Disposition::Positive
        } else {
            Disposition::Unclear
        }
    }

    fn says_yes(&self) -> bool {
        let plain = |(i, word): (usize, &String)| YES_WORDS.contains(&word.as_str()) && !self.is_negated(i);
        let first = self.words.first().is_some_and(|w| YES_WORDS.contains(&w.as_str()));
        let short = self.words.len() <= SHORT && self.words.iter().enumerate().any(plain);
        let negated = self.words.iter().any(|w| NEGATIONS.contains(&w.as_str()));
        first || (short && !negated) || (self.signs.yes && !negated)
    }

    /// "I'm not Ana", "who is this? this isn't Ana", "no soy Ana": a denial, and then a name to the end; or more
    /// words, if they ask who we are.
    fn is_somebody_else(&self) -> bool {
        let asks_who =
            self.words.iter().any(|w| matches!(w.as_str(), "who" | "whos" | "wer" | "quien" | "qui"));
        DENIALS.iter().flat_map(|denial| self.places(denial)).any(|end| {
            let rest = &self.words[end..];
            rest.first().is_some_and(|name| !NOT_A_NAME.contains(&name.as_str()))
                && (rest.len() <= 2 || asks_who)
        })
    }

    fn begins_with(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.starts_at(0, phrase).is_some())
    }

    fn has_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.places(phrase).next().is_some())
    }

    /// Whether `phrase` stands somewhere without a negation right before it.
    fn unnegated(&self, phrase: &str) -> bool {
        (0..self.words.len()).any(|at| self.starts_at(at, phrase).is_some() && !self.is_negated(at))
    }

    /// "don't X", "I don't want to X", "no need to X".
    fn is_negated(&self, at: usize) -> bool {
        let before = |n: usize| at.checked_sub(n).and_then(|i| self.words.get(i)).map_or("", String::as_str);
        let negation = |word: &str| NEGATIONS.contains(&word);
        negation(before(1))
            || before(1) == "to"
                && (negation(before(3)) || negation(before(2)) || before(2) == "need" && before(3) == "no")
    }

    /// Where `phrase` ends, for each place where it stands.
    fn places(&self, phrase: &str) -> impl Iterator<Item = usize> {
        (0..self.words.len()).filter_map(move |at| self.starts_at(at, phrase))
    }

    /// The index after `phrase`, if it stands at `at`.
    fn starts_at(&self, at: usize, phrase: &str) -> Option<usize> {
        let mut here = at;
        for part in phrase.split(' ') {
            if part == "$" {
                return (here..self.words.len())
                    .all(|i| FILLERS.contains(&self.words[i].as_str()))
                    .then_some(here);
            }
            if self.words.get(here).map(String::as_str) != Some(part) {
                return None;
            }
            here += 1;
        }
        Some(here)
    }
}

/// "I'll stop by tomorrow". In "Stop. In future …" nobody comes, nor where `stop` is said otherwise as well.
fn visits(text: &str) -> bool {
    let raw: Vec<&str> = text.split_whitespace().collect();
    let visit = |at: usize| {
        let next = raw.get(at + 1).map(|next| split(next)).unwrap_or_default();
        !raw[at].ends_with(|c: char| !c.is_alphanumeric())
            && next.first().is_some_and(|next| STOP_VISITS.contains(&next.as_str()))
    };
    let mut said = (0..raw.len()).filter(|at| split(raw[*at]).iter().any(|word| word == "stop")).peekable();
    said.peek().is_some() && said.all(visit)
}

/// Words in lower case without accents; an apostrophe joins, everything else that is no letter or digit parts.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        match c {
            // Apostrophes; the invisible; marks upon the letter before.
            '\''
            | '’'
            | '‘'
            | '`'
            | '´'
            | 'ʼ'
            | '\u{300}'..='\u{36f}'
            | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2060}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' => {}
            c if c.is_alphanumeric() => fold_letter(c, &mut word),
            _ if !word.is_empty() => words.push(std::mem::take(&mut word)),
            _ => {}
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn fold_letter(c: char, into: &mut String) {
    // Full-width letters are the same letters, 0xfee0 further on.
    let c = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        other => other,
    };
    for c in c.to_lowercase() {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => into.push('a'),
            'ç' | 'ć' | 'č' => into.push('c'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' => into.push('e'),
            'ì'..='ï' | 'ī' | 'ı' => into.push('i'),
            'ñ' | 'ń' => into.push('n'),
            'ò'..='ö' | 'ø' | 'ō' => into.push('o'),
            'ù'..='ü' | 'ū' | 'ů' => into.push('u'),
            'ý' | 'ÿ' => into.push('y'),
            'ß' => into.push_str("ss"),
            'œ' => into.push_str("oe"),
            '\u{300}'..='\u{36f}' => {}
            other => into.push(other),
        }
    }
}

/// `stoooop` and `yessss` are the same words.
fn unstretch(word: &mut String) {
    let mut short = String::with_capacity(word.len());
    let mut run = 0;
    for c in word.chars() {
        run = if short.ends_with(c) { run + 1 } else { 0 };
        if run < 2 {
            short.push(c);
        }
    }
    let mut once = short.clone();
    let mut last = None;
    once.retain(|c| last.replace(c) != Some(c));
    *word = if ["stop", "yes", "no", "unsubscribe"].contains(&once.as_str()) { once } else { short };
}

#[cfg(test)]
mod tests;
