//! DESIGN.md's invariants, judged by what really happened: the requests that got out, what people had said by then,
//! and what is on disk. It reads no state of the program's.

#[path = "judge.rs"]
mod judge;
#[path = "losses.rs"]
mod losses;

use crate::cascades::{CHANNELS, EDITS_WAIT_MIN, WAITS_MIN};
use crate::setting::{Setting, What};
use cascade::clock;
use cascade::engine::meaning::{Meaning, read, read_call};
use cascade::engine::retime::Choice;
use cascade::model::{At, CascadeId, Channel, Disposition, Phone};
use cascade::providers::{CallResult, Fact, Heard};
use chrono::{TimeDelta, Timelike as _};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// Live sends need a proof of hearing that is no older; a little more than the program's own word.
const PROOF: Duration = Duration::from_secs(301);

/// After the catch-up; the machine's clock may have been moved by less than a gap meanwhile.
const SETTLED: TimeDelta = TimeDelta::minutes(9);

/// A wish of the operator's is on disk by then, however slow the disk.
const RECORDED: Duration = Duration::from_secs(30);

/// The same as campaign time.
const RECORDED_SLACK: TimeDelta = TimeDelta::seconds(30);

/// Something that the operator asked for: when, and when by the machine's steady clock, which stands still in sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    at: At,
    steady: Instant,
}

impl Wish {
    fn now(at: At) -> Self {
        Self { at, steady: clock::wall() }
    }

    /// Long enough ago to be on disk.
    fn is_recorded(self, by: Instant) -> bool {
        by.saturating_duration_since(self.steady) > RECORDED
    }
}

/// Something that keeps us from somebody: since when, and the report that told, unless it acts by itself.
#[derive(Clone, Copy, Debug)]
struct Barred {
    since: At,
    told_by: Option<[u8; 16]>,
}

/// What the oracle knows that is on no disk.
#[derive(Debug)]
pub struct Oracle {
    /// What broke, first first.
    pub broken: Vec<String>,
    /// Whom Twilio keeps from us by itself.
    pub stopped_by_sms: HashSet<Phone>,
    stopped: HashMap<Phone, Barred>,
    reacted: HashMap<CascadeId, Barred>,
    ended_by_hand: HashMap<CascadeId, Wish>,
    held: Option<Wish>,
    resumed: Option<Wish>,
    held_on: [Option<Wish>; 4],
    resumed_on: [Option<Wish>; 4],
    left: Option<At>,
    /// The operator has not gone on since a store was restored.
    restored: bool,
    /// A store was restored at some time.
    restored_ever: bool,
    proof: Option<Instant>,
    /// A round trip has failed since the last proof.
    deaf: bool,
    /// Everybody must be asked before anything is sent.
    gap_since: Option<At>,
    caught_up: Option<At>,
    /// A clock that was moved while we listened hid nothing: it may be noticed after the commit under way.
    moved_until: Option<At>,
    set_back: Option<At>,
    concurrent: usize,
    cap: usize,
    /// Minutes of the day in New York, where everybody lives.
    quiet: Option<(u32, u32)>,
    released: bool,
    store_failed: Option<Instant>,
    /// How long each step but the last waits.
    waits: Vec<TimeDelta>,
    clock_moves: bool,
    /// The channel of each of those steps.
    channels: Vec<Channel>,
    /// Rules that were saved while people were in flight, and whether those were to be moved.
    edits: Vec<(usize, bool)>,
    hurried: HashSet<CascadeId>,
    /// Something is on disk.
    known: bool,
}

impl Oracle {
    pub fn new(setting: &Setting) -> Self {
        Self {
            broken: Vec::new(),
            stopped_by_sms: HashSet::new(),
            stopped: HashMap::new(),
            reacted: HashMap::new(),
            ended_by_hand: HashMap::new(),
            held: None,
            resumed: None,
            held_on: [None; 4],
            resumed_on: [None; 4],
            left: None,
            restored: false,
            restored_ever: false,
            proof: None,
            deaf: false,
            gap_since: None,
            caught_up: None,
            moved_until: None,
            set_back: None,
            concurrent: setting.concurrent,
            cap: setting.cap as usize,
            quiet: setting.quiet_min().map(|(from, to)| (u32::from(from), u32::from(to))),
            released: false,
            store_failed: None,
            waits: WAITS_MIN[setting.rules].iter().map(|minutes| TimeDelta::minutes(*minutes)).collect(),
            channels: CHANNELS[setting.rules].to_vec(),
            edits: Vec::new(),
            hurried: HashSet::new(),
            known: false,
            clock_moves: setting.acts.iter().any(|act| matches!(act.what, What::ClockJumps { .. })),
        }
    }

    /// A shared number's hold was released by hand: whoever was held may be contacted again.
    pub fn released(&mut self) {
        self.released = true;
    }

    pub fn holds(&mut self, now: At, only: Option<Channel>) {
        let held = match only {
            None => &mut self.held,
            Some(channel) => &mut self.held_on[channel.index()],
        };
        *held = held.or(Some(Wish::now(now)));
    }

    pub fn resumes(&mut self, now: At, only: Option<Channel>) {
        match only {
            None => self.resumed = Some(Wish::now(now)),
            Some(channel) => self.resumed_on[channel.index()] = Some(Wish::now(now)),
        }
    }

    pub fn store_fails(&mut self) {
        self.store_failed = self.store_failed.or(Some(clock::wall()));
    }

    pub fn ends_by_hand(&mut self, now: At, cascade: CascadeId) {
        self.ended_by_hand.insert(cascade, Wish::now(now));
    }

    fn is_quiet(&self, machine: At) -> bool {
        let local = machine.utc().with_timezone(&chrono_tz::America::New_York);
        let minute = local.hour() * 60 + local.minute();
        self.quiet.is_some_and(|(from, to)| {
            if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
        })
    }

    /// The operator cut their wait short.
    pub fn hurries(&mut self, cascade: CascadeId) {
        self.hurried.insert(cascade);
    }

    /// Rules are saved; `None`: those that were saved last, with another choice.
    pub fn edits(&mut self, which: Option<usize>, choice: Choice) {
        let which = which.or(self.edits.last().map(|(which, _)| *which));
        self.edits.extend(which.map(|which| (which, choice != Choice::Keep)));
    }

    /// The shortest that a wait on `channel` may be, in the first campaign or in one that was launched later, by whatever
    /// rules were saved last. What is gone from the rules has none.
    fn least_wait(&self, channel: Channel, later: bool) -> TimeDelta {
        let launched = self.channels.iter().position(|c| *c == channel).and_then(|at| self.waits.get(at));
        let edited = self.edits.iter().filter(|(_, moves)| *moves || later).map(|(which, _)| {
            let at = [Channel::Whatsapp, Channel::Phone, Channel::Sms].iter().position(|c| *c == channel);
            TimeDelta::minutes(at.map_or(0, |at| EDITS_WAIT_MIN[*which][at]))
        });
        edited.chain(launched.copied()).min().unwrap_or_default()
    }

    pub fn leaves(&mut self, now: At) {
        self.left = Some(now);
    }

    /// A gap: nothing may be sent before everybody was asked and given time.
    pub fn gap(&mut self, now: At) {
        // Nothing was ever said to anybody: nobody can have answered.
        if self.known {
            (self.gap_since, self.caught_up) = (Some(now), None);
        }
    }

    pub fn has_just_slept(&self, now: At) -> bool {
        is_recent(self.gap_since, now)
    }

    pub fn was_just_set_back(&self, now: At) -> bool {
        is_recent(self.set_back, now)
    }

    /// The clock was moved by so much that we must take it for a gap.
    pub fn clock_moved(&mut self, now: At, by_s: i64) {
        if by_s < 0 {
            self.set_back = Some(now);
        }
        if by_s.abs() < 60 {
            return;
        }
        self.gap(now);
        self.moved_until = Some(now + RECORDED_SLACK);
    }

    /// The answer of a round trip to our public address.
    pub fn round_trip(&mut self, now: At, heard: bool) {
        if heard {
            self.proves(now);
        } else {
            self.deaf = true;
        }
    }

    fn proves(&mut self, now: At) {
        self.proof = Some(clock::wall());
        if std::mem::take(&mut self.deaf) {
            self.gap(now);
        }
    }

    fn breaks(&mut self, what: String) {
        self.broken.push(what);
    }
}

fn is_recent(at: Option<At>, now: At) -> bool {
    at.is_some_and(|at| now - at < TimeDelta::seconds(90))
}

/// Whether a report says that they want no more contact.
fn stops(report: &Heard) -> bool {
    match &report.what {
        Fact::Inbound { text, provider_optout, .. } => {
            *provider_optout == Some(true) || matches!(read(text.raw(), None), Meaning::OptOut(_))
        }
        Fact::Preference { stop } => *stop,
        Fact::CallEnded(end) => {
            let said = end.said.as_ref().map(cascade::model::Untrusted::raw);
            said.is_some() && matches!(read_call(said, None), Meaning::OptOut(_))
        }
        _ => false,
    }
}

/// Whether a human being reacted, and not a machine of theirs.
fn reacts(report: &Heard) -> bool {
    match &report.what {
        Fact::Inbound { text, .. } => {
            !matches!(read(text.raw(), None), Meaning::Answer(Disposition::AutoReply))
        }
        Fact::CallEnded(end) => end.result == CallResult::Answered,
        _ => false,
    }
}
