//! A signed commit, made by the user's own git: it knows the key, the format (GPG, SSH, X.509) and the program. Ours never
//! comes out unsigned where the configuration wants a signature.

use super::NotSaved;
use super::branch::Target;
use super::identity::Identity;
use super::program::{self, Git};
use git2::{Oid, Repository, Signature};

/// Whether the configuration wants every commit signed.
pub(super) fn is_wanted(repo: &Repository) -> bool {
    repo.config().and_then(|config| config.get_bool("commit.gpgsign")).unwrap_or(false)
}

/// `git commit-tree -S`: the object alone, no branch is moved.
pub(super) fn commit(
    repo: &Repository,
    target: &Target<'_>,
    tree: Oid,
    who: &Identity,
    message: &str,
) -> Result<Oid, NotSaved> {
    let mut git = Git::new(repo.workdir().unwrap_or_else(|| repo.path()));
    git.args(["commit-tree", "-S", &tree.to_string()]);
    if let Some(tip) = &target.tip {
        git.args(["-p", &tip.id().to_string()]);
    }
    for (name, signature) in [("AUTHOR", &who.author), ("COMMITTER", &who.committer)] {
        git.env(&format!("GIT_{name}_NAME"), &text(signature.name_bytes()));
        git.env(&format!("GIT_{name}_EMAIL"), &text(signature.email_bytes()));
        git.env(&format!("GIT_{name}_DATE"), &date(signature));
    }
    let done = git.run(Some(message.as_bytes())).map_err(|why| match why {
        program::NotRun::Missing(why) => NotSaved::SigningNeedsGit(why),
        program::NotRun::TookTooLong => NotSaved::Signing("nobody answered the question for the key".into()),
    })?;
    let id = done.out.trim();
    if !done.is_ok {
        return Err(NotSaved::Signing(done.err.into()));
    }
    let id = Oid::from_str(id).map_err(NotSaved::git("commit-tree"))?;
    // Asked again of the object itself: a git of the user's own could be a wrapper.
    match repo.extract_signature(&id, None) {
        Ok(_) => Ok(id),
        Err(_) => Err(NotSaved::Signing("git made a commit without a signature".into())),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Git's own form: seconds and offset.
fn date(who: &Signature<'_>) -> String {
    let when = who.when();
    let minutes = when.offset_minutes();
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("@{} {sign}{:02}{:02}", when.seconds(), minutes.abs() / 60, minutes.abs() % 60)
}
