//! The built binary in a pseudo-terminal: keys in, the screen and the raw bytes out, waits on conditions alone.

use cascade::clock::wall;
use portable_pty::{ChildKiller, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// A condition that does not hold by then never will.
const LIMIT: Duration = Duration::from_mins(1);

/// Between two looks at a screen that stands still.
const LOOK: Duration = Duration::from_millis(100);

/// Between two pieces of a frame less time passes.
const MOMENT: Duration = Duration::from_millis(20);

/// Of a screen that never stands still no more is waited for.
const PIECES: usize = 50;

/// What has come out of the terminal so far.
pub struct Seen {
    screen: vt100::Parser,
    /// Every byte.
    pub raw: Vec<u8>,
    closing: bool,
    closed: bool,
    exit: Option<u32>,
}

/// A running `cascade` and its terminal.
pub struct Pty {
    master: Option<Box<dyn MasterPty + Send>>,
    slave: Option<Box<dyn SlavePty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    killer: Box<dyn ChildKiller + Send + Sync>,
    reader: Option<std::thread::JoinHandle<()>>,
    pid: u32,
    shared: Arc<(Mutex<Seen>, Condvar)>,
    was: String,
}

/// How it ended.
pub struct End {
    /// Exit code.
    pub code: u32,
    /// Everything that it wrote.
    pub raw: Vec<u8>,
    /// What is on the screen now.
    pub text: String,
    /// Nothing of ours is left: alternate screen, hidden cursor, mouse, bracketed paste, raw mode.
    pub restored: Result<(), String>,
}

/// `cascade` as cargo built it.
pub fn cascade() -> &'static str {
    env!("CARGO_BIN_EXE_cascade")
}

impl Pty {
    /// Starts `cascade ARGS` in a terminal of this size, `dir` being its workspace.
    pub fn start(size: (u16, u16), dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(pty_size(size)).unwrap();
        let mut command = CommandBuilder::new(cascade());
        command.args(args);
        command.cwd(dir);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        command.env("RUST_BACKTRACE", "0");
        for (name, value) in env {
            command.env(name, value);
        }
        let was = settings(pair.master.as_ref());
        let mut child = pair.slave.spawn_command(command).unwrap();
        let screen = vt100::Parser::new(size.1, size.0, 0);
        let seen = Seen { screen, raw: Vec::new(), closing: false, closed: false, exit: None };
        let shared = Arc::new((Mutex::new(seen), Condvar::new()));
        let (killer, pid) = (child.clone_killer(), child.process_id().unwrap());
        let told = Arc::clone(&shared);
        std::thread::spawn(move || {
            let code = child.wait().map_or(u32::MAX, |status| status.exit_code());
            told.0.lock().unwrap().exit = Some(code);
            told.1.notify_all();
        });
        let reader = pair.master.try_clone_reader().unwrap();
        let read = Arc::clone(&shared);
        let reader = std::thread::spawn(move || follow(reader, &read));
        let writer = pair.master.take_writer().unwrap();
        Self {
            master: Some(pair.master),
            slave: Some(pair.slave),
            writer: Some(writer),
            killer,
            reader: Some(reader),
            pid,
            shared,
            was,
        }
    }

    /// Waits until the screen's text satisfies `holds`, and returns it.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let text = |seen: &Seen| seen.screen.screen().contents();
        // Asked once for each look: what it compares with may have moved on by the next.
        let mut first = None;
        let seen = self.wait(|seen| {
            first = Some(text(seen)).filter(|text| holds(text));
            first.is_some() || seen.exit.is_some()
        });
        let Some(first) = first else {
            panic!("{what}: never seen (exit {:?}); the screen at last:\n{}", seen.exit, text(&seen));
        };
        // The rest of its frame, unless what was waited for is gone again by then.
        Some(text(&self.whole(seen))).filter(|whole| holds(whole)).unwrap_or(first)
    }

    /// A frame comes in pieces: waits until nothing more has come for a moment.
    fn whole<'a>(&'a self, mut seen: MutexGuard<'a, Seen>) -> MutexGuard<'a, Seen> {
        for _ in 0..PIECES {
            let before = seen.raw.len();
            seen = self.shared.1.wait_timeout(seen, MOMENT).unwrap().0;
            if seen.raw.len() == before {
                break;
            }
        }
        seen
    }

    /// Waits until the screen shows `words`.
    #[track_caller]
    pub fn sees(&self, words: &str) -> String {
        self.until(words, |text| text.contains(words))
    }

    /// Waits until the screen no longer shows `words`.
    #[track_caller]
    pub fn loses(&self, words: &str) -> String {
        self.until(&format!("without {words}"), |text| !text.contains(words))
    }

    /// Every byte so far.
    pub fn raw(&self) -> Vec<u8> {
        self.shared.0.lock().unwrap().raw.clone()
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Gives the window another size.
    pub fn resize(&self, size: (u16, u16)) {
        self.shared.0.lock().unwrap().screen.screen_mut().set_size(size.1, size.0);
        self.master.as_ref().unwrap().resize(pty_size(size)).unwrap();
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid)]).status();
        assert!(sent.unwrap().success(), "the signal could not be sent");
    }

    /// Closes the terminal under the program, as a closed window does.
    pub fn close(&mut self) {
        self.shared.0.lock().unwrap().closing = true;
        // A frame wakes our reader, which then lets go of its end.
        self.resize((119, 39));
        self.reader.take().unwrap().join().unwrap();
        self.writer = None;
        self.slave = None;
        self.master = None;
    }

    /// Waits for the exit code alone, for a terminal that is closed.
    #[track_caller]
    pub fn code(&self) -> u32 {
        let seen = self.wait(|seen| seen.exit.is_some());
        seen.exit.expect("the process never ended")
    }

    /// Waits for the end, and looks at what is left behind.
    #[track_caller]
    pub fn end(mut self) -> End {
        let code = self.code();
        let now = settings(self.master.as_deref().unwrap());
        self.slave = None;
        let seen = self.wait(|seen| seen.closed);
        let screen = seen.screen.screen();
        let left = [
            ("the alternate screen", screen.alternate_screen()),
            ("a hidden cursor", screen.hide_cursor()),
            ("the mouse", screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None),
            ("bracketed paste", screen.bracketed_paste()),
            ("raw mode", now != self.was),
        ];
        let left: Vec<&str> = left.into_iter().filter_map(|(what, is)| is.then_some(what)).collect();
        let restored = if left.is_empty() { Ok(()) } else { Err(left.join(", ")) };
        End { code, raw: seen.raw.clone(), text: screen.contents(), restored }
    }

    fn wait(&self, mut holds: impl FnMut(&Seen) -> bool) -> MutexGuard<'_, Seen> {
        let ((seen, changed), until) = (&*self.shared, wall() + LIMIT);
        let mut seen = seen.lock().unwrap();
        while !holds(&seen) && wall() < until {
            // A condition may look elsewhere, too, where things change although this screen stands still.
            seen = changed.wait_timeout(seen, LOOK).unwrap().0;
        }
        seen
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.killer.kill();
    }
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

/// The line discipline: raw or not.
fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal has settings"))
}

fn follow(mut reader: Box<dyn Read + Send>, shared: &(Mutex<Seen>, Condvar)) {
    let (seen, changed) = shared;
    let mut bytes = [0; 16 * 1024];
    loop {
        let read = reader.read(&mut bytes).unwrap_or(0);
        let mut seen = seen.lock().unwrap();
        seen.raw.extend_from_slice(&bytes[..read]);
        seen.screen.process(&bytes[..read]);
        if read == 0 || seen.closing {
            seen.closed = true;
            changed.notify_all();
            return;
        }
        changed.notify_all();
    }
}
