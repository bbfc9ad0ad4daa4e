//! What `pilot`, `resume` and the console have in common: the workspace opened, the clock made, the parts joined.

use super::{Failure, output};
use crate::cli::{Place, Rehearsal};
use crate::clock::Clock;
use crate::model::{At, Mode, Segment};
use crate::runtime::handle::{Command, Handle, Level, Notice, Picture};
use crate::runtime::plan::Draw;
use crate::runtime::{BootError, Options, Purpose, Wires, operator};
use crate::workspace::{self, Named, Unusable, Workspace};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Campaign seconds a wall second in the console, and without a screen.
pub const SPEED_CONSOLE: f64 = 720.0;
/// See [`SPEED_CONSOLE`].
pub const SPEED_HEADLESS: f64 = 3600.0;

/// How people behave unless `--seed` says otherwise.
const SEED: u64 = 1;

/// Commands and notices that may wait.
const WAITING: usize = 64;

/// For notices that are on their way when everything has ended.
const LAST_NOTICES: std::time::Duration = std::time::Duration::from_millis(200);

/// What a session is asked to do.
pub struct Asked {
    /// Files named on the command line.
    pub named: Named,
    /// Speed, seed, start, sandbox.
    pub rehearsal: Rehearsal,
    /// Campaign seconds a wall second unless `--speed` says otherwise.
    pub speed: f64,
    /// Of these segments.
    pub segments: Vec<String>,
    /// At most so many.
    pub limit: u64,
    /// What for.
    pub purpose: Purpose,
}

/// Opens the workspace and makes both ends of a session.
pub fn open(place: &Place, asked: Asked) -> Result<(Options, Wires, Handle), Failure> {
    let workspace = Workspace::open(&place.workspace, &asked.named, &|name| std::env::var(name).ok())?;
    let mode = workspace.mode;
    if workspace.config.is_none() {
        // Nothing may be looked at as something else than the settings say, not even a store. A pilot names what is
        // wrong with rules and texts too.
        let all = if asked.purpose == Purpose::Pilot { workspace.ready().err() } else { None };
        return Err(all.unwrap_or(Unusable::Problems(workspace.config_problems)).into());
    }
    let Rehearsal { speed, seed, start, sandbox } = asked.rehearsal;
    if mode == Mode::Live && (speed.is_some() || seed.is_some() || start.is_some() || sandbox.is_some()) {
        let message = "live refuses --speed, --seed, --start and --sandbox: they are for rehearsals";
        return Err(Failure::usage(message));
    }
    if sandbox.is_some() && (speed.is_some() || seed.is_some() || start.is_some()) {
        let message =
            "with --sandbox, speed, seed and time are the sandbox's: give them to `cascade sandbox`";
        return Err(Failure::usage(message));
    }
    let as_before = asked.purpose != Purpose::Pilot && speed.is_none();
    let speed = speed.unwrap_or(asked.speed);
    if !(speed.is_finite() && (1.0..=1_000_000.0).contains(&speed)) {
        return Err(Failure::usage(
            "--speed takes a number from 1 to 1000000: campaign seconds in one real second",
        ));
    }
    let clock = match mode {
        Mode::Live => Clock::live(),
        Mode::Rehearsal => Clock::scaled(start.unwrap_or_else(|| At::from_secs(1_767_621_600)), speed),
    };
    // The first frame stands before anything is up, and must not look ready.
    let first = Picture { starting: Some("starting".into()), ..Picture::default() };
    let (picture, shown) = watch::channel(Arc::new(first));
    let (commands, asked_for) = mpsc::channel(WAITING);
    let (notices, told) = mpsc::channel(WAITING);
    let draw = Draw {
        limit: usize::try_from(asked.limit).unwrap_or(usize::MAX),
        seed: seed.unwrap_or(SEED),
        segments: asked.segments.into_iter().map(Segment).collect(),
    };
    let purpose = asked.purpose;
    let options = Options {
        workspace,
        db: place.db.clone(),
        draw,
        speed,
        as_before,
        start,
        sandbox,
        purpose,
        host: None,
    };
    let wires = Wires { picture, commands: asked_for, notices, clock: clock.clone() };
    let operator = operator::here();
    Ok((options, wires, Handle { picture: shown, commands, notices: told, clock, operator, control: None }))
}

/// Where the store of a workspace lies. Its mode can be told without its secrets, which a console that attaches need
/// not have.
pub fn store_of(place: &Place) -> Result<PathBuf, Failure> {
    let opened = Workspace::open(&place.workspace, &Named::default(), &|name| std::env::var(name).ok())?;
    Ok(workspace::store_path(&opened.dir, place.db.as_deref(), opened.mode)?)
}

/// The async runtime of a session.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the program's threads cannot be started: {error}")))?;
    let result = runtime.block_on(async {
        let caught = super::signals::outlive_file_limits();
        caught.map_err(|e| Failure::failed(format!("signals cannot be listened to: {e}")))?;
        work.await
    });
    // Work that is not on disk by now was never acknowledged to anybody.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    result
}

/// A notice on stderr, for commands without a screen.
pub fn say(notice: &Notice) {
    let mark = match notice.level {
        Level::Info => "",
        Level::Warning => "warning: ",
        Level::Error => "error: ",
    };
    output::note(&format!("cascade: {mark}{}", notice.text));
}

/// Says what is still on its way to stderr once everything has ended.
pub async fn drain(handle: &mut Handle) {
    while let Ok(Some(notice)) = tokio::time::timeout(LAST_NOTICES, handle.notices.recv()).await {
        say(&notice);
    }
}

/// Asks the runtime to end; it may have ended already.
pub async fn quit(commands: &mpsc::Sender<Command>) {
    let _ = commands.send(Command::Quit).await;
}

impl From<BootError> for Failure {
    fn from(error: BootError) -> Self {
        Self::usage(error.to_string())
    }
}
