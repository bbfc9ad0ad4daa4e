//! What pauses and resumes make of the campaign, and of the waits that run.

use crate::engine::campaign::{Campaign, Pause};
use crate::engine::event::{Actor, Kind};
use crate::engine::journey::{Alarm, Journey};
use crate::model::{At, Channel};

pub(super) fn fold(campaign: &mut Campaign, at: At, kind: &Kind) {
    let slot = |campaign: &'_ mut Campaign, only: Option<Channel>| match only {
        None => campaign.header.paused.take(),
        Some(channel) => campaign.header.paused_on[channel.index()].take(),
    };
    match kind {
        Kind::Paused { only, by, why } => {
            let since = slot(campaign, *only).map_or(at, |before| before.since);
            let by_itself = *by == Actor::Engine;
            let pause = Some(Pause { since, why: why.clone(), by_itself });
            match only {
                None => campaign.header.paused = pause,
                Some(channel) => campaign.header.paused_on[channel.index()] = pause,
            }
        }
        Kind::Resumed { only, extend_timers } => {
            let stood = slot(campaign, *only).map(|pause| at - pause.since);
            if let (true, Some(stood)) = (extend_timers, stood) {
                shift_waits(campaign, *only, stood);
            }
        }
        _ => {}
    }
}

/// Lengthens running waits by the time that sending stood still: all of them, or those that end in a send on the one
/// channel that did.
fn shift_waits(campaign: &mut Campaign, only: Option<Channel>, by: chrono::TimeDelta) {
    let next = |j: &Journey| j.start.walk.get(j.step as usize + 1).map(|leg| leg.channel);
    let waiting: Vec<_> = campaign
        .journeys()
        .iter()
        .filter(|j| j.timer.is_some() && only.is_none_or(|channel| next(j) == Some(channel)))
        .map(|j| j.id)
        .collect();
    for id in waiting {
        campaign.change(id, |journey| {
            // A morning or a retry comes when it comes; only waits grow.
            if let Some(timer) =
                journey.timer.as_mut().filter(|t| matches!(t.what, Alarm::Wait | Alarm::Settle))
            {
                timer.due = timer.due + by;
                timer.from = timer.from.map(|from| from + by);
            }
        });
    }
}
