//! `cascade events`

use super::{Exit, Failure};
use crate::cli::{Events, Place};

/// Not wired yet.
pub(super) fn run(_place: &Place, _args: &Events) -> Result<Exit, Failure> {
    Err(Failure::failed("`events` is not wired yet"))
}
