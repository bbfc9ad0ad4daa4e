//! Drawing: `draw(&Model, &Theme, frame)` changes nothing. One file per pane, named as on the screen.

mod asking;
mod blocks;
mod body;
mod channels;
mod cohort;
mod cost;
mod dialog;
mod diff;
mod editor;
mod failures;
mod header;
mod ladder;
mod learning;
mod lists;
mod messages;
pub mod needs;
mod next;
mod orders;
mod page;
mod person;
mod preview;
mod review;
mod rules;
mod scale;
mod starts;
mod timeline;
mod versions;
mod waits;
mod week;
mod welcome;

use super::alarms::{self, Look};
use super::cells;
use super::keys::{self, COMMANDS, Cmd};
use super::layout::{Pane, Places, SMALLEST, Shape};
use super::model::Model;
use super::text::width;
use super::theme::Theme;
use crate::model::{At, CampaignId, Money};
use crate::runtime::handle::{Level, Picture};
use chrono_tz::Tz;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

/// Everything a part of the screen may look at.
pub struct Ctx<'a> {
    /// Screen state.
    pub model: &'a Model,
    /// The newest picture.
    pub picture: &'a Picture,
    /// Looks by role.
    pub theme: &'a Theme,
    /// For clock times.
    pub zone: Tz,
    /// Campaign time of this frame.
    pub now: At,
}

impl Ctx<'_> {
    /// An amount with its currency: `$7.95`, `7.95 CHF`.
    pub fn money(&self, amount: Money) -> String {
        match self.picture.place.currency.as_str() {
            "USD" | "" => format!("${}", amount.short()),
            "EUR" => format!("€{}", amount.short()),
            "GBP" => format!("£{}", amount.short()),
            other => format!("{} {other}", amount.short()),
        }
    }

    /// In front of words about an earlier campaign, which hears what comes late; empty for the one on the screen.
    fn of_which(&self, campaign: CampaignId) -> String {
        match &self.picture.snapshot.campaign {
            Some(shown) if (1..shown.id.0).contains(&campaign.0) => format!("campaign {campaign}: "),
            Some(_) | None => String::new(),
        }
    }

    /// The frame of a pane or page: rounded, its title telling what has the focus.
    fn block<'b>(&self, title: Vec<Span<'b>>, focused: bool) -> Block<'b> {
        Block::bordered()
            .border_type(if focused { BorderType::Thick } else { BorderType::Rounded })
            .border_style(self.theme.border(focused))
            .title(Line::from(title))
    }

    /// The frame of a numbered pane; `detail` stands behind its name.
    fn pane<'b>(&self, pane: Pane, detail: &str) -> Block<'b> {
        let focused = self.model.focus == pane && self.model.pages.is_empty();
        let name = if focused { self.theme.title } else { self.theme.strong };
        let mut title = vec![
            Span::styled(format!(" {} ", pane.number()), self.theme.key),
            Span::styled(pane.title(), name),
            Span::raw(" "),
        ];
        if !detail.is_empty() {
            title.push(Span::styled(format!("{detail} "), self.theme.muted));
        }
        self.block(title, focused)
    }

    /// The line under the cursor; weaker where keys do not go.
    fn selection(&self, pane: Pane) -> Style {
        let focused = self.model.focus == pane && self.model.pages.is_empty();
        if focused { self.theme.selection } else { self.theme.selection_idle }
    }
}

/// What the last frame found out, for the next key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawn {
    /// Furthest that the top page can scroll.
    pub scroll_max: usize,
    /// Where the editor's text stands.
    pub text: Rect,
}

/// Draws one frame.
pub fn draw(model: &Model, theme: &Theme, frame: &mut Frame) -> Drawn {
    let picture = &*model.picture;
    let zone = picture.place.timezone.parse().unwrap_or(Tz::UTC);
    let ctx = Ctx { model, picture, theme, zone, now: model.now };
    let places = model.places();
    if places.shape == Shape::TooSmall {
        too_small(theme, frame);
        return Drawn::default();
    }
    header::draw(&ctx, places.header, frame);
    banner(&ctx, places.banner, frame);
    let drawn = match model.pages.last() {
        Some(open) => page::draw(&ctx, open, places.body, frame),
        None if model.welcomes() => welcome::draw(&ctx, places.body, frame),
        None => {
            body::draw(&ctx, &places, frame);
            Drawn::default()
        }
    };
    if let Some(area) = places.tabs {
        tabs(&ctx, area, &places, frame);
    }
    notices(&ctx, places.notices, frame);
    footer(&ctx, places.footer, frame);
    dialog::draw(&ctx, frame);
    cells::plain_signs(frame.buffer_mut());
    drawn
}

fn too_small(theme: &Theme, frame: &mut Frame) {
    let area = frame.area();
    let words = format!(
        "This window is {} columns by {} lines. Make it at least {} by {} and everything comes back; sending goes \
         on as before.",
        area.width, area.height, SMALLEST.0, SMALLEST.1
    );
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(words).style(theme.warning).wrap(Wrap { trim: true }), area);
}

/// Standing lines, each across the whole window, so that nobody overlooks them.
fn banner(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let lines = alarms::lines(ctx.model).into_iter().map(|line| {
        let style = match line.look {
            Look::Alarm => ctx.theme.alarm,
            Look::Hold => ctx.theme.hold,
            Look::Bad => ctx.theme.bad,
            Look::Warning => ctx.theme.warning,
            Look::Detail => ctx.theme.text,
        };
        Line::styled(line.text, style)
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
}

fn notices(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let full = area.width as usize;
    let count = usize::from(ctx.model.notices.lines());
    let lines: Vec<Line> = ctx
        .model
        .notices
        .shown()
        .enumerate()
        .map(|(i, told)| {
            let (glyph, tone) = messages::mark(told.level);
            let text = crate::model::clean(&format!(" {glyph} {}", told.text));
            let dismiss = i + 1 == count && told.level > Level::Info;
            let hint = hint(ctx, dismiss, width(&text), full);
            let text = super::text::left(&text, full.saturating_sub(width(&hint)));
            Line::from(vec![Span::styled(text, ctx.theme.tone(tone)), Span::styled(hint, ctx.theme.muted)])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// What is to be known of a notice of so many cells: the key that shows it whole, where it is cut, and the one that
/// dismisses it.
fn hint(ctx: &Ctx, dismiss: bool, cells: usize, full: usize) -> String {
    let dismissed = if dismiss { "  Esc dismisses " } else { "" };
    if cells + width(dismissed) <= full || ctx.model.dialog.is_some() {
        return dismissed.to_owned();
    }
    let whole = key_of(ctx, Cmd::Messages);
    if dismiss { format!("  {whole} whole, Esc dismisses ") } else { format!("  {whole} whole ") }
}

/// The key of a command of every place; where letters are typed, it is had by its control key.
fn key_of(ctx: &Ctx, cmd: Cmd) -> &'static str {
    let typing = crate::tui::editor::types(ctx.model) || ctx.model.types_a_line();
    let control = keys::of(cmd).and_then(|row| row.keys.iter().find(|key| key.starts_with("Ctrl-")));
    control.copied().filter(|_| typing).unwrap_or(keys::key(cmd))
}

/// Tabs' texts with the columns they take: one list for drawing and for the mouse.
fn tab_list(cells: u16) -> impl Iterator<Item = (Pane, String, std::ops::Range<u16>)> {
    let end = if cells < 72 { "" } else { "│" };
    Pane::ALL.iter().scan(0, move |x, pane| {
        // The narrowest window has room for six tabs if each is one word.
        let title = if cells < 72 { pane.title().split(' ').next() } else { Some(pane.title()) };
        let text = format!(" {} {} {end}", pane.number(), title.unwrap_or_default());
        let from = *x;
        *x += width(&text) as u16;
        Some((*pane, text, from..*x))
    })
}

/// The tab in a column of the tab line.
pub fn tab_at(cells: u16, column: u16) -> Option<Pane> {
    tab_list(cells).find(|(_, _, columns)| columns.contains(&column)).map(|(pane, ..)| pane)
}

fn tabs(ctx: &Ctx, area: Rect, places: &Places, frame: &mut Frame) {
    let spans: Vec<Span> = tab_list(area.width)
        .map(|(pane, text, _)| {
            let style = match (pane == ctx.model.focus, places.of(pane)) {
                (true, _) => ctx.theme.selection,
                (false, Some(_)) => ctx.theme.text,
                (false, None) => ctx.theme.muted,
            };
            Span::styled(text, style)
        })
        .collect();
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// Keys of this place, the most urgent first; what does not fit is found under `?`, which always fits.
fn footer(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let places = ctx.model.context();
    let mut rows: Vec<&keys::Row> = COMMANDS
        .iter()
        .filter(|row| row.footer > 0 && places.contains(&row.place))
        .filter(|row| keys::available(row.cmd, ctx.model).is_ok())
        .filter(|row| row.cmd != Cmd::Back || !ctx.model.pages.is_empty())
        // It is always taken, and only worth a place where something runs.
        .filter(|row| row.cmd != Cmd::Hold || ctx.model.in_flight())
        .collect();
    rows.sort_by_key(|row| row.footer);
    // In a narrow window a label is its first word: more keys are worth more than longer words.
    let label = |row: &keys::Row| {
        let short = row.label.split(' ').next().unwrap_or_default();
        if area.width < 100 { short } else { row.label }
    };
    let key = |row: &keys::Row| match row.place {
        keys::Place::Everywhere => key_of(ctx, row.cmd),
        _ => keys::key(row.cmd),
    };
    let wide = |row: &keys::Row| width(key(row)) + width(label(row)) + 3;
    let always = [Cmd::Help, Cmd::EditorHelp, Cmd::Quit];
    let mut left = (area.width as usize)
        .saturating_sub(rows.iter().filter(|r| always.contains(&r.cmd)).map(|r| wide(r)).sum());
    rows.retain(|row| {
        let fits = always.contains(&row.cmd) || wide(row) <= left;
        if fits && !always.contains(&row.cmd) {
            left -= wide(row);
        }
        fits
    });
    let spans = rows.iter().flat_map(|row| {
        [
            Span::styled(format!(" {} ", key(row)), ctx.theme.key),
            Span::styled(format!("{} ", label(row)), ctx.theme.muted),
        ]
    });
    frame.render_widget(Paragraph::new(Line::from(spans.collect::<Vec<_>>())), area);
}

/// The first visible line of a list whose cursor stands at `at`, for a window of `lines`.
pub fn list_top(at: usize, lines: usize) -> usize {
    (at + 1).saturating_sub(lines.max(1))
}
