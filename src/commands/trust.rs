//! `cascade trust`: lets live use other hosts and variables than the usual ones, in this workspace, on this machine.
//! It shows in words which secret would go where, and asks.

use super::{Exit, Failure, output};
use crate::cli::{Place, Trust as Args};
use crate::config::trust::{Ask, Grant, Trust, TrustError};
use crate::workspace::{self, Unusable};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};

/// What the operator types.
const WORD: &str = "trust";

/// How a section stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The provider's own host, and the usual variables.
    Usual,
    /// Exactly this was trusted.
    Trusted,
    /// Something else was trusted here.
    Changed,
    /// Nothing was.
    New,
}

impl Standing {
    fn of(ask: &Ask, grants: &BTreeMap<String, Grant>) -> Self {
        match grants.get(ask.section) {
            _ if ask.usual => Self::Usual,
            Some(grant) if *grant == ask.grant => Self::Trusted,
            Some(_) => Self::Changed,
            None => Self::New,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Trusted => "trusted",
            Self::Changed => "changed",
            Self::New => "new",
        }
    }

    const fn is_open(self) -> bool {
        matches!(self, Self::Usual | Self::Trusted)
    }
}

/// Shows, asks, keeps.
pub(super) fn run(place: &Place, args: &Args) -> Result<Exit, Failure> {
    let dir = &place.workspace;
    if !dir.is_dir() {
        return Err(Unusable::NoDirectory(dir.clone()).into());
    }
    let trust = Trust::of(dir, &|name| std::env::var(name).ok())?;
    if args.revoke {
        trust.keep(&[])?;
        return said(args, &trust, &[], "nothing is trusted here any more").map(|()| Exit::Done);
    }
    let Some(asks) = workspace::asks(dir)? else {
        let words =
            "this workspace rehearses: live secrets are neither read nor sent, and nothing needs trust";
        return said(args, &trust, &[], words).map(|()| Exit::Done);
    };
    let grants = trust.grants()?;
    let standing = |ask: Ask| {
        let standing = Standing::of(&ask, &grants);
        (ask, standing)
    };
    let mut asks: Vec<_> = asks.into_iter().map(standing).collect();
    if asks.iter().all(|(_, standing)| standing.is_open()) {
        let words =
            "nothing to do: every secret goes to its provider's own host, or where this machine trusts it";
        return said(args, &trust, &asks, words).map(|()| Exit::Done);
    }
    if args.json && !args.yes {
        said(args, &trust, &asks, "")?;
        return Ok(Exit::DidNotHold);
    }
    show(&trust, &asks, &grants);
    if !args.yes && !agreed()? {
        return Err(Failure::failed("nothing was trusted"));
    }
    let wanted: Vec<Ask> = asks.iter().filter(|(ask, _)| !ask.usual).map(|(ask, _)| ask.clone()).collect();
    trust.keep(&wanted)?;
    for (ask, standing) in &mut asks {
        *standing = if ask.usual { Standing::Usual } else { Standing::Trusted };
    }
    said(args, &trust, &asks, "trusted on this machine, until one of these lines changes")
        .map(|()| Exit::Done)
}

/// The result: a sentence, or the whole as JSON.
fn said(args: &Args, trust: &Trust, asks: &[(Ask, Standing)], words: &str) -> Result<(), Failure> {
    if !args.json {
        return output::line(words);
    }
    let section = |(ask, standing): &(Ask, Standing)| {
        json!({
            "section": ask.section, "host": ask.grant.host, "secrets": ask.grant.secrets, "sent": ask.sent,
            "loopback": ask.loopback, "state": standing.as_str(),
        })
    };
    output::json(&json!({
        "schema": "cascade.trust/1", "workspace": trust.workspace(), "kept_in": trust.file(),
        "trusted": asks.iter().all(|(_, standing)| standing.is_open()),
        "sections": asks.iter().map(section).collect::<Vec<_>>(),
    }))
}

/// What would be trusted, in words.
fn show(trust: &Trust, asks: &[(Ask, Standing)], grants: &BTreeMap<String, Grant>) {
    output::note(&format!("The workspace {} asks this machine to trust:", trust.workspace()));
    for (ask, standing) in asks.iter().filter(|(ask, _)| !ask.usual) {
        let here = if ask.loopback { " (this machine)" } else { "" };
        let known = if *standing == Standing::Trusted { ", as before" } else { "" };
        output::note(&format!("  [{}] {}{here}{known}", ask.section, ask.grant.host));
        let names = |sent: bool| {
            let of_kind =
                ask.grant.secrets.iter().filter(|(key, _)| ask.sent.contains(&key.as_str()) == sent);
            of_kind.map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(" and ")
        };
        output::note(&format!("      it would be sent the value of {}", names(true)));
        let believed = names(false);
        if !believed.is_empty() {
            output::note(&format!("      whoever knows {believed} would be believed as this provider"));
        }
        if let (Standing::Changed, Some(before)) = (standing, grants.get(ask.section)) {
            let variables: Vec<&str> = before.secrets.values().map(String::as_str).collect();
            output::note(&format!("      trusted before: {} with {}", before.host, variables.join(", ")));
        }
    }
}

/// Whether the operator typed the word.
fn agreed() -> Result<bool, Failure> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::usage("nobody is there to ask: look at the lines above, then give --yes"));
    }
    output::note(&format!("Type {WORD} and Enter to trust this; anything else leaves it:"));
    let mut typed = String::new();
    io::stdin().read_line(&mut typed).map_err(|fault| Failure::failed(fault.to_string()))?;
    Ok(typed.trim() == WORD)
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        Self::usage(error.to_string())
    }
}
