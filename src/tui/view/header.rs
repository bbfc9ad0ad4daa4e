//! The three header lines: what runs, whether we hear and what it costs, and where everybody is. They reconcile:
//! the eight numbers of the third line add up to the cohort.
//!
//! Each line is made of pieces with a rank; the highest ranks leave first where the window is narrow.

use super::Ctx;
use crate::engine::event::CampaignKind;
use crate::engine::snapshot::Phase;
use crate::model::{Channel, Mode, Outcome};
use crate::phrases::span;
use crate::runtime::attach::{InControl, Seat};
use crate::tui::text::{city, cut, weekday, width};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// A part of a line, and how early it leaves a narrow one: 0 stays.
struct Piece<'a> {
    rank: u8,
    spans: Vec<Span<'a>>,
}

fn piece<'a>(rank: u8, text: impl Into<String>, style: Style) -> Piece<'a> {
    Piece { rank, spans: vec![Span::styled(text.into(), style)] }
}

impl Piece<'_> {
    fn width(&self) -> usize {
        self.spans.iter().map(|span| width(&span.content)).sum()
    }
}

/// Draws them.
pub fn draw(ctx: &Ctx, area: Rect, frame: &mut Frame) {
    let cells = area.width as usize;
    let mut lines = vec![first(ctx, cells), second(ctx, cells), third(ctx, cells)];
    if ctx.model.mode() == Mode::Live {
        // Reversed across the whole line: whoever looks up for a blink knows that people are being contacted.
        for span in &mut lines[0].spans {
            span.style = ctx.theme.live;
        }
        lines[0].style = ctx.theme.live;
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// Left pieces, a gap, right pieces; pieces leave by rank until they fit.
fn fitted<'a>(mut left: Vec<Piece<'a>>, mut right: Vec<Piece<'a>>, cells: usize) -> Line<'a> {
    loop {
        let used: usize = left.iter().chain(&right).map(Piece::width).sum();
        let worst = left.iter().chain(&right).map(|p| p.rank).max().unwrap_or(0);
        if used < cells || worst == 0 {
            let gap = " ".repeat(cells.saturating_sub(used));
            let spans = left.into_iter().flat_map(|p| p.spans);
            let spans = spans.chain([Span::raw(gap)]).chain(right.into_iter().flat_map(|p| p.spans));
            return Line::from(spans.collect::<Vec<_>>());
        }
        left.retain(|p| p.rank < worst);
        right.retain(|p| p.rank < worst);
    }
}

/// The branch of the rules and its pull request: its number and state first, where there is room what checks and
/// reviewers say.
fn forge<'a>(ctx: &Ctx) -> Vec<Piece<'a>> {
    let Some(place) = &ctx.model.forge else { return Vec::new() };
    let branch = place.branch.as_deref().filter(|_| !place.is_on_base || place.pull.is_some());
    let mut pieces: Vec<_> =
        branch.map(|branch| piece(5, format!(" {}", cut(branch, 24)), ctx.theme.muted)).into_iter().collect();
    if let Some(pull) = &place.pull {
        let (stands, more) = pull.split_once(',').unwrap_or((pull, ""));
        pieces.push(piece(3, format!(" PR {}", cut(stands, 16)), ctx.theme.accent));
        let more = if more.is_empty() { String::new() } else { format!(" ·{}", more.replace(',', " ·")) };
        pieces.push(piece(4, cut(&more, 48), ctx.theme.accent));
        let silent = if place.is_silent { " (as last told)" } else { "" };
        pieces.push(piece(4, silent.to_owned(), ctx.theme.muted));
    }
    pieces
}

fn first<'a>(ctx: &Ctx, cells: usize) -> Line<'a> {
    let theme = ctx.theme;
    let badge = match ctx.model.mode() {
        Mode::Live => piece(0, " LIVE ", theme.live),
        Mode::Rehearsal => piece(0, " REHEARSAL ", theme.rehearsal),
    };
    let mut left = vec![badge];
    let mut right = Vec::new();
    if let Some(campaign) = &ctx.picture.snapshot.campaign {
        let kind = match campaign.kind {
            CampaignKind::Pilot => "PILOT",
            CampaignKind::Full => "FULL",
        };
        left.push(piece(0, format!(" {}", cut(&crate::model::clean(&campaign.name), 28)), theme.strong));
        left.push(piece(0, format!(" · {kind} {}", campaign.customers), theme.text));
        let (rules, next) = crate::tui::versions::rules_in_force(ctx.model).unwrap_or_default();
        left.push(piece(4, format!(" · {rules}"), theme.muted));
        left.push(piece(5, next.map(|next| format!(" {next}")).unwrap_or_default(), theme.muted));
        let commit = campaign.rules_commit.as_deref().map(|c| c.chars().take(7).collect::<String>());
        left.push(piece(6, commit.map(|c| format!(" @{c}")).unwrap_or_default(), theme.muted));
        left.extend(forge(ctx));
        left.push(Piece { rank: 3, spans: walk(ctx) });
        let at = campaign.ended_at.filter(|_| ctx.picture.snapshot.phase == Phase::Ended);
        right.push(piece(1, format!(" {}", weekday(at.unwrap_or(ctx.now), ctx.zone)), theme.text));
        // Who is in control is worth more than where the clock hangs.
        let rank = if ctx.picture.seat.is_some() { 3 } else { 2 };
        right.push(piece(rank, format!(" {}", city(&ctx.picture.place.timezone)), theme.muted));
        if campaign.mode == Mode::Rehearsal {
            right.push(piece(5, format!(" ×{}", ctx.model.speed), theme.muted));
        }
    } else {
        let place = crate::model::clean(&ctx.picture.place.workspace);
        left.push(piece(3, format!(" {place}"), theme.muted));
        left.extend(forge(ctx));
    }
    if let Some(seat) = seat(ctx).filter(|_| cells >= ROOM_FOR_SEAT) {
        let (short, more) = seat.title();
        left.push(piece(0, format!(" · {short}"), seat_style(ctx, seat)));
        left.push(piece(2, more, theme.muted));
    }
    right.push(state(ctx));
    fitted(left, right, cells)
}

fn walk<'a>(ctx: &Ctx) -> Vec<Span<'a>> {
    let mut spans = vec![Span::styled(" · ", ctx.theme.muted)];
    for (i, step) in ctx.picture.snapshot.steps.iter().enumerate() {
        if i > 0 {
            spans.push(Span::styled(" › ", ctx.theme.faint));
        }
        spans.push(Span::styled(step.channel.label(), ctx.theme.channel(step.channel)));
        if let Some(wait) = step.wait_s {
            spans.push(Span::styled(format!(" {}", span(wait as i64)), ctx.theme.muted));
        }
    }
    spans
}

fn state<'a>(ctx: &Ctx) -> Piece<'a> {
    let theme = ctx.theme;
    let (words, style) = match &ctx.picture.snapshot.phase {
        _ if ctx.model.lost().is_some() => ("✗ detached", theme.bad),
        _ if ctx.picture.store_failed.is_some() => ("✗ store failed", theme.bad),
        // Nothing is sent or heard yet, whatever the store says.
        _ if ctx.picture.starting.is_some() => ("◌ starting", theme.muted),
        _ if ctx.model.held_by().is_some() => ("‖ on hold", theme.warning),
        Phase::Idle => ("○ ready", theme.muted),
        Phase::Running => ("● running", theme.good),
        Phase::Paused(_) => ("‖ on hold", theme.warning),
        Phase::Stuck => ("! needs you", theme.warning),
        Phase::Ended => ("■ ended", theme.text),
    };
    piece(0, format!("  {words} "), style)
}

/// Fewer cells than this have no room on the first line for where an attached console sits.
const ROOM_FOR_SEAT: usize = 72;

/// Where an attached console sits, as long as somebody is at the other end.
fn seat<'a>(ctx: &'a Ctx) -> Option<&'a Seat> {
    ctx.picture.seat.as_deref().filter(|seat| seat.lost.is_none())
}

fn seat_style(ctx: &Ctx, seat: &Seat) -> Style {
    if seat.control == InControl::Us { ctx.theme.strong } else { ctx.theme.warning }
}

/// Fewer cells than this have no room for both ears and money.
const ROOM_FOR_EARS: usize = 100;

fn second<'a>(ctx: &Ctx, cells: usize) -> Line<'a> {
    let theme = ctx.theme;
    let mut left = Vec::new();
    if let Some(seat) = seat(ctx).filter(|_| cells < ROOM_FOR_SEAT) {
        let (short, _) = seat.title();
        let word = short.rsplit(" · ").next().unwrap_or_default();
        left.push(piece(0, format!(" {word} ·"), seat_style(ctx, seat)));
    }
    if ctx.picture.ears.is_empty() {
        left.push(piece(1, " hears nobody yet", theme.muted));
    } else {
        let mut spans = vec![Span::styled(" hears", theme.muted)];
        for ear in &ctx.picture.ears {
            let (glyph, style, age) = match ear.heard_s {
                Some(s) if s <= 300 => ("●", theme.good, age(s)),
                Some(s) => ("!", theme.warning, age(s)),
                None => ("○", theme.warning, "not yet".to_owned()),
            };
            spans.push(Span::styled(format!(" {glyph} "), style));
            spans.push(Span::styled(format!("{} ", ear.name), theme.text));
            spans.push(Span::styled(age, theme.muted));
        }
        // Whether we hear comes before how the money stands; on a narrow screen there is room for one of them.
        let rank = if cells < ROOM_FOR_EARS { 5 } else { 2 };
        left.push(Piece { rank, spans });
        left.push(piece(rank, "   ", theme.text));
    }
    let Some(campaign) = &ctx.picture.snapshot.campaign else {
        let starting = ctx.picture.starting.as_deref().map(crate::model::clean);
        let right = starting.map(|what| piece(0, format!("{what} "), theme.accent));
        return fitted(left, right.into_iter().collect(), cells);
    };
    let purse = &ctx.picture.snapshot.money;
    // A call is booked at its usual price until the provider tells the real one.
    let estimated = ctx
        .picture
        .snapshot
        .channels
        .iter()
        .any(|row| row.channel == Some(Channel::Phone) && row.in_flight > 0);
    left.push(piece(0, if estimated { " spent est. " } else { " spent " }, theme.muted));
    left.push(piece(0, ctx.money(purse.spent), theme.strong));
    left.push(piece(4, format!(" of {}", ctx.money(purse.budget)), theme.text));
    let (least, most) = purse.ends_at;
    left.push(piece(3, format!(", ends at {}–{}", ctx.money(least), most.short()), theme.muted));
    // Those whom this campaign lost: who had opted out before it was never contacted.
    let rows = ctx.picture.snapshot.channels.iter().filter(|row| row.channel.is_some());
    let out: u64 = rows.map(|row| row.outcome(Outcome::OptedOut)).sum();
    let limit = (campaign.max_optout_share * campaign.customers as f64).floor() as u64;
    let style = if out > limit { theme.bad } else { theme.text };
    let right = vec![
        piece(1, "  opt-outs ", theme.muted),
        piece(1, format!("{out} of {}", campaign.customers), style),
        piece(1, format!(", limit {limit} "), theme.muted),
    ];
    fitted(left, right, cells)
}

/// In its largest unit alone, so that the line keeps its place for money: `59s`, `1m`, `3h`.
fn age(seconds: u64) -> String {
    let unit = [86_400, 3600, 60].into_iter().find(|unit| seconds >= *unit).unwrap_or(1);
    span((seconds - seconds % unit) as i64)
}

fn third<'a>(ctx: &Ctx, cells: usize) -> Line<'a> {
    let theme = ctx.theme;
    let tally = &ctx.picture.snapshot.tally;
    if ctx.picture.snapshot.campaign.is_none() {
        return Line::styled(" nothing launched yet", theme.muted);
    }
    let parts = [
        (tally.converted, "converted", "conv", theme.good),
        (tally.declined, "declined", "decl", theme.text),
        (tally.opted_out, "opted out", "out", theme.text),
        (tally.exhausted, "exhausted", "exh", theme.text),
        (tally.stopped, "stopped", "stop", theme.text),
        (tally.held, "held", "held", theme.warning),
        (tally.in_doubt, "in doubt", "doubt", theme.warning),
        (tally.running, "running", "run", theme.accent),
    ];
    let build = |short: bool, zeros: bool, between: &'static str| {
        let mut spans = vec![Span::styled(format!(" {} = ", tally.total), theme.strong)];
        let shown: Vec<_> = parts.iter().filter(|(n, ..)| zeros || *n > 0).collect();
        for (i, (count, long, abbreviated, style)) in shown.iter().enumerate() {
            if i > 0 {
                spans.push(Span::styled(between, theme.faint));
            }
            let style = if *count == 0 { theme.muted } else { *style };
            spans.push(Span::styled(count.to_string(), style));
            let word = if short { abbreviated } else { long };
            spans.push(Span::styled(format!(" {word}"), theme.muted));
        }
        spans
    };
    let wide = |spans: &[Span]| spans.iter().map(|s| width(&s.content)).sum::<usize>();
    // In a narrow window noughts are left out: the sum holds without them.
    let forms = [(false, true, " · "), (true, true, " · "), (true, false, " · "), (true, false, " ")];
    let mut tried = forms.iter().map(|(short, zeros, between)| build(*short, *zeros, between));
    let mut spans = tried.find(|spans| wide(spans) <= cells).unwrap_or_else(|| build(true, false, " "));
    let note = match tally.on_phone {
        0 => String::new(),
        n => format!(" ({n} on the phone now)"),
    };
    if wide(&spans) + width(&note) <= cells {
        spans.push(Span::styled(note, theme.phone));
    }
    Line::from(spans)
}
