//! What an edit of rules and texts makes of the campaign and of a journey.

use crate::engine::campaign::Campaign;
use crate::engine::event::{CascadeStart, Edition, NewWait, Skip};
use crate::engine::journey::{Alarm, Journey, State, Timer};
use crate::engine::policy::Terms;
use crate::engine::retime::Choice;
use crate::model::{AttemptId, Channel, Leg};
use std::sync::Arc;

/// A further version, and what holds for everybody from here on.
pub(super) fn rules_changed(campaign: &mut Campaign, edition: &Edition, terms: Option<&Terms>) {
    // Saved once more, for those who had not been shown.
    if campaign.edition(campaign.newest_edition()) != *edition {
        campaign.header.editions.push(edition.clone());
    }
    if let Some(terms) = terms {
        campaign.header.launch.policy.adopt(terms.clone());
    }
}

/// What is said from here on: on these channels something else, on the others what was. With [`Choice::Keep`] nothing is.
pub(super) fn texts_changed(
    campaign: &mut Campaign,
    edition: &Edition,
    choice: Choice,
    texts: Option<&[Channel]>,
) {
    if choice == Choice::Keep || edition.content == campaign.edition(campaign.header.content).content {
        return;
    }
    // Back to the texts of the launch, nobody is told anything else than they would have been.
    let is_first = edition.content == campaign.edition(0).content;
    let stays = |channel: &Channel| texts.is_some_and(|texts| !texts.contains(channel));
    let before = |channel: &Channel| {
        let number = if is_first { Some(0) } else { stays(channel).then(|| campaign.content_on(*channel)) };
        number.map(|number| (*channel, number))
    };
    campaign.header.content_before = Channel::ALL.iter().filter_map(before).collect();
    campaign.header.content = campaign.newest_edition();
}

/// The rest of a walk, and the wait that runs.
pub(super) fn fold(
    journey: &mut Journey,
    edition: u32,
    walk: &[Leg],
    skips: Option<&[(Channel, Skip)]>,
    wait: Option<NewWait>,
) {
    let before = &journey.start;
    let skips = skips.map_or_else(|| before.skips.clone(), <[_]>::to_vec);
    let start = CascadeStart { walk: walk.to_vec(), skips, ..(**before).clone() };
    (journey.start, journey.edition) = (Arc::new(start), edition);
    let Some(NewWait { from, due, timer }) = wait else { return };
    let last = journey.at_last_step();
    let what = if last { Alarm::Settle } else { Alarm::Wait };
    journey.timer = Some(Timer { id: timer, due, what, from: Some(from) });
    if journey.state != State::InDoubt {
        journey.state = if last { State::Settling } else { State::Waiting };
    }
}

/// A step runs under the versions that hold when it is claimed.
pub(super) fn claimed(journey: &mut Journey, attempt: AttemptId, content: u32) {
    let rules = journey.edition;
    if let Some(claimed) = journey.attempts.iter_mut().find(|a| a.id == attempt) {
        (claimed.rules, claimed.content) = (rules, content);
    }
}
