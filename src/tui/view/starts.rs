//! The learning page: the three questions of the week, then for each segment what the record says about its starts, in
//! a sentence, in numbers and in a picture.

use super::blocks::{self, Window};
use super::page::{More, heading};
use super::scale::{Axis, Interval, number, percent};
use super::week::each;
use super::{Ctx, learning, week};
use crate::learning::answer::{Answer, ChannelAnswer, SegmentAnswer, StartAnswer};
use crate::learning::policy::looks::State;
use crate::model::Money;
use crate::phrases::Tone;
use crate::tui::keys::{self, Cmd};
use crate::tui::model::Page;
use crate::tui::text::{cut, left, right, width, wrap};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use rust_decimal::Decimal;

/// From this many cells on, the net stands in the row as well.
const WIDE: usize = 110;

/// Draws it: the questions stay, the segments scroll under them so that the one under the cursor is seen. What a low
/// window has cut of the questions and their basis stands whole behind the last segment.
pub fn draw(ctx: &Ctx, answer: &Answer, page: &Page, area: Rect, frame: &mut Frame) -> More {
    let (cells, height) = (area.width as usize, area.height as usize);
    let most = if height >= 30 { 2 } else { 1 };
    let asked = week::lines(ctx, answer, cells, most);
    let in_full = week::lines(ctx, answer, cells, usize::MAX);
    let (mut basis, notes) = learning::basis(ctx, answer, cells);
    let mut rest = Vec::new();
    if in_full.len() > asked.len() {
        rest.push(heading(ctx, "the questions of the week, in full", cells));
        rest.extend(in_full);
    }
    let fits = asked.len() + basis.len() + notes.len() < height / 2;
    if fits { &mut basis } else { &mut rest }.extend(notes);
    let mut lines = asked;
    lines.append(&mut basis);
    lines.push(heading(ctx, "├─●─┤ expected net, 90 % interval · ○ raw mean · raw: as counted", cells));
    lines.truncate(height / 2);
    let (count, chosen) = (answer.segments.len(), page.at.min(answer.segments.len().saturating_sub(1)));
    let make = |i: usize| {
        let of = answer.segments.get(i);
        let mut lines = of.map(|of| segment(ctx, answer, of, i == chosen, cells)).unwrap_or_default();
        if i + 1 == count {
            lines.extend(rest.iter().cloned());
        }
        lines
    };
    let Window { lines: seen, most } = blocks::around(count, page, height - lines.len(), make);
    lines.extend(seen);
    frame.render_widget(Paragraph::new(lines), area);
    More { most, hidden: most.saturating_sub(page.skip), by: Cmd::Down }
}

/// Whether it is decided, as a mark and a tone.
const fn mark(state: State) -> (&'static str, Tone) {
    match state {
        State::ChangeProposed => ("→", Tone::Warning),
        State::KeepProven => ("✓", Tone::Good),
        State::NoPracticalDifference => ("=", Tone::Good),
        State::Learning => ("…", Tone::Plain),
        State::NotIdentifiable => ("?", Tone::Warning),
    }
}

/// The state in one sentence.
fn sentence(of: &SegmentAnswer) -> String {
    let reason = of.reason.as_str();
    match of.state {
        State::ChangeProposed | State::KeepProven => reason.to_owned(),
        State::NoPracticalDifference => reason.replacen("all the same: ", "a tie: ", 1),
        State::NotIdentifiable => "the record cannot answer: no randomised starts".to_owned(),
        State::Learning if of.leader.is_none() => reason.to_owned(),
        State::Learning => match of.more_needed {
            // Sure enough, but for a look: the reason says when there is one, and what it lacks.
            Some(0) => format!("not yet: {reason}"),
            Some(more) => format!("not yet, about {more} more if the gap is what it looks like: {reason}"),
            None => format!("not yet, over 5000 more if the gap is what it looks like: {reason}"),
        },
    }
}

fn segment<'a>(ctx: &Ctx, answer: &Answer, of: &SegmentAnswer, chosen: bool, cells: usize) -> Vec<Line<'a>> {
    const NAME: usize = 14;
    let (glyph, tone) = mark(of.state);
    let cursor = if chosen { "▸" } else { " " };
    let name = left(&format!("{cursor} {glyph} {}", of.segment.screen()), NAME);
    let said = wrap(&sentence(of), cells.saturating_sub(NAME + 1).max(20));
    let mut lines: Vec<Line> = said
        .into_iter()
        .enumerate()
        .map(|(i, text)| {
            let name = if i == 0 { name.clone() } else { " ".repeat(NAME) };
            let line = Line::from(vec![
                Span::styled(name, ctx.theme.strong),
                Span::raw(" "),
                Span::styled(text, ctx.theme.tone(tone)),
            ]);
            if chosen && i == 0 { line.patch_style(ctx.theme.selection) } else { line }
        })
        .collect();
    lines.extend(under(ctx, &counts(of), cells));
    lines.extend(table(ctx, of, cells));
    if chosen {
        lines.extend(under(ctx, &more(ctx, of, cells), cells));
    }
    if let Some(winner) = answer.winners.iter().find(|winner| winner.segment == of.segment) {
        lines.extend(under(ctx, std::slice::from_ref(&winner.reason), cells));
    }
    lines.extend(naive(ctx, answer, of, cells));
    lines.push(Line::default());
    lines
}

/// Muted words under a segment's sentence, separated by points.
fn under<'a>(ctx: &Ctx, said: &[String], cells: usize) -> Vec<Line<'a>> {
    if said.is_empty() {
        return Vec::new();
    }
    let lines = wrap(&said.join(" · "), cells.saturating_sub(6).max(20));
    lines.into_iter().map(|line| Line::styled(format!("    {line}"), ctx.theme.muted)).collect()
}

/// What counts, what does not, and when it is looked at next.
fn counts(of: &SegmentAnswer) -> Vec<String> {
    let mut said = vec![format!("{} finished", of.mature)];
    let dropped: u64 = of.starts.iter().map(|start| start.n_all - start.n).sum();
    if dropped > 0 {
        said.push(format!("{dropped} of them before the outcomes changed, not counted below"));
    }
    if of.running > 0 {
        said.push(format!("{} still running, not counted", of.running));
    }
    let left_out = &of.excluded_by;
    let why = [
        (left_out.forced, "start forced"),
        (left_out.not_drawn, "start not drawn"),
        (left_out.other_rules, "other rules"),
        (left_out.cut_short, "cut short by an edit or an operator"),
        (left_out.unsent, "nothing ever sent"),
    ];
    let why: Vec<String> =
        why.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    if !why.is_empty() {
        said.push(format!("left out: {}", why.join(", ")));
    }
    // A segment that is not decided says it in its sentence.
    if let Some(look) = of.next_look.filter(|_| !of.reason.contains("next look")) {
        let to_go = u64::from(look).saturating_sub(of.mature);
        said.push(format!("next look at {look}, {to_go} to go"));
    }
    said
}

/// Cells of the columns: name, n, conversions, rate, cost per conversion, opt-outs, P(best), next draw, net.
fn columns(cells: usize) -> [usize; 9] {
    if cells >= WIDE { [13, 6, 6, 9, 14, 9, 6, 6, 22] } else { [13, 5, 5, 6, 9, 4, 6, 6, 0] }
}

fn table<'a>(ctx: &Ctx, of: &SegmentAnswer, cells: usize) -> Vec<Line<'a>> {
    let columns = columns(cells);
    let used: usize = columns.iter().sum();
    let drawn: Vec<Interval> = of.starts.iter().filter_map(interval).collect();
    let axis = Axis::over(&drawn, cells.saturating_sub(used + 3));
    let heads = if cells >= WIDE {
        ["    start", "n", "conv", "raw rate", "raw cost/conv", "opt-outs", "best", "next", "net (90 %)"]
    } else {
        ["    start", "n", "conv", "raw", "raw/conv", "out", "best", "next", ""]
    };
    let scale = axis.map(|axis| ends(ctx, &axis)).unwrap_or_default();
    let mut lines = vec![Line::styled(format!("{}  {scale}", cellwise(heads, columns)), ctx.theme.muted)];
    for start in &of.starts {
        let row = row(ctx, start, of, cells);
        let style = if of.leader == Some(start.start) { ctx.theme.strong } else { ctx.theme.text };
        let texts: [&str; 9] = std::array::from_fn(|i| row[i].as_str());
        let cellwise = cellwise(texts, columns);
        let (name, numbers) =
            cellwise.split_at(cellwise.char_indices().nth(columns[0]).map_or(0, |(at, _)| at));
        let picture = axis.zip(interval(start)).map(|(axis, of)| axis.interval(of)).unwrap_or_default();
        lines.push(Line::from(vec![
            Span::styled(name.to_owned(), ctx.theme.channel(start.start)),
            Span::styled(numbers.to_owned(), style),
            Span::styled(format!("  {picture}"), style),
        ]));
    }
    lines
}

fn cellwise(texts: [&str; 9], columns: [usize; 9]) -> String {
    let cell = |(i, (text, cells)): (usize, (&str, usize))| {
        if i == 0 { left(text, cells) } else { right(text, cells) }
    };
    texts.into_iter().zip(columns).enumerate().map(cell).collect()
}

/// The axis' two ends, over its cells.
fn ends(ctx: &Ctx, axis: &Axis) -> String {
    let (from, to) = (amount(ctx, axis.from), amount(ctx, axis.to));
    let gap = axis.cells.saturating_sub(width(&from) + width(&to));
    format!("{from}{}{to}", " ".repeat(gap))
}

/// An amount out of a picture.
fn amount(ctx: &Ctx, value: f64) -> String {
    signed(ctx, Money(Decimal::from_f64_retain(value).unwrap_or_default()))
}

/// `-$0.41`, and never `$-0.41`.
fn signed(ctx: &Ctx, amount: Money) -> String {
    let size = ctx.money(Money(amount.0.abs()));
    if amount < Money::ZERO { format!("-{size}") } else { size }
}

fn interval(of: &StartAnswer) -> Option<Interval> {
    let (low, mean, high) = (number(of.net_low?), number(of.net_mean?), number(of.net_high?));
    Some(Interval { low, mean, high, raw: of.net_raw_mean.filter(|_| of.n > 0).map(number) })
}

fn row(ctx: &Ctx, start: &StartAnswer, of: &SegmentAnswer, cells: usize) -> [String; 9] {
    let dash = || "–".to_owned();
    let share = |share: Option<f64>| share.map_or_else(dash, percent);
    let today = if start.start == of.incumbent { "*" } else { "" };
    let net = match (start.net_mean, start.net_low, start.net_high) {
        (Some(mean), Some(low), Some(high)) if cells >= WIDE => {
            format!("{} ({}–{})", mean.short(), low.short(), high.short())
        }
        (Some(_), ..) => String::new(),
        (None, ..) => dash(),
    };
    [
        format!("    {}{today}", start.start.label()),
        start.n.to_string(),
        start.conversions.to_string(),
        share(start.conversion_rate),
        start.cost_per_conversion.map_or_else(dash, |cost| ctx.money(cost)),
        start.opted_out.to_string(),
        share(start.p_best),
        share(start.propensity),
        net,
    ]
}

/// What else is known of the segment under the cursor.
fn more(ctx: &Ctx, of: &SegmentAnswer, cells: usize) -> Vec<String> {
    let mut said = Vec::new();
    if cells < WIDE {
        let net = |start: &StartAnswer| {
            let (mean, low, high) = (start.net_mean?, start.net_low?, start.net_high?);
            let name = start.start.label();
            Some(format!("net {name} {} ({} to {})", signed(ctx, mean), signed(ctx, low), signed(ctx, high)))
        };
        said.extend(of.starts.iter().filter_map(net));
    }
    if matches!(of.state, State::ChangeProposed | State::NotIdentifiable) {
        said.push(format!("{} drafts the change", keys::key(Cmd::Draft)));
    }
    said.push("* today's start".to_owned());
    let away: f64 = of.starts.iter().filter(|s| s.start != of.incumbent).filter_map(|s| s.propensity).sum();
    if of.starts.iter().any(|start| start.propensity.is_some()) {
        said.push(format!("{} of tomorrow's starts are drawn away from it (next)", percent(away)));
    }
    if let Some(cost) = of.exploring_cost {
        said.push(format!("exploring has cost {}", ctx.money(cost)));
    }
    if let Some(loss) = of.expected_loss.filter(|loss| *loss > Money::ZERO) {
        said.push(format!("choosing now costs {} a cascade if it is wrong", exact(ctx, loss)));
    }
    if let Some(after) = of.after_100 {
        let gain = exact(ctx, after.gain_per_cascade);
        let changes = percent(after.p_leader_changes);
        said.push(if after.gain_per_cascade > Money::ZERO {
            format!("100 more change the leader with {changes}, worth {gain} a cascade")
        } else {
            "100 more would change nothing".to_owned()
        });
    }
    if let Some(gap) = of.gap_sd {
        said.push(format!("gap {gap:.2} sd"));
    }
    if of.late_conversions > 0 {
        said.push(format!("late conversions, which change no number: {}", of.late_conversions));
    }
    if of.blind_to_change && of.leader.is_some() {
        said.push("too little traffic to notice a change".to_owned());
    }
    said
}

/// Small amounts by the cascade need more digits than prices.
fn exact(ctx: &Ctx, amount: Money) -> String {
    if number(amount) < 0.1 {
        format!("{} {}", amount.0.round_dp(3), ctx.picture.place.currency)
    } else {
        ctx.money(amount)
    }
}

/// What a ranking of channels by their own cost would say, beside what can be said.
fn naive<'a>(ctx: &Ctx, answer: &Answer, of: &SegmentAnswer, cells: usize) -> Vec<Line<'a>> {
    let unknown = of.state == State::NotIdentifiable;
    let Some(naive) =
        of.naive_leader.filter(|naive| unknown || of.leader.is_some_and(|leader| leader != *naive))
    else {
        return Vec::new();
    };
    if !unknown {
        let words = format!(
            "not advice: conversions per channel's own cost would say {}, which saw only whom it was tried on",
            naive.label()
        );
        return under(ctx, &[words], cells);
    }
    let mut lines = under(ctx, std::slice::from_ref(&of.reason), cells);
    let rows = answer.channels.iter().filter(|row| row.segment.as_ref() == Some(&of.segment));
    let head = format!(
        "    {}{}{}  corrected",
        left("channel", 10),
        left("tried as", 12),
        right("naive cost/conv", 18)
    );
    lines.push(Line::styled(cut(&head, cells), ctx.theme.muted));
    lines.extend(rows.map(|row| beside(ctx, row, cells)));
    lines
}

fn beside<'a>(ctx: &Ctx, row: &ChannelAnswer, cells: usize) -> Line<'a> {
    let naive = each(row.conversions_per_cost).map_or_else(|| "–".to_owned(), |cost| ctx.money(cost));
    let corrected = if row.position == "first" {
        "today's start; there is no other one to compare it with"
    } else {
        "unknown: it saw only people who did not answer before"
    };
    let place = if row.position == "first" { "first" } else { "fallback" };
    let text =
        format!("    {}{}{}  {corrected}", left(row.channel.label(), 10), left(place, 12), right(&naive, 18));
    Line::styled(cut(&text, cells), ctx.theme.text)
}
