//! The history file in parts that several threads read at once. A part ends where a cascade ends, so that none needs to
//! know of another.

use super::Cascade;
use super::read::{Ended, each};
use super::rows::{BadRow, Layout, Rows, Unreadable, count};
use std::hash::{BuildHasher as _, RandomState};
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes of a part, or a little less.
const PART: usize = 4 << 20;

/// What a file came to.
#[derive(Debug)]
pub struct Parts<T> {
    /// What was made of its parts, in the order of the file.
    pub parts: Vec<T>,
    /// The rows that cannot be used.
    pub bad: Vec<BadRow>,
    /// Cascades that were left out for a bad row.
    pub left_out: u64,
    /// Other cascades stand between the rows of one: what was read is worth nothing then, and [`gather`](super::gather)
    /// reads the file in any order.
    pub is_scattered: bool,
}

/// Reads a file by so many threads. Every part becomes a `T`, to which `add` adds the part's cascades in their order;
/// who reads which part changes nothing.
///
/// The columns may stand in any order, between commas, semicolons or tabs; unknown ones are ignored.
pub fn read<T: Default + Send>(
    input: impl Read + Send,
    threads: usize,
    add: impl Fn(&mut T, &Cascade) + Sync,
) -> Result<Parts<T>, Unreadable> {
    in_parts(input, threads, PART, add)
}

fn in_parts<T: Default + Send>(
    input: impl Read + Send,
    threads: usize,
    size: usize,
    add: impl Fn(&mut T, &Cascade) + Sync,
) -> Result<Parts<T>, Unreadable> {
    let file = Mutex::new(Cutter::new(input, size)?);
    let hasher = RandomState::new();
    let work = || {
        let (mut done, mut bytes) = (Vec::new(), Vec::new());
        loop {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(number) = file.next(&mut bytes)? else { return Ok(done) };
            let layout = file.layout;
            drop(file);
            let (mut made, mut bad) = (T::default(), Vec::new());
            let ended = each(
                Rows::of(&bytes, &layout, 0),
                |id| hasher.hash_one(id),
                |read| match read {
                    Ok(cascade) => add(&mut made, cascade),
                    Err(row) => bad.push(row),
                },
            );
            done.push(Part { number, made, bad, ended, lines: count(&bytes, b'\n') });
        }
    };
    let read: Vec<Result<Vec<Part<T>>, Unreadable>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).collect()
    });
    let mut parts =
        read.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect::<Vec<_>>();
    parts.sort_unstable_by_key(|part| part.number);
    let lines = file.into_inner().unwrap_or_else(PoisonError::into_inner).lines;
    Ok(joined(parts, lines))
}

/// A part that was read.
struct Part<T> {
    number: usize,
    made: T,
    bad: Vec<BadRow>,
    ended: Ended,
    /// How many lines it has.
    lines: u64,
}

/// Puts parts together that so many lines stand before.
fn joined<T>(parts: Vec<Part<T>>, mut lines: u64) -> Parts<T> {
    let mut all = Parts { parts: Vec::new(), bad: Vec::new(), left_out: 0, is_scattered: false };
    let mut ids = Vec::new();
    for part in parts {
        all.bad.extend(part.bad.into_iter().map(|row| BadRow { line: row.line + lines, ..row }));
        lines += part.lines;
        all.left_out += part.ended.left_out;
        ids.extend(part.ended.ids);
        all.parts.push(part.made);
    }
    ids.sort_unstable();
    all.is_scattered = ids.windows(2).any(|two| two[0] == two[1]);
    all
}

/// Cuts a file.
struct Cutter<R> {
    input: R,
    layout: Layout,
    /// Lines of the header.
    lines: u64,
    /// Bytes that were read and not yet given.
    rest: Vec<u8>,
    size: usize,
    next: usize,
    is_at_end: bool,
}

impl<R: Read> Cutter<R> {
    /// Reads the header.
    fn new(input: R, size: usize) -> Result<Self, Unreadable> {
        let (mut input, mut rest, mut is_at_end) = (input, Vec::new(), false);
        while !is_at_end && !rest.contains(&b'\n') {
            let wanted = rest.len() + size;
            is_at_end = fill(&mut input, &mut rest, wanted)?;
        }
        let layout = Layout::of(&rest)?;
        let lines = count(&rest[..layout.header], b'\n');
        rest.drain(..layout.header);
        Ok(Self { input, layout, lines, rest, size, next: 0, is_at_end })
    }

    /// Puts the next part in the place of `bytes`, and says which it is.
    fn next(&mut self, bytes: &mut Vec<u8>) -> Result<Option<usize>, Unreadable> {
        bytes.clear();
        bytes.append(&mut self.rest);
        let mut wanted = self.size;
        loop {
            self.is_at_end = self.is_at_end || fill(&mut self.input, bytes, wanted)?;
            if self.is_at_end {
                break;
            }
            if let Some(at) = self.layout.last_border(bytes) {
                self.rest.extend_from_slice(&bytes[at..]);
                bytes.truncate(at);
                break;
            }
            wanted *= 2;
        }
        let number = self.next;
        self.next += 1;
        Ok((!bytes.is_empty()).then_some(number))
    }
}

/// Reads on until there are so many bytes; true at the end.
fn fill(input: &mut impl Read, bytes: &mut Vec<u8>, wanted: usize) -> Result<bool, Unreadable> {
    let missing = wanted.saturating_sub(bytes.len());
    let read = input.take(missing as u64).read_to_end(bytes);
    read.map(|read| read < missing).map_err(|fault| Unreadable::Bytes(fault.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::history::{Step, gather, write_header, write_rows};
    use crate::model::{At, Channel, Money, Segment};

    /// Three cascades in four have two steps, whose rows must stay together.
    fn cascade(id: u32) -> Cascade {
        let step = |step: u32| Step {
            step,
            channel: Channel::ALL[step as usize % 3],
            sent_at: Some(At::from_secs(i64::from(1_767_621_600 + id * 60 + step))),
            window_s: Some(3_600),
            delivered_at: None,
            bounced_at: None,
            converted_at: None,
            opted_out_at: None,
            cost: Money::ZERO,
        };
        Cascade {
            id: format!("c{id}").as_str().into(),
            segment: Segment(["plain", "two lines, \"quoted\"", "=2"][id as usize % 3].into()),
            launched_at: At::from_secs(i64::from(1_767_621_600 + id * 60)),
            steps: (1..=if id.is_multiple_of(4) { 1 } else { 2 }).map(step).collect(),
            ..Cascade::default()
        }
    }

    fn text(ids: impl Iterator<Item = u32>) -> String {
        let mut out = Vec::new();
        write_header(&mut out).unwrap();
        ids.for_each(|id| write_rows(&mut out, &cascade(id)).unwrap());
        String::from_utf8(out).unwrap()
    }

    type Found = (Vec<Cascade>, Vec<BadRow>, u64, bool);

    fn found(text: &str, threads: usize, size: usize) -> Found {
        let add = |all: &mut Vec<Cascade>, cascade: &Cascade| all.push(cascade.clone());
        let done = in_parts(text.as_bytes(), threads, size, add).unwrap();
        (done.parts.concat(), done.bad, done.left_out, done.is_scattered)
    }

    #[test]
    fn no_part_needs_another_one() {
        // Other platforms write lines within quotes.
        let clean = text(0..60).replace("two lines", "two\n\nlines");
        let spoilt = clean.replace("c17,", "c17 ,").replacen("2026-01-05T14:5", "yesterday", 9);
        let windows = format!("\u{feff}{}\r\n\r\n", spoilt.replace('\n', "\r\n"));
        for text in [&clean, &spoilt, &windows] {
            let whole = found(text, 1, text.len() + 1);
            assert!(whole.0.len() > 50 && !whole.3, "{:?}", whole.1);
            for size in [1, 64, 200, 333, 1_000, 5_000] {
                for threads in [1, 3] {
                    assert!(found(text, threads, size) == whole, "{size} bytes by {threads}");
                }
            }
            let gathered = gather(text.as_bytes()).unwrap();
            assert!((gathered.cascades, gathered.bad, gathered.left_out) == (whole.0, whole.1, whole.2));
        }
        assert_eq!(found(&text(0..60), 2, 700).0, (0..60).map(cascade).collect::<Vec<_>>());
        assert_eq!(found(&clean, 2, 700).0[1].segment.0, "two\n\nlines, \"quoted\"");
        assert!(found(&spoilt, 2, 700).1.len() >= 3);
    }

    #[test]
    fn a_bad_row_is_named_by_its_line_in_any_part() {
        let good = text((0..40).filter(|id| id % 3 == 0));
        let bad =
            good.replace("c33,plain,sms", "c33,plain,smoke").replace("c33,plain,whatsapp", "c33,plain,smoke");
        let line = 1 + bad.lines().position(|line| line.contains("smoke")).unwrap() as u64;
        for text in [bad.clone(), bad.replace('\n', "\r\n")] {
            for size in [300, 100_000] {
                let lines: Vec<u64> = found(&text, 2, size).1.iter().map(|row| row.line).collect();
                assert_eq!(lines, [line], "{size}");
            }
        }
    }

    #[test]
    fn a_cascade_in_two_places_is_seen_from_any_part() {
        let scattered = text((0..50).chain(3..4));
        for size in [300, 1_000, 100_000] {
            assert!(found(&scattered, 2, size).3, "{size}");
        }
    }

    #[test]
    fn a_file_without_an_end_of_line_is_one_part() {
        let old = text(0..9).replace('\n', "\r");
        assert_eq!(found(&old, 2, 64).0.len(), 9);
        assert_eq!(found(text(0..0).trim_end(), 2, 64).0, []);
    }
}
