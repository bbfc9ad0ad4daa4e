//! Why GitHub did not do it; each says what to do.

use crate::model::{At, Untrusted, clean};

/// Why GitHub did not do it. The branch is where it was; trying again doubles nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No token.
    #[error(
        "the environment variable {0} is not set; make a token at GitHub that may write pull requests, and export {0}=…"
    )]
    NoToken(String),
    /// Neither GitHub's own host and variable nor trusted.
    #[error("the value of {} is not sent to {} before this machine is told to trust that: cascade trust", clean(.variable), clean(.host))]
    NotTrusted {
        /// Where to.
        host: String,
        /// What.
        variable: String,
    },
    /// No repository's name.
    #[error(
        "nothing says which repository it is; add a remote (git remote add origin ADDRESS), or repository = \"owner/name\" in [github]"
    )]
    NoRemote,
    /// The remote is not at this forge.
    #[error("the remote is at {}, and pull requests are opened at {}; set base_url in [github] to that forge's API if it is a GitHub, or repository = \"owner/name\"; otherwise open it by hand", clean(.host), clean(.api))]
    Elsewhere {
        /// The remote's host.
        host: String,
        /// The API's address.
        api: String,
    },
    /// 401
    #[error("GitHub did not take the token: it has expired, was revoked or is none; make a new one")]
    Login,
    /// 403
    #[error("the token may not do this (GitHub says: {}); it needs to read contents and to write pull requests, and single sign-on may have to approve it", .0.screen())]
    Forbidden(Untrusted),
    /// 403 or 429 with a limit.
    #[error("GitHub asks us to wait{}; then try again", limit(*.wait_s, *.until))]
    Limited {
        /// Seconds.
        wait_s: Option<u64>,
        /// Or until then.
        until: Option<At>,
    },
    /// 404
    #[error("GitHub knows no repository {} that this token can see; look at the remote's address, at repository in [github], and at what the token may see", clean(.0))]
    NotFound(String),
    /// 301, 307, 308
    #[error(
        "the repository has moved at GitHub; give the remote its new address (git remote set-url origin ADDRESS)"
    )]
    Moved,
    /// 422: the branches are the same.
    #[error("there is nothing to propose: GitHub sees no commit on the branch that the base branch lacks")]
    Nothing,
    /// 422: there is one.
    #[error("there is a pull request for this branch already, and GitHub does not list it; look at its page")]
    Exists,
    /// 422
    #[error("GitHub refused the pull request: {}", .0.screen())]
    Refused(Untrusted),
    /// 5xx
    #[error("GitHub has trouble of its own (HTTP {0}); try again in a while, githubstatus.com says more")]
    Down(u16),
    /// No answer.
    #[error("GitHub cannot be reached ({0}); try again once it can. The branch is pushed all the same")]
    Unreachable(String),
    /// An answer that says nothing.
    #[error("what answered is no GitHub (HTTP {0}); look at base_url in [github]")]
    Strange(u16),
}

fn limit(wait_s: Option<u64>, until: Option<At>) -> String {
    match (wait_s, until) {
        (Some(s), _) => format!(" for {s} s"),
        (None, Some(at)) => format!(" until {at}"),
        (None, None) => " for a minute".into(),
    }
}
