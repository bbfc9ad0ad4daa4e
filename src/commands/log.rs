//! The program's own log: `.cascade/log/`, a file a day, never on the screen, never with a secret or a person in it.

use crate::model::clean;
use crate::providers::wire::masked;
use std::io::{self, Write};
use std::path::Path;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

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
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let _ = log.with_writer(OneLine(writer)).try_init();
    Some(guard)
}

/// Every event is one harmless line without telephone numbers, whatever was put into it.
#[derive(Clone, Debug)]
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// The subscriber writes an event at once.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.0.write_all((clean(&masked(text.trim_end())) + "\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<'a, W: Write + Clone + 'a> MakeWriter<'a> for OneLine<W> {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_and_names_no_number() {
        let kept = Kept::default();
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(OneLine(kept.clone())).finish();
        tracing::subscriber::with_default(log, || {
            let phone = crate::model::Phone::parse_e164("+15550001111");
            tracing::warn!(phone = %phone.as_ref().unwrap(), ?phone, file = %"a\n\u{202e}b\u{9b}2J", "for +15550001111");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let line = text.strip_suffix('\n').unwrap();
        assert_eq!(clean(line), line);
        assert!(line.contains("for [number] phone=[number] phone=Some(Phone(…11)) file=a b"), "{line}");
    }
}
