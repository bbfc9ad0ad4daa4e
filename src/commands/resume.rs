//! `cascade resume`: goes on with whatever was in flight when the last process ended.

use super::{Exit, Failure, headless, output, session};
use crate::cli::{Place, Rehearsal, Resume};
use crate::runtime::Purpose;
use crate::workspace::Named;

/// Goes on, waits, reports. Nothing in flight is no failure.
pub(super) fn run(place: &Place, args: &Resume) -> Result<Exit, Failure> {
    let asked = session::Asked {
        named: Named::default(),
        rehearsal: Rehearsal { speed: args.speed, sandbox: args.sandbox.clone(), ..Rehearsal::default() },
        speed: session::SPEED_HEADLESS,
        segments: Vec::new(),
        limit: u64::MAX,
        purpose: Purpose::Resume,
    };
    match headless::run(place, asked, headless::Wants { json: args.json, yes: args.yes }, "cascade resume") {
        Err(failure) if failure.message == headless::NOTHING => {
            output::note(&format!("cascade: {}", failure.message));
            Ok(Exit::Done)
        }
        ended => ended,
    }
}
