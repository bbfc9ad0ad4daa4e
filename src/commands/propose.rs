//! `cascade propose`: the branch with the change goes to its remote, and a pull request is opened for it, with what the rules
//! have shown. Asked again, it says how that one stands.

use super::report;
use super::stores::Site;
use super::{Exit, Failure, output, session};
use crate::cli::{Place, Propose};
use crate::config::Config;
use crate::model::Untrusted;
use crate::runtime::history;
use crate::runtime::store::Reader;
use crate::trail::github::{GITHUB, Github, State, Trouble};
use crate::trail::{self, Evidence, NotPushed, Proposal, Pushed, Remote};
use crate::workspace;
use serde_json::{Value, json};

/// Pushes, opens, says how it stands.
pub(super) fn run(place: &Place, args: &Propose) -> Result<Exit, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let config = workspace::forge_settings(&place.workspace, &env)?;
    let evidence: Vec<Evidence> = evidence(place).into_iter().collect();
    let dir = &place.workspace;
    let mut proposal = trail::proposal(dir, args.branch.as_deref(), &config.git, &evidence)?;
    if let Some(base) = &config.github.base {
        proposal.base.clone_from(base);
    }
    let remote = trail::remote(dir, &config.git)?;
    let github = Github::of(&config.github, remote.as_ref(), &env);
    let pushed = trail::push(dir, &proposal.branch, &config.git)?;
    let done = match github {
        Ok(github) => session::block_on(async { Ok(open(&github, &proposal).await) })?,
        Err(trouble) => Err(trouble),
    };
    match done {
        Ok((is_new, state)) => said(args, &proposal, &pushed, is_new, &state).map(|()| Exit::Done),
        Err(trouble) => Err(Failure::failed(without(&config, &proposal, &pushed, remote.as_ref(), &trouble))),
    }
}

async fn open(github: &Github, proposal: &Proposal) -> Result<(bool, State), Trouble> {
    let found = github.open(proposal).await?;
    Ok((found.is_new, github.state(found.number).await?))
}

fn said(
    args: &Propose,
    proposal: &Proposal,
    pushed: &Pushed,
    is_new: bool,
    state: &State,
) -> Result<(), Failure> {
    if !args.json {
        let what = if is_new { "opened" } else { "already open" };
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
            "number": state.pull_request.number, "url": state.pull_request.url.raw(), "new": is_new,
            "state": state.phase.as_str(), "checks": state.checks.as_str(), "failed": state.checks.failed(),
            "review": state.review.as_str(),
        },
    }))
}

/// The branch is there and no pull request: how to go on by hand.
fn without(
    config: &Config,
    proposal: &Proposal,
    pushed: &Pushed,
    remote: Option<&Remote>,
    trouble: &Trouble,
) -> String {
    let page = remote.and_then(|remote| {
        let host =
            remote.host.as_ref().filter(|host| *host == "github.com" || config.github.base_url != GITHUB)?;
        Some(format!(
            "https://{host}/{}/compare/{}...{}",
            remote.repository.as_ref()?,
            proposal.base,
            proposal.branch
        ))
    });
    let by_hand = page.map(|page| format!("; by hand: {page}")).unwrap_or_default();
    format!(
        "{} is pushed to {}, and no pull request is open: {trouble}{by_hand}",
        proposal.branch, pushed.remote
    )
}

/// What the newest campaign of the store has come to: counts, and nobody's name.
fn evidence(place: &Place) -> Option<Evidence> {
    let (path, _) = Site::open(place).ok()?.store();
    let reader = path.exists().then(|| Reader::open(&path).ok()).flatten()?;
    let campaign = reader.campaign(None).ok()??;
    let history = history::of_campaign(&reader, campaign.id()).ok()?;
    let report = report::to_json(&campaign, &history);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let row = |label: &str, value: String| (Untrusted::from(label), Untrusted::from(value));
    let mut rows = vec![
        row("mode", text(&report["campaign"]["mode"])),
        row("rules", text(&report["campaign"]["rules_hash"])),
        row("customers", text(&report["campaign"]["customers"])),
    ];
    for what in ["converted", "declined", "exhausted", "opted_out", "held", "in_doubt", "running"] {
        rows.push(row(what, text(&report["cascades"][what])));
    }
    for channel in report["channels"].as_array().into_iter().flatten() {
        let label = format!("{}: conversions", text(&channel["channel"]));
        let cost = (text(&channel["cost"]), text(&channel["currency"]));
        rows.push(row(&label, format!("{} for {} {}", channel["conversions"], cost.0, cost.1)));
    }
    Some(Evidence { title: "What the newest campaign has come to".into(), rows })
}

impl From<NotPushed> for Failure {
    fn from(error: NotPushed) -> Self {
        Self::failed(error.to_string())
    }
}
