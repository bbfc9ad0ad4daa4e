//! The rows of a history file: cells into values, and what is wrong with one named by line and column.

use super::{COLUMNS, Cascade, Step};
use crate::learning::DAY_MS;
use crate::model::{At, Channel, Money, sinks};
use std::cell::Cell;

/// Columns without which nothing can be computed; the others count as empty where they are missing.
const REQUIRED: [Column; 8] = [
    Column::Cascade,
    Column::Segment,
    Column::Start,
    Column::LaunchedAt,
    Column::Channel,
    Column::SentAt,
    Column::ConvertedAt,
    Column::Cost,
];

/// No wait is longer, in seconds.
const YEAR_S: f64 = 366.0 * 86_400.0;

/// In the order of [`COLUMNS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Cascade,
    Segment,
    Start,
    Propensity,
    Rules,
    LaunchedAt,
    Step,
    Channel,
    SentAt,
    WindowS,
    DeliveredAt,
    BouncedAt,
    ConvertedAt,
    OptedOutAt,
    Cost,
}

impl Column {
    /// Columns that say the same on all rows of a cascade.
    pub(super) const HEAD: [Self; 6] =
        [Self::Cascade, Self::Segment, Self::Start, Self::Propensity, Self::Rules, Self::LaunchedAt];

    const fn name(self) -> &'static str {
        COLUMNS[self as usize]
    }
}

/// A row that cannot be used. Its whole cascade is left out: without a step, neither cost nor outcome would be true.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {reason}", .column.map(|name| format!(", column {name}")).unwrap_or_default())]
pub struct BadRow {
    /// The line on which the row starts, from 1.
    pub line: u64,
    /// The column that is wrong, where it is one.
    pub column: Option<&'static str>,
    /// What is wrong, and what to write.
    pub reason: String,
}

/// Why nothing in a file can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The header lacks columns.
    #[error("line 1: no column {0}; the columns of a history file are {all}", all = COLUMNS.join(","))]
    Columns(String),
    /// The bytes could not be read.
    #[error("it cannot be read: {0}")]
    Bytes(String),
}

/// Where the cells of a file stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    delimiter: u8,
    places: [Option<usize>; COLUMNS.len()],
    /// Bytes of the header, and of the mark in front of it.
    pub(super) header: usize,
}

impl Layout {
    /// Reads the header at the beginning of a file: commas, semicolons or tabs; columns in any order; unknown ones are
    /// ignored.
    pub(super) fn of(ahead: &[u8]) -> Result<Self, Unreadable> {
        let mark: &[u8] = b"\xef\xbb\xbf";
        let bare = ahead.strip_prefix(mark).unwrap_or(ahead);
        let line = bare.split(|b| *b == b'\n').next().unwrap_or_default();
        let delimiter = [b';', b'\t'].into_iter().find(|d| line.contains(d)).unwrap_or(b',');
        let mut layout = Self { delimiter, places: Default::default(), header: ahead.len() - bare.len() };
        let (mut csv, mut header) = (layout.csv(bare), csv::ByteRecord::new());
        let read = csv.read_byte_record(&mut header);
        read.map_err(|fault| Unreadable::Bytes(fault.to_string()))?;
        layout.header += csv.position().byte() as usize;
        let place = |name: &str| header.iter().position(|cell| cell.trim_ascii() == name.as_bytes());
        layout.places = COLUMNS.map(place);
        let missing = REQUIRED.iter().filter(|column| layout.places[**column as usize].is_none());
        let missing: Vec<&str> = missing.map(|column| column.name()).collect();
        if missing.is_empty() { Ok(layout) } else { Err(Unreadable::Columns(missing.join(", "))) }
    }

    fn csv<'a>(&self, bytes: &'a [u8]) -> csv::Reader<&'a [u8]> {
        let mut csv = csv::ReaderBuilder::new();
        csv.delimiter(self.delimiter).flexible(true).has_headers(false).buffer_capacity(1 << 16);
        csv.from_reader(bytes)
    }

    /// The last place at which the rows of one cascade have ended and those of another begin.
    pub(super) fn last_border(&self, bytes: &[u8]) -> Option<usize> {
        // The end of a line is no row's end within quotes: where an odd number of them stands before it.
        let mut quotes = count(bytes, b'"');
        let (mut end, mut starts) = (bytes.len(), [None; 2]);
        while let Some(at) = bytes[..end].iter().rposition(|b| *b == b'\n') {
            quotes -= count(&bytes[at..end], b'"');
            end = at;
            if quotes % 2 == 1 {
                continue;
            }
            if let [Some(second), Some(third)] = starts
                && let Some(one) = self.id_of(&bytes[at + 1..second])
                && let Some(other) = self.id_of(&bytes[second..third])
                && one != other
            {
                return Some(second);
            }
            starts = [Some(at + 1), starts[0]];
        }
        None
    }

    /// The cascade of one row; `None`: it is empty.
    fn id_of(&self, row: &[u8]) -> Option<Vec<u8>> {
        let mut record = csv::ByteRecord::new();
        let is_row = self.csv(row).read_byte_record(&mut record).ok()?;
        let id = self.places[Column::Cascade as usize].and_then(|at| record.get(at));
        id.filter(|_| is_row).map(|id| id.trim_ascii().to_vec())
    }
}

/// How often a byte stands there.
pub(super) fn count(bytes: &[u8], wanted: u8) -> u64 {
    // In pieces whose count fits a byte, so that many are compared at once.
    let of = |piece: &[u8]| piece.iter().map(|byte| u8::from(*byte == wanted)).sum::<u8>();
    bytes.chunks(usize::from(u8::MAX)).map(|piece| u64::from(of(piece))).sum()
}

/// Rows, one at a time.
pub(super) struct Rows<'a> {
    csv: csv::Reader<&'a [u8]>,
    bytes: &'a [u8],
    layout: Layout,
    row: csv::ByteRecord,
    /// Bytes up to which lines were counted, and how many there are.
    counted: Cell<(usize, u64)>,
    /// The date that was read last, and its midnight.
    last_date: Cell<([u8; 10], i64)>,
}

impl<'a> Rows<'a> {
    /// The rows in these bytes, without a header, before which so many lines stand.
    pub(super) fn of(bytes: &'a [u8], layout: &Layout, lines: u64) -> Self {
        let (csv, row) = (layout.csv(bytes), csv::ByteRecord::new());
        Self { csv, bytes, layout: *layout, row, counted: Cell::new((0, lines)), last_date: Cell::default() }
    }

    /// Goes on to the next row; false at the end.
    pub(super) fn advance(&mut self) -> Result<bool, BadRow> {
        let read = self.csv.read_byte_record(&mut self.row);
        read.map_err(|fault| self.bad(None, format!("it cannot be read: {fault}")))
    }

    /// Exchanges the row that was read last.
    pub(super) const fn swap(&mut self, other: &mut csv::ByteRecord) {
        std::mem::swap(&mut self.row, other);
    }

    /// The bytes of a cell; empty where the row or the file lacks it.
    pub(super) fn cell(&self, column: Column) -> &[u8] {
        self.cell_of(&self.row, column)
    }

    /// The same of another row.
    pub(super) fn cell_of<'r>(&self, row: &'r csv::ByteRecord, column: Column) -> &'r [u8] {
        self.layout.places[column as usize].and_then(|at| row.get(at)).unwrap_or_default().trim_ascii()
    }

    pub(super) fn bad(&self, column: Option<Column>, reason: impl Into<String>) -> BadRow {
        let at = self.row.position().map_or(0, |at| at.byte() as usize);
        BadRow { line: self.line_of(at), column: column.map(Column::name), reason: reason.into() }
    }

    /// The line on which the row behind these bytes begins: what ends the line before is none of it. Asked in the order
    /// of the rows.
    fn line_of(&self, at: usize) -> u64 {
        let (from, lines) = self.counted.get();
        let ends = self.bytes[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let lines = lines + count(self.bytes.get(from..at + ends).unwrap_or_default(), b'\n');
        self.counted.set((from.max(at + ends), lines));
        lines + 1
    }

    fn wrong(&self, column: Column, wanted: &str) -> BadRow {
        let cell = String::from_utf8_lossy(self.cell(column));
        let found: String = sinks::screen(&cell).chars().take(40).collect();
        let found =
            if found.is_empty() { "it is empty".into() } else { format!("“{found}” stands here") };
        self.bad(Some(column), format!("{found}; {wanted}"))
    }

    fn text(&self, column: Column) -> Result<&str, BadRow> {
        let text = std::str::from_utf8(self.cell(column)).map_err(|_| self.wrong(column, "write UTF-8"))?;
        // What `sinks::csv` put in front of a formula.
        Ok(text.strip_prefix('\'').filter(|rest| sinks::is_formula(rest)).unwrap_or(text))
    }

    fn channel(&self, column: Column) -> Result<Channel, BadRow> {
        let word = std::str::from_utf8(self.cell(column)).ok().and_then(Channel::parse);
        word.ok_or_else(|| self.wrong(column, "write whatsapp, phone, sms or email"))
    }

    fn time(&self, column: Column) -> Result<Option<At>, BadRow> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return Ok(None);
        }
        let slow = || std::str::from_utf8(cell).ok().and_then(|text| At::parse(text).ok());
        let at = utc(cell, |date| self.midnight(date)).or_else(slow);
        let wanted = "write a time such as 2026-01-05T14:00:00.000Z";
        at.map(Some).ok_or_else(|| self.wrong(column, wanted))
    }

    /// A date's; most rows say the one that was said last.
    fn midnight(&self, date: &[u8; 10]) -> Option<i64> {
        let (last, known) = self.last_date.get();
        if last == *date {
            return Some(known);
        }
        let midnight = midnight(date)?;
        self.last_date.set((*date, midnight));
        Some(midnight)
    }

    fn number<T: std::str::FromStr>(&self, column: Column, wanted: &str) -> Result<Option<T>, BadRow> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return Ok(None);
        }
        let number = std::str::from_utf8(cell).ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| self.wrong(column, wanted))
    }

    /// A wait in seconds, part of one rounded.
    fn seconds(&self, column: Column) -> Result<Option<u64>, BadRow> {
        let wanted = "write the wait in seconds, at most a year of them, or nothing";
        let whole = std::str::from_utf8(self.cell(column)).ok().and_then(|text| text.parse::<u32>().ok());
        let seconds = match whole {
            Some(seconds) => Some(f64::from(seconds)),
            None => self.number(column, wanted)?,
        };
        match seconds {
            Some(seconds) if !(0.0..=YEAR_S).contains(&seconds) => Err(self.wrong(column, wanted)),
            seconds => Ok(seconds.map(|seconds| seconds.round() as u64)),
        }
    }

    /// Fills in what the row says about its cascade, without steps.
    pub(super) fn head(&self, cascade: &mut Cascade) -> Result<(), BadRow> {
        cascade.steps.clear();
        let id = self.text(Column::Cascade)?;
        if id.is_empty() {
            return Err(self.wrong(Column::Cascade, "every row names its cascade"));
        }
        let wanted = "write the probability of the draw, above 0 and at most 1, or nothing";
        cascade.propensity = self.number(Column::Propensity, wanted)?;
        if cascade.propensity.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
            return Err(self.wrong(Column::Propensity, wanted));
        }
        let segment = match self.text(Column::Segment)? {
            "" => "default",
            name => name,
        };
        cascade.id = id.into();
        // Rows mostly say what the one before them said.
        if cascade.segment.0 != segment {
            segment.clone_into(&mut cascade.segment.0);
        }
        cascade.start = self.channel(Column::Start)?;
        let rules = self.text(Column::Rules)?;
        if cascade.rules.raw() != rules {
            cascade.rules = rules.into();
        }
        let launched_at = self.time(Column::LaunchedAt)?;
        cascade.launched_at =
            launched_at.ok_or_else(|| self.wrong(Column::LaunchedAt, "write when the cascade started"))?;
        Ok(())
    }

    /// The step of the row; `after` are the ones that its cascade has.
    pub(super) fn step(&self, after: &[Step]) -> Result<Step, BadRow> {
        let count = self.number(Column::Step, "write the step's place in the walk, from 1")?;
        let step = count.unwrap_or(after.len() as u32 + 1);
        if after.iter().any(|other| other.step == step) {
            return Err(self.bad(Some(Column::Step), format!("its cascade has a step {step} already")));
        }
        let window_s = self.seconds(Column::WindowS)?;
        let cost = std::str::from_utf8(self.cell(Column::Cost)).ok().and_then(Money::parse);
        let step = Step {
            step,
            channel: self.channel(Column::Channel)?,
            sent_at: self.time(Column::SentAt)?,
            window_s,
            delivered_at: self.time(Column::DeliveredAt)?,
            bounced_at: self.time(Column::BouncedAt)?,
            converted_at: self.time(Column::ConvertedAt)?,
            opted_out_at: self.time(Column::OptedOutAt)?,
            cost: cost.ok_or_else(|| self.wrong(Column::Cost, "write what it cost, such as 0.05, or 0"))?,
        };
        for (column, at) in
            [(Column::ConvertedAt, step.converted_at), (Column::OptedOutAt, step.opted_out_at)]
        {
            if at.is_some() && (step.sent_at.is_none() || at < step.sent_at) {
                return Err(self.wrong(column, "it answers a message that was sent later, or never"));
            }
        }
        Ok(step)
    }
}

/// Reads `2026-01-05T14:00:00.000Z`, with or without the milliseconds: what we and most platforms write, many times
/// faster than a reader of every form. `midnight` gives a date's.
fn utc(text: &[u8], midnight: impl Fn(&[u8; 10]) -> Option<i64>) -> Option<At> {
    let mark = |at: usize, byte: u8| (text.get(at) == Some(&byte)).then_some(());
    mark(10, b'T').and(mark(13, b':')).and(mark(16, b':'))?;
    let ms = match text.len() {
        20 => 0,
        24 => mark(19, b'.').and_then(|()| digits(text.get(20..23)?))?,
        _ => return None,
    };
    mark(text.len() - 1, b'Z')?;
    let two = |at: usize| digits(text.get(at..at + 2)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let is_time = hour < 24 && minute < 60 && second < 60;
    let midnight = midnight(text.first_chunk()?).filter(|_| is_time)?;
    Some(At::from_millis(midnight + ((hour * 60 + minute) * 60 + second) * 1000 + ms))
}

/// The first millisecond of `2026-01-05`.
fn midnight(date: &[u8; 10]) -> Option<i64> {
    let (year, month, day) = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..])?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let marks = date[4] == b'-' && date[7] == b'-';
    let is_date = marks && (1..=12).contains(&month) && (1..=length).contains(&day);
    is_date.then(|| {
        let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days =
            365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day
                - 1
                - 719_468;
        days * DAY_MS
    })
}

fn digits(text: &[u8]) -> Option<i64> {
    let mut number = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_reader_of_times_agrees_with_the_calendar() {
        for day in 0..40_000 {
            let at = At::from_millis(day * DAY_MS + day * 7919);
            let text = at.to_string();
            assert_eq!(utc(text.as_bytes(), midnight), Some(at), "{text}");
        }
        assert_eq!(utc(b"2026-01-05T14:00:00Z", midnight), At::parse("2026-01-05T14:00:00Z").ok());
        for odd in ["2026-02-30T00:00:00Z", "2026-01-05T14:00:00+01:00", "2026-01-05 14:00:00Z", "", "2026"] {
            assert_eq!(utc(odd.as_bytes(), midnight), None, "{odd}");
        }
    }
}
