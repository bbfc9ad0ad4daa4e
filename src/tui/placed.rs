//! A backend that says anew where to go on after every letter of several characters: `हु` is one cell to us, two to some
//! terminals, and a few show nothing more until they are told a place.

use super::text::width;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// Draws on another backend.
#[derive(Debug)]
pub struct Placed<B>(pub B);

/// A letter of several characters: terminals do not agree how many cells it takes.
fn is_disputed((_, _, cell): &(u16, u16, &Cell)) -> bool {
    cell.symbol().chars().nth(1).is_some()
}

impl<B: Backend> Backend for Placed<B> {
    type Error = B::Error;

    /// What is drawn by itself begins with its place. Where such a letter has several cells it may fill fewer: they are
    /// blank before, so that nothing of what stood there shows behind it.
    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut covered = None;
        // What stands under the rest of a wide letter is that letter's: a blank there would wipe half of it.
        let is_free = |(x, y, cell): &(u16, u16, &Cell)| {
            let under = covered.is_some_and(|(row, from, to)| row == *y && (from..to).contains(x));
            if !under {
                covered = is_disputed(&(*x, *y, cell)).then(|| (*y, x + 1, x + width(cell.symbol()) as u16));
            }
            !under
        };
        let cells: Vec<_> = content.filter(is_free).collect();
        for run in cells.split_inclusive(is_disputed) {
            if let Some((x, y, cell)) = run.last().filter(|cell| is_disputed(cell)) {
                let mut blank = (*cell).clone();
                blank.set_symbol(" ");
                let under = width(cell.symbol()) as u16;
                self.0.draw((1..under).map(|behind| (x + behind, *y, &blank)))?;
            }
            self.0.draw(run.iter().copied())?;
        }
        Ok(())
    }

    fn append_lines(&mut self, n: u16) -> Result<(), Self::Error> {
        self.0.append_lines(n)
    }

    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.0.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Self::Error> {
        self.0.clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        self.0.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.0.window_size()
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::backend::CrosstermBackend;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    /// What is written for a line where another one stood.
    fn written(stood: &str, text: &str) -> String {
        let [old, new] = [stood, text].map(|text| {
            let mut line = Buffer::empty(Rect::new(0, 0, 20, 1));
            line.set_string(0, 0, text, ratatui::style::Style::new());
            line
        });
        let mut out = Vec::new();
        Placed(CrosstermBackend::new(&mut out)).draw(old.diff(&new).into_iter()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whatever_follows_a_disputed_letter_is_told_its_place() {
        let name = written("", "राहुल");
        // Rows and columns count from one; `रा` takes two cells, and `हु` one.
        assert!(name.contains("\u{1b}[1;2H ") && name.contains("\u{1b}[1;1Hरा"), "{name:?}");
        assert!(name.contains("\u{1b}[1;3Hहु") && name.contains("\u{1b}[1;4Hल"), "{name:?}");
        let plain = written("", "GusHolm");
        assert!(plain.contains("GusHolm"), "one run: {plain:?}");
    }

    #[test]
    fn nothing_is_drawn_over_the_rest_of_a_wide_letter() {
        for sign in ["❤\u{fe0f}", "☎\u{fe0f}"] {
            let said = written("xxxxx", &format!("a{sign}b"));
            let (before, after) = said.split_once(sign).unwrap();
            assert!(before.contains("\u{1b}[1;3H "), "what stood behind it goes first: {said:?}");
            assert!(after.contains("\u{1b}[1;4Hb") && !after.contains("\u{1b}[1;3H"), "{said:?}");
        }
    }
}
