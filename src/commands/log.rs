//! The program's own log: `.cascade/log/`, a file a day, never on the screen, never with a secret.

use std::path::Path;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;

/// Files kept.
const DAYS: usize = 14;

/// Logs to the workspace until the guard is dropped. Without a place to write, nothing is logged: a log is no
/// reason not to run.
pub(super) fn to_file(workspace: &Path) -> Option<WorkerGuard> {
    let dir = crate::workspace::state_dir(workspace).ok()?.join("log");
    // The appender complains on stderr about a directory that it has yet to make.
    std::fs::create_dir_all(&dir).ok()?;
    let appender = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("cascade")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(dir)
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let filter = EnvFilter::try_from_env("CASCADE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Set once a process; a second session of one process logs to the first one's file.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).try_init();
    Some(guard)
}
