//! Questions: what opens them, what an answer does. Whatever reaches people is asked once, never by a bare Enter.

use super::asking::{self, Asking, Field, Wanted, Whom};
use super::input::LineInput;
use super::keys::{self, Cmd, Place};
use super::model::{Dialog, Model, What};
use super::update::{Request, run};
use crate::engine::order::{Deed, Left};
use crate::model::Mode;
use crate::phrases::orders::left;
use crate::runtime::handle::Level;
use ratatui::crossterm::event::{KeyCode, KeyEvent};

/// The deed that a command of the menu stands for.
pub const fn deed(cmd: Cmd) -> Option<Deed> {
    match cmd {
        Cmd::StopCascade => Some(Deed::Stop),
        Cmd::OptOut => Some(Deed::OptOut),
        Cmd::WasSent => Some(Deed::WasSent),
        Cmd::WasNotSent => Some(Deed::WasNotSent),
        Cmd::Release => Some(Deed::Release),
        Cmd::SkipWait => Some(Deed::SkipWait),
        Cmd::Retry => Some(Deed::Retry),
        _ => None,
    }
}

/// Opens the question that a command asks.
pub fn open(model: &mut Model, cmd: Cmd) {
    let whom = match model.dialog.take() {
        Some(Dialog::Actions(whom)) => Some(whom),
        _ => model.subject().map(Whom::One),
    };
    let wanted = match (cmd, deed(cmd)) {
        (_, Some(deed)) => whom.map(|whom| Wanted::People(deed, whom)),
        (Cmd::StopCampaign, _) => Some(Wanted::StopCampaign),
        (Cmd::Mended, _) => return mend(model),
        (Cmd::TakeControl, _) => {
            model.dialog = Some(Dialog::TakeControl);
            return;
        }
        (Cmd::Launch, _) => {
            let blocked = model.picture.preflight.as_ref().is_none_or(|p| !p.blocked.is_empty());
            let typed = model.picture.place.mode == Mode::Live && !blocked;
            model.dialog = Some(Dialog::Launch(typed.then(|| LineInput::new(""))));
            return;
        }
        (Cmd::Palette, _) => {
            model.dialog = Some(Dialog::Palette(LineInput::new(""), 0));
            return;
        }
        (Cmd::Actions, _) => {
            model.dialog = whom.map(Dialog::Actions);
            return;
        }
        (Cmd::ActionsAll, _) => {
            model.dialog = Some(Dialog::Actions(asking::listed(model)));
            return;
        }
        _ => None,
    };
    if let Some(wanted) = wanted {
        ask(model, wanted);
    }
}

/// Asks it, unless the answer is known to change nothing.
pub fn ask(model: &mut Model, wanted: Wanted) {
    if matches!(wanted, Wanted::Resume(None)) && model.asks_what_was_lost() {
        let why = left(Left::Reconciling);
        return model.tell(Level::Warning, format!("not yet: {why}"));
    }
    model.dialog = Some(Dialog::Ask(Box::new(Asking::new(wanted, model.mode()))));
}

/// What keeps most people: its page first, there the question.
fn mend(model: &mut Model) {
    if let Some(What::Breaker(channel, scope)) = model.pages.last().map(|page| &page.what) {
        let wanted = Wanted::Mended(*channel, scope.clone());
        return ask(model, wanted);
    }
    match super::alarms::worst(model) {
        Some(super::alarms::Stop::Breaker(row)) => {
            let what = What::Breaker(row.channel, row.scope.clone());
            super::update::open(model, what);
        }
        Some(super::alarms::Stop::Pause(row)) => {
            let wanted = Wanted::Resume(row.only);
            ask(model, wanted);
        }
        None => {}
    }
}

/// An answer to the open question.
pub fn answer(model: &mut Model, cmd: Cmd) -> Vec<Request> {
    let Some(dialog) = model.dialog.take() else { return Vec::new() };
    if cmd == Cmd::No {
        return Vec::new();
    }
    match (dialog, cmd) {
        (Dialog::Launch(_), _) => match &model.picture.preflight {
            Some(preflight) if preflight.blocked.is_empty() => {
                model.pages.clear();
                vec![Request::Launch]
            }
            Some(_) | None => Vec::new(),
        },
        (Dialog::Quit, _) => vec![Request::Leave],
        (Dialog::TakeControl, _) => vec![Request::Control(true)],
        (Dialog::Ask(mut asking), Cmd::Reason) => {
            asking.field = Field::Reason;
            model.dialog = Some(Dialog::Ask(asking));
            Vec::new()
        }
        (Dialog::Ask(asking), _) => give(model, &asking, cmd == Cmd::Extend),
        // `y` means nothing to a menu or a line being typed: leave them open.
        (Dialog::Unsaved, _) => run(model, Cmd::Save),
        (menu @ (Dialog::Actions(_) | Dialog::Palette(..) | Dialog::Split(_)), _) => {
            model.dialog = Some(menu);
            Vec::new()
        }
    }
}

/// Confirmed: the order goes out.
fn give(model: &mut Model, asking: &Asking, extend_timers: bool) -> Vec<Request> {
    let Some((order, why)) = asking.order(model, extend_timers) else { return Vec::new() };
    match &asking.wanted {
        Wanted::Resume(_) => model.hold_asked = false,
        Wanted::Mended(..) => drop(model.pages.pop()),
        // What comes of it for each is shown as soon as it is known.
        Wanted::StopCampaign | Wanted::People(_, Whom::Listed { .. }) => {
            model.awaits = Some((order.ask(), model.picture.audit.orders().len()));
        }
        Wanted::People(_, Whom::One(_)) => {}
    }
    vec![Request::Ask(order, why)]
}

/// A key while a dialog's line is typed: the palette, a reason, or the word that confirms.
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
        Some(Dialog::Ask(_)) => return typed_in_question(model, key),
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

/// Enter goes from the reason to the word or the choice, and confirms by the right word alone.
fn typed_in_question(model: &mut Model, key: KeyEvent) -> Vec<Request> {
    let Some(Dialog::Ask(asking)) = &mut model.dialog else { return Vec::new() };
    let reason_missing = asking.needs_reason && asking.reason.text().trim().is_empty();
    match (key.code, asking.field) {
        (KeyCode::Enter, Field::Reason | Field::Word) if reason_missing => {
            asking.field = Field::Reason;
            model.tell(Level::Warning, "say why, in a few words: it is live, and it is written down");
        }
        (KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down, _)
        | (KeyCode::Enter, Field::Reason) => asking.other_field(),
        (KeyCode::Enter, Field::Word) => {
            let word = asking.confirming();
            if asking.word.as_ref().is_some_and(|input| input.text().trim() == word) {
                return answer(model, Cmd::Yes);
            }
            model.tell(Level::Warning, format!("not done: type {word} to do it, Esc to leave it"));
        }
        (_, _) => {
            if let Some(input) = asking.typing() {
                input.press(key);
            }
        }
    }
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
