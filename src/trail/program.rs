//! The user's own `git`, run without a terminal: whatever it would ask, it is refused, since a question would be written
//! over the console and nobody would see it.

use std::collections::BTreeSet;
use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// Longer than any push over a slow line, or a person's way to the window that asks for a key.
const PATIENCE: Duration = Duration::from_mins(3);

/// For what has been said already to be heard, and for what was asked to end to do so.
const A_MOMENT: Duration = Duration::from_secs(2);

/// Between two looks whether they did.
const A_LOOK: Duration = Duration::from_millis(20);

/// Bytes that are kept of what a program says.
const SAID_MAX: usize = 64 * 1024;

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
    pub fn run(self, input: Option<&[u8]>) -> Result<Done, NotRun> {
        self.run_within(input, PATIENCE)
    }

    fn run_within(mut self, input: Option<&[u8]>, patience: Duration) -> Result<Done, NotRun> {
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, which whatever git starts is in as well: transports, hooks.
        self.command.process_group(0);
        let mut child = self.command.spawn().map_err(NotRun::Missing)?;
        let group = AtWork::new(child.id());
        if let (Some(mut pipe), Some(bytes)) = (child.stdin.take(), input) {
            // One that goes away without listening says why on its own.
            let _ = pipe.write_all(bytes);
        }
        let (out, err) = (Ear::at(child.stdout.take()), Ear::at(child.stderr.take()));
        let (told, ended) = mpsc::channel();
        thread::spawn(move || told.send(child.wait()));
        let Ok(status) = ended.recv_timeout(patience) else {
            // First so that git can take its locks away. What does not listen is ended all the same: a push that was given
            // up must not arrive later.
            signal(group.0, "TERM");
            let _ = ended.recv_timeout(A_MOMENT);
            signal(group.0, "KILL");
            return Err(NotRun::TookTooLong);
        };
        let status = status.map_err(NotRun::Missing)?;
        Ok(Done { is_ok: status.success(), out: out.heard(), err: err.heard() })
    }
}

/// The groups that run just now.
static AT_WORK: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A group that runs as long as this is there.
struct AtWork(u32);

impl AtWork {
    fn new(group: u32) -> Self {
        at_work().insert(group);
        Self(group)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        at_work().remove(&self.0);
    }
}

fn at_work() -> MutexGuard<'static, BTreeSet<u32>> {
    AT_WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends every git that runs just now. A terminal's Ctrl-C does not reach their groups, and a push that was given up must
/// not arrive later.
pub fn give_up() {
    let groups = at_work().clone();
    for group in &groups {
        signal(*group, "TERM");
    }
    for _ in 0..A_MOMENT.as_millis() / A_LOOK.as_millis() {
        if at_work().is_disjoint(&groups) {
            break;
        }
        thread::sleep(A_LOOK);
    }
    for group in &groups {
        signal(*group, "KILL");
    }
}

/// To a group of processes. The shell's own `kill` knows groups; the standard library does not.
fn signal(group: u32, name: &str) {
    let kill = format!("kill -s {name} -- -{group}");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &kill]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Nobody is left in it, or nothing can be done.
    let _ = shell.status();
}

/// Hears a pipe on a thread of its own: a program that fills one while we read the other would wait for ever.
struct Ear {
    words: Arc<Mutex<Vec<u8>>>,
    /// Hangs up at the pipe's end.
    open: mpsc::Receiver<()>,
}

impl Ear {
    fn at(pipe: Option<impl Read + Send + 'static>) -> Self {
        let (open, words) = (mpsc::channel::<()>(), Arc::<Mutex<Vec<u8>>>::default());
        let (hangs_up, kept) = (open.0, Arc::clone(&words));
        thread::spawn(move || {
            let mut piece = [0; 4096];
            let mut pipe = pipe;
            while let Some(read) = pipe.as_mut().and_then(|pipe| heard(pipe, &mut piece)) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                // What lies beyond the bound is heard and dropped.
                let room = SAID_MAX.saturating_sub(kept.len());
                kept.extend(read.iter().take(room));
            }
            drop(hangs_up);
        });
        Self { words, open: open.1 }
    }

    /// What was said, once git has ended. Whom it left behind (a connection that is kept for the next push) may keep the
    /// pipe for as long as they live, and has nothing to say about this one.
    fn heard(self) -> String {
        let _ = self.open.recv_timeout(A_MOMENT);
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&words).into_owned()
    }
}

/// The next piece; nothing at the end, and a broken pipe ends like any.
fn heard<'p>(pipe: &mut impl Read, piece: &'p mut [u8]) -> Option<&'p [u8]> {
    loop {
        match pipe.read(piece) {
            Ok(0) => return None,
            Ok(count) => return piece.get(..count),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Git, which runs a script: what it starts is not git's own process.
    fn script(dir: &Path, script: &str) -> Option<Git> {
        if Command::new("git").arg("--version").output().is_err() {
            println!("skipped: there is no git on this machine");
            return None;
        }
        let mut git = Git::new(dir);
        git.args(["-c", &format!("alias.act=!{script}"), "act"]);
        Some(git)
    }

    fn runs(pid: &str) -> bool {
        let asked = format!("kill -0 {pid}");
        Command::new("/bin/sh").args(["-c", &asked]).stderr(Stdio::null()).status().unwrap().success()
    }

    /// Tells when somebody has opened a pipe for writing, and when nobody has it open any more.
    fn watch(pipe: &Path) -> mpsc::Receiver<&'static str> {
        assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        let ((told, heard), pipe) = (mpsc::channel(), pipe.to_owned());
        thread::spawn(move || {
            let mut pipe = fs::File::open(pipe).unwrap();
            let _ = told.send("begun");
            pipe.read_to_end(&mut Vec::new()).unwrap();
            let _ = told.send("ended");
        });
        heard
    }

    #[test]
    fn what_git_started_ends_with_it() {
        let dir = tempfile::tempdir().unwrap();
        for patience in [1, 4, 16, 60] {
            let pipe = dir.path().join(format!("pipe{patience}"));
            let script_is = watch(&pipe);
            // It does not listen to a polite word.
            let act = format!("trap '' TERM; exec 9> {}; sleep 600; sleep 600", pipe.display());
            let Some(git) = script(dir.path(), &act) else { return };
            let done = git.run_within(None, Duration::from_secs(patience));
            assert!(matches!(done, Err(NotRun::TookTooLong)));
            // On a busy machine it may have been ended before it had begun: then once more, with more patience.
            if script_is.try_recv().is_ok() {
                assert_eq!(script_is.recv_timeout(Duration::from_mins(1)), Ok("ended"));
                return;
            }
        }
        panic!("it never began");
    }

    #[test]
    fn whom_git_leaves_behind_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let act = "echo out; echo err >&2; sleep 600 & echo $! > pid";
        let Some(git) = script(dir.path(), &format!("cd {}; {act}", dir.path().display())) else { return };
        let done = git.run_within(None, Duration::from_mins(1));
        let pid = fs::read_to_string(dir.path().join("pid")).unwrap();
        assert!(runs(pid.trim()), "a connection that is kept for the next push is kept");
        let _ = Command::new("/bin/sh").args(["-c", &format!("kill {pid}")]).status();
        let done = done.unwrap_or_else(|_| panic!("it had ended"));
        assert_eq!((done.is_ok, done.out.as_str(), done.err.as_str()), (true, "out\n", "err\n"));
    }

    #[test]
    fn much_that_is_said_is_heard_to_its_end_and_kept_in_part() {
        let dir = tempfile::tempdir().unwrap();
        let act = "head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2; exit 3";
        let Some(git) = script(dir.path(), act) else { return };
        let done = git.run_within(None, Duration::from_mins(1)).unwrap_or_else(|_| panic!("it hung"));
        assert_eq!((done.is_ok, done.out.len(), done.err.len()), (false, SAID_MAX, SAID_MAX));
    }
}
