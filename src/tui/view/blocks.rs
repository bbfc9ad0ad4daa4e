//! A list whose entries take one line or several: the one under the cursor is always seen. One that is taller than the
//! window is scrolled through before the next has its turn, under its first line: the cursor stands there.

use crate::tui::keys::{self, Cmd};
use crate::tui::model::Page;
use ratatui::text::Line;

/// What a window shows of a list.
#[derive(Debug, Default)]
pub struct Window<'a> {
    /// The lines.
    pub lines: Vec<Line<'a>>,
    /// How far the entry under the cursor can be scrolled.
    pub most: usize,
}

/// The lines around the cursor of `page`, at most `room`; entries are made as far as they are seen.
pub fn around<'a>(
    count: usize,
    page: &Page,
    room: usize,
    mut make: impl FnMut(usize) -> Vec<Line<'a>>,
) -> Window<'a> {
    let Some(last) = count.checked_sub(1) else { return Window::default() };
    let at = page.at.min(last);
    let mut lines = make(at);
    if lines.len() > room {
        let most = lines.len() - room;
        let under = lines.split_off(usize::from(room > 1));
        let seen = under.into_iter().skip(page.skip.min(most)).take(room - lines.len());
        return Window { lines: lines.into_iter().chain(seen).collect(), most };
    }
    let mut first = at;
    while lines.len() < room && first > 0 {
        first -= 1;
        let mut above = make(first);
        above.append(&mut lines);
        lines = above;
    }
    // The one under the cursor stands at the foot where what is above it fills the window.
    lines.drain(..lines.len().saturating_sub(room));
    for next in at + 1..count {
        if lines.len() >= room {
            break;
        }
        lines.extend(make(next));
    }
    lines.truncate(room);
    Window { lines, most: 0 }
}

/// That there is more below, and which key shows it; on the frame of a page.
pub fn more(hidden: usize, cmd: Cmd) -> Option<String> {
    let lines = if hidden == 1 { "line" } else { "lines" };
    (hidden > 0).then(|| format!(" ▼ {hidden} more {lines}: {} ", keys::key(cmd)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::model::What;

    fn shown(at: usize, skip: usize, heights: &[usize], room: usize) -> (Vec<String>, usize) {
        let page = Page { what: What::Messages, at, skip };
        let make = |i: usize| (0..heights[i]).map(|n| Line::raw(format!("{i}.{n}"))).collect();
        let window = around(heights.len(), &page, room, make);
        (window.lines.iter().map(ToString::to_string).collect(), window.most)
    }

    #[test]
    fn the_chosen_entry_is_seen_whole_or_scrolled_through() {
        assert_eq!(shown(0, 0, &[1, 1, 1], 2), (vec!["0.0".into(), "1.0".into()], 0));
        assert_eq!(shown(2, 0, &[1, 1, 2], 3), (vec!["1.0".into(), "2.0".into(), "2.1".into()], 0));
        assert_eq!(shown(1, 1, &[1, 4, 1], 2), (vec!["1.0".into(), "1.2".into()], 2));
        assert_eq!(shown(1, 99, &[1, 4, 1], 2), (vec!["1.0".into(), "1.3".into()], 2));
        assert_eq!(shown(0, 1, &[3], 1), (vec!["0.1".into()], 2));
        assert_eq!(shown(0, 0, &[], 2), (vec![], 0));
        assert_eq!(shown(9, 0, &[2, 2], 3), (vec!["0.1".into(), "1.0".into(), "1.1".into()], 0));
    }
}
