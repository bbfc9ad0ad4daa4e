//! Reads the history file as a stream: the rows of one cascade stand together, and one cascade at a time is in memory.
//! A file in another order is said to be one, and [`gather`] reads it.

use super::rows::{BadRow, Column, Rows, Unreadable};
use super::{Cascade, Step};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::io::Read;

/// A cascade whose rows are being read.
struct Open {
    /// Its first row.
    first: csv::ByteRecord,
    /// `None` once one of its rows was bad.
    cascade: Option<Cascade>,
}

impl Open {
    /// Begins with the row that was just read.
    fn begin<R: Read>(rows: &Rows<R>) -> (Self, Result<(), BadRow>) {
        let first = rows.row().clone();
        match rows.head() {
            Ok(cascade) => {
                let mut open = Self { first, cascade: Some(cascade) };
                let added = open.add(rows);
                (open, added)
            }
            Err(bad) => (Self { first, cascade: None }, Err(bad)),
        }
    }

    /// Adds the step of the row that was just read.
    fn add<R: Read>(&mut self, rows: &Rows<R>) -> Result<(), BadRow> {
        let differs = |column: &Column| rows.cell(*column) != rows.cell_of(&self.first, *column);
        if let Some(column) = Column::HEAD.into_iter().find(differs) {
            self.cascade = None;
            return Err(rows.bad(Some(column), "the cascade's first row says something else"));
        }
        let Some(cascade) = &mut self.cascade else { return Ok(()) };
        match rows.step(&cascade.steps) {
            Ok(step) => cascade.steps.push(step),
            Err(bad) => {
                self.cascade = None;
                return Err(bad);
            }
        }
        Ok(())
    }

    fn finish(self) -> Option<Cascade> {
        let mut cascade = self.cascade?;
        cascade.steps.sort_by_key(|step: &Step| step.step);
        Some(cascade)
    }
}

/// Cascades of a file, in its order, and the rows that cannot be used.
pub struct Reader<R> {
    rows: Rows<R>,
    open: Option<Open>,
    bad: Option<BadRow>,
    hasher: RandomState,
    ended: HashSet<u64>,
    is_scattered: bool,
    left_out: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the header. Commas, semicolons or tabs; columns in any order; unknown ones are ignored.
    pub fn new(input: R) -> Result<Self, Unreadable> {
        let rows = Rows::new(input)?;
        let (hasher, ended) = (RandomState::new(), HashSet::new());
        Ok(Self { rows, open: None, bad: None, hasher, ended, is_scattered: false, left_out: 0 })
    }

    /// Whether a row came whose cascade had ended before: what was read so far is worth nothing then, and [`gather`]
    /// reads the file in any order.
    pub const fn is_scattered(&self) -> bool {
        self.is_scattered
    }

    /// Cascades so far that were left out for a bad row.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Ends the open cascade and opens another; the ended one, unless a row of it was bad.
    fn turn_to(&mut self, next: Option<Open>) -> Option<Cascade> {
        let ended = std::mem::replace(&mut self.open, next)?;
        self.ended.insert(self.hasher.hash_one(self.rows.cell_of(&ended.first, Column::Cascade)));
        let whole = ended.finish();
        self.left_out += u64::from(whole.is_none());
        whole
    }

    /// Takes the row that was just read in; gives the cascade that it ended.
    fn take(&mut self) -> Result<Option<Cascade>, BadRow> {
        let id = self.rows.cell(Column::Cascade);
        if let Some(open) =
            self.open.as_mut().filter(|open| self.rows.cell_of(&open.first, Column::Cascade) == id)
        {
            return open.add(&self.rows).map(|()| None);
        }
        if self.ended.contains(&self.hasher.hash_one(id)) {
            self.is_scattered = true;
            let reason = "other cascades stand between the rows of this one";
            return Err(self.rows.bad(Some(Column::Cascade), reason));
        }
        let (next, begun) = Open::begin(&self.rows);
        let ended = self.turn_to(Some(next));
        // With a whole cascade to give, what is wrong with the next one's row has to wait for the next call.
        match (ended, begun) {
            (None, Err(bad)) => Err(bad),
            (ended, begun) => {
                self.bad = begun.err();
                Ok(ended)
            }
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Cascade, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(bad) = self.bad.take() {
            return Some(Err(bad));
        }
        loop {
            match self.rows.advance() {
                Ok(false) => return self.turn_to(None).map(Ok),
                Ok(true) => {}
                Err(bad) => return Some(Err(bad)),
            }
            match self.take() {
                Ok(None) => {}
                Ok(Some(cascade)) => return Some(Ok(cascade)),
                Err(bad) => return Some(Err(bad)),
            }
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
    /// How many cascades were left out for one.
    pub left_out: u64,
}

/// Reads a file in any order, all of it into memory.
pub fn gather(input: impl Read) -> Result<Gathered, Unreadable> {
    let mut rows = Rows::new(input)?;
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
            let (open, begun) = Open::begin(&rows);
            places.insert(rows.cell(Column::Cascade).to_vec(), opened.len());
            opened.push(open);
            begun
        };
        bad.extend(taken.err());
    }
    let all = opened.len();
    let cascades: Vec<Cascade> = opened.into_iter().filter_map(Open::finish).collect();
    let left_out = (all - cascades.len()) as u64;
    Ok(Gathered { cascades, bad, left_out })
}
