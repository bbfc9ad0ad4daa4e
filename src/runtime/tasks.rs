//! Everything that runs beside the loop: stopped together, and a panic in any of it is heard by the loop.

use super::news::News;
use crate::model::{AttemptId, Channel, Scope};
use futures::FutureExt as _;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A claimed send.
    Send(AttemptId, Channel),
    /// A question about an attempt.
    LookUp,
    /// Calling something back.
    Recall(AttemptId),
    /// A question about a shut scope.
    Check(Channel, Scope),
    /// Asking after a gap.
    CatchUp,
    /// Setting a provider up that did not answer at first.
    SetUp,
    /// Proving that we hear.
    Proof,
    /// Noticing that the process was stopped.
    Pulse,
    /// Carrying the operator's wishes.
    Commands,
    /// Reading a customer's history.
    History,
    /// Judging a draft of rules or texts.
    Judging,
    /// Writing a save's files and its commit.
    Saving(u64),
    /// Keeping opt-outs where nothing else can be kept.
    OptOut,
    /// Learning from what has ended.
    Learn,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send(..) => "a send",
            Self::LookUp => "a lookup",
            Self::Recall(_) => "a recall",
            Self::Check(..) => "the check of a shut scope",
            Self::CatchUp => "the catch-up",
            Self::SetUp => "the set-up of a provider",
            Self::Proof => "the proof of hearing",
            Self::Pulse => "the pulse",
            Self::Commands => "the way of the operator's commands",
            Self::History => "the reading of a history",
            Self::Judging => "the judging of a draft",
            Self::Saving(_) => "the writing of saved files",
            Self::OptOut => "the keeping of an opt-out",
            Self::Learn => "learning from the record",
        })
    }
}

/// Starts tasks. Cheap to clone; all clones are one group.
#[derive(Clone, Debug)]
pub struct Tasks {
    stopped: Arc<watch::Sender<bool>>,
    news: mpsc::Sender<News>,
}

impl Tasks {
    /// None yet; who panics is told to `news`.
    pub fn new(news: mpsc::Sender<News>) -> Self {
        Self { stopped: Arc::new(watch::Sender::new(false)), news }
    }

    /// Runs `work` until it is done, or all are stopped.
    pub fn spawn(&self, part: Part, work: impl Future<Output = ()> + Send + 'static) {
        let (mut stopped, news) = (self.stopped.subscribe(), self.news.clone());
        let worked = async move {
            // What it leaves half done belongs to it alone; what it shares is behind locks.
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(%part, "a task panicked");
                // Without a loop there is nobody left to tell.
                let _ = news.send(News::Panicked(part)).await;
            }
        };
        tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => {}
                () = worked => {}
            }
        });
    }

    /// The way to the loop.
    pub fn news(&self) -> mpsc::Sender<News> {
        self.news.clone()
    }

    /// Stops all of them where they stand: what they had under way counts as a crash does.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }
}
