//! Cascades out of rows. A cascade's rows stand together, so that one at a time is in memory; a file in another order is
//! said to be one, and [`gather`] reads it.

use super::rows::{BadRow, Column, Layout, Rows, Unreadable, count};
use super::{Cascade, Step};
use std::collections::HashMap;
use std::io::Read;

/// A cascade whose rows are being read. It is filled again and again.
#[derive(Debug, Default)]
struct Open {
    /// Its first row; empty where none is open.
    first: csv::ByteRecord,
    cascade: Cascade,
    /// None of its rows was bad.
    is_whole: bool,
}

impl Open {
    /// Begins with the row that was just read, and keeps it.
    fn begin(&mut self, rows: &mut Rows<'_>) -> Result<(), BadRow> {
        self.is_whole = false;
        let read = rows.head(&mut self.cascade).and_then(|()| rows.step(&self.cascade.steps));
        let read = read.map(|step| self.cascade.steps.push(step));
        self.is_whole = read.is_ok();
        rows.swap(&mut self.first);
        read
    }

    /// Adds the step of the row that was just read.
    fn add(&mut self, rows: &Rows<'_>) -> Result<(), BadRow> {
        let differs = |column: &Column| rows.cell(*column) != rows.cell_of(&self.first, *column);
        let read = match Column::HEAD.into_iter().find(differs) {
            Some(column) => Err(rows.bad(Some(column), "the cascade's first row says something else")),
            None if !self.is_whole => return Ok(()),
            None => rows.step(&self.cascade.steps),
        };
        self.is_whole = read.is_ok();
        read.map(|step| self.cascade.steps.push(step))
    }

    /// The cascade with its steps in order, unless a row of it was bad.
    fn finish(&mut self) -> Option<&Cascade> {
        let place = |step: &Step| step.step;
        if self.is_whole && !self.cascade.steps.is_sorted_by_key(place) {
            self.cascade.steps.sort_by_key(place);
        }
        self.is_whole.then_some(&self.cascade)
    }
}

/// What is known of rows that were read in their order.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// A digest of each cascade's id, in the order of the file.
    pub(super) ids: Vec<u64>,
    /// Cascades that were left out for a bad row.
    pub(super) left_out: u64,
}

/// Gives every cascade of rows in their order to `take`, and the rows that cannot be used.
pub(super) fn each(
    mut rows: Rows<'_>,
    digest: impl Fn(&[u8]) -> u64,
    mut take: impl FnMut(Result<&Cascade, BadRow>),
) -> Ended {
    let (mut open, mut ended) = (Open::default(), Ended::default());
    loop {
        let is_row = match rows.advance() {
            Ok(is_row) => is_row,
            Err(bad) => {
                take(Err(bad));
                continue;
            }
        };
        let id = rows.cell_of(&open.first, Column::Cascade);
        let is_open = !open.first.is_empty();
        let read = if is_row && is_open && rows.cell(Column::Cascade) == id {
            open.add(&rows)
        } else {
            if is_open {
                ended.ids.push(digest(id));
                match open.finish() {
                    Some(cascade) => take(Ok(cascade)),
                    None => ended.left_out += 1,
                }
            }
            if !is_row {
                return ended;
            }
            open.begin(&mut rows)
        };
        if let Err(bad) = read {
            take(Err(bad));
        }
    }
}

/// What a file holds whose rows stand in any order.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// The cascades that are whole, in the order of their first rows.
    pub cascades: Vec<Cascade>,
    /// The rows that cannot be used.
    pub bad: Vec<BadRow>,
    /// Cascades that were left out for a bad row.
    pub left_out: u64,
}

/// Reads a file in any order, all of it into memory.
pub fn gather(mut input: impl Read) -> Result<Gathered, Unreadable> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|fault| Unreadable::Bytes(fault.to_string()))?;
    let layout = Layout::of(&bytes)?;
    let (header, bytes) = bytes.split_at(layout.header);
    let mut rows = Rows::of(bytes, &layout, count(header, b'\n'));
    let (mut opened, mut places, mut bad) =
        (Vec::<Open>::new(), HashMap::<Vec<u8>, usize>::new(), Vec::new());
    loop {
        match rows.advance() {
            Ok(false) => break,
            Ok(true) => {}
            Err(row) => {
                bad.push(row);
                continue;
            }
        }
        let place = places.get(rows.cell(Column::Cascade)).and_then(|&at| opened.get_mut(at));
        let taken = if let Some(open) = place {
            open.add(&rows)
        } else {
            places.insert(rows.cell(Column::Cascade).to_vec(), opened.len());
            let mut open = Open::default();
            let begun = open.begin(&mut rows);
            opened.push(open);
            begun
        };
        bad.extend(taken.err());
    }
    let all = opened.len();
    let whole = |open: &mut Open| open.finish().is_some();
    let cascades: Vec<Cascade> =
        opened.into_iter().filter_map(|mut open| whole(&mut open).then_some(open.cascade)).collect();
    let left_out = (all - cascades.len()) as u64;
    Ok(Gathered { cascades, bad, left_out })
}
