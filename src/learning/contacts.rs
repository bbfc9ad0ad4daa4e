//! From cascades to the contacts that waits are advised on: one for each message that arrived.

use super::history::{Cascade, Step};
use super::waits::survival::Contact;
use crate::model::{At, Channel};

/// The delivered contacts of a cascade, by channel, as they stand at `now`. One without a known wait is none.
pub fn contacts(cascade: &Cascade, now: At) -> impl Iterator<Item = (Channel, Contact)> + '_ {
    let seconds = |from: At, to: At| (to - from).num_milliseconds() as f64 / 1000.0;
    cascade.steps.iter().filter(|step| step.bounced_at.is_none()).filter_map(move |step| {
        let (sent, _) = (step.sent_at?, step.delivered_at.or(step.converted_at)?);
        let others = cascade.steps.iter().filter(|other| other.step != step.step);
        let contact = Contact {
            window_s: step.window_s? as f64,
            age_s: seconds(sent, now).max(0.0),
            converted_s: until_now(step, now).map(|at| seconds(sent, at)),
            ended_s: others
                .filter_map(|other| until_now(other, now))
                .min()
                .map(|at| seconds(sent, at).max(0.0)),
        };
        Some((step.channel, contact))
    })
}

fn until_now(step: &Step, now: At) -> Option<At> {
    step.converted_at.filter(|at| *at <= now)
}
