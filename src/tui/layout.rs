//! Where everything stands for a window's size: pure arithmetic, shared by drawing, scrolling and the mouse.
//!
//! ```text
//!  wide (from 110x30)          medium (from 76x24)      tall and narrow         small (from 60x16)
//!  header, 3 lines             header                   header                  header
//!  1 Cohort    │ 2 Timeline    5 Needs you │            1, 2, 3, 5, 4, 6        one pane
//!  3 Channels  │ 5 Needs you   3 Channels  │ one over   stacked                 tabs
//!  4 Rules     │ 6 Next        1, 2, 4 or 6│ another                            footer
//!  footer                      tabs, footer             footer
//! ```

use ratatui::layout::{Constraint, Layout, Rect};

/// The panes of the main screen, by the number on their frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pane {
    /// Everybody.
    #[default]
    Cohort,
    /// What happens.
    Timeline,
    /// Counters.
    Channels,
    /// Steps and waits.
    Rules,
    /// What needs a person.
    Needs,
    /// What falls due.
    Next,
}

impl Pane {
    /// In the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Cohort, Self::Timeline, Self::Channels, Self::Rules, Self::Needs, Self::Next];

    /// From 1.
    pub const fn number(self) -> usize {
        self as usize + 1
    }

    /// On its frame.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cohort => "Cohort",
            Self::Timeline => "Timeline",
            Self::Channels => "Channels",
            Self::Rules => "Rules",
            Self::Needs => "Needs you",
            Self::Next => "Next",
        }
    }

    /// The pane `by` places further, around the end.
    pub fn step(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Six panes at once.
    Wide,
    /// All panes, one over the other.
    Tall,
    /// Three at once, the rest as tabs.
    Medium,
    /// One at a time.
    Small,
    /// Nothing sensible can be shown.
    TooSmall,
}

/// Smallest window that shows anything: columns and lines.
pub const SMALLEST: (u16, u16) = (60, 16);

/// Where things stand on the screen.
#[derive(Clone, Debug)]
pub struct Places {
    /// How much room there is.
    pub shape: Shape,
    /// Three lines.
    pub header: Rect,
    /// Standing banners, under the header.
    pub banner: Rect,
    /// Between banner and foot; pages fill it.
    pub body: Rect,
    /// The panes that are visible now.
    pub panes: Vec<(Pane, Rect)>,
    /// Tabs for the panes that are not, one line.
    pub tabs: Option<Rect>,
    /// Notices, above the footer.
    pub notices: Rect,
    /// Keys, one line.
    pub footer: Rect,
}

impl Places {
    /// Where `pane` stands, if it is visible.
    pub fn of(&self, pane: Pane) -> Option<Rect> {
        self.panes.iter().find(|(p, _)| *p == pane).map(|(_, rect)| *rect)
    }
}

/// Sorts a window by its room.
pub fn shape(area: Rect) -> Shape {
    match (area.width, area.height) {
        (w, h) if w < SMALLEST.0 || h < SMALLEST.1 => Shape::TooSmall,
        (110.., 30..) => Shape::Wide,
        (_, 46..) => Shape::Tall,
        (76.., 24..) => Shape::Medium,
        _ => Shape::Small,
    }
}

/// Lines of banners and notices that every shape has room for.
const SPARE: u16 = 3;

/// As [`shape`], for what is left beside more banners and notices than usual.
fn shape_beside(area: Rect, lines: u16) -> Shape {
    match shape(area) {
        Shape::TooSmall => Shape::TooSmall,
        Shape::Wide | Shape::Tall | Shape::Medium | Shape::Small => {
            let height = area.height.saturating_sub(lines.saturating_sub(SPARE)).max(SMALLEST.1);
            shape(Rect { height, ..area })
        }
    }
}

/// Everything's place. `banners` and `notices` are the lines they need; a zoomed pane has the body for itself.
pub fn arrange(area: Rect, focus: Pane, zoomed: bool, banners: u16, notices: u16) -> Places {
    let shape = shape_beside(area, banners + notices);
    let tabs = u16::from(matches!(shape, Shape::Medium | Shape::Small));
    let rows = [3, banners, 0, notices, tabs, 1].map(Constraint::Length);
    let [header, banner, body, notices, tab_line, footer] =
        Layout::vertical([rows[0], rows[1], Constraint::Fill(1), rows[3], rows[4], rows[5]]).areas(area);
    let panes = match shape {
        Shape::TooSmall => Vec::new(),
        _ if zoomed => vec![(focus, body)],
        Shape::Wide => wide(body),
        Shape::Tall => tall(body),
        Shape::Medium => medium(body, focus),
        Shape::Small => vec![(focus, body)],
    };
    Places { shape, header, banner, body, panes, tabs: (tabs == 1).then_some(tab_line), notices, footer }
}

fn split(area: Rect, left: u16) -> [Rect; 2] {
    Layout::horizontal([Constraint::Length(left), Constraint::Fill(1)]).areas(area)
}

fn wide(body: Rect) -> Vec<(Pane, Rect)> {
    let spare = body.height.saturating_sub(33);
    let rules = 7 + (spare / 8).min(2);
    let channels = 9 + (spare / 5).min(4);
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(channels), Constraint::Length(rules)])
            .areas(body);
    let upper = if body.width < 150 { body.width * 3 / 5 } else { body.width * 11 / 20 };
    let [cohort, timeline] = split(top, upper);
    let [channels, needs] = split(middle, (body.width * 63 / 100).clamp(76, 104));
    let [rules, next] = split(bottom, upper);
    vec![
        (Pane::Cohort, cohort),
        (Pane::Timeline, timeline),
        (Pane::Channels, channels),
        (Pane::Rules, rules),
        (Pane::Needs, needs),
        (Pane::Next, next),
    ]
}

fn tall(body: Rect) -> Vec<(Pane, Rect)> {
    let rows = [
        (Pane::Cohort, Constraint::Fill(3)),
        (Pane::Timeline, Constraint::Fill(2)),
        (Pane::Channels, Constraint::Length(8)),
        (Pane::Needs, Constraint::Length(7)),
        (Pane::Rules, Constraint::Length(6)),
        (Pane::Next, Constraint::Length(6)),
    ];
    let rects = Layout::vertical(rows.map(|(_, c)| c)).split(body);
    rows.iter().zip(rects.iter()).map(|((pane, _), rect)| (*pane, *rect)).collect()
}

/// The needs give way to the pane below, which is the list of customers as a rule; not while keys go to them.
fn medium(body: Rect, focus: Pane) -> Vec<(Pane, Rect)> {
    let needs = match (body.height, focus) {
        (..18, Pane::Needs) | (18, _) => 4,
        (..18, _) => 3,
        _ => 5,
    };
    let rows = [Constraint::Length(needs), Constraint::Length(6), Constraint::Fill(1)];
    let [needs, channels, rest] = Layout::vertical(rows).areas(body);
    let lower = match focus {
        Pane::Timeline | Pane::Rules | Pane::Next => focus,
        Pane::Cohort | Pane::Channels | Pane::Needs => Pane::Cohort,
    };
    vec![(Pane::Needs, needs), (Pane::Channels, channels), (lower, rest)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_smallest_window_up_nothing_overlaps_and_the_focus_is_visible() {
        for width in (60..=240).step_by(7) {
            for height in 16..=80 {
                let area = Rect::new(0, 0, width, height);
                let crowds = [(0, 0), (1, 2), (2, 3), (3, 3), (if height < 24 { 3 } else { 5 }, 3)];
                for (focus, (banners, notices)) in
                    Pane::ALL.into_iter().flat_map(|f| crowds.map(|crowd| (f, crowd)))
                {
                    let places = arrange(area, focus, false, banners, notices);
                    let at = format!("{width}x{height} {focus:?} beside {banners}+{notices}");
                    assert!(places.of(focus).is_some_and(|r| r.height >= 4), "{at}");
                    for (i, (_, a)) in places.panes.iter().enumerate() {
                        assert!(places.panes[i + 1..].iter().all(|(_, b)| !a.intersects(*b)));
                    }
                }
            }
        }
    }
}
