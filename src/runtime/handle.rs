//! What a console holds of a running program: the newest picture, the directory of names, and a way to ask.

use super::attach::Seat;
use super::saving::{EditPreview, Refusal, Saved, Version, Wanted};
use crate::config::Learning;
use crate::engine::audit::Audit;
use crate::engine::event::Event;
use crate::engine::order::{Order, Who};
use crate::engine::retime::Choice;
use crate::engine::snapshot::Snapshot;
use crate::learning::answer::Answer;
use crate::model::{
    Allocation, At, CampaignId, CascadeId, Channel, Mode, Money, PersonId, Phone, Segment, Untrusted,
};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// The console's side of the runtime.
#[derive(Debug)]
pub struct Handle {
    /// Newest wins.
    pub picture: watch::Receiver<Arc<Picture>>,
    /// What the operator asks; bounded, because a person cannot type faster than it empties.
    pub commands: mpsc::Sender<Command>,
    /// What the operator must be told; shown until dismissed or replaced.
    pub notices: mpsc::Receiver<Notice>,
    /// Campaign time, for countdowns.
    pub clock: crate::clock::Clock,
    /// Who sits here.
    pub operator: Who,
    /// Takes control of a campaign that another process runs, or (`false`) gives it back. `None`: it is our own.
    pub control: Option<mpsc::Sender<bool>>,
}

/// Everything a frame may show of the campaign.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// From the engine.
    pub snapshot: Snapshot,
    /// Who is behind the ids.
    pub people: Arc<HashMap<PersonId, PersonCard>>,
    /// The newest entries, oldest first, at most 1000.
    pub timeline: Arc<VecDeque<Arc<TimelineEntry>>>,
    /// One per provider that we listen to.
    pub ears: Vec<Ear>,
    /// What is not up yet or cannot be: `starting sandbox`.
    pub starting: Option<String>,
    /// Before and between campaigns: what a launch would do.
    pub preflight: Option<Arc<Preflight>>,
    /// What people wrote or said, newest last.
    pub inbox: Arc<Vec<InboxItem>>,
    /// Which store and files this is about.
    pub place: Arc<PlaceFacts>,
    /// Set when the store failed: nothing is sent, and this is why.
    pub store_failed: Option<String>,
    /// What stands in the way until it is over, the gravest first.
    pub troubles: Vec<Trouble>,
    /// Set while nothing is sent because of a gap.
    pub settling: Option<Settling>,
    /// The newest save of rules or texts, and how far it is.
    pub saved: Option<Arc<Saved>>,
    /// What operators ordered, and what came of it.
    pub audit: Arc<Audit>,
    /// Where a console sits that is attached to another process; `None`: the campaign runs in this one.
    pub seat: Option<Arc<Seat>>,
}

/// Which files and settings the console runs on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PlaceFacts {
    /// Rehearsal or live.
    pub mode: Mode,
    /// The workspace's directory, for people.
    pub workspace: String,
    /// The rules file or `built-in`.
    pub rules_source: String,
    /// The rules as text, for the read-only view.
    pub rules_text: String,
    /// Content files: name and text.
    pub content: Vec<(String, String)>,
    /// The workspace's zone (IANA), for clock times.
    pub timezone: String,
    /// Printed beside amounts.
    pub currency: String,
    /// What each channel sends in a second, and how many at once.
    pub paces: Vec<(Channel, f64, u64)>,
    /// What the record is asked with.
    #[serde(flatten)]
    pub learning: Learning,
}

/// A person as the screen names them; texts are safe for a terminal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PersonCard {
    /// Safe for one line of a terminal.
    pub name: String,
    /// E.164.
    pub phone: Option<Phone>,
    /// Safe for one line of a terminal.
    pub segment: String,
    /// As the list wrote it.
    pub language: Option<String>,
}

/// One line of the timeline.
#[derive(Clone, Debug)]
pub struct TimelineEntry {
    /// Position in the log.
    pub seq: u64,
    /// What happened.
    pub event: Event,
    /// What they wrote or said, where the event names a text.
    pub text: Option<Untrusted>,
}

/// How well we hear one provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Ear {
    /// `WhatsApp`, `Vapi`, `Twilio`.
    pub name: &'static str,
    /// Wall seconds since the last valid webhook or round trip; `None`: never.
    pub heard_s: Option<u64>,
}

/// Something people wrote or said.
#[derive(Clone, Debug)]
pub struct InboxItem {
    /// Position in the log.
    pub seq: u64,
    /// Campaign time.
    pub at: At,
    /// Which campaign they answer; not always the newest.
    pub campaign: CampaignId,
    /// Whose.
    pub cascade: Option<CascadeId>,
    /// Who.
    pub person: Option<PersonId>,
    /// Where.
    pub channel: Channel,
    /// What.
    pub text: Untrusted,
    /// What it meant; `None` for opt-outs.
    pub disposition: Option<crate::model::Disposition>,
}

/// What a launch would do: shown before it is confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preflight {
    /// Campaign name.
    pub name: String,
    /// People it would contact.
    pub people: u64,
    /// In the list, usable.
    pub listed: u64,
    /// What is known of those drawn, from before.
    #[serde(default)]
    pub before: Before,
    /// By segment.
    pub segments: Vec<(Segment, u64)>,
    /// How starts are drawn, by segment; empty where everybody begins as the rules say.
    #[serde(default)]
    pub starts: Vec<Starts>,
    /// Step, channel, first and last send at the channel's rate if nobody answers, people at most.
    pub waves: Vec<Wave>,
    /// If nobody converts before the last step and every call lasts its longest.
    pub worst_cost: Money,
    /// Hard cap.
    pub budget: Money,
    /// SHA-256 of the rules.
    pub rules_hash: String,
    /// Rows that could not be used: line and reason, at most 100, and how many in all.
    pub rejects: Vec<(u64, String)>,
    /// How many in all.
    pub rejects_total: u64,
    /// Warnings of the check, one sentence each.
    pub warnings: Vec<String>,
    /// Why it cannot be launched now; empty: it can.
    pub blocked: Vec<String>,
}

impl Preflight {
    /// Nothing can be launched, for this reason.
    pub fn blocked(why: String) -> Self {
        Self {
            name: String::new(),
            people: 0,
            listed: 0,
            before: Before::default(),
            segments: Vec::new(),
            starts: Vec::new(),
            waves: Vec::new(),
            worst_cost: Money::ZERO,
            budget: Money::ZERO,
            rules_hash: String::new(),
            rejects: Vec::new(),
            rejects_total: 0,
            warnings: Vec::new(),
            blocked: vec![why],
        }
    }
}

/// What earlier campaigns and the list say of those who were drawn: how many are left out of a launch, and how many are
/// contacted again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Opted out: left out.
    pub opted_out: u64,
    /// Consented to no channel of their rules: nothing is sent to them.
    pub unreachable: u64,
    /// Declined in an earlier campaign: contacted again.
    pub declined: u64,
    /// Contacted by an earlier campaign within the time below: contacted again all the same, since a pilot leaves
    /// nobody out for it.
    pub recent: u64,
    /// `recontact_after`.
    pub recontact_after_s: u64,
    /// There are too many to look each of them up: the last two are not counted.
    pub uncounted: bool,
}

/// How the starts of a segment are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Starts {
    /// Which.
    pub segment: Segment,
    /// Where its rules begin.
    pub start: Channel,
    /// The probability of each start.
    pub from: Allocation,
    /// People whose start is drawn and counts.
    pub people: u64,
    /// People who cannot be reached on every channel: they say nothing about starts.
    pub left_out: u64,
}

/// One step of a launch, in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// Where.
    pub channel: Channel,
    /// First send, campaign time.
    pub from: At,
    /// Last send at the channel's rate.
    pub to: At,
    /// People at most.
    pub people: u64,
}

/// What is answered to whoever asks what saving would do.
pub type Previewed = Result<Box<EditPreview>, Refusal>;

/// What the record says, or why it cannot be asked.
pub type Learnt = Result<Box<Answer>, String>;

/// A version's files: name and text.
pub type VersionFiles = Vec<(String, String)>;

/// What a console asks. Each answer is said in a [`Notice`] or in the next picture. Plain data but for questions, so that
/// a console in another process can ask the same.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Launch what the preflight showed; refused if its numbers changed meanwhile.
    Launch(Signature),
    /// Whatever changes a campaign.
    Order {
        /// What.
        order: Order,
        /// By whom and when.
        signature: Signature,
        /// Why, as the operator typed it; empty where nothing was.
        why: String,
    },
    /// Save what this preview showed; how far that is stands in [`Picture::saved`].
    Save {
        /// Which preview.
        preview: u64,
        /// What becomes of those in flight.
        choice: Choice,
        /// Why, as the operator typed it.
        why: String,
        /// What of its files nobody committed was shown, and may go along.
        include: bool,
        /// By whom and when.
        signature: Signature,
    },
    /// What was saved and is not in force is not to be. A commit that was made for it stays.
    DropSaved(Signature),
    /// What saving this would do.
    #[serde(skip)]
    Preview(Wanted, oneshot::Sender<Previewed>),
    /// Versions that ran or were saved, the newest first.
    #[serde(skip)]
    Versions(oneshot::Sender<Vec<Version>>),
    /// The files of a version, by the hash of its rules or its content.
    #[serde(skip)]
    VersionFiles(String, oneshot::Sender<VersionFiles>),
    /// Everything that happened to one customer, oldest first.
    #[serde(skip)]
    History(CascadeId, oneshot::Sender<Vec<Arc<TimelineEntry>>>),
    /// What the record of every campaign says about starts, waits and costs.
    #[serde(skip)]
    Learn(oneshot::Sender<Learnt>),
    /// Everything is saved; end.
    #[serde(skip)]
    Quit,
}

impl Command {
    /// Whether nothing but standing still can come of it.
    pub const fn holds_all(&self) -> bool {
        matches!(self, Self::Order { order: Order::Pause { only: None, .. }, .. })
    }

    /// Whether the store alone can answer it, whoever runs the campaign.
    pub const fn asks_the_store(&self) -> bool {
        matches!(self, Self::History(..) | Self::Versions(_) | Self::VersionFiles(..) | Self::Learn(_))
    }

    /// Whoever carries it on knows better than the console who sits there.
    pub fn sign(&mut self, who: &Who) {
        match self {
            Self::Launch(signature)
            | Self::Order { signature, .. }
            | Self::Save { signature, .. }
            | Self::DropSaved(signature) => signature.by.clone_from(who),
            Self::Preview(..)
            | Self::Versions(_)
            | Self::VersionFiles(..)
            | Self::History(..)
            | Self::Learn(_)
            | Self::Quit => {}
        }
    }
}

/// Who gives an order, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// By whom.
    pub by: Who,
    /// By the calendar.
    pub wall_at: At,
    /// The campaign they had before them.
    pub campaign: Option<CampaignId>,
}

impl Signature {
    /// Of this process, where no console asks.
    pub fn here() -> Self {
        Self::now(super::operator::here(), None)
    }

    /// Now, by `by`, who has `campaign` before them.
    pub fn now(by: Who, campaign: Option<CampaignId>) -> Self {
        Self { by, wall_at: crate::clock::wall_at(), campaign }
    }
}

/// Something that stands in the way until it is over: a slow disk, a deaf ear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// How bad.
    pub level: Level,
    /// What is wrong, what that stops, what to do. Safe for a terminal.
    pub words: String,
    /// Since when, campaign time.
    pub since: At,
}

/// After a gap nothing is sent before what was said meanwhile is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settling {
    /// Everybody who can be asked is being asked.
    Asking,
    /// Those who cannot be asked are given until then, campaign time.
    Until(At),
}

/// Something the operator must be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How bad.
    pub level: Level,
    /// What failed, for whom, what happens next. Safe for a terminal.
    pub text: String,
}

/// How bad a [`Notice`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Done as asked.
    Info,
    /// Look at it.
    Warning,
    /// It failed.
    Error,
}
