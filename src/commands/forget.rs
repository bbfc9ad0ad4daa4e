//! `cascade forget`: erases a person, and says what it cannot reach.

use super::stores::Site;
use super::{Exit, Failure, output, session};
use crate::cli::{Forget, Place};
use crate::model::{Mode, Phone};
use crate::runtime::forgetting::{self, ForgetError, Forgotten};
use crate::runtime::store::{StoreError, not_lost};
use crate::workspace::{Named, Workspace};
use serde_json::json;
use std::path::PathBuf;

/// What cannot be reached from here, whoever it is.
const ELSEWHERE: [&str; 4] = [
    "backups of the store, and copies of this directory",
    "what WhatsApp, the voice provider and the SMS provider keep: ask them to erase it, too",
    "your own systems that the list came from",
    "what somebody wrote about them as the reason of a save: it stands in git, and in a pull request",
];

/// What was done.
#[derive(Default)]
struct Done {
    stores: Vec<Forgotten>,
    /// Stores that somebody holds, or that cannot be opened.
    failed: Vec<String>,
    sandbox: u64,
    asides: u64,
    log: u64,
    /// Files of ours in which the number stands all the same.
    left: Vec<PathBuf>,
}

/// Erases, then looks whether anything is left.
pub(super) fn run(place: &Place, args: &Forget) -> Result<Exit, Failure> {
    let site = Site::open(place)?;
    let phone = site.phone(&args.phone)?;
    let done = session::block_on(forget(&site, &phone))?;
    let listed = listed(place, &phone);
    if args.json {
        output::json(&json!({
            "schema": "cascade.forget/1", "phone": phone, "stores": done.stores, "failed": done.failed,
            "sandbox": done.sandbox, "moved_aside": done.asides, "log": done.log, "left_in": done.left,
            "customers_line": listed, "not_reached": ELSEWHERE,
        }))?;
    } else {
        print(&done, listed, &phone)?;
    }
    for failure in &done.failed {
        output::note(&format!("cascade: {failure}"));
    }
    let all = done.failed.is_empty() && done.left.is_empty();
    Ok(if all { Exit::Done } else { Exit::DidNotHold })
}

async fn forget(site: &Site, phone: &Phone) -> Result<Done, Failure> {
    let mut done = Done::default();
    let mut names = Vec::new();
    for (path, mode) in site.stores() {
        done.failed.extend(not_lost(&path).err().map(|error| error.to_string()));
        match forgetting::in_store(&path, mode, &site.state, phone).await {
            Ok(found) => {
                if let Some((forgotten, known)) = found {
                    done.stores.push(forgotten);
                    names.extend(known);
                }
                if mode == Mode::Rehearsal {
                    let gone = forgetting::in_sandbox(&site.sandbox_of(&path), phone)?;
                    done.sandbox += gone.unwrap_or(0);
                }
            }
            Err(error) => done.failed.push(advice(&error)),
        }
        done.asides += forgetting::in_asides(&path, phone);
    }
    done.log = forgetting::in_logs(&site.state, phone, &names)?;
    for (path, _) in site.stores() {
        done.left.extend(forgetting::left_in(&site.state, &path, phone));
    }
    done.left.sort();
    done.left.dedup();
    Ok(done)
}

fn advice(error: &ForgetError) -> String {
    match error {
        ForgetError::Store(StoreError::Held(_)) => format!(
            "nothing was erased there: {error}. To stop contact with them at once, open them in that console, `x`, \
             then `o`; end it, and forget them again"
        ),
        ForgetError::Store(_) | ForgetError::Sandbox(_) | ForgetError::File { .. } => {
            format!("not everything was erased: {error}")
        }
    }
}

fn print(done: &Done, listed: Option<u64>, phone: &Phone) -> Result<(), Failure> {
    let mut page = output::Results::open();
    for Forgotten { store, mode, stopped, under_way, opted_out, erased } in &done.stores {
        page.line(&format!(
            "{mode} store {}: {} erased, {} texts, {} links; {} events and rows stay without their name",
            store.display(),
            crate::phrases::people(erased.people),
            erased.texts,
            erased.links,
            erased.events
        ))?;
        if *stopped > 0 {
            page.line(&format!(
                "  their cascade under way was stopped first; {under_way} of its contacts were out"
            ))?;
        }
        if *opted_out {
            page.line("  their opt-out stays, as a digest that names nobody")?;
        }
    }
    if done.stores.is_empty() && done.failed.is_empty() {
        page.line("there is no store here yet")?;
    }
    let mut also = vec![(done.sandbox, "things and lines in the sandbox's memory")];
    also.push((done.asides, "stores that were moved aside"));
    also.push((done.log, "places in the program's log"));
    for (count, what) in also.into_iter().filter(|(count, _)| *count > 0) {
        page.line(&format!("{count} {what}"))?;
    }
    // A store that somebody holds is in use: it is only a matter of forgetting them again.
    let then = if done.failed.is_empty() {
        "delete that file if it is not needed"
    } else {
        "forget them again, see below"
    };
    for path in &done.left {
        page.line(&format!("{phone} still stands in {}; {then}", path.display()))?;
    }
    page.line("Not reached from here:")?;
    if let Some(line) = listed {
        page.line(&format!(
            "  the customer list names them on line {line}: take them out, or a launch knows them again"
        ))?;
    }
    for what in ELSEWHERE {
        page.line(&format!("  {what}"))?;
    }
    page.close()
}

/// The first line of the customer list with this number, if there is a list that can be read.
fn listed(place: &Place, phone: &Phone) -> Option<u64> {
    let env = |name: &str| Some(format!("no need of {name}"));
    let workspace = Workspace::open(&place.workspace, &Named::default(), &env).ok()?;
    let mut list = workspace.list(workspace.config.as_ref()?).ok()?;
    list.find_map(|row| row.ok().filter(|customer| customer.phone == *phone).map(|customer| customer.line))
}

impl From<ForgetError> for Failure {
    fn from(error: ForgetError) -> Self {
        Self::failed(error.to_string())
    }
}
