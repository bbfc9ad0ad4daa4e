//! `cascade replay`: what the recorded campaigns say about other rules, as `cascade.replay/1` or in a few lines.

use super::report::{now, open_store};
use super::{Exit, Failure, output};
use crate::cli::{Place, Replay as Args};
use crate::learning::replay::{Replay, Totals, Why};
use crate::model::{At, Mode, Money, clean};
use crate::phrases::people;
use crate::rules::lints::one_line;
use crate::rules::{Problem, Rules, Severity, parse};
use crate::runtime::replay::{Prices, replay};
use crate::workspace;
use serde_json::{Value, json};
use std::path::Path;

/// Reads the rules and the record, and says what is certain.
pub(super) fn run(place: &Place, args: &Args) -> Result<Exit, Failure> {
    let (reader, site) = open_store(place)?;
    let rules = read_rules(&args.rules)?;
    let config = workspace::settings(&place.workspace)?;
    let (_, mode) = site.store();
    let now = now(&reader, mode)?;
    let found = replay(&reader, &rules, &Prices::of(&reader, &config)?, now)?;
    if args.json {
        output::json(&to_json(&found, &rules, now, &config.currency))?;
        return Ok(Exit::Done);
    }
    let mut page = output::Results::open();
    for line in lines(&found, &rules, &config.currency, mode) {
        page.line(&line)?;
    }
    page.close()?;
    Ok(Exit::Done)
}

fn read_rules(path: &Path) -> Result<Rules, Failure> {
    let shown = clean(&path.display().to_string());
    let bytes =
        std::fs::read(path).map_err(|why| Failure::usage(format!("{shown} cannot be read: {why}")))?;
    let (rules, problems) = parse(path, &bytes);
    let errors: Vec<&Problem> = problems.iter().filter(|p| p.severity == Severity::Error).collect();
    match rules {
        Some(rules) if errors.is_empty() => Ok(rules),
        Some(_) | None => {
            let lines: Vec<String> = errors.into_iter().map(one_line).collect();
            Err(Failure::usage(format!("{shown} cannot be used:\n{}", lines.join("\n"))))
        }
    }
}

/// `cascade.replay/1`
fn to_json(found: &Replay, rules: &Rules, now: At, currency: &str) -> Value {
    let segments = found.segments.iter().map(|(segment, totals)| {
        let mut value = json!({ "segment": segment });
        super::backup::merge(&mut value, totals_json(totals));
        value
    });
    let mut value = json!({
        "schema": "cascade.replay/1", "rules_hash": rules.hash, "now": now, "currency": currency,
        "running": found.running, "left_out": found.left_out,
    });
    super::backup::merge(&mut value, totals_json(&found.all));
    value["segments"] = segments.collect();
    value["notes"] = json!(notes(found, rules));
    value
}

fn totals_json(totals: &Totals) -> Value {
    let per = |cost: Money, conversions: u64| cost.per(conversions).map(|cost| cost.to_string());
    let share = |count: u64| (totals.people > 0).then(|| count as f64 / totals.people as f64);
    let (least, most) = totals.conversions;
    json!({
        "people": totals.people,
        "determined": totals.determined,
        "determined_share": share(totals.determined),
        "open": totals.open.iter().map(|(why, people)| json!({ "why": why, "people": people })).collect::<Vec<_>>(),
        "recorded": {
            "conversions": totals.recorded_conversions, "opted_out": totals.recorded_opted_out,
            "cost": totals.recorded_cost.to_string(),
            "cost_per_conversion": per(totals.recorded_cost, totals.recorded_conversions),
        },
        "replayed": {
            "conversions": { "low": least, "high": most },
            "conversion_rate": { "low": share(least), "high": share(most) },
            "opted_out": { "low": totals.opted_out.0, "high": totals.opted_out.1 },
            "cost": { "low": totals.cost.0.to_string(), "high": totals.cost.1.to_string() },
            // The cheapest conversion is the least cost over the most of them; without any there is none.
            "cost_per_conversion": { "low": per(totals.cost.0, most), "high": per(totals.cost.1, least) },
        },
    })
}

fn lines(found: &Replay, rules: &Rules, currency: &str, mode: Mode) -> Vec<String> {
    let hash: String = rules.hash.chars().take(7).collect();
    let of = match mode {
        Mode::Rehearsal => "REHEARSAL, no real customers: ",
        Mode::Live => "",
    };
    let mut lines = vec![format!("{of}{hash} replayed on {} of this store", people(found.all.people))];
    lines.push(totals_line("all", &found.all, currency));
    if found.segments.len() > 1 {
        lines.extend(found.segments.iter().map(|(s, totals)| totals_line(&s.screen(), totals, currency)));
    }
    for (why, count) in &found.all.open {
        lines.push(format!("open for {}: {}", people(*count), words(*why)));
    }
    lines.extend(notes(found, rules));
    lines
}

fn totals_line(name: &str, totals: &Totals, currency: &str) -> String {
    let Totals { people, determined, conversions: (least, most), cost, .. } = totals;
    let share = if *people == 0 { 0.0 } else { *determined as f64 * 100.0 / *people as f64 };
    format!(
        "{name}: the record determines {determined} of {people} ({share:.0} %); conversions {least}–{most} (recorded {}), \
         cost {}–{} {} (recorded {})",
        totals.recorded_conversions,
        cost.0.short(),
        cost.1.short(),
        clean(currency),
        totals.recorded_cost.short()
    )
}

fn notes(found: &Replay, rules: &Rules) -> Vec<String> {
    let mut notes = Vec::new();
    if found.running > 0 {
        notes.push(format!("{} still running, not counted", people(found.running)));
    }
    if found.left_out > 0 {
        notes.push(format!(
            "{} left out: their start was forced, an edit moved them, or the operator ended it; whoever had answered by \
             then still counts",
            people(found.left_out)
        ));
    }
    if rules.explore > 0.0 {
        notes.push("explore is left aside: everybody is taken to begin as these rules say".into());
    }
    notes.push("content is taken to be what was sent then".into());
    notes
}

/// Why the record does not tell.
const fn words(why: Why) -> &'static str {
    match why {
        Why::OtherHours => "quiet hours, expiry or retries are not those of the record",
        Why::OtherStart => "they would begin on another channel than they did",
        Why::OtherStep => "the next channel would be one that was not tried then",
        Why::OtherTerms => "what converts, how often is called or what a bounce does is not as recorded",
        Why::ShorterWait => "the next message would leave sooner than it did, or before they reacted",
        Why::LongerWait => "the next message left sooner than it would",
        Why::LongerWindow => "answers would count longer than they were waited for",
    }
}
