//! What an order would do, before it is given: counted, nothing decided. The screen asks its questions with these
//! numbers.

use super::campaign::{Campaign, Pause};
use super::may_send::{Verdict, may_send};
use super::orders::ran_out;
use super::snapshot::{Place, Row, Sending};
use crate::model::{At, Channel};

/// How long a call takes, for guessing how long many of them do.
pub const TYPICAL_CALL_S: f64 = 120.0;

/// A pause that stands, and what ending it would let out.
#[derive(Clone, Debug, PartialEq)]
pub struct PauseRow {
    /// `None`: the whole campaign.
    pub only: Option<Channel>,
    /// Campaign time.
    pub since: At,
    /// In words.
    pub why: String,
    /// Whether the campaign did it.
    pub by_itself: bool,
    /// It cannot be ended yet: what was sent after a backup is still being asked for.
    pub asking: bool,
    /// After a backup: channels on which nobody can be asked what was sent, nor what was answered, in what was lost.
    pub untold: Vec<Channel>,
    /// Sends that are planned and wait for it.
    pub waiting: u64,
    /// Sends that would go at once if the waits went on meanwhile, by channel.
    pub due: Vec<(Channel, u64)>,
    /// The same if every wait is lengthened by the pause.
    pub due_extended: Vec<(Channel, u64)>,
}

/// Every pause that stands, that of the campaign first.
pub fn pauses(campaign: &Campaign, now: At) -> Vec<PauseRow> {
    let header = &campaign.header;
    if header.ended_at.is_some() {
        return Vec::new();
    }
    let whole = header.paused.iter().map(|pause| (None, pause));
    let on =
        |channel: &Channel| header.paused_on[channel.index()].as_ref().map(|pause| (Some(*channel), pause));
    whole
        .chain(Channel::ALL.iter().filter_map(on))
        .map(|(only, pause)| pause_row(campaign, now, only, pause))
        .collect()
}

fn pause_row(campaign: &Campaign, now: At, only: Option<Channel>, pause: &Pause) -> PauseRow {
    let header = &campaign.header;
    let restored = header.restored.as_ref().filter(|_| only.is_none() && pause.by_itself);
    let mut row = PauseRow {
        only,
        since: pause.since,
        why: pause.why.clone(),
        by_itself: pause.by_itself,
        asking: only.is_none() && header.restored.as_ref().is_some_and(|restored| restored.asking),
        untold: restored.map(|restored| restored.untold.clone()).unwrap_or_default(),
        waiting: 0,
        due: Vec::new(),
        due_extended: Vec::new(),
    };
    for channel in Channel::ALL.iter().copied().filter(|channel| only.is_none_or(|only| only == *channel)) {
        row.waiting += campaign.queue(channel).len() as u64;
        // Another pause over it would let nothing out.
        let still = match only {
            None => header.paused_on[channel.index()].is_some(),
            Some(_) => header.paused.is_some(),
        };
        if still {
            continue;
        }
        let (mut due, mut late) = (0, 0);
        for attempt in campaign.queue(channel) {
            if may_send(campaign, *attempt, now) == Verdict::Yes {
                due += 1;
                late += u64::from(campaign.attempt(*attempt).is_some_and(|(j, _)| ran_out(j, pause.since)));
            }
        }
        if due > 0 {
            row.due.push((channel, due));
        }
        if due > late {
            row.due_extended.push((channel, due - late));
        }
    }
    row
}

/// Seconds of campaign time that so many sends take on a channel, at its rate and with its lines.
pub fn lasts_s(channel: Channel, sends: u64, per_second: f64, concurrent: u64) -> f64 {
    let by_rate = sends.saturating_sub(1) as f64 / per_second;
    match channel {
        Channel::Phone => by_rate.max(sends.div_ceil(concurrent.max(1)) as f64 * TYPICAL_CALL_S),
        Channel::Whatsapp | Channel::Sms | Channel::Email => by_rate,
    }
}

/// What ending these people's cascades can and cannot undo; the four add up to those who are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StopForecast {
    /// On a call that can be called back.
    pub calls: u64,
    /// A request is out just now: nobody knows yet what there will be to call back.
    pub requests: u64,
    /// Were sent something that cannot be called back.
    pub sent: u64,
    /// Were sent nothing yet.
    pub unsent: u64,
}

impl StopForecast {
    /// Everybody it would end.
    pub const fn open(&self) -> u64 {
        self.calls + self.requests + self.sent + self.unsent
    }
}

/// What ending `rows` would come to.
pub fn stopping<'a>(rows: impl IntoIterator<Item = &'a Row>) -> StopForecast {
    let mut forecast = StopForecast::default();
    for row in rows {
        let count = match &row.place {
            Place::Ended(..) => continue,
            Place::Sending(Sending::Dialing | Sending::Ringing | Sending::Talking) => &mut forecast.calls,
            Place::Sending(Sending::Claimed) => &mut forecast.requests,
            Place::Sending(Sending::Planned)
            | Place::Queued
            | Place::Retrying(_)
            | Place::Deferred(_)
            | Place::Waiting
            | Place::Held(_)
            | Place::InDoubt
            | Place::Settling
                if row.contacted =>
            {
                &mut forecast.sent
            }
            Place::Sending(Sending::Planned)
            | Place::Queued
            | Place::Retrying(_)
            | Place::Deferred(_)
            | Place::Waiting
            | Place::Held(_)
            | Place::InDoubt
            | Place::Settling => &mut forecast.unsent,
        };
        *count += 1;
    }
    forecast
}
