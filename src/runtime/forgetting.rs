//! Forgetting a person: in every store of a workspace, in the sandbox's memory, in the program's log. Ids, counts and
//! opt-outs stay. What cannot be reached is said.
//!
//! Nothing may run meanwhile: each store is locked first. A cascade of theirs that is under way is ended, on record,
//! before anything is erased.

use super::operator;
use super::store::erase::{Erased, forget_aside};
use super::store::redact::Traces;
use super::store::{Batch, Store, StoreError, TextRow};
use crate::clock;
use crate::engine;
use crate::engine::input::Input;
use crate::engine::journey::Journey;
use crate::engine::order::{Deed, Order, Signed, Target};
use crate::model::{At, Mode, Phone, TextId};
use crate::sandbox::{self, MemoryError};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// What was done in one store.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Forgotten {
    /// Which.
    pub store: PathBuf,
    /// Rehearsal or live.
    pub mode: Mode,
    /// Cascades under way that were ended first.
    pub stopped: u64,
    /// Messages and calls of those that were on their way, and could not be called back from here.
    pub under_way: u64,
    /// Their opt-out stays.
    pub opted_out: bool,
    /// What went.
    pub erased: Erased,
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// A store, or who holds it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sandbox's memory.
    #[error(transparent)]
    Sandbox(#[from] MemoryError),
    /// The program's log.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Forgets a number in the store at `path`; `None` if there is no such store.
pub async fn in_store(
    path: &Path,
    mode: Mode,
    state: &Path,
    phone: &Phone,
) -> Result<Option<(Forgotten, Vec<String>)>, ForgetError> {
    if !path.exists() {
        return Ok(None);
    }
    let store = Store::open_in(path, mode, state)?;
    let (stopped, under_way) = end_cascades(&store, mode, phone).await?;
    let reader = store.reader()?;
    let dossier = reader.dossier(phone)?;
    drop(reader);
    // As the list has them, and as the log shows them.
    let names = dossier.people.iter().map(|known| &known.customer.name);
    let names = names.flat_map(|name| [name.raw().to_owned(), name.screen()]).collect();
    let erased = store.forget(phone).await?;
    let store = path.to_owned();
    let opted_out = dossier.opted_out.is_some();
    Ok(Some((Forgotten { store, mode, stopped, under_way, opted_out, erased }, names)))
}

/// Ends every cascade of theirs that is under way: how many, and how many contacts were out.
async fn end_cascades(store: &Store, mode: Mode, phone: &Phone) -> Result<(u64, u64), StoreError> {
    let loaded = store.load(0)?;
    let Some(mut campaign) = loaded.campaign else { return Ok((0, 0)) };
    let people: BTreeSet<_> = store.reader()?.people_at(phone)?.into_iter().map(|(id, _)| id).collect();
    let theirs = |j: &&Journey| people.contains(&j.person) && !j.is_over();
    let of: Vec<_> =
        campaign.journeys().iter().filter(theirs).map(|j| Target::from(&engine::row(j))).collect();
    let under_way = campaign.journeys().iter().filter(theirs).flat_map(|j| &j.attempts);
    let under_way = under_way.filter(|attempt| attempt.under_way()).count() as u64;
    if of.is_empty() {
        return Ok((0, 0));
    }
    let stood = loaded.meta.get("clock").and_then(|at| At::parse(at).ok());
    let now = match mode {
        Mode::Live => Some(clock::wall_at()),
        Mode::Rehearsal => stood,
    };
    let at = now.max(loaded.last_at).unwrap_or_default();
    let (stopped, text) = (of.len() as u64, TextId(loaded.last_text + 1));
    let signed = Signed {
        order: Order::People { deed: Deed::Stop, of, gone: Vec::new() },
        by: operator::here(),
        wall_at: clock::wall_at(),
        campaign: Some(campaign.id()),
        text: Some(text),
    };
    match engine::apply(&mut campaign, at, Input::Order(Box::new(signed))) {
        Ok(concluded) => {
            let touched: BTreeSet<_> = concluded.events.iter().filter_map(|e| e.subject.cascade).collect();
            let why = TextRow { id: text, person: None, from: None, at, body: "to be forgotten".into() };
            let batch = Batch {
                events: (loaded.seq + 1..).zip(concluded.events).collect(),
                header: Some(campaign.header.clone()),
                journeys: touched.iter().filter_map(|id| campaign.journey(*id)).cloned().collect(),
                texts: vec![why],
                ..Batch::default()
            };
            store.commit(batch).await?;
        }
        // They are erased all the same, and without a number nobody is contacted.
        Err(illegal) => tracing::warn!(%illegal, "a cascade could not be ended"),
    }
    Ok((stopped, under_way))
}

/// Forgets a number in what the sandbox remembers; `None` if it remembers nothing.
pub fn in_sandbox(memory: &Path, phone: &Phone) -> Result<Option<u64>, ForgetError> {
    if !memory.exists() {
        return Ok(None);
    }
    Ok(Some(sandbox::forget(memory, std::slice::from_ref(phone))?))
}

/// Forgets a number in what was moved aside of the store at `path`; how many could be opened. What could not is left to
/// [`left_in`].
pub fn in_asides(path: &Path, phone: &Phone) -> u64 {
    let is_store = |path: &PathBuf| !["-wal", "-shm", ".mark"].iter().any(|end| named(path).ends_with(end));
    let aside = format!("{}.aside-", named(path));
    let stores = beside(path).into_iter().filter(|path| named(path).starts_with(&aside)).filter(is_store);
    let forget = |path: &PathBuf| match forget_aside(path, phone) {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "a store that was moved aside could not be changed");
            false
        }
    };
    stores.filter(forget).count() as u64
}

/// Overwrites a number and names in the program's log; how many places.
pub fn in_logs(state: &Path, phone: &Phone, names: &[String]) -> Result<u64, ForgetError> {
    let traces = Traces::of([phone]);
    let mut count = 0;
    for path in files_in(&state.join("log")) {
        let masked = mask(&path, &traces, names);
        count += masked.map_err(|source| ForgetError::File { path, source })?;
    }
    Ok(count)
}

/// In place and of the same length, because a log may be written on meanwhile.
fn mask(path: &Path, traces: &Traces, names: &[String]) -> io::Result<u64> {
    let bytes = fs::read(path)?;
    let mut places: Vec<(usize, usize)> = traces.places(&bytes).collect();
    for name in names.iter().filter(|name| !name.is_empty()).collect::<BTreeSet<_>>() {
        let found = bytes.windows(name.len()).enumerate().filter(|(_, window)| *window == name.as_bytes());
        places.extend(found.map(|(at, _)| (at, at + name.len())));
    }
    if places.is_empty() {
        return Ok(0);
    }
    let file = OpenOptions::new().write(true).open(path)?;
    for (begin, end) in &places {
        file.write_all_at(&vec![b'x'; end - begin], *begin as u64)?;
    }
    file.sync_data()?;
    Ok(places.len() as u64)
}

/// Files below `state`, and beside the store at `path`, in which the number stands all the same.
pub fn left_in(state: &Path, path: &Path, phone: &Phone) -> Vec<PathBuf> {
    let traces = Traces::of([phone]);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ours = beside(path).into_iter().filter(|other| named(other).starts_with(&stem));
    let all = files_below(state).into_iter().chain(ours);
    let found = all.filter(|path| stands_in(path, &traces).unwrap_or(false));
    found.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Read piece by piece: a store may be large.
fn stands_in(path: &Path, traces: &Traces) -> io::Result<bool> {
    let (mut file, mut piece) = (File::open(path)?, Vec::new());
    loop {
        let overlap = piece.split_off(piece.len().saturating_sub(OVERLAP));
        piece = overlap;
        if file.by_ref().take(PIECE).read_to_end(&mut piece)? == 0 {
            return Ok(false);
        }
        if traces.stand_in(&piece) {
            return Ok(true);
        }
    }
}

/// Bytes read at once, and how many of them are looked at again: more than a number has digits.
const PIECE: u64 = 1024 * 1024;
const OVERLAP: usize = 32;

fn named(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn beside(path: &Path) -> Vec<PathBuf> {
    path.parent().map(files_in).unwrap_or_default()
}

/// Drafts and the log lie deeper.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let is_directory = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let (deeper, here): (Vec<_>, Vec<_>) = entries.filter_map(Result::ok).partition(is_directory);
    let here = here.into_iter().map(|entry| entry.path()).filter(|path| path.is_file());
    here.chain(deeper.iter().flat_map(|entry| files_below(&entry.path()))).collect()
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(entries) = fs::read_dir(here) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.is_file()).collect()
}
