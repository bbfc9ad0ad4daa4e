//! The order of steps. Each step keeps its text and moves; its pointer, its wait and the end of the chain follow.

use super::object::{ObjectText, quoted};
use super::{Edited, File, is_on, lost, object, refusal, set_start, with_own_steps};
use crate::model::Channel;
use crate::rules::{DEFAULT_WAIT_IF_FIRST_S, Ladder, parse_duration_s};

/// Makes the walk exactly this: the start and then each channel in its order. `walk` names every channel of the
/// ladder once. Where a new start alone brings it about, nothing else changes; a segment that shares the main steps
/// gets its own only if it must.
///
/// A step that becomes the last keeps its wait as `wait_if_first`; one that was the last waits from then on what it
/// waited when it came first.
pub fn set_order(text: &str, segment: Option<&str>, walk: &[Channel]) -> Edited {
    let file = File::open(text)?;
    file.ladder(segment)?;
    let ladder = file.rules_of(segment)?;
    let (Some(&start), true) = (walk.first(), is_all_of(ladder, walk)) else {
        let there: Vec<&str> = ladder.channels().map(Channel::as_str).collect();
        let hint = format!("the steps are {}", there.join(", "));
        return Err(refusal("bad-order", "an order names every step once".into(), hint));
    };
    if ladder.walk(start).iter().map(|step| step.channel).eq(walk.iter().copied()) {
        return set_start(text, segment, start);
    }
    let text = with_own_steps(text, segment)?;
    let text = &set_start(&text, segment, start)?;
    let file = File::open(text)?;
    let ladder = file.rules_of(segment)?;
    let places = file.steps(segment)?;
    let steps = places.iter().map(|p| object(file.body, p)).collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return Err(lost()) };
    let mut new = String::new();
    for (i, place) in places.iter().enumerate() {
        let channel = *walk.get(i).ok_or_else(lost)?;
        let mut step = steps.iter().find(|step| is_on(step, channel)).ok_or_else(lost)?.clone();
        let was_last = ladder.steps.last().is_some_and(|s| s.channel == channel);
        match walk.get(i + 1) {
            Some(next) => lead_on(&mut step, channel, *next, was_last),
            None if !was_last => end(&mut step),
            None => {}
        }
        new.push_str(&step.0);
        // What stands between two steps stays there.
        let until = places.get(i + 1).map_or(place.end, |next| next.start);
        new.push_str(file.body.get(place.end..until).unwrap_or_default());
    }
    file.with(first.start..last.end, &new)
}

fn is_all_of(ladder: &Ladder, walk: &[Channel]) -> bool {
    let once = walk.iter().enumerate().all(|(i, channel)| !walk[..i].contains(channel));
    once && walk.len() == ladder.steps.len() && ladder.channels().all(|channel| walk.contains(&channel))
}

const fn pointer_of(channel: Channel) -> &'static str {
    if channel.is_text() { "if_no_reply" } else { "if_no_answer" }
}

/// Lets a step lead to another one.
fn lead_on(step: &mut ObjectText, channel: Channel, next: Channel, was_last: bool) {
    let (pointer, next) = (pointer_of(channel), quoted(next.as_str()));
    if !was_last {
        step.set(pointer, &next, "wait");
        return;
    }
    let wait = step.value("wait_if_first").map(str::to_owned);
    let wait = wait.unwrap_or_else(|| quoted(&crate::rules::format_duration_s(DEFAULT_WAIT_IF_FIRST_S)));
    step.set("wait", &wait, "channel");
    step.remove("wait_if_first");
    step.swap("terminal", pointer, &next);
}

/// Makes a step the end of the chain.
fn end(step: &mut ObjectText) {
    let wait = step.value("wait").unwrap_or("null").to_owned();
    if wait != "null" {
        step.set("wait", "null", "channel");
        let seconds = serde_json::from_str::<String>(&wait).ok().and_then(|said| parse_duration_s(&said));
        if seconds == Some(DEFAULT_WAIT_IF_FIRST_S) {
            step.remove("wait_if_first");
        } else {
            step.set("wait_if_first", &wait, "wait");
        }
    }
    step.remove("terminal");
    for pointer in ["if_no_reply", "if_no_answer"] {
        step.swap(pointer, "terminal", "true");
    }
}
