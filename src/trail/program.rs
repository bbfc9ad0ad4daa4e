//! The user's own `git`, run without a terminal: whatever it would ask, it is refused, since a question would be written
//! over the console and nobody would see it.

use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Longer than any push over a slow line, or a person's way to the window that asks for a key.
const PATIENCE: Duration = Duration::from_mins(3);

/// Words that are kept of what a program says.
const SAID_MAX: u64 = 64 * 1024;

/// One call of git.
pub(super) struct Git {
    command: Command,
}

/// How it ended.
pub(super) struct Done {
    pub is_ok: bool,
    pub out: String,
    pub err: String,
}

/// Why there is no result.
#[derive(Debug)]
pub(super) enum NotRun {
    /// It is not there, or may not be run.
    Missing(io::Error),
    /// It did not end.
    TookTooLong,
}

impl Git {
    /// In a repository or its working tree.
    pub fn new(dir: &Path) -> Self {
        let mut command = Command::new("git");
        command.arg("-C").arg(dir);
        // Its words are read, and shown: in one language, without colours.
        command.env("LC_ALL", "C.UTF-8").env_remove("LANGUAGE");
        command.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never");
        // SSH would ask on the terminal itself, whatever stands at its input; this way it asks a program, and there is
        // one only where the user set up a window for it.
        command.env("SSH_ASKPASS_REQUIRE", "force").env_remove("GPG_TTY");
        if std::env::var_os("SSH_ASKPASS").is_none() {
            command.env("SSH_ASKPASS", "false");
        }
        // Where we run inside of a hook, these would lead git to another repository.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"] {
            command.env_remove(name);
        }
        Self { command }
    }

    pub fn args<const N: usize>(&mut self, args: [&str; N]) {
        self.command.args(args);
    }

    pub fn env(&mut self, name: &str, value: &str) {
        self.command.env(name, value);
    }

    /// Runs it to its end, or ends it.
    pub fn run(mut self, input: Option<&[u8]>) -> Result<Done, NotRun> {
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().map_err(NotRun::Missing)?;
        if let (Some(mut pipe), Some(bytes)) = (child.stdin.take(), input) {
            // One that goes away without listening says why on its own.
            let _ = pipe.write_all(bytes);
        }
        let (told, heard) = mpsc::channel();
        listen(child.stdout.take(), told.clone(), false);
        listen(child.stderr.take(), told, true);
        let (mut out, mut err) = (String::new(), String::new());
        for _ in 0..2 {
            let Ok((is_err, text)) = heard.recv_timeout(PATIENCE) else {
                let _ = child.kill().and_then(|()| child.wait().map(drop));
                return Err(NotRun::TookTooLong);
            };
            *(if is_err { &mut err } else { &mut out }) = text;
        }
        let status = child.wait().map_err(NotRun::Missing)?;
        Ok(Done { is_ok: status.success(), out, err })
    }
}

/// Hears a pipe to its end on a thread of its own: a program that fills one while we read the other would wait for ever.
fn listen(pipe: Option<impl Read + Send + 'static>, told: mpsc::Sender<(bool, String)>, is_err: bool) {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A broken pipe ends it like any end; what lies beyond the bound is heard and dropped.
            let _ = pipe.by_ref().take(SAID_MAX).read_to_end(&mut bytes);
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        let _ = told.send((is_err, String::from_utf8_lossy(&bytes).into_owned()));
    });
}
