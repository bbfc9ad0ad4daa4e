//! What people write: to a message, by their number alone, and that they want no more.

use crate::engine::event::{End, Hold, Kind, Subject, Withdrawal};
use crate::engine::gate;
use crate::engine::input::{Heard, What};
use crate::engine::journal::Journal;
use crate::engine::journey::{Attempt, Journey, Stage};
use crate::engine::meaning::Meaning;
use crate::model::{At, AttemptId, CascadeId, Channel, Disposition, Outcome, TextId};

impl Journal<'_> {
    /// They wrote to us: by the message they answered, else by their number.
    pub fn heard_inbound(&mut self, heard: &Heard) {
        let named = self.named(heard);
        let at_line = heard.line.map(|line| self.campaign.at_line(line).to_vec()).unwrap_or_default();
        let stop = match &heard.what {
            What::Stopped(why) | What::Inbound(Meaning::OptOut(why)) => Some(why.clone()),
            _ => None,
        };
        let mut attempt = named.or_else(|| self.by_number(&at_line, heard.channel));
        let over =
            attempt.and_then(|a| self.campaign.attempt(a)).is_none_or(|(journey, _)| journey.is_over());
        if over && named.is_none() && stop.is_none() {
            attempt = self.answered_in_what_was_lost(&at_line, heard.channel).or(attempt);
        }
        let cascade = attempt.and_then(|a| self.campaign.cascade_of(a)).or_else(|| at_line.first().copied());
        match (stop, cascade, attempt) {
            (Some(why), Some(id), _) => {
                self.opted_out(id, attempt, heard.channel, why, heard.happened_at, heard.text);
            }
            (Some(why), None, _) => {
                let subject =
                    Subject { customer: heard.line, channel: Some(heard.channel), ..Subject::default() };
                self.record(subject, Kind::Suppressed { via: heard.channel, why: why.clone() });
                self.unmatched(heard, format!("opt-out: {why}"));
            }
            (None, _, Some(attempt)) => self.replied(attempt, named.is_some(), &at_line, heard),
            (None, _, None) => self.unmatched(heard, "a message that answers nothing of ours".into()),
        }
    }

    /// The newest contact of this number on that channel: open cascades first, then whoever was contacted for certain.
    fn by_number(&self, at_line: &[CascadeId], channel: Channel) -> Option<AttemptId> {
        let journeys = at_line.iter().filter_map(|id| self.campaign.journey(*id));
        let contacted = |j: &Journey| {
            let sent = |a: &&Attempt| a.contacted() || a.stage == Stage::Claimed;
            let here = j.attempts.iter().rev().filter(sent).find(|a| a.channel == channel);
            let attempt = here.or_else(|| j.attempts.iter().rev().find(sent))?;
            Some((!j.is_over(), attempt.stage != Stage::InDoubt, attempt.id))
        };
        journeys.filter_map(contacted).max().map(|(_, _, id)| id)
    }

    fn replied(&mut self, attempt: AttemptId, named: bool, at_line: &[CascadeId], heard: &Heard) {
        let disposition = match &heard.what {
            What::Inbound(Meaning::Answer(disposition)) => *disposition,
            _ => Disposition::Positive,
        };
        let open: Vec<_> = at_line
            .iter()
            .filter_map(|id| self.campaign.journey(*id))
            .filter(|j| !j.is_over())
            .map(|j| j.id)
            .collect();
        if !named && open.len() > 1 && disposition != Disposition::AutoReply {
            // Nobody can tell who of those at this number wrote: all stop, and the operator is asked.
            self.outcome(attempt, Outcome::Replied, heard.happened_at, None, Some(disposition), heard.text);
            for id in open {
                if let Some(planned) =
                    self.journey(id).and_then(|j| j.newest()).filter(|a| a.stage == Stage::Planned)
                {
                    let planned = planned.id;
                    self.withdraw(planned, Withdrawal::Answered);
                }
                self.record_about(id, Kind::Held { why: Hold::SharedNumber });
            }
            return;
        }
        // A text proves no call. One that names no message of ours proves none but the current one in doubt: while
        // a request is out, its own answer tells, and the brake that this text put on may have come before it.
        let proves = |a: &Attempt| {
            let doubtful = a.stage == Stage::InDoubt && self.is_current(attempt);
            a.channel == heard.channel && (named || doubtful)
        };
        if self.campaign.attempt(attempt).is_some_and(|(_, a)| proves(a)) {
            self.prove_sent(attempt, None);
        }
        self.human(attempt, Outcome::Replied, Some(disposition), heard.text, heard.happened_at);
    }

    /// They want no more contact: every channel, everybody at this number, this campaign and the next ones.
    pub fn opted_out(
        &mut self,
        id: CascadeId,
        attempt: Option<AttemptId>,
        via: Channel,
        why: String,
        at: Option<At>,
        text: Option<TextId>,
    ) {
        let Some(journey) = self.journey(id) else { return };
        let (line, at_line) = (journey.start.line, self.campaign.at_line(journey.start.line).to_vec());
        let known = journey.outcomes.iter().any(|row| row[Outcome::OptedOut.index()].is_some());
        let happened_at = at.unwrap_or(self.at);
        let about =
            attempt.filter(|a| self.campaign.cascade_of(*a) == Some(id)).or_else(|| journey.newest_id());
        if !known || text.is_some() {
            let kind = Kind::OutcomeHeard {
                outcome: Outcome::OptedOut,
                happened_at,
                why: Some(why.clone()),
                disposition: None,
                text,
            };
            match about {
                Some(attempt) => self.record_attempt(attempt, kind),
                None => self.record_about(id, kind),
            }
        }
        if !known {
            let subject =
                Subject { customer: Some(line), cascade: Some(id), channel: Some(via), ..Subject::default() };
            self.record(subject, Kind::Suppressed { via, why });
        }
        for other in at_line {
            self.end(other, End::OptedOut, None);
        }
        gate::watch(self, via);
    }
}
