//! Why no answer came, told apart by what an operator can do about it, and whether a byte of the request had left.

use std::error::Error;
use std::io;

/// No answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Trouble {
    /// `refused_address`, `no_client`; `dns`, `refused`, `tls`, `connect_timeout`, `connect`, `closed` (before the
    /// first byte of the request); `timeout`, `broken` (after it).
    pub code: &'static str,
    /// Whether a byte of the request may have left.
    pub reached: bool,
    /// In the words of whoever noticed.
    pub detail: String,
}

/// What an error of the HTTP client means.
pub(super) fn of(error: &reqwest::Error) -> Trouble {
    let (code, reached) = if error.is_connect() || error.is_builder() {
        (before(error), false)
    } else if any(error, |cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled))
    {
        // The connection died before the request was begun, which is handed back whole.
        ("closed", false)
    } else if error.is_timeout() {
        ("timeout", true)
    } else {
        ("broken", true)
    };
    Trouble { code, reached, detail: words(error) }
}

/// What kept the connection from being made.
fn before(error: &reqwest::Error) -> &'static str {
    let refused = |io: &io::Error| io.kind() == io::ErrorKind::ConnectionRefused;
    if error.is_timeout() {
        "connect_timeout"
    } else if any(error, <dyn Error>::is::<rustls::Error>) {
        "tls"
    } else if any(error, |cause| cause.downcast_ref().is_some_and(refused)) {
        "refused"
    } else if any(error, |cause| cause.to_string() == "dns error") {
        // The connector names this one in words alone.
        "dns"
    } else {
        "connect"
    }
}

/// Whether a cause in the chain is so.
fn any(error: &reqwest::Error, so: impl Fn(&(dyn Error + 'static)) -> bool) -> bool {
    let mut cause = error.source();
    while let Some(next) = cause {
        if so(next) {
            return true;
        }
        // An I/O error hides what it wraps from the chain.
        let wrapped = next.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = wrapped.map_or_else(|| next.source(), |wrapped| Some(wrapped));
    }
    false
}

/// The whole chain of causes, without the address: it can hold a secret in its query.
fn words(error: &reqwest::Error) -> String {
    let mut said = Vec::new();
    let mut cause = error.source();
    while let Some(next) = cause {
        said.push(next.to_string());
        cause = next.source();
    }
    said.dedup();
    if said.is_empty() { "no answer".to_owned() } else { said.join(": ") }
}
