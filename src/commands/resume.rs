//! `cascade resume`

use super::{Exit, Failure};
use crate::cli::{Place, Resume};

/// Not wired yet.
pub(super) fn run(_place: &Place, _args: &Resume) -> Result<Exit, Failure> {
    Err(Failure::failed("`resume` is not wired yet"))
}
