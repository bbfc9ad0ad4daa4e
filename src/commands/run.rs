//! `cascade run`: drives the store's campaigns without a screen until it is stopped. Consoles attach to it; a campaign
//! that ends does not end it, and neither does a terminal that goes away.

use super::headless;
use super::session::{self, Asked};
use super::signals::{self, Signal, Signals};
use super::{Exit, Failure, output, report, unit};
use crate::cli::{Place, Run};
use crate::engine::snapshot::{Phase, Tally};
use crate::model::{At, CampaignId, Mode};
use crate::runtime::attach::Host;
use crate::runtime::handle::{Handle, Picture};
use crate::runtime::history;
use crate::runtime::store::Reader;
use crate::runtime::{Ended, Purpose, Running, boot};
use crate::workspace::Named;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

/// Wall time between two lines of progress; a service's log is read by people.
const PROGRESS: Duration = Duration::from_mins(1);

/// Customers that a pilot launched from an attached console draws.
const PILOT: u64 = 100;

/// What must be typed in live where nobody gave `--yes`.
const WORD: &str = "live";

/// Stays up until a signal comes or the store fails.
pub(super) fn run(place: &Place, args: &Run) -> Result<Exit, Failure> {
    if args.unit {
        return unit::print(place, args);
    }
    let asked = Asked {
        named: Named::default(),
        rehearsal: args.rehearsal.clone(),
        speed: session::SPEED_CONSOLE,
        segments: Vec::new(),
        limit: PILOT,
        purpose: Purpose::Run,
    };
    let (mut options, wires, mut handle) = session::open(place, asked)?;
    let mode = options.workspace.config.as_ref().map_or(Mode::Rehearsal, |config| config.mode);
    if mode == Mode::Live && !args.yes {
        consent()?;
    }
    let store = session::store_of(place)?;
    let _log = super::log::to_file(&options.workspace.dir);
    session::block_on(async move {
        // Before anything is up, so that a lost session does not end it even then.
        let mut signals = signals::listen()?;
        options.host = Some(Host::of("cascade run", &mut handle, None));
        let mut booting = std::pin::pin!(boot(options, wires));
        let running = loop {
            tokio::select! {
                running = &mut booting => break running?,
                signal = signals.next() => match signal {
                    Signal::Hangup => tracing::info!("the terminal is gone; going on without it"),
                    Signal::Interrupt => return Ok(Exit::Interrupted),
                    Signal::Terminate => return Ok(Exit::Done),
                },
            }
        };
        output::note(&format!(
            "cascade: running ({mode}, process {}); `cascade` attaches a console, Ctrl-C or SIGTERM ends it",
            std::process::id()
        ));
        let watch =
            Watch { store, json: args.json, progress: Tally::default(), campaign: None, stuck: false };
        watch.until_the_end(running, handle, signals).await
    })
}

/// A typed word, where there is somebody to type it.
fn consent() -> Result<(), Failure> {
    let refused = Failure::usage(
        "this workspace is live: real people would be contacted. Look at `cascade check` and the console first, then \
         give --yes",
    );
    if !std::io::stdin().is_terminal() {
        return Err(refused);
    }
    output::note(&format!(
        "cascade: this workspace is LIVE. What is in flight goes on, and consoles can launch: real people are contacted. \
         Type {WORD} and Enter to go on, anything else to leave it"
    ));
    let mut typed = String::new();
    match std::io::stdin().lock().read_line(&mut typed) {
        Ok(_) if typed.trim() == WORD => Ok(()),
        Ok(_) | Err(_) => Err(refused),
    }
}

/// What is told on the way.
struct Watch {
    store: PathBuf,
    json: bool,
    /// As the last line of progress said.
    progress: Tally,
    /// Under way, whose report is printed when it ends.
    campaign: Option<CampaignId>,
    /// It was said that an operator is needed.
    stuck: bool,
}

impl Watch {
    async fn until_the_end(
        mut self,
        running: Running,
        mut handle: Handle,
        mut signals: Signals,
    ) -> Result<Exit, Failure> {
        let mut ended = std::pin::pin!(running.ended());
        let mut tick = tokio::time::interval(PROGRESS);
        tick.reset();
        let mut stopped = None;
        let ended = loop {
            tokio::select! {
                ended = &mut ended => break ended,
                Some(notice) = handle.notices.recv() => session::say(&notice),
                Ok(()) = handle.picture.changed() => {
                    let picture = handle.picture.borrow_and_update().clone();
                    self.see(&picture);
                    if picture.store_failed.is_some() && stopped.is_none() {
                        // Whoever starts it again finds everything that was committed; here nothing can go on.
                        session::quit(&handle.commands).await;
                    }
                }
                _ = tick.tick() => self.tell_progress(&handle),
                signal = signals.next() => match signal {
                    Signal::Hangup => tracing::info!("the terminal is gone; going on without it"),
                    Signal::Interrupt | Signal::Terminate if stopped.is_some() => return Err(headless::at_once()),
                    Signal::Interrupt | Signal::Terminate => {
                        stopped = Some(signal);
                        output::note(&format!("cascade: {}; answers under way are waited for", signal.name()));
                        session::quit(&handle.commands).await;
                    }
                },
            }
        };
        session::drain(&mut handle).await;
        end(ended, stopped, &handle)
    }

    /// A campaign that ended since the last picture is reported; one that waits for an operator says so once.
    fn see(&mut self, picture: &Picture) {
        let Some(campaign) = &picture.snapshot.campaign else { return };
        match picture.snapshot.phase {
            Phase::Ended if self.campaign == Some(campaign.id) => {
                self.campaign = None;
                output::note(&format!("cascade: {} has ended", crate::model::clean(&campaign.name)));
                self.report(campaign.id, picture.snapshot.now);
            }
            Phase::Ended | Phase::Idle => {}
            Phase::Running | Phase::Paused(_) | Phase::Stuck => self.campaign = Some(campaign.id),
        }
        let stuck = picture.snapshot.phase == Phase::Stuck;
        if stuck && !std::mem::replace(&mut self.stuck, stuck) {
            output::note("cascade: nothing goes on without you; `cascade` attaches a console");
            for line in headless::left_open(&picture.snapshot) {
                output::note(&format!("cascade: {line}"));
            }
        }
        self.stuck = stuck;
    }

    /// On stdout; a reader that went away, or a terminal that is gone, is no reason to end.
    fn report(&self, campaign: CampaignId, now: At) {
        let read = Reader::open(&self.store).and_then(|reader| {
            Ok((reader.campaign(Some(campaign))?, history::of_campaign(&reader, campaign)?))
        });
        let printed = match read {
            Ok((Some(campaign), history)) if self.json => {
                output::json_line(&report::to_json(&campaign, &history))
            }
            Ok((Some(campaign), history)) => report::print(&campaign, &history, (0, now), false),
            Ok((None, _)) => Ok(()),
            Err(error) => Err(Failure::failed(error.to_string())),
        };
        if let Err(failure) = printed {
            tracing::warn!(%failure, "the report was not printed; `cascade report` prints it");
        }
    }

    /// Once a minute, if anything moved.
    fn tell_progress(&mut self, handle: &Handle) {
        let picture = handle.picture.borrow();
        let tally = picture.snapshot.tally;
        if self.campaign.is_some() && tally != self.progress {
            self.progress = tally;
            output::note(&headless::progress(handle.clock.now(), &picture.snapshot));
        }
    }
}

fn end(ended: Option<Ended>, stopped: Option<Signal>, handle: &Handle) -> Result<Exit, Failure> {
    let again = "`cascade run` goes on where it was";
    let ended =
        ended.ok_or_else(|| Failure::failed(format!("the driver ended badly; see .cascade/log. {again}")))?;
    if ended.failed {
        return Err(Failure::failed(format!("the store failed; mend it, then {again}")));
    }
    if ended.broken {
        return Err(Failure::failed(format!(
            "a fault of this program ended it; see .cascade/log. Everything is saved, {again}"
        )));
    }
    for line in headless::left_behind(&ended, handle) {
        output::note(&format!("cascade: {line}"));
    }
    Ok(match stopped {
        Some(Signal::Interrupt) => Exit::Interrupted,
        Some(Signal::Terminate | Signal::Hangup) | None => Exit::Done,
    })
}
