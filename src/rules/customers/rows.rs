//! Splits a stream into CSV rows in bounded memory, and knows on which line each begins.
//!
//! Own code for two things that a CSV library does not promise: a quote that is never closed costs one row
//! instead of swallowing the rest of the file into memory, and line numbers are right after any mixture of
//! CRLF, LF and CR, in quotes too.

use std::io::{self, Read};
use std::ops::Range;

/// Bytes asked of the source at once.
const CHUNK: usize = 64 * 1024;
/// Longest row, in bytes. What is longer has lost a quote.
const ROW_MAX: usize = 256 * 1024;

/// A row as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Line on which it begins, from 1.
    pub(super) line: u64,
    /// Without its line end.
    pub(super) bytes: Vec<u8>,
    /// A quote was opened and not closed: only the first line of what followed is in `bytes`.
    pub(super) unclosed: bool,
}

/// Reads rows from a source.
pub(super) struct Rows<R> {
    source: R,
    buffer: Vec<u8>,
    /// Start of what has not been given out.
    start: usize,
    ended: bool,
    line: u64,
    delimiter: u8,
}

impl<R: Read> Rows<R> {
    pub(super) const fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), start: 0, ended: false, line: 1, delimiter: b',' }
    }

    /// The first bytes of what is left, `n` of them if there are so many.
    pub(super) fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.start < n && self.fill()? {}
        let end = self.buffer.len().min(self.start + n);
        Ok(self.buffer.get(self.start..end).unwrap_or_default())
    }

    /// Leaves out the next `n` bytes, which hold no line end.
    pub(super) fn skip(&mut self, n: usize) {
        self.start = (self.start + n).min(self.buffer.len());
    }

    /// Leaves out empty lines, whatever the delimiter.
    pub(super) fn skip_empty_lines(&mut self) -> io::Result<()> {
        loop {
            match self.peek(2)? {
                [b'\r', b'\n'] => self.skip(2),
                [b'\r' | b'\n', ..] => self.skip(1),
                _ => return Ok(()),
            }
            self.line += 1;
        }
    }

    /// The line that comes next, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    pub(super) const fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub(super) const fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
    }

    /// The next row; `None` at the end. Empty lines are rows, too.
    pub(super) fn next_row(&mut self) -> io::Result<Option<Row>> {
        let mut at = 0;
        let mut quotes = Quotes::Start;
        // Where the first line of the row ends: the way back if a quote is never closed.
        let mut first_line: Option<Range<usize>> = None;
        loop {
            let Some(byte) = self.byte(at)? else {
                let open = first_line.filter(|_| quotes == Quotes::Inside);
                let end = open.clone().unwrap_or(at..at);
                return Ok((at > 0).then(|| self.take(end, open.is_some() || quotes == Quotes::Inside)));
            };
            if byte == b'\n' || byte == b'\r' {
                let two = byte == b'\r' && self.byte(at + 1)? == Some(b'\n');
                let end = at..at + if two { 2 } else { 1 };
                if quotes != Quotes::Inside {
                    return Ok(Some(self.take(end, false)));
                }
                at = end.end;
                first_line.get_or_insert(end);
            } else {
                quotes = quotes.after(byte, self.delimiter);
                at += 1;
            }
            if at > ROW_MAX {
                let end = first_line.unwrap_or(at..at);
                return Ok(Some(self.take(end, true)));
            }
        }
    }

    fn byte(&mut self, at: usize) -> io::Result<Option<u8>> {
        while self.start + at >= self.buffer.len() {
            if !self.fill()? {
                return Ok(None);
            }
        }
        Ok(self.buffer.get(self.start + at).copied())
    }

    /// Takes the row before `line_end`, counted from the start, and the line end with it.
    fn take(&mut self, line_end: Range<usize>, unclosed: bool) -> Row {
        let bytes = self.buffer.get(self.start..self.start + line_end.start).unwrap_or_default().to_vec();
        let row = Row { line: self.line, unclosed, bytes };
        self.line += line_ends(&row.bytes) + u64::from(!line_end.is_empty());
        self.start = (self.start + line_end.end).min(self.buffer.len());
        row
    }

    /// Reads more; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let before = self.buffer.len();
        let read = self.source.by_ref().take(CHUNK as u64).read_to_end(&mut self.buffer)?;
        debug_assert_eq!(self.buffer.len(), before + read);
        self.ended = read == 0;
        Ok(!self.ended)
    }
}

/// CRLF, LF and CR, each one line end.
fn line_ends(bytes: &[u8]) -> u64 {
    let ends = |(i, &byte): (usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(i + 1) != Some(&b'\n'),
        _ => false,
    };
    bytes.iter().enumerate().filter(|&at| ends(at)).count() as u64
}

/// Where in a field a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// Before its first byte.
    Start,
    /// In a field without quotes, or after its closing one.
    Outside,
    /// Between quotes, where delimiters and line ends are text.
    Inside,
    /// After a quote between quotes: the closing one, unless another follows.
    Closing,
}

impl Quotes {
    const fn after(self, byte: u8, delimiter: u8) -> Self {
        match self {
            Self::Inside if byte == b'"' => Self::Closing,
            Self::Inside => Self::Inside,
            Self::Start | Self::Closing if byte == b'"' => Self::Inside,
            Self::Start | Self::Outside | Self::Closing if byte == delimiter => Self::Start,
            Self::Start | Self::Outside | Self::Closing => Self::Outside,
        }
    }
}

/// The fields of a row, without their quotes, and the byte at which each begins.
pub(super) fn fields(row: &[u8], delimiter: u8) -> Vec<(usize, Vec<u8>)> {
    let mut fields = Vec::new();
    let mut field = Vec::new();
    let (mut quotes, mut begin) = (Quotes::Start, 0);
    for (i, &byte) in row.iter().enumerate() {
        let next = quotes.after(byte, delimiter);
        let ends = next == Quotes::Start;
        let is_mark = byte == b'"' && (quotes == Quotes::Start || quotes == Quotes::Inside);
        if ends {
            fields.push((begin, std::mem::take(&mut field)));
            begin = i + 1;
        } else if !is_mark {
            field.push(byte);
        }
        quotes = next;
    }
    fields.push((begin, field));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, String, bool)> {
        let mut rows = Rows::new(text.as_bytes());
        let mut all = Vec::new();
        while let Some(row) = rows.next_row().unwrap() {
            all.push((row.line, String::from_utf8(row.bytes).unwrap(), row.unclosed));
        }
        all
    }

    fn split(row: &str) -> Vec<String> {
        fields(row.as_bytes(), b',').into_iter().map(|(_, f)| String::from_utf8(f).unwrap()).collect()
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        let all = rows("a\r\nb\rc\n\n\"x\r\ny\",1\r\"\n\",2\nz");
        let expected = [
            (1, "a", false),
            (2, "b", false),
            (3, "c", false),
            (4, "", false),
            (5, "\"x\r\ny\",1", false),
            (7, "\"\n\",2", false),
            (9, "z", false),
        ];
        assert_eq!(all, expected.map(|(n, t, u)| (n, t.to_owned(), u)));
    }

    #[test]
    fn an_open_quote_costs_one_row() {
        let all = rows("a,\"b\nc,d\ne,f\n");
        let expected = [(1, "a,\"b", true), (2, "c,d", false), (3, "e,f", false)];
        assert_eq!(all, expected.map(|(n, t, u)| (n, t.to_owned(), u)));
        let long = format!("\"{}\nnext\n", "x\n".repeat(ROW_MAX));
        let mut rows = Rows::new(long.as_bytes());
        let first = rows.next_row().unwrap().unwrap();
        assert!(first.unclosed && first.bytes == b"\"x");
        assert_eq!(rows.next_row().unwrap().unwrap(), Row { line: 2, bytes: b"x".to_vec(), unclosed: false });
        assert!(rows.buffer.len() < 2 * ROW_MAX);
    }

    #[test]
    fn fields_lose_their_quotes_and_nothing_else() {
        assert_eq!(split("a,\"b,\"\"c\"\"\",,d"), ["a", "b,\"c\"", "", "d"]);
        assert_eq!(split("5\" pipe,x"), ["5\" pipe", "x"]);
        assert_eq!(split(""), [""]);
        assert_eq!(fields(b"ab,\"c\",d", b',').iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 3, 7]);
    }
}
