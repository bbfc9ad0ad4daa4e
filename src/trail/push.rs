//! A branch to its remote, by the user's own `git`: credential helpers, proxies, `pre-push` hooks and signed pushes work as
//! they do in a shell. Never by force.

use super::branch;
use super::ground::Ground;
use super::program::{Done, Git, NotRun};
use super::remote::scrubbed;
use super::{NotSaved, RULES, Settings, shown};
use crate::model::{Untrusted, clean};
use git2::BranchType;
use std::io;
use std::path::Path;

/// A branch that its remote has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// `origin`
    pub remote: String,
    /// The branch, here and there.
    pub branch: String,
    /// Which commit, forty hexadecimal digits.
    pub commit: String,
    /// The remote had it already.
    pub up_to_date: bool,
}

/// Why a branch did not reach its remote; each says what to do. Nothing is lost: the commit stays on its branch here.
#[derive(Debug, thiserror::Error)]
pub enum NotPushed {
    /// The workspace is in no repository.
    #[error("there is no git repository here; `git init` begins one, and the next save makes a commit")]
    NoRepository,
    /// Nowhere to push to.
    #[error("there is no remote {} here; go on by hand:\n{}", clean(.remote), .by_hand.join("\n"))]
    NoRemote {
        /// What was looked for.
        remote: String,
        /// Commands to go on with.
        by_hand: Vec<String>,
    },
    /// No such branch.
    #[error("there is no branch {} here; save a change first", clean(.0))]
    NoBranch(String),
    /// The branch is the one that everybody's rules come from.
    #[error("the change stands on {} itself, and there is nothing to propose; `git push` shares it", clean(.0))]
    OnBase(String),
    /// The working files are as everybody has them.
    #[error("the rules here are those of {}, and there is nothing to propose{}", clean(.base), by_name(.drafts))]
    NothingNew {
        /// Whose they are.
        base: String,
        /// What could be meant.
        drafts: Vec<String>,
    },
    /// The working files are as no branch has them.
    #[error("the rules and texts here are as no branch has them; save them in `cascade` first{}", by_name(.drafts))]
    NotHeld {
        /// What could be meant.
        drafts: Vec<String>,
    },
    /// The repository cannot be used.
    #[error(transparent)]
    Repository(#[from] NotSaved),
    /// No git on this machine.
    #[error("git itself is needed to push, and cannot be run ({}); install it, or push {} from elsewhere", .0, clean(.1))]
    NoGit(io::Error, String),
    /// It hung.
    #[error("git did not end; was it waiting for a password or a key? Try `git push` in a shell")]
    TookTooLong,
    /// The remote has commits on this branch that are not here.
    #[error("{} has commits on {} that are not here: somebody else pushed. Look at them (git fetch {}; git log {}/{}), and propose again once they are in yours",
        clean(.remote), clean(.branch), clean(.remote), clean(.remote), clean(.branch))]
    Behind {
        /// Which remote.
        remote: String,
        /// Which branch.
        branch: String,
    },
    /// The remote's own rules or hooks refuse it.
    #[error("{} refused {}: {}{}", clean(.remote), clean(.branch), .why.screen(), said(.words))]
    Refused {
        /// Which remote.
        remote: String,
        /// Which branch.
        branch: String,
        /// In one phrase.
        why: Untrusted,
        /// What its hooks said.
        words: Untrusted,
    },
    /// Nobody proved who pushes.
    #[error("{} asks who you are, and git has no answer without a question; log in once (`git push` in a shell, or a credential helper){}", clean(.remote), said(.words))]
    Login {
        /// Which remote.
        remote: String,
        /// What was said.
        words: Untrusted,
    },
    /// Nobody answers there.
    #[error("{} cannot be reached{}; try again once it can", clean(.remote), said(.words))]
    Unreachable {
        /// Which remote.
        remote: String,
        /// What was said.
        words: Untrusted,
    },
    /// Anything else, a `pre-push` hook of the user's included.
    #[error("git push to {} failed{}", clean(.remote), said(.words))]
    Failed {
        /// Which remote.
        remote: String,
        /// What was said.
        words: Untrusted,
    },
}

/// Drafts that are named.
const NAMED: usize = 5;

/// How a draft is proposed that the working files do not hold.
fn by_name(drafts: &[String]) -> String {
    if drafts.is_empty() {
        return String::new();
    }
    let names: Vec<String> = drafts.iter().take(NAMED).map(|name| quoted(name)).collect();
    format!("; a draft is proposed by its name, with --branch: {}", names.join(", "))
}

fn said(words: &Untrusted) -> String {
    if words.is_empty() { String::new() } else { format!(" (it said: {})", words.screen()) }
}

/// Pushes a commit to its branch at the remote. Blocks until git ends.
pub fn push(workspace: &Path, branch: &str, commit: &str, settings: &Settings) -> Result<Pushed, NotPushed> {
    let Some(ground) = Ground::find(workspace, [Path::new(RULES)])? else {
        return Err(NotPushed::NoRepository);
    };
    let repo = &ground.repo;
    if repo.find_branch(branch, BranchType::Local).is_err() {
        return Err(NotPushed::NoBranch(branch.to_owned()));
    }
    if branch::base(repo, settings).as_deref() == Some(branch) {
        return Err(NotPushed::OnBase(branch.to_owned()));
    }
    if repo.find_remote(&settings.remote).is_err() {
        let by_hand = by_hand(branch, branch::base(repo, settings).as_deref());
        return Err(NotPushed::NoRemote { remote: settings.remote.clone(), by_hand });
    }
    let mut git = Git::new(repo.workdir().unwrap_or_else(|| repo.path()));
    // By its id: what the pull request tells of is what is pushed, whatever the branch has got since.
    git.args(["push", "--porcelain", "--", &settings.remote, &format!("{commit}:refs/heads/{branch}")]);
    let done = git.run(None).map_err(|why| match why {
        NotRun::Missing(why) => NotPushed::NoGit(why, branch.to_owned()),
        NotRun::TookTooLong => NotPushed::TookTooLong,
    })?;
    let up_to_date = judge(&done, branch, &settings.remote)?;
    let (remote, branch) = (settings.remote.clone(), branch.to_owned());
    Ok(Pushed { remote, branch, commit: commit.to_owned(), up_to_date })
}

/// What git said about our one branch: `flag TAB from:to TAB summary`.
fn judge(done: &Done, branch: &str, remote: &str) -> Result<bool, NotPushed> {
    let (remote, branch) = (remote.to_owned(), branch.to_owned());
    let status = done.out.lines().find_map(|line| {
        let mut parts = line.splitn(3, '\t');
        Some((parts.next()?.chars().next()?, parts.next()?, parts.next()?))
    });
    let words = || Untrusted::from(heard(&scrubbed(&done.err)));
    match status {
        Some(('!', _, summary)) if summary.starts_with("[rejected]") => {
            Err(NotPushed::Behind { remote, branch })
        }
        Some(('!', _, summary)) => {
            let why = summary.trim_start_matches("[remote rejected]").trim().trim_matches(['(', ')']);
            Err(NotPushed::Refused { remote, branch, why: why.into(), words: words() })
        }
        Some((flag, _, _)) if done.is_ok => Ok(flag == '='),
        None if done.is_ok => Ok(false),
        Some(_) | None => Err(without_an_answer(&done.err, remote, words())),
    }
}

/// Git ended before the remote said anything about the branch; its own words are all there is.
fn without_an_answer(err: &str, remote: String, words: Untrusted) -> NotPushed {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| err.contains(phrase));
    let login = [
        "could not read Username",
        "could not read Password",
        "Authentication failed",
        "Permission denied (",
        "Host key verification failed",
        "terminal prompts disabled",
    ];
    let away = [
        "Could not resolve host",
        "Failed to connect",
        "Couldn't connect",
        "Connection refused",
        "Connection timed out",
        "Could not connect",
    ];
    if says(&login) {
        NotPushed::Login { remote, words }
    } else if says(&away) {
        NotPushed::Unreachable { remote, words }
    } else {
        NotPushed::Failed { remote, words }
    }
}

/// What the remote and git said, in one line, without what git says at every failure.
fn heard(err: &str) -> String {
    let dull = ["error: failed to push some refs", "hint:", "To ", "Pushing to ", "Done"];
    let lines = err.lines().map(|line| line.trim_start_matches("remote:").trim());
    let lines = lines.filter(|line| !line.is_empty() && !dull.iter().any(|dull| line.starts_with(dull)));
    lines.collect::<Vec<_>>().join(" · ")
}

/// The commands that bring a branch to others, or into the base branch, without a forge.
pub fn by_hand(branch: &str, base: Option<&str>) -> Vec<String> {
    let branch = quoted(branch);
    let mut lines = vec![
        "git remote add origin ADDRESS    # once: where others find it".to_owned(),
        format!("git push -u origin {branch}    # then open a pull request there"),
    ];
    if let Some(base) = base {
        lines.push(format!(
            "git restore -- {RULES} && git switch {} && git merge {branch}    # or take it here, without a review",
            quoted(base)
        ));
    }
    lines
}

/// A branch's name as a shell takes it: git allows more in one than a shell leaves alone.
fn quoted(name: &str) -> String {
    let name = shown(Path::new(name));
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.".contains(c);
    if name.chars().all(plain) { name } else { format!("'{}'", name.replace('\'', "'\\''")) }
}
