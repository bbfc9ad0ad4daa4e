//! What comes into the driver's queue.

use super::handle::{Command, Notice};
use super::saving::{Judged, Kept};
use super::tasks::Part;
use super::turn::Redirect;
use super::webhooks::NotTaken;
use crate::engine::input::Input;
use crate::learning::answer::Answer;
use crate::model::Channel;
use crate::providers::{Heard, Listed};
use tokio::sync::oneshot;

/// One piece of news.
#[derive(Debug)]
pub enum News {
    /// For the engine as it is.
    Input(Input),
    /// Verified reports of one request, or of one question we asked.
    Reports {
        /// What was heard.
        heard: Vec<Heard>,
        /// Waits for the commit.
        ack: Option<oneshot::Sender<Result<(), NotTaken>>>,
    },
    /// A short link was opened.
    Followed {
        /// What stood in it.
        code: String,
        /// What gave a scanner away.
        suspected: Option<String>,
        /// Waits for the commit; gets where it leads.
        ack: Redirect,
    },
    /// The operator asks.
    Command(Command),
    /// The store was restored: what providers list of what was sent since the backup.
    SentSince {
        /// By channel.
        listed: Vec<(Channel, Vec<Listed>)>,
        /// Channels on which nobody can be asked.
        untold: Vec<Channel>,
    },
    /// After a gap, everybody who can be asked was asked.
    CaughtUp(u64),
    /// A draft of rules or texts was judged.
    Judged(Box<Judged>),
    /// A save's files and commit were written, or could not be.
    Kept(Box<Kept>),
    /// Our hearing was tried again.
    Hearing,
    /// What the record says by now: from here on starts are drawn by it.
    Learnt(Box<Answer>),
    /// Something to be told, from a part that has no screen.
    Tell(Notice),
    /// A task beside the loop ended badly.
    Panicked(Part),
}
