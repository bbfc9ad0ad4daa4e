//! One thin file per command: build the parts, run them, print. This one dispatches and turns results into exit
//! codes.

mod age;
mod audit;
mod backup;
mod check;
mod console;
mod events;
mod forget;
mod headless;
mod history;
mod init;
mod learn;
mod log;
pub mod output;
mod page;
mod person;
mod pilot;
mod propose;
mod purge;
mod replay;
pub mod report;
mod restore;
mod resume;
mod run;
mod sandbox;
mod session;
mod signals;
mod stores;
mod trial;
mod trust;
mod unit;

use crate::cli::{Cli, Command, Rehearsal};
use crate::workspace::Unusable;
use std::process::ExitCode;

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked is done: 0.
    Done,
    /// What was checked or run did not hold: 1.
    DidNotHold,
    /// Ctrl-C, with everything saved: 130.
    Interrupted,
}

/// Why a command could not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// 1: it ran and failed. 2: wrong usage or unusable input. 0: the reader of our output went away.
    pub exit: u8,
    /// What failed, where, and what to do; empty: nothing needs to be said.
    pub message: String,
}

impl Failure {
    /// Wrong usage or unusable input.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: 2, message: message.into() }
    }

    /// It ran and failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { exit: 1, message: message.into() }
    }
}

impl From<Unusable> for Failure {
    fn from(unusable: Unusable) -> Self {
        Self::usage(unusable.to_string())
    }
}

/// Runs what the command line asks for.
pub fn run(cli: Cli) -> ExitCode {
    let code = match dispatch(cli) {
        Ok(Exit::Done) => 0,
        Ok(Exit::DidNotHold) => 1,
        Ok(Exit::Interrupted) => 130,
        Err(failure) => {
            if !failure.message.is_empty() {
                output::note(&format!("cascade: {}", failure.message));
            }
            failure.exit
        }
    };
    ExitCode::from(code)
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let Cli { place, console: rehearsal, command } = cli;
    let Some(command) = command else { return console::run(&place, &rehearsal) };
    if rehearsal != Rehearsal::default() {
        let message = "--speed, --seed, --start and --sandbox stand after the command's name";
        return Err(Failure::usage(message));
    }
    match command {
        Command::Init(args) => init::run(&place, &args),
        Command::Check(args) => check::run(&place, &args),
        Command::Pilot(args) => pilot::run(&place, &args),
        Command::Resume(args) => resume::run(&place, &args),
        Command::Run(args) => run::run(&place, &args),
        Command::Report(args) => report::run(&place, &args),
        Command::Learn(args) => learn::run(&place, &args),
        Command::Replay(args) => replay::run(&place, &args),
        Command::Events(args) => events::run(&place, &args),
        Command::Audit(args) => audit::run(&place, &args),
        Command::History(args) => history::run(&place, &args),
        Command::Propose(args) => propose::run(&place, &args),
        Command::Sandbox(args) => sandbox::run(&place, &args),
        Command::Trust(args) => trust::run(&place, &args),
        Command::Backup(args) => backup::run(&place, &args),
        Command::Restore(args) => restore::run(&place, &args),
        Command::Person(args) => person::run(&place, &args),
        Command::Forget(args) => forget::run(&place, &args),
        Command::Purge(args) => purge::run(&place, &args),
    }
}
