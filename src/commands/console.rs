//! `cascade`: the console. On a store that another process holds it attaches to that one. Its first frame stands before
//! the parts behind it are up.

use super::{Exit, Failure, output, session};
use crate::cli::{Place, Rehearsal};
use crate::runtime::attach::{Host, attach, reach};
use crate::runtime::store::StoreError;
use crate::runtime::{BootError, Purpose, boot};
use crate::tui;
use crate::workspace::Named;
use std::path::Path;
use std::time::Duration;

/// Customers that a pilot from the console draws.
const PILOT: u64 = 100;

/// Wall time that whoever has just taken the store gets to let consoles in.
const COMING_UP: Duration = Duration::from_secs(2);

/// Runs until the operator leaves.
pub(super) fn run(place: &Place, rehearsal: &Rehearsal) -> Result<Exit, Failure> {
    if !output::is_terminal() {
        return Err(Failure::usage(
            "the console needs a terminal; without one, `cascade pilot` runs the same pilot",
        ));
    }
    let store = session::store_of(place)?;
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let mut look = tui::Options::new(no_color).map_err(|error| Failure::failed(error.to_string()))?;
    look.workspace = Some(place.workspace.clone());
    session::block_on(async move {
        if let Some(exit) = look_in(place, &store, rehearsal, &look).await? {
            return Ok(exit);
        }
        match own(place, rehearsal, look.clone()).await {
            // Somebody took it in this very moment.
            Err(Ended::Held(refused)) => match patiently(place, &store, rehearsal, &look).await? {
                Some(exit) => Ok(exit),
                None => Err(refused),
            },
            Err(Ended::Failed(failure)) => Err(failure),
            Ok(exit) => Ok(exit),
        }
    })
}

/// Attaches to whoever runs the store's campaign. `None`: nobody does.
async fn look_in(
    place: &Place,
    store: &Path,
    rehearsal: &Rehearsal,
    look: &tui::Options,
) -> Result<Option<Exit>, Failure> {
    let reached = reach(store).await.map_err(|error| Failure::usage(error.to_string()))?;
    let Some(link) = reached else { return Ok(None) };
    if *rehearsal != Rehearsal::default() {
        return Err(Failure::usage(format!(
            "--speed, --seed, --start and --sandbox are {}'s to say, which runs this store's campaigns: type \
             `cascade` alone to attach to it, or name another --db",
            link.to_whom()
        )));
    }
    let _log = super::log::to_file(&place.workspace);
    let left = tui::run(attach(link), look.clone()).await;
    left.map(|left| Some(exit_of(left))).map_err(|error| Failure::failed(error.to_string()))
}

/// As [`look_in`], for whoever is about to let consoles in.
async fn patiently(
    place: &Place,
    store: &Path,
    rehearsal: &Rehearsal,
    look: &tui::Options,
) -> Result<Option<Exit>, Failure> {
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    let found = tokio::time::timeout(COMING_UP, async {
        loop {
            looks.tick().await;
            if crate::runtime::store::attachable(store).is_some() {
                return;
            }
        }
    });
    match found.await {
        Ok(()) => look_in(place, store, rehearsal, look).await,
        Err(_) => Ok(None),
    }
}

/// Why a console of our own ended.
enum Ended {
    /// Another process holds the store.
    Held(Failure),
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Runs the campaign in this process, until the operator leaves. Others may look in.
async fn own(place: &Place, rehearsal: &Rehearsal, look: tui::Options) -> Result<Exit, Ended> {
    let asked = session::Asked {
        named: Named::default(),
        rehearsal: rehearsal.clone(),
        speed: session::SPEED_CONSOLE,
        segments: Vec::new(),
        limit: PILOT,
        purpose: Purpose::Console,
    };
    let (mut options, wires, mut handle) = session::open(place, asked)?;
    let _log = super::log::to_file(&options.workspace.dir);
    let operator = handle.operator.clone();
    options.host = Some(Host::of("cascade", &mut handle, Some(operator)));
    let commands = handle.commands.clone();
    let mut booting = tokio::spawn(boot(options, wires));
    let mut screen = std::pin::pin!(tui::run(handle, look));
    let (mut left, mut running) = (None, None);
    // Whichever comes first: the parts are up, or the operator has had enough.
    tokio::select! {
        ended = &mut screen => left = Some(ended),
        booted = &mut booting => running = Some(booted),
    }
    let running = match running {
        Some(booted) => booted,
        None => booting.await,
    };
    let running = running.map_err(|_| Failure::failed("starting ended badly; see .cascade/log"))?;
    let running = running.map_err(|error| match error {
        BootError::Store(StoreError::Held(_)) => Ended::Held(error.into()),
        error => Ended::Failed(error.into()),
    })?;
    let left = match left {
        Some(left) => left,
        None => screen.await,
    };
    session::quit(&commands).await;
    let ended = running.ended().await;
    let left = left.map_err(|error| Failure::failed(error.to_string()))?;
    match ended {
        Some(ended) if ended.broken => {
            Err(Failure::failed("a fault of this program ended it; see .cascade/log. Everything is saved")
                .into())
        }
        Some(ended) if !ended.failed => Ok(exit_of(left)),
        _ => Err(Failure::failed("the store failed while the console ran; see .cascade/log").into()),
    }
}

fn exit_of(left: tui::Exit) -> Exit {
    match left {
        tui::Exit::Interrupted(tui::Interrupt::Signal("SIGINT")) => Exit::Interrupted,
        tui::Exit::Interrupted(_) | tui::Exit::Key => Exit::Done,
    }
}
