//! One customer's journey: where they stand, what was tried, what came of it. Data only; decisions are elsewhere.
//!
//! ```text
//!            ┌────────── Retrying ◄── refused, sent: no ─┐
//!            ▼                                           │
//! Queued ─► Sending ──accepted──► Waiting ──timer──► (next step: Queued) … ─► Settling ─► Exhausted
//!            │  │                  │  └ a human answer ─► Converted or Declined
//!            │  └─ config ─► Held  └ bounced, recipient refused ─► next step at once
//!            └─ no answer ─► InDoubt     opt-out on any channel, any time ─► OptedOut
//! ```

use super::event::{CallProgress, CascadeStart, Deferral, End, Hold, Skip};
use crate::model::{
    At, AttemptId, CascadeId, Channel, Disposition, Failure, Leg, Money, Outcome, PersonId, TimerId,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A customer's way through one campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    /// Its id.
    pub id: CascadeId,
    /// Whose.
    pub person: PersonId,
    /// What was fixed when it was made.
    pub start: Arc<CascadeStart>,
    /// Where it stands.
    pub state: State,
    /// Position in the walk.
    pub step: u32,
    /// The one timer that counts; a fired one with another id is ignored.
    pub timer: Option<Timer>,
    /// Every attempt, oldest first.
    pub attempts: Vec<Attempt>,
    /// Outcomes by channel and [`Outcome::index`], with the time each was first heard.
    pub outcomes: [[Option<At>; 8]; 4],
    /// Refusals of the current step, for the backoff.
    pub retries: u32,
    /// When the current step first fell due: `expires` counts from here.
    pub due_at: At,
    /// Whose answer ended it.
    pub credited: Option<Channel>,
    /// When it ended.
    pub ended_at: Option<At>,
    /// The newest failure.
    pub failure: Option<Arc<Failure>>,
    /// The last thing worth a word in the cohort.
    pub last: Option<(At, Word)>,
    /// An operator ended the wait before this step: a resume does not put it off again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hurried: bool,
    /// A later step reached them although they had answered by then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_answer: bool,
    /// Which of the campaign's versions of the rules they go by; 0: that of the launch.
    #[serde(default, skip_serializing_if = "is_first")]
    pub edition: u32,
}

/// The version that a campaign was launched with.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_first(edition: &u32) -> bool {
    *edition == 0
}

/// See DESIGN.md, "One customer's journey".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The step's attempt is planned.
    Queued,
    /// Planned, and may not go before its timer.
    Deferred(Deferral),
    /// Claimed; on the phone until the call is over.
    Sending,
    /// Refused; the timer brings the next attempt.
    Retrying,
    /// Accepted; the wait runs.
    Waiting,
    /// Waits for a mend.
    Held(Hold),
    /// The current attempt is in doubt; its wait runs from the claim.
    InDoubt,
    /// After the last step, an answer still counts.
    Settling,
    /// Over.
    Ended(End),
}

/// A timer of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Its id.
    pub id: TimerId,
    /// UTC, campaign time.
    pub due: At,
    /// What then.
    pub what: Alarm,
    /// When the wait began that an edit of the rules gave another end; others ran from `due` less the step's wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<At>,
}

/// What a timer means when it runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// The step's wait is over.
    Wait,
    /// The conversion window is over.
    Settle,
    /// Try the refused step again.
    Retry,
    /// Quiet hours or a cap are over.
    Defer,
    /// A call had no end yet.
    CallWatch,
    /// The call's report has not come.
    Report,
}

/// One send for one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// Of which step.
    pub step: u32,
    /// Where.
    pub channel: Channel,
    /// How far it came.
    pub stage: Stage,
    /// The provider's id, once known.
    pub provider_id: Option<String>,
    /// When the first byte was allowed out.
    pub claimed_at: Option<At>,
    /// When a call began or ended last.
    pub progress: Option<CallProgress>,
    /// Whether the call is over.
    pub ended: bool,
    /// When its end was heard.
    pub ended_at: Option<At>,
    /// How often a call without an end was looked up.
    pub watched: u32,
    /// Booked.
    pub cost: Money,
    /// Worst case while under way.
    pub reserved: Money,
    /// Whether the provider got the request; false only when certain.
    pub reached: bool,
    /// Why it failed, if it did.
    pub failure: Option<Arc<Failure>>,
    /// Outcomes of this attempt by [`Outcome::index`].
    pub outcomes: [bool; 8],
    /// What the answer to it meant.
    pub disposition: Option<Disposition>,
    /// A machine took the call.
    pub machine: bool,
    /// Under which of the campaign's versions of the rules it was claimed.
    #[serde(default, skip_serializing_if = "is_first")]
    pub rules: u32,
    /// And with the texts of which.
    #[serde(default, skip_serializing_if = "is_first")]
    pub content: u32,
}

/// How far an attempt came. Every claim ends accepted, refused, withdrawn or in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Decided; safe to dispatch after a crash.
    Planned,
    /// The first byte may have left.
    Claimed,
    /// The provider took it.
    Accepted,
    /// Refused, certainly not sent.
    Refused,
    /// Taken back before a byte left.
    Withdrawn,
    /// Sent or not?
    InDoubt,
    /// Accepted, then reported as failed.
    Failed,
}

/// The last thing worth a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// A send was taken.
    Accepted(Channel),
    /// One of the eight.
    Outcome(Outcome, Option<String>),
    /// A failure's code and class.
    Failed(String, crate::model::Class),
    /// A step was passed over.
    Skipped(Skip),
}

impl Journey {
    /// As made at launch, before its first step.
    pub fn new(id: CascadeId, person: PersonId, start: CascadeStart, at: At) -> Self {
        Self {
            id,
            person,
            start: Arc::new(start),
            state: State::Queued,
            step: 0,
            timer: None,
            attempts: Vec::new(),
            outcomes: [[None; 8]; 4],
            retries: 0,
            due_at: at,
            credited: None,
            ended_at: None,
            failure: None,
            last: None,
            hurried: false,
            after_answer: false,
            edition: 0,
        }
    }

    /// The step it stands at; `None` only for a walk without steps.
    pub fn leg(&self) -> Option<&Leg> {
        self.start.walk.get(self.step as usize)
    }

    /// The channel it stands at; the start's channel for a walk without steps.
    pub fn channel(&self) -> Channel {
        self.leg().map_or(self.start.start, |leg| leg.channel)
    }

    /// Whether no step follows.
    pub fn at_last_step(&self) -> bool {
        self.step as usize + 1 >= self.start.walk.len()
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    /// The newest attempt.
    pub fn newest(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// An attempt by id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|a| a.id == id)
    }

    /// Whether `id` is the attempt this journey now hangs on: what comes of it moves the journey. Nothing but an
    /// operator moves one that is held because somebody at its number wrote.
    pub fn hangs_on(&self, id: AttemptId) -> bool {
        let asked = self.state == State::Held(Hold::SharedNumber);
        self.newest().is_some_and(|a| a.id == id && a.step == self.step) && !self.is_over() && !asked
    }

    /// When the current step was last tried, if one of its attempts may have been sent, or was by somebody's word, so
    /// that nobody knows how it ended: it is not sent again by itself.
    pub fn doubtful_since(&self) -> Option<At> {
        let here = || self.attempts.iter().filter(|a| a.step == self.step);
        let by_word = |a: &Attempt| a.stage == Stage::Accepted && a.provider_id.is_none();
        let is_open = here().any(|a| a.stage == Stage::InDoubt || by_word(a));
        here().filter_map(|a| a.claimed_at).max().filter(|_| is_open)
    }

    /// Calls of the current step that reached the provider.
    pub fn calls_of_step(&self) -> u32 {
        let calls = self.attempts.iter().filter(|a| a.step == self.step && a.contacted());
        u32::try_from(calls.count()).unwrap_or(u32::MAX)
    }

    /// When the first call of the current step ended: further calls are made within the wait that runs from there.
    pub fn first_call_ended(&self) -> Option<At> {
        self.attempts.iter().filter(|a| a.step == self.step).find_map(|a| a.ended_at)
    }

    /// Whether the end of this call, or its report, is still to be heard.
    pub fn waits_for_call(&self, call: &Attempt) -> bool {
        let awaited = self.timer.is_some_and(|timer| timer.what == Alarm::Report);
        let reports = awaited && self.newest().is_some_and(|newest| newest.id == call.id);
        call.stage == Stage::Accepted && (!call.ended || reports)
    }

    /// When this person was contacted, or may have been, oldest first.
    pub fn contacts(&self) -> impl Iterator<Item = At> {
        self.attempts.iter().filter(|a| a.contacted()).filter_map(|a| a.claimed_at)
    }

    /// Its newest attempt's id, where there is one.
    pub(super) fn newest_id(&self) -> Option<AttemptId> {
        self.newest().map(|attempt| attempt.id)
    }

    /// When this person was last contacted for certain.
    pub(super) fn contacted_at(&self) -> Option<At> {
        let certain = |a: &&Attempt| match a.stage {
            Stage::Claimed | Stage::Accepted | Stage::Failed => true,
            Stage::Planned | Stage::Refused | Stage::Withdrawn | Stage::InDoubt => false,
        };
        self.attempts.iter().filter(certain).filter_map(|a| a.claimed_at).max()
    }

    /// Whether the person is, or may be, in contact with us: nobody else may use their number meanwhile.
    pub fn in_contact(&self) -> bool {
        !self.is_over() && self.attempts.iter().any(|a| a.contacted() || a.stage == Stage::Claimed)
    }
}

impl Attempt {
    /// Newly planned.
    pub fn new(id: AttemptId, step: u32, channel: Channel) -> Self {
        Self {
            id,
            step,
            channel,
            stage: Stage::Planned,
            provider_id: None,
            claimed_at: None,
            progress: None,
            ended: false,
            ended_at: None,
            watched: 0,
            cost: Money::ZERO,
            reserved: Money::ZERO,
            reached: true,
            failure: None,
            outcomes: [false; 8],
            disposition: None,
            machine: false,
            rules: 0,
            content: 0,
        }
    }

    /// Whether the person was, or may have been, contacted by it.
    pub const fn contacted(&self) -> bool {
        matches!(self.stage, Stage::Accepted | Stage::InDoubt | Stage::Failed)
    }

    /// Takes one of the channel's places: claimed without a result, or a call that is not over.
    pub const fn under_way(&self) -> bool {
        match self.stage {
            Stage::Claimed => true,
            Stage::Accepted => matches!(self.channel, Channel::Phone) && !self.ended,
            Stage::Planned | Stage::Refused | Stage::Withdrawn | Stage::InDoubt | Stage::Failed => false,
        }
    }
}
