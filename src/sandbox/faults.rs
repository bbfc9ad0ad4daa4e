//! Faults on demand: what an operator, a test or a scenario wants to go wrong.
//!
//! On create calls: `refuse` (the provider's own error, `code` or the usual throttle) and `lose_response` (taken,
//! but the connection breaks before the answer). On every request: `status` (a bare HTTP status, `code` or 503)
//! and `down` (the connection breaks, nothing is done). On webhooks: `delay` (by `code` seconds, or 300),
//! `duplicate`, `reorder` (held back by up to two minutes), `forge` (a copy with a bad signature goes first); while
//! a provider is down its webhooks wait.

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
        if self.share.is_none() && self.count.is_none() && self.kind != FaultKind::Down {
            return Err("say how often: share (0 to 1) or count".into());
        }
        let number = self.code.as_ref().is_none_or(|code| code.parse::<u16>().is_ok());
        match self.kind {
            FaultKind::Delay if !number => Err("code of a delay is its seconds".into()),
            FaultKind::Status if !number || self.status() < 200 || self.status() > 599 => {
                Err("code of status is an HTTP status from 200 to 599".into())
            }
            FaultKind::Delay
            | FaultKind::Status
            | FaultKind::Refuse
            | FaultKind::LoseResponse
            | FaultKind::Duplicate
            | FaultKind::Reorder
            | FaultKind::Forge
            | FaultKind::Down => Ok(()),
        }
    }

    fn status(&self) -> u16 {
        self.code.as_ref().and_then(|code| code.parse().ok()).unwrap_or(503)
    }

    fn strikes(&mut self, seed: u64, place: usize, at: At) -> bool {
        let early = self.from.is_some_and(|from| at < from);
        let late = self.until.is_some_and(|until| at >= until);
        if early || late || self.count == Some(0) {
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
    /// Nothing is done, the connection breaks.
    Down,
}

/// What goes wrong with a webhook.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trouble {
    pub later_s: i64,
    pub twice: bool,
    pub forged: bool,
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
        let create: &[FaultKind] =
            &[FaultKind::Down, FaultKind::Status, FaultKind::Refuse, FaultKind::LoseResponse];
        let fault = self.hit(seed, provider, at, if creates { create } else { every })?;
        match fault.kind {
            FaultKind::Down => Some(Strike::Down),
            FaultKind::Status => Some(Strike::Status(fault.status())),
            FaultKind::Refuse => Some(Strike::Refused(fault.code)),
            FaultKind::LoseResponse => Some(Strike::Lost),
            FaultKind::Delay | FaultKind::Duplicate | FaultKind::Reorder | FaultKind::Forge => None,
        }
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
            trouble.later_s += fault.code.and_then(|c| c.parse().ok()).unwrap_or(300);
        }
        if let Some(fault) = self.hit(seed, provider, at, &[FaultKind::Reorder]) {
            let chance = Draw::new(seed, &fault.chances.to_string(), "reorder").between("by", 1.0, 120.0);
            trouble.later_s += TimeDelta::seconds(chance as i64).num_seconds();
        }
        trouble.twice = self.hit(seed, provider, at, &[FaultKind::Duplicate]).is_some();
        trouble.forged = self.hit(seed, provider, at, &[FaultKind::Forge]).is_some();
        trouble
    }
}
