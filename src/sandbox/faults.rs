//! Faults on demand: what an operator, a test or a scenario wants to go wrong.
//!
//! | kind | strikes | what happens | `code` |
//! |---|---|---|---|
//! | `refuse` | create calls | the provider's own error | its code; else the usual throttle |
//! | `lose_response` | create calls | taken, and the connection breaks before the answer | |
//! | `half` | create calls | taken, and the answer breaks off in its middle | |
//! | `status_after` | create calls | taken, and answered by a bare status all the same | 500 to 599; else 502 |
//! | `hang` | create calls | never answered | `taken` (else) or `not_taken` |
//! | `status` | every request | a bare HTTP status, nothing is done | 200 to 599; else 503 |
//! | `down` | every request | the connection breaks, nothing is done; webhooks wait | |
//! | `lag` | lists | what was made shows only so much later; `share` and `count` make no sense | seconds; else 60 |
//! | `queue` | create calls for SMS | taken, and `queued` so long: undated, so that no filter by date lists it; `failed` if its validity ends there | seconds; else 3600 |
//! | `delay` | webhooks | later | seconds; else 300 |
//! | `duplicate` | webhooks | twice | |
//! | `reorder` | webhooks | held back by up to two minutes | |
//! | `batch` | WhatsApp's webhooks | held back and sent in one POST, at most 1000 together | seconds; else 60 |
//! | `forge` | webhooks | a copy with a bad signature goes first | |
//! | `garble` | webhooks | a copy that is signed and cannot be read goes first | |
//! | `unknown` | webhooks | a copy about a message and a person that are nobody's goes first | |

use super::ledger::Provider;
use super::people::Draw;
use crate::model::At;
use chrono::TimeDelta;
use serde::{Deserialize, Deserializer, Serialize};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FaultKind {
    Refuse,
    Delay,
    LoseResponse,
    Status,
    Duplicate,
    Reorder,
    Forge,
    Down,
    Hang,
    Half,
    StatusAfter,
    Lag,
    Queue,
    Garble,
    Batch,
    Unknown,
}

impl FaultKind {
    /// Holds as long as it is in force, without being counted.
    const fn stands(self) -> bool {
        matches!(self, Self::Down | Self::Lag)
    }
}

/// One fault: where, what, how often and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    provider: Provider,
    kind: FaultKind,
    /// A provider's error code, an HTTP status, or seconds.
    #[serde(default, deserialize_with = "number_or_text")]
    code: Option<String>,
    /// Of all chances, 0 to 1.
    #[serde(default)]
    share: Option<f64>,
    /// How many times at most.
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    from: Option<At>,
    #[serde(default)]
    until: Option<At>,
    /// How many chances it has had.
    #[serde(default, skip_deserializing)]
    chances: u64,
}

fn number_or_text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Code {
        Number(i64),
        Text(String),
    }
    Ok(Option::<Code>::deserialize(d)?.map(|code| match code {
        Code::Number(number) => number.to_string(),
        Code::Text(text) => text,
    }))
}

impl Fault {
    /// What is wrong with it, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.share.is_some_and(|s| !(0.0..=1.0).contains(&s)) {
            return Err("share must be between 0 and 1".into());
        }
        if self.share.is_none() && self.count.is_none() && !self.kind.stands() {
            return Err("say how often: share (0 to 1) or count".into());
        }
        if self.from.zip(self.until).is_some_and(|(from, until)| until <= from) {
            return Err("until must be later than from".into());
        }
        let number = self.code.as_ref().is_none_or(|code| code.parse::<u16>().is_ok());
        let problem = match self.kind {
            FaultKind::Delay | FaultKind::Lag | FaultKind::Queue | FaultKind::Batch if !number => {
                "code is seconds here"
            }
            FaultKind::Status if !number || !(200..600).contains(&self.status()) => {
                "code of status is an HTTP status from 200 to 599"
            }
            FaultKind::StatusAfter if !number || !(500..600).contains(&self.status()) => {
                "code of status_after is an HTTP status from 500 to 599"
            }
            FaultKind::Hang if self.code.as_deref().is_some_and(|c| c != "taken" && c != "not_taken") => {
                "code of hang is taken or not_taken"
            }
            FaultKind::Lag if self.share.is_some() || self.count.is_some() => {
                "a list lags for everything in it: share and count make no sense"
            }
            FaultKind::Batch if self.provider != Provider::Whatsapp => "only WhatsApp sends batches",
            FaultKind::Queue if self.provider != Provider::Twilio => "only Twilio's messages are queued",
            FaultKind::Half | FaultKind::Garble | FaultKind::Unknown if self.code.is_some() => {
                "code makes no sense here"
            }
            FaultKind::Delay
            | FaultKind::Lag
            | FaultKind::Queue
            | FaultKind::Batch
            | FaultKind::Status
            | FaultKind::StatusAfter
            | FaultKind::Hang
            | FaultKind::Half
            | FaultKind::Garble
            | FaultKind::Unknown
            | FaultKind::Refuse
            | FaultKind::LoseResponse
            | FaultKind::Duplicate
            | FaultKind::Reorder
            | FaultKind::Forge
            | FaultKind::Down => return Ok(()),
        };
        Err(problem.into())
    }

    fn status(&self) -> u16 {
        let usual = if self.kind == FaultKind::StatusAfter { 502 } else { 503 };
        self.code.as_ref().and_then(|code| code.parse().ok()).unwrap_or(usual)
    }

    fn seconds(&self, usual: i64) -> i64 {
        self.code.as_ref().and_then(|code| code.parse().ok()).unwrap_or(usual)
    }

    fn is_in_force(&self, at: At) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }

    fn strikes(&mut self, seed: u64, place: usize, at: At) -> bool {
        if !self.is_in_force(at) || self.count == Some(0) {
            return false;
        }
        self.chances += 1;
        let draw = Draw::new(seed, &place.to_string(), "fault");
        if draw.unit(&self.chances.to_string()) >= self.share.unwrap_or(1.0) {
            return false;
        }
        if let Some(count) = &mut self.count {
            *count -= 1;
        }
        true
    }
}

/// What goes wrong with a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Strike {
    /// Refused with this code, or the usual one.
    Refused(Option<String>),
    /// A bare status.
    Status(u16),
    /// Done, but the answer is lost.
    Lost,
    /// Done, but the answer breaks off in its middle.
    Half,
    /// Done, but answered by this status.
    After(u16),
    /// Never answered.
    Hang {
        /// Done.
        taken: bool,
    },
    /// Nothing is done, the connection breaks.
    Down,
}

/// What goes wrong with a webhook.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trouble {
    pub later_s: i64,
    pub twice: bool,
    pub forged: bool,
    pub garbled: bool,
    pub unknown: bool,
    /// Goes together with all others of this many seconds.
    pub batch_s: Option<i64>,
}

/// All faults in force.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn hit(&mut self, seed: u64, provider: Provider, at: At, kinds: &[FaultKind]) -> Option<Fault> {
        let mine = |f: &Fault| f.provider == provider && kinds.contains(&f.kind);
        self.0
            .iter_mut()
            .enumerate()
            .find_map(|(i, fault)| (mine(fault) && fault.strikes(seed, i, at)).then(|| fault.clone()))
    }

    /// Whether this request is struck.
    pub(super) fn request(&mut self, seed: u64, provider: Provider, at: At, creates: bool) -> Option<Strike> {
        let every: &[FaultKind] = &[FaultKind::Down, FaultKind::Status];
        let create: &[FaultKind] = &[
            FaultKind::Down,
            FaultKind::Status,
            FaultKind::Refuse,
            FaultKind::LoseResponse,
            FaultKind::Half,
            FaultKind::StatusAfter,
            FaultKind::Hang,
        ];
        let fault = self.hit(seed, provider, at, if creates { create } else { every })?;
        match fault.kind {
            FaultKind::Down => Some(Strike::Down),
            FaultKind::Status => Some(Strike::Status(fault.status())),
            FaultKind::Refuse => Some(Strike::Refused(fault.code)),
            FaultKind::LoseResponse => Some(Strike::Lost),
            FaultKind::Half => Some(Strike::Half),
            FaultKind::StatusAfter => Some(Strike::After(fault.status())),
            FaultKind::Hang => Some(Strike::Hang { taken: fault.code.as_deref() != Some("not_taken") }),
            FaultKind::Delay
            | FaultKind::Duplicate
            | FaultKind::Reorder
            | FaultKind::Forge
            | FaultKind::Lag
            | FaultKind::Queue
            | FaultKind::Garble
            | FaultKind::Batch
            | FaultKind::Unknown => None,
        }
    }

    /// How far a provider's lists lag.
    pub(super) fn lag(&self, provider: Provider, at: At) -> TimeDelta {
        let mine = |f: &&Fault| f.provider == provider && f.kind == FaultKind::Lag && f.is_in_force(at);
        TimeDelta::seconds(self.0.iter().filter(mine).map(|f| f.seconds(60)).max().unwrap_or(0))
    }

    /// For how many seconds a message that is taken now stays in the provider's queue.
    pub(super) fn queued_s(&mut self, seed: u64, provider: Provider, at: At) -> Option<i64> {
        self.hit(seed, provider, at, &[FaultKind::Queue]).map(|fault| fault.seconds(3600))
    }

    /// What happens to this webhook.
    pub(super) fn webhook(&mut self, seed: u64, provider: Provider, at: At) -> Trouble {
        let mut trouble = Trouble::default();
        if let Some(down) = self.0.iter().find(|f| {
            let begun = f.from.is_none_or(|from| at >= from);
            f.provider == provider && f.kind == FaultKind::Down && f.count.is_none() && begun
        }) {
            trouble.later_s = down.until.map_or(60, |until| (until - at).num_seconds().max(0));
        }
        if let Some(fault) = self.hit(seed, provider, at, &[FaultKind::Delay]) {
            trouble.later_s += fault.seconds(300);
        }
        if let Some(fault) = self.hit(seed, provider, at, &[FaultKind::Reorder]) {
            let chance = Draw::new(seed, &fault.chances.to_string(), "reorder").between("by", 1.0, 120.0);
            trouble.later_s += TimeDelta::seconds(chance as i64).num_seconds();
        }
        trouble.twice = self.hit(seed, provider, at, &[FaultKind::Duplicate]).is_some();
        trouble.forged = self.hit(seed, provider, at, &[FaultKind::Forge]).is_some();
        trouble.garbled = self.hit(seed, provider, at, &[FaultKind::Garble]).is_some();
        trouble.unknown = self.hit(seed, provider, at, &[FaultKind::Unknown]).is_some();
        trouble.batch_s = self.hit(seed, provider, at, &[FaultKind::Batch]).map(|fault| fault.seconds(60));
        trouble
    }
}
