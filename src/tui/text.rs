//! Text in cells: cutting with an ellipsis, padding, wrapping and clock times. Widths are a terminal's, not bytes.

pub use crate::phrases::leaving::when;

use crate::model::At;
use chrono_tz::Tz;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Cells that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// At most `cells` wide; what is cut off leaves an ellipsis.
pub fn cut(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let wide = width(cluster);
        if used + wide + 1 > cells {
            break;
        }
        used += wide;
        out.push_str(cluster);
    }
    if cells > 0 {
        out.push('…');
    }
    out
}

/// Exactly `cells` wide, text on the left.
pub fn left(text: &str, cells: usize) -> String {
    let shown = cut(text, cells);
    let pad = cells.saturating_sub(width(&shown));
    shown + &" ".repeat(pad)
}

/// Exactly `cells` wide, text on the right.
pub fn right(text: &str, cells: usize) -> String {
    let shown = cut(text, cells);
    " ".repeat(cells.saturating_sub(width(&shown))) + &shown
}

/// Broken at spaces into lines of at most `cells`; a longer word is broken inside.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |l| width(l));
        if line > 0 && line + 1 + width(word) > cells {
            lines.push(String::new());
        } else if line > 0 {
            push(&mut lines, " ");
        }
        for cluster in word.graphemes(true) {
            if lines.last().map_or(0, |l| width(l)) + width(cluster) > cells {
                lines.push(String::new());
            }
            push(&mut lines, cluster);
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// `16:12`
pub fn minute(at: At, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%H:%M").to_string()
}

/// `16:12:04`
pub fn second(at: At, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%H:%M:%S").to_string()
}

/// `Tue 16:12`
pub fn weekday(at: At, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%a %H:%M").to_string()
}

/// `Tue 6 Jan 16:12`: for what may be weeks ago.
pub fn day(at: At, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%a %-d %b %H:%M").to_string()
}

/// A zone as people say it: `America/New_York` is `New York`.
pub fn city(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}

/// A count, or a dash where a count would be 0.
pub fn dash(count: u64) -> String {
    if count == 0 { "–".to_owned() } else { count.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_are_measured_in_cells() {
        assert_eq!(cut("王小明です", 6), "王小…");
        assert_eq!(width(&left("王小明です", 7)), 7);
        assert_eq!(right("abc", 5), "  abc");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn wrapping_loses_nothing_and_breaks_long_words() {
        assert_eq!(wrap("late reply: yes please", 11), ["late reply:", "yes please"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
