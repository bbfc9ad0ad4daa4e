//! Reads the customer list: real CSV as people have it, row by row, in bounded memory.
//!
//! Nothing is dropped in silence: a row is a [`Customer`], or a [`Reject`] with line and reason.

mod cells;
mod header;
mod rows;
mod seen;

use super::phones::{PhoneReader, UnknownRegion};
use super::{Problem, Severity};
use crate::model::{Customer, Untrusted, clean};
use cells::Cells;
use header::Header;
use rows::{Row, Rows, fields};
use seen::{Found, Seen};
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The delimiters that are told apart, by what the header has most of.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
/// Of the header, looked at to find the delimiter.
const SNIFF_BYTES: usize = 16 * 1024;
/// Warnings kept in full for each code; more are counted, since a million rows can have a million.
const WARNINGS_PER_CODE: u64 = 200;

/// A row that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line of the file on which the row starts, from 1.
    pub line: u64,
    /// Where in the row the wrong field begins, in characters from 1.
    pub column: u64,
    /// A stable word: `phone-short`, `duplicate`, `unreadable`.
    pub code: &'static str,
    /// What is wrong, in one sentence. Safe for a terminal.
    pub reason: String,
    /// What to do about it.
    pub hint: String,
    /// The field or row as it came.
    pub raw: Untrusted,
}

impl Reject {
    /// As `cascade check` lists it: a duplicate is a warning, anything else an error.
    pub fn problem(&self, file: &Path) -> Problem {
        let severity = if self.code == "duplicate" { Severity::Warning } else { Severity::Error };
        let shown = self.raw.screen();
        let shown: String = shown.chars().take(60).collect();
        let message =
            if shown.is_empty() { self.reason.clone() } else { format!("{}: \"{shown}\"", self.reason) };
        let (file, hint) = (file.to_owned(), self.hint.clone());
        Problem { severity, file, line: self.line, column: self.column, code: self.code, message, hint }
    }
}

/// Why a list cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file could not be read.
    #[error("the customer list {file} cannot be read: {source}", file = .file.display())]
    Io {
        /// The list.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `default_region` in `cascade.toml`.
    #[error(transparent)]
    Region(#[from] UnknownRegion),
    /// The header or the encoding is unusable; warnings stand among the errors.
    #[error("{}", first_error(.0))]
    Unusable(Vec<Problem>),
}

fn first_error(problems: &[Problem]) -> String {
    let first = problems.iter().find(|p| p.severity == Severity::Error);
    first.map_or_else(String::new, |p| format!("{}:{}: {}; {}", p.file.display(), p.line, p.message, p.hint))
}

/// A customer list that is being read. An iterator over its rows.
///
/// Beside the row at hand it keeps 20 to 40 bytes for each number (the number, its first line, and a hash of
/// the name there) to find duplicates and shared numbers: 36 MiB for a million customers.
pub struct CustomerList<R> {
    file: PathBuf,
    rows: Rows<R>,
    header: Header,
    phones: PhoneReader,
    /// Read ahead, to know whether there are any.
    first: Option<Row>,
    seen: Seen,
    warnings: Vec<Problem>,
    warned: HashMap<&'static str, u64>,
    failed: bool,
}

impl<R: Read> CustomerList<R> {
    /// Reads the header. `file` is named in problems, `default_region` is for numbers without a country.
    /// `source` needs no buffer of its own.
    ///
    /// A missing name or phone, a wrong encoding and a list without rows are errors.
    pub fn open(file: &Path, source: R, default_region: &str) -> Result<Self, ListError> {
        let phones = PhoneReader::new(default_region)?;
        let io_error = |source| ListError::Io { file: file.to_owned(), source };
        let mut rows = Rows::new(source);
        check_encoding(file, &mut rows).map_err(io_error)?.map_err(|p| ListError::Unusable(vec![p]))?;
        sniff_delimiter(&mut rows).map_err(io_error)?;
        let nothing = |line: u64, what: &str| Problem {
            severity: Severity::Error,
            file: file.to_owned(),
            line,
            column: 1,
            code: "no-customers",
            message: what.to_owned(),
            hint: "the first line names the columns (name, phone, segment), each further line is a customer"
                .into(),
        };
        let row = rows.next_row().map_err(io_error)?;
        let row = row.ok_or_else(|| ListError::Unusable(vec![nothing(1, "the list is empty")]))?;
        let cells: Vec<(usize, String)> = fields(&row.bytes, rows.delimiter())
            .into_iter()
            .map(|(at, field)| (characters(&row.bytes, at), String::from_utf8_lossy(&field).into_owned()))
            .collect();
        let mut problems = Vec::new();
        let header = Header::read(file, row.line, &cells, &mut problems);
        if problems.iter().any(|p| p.severity == Severity::Error) {
            return Err(ListError::Unusable(problems));
        }
        let mut list = Self {
            file: file.to_owned(),
            rows,
            header,
            phones,
            first: None,
            seen: Seen::default(),
            warnings: problems,
            warned: HashMap::new(),
            failed: false,
        };
        list.first = list.next_filled().map_err(io_error)?;
        if list.first.is_none() {
            return Err(ListError::Unusable(vec![nothing(
                row.line,
                "the list has a header and no customers",
            )]));
        }
        Ok(list)
    }

    /// The columns as content may name them: the program's own by the contract's names, all others as written.
    pub fn columns(&self) -> Vec<String> {
        let known = self.header.columns.iter().filter_map(header::Place::field);
        known.map(str::to_owned).chain(self.extra_columns()).collect()
    }

    /// The columns that are kept under their own header, as written.
    pub fn extra_columns(&self) -> Vec<String> {
        let extra = |place: &header::Place| match place {
            header::Place::Extra(name) => Some(name.clone()),
            header::Place::Known(_) => None,
        };
        self.header.columns.iter().filter_map(extra).collect()
    }

    /// What was odd about the rows read so far, though they were taken. Of each kind the first few hundred
    /// are kept; [`Self::warnings_left_out`] counts the others.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Warnings beyond those kept.
    pub fn warnings_left_out(&self) -> u64 {
        self.warned.values().map(|n| n.saturating_sub(WARNINGS_PER_CODE)).sum()
    }

    /// The next row with anything in it.
    fn next_filled(&mut self) -> io::Result<Option<Row>> {
        let delimiter = self.rows.delimiter();
        let is_blank =
            |row: &Row| row.bytes.iter().all(|&b| b == delimiter || b == b'"' || b.is_ascii_whitespace());
        loop {
            match self.rows.next_row()? {
                Some(row) if !row.unclosed && is_blank(&row) => {}
                row => return Ok(row),
            }
        }
    }

    fn customer(&mut self, row: &Row) -> Result<Customer, Reject> {
        let cells = Cells::of(row, self.rows.delimiter(), &self.header)?;
        let mut notes = Vec::new();
        let customer = cells.customer(&mut self.phones, &mut notes)?;
        let (phone_at, phone) = cells.phone_cell();
        match self.seen.add(&customer) {
            Found::New => {}
            Found::Duplicate { first } => {
                return Err(Reject {
                    line: row.line,
                    column: phone_at,
                    code: "duplicate",
                    reason: format!("the same name and number stand on line {first} already"),
                    hint: "remove one of the two rows".to_owned(),
                    raw: phone.into(),
                });
            }
            Found::Shared { first } => notes.push(cells::Note {
                column: phone_at,
                code: "shared-number",
                message: format!("the number of line {first}, with another name"),
                hint: "they are contacted one after the other, and an answer that names neither stops both",
            }),
        }
        for note in notes {
            self.warn(row.line, note);
        }
        Ok(customer)
    }

    fn warn(&mut self, line: u64, note: cells::Note) {
        let count = self.warned.entry(note.code).or_insert(0);
        *count += 1;
        if *count <= WARNINGS_PER_CODE {
            self.warnings.push(Problem {
                severity: Severity::Warning,
                file: self.file.clone(),
                line,
                column: note.column,
                code: note.code,
                message: clean(&note.message),
                hint: note.hint.to_owned(),
            });
        }
    }
}

impl<R: Read> Iterator for CustomerList<R> {
    type Item = Result<Customer, Reject>;

    /// A source that fails in the middle gives one reject of code `unreadable`, and the list ends.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = match self.first.take().map_or_else(|| self.next_filled(), |row| Ok(Some(row))) {
            Ok(row) => row?,
            Err(error) => {
                self.failed = true;
                return Some(Err(Reject {
                    line: self.rows.line(),
                    column: 1,
                    code: "unreadable",
                    reason: format!("the list cannot be read from here on: {}", clean(&error.to_string())),
                    hint: "the rows before this one were read; mend the file and read it again".to_owned(),
                    raw: Untrusted::default(),
                }));
            }
        };
        Some(self.customer(&row))
    }
}

/// The column of a byte of a row, in characters from 1. Bytes that are no UTF-8 count one each.
fn characters(row: &[u8], at: usize) -> usize {
    String::from_utf8_lossy(row.get(..at).unwrap_or_default()).chars().count() + 1
}

/// Leaves out a byte order mark; UTF-16 is named.
fn check_encoding<R: Read>(file: &Path, rows: &mut Rows<R>) -> io::Result<Result<(), Problem>> {
    let is_utf16 = match rows.peek(4)? {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        // Latin letters in UTF-16 have a zero byte each.
        [a, 0, b, 0] | [0, a, 0, b] => *a != 0 && *b != 0,
        [0xef, 0xbb, 0xbf, ..] => {
            rows.skip(3);
            false
        }
        _ => false,
    };
    if !is_utf16 {
        return Ok(Ok(()));
    }
    Ok(Err(Problem {
        severity: Severity::Error,
        file: file.to_owned(),
        line: 1,
        column: 1,
        code: "not-utf8",
        message: "this list is UTF-16, not UTF-8".to_owned(),
        hint: "save it as \"CSV UTF-8\"".to_owned(),
    }))
}

/// Takes the delimiter that the header has most of outside quotes; a first line `sep=;` says it outright.
fn sniff_delimiter<R: Read>(rows: &mut Rows<R>) -> io::Result<()> {
    rows.skip_empty_lines()?;
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter, b'\r' | b'\n', ..] = *rows.peek(6)? {
        rows.set_delimiter(delimiter);
        rows.next_row()?;
        return rows.skip_empty_lines();
    }
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for &byte in rows.peek(SNIFF_BYTES)? {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().zip(DELIMITERS).for_each(|(n, d)| *n += usize::from(byte == d)),
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    let found = DELIMITERS.iter().zip(counts).find(|&(_, n)| n == most && n > 0);
    rows.set_delimiter(found.map_or(b',', |(&d, _)| d));
    Ok(())
}
