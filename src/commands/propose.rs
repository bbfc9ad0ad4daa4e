//! `cascade propose`: the branch with the change goes to its remote, and a pull request is opened for it, with what the rules
//! have shown. Asked again, it says how that one stands.

use super::signals::{self, Signal};
use super::stores::Site;
use super::{Exit, Failure, output, session};
use crate::cli::{Place, Propose};
use crate::engine;
use crate::runtime::store::Reader;
use crate::trail::{self, Evidence};
use crate::workspace::forge::{self, NotProposed, Proposed};
use serde_json::json;
use std::sync::Arc;

/// Pushes, opens, says how it stands.
pub(super) fn run(place: &Place, args: &Propose) -> Result<Exit, Failure> {
    let evidence: Vec<Evidence> = evidence(place).into_iter().collect();
    let (dir, named) = (place.workspace.clone(), args.branch.clone());
    let done = session::block_on(async {
        let mut signals = signals::listen()?;
        tokio::select! {
            done = forge::propose(dir, named, evidence) => Ok(Some(done)),
            signal = signals.next() => {
                trail::give_up();
                match signal {
                    Signal::Interrupt => Ok(None),
                    Signal::Terminate | Signal::Hangup => {
                        let name = signal.name();
                        Err(Failure::failed(format!("stopped by {name}; nothing is lost, propose it again")))
                    }
                }
            }
        }
    })?;
    let Some(done) = done else { return Ok(Exit::Interrupted) };
    said(args, &done?).map(|()| Exit::Done)
}

fn said(args: &Propose, done: &Proposed) -> Result<(), Failure> {
    let Proposed { proposal, pushed, is_new, state } = done;
    if !args.json {
        let what = if *is_new { "opened" } else { "already open" };
        let url = state.pull_request.url.screen();
        return output::line(&format!(
            "{what}: {state} · {} into {} · {url}",
            proposal.branch, proposal.base
        ));
    }
    output::json(&json!({
        "schema": "cascade.propose/1",
        "branch": proposal.branch, "base": proposal.base,
        "remote": pushed.remote, "commit": pushed.commit, "up_to_date": pushed.up_to_date,
        "pull_request": {
            "number": state.pull_request.number, "url": state.pull_request.url, "new": is_new,
            "state": state.phase.as_str(), "checks": state.checks.as_str(), "failed": state.checks.failed(),
            "review": state.review.as_str(),
        },
    }))
}

/// What the newest campaign of the store has come to.
fn evidence(place: &Place) -> Option<Evidence> {
    let (path, _) = Site::open(place).ok()?.store();
    let reader = path.exists().then(|| Reader::open(&path).ok()).flatten()?;
    let campaign = reader.campaign(None).ok()??;
    let now = campaign.header.started_at;
    forge::evidence(&engine::snapshot(&campaign, 0, now, Arc::default()))
}

impl From<NotProposed> for Failure {
    fn from(error: NotProposed) -> Self {
        match error {
            NotProposed::Unusable(unusable) => unusable.into(),
            NotProposed::NotPushed(_) | NotProposed::NotOpened { .. } | NotProposed::Fault => {
                Self::failed(error.to_string())
            }
        }
    }
}
