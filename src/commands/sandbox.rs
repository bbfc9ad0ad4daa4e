//! `cascade sandbox`

use super::{Exit, Failure};
use crate::cli::{Place, Sandbox};

/// Not wired yet.
pub(super) fn run(_place: &Place, _args: &Sandbox) -> Result<Exit, Failure> {
    Err(Failure::failed("`sandbox` is not wired yet"))
}
