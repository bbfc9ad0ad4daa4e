//! A campaign without a screen: progress on stderr, the report on stdout.

use super::session::{self, Asked};
use super::signals::{self, Signals};
use super::{Exit, Failure, output, report};
use crate::cli::Place;
use crate::engine::snapshot::{Phase, Snapshot};
use crate::model::{At, Mode};
use crate::phrases::leaving::leaving;
use crate::runtime::attach::Host;
use crate::runtime::handle::Handle;
use crate::runtime::history;
use crate::runtime::store::Reader;
use crate::runtime::{BootError, Ended, Purpose, Running, boot};
use std::path::PathBuf;
use std::time::Duration;

/// Wall time between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(5);

/// Unusable rows that are named one by one.
const ROWS_NAMED: usize = 20;

/// What `resume` says where nothing is in flight.
pub(super) const NOTHING: &str = "nothing is in flight here; `cascade pilot` launches a pilot";

/// How the result is wanted.
#[derive(Clone, Copy)]
pub(super) struct Wants {
    /// As JSON.
    pub json: bool,
    /// Live needs it.
    pub yes: bool,
}

/// Runs until nothing can go on without an operator, a signal comes, or the store fails.
pub(super) fn run(place: &Place, asked: Asked, wants: Wants, program: &'static str) -> Result<Exit, Failure> {
    let launches = asked.purpose == Purpose::Pilot;
    let (mut options, wires, mut handle) = session::open(place, asked)?;
    if options.workspace.mode == Mode::Live && !wants.yes {
        return Err(Failure::usage(
            "this workspace is live: real people would be contacted. Look at `cascade check` and the console \
             first, then give --yes",
        ));
    }
    let store = session::store_of(place)?;
    let _log = super::log::to_file(&options.workspace.dir);
    session::block_on(async move {
        // Before anything is up: consoles may attach before all of it is, and then its end must be told.
        let mut signals = signals::listen()?;
        options.host = Some(Host::of(program, &mut handle, None));
        let booted = tokio::select! {
            booted = Box::pin(boot(options, wires)) => booted,
            _ = signals.next() => {
                output::note("cascade: ended before anything went on; `cascade resume` goes on with what is in flight");
                return Ok(Exit::Interrupted);
            }
        };
        let running = match booted {
            Ok(running) => running,
            Err(BootError::NothingToResume) => return Err(Failure { exit: 0, message: NOTHING.into() }),
            Err(error) => return Err(error.into()),
        };
        if launches {
            drawn_starts(&handle);
        }
        watch(running, handle, signals, (store, wants)).await
    })
}

async fn watch(
    running: Running,
    mut handle: Handle,
    mut signals: Signals,
    (store, wants): (PathBuf, Wants),
) -> Result<Exit, Failure> {
    let mut ended = std::pin::pin!(running.ended());
    let mut tick = tokio::time::interval(PROGRESS);
    tick.reset();
    let mut interrupted = false;
    unusable_rows(&handle);
    let ended = loop {
        tokio::select! {
            ended = &mut ended => break ended,
            Some(notice) = handle.notices.recv() => session::say(&notice),
            _ = tick.tick() => output::note(&progress(handle.clock.now(), &handle.picture.borrow().snapshot)),
            _ = signals.next() => {
                if std::mem::replace(&mut interrupted, true) {
                    return Err(at_once());
                }
                output::note("cascade: ending; everything is saved, `cascade resume` goes on");
                session::quit(&handle.commands).await;
            }
        }
    };
    session::drain(&mut handle).await;
    let ended = ended
        .ok_or_else(|| Failure::failed("the driver ended badly; see .cascade/log, then `cascade resume`"))?;
    if ended.failed {
        return Err(Failure::failed("the store failed; mend it, then `cascade resume` goes on where it was"));
    }
    if ended.broken {
        return Err(Failure::failed(
            "a fault of this program ended it; see .cascade/log. Everything is saved, `cascade resume` goes on",
        ));
    }
    let Some(campaign) = &ended.campaign else {
        return Err(Failure::usage("nothing was launched; the reason stands above"));
    };
    let phase = crate::engine::phase(campaign);
    let lines = if interrupted {
        left_behind(&ended, &handle)
    } else {
        left_open(&crate::engine::snapshot(campaign, ended.seq, ended.now, std::sync::Arc::default()))
    };
    for line in lines {
        output::note(&format!("cascade: {line}"));
    }
    if !interrupted && matches!(phase, Phase::Running) {
        let open = crate::phrases::people(campaign.open());
        output::note(&format!(
            "cascade: {open} wait for a provider that refused its set-up; the reason stands above. Mend it, then \
             `cascade resume`"
        ));
    }
    let history = history::of_campaign(&Reader::open(&store)?, campaign.id())?;
    report::print(campaign, &history, (ended.seq, ended.now), wants.json)?;
    let paused_itself =
        campaign.header.paused_on.iter().chain([&campaign.header.paused]).flatten().any(|p| p.by_itself);
    Ok(match phase {
        _ if interrupted => Exit::Interrupted,
        Phase::Ended | Phase::Stuck if !paused_itself => Exit::Done,
        Phase::Ended | Phase::Stuck | Phase::Idle | Phase::Running | Phase::Paused(_) => Exit::DidNotHold,
    })
}

/// Who is left out or contacted once more, and from what starts are drawn, a line a segment.
fn drawn_starts(handle: &Handle) {
    let picture = handle.picture.borrow();
    for words in
        picture.preflight.iter().flat_map(|preflight| crate::phrases::before::before(&preflight.before))
    {
        output::note(&format!("cascade: {words}"));
    }
    for row in picture.preflight.iter().flat_map(|preflight| &preflight.starts) {
        output::note(&format!("cascade: {}", crate::phrases::starts::starts(row)));
    }
}

/// Rows of the list that were passed over, the first of them by line.
fn unusable_rows(handle: &Handle) {
    let picture = handle.picture.borrow();
    let Some(preflight) = &picture.preflight else { return };
    for (line, reason) in preflight.rejects.iter().take(ROWS_NAMED) {
        output::note(&format!("cascade: line {line} of the list is passed over: {reason}"));
    }
    let more = preflight.rejects_total.saturating_sub(ROWS_NAMED as u64);
    if more > 0 {
        output::note(&format!("cascade: … and {more} more rows; `cascade check --json` lists them all"));
    }
}

/// What will not be sent and not be heard, now that a campaign under way is left alone.
pub(super) fn left_behind(ended: &Ended, handle: &Handle) -> Vec<String> {
    let Some(campaign) = ended.campaign.as_ref().filter(|c| c.header.ended_at.is_none()) else {
        return Vec::new();
    };
    let snapshot = crate::engine::snapshot(campaign, ended.seq, ended.now, std::sync::Arc::default());
    let zone = handle.picture.borrow().place.timezone.parse().unwrap_or(chrono_tz::Tz::UTC);
    leaving(&snapshot, ended.failed, ended.now, zone)
}

/// The second signal: whoever sends it does not want to wait.
pub(super) fn at_once() -> Failure {
    let message = "ended at once; what was on its way is in doubt, `cascade resume` asks";
    Failure { exit: 130, message: message.into() }
}

pub(super) fn progress(now: At, snapshot: &Snapshot) -> String {
    let t = &snapshot.tally;
    format!(
        "{} | {} customers: {} converted, {} declined, {} opted out, {} exhausted, {} held, {} in doubt, {} running",
        now, t.total, t.converted, t.declined, t.opted_out, t.exhausted, t.held, t.in_doubt, t.running
    )
}

/// Whoever can go on only by an operator's hand, and by which.
pub(super) fn left_open(rows: &Snapshot) -> Vec<String> {
    let mut lines: Vec<String> = rows
        .breakers
        .iter()
        .filter(|b| b.held > 0)
        .map(|b| {
            format!(
                "{} held on {} ({}): {} {}. {}",
                crate::phrases::people(b.held),
                b.channel.label(),
                crate::model::clean(&b.scope.to_string()),
                crate::model::clean(&b.failure.code),
                crate::model::clean(&b.failure.title),
                b.failure.remedy
            )
        })
        .collect();
    lines.extend(
        rows.channels.iter().filter_map(|row| row.paused.clone()).map(|why| format!("paused itself: {why}")),
    );
    if let Phase::Paused(why) = &rows.phase {
        lines.push(format!(
            "paused: {}. Look at it in the console and resume there (p)",
            crate::model::clean(why)
        ));
    }
    lines
}
