//! What a death leaves of files that were being written: everything up to some moment, and nothing behind it. A commit
//! writes in this order: the ids that it takes (waited for), its opt-outs (waited for), its frames (waited for),
//! sometimes the pages of the file itself, and how far the store came (not waited for).

use super::files::{DB, Files, INDEX, LOG, MARK, OPT_OUTS, WATER};
use super::log::{Place, Written};
use crate::random::Draw;
use std::ops::Range;

/// SQLite's pages, in this program.
const PAGE: usize = 4096;

/// At a moment before a commit is whole, and which; `begun`: everything is there that comes before its frames.
pub fn within_commit(
    before: &Files,
    begun: &Files,
    after: &Files,
    draw: Draw,
) -> Result<(Files, &'static str), String> {
    let mut files = before.clone();
    let stage = draw.named("stage").below(10);
    if stage == 0 {
        return Ok((files, "cut before the first byte"));
    }
    files.put(MARK, begun.get(MARK).to_vec());
    let (old, new) = (before.get(OPT_OUTS), begun.get(OPT_OUTS));
    if old != new && stage < 4 {
        let cut = draw.named("opt-outs").between(old.len() as u64, new.len() as u64 - 1) as usize;
        files.put(OPT_OUTS, new[..cut].to_vec());
        return Ok((files, "cut in the opt-outs"));
    }
    files.put(OPT_OUTS, new.to_vec());
    let written = Written::between(before.get(LOG), after.get(LOG))?;
    let places = written.places();
    let place = places[draw.named("place").below(places.len() as u64) as usize];
    files.put(LOG, written.torn(place));
    Ok((
        files,
        match place {
            Place::Header(_) => "cut in a new log's header",
            Place::Boundary(_) => "cut between frames",
            Place::Frame(_) => "cut within a frame",
            Place::Missing(_) => "a frame missing",
        },
    ))
}

/// At each moment at which some of a commit's frames are written.
pub fn each_within_commit(begun: &Files, after: &Files) -> Result<Vec<Files>, String> {
    let written = Written::between(begun.get(LOG), after.get(LOG))?;
    let torn = |place| {
        let mut files = begun.clone();
        files.put(LOG, written.torn(place));
        files
    };
    Ok(written.places().into_iter().map(torn).collect())
}

/// At a moment after a commit was whole, and before anybody was told.
pub fn behind_commit(begun: &Files, after: &Files, draw: Draw) -> (Files, &'static str) {
    let mut files = after.clone();
    if draw.named("mark").hits(500) {
        files.put(MARK, begun.get(MARK).to_vec());
    }
    if begun.get(DB) == after.get(DB) {
        return (files, "whole, and not told");
    }
    files.put(DB, mixed(begun.get(DB), after.get(DB), draw.named("pages")));
    (files, "whole, and cut while the log went into the file")
}

/// At a moment while the store was being closed: the log goes into the file, is removed, and the mark says so.
pub fn within_close(before: &Files, after: &Files, draw: Draw) -> (Files, &'static str) {
    let mut files = before.clone();
    let stage = draw.named("stage").below(3);
    if stage == 0 {
        files.put(DB, mixed(before.get(DB), after.get(DB), draw.named("pages")));
        return (files, "closing, and cut while the log went into the file");
    }
    files.put(DB, after.get(DB).to_vec());
    if stage == 1 {
        return (files, "closing, and cut before the log was removed");
    }
    files.remove(LOG);
    (files, "closing, and cut before it was marked so")
}

/// The power fails, too: what nobody waited for may be as it was at any time before, and what stood in memory is gone.
pub fn power_fails(files: &mut Files, waters: &[Vec<u8>], draw: Draw) {
    files.remove(INDEX);
    let water = &waters[draw.named("water").below(waters.len() as u64) as usize];
    set(files, WATER, water);
    if draw.named("torn").hits(200) {
        // A sector that the disk was writing, and that can no longer be read.
        set(files, WATER, &[0x5a; WATER.end - WATER.start]);
    }
}

fn set(files: &mut Files, place: Range<usize>, record: &[u8]) {
    let mut mark = files.get(MARK).to_vec();
    mark.splice(place, record.iter().copied());
    files.put(MARK, mark);
}

/// Some pages are written, and some are not yet.
fn mixed(before: &[u8], after: &[u8], draw: Draw) -> Vec<u8> {
    let mut file = before.to_vec();
    for (n, page) in after.chunks(PAGE).enumerate().filter(|(n, _)| draw.of(*n as u64).hits(500)) {
        let at = n * PAGE;
        file.resize(file.len().max(at + page.len()), 0);
        file[at..at + page.len()].copy_from_slice(page);
    }
    file
}
