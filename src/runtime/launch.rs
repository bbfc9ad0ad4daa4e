//! What a launch would do, and doing it: from a customer list, rules and content to one campaign.

use super::driver::Driver;
use super::handle::{Level, Preflight};
use super::starts::Allocations;
use super::store::{Batch, Contacts, Dealings, Known, PersonRow, RejectRow};
use super::turn::Turn;
use crate::engine::event::{CampaignKind, CascadeStart, Drawn, Launch, Skip};
use crate::engine::policy::Policy;
use crate::engine::{self, Campaign};
use crate::model::{
    At, AttemptId, CampaignId, CascadeId, Channel, Customer, Leg, Money, PersonId, Phone, Segment, TimerId,
};
use crate::rules::Step;
use crate::rules::content::Content;
use crate::rules::starts::Begin;
use crate::workspace::Ready;
use chrono::TimeDelta;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Rejects that a preflight and the store name one by one.
const REJECTS_NAMED: usize = 100;

/// Contacts with a person count for so long, whichever campaign they were of.
const CAPPED: TimeDelta = TimeDelta::hours(24);

/// Everything a launch needs, read and checked. Nobody is contacted by making one.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Settings, rules and content, judged.
    pub ready: Ready,
    /// What is said.
    pub content: Arc<Content>,
    /// The drawn cohort, in the order of the list.
    pub customers: Vec<Customer>,
    /// Usable rows of the list.
    pub listed: u64,
    /// Rows that could not be used: line, code and reason, at most 100 000.
    pub rejects: Vec<(u64, String, String)>,
    /// Warnings of the check, a sentence each.
    pub warnings: Vec<String>,
    /// Why it may not be launched.
    pub blocked: Vec<String>,
    /// Fixes the draw and, in a rehearsal, how people behave.
    pub seed: u64,
    /// Campaign seconds a wall second.
    pub speed: f64,
    /// Where short links begin: their length counts.
    pub links_base: String,
    /// The git commit of the rules, where there is one.
    pub rules_commit: Option<String>,
    /// From what starts are drawn; empty without `explore`.
    pub allocations: Allocations,
}

impl Plan {
    /// The steps of one customer who begins with `start`, with what each can cost at most.
    fn walk(&self, customer: &Customer, start: Channel) -> Vec<Leg> {
        let (ladder, script) = (self.ready.rules.ladder_for(&customer.segment), self.script());
        ladder.walk(start).into_iter().map(|step| script.leg(step, customer)).collect()
    }

    /// What each step says to each customer.
    pub(super) fn script(&self) -> Script<'_> {
        Script { ready: &self.ready, links_base: &self.links_base }
    }

    pub(super) fn policy(&self) -> Policy {
        self.ready.config.policy(&self.ready.rules)
    }

    /// For people: the template's name, or the mode.
    pub fn name(&self) -> String {
        let template = self.content.whatsapp.as_ref().map(|whatsapp| whatsapp.name.replace('_', "-"));
        template.unwrap_or_else(|| "campaign".into())
    }

    /// What the operator confirms for that campaign. Whoever `stopped` before is not contacted; `dealings` is what
    /// earlier campaigns had to do with the others.
    pub fn preflight(
        &self,
        now: At,
        campaign: CampaignId,
        stopped: impl Fn(&Phone) -> bool,
        dealings: Option<&Dealings>,
    ) -> Preflight {
        let mut segments: BTreeMap<Segment, u64> = BTreeMap::new();
        let contacted: Vec<&Customer> = self.customers.iter().filter(|c| !stopped(&c.phone)).collect();
        for customer in &contacted {
            *segments.entry(customer.segment.clone()).or_default() += 1;
        }
        let named = self.rejects.iter().take(REJECTS_NAMED);
        let begins: Vec<_> = contacted.iter().map(|c| (*c, self.begin(c, campaign, false))).collect();
        let legs = begins.iter().flat_map(|(customer, begin)| self.walk(customer, begin.start));
        Preflight {
            name: self.name(),
            people: contacted.len() as u64,
            listed: self.listed,
            before: self.before(now, &contacted, dealings),
            segments: segments.into_iter().collect(),
            starts: self.starts(&begins),
            waves: self.waves(now, &begins),
            worst_cost: legs.map(|leg| leg.reserve).sum(),
            budget: self.ready.config.limits.budget,
            rules_hash: self.ready.rules.hash.clone(),
            rejects: named.map(|(line, _, reason)| (*line, crate::model::clean(reason))).collect(),
            rejects_total: self.rejects.len() as u64,
            warnings: self.warnings.clone(),
            blocked: self.blocked.clone(),
        }
    }

    pub(super) fn versions(&self) -> Vec<(String, String, Vec<u8>)> {
        let rules =
            (self.ready.rules.hash.clone(), "rules/cascade.json".to_owned(), self.ready.rules.bytes.clone());
        let content =
            self.content.files.iter().map(|file| (self.content.hash.clone(), file.0.clone(), file.1.clone()));
        std::iter::once(rules).chain(content).collect()
    }
}

/// Rules and texts, and where short links begin: what a step says to a customer, and what that can cost at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Script<'p> {
    pub ready: &'p Ready,
    pub links_base: &'p str,
}

impl Script<'_> {
    /// One step of one customer.
    pub fn leg(self, step: Step, customer: &Customer) -> Leg {
        self.said(leg_of(step), customer)
    }

    /// With what it says to them.
    pub fn said(self, leg: Leg, customer: &Customer) -> Leg {
        let reserve = self.ready.worst_cost(leg.channel, customer, self.links_base);
        let template = (leg.channel == Channel::Whatsapp)
            .then(|| self.ready.content.template_key(customer.language.as_deref()))
            .flatten();
        Leg { reserve, template, ..leg }
    }

    /// Steps that this customer cannot take.
    pub fn skips(self, customer: &Customer, suppressed: bool) -> Vec<(Channel, Skip)> {
        let why = |channel: Channel| {
            if suppressed {
                Some(Skip::Suppressed)
            } else if !customer.consents.allows(channel) {
                Some(Skip::NoConsent)
            } else if channel == Channel::Email && customer.email.is_none() {
                Some(Skip::NoAddress)
            } else if !self.ready.content.has_file(channel) {
                Some(Skip::NoContent)
            } else {
                None
            }
        };
        Channel::ALL.iter().filter_map(|channel| Some((*channel, why(*channel)?))).collect()
    }
}

/// A step as the rules have it, before it is known what it says.
pub(super) fn leg_of(step: Step) -> Leg {
    Leg {
        channel: step.channel,
        wait_s: step.wait_s,
        attempts: step.attempts,
        bounce_waits: step.bounce_waits,
        converts_on: step.converts_on,
        reserve: Money::ZERO,
        template: None,
    }
}

impl Driver {
    /// Launches what the preflight showed, and says whether it did. Everybody gets a row before anybody is contacted.
    pub(super) fn launch(&mut self, turn: &mut Turn) -> bool {
        let Some(plan) = self.parts.plan.clone() else {
            return self.refuse("rules, content or list are missing");
        };
        if let Some(reason) = self.refusal(&plan) {
            return self.refuse(&reason);
        }
        self.start_clock();
        let now = self.now();
        let store = &self.parts.store;
        let known = store.known(&plan.customers).and_then(|known| Ok((known, store.contacts(now - CAPPED)?)));
        let (ids, contacts) = match known {
            Ok(known) => known,
            Err(error) => return self.refuse(&error.to_string()),
        };
        let people = self.people_of(&plan, ids, &mut turn.batch);
        let mut lines = HashSet::new();
        let campaign = self.kept.next_campaign();
        let start_of = |customer| self.start_of(&plan, campaign, customer, &contacts);
        let mut starts: Vec<_> = people.iter().map(|(id, customer)| (*id, start_of(customer))).collect();
        for (_, start) in &mut starts {
            // Whoever shares a number shares its contacts: they stand with the first alone.
            if !lines.insert(start.line) {
                start.recent.clear();
            }
        }
        let previous = self.kept.campaign.as_ref().map(|c| &c.header);
        let lost =
            self.restored.as_ref().map(|lost| (lost.next_attempt, lost.next_timer)).unwrap_or_default();
        let launch = Launch {
            name: plan.name(),
            kind: CampaignKind::Pilot,
            mode: plan.ready.config.mode,
            rules_hash: plan.ready.rules.hash.clone(),
            content_hash: plan.content.hash.clone(),
            rules_commit: plan.rules_commit.clone(),
            speed: plan.speed,
            seed: plan.seed,
            customers: people.len() as u64,
            rejects: plan.rejects.len() as u64,
            store: self.parts.store.id().to_owned(),
            first_cascade: CascadeId(self.kept.last_cascade + 1),
            first_attempt: previous.map_or(AttemptId(1), |h| h.next_attempt).max(lost.0),
            first_timer: previous.map_or(TimerId(1), |h| h.next_timer).max(lost.1),
            policy: plan.policy(),
        };
        self.kept.last_cascade += people.len() as u64;
        self.parts.speaker.content = Arc::clone(&plan.content);
        let (started, concluded) = engine::launch(campaign, now, launch, starts);
        self.kept.supersede(started, people.into_iter().collect());
        self.kept.last_at = now;
        let rejects = plan.rejects.iter().map(|(line, code, reason)| RejectRow {
            campaign: campaign.0,
            line: *line,
            code: code.clone(),
            reason: reason.clone(),
        });
        turn.batch.rejects.extend(rejects);
        turn.batch.versions = plan.versions();
        turn.take(concluded, &mut self.kept.seq);
        self.goes_on(turn);
        self.parts.brakes.hold(None, false);
        for channel in Channel::ALL {
            self.parts.brakes.hold(Some(*channel), false);
        }
        self.parts.gallery.reset(self.kept.campaign.as_ref(), &self.kept.people, &[]);
        true
    }

    fn refuse(&mut self, why: &str) -> bool {
        self.refused = true;
        self.tell(Level::Error, format!("not launched: {why}"));
        false
    }

    fn refusal(&self, plan: &Plan) -> Option<String> {
        if self.desk.is_busy() {
            return Some("a save of rules or texts is being written; try again in a moment".into());
        }
        let running = self.kept.campaign.as_ref().filter(|c| c.header.ended_at.is_none());
        if let Some(campaign) = running {
            return Some(format!(
                "{} has {} customers under way; one campaign runs at a time. `:stop-campaign` in the console ends it for good",
                campaign.header.launch.name,
                campaign.open()
            ));
        }
        let waits = |campaign: &Campaign| !campaign.unanswered_claims().is_empty();
        if self.kept.campaign.as_ref().is_some_and(waits) {
            return Some(
                "requests of the campaign before are still out; try again once they are answered".into(),
            );
        }
        if plan.customers.is_empty() {
            return Some("nobody in the list can be contacted".into());
        }
        (!plan.blocked.is_empty()).then(|| plan.blocked.join("; "))
    }

    /// A rehearsal's later campaigns begin on the first Monday 09:00 after the last event.
    fn start_clock(&mut self) {
        if !self.parts.owns_clock {
            return;
        }
        if self.kept.campaign.is_some()
            && let Some(plan) = &self.parts.plan
        {
            self.parts.clock.set(next_monday(self.now(), plan.ready.config.timezone));
            // The one before may have gone on at a speed of its own.
            self.parts.clock.pace(plan.speed);
        }
        self.parts.clock.run(true);
    }

    /// The cohort with ids: those of an earlier campaign keep theirs.
    fn people_of(&mut self, plan: &Plan, known: Known, batch: &mut Batch) -> Vec<(PersonId, Customer)> {
        let mut people = Vec::with_capacity(plan.customers.len());
        for customer in &plan.customers {
            let key = (customer.phone.as_str().to_owned(), customer.name.raw().to_owned());
            let id = known.get(&key).copied().unwrap_or_else(|| {
                self.kept.last_person += 1;
                PersonId(self.kept.last_person)
            });
            let line = self.kept.lines.entry(customer.phone.clone()).or_insert(id);
            *line = (*line).min(id);
            batch.people.push(PersonRow { id, customer: customer.clone() });
            people.push((id, customer.clone()));
        }
        people
    }

    fn start_of(
        &self,
        plan: &Plan,
        campaign: CampaignId,
        customer: &Customer,
        contacts: &Contacts,
    ) -> CascadeStart {
        let suppressed = self.parts.brakes.is_opted_out(&customer.phone);
        let line = self.kept.lines.get(&customer.phone).copied().unwrap_or_default();
        let Begin { start, propensity, allocation, forced } = plan.begin(customer, campaign, suppressed);
        let zone = customer.timezone.clone().unwrap_or_else(|| plan.ready.config.timezone.name().to_owned());
        CascadeStart {
            segment: customer.segment.clone(),
            start,
            propensity,
            drawn: allocation.map(|from| Drawn { from, forced }),
            walk: plan.walk(customer, start),
            skips: plan.script().skips(customer, suppressed),
            zone,
            country: customer.country.clone(),
            line,
            recent: contacts.get(&customer.phone).cloned().unwrap_or_default(),
        }
    }
}

/// The first Monday 09:00 in `zone` after `now`.
pub fn next_monday(now: At, zone: chrono_tz::Tz) -> At {
    use chrono::{Datelike, TimeZone};
    let local = now.utc().with_timezone(&zone);
    let mut day = local.date_naive();
    loop {
        let nine = day.and_hms_opt(9, 0, 0).and_then(|nine| zone.from_local_datetime(&nine).earliest());
        if let Some(nine) = nine.filter(|nine| nine.weekday() == chrono::Weekday::Mon)
            && At::from(nine) > now
        {
            return nine.into();
        }
        day += TimeDelta::days(1);
    }
}
