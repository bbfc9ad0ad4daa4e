//! Who sits at a console: the user as the operating system names them, machine and terminal as they tell.

use crate::model::clean;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Letters of a name that are kept.
const LONGEST: usize = 64;

/// A person at a machine, not a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// As the operating system names them.
    pub user: String,
    /// The machine they sit at.
    pub host: String,
    /// The terminal, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
}

impl Who {
    /// The user of this process.
    pub fn here() -> Self {
        Self {
            user: whoami::username().map(|name| clean(&name)).unwrap_or_default(),
            host: whoami::hostname().map(|name| clean(&name)).unwrap_or_default(),
            tty: terminal(),
        }
    }

    /// As a console told it, fit to be shown; the user is ours to name, since only the owner may attach.
    pub fn told(self, user: &str) -> Self {
        let short = |text: &str| clean(text).chars().take(LONGEST).collect::<String>();
        Self { user: user.to_owned(), host: short(&self.host), tty: self.tty.as_deref().map(short) }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)?;
        match &self.tty {
            Some(tty) => write!(f, " {}", tty.trim_start_matches("/dev/")),
            None => Ok(()),
        }
    }
}

/// The terminal behind the standard input, where the system shows open files as links.
fn terminal() -> Option<String> {
    let name = std::fs::read_link("/proc/self/fd/0").ok()?.display().to_string();
    name.starts_with("/dev/").then(|| clean(&name)).filter(|name| name != "/dev/null")
}
