//! Who sits at this process: the operating system's word, for the audit trail.

use crate::engine::order::Who;
use crate::model::clean;

/// The user of this process, the machine and the terminal, as far as the system tells.
pub fn here() -> Who {
    Who {
        user: whoami::username().map(|name| clean(&name)).unwrap_or_default(),
        host: whoami::hostname().map(|name| clean(&name)).unwrap_or_default(),
        tty: terminal(),
    }
}

/// The terminal behind the standard input, where the system shows open files as links.
fn terminal() -> Option<String> {
    let name = std::fs::read_link("/proc/self/fd/0").ok()?.display().to_string();
    name.starts_with("/dev/").then(|| clean(&name)).filter(|name| name != "/dev/null")
}
