//! Differences, as data.

use cascade::trail::diff::{Kind, diff};
use proptest::prelude::*;

#[test]
fn lines_and_what_changed_within_them() {
    let old = "a\nwait 6h then phone\nc\n";
    let found = diff(old.as_bytes(), b"a\nwait 4h then phone\nc\nd");
    assert_eq!((found.added, found.removed, found.hunks.len()), (2, 1, 1));
    let lines = &found.hunks[0].lines;
    let kinds: Vec<Kind> = lines.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [Kind::Same, Kind::Removed, Kind::Added, Kind::Same, Kind::Added]);
    let changed: Vec<&str> =
        lines[2].parts.iter().filter(|part| part.is_changed).map(|part| part.text.as_str()).collect();
    assert_eq!(changed.concat(), "4h");
    assert!(lines[4].is_open && !lines[0].is_open);
    assert_eq!((lines[1].old, lines[1].new, lines[2].old, lines[2].new), (Some(2), None, None, Some(2)));
    let rows = found.hunks[0].rows();
    let pair = |row: usize| {
        (
            rows[row].old.map(cascade::trail::diff::Line::text),
            rows[row].new.map(cascade::trail::diff::Line::text),
        )
    };
    assert_eq!(pair(1), (Some("wait 6h then phone".into()), Some("wait 4h then phone".into())));
    assert_eq!(pair(3), (None, Some("d".into())));
    assert_eq!(
        found.unified(),
        "@@ -1,3 +1,4 @@\n a\n-wait 6h then phone\n+wait 4h then phone\n c\n+d\n\\ No newline at end of file\n"
    );
}

#[test]
fn nothing_changed_is_nothing() {
    for text in ["", "a", "a\n", "a\r\nb"] {
        assert_eq!(diff(text.as_bytes(), text.as_bytes()).hunks, []);
    }
}

proptest! {
    /// The new text can be made from the old one and the difference: nothing is left out, nothing is invented.
    #[test]
    fn both_texts_are_in_it(old in "([abc]{0,3}\n){0,30}", new in "([abc]{0,3}\n){0,30}") {
        let found = diff(old.as_bytes(), new.as_bytes());
        let mut made = Vec::new();
        let mut at = 0;
        let before: Vec<&str> = old.lines().collect();
        for line in found.hunks.iter().flat_map(|hunk| &hunk.lines) {
            match (line.kind, line.old) {
                (Kind::Added, _) => made.push(line.text()),
                (kind, Some(number)) => {
                    made.extend(before[at..number - 1].iter().map(|same| (*same).to_owned()));
                    at = number;
                    prop_assert_eq!(&line.text(), before[number - 1]);
                    if kind == Kind::Same {
                        made.push(line.text());
                    }
                }
                (_, None) => prop_assert!(false, "a line of the old text without its number"),
            }
        }
        made.extend(before[at..].iter().map(|same| (*same).to_owned()));
        prop_assert_eq!(made, new.lines().collect::<Vec<_>>());
        for hunk in &found.hunks {
            let rows = hunk.rows();
            let lines = rows.iter().map(|row| usize::from(row.old.is_some()) + usize::from(row.new.is_some()));
            let both = hunk.lines.iter().filter(|line| line.kind == Kind::Same).count();
            prop_assert_eq!(lines.sum::<usize>(), hunk.lines.len() + both);
        }
    }
}
