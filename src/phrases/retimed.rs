//! Changes of rules and texts in people's words.

use super::span;
use crate::engine::event::{Edition, Event, NewWait};
use crate::engine::retime::Choice;
use crate::model::{Channel, Leg, clean};

/// What becomes of those in flight.
pub const fn choice(choice: Choice) -> &'static str {
    match choice {
        Choice::Keep => "those in flight keep theirs",
        Choice::Retime => "those in flight re-timed",
        Choice::RetimeAndSpread => "those in flight re-timed and spread",
    }
}

/// The first letters of a hash, as everywhere.
pub fn short(hash: &str) -> String {
    clean(hash).chars().take(7).collect()
}

/// `rules 3f2a1c4, texts 9c0d2b1 in force; those in flight re-timed`
pub(super) fn changed(edition: &Edition, how: Choice) -> String {
    let (rules, texts) = (short(&edition.rules), short(&edition.content));
    let since = match how {
        Choice::Keep => "for later launches",
        Choice::Retime | Choice::RetimeAndSpread => "in force",
    };
    format!("rules {rules}, texts {texts} {since}; {}", choice(how))
}

/// `new rules: goes on in 2h, then SMS`
pub(super) fn retimed(walk: &[Leg], event: &Event, wait: Option<NewWait>) -> String {
    let at = event.subject.step.map_or(0, |step| step as usize + 1);
    let rest: Vec<&str> = walk.iter().skip(at).map(|leg| Channel::label(leg.channel)).collect();
    let then =
        if rest.is_empty() { "no step follows".to_owned() } else { format!("then {}", rest.join(" › ")) };
    match wait {
        Some(wait) => format!("new rules: waits {} more, {then}", span((wait.due - event.at).num_seconds())),
        None => format!("new rules or texts: {then}"),
    }
}
