//! Who commits: what git itself would write, the environment before the configuration.

use super::{Env, NotSaved};
use crate::model::At;
use chrono::{Local, Offset as _, TimeZone as _};
use git2::{Repository, Signature, Time};

/// Author and committer.
pub(super) struct Identity {
    pub author: Signature<'static>,
    pub committer: Signature<'static>,
}

impl Identity {
    /// As `git commit` would find them; it invents nobody from user and host name.
    pub fn of(repo: &Repository, env: Env<'_>, at: At) -> Result<Self, NotSaved> {
        let config =
            repo.config().and_then(|mut config| config.snapshot()).map_err(NotSaved::git("configuration"))?;
        let said = |variable: &str, keys: [&str; 2]| {
            let set = env(variable).filter(|value| !value.trim().is_empty());
            let configured = || keys.iter().find_map(|key| config.get_str(key).ok().map(str::to_owned));
            set.or_else(configured).filter(|value| !value.trim().is_empty()).ok_or(NotSaved::NoIdentity)
        };
        let when = Time::new(at.millis().div_euclid(1000), offset_min(at));
        let signature = |who: &str, section: &str| {
            let name = said(&format!("GIT_{who}_NAME"), [&format!("{section}.name"), "user.name"])?;
            let email = said(&format!("GIT_{who}_EMAIL"), [&format!("{section}.email"), "user.email"])?;
            // It refuses names of nothing but punctuation.
            Signature::new(&name, &email, &when).map_err(|_| NotSaved::NoIdentity)
        };
        Ok(Self { author: signature("AUTHOR", "author")?, committer: signature("COMMITTER", "committer")? })
    }

    /// `Ana <ana@example.com>`
    pub fn shown(&self) -> String {
        shown(&self.author)
    }
}

/// `Ana <ana@example.com>`, safe for a terminal.
pub(super) fn shown(who: &Signature<'_>) -> String {
    let part = |bytes: &[u8]| crate::model::clean(&String::from_utf8_lossy(bytes));
    format!("{} <{}>", part(who.name_bytes()), part(who.email_bytes()))
}

/// This machine's offset from UTC then, in minutes.
pub(super) fn offset_min(at: At) -> i32 {
    Local.offset_from_utc_datetime(&at.utc().naive_utc()).fix().local_minus_utc() / 60
}
