//! Keys, clicks and resizes as a stream, read by a thread of their own.
//!
//! The library's own stream reads in whatever task polls it, and at the end of a closed terminal's input it reads
//! nothing for ever: the screen's thread would never come back to hear that the terminal is gone.

use futures::stream::{Stream, poll_fn};
use ratatui::crossterm::event::{self, Event};
use std::io;
use tokio::sync::mpsc;

/// Events that may wait for a frame; then the terminal keeps them.
const WAITING: usize = 256;

/// Every event of this terminal, as it comes. The thread lives until the process ends: nothing can wake it.
pub fn events() -> io::Result<impl Stream<Item = io::Result<Event>> + Unpin> {
    let (heard, mut read) = mpsc::channel(WAITING);
    std::thread::Builder::new().name("keys".into()).spawn(move || {
        loop {
            let event = event::read();
            let failed = event.is_err();
            if heard.blocking_send(event).is_err() || failed {
                return;
            }
        }
    })?;
    Ok(poll_fn(move |context| read.poll_recv(context)))
}
