//! The rules' ladder as a screen shows it: each step, and how many stand there.

use crate::engine::campaign::Campaign;
use crate::engine::journey::{Journey, State};
use crate::engine::snapshot::StepRow;

/// Whoever goes the likeliest way by the newest rules: a start that was drawn at random is not the rules' own.
pub(super) fn typical(campaign: &Campaign) -> Option<&Journey> {
    let likelier = |a: &&Journey, b: &&Journey| {
        let by_draw = a.start.propensity.total_cmp(&b.start.propensity);
        a.edition.cmp(&b.edition).then(by_draw).then(b.id.cmp(&a.id))
    };
    campaign.journeys().iter().max_by(likelier)
}

/// The steps of the rules in force, and who stands where.
pub(super) fn steps(campaign: &Campaign, typical: Option<&Journey>) -> Vec<StepRow> {
    let Some(walk) = typical.map(|j| j.start.walk.clone()) else { return Vec::new() };
    let mut rows: Vec<StepRow> = walk
        .iter()
        .map(|leg| StepRow {
            channel: leg.channel,
            wait_s: leg.wait_s,
            sending: 0,
            waiting: 0,
            stuck: 0,
            to_come: 0,
        })
        .collect();
    for journey in campaign.journeys().iter().filter(|j| !j.is_over()) {
        for row in &mut rows {
            let place = journey.start.walk.iter().position(|leg| leg.channel == row.channel);
            match place.map(|p| (p as u32).cmp(&journey.step)) {
                Some(std::cmp::Ordering::Greater) => row.to_come += 1,
                Some(std::cmp::Ordering::Equal) => match journey.state {
                    State::Queued | State::Deferred(_) | State::Sending | State::Retrying => row.sending += 1,
                    State::Waiting | State::Settling => row.waiting += 1,
                    State::Held(_) | State::InDoubt => row.stuck += 1,
                    State::Ended(_) => {}
                },
                Some(std::cmp::Ordering::Less) | None => {}
            }
        }
    }
    rows
}
