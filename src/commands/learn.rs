//! `cascade learn`: what the record teaches, as `cascade.learn/1` or as a page; and `cascade learn simulate`.

mod page;
mod simulate;

use super::stores::Site;
use super::{Exit, Failure, output, report};
use crate::cli::{Learn, LearnWhat, Place};
use crate::clock;
use crate::learning::answer::Settings;
use crate::learning::history::{BadRow, Cascade, Reader, gather};
use crate::learning::ledger::Ledger;
use crate::model::{At, Channel, Mode, Segment};
use crate::rules::{self, Rules};
use crate::runtime::history;
use crate::workspace::{self, Named, Workspace};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

/// Bad rows that are named one by one.
const NAMED: usize = 20;
/// Cascades that travel together from the thread that reads to the one that sums up.
const TOGETHER: usize = 2_048;

/// Answers from the workspace's store, or from a history file.
pub(super) fn run(place: &Place, args: &Learn) -> Result<Exit, Failure> {
    if let Some(LearnWhat::Simulate(args)) = &args.what {
        return simulate::run(args);
    }
    let config = workspace::settings(&place.workspace)?;
    let mut settings = Settings {
        value: args.value.or(config.learning.value),
        optout_penalty: args.optout_penalty.unwrap_or(config.learning.optout_penalty),
        currency: config.currency.clone(),
        ..Settings::default()
    };
    let rules = rules_of(place);
    let (ledger, mode) = match &args.history {
        Some(path) => {
            settings.now = args.now.unwrap_or_else(clock::wall_at);
            settings.incumbent = rules.as_ref().map(|rules| rules.main.start);
            settings.incumbents =
                starts(rules.as_ref(), rules.iter().flat_map(|rules| rules.segments.keys()));
            (from_file(path)?, None)
        }
        None => from_store(place, args, rules.as_ref(), &mut settings)?,
    };
    if ledger.is_empty() {
        return Err(Failure::usage(match &args.history {
            Some(path) => format!("{}: there is no cascade in it that can be used", path.display()),
            None => "no cascade was launched here yet; `cascade pilot` launches a pilot".into(),
        }));
    }
    let answer = ledger.answer(&settings);
    if args.json {
        output::json(&answer)?;
    } else {
        page::print(&answer, mode)?;
    }
    Ok(Exit::Done)
}

/// The workspace's rules, if they can be read: they say what today's starts are.
fn rules_of(place: &Place) -> Option<Rules> {
    let opened = Workspace::open(&place.workspace, &Named::default(), &|name| std::env::var(name).ok());
    let found = match opened {
        Ok(workspace) => workspace.rules,
        Err(unusable) => {
            output::note(&format!("today's starts are not known: {unusable}"));
            return None;
        }
    };
    let (rules, _) = rules::parse(&found.source.path(), &found.bytes);
    if rules.is_none() {
        output::note("today's starts are not known: the rules have errors, and `cascade check` lists them");
    }
    rules
}

fn starts<'a>(
    rules: Option<&Rules>,
    segments: impl Iterator<Item = &'a Segment>,
) -> BTreeMap<Segment, Channel> {
    let start = |segment: &Segment| rules.map(|rules| (segment.clone(), rules.ladder_for(segment).start));
    segments.filter_map(start).collect()
}

/// The store's record. Its rules are in force; a segment's start is what they say.
fn from_store(
    place: &Place,
    args: &Learn,
    rules: Option<&Rules>,
    settings: &mut Settings,
) -> Result<(Ledger, Option<Mode>), Failure> {
    let (reader, site): (_, Site) = report::open_store(place)?;
    let (_, mode) = site.store();
    settings.now = match args.now {
        Some(now) => now,
        None => report::now(&reader, mode)?,
    };
    let ledger = history::ledger(&reader)?;
    settings.incumbents = starts(rules, ledger.segments());
    settings.explore = rules.map(|rules| rules.explore);
    if let Some(rules) = rules.filter(|rules| rules.explore > 0.0) {
        settings.starts = rules.main.channels().collect();
    }
    Ok((ledger, Some(mode)))
}

/// Reads on one thread and sums up on another. A file in another order than by cascade is read again, all of it.
fn from_file(path: &Path) -> Result<Ledger, Failure> {
    let unusable = |fault: &dyn std::fmt::Display| {
        let columns = "a history file has a row for each step; `cascade report --csv DIR` writes one";
        Failure::usage(format!("{}: {fault}; {columns}", path.display()))
    };
    let open = || File::open(path).map_err(|fault| unusable(&fault));
    let mut reader = Reader::new(open()?).map_err(|fault| unusable(&fault))?;
    let (sender, receiver) = mpsc::sync_channel::<Vec<Cascade>>(8);
    let (ledger, bad) = thread::scope(|scope| {
        let summed = scope.spawn(move || {
            let mut ledger = Ledger::new();
            for cascades in receiver {
                for cascade in &cascades {
                    ledger.add(cascade);
                }
            }
            ledger
        });
        let mut bad = Vec::new();
        let mut batch = Vec::with_capacity(TOGETHER);
        while let Some(read) = reader.next() {
            match read {
                Ok(cascade) => batch.push(cascade),
                Err(row) => bad.push(row),
            }
            if batch.len() == TOGETHER && sender.send(std::mem::take(&mut batch)).is_err() {
                break;
            }
            if reader.is_scattered() {
                break;
            }
        }
        let _ = sender.send(batch);
        drop(sender);
        (summed.join().unwrap_or_default(), bad)
    });
    if !reader.is_scattered() {
        tell(path, &bad, reader.left_out());
        return Ok(ledger);
    }
    let gathered = gather(open()?).map_err(|fault| unusable(&fault))?;
    tell(path, &gathered.bad, gathered.left_out);
    let mut ledger = Ledger::new();
    ledger.extend(gathered.cascades);
    Ok(ledger)
}

/// Names the rows that cannot be used; the rest goes on.
fn tell(path: &Path, bad: &[BadRow], left_out: u64) {
    for row in bad.iter().take(NAMED) {
        output::note(&format!("{}, {row}", path.display()));
    }
    if bad.len() > NAMED {
        output::note(&format!("… and {} more rows that cannot be used", bad.len() - NAMED));
    }
    if left_out > 0 {
        output::note(&format!("{left_out} cascades are left out for them; the rest is used"));
    }
}

/// How a time is said on a page.
fn date(at: At) -> String {
    at.utc().format("%Y-%m-%d %H:%M UTC").to_string()
}
