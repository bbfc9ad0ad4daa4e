//! `cascade audit`: what operators ordered, by whom, when and why, and what came of it for each person.

use super::report::open_store;
use super::{Exit, Failure, output};
use crate::cli::{Audit, Place};
use crate::engine::audit::{Account, Back, Item};
use crate::engine::order::Came;
use crate::model::{CampaignId, PersonId};
use crate::phrases::orders;
use crate::phrases::people;
use crate::runtime::store::Reader;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Prints the audit trail of a store, also while it is in use.
pub(super) fn run(place: &Place, args: &Audit) -> Result<Exit, Failure> {
    let (reader, _) = open_store(place)?;
    let campaign = args.campaign.map(CampaignId);
    let audit = reader.audit(campaign).map_err(|error| Failure::failed(error.to_string()))?;
    if args.json {
        let orders: Vec<Value> = audit.orders().iter().map(as_json).collect();
        output::json(&json!({ "schema": "cascade.audit/1", "orders": orders }))?;
        return Ok(Exit::Done);
    }
    let mut out = output::Results::open();
    if audit.orders().is_empty() {
        out.line("nothing was ordered here yet")?;
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
