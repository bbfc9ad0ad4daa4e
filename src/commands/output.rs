//! Printing: results to stdout, everything else to stderr, and a reader that went away is no error. The one way to a
//! terminal outside the console: lines for people and documents for programs each pass their sink here.

use super::Failure;
use crate::model::sinks;
use serde::Serialize;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, StdoutLock, Write};

/// Prints one line of the result now. A closed pipe ends the command quietly.
pub fn line(text: &str) -> Result<(), Failure> {
    let mut results = Results::open();
    results.line(text)?;
    results.close()
}

/// Prints a result for programs now, over as many lines as people like to read.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut results = Results::open();
    results.text(&document(serde_json::to_string_pretty(value))?)?;
    results.text("\n")?;
    results.close()
}

/// Prints a result for programs now, as one line of many.
pub fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let mut results = Results::open();
    results.json(value)?;
    results.text("\n")?;
    results.close()
}

fn document(written: serde_json::Result<String>) -> Result<String, Failure> {
    let cannot = |fault| Failure::failed(format!("the result cannot be written as JSON: {fault}"));
    written.map(|text| sinks::json(&text)).map_err(cannot)
}

/// A result of many lines, written in large pieces.
#[derive(Debug)]
pub struct Results {
    out: BufWriter<StdoutLock<'static>>,
}

impl Results {
    /// Takes stdout until it is closed or dropped.
    pub fn open() -> Self {
        Self { out: BufWriter::new(io::stdout().lock()) }
    }

    /// Adds a line for people.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.text(&sinks::screen(text))?;
        self.text("\n")
    }

    /// Adds a value for programs, without ending the line.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        self.text(&document(serde_json::to_string(value))?)
    }

    /// Adds our own words, without ending the line.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(|fault| failure(&fault))
    }

    /// Writes out what is left.
    pub fn close(mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|fault| failure(&fault))
    }
}

fn failure(fault: &io::Error) -> Failure {
    match fault.kind() {
        ErrorKind::BrokenPipe => Failure { exit: 0, message: String::new() },
        _ => Failure::failed(format!("the result could not be written: {fault}")),
    }
}

/// Says something on stderr: progress, a warning, why it failed. Nothing is lost if nobody hears it.
pub fn note(text: &str) {
    let mut err = io::stderr().lock();
    for line in text.split('\n') {
        let _ = writeln!(err, "{}", sinks::screen(line));
    }
}

/// Prints help, the version, or what is wrong with the command line, in colours where they are wanted. It quotes what
/// was typed, or what a script put there: if that would move the terminal, plainly and cleaned.
pub fn usage(error: &clap::Error) {
    let text = error.render().to_string();
    if text.lines().all(|line| sinks::screen(line) == line) {
        // A closed pipe is nobody's fault.
        let _ = error.print();
    } else {
        note(&text);
    }
}

/// Whether a person sits at both ends.
pub fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}
