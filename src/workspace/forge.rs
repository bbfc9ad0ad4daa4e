//! The rules' place in git and at the forge, for a screen: on which branch they stand, how their pull request stands, and
//! opening one. Everything here blocks or waits; it is called beside the screen's loop.

use super::{Unusable, forge_settings};
use crate::config::Config;
use crate::engine::snapshot::Snapshot;
use crate::model::{Untrusted, clean};
use crate::trail::github::{GITHUB, Github, State, Trouble};
use crate::trail::{self, Evidence, NotPushed, Proposal, Pushed, Remote};
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
    /// A forge is set up, so that there may be one.
    pub is_asked: bool,
    /// It did not answer: what is known of the pull request is from before.
    pub is_silent: bool,
}

impl Place {
    /// What was known before stays known while nobody answers.
    #[must_use]
    pub fn after(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before.filter(|before| self.is_silent && before.branch == self.branch) {
            (self.pull, self.url) = (before.pull.clone(), before.url.clone());
        }
        self
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What stands in git, and whom to ask about the pull request.
struct Local {
    place: Place,
    github: Option<Wanted>,
}

/// Whom to ask about which pull request.
struct Wanted {
    github: Github,
    branch: String,
    base: String,
    tip: String,
}

impl Wanted {
    async fn ask(&self) -> Result<Option<State>, Trouble> {
        match self.github.latest(&self.branch, &self.base, &self.tip).await? {
            Some(found) => self.github.state(found.number).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Looks at git, and asks the forge where one is set up. `None`: there is no repository.
pub async fn place(dir: PathBuf) -> Option<Place> {
    let looked = tokio::task::spawn_blocking(move || local(&dir)).await.ok()?;
    let Local { mut place, github } = looked?;
    let Some(wanted) = github else { return Some(place) };
    match wanted.ask().await {
        Ok(Some(state)) => told(&mut place, &state),
        Ok(None) => {}
        Err(why) => {
            tracing::warn!(%why, "the forge was asked about the pull request");
            place.is_silent = true;
        }
    }
    Some(Place { is_asked: true, ..place })
}

fn told(place: &mut Place, state: &State) {
    place.pull = Some(clean(&state.to_string()));
    place.url = Some(state.pull_request.url.screen());
}

fn local(dir: &Path) -> Option<Local> {
    let config = forge_settings(dir, &env).ok()?;
    let bytes = std::fs::read(dir.join(super::RULES)).ok()?;
    let standing = trail::standing(dir, Path::new(super::RULES), &bytes, &config.git).ok()??;
    let github = asks(dir, &config).filter(|_| !standing.is_on_base);
    let base = config.github.base.clone().or_else(|| standing.base.clone());
    let about = standing.branch.clone().zip(standing.tip).zip(base);
    let github =
        github.zip(about).map(|(github, ((branch, tip), base))| Wanted { github, branch, base, tip });
    let branch = standing.branch.map(|name| clean(&name));
    Some(Local { place: Place { branch, is_on_base: standing.is_on_base, ..Place::default() }, github })
}

fn asks(dir: &Path, config: &Config) -> Option<Github> {
    let remote = trail::remote(dir, &config.git).ok()?;
    Github::of(&config.github, remote.as_ref(), &env).ok()
}

/// A pull request that is open.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// What it proposes.
    pub proposal: Proposal,
    /// What its branch's remote has now.
    pub pushed: Pushed,
    /// It was opened just now.
    pub is_new: bool,
    /// How it stands.
    pub state: State,
}

impl From<Proposed> for Place {
    fn from(done: Proposed) -> Self {
        let branch = Some(clean(&done.proposal.branch));
        let mut place = Self { branch, is_asked: true, ..Self::default() };
        told(&mut place, &done.state);
        place
    }
}

/// Why no pull request is open; each says how to go on.
#[derive(Debug, thiserror::Error)]
pub enum NotProposed {
    /// The workspace's settings cannot be used.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The branch did not reach its remote.
    #[error(transparent)]
    NotPushed(#[from] NotPushed),
    /// It did, and the forge opened nothing.
    #[error(
        "{} is pushed to {}, and no pull request is open: {why}{}",
        clean(.branch), clean(.remote), by_hand(.page.as_deref())
    )]
    NotOpened {
        /// What was pushed.
        branch: String,
        /// Where to.
        remote: String,
        /// Why.
        why: Box<Trouble>,
        /// Where people open one.
        page: Option<String>,
    },
    /// A fault of this program.
    #[error("it ended badly; see .cascade/log")]
    Fault,
}

fn by_hand(page: Option<&str>) -> String {
    page.map(|page| format!("; by hand: {page}")).unwrap_or_default()
}

/// Pushes the named branch, or the one that holds the rules, and opens a pull request for it, or finds the one that is
/// open.
pub async fn propose(
    dir: PathBuf,
    named: Option<String>,
    evidence: Vec<Evidence>,
) -> Result<Proposed, NotProposed> {
    let ready = tokio::task::spawn_blocking(move || push(&dir, named.as_deref(), &evidence)).await;
    let Ready { proposal, pushed, page, github } = ready.map_err(|_| NotProposed::Fault)??;
    let opened = async {
        let github = github?;
        let found = github.open(&proposal).await?;
        Ok((found.is_new, github.state(found.number).await?))
    };
    match opened.await {
        Ok((is_new, state)) => Ok(Proposed { proposal, pushed, is_new, state }),
        Err(why) => {
            let (branch, remote, why) = (pushed.branch, pushed.remote, Box::new(why));
            Err(NotProposed::NotOpened { branch, remote, why, page })
        }
    }
}

/// A branch that its remote has, and whom to ask for a pull request.
struct Ready {
    proposal: Proposal,
    pushed: Pushed,
    page: Option<String>,
    github: Result<Github, Trouble>,
}

fn push(dir: &Path, named: Option<&str>, evidence: &[Evidence]) -> Result<Ready, NotProposed> {
    let config = forge_settings(dir, &env)?;
    let mut proposal = trail::proposal(dir, named, &config.git, evidence)?;
    if let Some(base) = &config.github.base {
        proposal.base.clone_from(base);
    }
    let remote = trail::remote(dir, &config.git).map_err(NotPushed::from)?;
    let github = Github::of(&config.github, remote.as_ref(), &env);
    let page = remote.as_ref().and_then(|remote| page(&config, remote, &proposal));
    let pushed = trail::push(dir, &proposal.branch, &proposal.commit, &config.git)?;
    Ok(Ready { proposal, pushed, page, github })
}

/// The forge's own page for a new pull request, where the remote is one.
fn page(config: &Config, remote: &Remote, proposal: &Proposal) -> Option<String> {
    let is_forge = |host: &&String| *host == "github.com" || config.github.base_url != GITHUB;
    let (host, repository) = (remote.host.as_ref().filter(is_forge)?, remote.repository.as_ref()?);
    Some(format!("https://{host}/{repository}/compare/{}...{}", proposal.base, proposal.branch))
}

/// What the newest campaign has come to, for a pull request: counts, and nobody's name.
pub fn evidence(snapshot: &Snapshot) -> Option<Evidence> {
    let campaign = snapshot.campaign.as_ref()?;
    let row = |label: &str, value: String| (Untrusted::from(label), Untrusted::from(value));
    let mut rows = vec![
        row("mode", campaign.mode.to_string()),
        row("rules", campaign.rules_hash.clone()),
        row("customers", campaign.customers.to_string()),
    ];
    let tally = &snapshot.tally;
    let ends = [
        ("converted", tally.converted),
        ("declined", tally.declined),
        ("exhausted", tally.exhausted),
        ("opted_out", tally.opted_out),
        ("held", tally.held),
        ("in_doubt", tally.in_doubt),
        ("running", tally.running),
    ];
    rows.extend(ends.iter().map(|(label, count)| row(label, count.to_string())));
    for channel in &snapshot.channels {
        let Some(name) = channel.channel else { continue };
        let value = format!("{} for {} {}", channel.conversions, channel.cost, campaign.currency);
        rows.push(row(&format!("{name}: conversions"), value));
    }
    Some(Evidence { title: "What the newest campaign has come to".into(), rows })
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn what_was_told_is_kept_while_nobody_answers() {
        let on = |branch: &str, pull: Option<&str>, is_silent| Place {
            branch: Some(branch.to_owned()),
            pull: pull.map(str::to_owned),
            is_silent,
            ..Place::default()
        };
        let before = on("cascade/sooner", Some("#1 open"), false);
        let after = |place: Place| place.after(Some(&before)).pull;
        assert_eq!(after(on("cascade/sooner", None, true)).as_deref(), Some("#1 open"));
        assert_eq!(after(on("cascade/sooner", None, false)), None, "there is none any more");
        assert_eq!(after(on("cascade/later", None, true)), None, "it is another branch's");
    }
}
