//! How a pull request stands: for the console's header and for scripts.

use super::answer::{PullAnswer, ReviewAnswer, RunsAnswer, StatusAnswer};
use super::{Github, PullRequest, Trouble};
use crate::model::Untrusted;
use std::collections::BTreeMap;
use std::fmt;

/// More than this many are not counted one by one.
const PAGE: &str = "100";

/// How a pull request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Which.
    pub pull_request: PullRequest,
    /// Where it is.
    pub phase: Phase,
    /// What the machines say.
    pub checks: Checks,
    /// What people say.
    pub review: Review,
}

/// Where a pull request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Open, and not ready yet.
    Draft,
    /// Open.
    Open,
    /// In the base branch.
    Merged,
    /// Closed without being merged.
    Closed,
}

/// What the checks of its last commit say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checks {
    /// There are none.
    None,
    /// So many have not ended.
    Running(usize),
    /// All passed.
    Passed,
    /// These did not.
    Failed(Vec<Untrusted>),
    /// The token may not look.
    Unknown,
}

/// What the reviewers say, each by their last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// Nobody said anything binding.
    Awaited,
    /// Somebody approved, nobody objects.
    Approved,
    /// Somebody wants changes.
    ChangesRequested,
}

impl Github {
    /// How a pull request stands now.
    pub async fn state(&self, number: u64) -> Result<State, Trouble> {
        let path = format!("/repos/{}/pulls/{number}", self.repository);
        let pull: PullAnswer = self.asked(&path, &[]).await?;
        let phase = match (pull.state.as_str(), pull.merged, pull.draft) {
            (_, true, _) => Phase::Merged,
            ("closed", false, _) => Phase::Closed,
            (_, false, true) => Phase::Draft,
            (_, false, false) => Phase::Open,
        };
        let checks = match &pull.head {
            Some(head) => self.checks(&head.sha).await?,
            None => Checks::Unknown,
        };
        let reviews: Vec<ReviewAnswer> =
            self.asked(&format!("{path}/reviews"), &[("per_page", PAGE)]).await?;
        Ok(State { pull_request: pull.named(false), phase, checks, review: review(&reviews) })
    }

    /// Check runs and commit statuses: a repository may use either or both.
    async fn checks(&self, sha: &str) -> Result<Checks, Trouble> {
        let path = |what: &str| format!("/repos/{}/commits/{sha}/{what}", self.repository);
        let query = [("per_page", PAGE)];
        let runs: Result<RunsAnswer, Trouble> = self.asked(&path("check-runs"), &query).await;
        let statuses: Result<StatusAnswer, Trouble> = self.asked(&path("status"), &query).await;
        let (runs, statuses) = match (runs, statuses) {
            // A token may be allowed to see the one and not the other.
            (
                Err(Trouble::Forbidden(_) | Trouble::NotFound(_)),
                Err(Trouble::Forbidden(_) | Trouble::NotFound(_)),
            ) => {
                return Ok(Checks::Unknown);
            }
            (runs, statuses) => (seen(runs)?, seen(statuses)?),
        };
        let runs = runs.map(|answer| answer.check_runs).unwrap_or_default();
        let statuses = statuses.map(|answer| answer.statuses).unwrap_or_default();
        let all = runs
            .iter()
            .map(|run| (run.name.as_str(), of_run(&run.status, run.conclusion.as_deref())))
            .chain(statuses.iter().map(|status| (status.context.as_str(), of_status(&status.state))));
        Ok(summed(all))
    }
}

fn seen<T>(answer: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Trouble::Forbidden(_) | Trouble::NotFound(_)) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// How one check fared; `None`: it has not ended.
fn of_run(status: &str, conclusion: Option<&str>) -> Option<bool> {
    match (status, conclusion) {
        ("completed", Some("success" | "neutral" | "skipped")) => Some(true),
        ("completed", _) => Some(false),
        _ => None,
    }
}

fn of_status(state: &str) -> Option<bool> {
    match state {
        "success" => Some(true),
        "failure" | "error" => Some(false),
        _ => None,
    }
}

fn summed<'c>(checks: impl Iterator<Item = (&'c str, Option<bool>)>) -> Checks {
    let checks: Vec<_> = checks.collect();
    let failed: Vec<Untrusted> =
        checks.iter().filter(|(_, fared)| *fared == Some(false)).map(|(name, _)| (*name).into()).collect();
    let running = checks.iter().filter(|(_, fared)| fared.is_none()).count();
    match (failed.is_empty(), running, checks.is_empty()) {
        (false, _, _) => Checks::Failed(failed),
        (true, _, true) => Checks::None,
        (true, 0, false) => Checks::Passed,
        (true, running, false) => Checks::Running(running),
    }
}

/// Everybody's last word counts; a comment takes nothing back.
fn review(reviews: &[ReviewAnswer]) -> Review {
    let mut last: BTreeMap<&str, &str> = BTreeMap::new();
    for review in reviews {
        let who = review.user.as_ref().map_or("", |user| user.login.as_str());
        match review.state.as_str() {
            "APPROVED" | "CHANGES_REQUESTED" => drop(last.insert(who, &review.state)),
            "DISMISSED" => drop(last.remove(who)),
            _ => {}
        }
    }
    let says = |word: &str| last.values().any(|said| *said == word);
    match (says("CHANGES_REQUESTED"), says("APPROVED")) {
        (true, _) => Review::ChangesRequested,
        (false, true) => Review::Approved,
        (false, false) => Review::Awaited,
    }
}

impl Phase {
    /// As JSON says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Closed => "closed",
        }
    }
}

impl Checks {
    /// As JSON says it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Running(_) => "running",
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Those that did not pass.
    pub fn failed(&self) -> &[Untrusted] {
        match self {
            Self::Failed(names) => names,
            Self::None | Self::Running(_) | Self::Passed | Self::Unknown => &[],
        }
    }
}

impl Review {
    /// As JSON says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Approved => "approved",
            Self::ChangesRequested => "changes_requested",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Draft => "draft",
            Phase::Open => "open",
            Phase::Merged => return write!(f, "#{} merged", self.pull_request.number),
            Phase::Closed => return write!(f, "#{} closed", self.pull_request.number),
        };
        let review = match self.review {
            Review::Awaited => "review awaited",
            Review::Approved => "approved",
            Review::ChangesRequested => "changes requested",
        };
        write!(f, "#{} {phase}, {}, {review}", self.pull_request.number, self.checks)
    }
}

impl fmt::Display for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no checks"),
            Self::Running(1) => f.write_str("1 check running"),
            Self::Running(n) => write!(f, "{n} checks running"),
            Self::Passed => f.write_str("checks passed"),
            Self::Failed(names) => {
                let names: Vec<String> = names.iter().take(3).map(Untrusted::screen).collect();
                write!(f, "failed: {}", names.join(", "))
            }
            Self::Unknown => f.write_str("checks unknown"),
        }
    }
}
