//! Taking reports in: each counts once, its person is looked up, its text kept, an opt-out held by address.

use super::driver::Driver;
use super::handle::Level;
use super::hearing::{self, Lookups};
use super::store::{SuppressionRow, TextRow};
use super::turn::{Redirect, Turn};
use crate::engine::event::{Event, Kind, Subject};
use crate::engine::input::Input;
use crate::model::{CampaignId, Phone, TextId, Untrusted};
use crate::providers::{Fact, Heard};

impl Driver {
    /// One verified report: once, its person looked up, its text kept.
    pub(super) fn report(&mut self, report: Heard, turn: &mut Turn) {
        if self.is_new(&report, turn) {
            self.take_in(report, turn);
        }
    }

    /// Whether nobody has told this before.
    pub(super) fn is_new(&mut self, report: &Heard, turn: &mut Turn) -> bool {
        let key = hearing::dedup_key(report);
        let new = self.kept.dedup.insert(key);
        if new {
            turn.batch.dedup.push(key);
        }
        new
    }

    pub(super) fn take_in(&mut self, mut report: Heard, turn: &mut Turn) {
        let stops = hearing::stops(&report);
        report.person = report.person.map(|phone| self.as_listed(phone));
        if stops && report.person.is_none() && report.provider_id.is_none() && report.attempt_key.is_none() {
            self.nameless_stop(&report);
        }
        let whose = self.whose_report(&report, stops);
        let line = report.person.as_ref().zip(whose).and_then(|(phone, id)| self.kept.line(id, phone));
        let text = hearing::text_of(&report).cloned().map(|body| {
            self.kept.last_text += 1;
            let id = TextId(self.kept.last_text);
            let (at, from) = (self.parts.clock.now(), report.person.clone());
            turn.keep(TextRow { id, person: line, from, at, body });
            id
        });
        if stops {
            self.suppress(&report, turn);
        }
        let store = self.parts.store.id().to_owned();
        if let Some(campaign) = whose.and_then(|id| self.kept.get(id)) {
            hearing::complete(&mut report, campaign, &store);
        } else if !stops {
            return self.log_unmatched(&report, turn);
        }
        let news = hearing::news(report, Lookups { store: &store, line, linked: None, text });
        self.apply_to(whose, Input::Heard(Box::new(news)), turn);
    }

    /// The number as the list spells it, where somebody is known by it.
    fn as_listed(&self, phone: Phone) -> Phone {
        let known = |phone: &Phone| {
            self.kept.lines.contains_key(phone)
                || self.parts.store.people_at(phone).is_ok_and(|people| !people.is_empty())
        };
        match phone.other_spelling() {
            Some(other) if !known(&phone) && known(&other) => other,
            Some(_) | None => phone,
        }
    }

    /// WhatsApp need not tell the number of whoever has a user name (PROVIDERS.md 1.7): only a person can find out whose STOP
    /// it is.
    fn nameless_stop(&self, report: &Heard) {
        let said = hearing::text_of(report).map(Untrusted::screen).unwrap_or_default();
        let text = format!(
            "somebody wants no more contact, and {} does not tell their number: \"{said}\". Find them there, and record it \
             here: select them, then x and o",
            report.provider
        );
        self.tell_all(vec![(Level::Error, text)]);
    }

    /// No campaign is there to hold it: the log holds it all the same.
    fn log_unmatched(&mut self, report: &Heard, turn: &mut Turn) {
        let subject = Subject { channel: Some(report.channel), ..Subject::default() };
        let kind = Kind::Unmatched {
            provider: report.provider.into(),
            what: "a report before any campaign".into(),
            provider_id: report.provider_id.clone(),
        };
        let at = self.now();
        turn.log(Event { at, campaign: CampaignId::default(), subject, kind }, &mut self.kept.seq);
        self.kept.last_at = at;
    }

    /// The opt-out that a report tells of, if it does and names a number.
    pub(super) fn opt_out_in(&self, report: &Heard) -> Option<SuppressionRow> {
        let phone = report.person.clone().filter(|_| hearing::stops(report))?;
        Some(SuppressionRow { phone, at: self.now(), via: report.channel, why: "said so themselves".into() })
    }

    /// An opt-out holds by address, whether or not they are in this campaign, an earlier one, or none at all.
    fn suppress(&mut self, report: &Heard, turn: &mut Turn) {
        let Some(SuppressionRow { phone, at, via, why }) = self.opt_out_in(report) else { return };
        self.parts.brakes.opt_out(phone.clone());
        turn.suppress(phone, at, via, &why);
        if self.kept.campaign.is_none() {
            // Otherwise the engine tells the log.
            let subject = Subject { channel: Some(via), ..Subject::default() };
            let event =
                Event { at, campaign: CampaignId::default(), subject, kind: Kind::Suppressed { via, why } };
            turn.log(event, &mut self.kept.seq);
            self.kept.last_at = at;
        }
    }

    pub(super) fn followed(&mut self, code: &str, suspected: Option<String>, ack: Redirect, turn: &mut Turn) {
        let Some((attempt, target)) = self.kept.links.get(code).cloned() else {
            turn.follows.push((ack, None));
            return;
        };
        let whose = self.holding(attempt).and_then(|id| self.kept.get(id));
        let channel = whose.and_then(|campaign| campaign.attempt(attempt)).map(|(_, a)| a.channel);
        if let Some(channel) = channel {
            let report = Heard {
                provider: "links",
                channel,
                dedup: format!("{code}:{}", suspected.is_some()),
                happened_at: None,
                provider_id: None,
                attempt_key: Some(crate::model::attempt_key(self.parts.store.id(), attempt)),
                person: None,
                what: Fact::Clicked { suspected },
            };
            self.report(report, turn);
        }
        turn.follows.push((ack, Some(target)));
    }
}
