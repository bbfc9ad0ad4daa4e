//! What providers tell us: an axum listener that verifies raw bytes, parses, and answers 2xx after the commit.

use crate::providers::Heard;
use futures::future::BoxFuture;

/// Takes in verified facts. The future resolves when the commit that holds them is done (or they were
/// duplicates of what is in the log): only then may the provider be answered 2xx.
pub trait Inbox: Send + Sync {
    /// Everything one request carried.
    fn take(&self, heard: Vec<Heard>) -> BoxFuture<'_, Result<(), NotTaken>>;

    /// Where a short link leads, and its click recorded as a fact; `None`: no such code. `suspected` says what
    /// gave a scanner or prefetch away.
    fn follow(
        &self,
        code: String,
        suspected: Option<String>,
    ) -> BoxFuture<'_, Result<Option<String>, NotTaken>>;
}

/// The store did not take it: the provider gets 503 and sends it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store did not take it")]
pub struct NotTaken;
