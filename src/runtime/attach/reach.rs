//! Finding whoever holds a store, and attaching to them.

use super::place;
use super::wire::{self, Answer, Hello, Lines, PROTOCOL, Pen, Welcome};
use crate::runtime::store::{Locked, attachable};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// For the other side to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to whoever runs the store's campaign.
#[derive(Debug)]
pub struct Attached {
    pub(super) lines: Lines,
    pub(super) pen: Pen,
    pub(super) welcome: Welcome,
    pub(super) store: PathBuf,
}

/// Somebody holds the store, and a console cannot attach to them.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// They do not want us.
    #[error("{0}")]
    Refused(String),
    /// Their socket is another user's.
    #[error("{0} is another user's socket; nothing was sent to it")]
    Foreign(String),
    /// They say nothing.
    #[error("{holder} holds the store and does not answer ({why}); if it hangs, end it: nothing is lost")]
    Silent {
        /// Who.
        holder: String,
        /// What came instead.
        why: String,
    },
}

/// Attaches to whoever holds `store`. `None`: nobody does, or nobody any more.
pub async fn reach(store: &Path) -> Result<Option<Attached>, Unreachable> {
    let Some(Locked { holder, socket: Some(socket), .. }) = attachable(store) else { return Ok(None) };
    let silent = |why: String| Unreachable::Silent { holder: holder.clone(), why };
    let connecting = tokio::time::timeout(PATIENCE, UnixStream::connect(&socket));
    let stream = match connecting.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error))
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
        {
            return Ok(None);
        }
        Ok(Err(error)) => return Err(silent(error.to_string())),
        Err(_) => return Err(silent("it takes no connection".into())),
    };
    let ours = place::own_user().and_then(|own| Ok(stream.peer_cred()?.uid() == own));
    if !ours.unwrap_or(false) {
        return Err(Unreachable::Foreign(crate::model::clean(&socket.to_string_lossy())));
    }
    let (mut lines, mut pen) = wire::lines(stream);
    let greeting = async {
        wire::say(&mut pen, &Hello::here()).await?;
        wire::hear::<Answer>(&mut lines).await
    };
    let welcome = match tokio::time::timeout(PATIENCE, greeting).await {
        Ok(Ok(Some(Answer::Welcome(welcome)))) => *welcome,
        Ok(Ok(Some(Answer::Refused { why }))) => return Err(Unreachable::Refused(crate::model::clean(&why))),
        // It ended just now.
        Ok(Ok(None)) => return Ok(None),
        Ok(Err(error)) => return Err(silent(error.to_string())),
        Err(_) => return Err(silent(format!("nothing in {} s", PATIENCE.as_secs()))),
    };
    if welcome.protocol != PROTOCOL {
        let theirs = crate::model::clean(&welcome.version);
        return Err(Unreachable::Refused(format!(
            "{holder} is cascade {theirs} and this console is {}: use the same one for both",
            wire::version()
        )));
    }
    Ok(Some(Attached { lines, pen, welcome, store: store.to_owned() }))
}

impl Attached {
    /// `cascade run (process 4711)`
    pub fn to_whom(&self) -> String {
        format!("{} (process {})", crate::model::clean(&self.welcome.program), self.welcome.process)
    }
}
