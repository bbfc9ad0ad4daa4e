//! `cascade report`: what a campaign has come to, as `cascade.report/1` or as a page to read.

mod tables;
mod waits;

use super::stores::Site;
use super::{Exit, Failure, output, page};
use crate::cli::{Place, Report};
use crate::clock;
use crate::engine::gate;
use crate::engine::snapshot::ChannelRow;
use crate::engine::{self, Campaign, tally};
use crate::learning::history::Cascade;
use crate::model::{At, CampaignId, Mode, Outcome, Segment};
use crate::runtime::history;
use crate::runtime::store::{Reader, not_lost};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Prints the report of a stored campaign, also while it runs.
pub(super) fn run(place: &Place, args: &Report) -> Result<Exit, Failure> {
    if args.html.is_some() {
        return Err(Failure::usage("--html is not built yet; --json and --csv have every number"));
    }
    let (reader, site) = open_store(place)?;
    let wanted = args.campaign.map(CampaignId);
    let campaign = reader.campaign(wanted).map_err(|error| Failure::usage(error.to_string()))?;
    let Some(campaign) = campaign else {
        return Err(Failure::usage(match wanted {
            Some(id) => format!("there is no campaign {id} in this store"),
            None => "nothing was launched here yet; `cascade pilot` launches a pilot".into(),
        }));
    };
    let (now, history) = (now(&reader, site.store().1)?, history::of_campaign(&reader, campaign.id())?);
    if let Some(dir) = &args.csv {
        return tables::write(dir, &reader, &to_json(&campaign, &history));
    }
    print(&campaign, &history, (0, now), args.json)?;
    Ok(Exit::Done)
}

/// The present of a store: by the calendar in live, by its own clock in a rehearsal.
pub(super) fn now(reader: &Reader, mode: Mode) -> Result<At, Failure> {
    let stood = reader.meta("clock")?.and_then(|at| At::parse(&at).ok());
    Ok(match mode {
        Mode::Live => clock::wall_at(),
        Mode::Rehearsal => stood.unwrap_or_default(),
    })
}

/// A reader on the workspace's store; nothing launched yet is said so.
pub(super) fn open_store(place: &Place) -> Result<(Reader, Site), Failure> {
    let site = Site::open(place)?;
    let (path, _) = site.store();
    not_lost(&path)?;
    if !path.exists() {
        return Err(Failure::usage(format!(
            "nothing was launched here yet ({} does not exist); `cascade pilot` launches a pilot",
            path.display()
        )));
    }
    let reader = Reader::open(&path).map_err(|error| Failure::usage(error.to_string()))?;
    Ok((reader, site))
}

/// Prints a campaign's report on stdout; its log ends at `seq`.
pub(super) fn print(
    campaign: &Campaign,
    history: &[Cascade],
    (seq, now): (u64, At),
    as_json: bool,
) -> Result<(), Failure> {
    if as_json {
        return output::json(&to_json(campaign, history));
    }
    let mut page = output::Results::open();
    for line in page::lines(&engine::snapshot(campaign, seq, now, std::sync::Arc::default())) {
        page.line(&line)?;
    }
    page.close()
}

/// `cascade.report/1`, from a campaign and its cascades: from its log alone.
pub fn to_json(campaign: &Campaign, history: &[Cascade]) -> Value {
    let (header, launch) = (&campaign.header, &campaign.header.launch);
    let t = tally(campaign);
    let gate = gate::judge(campaign);
    let currency = &launch.policy.currency;
    json!({
        "schema": "cascade.report/1",
        "campaign": {
            "id": header.id, "name": launch.name, "kind": launch.kind, "mode": launch.mode,
            "rules_hash": launch.rules_hash, "content_hash": launch.content_hash,
            "rules_commit": launch.rules_commit, "customers": launch.customers,
            "started_at": header.started_at, "ended_at": header.ended_at,
            "speed": launch.speed, "seed": launch.seed, "rejected_rows": launch.rejects,
        },
        "cascades": {
            "total": t.total, "converted": t.converted, "declined": t.declined, "exhausted": t.exhausted,
            "opted_out": t.opted_out, "stopped": t.stopped, "held": t.held, "in_doubt": t.in_doubt,
            "running": t.running,
        },
        "channels": channels(campaign, currency, |_| true),
        "failures": failures(campaign),
        "segments": segments(campaign, currency),
        "waits": waits::rows(campaign, history),
        "gate": gate,
    })
}

fn channels(
    campaign: &Campaign,
    currency: &str,
    of: impl Fn(&engine::journey::Journey) -> bool,
) -> Vec<Value> {
    engine::channel_rows(campaign, of).iter().map(|row| channel(row, currency)).collect()
}

fn channel(row: &ChannelRow, currency: &str) -> Value {
    let mut value = json!({
        "channel": row.channel, "attempts": row.attempts, "accepted": row.accepted, "failed": row.failed,
        "not_reached": row.not_reached, "in_doubt": row.in_doubt,
    });
    for outcome in Outcome::ALL {
        value[outcome.as_str()] = json!(row.outcome(*outcome));
    }
    value["conversions"] = json!(row.conversions);
    value["cost"] = json!(row.cost.to_string());
    value["currency"] = json!(currency);
    value["cost_per_conversion"] = json!(row.cost.per(row.conversions).map(|cost| cost.to_string()));
    value
}

fn failures(campaign: &Campaign) -> Vec<Value> {
    let row = |row: &engine::snapshot::FailureRow| {
        json!({
            "channel": row.failure.channel, "provider": row.failure.provider, "code": row.failure.code,
            "class": row.failure.class, "scope": row.failure.scope.as_str(), "scope_key": row.failure.scope.key(),
            "title": row.failure.title, "remedy": row.failure.remedy, "reaction": row.reaction,
            "customers": row.customers, "attempts": row.attempts, "first_at": row.first_at, "last_at": row.last_at,
        })
    };
    engine::failure_rows(campaign).iter().map(row).collect()
}

fn segments(campaign: &Campaign, currency: &str) -> Vec<Value> {
    let names: BTreeSet<&Segment> = campaign.journeys().iter().map(|j| &j.start.segment).collect();
    let of = |name: &Segment| {
        let members = || campaign.journeys().iter().filter(|j| j.start.segment == *name);
        let converted = members().filter(|j| j.credited.is_some() && is_converted(j)).count();
        json!({
            "segment": name, "customers": members().count(), "converted": converted,
            "channels": channels(campaign, currency, |j| j.start.segment == *name),
        })
    };
    names.into_iter().map(of).collect()
}

fn is_converted(journey: &engine::journey::Journey) -> bool {
    journey.state == engine::journey::State::Ended(engine::event::End::Converted)
}
