//! What ends the console from outside: signals, and a terminal that is gone. All become one ordinary way to quit.

use futures::stream::{BoxStream, StreamExt, select_all, unfold};
use std::io;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{SignalKind, signal};

/// Why the console was asked to leave from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// A signal, by name.
    Signal(&'static str),
    /// The terminal is gone.
    Closed,
}

/// Every interrupt of this process, as it comes.
pub fn listen() -> io::Result<BoxStream<'static, Interrupt>> {
    let named = [
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "SIGHUP"),
        (SignalKind::interrupt(), "SIGINT"),
    ];
    let mut streams: Vec<BoxStream<'static, Interrupt>> = Vec::new();
    for (kind, name) in named {
        let heard = unfold(signal(kind)?, move |mut signal| async move {
            signal.recv().await.map(|()| (Interrupt::Signal(name), signal))
        });
        streams.push(heard.boxed());
    }
    streams.push(futures::stream::once(hung_up()).boxed());
    Ok(select_all(streams).boxed())
}

/// Resolves when the other end of the terminal is closed. The key reader cannot tell: at the end of its input
/// it reads nothing for ever, so without this a lost window would leave a process that burns a core.
#[expect(deprecated, reason = "its successor is unsafe; we never close standard input, which is all it asks")]
async fn hung_up() -> Interrupt {
    // Asking for urgent data wakes us for a hang-up alone: keys are none of our business here.
    if let Ok(watched) = AsyncFd::with_interest(io::stdin(), Interest::PRIORITY)
        && watched.ready(Interest::PRIORITY).await.is_ok_and(|ready| ready.ready().is_read_closed())
    {
        return Interrupt::Closed;
    }
    std::future::pending().await
}
