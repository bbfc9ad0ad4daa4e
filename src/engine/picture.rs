//! Making a [`Snapshot`]: counting, grouping and naming what the rows say. Decides nothing.

mod ladder;

use super::campaign::Campaign;
use super::deeds;
use super::event::{End, Hold};
use super::forecast;
use super::journey::{Alarm, Attempt, Journey, Stage, State, Word};
use super::order::Deed;
use super::snapshot::{
    BreakerRow, CampaignFacts, ChannelRow, DueGroup, DueKind, FailureRow, Last, LastWhat, Phase, Place,
    Purse, Row, Sending, Snapshot, Tally,
};
use crate::model::{At, Channel, Class, Disposition, Failure, Money, Outcome, Scope};
use chrono::TimeDelta;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Things that fall due within this of each other are one group.
const DUE_TOGETHER: TimeDelta = TimeDelta::minutes(45);

/// Who is named beside a failure, at most.
const NAMED: usize = 100;

/// A picture of `campaign` at `now`. `rows` are its journeys' rows, in order.
pub fn snapshot(campaign: &Campaign, seq: u64, now: At, rows: Arc<Vec<Arc<Row>>>) -> Snapshot {
    let header = &campaign.header;
    let channels = channel_rows(campaign, |_| true);
    let typical = ladder::typical(campaign);
    Snapshot {
        seq,
        now,
        campaign: Some(Arc::new(facts(campaign, typical))),
        phase: phase(campaign),
        tally: tally(campaign),
        failures: failure_rows(campaign),
        breakers: breakers(campaign),
        pauses: forecast::pauses(campaign, now),
        steps: ladder::steps(campaign, typical),
        next: due_groups(campaign),
        rows,
        money: purse(campaign),
        dispositions: dispositions(campaign),
        machines: machines(campaign),
        clicks_suspected: header.clicks_suspected,
        contacted_after_answer: header.contacted_after_answer,
        unmatched: header.unmatched,
        rejects: header.launch.rejects,
        channels,
    }
}

fn facts(campaign: &Campaign, typical: Option<&Journey>) -> CampaignFacts {
    let (header, launch) = (&campaign.header, &campaign.header.launch);
    CampaignFacts {
        id: header.id,
        name: launch.name.clone(),
        kind: launch.kind,
        mode: launch.mode,
        rules_hash: launch.rules_hash.clone(),
        rules_in_flight: campaign.edition(typical.map_or(0, |journey| journey.edition)).rules,
        content_hash: launch.content_hash.clone(),
        rules_commit: launch.rules_commit.clone(),
        customers: launch.customers,
        started_at: header.started_at,
        ended_at: header.ended_at,
        speed: launch.speed,
        seed: launch.seed,
        currency: launch.policy.currency.clone(),
        max_optout_share: launch.policy.max_optout_share,
    }
}

/// What the campaign is doing, for the header and for `pilot`'s end.
pub fn phase(campaign: &Campaign) -> Phase {
    let header = &campaign.header;
    if header.ended_at.is_some() {
        return Phase::Ended;
    }
    if let Some(pause) = &header.paused {
        return Phase::Paused(pause.why.clone());
    }
    let mends_itself = |hold: &Hold| match hold {
        Hold::Breaker { on, scope } => {
            header.breakers.iter().any(|b| b.on == *on && b.scope == *scope && b.mends_itself())
        }
        Hold::SharedNumber | Hold::Budget => false,
    };
    let stuck = |j: &Journey| match &j.state {
        State::Ended(_) => true,
        State::Held(hold) => !mends_itself(hold),
        // A queue of a paused channel moves only by the operator's hand.
        State::Queued => header.paused_on[j.channel().index()].is_some(),
        State::Deferred(_)
        | State::Sending
        | State::Retrying
        | State::Waiting
        | State::InDoubt
        | State::Settling => false,
    };
    // Nor does somebody move who queues behind a customer at the same number who does not move.
    let behind_stuck = |j: &Journey| j.state == State::Queued && campaign.ahead_of(j).any(stuck);
    if campaign.journeys().iter().all(|j| stuck(j) || behind_stuck(j)) {
        Phase::Stuck
    } else {
        Phase::Running
    }
}

/// Where everybody is.
pub fn tally(campaign: &Campaign) -> Tally {
    let mut tally = Tally::default();
    let paused = |j: &Journey| {
        j.state == State::Queued
            && campaign.header.paused_on[j.channel().index()].as_ref().is_some_and(|p| p.by_itself)
    };
    for journey in campaign.journeys() {
        tally.total += 1;
        let place = match &journey.state {
            State::Ended(End::Converted) => &mut tally.converted,
            State::Ended(End::Declined) => &mut tally.declined,
            State::Ended(End::Exhausted) => &mut tally.exhausted,
            State::Ended(End::OptedOut) => &mut tally.opted_out,
            State::Ended(End::Stopped) => &mut tally.stopped,
            State::Held(_) => &mut tally.held,
            State::InDoubt => &mut tally.in_doubt,
            State::Queued if paused(journey) => &mut tally.held,
            State::Queued
            | State::Deferred(_)
            | State::Sending
            | State::Retrying
            | State::Waiting
            | State::Settling => &mut tally.running,
        };
        *place += 1;
        let calling = journey.newest().is_some_and(|a| a.channel == Channel::Phone && a.under_way());
        tally.on_phone += u64::from(calling && journey.state == State::Sending);
    }
    tally
}

/// Counters per channel over the journeys that `of` picks, in the order of the longest walk.
pub fn channel_rows(campaign: &Campaign, of: impl Fn(&Journey) -> bool) -> Vec<ChannelRow> {
    let mut rows: BTreeMap<Channel, ChannelRow> = BTreeMap::new();
    let mut order: Vec<Channel> = Vec::new();
    for journey in campaign.journeys().iter().filter(|j| of(j)) {
        for leg in &journey.start.walk {
            if !order.contains(&leg.channel) {
                order.push(leg.channel);
            }
        }
        for (step, leg) in journey.start.walk.iter().enumerate() {
            let row = rows.entry(leg.channel).or_default();
            let ahead = step as u32 > journey.step
                || (step as u32 == journey.step && !claimed_here(journey, leg.channel));
            row.to_go += u64::from(!journey.is_over() && ahead);
        }
        count_attempts(journey, &mut rows);
        for channel in Channel::ALL {
            let heard = &journey.outcomes[channel.index()];
            for outcome in Outcome::ALL {
                if heard[outcome.index()].is_some() {
                    rows.entry(*channel).or_default().outcomes[outcome.index()] += 1;
                }
            }
        }
        if let (State::Ended(End::Converted), Some(channel)) = (&journey.state, journey.credited) {
            rows.entry(channel).or_default().conversions += 1;
        }
    }
    order
        .iter()
        .filter_map(|channel| Some((*channel, rows.remove(channel)?)))
        .map(|(channel, mut row)| {
            row.channel = Some(channel);
            row.paused = campaign.header.paused_on[channel.index()].as_ref().map(|p| p.why.clone());
            row
        })
        .collect()
}

fn claimed_here(journey: &Journey, channel: Channel) -> bool {
    journey
        .attempts
        .iter()
        .any(|a| a.channel == channel && a.claimed_at.is_some() && a.stage != Stage::Refused)
}

fn count_attempts(journey: &Journey, rows: &mut BTreeMap<Channel, ChannelRow>) {
    let mut seen = [(false, false); 4];
    for attempt in &journey.attempts {
        let row = rows.entry(attempt.channel).or_default();
        row.in_flight += u64::from(attempt.under_way());
        row.cost += attempt.cost;
        if attempt.claimed_at.is_none() {
            continue;
        }
        let (attempted, reached) = &mut seen[attempt.channel.index()];
        row.attempted += u64::from(!std::mem::replace(attempted, true));
        row.attempts += 1;
        match attempt.stage {
            Stage::Accepted => row.accepted += 1,
            Stage::Failed => (row.accepted, row.failed) = (row.accepted + 1, row.failed + 1),
            Stage::Refused if attempt.reached => row.failed += 1,
            Stage::Refused | Stage::Withdrawn => row.not_reached += 1,
            Stage::InDoubt => row.in_doubt += 1,
            Stage::Planned | Stage::Claimed => {}
        }
        if matches!(attempt.stage, Stage::Accepted | Stage::Failed) {
            row.reached += u64::from(!std::mem::replace(reached, true));
        }
    }
}

/// Failures by cause, the most people first.
pub fn failure_rows(campaign: &Campaign) -> Vec<FailureRow> {
    type Cause = (Channel, String, String, Class, Scope);
    let mut rows: HashMap<Cause, FailureRow> = HashMap::new();
    for journey in campaign.journeys() {
        let mut counted: Vec<Cause> = Vec::new();
        for attempt in &journey.attempts {
            let Some(failure) = &attempt.failure else { continue };
            let cause = (
                failure.channel,
                failure.provider.clone(),
                failure.code.clone(),
                failure.class,
                failure.scope.clone(),
            );
            let at = attempt.claimed_at.unwrap_or_default();
            let row = rows.entry(cause.clone()).or_insert_with(|| first_of(failure, at));
            row.attempts += 1;
            (row.first_at, row.last_at) = (row.first_at.min(at), row.last_at.max(at));
            if !counted.contains(&cause) {
                counted.push(cause);
                row.customers += 1;
                if row.cascades.len() < NAMED {
                    row.cascades.push(journey.id);
                }
            }
        }
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by(|a, b| {
        let key = |r: &FailureRow| (r.failure.channel, r.failure.code.clone());
        b.customers.cmp(&a.customers).then_with(|| key(a).cmp(&key(b)))
    });
    rows
}

fn first_of(failure: &Failure, at: At) -> FailureRow {
    FailureRow {
        failure: failure.clone(),
        customers: 0,
        attempts: 0,
        first_at: at,
        last_at: at,
        reaction: match failure.class {
            Class::Throttle => "retried",
            Class::Outage => "retried, then moved on",
            Class::Recipient => "moved on",
            Class::Suppress => "stopped",
            Class::Config => "held",
            Class::InDoubt => "not sent again",
        },
        cascades: Vec::new(),
    }
}

fn breakers(campaign: &Campaign) -> Vec<BreakerRow> {
    let mut rows: Vec<_> = campaign
        .header
        .breakers
        .iter()
        .map(|b| BreakerRow {
            channel: b.on,
            scope: b.scope.clone(),
            failure: b.failure.clone(),
            held: campaign
                .journeys()
                .iter()
                .filter(|j| matches!(&j.state, State::Held(Hold::Breaker { on, scope }) if *on == b.on && *scope == b.scope))
                .count() as u64,
            since: b.since,
            retry_at: b.timer.map(|(due, _)| due),
            by_word: b.by_word,
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.held));
    rows
}

fn next_of(journey: &Journey) -> Option<(At, DueKind)> {
    let timer = journey.timer?;
    let what = match timer.what {
        Alarm::Wait | Alarm::Settle if journey.state == State::InDoubt => DueKind::Doubt,
        Alarm::Wait => DueKind::NextStep,
        Alarm::Settle => DueKind::Settle,
        Alarm::Retry => DueKind::Retry,
        Alarm::Defer => DueKind::Deferred,
        Alarm::CallWatch | Alarm::Report => return None,
    };
    Some((timer.due, what))
}

fn due_groups(campaign: &Campaign) -> Vec<DueGroup> {
    let mut due: Vec<(DueKind, Option<Channel>, At)> = Vec::new();
    for journey in campaign.journeys() {
        let Some((at, what)) = next_of(journey) else { continue };
        let channel = match what {
            DueKind::NextStep | DueKind::Doubt => {
                journey.start.walk.get(journey.step as usize + 1).map(|l| l.channel)
            }
            DueKind::Retry | DueKind::Deferred => Some(journey.channel()),
            DueKind::Settle => None,
        };
        due.push((what, channel, at));
    }
    due.sort_unstable();
    let mut groups: Vec<DueGroup> = Vec::new();
    for (what, channel, at) in due {
        match groups.last_mut() {
            Some(group)
                if group.what == what && group.channel == channel && at - group.to <= DUE_TOGETHER =>
            {
                (group.to, group.count) = (at, group.count + 1);
            }
            Some(_) | None => groups.push(DueGroup { from: at, to: at, channel, count: 1, what }),
        }
    }
    groups.sort_by_key(|group| group.from);
    groups
}

/// Replies and talks by what they meant, in the contract's order.
fn dispositions(campaign: &Campaign) -> Vec<(Disposition, u64)> {
    let heard = || campaign.journeys().iter().flat_map(|j| &j.attempts).filter_map(|a| a.disposition);
    let count = |which: Disposition| heard().filter(|d| *d == which).count() as u64;
    Disposition::ALL.iter().map(|d| (*d, count(*d))).filter(|(_, n)| *n > 0).collect()
}

fn machines(campaign: &Campaign) -> u64 {
    let machine = |j: &&super::journey::Journey| j.attempts.iter().any(|a| a.machine);
    campaign.journeys().iter().filter(machine).count() as u64
}

fn purse(campaign: &Campaign) -> Purse {
    let (spent, reserved) = (campaign.spent(), campaign.reserved());
    let open: Money = campaign
        .journeys()
        .iter()
        .filter(|j| !j.is_over())
        .flat_map(|j| {
            let claimed = j.newest().is_some_and(|a| a.step == j.step && a.claimed_at.is_some());
            j.start.walk.iter().skip(j.step as usize + usize::from(claimed)).map(|leg| leg.reserve)
        })
        .sum();
    let budget = campaign.header.launch.policy.budget;
    Purse { spent, reserved, budget, ends_at: (spent, (spent + reserved + open).min(budget)) }
}

/// A journey's row of the cohort.
pub fn row(journey: &Journey) -> Row {
    let newest = journey.newest();
    Row {
        cascade: journey.id,
        person: journey.person,
        segment: journey.start.segment.clone(),
        place: place(journey, newest),
        step: journey.step,
        channel: journey.channel(),
        walk: journey.start.walk.iter().map(|leg| leg.channel).collect(),
        last: journey.last.as_ref().map(|(at, word)| Last { at: *at, what: last_what(word) }),
        next: next_of(journey),
        outcomes: journey.outcomes.map(|channel| channel.map(|heard| heard.is_some())),
        failure: journey.failure.clone(),
        attempt: newest.map(|a| a.id),
        cost: journey.attempts.iter().map(|a| a.cost).sum(),
        contacted: journey.attempts.iter().any(Attempt::contacted),
        after_answer: journey.after_answer,
        under: journey
            .attempts
            .iter()
            .filter(|a| a.claimed_at.is_some())
            .fold(0, |all, a| all | bit(a.rules)),
        refused: std::array::from_fn(|i| deeds::may(journey, Deed::ALL[i]).err()),
    }
}

/// A version's bit in [`Row::under`].
pub fn bit(version: u32) -> u64 {
    1 << version.min(63)
}

fn last_what(word: &Word) -> LastWhat {
    match word {
        Word::Accepted(channel) => LastWhat::Accepted(*channel),
        Word::Outcome(outcome, why) => LastWhat::Outcome(*outcome, why.clone()),
        Word::Failed(code, class) => LastWhat::Failed(code.clone(), *class),
        Word::Skipped(why) => LastWhat::Skipped(*why),
    }
}

fn place(journey: &Journey, newest: Option<&Attempt>) -> Place {
    use super::event::CallProgress;
    match &journey.state {
        State::Queued => match newest.map(|a| a.stage) {
            Some(Stage::Planned) if journey.step > 0 || journey.retries > 0 => {
                Place::Sending(Sending::Planned)
            }
            _ => Place::Queued,
        },
        State::Deferred(why) => Place::Deferred(*why),
        State::Sending => Place::Sending(match newest.map(|a| (a.stage, a.progress)) {
            Some((Stage::Accepted, Some(CallProgress::Ringing))) => Sending::Ringing,
            Some((Stage::Accepted, Some(CallProgress::InProgress))) => Sending::Talking,
            Some((Stage::Accepted, Some(CallProgress::Queued) | None)) => Sending::Dialing,
            _ => Sending::Claimed,
        }),
        State::Retrying => Place::Retrying(journey.retries),
        State::Waiting => Place::Waiting,
        State::Held(why) => Place::Held(why.clone()),
        State::InDoubt => Place::InDoubt,
        State::Settling => Place::Settling,
        State::Ended(end) => Place::Ended(*end, journey.credited),
    }
}
