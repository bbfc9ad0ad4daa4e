//! On the page before a save: what somebody else changed, and what is in no commit.

use super::super::page::heading;
use super::super::{Ctx, diff};
use crate::model::clean;
use crate::runtime::saving::EditPreview;
use crate::tui::editor::draft::Draft;
use crate::tui::keys::{self, Cmd};
use crate::tui::review::{Review, lost, merged};
use crate::tui::text::{cut, left, wrap};
use ratatui::text::{Line, Span};

fn words<'a>(ctx: &Ctx, text: &str, cells: usize) -> impl Iterator<Item = Line<'a>> {
    let style = ctx.theme.warning;
    let lines = wrap(&clean(text), cells.saturating_sub(4));
    lines.into_iter().map(move |line| Line::styled(format!("  {line}"), style))
}

/// Of each file that was changed on disk since its draft began: what was changed there, and what the draft changes.
pub(super) fn lines<'a>(ctx: &Ctx, review: &Review, cells: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for moved in review.changed_on_disk() {
        lines.push(heading(ctx, &format!("changed on disk: {}", clean(&moved.name)), cells));
        lines.push(Line::styled(format!("  {}", lost(moved)), ctx.theme.strong));
        lines.extend(diff::lines(ctx, &moved.began, &moved.stands, cells));
        let mine = ctx.model.desk.drafts.values().find(|draft| draft.file.path() == moved.name);
        lines.push(heading(ctx, "changed by your draft", cells));
        let mine = mine.map(Draft::text).unwrap_or_default();
        lines.extend(diff::lines(ctx, &moved.began, &mine, cells));
    }
    lines
}

/// What may become of the draft: nothing is saved before one of these is chosen.
pub(super) fn foot<'a>(ctx: &Ctx, review: &Review, cells: usize) -> Vec<Line<'a>> {
    let changed = review.changed_on_disk();
    if changed.is_empty() {
        return Vec::new();
    }
    let fits = changed.iter().all(|moved| merged(&ctx.model.desk, moved).is_some());
    let onto = if fits {
        "what stands on disk, with your draft's changes on it; previewed next"
    } else {
        "not possible: both changed the same lines"
    };
    let gone: Vec<String> = changed.iter().map(lost).collect();
    let over = format!("previewed next; lost by it: {}", gone.join(", "));
    let choice = |cmd: Cmd, label: &str, says: &str, style| {
        let head = format!(" {} {}", keys::key(cmd), left(label, 20));
        let room = cells.saturating_sub(head.chars().count());
        Line::from(vec![Span::styled(head, ctx.theme.key), Span::styled(cut(says, room), style)])
    };
    let theme = ctx.theme;
    vec![
        choice(Cmd::Reapply, "on top of theirs", onto, if fits { theme.text } else { theme.muted }),
        choice(Cmd::DropMoved, "drop the draft", "the file stays as it is on disk", theme.text),
        choice(Cmd::SaveOver, "save over theirs", &over, theme.warning),
    ]
}

/// What is lost by a save that the operator chose, and what is in no commit.
pub(super) fn warnings<'a>(ctx: &Ctx, review: &Review, preview: &EditPreview, cells: usize) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for over in &review.over {
        let text = format!("! takes back what was changed on disk in {}: {}", over.name, lost(over));
        lines.extend(words(ctx, &text, cells));
    }
    for loose in &preview.loose {
        let then = if review.replaces() {
            "a save puts another text in its place, and no commit has it"
        } else {
            "a save includes it, with your reason"
        };
        lines.push(heading(ctx, &format!("in no commit: {}", clean(&loose.name)), cells));
        lines.extend(words(ctx, &format!("! stands on disk, and nobody committed it; {then}:"), cells));
        lines.extend(diff::lines(ctx, &loose.committed, &loose.stands, cells));
    }
    lines
}
