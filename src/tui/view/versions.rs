//! The history's pages: the versions that ran, and one of them beside the one before.

use super::page::{fact, heading};
use super::{Ctx, diff};
use crate::model::clean;
use crate::phrases::{people, retimed};
use crate::runtime::handle::TimelineEntry;
use crate::runtime::saving::{SaveState, Version};
use crate::tui::keys::{self, Cmd};
use crate::tui::text::{cut, day, left, right, wrap};
use crate::tui::versions::{Key, runs};
use ratatui::text::{Line, Span};
use std::sync::Arc;

/// Cells of since when, rules, texts, by whom, people and conversions. In a narrow window the texts are left to the
/// version's own page.
const fn columns(cells: usize) -> [usize; 6] {
    if cells >= 100 { [20, 9, 9, 13, 8, 11] } else { [20, 9, 0, 10, 7, 10] }
}

/// The heads of the list.
pub fn head<'a>(ctx: &Ctx, cells: usize) -> Line<'a> {
    let [since, rules, texts, by, people, converted] = columns(cells);
    let head = [
        left("  SINCE", since),
        left("RULES", rules),
        left("TEXTS", texts),
        left("BY", by),
        right("PEOPLE", people),
        right("CONVERTED", converted),
        "  WHY".to_owned(),
    ];
    Line::styled(head.concat(), ctx.theme.muted)
}

/// The `i`th version, the newest first: a line, and the one under the cursor with its reason in full.
pub fn row<'a>(ctx: &Ctx, i: usize, chosen: bool, cells: usize) -> Vec<Line<'a>> {
    let Some(versions) = &ctx.model.history.versions else {
        return vec![Line::styled("  reading …", ctx.theme.muted)];
    };
    let Some(version) = versions.get(i) else {
        let words = "  Nothing has run or was saved yet: a launch is the first entry.";
        return vec![Line::styled(words, ctx.theme.muted)];
    };
    let columns = columns(cells);
    let [since, rules, texts, by_whom, people, converted] = columns;
    let indent = columns.iter().sum::<usize>() + 2;
    let cursor = if chosen { "▸" } else { " " };
    let by = version.by.as_ref().map_or_else(|| "–".to_owned(), |who| clean(&who.user));
    let why = if version.why.is_empty() { launched(version) } else { clean(&version.why) };
    let room = cells.saturating_sub(indent);
    let mut why = if chosen { wrap(&why, room.max(12)) } else { vec![cut(&why, room)] }.into_iter();
    let style = if i == 0 { ctx.theme.accent } else { ctx.theme.text };
    let share = match version.people {
        0 => String::new(),
        people => format!("{} {:>3}%", version.conversions, version.conversions * 100 / people),
    };
    let line = Line::from(vec![
        Span::styled(left(&format!("{cursor} {}", day(version.at, ctx.zone)), since), ctx.theme.muted),
        Span::styled(left(&retimed::short(&version.edition.rules), rules), style),
        Span::styled(left(&retimed::short(&version.edition.content), texts), ctx.theme.text),
        Span::styled(left(&by, by_whom - 1) + " ", ctx.theme.text),
        Span::styled(right(&version.people.to_string(), people), ctx.theme.text),
        Span::styled(right(&share, converted), ctx.theme.good),
        Span::styled(format!("  {}", why.next().unwrap_or_default()), ctx.theme.strong),
    ]);
    let mut lines = vec![if chosen { line.patch_style(ctx.theme.selection) } else { line }];
    lines.extend(why.map(|more| Line::styled(format!("{}{more}", " ".repeat(indent)), ctx.theme.strong)));
    lines
}

fn launched(version: &Version) -> String {
    match version.campaign {
        Some(campaign) => format!("launched with campaign {campaign}"),
        None => "saved; no launch has used it yet".to_owned(),
    }
}

/// One version: its facts, and what it changed.
pub fn one<'a>(ctx: &Ctx, key: &Key, cells: usize) -> Vec<Line<'a>> {
    let history = &ctx.model.history;
    let Some(versions) = &history.versions else {
        return vec![Line::styled("  reading …", ctx.theme.muted)];
    };
    let Some(at) = history.place(key) else {
        return vec![Line::styled("  this version is not in the store any more", ctx.theme.warning)];
    };
    let Some(version) = versions.get(at) else { return Vec::new() };
    let mut lines = facts(ctx, version, at == 0, cells);
    lines.push(Line::default());
    let before = versions.get(at + 1);
    let (now, old) = (&version.edition, before.map(|before| &before.edition));
    let mut same = true;
    for (hash, was) in [(&now.rules, old.map(|old| &old.rules)), (&now.content, old.map(|old| &old.content))]
    {
        let Some(was) = was.filter(|was| *was != hash) else { continue };
        same = false;
        lines.extend(change(ctx, hash, was, cells));
    }
    if before.is_none() {
        lines.push(heading(ctx, "the first version: its rules", cells));
        let text = history.file(&now.rules, "cascade.json").map(clean_lines).unwrap_or_default();
        lines.extend(text.into_iter().map(|line| Line::styled(format!("  {line}"), ctx.theme.text)));
    } else if same {
        lines.push(Line::styled("  The same rules and texts as the version before.", ctx.theme.muted));
    }
    lines
}

fn clean_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| clean(&line.replace('\t', "    "))).collect()
}

fn change<'a>(ctx: &Ctx, hash: &str, was: &str, cells: usize) -> Vec<Line<'a>> {
    let files = &ctx.model.history.files;
    let (Some(now), Some(old)) = (files.get(hash), files.get(was)) else {
        return vec![Line::styled("  reading what it changed …", ctx.theme.muted)];
    };
    let mut lines = Vec::new();
    let text = |files: &[(String, String)], name: &str| {
        files.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let mut names: Vec<&String> = now.iter().chain(old).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (old, now) = (text(old, name), text(now, name));
        if old != now {
            lines.push(heading(ctx, &clean(name), cells));
            lines.extend(diff::lines(ctx, &old, &now, cells));
            lines.push(Line::default());
        }
    }
    lines
}

fn facts<'a>(ctx: &Ctx, version: &Version, newest: bool, cells: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let mut add = |label: &str, text: &str| lines.extend(fact(ctx, label, text, cells));
    let edition = &version.edition;
    let commit =
        edition.commit.as_deref().map(|c| format!(", commit {}", retimed::short(c))).unwrap_or_default();
    add("rules", &format!("{}{commit}", clean(&edition.rules)));
    add("texts", &clean(&edition.content));
    let since = day(version.at, ctx.zone);
    let saved =
        ctx.picture.saved.as_ref().filter(|s| s.edition == *edition && s.state == SaveState::NotInForce);
    let state = match (saved, newest) {
        (Some(_), _) => format!("saved, not in force: {} puts it in force or drops it", keys::key(Cmd::Save)),
        (None, true) if version.campaign.is_none() => "what the next launch uses".to_owned(),
        (None, false) if version.campaign.is_none() => {
            format!("saved {since}, and used by no launch; {} restores it", keys::key(Cmd::Restore))
        }
        (None, true) if ctx.model.in_flight() => {
            format!("in force since {since}; {} shows whom it still moves", keys::key(Cmd::Restore))
        }
        (None, true) => format!("in force since {since}"),
        (None, false) => format!("in force from {since}; {} restores it", keys::key(Cmd::Restore)),
    };
    add("stands", &state);
    if let Some(who) = &version.by {
        add("by", &crate::runtime::attach::sits(who));
    }
    add("why", &if version.why.is_empty() { launched(version) } else { clean(&version.why) });
    if let Some(choice) = version.choice {
        add("then", retimed::choice(choice));
    }
    add(
        "people",
        &format!(
            "{} were sent something under it ({} lists them), {} converted",
            people(version.people),
            keys::key(Cmd::WhoStands),
            version.conversions
        ),
    );
    lines
}

/// Under which version what stands from this entry on happened; a line for a customer's own page.
pub fn of_entry<'a>(ctx: &Ctx, entries: &[Arc<TimelineEntry>], at: usize) -> Option<Line<'a>> {
    let campaign = entries.first()?.event.campaign;
    let editions = ctx.model.history.editions(campaign);
    let runs = runs(entries, &editions);
    let (_, edition) = runs.iter().rev().find(|(from, _)| *from == at)?;
    let version = editions.get(*edition)?;
    let why = if version.why.is_empty() { String::new() } else { format!(", {}", clean(&version.why)) };
    let rules = retimed::short(&version.edition.rules);
    let words = format!("    under rules {rules}{why}  {} shows it", keys::key(Cmd::PersonVersion));
    Some(Line::styled(words, ctx.theme.faint))
}
