//! What the driver hands in: raw news from the world, before the engine has concluded anything from it.

use super::event::{CallProgress, Withdrawal};
use super::meaning::Meaning;
use super::order::Signed;
use super::restored::{Gap, SentBefore};
use super::retime::Edit;
use crate::model::{At, AttemptId, Channel, Failure, Money, PersonId, Scope, Segment, TextId, TimerId};

/// One piece of news.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The channel's rate lets one send go: claim the next that may.
    Permit(Channel),
    /// The provider took it; `units` are the SMS segments it counted, otherwise 1.
    Accepted {
        /// Which.
        attempt: AttemptId,
        /// The provider's id.
        provider_id: String,
        /// What the price is multiplied with.
        units: u32,
    },
    /// The create call failed.
    Failed {
        /// Which.
        attempt: AttemptId,
        /// Why; `sent` in it decides what follows.
        failure: Box<Failure>,
        /// Whether the provider got the request.
        reached: bool,
    },
    /// A brake fell between claim and first byte.
    Braked {
        /// Which.
        attempt: AttemptId,
        /// Which brake.
        why: Withdrawal,
    },
    /// A lookup proved that a doubtful attempt was sent.
    Found {
        /// Which.
        attempt: AttemptId,
        /// The provider's id.
        provider_id: String,
    },
    /// A provider reported something.
    Heard(Box<Heard>),
    /// A timer ran out.
    Timer(TimerId),
    /// A provider was called back, with this result.
    Recalled {
        /// Which.
        attempt: AttemptId,
        /// What came of it.
        result: super::event::RecallResult,
    },
    /// A read-only check of a shut scope came back.
    ScopeChecked {
        /// Where.
        channel: Channel,
        /// What.
        scope: Scope,
        /// Whether it is usable again.
        mended: bool,
    },
    /// The process was restarted: every claim without a result is in doubt.
    Restarted,
    /// The store was restored from a backup: nothing is sent before it is known what was sent since.
    Restored(Box<Gap>),
    /// What providers say that we sent after the backup.
    Reconciled {
        /// All of it.
        sent: Vec<SentBefore>,
        /// Channels on which nobody can be asked.
        untold: Vec<Channel>,
    },
    /// A part of the program failed: nothing is sent until the operator has looked.
    Broken {
        /// In words.
        why: String,
    },
    /// Learning has noticed that the outcomes of a segment have changed.
    OutcomesChanged {
        /// Which.
        segment: Segment,
        /// The day on which that was plain.
        on: At,
    },
    /// An operator asks.
    Order(Box<Signed>),
    /// Saved rules or texts are to be put in force.
    Edit(Box<Edit>),
}

/// A provider's report, verified and with its person looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Who sent it.
    pub provider: String,
    /// Where.
    pub channel: Channel,
    /// By the provider's clock.
    pub happened_at: Option<At>,
    /// The provider's id of the message or call.
    pub provider_id: Option<String>,
    /// Our attempt, where the wire named it.
    pub attempt: Option<AttemptId>,
    /// Whose number it is, if we know it.
    pub line: Option<PersonId>,
    /// What they wrote or said, in the store.
    pub text: Option<TextId>,
    /// What.
    pub what: What,
}

/// See [`Heard`].
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Passed on; no outcome.
    Sent,
    /// Reached the device.
    Delivered,
    /// Shown.
    Read,
    /// Failed after all.
    Failed(Box<Failure>),
    /// They wrote.
    Inbound(Meaning),
    /// They stopped by a switch of the provider.
    Stopped(String),
    /// Where a call stands.
    CallProgressed(CallProgress),
    /// A call is over.
    CallEnded(CallEnd),
    /// The short link was followed; `Some`: by a scanner, and what gave it away.
    Clicked(Option<String>),
    /// The price is known.
    Cost(Money),
    /// Something of ours is shut.
    Shut(Scope, Box<Failure>),
    /// Anything else worth keeping.
    Other(String),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub struct CallEnd {
    /// Verbatim.
    pub reason: String,
    /// What it means.
    pub result: CallResult,
    /// Seconds connected.
    pub talked_s: Option<u64>,
    /// What the person meant, if the report told.
    pub meaning: Option<Meaning>,
    /// In all, if the report told.
    pub cost: Option<Money>,
}

/// See [`CallEnd`].
#[derive(Clone, Debug, PartialEq)]
pub enum CallResult {
    /// A person was on the line.
    Answered,
    /// Nobody, or a machine.
    NoAnswer {
        /// A machine took it.
        machine: bool,
    },
    /// We hung up.
    Canceled,
    /// It failed.
    Failed(Box<Failure>),
}
