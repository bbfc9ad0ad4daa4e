//! `cascade`: the console. Its first frame stands before the parts behind it are up.

use super::{Exit, Failure, output, session};
use crate::cli::{Place, Rehearsal};
use crate::runtime::{Purpose, boot};
use crate::tui;
use crate::workspace::Named;

/// Customers that a pilot from the console draws.
const PILOT: u64 = 100;

/// Runs until the operator leaves.
pub(super) fn run(place: &Place, rehearsal: &Rehearsal) -> Result<Exit, Failure> {
    if !output::is_terminal() {
        return Err(Failure::usage(
            "the console needs a terminal; without one, `cascade pilot` runs the same pilot",
        ));
    }
    let asked = session::Asked {
        named: Named::default(),
        rehearsal: rehearsal.clone(),
        speed: session::SPEED_CONSOLE,
        segments: Vec::new(),
        limit: PILOT,
        purpose: Purpose::Console,
    };
    let (options, wires, handle) = session::open(place, asked)?;
    let _log = super::log::to_file(&options.workspace.dir);
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let look = tui::Options::new(no_color).map_err(|error| Failure::failed(error.to_string()))?;
    session::block_on(async move {
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
        let running = running.map_err(|_| Failure::failed("starting ended badly; see .cascade/log"))??;
        let left = match left {
            Some(left) => left,
            None => screen.await,
        };
        session::quit(&commands).await;
        let ended = running.ended().await;
        let left = left.map_err(|error| Failure::failed(error.to_string()))?;
        match ended {
            Some(ended) if ended.broken => Err(Failure::failed(
                "a fault of this program ended it; see .cascade/log. Everything is saved",
            )),
            Some(ended) if !ended.failed => Ok(match left {
                tui::Exit::Interrupted(tui::Interrupt::Signal("SIGINT")) => Exit::Interrupted,
                tui::Exit::Interrupted(_) | tui::Exit::Key => Exit::Done,
            }),
            _ => Err(Failure::failed("the store failed while the console ran; see .cascade/log")),
        }
    })
}
