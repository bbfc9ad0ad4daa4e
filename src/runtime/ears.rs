//! Where verified reports come in: brakes first, then the driver's queue, then the answer after the commit.

use super::brakes::Brakes;
use super::handle::{Ear, Level, Notice};
use super::hearing;
use super::news::News;
use super::webhooks::{Inbox, NotTaken};
use crate::clock;
use crate::model::Phone;
use crate::providers::Heard;
use futures::future::{BoxFuture, FutureExt as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// The providers we listen to, as the header names them.
const NAMES: [(&str, &str); 3] = [("whatsapp", "WhatsApp"), ("vapi", "Vapi"), ("twilio", "Twilio")];

/// Reports that are not believed are told of no more often: anybody may send as many as they like.
const TOLD_EVERY: Duration = Duration::from_mins(5);

/// Live sends need a proof of hearing that is no older.
pub const PROOF_AGE: Duration = Duration::from_mins(5);

/// When each provider was last heard, by wall time. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Hearing(Arc<Mutex<Times>>);

#[derive(Debug, Default)]
struct Times {
    providers: [Option<Instant>; 3],
    /// A valid report by anybody, or a round trip to our public address.
    proof: Option<Instant>,
    /// Reports that were not believed, and when the operator was last told of them.
    disbelieved: u64,
    told: Option<Instant>,
    /// Since then a round trip has failed.
    failed: bool,
    /// We hear again after that, and nobody has asked yet what was said meanwhile.
    regained: bool,
    /// How often we came to hear again.
    gaps: u64,
}

impl Times {
    fn prove(&mut self) {
        let now = clock::wall();
        // Whoever was asked every minute and has proved nothing for so long was not there to hear.
        let expired = self.proof.is_some_and(|at| now.saturating_duration_since(at) >= PROOF_AGE);
        self.proof = Some(now);
        if std::mem::take(&mut self.failed) || expired {
            (self.regained, self.gaps) = (true, self.gaps + 1);
        }
    }
}

impl Hearing {
    /// A valid report or a round trip, just now.
    pub fn heard(&self, provider: &str) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = NAMES.iter().position(|(name, _)| *name == provider) {
            times.providers[at] = Some(clock::wall());
        }
        times.prove();
    }

    /// Our public address answered with our own words: webhooks can reach us.
    pub fn proved(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).prove();
    }

    /// Our public address did not answer: what is said from now on may never reach us.
    pub fn failed(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed = true;
    }

    /// Whether webhooks may be getting lost just now.
    pub fn is_failing(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed
    }

    /// Whether we hear again after a failure; true once.
    pub fn regained(&self) -> bool {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).regained)
    }

    /// As we hear now, to be looked at again before the first byte of what is claimed.
    pub fn span(&self) -> Span {
        let gaps = self.0.lock().unwrap_or_else(PoisonError::into_inner).gaps;
        Span { hearing: self.clone(), gaps }
    }

    /// The machine slept: what was proved before proves nothing now, and what was claimed is not begun.
    pub fn forget(&self) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (times.proof, times.gaps) = (None, times.gaps + 1);
    }

    /// Whether we were proved to hear within [`PROOF_AGE`].
    pub fn is_proven(&self) -> bool {
        let proof = self.0.lock().unwrap_or_else(PoisonError::into_inner).proof;
        proof.is_some_and(|at| clock::wall().saturating_duration_since(at) < PROOF_AGE)
    }

    /// A report was not believed; how many that makes, if it is time to tell of them.
    fn disbelieved(&self) -> Option<u64> {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.disbelieved += 1;
        let now = clock::wall();
        let due = times.told.is_none_or(|at| now.saturating_duration_since(at) >= TOLD_EVERY);
        due.then(|| {
            times.told = Some(now);
            times.disbelieved
        })
    }

    /// As another process hears: wall seconds ago, in the order of [`Hearing::ears`].
    pub fn mirror(&self, heard_s: &[Option<u64>]) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (time, ago) in times.providers.iter_mut().zip(heard_s) {
            *time = ago.and_then(|s| clock::wall().checked_sub(Duration::from_secs(s)));
        }
    }

    /// For the header.
    pub fn ears(&self) -> Vec<Ear> {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |at: Option<Instant>| at.map(|at| clock::wall().saturating_duration_since(at).as_secs());
        NAMES.iter().zip(times.providers).map(|((_, name), at)| Ear { name, heard_s: since(at) }).collect()
    }
}

/// A time in which we heard, as far as anybody knew.
#[derive(Clone, Debug)]
pub struct Span {
    hearing: Hearing,
    gaps: u64,
}

impl Span {
    /// We came to hear again since, so there was a gap: what was said in it is asked for first.
    pub fn is_broken(&self) -> bool {
        self.hearing.0.lock().unwrap_or_else(PoisonError::into_inner).gaps != self.gaps
    }
}

/// The webhook receiver's way to the driver.
#[derive(Clone, Debug)]
pub struct Ears {
    /// To the driver.
    pub news: mpsc::Sender<News>,
    /// Act before anything is queued.
    pub brakes: Brakes,
    /// For the header.
    pub hearing: Hearing,
}

impl Ears {
    async fn take_in(&self, heard: Vec<Heard>) -> Result<(), NotTaken> {
        let mut held: Vec<Phone> = Vec::new();
        for report in &heard {
            self.hearing.heard(report.provider);
            let Some(phone) = &report.person else { continue };
            if hearing::stops(report) {
                self.brakes.opt_out(phone.clone());
            } else if hearing::is_reaction(report) {
                self.brakes.heard(phone.clone());
                held.push(phone.clone());
            }
        }
        let (ack, taken) = oneshot::channel();
        let queued = self.news.send(News::Reports { heard, ack: Some(ack) }).await;
        let result = match queued {
            Ok(()) => taken.await.unwrap_or(Err(NotTaken)),
            Err(_) => Err(NotTaken),
        };
        for phone in &held {
            self.brakes.recorded(phone);
        }
        result
    }
}

impl Inbox for Ears {
    fn take(&self, heard: Vec<Heard>) -> BoxFuture<'_, Result<(), NotTaken>> {
        let this = self.clone();
        // A task of its own: whoever hangs up takes their answer away, and not the brake's release with it.
        let taken = tokio::spawn(async move { this.take_in(heard).await });
        async move { taken.await.unwrap_or(Err(NotTaken)) }.boxed()
    }

    fn follow(
        &self,
        code: String,
        suspected: Option<String>,
    ) -> BoxFuture<'_, Result<Option<String>, NotTaken>> {
        async move {
            let (ack, followed) = oneshot::channel();
            self.news.send(News::Followed { code, suspected, ack }).await.map_err(|_| NotTaken)?;
            followed.await.unwrap_or(Err(NotTaken))
        }
        .boxed()
    }

    fn disbelieved(&self, provider: &'static str) {
        let Some(so_far) = self.hearing.disbelieved() else { return };
        let name = NAMES.iter().find(|(known, _)| *known == provider).map_or(provider, |(_, name)| name);
        let text = format!(
            "a report in {name}'s name without a valid signature was refused and changes nothing ({so_far} so far). \
             If it was {name}'s own, our webhook secret is not the one it signs with: check its *_env in cascade.toml"
        );
        // A full queue means that the loop has better things to do.
        let _ = self.news.try_send(News::Tell(Notice { level: Level::Warning, text }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_forgeries_is_told_in_one_sentence_every_five_minutes() {
        let (news, mut queue) = mpsc::channel(10);
        let ears = Ears { news, brakes: Brakes::default(), hearing: Hearing::default() };
        let mut told = || match queue.try_recv() {
            Ok(News::Tell(notice)) => Some(notice.text),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        for _ in 0..1000 {
            ears.disbelieved("twilio");
        }
        let first = told().unwrap();
        assert!(
            first.contains("Twilio") && first.contains("(1 so far)") && first.contains("secret"),
            "{first}"
        );
        assert_eq!(told(), None);
        tokio::time::advance(TOLD_EVERY).await;
        ears.disbelieved("whatsapp");
        assert!(told().unwrap().contains("(1001 so far)"));
        assert!(!ears.hearing.is_proven(), "a forgery proves no hearing");
    }
}
