//! Rules that nobody changed for long.

use super::problem;
use crate::rules::{Problem, Severity};
use std::path::Path;

/// After so many days without a change, rules are worth a look.
const DAYS_MAX: u64 = 90;
/// And after so many cascades.
const CASCADES_MAX: u64 = 1_000;

/// How long rules have been as they are. It comes from outside: a file does not know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Age {
    /// Days since the last change; `None` if nobody knows.
    pub days: Option<u64>,
    /// Cascades that ran by them; `None` if nobody knows.
    pub cascades: Option<u64>,
}

/// A warning, if the rules are old by either measure.
pub fn stale(rules_file: &Path, age: Age) -> Option<Problem> {
    let days = age.days.filter(|days| *days >= DAYS_MAX).map(|days| format!("for {days} days"));
    let cascades = age.cascades.filter(|n| *n >= CASCADES_MAX).map(|n| format!("for {n} cascades"));
    let how_long = [days, cascades].into_iter().flatten().collect::<Vec<_>>();
    if how_long.is_empty() {
        return None;
    }
    let message = format!("these rules have not changed {}", how_long.join(" and "));
    let hint = "what people answer to drifts, and what was learned meanwhile is not used: look at the report's waits and \
                starts, and change one thing, as in another start for one segment";
    Some(problem(Severity::Warning, (rules_file.to_owned(), 1, 1), "stale-rules", message, hint))
}
