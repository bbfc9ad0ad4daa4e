//! GitHub's answers, as far as they are read.

use super::PullRequest;
use crate::model::Untrusted;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct PullAnswer {
    pub number: u64,
    pub html_url: String,
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub merged: bool,
    #[serde(default)]
    pub draft: bool,
    pub head: Option<HeadAnswer>,
}

#[derive(Debug, Deserialize)]
pub(super) struct HeadAnswer {
    #[serde(rename = "ref")]
    pub branch: String,
    pub sha: String,
}

impl PullAnswer {
    pub fn named(&self, is_new: bool) -> PullRequest {
        PullRequest { number: self.number, url: self.html_url.as_str().into(), is_new }
    }

    pub fn is_from(&self, branch: &str) -> bool {
        self.head.as_ref().is_some_and(|head| head.branch == branch)
    }

    pub fn is_at(&self, commit: &str) -> bool {
        self.head.as_ref().is_some_and(|head| head.sha == commit)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ReviewAnswer {
    pub user: Option<UserAnswer>,
    pub state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct UserAnswer {
    pub login: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct RunsAnswer {
    pub check_runs: Vec<RunAnswer>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RunAnswer {
    pub name: String,
    pub status: String,
    pub conclusion: Option<String>,
}

/// The older way of telling how a commit fared.
#[derive(Debug, Deserialize)]
pub(super) struct StatusAnswer {
    pub statuses: Vec<ContextAnswer>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ContextAnswer {
    pub context: String,
    pub state: String,
}

/// `{"message": …, "errors": [{"message": …} | "…"]}`
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

impl Refusal {
    /// Everything it says, in one line.
    pub fn words(&self) -> Untrusted {
        let error = |error: &serde_json::Value| {
            let said = |key: &str| error.get(key).and_then(serde_json::Value::as_str);
            let field = || Some(format!("{} is {}", said("field")?, said("code")?));
            error.as_str().or_else(|| said("message")).map(str::to_owned).or_else(field)
        };
        let own = Some(self.message.clone()).filter(|message| !message.is_empty());
        let all: Vec<String> = own.into_iter().chain(self.errors.iter().filter_map(error)).collect();
        all.join("; ").into()
    }

    pub fn says(&self, phrase: &str) -> bool {
        self.words().raw().contains(phrase)
    }

    /// The secondary limit says so in words alone at times.
    pub fn is_limit(&self) -> bool {
        self.says("rate limit")
    }
}
