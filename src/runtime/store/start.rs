//! Reading a whole store at a start, by several threads: nobody writes meanwhile, because whoever starts holds it.

use super::{Loaded, Reader, StoreError};
use crate::engine::Campaign;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};

/// Cascades that are worth a thread of their own.
const WORTH: i64 = 2000;

/// Everything that [`Reader::load`] gives, sooner.
pub(super) fn load(path: &Path, keep: usize) -> Result<Loaded, StoreError> {
    let reader = Reader::open(path)?;
    let Some(header) = reader.header(None)? else { return reader.load(keep) };
    let id = header.id;
    let (first, last) = (header.launch.first_cascade.0 as i64, header.launch.customers as i64);
    thread::scope(|scope| {
        let rest = scope.spawn(|| {
            let reader = Reader::open(path)?;
            let (audit, inbox) = (reader.audit(Some(id))?, reader.inbox(id, keep)?);
            Ok(Loaded { inbox, audit, ..reader.rest(keep)? })
        });
        let people = scope.spawn(|| Reader::open(path)?.people(id));
        let spans = spans(first, last, thread::available_parallelism().map_or(1, usize::from) as i64);
        let parts: Vec<_> = spans
            .into_iter()
            .map(|span| scope.spawn(move || Reader::open(path)?.journeys(id, span)))
            .collect();
        let mut journeys = Vec::with_capacity(usize::try_from(last).unwrap_or(0));
        for part in parts {
            journeys.extend(joined(part)?);
        }
        let campaign = Some(Campaign::from_rows(header, journeys));
        let (people, rest) = (joined(people)?, joined(rest)?);
        let others = reader.others(&people, rest.newest.iter().chain(&rest.inbox))?;
        Ok(Loaded { campaign, people, others, ..rest })
    })
}

/// Ids from `first` on, `count` of them, in as many parts as it is worth; the last part takes whatever follows.
fn spans(first: i64, count: i64, threads: i64) -> Vec<(i64, i64)> {
    let parts = (count / WORTH).clamp(1, threads.max(1));
    let begin = |part: i64| if part == 0 { 0 } else { first + count * part / parts };
    let end = |part: i64| if part + 1 == parts { i64::MAX } else { begin(part + 1) - 1 };
    (0..parts).map(|part| (begin(part), end(part))).collect()
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
    // A panic has been logged by its hook; the store is as it was.
    thread.join().unwrap_or(Err(StoreError::Gone))
}

#[cfg(test)]
mod tests {
    use super::spans;

    #[test]
    fn every_id_is_in_exactly_one_part() {
        for (first, count, threads) in [(1, 3, 8), (1, 2000, 2), (501, 100_001, 3), (7, 9999, 4), (1, 0, 2)] {
            let spans = spans(first, count, threads);
            assert!(spans.len() as i64 <= threads);
            assert_eq!((spans[0].0, spans[spans.len() - 1].1), (0, i64::MAX));
            assert!(spans.windows(2).all(|two| two[0].1 + 1 == two[1].0), "{spans:?}");
        }
        assert_eq!(spans(1, 100_000, 2), [(0, 50_000), (50_001, i64::MAX)]);
    }
}
