//! Putting a saved edit in force: whoever was shown, and stands as they were shown, is moved as they were shown.

use super::fate::{self, walk};
use super::{Choice, Edit, Fate, Shown};
use crate::engine::event::{Actor, Kind, NewWait, Skip, Subject, Withdrawal};
use crate::engine::journal::Journal;
use crate::engine::journey::{Stage, State};
use crate::engine::order::{Ask, Came, Left};
use crate::model::{At, CascadeId, Channel, Leg, OrderId};
use std::collections::BTreeMap;

impl Journal<'_> {
    /// Writes it down, and moves whom it moves. Whoever left the previewed set is left alone and named, and so is
    /// whoever came into it since.
    pub fn edit(&mut self, edit: Edit) {
        let order = OrderId(self.campaign.header.orders + 1);
        let left = self.refused(&edit);
        let moves = edit.choice != Choice::Keep;
        let people = if moves { edit.preview.people.len() as u64 } else { 0 };
        let Edit { what, edition, choice, preview, courses, by, wall_at, text, .. } = edit;
        let ordered = Kind::Ordered { order, what, people, by, wall_at, scope: None, text, left };
        self.record(Subject::default(), ordered);
        if left.is_some() {
            return;
        }
        let old = self.campaign.header.launch.policy.terms();
        let terms = (moves && old != courses.terms).then(|| Box::new(courses.terms.clone()));
        let texts = Some(courses.texts.clone());
        self.record_campaign(Kind::RulesChanged { order, edition: Box::new(edition), choice, terms, texts });
        if !moves {
            return;
        }
        let mut shown: BTreeMap<CascadeId, Shown> =
            preview.people.into_iter().map(|shown| (shown.cascade, shown)).collect();
        for (id, course) in courses.of.iter().collect::<BTreeMap<_, _>>() {
            let Some(journey) = self.journey(*id) else { continue };
            let now = fate::of(journey, course, &courses, preview.at).ok();
            match (shown.remove(id), now) {
                (None, None) => {}
                (None, Some(_)) => self.met(order, *id, Came::Left(Left::NotShown)),
                (Some(was), Some(is)) if was.stands_as(&is) => {
                    let walked = walk(journey, course, &courses.terms).map(|walk| walk.legs);
                    let skips = Some(course.skips.clone()).filter(|skips| *skips != journey.start.skips);
                    self.retime(&was, what, walked.unwrap_or_default(), skips, was.due(choice));
                    self.met(order, *id, Came::Done);
                }
                (Some(_), _) => self.met_gone(order, *id),
            }
        }
        for (id, _) in shown {
            self.met_gone(order, id);
        }
    }

    /// Moves one of them.
    fn retime(
        &mut self,
        shown: &Shown,
        what: Ask,
        walk: Vec<Leg>,
        skips: Option<Vec<(Channel, Skip)>>,
        due: Option<At>,
    ) {
        let id = shown.cascade;
        let Some(journey) = self.journey(id) else { return };
        // New texts leave everybody under the rules that they go by.
        let edition = if what == Ask::EditContent { journey.edition } else { self.campaign.newest_edition() };
        let (planned, state) =
            (journey.newest().filter(|a| a.stage == Stage::Planned), journey.state.clone());
        let planned = planned.map(|attempt| attempt.id);
        let began = fate::began(journey, self.campaign.header.launch.policy.conversion_window_s);
        let wait = due.zip(began).map(|(due, from)| {
            let (due, timer) = (due.max(self.at), self.timer());
            NewWait { from, due, timer }
        });
        self.record_about(id, Kind::Retimed { edition, walk, skips, wait });
        if shown.fate != Fate::Leaves {
            return;
        }
        if let Some(attempt) = planned {
            self.withdraw(attempt, Withdrawal::Rules);
        }
        if matches!(state, State::Held(_)) {
            self.record_about(id, Kind::Released { by: Actor::Operator });
        }
        self.next_step(id);
    }

    /// Why it is not put in force at all.
    fn refused(&self, edit: &Edit) -> Option<Left> {
        let header = &self.campaign.header;
        let reconciling = header.restored.as_ref().is_some_and(|restored| restored.asking);
        if header.ended_at.is_some() {
            Some(Left::CampaignEnded)
        } else if edit.campaign != self.campaign.id() {
            Some(Left::OtherCampaign)
        } else if edit.base != self.campaign.newest_edition() {
            Some(Left::RulesChanged)
        } else if reconciling && edit.choice != Choice::Keep {
            Some(Left::Reconciling)
        } else {
            None
        }
    }

    fn met_gone(&mut self, order: OrderId, id: CascadeId) {
        let left = crate::engine::deeds::why_gone(self.campaign, id);
        self.met(order, id, Came::Left(left));
    }
}
