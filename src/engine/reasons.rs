//! Words inside events: who did something, why something was put off, taken back, passed over or held, and how it ended.

use crate::model::{Channel, Scope};
use serde::{Deserialize, Serialize};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// By key or command.
    Operator,
    /// The engine itself.
    Engine,
    /// A read-only check at the provider.
    Check,
}

/// How far a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallProgress {
    /// The provider has it.
    Queued,
    /// It rings.
    Ringing,
    /// Somebody or something picked up.
    InProgress,
}

/// Why an attempt may not go yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deferral {
    /// In the customer's own zone.
    QuietHours,
    /// Contacts in 24 h.
    PersonCap,
    /// The wait before it ran out in a pause, and was lengthened by it.
    Pause,
}

/// Why an attempt was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    /// They opted out.
    OptedOut,
    /// They answered elsewhere.
    Answered,
    /// Sending is on hold.
    Paused,
    /// Their scope is shut.
    Breaker,
    /// The cascade was stopped.
    Stopped,
    /// The campaign's budget is spent.
    Budget,
    /// Too much time passed between the claim and the first byte; it is looked at again.
    Late,
    /// The process ended between the claim and the first byte, and can prove it.
    NotStarted,
    /// A later step turned out to have been sent before.
    Passed,
    /// Its channel is no longer in the rules.
    Rules,
}

/// Why a step was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// No such address.
    NoAddress,
    /// No consent for this channel.
    NoConsent,
    /// On the do-not-contact list.
    Suppressed,
    /// Fell due in quiet hours and was not allowed in time.
    Expired,
    /// No text for this customer's language.
    NoContent,
}

/// Why a customer waits for a mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "hold")]
pub enum Hold {
    /// A breaker is open.
    Breaker {
        /// On which channel.
        on: Channel,
        /// What is shut.
        #[serde(flatten)]
        scope: Scope,
    },
    /// Two customers share the number and a reply named neither.
    SharedNumber,
    /// The budget is spent.
    Budget,
}

/// What came of calling something back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecallResult {
    /// It will not reach them.
    Recalled,
    /// It had reached them.
    TooLate,
    /// This channel knows no recall.
    Impossible,
}

/// How a cascade ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// A human answered, and not with no.
    Converted,
    /// A human said no, or was somebody else.
    Declined,
    /// No answer on any channel.
    Exhausted,
    /// They want no more contact.
    OptedOut,
    /// The operator ended it.
    Stopped,
}
