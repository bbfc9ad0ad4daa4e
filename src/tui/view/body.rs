//! The panes that are visible now, each in its place.

use super::{Ctx, channels, cohort, needs, next, rules, timeline};
use crate::tui::layout::{Pane, Places};
use ratatui::Frame;

/// Draws them.
pub fn draw(ctx: &Ctx, places: &Places, frame: &mut Frame) {
    for (pane, area) in &places.panes {
        match pane {
            Pane::Cohort => cohort::draw(ctx, *area, frame),
            Pane::Timeline => timeline::draw(ctx, *area, frame),
            Pane::Channels => channels::draw(ctx, *area, frame),
            Pane::Rules => rules::draw(ctx, *area, frame),
            Pane::Needs => needs::draw(ctx, *area, frame),
            Pane::Next => next::draw(ctx, *area, frame),
        }
    }
}
