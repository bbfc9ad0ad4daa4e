//! What a save would do grows old: it is found out anew while it is looked at, and once more when it is confirmed.

use super::{Review, send};
use crate::clock;
use crate::engine::retime::Choice;
use crate::model::{At, CascadeId};
use crate::phrases::people;
use crate::runtime::handle::{Level, Previewed};
use crate::runtime::saving::EditPreview;
use crate::tui::model::{Model, What};
use crate::tui::update::{self, Request};
use std::collections::HashSet;
use std::time::Duration;

/// It is found out anew no more often than this.
const PAUSE: Duration = Duration::from_secs(2);

impl Review {
    /// Asks for what it would do now, in place of any answer that is still to come.
    pub(super) fn ask(&mut self, asked: u64) -> Request {
        (self.asked, self.asking) = (asked, (clock::wall(), false));
        Request::Preview(asked, self.wanted.clone())
    }

    /// Whether somebody is due by now who was still to come when it was shown.
    fn is_old(&self, now: At) -> bool {
        let (since, is_answered) = self.asking;
        let rests = !is_answered || clock::wall().saturating_duration_since(since) < PAUSE;
        if rests || self.confirmed || self.is_saving {
            return false;
        }
        let next = self.shown().and_then(|preview| preview.choices.iter().filter_map(|o| o.next).min());
        next.is_some_and(|next| next <= now)
    }
}

/// What is shown is found out anew as soon as it is no longer true.
pub fn wants(model: &mut Model) -> Vec<Request> {
    let is_shown = update::shows(model, |what| matches!(what, What::Review));
    let Some(review) = model.review.as_mut().filter(|review| is_shown && review.is_old(model.now)) else {
        return Vec::new();
    };
    model.desk.previews += 1;
    vec![review.ask(model.desk.previews)]
}

/// What has changed since a preview was shown.
#[derive(Default)]
struct Since {
    newcomers: HashSet<CascadeId>,
    left: usize,
    /// How many more are due at once.
    late: u64,
}

impl Since {
    fn between(before: &EditPreview, now: &EditPreview, choice: Choice) -> Self {
        let at_once = |preview: &EditPreview| preview.outlook(choice).map_or(0, |outlook| outlook.at_once);
        let late = at_once(now).saturating_sub(at_once(before));
        // Of very many, not all are shown: who is new among them, the engine alone knows, and leaves them as they are.
        if [before, now].iter().any(|preview| preview.people.len() as u64 != preview.affected) {
            return Self { late, ..Self::default() };
        }
        let who = |preview: &EditPreview| -> HashSet<CascadeId> {
            preview.people.iter().map(|shown| shown.cascade).collect()
        };
        let (before, now) = (who(before), who(now));
        Self { newcomers: &now - &before, left: (&before - &now).len(), late }
    }

    fn words(&self) -> String {
        let new = self.newcomers.len() as u64;
        let came = format!("{} came to wait there meanwhile, marked new", people(new));
        let is = if self.late == 1 { "is" } else { "are" };
        let more = format!("{} more {is} due at once by now", self.late);
        let said = match (new, self.late) {
            (0, _) => more,
            (_, 0) => came,
            (_, _) => format!("{came}, and {more}"),
        };
        format!("not saved yet: {said}; y again saves")
    }
}

/// The answer to [`Request::Preview`]. After a confirmation: who came, and who is due at once by now, is shown before
/// anything is done.
pub fn take(model: &mut Model, asked: u64, preview: Previewed) -> Vec<Request> {
    let Some(review) = model.review.as_mut().filter(|review| review.asked == asked) else {
        return Vec::new();
    };
    review.asking.1 = true;
    let confirmed = std::mem::take(&mut review.confirmed);
    let (seen_before, was_late) =
        (std::mem::take(&mut review.newcomers), std::mem::take(&mut review.is_late));
    if let (true, Some(before), Ok(now)) = (confirmed, review.shown(), &preview) {
        let since = Since::between(before, now, review.choice);
        review.left = since.left;
        // Both are shown once; whoever comes after that is left as they are.
        let are_known = since.newcomers.is_empty() || !seen_before.is_empty();
        if are_known && (since.late == 0 || was_late) || review.choice == Choice::Keep {
            review.newcomers = seen_before;
            // What goes out is what is on the screen, and whoever left it since is named with what came of it. Only who
            // is late by now, and so is spread, has to be found out anew.
            if review.choice == Choice::RetimeAndSpread {
                review.preview = Some(preview);
            }
            return send(model);
        }
        let words = since.words();
        (review.newcomers, review.is_late) = (since.newcomers, true);
        review.preview = Some(preview);
        model.tell(Level::Warning, words);
        return Vec::new();
    }
    let moves = preview.as_ref().is_ok_and(|now| now.campaign.is_some() && !now.people.is_empty());
    if review.preview.is_none() && !review.is_chosen && moves {
        // Whoever changes a wait while people are in it means them.
        review.choice = Choice::Retime;
    }
    review.preview = Some(preview);
    Vec::new()
}
