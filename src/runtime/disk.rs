//! The store as the loop sees it fail: slow, full, or broken. Nothing is committed over a failed write; what was on its
//! way when the disk was full is recorded all the same, in room that was kept for it.

use super::driver::Driver;
use super::gallery::TIMELINE;
use super::handle::{Level, Notice, Trouble};
use super::store::{Batch, StoreError, SuppressionRow};
use super::tasks::Part;
use std::sync::Arc;
use std::time::Duration;

/// Wall time after which a commit is said to take long.
const LONG: Duration = Duration::from_secs(2);

/// How the store stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Disk {
    /// Everything goes on.
    #[default]
    Well,
    /// It was full: answers and webhooks are recorded in the room that was kept, and nothing is sent.
    Full,
    /// Nothing can be recorded, and nothing is sent.
    Failed,
}

impl Driver {
    /// Whether anything may be sent, as far as the store is concerned.
    pub(super) fn is_well(&self) -> bool {
        self.disk == Disk::Well
    }

    /// Whether nothing can be recorded any more.
    pub(super) fn has_failed(&self) -> bool {
        self.disk == Disk::Failed
    }

    /// On disk when it returns `Ok`. A disk that is full gets its kept room back, once: the same batch is then
    /// recorded, and nothing is sent any more.
    pub(super) async fn commit(&mut self, batch: Arc<Batch>) -> Result<(), StoreError> {
        let Err(error) = self.patiently(Arc::clone(&batch)).await else { return Ok(()) };
        if !(error.is_full() && self.is_well()) {
            return Err(error);
        }
        self.parts.brakes.hold(None, true);
        if !matches!(self.parts.store.make_room().await, Ok(true)) {
            return Err(error);
        }
        self.parts.store.commit(batch).await?;
        self.disk = Disk::Full;
        self.says_why(&format!(
            "{error}. What is on its way is still recorded, and nothing is sent any more"
        ));
        Ok(())
    }

    /// The operator sees a slow disk, or another program that holds the file, while it lasts.
    async fn patiently(&mut self, batch: Arc<Batch>) -> Result<(), StoreError> {
        let store = Arc::clone(&self.parts.store);
        let mut commit = store.commit(batch);
        let mut waited = None;
        let committed = loop {
            match tokio::time::timeout(LONG, &mut commit).await {
                Ok(committed) => break committed,
                Err(_) if waited.is_some() => waited = store.waits().or(waited),
                Err(_) => {
                    waited = Some(store.waits().unwrap_or(LONG));
                    let words = "SLOW DISK  a commit takes long: nothing is sent before it is done. Another program may \
                                 hold the file, or the disk is busy";
                    let trouble = Trouble { level: Level::Warning, words: words.into(), since: self.now() };
                    self.parts.gallery.set_trouble("disk", Some(trouble));
                    self.parts.gallery.show_beside();
                }
            }
        };
        if let Some(waited) = waited {
            tracing::warn!(seconds = waited.as_secs(), "a commit took long");
            self.parts.gallery.set_trouble("disk", None);
        }
        committed
    }

    /// A commit failed: nothing more is sent, and what memory holds is replaced by what the disk holds.
    pub(super) fn fail_stop(&mut self, error: &StoreError) {
        self.disk = Disk::Failed;
        self.parts.brakes.hold(None, true);
        tracing::error!(%error, "a commit failed; sending has stopped");
        match self.parts.store.load(TIMELINE) {
            Ok(loaded) => self.load(loaded),
            Err(again) => tracing::error!(error = %again, "the store cannot be read back either"),
        }
        self.says_why(&format!("{error}. Nothing is sent any more"));
    }

    /// The store failed, so that it holds for this process alone.
    pub(super) fn unsaved_hold(&self) {
        let text = "nothing is sent any more, but the hold could not be saved: say it again after the next start, which \
                    goes on sending otherwise";
        self.tell(Level::Error, text.into());
    }

    fn says_why(&mut self, why: &str) {
        let text = format!("{why}; mend it and start cascade again");
        self.parts.gallery.set_failed(Some(text.clone()));
        self.tell(Level::Error, text);
    }

    /// Nothing can be committed: opt-outs have a file of their own, which no failed store keeps from growing.
    /// Whoever asked for it is told `done`.
    pub(super) fn keep_opt_outs(&self, rows: Vec<SuppressionRow>, done: Option<String>) {
        if rows.is_empty() {
            return;
        }
        for row in &rows {
            self.parts.brakes.opt_out(row.phone.clone());
        }
        let numbers = rows.iter().map(|row| row.phone.to_string()).collect::<Vec<_>>().join(", ");
        let (kept, notices) = (self.parts.store.opt_out(rows), self.parts.notices.clone());
        self.parts.tasks.spawn(Part::OptOut, async move {
            let (level, text) = match (kept.await, done) {
                (Ok(()), None) => return,
                (Ok(()), Some(done)) => (Level::Info, done),
                (Err(error), _) => {
                    tracing::error!(%error, "opt-outs could not be kept; the numbers stand on the screen");
                    let text = format!(
                        "the opt-out of {numbers} could not be kept: {error}. Note it down, and record it once cascade runs"
                    );
                    (Level::Error, text)
                }
            };
            // Waited for: nobody else knows of it.
            let _ = notices.send(Notice { level, text: crate::model::clean(&text) }).await;
        });
    }
}
