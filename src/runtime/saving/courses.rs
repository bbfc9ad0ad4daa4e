//! What edited rules and texts have for everybody who is in flight.

use crate::engine::Campaign;
use crate::engine::event::Skip;
use crate::engine::journey::{Journey, Stage};
use crate::engine::policy::Terms;
use crate::engine::retime::{Course, Courses};
use crate::model::{Channel, Customer, Leg, PersonId};
use crate::phrases::span;
use crate::rules::Step;
use crate::runtime::launch::{Script, leg_of};
use std::collections::HashMap;

/// What of the files was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The rules.
    pub rules: bool,
    /// The texts.
    pub content: bool,
}

/// What `script` has for everybody who is open.
pub(in crate::runtime) fn courses(
    campaign: &Campaign,
    people: &HashMap<PersonId, Customer>,
    script: Script<'_>,
    edited: Edited,
    texts: Vec<Channel>,
) -> Courses {
    let policy = &campaign.header.launch.policy;
    let terms =
        if edited.rules { script.ready.config.policy(&script.ready.rules).terms() } else { policy.terms() };
    let open = campaign.journeys().iter().filter(|journey| !journey.is_over());
    let course = |journey: &Journey| {
        let customer = people.get(&journey.person)?;
        Some((journey.id, course(journey, customer, script, edited)))
    };
    Courses { of: open.filter_map(course).collect(), texts, terms }
}

fn course(journey: &Journey, customer: &Customer, script: Script<'_>, edited: Edited) -> Course {
    let before = &journey.start;
    let known = |channel: Channel| before.walk.iter().find(|leg| leg.channel == channel);
    let legs = if edited.rules {
        let ladder = script.ready.rules.ladder_for(&before.segment);
        let steps = ladder.chain();
        let leg = |step: Step| match known(step.channel).filter(|_| !edited.content) {
            // What it says, and so what it costs at most, is as it was.
            Some(leg) => Leg { reserve: leg.reserve, template: leg.template.clone(), ..leg_of(step) },
            None => script.leg(step, customer),
        };
        steps.into_iter().map(leg).collect()
    } else {
        before.walk.iter().map(|leg| script.said(leg.clone(), customer)).collect()
    };
    let skips = if edited.content {
        let suppressed = before.skips.iter().any(|(_, why)| *why == Skip::Suppressed);
        script.skips(customer, suppressed)
    } else {
        before.skips.clone()
    };
    Course { legs, skips }
}

/// On how many a channel's text is still to be used.
pub fn ahead(campaign: &Campaign, channel: Channel) -> u64 {
    let open = campaign.journeys().iter().filter(|journey| !journey.is_over());
    let still = |journey: &&Journey| {
        let skipped = journey.start.skips.iter().any(|(skipped, _)| *skipped == channel);
        let at = journey.start.walk.iter().position(|leg| leg.channel == channel);
        let here = journey.step as usize;
        let begun = journey.attempts.iter().any(|a| a.step == journey.step && has_left(a.stage));
        !skipped && at.is_some_and(|at| at > here || (at == here && !begun))
    };
    open.filter(still).count() as u64
}

const fn has_left(stage: Stage) -> bool {
    match stage {
        Stage::Claimed | Stage::Accepted | Stage::Failed | Stage::InDoubt => true,
        Stage::Planned | Stage::Refused | Stage::Withdrawn => false,
    }
}

/// What changes for everybody at once, a line each.
pub fn terms(before: &Terms, after: &Terms) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |what: &str, before: String, after: String| {
        if before != after {
            lines.push(format!("{what}: {before} → {after}"));
        }
    };
    let lasts = |s: u64| span(i64::try_from(s).unwrap_or(i64::MAX));
    line(
        "an answer counts after the last step for",
        lasts(before.conversion_window_s),
        lasts(after.conversion_window_s),
    );
    line("what is put off expires after", lasts(before.expires_s), lasts(after.expires_s));
    line("retries of one step", before.retry_max.to_string(), after.retry_max.to_string());
    line("quiet hours", quiet(before), quiet(after));
    lines
}

fn quiet(terms: &Terms) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let hours: Vec<String> =
        terms.quiet_hours.iter().map(|q| format!("{}-{}", clock(q.from_min), clock(q.to_min))).collect();
    if hours.is_empty() { "none".into() } else { hours.join(" and ") }
}
