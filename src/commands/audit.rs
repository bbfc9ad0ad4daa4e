//! `cascade audit`: what operators ordered and saved, by whom, when and why, and what came of it for each person.

use super::report::open_store;
use super::{Exit, Failure, output};
use crate::cli::{Audit, Place};
use crate::engine::audit::{Account, Back, Item};
use crate::engine::order::{Ask, Came};
use crate::model::{CampaignId, PersonId, clean};
use crate::phrases::orders;
use crate::phrases::people;
use crate::runtime::handle::Signature;
use crate::runtime::saving::{SaveState, Saved};
use crate::runtime::store::Reader;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Prints the audit trail of a store, also while it is in use.
pub(super) fn run(place: &Place, args: &Audit) -> Result<Exit, Failure> {
    let (reader, _) = open_store(place)?;
    let campaign = args.campaign.map(CampaignId);
    let audit = reader.audit(campaign).map_err(|error| Failure::failed(error.to_string()))?;
    let mut saves = reader.saves().map_err(|error| Failure::failed(error.to_string()))?;
    saves.retain(|saved| campaign.is_none() || saved.signature.campaign == campaign);
    if args.json {
        let orders: Vec<Value> = audit.orders().iter().map(as_json).collect();
        let saves: Vec<Value> = saves.iter().map(saved_as_json).collect();
        output::json(&json!({ "schema": "cascade.audit/1", "orders": orders, "saves": saves }))?;
        return Ok(Exit::Done);
    }
    // What was put in force for people in flight is an order, too, which says more.
    saves.retain(|saved| !audit.orders().iter().any(|account| is_of(account, saved)));
    let mut out = output::Results::open();
    if audit.orders().is_empty() && saves.is_empty() {
        out.line("nothing was ordered here yet")?;
    }
    for saved in &saves {
        out.line(&saved_as_text(saved))?;
    }
    let mut names = Names { reader, known: HashMap::new() };
    for account in audit.orders() {
        for line in as_text(account, &mut names) {
            out.line(&line)?;
        }
    }
    out.close()?;
    Ok(Exit::Done)
}

fn as_json(account: &Arc<Account>) -> Value {
    json!({
        "seq": account.seq,
        "campaign": account.campaign,
        "order": account.order,
        "at": account.at,
        "wall_at": account.wall_at,
        "user": account.by.user,
        "host": account.by.host,
        "tty": account.by.tty,
        "what": account.what.as_str(),
        "channel": account.channel,
        "scope": account.scope.as_ref().map(crate::model::Scope::as_str),
        "scope_key": account.scope.as_ref().and_then(crate::model::Scope::key),
        "people": account.people,
        "why": account.why,
        "left": account.left.map(crate::engine::order::Left::as_str),
        "done": account.done(),
        "items": account.items.iter().map(item).collect::<Vec<_>>(),
    })
}

/// The order with which a save was put in force.
fn is_of(account: &Account, saved: &Saved) -> bool {
    let edits = matches!(account.what, Ask::EditRules | Ask::EditContent);
    edits && account.wall_at == saved.signature.wall_at && account.by == saved.signature.by
}

/// `state` and, of one that failed, why; of one that was dropped, by whom and when.
fn saved_as_json(saved: &Saved) -> Value {
    let (state, because) = match &saved.state {
        SaveState::Committing => ("committing", None),
        SaveState::NotInForce => ("not_in_force", None),
        SaveState::InForce { note } => ("in_force", Some(note)),
        SaveState::Failed { why } => ("failed", Some(why)),
        SaveState::Dropped => ("dropped", None),
    };
    let by = &saved.signature.by;
    let dropped = saved.dropped.as_ref().map(|dropped| {
        let by = &dropped.by;
        json!({ "wall_at": dropped.wall_at, "user": by.user, "host": by.host, "tty": by.tty })
    });
    json!({
        "save": saved.number,
        "campaign": saved.signature.campaign,
        "wall_at": saved.signature.wall_at,
        "user": by.user,
        "host": by.host,
        "tty": by.tty,
        "files": saved.files,
        "rules_hash": saved.edition.rules,
        "content_hash": saved.edition.content,
        "commit": saved.edition.commit,
        "choice": saved.choice.as_str(),
        "why": saved.why,
        "state": state,
        "because": because,
        "dropped": dropped,
    })
}

fn saved_as_text(saved: &Saved) -> String {
    let who = |signature: &Signature| format!("{} {}", signature.wall_at, orders::who(&signature.by));
    let came = match &saved.state {
        SaveState::Committing => "being written".to_owned(),
        SaveState::NotInForce => "not in force yet".to_owned(),
        SaveState::InForce { note } if note.is_empty() => "in force".to_owned(),
        SaveState::InForce { note } => format!("in force; {note}"),
        SaveState::Failed { why } => format!("not saved: {why}"),
        SaveState::Dropped => match &saved.dropped {
            Some(dropped) => format!("dropped, {}", who(dropped)),
            None => "dropped".to_owned(),
        },
    };
    let (files, why) = (saved.files.join(", "), &saved.why);
    clean(&format!("{} (by the calendar): save {files}: \"{why}\"; {came}", who(&saved.signature)))
}

/// `came`: `done` or `left`; `because` says why somebody was left, `recall` what came of calling something back.
fn item(item: &Item) -> Value {
    let (came, because) = match item.came {
        Came::Done | Came::Recalling | Came::SentBefore => ("done", None),
        Came::Left(why) => ("left", Some(why.as_str())),
    };
    let recall = match (item.came, item.back) {
        (Came::Recalling, None) => Some("awaited"),
        (Came::Recalling, Some(back)) => Some(match back {
            Back::Recalled => "recalled",
            Back::TooLate => "too_late",
            Back::Impossible => "impossible",
            Back::NotSent => "not_sent",
            Back::InDoubt => "in_doubt",
        }),
        (Came::SentBefore, _) => Some("impossible"),
        (Came::Done | Came::Left(_), _) => None,
    };
    json!({
        "customer": item.person, "cascade": item.cascade, "came": came, "because": because, "recall": recall,
    })
}

fn as_text(account: &Account, names: &mut Names) -> Vec<String> {
    let what = orders::ask(account.what);
    let about = orders::about(account.what, account.people, account.channel, account.scope.as_ref());
    let why = account.why.as_ref().map(|why| format!(": \"{}\"", why.screen())).unwrap_or_default();
    let came = match account.left {
        Some(left) => format!("; nothing to do: {}", orders::left(left)),
        None if account.items.is_empty() => String::new(),
        None if account.left_alone() == 0 => format!("; done for {}", people(account.done() as u64)),
        None => {
            format!("; done for {}, {} left as they are", people(account.done() as u64), account.left_alone())
        }
    };
    let by = orders::who(&account.by);
    let head = format!(
        "{} ({} by the calendar) campaign {} order {} {by}: {what}, {about}{why}{came}",
        account.at, account.wall_at, account.campaign, account.order
    );
    let each = account.items.iter().map(|item| {
        let name = item.person.map(|person| names.of(person)).unwrap_or_default();
        let name = if name.is_empty() { format!("customer {}", item.cascade) } else { name };
        format!("    {name}: {}", orders::came(item.came, item.back))
    });
    std::iter::once(head).chain(each).collect()
}

/// Names, each read once.
struct Names {
    reader: Reader,
    known: HashMap<PersonId, String>,
}

impl Names {
    fn of(&mut self, person: PersonId) -> String {
        let reader = &self.reader;
        let read = || reader.name(person).ok().flatten().map(|name| name.screen()).unwrap_or_default();
        self.known.entry(person).or_insert_with(read).clone()
    }
}
