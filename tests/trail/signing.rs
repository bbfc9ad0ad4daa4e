//! Where commits must be signed, they are, by the user's own git; or there is none.

use crate::repo::{Repo, git, has_git};
use cascade::trail::NotSaved;
use git2::Oid;
use std::path::Path;
use std::process::Command;

/// A key without a password, if the machine can make one.
fn key(dir: &Path) -> Option<String> {
    let path = dir.join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status();
    made.is_ok_and(|status| status.success()).then(|| path.to_str().unwrap().to_owned())
}

fn wants_signatures(key: &str) -> Repo {
    let repo = Repo::new();
    let mut config = repo.git2().config().unwrap();
    config.set_bool("commit.gpgsign", true).unwrap();
    config.set_str("gpg.format", "ssh").unwrap();
    config.set_str("user.signingkey", key).unwrap();
    repo
}

#[test]
fn a_commit_is_signed_with_the_users_key() {
    let place = tempfile::tempdir().unwrap();
    let Some(key) = key(place.path()).filter(|_| has_git()) else {
        println!("skipped: git and ssh-keygen are needed");
        return;
    };
    let repo = wants_signatures(&key);
    let commit = repo.save("too slow").unwrap().commit.unwrap();
    let (signature, signed) = repo
        .git2()
        .extract_signature(&Oid::from_str(&commit.id).unwrap(), None)
        .map(|(a, b)| (a.to_vec(), b.to_vec()))
        .unwrap();
    assert!(signature.starts_with(b"-----BEGIN SSH SIGNATURE-----"));
    assert!(String::from_utf8_lossy(&signed).contains("too slow"));
    let public = std::fs::read_to_string(format!("{key}.pub")).unwrap();
    let allowed = place.path().join("allowed");
    std::fs::write(&allowed, format!("ana@example.com {public}")).unwrap();
    let file = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
    git(repo.root(), &["-c", &file, "verify-commit", &commit.id]);
    assert_eq!(repo.changed(&commit.id), [crate::repo::RULES]);
    assert_eq!(repo.status(), ["Status(WT_MODIFIED) rules/cascade.json"], "a draft leaves the rest alone");
}

#[test]
fn a_key_that_is_not_there_makes_no_unsigned_commit() {
    if !has_git() {
        return;
    }
    let repo = wants_signatures("/nonexistent/key");
    let before = repo.everything();
    let error = repo.save("too slow").unwrap_err();
    assert!(matches!(error, NotSaved::Signing(_)), "{error}");
    assert!(error.to_string().contains("an unsigned one is not made"), "{error}");
    assert_eq!(repo.everything(), before);
}
