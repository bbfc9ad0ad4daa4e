//! Pull requests by GitHub's REST API (github.com or an Enterprise server of one's own).
//!
//! The token goes to one place: the address that is configured, which is GitHub's own or one that this machine was told
//! to trust (`cascade trust`). No redirect is followed, so that nobody else is sent it.
//!
//! A rehearsal may propose too: a pull request contacts no customer and holds nothing of one, and most changes are made
//! while rehearsing. It happens on the operator's order alone, by a client of its own; what a rehearsal itself
//! sends goes through `providers::http`, which still refuses every address but loopback.

mod answer;
mod http;
mod state;
mod trouble;

pub use state::{Checks, Phase, Review, State};
pub use trouble::Trouble;

use super::Proposal;
use super::remote::{Remote, is_repository};
use crate::model::Untrusted;
use answer::PullAnswer;
use http::Http;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::json;

/// Where github.com answers programs.
pub const GITHUB: &str = "https://api.github.com";

/// The variable that holds the token, unless another is named and trusted.
pub const TOKEN: &str = "GITHUB_TOKEN";

/// `[github]` of `cascade.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the API answers: `https://api.github.com`, `https://github.example.com/api/v3`.
    pub base_url: String,
    /// Which environment variable holds the token.
    pub token_env: String,
    /// `owner/name`; what the remote says unless named.
    pub repository: Option<String>,
    /// The branch that pull requests go into; the base branch unless named.
    pub base: Option<String>,
    /// GitHub's own host and the usual variable, or what this machine was told to trust.
    pub is_trusted: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let (base_url, token_env) = (GITHUB.into(), TOKEN.into());
        Self { base_url, token_env, repository: None, base: None, is_trusted: true }
    }
}

/// A pull request, as GitHub names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: Untrusted,
    /// Opened just now; otherwise there was one already.
    pub is_new: bool,
}

/// A repository at GitHub, and a token for it.
#[derive(Debug)]
pub struct Github {
    http: Http,
    /// `owner/name`
    repository: String,
}

impl Github {
    /// Finds out where to, and takes the token from `env`. Nothing is sent yet.
    pub fn of(settings: &Settings, remote: Option<&Remote>, env: super::Env<'_>) -> Result<Self, Trouble> {
        if !settings.is_trusted {
            let (host, variable) = (settings.base_url.clone(), settings.token_env.clone());
            return Err(Trouble::NotTrusted { host, variable });
        }
        let repository = match (&settings.repository, remote) {
            (Some(named), _) => named.clone(),
            (None, Some(remote)) => of_remote(settings, remote)?,
            (None, None) => return Err(Trouble::NoRemote),
        };
        if !is_repository(&repository) {
            return Err(Trouble::NoRemote);
        }
        let token = env(&settings.token_env).filter(|token| !token.trim().is_empty());
        let token = token.ok_or_else(|| Trouble::NoToken(settings.token_env.clone()))?;
        let http = Http::new(&settings.base_url, SecretString::from(token.trim().to_owned()))?;
        Ok(Self { http, repository })
    }

    /// Opens a pull request, or finds the one that is open for this branch.
    pub async fn open(&self, proposal: &Proposal) -> Result<PullRequest, Trouble> {
        if let Some(found) = self.find(&proposal.branch, &proposal.base).await? {
            return Ok(found);
        }
        let wanted = json!({
            "title": proposal.title, "body": proposal.body, "head": proposal.branch, "base": proposal.base,
        });
        let path = format!("/repos/{}/pulls", self.repository);
        match self.http.send(Method::POST, &path, &[], Some(&wanted)).await?.taken::<PullAnswer>() {
            Ok(answer) => Ok(answer.named(true)),
            // Somebody opened it between the two questions.
            Err(trouble @ Trouble::Exists) => {
                self.find(&proposal.branch, &proposal.base).await?.ok_or(trouble)
            }
            Err(Trouble::NotFound(_)) => Err(Trouble::NotFound(self.repository.clone())),
            Err(trouble) => Err(trouble),
        }
    }

    /// The open pull request from a branch into another, if there is one.
    pub async fn find(&self, branch: &str, base: &str) -> Result<Option<PullRequest>, Trouble> {
        let found = self.ours(branch, base, "open").await?;
        Ok(found.first().map(|answer| answer.named(false)))
    }

    /// The open one, or else the one that was merged or closed with this commit: an earlier one of the same branch says
    /// nothing about what was saved since.
    pub async fn latest(&self, branch: &str, base: &str, tip: &str) -> Result<Option<PullRequest>, Trouble> {
        let found = self.ours(branch, base, "all").await?;
        let open = found.iter().find(|answer| answer.state == "open");
        let latest = open.or_else(|| found.iter().find(|answer| answer.is_at(tip)));
        Ok(latest.map(|answer| answer.named(false)))
    }

    async fn ours(&self, branch: &str, base: &str, state: &str) -> Result<Vec<PullAnswer>, Trouble> {
        let owner = self.repository.split('/').next().unwrap_or_default();
        let head = format!("{owner}:{branch}");
        let path = format!("/repos/{}/pulls", self.repository);
        // The newest stands first where nothing else is asked for.
        let query = [("state", state), ("head", head.as_str()), ("base", base)];
        let mut found: Vec<PullAnswer> = self.asked(&path, &query).await?;
        // An answer that ignores the filter must not name somebody else's.
        found.retain(|answer| answer.is_from(branch));
        Ok(found)
    }

    async fn asked<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Trouble> {
        let answer = self.http.send(Method::GET, path, query, None).await?.taken();
        answer.map_err(|trouble| match trouble {
            Trouble::NotFound(_) => Trouble::NotFound(self.repository.clone()),
            other => other,
        })
    }
}

/// The remote's repository, if the remote is at the forge that the API's address belongs to.
fn of_remote(settings: &Settings, remote: &Remote) -> Result<String, Trouble> {
    let api = url::Url::parse(&settings.base_url).ok();
    let host = api.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    });
    let wanted = if settings.base_url == GITHUB { Some("github.com") } else { host.as_deref() };
    match (&remote.host, &remote.repository) {
        (Some(host), Some(repository)) if Some(host.as_str()) == wanted => Ok(repository.clone()),
        (host, _) => Err(Trouble::Elsewhere {
            host: host.clone().unwrap_or_else(|| "a directory of this machine".into()),
            api: settings.base_url.clone(),
        }),
    }
}
