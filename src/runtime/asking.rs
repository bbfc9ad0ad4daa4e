//! Questions to providers: few at a time, none before the time that a provider asked for has passed, and the operator
//! hears of it when they fail and when they are answered again.

use super::handle::{Level, Notice};
use super::news::News;
use crate::clock::Clock;
use crate::model::{At, Channel, Class, Failure};
use crate::providers::{Heard, Lookup};
use chrono::TimeDelta;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, mpsc};

/// Questions under way at once, for each channel.
const PLACES: usize = 4;

/// The longest that a provider's word keeps questions back, campaign time: an absurd one must not for ever.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// How long questions are kept back where a provider refused one for speed and did not say.
const USUAL: TimeDelta = TimeDelta::seconds(5);

/// So many failures in a row are told.
const TOLD_AT: u32 = 3;

/// Where all questions go. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Asking {
    desks: Arc<[Desk; 4]>,
    clock: Clock,
    news: mpsc::Sender<News>,
}

#[derive(Debug)]
struct Desk {
    places: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    not_before: At,
    failed: u32,
    /// The newest of them.
    failure: Option<Box<Failure>>,
}

impl Desk {
    fn new() -> Self {
        Self { places: Semaphore::new(PLACES), state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that may be a failed question.
pub trait Answered {
    /// Why it failed.
    fn failure(&self) -> Option<&Failure>;
}

impl Answered for Lookup {
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Found { .. } | Self::NotSeen | Self::Impossible => None,
        }
    }
}

impl Answered for Result<Vec<Heard>, Box<Failure>> {
    fn failure(&self) -> Option<&Failure> {
        self.as_ref().err().map(Box::as_ref)
    }
}

impl Answered for Result<bool, Box<Failure>> {
    fn failure(&self) -> Option<&Failure> {
        self.as_ref().err().map(Box::as_ref)
    }
}

impl Asking {
    /// Nobody was asked yet; what the operator must know goes to `news`.
    pub fn new(clock: Clock, news: mpsc::Sender<News>) -> Self {
        Self { desks: Arc::new(std::array::from_fn(|_| Desk::new())), clock, news }
    }

    /// Asks once the channel's provider may be asked; `question` begins no sooner.
    pub async fn ask<T: Answered>(&self, channel: Channel, question: impl Future<Output = T>) -> T {
        let desk = &self.desks[channel.index()];
        // Nobody closes it.
        let _place = desk.places.acquire().await;
        let not_before = desk.lock().not_before;
        self.clock.sleep_until(not_before).await;
        let answer = question.await;
        if let Some(text) = self.note(desk, answer.failure()) {
            let _ = self.news.send(News::Tell(text)).await;
        }
        answer
    }

    /// Why questions to this provider fail, once several have in a row.
    pub fn given_up(&self, channel: Channel) -> Option<Box<Failure>> {
        let state = self.desks[channel.index()].lock();
        state.failure.clone().filter(|_| state.failed >= TOLD_AT)
    }

    /// Notes how a question went; what the operator is to be told about it.
    fn note(&self, desk: &Desk, failure: Option<&Failure>) -> Option<Notice> {
        let mut state = desk.lock();
        let Some(failure) = failure else {
            let told = std::mem::take(&mut state.failed) >= TOLD_AT;
            let before = state.failure.take().filter(|_| told)?;
            let text = format!("{} answers questions again", before.provider);
            return Some(Notice { level: Level::Info, text });
        };
        if let Some(wait) = kept_back(failure) {
            state.not_before = state.not_before.max(self.clock.now() + wait);
        }
        state.failed = state.failed.saturating_add(1);
        state.failure = Some(Box::new(failure.clone()));
        let text = format!(
            "{} does not answer questions ({} {}); they are asked again. {}",
            failure.provider, failure.code, failure.title, failure.remedy
        );
        (state.failed == TOLD_AT).then_some(Notice { level: Level::Warning, text })
    }
}

/// How long a failed question keeps the next ones back.
fn kept_back(failure: &Failure) -> Option<TimeDelta> {
    let asked = failure.retry_after_s.map(|s| TimeDelta::seconds(i64::try_from(s.min(86_400)).unwrap_or(0)));
    let usual = (failure.class == Class::Throttle).then_some(USUAL);
    asked.or(usual).map(|wait| wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Scope, Sent, Untrusted};
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn throttled(retry_after_s: Option<u64>) -> Lookup {
        Lookup::Failed(Box::new(Failure {
            channel: Channel::Sms,
            provider: "twilio".into(),
            code: "429".into(),
            class: Class::Throttle,
            scope: Scope::Account,
            sent: Sent::No,
            title: "too many requests".into(),
            remedy: "Nothing to mend.".into(),
            detail: Untrusted::default(),
            retry_after_s,
        }))
    }

    fn asking() -> (Asking, Clock, mpsc::Receiver<News>) {
        let clock = Clock::stepped(At::from_secs(1000));
        let (news, queue) = mpsc::channel(16);
        (Asking::new(clock.clone(), news), clock, queue)
    }

    #[tokio::test]
    async fn few_are_under_way_at_once() {
        let (asking, _, _queue) = asking();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let one = || async {
            let open = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(open, Ordering::SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::SeqCst);
            Lookup::NotSeen
        };
        futures::future::join_all((0..50).map(|_| asking.ask(Channel::Sms, one()))).await;
        assert_eq!(most.load(Ordering::SeqCst), PLACES);
    }

    #[tokio::test]
    async fn none_begins_before_the_time_that_was_asked_for() {
        let (asking, clock, _queue) = asking();
        for (asked, waits) in [(Some(7), 7), (None, 5), (Some(u64::MAX), 3600)] {
            let refused = asking.ask(Channel::Sms, async { throttled(asked) }).await;
            assert!(refused.failure().is_some());
            let (here, early, due) = (asking.clone(), clock.clone(), clock.now() + TimeDelta::seconds(waits));
            let next = tokio::spawn(async move {
                let begun = async { if early.now() >= due { Lookup::NotSeen } else { Lookup::Impossible } };
                here.ask(Channel::Sms, begun).await
            });
            // Another channel is another provider.
            let other = asking.ask(Channel::Phone, async { Lookup::NotSeen }).await;
            assert_eq!(other, Lookup::NotSeen);
            clock.advance_to(due - TimeDelta::milliseconds(1));
            tokio::task::yield_now().await;
            assert!(!next.is_finished(), "{asked:?}");
            clock.advance_to(due);
            assert_eq!(next.await.unwrap(), Lookup::NotSeen, "{asked:?}");
        }
    }

    #[tokio::test]
    async fn the_operator_hears_once_of_a_row_of_failures_and_of_its_end() {
        let (asking, _, mut queue) = asking();
        for _ in 0..6 {
            asking.ask(Channel::Sms, async { throttled(Some(0)) }).await;
        }
        asking.ask(Channel::Sms, async { Lookup::NotSeen }).await;
        let told = |news: News| match news {
            News::Tell(notice) => (notice.level, notice.text),
            other => panic!("{other:?}"),
        };
        let (level, text) = told(queue.try_recv().unwrap());
        assert_eq!(level, Level::Warning);
        assert!(
            text.contains("twilio") && text.contains("429") && text.contains("Nothing to mend"),
            "{text}"
        );
        assert_eq!(told(queue.try_recv().unwrap()).0, Level::Info);
        assert!(queue.try_recv().is_err());
    }
}
