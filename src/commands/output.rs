//! Printing: results to stdout, everything else to stderr, and a reader that went away is no error.

use super::Failure;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, StdoutLock, Write};

/// Prints one line of the result now. A closed pipe ends the command quietly.
pub fn line(text: &str) -> Result<(), Failure> {
    let mut results = Results::open();
    results.line(text)?;
    results.close()
}

/// Prints one JSON object as the result.
pub fn json(value: &serde_json::Value) -> Result<(), Failure> {
    // A value without maps of other keys than text is always JSON.
    line(&format!("{value:#}"))
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

    /// Adds a line.
    pub fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.text(text)?;
        self.text("\n")
    }

    /// Adds text without ending the line.
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
    let _ = writeln!(err, "{text}");
}

/// Whether a person sits at both ends.
pub fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}
