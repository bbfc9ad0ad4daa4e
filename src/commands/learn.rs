//! `cascade learn`: what the record teaches, as `cascade.learn/1` or as a page; and `cascade learn simulate`.

mod page;
mod simulate;

use super::stores::Site;
use super::{Exit, Failure, output, report};
use crate::cli::{Learn, LearnWhat, Place};
use crate::clock;
use crate::config::Learning;
use crate::learning::answer::Settings;
use crate::learning::history::{BadRow, gather, read};
use crate::learning::ledger::Ledger;
use crate::model::{At, Mode};
use crate::rules::content::digest;
use crate::rules::{self, Rules};
use crate::runtime::history;
use crate::runtime::question::{self, Question};
use crate::workspace::{self, Named, Workspace};
use std::fs::File;
use std::path::Path;

/// Bad rows that are named one by one.
const NAMED: usize = 20;

/// Answers from the workspace's store, or from a history file.
pub(super) fn run(place: &Place, args: &Learn) -> Result<Exit, Failure> {
    if let Some(LearnWhat::Simulate(args)) = &args.what {
        return simulate::run(args);
    }
    let config = workspace::settings(&place.workspace)?;
    let learning = Learning {
        value: args.value.or(config.learning.value),
        optout_penalty: args.optout_penalty.unwrap_or(config.learning.optout_penalty),
        equivalent: config.learning.equivalent.iter().chain(&args.equivalent).cloned().collect(),
        ..config.learning
    };
    let asked = |now: At| {
        let settings = question::settings(&learning, &config.currency, now);
        match in_force(place) {
            Some((rules, texts)) => Question::of(rules, &texts, settings),
            None => Question::without_rules(settings),
        }
    };
    let (ledger, settings, mode) = match &args.history {
        Some(path) => {
            let ledger = from_file(path)?;
            let settings = asked(args.now.unwrap_or_else(clock::wall_at)).of_a_file(&ledger);
            (ledger, settings, None)
        }
        None => from_store(place, args, asked)?,
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

/// The workspace's rules and the hash of its texts, if they can be read: they say what today's starts are.
fn in_force(place: &Place) -> Option<(Rules, String)> {
    let opened = Workspace::open(&place.workspace, &Named::default(), &|name| std::env::var(name).ok());
    let workspace = match opened {
        Ok(workspace) => workspace,
        Err(unusable) => {
            output::note(&format!("today's starts are not known: {unusable}"));
            return None;
        }
    };
    let (rules, _) = rules::parse(&workspace.rules.source.path(), &workspace.rules.bytes);
    if rules.is_none() {
        output::note("today's starts are not known: the rules have errors, and `cascade check` lists them");
    }
    let texts = workspace.content_files().into_iter().map(|file| (file.name, file.bytes)).collect();
    Some((rules?, digest(texts)))
}

/// The store's record, asked as the console asks it.
fn from_store(
    place: &Place,
    args: &Learn,
    asked: impl FnOnce(At) -> Question,
) -> Result<(Ledger, Settings, Option<Mode>), Failure> {
    let (reader, site): (_, Site) = report::open_store(place)?;
    let (_, mode) = site.store();
    let now = match args.now {
        Some(now) => now,
        None => report::now(&reader, mode)?,
    };
    let ledger = history::ledger(&reader, history::all_threads())?;
    Ok((ledger, asked(now).settings(&reader)?, Some(mode)))
}

/// A file in another order than by cascade is read again, all of it.
fn from_file(path: &Path) -> Result<Ledger, Failure> {
    let unusable = |fault: &dyn std::fmt::Display| {
        let columns = "a history file has a row for each step; `cascade report --csv DIR` writes one";
        Failure::usage(format!("{}: {fault}; {columns}", path.display()))
    };
    let open = || File::open(path).map_err(|fault| unusable(&fault));
    let mut ledger = Ledger::new();
    let read = read(open()?, history::all_threads(), Ledger::add).map_err(|fault| unusable(&fault))?;
    if read.is_scattered {
        drop(read);
        let gathered = gather(open()?).map_err(|fault| unusable(&fault))?;
        tell(path, &gathered.bad, gathered.left_out);
        ledger.extend(gathered.cascades);
    } else {
        tell(path, &read.bad, read.left_out);
        read.parts.into_iter().for_each(|part| ledger.append(part));
    }
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
