//! `cascade pilot`: the pilot without a screen, from launch to the last end.

use super::{Exit, Failure, headless, session};
use crate::cli::{Pilot, Place};
use crate::runtime::Purpose;
use crate::workspace::Named;

/// Launches, waits, reports.
pub(super) fn run(place: &Place, args: &Pilot) -> Result<Exit, Failure> {
    let asked = session::Asked {
        named: Named { rules: args.rules.clone(), customers: args.customers.clone() },
        rehearsal: args.rehearsal.clone(),
        speed: session::SPEED_HEADLESS,
        segments: args.segments.clone(),
        limit: args.limit,
        purpose: Purpose::Pilot,
    };
    headless::run(place, asked, headless::Wants { json: args.json, yes: args.yes }, "cascade pilot")
}
