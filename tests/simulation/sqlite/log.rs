//! A write-ahead log byte by byte, as SQLite's file format describes it. Read by a few lines of our own, so that a cut
//! can be shown to take nothing that was acknowledged.

use std::iter;
use std::ops::Range;

/// Bytes before the first frame, and of a frame before its page.
const HEADER: usize = 32;
const FRAME: usize = 24;

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn page(log: &[u8]) -> usize {
    word(log, 8) as usize
}

/// SQLite's own sum, over words in the byte order that the log's first bytes name.
fn sum(mut sum: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let word = |at| if big_endian { word(pair, at) } else { word(pair, at).swap_bytes() };
        sum.0 = sum.0.wrapping_add(word(0)).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(word(4)).wrapping_add(sum.0);
    }
    sum
}

/// Where the last commit ends that is whole, 0 where there is none: what stands behind it counts for nothing.
fn committed(log: &[u8]) -> usize {
    let Some(header) = log.get(..HEADER) else { return 0 };
    let big_endian = word(header, 0) & 1 == 1;
    let mut so_far = sum((0, 0), &header[..FRAME], big_endian);
    if so_far != (word(header, 24), word(header, 28)) {
        return 0;
    }
    let (mut at, mut end) = (HEADER, 0);
    while let Some(frame) = log.get(at..at + FRAME + page(header)) {
        so_far = sum(sum(so_far, &frame[..8], big_endian), &frame[FRAME..], big_endian);
        if frame[8..16] != header[16..24] || so_far != (word(frame, 16), word(frame, 20)) {
            break;
        }
        at += frame.len();
        // The last frame of a commit says how many pages the file then has.
        if word(frame, 4) != 0 {
            end = at;
        }
    }
    end
}

/// Where a write of a commit may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The log was begun anew, and not even its header is whole.
    Header(usize),
    /// Between two frames.
    Boundary(usize),
    /// Within a frame.
    Frame(usize),
    /// This frame is missing, and those behind it are there: a disk writes in any order until it is told to wait.
    Missing(usize),
}

/// What one commit wrote.
#[derive(Debug)]
pub struct Written<'a> {
    before: &'a [u8],
    after: &'a [u8],
    /// In `after`. What stands before it was acknowledged.
    bytes: Range<usize>,
}

impl<'a> Written<'a> {
    /// By the log before and after it. Refused where bytes of an acknowledged commit are no longer what they were.
    pub fn between(before: &'a [u8], after: &'a [u8]) -> Result<Self, String> {
        // A log with another header was begun anew, once the file itself held everything.
        let goes_on = before.len() >= HEADER && after.starts_with(&before[..HEADER]);
        let begins = if goes_on { committed(before).max(HEADER) } else { 0 };
        let bytes = begins..committed(after);
        if after.get(..begins) != before.get(..begins) {
            return Err("6: a commit wrote over one that was acknowledged".into());
        }
        if bytes.is_empty() {
            return Err("6: a commit was acknowledged that is not in the log".into());
        }
        Ok(Self { before, after, bytes })
    }

    /// Where it begins.
    pub fn begins(&self) -> usize {
        self.bytes.start
    }

    fn frames(&self) -> impl Iterator<Item = usize> + Clone {
        (self.bytes.start.max(HEADER)..self.bytes.end).step_by(FRAME + page(self.after))
    }

    /// Everywhere that the write may have ended before the commit was whole: never before it began.
    pub fn places(&self) -> Vec<Place> {
        let page = page(self.after);
        let header = (self.bytes.start == 0).then_some([0, 12, 31].map(Place::Header));
        let frames = self.frames().flat_map(|begins| {
            let within = [1, FRAME / 2, FRAME, FRAME + page / 2, FRAME + page - 1];
            let within = within.map(|bytes| Place::Frame(begins + bytes));
            iter::once(Place::Boundary(begins)).chain(within).chain([Place::Missing(begins)])
        });
        header.into_iter().flatten().chain(frames).collect()
    }

    /// The log as it then is: behind the place stands what stood there before.
    pub fn torn(&self, place: Place) -> Vec<u8> {
        let cut = match place {
            Place::Header(cut) | Place::Boundary(cut) | Place::Frame(cut) => cut,
            Place::Missing(begins) => begins,
        };
        let old = self.before.get(cut..).unwrap_or_default();
        let mut log = self.after[..cut].to_vec();
        match place {
            Place::Header(_) | Place::Boundary(_) | Place::Frame(_) => log.extend_from_slice(old),
            Place::Missing(_) => {
                let length = FRAME + page(self.after);
                log.extend(old.iter().copied().chain(iter::repeat(0)).take(length));
                log.extend_from_slice(&self.after[cut + length..]);
            }
        }
        // Where the old bytes are the new ones by chance, nothing would be torn: they are left away.
        if committed(&log) == self.bytes.end {
            log.truncate(cut);
        }
        log
    }
}
