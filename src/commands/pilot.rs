//! `cascade pilot`

use super::{Exit, Failure};
use crate::cli::{Pilot, Place};

/// Not wired yet.
pub(super) fn run(_place: &Place, _args: &Pilot) -> Result<Exit, Failure> {
    Err(Failure::failed("`pilot` is not wired yet"))
}
