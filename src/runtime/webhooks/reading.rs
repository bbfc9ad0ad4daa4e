//! Reading bodies: in time, not too large, and never so many large ones that memory runs out.

use axum::body::{Body, HttpBody as _};
use futures::StreamExt as _;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// One message, or one call with its transcript: fits into anybody's place.
pub(super) const ORDINARY_MAX: usize = 256 * 1024;

/// A batch of a thousand updates (PROVIDERS.md 1.7).
pub(super) const BATCH_MAX: usize = 3 * 1024 * 1024;

/// Batches in memory at once; others wait for one of them within their own time.
const BATCHES: usize = 8;

/// For a body to arrive, in wall time.
const WITHIN: Duration = Duration::from_secs(10);

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    /// The caller hung up, and reads no answer.
    Cut,
}

/// Reads bodies, a few large ones at a time.
#[derive(Debug)]
pub(super) struct Reading {
    batches: Semaphore,
}

/// A whole body; a large one keeps its place until it is dropped.
#[derive(Debug)]
pub(super) struct Whole<'r> {
    pub(super) bytes: Vec<u8>,
    _place: Option<SemaphorePermit<'r>>,
}

impl Reading {
    pub(super) const fn new() -> Self {
        Self { batches: Semaphore::const_new(BATCHES) }
    }

    /// The whole body, if it comes in time and is not larger than `max`.
    pub(super) async fn whole(&self, body: Body, max: usize) -> Result<Whole<'_>, Unread> {
        self.within(WITHIN, body, max).await
    }

    async fn within(&self, time: Duration, body: Body, max: usize) -> Result<Whole<'_>, Unread> {
        tokio::time::timeout(time, self.collect(body, max)).await.unwrap_or(Err(Unread::TooSlow))
    }

    async fn collect(&self, body: Body, max: usize) -> Result<Whole<'_>, Unread> {
        // What says itself that it is too large is not read at all.
        if body.size_hint().lower() > max as u64 {
            return Err(Unread::TooLarge);
        }
        let (mut bytes, mut place) = (Vec::new(), None);
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Unread::Cut)?;
            let length = bytes.len() + piece.len();
            if length > max {
                return Err(Unread::TooLarge);
            }
            if length > ORDINARY_MAX && place.is_none() {
                place = Some(self.batches.acquire().await.map_err(|_| Unread::Cut)?);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Whole { bytes, _place: place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use futures::{FutureExt as _, stream};

    const NOW: Duration = Duration::from_millis(1);

    fn endless() -> Body {
        Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 64 * 1024]))))
    }

    fn stuck_after(bytes: usize) -> Body {
        let first = stream::once(async move { Ok::<_, std::io::Error>(Bytes::from(vec![b' '; bytes])) });
        Body::from_stream(first.chain(stream::pending()))
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let reading = Reading::new();
        let read = reading.within(NOW, stuck_after(3), 10).await;
        assert_eq!(read.err(), Some(Unread::TooSlow));
    }

    #[tokio::test]
    async fn an_endless_body_is_given_up_at_its_limit_and_an_announced_one_before() {
        let reading = Reading::new();
        assert_eq!(reading.whole(endless(), BATCH_MAX).await.err(), Some(Unread::TooLarge));
        let announced = Body::from(vec![0; ORDINARY_MAX + 1]);
        assert_eq!(
            reading.whole(announced, ORDINARY_MAX).now_or_never().unwrap().err(),
            Some(Unread::TooLarge)
        );
    }

    #[tokio::test]
    async fn many_large_ones_keep_no_small_one_out() {
        let reading = Reading::new();
        let mut held = Vec::new();
        for _ in 0..BATCHES {
            held.push(reading.whole(Body::from(vec![0; ORDINARY_MAX + 1]), BATCH_MAX).await.unwrap());
        }
        let one_more = reading.within(NOW, Body::from(vec![0; ORDINARY_MAX + 1]), BATCH_MAX).await;
        assert_eq!(one_more.err(), Some(Unread::TooSlow), "memory is full");
        assert!(reading.whole(Body::from(vec![0; ORDINARY_MAX]), BATCH_MAX).await.is_ok());
        held.pop();
        assert!(reading.whole(Body::from(vec![0; ORDINARY_MAX + 1]), BATCH_MAX).await.is_ok());
    }
}
