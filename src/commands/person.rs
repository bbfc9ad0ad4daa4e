//! `cascade person`: everything that is stored about a number, in every store of the workspace.

use super::stores::Site;
use super::{Exit, Failure, output};
use crate::cli::{Person, Place};
use crate::model::{Mode, Phone, clean};
use crate::phrases::phrase;
use crate::runtime::store::person::{Dossier, Known, Way};
use crate::runtime::store::{Reader, not_lost, optouts};
use crate::sandbox;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What one store, and what belongs to it, knows.
struct Shelf {
    store: PathBuf,
    mode: Mode,
    dossier: Dossier,
    /// Kept outside of the store.
    opted_out: bool,
    /// What the rehearsal's sandbox remembers, a JSON text each.
    sandbox: Vec<String>,
}

/// Shows it.
pub(super) fn run(place: &Place, args: &Person) -> Result<Exit, Failure> {
    let site = Site::open(place)?;
    let phone = site.phone(&args.phone)?;
    let mut shelves = Vec::new();
    for (store, mode) in site.stores() {
        shelves.push(look(&site, store, mode, &phone)?);
    }
    if args.json {
        let stores: Vec<Value> = shelves.iter().map(to_json).collect();
        output::json(&json!({ "schema": "cascade.person/1", "phone": phone, "stores": stores }))?;
        return Ok(Exit::Done);
    }
    let mut page = output::Results::open();
    let known = |shelf: &&Shelf| !shelf.dossier.is_empty() || shelf.opted_out || !shelf.sandbox.is_empty();
    for shelf in shelves.iter().filter(known) {
        for line in lines(shelf, &phone) {
            page.line(&line)?;
        }
    }
    if !shelves.iter().any(|shelf| known(&shelf)) {
        page.line(&format!("nothing is stored about {phone}"))?;
    }
    page.close()?;
    Ok(Exit::Done)
}

fn look(site: &Site, store: PathBuf, mode: Mode, phone: &Phone) -> Result<Shelf, Failure> {
    not_lost(&store)?;
    let dossier = if store.exists() { Reader::open(&store)?.dossier(phone)? } else { Dossier::default() };
    let memory = site.sandbox_of(&store);
    let remembered = if mode == Mode::Rehearsal && memory.exists() {
        sandbox::about(&memory, phone).map_err(|error| Failure::failed(error.to_string()))?
    } else {
        Vec::new()
    };
    let opted_out = optouts::read(&site.state, mode)?.contains(phone);
    Ok(Shelf { store, mode, dossier, opted_out, sandbox: remembered })
}

fn to_json(shelf: &Shelf) -> Value {
    let sandbox: Vec<Value> =
        shelf.sandbox.iter().map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text))).collect();
    let mut value = json!({ "store": shelf.store, "mode": shelf.mode });
    super::backup::merge(&mut value, json!(shelf.dossier));
    value["opted_out_outside"] = json!(shelf.opted_out);
    value["sandbox"] = json!(sandbox);
    value
}

fn lines(shelf: &Shelf, phone: &Phone) -> Vec<String> {
    let Dossier { people, opted_out, cascades, events, texts, links } = &shelf.dossier;
    let mut lines = vec![format!("{phone} in the {} store {}", shelf.mode, shown(&shelf.store))];
    lines.extend(people.iter().map(who));
    match opted_out {
        Some(out) => {
            lines.push(format!("  opted out {} on {}: {}", out.at, clean(&out.via), clean(&out.why)));
        }
        None if shelf.opted_out => lines.push("  opted out, kept outside of the store".into()),
        None => {}
    }
    lines.extend(cascades.iter().map(way));
    let said: HashMap<_, _> = texts.iter().map(|text| (text.id, &text.text)).collect();
    for line in events {
        let text = match &line.event.kind {
            crate::engine::event::Kind::OutcomeHeard { text, .. } => text.and_then(|id| said.get(&id)),
            _ => None,
        };
        let words = phrase(&line.event, text.copied());
        lines.push(format!("  {:>6} {} {}", line.seq, line.event.at, words.line()));
    }
    lines.extend(texts.iter().map(|text| format!("  text {} {}: {}", text.id, text.at, text.text.screen())));
    lines.extend(links.iter().map(|link| {
        format!("  link {} of attempt {} to {}", clean(&link.code), link.attempt, clean(&link.target))
    }));
    if !shelf.sandbox.is_empty() {
        lines
            .push(format!("  and {} things and lines in the sandbox's memory (--json)", shelf.sandbox.len()));
    }
    lines
}

fn who(known: &Known) -> String {
    let customer = &known.customer;
    let mut parts = vec![customer.name.screen(), customer.segment.screen()];
    let own = [&customer.email, &customer.language, &customer.timezone, &customer.country];
    parts.extend(own.into_iter().flatten().map(|text| clean(text)));
    parts.extend(customer.extra.iter().map(|(key, value)| format!("{} {}", clean(key), value.screen())));
    let consents = crate::model::Channel::ALL.iter().filter(|channel| !customer.consents.allows(**channel));
    parts.extend(consents.map(|channel| format!("no consent on {}", channel.label())));
    format!("  person {}: {}", known.id, parts.join(", "))
}

fn way(way: &Way) -> String {
    let cascade = &way.cascade;
    let stands = if cascade.is_over() { "is over" } else { "is under way" };
    format!(
        "  campaign {} {}: cascade {} {stands}, {} attempts",
        way.campaign,
        clean(&way.name),
        cascade.id,
        cascade.attempts.len()
    )
}

fn shown(path: &Path) -> String {
    clean(&path.to_string_lossy())
}
