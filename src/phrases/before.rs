//! Whom a launch leaves out, and whom it contacts once more, in people's words.

use super::{people, span};
use crate::runtime::handle::Before;

/// A sentence for each reason, those who are left out first.
pub fn before(before: &Before) -> Vec<String> {
    let within = span(i64::try_from(before.recontact_after_s).unwrap_or(i64::MAX));
    let said = [
        (before.opted_out, "opted out before: left out".to_owned()),
        (before.unreachable, "consented to no channel of the rules: sent nothing".to_owned()),
        (before.declined, "declined in an earlier campaign: contacted again".to_owned()),
        (
            before.recent,
            format!(
                "heard from an earlier campaign less than {within} ago: contacted again, as in any pilot (recontact_after)"
            ),
        ),
    ];
    let counted = said.into_iter().filter(|(count, _)| *count > 0);
    let mut lines: Vec<String> = counted.map(|(count, words)| format!("{} {words}", people(count))).collect();
    if before.uncounted {
        lines.push("whom earlier campaigns contacted is not counted here".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_told_with_the_reason_and_nobody_where_there_is_none() {
        assert_eq!(before(&Before::default()), [""; 0]);
        let known = Before {
            opted_out: 1,
            unreachable: 0,
            declined: 2,
            recent: 40,
            recontact_after_s: 30 * 86_400,
            uncounted: false,
        };
        assert_eq!(
            before(&known),
            [
                "1 person opted out before: left out",
                "2 people declined in an earlier campaign: contacted again",
                "40 people heard from an earlier campaign less than 30d ago: contacted again, as in any pilot \
                 (recontact_after)",
            ]
        );
    }
}
