//! The rules' place in git and at the forge, for a screen: on which branch they stand, how their pull request stands, and
//! opening one. Everything here blocks or waits; it is called beside the screen's loop.

use super::forge_settings;
use crate::config::Config;
use crate::trail::github::{Github, State, Trouble};
use crate::trail::{self, Evidence, Proposal};
use std::path::{Path, PathBuf};

/// Where the rules stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The branch that holds them.
    pub branch: Option<String>,
    /// That branch is the one whose rules are everybody's.
    pub is_on_base: bool,
    /// The pull request: `#12 open, checks passed, review awaited`.
    pub pull: Option<String>,
    /// Where it can be read.
    pub url: Option<String>,
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What stands in git, and whom to ask about the pull request.
struct Local {
    place: Place,
    github: Option<(Github, String, String)>,
}

/// Looks at git, and asks the forge where one is set up. `None`: there is no repository.
pub async fn place(dir: PathBuf) -> Option<Place> {
    let looked = tokio::task::spawn_blocking(move || local(&dir)).await.ok()?;
    let Local { mut place, github } = looked?;
    if let Some((github, branch, base)) = github
        && let Ok(Some(found)) = github.find(&branch, &base).await
        && let Ok(state) = github.state(found.number).await
    {
        told(&mut place, &state);
    }
    Some(place)
}

fn told(place: &mut Place, state: &State) {
    place.pull = Some(crate::model::clean(&state.to_string()));
    place.url = Some(state.pull_request.url.screen());
}

fn local(dir: &Path) -> Option<Local> {
    let config = forge_settings(dir, &env).ok()?;
    let bytes = std::fs::read(dir.join(super::RULES)).ok()?;
    let standing = trail::standing(dir, Path::new(super::RULES), &bytes, &config.git).ok()??;
    let github = asks(dir, &config).filter(|_| !standing.is_on_base);
    let base = config.github.base.clone().or_else(|| standing.base.clone());
    let github =
        github.zip(standing.branch.clone()).zip(base).map(|((github, branch), base)| (github, branch, base));
    let branch = standing.branch.map(|name| crate::model::clean(&name));
    Some(Local { place: Place { branch, is_on_base: standing.is_on_base, ..Place::default() }, github })
}

fn asks(dir: &Path, config: &Config) -> Option<Github> {
    let remote = trail::remote(dir, &config.git).ok()?;
    Github::of(&config.github, remote.as_ref(), &env).ok()
}

/// Pushes the branch that holds the rules and opens a pull request for it, or finds the one that is open. What came of
/// it, or what is in the way and how to go on.
pub async fn propose(dir: PathBuf, evidence: Vec<Evidence>) -> Result<Place, String> {
    let pushed = tokio::task::spawn_blocking(move || push(&dir, &evidence)).await;
    let (proposal, github) = pushed.map_err(|_| "it ended badly; see .cascade/log".to_owned())??;
    let branch = proposal.branch.clone();
    let failed = |trouble: Trouble| format!("{branch} is pushed, and no pull request is open: {trouble}");
    let github = github.map_err(failed)?;
    let found = github.open(&proposal).await.map_err(failed)?;
    let state = github.state(found.number).await.map_err(failed)?;
    let mut place = Place { branch: Some(crate::model::clean(&branch)), ..Place::default() };
    told(&mut place, &state);
    Ok(place)
}

type Ready = (Proposal, Result<Github, Trouble>);

fn push(dir: &Path, evidence: &[Evidence]) -> Result<Ready, String> {
    let config = forge_settings(dir, &env).map_err(|why| why.to_string())?;
    let mut proposal = trail::proposal(dir, None, &config.git, evidence).map_err(|why| why.to_string())?;
    if let Some(base) = &config.github.base {
        proposal.base.clone_from(base);
    }
    let remote = trail::remote(dir, &config.git).map_err(|why| why.to_string())?;
    let github = Github::of(&config.github, remote.as_ref(), &env);
    trail::push(dir, &proposal.branch, &config.git).map_err(|why| why.to_string())?;
    Ok((proposal, github))
}
