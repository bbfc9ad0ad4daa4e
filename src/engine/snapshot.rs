//! What a screen may know: an immutable picture of a campaign, made after each commit. Ids only; the runtime
//! gives names beside it.

use super::event::{CampaignKind, End, Hold};
use super::forecast::PauseRow;
use super::order::{Deed, Left};
use crate::model::{
    At, AttemptId, CampaignId, CascadeId, Channel, Class, Disposition, Failure, Mode, Money, Outcome,
    PersonId, Scope, Segment,
};
use std::sync::Arc;

/// One picture. Everything the header, the panes and the report show comes from here.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The last event in it.
    pub seq: u64,
    /// Campaign time when it was made.
    pub now: At,
    /// `None`: nothing was ever launched in this store.
    pub campaign: Option<Arc<CampaignFacts>>,
    /// What it is doing.
    pub phase: Phase,
    /// The eight numbers that add up to the cohort.
    pub tally: Tally,
    /// In the order of the rules' walk.
    pub channels: Vec<ChannelRow>,
    /// Grouped by channel, code and scope; the most people first.
    pub failures: Vec<FailureRow>,
    /// Open ones; the most held first.
    pub breakers: Vec<BreakerRow>,
    /// Those that stand, and what ending them would let out.
    pub pauses: Vec<PauseRow>,
    /// In the order of the rules; how many stand where.
    pub steps: Vec<StepRow>,
    /// What falls due, in order of time, grouped.
    pub next: Vec<DueGroup>,
    /// Every cascade of the campaign, in order of its id.
    pub rows: Arc<Vec<Arc<Row>>>,
    /// Money of this campaign.
    pub money: Purse,
    /// Answers by disposition.
    pub dispositions: Vec<(Disposition, u64)>,
    /// Calls that a machine took.
    pub machines: u64,
    /// Clicks by link scanners; they count nowhere else.
    pub clicks_suspected: u64,
    /// Contacts that went out although the person had already reacted elsewhere.
    pub contacted_after_answer: u64,
    /// Events that fit nobody.
    pub unmatched: u64,
    /// Rows of the list that could not be used.
    pub rejects: u64,
}

/// What was fixed at launch.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignFacts {
    /// Its id.
    pub id: CampaignId,
    /// For people.
    pub name: String,
    /// `pilot` or `full`.
    pub kind: CampaignKind,
    /// Rehearsal or live.
    pub mode: Mode,
    /// SHA-256 of the rules that it was launched with.
    pub rules_hash: String,
    /// SHA-256 of the newest rules that anybody in it goes by: what was saved for later launches alone is not among them.
    pub rules_in_flight: String,
    /// SHA-256 of the content.
    pub content_hash: String,
    /// Where the rules stand in git.
    pub rules_commit: Option<String>,
    /// Cascades.
    pub customers: u64,
    /// Campaign time.
    pub started_at: At,
    /// Campaign time.
    pub ended_at: Option<At>,
    /// Campaign seconds a wall second.
    pub speed: f64,
    /// Of the draw and the rehearsal.
    pub seed: u64,
    /// Printed beside amounts.
    pub currency: String,
    /// Opt-outs at which it pauses itself, as a share.
    pub max_optout_share: f64,
}

/// What the campaign is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing launched.
    #[default]
    Idle,
    /// Sending, or waiting for timers.
    Running,
    /// Nothing is sent; the words say by whom and why.
    Paused(String),
    /// Every cascade that is still open needs an operator's hand.
    Stuck,
    /// Every cascade has ended.
    Ended,
}

/// Where everybody is. The eight after `total` sum to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cascades.
    pub total: u64,
    /// Ended in success.
    pub converted: u64,
    /// Said no.
    pub declined: u64,
    /// No answer anywhere.
    pub exhausted: u64,
    /// Want no more contact.
    pub opted_out: u64,
    /// Ended by the operator.
    pub stopped: u64,
    /// Waiting for a mend.
    pub held: u64,
    /// Current step in doubt.
    pub in_doubt: u64,
    /// The rest.
    pub running: u64,
    /// Of those running, on the phone now.
    pub on_phone: u64,
}

/// A channel's counters: outcomes and conversions count customers, the rest attempts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelRow {
    /// Which.
    pub channel: Option<Channel>,
    /// Customers who may still come here.
    pub to_go: u64,
    /// Sends claimed, retries included.
    pub attempts: u64,
    /// Of those, taken by the provider.
    pub accepted: u64,
    /// Refused, or failed later.
    pub failed: u64,
    /// Never got to the provider.
    pub not_reached: u64,
    /// Sent or not?
    pub in_doubt: u64,
    /// Customers with at least one accepted attempt here.
    pub reached: u64,
    /// By [`Outcome::index`]; customers.
    pub outcomes: [u64; 8],
    /// Customers whose answer to this channel converted.
    pub conversions: u64,
    /// What it cost so far.
    pub cost: Money,
    /// Claimed without a result now, and for the phone calls under way.
    pub in_flight: u64,
    /// Customers attempted here at least once.
    pub attempted: u64,
    /// Paused by the operator or by itself: why.
    pub paused: Option<String>,
}

impl ChannelRow {
    /// Customers with this outcome.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome.index()]
    }
}

/// Failures with one cause.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureRow {
    /// The newest of them; title, remedy and the provider's words stand in it.
    pub failure: Failure,
    /// People.
    pub customers: u64,
    /// Attempts.
    pub attempts: u64,
    /// Campaign time.
    pub first_at: At,
    /// Campaign time.
    pub last_at: At,
    /// What happened to those people: `moved on`, `held`, `retried`.
    pub reaction: &'static str,
    /// Who, newest last, at most 100.
    pub cascades: Vec<CascadeId>,
}

/// A shut scope.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerRow {
    /// On which channel.
    pub channel: Channel,
    /// Who is in it.
    pub scope: Scope,
    /// What opened it.
    pub failure: Failure,
    /// How many are held by it.
    pub held: u64,
    /// Since when, campaign time.
    pub since: At,
    /// When the provider is asked, read-only, whether it is mended.
    pub retry_at: Option<At>,
    /// The provider cannot tell, or has told wrongly: nobody but the operator opens it.
    pub by_word: bool,
}

/// A step of the main ladder, and who stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Which.
    pub channel: Channel,
    /// Seconds; `None` on the last.
    pub wait_s: Option<u64>,
    /// To be sent here now: queued, sending, retrying.
    pub sending: u64,
    /// Sent, and waiting (or settling, on the last).
    pub waiting: u64,
    /// Held or in doubt here.
    pub stuck: u64,
    /// Still to come here.
    pub to_come: u64,
}

/// Things that fall due about the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueGroup {
    /// The first.
    pub from: At,
    /// The last.
    pub to: At,
    /// Where; `None` for cascades that merely end.
    pub channel: Option<Channel>,
    /// People.
    pub count: u64,
    /// Why then.
    pub what: DueKind,
}

/// Why something falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DueKind {
    /// A wait runs out and the next step follows.
    NextStep,
    /// A refused send is tried again.
    Retry,
    /// Quiet hours or a cap end.
    Deferred,
    /// The conversion window closes.
    Settle,
    /// A doubtful step's wait runs out.
    Doubt,
}

/// One customer, for the cohort pane.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Identity: select by this, never by position.
    pub cascade: CascadeId,
    /// Who.
    pub person: PersonId,
    /// Their segment.
    pub segment: Segment,
    /// Where they stand.
    pub place: Place,
    /// The step they stand at, from 0, and its channel.
    pub step: u32,
    /// That step's channel.
    pub channel: Channel,
    /// All steps of their walk.
    pub walk: Vec<Channel>,
    /// The last thing that happened to them.
    pub last: Option<Last>,
    /// What comes next, and when.
    pub next: Option<(At, DueKind)>,
    /// Outcomes so far, by channel index and outcome index.
    pub outcomes: [[bool; 8]; 4],
    /// The newest failure, if there was one.
    pub failure: Option<Arc<Failure>>,
    /// The newest attempt.
    pub attempt: Option<AttemptId>,
    /// Spent on them.
    pub cost: Money,
    /// Whether something was, or may have been, sent to them.
    pub contacted: bool,
    /// A later step reached them although they had answered by then.
    pub after_answer: bool,
    /// Under which of the campaign's versions something was sent to them: a bit each, the last one for all from the 64th.
    pub under: u64,
    /// Why a deed cannot be done for them as they stand, by its place in [`Deed::ALL`].
    pub refused: [Option<Left>; Deed::ALL.len()],
}

impl Row {
    /// Whether an operator may have this done; a scope that is shut is looked at when it is ordered.
    pub fn may(&self, deed: Deed) -> Result<(), Left> {
        self.refused[deed as usize].map_or(Ok(()), Err)
    }
}

/// Where a customer stands, in the words of DESIGN.md's journey.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Before the first send, or behind somebody with the same number.
    Queued,
    /// Planned or claimed; on the phone also ringing or talking.
    Sending(Sending),
    /// Refused; tried again at `next`.
    Retrying(u32),
    /// Deferred: quiet hours or a cap.
    Deferred(super::event::Deferral),
    /// Sent; the wait runs.
    Waiting,
    /// Nobody's fault but ours.
    Held(Hold),
    /// Sent or not?
    InDoubt,
    /// After the last step.
    Settling,
    /// Over.
    Ended(End, Option<Channel>),
}

/// How far a send came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// In its channel's queue.
    Planned,
    /// The request is out.
    Claimed,
    /// The provider has the call.
    Dialing,
    /// It rings.
    Ringing,
    /// Somebody talks.
    Talking,
}

/// The last thing that happened to a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Last {
    /// Campaign time.
    pub at: At,
    /// What.
    pub what: LastWhat,
}

/// See [`Last`].
#[derive(Clone, Debug, PartialEq)]
pub enum LastWhat {
    /// The provider took a send on this channel.
    Accepted(Channel),
    /// One of the eight, with the reason a provider gave.
    Outcome(Outcome, Option<String>),
    /// A failure, by code and class.
    Failed(String, Class),
    /// A step was passed over.
    Skipped(super::event::Skip),
}

/// Money of one campaign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Purse {
    /// Booked.
    pub spent: Money,
    /// Worst case of what is under way.
    pub reserved: Money,
    /// Hard cap.
    pub budget: Money,
    /// Where spending will end: least and most, if everybody who is still open converts at once or never.
    pub ends_at: (Money, Money),
}
