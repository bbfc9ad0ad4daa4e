//! `cascade` alone: the console.

use super::{Exit, Failure, output};
use crate::cli::{Place, Rehearsal};

/// Not wired yet beyond its first question: is there a terminal?
pub(super) fn run(_place: &Place, _rehearsal: &Rehearsal) -> Result<Exit, Failure> {
    if !output::is_terminal() {
        let message = "the console needs a terminal; `cascade pilot` runs the same without a screen";
        return Err(Failure::usage(message));
    }
    Err(Failure::failed("the console is not wired yet"))
}
