//! What holds, releases and orders make of a journey.

use super::retimed;
use crate::engine::event::Kind;
use crate::engine::journey::{Alarm, Journey, State};

/// What holds, releases and orders make of it.
pub(super) fn fold(journey: &mut Journey, kind: &Kind) {
    match kind {
        Kind::Held { why } => (journey.state, journey.timer) = (State::Held(why.clone()), None),
        Kind::Released { .. } | Kind::Retried { .. } => {
            (journey.state, journey.timer, journey.retries) = (State::Queued, None, 0);
        }
        // What follows is the next step, or the step that a pause had put off.
        Kind::WaitSkipped { .. } => {
            (journey.timer, journey.hurried) = (None, true);
            if matches!(journey.state, State::Deferred(_)) {
                journey.state = State::Queued;
            }
        }
        Kind::DoubtSettled { was_sent: true, .. } if journey.state == State::InDoubt => {
            let settling = journey.timer.is_some_and(|t| t.what == Alarm::Settle);
            journey.state = if settling { State::Settling } else { State::Waiting };
        }
        Kind::Retimed { edition, walk, skips, wait } => {
            retimed::fold(journey, *edition, walk, skips.as_deref(), *wait);
        }
        _ => {}
    }
}
