//! Whether a command can be had now, and if not, why.

use super::editor::draft::File;
use super::keys::Cmd;
use super::layout::Pane;
use super::model::{Dialog, Model, What};
use crate::phrases;
use crate::runtime::attach::InControl;
use crate::runtime::saving::{SaveState, Wanted};

/// Whether a command can be had now; if not, why, in words for the operator.
pub fn available(cmd: Cmd, model: &Model) -> Result<(), String> {
    let no = |why: &str| Err(why.to_owned());
    if let Some(why) = model.refusal().filter(|_| changes(cmd)) {
        return Err(why);
    }
    // Holding all is never refused: what runs may not be on this screen yet.
    match cmd {
        Cmd::TakeControl | Cmd::GiveControl => seat(cmd, model),
        Cmd::Pause if !model.in_flight() => no("nothing is being sent: nothing runs"),
        Cmd::Launch => match (&model.picture.starting, &model.picture.preflight) {
            _ if model.in_flight() => {
                no("a campaign is under way; one at a time. :stop-campaign ends it for good")
            }
            (Some(what), _) => Err(format!("not yet: {what}")),
            (None, None) => no("there is nothing to launch yet: the customer list has not been read"),
            (None, Some(_)) => Ok(()),
        },
        Cmd::Messages if !matches!(model.dialog, None | Some(Dialog::Palette(..))) => {
            no("answer the question first, or leave it with Esc")
        }
        Cmd::Draft => super::learning::finding(model).map(drop),
        Cmd::Mended if !can_mend(model) => no("nothing is shut or paused"),
        Cmd::Actions if model.subject().is_none() => no("select a customer first"),
        Cmd::ActionsAll if model.cohort.unread.is_some() => {
            let part = crate::model::clean(model.cohort.unread.as_deref().unwrap_or_default());
            Err(format!("`{part}` of the filter cannot be read, and lists more than it says"))
        }
        Cmd::ActionsAll if model.cohort.index.is_empty() || model.welcomes() => no("the filter lists nobody"),
        Cmd::StopCascade
        | Cmd::Retry
        | Cmd::SkipWait
        | Cmd::OptOut
        | Cmd::WasSent
        | Cmd::WasNotSent
        | Cmd::Release => deed_available(cmd, model),
        Cmd::StopCampaign if !model.in_flight() => no("nothing runs"),
        Cmd::WhoStands if super::versions::chosen(model).is_some() => Ok(()),
        Cmd::Longer | Cmd::Shorter | Cmd::WhoStands if !on_a_step(model) => {
            no("choose a step first: 4 shows the rules")
        }
        Cmd::Save | Cmd::Review if model.desk.changed().next().is_none() && !is_left_over(model) => {
            no("there is no draft to save: e edits the rules, c what is said")
        }
        Cmd::ChooseKeep
        | Cmd::ChooseRetime
        | Cmd::ChooseSpread
        | Cmd::DropSaved
        | Cmd::Reapply
        | Cmd::DropMoved
        | Cmd::SaveOver => before_a_save(cmd, model),
        Cmd::Propose if model.proposing => no("a pull request is being opened"),
        Cmd::ToLadder if model.desk.open != Some(File::Rules) => no("ladders belong to the rules: e"),
        Cmd::NextFile | Cmd::NextCustomer | Cmd::PreviousCustomer if model.desk.open == Some(File::Rules) => {
            no("that is for content: c")
        }
        _ => Ok(()),
    }
}

/// What there is to choose on the page before a save.
fn before_a_save(cmd: Cmd, model: &Model) -> Result<(), String> {
    let review = model.review.as_ref();
    let in_flight = match review.map(|review| &review.preview) {
        Some(Some(Ok(preview))) => preview.campaign.is_some(),
        // Whoever knows what they want need not wait for it.
        Some(None) => true,
        Some(Some(Err(_))) | None => false,
    };
    let changed = review.is_some_and(|review| !review.changed_on_disk().is_empty());
    match cmd {
        Cmd::DropSaved if review.is_none_or(|review| review.wanted != Wanted::Saved) => {
            Err("this was not saved before: Esc goes back, and nothing is changed".to_owned())
        }
        Cmd::Reapply | Cmd::DropMoved | Cmd::SaveOver if !changed => {
            Err("nobody changed these files since the draft began: there is nothing to choose".to_owned())
        }
        Cmd::ChooseKeep | Cmd::ChooseRetime | Cmd::ChooseSpread if !in_flight => {
            Err("nobody is in flight: there is nothing to choose".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether something comes of it for a campaign: not for whoever only reads. Holding all is for everybody.
const fn changes(cmd: Cmd) -> bool {
    matches!(
        cmd,
        Cmd::Pause
            | Cmd::Launch
            | Cmd::Mended
            | Cmd::StopCascade
            | Cmd::Retry
            | Cmd::SkipWait
            | Cmd::OptOut
            | Cmd::WasSent
            | Cmd::WasNotSent
            | Cmd::Release
            | Cmd::StopCampaign
            | Cmd::Save
            | Cmd::Review
            | Cmd::SaveNow
            | Cmd::DropSaved
            | Cmd::Restore
    )
}

/// Control is there to be had where another process runs the campaign.
fn seat(cmd: Cmd, model: &Model) -> Result<(), String> {
    let Some(seat) = &model.picture.seat else {
        return Err("this console runs the campaign itself, and nobody takes that away".to_owned());
    };
    match (&seat.control, cmd) {
        (InControl::Us, Cmd::TakeControl) => Err("you are in control".to_owned()),
        (InControl::Nobody | InControl::Another { .. }, Cmd::GiveControl) => {
            Err("you are not in control".to_owned())
        }
        (InControl::Another { for_good: true, .. }, _) => Err(model.refusal().unwrap_or_default()),
        _ => Ok(()),
    }
}

/// Something was saved and is not in force.
fn is_left_over(model: &Model) -> bool {
    model.picture.saved.as_ref().is_some_and(|saved| saved.state == SaveState::NotInForce)
}

/// The cursor stands on a step: of the Rules pane, or in the editor's ladders.
fn on_a_step(model: &Model) -> bool {
    match model.pages.last() {
        None => model.focus == Pane::Rules && !model.picture.snapshot.steps.is_empty(),
        Some(page) => matches!(page.what, What::Editor),
    }
}

fn can_mend(model: &Model) -> bool {
    let here = model.pages.last().is_some_and(|page| matches!(page.what, What::Breaker(..)));
    here || super::alarms::worst(model).is_some()
}

/// For one: why not. For many: whether for anybody.
fn deed_available(cmd: Cmd, model: &Model) -> Result<(), String> {
    let (Some(deed), Some(whom)) = (super::dialogs::deed(cmd), model.whom()) else {
        return Err("select a customer first".into());
    };
    let reach = super::asking::reach(model, deed, &whom);
    let nobody = if reach.people > 1 { "nobody: " } else { "" };
    match (reach.can, reach.left.first()) {
        (0, Some((why, _))) => Err(format!("{nobody}{}", phrases::orders::left(*why))),
        (0, None) => Err("nobody is listed any more".into()),
        (_, _) => Ok(()),
    }
}
