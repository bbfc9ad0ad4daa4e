//! Where a repository is pushed to, as far as its address says.

use super::ground::Ground;
use super::{NotSaved, RULES, Settings};
use std::path::Path;

/// A remote of the workspace's repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// `origin`
    pub name: String,
    /// Its host, in lower case, with a port that is not the usual one; `None`: a directory of this machine.
    pub host: Option<String>,
    /// `owner/name`, where its path has two parts at least.
    pub repository: Option<String>,
}

/// The configured remote; `None` where there is no such remote or no repository.
pub fn remote(workspace: &Path, settings: &Settings) -> Result<Option<Remote>, NotSaved> {
    let Some(ground) = Ground::find(workspace, [Path::new(RULES)])? else { return Ok(None) };
    let Ok(found) = ground.repo.find_remote(&settings.remote) else { return Ok(None) };
    let address = found.pushurl_bytes().unwrap_or_else(|| found.url_bytes());
    let (host, path) = parts(&String::from_utf8_lossy(address));
    let repository = path.and_then(|path| named(&path)).filter(|_| host.is_some());
    Ok(Some(Remote { name: settings.remote.clone(), host, repository }))
}

/// Host and path of `https://host/o/n.git`, `ssh://git@host:22/o/n`, `git@host:o/n.git`.
fn parts(address: &str) -> (Option<String>, Option<String>) {
    if let Ok(url) = url::Url::parse(address)
        && matches!(url.scheme(), "https" | "http" | "ssh" | "git" | "git+ssh")
    {
        // The port of SSH says nothing about where the forge's pages are.
        let port = url.port().filter(|_| matches!(url.scheme(), "https" | "http"));
        let host = url.host_str().map(|host| {
            let host = host.to_lowercase();
            port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
        });
        return (host, Some(url.path().to_owned()));
    }
    match address.split_once(':') {
        // A colon before any slash: the way of scp.
        Some((host, path)) if !host.contains('/') && !host.is_empty() && !address.contains("://") => {
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            (Some(host.to_lowercase()), Some(path.to_owned()))
        }
        _ => (None, None),
    }
}

/// The last two parts of a path; each of letters that a repository's name may have.
fn named(path: &str) -> Option<String> {
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let mut parts = path.rsplit('/');
    let (name, owner) = (parts.next()?, parts.next()?);
    is_repository(&format!("{owner}/{name}")).then(|| format!("{owner}/{name}"))
}

/// Whether it is `owner/name`, and nothing that would lead elsewhere in a path.
pub(crate) fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        let proper = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && part.chars().all(proper) && !part.chars().all(|c| c == '.')
    };
    text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

/// Words of git without the user and the password that an address may hold.
pub(super) fn scrubbed(words: &str) -> String {
    let mut out = String::new();
    let mut pieces = words.split("://");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str("://");
        let end = piece.find(|c: char| c == '/' || c.is_whitespace() || c == '\'').unwrap_or(piece.len());
        let (authority, rest) = piece.split_at(end);
        out.push_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address() {
        for (address, host, repository) in [
            ("https://github.com/acme/rules.git", Some("github.com"), Some("acme/rules")),
            ("https://me:secret@GitHub.com/acme/rules/", Some("github.com"), Some("acme/rules")),
            ("git@github.com:acme/rules.git", Some("github.com"), Some("acme/rules")),
            ("ssh://git@git.corp.example:2222/acme/rules", Some("git.corp.example"), Some("acme/rules")),
            ("http://127.0.0.1:8080/acme/rules.git", Some("127.0.0.1:8080"), Some("acme/rules")),
            ("/srv/git/rules.git", None, None),
            ("file:///srv/git/rules.git", None, None),
            ("../rules", None, None),
            ("https://github.com/rules", Some("github.com"), None),
            ("https://github.com/../..", Some("github.com"), None),
        ] {
            let (found, path) = parts(address);
            let repository_found = path.and_then(|path| named(&path));
            assert_eq!((found.as_deref(), repository_found.as_deref()), (host, repository), "{address}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let said = "fatal: unable to access 'https://me:gh_secret@host.example/x/': 'ssh://git@h/' failed";
        assert_eq!(scrubbed(said), "fatal: unable to access 'https://host.example/x/': 'ssh://h/' failed");
        assert_eq!(scrubbed("nothing to hide @ all"), "nothing to hide @ all");
    }
}
