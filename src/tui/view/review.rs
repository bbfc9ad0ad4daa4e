//! The page before a save: the change, whom it moves, the choices with what each comes to, the reason.

use super::page::heading;
use super::{Ctx, Drawn, diff};
use crate::engine::retime::{Choice, Fate, Shown};
use crate::model::{At, Channel, Mode, clean};
use crate::phrases::{self, people, retimed, span};
use crate::runtime::saving::{EditPreview, Outlook, Wanted};
use crate::tui::editor::changes::changes;
use crate::tui::input::LineInput;
use crate::tui::keys::{self, Cmd};
use crate::tui::learning::View;
use crate::tui::review::{Field, Review, WORD};
use crate::tui::text::{cut, left, right, when, width, wrap};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::cmp::Ordering;
use std::path::Path;

mod moved;

/// From this width on the people stand beside the change.
const WIDE: u16 = 150;

/// Draws it.
pub fn draw(ctx: &Ctx, at: usize, area: Rect, frame: &mut Frame) -> Drawn {
    let Some(review) = &ctx.model.review else { return Drawn::default() };
    let title = Span::styled(format!(" {} ", title(review)), ctx.theme.title);
    let hint = Line::styled(" Esc goes back, nothing is changed ", ctx.theme.muted).right_aligned();
    let block = ctx.block(vec![title], true).title_top(hint);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let room = inner.height.saturating_sub(3);
    let foot = foot(ctx, review, inner.width as usize, room as usize);
    let below = (foot.len() as u16).min(room);
    // Where nothing parts them, what is hidden is told above the choice and not over it.
    let parts = u16::from(foot.len() > 2);
    let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(inner);
    let scroll_max: usize = match &review.preview {
        Some(Ok(preview)) => shown(ctx, review, preview, at, above, frame),
        Some(Err(refusal)) => {
            let cells = above.width as usize;
            let words = refusal
                .lines
                .iter()
                .flat_map(|line| wrap(&format!("✗ {}", clean(line)), cells.saturating_sub(4)));
            let words = words.map(|line| Line::styled(format!("  {line}"), ctx.theme.bad));
            let lines: Vec<Line> = words.chain(moved::lines(ctx, review, cells)).collect();
            let most = lines.len().saturating_sub(above.height as usize);
            frame.render_widget(
                Paragraph::new(lines.into_iter().skip(at.min(most)).collect::<Vec<_>>()),
                above,
            );
            most
        }
        None => {
            let words = "  finding out what it changes and whom it moves …";
            frame.render_widget(Paragraph::new(words).style(ctx.theme.muted), above);
            0
        }
    };
    draw_foot(ctx, review, foot, below, frame);
    let hidden = scroll_max.saturating_sub(at);
    if hidden > 0 {
        let words = format!(" ▼ {hidden} more lines: {} ", keys::key(Cmd::PageDown));
        let y = (above.bottom() + parts).saturating_sub(1).min(inner.bottom().saturating_sub(1));
        let line = Rect { y, height: 1, ..inner };
        frame.render_widget(Paragraph::new(words).style(ctx.theme.accent).right_aligned(), line);
    }
    Drawn { scroll_max, ..Drawn::default() }
}

fn title(review: &Review) -> String {
    match (&review.wanted, review.is_saving()) {
        (_, true) => "Saving …".to_owned(),
        (Wanted::Draft(files), _) => {
            let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
            format!("Save {}?", clean(&names.join(", ")))
        }
        (Wanted::Version { rules, content }, _) => {
            format!("Restore rules {}, texts {}?", retimed::short(rules), retimed::short(content))
        }
        (Wanted::Saved, _) => "Saved, not in force: put it in force?".to_owned(),
    }
}

/// The change and the people: beside each other or one under the other. Answers how far it scrolls.
fn shown(
    ctx: &Ctx,
    review: &Review,
    preview: &EditPreview,
    at: usize,
    area: Rect,
    frame: &mut Frame,
) -> usize {
    if area.width >= WIDE && preview.campaign.is_some() {
        let [change, _, who] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Length(66)])
                .areas(area);
        let mut left = change_lines(ctx, review, preview, change.width as usize);
        let mut right = people_lines(ctx, review, preview, who.width as usize);
        let most = left.len().max(right.len()).saturating_sub(area.height as usize);
        let at = at.min(most);
        let fits = |lines: &mut Vec<Line>| {
            // The shorter side stays until the longer one has passed it.
            let skip = at.min(lines.len().saturating_sub(area.height as usize));
            lines.drain(..skip);
        };
        fits(&mut left);
        fits(&mut right);
        frame.render_widget(Paragraph::new(left), change);
        frame.render_widget(Paragraph::new(right), who);
        return most;
    }
    let cells = area.width as usize;
    let mut lines = change_lines(ctx, review, preview, cells);
    lines.extend(people_lines(ctx, review, preview, cells));
    let most = lines.len().saturating_sub(area.height as usize);
    let visible: Vec<Line> = lines.into_iter().skip(at.min(most)).take(area.height as usize).collect();
    frame.render_widget(Paragraph::new(visible), area);
    most
}

fn change_lines<'a>(ctx: &Ctx, review: &Review, preview: &EditPreview, cells: usize) -> Vec<Line<'a>> {
    let mut lines = moved::warnings(ctx, review, preview, cells);
    for (name, before, after) in &preview.files {
        // A file that is not in the workspace yet stands beside what is built in.
        let built_in =
            ctx.model.desk.drafts.values().find(|draft| draft.file.path() == *name && before.is_empty());
        let before = built_in.map_or(before, |draft| &draft.base);
        lines.push(heading(ctx, &clean(name), cells));
        let read = |text: &str| crate::rules::parse(Path::new(""), text.as_bytes()).0;
        if let (true, Some(old), Some(new)) = (name.ends_with("cascade.json"), read(before), read(after)) {
            let said = changes(&old, &new).join(", ");
            lines.extend(
                wrap(&said, cells.saturating_sub(4))
                    .into_iter()
                    .map(|l| Line::styled(format!("  {l}"), ctx.theme.strong)),
            );
        }
        lines.extend(diff::lines(ctx, before, after, cells));
    }
    if preview.files.iter().all(|(_, before, after)| before == after) {
        lines.push(Line::styled("  the files are as they are on disk", ctx.theme.muted));
    }
    for line in &preview.trail {
        let words = wrap(&clean(line), cells.saturating_sub(4));
        lines.extend(words.into_iter().map(|line| Line::styled(format!("  {line}"), ctx.theme.muted)));
    }
    for line in &preview.terms {
        lines.push(Line::styled(format!("  for everybody: {}", clean(line)), ctx.theme.text));
    }
    if let Some(words) = learnt(preview) {
        let words = wrap(&words, cells.saturating_sub(4));
        lines.extend(words.into_iter().map(|line| Line::styled(format!("  {line}"), ctx.theme.warning)));
    }
    for warning in &preview.warnings {
        let words = wrap(&format!("! {}", clean(warning)), cells.saturating_sub(4));
        lines.extend(words.into_iter().map(|line| Line::styled(format!("  {line}"), ctx.theme.warning)));
    }
    lines
}

fn people_lines<'a>(ctx: &Ctx, review: &Review, preview: &EditPreview, cells: usize) -> Vec<Line<'a>> {
    let mut lines = vec![heading(ctx, "whom it moves", cells)];
    let Some((_, name)) = &preview.campaign else {
        lines.push(Line::styled("  Nobody: nothing is in flight. The next launch uses it.", ctx.theme.text));
        return lines;
    };
    if review.choice == Choice::Keep {
        let theirs =
            if texts_alone(preview) { "with the texts that they have" } else { "as they were launched" };
        let words = format!("  Nobody: those in flight go on {theirs}.");
        lines.push(Line::styled(words, ctx.theme.strong));
    }
    let stays = &preview.stays;
    let waits = if texts_alone(preview) { "nobody".to_owned() } else { people(preview.waits) };
    let head = if review.choice == Choice::Keep { "Otherwise, of" } else { "Of" };
    let mut said = vec![format!("{head} {}: {waits} would wait for another time", clean(name))];
    // Whom new texts reach is counted by channel.
    let later = if texts_alone(preview) { 0 } else { preview.later };
    let parts = [
        (later, "meet other steps or waits later"),
        (preview.leaves, "leave a channel that is gone"),
        (stays.same + stays.settling + stays.shared, "stay as they are"),
    ];
    said.extend(
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")),
    );
    for (channel, count) in preview.texts.iter().filter(|(_, count)| *count > 0) {
        said.push(format!("{count} are still to get the new {} text", channel.label()));
    }
    lines.extend(
        wrap(&said.join(", "), cells.saturating_sub(4))
            .into_iter()
            .map(|l| Line::styled(format!("  {l}"), ctx.theme.text)),
    );
    if review.left > 0 {
        let words = format!("  {} left meanwhile and are not moved", people(review.left as u64));
        lines.push(Line::styled(words, ctx.theme.muted));
    }
    if preview.people.is_empty() {
        return lines;
    }
    lines.push(Line::styled(
        row_text(["", "CUSTOMER", "STANDS AT", "NOW DUE", "THEN DUE"], cells),
        ctx.theme.muted,
    ));
    let (new, known): (Vec<&Shown>, Vec<&Shown>) =
        preview.people.iter().partition(|shown| review.newcomers.contains(&shown.cascade));
    let rows = new.into_iter().map(|shown| (shown, "new")).chain(known.into_iter().map(|shown| (shown, "")));
    lines.extend(rows.map(|row| person(ctx, review.choice, preview, row, cells)));
    let more = preview.affected.saturating_sub(preview.people.len() as u64);
    if more > 0 {
        lines.push(Line::styled(format!("  and {more} more"), ctx.theme.muted));
    }
    lines
}

fn row_text(parts: [&str; 5], cells: usize) -> String {
    let name = cells.saturating_sub(4 + 11 + 13 + 22).clamp(12, 26);
    let [mark, who, stands, now, then] = parts;
    format!(" {} {}{}{}{then}", left(mark, 3), left(who, name), left(stands, 11), left(now, 13))
}

/// Texts change, and neither steps nor waits.
fn texts_alone(preview: &EditPreview) -> bool {
    preview.before.rules == preview.after.rules && preview.before.content != preview.after.content
}

fn person<'a>(
    ctx: &Ctx,
    choice: Choice,
    preview: &EditPreview,
    (shown, mark): (&Shown, &str),
    cells: usize,
) -> Line<'a> {
    let at = preview.at;
    let time = |at: At| when(at, ctx.now, ctx.zone);
    let (now, then) = match shown.fate {
        Fate::Wait { from, settles, .. } => {
            let due = shown.due(choice).unwrap_or(from);
            let next = shown.next.map_or("the end", Channel::label);
            let then = match choice {
                Choice::Keep => "as it is".to_owned(),
                _ if shown.at_once(choice, at) => format!("at once, {next}"),
                _ if settles => format!("{}, then the end", time(due)),
                _ => format!("{}, {next}", time(due)),
            };
            (time(from), then)
        }
        Fate::Later | Fate::Leaves if choice == Choice::Keep => (String::new(), "as it is".to_owned()),
        Fate::Later if texts_alone(preview) => (String::new(), "the new text later".to_owned()),
        Fate::Later => (String::new(), "other steps later".to_owned()),
        Fate::Leaves => (String::new(), "goes on at once".to_owned()),
    };
    let text = row_text([mark, &ctx.model.name(shown.cascade), shown.channel.label(), &now, &then], cells);
    let style = if mark.is_empty() { ctx.theme.text } else { ctx.theme.warning };
    Line::styled(cut(&text, cells), style)
}

/// The choices, the reason and the keys: always visible. Where there is little room the choice that is made stays.
fn foot<'a>(ctx: &Ctx, review: &Review, cells: usize, room: usize) -> Vec<Line<'a>> {
    let line = Line::styled("─".repeat(cells), ctx.theme.faint);
    let Some(preview) = review.shown() else {
        return [line].into_iter().chain(moved::foot(ctx, review, cells)).collect();
    };
    let (mut choices, mut chosen) = (Vec::new(), 0);
    if preview.campaign.is_some() {
        let (keep, retime) = if texts_alone(preview) {
            ("keep the old texts", "send the new ones")
        } else {
            ("keep", "re-time")
        };
        for (choice, cmd, label) in [
            (Choice::Keep, Cmd::ChooseKeep, keep),
            (Choice::Retime, Cmd::ChooseRetime, retime),
            (Choice::RetimeAndSpread, Cmd::ChooseSpread, "re-time and spread"),
        ] {
            // Texts move no wait, so that there is nobody to spread.
            let idle = choice == Choice::RetimeAndSpread && texts_alone(preview);
            if let Some(outlook) = preview.outlook(choice).filter(|_| !idle) {
                let said = comes_to(ctx, preview, outlook);
                if review.choice == choice {
                    chosen = choices.len();
                }
                choices.push(choice_line(ctx, (cmd, label), &said, review.choice == choice, cells));
            }
        }
    }
    let waves = waves(ctx, preview, review.choice, cells);
    // The last line is that of the reason.
    let reason = Line::default();
    if choices.len() + waves.len() + 2 <= room {
        [vec![line], choices, waves, vec![reason]].concat()
    } else if choices.len() + 2 <= room {
        [vec![line], choices, vec![reason]].concat()
    } else {
        choices.into_iter().skip(chosen).take(1).chain([reason]).collect()
    }
}

/// What a choice comes to, in words.
fn comes_to(ctx: &Ctx, preview: &EditPreview, outlook: &Outlook) -> String {
    let moved = people(outlook.moved);
    match outlook.choice {
        Choice::Keep => "nobody is moved; later launches go by it".to_owned(),
        Choice::Retime | Choice::RetimeAndSpread if texts_alone(preview) => format!("for {moved}"),
        Choice::Retime => format!("{moved} moved, {}", at_once(outlook.at_once)),
        Choice::RetimeAndSpread => {
            let all = preview.outlook(Choice::Retime);
            let would = all.map_or(0, |all| all.at_once);
            let until = outlook.until.filter(|_| would > 0).map(|at| when(at, ctx.now, ctx.zone));
            let spread = until.map(|until| format!(", {would} spread until {until}"));
            format!("{moved} moved, {}{}", at_once(outlook.at_once), spread.unwrap_or_default())
        }
    }
}

fn at_once(count: u64) -> String {
    if count == 0 { "nobody at once".to_owned() } else { format!("{count} at once") }
}

/// What other rules make of the record; `None`: nothing.
fn learnt(preview: &EditPreview) -> Option<String> {
    let counted = preview.learnt?;
    let key = keys::key(Cmd::Learning(View::Starts));
    let finished = |count: u64| phrases::counted(count, "finished cascade", "finished cascades");
    match counted.after.cmp(&counted.before) {
        Ordering::Less => Some(format!(
            "! {} of {} stop counting in what was learnt ({key}): they ran under other rules or texts",
            counted.before - counted.after,
            finished(counted.before)
        )),
        Ordering::Greater => Some(format!(
            "{} count again in what was learnt ({key}): they ran under such rules and texts",
            finished(counted.after - counted.before)
        )),
        Ordering::Equal => None,
    }
}

fn choice_line<'a>(ctx: &Ctx, (cmd, label): (Cmd, &str), said: &str, chosen: bool, cells: usize) -> Line<'a> {
    let mark = if chosen { "●" } else { "○" };
    let head = format!(" {} {mark} {}", keys::key(cmd), left(label, 20));
    let style = if chosen { ctx.theme.strong } else { ctx.theme.muted };
    let room = cells.saturating_sub(width(&head));
    Line::from(vec![
        Span::styled(head, if chosen { ctx.theme.key } else { ctx.theme.muted }),
        Span::styled(cut(said, room), style),
    ])
}

/// The wave that the choice makes, against what each channel can let out.
fn waves<'a>(ctx: &Ctx, preview: &EditPreview, choice: Choice, cells: usize) -> Vec<Line<'a>> {
    let Some(outlook) = preview.outlook(choice) else {
        return Vec::new();
    };
    let line = |wave: &crate::engine::retime::Wave| {
        let lasts = if wave.at_once > 0 {
            format!(", at once takes {}", span(wave.lasts_s.ceil() as i64))
        } else {
            String::new()
        };
        let words = format!(
            "{} {} in the fullest 10m (now {}), room for {}{lasts}",
            left(wave.channel.label(), 9),
            right(&wave.peak.to_string(), 3),
            wave.peak_before,
            wave.room
        );
        let over = wave.peak > wave.room;
        let style = if over { ctx.theme.warning } else { ctx.theme.muted };
        Line::styled(cut(&format!("     {} {words}", if over { "!" } else { " " }), cells), style)
    };
    outlook.waves.iter().map(line).collect()
}

fn draw_foot(ctx: &Ctx, review: &Review, lines: Vec<Line>, area: Rect, frame: &mut Frame) {
    let wants_word = ctx.model.mode() == Mode::Live && review.moved() > 0;
    let last = lines.len().saturating_sub(1) as u16;
    frame.render_widget(Paragraph::new(lines), area);
    if review.shown().is_none() {
        return;
    }
    let row = Rect { y: area.y + last.min(area.height.saturating_sub(1)), height: 1, ..area };
    let save = match (review.is_saving(), wants_word) {
        // `y` is a letter there.
        _ if review.field == Field::Reason => format!("  Enter, then {} saves", keys::key(Cmd::SaveNow)),
        _ if review.field == Field::Word => "  Enter saves".to_owned(),
        (true, _) => "  saving …".to_owned(),
        (false, true) => format!("  {} {WORD}s it for real", keys::key(Cmd::SaveNow)),
        (false, false) => format!("  {} saves", keys::key(Cmd::SaveNow)),
    };
    let typing = review.field != Field::Choice;
    let drop = if review.wanted == Wanted::Saved && !typing {
        format!("  {} drops it", keys::key(Cmd::DropSaved))
    } else {
        String::new()
    };
    let save = save + &drop;
    let [label, field, tail] = Layout::horizontal([
        Constraint::Length(8),
        Constraint::Fill(1),
        Constraint::Length(width(&save) as u16 + 1),
    ])
    .areas(row);
    let name = match review.field {
        Field::Word => format!(" {WORD}?"),
        Field::Reason => " why? ".to_owned(),
        Field::Choice => format!(" {} why ", keys::key(Cmd::SayWhy)),
    };
    frame.render_widget(Paragraph::new(name).style(ctx.theme.key), label);
    let line: &LineInput = if review.field == Field::Word { &review.word } else { &review.reason };
    if typing {
        frame.render_widget(line.widget(), field);
    } else if line.text().is_empty() {
        frame.render_widget(
            Paragraph::new("a reason is needed; it stands in the commit").style(ctx.theme.muted),
            field,
        );
    } else {
        frame.render_widget(Paragraph::new(clean(line.text())).style(ctx.theme.text), field);
    }
    frame.render_widget(Paragraph::new(save).style(ctx.theme.strong), tail);
}
