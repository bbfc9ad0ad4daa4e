//! What terminals make of letters that take more than one cell, where they do not agree with our reckoning: nothing that
//! was written once may outlive its letter, and nothing may land beside its place.

use super::text::width;
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Position;

/// Asks for the picture of a sign that is a letter otherwise.
const AS_A_PICTURE: char = '\u{fe0f}';

/// Terminals disagree whether the picture of a sign takes one cell or two. As a letter it takes one everywhere; the room
/// of the picture stays.
pub fn plain_signs(buffer: &mut Buffer) {
    for cell in buffer.content.iter_mut().filter(|cell| cell.symbol().contains(AS_A_PICTURE)) {
        let plain = cell.symbol().replace(AS_A_PICTURE, "");
        cell.set_symbol(&plain);
    }
}

/// The cells that lie under letters of more than one cell. We never write them, and a terminal may have put a part of
/// such a letter there: `स्ते` is one letter of two cells to us, and two letters to most of them.
pub fn covered(buffer: &Buffer) -> Vec<Position> {
    let mut covered = Vec::new();
    for (i, cell) in buffer.content.iter().enumerate() {
        // Most cells are ASCII, and need no measuring.
        let wide = if cell.symbol().len() > 1 { width(cell.symbol()) } else { 1 };
        for behind in 1..wide.min(buffer.content.len() - i) {
            let (x, y) = buffer.pos_of(i + behind);
            covered.push(Position { x, y });
        }
    }
    covered
}

/// These cells are written whatever we believe of them, unless they lie under a letter still.
pub fn rewrite(buffer: &mut Buffer, cells: &[Position]) {
    for position in cells {
        if let Some(cell) = buffer.cell_mut(*position) {
            cell.set_diff_option(CellDiffOption::AlwaysUpdate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    fn line(text: &str) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, text, ratatui::style::Style::new());
        buffer
    }

    #[test]
    fn what_a_wide_letter_covered_is_written_once_it_is_gone() {
        let before = line("नमस्ते राम");
        let covered = covered(&before);
        assert!(!covered.is_empty());
        let written = |after: &str| {
            let mut after = line(after);
            rewrite(&mut after, &covered);
            let written: Vec<u16> = before.diff(&after).into_iter().map(|(x, ..)| x).collect();
            written
        };
        let over = written("Gus Holm");
        assert!(covered.iter().all(|cell| over.contains(&cell.x)), "{covered:?} {over:?}");
        assert_eq!(written("नमस्ते राम"), [0; 0], "what is still there is left alone");
    }

    #[test]
    fn a_sign_keeps_the_room_of_its_picture() {
        let mut buffer = line("\u{260e}\u{fe0f} Gus");
        plain_signs(&mut buffer);
        let symbols: Vec<&str> = buffer.content.iter().take(5).map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(symbols, ["\u{260e}", " ", " ", "G", "u"]);
    }
}
