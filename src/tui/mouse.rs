//! The mouse: a click focuses and selects, a double click opens, the wheel scrolls what is under it.

use super::editor;
use super::keys::Cmd;
use super::layout::Pane;
use super::model::{Model, What};
use super::moving::scroll;
use super::update::{Request, run};
use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Two clicks on one spot within this time are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);
/// Lines per notch of the wheel.
const WHEEL_LINES: isize = 3;

/// Takes in one mouse event, `at` by the wall.
pub fn handle(model: &mut Model, event: MouseEvent, at: Instant) -> Vec<Request> {
    if model.dialog.is_some() || !model.mouse {
        return Vec::new();
    }
    if matches!(model.pages.last().map(|page| &page.what), Some(What::Editor)) {
        let double = matches!(event.kind, MouseEventKind::Down(_)) && is_double(model, event, at);
        if editor::mouse(model, event, double) {
            return Vec::new();
        }
    }
    match event.kind {
        MouseEventKind::ScrollUp => wheel(model, event, -WHEEL_LINES),
        MouseEventKind::ScrollDown => wheel(model, event, WHEEL_LINES),
        MouseEventKind::Down(MouseButton::Left) => return click(model, event, at),
        _ => {}
    }
    Vec::new()
}

fn pane_at(model: &Model, event: MouseEvent) -> Option<(Pane, u16)> {
    let spot = Position::new(event.column, event.row);
    let places = model.places();
    let (pane, rect) = places.panes.iter().find(|(_, rect)| rect.contains(spot))?;
    Some((*pane, event.row.saturating_sub(rect.y + 1)))
}

fn wheel(model: &mut Model, event: MouseEvent, by: isize) {
    if model.pages.is_empty()
        && let Some((pane, _)) = pane_at(model, event)
    {
        model.focus = pane;
    }
    scroll(model, by);
}

/// Whether this click follows one on the same spot at once.
fn is_double(model: &mut Model, event: MouseEvent, at: Instant) -> bool {
    let spot = (event.column, event.row);
    let double = model
        .clicked
        .is_some_and(|(before, x, y)| (x, y) == spot && at.saturating_duration_since(before) <= DOUBLE_CLICK);
    model.clicked = (!double).then_some((at, spot.0, spot.1));
    double
}

fn click(model: &mut Model, event: MouseEvent, at: Instant) -> Vec<Request> {
    let spot = (event.column, event.row);
    let double = is_double(model, event, at);
    if !model.pages.is_empty() {
        click_page(model, event);
        return if double { run(model, Cmd::Open) } else { Vec::new() };
    }
    if let Some(tabs) = model.places().tabs
        && tabs.contains(Position::new(spot.0, spot.1))
    {
        if let Some(pane) = super::view::tab_at(tabs.width, spot.0) {
            model.focus = pane;
        }
        return Vec::new();
    }
    let Some((pane, line)) = pane_at(model, event) else { return Vec::new() };
    model.focus = pane;
    select(model, pane, line as usize);
    if double { run(model, Cmd::Open) } else { Vec::new() }
}

fn select(model: &mut Model, pane: Pane, line: usize) {
    match pane {
        // Under the filter line and the heads of the columns.
        Pane::Cohort => {
            if let Some(line) = line.checked_sub(2) {
                let picture = Arc::clone(&model.picture);
                let at = model.cohort.top + line;
                model.cohort.select(&picture, at);
            }
        }
        // Both have a line of heads.
        Pane::Channels | Pane::Rules => model.cursors[pane as usize] = line.saturating_sub(1),
        Pane::Needs => {
            let area = model.places().of(pane).unwrap_or_default();
            if let Some(need) = super::view::needs::at_line(model, area, line) {
                model.cursors[pane as usize] = need;
            }
        }
        Pane::Next => model.cursors[pane as usize] = line,
        Pane::Timeline => {}
    }
    if pane != Pane::Cohort && pane != Pane::Timeline {
        scroll(model, 0);
    }
}

/// Lists on pages have one line of heads and a frame.
fn click_page(model: &mut Model, event: MouseEvent) {
    let body = model.places().body;
    let picture = Arc::clone(&model.picture);
    let Some(page) = model.pages.last_mut().filter(|page| !matches!(page.what, What::Learning(_))) else {
        return;
    };
    if let (Some(count), Some(line)) = (
        page.items(&picture, &model.history, (&model.learning, &model.notices)),
        (event.row as usize).checked_sub(body.y as usize + 2),
    ) {
        let lines = (body.height as usize).saturating_sub(3);
        let top = super::view::list_top(page.at, lines);
        (page.at, page.skip) = ((top + line).min(count.saturating_sub(1)), 0);
    }
}
