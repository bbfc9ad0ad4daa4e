//! From what the record says to a change of the rules, with the evidence in a sentence. Only what a scheduled look
//! decided becomes a change, or what makes the record able to answer.

use crate::learning::answer::{Answer, SegmentAnswer, StartAnswer, WaitAnswer};
use crate::learning::policy::looks::State;
use crate::model::{Channel, Mode, Segment};
use crate::phrases::span;
use crate::rules::edit::{self, Edited};
use crate::rules::{Rules, format_duration_s};
use crate::tui::editor::ladder::notch;
use crate::tui::keys::{self, Cmd};

/// The share of drawn starts that a draft begins with.
const EXPLORE: f64 = 0.2;

/// A change of the rules that a finding asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The segment starts with this channel; all customers do, if there is no other segment.
    Start {
        /// Which; `None`: everybody.
        segment: Option<Segment>,
        /// With what.
        start: Channel,
    },
    /// The step waits so long.
    Wait {
        /// Of which segment; `None`: of the main steps.
        segment: Option<Segment>,
        /// Which step.
        channel: Channel,
        /// In seconds.
        wait_s: u64,
    },
    /// This share of the starts is drawn at random.
    Explore(f64),
}

/// A change, and why.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What to change.
    pub change: Change,
    /// What the record says for it, in a sentence.
    pub evidence: String,
}

impl Change {
    /// The segment that it is about.
    pub const fn segment(&self) -> Option<&Segment> {
        match self {
            Self::Start { segment, .. } | Self::Wait { segment, .. } => segment.as_ref(),
            Self::Explore(_) => None,
        }
    }

    /// In a few words.
    pub fn say(&self) -> String {
        let whose = self.segment().map_or_else(|| "everybody".to_owned(), Segment::screen);
        match self {
            Self::Start { start, .. } => format!("{whose} starts with {}", start.label()),
            Self::Wait { channel, wait_s, segment } => {
                let of = segment.as_ref().map(|_| format!(" for {whose}")).unwrap_or_default();
                format!("{} waits {}{of}", channel.label(), format_duration_s(*wait_s))
            }
            Self::Explore(share) => format!("{:.0} % of the starts are drawn at random", share * 100.0),
        }
    }

    /// The text of the rules with the change made.
    pub fn made_in(&self, text: &str, rules: &Rules) -> Result<String, String> {
        let edited = match self {
            Self::Start { segment: None, start } => edit::set_start(text, None, *start),
            Self::Start { segment: Some(name), start } if rules.segments.contains_key(name) => {
                edit::set_start(text, Some(&name.0), *start)
            }
            Self::Start { segment: Some(name), start } => edit::split_segment(text, &name.0, *start),
            Self::Wait { segment, channel, wait_s } => {
                wait(text, rules, segment.as_ref(), *channel, &format_duration_s(*wait_s))
            }
            Self::Explore(share) => edit::set_explore(text, *share),
        };
        edited.map_err(|problem| format!("{}; {}", problem.message, problem.hint))
    }
}

/// A segment without rules of its own gets them first. The end of the chain waits only where a customer starts with it.
fn wait(text: &str, rules: &Rules, segment: Option<&Segment>, channel: Channel, wait: &str) -> Edited {
    let name = segment.map(|segment| segment.0.as_str());
    let ladder = segment.map_or(&rules.main, |segment| rules.ladder_for(segment));
    let is_last = ladder.steps.last().is_some_and(|last| last.channel == channel);
    let set = if is_last { edit::set_wait_if_first } else { edit::set_wait };
    match segment.filter(|segment| !rules.segments.contains_key(segment)) {
        Some(own) => set(&edit::split_segment(text, &own.0, ladder.start)?, name, channel, wait),
        None => set(text, name, channel, wait),
    }
}

/// The answer, and of what record it is.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What it says.
    pub answer: &'a Answer,
    /// Rehearsal or live.
    pub mode: Mode,
}

impl Record<'_> {
    /// What becomes of a segment's start; why nothing does, if nothing does.
    pub fn start(&self, of: &SegmentAnswer, rules: &Rules) -> Result<Finding, String> {
        let own = |name: &Segment| (self.answer.segments.len() > 1).then(|| name.clone());
        let winner = self.answer.winners.iter().find(|winner| winner.segment == of.segment);
        let split = winner.filter(|_| !rules.segments.contains_key(&of.segment));
        match (of.state, of.leader) {
            (State::ChangeProposed, Some(start)) => {
                let mut evidence = format!("{}; {}", of.reason, self.nets(of, start));
                if let Some(winner) = winner {
                    evidence = format!("{evidence}; {}", winner.reason);
                }
                let change = Change::Start { segment: own(&of.segment), start };
                Ok(Finding { change, evidence: self.of_record(&evidence) })
            }
            (State::KeepProven, Some(start)) => match split {
                Some(winner) => {
                    let change = Change::Start { segment: Some(of.segment.clone()), start };
                    Ok(Finding { change, evidence: self.of_record(&winner.reason) })
                }
                None => Err(format!("{}: there is nothing to change", of.reason)),
            },
            (State::NoPracticalDifference, _) => {
                let by_hand = keys::key(Cmd::Rules);
                Err(format!("a tie: choose by cost or comfort; {by_hand} edits the rules by hand"))
            }
            (State::NotIdentifiable | State::Learning, _) if rules.explore <= 0.0 => {
                let why = "starts are not drawn at random, so that the record cannot say which one is best";
                let evidence = self.of_record(&format!("{}: {why}", of.segment.screen()));
                Ok(Finding { change: Change::Explore(EXPLORE), evidence })
            }
            (State::NotIdentifiable, _) => {
                Err("starts are drawn at random from the next launch on: nothing is to be changed before it"
                    .into())
            }
            (State::Learning | State::ChangeProposed | State::KeepProven, _) => {
                Err(format!("not yet, and only a look proposes: {}", of.reason))
            }
        }
    }

    /// What becomes of a wait.
    pub fn wait(&self, of: &WaitAnswer, rules: &Rules) -> Result<Finding, String> {
        let ladder = of.segment.as_ref().map_or(&rules.main, |segment| rules.ladder_for(segment));
        let now_s = ladder.wait_of(of.channel).ok_or_else(|| {
            format!(
                "no customer waits after {}: `conversion_window` says how long an answer counts",
                of.channel.label()
            )
        })?;
        let wait_s = match of.suggested_wait_s.filter(|_| of.suggest_change) {
            Some(wait_s) => wait_s,
            None if of.too_short => notch(now_s.max(of.window_s), true),
            None => return Err(format!("nothing to change: {}", of.reason)),
        };
        let whose =
            of.segment.as_ref().map(|segment| format!(" for {}", segment.screen())).unwrap_or_default();
        let record = format!("{} delivered contacts, {} conversions", of.contacts, of.events);
        let evidence = format!("{}{whose}: {}; {record}", of.channel.label(), of.reason);
        let change = Change::Wait { segment: of.segment.clone(), channel: of.channel, wait_s };
        Ok(Finding { change, evidence: self.of_record(&evidence) })
    }

    /// `expected net phone 2.70 (2.40 to 3.00, n 160), WhatsApp 2.20 (…) USD`
    fn nets(&self, of: &SegmentAnswer, leader: Channel) -> String {
        let said = |start: &StartAnswer| {
            let (mean, low, high) =
                (start.net_mean?.short(), start.net_low?.short(), start.net_high?.short());
            Some(format!("{} {mean} ({low} to {high}, n {})", start.start.label(), start.n))
        };
        let of_channel = |channel: Channel| of.starts.iter().find(|start| start.start == channel);
        let both = [leader, of.incumbent].into_iter().filter_map(of_channel).filter_map(said);
        let both: Vec<String> = both.collect();
        format!("expected net {} {}, 90 % intervals", both.join(" against "), self.answer.currency)
    }

    /// A rehearsal's evidence says so wherever it is read.
    fn of_record(&self, evidence: &str) -> String {
        match self.mode {
            Mode::Rehearsal => format!("{evidence} (REHEARSAL, no real customers)"),
            Mode::Live => evidence.to_owned(),
        }
    }
}

/// A wait as people say it.
pub fn say_wait(seconds: u64) -> String {
    span(i64::try_from(seconds).unwrap_or(i64::MAX))
}
