//! `[git]` and `[github]`: where changes of rules are committed and proposed. Both hold in a rehearsal too; the token is
//! read by whoever proposes, at that moment, and never from here.

use super::is_loopback;
use super::load::Trusted;
use super::providers::variable;
use super::table::{Placed, Table};
use super::trust::{Ask, Grant};
use crate::rules::report::Report;
use crate::trail::github::{self, GITHUB, TOKEN};
use crate::trail::{self, Onto};
use std::collections::BTreeMap;
use toml::de::DeTable;

const KEY: &str = "token_env";

pub(super) fn git<'t>(
    report: &mut Report<'_>,
    table: Option<Placed<&'t DeTable<'t>>>,
    own: &mut trail::Settings,
) {
    let mut table = Table::open(report, "git", table, &["branch", "base", "remote"]);
    if let Some(onto) = table.word("branch", "write \"auto\", \"draft\" or \"checked-out\"", Onto::parse) {
        own.branch = onto;
    }
    own.base = branch(&mut table, "base");
    let remote =
        |text: &str| (!text.starts_with('-') && git2::Remote::is_valid_name(text)).then(|| text.to_owned());
    if let Some(remote) = table.word("remote", "write a remote's name, such as \"origin\"", remote) {
        own.remote = remote;
    }
}

pub(super) fn github<'t>(
    report: &mut Report<'_>,
    table: Option<Placed<&'t DeTable<'t>>>,
    trusted: Trusted<'_>,
    own: &mut github::Settings,
) {
    let mut table = Table::open(report, "github", table, &["base_url", KEY, "repository", "base"]);
    if !table.is_there() {
        return;
    }
    own.base = branch(&mut table, "base");
    let repository = |text: &str| trail::is_repository(text).then(|| text.to_owned());
    own.repository = table.word("repository", "write \"owner/name\"", repository);
    if let Some((text, at)) = table.base("base_url") {
        text.clone_into(&mut own.base_url);
        if !text.starts_with("https://") && !is_loopback(text) {
            let message = format!("`{text}` is not reached over TLS, and the token would be sent there");
            table.report.error(
                at,
                "untrusted-host",
                message,
                format!("use {GITHUB}, or begin with https://"),
            );
        }
    }
    if let Some((name, _)) = variable(&mut table, KEY, TOKEN) {
        own.token_env = name;
    }
    let ask = ask(own);
    // What is not trusted keeps nothing else from working: whoever proposes is told then.
    own.is_trusted = ask.usual || trusted(&ask);
}

fn ask(own: &github::Settings) -> Ask {
    let host =
        url::Url::parse(&own.base_url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    Ask {
        section: "github",
        usual: host == GITHUB && own.token_env == TOKEN,
        grant: Grant { host, secrets: BTreeMap::from([(KEY.to_owned(), own.token_env.clone())]) },
        sent: &[KEY],
        loopback: is_loopback(&own.base_url),
    }
}

/// A branch's name that git takes, and that no command takes for a flag.
fn branch(table: &mut Table<'_, '_, '_>, key: &str) -> Option<String> {
    let proper = |name: &str| git2::Branch::name_is_valid(name).unwrap_or(false) && !name.starts_with('-');
    table.word(key, "write a branch's name, such as \"main\"", |name| proper(name).then(|| name.to_owned()))
}
