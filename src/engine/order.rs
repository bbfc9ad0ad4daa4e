//! What an operator asks of a campaign, who asked, and what came of it for each person. Plain data, so that a console
//! in another process can ask the same.

use super::event::{Deferral, End, Hold};
use super::snapshot::Row;
use crate::model::{At, AttemptId, CampaignId, CascadeId, Channel, Scope, TextId, words};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The launch that was just done: this puts down who asked for it.
    Launch,
    /// Send nothing, on one channel or at all.
    Pause {
        /// `None`: at all.
        only: Option<Channel>,
        /// For the banner, in words.
        why: String,
    },
    /// Go on.
    Resume {
        /// `None`: the campaign.
        only: Option<Channel>,
        /// Lengthen the waits by the pause.
        extend_timers: bool,
    },
    /// A shut scope is mended.
    CloseBreaker {
        /// Where.
        channel: Channel,
        /// What.
        scope: Scope,
    },
    /// End every open cascade.
    StopAll,
    /// Something for each of these people.
    People {
        /// What.
        deed: Deed,
        /// Whom, as they stood when the operator was asked.
        of: Vec<Target>,
        /// Whom the question named and the filter lists no more: they are left as they are, and named.
        gone: Vec<CascadeId>,
    },
}

impl Order {
    /// For one person.
    pub fn one(deed: Deed, target: Target) -> Self {
        Self::People { deed, of: vec![target], gone: Vec::new() }
    }

    /// Its word in the log.
    pub const fn ask(&self) -> Ask {
        match self {
            Self::Launch => Ask::Launch,
            Self::Pause { .. } => Ask::Pause,
            Self::Resume { extend_timers: false, .. } => Ask::Resume,
            Self::Resume { extend_timers: true, .. } => Ask::ResumeExtended,
            Self::CloseBreaker { .. } => Ask::Mend,
            Self::StopAll => Ask::StopCampaign,
            Self::People { deed, .. } => deed.ask(),
        }
    }

    /// What it holds from the moment it is heard: everything (`None`) or a channel.
    pub const fn holds(&self) -> Option<Option<Channel>> {
        match self {
            Self::Pause { only, .. } => Some(*only),
            Self::StopAll => Some(None),
            Self::Launch | Self::Resume { .. } | Self::CloseBreaker { .. } | Self::People { .. } => None,
        }
    }

    /// Where, if it is about one channel.
    pub const fn channel(&self) -> Option<Channel> {
        match self {
            Self::Pause { only, .. } | Self::Resume { only, .. } => *only,
            Self::CloseBreaker { channel, .. } => Some(*channel),
            Self::Launch | Self::StopAll | Self::People { .. } => None,
        }
    }
}

/// What can be done for one person; [`super::deeds`] says when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// End the cascade for good.
    Stop,
    /// They told the operator that they want no more contact.
    OptOut,
    /// The doubtful attempt reached the provider.
    WasSent,
    /// It did not: the step is sent again.
    WasNotSent,
    /// Whoever wrote from a shared number, it was not this customer.
    Release,
    /// The wait is over; the next step follows.
    SkipWait,
    /// The step that failed is tried again.
    Retry,
}
words!(Deed {
    Stop => "stop", OptOut => "opt_out", WasSent => "was_sent", WasNotSent => "was_not_sent",
    Release => "release", SkipWait => "skip_wait", Retry => "retry",
});

impl Deed {
    /// Its word in the log.
    pub const fn ask(self) -> Ask {
        match self {
            Self::Stop => Ask::Stop,
            Self::OptOut => Ask::OptOut,
            Self::WasSent => Ask::WasSent,
            Self::WasNotSent => Ask::WasNotSent,
            Self::Release => Ask::Release,
            Self::SkipWait => Ask::SkipWait,
            Self::Retry => Ask::Retry,
        }
    }
}

/// Everything that can be asked, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "as in Order and Deed")]
pub enum Ask {
    Launch,
    Pause,
    Resume,
    ResumeExtended,
    Mend,
    StopCampaign,
    Stop,
    OptOut,
    WasSent,
    WasNotSent,
    Release,
    SkipWait,
    Retry,
    EditRules,
    EditContent,
}
words!(Ask {
    Launch => "launch", Pause => "pause", Resume => "resume", ResumeExtended => "resume_extended",
    Mend => "mend", StopCampaign => "stop_campaign", Stop => "stop", OptOut => "opt_out",
    WasSent => "was_sent", WasNotSent => "was_not_sent", Release => "release", SkipWait => "skip_wait",
    Retry => "retry", EditRules => "edit_rules", EditContent => "edit_content",
});

/// A person as the operator saw them: whoever has moved on since is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Whose.
    pub cascade: CascadeId,
    /// The step they stood at.
    pub step: u32,
    /// Their newest attempt.
    pub attempt: Option<AttemptId>,
}

impl From<&Row> for Target {
    fn from(row: &Row) -> Self {
        Self { cascade: row.cascade, step: row.step, attempt: row.attempt }
    }
}

/// Who asks: a person at a machine, not a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// As the operating system names them.
    pub user: String,
    /// The machine they sit at.
    pub host: String,
    /// The terminal, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
}

/// An order with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What.
    pub order: Order,
    /// By whom.
    pub by: Who,
    /// By the calendar; the log's own times are the campaign's.
    pub wall_at: At,
    /// The campaign they had before them. A pause and an opt-out hold whatever runs.
    pub campaign: Option<CampaignId>,
    /// Why, in the store: an operator may write a name.
    pub text: Option<TextId>,
}

/// What came of an order for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "came", content = "because")]
pub enum Came {
    /// It is done.
    Done,
    /// It is done, and what is under way is being called back; the log tells what came of that.
    Recalling,
    /// It is done, but what was sent before cannot be called back.
    SentBefore,
    /// Nothing was done.
    Left(Left),
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// They are in no cascade of this campaign.
    Elsewhere,
    /// It was meant for another campaign.
    OtherCampaign,
    /// The campaign has ended.
    CampaignEnded,
    /// It is on hold already.
    AlreadyPaused,
    /// It is not on hold.
    NotPaused,
    /// What was sent after the backup is still being asked for.
    Reconciling,
    /// That scope is not shut.
    NotShut,
    /// Something happened to them between question and answer.
    MovedOn,
    /// Their cascade has ended in success.
    Converted,
    /// They had said no.
    Declined,
    /// Every step has been taken.
    Exhausted,
    /// They had opted out.
    OptedOut,
    /// The cascade was stopped before.
    Stopped,
    /// Their step is in its queue.
    Queued,
    /// It is on its way just now, or they are on the phone.
    Sending,
    /// It was sent; nothing failed.
    Sent,
    /// Nobody can tell that it did not arrive.
    MayHaveArrived,
    /// Nothing was tried on this step.
    NothingTried,
    /// Sent or not? That is to be settled first.
    InDoubt,
    /// Nothing is in doubt.
    NoDoubt,
    /// They wait for a mend.
    Held,
    /// The step's scope is shut.
    Shut,
    /// Nobody has to say who answered.
    NotAsked,
    /// The step is being tried again.
    Retrying,
    /// No step follows.
    LastStep,
    /// Quiet hours; no order skips those.
    QuietHours,
    /// Contacts in 24 h; no order skips that.
    PersonCap,
    /// The rules were changed meanwhile.
    RulesChanged,
    /// They came into it after it was shown.
    NotShown,
}
words!(Left {
    Elsewhere => "elsewhere", OtherCampaign => "other_campaign", CampaignEnded => "campaign_ended",
    AlreadyPaused => "already_paused", NotPaused => "not_paused", Reconciling => "reconciling", NotShut => "not_shut",
    MovedOn => "moved_on", Converted => "converted", Declined => "declined", Exhausted => "exhausted",
    OptedOut => "opted_out", Stopped => "stopped", Queued => "queued", Sending => "sending", Sent => "sent",
    MayHaveArrived => "may_have_arrived", NothingTried => "nothing_tried", InDoubt => "in_doubt",
    NoDoubt => "no_doubt", Held => "held", Shut => "shut", NotAsked => "not_asked", Retrying => "retrying",
    LastStep => "last_step", QuietHours => "quiet_hours", PersonCap => "person_cap",
    RulesChanged => "rules_changed", NotShown => "not_shown",
});

impl From<End> for Left {
    fn from(end: End) -> Self {
        match end {
            End::Converted => Self::Converted,
            End::Declined => Self::Declined,
            End::Exhausted => Self::Exhausted,
            End::OptedOut => Self::OptedOut,
            End::Stopped => Self::Stopped,
        }
    }
}

impl From<&Hold> for Left {
    fn from(hold: &Hold) -> Self {
        match hold {
            Hold::Breaker { .. } => Self::Shut,
            Hold::SharedNumber | Hold::Budget => Self::Held,
        }
    }
}

impl From<Deferral> for Left {
    fn from(why: Deferral) -> Self {
        match why {
            Deferral::QuietHours => Self::QuietHours,
            Deferral::PersonCap => Self::PersonCap,
            Deferral::Pause => Self::Queued,
        }
    }
}
