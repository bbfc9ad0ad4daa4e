//! Ctrl-C, SIGTERM and SIGHUP as one ordinary wish to end, for commands without a screen.

use super::Failure;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listening; see [`Signals::next`].
pub(super) struct Signals([Signal; 3]);

pub(super) fn listen() -> Result<Signals, Failure> {
    let on = |kind| signal(kind).map_err(|e| Failure::failed(format!("signals cannot be listened to: {e}")));
    Ok(Signals([on(SignalKind::interrupt())?, on(SignalKind::terminate())?, on(SignalKind::hangup())?]))
}

impl Signals {
    /// Until one of them comes.
    pub async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
