//! What is lost with a process or with a store that an old one replaced, and what is known of it afterwards.

use super::Barred;
use crate::book::{Book, Stage};
use crate::world::{Sent, State};
use cascade::clock;
use cascade::model::{At, AttemptId, CascadeId};

impl State {
    /// What only a process knew is lost with it; the disk speaks from here on. What the operator had said long before
    /// is on disk, or it never will be.
    pub fn died(&mut self) {
        let book = &self.book;
        let on_disk = |b: &Barred| b.told_by.is_none_or(|key| book.dedup.contains(&key));
        let oracle = &mut self.oracle;
        oracle.stopped.retain(|_, barred| barred.told_by.is_some() && on_disk(barred));
        oracle.reacted.retain(|_, barred| barred.told_by.is_some() && on_disk(barred));
        // Where the store failed, the operator was told that nothing is recorded any more.
        let by = oracle.store_failed.take().unwrap_or_else(clock::wall);
        oracle.ended_by_hand.retain(|_, wish| wish.is_recorded(by));
        oracle.held = oracle.held.filter(|wish| wish.is_recorded(by));
        oracle.held_on = oracle.held_on.map(|wish| wish.filter(|wish| wish.is_recorded(by)));
        (oracle.left, oracle.proof, oracle.deaf) = (None, None, false);
    }

    /// What was backed up is on disk now. Opt-outs are kept beside it; what else the lost part said is not known, and
    /// what was sent in it must not be sent again.
    pub fn restored(&mut self, now: At, backup: Book) {
        self.mark(now, "restored", backup.seq);
        let suppressed = std::mem::take(&mut self.book.suppressed);
        self.book = backup;
        self.book.suppressed.extend(suppressed);
        for sent in &mut self.sent {
            let stage = self.book.attempts.get(&sent.attempt).map(|entry| entry.stage);
            if matches!(stage, None | Some(Stage::Planned)) {
                sent.lost = true;
                if !self.book.cascades.contains_key(&sent.cascade) {
                    // Its campaign is lost with it, and the number may be another's soon.
                    sent.cascade = CascadeId::default();
                }
            }
        }
        let oracle = &mut self.oracle;
        let on_disk = |b: &Barred| b.told_by.is_some_and(|key| self.book.dedup.contains(&key));
        oracle.stopped.retain(|_, barred| on_disk(barred));
        oracle.reacted.retain(|_, barred| on_disk(barred));
        oracle.ended_by_hand.clear();
        (oracle.held, oracle.held_on) = (None, [None; 4]);
        oracle.restored = self.book.campaign.is_some_and(|(_, over)| !over);
        oracle.restored_ever = true;
    }

    /// It was taken, and the store knows or could know of it.
    pub fn is_known(&self, sent: &Sent) -> bool {
        self.cascade_of(sent).is_some()
    }

    /// Whose it is, if it was taken. Of what was lost the store tells as well as it can: at a number that is shared it
    /// may be another's.
    pub fn cascade_of(&self, sent: &Sent) -> Option<CascadeId> {
        let id = sent.provider_id.as_ref()?;
        if !sent.lost {
            return Some(sent.cascade);
        }
        let (attempt, _) = self.book.provider_ids.iter().find(|(_, known)| *known == id)?;
        self.book.attempts.get(attempt).map(|entry| entry.cascade)
    }

    /// What an attempt on disk stands for.
    pub fn sent_as(&self, attempt: AttemptId) -> Option<&Sent> {
        let known = self.book.provider_ids.get(&attempt);
        let named = self.sent.iter().find(|sent| known.is_some() && sent.provider_id.as_ref() == known);
        named.or_else(|| self.sent.iter().find(|sent| sent.attempt == attempt && !sent.lost))
    }

    /// Its provider id is that of something that was lost.
    pub fn was_lost(&self, attempt: AttemptId) -> bool {
        let id = self.book.provider_ids.get(&attempt);
        self.sent.iter().any(|sent| sent.lost && sent.provider_id.as_ref() == id)
    }
}
