//! Questions: what opens them, what an answer does. Whatever reaches people is asked once, never by a bare Enter.

use super::input::LineInput;
use super::keys::{self, Cmd, Place};
use super::model::{Dialog, Model, What};
use super::update::{Request, run};
use crate::engine::snapshot::Place as Stand;
use crate::model::{Channel, Mode};
use crate::runtime::handle::{Command, Level};
use ratatui::crossterm::event::{KeyCode, KeyEvent};

/// What must be typed to stop a campaign for good.
pub const STOP_WORD: &str = "stop";

/// Opens the question that a command asks.
pub fn open(model: &mut Model, cmd: Cmd) {
    let subject = model.subject();
    model.dialog = match cmd {
        Cmd::Launch => {
            let blocked = model.picture.preflight.as_ref().is_none_or(|p| !p.blocked.is_empty());
            let typed = model.picture.place.mode == Mode::Live && !blocked;
            Some(Dialog::Launch(typed.then(|| LineInput::new(""))))
        }
        Cmd::Palette => Some(Dialog::Palette(LineInput::new(""), 0)),
        Cmd::Mended => match model.pages.last().map(|page| &page.what) {
            Some(What::Breaker(channel, scope)) => Some(Dialog::Mended(*channel, scope.clone())),
            Some(_) | None => None,
        },
        Cmd::Actions => subject.map(Dialog::Actions),
        Cmd::StopCascade => subject.map(Dialog::Stop),
        Cmd::OptOut => subject.map(Dialog::OptOut),
        Cmd::WasSent => subject.map(|cascade| Dialog::Settle(cascade, true)),
        Cmd::WasNotSent => subject.map(|cascade| Dialog::Settle(cascade, false)),
        Cmd::Release => subject.map(Dialog::Release),
        Cmd::StopCampaign => Some(Dialog::StopCampaign(LineInput::new(""))),
        Cmd::TakeControl => Some(Dialog::TakeControl),
        _ => None,
    };
}

/// An answer to the open question.
pub fn answer(model: &mut Model, cmd: Cmd) -> Vec<Request> {
    let Some(dialog) = model.dialog.take() else { return Vec::new() };
    if cmd == Cmd::No {
        return Vec::new();
    }
    let extend_timers = cmd == Cmd::Extend;
    let command = match dialog {
        Dialog::Launch(_) => match &model.picture.preflight {
            Some(preflight) if preflight.blocked.is_empty() => {
                model.pages.clear();
                Command::Launch
            }
            Some(_) | None => return Vec::new(),
        },
        Dialog::Quit => return vec![Request::Leave],
        Dialog::TakeControl => return vec![Request::Control(true)],
        Dialog::Resume(only) => {
            model.hold_asked = false;
            Command::Resume { only, extend_timers }
        }
        Dialog::Stop(cascade) => Command::StopCascade(cascade),
        Dialog::OptOut(cascade) => Command::OptOut(cascade),
        Dialog::Release(cascade) => Command::Release(cascade),
        Dialog::StopCampaign(_) => Command::StopCampaign,
        Dialog::Settle(cascade, was_sent) => Command::SettleDoubt { cascade, was_sent },
        Dialog::Mended(channel, scope) => {
            model.pages.pop();
            Command::CloseBreaker { channel, scope }
        }
        // `y` means nothing to a menu or a line being typed: leave them open.
        menu @ (Dialog::Actions(_) | Dialog::Palette(..)) => {
            model.dialog = Some(menu);
            return Vec::new();
        }
    };
    vec![Request::Ask(command)]
}

/// A key while a dialog's line is typed: the palette, or the word that launches.
pub fn typed(model: &mut Model, key: KeyEvent) -> Vec<Request> {
    if key.code == KeyCode::Esc {
        model.dialog = None;
        return Vec::new();
    }
    let chosen = match &model.dialog {
        Some(Dialog::Palette(input, at)) if key.code == KeyCode::Enter => {
            matches(model, input.text()).get(*at).map(|row| row.cmd)
        }
        _ => None,
    };
    if let Some(cmd) = chosen {
        model.dialog = None;
        return run(model, cmd);
    }
    let name = model.picture.preflight.as_ref().map(|p| p.name.clone()).unwrap_or_default();
    match &mut model.dialog {
        Some(Dialog::Launch(Some(input))) => {
            if key.code != KeyCode::Enter {
                input.press(key);
            } else if input.text().trim() == name {
                return answer(model, Cmd::Yes);
            } else {
                model.tell(Level::Warning, format!("not launched: type {name} to launch, Esc to leave it"));
            }
        }
        Some(Dialog::StopCampaign(input)) => {
            if key.code != KeyCode::Enter {
                input.press(key);
            } else if input.text().trim() == STOP_WORD {
                return answer(model, Cmd::Yes);
            } else {
                model.tell(
                    Level::Warning,
                    format!("not stopped: type {STOP_WORD} to stop for good, Esc to leave it"),
                );
            }
        }
        Some(Dialog::Palette(input, at)) => match key.code {
            KeyCode::Up | KeyCode::BackTab => *at = at.saturating_sub(1),
            KeyCode::Down | KeyCode::Tab => *at += 1,
            KeyCode::Enter => {}
            _ => {
                input.press(key);
                *at = 0;
            }
        },
        Some(_) | None => {}
    }
    clamp_palette(model);
    Vec::new()
}

fn clamp_palette(model: &mut Model) {
    let Some(Dialog::Palette(input, _)) = &model.dialog else { return };
    let most = matches(model, input.text()).len().saturating_sub(1);
    if let Some(Dialog::Palette(_, at)) = &mut model.dialog {
        *at = (*at).min(most);
    }
}

/// The commands that a typed text finds, the best first.
pub fn matches(model: &Model, text: &str) -> Vec<&'static keys::Row> {
    let mut places = model.screen_context();
    places.push(Place::Actions);
    let mut found: Vec<(i32, &keys::Row)> = keys::applying(&places)
        .filter(|row| row.cmd != Cmd::Palette && row.place != Place::Question)
        .filter_map(|row| {
            let by_id = fuzzy(text, row.id).map(|score| score + 10);
            let best = by_id.max(fuzzy(text, row.label)).max(fuzzy(text, row.help).map(|s| s - 20));
            best.map(|score| (score, row))
        })
        .collect();
    found.sort_by_key(|(score, _)| -score);
    found.into_iter().map(|(_, row)| row).collect()
}

/// How well the letters of `text` stand, in order, in `target`; runs and beginnings of words count more.
fn fuzzy(text: &str, target: &str) -> Option<i32> {
    let target: Vec<char> = target.to_lowercase().chars().collect();
    let (mut at, mut score, mut run) = (0, 0, 0);
    for letter in text.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let skipped = target[at..].iter().position(|c| *c == letter)?;
        run = if skipped == 0 { run + 1 } else { 1 };
        let found = at + skipped;
        let begins = found == 0 || !target[found - 1].is_alphanumeric();
        score += run * 2 + if begins { 5 } else { 0 } - (skipped as i32).min(5);
        at = found + 1;
    }
    Some(score)
}

/// How many people would be sent to at once if the waits went on during the pause.
pub fn due_at_once(model: &Model, only: Option<Channel>) -> u64 {
    let due = |row: &&std::sync::Arc<crate::engine::snapshot::Row>| {
        let overdue = row.next.is_some_and(|(at, _)| at <= model.now);
        let queued = matches!(row.place, Stand::Queued | Stand::Sending(_));
        let open = !matches!(row.place, Stand::Ended(..) | Stand::Held(_));
        open && (overdue || queued) && only.is_none_or(|channel| next_channel(row) == Some(channel))
    };
    model.picture.snapshot.rows.iter().filter(due).count() as u64
}

/// Where a customer would be contacted next.
fn next_channel(row: &crate::engine::snapshot::Row) -> Option<Channel> {
    let step = row.step as usize;
    match row.place {
        Stand::Waiting | Stand::InDoubt => row.walk.get(step + 1).copied(),
        Stand::Queued | Stand::Sending(_) | Stand::Retrying(_) | Stand::Deferred(_) => Some(row.channel),
        Stand::Held(_) | Stand::Settling | Stand::Ended(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_find_a_command() {
        assert!(fuzzy("ml", "mouse").is_none());
        assert!(fuzzy("hld", "hold").is_some());
        assert!(fuzzy("hold", "hold") > fuzzy("hold", "the old"));
    }
}
