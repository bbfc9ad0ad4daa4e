//! What happened, in the past tense. The log is made of these and of nothing else.
//!
//! Two sorts stand in one list. *Heard* events come from outside: a provider's answer, a webhook, a timer, a
//! key. *Decided* events are what the engine concluded from them, results included (due times, drawn starts),
//! so that folding the log needs no rules file, no clock and no decision. Events carry ids; names, numbers and
//! texts stand in the person table alone.

mod launch;
mod wait;

pub use launch::{CampaignKind, CascadeStart, Drawn, Edition, Launch};
pub use wait::NewWait;

use super::order::{Ask, Came, Left, Who};
use super::policy::Terms;
pub use super::reasons::{Actor, CallProgress, Deferral, End, Hold, RecallResult, Skip, Withdrawal};
use super::retime::Choice;
use crate::model::{
    At, AttemptId, CampaignId, CascadeId, Channel, Disposition, Failure, Leg, Money, OrderId, Outcome,
    PersonId, Scope, Segment, TextId, TimerId,
};
use serde::{Deserialize, Serialize};

/// One line of the log, less its `seq`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Campaign time at which the program learnt or decided it.
    pub at: At,
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Whom and what it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// What happened.
    #[serde(flatten)]
    pub kind: Kind,
}

/// Whom and what an event is about. All `None`: the campaign itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The person.
    pub customer: Option<PersonId>,
    /// Their cascade.
    pub cascade: Option<CascadeId>,
    /// Position in the walk, from 0.
    pub step: Option<u32>,
    /// The attempt.
    pub attempt: Option<AttemptId>,
    /// The channel.
    pub channel: Option<Channel>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Kind {
    // ---- the campaign -------------------------------------------------------------------------------
    /// The operator launched it.
    CampaignLaunched {
        /// Everything about it that was fixed at launch.
        launch: Box<Launch>,
    },
    /// One customer's cascade was made, start drawn.
    CascadeStarted {
        /// Everything about it that was fixed at launch.
        start: Box<CascadeStart>,
    },
    /// Sending stopped; on all channels or on one.
    Paused {
        /// `None`: the whole campaign.
        only: Option<Channel>,
        /// Who did it.
        by: Actor,
        /// Why, in words for the screen.
        why: String,
    },
    /// Sending goes on.
    Resumed {
        /// `None`: the whole campaign.
        only: Option<Channel>,
        /// Whether waits are lengthened by the time it stood still; otherwise they went on.
        extend_timers: bool,
    },
    /// A scope was shut: nobody in it is sent to.
    BreakerOpened {
        /// On which channel.
        on: Channel,
        /// Who is in it.
        #[serde(flatten)]
        scope: Scope,
        /// What opened it.
        failure: Box<Failure>,
        /// When the provider is asked, read-only, whether it is mended; `None`: only the operator's word opens it.
        retry_at: Option<At>,
        /// The timer of `retry_at`.
        timer: Option<TimerId>,
    },
    /// A read-only check found the scope still shut; it is asked about again.
    BreakerChecked {
        /// On which channel.
        on: Channel,
        /// Who is in it.
        #[serde(flatten)]
        scope: Scope,
        /// When it is asked about again.
        retry_at: At,
        /// The timer of `retry_at`.
        timer: TimerId,
    },
    /// A scope was opened again.
    BreakerClosed {
        /// On which channel.
        on: Channel,
        /// Who was in it.
        #[serde(flatten)]
        scope: Scope,
        /// Who did it.
        by: Actor,
    },
    /// The store came from a backup, or had lost its end.
    StoreRestored {
        /// The last event that is left.
        backup_at: Option<At>,
        /// The last event that is known to be lost.
        lost_until: Option<At>,
        /// The first attempt id that the lost part cannot have used.
        next_attempt: AttemptId,
        /// The same for timers.
        next_timer: TimerId,
    },
    /// What was sent in what was lost is written down, as far as anybody can tell.
    Reconciled {
        /// Sends that providers listed.
        found: u64,
        /// Messages in a provider's list that may be somebody else's.
        doubtful: u64,
        /// Sends to people who have no such step left.
        others: u64,
        /// Channels on which nobody can tell.
        untold: Vec<Channel>,
        /// Whose number was used on a channel, nobody can tell for whom.
        shared: Vec<(CascadeId, Channel)>,
    },
    /// The record shows that the outcomes of a segment have changed: learning goes on without what is older.
    OutcomesChanged {
        /// Which.
        segment: Segment,
        /// The day on which that was plain.
        on: At,
    },
    /// Every cascade has ended, or the operator stopped it for good.
    CampaignEnded {
        /// Who did it.
        by: Actor,
    },
    /// An operator asked for something; what follows in the same commit is what came of it.
    Ordered {
        /// Which.
        order: OrderId,
        /// What.
        what: Ask,
        /// How many people it is about.
        people: u64,
        /// Who asked.
        #[serde(flatten)]
        by: Who,
        /// When, by the calendar.
        wall_at: At,
        /// What is mended.
        #[serde(flatten)]
        scope: Option<Scope>,
        /// Why, in the store.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<TextId>,
        /// Why it changed nothing at all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<Left>,
    },
    /// What an order came to for one person.
    OrderMet {
        /// Which.
        order: OrderId,
        /// What came of it.
        #[serde(flatten)]
        came: Came,
    },
    /// Rules or texts were changed while it runs; what that came to for each person follows in the same commit.
    RulesChanged {
        /// By which order.
        order: OrderId,
        /// What is in force from now on.
        edition: Box<Edition>,
        /// What becomes of those in flight.
        choice: Choice,
        /// What it changes for everybody at once; `None`: nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<Box<Terms>>,
        /// On which channels something else is said; `None`, as programs wrote it that did not tell: on all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        texts: Option<Vec<Channel>>,
    },

    // ---- an attempt ---------------------------------------------------------------------------------
    /// It stands in its channel's queue; safe to send after a crash.
    AttemptPlanned {
        /// From when on it may go.
        due: At,
    },
    /// It may not go yet.
    AttemptDeferred {
        /// From when on it may go.
        until: At,
        /// Why.
        why: Deferral,
        /// Wakes it.
        timer: TimerId,
    },
    /// Last look passed and the permit was had; the first byte may leave.
    AttemptClaimed {
        /// Worst case, taken from the budget until the result is in.
        reserved: Money,
        /// Which of the campaign's versions brought the text of its channel; 0: that of the launch.
        #[serde(default, skip_serializing_if = "is_first")]
        content: u32,
    },
    /// The provider took it.
    AttemptAccepted {
        /// The provider's id.
        provider_id: String,
        /// What it is booked at.
        cost: Money,
    },
    /// It was sent in what the store had lost, or may have been.
    AttemptRecovered {
        /// When, as the provider lists it; where it does not, when that was noticed.
        sent_at: At,
        /// The provider's id; without one it is in doubt.
        provider_id: Option<String>,
        /// What it is booked at, or costs at most.
        cost: Money,
    },
    /// Refused, and certainly not sent.
    AttemptRefused {
        /// Why.
        failure: Box<Failure>,
        /// Whether the provider got the request at all.
        reached: bool,
    },
    /// Sent or not? Nobody knows. Never sent again by itself.
    AttemptInDoubt {
        /// Why.
        failure: Box<Failure>,
        /// Ends the step's wait, which runs from the claim.
        due: At,
        /// Timer of `due`.
        timer: TimerId,
    },
    /// Taken back before a byte left.
    AttemptWithdrawn {
        /// Why.
        why: Withdrawal,
    },
    /// Accepted, then reported as failed.
    AttemptFailed {
        /// Why.
        failure: Box<Failure>,
    },
    /// A refused step is tried again.
    RetryScheduled {
        /// From 1.
        retry: u32,
        /// When.
        due: At,
        /// Timer of `due`.
        timer: TimerId,
    },
    /// Where a call stands.
    CallProgressed {
        /// How far it came.
        progress: CallProgress,
    },
    /// A call is under way; if no end is heard by then, the provider is asked.
    CallWatched {
        /// When to ask.
        due: At,
        /// Timer of `due`.
        timer: TimerId,
    },
    /// A person was on the line; what they said is awaited until then.
    ReportAwaited {
        /// When to ask for it, and at last to conclude without it.
        due: At,
        /// Timer of `due`.
        timer: TimerId,
    },
    /// A call is over; the phone's wait runs from here.
    CallEnded {
        /// The provider's reason, verbatim.
        reason: String,
        /// Seconds in which the person was connected.
        talked_s: u64,
    },
    /// The provider said what it cost.
    CostReported {
        /// In all, for this attempt.
        cost: Money,
    },
    /// Something that had been sent was called back.
    Recalled {
        /// Whether it worked.
        result: RecallResult,
    },

    // ---- a customer ---------------------------------------------------------------------------------
    /// One of the eight.
    OutcomeHeard {
        /// Which.
        outcome: Outcome,
        /// When it happened by the provider's clock.
        happened_at: At,
        /// Why, in the provider's word: `voicemail`, `busy`, `131026`, `STOP`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// What a human answer meant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        disposition: Option<Disposition>,
        /// What they wrote or said, in the store.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<TextId>,
    },
    /// A click by a link scanner or a prefetch; never converts.
    ClickSuspected {
        /// What gave it away.
        why: String,
    },
    /// The step's wait began.
    WaitStarted {
        /// Next step then.
        due: At,
        /// Timer of `due`.
        timer: TimerId,
    },
    /// The last step is done; an answer still counts until `due`.
    SettlingStarted {
        /// The end of the conversion window.
        due: At,
        /// Timer of `due`.
        timer: TimerId,
    },
    /// An edit of the rules wrote the rest of their walk anew. What was walked, and the step they stand at, stays.
    Retimed {
        /// Which of the campaign's versions they go by from now on, from 0.
        edition: u32,
        /// All steps, in order.
        walk: Vec<Leg>,
        /// Steps that cannot be taken, if those changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        skips: Option<Vec<(Channel, Skip)>>,
        /// The new end of the wait they are in, if that changes.
        #[serde(flatten)]
        wait: Option<NewWait>,
    },
    /// A timer ran out.
    TimerFired {
        /// Which.
        timer: TimerId,
    },
    /// A step was passed over.
    StepSkipped {
        /// Why.
        why: Skip,
    },
    /// Nobody's fault but ours: this customer waits for a mend.
    Held {
        /// Why.
        why: Hold,
    },
    /// The hold is over.
    Released {
        /// Who did it.
        by: Actor,
    },
    /// A contact went out although the person had already reacted elsewhere: counted, shown.
    ContactedAfterAnswer {},
    /// The cascade is over.
    CascadeEnded {
        /// How.
        end: End,
        /// The channel of the message that was answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credited: Option<Channel>,
        /// The attempt that was answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credited_attempt: Option<AttemptId>,
    },
    /// An opt-out by address, matched or not; holds for every channel and campaign of this mode.
    Suppressed {
        /// Where it was said.
        via: Channel,
        /// Their word, or the provider's code.
        why: String,
    },
    /// Something arrived that fits nobody and nothing; kept and shown.
    Unmatched {
        /// Who sent it.
        provider: String,
        /// What it was about.
        what: String,
        /// The provider's id, if it had one.
        provider_id: Option<String>,
    },
    /// The operator ended a wait: the next step follows.
    WaitSkipped {
        /// Who did it.
        by: Actor,
    },
    /// The operator has a failed step tried once more.
    Retried {
        /// Who did it.
        by: Actor,
    },
    /// The operator settled a doubt.
    DoubtSettled {
        /// What they found out.
        was_sent: bool,
        /// Who did it.
        by: Actor,
        /// What it is booked at.
        #[serde(default)]
        cost: Money,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_first(version: &u32) -> bool {
    *version == 0
}

impl Kind {
    /// Whether it is about an operator's order and nothing else.
    pub const fn is_of_an_order(&self) -> bool {
        matches!(self, Self::Ordered { .. } | Self::OrderMet { .. })
    }

    /// Whether it only says that time went on: a timer rang, or a provider was asked whether it is well again.
    pub const fn is_clockwork(&self) -> bool {
        matches!(self, Self::TimerFired { .. } | Self::BreakerChecked { .. })
    }
}
