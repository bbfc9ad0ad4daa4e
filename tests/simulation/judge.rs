//! Judging: what is done at each request, report, commit and death, and at the end.

use super::{Barred, PROOF, RECORDED_SLACK, SETTLED, reacts, stops};
use crate::book::Stage;
use crate::hooks::{Body, Hook};
use crate::transport;
use crate::world::{Sent, State};
use cascade::clock;
use cascade::engine::event::Kind;
use cascade::model::{At, AttemptId, CascadeId, Channel, Phone};
use cascade::providers::{Heard, Message, Outgoing};
use cascade::runtime::store::Batch;
use chrono::TimeDelta;
use std::collections::BTreeSet;

impl State {
    fn breaks(&mut self, now: At, what: String) {
        self.tell(now, || format!("BROKEN {what}"));
        self.oracle.breaks(what);
    }

    /// A request is handed to the transport: 1 to 5, 13 and 15 are judged. Its place among what was sent.
    pub fn starts(&mut self, now: At, machine: At, channel: Channel, out: &Outgoing) -> usize {
        let attempt = transport::attempt(&out.key).unwrap_or_default();
        let cascade = self.book.attempts.get(&attempt).map(|entry| entry.cascade).unwrap_or_default();
        let n = self.sent.len();
        self.mark(now, "starts", attempt.0);
        self.tell(now, || format!("STARTS {n}: {attempt} of {cascade} on {channel} to {}", out.to));
        let mut broken = Vec::new();
        self.once_per_step(attempt, &mut broken);
        self.once_per_person(machine, attempt, cascade, &out.to, &mut broken);
        self.wanted(now, cascade, channel, &out.to, &mut broken);
        self.waited(now, attempt, &mut broken);
        self.heard_before(now, &mut broken);
        if self.oracle.is_quiet(machine) {
            broken.push("4: in quiet hours".to_owned());
        }
        let unanswered = self.book.unanswered(channel);
        if unanswered > self.oracle.concurrent {
            broken.push(format!("6: a crash would leave {unanswered} in doubt"));
        }
        for what in broken {
            self.breaks(now, format!("{what} ({attempt} of {cascade} to {} on {channel})", out.to));
        }
        let (body, code) = match &out.message {
            Message::Text { body, .. } => (
                body.clone(),
                body.split("/l/").nth(1).and_then(|rest| rest.split(' ').next()).map(str::to_owned),
            ),
            Message::Template(template) => {
                (String::new(), template.urls.first().map(|(_, suffix)| suffix.clone()))
            }
            Message::Call(_) => (String::new(), None),
        };
        self.sent.push(Sent {
            at: now,
            machine,
            channel,
            to: out.to.clone(),
            key: out.key.clone(),
            attempt,
            cascade,
            lost: false,
            body,
            code,
            provider_id: None,
            taken_at: now,
            failed: false,
            over: false,
            unanswered: false,
            connected: false,
            reports: Vec::new(),
        });
        n
    }

    /// 1 and 5.
    fn once_per_step(&self, attempt: AttemptId, broken: &mut Vec<String>) {
        let Some(entry) = self.book.attempts.get(&attempt) else {
            return broken.push("5: nothing of it is on disk".into());
        };
        if entry.stage != Stage::Claimed {
            broken.push(format!("5: it is {:?} on disk, not claimed", entry.stage));
        }
        if self.sent.iter().any(|sent| sent.attempt == attempt && !sent.lost) {
            broken.push("11: this claim was sent before".into());
        }
        let lost = self.sent.iter().filter(|sent| sent.lost && sent.is_for(entry.cascade, entry.channel));
        for sent in lost.filter(|sent| sent.reached()) {
            broken.push(format!("1: {} of the same step had reached them, and was lost", sent.attempt));
        }
        let of_step = self.book.of_step.get(&(entry.cascade, entry.step)).into_iter().flatten();
        let on_channel = self.book.on_channel.get(&(entry.cascade, entry.channel)).into_iter().flatten();
        let others: BTreeSet<&AttemptId> = of_step.chain(on_channel).collect();
        for other in others.into_iter().filter(|other| **other != attempt) {
            let Some(before) = self.book.attempts.get(other) else { continue };
            let sent = self.sent.iter().find(|sent| sent.attempt == *other);
            let said_not_sent = before.stage == Stage::SaidNotSent;
            if sent.is_some_and(Sent::reached) && !said_not_sent {
                broken.push(format!("1: {other} of the same step had reached them"));
            }
            match before.stage {
                Stage::Refused
                | Stage::Withdrawn
                | Stage::Failed
                | Stage::Unanswered
                | Stage::SaidNotSent => {}
                Stage::Planned => broken.push(format!("1: {other} of the same step is planned")),
                Stage::Claimed | Stage::Accepted | Stage::InDoubt | Stage::SaidSent => {
                    broken.push(format!("1: {other} of the same step is {:?}", before.stage));
                }
            }
        }
    }

    /// 2: one running cascade, one in contact with a number, and the cap.
    fn once_per_person(
        &self,
        machine: At,
        attempt: AttemptId,
        cascade: CascadeId,
        to: &Phone,
        broken: &mut Vec<String>,
    ) {
        if self.book.phone_of(cascade) != Some(to) {
            broken.push("2: this is another customer's number".into());
        }
        let campaign = self.book.cascades.get(&cascade).map(|(campaign, _)| *campaign);
        for other in self.book.at_phone.get(to).into_iter().flatten().filter(|other| **other != cascade) {
            if self.book.ended.contains_key(other) {
                continue;
            }
            if self.book.cascades.get(other).map(|(campaign, _)| *campaign) != campaign {
                broken.push(format!("2: {other} of another campaign is under way at this number"));
            }
            let reached = |id| self.sent.iter().any(|sent| self.cascade_of(sent) == Some(id) && !sent.failed);
            // After a restore both may be: then one of them goes on.
            let both = self.oracle.restored_ever && self.book.has_begun(cascade);
            if reached(*other) && !both {
                broken.push(format!("2: {other} is in contact with this number"));
            }
        }
        // By the machine's clock, which may be wrong. A slow commit between a claim and its first byte makes the
        // day that much shorter.
        let day = TimeDelta::hours(24) - TimeDelta::minutes(2);
        let recent =
            |s: &&Sent| s.to == *to && s.attempt != attempt && self.is_known(s) && s.machine + day > machine;
        let contacts = self.sent.iter().filter(recent).count();
        if self.oracle.cap > 0 && contacts >= self.oracle.cap {
            broken.push(format!("2: {contacts} contacts in a day"));
        }
    }

    /// 3 and 4: nobody who stopped, answered, was ended, and nothing while it is held.
    fn wanted(&self, now: At, cascade: CascadeId, channel: Channel, to: &Phone, broken: &mut Vec<String>) {
        let (book, oracle) = (&self.book, &self.oracle);
        let before = |at: At| at < now;
        if book.suppressed.contains(to) || oracle.stopped.get(to).is_some_and(|b| before(b.since)) {
            broken.push("3: they had opted out".into());
        }
        if let Some(end) = book.ended.get(&cascade) {
            broken.push(format!("4: the cascade had ended: {end:?}"));
        }
        if oracle.reacted.get(&cascade).is_some_and(|b| before(b.since)) && !oracle.released {
            broken.push("4: they had answered".into());
        }
        if oracle.ended_by_hand.get(&cascade).is_some_and(|wish| before(wish.at)) {
            broken.push("4: the operator had ended it".into());
        }
        if book.paused || oracle.held.is_some_and(|wish| before(wish.at)) {
            broken.push("4: everything is held".into());
        }
        if book.paused_on[channel.index()]
            || oracle.held_on[channel.index()].is_some_and(|wish| before(wish.at))
        {
            broken.push("4: the channel is held".into());
        }
        if oracle.restored {
            broken.push("4: the store was restored, and the operator has not gone on".into());
        }
        if oracle.left.is_some_and(before) {
            broken.push("4: the operator had left".into());
        }
    }

    /// The step before had its time. A clock that was moved, and waits that were lengthened, are left out.
    fn waited(&self, now: At, attempt: AttemptId, broken: &mut Vec<String>) {
        let Some(entry) = self.book.attempts.get(&attempt).filter(|_| !self.oracle.clock_moves) else {
            return;
        };
        let Some(before) = entry.step.checked_sub(1) else { return };
        if self.oracle.hurried.contains(&entry.cascade) {
            return;
        }
        // Several calls are made within one wait, which runs from the first.
        let all = self.book.of_step.get(&(entry.cascade, before)).map_or(&[][..], Vec::as_slice);
        let waits = |id: &&AttemptId| {
            let stage = self.book.attempts.get(*id).map(|entry| entry.stage);
            matches!(stage, Some(Stage::Accepted | Stage::Unanswered))
        };
        // Nobody sits out a wait for what bounced in the end.
        if !all.last().is_some_and(|last| waits(&last)) {
            return;
        }
        let mut sent = all.iter().filter(waits).filter_map(|id| self.sent_as(*id));
        let Some(sent) = sent.find(|sent| !sent.failed) else { return };
        let later = self.book.campaign.is_some_and(|(id, _)| id.0 > 1);
        let channel = all.last().and_then(|id| self.book.attempts.get(id)).map(|entry| entry.channel);
        let Some(wait) = channel.map(|channel| self.oracle.least_wait(channel, later)) else { return };
        // `keep` moves nobody, and a shorter wait is no shorter than the rules say.
        let law = if self.oracle.edits.is_empty() { "" } else { "14: " };
        // In doubt it runs from the claim, which a slow disk may have kept back.
        if now - sent.at + RECORDED_SLACK < wait {
            broken.push(format!("{law}the wait of step {before} is cut short: it began at {}", sent.at));
        }
    }

    /// 15: a proof of hearing, and the catch-up after a gap.
    fn heard_before(&self, now: At, broken: &mut Vec<String>) {
        let oracle = &self.oracle;
        let age = oracle.proof.map(|at| clock::wall().saturating_duration_since(at));
        if age.is_none_or(|age| age > PROOF) {
            broken.push(format!("15: the last proof of hearing is {age:?} old"));
        }
        if let Some(since) = oracle.gap_since.filter(|_| oracle.moved_until.is_none_or(|until| now > until)) {
            match oracle.caught_up {
                None => broken.push(format!("15: nobody was asked since the gap at {since}")),
                Some(at) if now - at < SETTLED => broken.push(format!("15: not settled since {at}")),
                Some(_) => {}
            }
        }
    }

    /// Verified and read, before the 2xx.
    pub fn received(&mut self, now: At, hook: &Hook) {
        // Anybody may open a short link: that proves nothing.
        if !matches!(hook.body, Body::Follow { .. }) {
            self.oracle.proves(now);
        }
        self.tell(now, || format!("received {hook:?}"));
        match &hook.body {
            Body::Report(report) => self.told(now, report, hook.key()),
            Body::Follow { sent, .. } if !self.sent[*sent].lost => self.followed(now, *sent),
            // Nobody may know the link any more.
            Body::Follow { .. } => {}
        }
    }

    fn followed(&mut self, now: At, sent: usize) {
        // Of what was lost it is whose the store takes it for: at a shared number nobody can tell.
        let sent = &self.sent[sent];
        let whose = if sent.lost { self.cascade_of(sent) } else { Some(sent.cascade) };
        let Some(cascade) = whose else { return };
        self.oracle.reacted.entry(cascade).or_insert(Barred { since: now, told_by: Some([0; 16]) });
    }

    fn told(&mut self, now: At, report: &Heard, key: Option<[u8; 16]>) {
        // A copy tells nothing new, and may come when somebody else uses the number.
        if key.is_some_and(|key| self.book.dedup.contains(&key)) {
            return;
        }
        let barred = Barred { since: now, told_by: key };
        if let (true, Some(phone)) = (stops(report), &report.person) {
            self.oracle.stopped.entry(phone.clone()).or_insert(barred);
        }
        if !reacts(report) {
            return;
        }
        let named = report.attempt_key.as_deref().and_then(transport::attempt);
        let named = named.or_else(|| {
            let id = report.provider_id.as_deref()?;
            self.sent.iter().find(|s| s.provider_id.as_deref() == Some(id)).map(|s| s.attempt)
        });
        let cascade = match named {
            Some(attempt) => self.book.attempts.get(&attempt).map(|entry| entry.cascade),
            // Whoever writes without naming a message answers what was sent to their number last.
            None => self
                .sent
                .iter()
                .rev()
                .find(|s| Some(&s.to) == report.person.as_ref() && s.provider_id.is_some())
                .map(|s| s.cascade),
        };
        let open =
            |c: &CascadeId| self.book.campaign.map(|(id, _)| id) == self.book.cascades.get(c).map(|c| c.0);
        if let Some(cascade) = cascade.filter(open) {
            self.oracle.reacted.entry(cascade).or_insert(barred);
        }
    }

    /// 7: what was answered 2xx is on disk.
    pub fn acknowledged(&mut self, now: At, hook: &Hook) {
        match (&hook.body, hook.key()) {
            (Body::Follow { sent, .. }, _) => self.followed(now, *sent),
            (Body::Report(report), Some(key)) if !self.book.dedup.contains(&key) => {
                self.breaks(now, format!("7: answered 2xx and not on disk: {report:?}"));
            }
            _ => {}
        }
    }

    /// Twilio was asked what came since.
    pub fn asked_for_inbound(&mut self, asked: At, now: At, life: u64, listed: &[Heard]) {
        self.tell(now, || format!("life {life} asks for inbound messages: {}", listed.len()));
        if self.oracle.gap_since.is_some_and(|since| asked >= since) {
            // Before the settling is over it is listed once more, because lists lag.
            self.oracle.caught_up.get_or_insert(now);
        }
        for report in listed {
            // Read, before anything is recorded.
            self.told(now, report, Some(cascade::runtime::hearing::dedup_key(report)));
        }
    }

    /// 8, before the batch is entered.
    pub fn judge_reports(&mut self, batch: &Batch, now: At) {
        if let Some(key) = batch.dedup.iter().find(|key| self.book.dedup.contains(*key)) {
            self.breaks(now, format!("8: the same report was taken in twice: {key:?}"));
        }
    }

    /// What a commit says about holds.
    pub fn judge_commit(&mut self, batch: &Batch, now: At) {
        self.oracle.known |= !batch.events.is_empty();
        let goes_on =
            |kind: &Kind| matches!(kind, Kind::Resumed { only: None, .. } | Kind::CampaignLaunched { .. });
        if batch.events.iter().any(|(_, event)| goes_on(&event.kind)) {
            self.oracle.restored = false;
        }
        for (_, event) in &batch.events {
            match &event.kind {
                Kind::Resumed { only: None, .. } if self.oracle.held <= self.oracle.resumed => {
                    self.oracle.held = None;
                }
                Kind::Resumed { only: Some(channel), .. } => {
                    let at = channel.index();
                    if self.oracle.held_on[at] <= self.oracle.resumed_on[at] {
                        self.oracle.held_on[at] = None;
                    }
                }
                // Lists tell when, by our clock as it then stands.
                Kind::AttemptRecovered { sent_at, provider_id: Some(id), .. } => {
                    let listed = self.sent.iter_mut().find(|sent| sent.provider_id.as_ref() == Some(id));
                    if let Some(sent) = listed {
                        sent.machine = *sent_at;
                    }
                }
                Kind::CampaignLaunched { .. } => (self.oracle.held, self.oracle.held_on) = (None, [None; 4]),
                _ => {}
            }
        }
        let (cents, budget) = (self.spent_cents(), self.setting.budget);
        if budget.is_some_and(|budget| cents > budget) {
            self.breaks(now, format!("13: {cents} cents are spent of {budget:?}"));
        }
    }

    /// What the newest campaign's requests cost at least.
    fn spent_cents(&self) -> u64 {
        let newest = self.book.campaign.map(|(id, _)| id);
        let own = |s: &&Sent| self.book.cascades.get(&s.cascade).map(|(campaign, _)| *campaign) == newest;
        let price = |channel: Channel| match channel {
            Channel::Whatsapp => 5,
            Channel::Phone => 20,
            Channel::Sms | Channel::Email => 4,
        };
        self.sent.iter().filter(own).filter(|s| self.is_known(s)).map(|s| price(s.channel)).sum()
    }

    /// 11: what the disk says of each claim is what really became of it.
    pub fn judge_the_end(&mut self, now: At) {
        let mut broken = Vec::new();
        for (id, entry) in &self.book.attempts {
            let sent = self.sent.iter().rev().find(|sent| sent.attempt == *id);
            if sent.is_some_and(|sent| sent.lost) {
                continue;
            }
            let taken = sent.is_some_and(|sent| sent.provider_id.is_some());
            // Words of a person's prove a send without naming it, and may mean an earlier one.
            let named = self.book.provider_ids.contains_key(id);
            let wrong = match entry.stage {
                Stage::Planned | Stage::Claimed => Some("is still open"),
                Stage::Accepted | Stage::Failed | Stage::Unanswered
                    if !taken && named && !self.was_lost(*id) =>
                {
                    Some("was never taken")
                }
                Stage::Refused if taken => Some("was taken"),
                Stage::Withdrawn if sent.is_some() => Some("was sent"),
                Stage::Accepted | Stage::Failed | Stage::Unanswered | Stage::Refused | Stage::Withdrawn => {
                    None
                }
                Stage::InDoubt | Stage::SaidNotSent | Stage::SaidSent => None,
            };
            if let Some(wrong) = wrong {
                broken.push(format!("11: {id} is {:?} on disk and {wrong}", entry.stage));
            }
            if let (Some(said), Some(sent)) = (self.book.provider_ids.get(id), sent)
                && sent.provider_id.as_ref() != Some(said)
                && !self.was_lost(*id)
            {
                broken.push(format!("11: {id} is {said} on disk and {:?} at the provider", sent.provider_id));
            }
        }
        broken.sort();
        for what in broken {
            self.breaks(now, what);
        }
    }
}
