//! `cascade events`: the event log, a line each, in the order of `seq`.

use super::report::open_store;
use super::{Exit, Failure, output};
use crate::cli::{Events, Place};
use crate::model::{PersonId, Phone};
use crate::phrases::phrase;
use crate::runtime::store::{LogLine, Reader, StoredEvent};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Events read at once.
const PAGE: usize = 2000;

/// Wall time between two looks while following.
const LOOK: Duration = Duration::from_millis(250);

/// Prints the log; with `--follow` goes on until Ctrl-C.
pub(super) fn run(place: &Place, args: &Events) -> Result<Exit, Failure> {
    let (reader, site) = open_store(place)?;
    let wanted =
        args.customer.as_deref().map(|number| people_at(&reader, &site.phone(number)?)).transpose()?;
    let mut printer = Printer { reader, json: args.json, wanted, names: HashMap::new(), seq: 0 };
    printer.catch_up()?;
    if !args.follow {
        return Ok(Exit::Done);
    }
    super::session::block_on(async move {
        let mut signals = super::signals::listen()?;
        loop {
            tokio::select! {
                _ = signals.next() => return Ok(Exit::Interrupted),
                () = tokio::time::sleep(LOOK) => printer.catch_up()?,
            }
        }
    })
}

struct Printer {
    reader: Reader,
    json: bool,
    wanted: Option<HashSet<PersonId>>,
    names: HashMap<PersonId, String>,
    seq: u64,
}

impl Printer {
    /// Prints everything that is new.
    fn catch_up(&mut self) -> Result<(), Failure> {
        loop {
            let page =
                self.reader.events_after(self.seq, None, PAGE).map_err(|e| Failure::failed(e.to_string()))?;
            let mut out = output::Results::open();
            for stored in &page {
                self.seq = stored.seq;
                if self.is_wanted(stored) {
                    self.print(stored, &mut out)?;
                }
            }
            out.close()?;
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn is_wanted(&self, stored: &StoredEvent) -> bool {
        let customer = stored.event.subject.customer;
        self.wanted.as_ref().is_none_or(|wanted| customer.is_some_and(|person| wanted.contains(&person)))
    }

    fn print(&mut self, stored: &StoredEvent, out: &mut output::Results) -> Result<(), Failure> {
        if self.json {
            out.json(&LogLine { seq: stored.seq, event: stored.event.clone() })?;
            return out.text("\n");
        }
        let name = stored.event.subject.customer.map(|person| self.name(person)).unwrap_or_default();
        let said = phrase(&stored.event, stored.text.as_ref());
        out.line(&format!("{:>6} {} {:<20} {}", stored.seq, stored.event.at, name, said.line()))
    }

    fn name(&mut self, person: PersonId) -> String {
        if let Some(name) = self.names.get(&person) {
            return name.clone();
        }
        let name = self.reader.name(person).ok().flatten().map(|name| name.screen()).unwrap_or_default();
        self.names.insert(person, name.clone());
        name
    }
}

/// Everybody with this number.
fn people_at(reader: &Reader, phone: &Phone) -> Result<HashSet<PersonId>, Failure> {
    let people = reader.people_at(phone)?;
    if people.is_empty() {
        return Err(Failure::usage(format!("nobody here has the number {phone}")));
    }
    Ok(people.into_iter().map(|(id, _): (PersonId, String)| id).collect())
}
