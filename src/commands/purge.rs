//! `cascade purge`: erases the people of campaigns that ended long ago.

use super::stores::Site;
use super::{Exit, Failure, output, session};
use crate::cli::{Place, Purge};
use crate::clock;
use crate::model::{At, Mode, clean};
use crate::phrases::people;
use crate::runtime::store::erase::Erased;
use crate::runtime::store::{Store, not_lost, purge};
use crate::sandbox;
use chrono::TimeDelta;
use serde_json::json;
use std::io::BufRead as _;

/// What is typed to go on.
const WORD: &str = "purge";

/// Says what would go, asks, erases.
pub(super) fn run(place: &Place, args: &Purge) -> Result<Exit, Failure> {
    let site = Site::open(place)?;
    let (path, mode) = site.store();
    not_lost(&path)?;
    if !path.exists() {
        return Err(Failure::usage(format!("there is no store here: {} does not exist", path.display())));
    }
    let store = Store::open_in(&path, mode, &site.state)?;
    let plan = store.reader()?.purge_before(before(&store, mode, args.older_than)?)?;
    let sentence = sentence(&plan);
    let (mut erased, mut forgotten) = (Erased::default(), 0);
    if plan.campaigns.is_empty() {
        output::note(&format!("cascade: {sentence}"));
    } else if args.yes || confirmed(&plan, &sentence)? {
        erased = session::block_on(async { Ok(store.purge(&plan).await?) })?;
        let memory = site.sandbox_of(&path);
        if mode == Mode::Rehearsal && memory.exists() {
            let gone = sandbox::forget(&memory, plan.numbers());
            forgotten = gone.map_err(|error| Failure::failed(error.to_string()))?;
        }
    } else {
        return Ok(Exit::DidNotHold);
    }
    if args.json {
        let mut value = json!({ "schema": "cascade.purge/1", "store": path, "mode": mode });
        super::backup::merge(&mut value, json!(plan));
        value["erased"] = json!(erased);
        value["sandbox"] = json!(forgotten);
        output::json(&value)?;
    } else {
        output::line(&format!(
            "{} erased, {} texts, {} links, {} report keys; {} events and rows stay without their names",
            people(erased.people),
            erased.texts,
            erased.links,
            erased.reports,
            erased.events
        ))?;
    }
    Ok(Exit::Done)
}

/// So long before now: by the calendar in live, by the store's own clock in a rehearsal.
fn before(store: &Store, mode: Mode, older_than_s: u64) -> Result<At, Failure> {
    let reader = store.reader()?;
    let stood = reader.meta("clock")?.and_then(|at| At::parse(&at).ok());
    let now = match mode {
        Mode::Live => clock::wall_at(),
        Mode::Rehearsal => stood.unwrap_or_default(),
    };
    Ok(now
        - TimeDelta::try_seconds(i64::try_from(older_than_s).unwrap_or(i64::MAX)).unwrap_or(TimeDelta::MAX))
}

fn sentence(plan: &purge::Purge) -> String {
    match plan.campaigns.as_slice() {
        [] => format!("no campaign here ended before {}", plan.before),
        [one] => format!(
            "campaign {} {}, ended {}: {} who are in no younger one would be erased, with what they wrote and said",
            one.id,
            clean(&one.name),
            one.ended_at,
            people(plan.people())
        ),
        [first, .., last] => format!(
            "{} campaigns, ended {} to {}: {} who are in no younger one would be erased, with what they wrote and said",
            plan.campaigns.len(),
            first.ended_at,
            last.ended_at,
            people(plan.people())
        ),
    }
}

fn confirmed(plan: &purge::Purge, sentence: &str) -> Result<bool, Failure> {
    if !output::is_terminal() {
        return Err(Failure::usage(format!("{sentence}. Nobody can be asked here: give --yes")));
    }
    output::note(&format!(
        "{sentence}. Counts, log and opt-outs stay. This cannot be undone: type {WORD} to erase {}",
        people(plan.people())
    ));
    let mut typed = String::new();
    let read = std::io::stdin().lock().read_line(&mut typed);
    read.map_err(|error| Failure::failed(format!("your answer cannot be read: {error}")))?;
    let yes = typed.trim() == WORD;
    if !yes {
        output::note("cascade: nothing was erased");
    }
    Ok(yes)
}
