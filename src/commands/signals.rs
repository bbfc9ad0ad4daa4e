//! Ctrl-C, SIGTERM and SIGHUP, for commands without a screen: two wishes to end, and a terminal that is gone.

use super::Failure;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// SIGXFSZ, as Linux and macOS number it.
const FILE_LIMIT: i32 = 25;

/// From now on a file that may grow no further (`ulimit -f`, a quota of a service manager) is an error of the write, as
/// a full disk is. Left alone, its signal ends the process without a word.
pub(super) fn outlive_file_limits() -> std::io::Result<()> {
    // What listens may go: the signal stays caught.
    signal(SignalKind::from_raw(FILE_LIMIT)).map(drop)
}

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM: a service manager, or `kill`.
    Terminate,
    /// SIGHUP: the terminal or the ssh session is gone.
    Hangup,
}

impl Signal {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "Ctrl-C",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        }
    }
}

/// Listening; see [`Signals::next`].
pub(super) struct Signals([Stream; 3]);

/// From now on none of them ends the process by itself.
pub(super) fn listen() -> Result<Signals, Failure> {
    let on = |kind| signal(kind).map_err(|e| Failure::failed(format!("signals cannot be listened to: {e}")));
    Ok(Signals([on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?]))
}

impl Signals {
    /// Until one of them comes.
    pub async fn next(&mut self) -> Signal {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
            _ = hangup.recv() => Signal::Hangup,
        }
    }
}
