//! `cascade report`

use super::{Exit, Failure};
use crate::cli::{Place, Report};

/// Not wired yet.
pub(super) fn run(_place: &Place, _args: &Report) -> Result<Exit, Failure> {
    Err(Failure::failed("`report` is not wired yet"))
}
