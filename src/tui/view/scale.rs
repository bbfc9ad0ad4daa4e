//! Pictures in cells that share one axis: intervals and bars. Each is read by its marks, with or without colour.

use crate::model::Money;
use rust_decimal::prelude::ToPrimitive as _;

/// An amount as a number.
pub fn number(amount: Money) -> f64 {
    amount.0.to_f64().unwrap_or_default()
}

/// Whole percents.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// From where to where, in how many cells.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// At the first cell.
    pub from: f64,
    /// At the last one.
    pub to: f64,
    /// How many.
    pub cells: usize,
}

/// What is drawn of one figure.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The figure.
    pub mean: f64,
    /// The upper end.
    pub high: f64,
    /// The plain mean of the record.
    pub raw: Option<f64>,
}

impl Axis {
    /// The axis that these need; `None` where there is nothing to be drawn, or no room.
    pub fn over(of: &[Interval], cells: usize) -> Option<Self> {
        let ends = of.iter().flat_map(|i| [i.low, i.high].into_iter().chain(i.raw));
        let (from, to) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let is_drawn = from.is_finite() && to.is_finite() && cells >= 8;
        // One figure alone still has a middle.
        let (from, to) = if to - from < 1e-9 { (from - 0.5, to + 0.5) } else { (from, to) };
        is_drawn.then_some(Self { from, to, cells })
    }

    fn cell(&self, value: f64) -> usize {
        let share = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        (share * (self.cells - 1) as f64).round() as usize
    }

    /// `  ├──●──┤ `, with `○` at the plain mean (`◉` where both are one) and `┊` at zero.
    pub fn interval(&self, of: Interval) -> String {
        let mut out = vec![' '; self.cells];
        if self.from < 0.0 && self.to > 0.0 {
            out[self.cell(0.0)] = '┊';
        }
        let (low, mean, high) = (self.cell(of.low), self.cell(of.mean), self.cell(of.high));
        out[low..=high].fill('─');
        (out[low], out[high]) = ('├', '┤');
        if let Some(raw) = of.raw.map(|raw| self.cell(raw)) {
            out[raw] = '○';
            out[mean] = if raw == mean { '◉' } else { '●' };
        } else {
            out[mean] = '●';
        }
        out.into_iter().collect()
    }
}

/// `████▓▓▓░░░`: at least, up to the figure, up to its upper end. What goes beyond the last cell ends in `▸`.
pub fn bar(of: Interval, most: f64, cells: usize) -> String {
    if cells == 0 || most <= 0.0 {
        return String::new();
    }
    let cell = |value: f64| ((value / most).max(0.0) * cells as f64).round() as usize;
    let (low, mean, high) = (cell(of.low), cell(of.mean).max(1), cell(of.high));
    let mark = |at: usize| match at {
        _ if at < low => '█',
        _ if at < mean => '▓',
        _ => '░',
    };
    let mut out: Vec<char> = (0..high.max(mean).min(cells)).map(mark).collect();
    if let Some(last) = out.last_mut().filter(|_| high > cells) {
        *last = '▸';
    }
    out.into_iter().collect()
}

/// Shares as a row of blocks: a step of an eighth each.
pub fn blocks(shares: impl Iterator<Item = f64>) -> String {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    shares.map(|share| BLOCKS[(share.clamp(0.0, 1.0) * 8.0).round() as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(low: f64, mean: f64, high: f64, raw: Option<f64>) -> Interval {
        Interval { low, mean, high, raw }
    }

    #[test]
    fn intervals_stand_on_one_axis() {
        let (a, b) = (of(-1.0, 0.0, 1.0, Some(0.0)), of(0.0, 2.0, 3.0, Some(2.5)));
        let axis = Axis::over(&[a, b], 9).unwrap();
        assert_eq!(axis.interval(a), "├─◉─┤    ");
        assert_eq!(axis.interval(b), "  ├───●○┤");
        assert!(Axis::over(&[], 9).is_none() && Axis::over(&[a], 3).is_none());
        let alone = Axis::over(&[of(2.0, 2.0, 2.0, None)], 9).unwrap();
        assert_eq!(alone.interval(of(2.0, 2.0, 2.0, None)), "    ●    ");
    }

    #[test]
    fn bars_say_how_sure_they_are_and_where_they_are_cut() {
        assert_eq!(bar(of(2.0, 4.0, 6.0, None), 10.0, 10), "██▓▓░░");
        assert_eq!(bar(of(2.0, 4.0, 60.0, None), 8.0, 8), "██▓▓░░░▸");
        assert_eq!(bar(of(0.0, 0.0, 0.0, None), 10.0, 10), "▓");
        assert_eq!(bar(of(1.0, 1.0, 1.0, None), 0.0, 10), "");
        assert_eq!(blocks([0.0, 0.5, 1.0, 7.0].into_iter()), " ▄██");
    }
}
