//! Putting a backup into the place of a store, or nothing: the only ways in which a store is ever moved aside, and both
//! are asked for by hand.
//!
//! What is there is moved whole, file, log and index, under a name with the date. The copy in its place knows what it
//! lacks ([`Restored`]), goes on behind all ids that may have left, and sends nothing until that is confirmed. A crash
//! in between leaves a store that is missed at the next start; the same command then goes on.

use super::backup::Held;
use super::error::{io, sqlite};
use super::mark::{self, Ids, Mark};
use super::restored::{self, Restored, Standing};
use super::{Lock, Reader, StoreError, network, opening, private, schema};
use crate::clock;
use crate::model::{At, Mode};
use rusqlite::Connection;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

/// A store's files: itself, its write-ahead log, the index of that.
const FILES: [&str; 3] = ["", "-wal", "-shm"];

/// What a restore did.
#[derive(Clone, Debug)]
pub struct Restoration {
    /// What the store holds now.
    pub held: Held,
    /// What it lacks.
    pub gap: Restored,
    /// Where what was there is now; empty if there was nothing.
    pub aside: Vec<PathBuf>,
}

/// Puts the backup into the place of the store at `path`, and what is there aside. One of another store is refused.
pub fn restore(backup: &Path, path: &Path, mode: Mode, state: &Path) -> Result<Restoration, StoreError> {
    put(backup, path, mode, state, false)
}

/// The same, of whatever store the backup is.
pub fn restore_another(
    backup: &Path,
    path: &Path,
    mode: Mode,
    state: &Path,
) -> Result<Restoration, StoreError> {
    put(backup, path, mode, state, true)
}

fn put(backup: &Path, path: &Path, mode: Mode, state: &Path, any: bool) -> Result<Restoration, StoreError> {
    network::refuse(path)?;
    let no_backup = |why: String| StoreError::NoBackup { path: backup.display().to_string(), why };
    if same_file(backup, path) {
        return Err(no_backup("it is the store itself".into()));
    }
    let _lock = Lock::take(path)?;
    let held = Held::check(backup, mode).map_err(|error| no_backup(why_not(error)))?;
    let mark = Mark::read(path)?;
    let present = present(path, mode, state, held.seq);
    let there = present.as_ref().map(|present| &present.standing);
    if let Some(here) = restored::another(&held.store, &mark, there).filter(|_| !any) {
        let (path, its) = (backup.display().to_string(), held.store);
        return Err(StoreError::Another { path, its, here });
    }
    let new = private::beside(path, ".restoring");
    copy(backup, &new)?;
    let (gap, standing) = prepare(&new, &mark, present.as_ref())?;
    let aside = move_aside(path, &FILES)?;
    let failed = io(path, "put the backup into the store's place");
    fs::rename(&new, path).and_then(|()| private::settle(path)).map_err(failed)?;
    let taken = Ids { attempts: gap.next_attempt.0, timers: gap.next_timer.0 };
    mark::replace(path, standing.water(), gap.lost(), taken)?;
    Ok(Restoration { held, gap, aside })
}

/// What a store's errors say of the file alone: what they advise is about a store that is in its place.
fn why_not(error: StoreError) -> String {
    match error {
        StoreError::Corrupt { what, .. } => format!("it is damaged ({what})"),
        StoreError::NotOurs { .. } => "it is another program's database".into(),
        other => other.to_string(),
    }
}

/// Moves what is there aside, so that the next start begins a new store. Its opt-outs are kept in `state`; why they could not
/// be, if so, comes with the files.
pub fn set_aside(
    path: &Path,
    mode: Mode,
    state: &Path,
) -> Result<(Vec<PathBuf>, Option<StoreError>), StoreError> {
    let _lock = Lock::take(path)?;
    let keep = || opening::keep_outside(&Reader::open(path)?, mode, state);
    let kept = if path.exists() { keep() } else { Ok(()) };
    let [file, log, index] = FILES;
    Ok((move_aside(path, &[file, log, index, ".mark"])?, kept.err()))
}

/// The store that is there.
struct Present {
    standing: Standing,
    /// What it lacks itself, until that is confirmed.
    restored: Option<Restored>,
    /// It came as far as the backup and was read from end to end.
    whole: bool,
}

impl Present {
    /// It is known to have held what the copy in its place holds, and nothing else.
    fn is_the_same(&self, copy: &Standing, own: Option<&Restored>, mark: &Mark) -> bool {
        let of_it = |water: &mark::Water| water.store == copy.id && water.seq == copy.seq;
        self.whole
            && self.standing == *copy
            && self.restored.is_none()
            && own.is_none()
            && mark.lost.is_none()
            && mark.water.as_ref().is_some_and(of_it)
    }
}

/// How far the store that is there came, if it can be read. Its opt-outs are kept, also if an older program wrote it.
fn present(path: &Path, mode: Mode, state: &Path, backup_seq: u64) -> Option<Present> {
    let reader = Reader::open(path).ok()?;
    let kept = opening::keep_outside(&reader, mode, state);
    if let Err(error) = kept {
        tracing::warn!(%error, "opt-outs of the store that is replaced could not be read");
    }
    let standing = Standing::read(&reader.db, path).ok()?;
    let restored = restored::read(&reader.db, path);
    let whole = standing.seq == backup_seq && restored.is_ok() && Held::check(path, mode).is_ok();
    Some(Present { standing, restored: restored.ok().flatten(), whole })
}

/// With what stands in a log beside it: a store that was moved aside has one.
fn copy(backup: &Path, to: &Path) -> Result<(), StoreError> {
    let mut new = OpenOptions::new();
    new.write(true).create(true).truncate(true);
    let has_log = fs::metadata(private::beside(backup, "-wal")).is_ok_and(|log| log.len() > 0);
    let failed = io(to, "copy the backup");
    let file = private::open(&mut new, to).map_err(&failed)?;
    if has_log {
        let into = to.to_string_lossy();
        let copied = Reader::open(backup)?.db.execute("VACUUM INTO ?1", [&*into]);
        copied.map_err(sqlite(to, "copy the backup"))?;
    } else {
        std::io::copy(&mut File::open(backup).map_err(&failed)?, &mut &file).map_err(&failed)?;
    }
    file.sync_all().map_err(&failed)
}

/// Writes into the copy what it lacks, and that campaign time goes on where it was lost.
fn prepare(new: &Path, mark: &Mark, present: Option<&Present>) -> Result<(Restored, Standing), StoreError> {
    let db = Connection::open(new).map_err(sqlite(new, "open the copy"))?;
    let standing = Standing::read(&db, new)?;
    let own = restored::read(&db, new)?;
    let gap = Restored::new(&standing, mark, present.map(|present| &present.standing))
        .widened(own.as_ref())
        .widened(present.and_then(|present| present.restored.as_ref()));
    let same = present.is_some_and(|present| present.is_the_same(&standing, own.as_ref(), mark));
    let gap = Restored { lacks_nothing: same, ..gap };
    restored::write(&db, new, &gap)?;
    let clock = schema::meta(&db, new, "clock")?.and_then(|at| At::parse(&at).ok());
    if let Some(now) = clock.max(gap.lost_until) {
        schema::set_meta(&db, new, "clock", &now.to_string())?;
    }
    db.close().map_err(|(_, error)| sqlite(new, "close the copy")(error))?;
    Ok((gap, standing))
}

fn move_aside(path: &Path, files: &[&str]) -> Result<Vec<PathBuf>, StoreError> {
    let failed = io(path, "move the store aside");
    let date = clock::wall_at().utc().format("%Y%m%dT%H%M%SZ").to_string();
    let free = |name: &PathBuf| !files.iter().any(|file| private::beside(name, file).exists());
    let names = (1..).map(|n: u32| if n == 1 { date.clone() } else { format!("{date}-{n}") });
    let aside = names.map(|date| private::beside(path, &format!(".aside-{date}"))).find(free);
    let Some(aside) = aside else { return Ok(Vec::new()) };
    let mut moved = Vec::new();
    for file in files {
        let (from, to) = (private::beside(path, file), private::beside(&aside, file));
        match fs::rename(&from, &to) {
            Ok(()) => moved.push(to),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    private::settle(path).map_err(failed)?;
    Ok(moved)
}

fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some_and(|one| Some(one) == real(other))
}
