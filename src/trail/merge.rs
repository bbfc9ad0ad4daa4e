//! Two changes of one text put together, line by line: what one file has since become, and what was drafted beside it.
//! Pure. Where both changed the same lines nobody but a person can say what is meant, and nothing is guessed.

use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::ops::Range;

/// Lines that one side has in place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change<'t> {
    /// Of the base; empty: nothing is taken out.
    of: Range<usize>,
    lines: Vec<&'t str>,
}

impl Change<'_> {
    /// Both are about the same lines, or put something at the same place.
    fn meets(&self, other: &Self) -> bool {
        let same_place = self.of.is_empty() && other.of.is_empty() && self.of.start == other.of.start;
        same_place || (self.of.start < other.of.end && other.of.start < self.of.end)
    }
}

/// `theirs` with what `mine` changed of `base`; `None`: both changed the same lines, each in its own way. Lines that stand
/// beside each other are not the same lines: of rules with one step to a line, one may change a wait and another the next.
pub fn merge(base: &str, mine: &str, theirs: &str) -> Option<String> {
    let lines: Vec<&str> = base.lines().collect();
    let mut changes = changed(&lines, mine);
    for their in changed(&lines, theirs) {
        match changes.iter().find(|own| own.meets(&their)) {
            Some(own) if *own == their => {}
            Some(_) => return None,
            None => changes.push(their),
        }
    }
    changes.sort_by_key(|change| (change.of.start, change.of.end));
    let (mut merged, mut at) = (Vec::<&str>::with_capacity(lines.len()), 0);
    for change in &changes {
        merged.extend(lines.get(at..change.of.start)?);
        merged.extend(&change.lines);
        at = change.of.end;
    }
    merged.extend(lines.get(at..)?);
    let mut text = merged.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    Some(text)
}

/// What a text has in place of which lines of the base, in their order; what touches is one change.
fn changed<'t>(base: &[&str], text: &'t str) -> Vec<Change<'t>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut changes: Vec<Change<'t>> = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, base, &lines) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (of, new) = (op.old_range(), lines.get(op.new_range()).unwrap_or_default());
        match changes.last_mut().filter(|last| last.of.end == of.start) {
            Some(last) => {
                last.of.end = of.end;
                last.lines.extend(new);
            }
            None => changes.push(Change { of, lines: new.to_vec() }),
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "start\nwhatsapp 6h\nphone 2h\nsms end\n";

    #[test]
    fn changes_of_different_lines_are_put_together_whoever_made_which() {
        let mine = BASE.replace("6h", "4h");
        let theirs = BASE.replace("2h", "3h");
        let both = "start\nwhatsapp 4h\nphone 3h\nsms end\n";
        assert_eq!(merge(BASE, &mine, &theirs).as_deref(), Some(both));
        assert_eq!(merge(BASE, &theirs, &mine).as_deref(), Some(both));
        let longer = format!("note\n{BASE}more\n");
        let merged = merge(BASE, &mine, &longer);
        assert_eq!(merged.as_deref(), Some("note\nstart\nwhatsapp 4h\nphone 2h\nsms end\nmore\n"));
        let shorter = BASE.replace("phone 2h\n", "");
        assert_eq!(merge(BASE, &mine, &shorter).as_deref(), Some("start\nwhatsapp 4h\nsms end\n"));
    }

    #[test]
    fn what_only_one_side_changed_or_both_alike_is_taken() {
        let mine = BASE.replace("6h", "4h");
        assert_eq!(merge(BASE, &mine, BASE).as_deref(), Some(mine.as_str()));
        assert_eq!(merge(BASE, BASE, &mine).as_deref(), Some(mine.as_str()));
        assert_eq!(merge(BASE, &mine, &mine).as_deref(), Some(mine.as_str()));
        assert_eq!(merge("", "a\n", "").as_deref(), Some("a\n"));
        assert_eq!(merge("a\n", "", "a\n").as_deref(), Some(""));
        // Line ends are the editor's own.
        assert_eq!(merge("a\r\nb\r\n", "a\nc\n", "a\r\nb\r\n").as_deref(), Some("a\nc\n"));
    }

    #[test]
    fn the_same_lines_changed_in_two_ways_are_not_guessed_at() {
        let mine = BASE.replace("6h", "4h");
        assert_eq!(merge(BASE, &mine, &BASE.replace("6h", "3h")), None);
        assert_eq!(merge(BASE, &mine, &BASE.replace("whatsapp 6h\n", "")), None);
        assert_eq!(merge(BASE, &format!("{BASE}a\n"), &format!("{BASE}b\n")), None);
        assert_eq!(merge("one long text", "one short text", "one long word"), None);
        assert_eq!(merge(BASE, &mine, ""), None);
    }
}
