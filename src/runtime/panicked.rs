//! A task beside the loop ended by a fault of this program: what it was about is settled, and where it could touch
//! people nothing is sent until the operator has looked.

use super::driver::Driver;
use super::handle::Level;
use super::proof;
use super::speaker::broken;
use super::tasks::Part;
use super::turn::Turn;
use crate::engine::event::RecallResult;
use crate::engine::input::Input;

impl Driver {
    pub(super) fn panicked(&mut self, part: &Part, turn: &mut Turn) {
        self.tell(
            Level::Error,
            format!("{part} ended by a fault of this program; .cascade/log has where. Please report it"),
        );
        match part {
            Part::Send(attempt, channel) => {
                // Its request may have left.
                self.apply(
                    Input::Failed { attempt: *attempt, failure: broken(*channel), reached: true },
                    turn,
                );
                self.stop_for(part, turn);
            }
            Part::CatchUp => {
                self.listening.gives_up();
                self.stop_for(part, turn);
            }
            Part::Recall(attempt) => {
                self.apply(Input::Recalled { attempt: *attempt, result: RecallResult::TooLate }, turn);
            }
            Part::Check(channel, scope) => {
                let (channel, scope) = (*channel, scope.clone());
                self.apply(Input::ScopeChecked { channel, scope, mended: false }, turn);
            }
            Part::Proof => {
                if let (Some(round_trip), Some(hearing)) = (&self.parts.round_trip, &self.parts.hearing) {
                    let again =
                        proof::keep_later(round_trip.clone(), hearing.clone(), self.parts.tasks.news());
                    self.parts.tasks.spawn(Part::Proof, again);
                }
            }
            Part::Pulse => {
                if let Some(pulse) = self.parts.pulse.clone() {
                    self.parts.tasks.spawn(Part::Pulse, pulse.keep(self.parts.tasks.news()));
                }
            }
            // Nobody could stop anything any more.
            Part::Commands => (self.quit, self.broken) = (true, true),
            Part::Saving(number) => self.saving_panicked(*number, turn),
            Part::LookUp | Part::History | Part::Judging | Part::OptOut | Part::SetUp | Part::Learn => {}
        }
    }

    /// Nothing is sent until the operator goes on.
    fn stop_for(&mut self, part: &Part, turn: &mut Turn) {
        let why = format!("{part} ended by a fault of this program");
        self.apply(Input::Broken { why }, turn);
    }
}
